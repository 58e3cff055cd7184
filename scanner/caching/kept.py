"""What libraries keep for whoever comes next, by decorators and wrappers, and under which key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.caching.key_contents import Key
from assay.scanner.caching.library_keys import Around, Asked, library_key, unfolded, varied_headers
from assay.scanner.caching.operations import Act, CacheCall
from assay.scanner.caching.results import Results
from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_MEMOS = frozenset(
    {"functools.lru_cache", "functools.cache", "cachetools.cached", "cachetools.func.lru_cache",
     "cachetools.func.ttl_cache", "async_lru.alru_cache"}
)  # fmt: skip
_MEMO_NAMES = frozenset(name.rpartition(".")[2] for name in _MEMOS)


@dataclass(frozen=True, slots=True, eq=False)
class Kept:
    """`function` or `view` is what is kept, `call` what keeps it. `late` is where `Vary` is set too late to count.
    `inner` are the decorators that run on a miss alone. `is_whole_view` says that all of a view class is kept.
    """

    call: form.Expr
    scope: Scope
    what: str
    function: FunctionSymbol | None
    view: ClassSymbol | None
    key: Key
    late: tuple[Evidence, ...] = ()
    inner: tuple[form.Expr, ...] = ()
    is_whole_view: bool = False


def kept_by_libraries(calls: list[CacheCall], results: Results, project: Project) -> Iterator[Kept]:
    """Views and functions that a library's decorator, or a call around a view, keeps."""
    decorated = _decorated({c.module for c in calls if c.act is Act.KEEP}, project)
    for found in calls:
        if found.act is not Act.KEEP:
            continue
        around = decorated.get(id(found.call)) or _wrapped(found, project)
        if around is None or any(_registers(s.node) for s in around.inner):
            continue
        key = library_key(Asked(found, around, results, project))
        if key is None:
            continue
        name = last_name(found.call.func) or found.library.name
        late = tuple(
            s.module.evidence(s.node, "`Vary` is set outside of the cache")
            for s in around.outer
            if varied_headers(s, project)
        )
        inner = tuple(s.node for s in around.inner)
        yield Kept(found.call, found.scope, name, around.function, around.view, key, late, inner, around.is_whole_view)


def kept_in_memory(results: Results, project: Project) -> Iterator[Kept]:
    """What `lru_cache` and its like keep, of functions whose result hangs on more than their arguments."""
    for function in project.functions:
        for index, node in enumerate(function.decorators):
            called = node.func if isinstance(node, form.Call) else node
            if last_name(called) not in _MEMO_NAMES or function.module.role is not Role.PROD:
                continue
            name = project.qualified_name(called, function.outer)
            if name in _MEMOS and results.of_function(function).inputs:
                key = Key("the function's arguments", parameters=None)
                inner = tuple(function.decorators[index + 1 :])
                yield Kept(node, function.outer, last_name(called) or name, function, function.owner, key, (), inner)


def _registers(decorator: form.Expr) -> bool:
    """A route's decorator below the cache's takes the function as it is, and nothing is kept of what it answers."""
    return (
        isinstance(decorator, form.Call)
        and isinstance(decorator.func, form.Attr)
        and decorator.func.attr in ("route", "get", "post", "put", "patch", "delete", "api_route")
    )


# --- what is kept -----------------------------------------------------------------------------------------------------


def _decorated(modules: set[Module], project: Project) -> dict[int, Around]:
    """By the calls in decorators: of functions, and of classes for one of their methods."""
    found: dict[int, Around] = {}
    for module in modules:
        for function in module.functions:
            every = [s for d in function.decorators for s in unfolded(Sited(d, function.outer), project)]
            whole = function.name in ("dispatch", "as_view") and function.owner is not None
            for index, sited in enumerate(every):
                found[id(sited.node)] = Around(
                    function, function.owner, tuple(every[:index]), tuple(every[index + 1 :]), whole
                )
        for cls in module.classes:
            _of_class(cls, found, project)
    return found


def _of_class(cls: ClassSymbol, found: dict[int, Around], project: Project) -> None:
    every: list[tuple[str, Sited]] = []
    for decorator in cls.node.decorators:
        name = decorator.keyword("name") if isinstance(decorator, form.Call) else None
        method = string_value(name, cls.outer, project) if name is not None else None
        if method is not None:
            every += [(method, s) for s in unfolded(Sited(decorator, cls.outer), project)]
    for index, (method, sited) in enumerate(every):
        own = project.method(cls, method)
        below = [s for m, s in every[index + 1 :] if m == method]
        if own is not None:
            below += [s for d in own.decorators for s in unfolded(Sited(d, own.outer), project)]
        above = tuple(s for m, s in every[:index] if m == method)
        found[id(sited.node)] = Around(own, cls, above, tuple(below), method == "dispatch" or own is None)


def _wrapped(found: CacheCall, project: Project) -> Around | None:
    """`cache_page(60)(view)`, as URLs are declared."""
    for name in ("path", "re_path", "url"):
        for call, scope in found.module.calls_by_name.get(name, ()):
            view = call.argument(1, "view")
            if view is None:
                continue
            outer: list[Sited] = []
            while isinstance(view, form.Call) and len(view.args) == 1 and isinstance(view.func, form.Call | form.Name):
                if view.func is found.call:
                    return _applied(view.args[0].value, scope, outer, project)
                outer.append(Sited(view.func, scope))
                view = view.args[0].value
    return None


def _applied(view: form.Expr, scope: Scope, outer: list[Sited], project: Project) -> Around | None:
    inner: list[Sited] = []
    while isinstance(view, form.Call) and last_name(view.func) != "as_view" and len(view.args) == 1:
        inner.append(Sited(view.func, scope))
        view = view.args[0].value
    made = view.func.value if isinstance(view, form.Call) and isinstance(view.func, form.Attr) else view
    value = project.infer(made, scope)
    if isinstance(value, ClassSymbol):
        return Around(None, value, tuple(outer), tuple(inner), is_whole_view=True)
    if isinstance(value, FunctionSymbol):
        own = [s for d in value.decorators for s in unfolded(Sited(d, value.outer), project)]
        return Around(value, None, tuple(outer), (*inner, *own))
    return None
