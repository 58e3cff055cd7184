"""Calls of ORMs and drivers that give one row, and what each gives when there is none."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.dataflow.lookups.chains import assigned_to, chain, made_of, root_of
from assay.scanner.dataflow.lookups.misses import NOT_FOUND, NOTHING, Kind, Miss
from assay.scanner.dataflow.lookups.models import model_in, model_of_view
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.readers.python import form

_NO_RESULT = Miss(Kind.RAISES, None, "NoResultFound")
_DOES_NOT_EXIST = Miss(Kind.RAISES, None, "DoesNotExist")
_OR_404 = frozenset(
    {"get_object_or_404", "aget_object_or_404", "get_or_404", "first_or_404", "one_or_404", "get_list_or_404"}
)
_OF_CHAINS = {
    "first": NOTHING, "afirst": NOTHING, "last": NOTHING, "alast": NOTHING, "one_or_none": NOTHING,
    "scalar_one_or_none": NOTHING, "scalar": NOTHING, "get_or_none": NOTHING, "one": _NO_RESULT,
    "scalar_one": _NO_RESULT, "aget": _DOES_NOT_EXIST,
}  # fmt: skip
"""Last steps of a query."""
_OF_DRIVERS = {
    "find_one": NOTHING, "find_one_and_update": NOTHING, "find_one_and_delete": NOTHING,
    "find_one_and_replace": NOTHING, "fetchrow": NOTHING, "fetch_one": NOTHING, "fetchone": NOTHING,
    "get_or_none": NOTHING,
}  # fmt: skip
_OF_CLASSES = {
    "get": {"tortoise": _DOES_NOT_EXIST, "peewee": _DOES_NOT_EXIST, "beanie": NOTHING, "pony": NOTHING},
    "get_by_id": {"peewee": _DOES_NOT_EXIST},
    "get_or_none": {"tortoise": NOTHING, "peewee": NOTHING},
    "find_one": {"beanie": NOTHING},
}
"""Class methods of models, by the package of the model's base."""
_MAPPINGS = frozenset({"in_bulk", "ain_bulk", "aggregate", "aaggregate"})
"""Last steps of queries that give a mapping, whose `get` is another one."""
_WRITING = frozenset({"update", "delete", "aupdate", "adelete"})
_RUNNING = frozenset({"execute", "exec"})
STATEMENTS = _WRITING | _RUNNING
"""Last names of calls that write all rows that a query picks."""
_NO_ROW = Miss(Kind.GOES_ON)
_PICKING_STEPS = frozenset({"filter", "filter_by", "where"})
_STEPS = frozenset(
    """query select filter filter_by where exclude objects execute scalars exec get_queryset all select_related
    prefetch_related options join outerjoin with_for_update order_by fetch only defer""".split()
)
NAMES = frozenset({*_OR_404, *_OF_CHAINS, *_OF_DRIVERS, *_OF_CLASSES, *STATEMENTS, "get_object", "get_one"})
"""Last names of calls that may be look-ups."""
VIEWS = ("rest_framework.generics.", "rest_framework.viewsets.")
"""Where the bases are from of views that look their object up themselves."""
_SESSIONS = ("session", "db", "sess", "dbsession", "conn")


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A call that gives one row, or writes it. `parts` are the expressions that make the query, its names followed."""

    node: form.Call
    miss: Miss
    parts: tuple[form.Expr, ...]
    model: ClassSymbol | None
    is_of_view: bool = False
    """A library's view picks the row by its own parameter of the path: `self.get_object()`."""


def query(call: form.Call, scope: Scope, project: Project, view: ClassSymbol | None) -> Query | None:
    """What the call looks up; None where it isn't one that gives one row."""
    name = last_name(call.func) or ""
    if name not in NAMES and not name.endswith("or_404"):
        return None
    miss = _miss(call, name, scope, project)
    if miss is None:
        return None
    parts = tuple(made_of(call, scope))
    if any(_counts(node) for part in parts for node in form.walk(part)):
        return None
    if name == "get_object":
        return Query(call, miss, parts, model_of_view(view, project), is_of_view=True)
    return Query(call, miss, parts, model_in(parts, scope, project, view))


def _counts(node: form.Expr | form.Stmt) -> bool:
    """`select(func.count())`: it asks how many rows there are, and not for one of them."""
    match node:
        case form.Call(func=func) if last_name(func) in ("select", "query") and node.positional:
            first = node.positional[0]
            return isinstance(first, form.Call) and (form.dotted(first.func) or "").startswith(("func.", "sa.func."))
    return False


def _miss(call: form.Call, name: str, scope: Scope, project: Project) -> Miss | None:
    if name.endswith("or_404"):
        return NOT_FOUND
    callee = project.infer(call.func, scope)
    if not isinstance(call.func, form.Attr) or isinstance(callee, FunctionSymbol | BoundMethod):
        return None  # a function of the project is looked into
    receiver = call.func.value
    owner = project.infer(receiver, scope)
    if isinstance(owner, ClassSymbol) and name in _OF_CLASSES:
        packages = {base.split(".", 1)[0] for base in project.base_names(owner)}
        found = next((miss for package, miss in _OF_CLASSES[name].items() if package in packages), None)
        if found is not None or name != "find_one":
            return found
    match name:
        case "get_object":
            return NOT_FOUND if form.dotted(receiver) == "self" and isinstance(callee, External) else None
        case "get_one":
            return _NO_RESULT if _is_session(receiver, owner) else None
        case "get":
            return _get(call, receiver, owner, scope, project)
        case "scalar" if call.args:
            return NOTHING if _is_query(call, scope) else None
    if name in STATEMENTS:
        return _NO_ROW if _writes_picked(call, name, scope) else None
    if name in _OF_DRIVERS:
        return _OF_DRIVERS[name]
    return _OF_CHAINS.get(name) if _is_query(receiver, scope) else None


def _get(call: form.Call, receiver: form.Expr, owner: object, scope: Scope, project: Project) -> Miss | None:
    """`session.get(Model, id)`, `Model.query.get(id)`, `Model.objects.get(pk=id)`: many other things have a `get`."""
    first = call.positional[0] if call.positional else call.keyword("entity")
    if first is not None and (len(call.args) >= 2):
        model = project.infer(first, scope)
        is_session = _is_session(receiver, owner)
        if is_session or (isinstance(model, ClassSymbol) and not isinstance(owner, ClassSymbol)):
            return NOTHING
    if last_name(receiver) == "query" or _ends_with(receiver, "query"):
        return NOTHING
    return _DOES_NOT_EXIST if _is_django(receiver, scope) else None


def _writes_picked(call: form.Call, name: str, scope: Scope) -> bool:
    """`Order.objects.filter(id=order_id).delete()`, `session.execute(delete(Order).where(Order.id == order_id))`."""
    receiver = call.func.value if isinstance(call.func, form.Attr) else call
    if name in _WRITING:
        made = assigned_to(receiver, scope) if isinstance(receiver, form.Name) else [receiver]
        return any(last_name(v.func) in _PICKING_STEPS for v in made if isinstance(v, form.Call))
    statement = call.positional[0] if call.positional else receiver
    steps = {last_name(n.func) for part in made_of(statement, scope) for n in chain(part) if isinstance(n, form.Call)}
    return not steps.isdisjoint(_WRITING) and not steps.isdisjoint(_PICKING_STEPS)


def _is_session(receiver: form.Expr, owner: object) -> bool:
    type_name = owner.type_name if isinstance(owner, Instance) else owner.name if isinstance(owner, External) else ""
    if type_name.endswith(("Session", "AsyncSession", "scoped_session", "SQLAlchemy.session")):
        return type_name.startswith(("sqlalchemy", "sqlmodel", "flask_sqlalchemy"))
    return is_session_name(last_name(receiver) or "")


def is_session_name(name: str) -> bool:
    """`session`, `self.db`: what runs statements, and gives no rows by itself."""
    return name.lower().rstrip("_").endswith(_SESSIONS)


def _ends_with(receiver: form.Expr, step: str) -> bool:
    """`session.query(Model).options(...)`: a chain with the step in it."""
    return any(isinstance(n, form.Call) and last_name(n.func) == step for n in chain(receiver))


def _is_django(receiver: form.Expr, scope: Scope) -> bool:
    steps = {last_name(n.func if isinstance(n, form.Call) else n) for n in chain(receiver)}
    if last_name(receiver.func if isinstance(receiver, form.Call) else receiver) in _MAPPINGS:
        return False
    if steps & {"objects", "get_queryset", "queryset", "_default_manager", "all_objects"}:
        return True
    root = root_of(receiver)
    made = [v for v in assigned_to(root, scope) if v is not receiver] if isinstance(root, form.Name) else []
    return any(_is_django(value, scope) for value in made[:3] if not _mentions(value, root))


def _mentions(value: form.Expr, name: form.Expr) -> bool:
    return isinstance(name, form.Name) and any(isinstance(n, form.Name) and n.id == name.id for n in form.walk(value))


def _is_query(node: form.Expr, scope: Scope) -> bool:
    """Whether it is made by steps that queries have."""
    return any(
        last_name(inner.func if isinstance(inner, form.Call) else inner) in _STEPS
        for part in made_of(node, scope)
        for inner in form.walk(part)
        if isinstance(inner, form.Call | form.Attr)
    )
