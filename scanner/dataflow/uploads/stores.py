"""Places that write a client's file: Werkzeug's `save`, a file that is opened for it, Django's storages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_UPLOADS = frozenset({"UploadFile", "FileStorage", "UploadedFile", "InMemoryUploadedFile", "FileField", "File"})
_STORAGES = frozenset({"default_storage", "storage", "FileSystemStorage", "fs"})
_WRITTEN_BY = frozenset({"copyfileobj", "write", "writelines", "write_bytes"})
_REQUEST_FILES = frozenset({"files", "FILES"})
_MODE = 3
"""Letters of a mode at most: `wb+`."""
_OPENING = frozenset({"open"})
_PATH_METHODS = frozenset({"write_bytes"})


@dataclass(frozen=True, slots=True, eq=False)
class Store:
    """A call that stores a file: `path` says where, `uploads` are the variables that hold what the client sent."""

    call: form.Call
    function: FunctionSymbol
    path: form.Expr
    uploads: frozenset[str]


def stores(project: Project) -> Iterator[Store]:
    """All of production code, in order of path and position."""
    for module in project.modules.values():
        if module.role is not Role.PROD:
            continue
        for function in module.functions:
            uploads = _uploads_of(function)
            if uploads:
                yield from _in(function, uploads)


def _uploads_of(function: FunctionSymbol) -> set[str]:
    """The variables of a function that hold files from clients."""
    found = {p.name for p in function.node.params if _is_upload(p.annotation) or _is_upload(p.default)}
    if not _speaks_of_files(function):
        return found
    for node in function.nodes:
        match node:
            case form.Assign(targets=[form.Name(id=name)], value=value) if value is not None and _from_request(value):
                found.add(name)
            case form.For(target=form.Name(id=name), iter=over) if _from_request(over) or _names(over) & found:
                found.add(name)
            case form.Attr(value=form.Name(id=name), attr="filename"):
                found.add(name)
    return found


def _speaks_of_files(function: FunctionSymbol) -> bool:
    return any(name in function.module.calls_by_name for name in ("save", "write", "copyfileobj", "write_bytes"))


def _is_upload(node: form.Expr | None) -> bool:
    return node is not None and any(
        isinstance(n, form.Name | form.Attr) and last_name(n) in _UPLOADS for n in form.walk(node)
    )


def _from_request(node: form.Expr) -> bool:
    return any(isinstance(n, form.Attr) and n.attr in _REQUEST_FILES for n in form.walk(node))


def _names(node: form.Expr) -> set[str]:
    return {n.id for n in form.walk(node) if isinstance(n, form.Name)}


def _in(function: FunctionSymbol, uploads: set[str]) -> Iterator[Store]:
    calls = [n for n in function.nodes if isinstance(n, form.Call)]
    for call in calls:
        store = _saved(call, function, uploads)
        if store is not None:
            yield store
    held = uploads | _contents(function, uploads)
    written = [c for c in calls if last_name(c.func) in _WRITTEN_BY and _is_given(c, held)]
    if not written:
        return
    held_by = frozenset(uploads)
    for call in calls:
        if last_name(call.func) in _OPENING and call.positional and _is_for_writing(call):
            yield Store(call, function, _opened(call), held_by)
    for call in written:
        if isinstance(call.func, form.Attr) and call.func.attr in _PATH_METHODS:
            yield Store(call, function, call.func.value, held_by)


def _contents(function: FunctionSymbol, uploads: set[str]) -> set[str]:
    """Variables that hold what was read from one: `content = await file.read()`, `for chunk in file.chunks()`."""
    found: set[str] = set()
    for node in function.nodes:
        match node:
            case form.Assign(targets=[form.Name(id=name)], value=value) if value is not None:
                if _names(value) & (uploads | found):
                    found.add(name)
            case form.For(target=form.Name(id=name), iter=over) if _names(over) & (uploads | found):
                found.add(name)
            case form.Walrus(target=form.Name(id=name), value=value) if _names(value) & (uploads | found):
                found.add(name)
    return found


def _saved(call: form.Call, function: FunctionSymbol, uploads: set[str]) -> Store | None:
    if last_name(call.func) != "save" or not isinstance(call.func, form.Attr) or not call.positional:
        return None
    receiver = call.func.value
    if (isinstance(receiver, form.Name) and receiver.id in uploads) or _from_request(receiver):
        return Store(call, function, call.positional[0], frozenset(_names(receiver)))
    owner = last_name(receiver.func) if isinstance(receiver, form.Call) else last_name(receiver)
    if owner in _STORAGES and len(call.positional) > 1 and _names(call.positional[1]) & uploads:
        return Store(call, function, call.positional[0], frozenset(_names(call.positional[1]) & uploads))
    return None


def _is_given(call: form.Call, names: set[str]) -> bool:
    return any(_names(argument.value) & names for argument in call.args)


def _opened(call: form.Call) -> form.Expr:
    """The path of `open(path, "wb")` and of `path.open("wb")`."""
    first = call.positional[0]
    is_method = isinstance(call.func, form.Attr) and isinstance(first, form.Const) and len(str(first.value)) <= _MODE
    return call.func.value if is_method and isinstance(call.func, form.Attr) else first


def _is_for_writing(call: form.Call) -> bool:
    positional = call.positional
    mode = call.keyword("mode") or (positional[1] if len(positional) > 1 else None)
    if mode is None and isinstance(call.func, form.Attr) and positional:  # `path.open("wb")`
        mode = positional[0]
    return isinstance(mode, form.Const) and isinstance(mode.value, str) and mode.value[:1] in ("w", "x", "a")
