"""Whether a function that writes an entry asks for it first, and what it makes of what it finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, auto

from assay.scanner.caching.families import is_same
from assay.scanner.caching.operations import Act, CacheCall
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, How
from assay.scanner.readers.python import form

_MADE_UP = frozenset(
    """uuid1 uuid4 uuid7 token_hex token_urlsafe token_bytes urandom getrandbits randint choice choices time now utcnow
    monotonic today""".split()
)
"""Functions that give what is nowhere else."""


class Use(Enum):
    """What a write is to the entry that was there."""

    COPY = auto()
    """It is put there because nothing was found, and what is found is handed on."""
    STATE = auto()
    """It is made of what was found: a counter, a list that grows."""
    WRITE = auto()
    """Nothing is asked first."""


def use_of(call: CacheCall, beside: Sequence[CacheCall], families: Mapping[CacheCall, str | None]) -> Use:
    """`beside` are the other calls in the same function."""
    function = call.scope.function
    if call.act is not Act.WRITE or function is None:
        return Use.WRITE
    reads = [r.call for r in beside if r.act is Act.READ and r.library is call.library and _is_of(r, call, families)]
    if not reads:
        return Use.WRITE
    found = _found(function, reads)
    if call.value is not None and _is_made_of(call.value, function, found, reads):
        return Use.STATE
    if call.value is not None and _is_made_up(call.value, function, found):
        return Use.WRITE
    return Use.COPY if _hands_on(function, call, found, reads) else Use.WRITE


def _is_of(read: CacheCall, write: CacheCall, families: Mapping[CacheCall, str | None]) -> bool:
    """Whether both are about the same entry, by the key's text or by its name."""
    one, other = families[read], families[write]
    if one is not None and other is not None:
        return is_same(one, other)
    if read.key is None or write.key is None:
        return False
    name = form.dotted(read.key)
    return name is not None and name == form.dotted(write.key)


def _found(function: FunctionSymbol, reads: Sequence[form.Call]) -> set[str]:
    """The names that hold what was read, or what is made of it."""
    names: set[str] = set()
    for node in function.nodes:
        target, value = _bound(node)
        if target and value is not None and _speaks_of(value, names, reads):
            names |= target
    return names


def _bound(node: form.Expr | form.Stmt) -> tuple[set[str], form.Expr | None]:
    match node:
        case form.Assign(targets=targets, value=value):
            return {n.id for t in targets for n in form.walk(t) if isinstance(n, form.Name)}, value
        case form.Walrus(target=form.Name(id=name), value=value):
            return {name}, value
        case form.For(target=form.Name(id=name), iter=value):
            return {name}, value
    return set(), None


def _speaks_of(node: form.Expr, names: set[str], reads: Sequence[form.Call]) -> bool:
    return any(
        (isinstance(n, form.Name) and n.id in names) or any(n is read for read in reads) for n in form.walk(node)
    )


def _is_made_of(value: form.Expr, function: FunctionSymbol, found: set[str], reads: Sequence[form.Call]) -> bool:
    """Whether what is written is nothing but what was read, or counts on from it."""
    used = {n.id for n in form.walk(value) if isinstance(n, form.Name)} & found
    if any(isinstance(n, form.Binary) and _speaks_of(n, used, reads) for n in form.walk(value)):
        return True
    return any(not _is_new(name, function, found, reads) for name in used)


def _is_new(
    name: str, function: FunctionSymbol, found: set[str], reads: Sequence[form.Call], seen: frozenset[str] = frozenset()
) -> bool:
    """Whether the name also gets what has nothing to do with what was read, be it by another name."""
    bindings = function.scope.bindings.get(name, ())
    if name in seen or any(b.how is How.AUGMENT for b in bindings):
        return False
    for value in (b.value for b in bindings if b.value is not None):
        used = {n.id for n in form.walk(value) if isinstance(n, form.Name)} & found
        is_read = _speaks_of(value, set(), reads)
        if not is_read and all(_is_new(other, function, found, reads, seen | {name}) for other in used):
            return True
    return False


def _is_made_up(value: form.Expr, function: FunctionSymbol, found: set[str]) -> bool:
    """Whether what is written comes from nowhere else: a constant to begin with, a new id, the time."""
    names = {n.id for n in form.walk(value) if isinstance(n, form.Name)}
    bound = [b.value for name in names for b in function.scope.bindings.get(name, ()) if b.value is not None]
    sources = [v for v in bound if not _speaks_of(v, found, ())] or [value]
    nodes = [n for source in sources for n in form.walk(source)]
    if any(isinstance(n, form.Call) and last_name(n.func) in _MADE_UP for n in nodes):
        return True
    return not any(isinstance(n, form.Name | form.Call | form.Await) for n in nodes)


def _hands_on(function: FunctionSymbol, call: CacheCall, found: set[str], reads: Sequence[form.Call]) -> bool:
    """Whether callers get what was found, or go on with it as with what is written."""
    written = {n.id for n in form.walk(call.value) if isinstance(n, form.Name)} if call.value is not None else set()
    if written & found:
        return True
    returned = [r.value for r in function.returns if r.value is not None and not isinstance(r.value, form.Compare)]
    return any(_speaks_of(value, found, reads) for value in returned)
