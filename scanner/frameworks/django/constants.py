"""What an expression of a Django project is when it is evaluated as far as the source tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, TypeAlias

from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

_MOST_HOPS = 25
_LAZY_TEXT = frozenset({"gettext", "gettext_lazy", "pgettext", "pgettext_lazy", "ugettext_lazy", "_"})
_STRING_METHODS = frozenset({"strip", "lstrip", "rstrip", "lower", "upper", "removeprefix", "removesuffix"})
_ENVIRONMENT_READS = frozenset({"get", "getenv", "env", "config", "str", "bool", "int", "list"})


class Unknown(Enum):
    """Stands for a value that the source doesn't tell, since None is a value too."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN
Constant: TypeAlias = str | int | float | bool | Unknown | None


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """The arguments of the project functions that are being followed."""

    arguments: Mapping[FunctionSymbol, Mapping[str, Sited]] = field(default_factory=dict)

    def entered(self, function: FunctionSymbol, arguments: Mapping[str, Sited]) -> Frame:
        return Frame({**self.arguments, function: arguments})

    def argument(self, binding: Binding) -> Sited | None:
        if binding.function is None or binding.param is None:
            return None
        return self.arguments.get(binding.function, {}).get(binding.param.name)


EMPTY: Final = Frame()


def arguments_of(call: form.Call, scope: Scope, function: FunctionSymbol, project: Project) -> dict[str, Sited]:
    """What each parameter of the project function is in this call, defaults included."""
    found: dict[str, Sited] = {}
    for param in function.parameters:
        argument = project.bound_argument(call, function, param)
        if argument is not None:
            found[param.name] = Sited(argument, scope)
        elif param.default is not None:
            found[param.name] = Sited(param.default, function.outer)
    return found


def module_binding(module: Module, name: str, project: Project) -> Binding | None:
    """The last binding of a module's name, through star imports."""
    seen: set[str] = set()
    stack = [module]
    while stack:
        current = stack.pop()
        if current.path in seen:
            continue
        seen.add(current.path)
        if name in current.scope.bindings:
            return current.scope.bindings[name][-1]
        for star in current.star_imports:
            source = project.import_module(star.module, star.level, current)
            if isinstance(source, Module):
                stack.append(source)
    return None


def definition(sited: Sited, project: Project, frame: Frame = EMPTY) -> Sited:
    """The expression a name or attribute was assigned, through imports, classes and parameters.

    What can't be followed is given back as it is.
    """
    for _ in range(_MOST_HOPS):
        binding = _binding(sited, project)
        if binding is None:
            return sited
        if binding.how is How.PARAMETER:
            argument = frame.argument(binding)
            if argument is None:
                return sited
            sited = argument
        elif binding.how is How.ASSIGN and binding.value is not None:
            if binding.value is sited.node:
                return sited
            sited = Sited(binding.value, binding.scope)
        else:
            return sited
    return sited


def _binding(sited: Sited, project: Project) -> Binding | None:
    node, scope = sited.node, sited.scope
    if isinstance(node, form.Name):
        bindings = scope.lookup(node.id)
        binding = bindings[-1] if bindings else module_binding(scope.module, node.id, project)
        return _imported(binding, project)
    if isinstance(node, form.Attr):
        owner = project.infer(node.value, scope)
        if isinstance(owner, Module):
            return _imported(module_binding(owner, node.attr, project), project)
        cls = owner if isinstance(owner, ClassSymbol) else owner.cls if isinstance(owner, Instance) else None
        if cls is not None and (found := project.class_member(cls, node.attr)):
            return found[-1]
    return None


def _imported(binding: Binding | None, project: Project) -> Binding | None:
    for _ in range(_MOST_HOPS):
        if binding is None or binding.how is not How.IMPORT_FROM:
            return binding
        source = project.import_module(binding.module, binding.level, binding.scope.module)
        following = module_binding(source, binding.name, project) if isinstance(source, Module) else None
        if following is None:
            return binding
        binding = following
    return binding


def is_settings(node: form.Expr, scope: Scope, project: Project) -> bool:
    """Whether the expression is `django.conf.settings`."""
    value = project.infer(node, scope)
    return isinstance(value, External) and value.name == "django.conf.settings"


class Evaluator:
    """Evaluates constant expressions: concatenation, f-strings, conditionals, defaults of what the environment sets.

    `settings` gives the expression a Django setting is assigned.
    """

    def __init__(self, project: Project, settings: Mapping[str, Sited] | None = None) -> None:
        self._project = project
        self._settings = settings or {}

    def text(self, sited: Sited, frame: Frame = EMPTY) -> str | None:
        """The string it is, or None when that can't be told."""
        value = self.constant(sited, frame)
        if value is UNKNOWN:
            value = self._beforehand(sited)
        return value if isinstance(value, str) else None

    def _beforehand(self, sited: Sited) -> Constant:
        """A name's constant that only a condition changes to something unknown: `prefix = ""`, `if X: prefix = f()`."""
        node, scope = sited.node, sited.scope
        if isinstance(node, form.Template):
            pieces = [part if isinstance(part, str) else self.text(Sited(part.value, scope)) for part in node.parts]
            return "".join(p for p in pieces if p is not None) if None not in pieces else UNKNOWN
        bindings = scope.lookup(node.id) if isinstance(node, form.Name) else []
        first = bindings[0] if len(bindings) > 1 else None
        if first is not None and isinstance(first.value, form.Const) and isinstance(first.value.value, str):
            return first.value.value
        return UNKNOWN

    def constant(self, sited: Sited, frame: Frame = EMPTY, depth: int = 0) -> Constant:
        if depth > _MOST_HOPS:
            return UNKNOWN
        sited = definition(sited, self._project, frame)
        node, scope = sited.node, sited.scope

        def at(part: form.Expr) -> Constant:
            return self.constant(Sited(part, scope), frame, depth + 1)

        match node:
            case form.Const(value=value):
                return value
            case form.Template(parts=parts):
                pieces = [part if isinstance(part, str) else at(part.value) for part in parts]
                return UNKNOWN if UNKNOWN in pieces else "".join(str(piece) for piece in pieces)
            case form.Binary(op="+", left=left, right=right):
                first, second = at(left), at(right)
                return first + second if isinstance(first, str) and isinstance(second, str) else UNKNOWN
            case form.Conditional(test=test, body=body, orelse=orelse):
                outcome = at(test)
                return UNKNOWN if outcome is UNKNOWN else at(body if outcome else orelse)
            case form.Boolean(op="or", values=values):
                known = [at(value) for value in values]
                return next((value for value in known if value is not UNKNOWN and value), known[-1])
            case form.Unary(op="not", operand=operand):
                outcome = at(operand)
                return UNKNOWN if outcome is UNKNOWN else not outcome
            case form.Attr(value=owner, attr=attr) if is_settings(owner, scope, self._project):
                setting = self._settings.get(attr)
                return UNKNOWN if setting is None else self.constant(setting, frame, depth + 1)
            case form.Call():
                return self._call(node, scope, frame, depth)
        return UNKNOWN

    def _call(self, call: form.Call, scope: Scope, frame: Frame, depth: int) -> Constant:
        name = last_name(call.func)
        function = self._project.callee_function(call, scope)
        if function is not None and function.owner is None:
            returns = function.returns()
            if len(returns) != 1 or returns[0].value is None:
                return UNKNOWN
            inside = frame.entered(function, arguments_of(call, scope, function, self._project))
            return self.constant(Sited(returns[0].value, function.scope), inside, depth + 1)
        if name == "getattr" and len(call.positional) == 3:
            return self._getattr(call, scope, frame, depth)
        if name in _LAZY_TEXT and call.positional:
            return self.constant(Sited(call.positional[0], scope), frame, depth + 1)
        if name in _STRING_METHODS and isinstance(call.func, form.Attr):
            owner = self.constant(Sited(call.func.value, scope), frame, depth + 1)
            given = [self.constant(Sited(a, scope), frame, depth + 1) for a in call.positional]
            if isinstance(owner, str) and all(isinstance(g, str) for g in given):
                return str(getattr(owner, name)(*given))
            return UNKNOWN
        if name in _ENVIRONMENT_READS:
            default = call.argument(1, "default")
            return self.constant(Sited(default, scope), frame, depth + 1) if default is not None else UNKNOWN
        return UNKNOWN

    def _getattr(self, call: form.Call, scope: Scope, frame: Frame, depth: int) -> Constant:
        owner, name, default = call.positional
        if isinstance(name, form.Const) and isinstance(name.value, str) and is_settings(owner, scope, self._project):
            setting = self._settings.get(name.value)
            if setting is not None:
                return self.constant(setting, frame, depth + 1)
        return self.constant(Sited(default, scope), frame, depth + 1)
