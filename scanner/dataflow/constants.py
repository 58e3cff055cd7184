"""Constant folding: what a string or number comes to when nothing but the source is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from string import Formatter
from typing import TypeAlias

from assay.scanner.linker.project import Project, last_part, literal_item
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

Scalar: TypeAlias = str | int | float | bool | None
Given: TypeAlias = Mapping[tuple[Scope, str], tuple[form.Expr, Scope]]
"""Names, by the scope that owns them, and the expressions they stand for now: a call's arguments, a loop's turn."""

_DEEPEST = 24
"""Definitions that one value may hang on: past it a value is as good as computed."""
_LONGEST = 10_000
"""Characters of a joined string: no path, prefix or message is longer, and doubling definitions must not eat memory."""
_NOTHING: Given = {}
SETTINGS_BASES = ("pydantic_settings.BaseSettings", "pydantic.BaseSettings", "pydantic_settings.main.BaseSettings")
_ENVIRONMENT = frozenset({"os.getenv", "os.environ.get", "environs.Env.str", "environs.Env.int", "decouple.config"})
_CASTS: dict[str, Callable[[Scalar], Scalar]] = {
    "builtins.str": str,
    "builtins.bool": bool,
    "builtins.int": lambda value: int(value) if isinstance(value, str | int | float) else None,
}
_STRING_METHODS = frozenset({"lower", "upper", "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "replace"})


@dataclass(frozen=True, slots=True)
class Constant:
    """A folded value. `configured` is set where it is only the default of a setting that the environment can change."""

    value: Scalar
    configured: bool = False


def constant(node: form.Expr, scope: Scope, project: Project, given: Given = _NOTHING) -> Constant | None:
    """The value of the expression; None where it can't be told."""
    return _Folder(project, given).fold(node, scope)


def string_value(node: form.Expr, scope: Scope, project: Project, given: Given = _NOTHING) -> str | None:
    """The string the expression comes to: literals, f-strings, `+`, `%`, `format`, constants and settings' defaults."""
    found = constant(node, scope, project, given)
    return found.value if found is not None and isinstance(found.value, str) else None


def int_value(node: form.Expr, scope: Scope, project: Project, given: Given = _NOTHING) -> int | None:
    """The integer the expression comes to."""
    found = constant(node, scope, project, given)
    if found is None or isinstance(found.value, bool) or not isinstance(found.value, int):
        return None
    return found.value


def definitions(node: form.Expr, scope: Scope, project: Project) -> list[tuple[form.Expr, Scope]]:
    """The expressions that a name or attribute was given, over imports and class attributes."""
    match node:
        case form.Name(id=name):
            return [found for binding in scope.lookup(name) for found in _defined(binding, project)]
        case form.Attr(value=base, attr=attr):
            owner = project.infer(base, scope)
            if isinstance(owner, Module):
                return _member_definitions(owner, attr, project)
            cls = owner.cls if isinstance(owner, Instance) else owner
            if isinstance(cls, ClassSymbol):
                known = project.class_attribute(cls, attr)
                return [known] if known is not None else project.instance_attributes(cls, attr)
    return []


def list_items(
    node: form.Expr, scope: Scope, project: Project, given: Given = _NOTHING, depth: int = 8
) -> list[tuple[form.Expr, Scope]]:
    """The items of a list, tuple or set: displays, names for them, `+`, `*other`, `list(other)`; what can't be seen
    is left out.
    """
    if not depth:
        return []

    def items(inner: form.Expr, inner_scope: Scope) -> list[tuple[form.Expr, Scope]]:
        return list_items(inner, inner_scope, project, given, depth - 1)

    match node:
        case form.Display(items=found):
            return [
                pair
                for item in found
                for pair in (items(item.value, scope) if isinstance(item, form.Starred) else [(item, scope)])
            ]
        case form.Binary(op="+", left=left, right=right):
            return items(left, scope) + items(right, scope)
        case form.Boolean(values=values):
            return [pair for value in values for pair in items(value, scope)]
        case form.Conditional(body=body, orelse=orelse):
            return items(body, scope) + items(orelse, scope)
        case form.Call(func=form.Name(id="list" | "tuple" | "sorted" | "set"), args=[only]):
            return items(only.value, scope)
        case form.Name(id=name):
            bindings = scope.lookup(name)
            known = given.get((bindings[0].scope, name)) if bindings else None
            if known is not None:
                return items(*known)
    return [pair for definition in definitions(node, scope, project) for pair in items(*definition)]


def one_or_many(
    node: form.Expr, scope: Scope, project: Project, given: Given = _NOTHING
) -> list[tuple[form.Expr, Scope]]:
    """The items of a list, or the one thing that is given in place of a list."""
    found = list_items(node, scope, project, given)
    return found if found or isinstance(node, form.Display) else [(node, scope)]


def string_items(
    node: form.Expr, scope: Scope, project: Project, given: Given = _NOTHING, depth: int = 4
) -> list[str | None]:
    """The strings of a list, None for one that can't be told; also of `[f(x) for x in ...]` over such a list."""
    if isinstance(node, form.Comprehension) and len(node.generators) == 1 and depth:
        generator = node.generators[0]
        if isinstance(generator.target, form.Name):
            key = (scope.lookup(generator.target.id)[0].scope, generator.target.id)
            items = list_items(generator.iter, scope, project, given)
            return [string_value(node.element, scope, project, {**given, key: item}) for item in items]
    if isinstance(node, form.Name) and depth:
        for definition in definitions(node, scope, project):
            if isinstance(definition[0], form.Comprehension):
                return string_items(*definition, project, given, depth - 1)
    return [string_value(*item, project, given) for item in list_items(node, scope, project, given)]


def _defined(
    binding: Binding, project: Project, seen: frozenset[tuple[Module, str]] = frozenset()
) -> Iterator[tuple[form.Expr, Scope]]:
    if binding.how is How.ASSIGN and binding.value is not None:
        yield binding.value, binding.scope
    elif binding.how is How.IMPORT_FROM:
        source = project.import_module(binding.module, binding.level, binding.scope.module)
        if isinstance(source, Module) and source.scope is not binding.scope:
            yield from _member_definitions(source, binding.name, project, seen)


def _member_definitions(
    module: Module, name: str, project: Project, seen: frozenset[tuple[Module, str]] = frozenset()
) -> list[tuple[form.Expr, Scope]]:
    """What a module's name is defined as, through imports; packages may import from one another in circles."""
    if (module, name) in seen:
        return []
    seen |= {(module, name)}
    found = [d for binding in module.scope.bindings.get(name, ()) for d in _defined(binding, project, seen)]
    if found or name in module.scope.bindings:
        return found
    for star in module.star_imports:
        source = project.import_module(star.module, star.level, module)
        if isinstance(source, Module) and source is not module:
            found += _member_definitions(source, name, project, seen)
    return found


def _rebound(bindings: list[Binding], use: form.Name) -> tuple[form.Expr, Scope] | None:
    """What a parameter was made into before it is used, at all events: `path = path.strip("/")`."""
    function = bindings[0].function
    if bindings[0].how is not How.PARAMETER or function is None:
        return None
    always = {id(statement.value) for statement in function.node.body if isinstance(statement, form.Assign)}
    found = [b for b in bindings if b.how is How.ASSIGN and id(b.value) in always]
    earlier = [(b.value, b.scope) for b in found if b.value is not None and b.value.end <= use.start]
    return earlier[-1] if earlier else None


class _Folder:
    """Folds one expression; the names in `given` are known, all others are looked up."""

    def __init__(self, project: Project, given: Given, depth: int = 0) -> None:
        self._project = project
        self._given = given
        self._depth = depth
        self._folded: dict[form.Expr, Constant | None] = {}

    def fold(self, node: form.Expr, scope: Scope) -> Constant | None:
        if node in self._folded or self._depth > _DEEPEST:
            return self._folded.get(node)
        self._folded[node] = None  # for a name that is defined in terms of itself
        self._depth += 1
        try:
            self._folded[node] = self._fold(node, scope)
        finally:
            self._depth -= 1
        return self._folded[node]

    def _fold(self, node: form.Expr, scope: Scope) -> Constant | None:
        match node:
            case form.Const(value=value):
                return Constant(value)
            case form.Template(parts=parts):
                return self._joined([p if isinstance(p, str) else self._hole(p, scope) for p in parts])
            case form.Name():
                return self._name(node, scope)
            case form.Attr():
                return self._attribute(node, scope)
            case form.Binary():
                return self._binary(node, scope)
            case form.Boolean(op="or", values=values):
                known = [self.fold(value, scope) for value in values]
                return next((c for c in known if c is None or c.value), known[-1])
            case form.Conditional(test=test, body=body, orelse=orelse):
                holds = self._truth(test, scope)
                return self.fold(body if holds else orelse, scope) if holds is not None else None
            case form.Unary(op="-", operand=operand):
                inner = self.fold(operand, scope)
                if inner is not None and isinstance(inner.value, int | float):
                    return Constant(-inner.value, inner.configured)
            case form.Call():
                return self._call(node, scope)
            case form.Subscript(value=form.Name() as base, index=form.Const(value=key)):
                return self._item(base, key, scope)
        return None

    def _item(self, base: form.Name, key: Scalar, scope: Scope) -> Constant | None:
        """`base[key]` of a list, tuple or dict that is written out."""
        bindings = scope.lookup(base.id)
        given = self._given.get((bindings[0].scope, base.id)) if bindings else None
        found = [given] if given is not None else definitions(base, scope, self._project)
        return self._agreed((literal_item(node, key), node_scope) for node, node_scope in found)

    def _hole(self, hole: form.Hole, scope: Scope) -> Constant | None:
        return None if hole.has_spec or hole.conversion else self.fold(hole.value, scope)

    def _joined(self, parts: list[str | Constant | None], separator: str = "") -> Constant | None:
        texts = [p if isinstance(p, str) else str(p.value) for p in parts if p is not None]
        if len(texts) < len(parts):
            return None
        if sum(map(len, texts)) > _LONGEST:
            return None
        return Constant(separator.join(texts), any(isinstance(p, Constant) and p.configured for p in parts))

    def _name(self, node: form.Name, scope: Scope) -> Constant | None:
        bindings = scope.lookup(node.id)
        if not bindings:
            return self._agreed(_member_definitions(scope.module, node.id, self._project))
        given = self._given.get((bindings[0].scope, node.id))
        if given is not None:
            return self.fold(*(_rebound(bindings, node) or given))
        return self._agreed(found for binding in bindings for found in self._bound(binding))

    def _bound(self, binding: Binding) -> Iterator[tuple[form.Expr | None, Scope]]:
        """The expressions that the binding gives its name; None for one that can't be seen."""
        is_parameter = binding.how is How.PARAMETER
        found = list(self._arguments(binding) if is_parameter else _defined(binding, self._project))
        yield from found or [(None, binding.scope)]

    def _agreed(self, found: Iterable[tuple[form.Expr | None, Scope]]) -> Constant | None:
        """The one value that all definitions give; the rest isn't looked at once two differ."""
        agreed: Constant | None = None
        for node, scope in found:
            value = self.fold(node, scope) if node is not None else None
            if value is None or (agreed is not None and value.value != agreed.value):
                return None
            agreed = agreed or value
        return agreed

    def _arguments(self, binding: Binding) -> Iterator[tuple[form.Expr | None, Scope]]:
        """What callers give the parameter, or its default."""
        function, param = binding.function, binding.param
        if function is None or param is None:
            return
        callers = self._project.callers(function)
        for call, scope in callers:
            argument = self._project.bound_argument(call, function, param)
            yield (argument, scope) if argument is not None else (param.default, function.outer)
        if not callers and param.default is not None:
            yield param.default, function.outer

    def _attribute(self, node: form.Attr, scope: Scope) -> Constant | None:
        found = definitions(node, scope, self._project)
        if found:
            return self._configured(node, scope, self._agreed(found))
        return self.fold(node.value, scope) if node.attr == "value" else None  # an enumeration's member

    def _configured(self, node: form.Attr, scope: Scope, found: Constant | None) -> Constant | None:
        owner = self._project.infer(node.value, scope)
        cls = owner.cls if isinstance(owner, Instance) else None
        if found is not None and cls is not None and self._project.is_subclass(cls, *SETTINGS_BASES):
            return Constant(found.value, configured=True)
        return found

    def _binary(self, node: form.Binary, scope: Scope) -> Constant | None:
        left = self.fold(node.left, scope)
        if node.op == "%" and left is not None and isinstance(left.value, str):
            items = node.right.items if isinstance(node.right, form.Display) else [node.right]
            return self._substituted(left, "%s", [self.fold(i, scope) for i in items])
        right = self.fold(node.right, scope)
        if left is None or right is None:
            return None
        configured = left.configured or right.configured
        match node.op, left.value, right.value:
            case "+", str(), str():
                return self._joined([left, right])
            case "+", int() as a, int() as b:
                return Constant(a + b, configured)
            case "-", int() as a, int() as b:
                return Constant(a - b, configured)
            case "*", int() as a, int() as b:
                return Constant(a * b, configured)
            case "**", int() as a, int() as b if 0 <= b <= 64 and abs(a) <= 1024:
                return Constant(a**b, configured)
        return None

    def _substituted(self, template: Constant, mark: str, values: list[Constant | None]) -> Constant | None:
        pieces = str(template.value).split(mark)
        if len(pieces) != len(values) + 1:
            return None
        parts: list[str | Constant | None] = [pieces[0]]
        for value, piece in zip(values, pieces[1:], strict=True):
            parts += [value, piece]
        return self._joined(parts)

    def _call(self, call: form.Call, scope: Scope) -> Constant | None:
        function = self._project.callee_function(call, scope)
        if function is not None and function.name != "__init__":
            return self._returned(function, call, scope)
        callee = self._project.infer(call.func, scope)
        name = callee.name if isinstance(callee, External) else ""
        if name in _CASTS and len(call.args) == 1:
            return self._cast(name, self.fold(call.args[0].value, scope))
        if name in _ENVIRONMENT or (last_part(name) in ("Config", "config") and call.keyword("default") is not None):
            default = call.argument(1, "default")
            known = self.fold(default, scope) if default is not None else None
            return Constant(known.value, configured=True) if known is not None else None
        if last_part(name) == "Field":
            default = call.argument(0, "default")
            return self.fold(default, scope) if default is not None else None
        return self._string_method(call, scope)

    def _cast(self, name: str, inner: Constant | None) -> Constant | None:
        if inner is None:
            return None
        try:
            return Constant(_CASTS[name](inner.value), inner.configured)
        except ValueError:  # int("many"): the program would fail there too
            return None

    def _string_method(self, call: form.Call, scope: Scope) -> Constant | None:
        if not isinstance(call.func, form.Attr):
            return None
        text = self.fold(call.func.value, scope)
        if text is None or not isinstance(text.value, str):
            return None
        method = call.func.attr
        if method == "join" and call.args and isinstance(call.args[0].value, form.Display):
            return self._joined([self.fold(i, scope) for i in call.args[0].value.items], text.value)
        values = [self.fold(argument.value, scope) for argument in call.args]
        if method == "format":
            return self._formatted(text.value, call, values)
        arguments = [v.value for v in values if v is not None and isinstance(v.value, str)]
        if method in _STRING_METHODS and len(arguments) == len(call.args):
            return Constant(getattr(text.value, method)(*arguments), text.configured)
        return None

    def _formatted(self, template: str, call: form.Call, values: list[Constant | None]) -> Constant | None:
        """`template.format(...)` with plain fields: widths and attribute look-ups are left alone."""
        by_position = [v for v, a in zip(values, call.args, strict=True) if a.name is None]
        positional = iter(by_position)
        named = {a.name: v for v, a in zip(values, call.args, strict=True)}
        named |= {str(index): v for index, v in enumerate(by_position)}
        parts: list[str | Constant | None] = []
        try:
            fields = list(Formatter().parse(template))
        except ValueError:  # a lone brace: the program would fail there too
            return None
        for text, name, spec, conversion in fields:
            parts.append(text)
            if spec or conversion:
                return None
            if name is not None:
                parts.append(named.get(name) if name else next(positional, None))
        return self._joined(parts)

    def _returned(self, function: FunctionSymbol, call: form.Call, scope: Scope) -> Constant | None:
        """What the function returns for these arguments."""
        given = dict(self._given)
        for param in function.parameters:
            argument = self._project.bound_argument(call, function, param)
            if argument is not None:
                given[(function.scope, param.name)] = (argument, scope)
            elif param.default is not None:
                given[(function.scope, param.name)] = (param.default, function.outer)
        return _Folder(self._project, given, self._depth).run(function.node.body, function.scope)

    def run(self, body: list[form.Stmt], scope: Scope) -> Constant | None:
        """The value of the `return` that is reached. A test that can't be told is taken to fail, as for a switch that
        is off unless somebody sets it.
        """
        for statement in body:
            if isinstance(statement, form.Return):
                return self.fold(statement.value, scope) if statement.value is not None else Constant(None)
            if isinstance(statement, form.If):
                branch = statement.body if self._truth(statement.test, scope) else statement.orelse
                if any(isinstance(node, form.Return) for node in form.walk_body(branch, into_definitions=False)):
                    return self.run(branch, scope)
        return None

    def _truth(self, test: form.Expr, scope: Scope) -> bool | None:
        match test:
            case form.Unary(op="not", operand=operand):
                inner = self._truth(operand, scope)
                return None if inner is None else not inner
            case form.Compare(left=left, ops=["==" | "!=" | "is" | "is not" as op], rights=[right]):
                one, other = self.fold(left, scope), self.fold(right, scope)
                if one is None or other is None:
                    return None
                return (one.value == other.value) is (op in ("==", "is"))
        found = self.fold(test, scope)
        return bool(found.value) if found is not None else None
