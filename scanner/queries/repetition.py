"""How often a call runs while the function around it runs once."""

from __future__ import annotations

from collections.abc import Sequence

from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.model.query_call import Repetition
from assay.scanner.queries.executions import Execution
from assay.scanner.queries.lookups import kept_by
from assay.scanner.queries.regions import Loop, Regions, leaves, statements_around
from assay.scanner.queries.sizes import Size, Sizes, worst
from assay.scanner.readers.python import form

_ASKING = (Repetition.EACH_ROW, Repetition.EACH_INPUT, Repetition.UNKNOWN)


def repetition(
    call: form.Call, function: FunctionSymbol, regions: Regions, sizes: Sizes, execution: Execution | None = None
) -> Size:
    """By the loops around the call, of which the one over the most elements counts."""
    loops = regions.around(call.start)
    if not loops:
        return Size(Repetition.ONCE)
    if regions.is_exceptional(call.start):
        return Size(Repetition.ONCE, (function.module.evidence(call, "only after a failure"),))
    if any(regions.is_deferred(call.start, loop) for loop in loops):
        return Size(Repetition.ONCE, (function.module.evidence(call, "only if what is given it asks"),))
    size = worst(_of_loop(loop, call, function, sizes) for loop in loops)
    if execution is None:
        return size
    if size.repetition is Repetition.UNKNOWN and any(_looks_up(execution.call, loop.target) for loop in loops):
        return Size(Repetition.EACH_KEY, size.evidence)
    if size.repetition in _ASKING and any(_is_of_many_tables(execution, loop) for loop in loops):
        return Size(Repetition.OTHER_TABLES, size.evidence)
    return size


def _looks_up(call: form.Call, target: form.Expr) -> bool:
    """Whether it asks for the row whose key the loop is at: `get(pk=key)`, `filter(User.id == row["user_id"])`."""
    names = {n.id for n in form.walk(target) if isinstance(n, form.Name)}
    node: form.Expr = call
    while isinstance(node, form.Call) and isinstance(node.func, form.Attr):
        for argument in node.args:
            if argument.name is not None:
                if _is_key(argument.name) and _speaks_of(argument.value, names):
                    return True
            elif any(_compares_key(part, names) for part in form.walk(argument.value)):
                return True
        node = node.func.value
    is_by_key = last_name(call.func) in ("get", "get_one", "get_or_404") and bool(call.positional)
    return is_by_key and isinstance(call.positional[-1], form.Name) and _speaks_of(call.positional[-1], names)


def _compares_key(node: form.Expr | form.Stmt, names: set[str]) -> bool:
    if not isinstance(node, form.Compare) or node.ops != ["=="] or not isinstance(node.left, form.Attr):
        return False
    return _is_key(node.left.attr) and _speaks_of(node.rights[0], names)


def _is_key(name: str) -> bool:
    return name in ("id", "pk", "uuid") or name.endswith("_id")


def _speaks_of(node: form.Expr, names: set[str]) -> bool:
    return any(isinstance(n, form.Name) and n.id in names for n in form.walk(node))


def _is_of_many_tables(execution: Execution, loop: Loop) -> bool:
    """Whether the loop, or what it runs, chooses the model: `model.objects.count()`."""
    root = execution.query.root if execution.query is not None else None
    owner = root.value if isinstance(root, form.Attr) else None
    if isinstance(root, form.Call) and root.positional:
        owner = root.positional[0]
    if not isinstance(owner, form.Name) or execution.query is None:
        return False
    bindings = execution.query.scope.lookup(owner.id, owner.start)
    return any(loop.repeats(b.offset) or loop.target.start <= b.offset < loop.target.end for b in bindings)


def _of_loop(loop: Loop, call: form.Call, function: FunctionSymbol, sizes: Sizes) -> Size:
    module = function.module
    shown = module.evidence(loop.iter, f"loop over `{_spelled(loop.iter)}`")
    if loop.body and _stops(loop.body, call):
        return Size(Repetition.UNTIL_FOUND, (shown,))
    kept = kept_by(loop.body, call) if loop.body else None
    if kept is not None:
        return Size(Repetition.KEPT, (module.evidence(kept, "answers are kept by key"),))
    size = sizes.of(loop.iter, function.scope)
    if size.repetition is Repetition.UNKNOWN and _is_chunk(loop.target):
        return Size(Repetition.CHUNKS, (shown,))
    evidence: tuple[Evidence, ...] = (shown, *(e for e in size.evidence if e.location != shown.location))
    return Size(size.repetition, evidence)


def _stops(body: Sequence[form.Stmt], call: form.Call) -> bool:
    """Whether what comes after the call, or hangs on it, ends the loop."""
    for block, index in statements_around(body, call.start):
        statement = block[index]
        if isinstance(statement, form.Return):
            return True
        following = block[index:]
        for later in following:
            if leaves([later]):
                return True
            if isinstance(later, form.If) and (leaves(later.body) or leaves(later.orelse)):
                return True
    return False


def _is_chunk(target: form.Expr) -> bool:
    name = (last_name(target) or "").lower()
    return any(word in name for word in ("chunk", "batch", "page"))


def _spelled(node: form.Expr) -> str:
    dotted = form.dotted(node)
    if dotted is not None:
        return dotted
    if isinstance(node, form.Call):
        return f"{form.dotted(node.func) or last_name(node.func) or '...'}()"
    return last_name(node) or "..."
