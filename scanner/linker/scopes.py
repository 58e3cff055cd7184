"""Scopes and what their names are bound to: Python's static scoping, one pass over a module."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import cached_property
from typing import ClassVar, Generic, TypeVar

import msgspec

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form


class How(Enum):
    """In which way a name gets its value."""

    ASSIGN = auto()
    UNPACK = auto()
    AUGMENT = auto()
    PARAMETER = auto()
    FOR = auto()
    WITH = auto()
    EXCEPT = auto()
    FUNCTION = auto()
    CLASS = auto()
    IMPORT = auto()
    IMPORT_FROM = auto()


class Binding(msgspec.Struct, frozen=True, eq=False):
    """One place where a scope binds a name.

    `value` is the expression it takes its value from (for FOR the iterated one, for WITH the context manager);
    `annotation` the declared type; `index` the place in an unpacked tuple; `within` the stretch of text where a
    comprehension's name is known.
    """

    how: How
    scope: Scope
    offset: int
    value: form.Expr | None = None
    annotation: form.Expr | None = None
    index: int | None = None
    function: FunctionSymbol | None = None
    cls: ClassSymbol | None = None
    param: form.Param | None = None
    module: str = ""
    level: int = 0
    name: str = ""
    within: tuple[int, int] | None = None

    def is_known_at(self, offset: int) -> bool:
        return self.within is None or self.within[0] <= offset < self.within[1]


_SHORTEST_TEXT = 8
"""Characters from which on a string may be an address, a statement or a secret: most are shorter."""


@dataclass(slots=True, eq=False)
class Module:
    """One Python file of the project. `name` is its dotted name under the innermost import root."""

    path: str
    name: str
    role: Role
    facts: form.ModuleFacts
    scope: Scope = field(init=False)
    functions: list[FunctionSymbol] = field(default_factory=list)
    classes: list[ClassSymbol] = field(default_factory=list)
    calls: list[tuple[form.Call, Scope]] = field(default_factory=list)
    calls_by_name: dict[str, list[tuple[form.Call, Scope]]] = field(default_factory=dict)
    """Calls by the last name of what is called, each in the order of `calls`."""
    comparisons: list[tuple[form.Compare, Scope]] = field(default_factory=list)
    assignments: list[tuple[form.Assign, Scope]] = field(default_factory=list)
    augmented: list[tuple[form.AugAssign, Scope]] = field(default_factory=list)
    """Attributes and items that are changed in place: `order.total += 1`."""
    dicts: list[tuple[form.Dict, Scope]] = field(default_factory=list)
    items_by_name: dict[str, list[tuple[form.Subscript, Scope]]] = field(default_factory=dict)
    """Items of attributes, by the attribute's name: `request.headers["X"]`."""
    texts: list[tuple[form.Const | form.Template, Scope]] = field(default_factory=list)
    """Strings of some length, documentation aside, and templates; in no order."""
    writes_by_name: dict[str, list[Scope]] = field(default_factory=dict)
    """Where an attribute or an item is assigned, by the last name of what it belongs to, and the attribute's own."""
    imports: list[Binding] = field(default_factory=list)
    """What import statements bind, in any of its scopes; star imports are apart."""
    star_imports: list[form.ImportFrom] = field(default_factory=list)
    loop_names: set[str] = field(default_factory=set)
    """Names that a loop or a comprehension binds, anywhere in it."""
    trying_loops: list[tuple[form.For | form.While, Scope]] = field(default_factory=list)
    """Loops that try something each time: what they do each time is, or is under a `with` that holds, a `try`."""
    imported_packages: set[str] = field(default_factory=set)
    """The top-level packages of its absolute imports."""

    def __post_init__(self) -> None:
        self.scope = Scope(self, None, None, "")
        _Builder(self).build()

    @property
    def scopes(self) -> Iterator[Scope]:
        """The module's own scope and those of everything defined in it."""
        yield self.scope
        yield from (f.scope for f in self.functions)
        yield from (c.scope for c in self.classes)

    def calls_named(self, names: Iterable[str]) -> list[tuple[form.Call, Scope]]:
        """Calls whose callee's last name is one of `names`, by position."""
        found = [pair for name in set(names) for pair in self.calls_by_name.get(name, ())]
        return sorted(found, key=lambda pair: pair[0].start)

    def location(self, node: form.Node | form.Param) -> Location:
        return self.span(node.start, node.end)

    def span(self, start: int, end: int) -> Location:
        line, column = self.facts.position(start)
        end_line, end_column = self.facts.position(end)
        return Location(self.path, line, column, end_line, end_column)

    def headline(self, node: form.Function | form.Class) -> Location:
        """The definition's first line, without its body: where a person looks for it."""
        line, column = self.facts.position(node.start)
        keyword = "class " if isinstance(node, form.Class) else "async def " if node.is_async else "def "
        return Location(self.path, line, column, line, column + len(keyword) + len(node.name))

    def evidence(self, node: form.Node, text: str) -> Evidence:
        return Evidence(self.location(node), text)


@dataclass(slots=True, eq=False)
class Scope:
    """A module's, class's or function's namespace; exactly one of `function` and `cls` is set, none for a module's."""

    module: Module
    function: FunctionSymbol | None
    cls: ClassSymbol | None
    qualname: str
    parent: Scope | None = None
    bindings: dict[str, list[Binding]] = field(default_factory=dict)
    comprehended: dict[str, list[Binding]] = field(default_factory=dict)
    """Names of the comprehensions in it: known only inside of these."""
    globals: set[str] = field(default_factory=set)
    nonlocals: set[str] = field(default_factory=set)

    def lookup(self, name: str, at: int | None = None) -> list[Binding]:
        """All bindings of the name in the scope that owns it, by Python's rules: enclosing classes are skipped.

        With `at`, the offset of the place that asks, names of comprehensions count inside of these, and first.
        """
        scope: Scope | None = self
        while scope is not None:
            if name in scope.globals:
                scope = scope.module.scope
            if scope is self or scope.cls is None:
                found = scope.bindings.get(name)
                if name in scope.comprehended:
                    found = scope.comprehended_at(name, at)
                if found:
                    return found
            scope = scope.parent
        return []

    def comprehended_at(self, name: str, at: int | None) -> list[Binding]:
        """Bindings of a name that comprehensions in the scope bind too: theirs inside of them, its own outside."""
        known = [b for b in self.comprehended[name] if at is None or b.is_known_at(at)]
        plain = self.bindings.get(name, [])
        return [*plain, *known] if at is None else known or plain

    @property
    def enclosing_function(self) -> FunctionSymbol | None:
        return self.function or (self.parent.enclosing_function if self.parent and self.cls else None)

    @property
    def body(self) -> list[form.Stmt]:
        if self.function is not None:
            return self.function.node.body
        if self.cls is not None:
            return self.cls.node.body
        return self.module.facts.body


_N = TypeVar("_N", form.Function, form.Class)


@dataclass(frozen=True, eq=False)
class _Definition(Generic[_N]):
    """What functions and classes share: `scope` is its own namespace, `outer` the one it is defined in."""

    node: _N
    scope: Scope
    outer: Scope

    @property
    def module(self) -> Module:
        return self.scope.module

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def qualname(self) -> str:
        return self.scope.qualname

    @property
    def id(self) -> str:
        """`module:qualified.name`, unique in the project but for redefinitions."""
        return f"{self.module.name}:{self.qualname}"

    @property
    def location(self) -> Location:
        return self.module.headline(self.node)


@dataclass(frozen=True, eq=False)
class FunctionSymbol(_Definition[form.Function]):
    """A function or method."""

    @property
    def owner(self) -> ClassSymbol | None:
        """The class it is a method of."""
        return self.outer.cls

    @property
    def decorators(self) -> list[form.Expr]:
        return self.node.decorators

    def is_static(self) -> bool:
        return any(form.dotted(d) == "staticmethod" for d in self.node.decorators)

    @property
    def parameters(self) -> list[form.Param]:
        """Without `self` or `cls`."""
        params = self.node.params
        return params[1:] if self.owner is not None and not self.is_static() else params

    @cached_property
    def nodes(self) -> tuple[form.Expr | form.Stmt, ...]:
        """Everything that runs when the function runs, in source order: nested definitions are not entered."""
        return tuple(form.walk_body(self.node.body, into_definitions=False))

    def walk(self) -> Iterator[form.Expr | form.Stmt]:
        return iter(self.nodes)

    @cached_property
    def returns(self) -> tuple[form.Return, ...]:
        return tuple(n for n in self.nodes if isinstance(n, form.Return))

    @property
    def nested(self) -> Iterator[FunctionSymbol]:
        """The functions that are defined in it, at any depth."""
        for bindings in self.scope.bindings.values():
            for binding in bindings:
                if binding.function is not None and binding.function.outer.function is self:
                    yield binding.function
                    yield from binding.function.nested

    @cached_property
    def loops(self) -> tuple[form.For, ...]:
        return tuple(n for n in self.nodes if isinstance(n, form.For))


@dataclass(frozen=True, eq=False)
class ClassSymbol(_Definition[form.Class]):
    """A class; `scope` is its body's namespace."""

    def own(self, name: str) -> list[Binding]:
        return self.scope.bindings.get(name, [])

    @cached_property
    def methods(self) -> dict[str, FunctionSymbol]:
        """Methods defined in the class itself."""
        return {
            name: bindings[-1].function
            for name, bindings in self.scope.bindings.items()
            if bindings[-1].function is not None
        }

    @cached_property
    def assigned_to_self(self) -> dict[str, list[tuple[form.Expr, Scope]]]:
        """What the class's own methods assign to attributes of their first parameter, by the attribute's name."""
        found: dict[str, list[tuple[form.Expr, Scope]]] = {}
        for method in self.methods.values():
            if not method.node.params:
                continue
            this = method.node.params[0].name
            for node in method.walk():
                if isinstance(node, form.Assign) and node.value is not None:
                    for target in node.targets:
                        if isinstance(target, form.Attr) and form.dotted(target.value) == this:
                            found.setdefault(target.attr, []).append((node.value, method.scope))
        return found


class _Builder:
    """Fills a module's scopes. One pass; every call is noted with the scope it runs in."""

    def __init__(self, module: Module) -> None:
        self._module = module

    def build(self) -> None:
        self._body(self._module.facts.body, self._module.scope)

    def _bind(self, scope: Scope, name: str, binding: Binding) -> None:
        if name in scope.globals:
            scope = scope.module.scope
        elif name in scope.nonlocals:
            scope = _declaring(scope, name)
        scope.bindings.setdefault(name, []).append(binding)

    def _body(self, body: list[form.Stmt], scope: Scope) -> None:
        for statement in body:
            self._statement(statement, scope)

    def _statement(self, node: form.Stmt, scope: Scope) -> None:
        # A table rather than a match: a module has thousands of statements, and a match tries class after class.
        self._BY_KIND.get(type(node), _Builder._plain)(self, node, scope)

    def _plain(self, node: form.Stmt, scope: Scope) -> None:
        self._expressions(scope, *node.children())

    def _import(self, node: form.Import, scope: Scope) -> None:
        for dotted, alias in node.names:
            bound = alias or dotted.split(".", 1)[0]
            module = dotted if alias else bound
            self._module.imported_packages.add(dotted.split(".", 1)[0])
            self._import_as(bound, Binding(How.IMPORT, scope, node.start, module=module, name=dotted))

    def _alone(self, node: form.ExprStmt, scope: Scope) -> None:
        if type(node.value) is not form.Const:  # a string by itself is documentation
            self._expressions(scope, node.value)

    def _assign(self, node: form.Assign, scope: Scope) -> None:
        self._module.assignments.append((node, scope))
        self._expressions(scope, node.value, node.annotation, *node.targets)
        for target in node.targets:
            self._target(target, scope, How.ASSIGN, node.value, node.annotation)

    def _type_alias(self, node: form.TypeAlias, scope: Scope) -> None:
        self._plain(node, scope)
        self._bind(scope, node.name.id, Binding(How.ASSIGN, scope, node.start, node.value))

    def _augmented(self, node: form.AugAssign, scope: Scope) -> None:
        self._expressions(scope, node.value, node.target)
        if isinstance(node.target, form.Name):
            self._bind(scope, node.target.id, Binding(How.AUGMENT, scope, node.start, node.value))
        else:
            self._module.augmented.append((node, scope))

    def _for(self, node: form.For, scope: Scope) -> None:
        self._expressions(scope, node.iter)
        self._target(node.target, scope, How.FOR, node.iter)
        self._loop(node, scope)
        self._body(node.body, scope)
        self._body(node.orelse, scope)

    def _with(self, node: form.With, scope: Scope) -> None:
        for item in node.items:
            self._expressions(scope, item.value)
            if item.target is not None:
                self._target(item.target, scope, How.WITH, item.value)
        self._body(node.body, scope)

    def _try(self, node: form.Try, scope: Scope) -> None:
        self._body(node.body, scope)
        for handler in node.handlers:
            self._expressions(scope, handler.type)
            if handler.name is not None:
                self._bind(scope, handler.name, Binding(How.EXCEPT, scope, handler.start, handler.type))
            self._body(handler.body, scope)
        if node.handlers:
            _put_fallbacks_first(scope, node.start, node.handlers[0].start)
        self._body(node.orelse, scope)
        self._body(node.final, scope)

    def _loop(self, node: form.For | form.While, scope: Scope) -> None:
        under_with = (inner for s in node.body if type(s) is form.With for inner in s.body)
        if any(type(s) is form.Try for s in (*node.body, *under_with)):
            self._module.trying_loops.append((node, scope))

    def _while(self, node: form.While, scope: Scope) -> None:
        self._loop(node, scope)
        self._branches(node, scope)

    def _branches(self, node: form.If | form.While, scope: Scope) -> None:
        self._expressions(scope, node.test)
        self._body(node.body, scope)
        self._body(node.orelse, scope)

    def _match(self, node: form.Match, scope: Scope) -> None:
        self._expressions(scope, node.subject)
        for case in node.cases:
            self._expressions(scope, case.guard)
            for name in case.binds:
                self._bind(scope, name.id, Binding(How.UNPACK, scope, name.start, node.subject))
            self._body(case.body, scope)

    def _declared(self, node: form.Scope, scope: Scope) -> None:
        names = scope.globals if node.keyword == "global" else scope.nonlocals
        names.update(node.names)

    def _import_from(self, node: form.ImportFrom, scope: Scope) -> None:
        if not node.level:
            self._module.imported_packages.add(node.module.split(".", 1)[0])
        for name, alias in node.names:
            if name == "*":
                self._module.star_imports.append(node)
                continue
            binding = Binding(How.IMPORT_FROM, scope, node.start, module=node.module, level=node.level, name=name)
            self._import_as(alias or name, binding)

    def _import_as(self, name: str, binding: Binding) -> None:
        self._bind(binding.scope, name, binding)
        self._module.imports.append(binding)

    def _function(self, node: form.Function, scope: Scope) -> None:
        inside = Scope(self._module, None, None, nested_name(scope, node.name), scope)
        symbol = FunctionSymbol(node, inside, scope)
        inside.function = symbol
        self._module.functions.append(symbol)
        self._expressions(scope, *node.decorators, *form.bounds(node.type_params), node.returns)
        for param in node.params:
            self._expressions(scope, param.annotation, param.default)
            binding = Binding(
                How.PARAMETER, inside, param.start, param.default, param.annotation, function=symbol, param=param
            )
            self._bind(inside, param.name, binding)
        self._bind(scope, node.name, Binding(How.FUNCTION, scope, node.start, function=symbol))
        self._body(node.body, inside)

    def _class(self, node: form.Class, scope: Scope) -> None:
        inside = Scope(self._module, None, None, nested_name(scope, node.name), scope)
        symbol = ClassSymbol(node, inside, scope)
        inside.cls = symbol
        self._module.classes.append(symbol)
        self._expressions(scope, *node.decorators, *form.bounds(node.type_params), *(b.value for b in node.bases))
        self._bind(scope, node.name, Binding(How.CLASS, scope, node.start, cls=symbol))
        self._body(node.body, inside)

    def _target(
        self,
        target: form.Expr,
        scope: Scope,
        how: How,
        value: form.Expr | None,
        annotation: form.Expr | None = None,
        index: int | None = None,
    ) -> None:
        match target:
            case form.Name(id=name):
                if how is How.FOR:
                    self._module.loop_names.add(name)
                self._bind(scope, name, Binding(how, scope, target.start, value, annotation, index))
            case form.Display(items=items):
                for place, item in enumerate(items):
                    paired = isinstance(value, form.Display) and how is How.ASSIGN and len(value.items) == len(items)
                    if paired and isinstance(value, form.Display):
                        self._target(item, scope, how, value.items[place])
                    else:
                        self._target(item, scope, How.UNPACK if how is How.ASSIGN else how, value, None, place)
            case form.Starred(value=inner):
                self._target(inner, scope, How.UNPACK, value)
            case _:
                self._written(target, scope)
                self._expressions(scope, target)

    def _written(self, target: form.Expr, scope: Scope) -> None:
        owner = target.value if isinstance(target, form.Attr | form.Subscript) else None
        names = {
            n.attr if isinstance(n, form.Attr) else n.id
            for n in (target, owner)
            if isinstance(n, form.Attr | form.Name)
        }
        for name in names:
            self._module.writes_by_name.setdefault(name, []).append(scope)

    def _comprehended(self, generator: form.Generator, comprehension: form.Comprehension, scope: Scope) -> None:
        within = (comprehension.start, comprehension.end)
        apart = Scope(scope.module, scope.function, scope.cls, scope.qualname)
        self._target(generator.target, apart, How.FOR, generator.iter)
        for name, bindings in apart.bindings.items():
            found = [msgspec.structs.replace(binding, scope=scope, within=within) for binding in bindings]
            scope.comprehended.setdefault(name, []).extend(found)

    def _call(self, node: form.Call, scope: Scope) -> None:
        self._module.calls.append((node, scope))
        func = node.func
        name = func.attr if isinstance(func, form.Attr) else func.id if isinstance(func, form.Name) else None
        if name is not None:
            self._module.calls_by_name.setdefault(name, []).append((node, scope))

    def _expressions(self, scope: Scope, *expressions: form.Expr | form.Stmt | None) -> None:
        stack = [e for e in reversed(expressions) if e is not None]
        while stack:
            node = stack.pop()
            kind = type(node)
            if kind is form.Name:
                continue
            if isinstance(node, form.Const):  # with names more than half of all nodes
                if type(node.value) is str and len(node.value) >= _SHORTEST_TEXT:
                    self._module.texts.append((node, scope))
                continue
            note = self._NOTED.get(kind)
            if note is not None:
                note(self, node, scope)
            stack.extend(node.children())

    def _template(self, node: form.Template, scope: Scope) -> None:
        self._module.texts.append((node, scope))

    def _dict(self, node: form.Dict, scope: Scope) -> None:
        self._module.dicts.append((node, scope))

    def _comparison(self, node: form.Compare, scope: Scope) -> None:
        self._module.comparisons.append((node, scope))

    def _item(self, node: form.Subscript, scope: Scope) -> None:
        if isinstance(node.value, form.Attr):
            self._module.items_by_name.setdefault(node.value.attr, []).append((node, scope))

    def _walrus(self, node: form.Walrus, scope: Scope) -> None:
        if isinstance(node.target, form.Name):
            self._bind(scope, node.target.id, Binding(How.ASSIGN, scope, node.start, node.value))

    def _comprehension(self, node: form.Comprehension, scope: Scope) -> None:
        """A comprehension's own scope is folded into its function's; its names are known only inside it."""
        for generator in node.generators:
            self._comprehended(generator, node, scope)

    _NOTED: ClassVar[dict[type[form.Node], Callable[..., None]]] = {
        form.Call: _call,
        form.Template: _template,
        form.Dict: _dict,
        form.Compare: _comparison,
        form.Subscript: _item,
        form.Walrus: _walrus,
        form.Comprehension: _comprehension,
    }

    _BY_KIND: ClassVar[dict[type[form.Node], Callable[..., None]]] = {
        form.Function: _function,
        form.Class: _class,
        form.Import: _import,
        form.ImportFrom: _import_from,
        form.ExprStmt: _alone,
        form.Assign: _assign,
        form.TypeAlias: _type_alias,
        form.AugAssign: _augmented,
        form.For: _for,
        form.With: _with,
        form.Try: _try,
        form.If: _branches,
        form.While: _while,
        form.Match: _match,
        form.Scope: _declared,
    }


def _declaring(scope: Scope, name: str) -> Scope:
    """The enclosing function's scope that a `nonlocal` name belongs to."""
    outer = scope.parent
    while outer is not None and (outer.cls is not None or name not in outer.bindings) and outer.parent is not None:
        outer = outer.parent
    return outer if outer is not None and outer.function is not None else scope


def _put_fallbacks_first(scope: Scope, start: int, first_handler: int) -> None:
    """The last binding of a name is what it usually is: not what `except ImportError` makes of one that `try` bound."""
    for bindings in scope.bindings.values():
        if bindings[-1].offset > first_handler:
            tried = [b for b in bindings if start <= b.offset < first_handler]
            if tried:
                fallbacks = [b for b in bindings if b.offset >= first_handler]
                bindings[:] = [*(b for b in bindings if b.offset < start), *fallbacks, *tried]


def nested_name(scope: Scope, name: str) -> str:
    """The qualified name of what is defined by that name in the scope."""
    if not scope.qualname:
        return name
    separator = ".<locals>." if scope.function is not None else "."
    return f"{scope.qualname}{separator}{name}"
