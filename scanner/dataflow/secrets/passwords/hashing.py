"""Functions that were made for passwords: where they are called, and which of them settings choose."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.dataflow.nesting import Nesting
from assay.scanner.dataflow.secrets.ingredients import ingredients
from assay.scanner.dataflow.secrets.names import is_password
from assay.scanner.dataflow.secrets.passwords.functions import PasswordFunctions
from assay.scanner.dataflow.secrets.passwords.place import PasswordPlace
from assay.scanner.dataflow.secrets.undeployed import is_in_undeployed_branch, is_undeployed
from assay.scanner.libraries import PasswordFunction
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.crypto import Act, Keeping
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form


class Hashing:
    """How one project hashes passwords, where it is done as libraries have it."""

    def __init__(self, project: Project, functions: PasswordFunctions, nesting: Nesting) -> None:
        self._project = project
        self._functions = functions
        self._nesting = nesting

    def places(self) -> Iterator[PasswordPlace]:
        """The calls, then the settings."""
        yield from self._calls()
        yield from self._settings()

    def _calls(self) -> Iterator[PasswordPlace]:
        """Calls of functions that were made for passwords."""
        for known in self._functions.calls.in_production():
            call, scope = known.node, known.scope
            found = self._functions.called(call, scope)
            if found is None or found[1].act is Act.CONFIGURE:
                continue
            name, function = found
            if call.argument(function.password, function.keyword) is None and not any(a.star for a in call.args):
                continue  # it lets somebody in by something else
            if function.general and not (
                function.keeps is Keeping.HASHED and self._is_given_password(call, scope, function)
            ):
                continue
            keeping, rounds = self._functions.strength(call, scope, function)
            text = name.removeprefix("*.")
            by = text if rounds is None else f"{text} with {rounds} rounds"
            yield PasswordPlace(call, scope, text, function.act, keeping, by)

    def _is_given_password(self, call: form.Call, scope: Scope, function: PasswordFunction) -> bool:
        node = call.argument(function.password, function.keyword)
        return node is not None and any(is_password(i.name) for i in ingredients(node, scope, self._project))

    def _settings(self) -> Iterator[PasswordPlace]:
        """How all passwords are hashed: passlib's contexts, Django's PASSWORD_HASHERS."""
        for call, scope in self._project.calls_named("CryptContext"):
            schemes = call.argument(0, "schemes")
            if scope.module.role is Role.PROD and schemes is not None:
                given = call.keyword("default")
                first = [(given, scope)] if given is not None else list_items(schemes, scope, self._project)[:1]
                yield from self._configured(first, "passlib.hash.{}.hash", call, scope, "CryptContext")
        for module in self._project.modules.values():
            for binding in module.scope.bindings.get("PASSWORD_HASHERS", ()):
                if module.role is Role.PROD and binding.value is not None:
                    first = list_items(binding.value, module.scope, self._project)[:1]
                    yield from self._configured(first, "{}", binding.value, module.scope, "PASSWORD_HASHERS")

    def _configured(
        self, items: list[tuple[form.Expr, Scope]], pattern: str, node: form.Expr, scope: Scope, what: str
    ) -> Iterator[PasswordPlace]:
        for item, item_scope in items:
            name = string_value(item, item_scope, self._project) or ""
            entries = self._functions.calls.models.get(pattern.format(name))
            if entries:
                by, keeping = last_part(name), entries[0].keeps
                shown = item_scope.module.evidence(item, f"new passwords are hashed by `{by}`")
                aside = "it is for development or tests" if self._is_undeployed(node, scope) else None
                yield PasswordPlace(node, scope, what, Act.CONFIGURE, keeping, by, (shown,), aside=aside)

    def _is_undeployed(self, node: form.Expr, scope: Scope) -> bool:
        return is_undeployed(scope) or is_in_undeployed_branch(node, scope, self._nesting)
