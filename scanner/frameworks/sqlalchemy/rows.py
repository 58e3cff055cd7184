"""Reads of many rows through SQLAlchemy's queries, selects and relationships, and what bounds and orders them."""

from __future__ import annotations

from dataclasses import replace

from assay.scanner.framework import Rows, Sited, Step
from assay.scanner.frameworks.sqlalchemy.mapped import is_mapped, is_ours
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, How, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.query import Bound, Order
from assay.scanner.readers.python import form

_SINGLE = frozenset(
    {
        "as_scalar", "count", "delete", "exists", "fetchone", "first", "first_or_404", "get", "get_one", "get_or_404",
        "is_", "one", "one_or_404", "one_or_none", "rowcount", "scalar", "scalar_one", "scalar_one_or_none",
        "scalar_subquery", "update",
    }
)  # fmt: skip
_PAGE_NUMBERS = frozenset({"total", "pages", "page", "per_page", "has_next", "has_prev", "next_num", "prev_num"})
"""What Flask-SQLAlchemy's pages say about themselves, beside their items."""
_KEEPING = frozenset(
    {
        "add_columns", "add_entity", "alias", "all", "autoflush", "columns", "correlate", "cte", "distinct",
        "enable_assertions", "enable_eagerloads", "except_", "execution_options", "fetchall", "from_self", "group_by",
        "having", "intersect", "join", "label", "mappings", "offset", "options", "order_by_", "outerjoin", "params",
        "partitions", "populate_existing", "prefix_with", "reset_joinpoint", "scalars", "select", "select_from",
        "subquery", "suffix_with", "tuples", "union", "union_all", "unique", "with_entities", "with_for_update",
        "with_only_columns", "yield_per",
    }
)  # fmt: skip
_FILTERS = frozenset({"filter", "filter_by", "where"})
_LIMITS = frozenset({"limit", "slice", "paginate", "fetchmany", "fetch"})
_PAGE_SIZES = ("per_page", "size", "limit", "page_size")
_ONE_VALUE = frozenset({"scalar", "scalar_one", "scalar_one_or_none", "get", "get_one", "get_or_404", "one_or_404"})
_AGGREGATES = frozenset({"count", "sum", "max", "min", "avg", "exists", "now", "random_id"})
_SESSIONS = frozenset({"session", "db_session", "sess", "dbsession", "async_session", "db"})
_COLLECTIONS = frozenset({"WriteOnlyMapped", "DynamicMapped"})


class SqlalchemyRows:
    """How SQLAlchemy, SQLModel, Flask-SQLAlchemy and Alchemical read rows."""

    def source(self, node: form.Expr, scope: Scope, project: Project) -> Rows | str | None:
        """`session.query(User)`, `select(User)`, `User.query`, `User.select()`, `user.posts`."""
        if isinstance(node, form.Attr):
            return self._query_property(node, scope, project) or self._relationship(node, scope, project)
        if not isinstance(node, form.Call):
            return None
        name = last_name(node.func)
        if name == "query" and isinstance(node.func, form.Attr) and _is_session(node.func, scope, project):
            return self._of_entities(node, scope, project)
        if name == "select":
            return self._select(node, scope, project)
        if name in _ONE_VALUE and isinstance(node.func, form.Attr) and _is_session(node.func, scope, project):
            return Step.SINGLE
        return None

    def step(self, rows: Rows, method: str, call: form.Call | None, scope: Scope) -> Rows | str | None:
        """What a method of a query, select or result does to the rows."""
        if method in _SINGLE or (call is None and method in _PAGE_NUMBERS):
            return Step.SINGLE
        if method in _FILTERS:
            return replace(rows, filtered_by_parent=rows.filtered_by_parent or _asks_for_a_parent(call))
        if method in _LIMITS and call is not None:
            return _limited(rows, method, call, scope)
        if method == "order_by" and call is not None:
            cleared = (
                len(call.args) == 1
                and isinstance(call.args[0].value, form.Const)
                and call.args[0].value.value in (None, False)
            )
            if cleared:
                return replace(rows, order=Order.NONE, order_by=None)
            return replace(rows, order=Order.EXPLICIT, order_by=scope.module.evidence(call, "order_by()"))
        return rows if method in _KEEPING else None

    # --- where rows begin ---

    def _query_property(self, node: form.Attr, scope: Scope, project: Project) -> Rows | None:
        """`User.query` of Flask-SQLAlchemy and of `query_property()`."""
        if node.attr != "query":
            return None
        owner = project.infer(node.value, scope)
        if isinstance(owner, ClassSymbol) and is_mapped(owner, project):
            # `cls.query` in a base class is a query of whichever model inherits it.
            is_inherited = _is_parameter(node.value, scope) and not owner.own("__tablename__")
            return _rows("rows" if is_inherited else owner.name, node, scope)
        return None

    def _select(self, node: form.Call, scope: Scope, project: Project) -> Rows | None:
        callee = project.infer(node.func, scope)
        if isinstance(callee, External) and is_ours(callee.name) and ".Table." not in callee.name and node.args:
            return self._of_entities(node, scope, project)
        if not isinstance(node.func, form.Attr) or isinstance(callee, BoundMethod):
            return None
        owner = project.infer(node.func.value, scope)
        if isinstance(owner, ClassSymbol) and is_mapped(owner, project):
            return _rows(owner.name, node, scope)
        if isinstance(owner, Instance) and last_part(owner.type_name) == "Table" and is_ours(owner.type_name):
            return _rows(last_name(node.func.value) or "rows", node, scope)
        return None

    def _of_entities(self, node: form.Call, scope: Scope, project: Project) -> Rows | None:
        """The first entity names the rows; nothing but aggregates is one row."""
        entities = [a.value for a in node.args if a.name is None]
        if len(entities) == 1 and isinstance(entities[0], form.Display):
            entities = entities[0].items
        named = [e for e in entities if not _is_aggregate(e)]
        if not named:
            return None
        return _rows(_entity_name(named[0], scope, project), node, scope)

    def _relationship(self, node: form.Attr, scope: Scope, project: Project) -> Rows | None:
        """A collection of related rows: how many there are, and in which order, is the database's affair."""
        owner = project.infer(node.value, scope)
        if not isinstance(owner, Instance) or owner.cls is None or not is_mapped(owner.cls, project):
            return None
        declared = project.class_member(owner.cls, node.attr)
        value = declared[-1].value if declared else None
        if not isinstance(value, form.Call) or last_name(value.func) not in (
            "relationship",
            "Relationship",
            "dynamic_loader",
        ):
            return None
        target = _related(declared[-1].annotation, value)
        if target is None:
            return None
        model, is_query = target
        rows = _rows(model, node, scope)
        bound = Bound.UNLIMITED if is_query else Bound.UNKNOWN
        return replace(rows, bound=bound, order=Order.NONE if is_query else Order.UNKNOWN, filtered_by_parent=True)


def _rows(model: str, node: form.Expr, scope: Scope) -> Rows:
    return Rows(model, scope.module.evidence(node, f"reads {model}"))


def _is_parameter(node: form.Expr, scope: Scope) -> bool:
    """Whether callers choose the model, so that no one name of it is right."""
    return isinstance(node, form.Name) and any(b.how is How.PARAMETER for b in scope.lookup(node.id))


def _is_session(func: form.Attr, scope: Scope, project: Project) -> bool:
    callee = project.infer(func, scope)
    if isinstance(callee, External):
        return is_ours(callee.name)
    return callee is None and (last_name(func.value) or "").lower().lstrip("_") in _SESSIONS


def _entity_name(node: form.Expr, scope: Scope, project: Project) -> str:
    """The model that an entity or one of its columns belongs to."""
    if isinstance(node, form.Attr) and isinstance(project.infer(node.value, scope), ClassSymbol):
        node = node.value
    value = project.infer(node, scope)
    return value.name if isinstance(value, ClassSymbol) else last_name(node) or "rows"


def _is_aggregate(node: form.Expr) -> bool:
    """`func.count(User.id)`, labelled or not."""
    while isinstance(node, form.Call):
        if isinstance(node.func, form.Attr) and last_name(node.func.value) == "func":
            return node.func.attr in _AGGREGATES
        if last_name(node.func) in ("exists", "literal"):
            return True
        node = node.func.value if isinstance(node.func, form.Attr) else node.func
    return False


def _related(annotation: form.Expr | None, value: form.Call) -> tuple[str, bool] | None:
    """The related model, and whether the attribute is a query to go on with; None where it is one object."""
    named = value.args[0].value if value.args and value.args[0].name is None else None
    model = named.value if isinstance(named, form.Const) and isinstance(named.value, str) else None
    if model is None and named is not None:
        model = last_name(named)
    lazy, uselist = value.keyword("lazy"), value.keyword("uselist")
    is_dynamic = isinstance(lazy, form.Const) and lazy.value in ("dynamic", "write_only")
    if isinstance(uselist, form.Const) and uselist.value is False:
        return None
    if isinstance(annotation, form.Subscript):
        inner = annotation.index
        if last_name(annotation.value) in _COLLECTIONS:
            return _element(inner) or model or "rows", True
        if last_name(annotation.value) == "Mapped" and not isinstance(inner, form.Subscript):
            return None
        if last_name(annotation.value) in ("Mapped", "list", "List") and isinstance(inner, form.Subscript):
            is_many = last_name(inner.value) in ("list", "List", "Set", "set", "Sequence")
            return (_element(inner.index) or model or "rows", is_dynamic) if is_many else None
        return _element(inner) or model or "rows", is_dynamic
    if annotation is not None:
        return None
    # Without an annotation only a dynamic loader or a plural name tells that there are many.
    return (model or "rows", True) if is_dynamic else None


def _element(node: form.Expr) -> str | None:
    if isinstance(node, form.Const) and isinstance(node.value, str):
        return node.value
    return last_name(node)


def _limited(rows: Rows, method: str, call: form.Call, scope: Scope) -> Rows:
    if (
        method == "limit"
        and len(call.args) == 1
        and isinstance(call.args[0].value, form.Const)
        and call.args[0].value.value is None
    ):
        return replace(rows, bound=Bound.UNLIMITED, limit=None)
    sizes = (
        [v for n in _PAGE_SIZES if (v := call.keyword(n)) is not None] if method == "paginate" else call.positional[-1:]
    )
    if method == "paginate" and not sizes:
        sizes = call.positional[1:2]
    evidence = scope.module.evidence(call, f"{method}()")
    page_input = tuple(Sited(size, scope) for size in sizes)
    return replace(rows, bound=Bound.LIMITED, limit=evidence, page_input=page_input)


def _asks_for_a_parent(call: form.Call | None) -> bool:
    """Whether a filter is an equality on a foreign key: `post_id=...`, `Comment.post_id == ...`."""
    if call is None:
        return False
    if any(a.name is not None and a.name.endswith("_id") for a in call.args):
        return True
    return any(
        isinstance(node, form.Compare)
        and node.ops == ["=="]
        and isinstance(node.left, form.Attr)
        and node.left.attr.endswith("_id")
        for argument in call.args
        for node in _conjuncts(argument.value)
    )


def _conjuncts(node: form.Expr) -> list[form.Expr]:
    """The parts of `a & b` and `and_(a, b)`: each of them holds for every row."""
    if isinstance(node, form.Binary) and node.op == "&":
        return _conjuncts(node.left) + _conjuncts(node.right)
    if isinstance(node, form.Call) and last_name(node.func) == "and_":
        return [part for argument in node.args for part in _conjuncts(argument.value)]
    return [node]
