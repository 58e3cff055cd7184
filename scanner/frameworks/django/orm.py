"""Django's ORM: the tables of its models, and the rows that managers and querysets read."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from assay.scanner.framework import Context, Framework, Rows, Sited, Step
from assay.scanner.frameworks.django.constants import Evaluator, definition
from assay.scanner.frameworks.django.fields import (
    all_fields,
    app_label,
    columns_of,
    has_unseen_base,
    keys_of,
    parent_names,
    target_class,
)
from assay.scanner.frameworks.django.history import history_of
from assay.scanner.frameworks.django.migrations import migrations
from assay.scanner.frameworks.django.models import (
    default_ordering,
    is_abstract,
    is_manager,
    is_model,
    is_model_name,
    manager_class,
    meta_value,
)
from assay.scanner.frameworks.django.relations import related, relations_of
from assay.scanner.frameworks.django.rest_framework.pagination import paginator_of
from assay.scanner.frameworks.django.settings import settings_for
from assay.scanner.frameworks.django.views import View
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.query import Bound, Order
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_NAME = "Django ORM"
_DEEPEST = 12

# https://docs.djangoproject.com/en/stable/ref/models/querysets/
_KEEPING = frozenset(
    {
        "all", "exclude", "select_related", "prefetch_related", "annotate", "alias", "values", "values_list",
        "distinct", "only", "defer", "using", "union", "intersection", "difference", "select_for_update", "dates",
        "datetimes", "extra", "iterator", "aiterator", "complex_filter", "get_queryset", "_clone", "db_manager",
        "page", "get_page", "in_bulk", "reverse",
    }
)  # fmt: skip
_SINGLE = frozenset(
    {
        "get", "first", "last", "latest", "earliest", "count", "exists", "aggregate", "create", "get_or_create",
        "update_or_create", "update", "delete", "contains", "explain", "bulk_update", "bulk_create", "set", "add",
        "remove", "clear", "aget", "afirst", "alast", "acount", "aexists", "aaggregate", "acreate", "aupdate",
        "adelete", "aget_or_create", "aupdate_or_create", "alatest", "aearliest", "acontains",
    }
)  # fmt: skip
_ONE_ROW = frozenset({"get", "first", "last", "latest", "earliest", "create", "aget", "afirst", "alast", "acreate"})
_ONE_OBJECT = frozenset({"get_object_or_404", "aget_object_or_404", "get_object"})
_KEYS = frozenset({"id", "pk", "slug", "uuid"})
# https://docs.djangoproject.com/en/stable/ref/models/querysets/#field-lookups; all but the equalities.
_LOOKUPS = frozenset(
    {
        "in", "contains", "icontains", "gt", "gte", "lt", "lte", "startswith", "istartswith", "endswith", "iendswith",
        "range", "date", "year", "iso_year", "month", "day", "week", "week_day", "iso_week_day", "quarter", "time",
        "hour", "minute", "second", "isnull", "regex", "iregex", "search", "overlap", "contained_by", "has_key",
    }
)  # fmt: skip
_PAGINATORS = frozenset({"django.core.paginator.Paginator", "django.core.paginator.AsyncPaginator"})


_OF_DELETED = re.compile(r"(is_)?(deleted|removed|trashed|archived)")


# --- tables ---


def tables(context: Context) -> Iterable[Table]:
    """One table for every concrete model; abstract models and proxies have none."""
    project = context.project
    for cls in project.classes:
        if not _is_table(cls, project):
            continue
        stated = meta_value(cls, "db_table", project)
        name = Evaluator(project, settings_for(project, cls.module.path)).text(stated) if stated is not None else None
        columns = columns_of(cls, project)
        table = Table(
            name=(name or f"{app_label(cls, project)}_{cls.name.lower()}").strip('"'),
            model=cls.name,
            location=cls.location,
            role=cls.module.role,
            framework=_NAME,
            columns=columns,
            keys=keys_of(cls, columns, project),
            is_whole=not has_unseen_base(cls, project),
            relations=tuple(relations_of(cls, project)),
            is_managed=not _says(cls, "managed", project, value=False),
        )
        yield table
        history = history_of(cls, table, project)
        if history is not None:
            yield history


def _is_table(cls: ClassSymbol, project: Project) -> bool:
    if not is_model(cls, project) or is_abstract(cls, project) or cls.outer.function is not None:
        return False
    return not _says(cls, "proxy", project) and not _is_swapped(cls, project)


def _is_swapped(cls: ClassSymbol, project: Project) -> bool:
    """Whether the setting that `Meta.swappable` names puts another model in its place."""
    setting = meta_value(cls, "swappable", project)
    settings = settings_for(project, cls.module.path)
    name = Evaluator(project).text(setting) if setting is not None else None
    stated = settings.get(name) if settings is not None and name is not None else None
    chosen = Evaluator(project).text(stated) if stated is not None else None
    return chosen is not None and chosen.lower() != f"{app_label(cls, project)}.{cls.name}".lower()


def _says(cls: ClassSymbol, option: str, project: Project, *, value: bool = True) -> bool:
    stated = meta_value(cls, option, project)
    return stated is not None and isinstance(stated.node, form.Const) and stated.node.value is value


# --- rows ---


def _own_filter(function: FunctionSymbol | None) -> Evidence | None:
    """A filter in a method of a manager; one that only leaves out what is deleted keeps the rows as many as ever."""
    for call in function.walk() if function is not None else ():
        if function is not None and isinstance(call, form.Call) and last_name(call.func) in ("filter", "exclude"):
            names = [argument.name or "" for argument in call.args]
            if not all(_OF_DELETED.match(name) for name in names):
                return function.module.evidence(call, f"{function.name}() narrows it")
    return None


class _DjangoRows:
    """Reads of many rows through managers, related managers and querysets."""

    def __init__(self) -> None:
        self._followed: set[form.Expr] = set()
        """Expressions whose rows are being worked out: `rows = self.paginate_queryset(rows)` leads back to itself."""

    def source(self, node: form.Expr, scope: Scope, project: Project) -> Rows | str | None:
        """Rows that begin here: `Post.objects`, `post.comments`, `Paginator(rows, 20)`, `get_list_or_404(Post)`.

        Step.SINGLE for one object: `get_object_or_404(Post)`, `self.get_object()`.
        """
        if isinstance(node, form.Attr):
            return self._manager(node, scope, project) or self._related_manager(node, scope, project)
        if isinstance(node, form.Call):
            return self._call(node, scope, project)
        return None

    def step(self, rows: Rows, method: str, call: form.Call | None, scope: Scope) -> Rows | str | None:
        """What a queryset's method does to the rows."""
        if method in _SINGLE:
            return Step.SINGLE
        if method == "filter":
            asked = rows.filtered_by_parent or (call is not None and _asks_for_a_parent(rows, call))
            is_picked = call is not None and _picks_listed(call)
            bound = Bound.UNKNOWN if is_picked and rows.bound is Bound.UNLIMITED else rows.bound
            return replace(rows, filtered_by_parent=asked, bound=bound)
        if method == "annotate" and call is not None and _is_grouped(call) and rows.bound is Bound.UNLIMITED:
            return replace(rows, bound=Bound.UNKNOWN)
        if method == "none" and call is not None:
            empty = scope.module.evidence(call, "none() has no rows")
            return replace(rows, bound=Bound.LIMITED, limit=empty, order=Order.EXPLICIT, order_by=empty)
        if method == "order_by" and call is not None:
            if not call.args:
                return replace(rows, order=Order.NONE, order_by=None)
            return replace(rows, order=Order.EXPLICIT, order_by=scope.module.evidence(call, "order_by()"))
        if method == "raw":
            return replace(rows, bound=Bound.UNKNOWN, order=Order.UNKNOWN)
        return rows if method in _KEEPING else None

    # --- where rows begin ---

    def _manager(self, node: form.Attr, scope: Scope, project: Project) -> Rows | None:
        owner = project.infer(node.value, scope)
        if isinstance(owner, ClassSymbol) and is_model(owner, project):
            return self._of_model(owner, node, scope, project) if is_manager(owner, node.attr, project) else None
        if node.attr not in ("objects", "_default_manager"):
            return None
        place = scope.module.evidence(node, "")
        if isinstance(owner, External) and is_model_name(owner.name):
            name = last_part(owner.name)
        elif isinstance(owner, ClassSymbol):
            return None
        else:
            # `.objects` of something unknown: `self.model.objects`, `get_user_model().objects`.
            called = node.value.func if isinstance(node.value, form.Call) else node.value
            name = "User" if last_name(called) == "get_user_model" else last_name(called) or "model"
        return Rows(name, replace(place, text=f"reads {name}"), order=Order.UNKNOWN)

    def _of_model(self, cls: ClassSymbol, node: form.Expr, scope: Scope, project: Project) -> Rows:
        ordering = default_ordering(cls, project)
        rows = Rows(
            cls.name,
            scope.module.evidence(node, f"reads {cls.name}"),
            order=Order.DEFAULT if ordering is not None else Order.NONE,
            order_by=ordering.module.evidence(ordering.node, "Meta.ordering") if ordering is not None else None,
            parents=parent_names(cls, project),
        )
        only = _only_row(cls, project)
        if only is not None:
            return replace(rows, bound=Bound.LIMITED, limit=only, order=Order.EXPLICIT, order_by=only)
        manager = manager_class(cls, node.attr, project) if isinstance(node, form.Attr) else None
        initial = project.method(manager, "get_queryset") if manager is not None else None
        rows = replace(rows, own_filter=_own_filter(initial))
        for call in initial.walk() if initial is not None else ():
            if isinstance(call, form.Call) and last_name(call.func) == "order_by" and call.args and initial is not None:
                return replace(
                    rows, order=Order.EXPLICIT, order_by=initial.module.evidence(call, "order_by() of the manager")
                )
        return rows

    def _related_manager(self, node: form.Attr, scope: Scope, project: Project) -> Rows | None:
        parent = self._model_of_object(node.value, scope, project, 0)
        accessors = related(project)
        cls: ClassSymbol | None = None
        if parent is not None:
            names = [b.name for b in project.mro(parent) if isinstance(b, ClassSymbol)]
            cls = next((accessors[n, node.attr] for n in names if (n, node.attr) in accessors), None)
            field = all_fields(parent, project).get(node.attr)
            if cls is None and field is not None and field.is_to_many:
                target = target_class(field, parent, project)
                cls = next((c for c in project.classes_named(target) if is_model(c, project)), None) if target else None
        elif node.attr.endswith("_set"):
            candidates = {c for (_, accessor), c in accessors.items() if accessor == node.attr}
            cls = candidates.pop() if len(candidates) == 1 else None
        if cls is None:
            return None
        return replace(self._of_model(cls, node, scope, project), filtered_by_parent=True)

    def _model_of_object(self, node: form.Expr, scope: Scope, project: Project, depth: int) -> ClassSymbol | None:
        """The model that an object is one row of."""
        if depth > _DEEPEST:
            return None
        value = project.infer(node, scope)
        if isinstance(value, Instance) and value.cls is not None:
            return value.cls if is_model(value.cls, project) else None
        sited = definition(Sited(node, scope), project)
        call = sited.node.value if isinstance(sited.node, form.Await) else sited.node
        if isinstance(call, form.Call):
            name = last_name(call.func)
            if name in _ONE_OBJECT and call.positional:
                return self._model_read(call.positional[0], sited.scope, project)
            if name in _ONE_ROW and isinstance(call.func, form.Attr):
                return self._model_read(call.func.value, sited.scope, project)
        if isinstance(call, form.Attr) and call.attr == "user" and last_name(call.value) == "request":
            return self._user_model(scope, project)
        if isinstance(call, form.Attr):
            parent = self._model_of_object(call.value, sited.scope, project, depth + 1)
            field = all_fields(parent, project).get(call.attr) if parent is not None else None
            if parent is not None and field is not None and field.is_to_one:
                target = target_class(field, parent, project)
                return (
                    next((c for c in project.classes_named(target) if is_model(c, project)), None) if target else None
                )
        return None

    def _user_model(self, scope: Scope, project: Project) -> ClassSymbol | None:
        settings = settings_for(project, scope.module.path)
        stated = settings.get("AUTH_USER_MODEL") if settings is not None else None
        text = Evaluator(project, settings).text(stated) if stated is not None else None
        named = project.classes_named(last_part(text)) if text is not None else ()
        return next((c for c in named if is_model(c, project)), None)

    def _model_read(self, node: form.Expr, scope: Scope, project: Project) -> ClassSymbol | None:
        """The model at the root of a query expression, or the model class itself."""
        sited = Sited(node, scope)
        for _ in range(_DEEPEST):
            value = project.infer(sited.node, sited.scope)
            if isinstance(value, ClassSymbol):
                return value if is_model(value, project) else None
            sited = definition(sited, project)
            if isinstance(sited.node, form.Call):
                sited = Sited(sited.node.func, sited.scope)
            elif isinstance(sited.node, form.Attr | form.Subscript):
                sited = Sited(sited.node.value, sited.scope)
            else:
                return None
        return None

    # --- calls ---

    def _call(self, call: form.Call, scope: Scope, project: Project) -> Rows | str | None:
        name = last_name(call.func)
        if name in _ONE_OBJECT:
            return Step.SINGLE
        if name == "get_queryset" and isinstance(call.func, form.Attr):
            return self._inherited(call.func.value, scope, project)
        if name in ("get_list_or_404", "aget_list_or_404") and call.positional:
            return self._listed_or_404(call, scope, project)
        if name == "paginate_queryset" and call.args:
            return self._paginated(call, scope, project)
        if isinstance(call.func, form.Name) or name == "Paginator":
            return self._paginator(call, scope, project)
        if isinstance(call.func, form.Attr) and name not in _SINGLE and name not in _KEEPING:
            return self._custom_method(call.func, scope, project)
        return None

    def _inherited(self, owner: form.Expr, scope: Scope, project: Project) -> Rows | None:
        """`super().get_queryset()` of a generic view: the class's `queryset`, where the library's method gives it."""
        function = scope.enclosing_function
        cls = function.owner if function is not None else None
        if cls is None or function is None or not (isinstance(owner, form.Call) and last_name(owner.func) == "super"):
            return None
        attribute = project.class_attribute(cls, "queryset")
        following = project.class_member(cls, "get_queryset", cls)
        if attribute is None or any(b.function is not None for b in following or ()):
            return None
        return self._rows_of(*attribute, project, 0)

    def _listed_or_404(self, call: form.Call, scope: Scope, project: Project) -> Rows | None:
        first = call.positional[0]
        model = project.infer(first, scope)
        if isinstance(model, ClassSymbol) and is_model(model, project):
            rows: Rows | None = self._of_model(model, call, scope, project)
        else:
            rows = self._rows_of(first, scope, project, 0)
        stepped = self.step(rows, "filter", call, scope) if rows is not None else None
        return stepped if isinstance(stepped, Rows) else None

    def _paginator(self, call: form.Call, scope: Scope, project: Project) -> Rows | None:
        value = project.infer(call.func, scope)
        names = frozenset({value.name} if isinstance(value, External) else ())
        if isinstance(value, ClassSymbol):
            names = project.base_names(value)
        given = call.argument(0, "object_list")
        if names.isdisjoint(_PAGINATORS) or given is None:
            return None
        rows = self._rows_of(given, scope, project, 0)
        size = call.argument(1, "per_page")
        sizes = (Sited(size, scope),) if size is not None else ()
        limit = scope.module.evidence(call, "a Paginator cuts it into pages")
        return replace(rows, bound=Bound.LIMITED, limit=limit, page_input=sizes) if rows is not None else None

    def _paginated(self, call: form.Call, scope: Scope, project: Project) -> Rows | None:
        """`self.paginate_queryset(rows)` of a generic view, or of a paginator object of REST framework."""
        if not isinstance(call.func, form.Attr):
            return None
        rows = self._rows_of(call.args[0].value, scope, project, 0)
        owner = project.infer(call.func.value, scope)
        if rows is None or not isinstance(owner, Instance):
            return None
        limit = scope.module.evidence(call, "paginate_queryset() cuts it into pages")
        names = project.base_names(owner.cls) if owner.cls is not None else {owner.type_name}
        if any(n.startswith("rest_framework.pagination.") for n in names):
            return replace(rows, bound=Bound.LIMITED, limit=limit)
        if owner.cls is None or project.method(owner.cls, "paginate_queryset") is not None:
            return None
        settings = settings_for(project, owner.cls.module.path)
        is_on = paginator_of(View(cls=owner.cls), settings, project) is not None
        if is_on or any(n.startswith("django.views.generic.") for n in names):
            return replace(rows, bound=Bound.LIMITED, limit=limit)
        return rows

    def _custom_method(self, func: form.Attr, scope: Scope, project: Project) -> Rows | str | None:
        """A method that the project's manager or queryset class adds: what it does to the rows it starts from."""
        owner: form.Expr = func.value
        while isinstance(owner, form.Call) and isinstance(owner.func, form.Attr):
            owner = owner.func.value
        model = project.infer(owner.value, scope) if isinstance(owner, form.Attr) else None
        if not isinstance(owner, form.Attr) or not isinstance(model, ClassSymbol) or not is_model(model, project):
            return None
        manager = manager_class(model, owner.attr, project)
        method = project.method(manager, func.attr) if manager is not None else None
        rows = self._rows_of(func.value, scope, project, 0) if method is not None else None
        result = self._after(rows, method, project) if rows is not None and method is not None else None
        return (
            replace(result, own_filter=result.own_filter or _own_filter(method)) if isinstance(result, Rows) else result
        )

    def _after(self, rows: Rows, method: FunctionSymbol, project: Project) -> Rows | str | None:
        for returned in method.returns:
            chain: list[form.Call] = []
            value = definition(Sited(returned.value, method.scope), project).node if returned.value else None
            while isinstance(value, form.Call) and isinstance(value.func, form.Attr):
                chain.append(value)
                value = value.func.value
            is_own = isinstance(value, form.Name) and value.id == "self"
            if not is_own and not (isinstance(value, form.Call) and last_name(value.func) == "super"):
                continue
            result: Rows | str | None = rows
            for call in reversed(chain):
                if isinstance(result, Rows):
                    result = self.step(result, last_name(call.func) or "", call, method.scope)
            return result
        return None

    def _rows_of(self, node: form.Expr, scope: Scope, project: Project, depth: int) -> Rows | None:
        """The rows that a query expression gives, followed through names and steps."""
        if depth > _DEEPEST or node in self._followed:
            return None
        self._followed.add(node)
        try:
            return self._rows_behind(node, scope, project, depth)
        finally:
            self._followed.discard(node)

    def _rows_behind(self, node: form.Expr, scope: Scope, project: Project, depth: int) -> Rows | None:
        for sited in (Sited(node, scope), definition(Sited(node, scope), project)):
            source = self.source(sited.node, sited.scope, project)
            if source is not None:
                return source if isinstance(source, Rows) else None
        if isinstance(sited.node, form.Call) and isinstance(sited.node.func, form.Attr):
            begun = self._rows_of(sited.node.func.value, sited.scope, project, depth + 1)
            if begun is None:
                return None
            after = self.step(begun, sited.node.func.attr, sited.node, sited.scope)
            return after if isinstance(after, Rows) else None
        if isinstance(sited.node, form.Subscript) and isinstance(sited.node.index, form.Slice):
            begun = self._rows_of(sited.node.value, sited.scope, project, depth + 1)
            if begun is None or sited.node.index.upper is None:
                return begun
            limit = sited.module.evidence(sited.node, "a slice limits it")
            return replace(begun, bound=Bound.LIMITED, limit=limit)
        return None


def _only_row(cls: ClassSymbol, project: Project) -> Evidence | None:
    """Where `save()` gives every object of the model the same primary key: the table has one row."""
    save = project.method(cls, "save")
    if save is None:
        return None
    for node in save.walk():
        if isinstance(node, form.Assign) and isinstance(node.value, form.Const | form.Name):
            for target in node.targets:
                if form.dotted(target) in ("self.pk", "self.id") and _is_constant(node.value, save.scope, project):
                    return save.module.evidence(node, f"{cls.name} has one row")
    return None


def _is_constant(node: form.Expr, scope: Scope, project: Project) -> bool:
    value = definition(Sited(node, scope), project).node
    return isinstance(value, form.Const) and value.value is not None


def _asks_for_a_parent(rows: Rows, call: form.Call) -> bool:
    """Whether a filter names one parent: an equality on a foreign key, or on a value of a row that is related.

    In `Q(...) | Q(...)` every side must.
    """
    for argument in call.args:
        if argument.name is None:
            if _is_one_parents(rows, argument.value):
                return True
        elif not isinstance(argument.value, form.Const) and _names_a_parent(rows, argument.name):
            return True
    return False


def _is_one_parents(rows: Rows, condition: form.Expr) -> bool:
    match condition:
        case form.Binary(op="|", left=left, right=right):
            return _is_one_parents(rows, left) and _is_one_parents(rows, right)
        case form.Binary(op="&", left=left, right=right):
            return _is_one_parents(rows, left) or _is_one_parents(rows, right)
        case form.Call(func=func) if last_name(func) == "Q":
            return _asks_for_a_parent(rows, condition)
    return False


def _names_a_parent(rows: Rows, name: str) -> bool:
    relation, _, rest = name.partition("__")
    lookup = rest.rsplit("__", 1)[-1]
    if not rows.parents:
        return lookup in _KEYS or name.endswith("_id")
    is_equality = bool(rest) and lookup not in _LOOKUPS
    return name in rows.parents or lookup in _KEYS or (relation in rows.parents and is_equality)


def _picks_listed(call: form.Call) -> bool:
    """Whether a filter takes the rows that a list names, of which there are no more than the list is long."""
    return any(
        argument.name is not None
        and argument.name.endswith("__in")
        and not (isinstance(argument.value, form.Call) and last_name(argument.value.func) in _KEEPING | {"filter"})
        for argument in call.args
    )


def _is_grouped(call: form.Call) -> bool:
    """`values(...).annotate(...)`: one row for each group, and only the data knows how many there are."""
    node: form.Expr = call
    while isinstance(node, form.Call) and isinstance(node.func, form.Attr):
        node = node.func.value
        if isinstance(node, form.Call) and last_name(node.func) in ("values", "values_list") and node.args:
            return True
    return False


DJANGO_ORM = Framework(_NAME, ("django",), tables=tables, migrations=migrations, rows=_DjangoRows(), is_listed=False)
