"""Values that a function keeps by hand: it looks into the cache, works a value out on a miss, and puts it there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from assay.scanner.caching.families import family
from assay.scanner.caching.kept import Kept
from assay.scanner.caching.key_contents import Key
from assay.scanner.caching.operations import Act, CacheCall
from assay.scanner.caching.results import Result, Results
from assay.scanner.caching.wrappers import calls_what_it_wraps
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_IDS = frozenset({"id", "pk", "uuid"})
_BY_FUNCTION = re.compile("<[^<>]*>")
"""What stands in a family for the text that a function makes."""


@dataclass(frozen=True, slots=True, eq=False)
class _Use:
    """A call that reads or writes an entry: of a library, or of a function of the project that hands it on."""

    act: Act
    call: form.Call
    scope: Scope
    key: form.Expr
    value: form.Expr | None
    name: str


def kept_by_hand(calls: list[CacheCall], results: Results, project: Project) -> Iterator[tuple[Kept, Result]]:
    """Each with what its value hangs on. A value that is put somewhere and not looked for there first is no copy of
    anything, but a token, a counter, a job.
    """
    yield from _kept(list(_direct(calls)), results, project)


def kept_by_helpers(calls: list[CacheCall], results: Results, project: Project) -> Iterator[tuple[Kept, Result]]:
    """The same through functions of the project: `set_cache(key, value)`, `self.cache.put(key, value)`."""
    yield from _kept([use for direct in _direct(calls) for use in _handed_on(direct, project)], results, project)


def _direct(calls: list[CacheCall]) -> Iterator[_Use]:
    for call in calls:
        if call.key is not None and call.act in (Act.READ, Act.WRITE, Act.FILL):
            name = last_name(call.call.func) or call.library.name
            yield _Use(call.act, call.call, call.scope, call.key, call.value, name)


def _handed_on(use: _Use, project: Project) -> Iterator[_Use]:
    """Calls of a function that takes the key as a parameter, and the value too where it writes."""
    function = use.scope.function
    taken = {p.name: p for p in function.parameters} if function is not None else {}
    key = next((taken[n.id] for n in form.walk(use.key) if isinstance(n, form.Name) and n.id in taken), None)
    inside = form.walk(use.value) if use.value is not None else ()
    value = next((taken[n.id] for n in inside if isinstance(n, form.Name) and n.id in taken), None)
    if function is None or key is None or (use.act is not Act.READ and value is None):
        return
    for call, scope in project.callers(function):
        given = project.bound_argument(call, function, key)
        kept = project.bound_argument(call, function, value) if value is not None else None
        if given is not None and scope.module.role is Role.PROD:
            yield _Use(use.act, call, scope, given, kept, function.name)


def _kept(uses: list[_Use], results: Results, project: Project) -> Iterator[tuple[Kept, Result]]:
    reads: dict[Scope, list[_Use]] = {}
    for use in uses:
        if use.act is Act.READ:
            reads.setdefault(use.scope, []).append(use)
    for use in uses:
        function, scope = use.scope.function, use.scope
        if function is None or use.value is None or is_id(use.value) or calls_what_it_wraps(function):
            continue
        looked_for = [read.call for read in reads.get(scope, ()) if is_same(use.key, read.key)]
        if use.act is not Act.FILL and not (use.act is Act.WRITE and looked_for):
            continue
        contents = results.of_key([use.key], scope)
        text = _BY_FUNCTION.sub("*", family(use.key, scope, project) or "")
        made = Key(f"`{text}`" if text.strip("*") else "a text").also(contents)
        yield (
            Kept(use.call, scope, use.name, function, None, made),
            _value(use, use.value, looked_for, results, project),
        )


def _value(use: _Use, value: form.Expr, reads: list[form.Call], results: Results, project: Project) -> Result:
    if use.act is Act.FILL and isinstance(value, form.Lambda):
        return results.of_value(value.body, use.scope)
    if use.act is Act.FILL:
        callee = project.infer(value, use.scope)
        function = callee.function if isinstance(callee, BoundMethod) else callee
        if isinstance(function, FunctionSymbol):
            return replace(results.of_function(function), parameters=frozenset())
    return results.of_value(value, use.scope, reads)


def is_id(value: form.Expr) -> bool:
    """Whether only the id of a row or of a job is kept, which never changes."""
    return isinstance(value, form.Attr) and value.attr in _IDS


def is_same(one: form.Expr | form.Stmt, other: form.Expr | form.Stmt) -> bool:
    """Whether two expressions are spelled alike."""
    if type(one) is not type(other):
        return False
    match one, other:
        case form.Name(id=a), form.Name(id=b):
            return a == b
        case form.Const(value=c), form.Const(value=d):
            return c == d
        case form.Attr(attr=a), form.Attr(attr=b) if a != b:
            return False
        case form.Template(parts=ours), form.Template(parts=theirs):
            if [p for p in ours if isinstance(p, str)] != [p for p in theirs if isinstance(p, str)]:
                return False
    mine, others = one.children(), other.children()
    return len(mine) == len(others) and all(is_same(a, b) for a, b in zip(mine, others, strict=True))
