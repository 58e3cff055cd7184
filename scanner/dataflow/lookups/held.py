"""Queries that are held to the caller: they ask for what is theirs."""

from __future__ import annotations

from assay.scanner.dataflow.lookups.calling import callee, handed
from assay.scanner.dataflow.lookups.conditions import stated
from assay.scanner.dataflow.lookups.labels import Labels, is_caller, labels_in, names_caller
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form


class Held:
    """What holds the queries of one project to the caller."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._functions: dict[FunctionSymbol, Evidence | None] = {}

    def query(
        self, parts: tuple[form.Expr, ...], scope: Scope, labels: Labels, view: ClassSymbol | None
    ) -> Evidence | None:
        """Where the expressions that make a query name the caller, or call a function that does."""
        for part in parts:
            for node in form.walk(part):
                if is_caller(node, labels):
                    return scope.module.evidence(node, "the query is held to the caller")
                inner = callee(node, scope, view, self._project) if isinstance(node, form.Call) else None
                found = self.function(inner) if inner is not None else None
                if found is not None:
                    return found
        return None

    def function(self, function: FunctionSymbol) -> Evidence | None:
        """Where a function that makes a query speaks of the caller."""
        if function not in self._functions:
            labels = labels_in(function, "", Labels(), self._project)
            asking = (n for n in function.nodes if is_caller(n, labels))
            evidence = (function.module.evidence(n, "it is held to the caller") for n in asking)
            self._functions[function] = next(evidence, None)
        return self._functions[function]

    def view(self, view: ClassSymbol) -> Evidence | None:
        """Where a class-based view holds what it looks up to the caller: in its query, or in a filter behind that."""
        making = (self._project.method(view, name) for name in ("get_queryset", "filter_queryset"))
        found = next(filter(None, (self.function(method) for method in making if method is not None)), None)
        stated = self._project.class_attribute(view, "filter_backends")
        if found is not None or stated is None:
            return found
        for node in form.walk(stated[0]):
            backend = self._project.infer(node, stated[1]) if isinstance(node, form.Name | form.Attr) else None
            if isinstance(backend, ClassSymbol):
                filtering = self._project.method(backend, "filter_queryset")
                found = self.function(filtering) if filtering is not None else None
            elif isinstance(backend, External) and "Permission" in backend.name:
                found = stated[1].module.evidence(node, "it leaves what the caller may see")
            if found is not None:
                return found
        return None

    def is_list(self, function: FunctionSymbol, given: Labels, depth: int = 2) -> bool:
        """Whether a function that lists rows picks those of the caller."""
        labels = labels_in(function, "", given, self._project)
        for node in function.nodes:
            if any(names_caller(condition.value, labels) for condition in stated(node)):
                return True
            if depth and isinstance(node, form.Call) and any(names_caller(a.value, labels) for a in node.args):
                inner = callee(node, function.scope, None, self._project)
                if inner is not None and self.is_list(inner, handed(node, inner, labels, "", self._project), depth - 1):
                    return True
        return False
