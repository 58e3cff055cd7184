"""What code sends to a Django alias that it names: `using("replica")`, `save(using="replica")`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.databases.replicas.django import Aliases, Routers
from assay.scanner.databases.replicas.sending import is_writing_sql, is_writing_text
from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.ways import way_to
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_CHOOSING = ("using", "db_manager")
_WRITES = frozenset(
    {
        "create", "update", "delete", "bulk_create", "bulk_update", "get_or_create", "update_or_create",
        "select_for_update", "acreate", "aupdate", "adelete", "abulk_create", "abulk_update", "aget_or_create",
        "aupdate_or_create",
    }
)  # fmt: skip
_CHANGING = _WRITES - {"select_for_update", "get_or_create", "aget_or_create"} | {"save", "asave"}
_NARROWING = frozenset({"all", "filter", "exclude", "order_by", "select_related", "prefetch_related", "get_queryset"})
_KEYWORD_WRITES = ("save", "delete", "asave", "adelete", "create_user", "full_clean")
_ONE_ROW = frozenset({"get", "first", "last", "latest", "earliest", "aget", "afirst", "alast"})


@dataclass(frozen=True, slots=True, eq=False)
class Statement:
    """One statement that goes to a replica. `stale` is the write before it, of what it reads."""

    scope: Scope
    is_write: bool
    evidence: Evidence
    stale: Evidence | None = None


def statements(aliases: Aliases, routers: Routers, project: Project) -> Iterator[Statement]:
    """In production code, in order of name and path."""
    rewrites = routers.decides_writes(project)
    for call, scope in _choosing(aliases, project):
        yield from _of_queryset(call, scope)
        if not rewrites:
            yield from _saved_later(call, scope)
    for call, scope in project.calls_named(*_KEYWORD_WRITES):
        using = call.keyword("using")
        if using is not None and _is_ours(scope) and aliases.named(using, scope) is not None:
            shown = scope.module.evidence(call, f"{last_name(call.func)}() is sent to the replica")
            yield Statement(scope, last_name(call.func) != "full_clean", shown)
    yield from _of_cursors(aliases, project)


def _choosing(aliases: Aliases, project: Project) -> Iterator[tuple[form.Call, Scope]]:
    """Calls that give a queryset or manager of a replica: `using()`, and functions that return what it gives."""
    giving: set[FunctionSymbol] = set()
    for call, scope in project.calls_named(*_CHOOSING):
        argument = call.argument(0, "alias" if last_name(call.func) == "using" else "using")
        if argument is None or not _is_ours(scope) or aliases.named(argument, scope) is None:
            continue
        if scope.function is not None and any(_ends_in(r.value, call) for r in scope.function.returns):
            giving.add(scope.function)
        yield call, scope
    for call, scope in project.calls_named(*sorted({f.name for f in giving} | aliases.library_helpers)):
        is_library = last_name(call.func) in aliases.library_helpers
        if _is_ours(scope) and (is_library or project.callee_function(call, scope) in giving):
            yield call, scope


def _ends_in(node: form.Expr | None, call: form.Call) -> bool:
    """Whether the expression is the call, or a chain of what narrows its rows."""
    while node is not None and node is not call:
        if not isinstance(node, form.Call) or not isinstance(node.func, form.Attr) or node.func.attr not in _NARROWING:
            return False
        node = node.func.value
    return node is call


def _is_ours(scope: Scope) -> bool:
    return scope.module.role is Role.PROD and offline_reason(scope) != "migration"


def _body(scope: Scope) -> list[form.Expr | form.Stmt]:
    return list(
        scope.function.nodes if scope.function is not None else form.walk_body(scope.body, into_definitions=False)
    )


def _of_queryset(call: form.Call, scope: Scope) -> Iterator[Statement]:
    """What the chain that goes on from the call does, or that of a name for it."""
    nodes = _body(scope)
    chain = _around(call, nodes)
    for name, is_only in _names_for(scope, chain):
        for node in nodes if is_only else ():
            match node:
                case form.Call(func=form.Attr(attr=attr)) if attr in _WRITES and node.start > call.end:
                    if _root(node) == name:
                        yield Statement(scope, True, scope.module.evidence(node, f"{attr}() goes to the replica"))
    writing = next((n for n in chain if last_name(n.func) in _WRITES), None)
    text = f"{last_name(writing.func)}() goes to the replica" if writing is not None else "it reads from the replica"
    stale = _written_before(call, scope, nodes) if writing is None else None
    yield Statement(scope, writing is not None, scope.module.evidence(chain[-1], text), stale)


def _written_before(call: form.Call, scope: Scope, nodes: list[form.Expr | form.Stmt]) -> Evidence | None:
    """A write to the same model, on the same branch and before it."""
    model = _root(call.positional[0] if _model_is_given(call) else call)
    if model is None or scope.function is None or not model[:1].isupper():
        return None
    for node in nodes:
        match node:
            case form.Call(func=form.Attr(value=owner, attr=attr)) if node.end <= call.start and attr in _CHANGING:
                root = _root(owner)
                made = scope.bindings.get(root or "", ())
                is_same = root == model or any(b.value is not None and _root(b.value) == model for b in made)
                if is_same and node.keyword("using") is None and _goes_before(node, call, scope):
                    return scope.module.evidence(node, f"it writes {model} to the primary")
    return None


def _model_is_given(call: form.Call) -> bool:
    return bool(call.positional) and last_name(call.func) not in _CHOOSING


def _goes_before(node: form.Call, call: form.Call, scope: Scope) -> bool:
    # A read below a further test may be one that asks whether anything was written.
    return way_to(scope.body, node.start) == way_to(scope.body, call.start)


def _saved_later(call: form.Call, scope: Scope) -> Iterator[Statement]:
    """An object that was read there remembers the alias, and is saved there where no router says otherwise."""
    nodes = _body(scope)
    chain = _around(call, nodes)
    if _ONE_ROW.isdisjoint(last_name(n.func) or "" for n in chain):
        return
    for name, is_only in _names_for(scope, chain):
        for node in nodes if is_only else ():
            match node:
                case form.Call(func=form.Attr(value=form.Name(id=found), attr="save" | "delete" | "asave" | "adelete")):
                    if found == name and node.start > call.end and node.keyword("using") is None:
                        text = "the object was read from the replica, and is saved where it was read"
                        yield Statement(scope, True, scope.module.evidence(node, text))


def _names_for(scope: Scope, chain: list[form.Call]) -> Iterator[tuple[str, bool]]:
    """Names that are given the chain, and whether they are given nothing else."""
    whole = chain[-1]
    for name, bindings in scope.bindings.items():
        given = [b for b in bindings if b.how is How.ASSIGN and b.value is not None]
        values = [b.value.value if isinstance(b.value, form.Await) else b.value for b in given]
        if any(value is whole for value in values):
            yield name, len(bindings) == 1


def _around(call: form.Call, nodes: list[form.Expr | form.Stmt]) -> list[form.Call]:
    """The calls that go on from the call, each on what the one before gives."""
    found: list[form.Call] = [call]
    for node in sorted((n for n in nodes if isinstance(n, form.Call) and n.start <= call.start), key=lambda n: n.end):
        inner: form.Expr = node.func
        while isinstance(inner, form.Attr):
            inner = inner.value
        if inner is found[-1]:
            found.append(node)
    return found


def _root(node: form.Expr) -> str | None:
    while isinstance(node, form.Attr | form.Call):
        node = node.value if isinstance(node, form.Attr) else node.func
    return node.id if isinstance(node, form.Name) else None


def _of_cursors(aliases: Aliases, project: Project) -> Iterator[Statement]:
    """`connections["replica"].cursor()`, and SQL that is run on it."""
    for call, scope in project.calls_named("cursor"):
        owner = call.func.value if isinstance(call.func, form.Attr) else None
        if not isinstance(owner, form.Subscript) or last_name(owner.value) != "connections" or not _is_ours(scope):
            continue
        if aliases.named(owner.index, scope) is None:
            continue
        writes = any(_changes(sql, scope, project) for sql in _run_on(call, scope))
        text = "SQL that writes or locks is sent to the replica" if writes else "SQL is sent to the replica"
        yield Statement(scope, writes, scope.module.evidence(call, text))


def _changes(sql: form.Expr, scope: Scope, project: Project) -> bool:
    text = string_value(sql, scope, project)
    return is_writing_sql(text) if text is not None else is_writing_text(sql)


def _run_on(cursor: form.Call, scope: Scope) -> Iterator[form.Expr]:
    """The SQL that is run on the cursor, by the names that it is given or at once."""
    for node in _body(scope):
        match node:
            case form.Call(func=form.Attr(value=owner, attr="execute" | "executemany"), args=[_, *_]) if (
                node.positional
            ):
                if owner is cursor or (isinstance(owner, form.Name) and _last_given(owner, scope) is cursor):
                    yield node.positional[0]


def _last_given(name: form.Name, scope: Scope) -> form.Expr | None:
    """What the name was given last before it stands there."""
    before = [b for b in scope.bindings.get(name.id, ()) if b.offset <= name.start]
    return max(before, key=lambda b: b.offset).value if before else None
