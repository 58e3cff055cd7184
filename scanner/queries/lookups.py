"""Code that looks an answer up before it asks for it: in a dictionary, a cache, or what it found before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.linker.project import last_name
from assay.scanner.queries.regions import statements_around
from assay.scanner.readers.python import form

_KEEPING = frozenset({"set", "aset", "setdefault", "update", "setex", "put"})
"""Methods that put an answer under its key."""
_ADDING = frozenset({"add", "append"})


def is_looked_up_first(body: Sequence[form.Stmt], offset: int) -> bool:
    """Whether the place is reached only where a look before it found nothing: `if key in known: return known[key]`."""
    return any(_returns_what_is_found(s) for block, index in statements_around(body, offset) for s in block[:index])


def _returns_what_is_found(statement: form.Stmt) -> bool:
    if isinstance(statement, form.Try):
        return any(isinstance(s, form.Return) and s.value is not None for s in statement.body)
    if not isinstance(statement, form.If) or not statement.body:
        return False
    last = statement.body[-1]
    if not isinstance(last, form.Return) or last.value is None:
        return False
    tested = _read_in(statement.test)
    return any(name in tested for name in _given_back(last.value))


def _given_back(node: form.Expr) -> Iterator[str]:
    """`known` of `known[key]`, `known.get(key)` and `json.loads(known)`."""
    while isinstance(node, form.Subscript | form.Await):
        node = node.value
    name = form.dotted(node)
    if name is not None:
        yield name
    elif isinstance(node, form.Call):
        parts = [a.value for a in node.args]
        if isinstance(node.func, form.Attr):
            parts.append(node.func.value)
        yield from (text for part in parts if (text := form.dotted(part)) is not None)


def kept_by(body: Sequence[form.Stmt], call: form.Call) -> form.If | None:
    """The test in a loop that spares the call where its answer is there already."""
    way = statements_around(body, call.start)
    for block, index in way:
        statement = block[index]
        if isinstance(statement, form.If) and call.start >= statement.test.end:
            if _asks_whether_kept(statement.test, body):
                return statement
            if any(_is_known(name, body, statement) for name in _assigned_by(way)):
                return statement
        for earlier in block[:index]:
            if isinstance(earlier, form.If) and _skips_what_is_kept(earlier, body):
                return earlier
    return None


def _asks_whether_kept(test: form.Expr, body: Sequence[form.Stmt]) -> bool:
    """`if key not in known:`, where the loop adds to `known`, or leaves that to a method of what has it."""
    kept = set(_kept_in(body, also=_ADDING))
    for node in form.walk(test):
        if isinstance(node, form.Compare) and node.ops == ["not in"]:
            holder = form.dotted(node.rights[0])
            if holder is None or "." in holder or holder in kept:
                return True
    return False


def _compares(node: form.Expr | form.Stmt, operator: str) -> str | None:
    """What `key in known` looks into."""
    return form.dotted(node.rights[0]) if isinstance(node, form.Compare) and node.ops == [operator] else None


def _skips_what_is_kept(statement: form.If, body: Sequence[form.Stmt]) -> bool:
    """`if key in known: continue`, where what is asked for goes into `known`."""
    last = statement.body[-1] if statement.body else None
    if not isinstance(last, form.Jump) or last.keyword != "continue":
        return False
    holders = {_compares(node, "in") for node in form.walk(statement.test)}
    return any(holder in holders for holder in _kept_in(body))


def _assigned_by(way: list[tuple[Sequence[form.Stmt], int]]) -> Iterator[str]:
    """The names that the innermost statement on the way gives a value."""
    block, index = way[-1]
    statement = block[index]
    for target in statement.targets if isinstance(statement, form.Assign) else ():
        name = form.dotted(target)
        if name is not None:
            yield name


def _is_known(name: str, body: Sequence[form.Stmt], test: form.If) -> bool:
    """Whether the tested name holds what an earlier run found: it is given nothing else, or is looked up where answers
    are kept.
    """
    if name not in _read_in(test.test):
        return False
    others = [
        n.value
        for s in body
        for n in form.walk(s, into_definitions=False)
        if isinstance(n, form.Assign) and n.end <= test.start and any(form.dotted(t) == name for t in n.targets)
    ]
    kept = set(_kept_in(body))
    return all(
        isinstance(o, form.Call) and isinstance(o.func, form.Attr) and form.dotted(o.func.value) in kept for o in others
    )


def _kept_in(body: Sequence[form.Stmt], also: frozenset[str] = frozenset()) -> Iterator[str | None]:
    """The dictionaries and caches that the body puts something into."""
    for statement in body:
        for node in form.walk(statement, into_definitions=False):
            if isinstance(node, form.Assign):
                yield from (form.dotted(t.value) for t in node.targets if isinstance(t, form.Subscript))
            elif isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in _KEEPING | also:
                yield form.dotted(node.func.value)


def _read_in(node: form.Expr) -> set[str]:
    """All that a test looks at, by its whole name: `user.is_staff` isn't `user`."""
    name = form.dotted(node)
    if name is not None:
        return {name}
    if isinstance(node, form.Call) and last_name(node.func) in ("hasattr", "getattr") and len(node.positional) > 1:
        owner, attribute = node.positional[:2]
        return {f"{form.dotted(owner)}.{attribute.value}"} if isinstance(attribute, form.Const) else set()
    if isinstance(node, form.Call) and isinstance(node.func, form.Attr):
        return {n for part in (node.func.value, *(a.value for a in node.args)) for n in _read_in(part)}
    return {n for part in node.children() if not isinstance(part, form.Stmt) for n in _read_in(part)}
