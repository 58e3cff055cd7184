"""Calls of ORMs and drivers that give one row, and what each gives when there is none."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.lookups.misses import NOT_FOUND, NOTHING, Kind, Miss
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
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
_STEPS = frozenset(
    """query select filter filter_by where exclude objects execute scalars exec get_queryset all select_related
    prefetch_related options join outerjoin with_for_update order_by fetch only defer""".split()
)
NAMES = frozenset({*_OR_404, *_OF_CHAINS, *_OF_DRIVERS, *_OF_CLASSES, "get_object", "get_one"})
"""Last names of calls that may be look-ups."""
VIEWS = ("rest_framework.generics.", "rest_framework.viewsets.")
"""Where the bases are from of views that look their object up themselves."""
_SESSIONS = ("session", "db", "sess", "dbsession", "conn")
_DEEPEST = 4


@dataclass(frozen=True, slots=True, eq=False)
class Query:
    """A call that gives one row. `parts` are all expressions that the query is made of, by way of local names."""

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
    return Query(call, miss, parts, _model(parts, scope, project, view))


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


def _is_session(receiver: form.Expr, owner: object) -> bool:
    type_name = owner.type_name if isinstance(owner, Instance) else owner.name if isinstance(owner, External) else ""
    if type_name.endswith(("Session", "AsyncSession", "scoped_session", "SQLAlchemy.session")):
        return type_name.startswith(("sqlalchemy", "sqlmodel", "flask_sqlalchemy"))
    return (last_name(receiver) or "").lower().rstrip("_").endswith(_SESSIONS)


def _ends_with(receiver: form.Expr, step: str) -> bool:
    """`session.query(Model).options(...)`: a chain with the step in it."""
    return any(isinstance(n, form.Call) and last_name(n.func) == step for n in _chain(receiver))


def _is_django(receiver: form.Expr, scope: Scope) -> bool:
    steps = {last_name(n.func if isinstance(n, form.Call) else n) for n in _chain(receiver)}
    if steps & {"objects", "get_queryset", "queryset", "_default_manager", "all_objects"}:
        return True
    root = _root(receiver)
    made = [v for v in _assigned(root, scope) if v is not receiver] if isinstance(root, form.Name) else []
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


def _chain(node: form.Expr) -> Iterator[form.Expr]:
    """The steps of `a.b(...).c(...)`, the last first."""
    while True:
        yield node
        match node:
            case form.Call(func=form.Attr(value=inner)) | form.Attr(value=inner) | form.Await(value=inner):
                node = inner
            case _:
                return


def _root(node: form.Expr) -> form.Expr:
    *_, root = _chain(node)
    return root


def made_of(node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> Iterator[form.Expr]:
    """The expression, and those that the names of queries in it were given before it."""
    yield node
    if not depth:
        return
    for name in _query_names(node):
        for value in _assigned(name, scope):
            if value.end < node.start:
                yield from made_of(value, scope, depth - 1)


def _query_names(node: form.Expr) -> Iterator[form.Name]:
    """Names that stand for a query or a part of one: what conditions compare with is none."""
    match node:
        case form.Name(id=name):
            if name != "self":
                yield node
        case form.Attr(value=inner) | form.Await(value=inner) | form.Starred(value=inner) | form.Subscript(value=inner):
            yield from _query_names(inner)
        case form.Call(func=func):
            yield from _query_names(func) if isinstance(func, form.Attr) else ()
            for value in node.positional:
                yield from _query_names(value)
            yield from (a.value for a in node.args if a.star and isinstance(a.value, form.Name))
        case form.Binary(left=left, right=right):
            yield from _query_names(left)
            yield from _query_names(right)


def _assigned(name: form.Name, scope: Scope) -> list[form.Expr]:
    bindings = scope.bindings.get(name.id, ())
    return [b.value for b in bindings if b.how is How.ASSIGN and b.value is not None]


def _model(
    parts: tuple[form.Expr, ...], scope: Scope, project: Project, view: ClassSymbol | None
) -> ClassSymbol | None:
    """The first class of the project that the query names, attributes of the view included."""
    for part in parts:
        for node in form.walk(part):
            found: object = None
            if isinstance(node, form.Attr) and form.dotted(node.value) == "self" and view is not None:
                if node.attr in ("get_queryset", "queryset"):
                    return model_of_view(view, project)
                stated = project.class_attribute(view, node.attr)
                found = project.infer(*stated) if stated is not None else project.infer(node, scope)
            elif isinstance(node, form.Name | form.Attr):
                found = project.infer(node, scope)
            if isinstance(found, ClassSymbol) and _is_model(found, project):
                return found
    return None


def model_of_view(view: ClassSymbol | None, project: Project) -> ClassSymbol | None:
    """The model of a class-based view: by its `queryset` or `model`, or by what its `get_queryset` names."""
    if view is None:
        return None
    for attribute in ("queryset", "model"):
        stated = project.class_attribute(view, attribute)
        found = _model((stated[0],), stated[1], project, None) if stated is not None else None
        if found is not None:
            return found
    method = project.method(view, "get_queryset")
    values = [r.value for r in method.returns if r.value is not None] if method is not None else []
    parts = tuple(part for value in values if method is not None for part in made_of(value, method.scope))
    return _model(parts, method.scope, project, None) if method is not None else None


def model_called_on(call: form.Call, scope: Scope, project: Project) -> str:
    """`Order.by_number(...)`: the model that a class method was called on."""
    owner = project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
    return owner.name if isinstance(owner, ClassSymbol) and _is_model(owner, project) else ""


def model_of_repository(call: form.Call, scope: Scope, project: Project) -> str:
    """`Users(Repository[User])`, `Repository(User)`: the model that a generic repository is made for."""
    owner = project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
    if not isinstance(owner, Instance) or owner.cls is None:
        return ""
    named: list[tuple[form.Expr, Scope]] = []
    attribute = project.class_attribute(owner.cls, "model")
    if attribute is not None:
        named.append(attribute)
    for base in owner.cls.node.bases:
        if isinstance(base.value, form.Subscript):
            index = base.value.index
            named.append((index.items[0] if isinstance(index, form.Display) else index, owner.cls.outer))
    if owner.origin is not None and owner.scope is not None:
        named += [(argument.value, owner.scope) for argument in owner.origin.args]
    models = (project.infer(*item) for item in named)
    return next((model.name for model in models if isinstance(model, ClassSymbol)), "")


_NO_MODELS = ("builtins.Exception", "enum.Enum", "enum.StrEnum", "pydantic.BaseModel", "builtins.BaseException")


def _is_model(cls: ClassSymbol, project: Project) -> bool:
    bases = project.base_names(cls)
    if "pydantic.BaseModel" in bases:
        return any(base.startswith(("sqlmodel", "beanie", "odmantic")) for base in bases)
    return bool(bases) and bases.isdisjoint(_NO_MODELS)
