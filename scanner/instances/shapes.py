"""How functions treat a variable of their module: what only writes it, what makes it once, what a cache is."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_CONTAINERS = frozenset(
    {
        "builtins.dict", "builtins.list", "builtins.set", "collections.defaultdict", "collections.OrderedDict",
        "collections.deque", "collections.Counter", "cachetools.TTLCache", "cachetools.LRUCache", "cachetools.Cache",
        "cachetools.LFUCache", "expiringdict.ExpiringDict", "weakref.WeakValueDictionary", "weakref.WeakSet",
    }
)  # fmt: skip
_CONTAINER_NAMES = frozenset(name.rpartition(".")[2] for name in _CONTAINERS)
CHANGING = frozenset(
    {
        "add", "append", "appendleft", "clear", "discard", "extend", "insert", "pop", "popitem", "popleft", "remove",
        "setdefault", "update",
    }
)  # fmt: skip
"""Methods that change a container."""


def owners_of_writes(node: form.Node) -> Iterator[form.Expr]:
    """What only gets something put into it, or is put in place."""
    match node:
        case form.ExprStmt(value=form.Call(func=form.Attr(value=owner, attr=attr))) if attr in CHANGING:
            yield _container(owner)
        case form.Assign(targets=targets):
            for target in targets:
                yield from _written_in(target)
        case form.AugAssign(target=target) | form.Delete(target=target):
            yield from _written_in(target)


def _container(owner: form.Expr) -> form.Expr:
    """`carts` of `carts[key].append`, `carts.setdefault(key, []).append`."""
    while True:
        match owner:
            case form.Subscript(value=inner) | form.Call(func=form.Attr(value=inner)):
                owner = inner
            case _:
                return owner


def _written_in(target: form.Expr) -> Iterator[form.Expr]:
    while isinstance(target, form.Subscript):
        target = target.value
    yield target


def is_lazy(function: FunctionSymbol, name: str) -> bool:
    """`if client is None: client = connect()`: the first call makes it, and all see the same kind of thing.

    So does what is put in place together with something that is made once: the time at which that was.
    """
    return any(_makes_once(node, function, name) for node in function.nodes if isinstance(node, form.If))


def _makes_once(asks: form.If, function: FunctionSymbol, name: str) -> bool:
    parts = asks.test.values if isinstance(asks.test, form.Boolean) else [asks.test]
    for part in parts:
        other, is_set = _asked(part)
        if other is None or (other != name and not _lasts(other, function)):
            continue
        made = _written(asks.orelse if is_set else asks.body)
        if other in made and name in made:
            return True
        if not is_set and other == name and not isinstance(asks.body[-1], form.Raise | form.Return):
            return True
        leaves = isinstance(asks.body[-1], form.Return) and (len(parts) == 1 or _names(asks.body[-1], other))
        is_together = other == name or (_lasts(name, function) and _lasts(other, function))
        if is_set and leaves and is_together and {name, other} <= _written(function.node.body):
            return True
    return False


def _lasts(name: str, function: FunctionSymbol) -> bool:
    """Whether the name is a global that the function puts in place, or an attribute."""
    return name in function.scope.globals or "." in name


def _asked(test: form.Expr) -> tuple[str | None, bool]:
    """Whether what is set: `not x`, `x is None`, `x is not None`, `x`."""
    is_set = True
    if isinstance(test, form.Unary) and test.op == "not":
        is_set, test = False, test.operand
    elif isinstance(test, form.Compare) and test.ops in (["is"], ["is not"], ["=="]):
        is_set, test = test.ops == ["is not"], test.left
    return form.dotted(test), is_set


def _written(body: list[form.Stmt]) -> set[str]:
    owners = (owner for node in form.walk_body(body) for owner in owners_of_writes(node))
    return {name for owner in owners if (name := form.dotted(owner)) is not None}


def is_memo(function: FunctionSymbol, name: str) -> bool:
    """Whether the function gives back what it keeps there, as a cache does, and doesn't count with it."""
    assigned = [n for n in function.nodes if isinstance(n, form.Assign) and n.value is not None]
    held = {t.id for n in assigned if _holds(n, name) for target in n.targets for t in _each(target)}
    kept = [n for n in assigned if any(_is_item(t, name) for t in n.targets)]
    if any(_is_counted(n, held, name) for n in (*kept, *function.nodes)):
        return False
    held |= {v.id for n in kept if n.value is not None for v in _each(n.value)}
    for returned in function.returns:
        for node in form.walk(returned.value) if returned.value is not None else ():
            if (isinstance(node, form.Name) and node.id in held) or _looks_up(node, name):
                return True
    return False


def _holds(assign: form.Assign, name: str) -> bool:
    return assign.value is not None and _looks_up(assign.value, name)


def _is_counted(node: form.Node, held: set[str], name: str) -> bool:
    """`hits[key] += 1`, `hits[key] = count + 1`."""
    if isinstance(node, form.AugAssign):
        return _is_item(node.target, name)
    if not isinstance(node, form.Assign) or node.value is None or not any(_is_item(t, name) for t in node.targets):
        return False
    sums = (n for n in form.walk(node.value) if isinstance(n, form.Binary) and n.op in ("+", "-"))
    return any(
        _looks_up(n, name) or (isinstance(n, form.Name) and n.id in held) for found in sums for n in form.walk(found)
    )


def _each(node: form.Expr) -> list[form.Name]:
    """The names in it: one, or those of a tuple."""
    items = node.items if isinstance(node, form.Display) else [node]
    return [item for item in items if isinstance(item, form.Name)]


def _names(node: form.Stmt, name: str) -> bool:
    return any(isinstance(n, form.Name | form.Attr) and form.dotted(n) == name for n in form.walk(node))


def _is_item(node: form.Expr | form.Stmt, name: str) -> bool:
    return isinstance(node, form.Subscript) and form.dotted(node.value) == name


def _looks_up(node: form.Expr | form.Stmt, name: str) -> bool:
    """`CACHE[key]`, `CACHE.get(key)`."""
    if _is_item(node, name):
        return True
    return (
        isinstance(node, form.Call)
        and isinstance(node.func, form.Attr)
        and node.func.attr in ("get", "setdefault")
        and form.dotted(node.func.value) == name
    )


def is_new_container(value: form.Expr, scope: Scope, project: Project) -> bool:
    """`{}`, `[]`, `defaultdict(list)`."""
    match value:
        case form.Display(kind=kind):
            return kind in ("list", "set")
        case form.Dict() | form.Comprehension():
            return True
        case form.Call(func=func) if last_name(func) in _CONTAINER_NAMES:
            made = project.infer(func, scope)
            return isinstance(made, External) and made.name in _CONTAINERS
    return False
