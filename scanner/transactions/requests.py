"""Functions around which a framework opens a transaction: Django's views with ATOMIC_REQUESTS, and its admin.

https://docs.djangoproject.com/en/stable/topics/db/transactions/#tying-transactions-to-http-requests
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from assay.scanner.databases.aliases import aliases
from assay.scanner.databases.spelled import Speller
from assay.scanner.dataflow.constants import constant
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Module, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_SETTING = "ATOMIC_REQUESTS"
_EXEMPTING = "non_atomic_requests"
_FRAMEWORKS = ("Django", "Django REST framework", "django-ninja")
_ADMIN = ("django.contrib.admin.",)
_OF_ADMIN = frozenset(
    {
        "save_model", "save_form", "save_formset", "save_related", "delete_model", "log_addition", "log_change",
        "log_deletion", "response_add", "response_change", "response_delete", "construct_change_message",
    }
)  # fmt: skip
"""What the admin's change and delete views call, which are atomic."""


class AtomicRequests:
    """Tells which functions run in the transaction of a request."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._project = gathered.project

    def around(self, function: FunctionSymbol) -> Evidence | None:
        """What opens a transaction around each call of the function; None where nothing does."""
        if function.owner is not None and function.name in _OF_ADMIN:
            bases = self._project.base_names(function.owner)
            if any(name.startswith(_ADMIN) for name in bases):
                return Evidence(function.location, "the admin calls it in a transaction")
        return self.setting if self.setting is not None and function in self._views else None

    @cached_property
    def setting(self) -> Evidence | None:
        """Where ATOMIC_REQUESTS is turned on for production."""
        return next(self._settings(), None)

    def _settings(self) -> Iterator[Evidence]:
        speller = Speller(self._project)
        for alias in aliases(self._gathered):
            word = speller.of(alias.node, alias.scope).named(_SETTING)
            if word is not None and word.value is not None and self._is_on(word.value, word.scope):
                yield word.scope.module.evidence(word.node, f"{_SETTING} is on")
        for module in self._project.modules.values():
            if module.role is Role.PROD and (module.star_imports or "DATABASES" in module.scope.bindings):
                yield from self._assigned(module)

    def _assigned(self, module: Module) -> Iterator[Evidence]:
        """`DATABASES["default"]["ATOMIC_REQUESTS"] = True`."""
        for statement, at in module.assignments:
            for target in statement.targets:
                key = target.index if isinstance(target, form.Subscript) else None
                is_it = isinstance(key, form.Const) and key.value == _SETTING
                if is_it and statement.value is not None and self._is_on(statement.value, at):
                    yield at.module.evidence(statement, f"{_SETTING} is on")

    def _is_on(self, node: form.Expr, scope: Scope) -> bool:
        """What only the environment decides counts as on: nobody writes the setting to leave it off."""
        found = constant(node, scope, self._project)
        return found is None or found.value is not False

    @cached_property
    def _views(self) -> frozenset[FunctionSymbol]:
        found: set[FunctionSymbol] = set()
        for route, _ in self._gathered.endpoints:
            if not route.framework.startswith(_FRAMEWORKS):
                continue
            cls, handler = route.view_class, route.handler
            if cls is not None and any(_exempts(d) for d in cls.node.decorators):
                continue
            if handler is not None and not any(_exempts(d) for d in handler.decorators):
                found.add(handler)
            if cls is not None:
                for base in self._project.mro(cls):
                    methods = getattr(base, "methods", None)
                    found.update(methods.values() if methods is not None else ())
        return frozenset(found)


def _exempts(decorator: form.Expr) -> bool:
    return any(isinstance(n, form.Name | form.Attr) and last_name(n) == _EXEMPTING for n in form.walk(decorator))
