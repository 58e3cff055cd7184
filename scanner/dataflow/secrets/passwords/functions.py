"""Functions that make something of a password: those of libraries, and those of the project that call them."""

from __future__ import annotations

from collections.abc import Iterable

from assay.scanner.dataflow.constants import constant, int_value
from assay.scanner.dataflow.lexicon import masks
from assay.scanner.dataflow.library_calls import Calls
from assay.scanner.libraries import Condition, PasswordFunction
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.model.crypto import Keeping
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 6
_VALIDATORS = frozenset({"validator", "field_validator", "validates", "root_validator", "model_validator"})
_DESCRIPTORS = frozenset({"synonym", "property", "hybrid_property"})
_BEFORE_SAVING = frozenset(
    {"save", "__init__", "create", "before_insert", "pre_save", "__setattr__", "clean", "insert"}
)


class PasswordFunctions:
    """Those that one project uses; `calls` are of functions of libraries."""

    def __init__(self, project: Project, calls: Calls[PasswordFunction]) -> None:
        self._project = project
        self.calls = calls

    def called(self, call: form.Call, scope: Scope) -> tuple[str, PasswordFunction] | None:
        """The library's function for passwords that is called, with the entry whose conditions the call meets."""
        name = self.calls.name_of(call, scope)
        if name is None:
            return None
        entries = self.calls.models[name]
        return next(((name, e) for e in entries if self._meets(call, e.when, scope)), None)

    def strength(self, call: form.Call, scope: Scope, function: PasswordFunction) -> tuple[Keeping, int | None]:
        """What the function makes of a password with these arguments, and how many rounds it takes for that."""
        if function.iterations and function.position is not None:
            node = call.argument(function.position, function.iterations)
            rounds = int_value(node, scope, self._project) if node is not None else None
            if rounds is not None and rounds < function.enough:
                return Keeping.TOO_CHEAP, rounds
        return function.keeps, None

    def hashes(self, function: FunctionSymbol, depth: int = 0) -> Evidence | None:
        """Where the function of the project puts something through a hash made for passwords."""
        for node in function.walk():
            if not isinstance(node, form.Call):
                continue
            found = self.called(node, function.scope)
            if found is not None and found[1].keeps is Keeping.HASHED:
                return function.module.evidence(node, f"`{last_part(found[0])}` hashes it")
            inner = self._project.callee_function(node, function.scope) if depth < _DEEPEST else None
            if inner is not None and inner is not function and masks(inner.name):
                deeper = self.hashes(inner, depth + 1)
                if deeper is not None:
                    return deeper
        return None

    def hashed_by_class(self, cls: ClassSymbol, name: str) -> Evidence | None:
        """Where the class hashes whatever its field of that name is given."""
        for base in self._project.mro(cls):
            if not isinstance(base, ClassSymbol):
                continue
            is_descriptor = any(_makes_descriptor(binding.value) for binding in base.own(name))
            for bindings in base.scope.bindings.values():
                for function in (b.function for b in bindings if b.function is not None):
                    is_asked = is_descriptor or _guards(function, name)
                    if is_asked and (where := self.hashes(function)) is not None:
                        return where
        return None

    def _meets(self, call: form.Call, conditions: Iterable[Condition], scope: Scope) -> bool:
        """Whether the call's arguments are surely as all the conditions demand."""
        return all(self._meets_one(call, condition, scope) for condition in conditions)

    def _meets_one(self, call: form.Call, condition: Condition, scope: Scope) -> bool:
        node = call.keyword(condition.argument)
        if node is None and condition.position is not None:
            node = call.argument(condition.position, condition.argument)
        if node is None:
            return "absent" in condition.values
        known = constant(node, scope, self._project)
        return known is not None and known.value in condition.values


def _makes_descriptor(value: form.Expr | None) -> bool:
    """`password = synonym("_password", descriptor=property(get, set))`: methods of the class are run."""
    return isinstance(value, form.Call) and last_name(value.func) in _DESCRIPTORS


def _guards(function: FunctionSymbol, name: str) -> bool:
    """Whether the function is run for what the field of that name is given, or before the object is stored."""
    if function.name in _BEFORE_SAVING:
        return True
    for decorator in function.decorators:
        if isinstance(decorator, form.Attr) and decorator.attr == "setter" and function.name == name:
            return True
        if isinstance(decorator, form.Call) and last_name(decorator.func) in _VALIDATORS:
            fields = [a.value.value for a in decorator.args if isinstance(a.value, form.Const)]
            if name in fields or "*" in fields or last_name(decorator.func) in ("root_validator", "model_validator"):
                return True
    return False
