"""What an expression of a Django project is when it is evaluated as far as the source tells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from string import Formatter
from typing import Final, TypeAlias

from assay.scanner.dataflow.constants import Given
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name, literal_item
from assay.scanner.linker.scopes import Binding, ClassSymbol, How, Module, Scope
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


EMPTY: Final[Given] = {}


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


def definition(sited: Sited, project: Project, given: Given = EMPTY) -> Sited:
    """The expression a name, attribute or item was assigned, through imports, classes, calls' arguments and loops.

    What can't be followed is given back as it is.
    """
    return _followed(sited, project, given, set())


def _followed(sited: Sited, project: Project, given: Given, passed: set[int]) -> Sited:
    """`passed` are the expressions on the way so far: `item = item["inner"]` leads back to itself."""
    while id(sited.node) not in passed:
        passed.add(id(sited.node))
        following = _known_now(sited, given) or _item(sited, project, given, passed) or _assigned(sited, project)
        if following is None:
            break
        sited = following
    return sited


def _known_now(sited: Sited, given: Given) -> Sited | None:
    bindings = sited.scope.lookup(sited.node.id) if given and isinstance(sited.node, form.Name) else []
    known = given.get((bindings[0].scope, sited.node.id)) if bindings and isinstance(sited.node, form.Name) else None
    return Sited(*known) if known is not None else None


def _item(sited: Sited, project: Project, given: Given, passed: set[int]) -> Sited | None:
    """`VIEWS["home"]` of a literal."""
    match sited.node:
        case form.Subscript(value=owner, index=form.Const(value=key)):
            holder = _followed(Sited(owner, sited.scope), project, given, passed)
            item = literal_item(holder.node, key)
            return Sited(item, holder.scope) if item is not None else None
    return None


def _assigned(sited: Sited, project: Project) -> Sited | None:
    binding = _binding(sited, project)
    if binding is None or binding.how is not How.ASSIGN or binding.value is None:
        return None
    return Sited(binding.value, binding.scope)


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

    def text(self, sited: Sited, given: Given = EMPTY) -> str | None:
        """The string it is, or None when that can't be told."""
        value = self.constant(sited, given)
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

    def constant(self, sited: Sited, given: Given = EMPTY, depth: int = 0) -> Constant:
        if depth > _MOST_HOPS:
            return UNKNOWN
        sited = definition(sited, self._project, given)
        node, scope = sited.node, sited.scope

        def at(part: form.Expr) -> Constant:
            return self.constant(Sited(part, scope), given, depth + 1)

        match node:
            case form.Const(value=value):
                return value
            case form.Template(parts=parts):
                pieces = [part if isinstance(part, str) else at(part.value) for part in parts]
                return UNKNOWN if UNKNOWN in pieces else "".join(str(piece) for piece in pieces)
            case form.Binary(op="+", left=left, right=right):
                first, second = at(left), at(right)
                return first + second if isinstance(first, str) and isinstance(second, str) else UNKNOWN
            case form.Binary(op="%", left=left, right=right):
                filled = right.items if isinstance(right, form.Display) else [right]
                return _filled(at(left), [at(part) for part in filled])
            case form.Conditional(test=test, body=body, orelse=orelse):
                outcome = at(test)
                return UNKNOWN if outcome is UNKNOWN else at(body if outcome else orelse)
            case form.Boolean(op=op, values=values):
                known = [at(value) for value in values]
                decisive = [value for value in known if value is not UNKNOWN and bool(value) is (op == "or")]
                return decisive[0] if decisive else UNKNOWN if op == "and" and UNKNOWN in known else known[-1]
            case form.Unary(op="not", operand=operand):
                outcome = at(operand)
                return UNKNOWN if outcome is UNKNOWN else not outcome
            case form.Attr(value=owner, attr=attr) if is_settings(owner, scope, self._project):
                setting = self._settings.get(attr)
                return UNKNOWN if setting is None else self.constant(setting, given, depth + 1)
            case form.Call():
                return self._call(node, scope, given, depth)
        return UNKNOWN

    def _call(self, call: form.Call, scope: Scope, given: Given, depth: int) -> Constant:
        name = last_name(call.func)
        function = self._project.callee_function(call, scope)
        if function is not None and function.owner is None:
            returns = function.returns
            if len(returns) != 1 or returns[0].value is None:
                return UNKNOWN
            inside = {**given, **arguments(call, scope, function, self._project)}
            return self.constant(Sited(returns[0].value, function.scope), inside, depth + 1)
        if name == "getattr" and len(call.positional) == 3:
            return self._getattr(call, scope, given, depth)
        if name in _LAZY_TEXT and call.positional:
            return self.constant(Sited(call.positional[0], scope), given, depth + 1)
        if name in _STRING_METHODS and isinstance(call.func, form.Attr):
            owner = self.constant(Sited(call.func.value, scope), given, depth + 1)
            values = [self.constant(Sited(a, scope), given, depth + 1) for a in call.positional]
            if isinstance(owner, str) and all(isinstance(v, str) for v in values):
                return str(getattr(owner, name)(*values))
            return UNKNOWN
        if name == "format" and isinstance(call.func, form.Attr):
            template = self.constant(Sited(call.func.value, scope), given, depth + 1)
            by_name = {n: self.constant(v, given, depth + 1) for n, v in self._named(Sited(call, scope), given)}
            in_order = [self.constant(Sited(a, scope), given, depth + 1) for a in call.positional]
            return _formatted(template, in_order, by_name)
        if name in _ENVIRONMENT_READS:
            default = call.argument(1, "default")
            return self.constant(Sited(default, scope), given, depth + 1) if default is not None else UNKNOWN
        return UNKNOWN

    def _named(self, call: Sited, given: Given) -> Iterator[tuple[str, Sited]]:
        """The named arguments of a call, those of a `**dict` too."""
        assert isinstance(call.node, form.Call)
        for arg in call.node.args:
            options = definition(Sited(arg.value, call.scope), self._project, given)
            if arg.name is not None:
                yield arg.name, Sited(arg.value, call.scope)
            elif arg.star == 2 and isinstance(options.node, form.Dict):
                for key, value in zip(options.node.keys, options.node.values, strict=True):
                    if isinstance(key, form.Const) and isinstance(key.value, str):
                        yield key.value, Sited(value, options.scope)

    def _getattr(self, call: form.Call, scope: Scope, given: Given, depth: int) -> Constant:
        owner, name, default = call.positional
        if isinstance(name, form.Const) and isinstance(name.value, str) and is_settings(owner, scope, self._project):
            setting = self._settings.get(name.value)
            if setting is not None:
                return self.constant(setting, given, depth + 1)
        return self.constant(Sited(default, scope), given, depth + 1)


def _filled(template: Constant, values: list[Constant]) -> Constant:
    """`"%s/%s" % (a, b)`."""
    if not isinstance(template, str) or UNKNOWN in values:
        return UNKNOWN
    try:
        return template % tuple(values)
    except (TypeError, ValueError):  # the program would fail there too
        return UNKNOWN


def _formatted(template: Constant, in_order: list[Constant], by_name: Mapping[str, Constant]) -> Constant:
    """`template.format(...)` with plain fields."""
    if not isinstance(template, str):
        return UNKNOWN
    try:
        fields = list(Formatter().parse(template))
    except ValueError:  # a lone brace: the program would fail there too
        return UNKNOWN
    rest = iter(in_order)
    text = ""
    for before, name, spec, conversion in fields:
        value = "" if name is None else next(rest, UNKNOWN) if not name else by_name.get(name, UNKNOWN)
        if value is UNKNOWN or spec or conversion:
            return UNKNOWN
        text += f"{before}{value}"
    return text
