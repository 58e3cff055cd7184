"""Which expressions stand for rows of a database, and of which model."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from assay.scanner.dataflow.effects.generic_views import model_of_view
from assay.scanner.dataflow.effects.libraries import CONSTRUCTS, DOCUMENTS, SQL_PACKAGES
from assay.scanner.framework import RowLibrary, Rows
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Binding, ClassSymbol, How, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Location
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_ROW_MAKERS = frozenset(
    {
        "get_object_or_404", "aget_object_or_404", "get_object", "get_list_or_404", "get_user_model", "get_queryset",
        "_default_manager", "objects", "_base_manager", "get_serializer",
    }
)  # fmt: skip
_NO_MODELS = ("Manager", "QuerySet", "Field", "Form", "Admin", "Serializer", "Choices", "Meta", "Q", "F", "Prefetch")
_RECORD_BASES = ("django.db.models.Model", "tortoise.models.Model", "peewee.Model", *DOCUMENTS)
_ROW_TAKERS = frozenset(
    """first one one_or_none get get_one scalar scalar_one scalar_one_or_none all get_or_404 first_or_404 one_or_404
    first_or_none""".split()
)
_DEEPEST = 8


class Records:
    """Tells rows from other objects. `tables` are those of all libraries, whose models are classes of the project."""

    def __init__(self, project: Project, tables: Iterable[Table], libraries: Iterable[RowLibrary]) -> None:
        self._project = project
        self._models: dict[Location, str] = {table.location: table.model for table in tables}
        self._libraries = tuple(libraries)
        self._behind: dict[form.Expr, str | None] = {}

    def is_record(self, cls: ClassSymbol) -> bool:
        """Whether objects of the class are rows or documents."""
        return cls.location in self._models or not self._project.base_names(cls).isdisjoint(_RECORD_BASES)

    def is_django_row(self, dotted: str) -> bool:
        """Whether a dotted name leads to a model, a manager, a query or a row of Django."""
        parts = dotted.split(".")
        if not _ROW_MAKERS.isdisjoint(parts[1:]):
            return parts[0] not in SQL_PACKAGES
        for before, part in itertools.pairwise(parts):
            if before in ("models", "base_user", "base_session") and part[:1].isupper():
                return not part.endswith(_NO_MODELS) or "ManyToManyField" in part
        return False

    def record_at(self, node: form.Expr, scope: Scope) -> str | None:
        """The model that an object is a row of, empty where only that it is one is known; None for anything else."""
        value = self._project.infer(node, scope)
        if isinstance(value, Instance) and value.cls is not None:
            return value.cls.name if self.is_record(value.cls) else None
        if isinstance(value, Instance | External):
            dotted = value.type_name if isinstance(value, Instance) else value.name
            if self.is_row_of_query(dotted):
                return self.model_behind(node, scope) or ""
            return None
        return self._row_by_binding(node, scope) if value is None else None

    def is_row_of_query(self, dotted: str) -> bool:
        """Whether a dotted name leads to what a query gives."""
        parts = dotted.split(".")
        if parts[0] in SQL_PACKAGES:
            return "query" in dotted.lower() or not _ROW_TAKERS.isdisjoint(parts)
        return self.is_django_row(dotted)

    def _row_by_binding(self, node: form.Expr, scope: Scope) -> str | None:
        """A loop over rows, one of several values of a call that reads rows, an item of rows."""
        if form.dotted(node) in ("request.user", "self.request.user"):
            return "User"
        if isinstance(node, form.Subscript):
            return self.rows_at(node.value, scope)
        if not isinstance(node, form.Name):
            return None
        for binding in scope.lookup(node.id, node.start):
            found = self._bound(binding)
            if found is not None:
                return found
        return None

    def _bound(self, binding: Binding) -> str | None:
        if binding.value is None or binding.how not in (How.FOR, How.UNPACK, How.ASSIGN):
            return None
        if binding.how is How.UNPACK and binding.index != 0:
            return None
        return self.rows_at(binding.value, binding.scope)

    def rows_at(self, node: form.Expr, scope: Scope) -> str | None:
        """The model that a query or a row is of, empty where only that it is one is known; None for anything else."""
        if node not in self._behind:
            self._behind[node] = None  # what hangs on itself can't be told
            self._behind[node] = self._rows_at(node, scope)
        return self._behind[node]

    def _rows_at(self, node: form.Expr, scope: Scope) -> str | None:
        for inner in _chain(node):
            for library in self._libraries:
                found = library.source(inner, scope, self._project)
                if isinstance(found, Rows):
                    return found.model if found.model not in ("rows", "model") else ""
            if isinstance(inner, form.Attr) and inner.attr in ("objects", "_default_manager"):
                return ""
        if isinstance(node, form.Name | form.Attr):
            return self.record_at(node, scope)
        value = self._project.infer(node, scope)
        dotted = value.type_name if isinstance(value, Instance) else value.name if isinstance(value, External) else ""
        if dotted and self.is_row_of_query(dotted):
            return self.model_behind(node, scope) or ""
        return None

    def model_behind(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> str | None:
        """The model class that an expression's rows are of: `User` of `User.objects.get(pk=1)`, or of a name for it."""
        for inner in _chain(node):
            value = self._project.infer(inner, scope)
            if isinstance(value, ClassSymbol) and self.is_record(value):
                return value.name
            if isinstance(value, Instance) and value.cls is not None and self.is_record(value.cls):
                return value.cls.name
            if isinstance(inner, form.Call):
                named = self._model_of_view(inner, scope) or self._model_among(inner, scope)
                if named is not None:
                    return named
            if isinstance(inner, form.Name) and depth:
                for binding in scope.lookup(inner.id, inner.start):
                    if binding.value is not None and binding.value is not node:
                        return self.model_behind(binding.value, binding.scope, depth - 1)
        return None

    def _model_of_view(self, call: form.Call, scope: Scope) -> str | None:
        """The model of the view's own `self.get_object()`."""
        function = scope.enclosing_function
        if last_name(call.func) not in ("get_object", "get_queryset") or function is None or function.owner is None:
            return None
        return model_of_view(function.owner, self._project) or None

    def _model_among(self, call: form.Call, scope: Scope) -> str | None:
        """The model that a call is given: `get_object_or_404(User, pk=1)`, `session.get(User, 1)`, `select(User)`."""
        for argument in call.positional[:1]:
            if isinstance(argument, form.Call | form.Attr) and _chain_ends_in_call(argument):
                return self.model_behind(argument, scope, 1)
            value = self._project.infer(argument, scope)
            if isinstance(value, ClassSymbol) and self.is_record(value):
                return value.name
            if isinstance(value, External) and self.is_django_row(value.name):
                return last_part(value.name)
        return None

    def construct(self, node: form.Expr, scope: Scope, depth: int = 3) -> tuple[str, str] | None:
        """What a statement built of a library's constructs does, and to which model: `insert(User).values(...)`."""
        for inner in _chain(node):
            if isinstance(inner, form.Call):
                name = last_name(inner.func)
                if name is not None and name in CONSTRUCTS:
                    value = self._project.infer(inner.func, scope)
                    of_table = isinstance(inner.func, form.Attr) and not inner.positional
                    if isinstance(value, External) and value.name.startswith(SQL_PACKAGES):
                        given = next(iter(inner.positional), None)
                        subject = inner.func.value if of_table and isinstance(inner.func, form.Attr) else given
                        target = self.model_behind(subject, scope) if subject is not None else None
                        return CONSTRUCTS[name], target or last_name(subject) or "" if subject is not None else ""
            elif isinstance(inner, form.Name) and depth:
                values = [b.value for b in scope.lookup(inner.id, inner.start) if b.how is How.ASSIGN and b.value]
                found = (self.construct(value, scope, depth - 1) for value in values if value is not node)
                return next((f for f in found if f is not None), None)
        return None

    def beginning(self, node: form.Expr, scope: Scope, depth: int = 4) -> str | None:
        """The literal text that a string which is put together begins with."""
        match node:
            case form.Const(value=str() as text):
                return text
            case form.Template(parts=[str() as first, *_]):
                return first
            case form.Binary(op="+" | "%", left=left):
                return self.beginning(left, scope, depth)
            case form.Call(func=form.Attr(value=inner, attr="format" | "join" | "strip")):
                return self.beginning(inner, scope, depth)
            case form.Call() if last_name(node.func) in ("text", "SQL", "TextClause") and node.positional:
                return self.beginning(node.positional[0], scope, depth)
            case form.Name(id=name) if depth:
                bindings = [b for b in scope.lookup(name, node.start) if b.how is How.ASSIGN and b.value is not None]
                values = (self.beginning(b.value, b.scope, depth - 1) for b in bindings if b.value is not None)
                return next((value for value in values if value is not None), None)
        return None


def _chain_ends_in_call(node: form.Expr) -> bool:
    return any(isinstance(inner, form.Call) for inner in _chain(node))


def _chain(node: form.Expr) -> Iterable[form.Expr]:
    """The expression and what it is a method, attribute or item of, outermost first."""
    current: form.Expr = node
    while True:
        yield current
        match current:
            case form.Call(func=inner) | form.Attr(value=inner) | form.Subscript(value=inner) | form.Await(value=inner):
                current = inner
            case _:
                return
