"""What a stored file is called, and whether its kind was looked at before."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.uploads.stores import Store
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 6
_CHECKING = re.compile(
    r"allowed|valid|verify|is_.*(image|file|type|pdf|csv)|(check|ensure|assert|detect|guess|sniff).*(file|ext|type|image|mime)"
    r"|from_buffer|guess_type|guess_extension|what\b|identify_image",
    re.IGNORECASE,
)
_KIND = re.compile(r"ext|suffix|mime|kind|filename|file_name|filetype", re.IGNORECASE)
_TEMPORARY = re.compile(r"(^|_)te?mp(_|$|file|dir|path)|temporary", re.IGNORECASE)
_TOLD_BY_CLIENT = frozenset({"content_type", "mimetype"})
_REFUSED = re.compile(r"block|den(y|ied)|forbid|banned|disallow|danger|black", re.IGNORECASE)
_RUN = frozenset({"exe", "php", "phtml", "html", "htm", "js", "sh", "bat", "cmd", "py", "svg", "jsp", "asp", "aspx"})
_REWRITTEN = frozenset({"thumbnail", "resize", "convert"})


def named_by_client(store: Store) -> Evidence | None:
    """Where the client's own name for the file gets into the path."""
    for node in _parts(store.path, store.function.scope, _DEEPEST):
        if isinstance(node, form.Attr) and node.attr in ("filename", "name") and _is_of_upload(node, store):
            return store.function.module.evidence(node, "the client's name for the file")
    return None


def _is_of_upload(node: form.Attr, store: Store) -> bool:
    return node.attr == "filename" or (isinstance(node.value, form.Name) and node.value.id in store.uploads)


def _parts(node: form.Expr, scope: Scope, depth: int) -> Iterator[form.Expr | form.Stmt]:
    """The expression's parts, and those of what local names in it were given."""
    for part in form.walk(node):
        yield part
        if isinstance(part, form.Name) and depth:
            for binding in scope.bindings.get(part.id, ()):
                if binding.value is not None:
                    yield from _parts(binding.value, scope, depth - 1)


def is_temporary(store: Store) -> bool:
    """Whether the path is one of temporary files, by what the code calls it."""
    return any(_TEMPORARY.search(name) for name in _spoken([store.path]))


def checked(store: Store) -> Evidence | None:
    """What looks at the kind of the file in the same function, before or after: what a client says of it is no such."""
    for node in store.function.nodes:
        if _looks_at_kind(node) and not _names_what_is_refused(node):
            return store.function.module.evidence(node, "the kind of the file is looked at")
    return _checked_by_form(store)


def _looks_at_kind(node: form.Expr | form.Stmt) -> bool:
    match node:
        case form.Compare(left=left, rights=rights, ops=ops) if {"in", "not in", "==", "!="} & set(ops):
            names = _spoken([left, *rights])
            return any(_KIND.search(n) for n in names) and not names & _TOLD_BY_CLIENT and not _asks_whether_any(node)
        case form.Call(func=func) if node.args:
            called = last_name(func) or ""
            return bool(_CHECKING.search(called)) or called in _REWRITTEN or _ends_with(node)
    return False


def _names_what_is_refused(node: form.Expr | form.Stmt) -> bool:
    """`ext in BLOCKED`, `name.endswith(".exe")`: whatever the list forgets comes through."""
    parts = list(form.walk(node))
    texts = {str(n.value).lstrip(".").lower() for n in parts if isinstance(n, form.Const)} - {""}
    named = any(_REFUSED.search(last_name(n) or "") for n in parts if isinstance(n, form.Name | form.Attr))
    return named or (bool(texts) and texts <= _RUN)


def _asks_whether_any(node: form.Compare) -> bool:
    """`file.filename == ""`: only whether there is a file at all."""
    return any(isinstance(r, form.Const) and r.value in ("", None) for r in node.rights) or (
        isinstance(node.left, form.Const) and node.left.value == "."
    )


def _ends_with(call: form.Call) -> bool:
    return isinstance(call.func, form.Attr) and call.func.attr == "endswith" and bool(_spoken([call.func.value]))


def _spoken(nodes: list[form.Expr]) -> set[str]:
    return {last_name(n) or "" for node in nodes for n in form.walk(node) if isinstance(n, form.Name | form.Attr)}


def _checked_by_form(store: Store) -> Evidence | None:
    """`FileAllowed` of a form that the function takes the file from."""
    if not any(isinstance(n, form.Attr) and n.attr == "data" for n in store.function.nodes):
        return None
    for call, scope in _form_validators(store.function):
        return scope.module.evidence(call, "the form takes these kinds of files only")
    return None


def _form_validators(function: FunctionSymbol) -> list[tuple[form.Call, Scope]]:
    modules = [function.module]
    return [found for module in modules for found in module.calls_named(("FileAllowed", "FileExtensionValidator"))]
