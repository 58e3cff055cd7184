"""Folders that files are handed out from."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_SERVING = (
    "StaticFiles", "send_from_directory", "send_file", "FileResponse", "static", "add_static", "SharedDataMiddleware",
)  # fmt: skip
_SHORTEST = 3
"""Letters of a text that may tell one folder from another."""
_DEEPEST = 3


class Serving:
    """What the calls of one project that hand out files say of their folders."""

    def __init__(self, project: Project) -> None:
        self._folders = [
            (marks, scope.module.evidence(call, "files of this folder are handed out"))
            for call, scope in project.calls_named(*_SERVING)
            if scope.module.role is Role.PROD and not _is_attachment(call) and (marks := _marks_of(call, scope))
        ]

    def of(self, path: form.Expr, scope: Scope) -> Evidence | None:
        """Where files of the folder that the path is in are handed out: both speak of it by one name or text."""
        wanted = set(_marks(path, scope, _DEEPEST))
        return next((evidence for marks, evidence in self._folders if marks & wanted), None)


def _is_attachment(call: form.Call) -> bool:
    """Whether browsers save the file, and don't show it: Starlette says so wherever a name is given."""
    told = call.keyword("as_attachment")
    if isinstance(told, form.Const):
        return told.value is True
    shown = call.keyword("content_disposition_type")
    is_inline = isinstance(shown, form.Const) and shown.value == "inline"
    return last_name(call.func) == "FileResponse" and call.keyword("filename") is not None and not is_inline


def _marks_of(call: form.Call, scope: Scope) -> set[str]:
    return {mark for argument in call.args for mark in _marks(argument.value, scope, _DEEPEST)}


def _marks(node: form.Expr, scope: Scope, depth: int) -> Iterator[str]:
    """Names and texts in the expression, and in what its names stand for."""
    for part in form.walk(node):
        for text in _texts(part):
            if len(text.strip("/.")) >= _SHORTEST:
                yield text.strip("/.").lower()
        name = part.id if isinstance(part, form.Name) else part.attr if isinstance(part, form.Attr) else ""
        if name.isupper():
            yield name
        if isinstance(part, form.Name) and depth:
            for binding in scope.lookup(part.id):
                if binding.value is not None:
                    yield from _marks(binding.value, binding.scope, depth - 1)


def _texts(node: form.Expr | form.Stmt) -> Iterator[str]:
    match node:
        case form.Const(value=str(text)):
            yield text
        case form.Template(parts=parts):
            yield from (part for part in parts if isinstance(part, str))
