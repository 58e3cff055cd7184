"""Which assignments and checks reach a place in a function: one forward walk over its body.

Nothing is evaluated here. A definition keeps the state that its own names are looked up in, so that a later stage can
work out only what it needs. Loops are walked twice, which is enough to see what an earlier round leaves behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.readers.python import form

_LEAVING_CALLS = frozenset({"abort", "exit", "_exit"})
_GROWING = frozenset({"append", "add", "extend", "insert", "appendleft", "update"})
_CHECKING_CALLS = frozenset(
    {"fullmatch", "match", "isinstance", "isdigit", "isdecimal", "isnumeric", "isalnum", "isalpha", "isidentifier"}
)


class Kind(Enum):
    """What a definition does to the name or path it defines."""

    ASSIGN = auto()
    PARAMETER = auto()
    GROW = auto()
    """`name.append(value)` or `name.extend(value)`, on top of `before`; `method` tells which."""
    ELEMENT = auto()
    """One element of `value`; `index` is the place in an unpacked tuple."""
    UNPACK = auto()
    """The `index`th part of `value`."""
    ENTER = auto()
    """What the context manager `value` gives."""
    CHECK = auto()
    """`test` turned out as `truth`; otherwise the value is that of `before`, or of `value` itself."""
    OTHER = auto()
    """An import, a definition, an exception: scoping tells more than flow."""


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """One way in which a name or a path such as `self.table` or `args['sort']` gets its value."""

    kind: Kind
    state: State
    value: form.Expr | None = None
    before: tuple[Definition, ...] = ()
    index: int | None = None
    test: form.Expr | None = None
    truth: bool = True
    method: str = ""
    param: form.Param | None = None
    function: FunctionSymbol | None = None


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """What reaches one place: for every name and path, the definitions that may hold there."""

    scope: Scope
    definitions: Mapping[str, tuple[Definition, ...]]

    def of(self, node: form.Expr) -> tuple[Definition, ...]:
        """The definitions of a name or path; none where scoping has to tell."""
        key = path_of(node)
        return self.definitions.get(key, ()) if key is not None else ()

    def put(self, key: str, *definitions: Definition) -> State:
        """A state where the key has exactly these definitions, and what hangs on it is forgotten."""
        kept = {k: v for k, v in self.definitions.items() if not _hangs_on(k, key)}
        kept[key] = definitions
        return State(self.scope, kept)

    def checked(self, test: form.Expr, truth: bool) -> State:
        """The state on the branch where the test turned out as `truth`."""
        found = dict(self.definitions)
        for node in _checked_paths(test):
            key = path_of(node)
            if key is not None:
                found[key] = (Definition(Kind.CHECK, self, node, found.get(key, ()), test=test, truth=truth),)
        return State(self.scope, found)

    def loop_element(self, target: form.Expr, iterated: form.Expr) -> State:
        """The state inside a loop or comprehension over an expression."""
        return _bind_target(self, target, iterated, Kind.ELEMENT)


@dataclass(slots=True)
class _Loop:
    exits: list[State] = field(default_factory=list)
    again: list[State] = field(default_factory=list)


class Flow:
    """A function's, class's or module's body, walked.

    `at` gives the state in which a call's arguments are evaluated; `returns` what it may return, each with its state;
    `final` the state at the end of the body, None where the end isn't reached.
    """

    def __init__(self, scope: Scope, arguments: Mapping[str, Definition] | None = None) -> None:
        self.at: dict[form.Call, State] = {}
        self.returns: list[tuple[form.Expr, State]] = []
        self._loops: list[_Loop] = []
        start = State(scope, {})
        if scope.function is not None:
            for param in scope.function.node.params:
                given = (arguments or {}).get(param.name)
                parameter = Definition(Kind.PARAMETER, start, param=param, function=scope.function)
                start = start.put(param.name, given or parameter)
        self.start = start
        self.final = self._body(scope.body, start)

    @property
    def end(self) -> State:
        """What may hold when the body has run, however it was left."""
        state = self.final
        for _, returned in self.returns:
            state = join(state, returned)
        return state or self.start

    def _body(self, body: Iterable[form.Stmt], state: State | None) -> State | None:
        for statement in body:
            if state is None:
                return None
            state = self._statement(statement, state)
        return state

    def _statement(self, node: form.Stmt, state: State) -> State | None:  # noqa: C901 - one case per statement
        match node:
            case form.Assign(targets=targets, value=value):
                if value is None:
                    return state
                state = self._see(value, state)
                for target in targets:
                    state = _bind_target(state, target, value, Kind.ASSIGN)
                return state
            case form.AugAssign(target=target, value=value, op=op):
                state = self._see(value, state)
                return self._augment(target, op, value, state)
            case form.ExprStmt(value=value):
                state = self._see(value, state)
                return None if _leaves(value) else _grown(value, state)
            case form.Return(value=value):
                if value is not None:
                    state = self._see(value, state)
                    self.returns.append((value, state))
                return None
            case form.Raise():
                self._see_all(node.children(), state)
                return None
            case form.Jump(keyword=keyword):
                return self._jump(keyword, state)
            case form.If(test=test, body=body, orelse=orelse):
                state = self._see(test, state)
                return join(self._body(body, state.checked(test, True)), self._body(orelse, state.checked(test, False)))
            case form.For() | form.While():
                return self._loop(node, state)
            case form.Try():
                return self._try(node, state)
            case form.With(items=items, body=body):
                for item in items:
                    state = self._see(item.value, state)
                    if item.target is not None:
                        state = _bind_target(state, item.target, item.value, Kind.ENTER)
                return self._body(body, state)
            case form.Match(subject=subject, cases=cases):
                state = self._see(subject, state)
                after: State | None = state
                for case in cases:
                    inside = state
                    for name in case.binds:
                        inside = inside.put(name.id, Definition(Kind.UNPACK, state, subject))
                    after = join(after, self._body(case.body, inside))
                return after
            case form.Function(name=name) | form.Class(name=name):
                return state.put(name, Definition(Kind.OTHER, state))
            case form.Import(names=names):
                for dotted, alias in names:
                    state = state.put(alias or dotted.split(".", 1)[0], Definition(Kind.OTHER, state))
                return state
            case form.ImportFrom(names=names):
                for imported, alias in names:
                    state = state.put(alias or imported, Definition(Kind.OTHER, state))
                return state
            case _:
                self._see_all(node.children(), state)
                return state

    def _augment(self, target: form.Expr, op: str, value: form.Expr, state: State) -> State:
        key = path_of(target)
        if key is None:
            return state
        whole = form.Binary(start=target.start, end=value.end, op=op, left=target, right=value)
        return state.put(key, Definition(Kind.ASSIGN, state, whole))

    def _jump(self, keyword: str, state: State) -> State | None:
        if keyword == "pass":
            return state
        if self._loops:
            (self._loops[-1].exits if keyword == "break" else self._loops[-1].again).append(state)
        return None

    def _loop(self, node: form.For | form.While, state: State) -> State | None:
        loop = _Loop()
        self._loops.append(loop)
        state = self._see(node.iter if isinstance(node, form.For) else node.test, state)
        entry: State | None = state
        for _ in range(2):
            assert entry is not None
            inside = (
                entry.loop_element(node.target, node.iter)
                if isinstance(node, form.For)
                else self._see(node.test, entry).checked(node.test, True)
            )
            after = self._body(node.body, inside)
            for again in loop.again:
                after = join(after, again)
            loop.again.clear()
            entry = join(entry, after)
        self._loops.pop()
        left = self._body(node.orelse, entry)
        for out in loop.exits:
            left = join(left, out)
        return left

    def _try(self, node: form.Try, state: State) -> State | None:
        after = self._body(node.body, state)
        caught = join(state, after) or state
        left = self._body(node.orelse, after)
        for handler in node.handlers:
            inside = caught.put(handler.name, Definition(Kind.OTHER, caught)) if handler.name else caught
            left = join(left, self._body(handler.body, inside))
        if not node.final:
            return left
        final = self._body(node.final, left or caught)
        return final if left is not None else None

    def _see_all(self, nodes: Iterable[form.Expr | form.Stmt], state: State) -> None:
        for node in nodes:
            self._see(node, state)

    def _see(self, node: form.Expr | form.Stmt, state: State) -> State:
        """Note the state of every call in an expression; gives the state with what `:=` binds."""
        match node:
            case form.Lambda() | form.Function() | form.Class() | form.Name() | form.Const():
                return state
            case form.Walrus(target=target, value=value):
                return _bind_target(self._see(value, state), target, value, Kind.ASSIGN)
            case form.Comprehension(generators=generators, element=element, value=optional):
                inside = state
                for generator in generators:
                    inside = self._see(generator.iter, inside).loop_element(generator.target, generator.iter)
                    for test in generator.ifs:
                        inside = self._see(test, inside).checked(test, True)
                self._see_all((n for n in (element, optional) if n is not None), inside)
                return state
            case form.Conditional(test=test, body=body, orelse=orelse):
                state = self._see(test, state)
                self._see(body, state.checked(test, True))
                self._see(orelse, state.checked(test, False))
                return state
            case form.Binary():
                spine: list[form.Expr] = []
                inner: form.Expr = node
                while isinstance(inner, form.Binary):
                    spine.append(inner.right)
                    inner = inner.left
                for operand in (inner, *reversed(spine)):
                    state = self._see(operand, state)
                return state
            case form.Call():
                self.at[node] = state
        for child in node.children():
            state = self._see(child, state)
        return state


def join(one: State | None, other: State | None) -> State | None:
    """What holds where two branches meet; None stands for a branch that left."""
    if one is None or other is None or one is other:
        return one or other
    merged: dict[str, tuple[Definition, ...]] = {}
    for key in {**one.definitions, **other.definitions}:
        found = _merge(one.definitions.get(key), other.definitions.get(key), is_name=key.isidentifier())
        if found:
            merged[key] = found
    return State(one.scope, merged)


def _merge(
    one: tuple[Definition, ...] | None, other: tuple[Definition, ...] | None, *, is_name: bool
) -> tuple[Definition, ...]:
    if one is None or other is None:
        present = one or other or ()
        keeps = is_name and any(d.kind is not Kind.CHECK for d in present)
        return present if keeps else ()
    if one == other:
        return one
    if len(one) == len(other) == 1 and one[0].kind is other[0].kind is Kind.CHECK and one[0].before == other[0].before:
        return one[0].before
    return tuple(dict.fromkeys(one + other))


def path_of(node: form.Expr) -> str | None:
    """A name, attribute, constant subscript or `.get(constant)` of one, as a key; None for the rest."""
    match node:
        case form.Name(id=name):
            return name
        case form.Attr(value=base, attr=attr):
            inner = path_of(base)
            return f"{inner}.{attr}" if inner is not None else None
        case form.Subscript(value=base, index=form.Const(value=str() | int() as key)):
            inner = path_of(base)
            return f"{inner}[{key!r}]" if inner is not None else None
        case form.Call(
            func=form.Attr(value=base, attr="get"), args=[form.Arg(value=form.Const(value=str() as key)), *_]
        ):
            inner = path_of(base)
            return f"{inner}[{key!r}]" if inner is not None else None
    return None


def _hangs_on(path: str, key: str) -> bool:
    return path.startswith(key) and path[len(key) : len(key) + 1] in (".", "[")


def _bind_target(state: State, target: form.Expr, value: form.Expr, kind: Kind) -> State:
    match target:
        case form.Display(items=items):
            paired = value.items if isinstance(value, form.Display) and len(value.items) == len(items) else None
            before = state
            for index, item in enumerate(items):
                if kind is Kind.ASSIGN and paired is not None and path_of(item) is not None:
                    state = state.put(str(path_of(item)), Definition(kind, before, paired[index]))
                else:
                    part = Kind.ELEMENT if kind is Kind.ELEMENT else Kind.UNPACK
                    key = path_of(item.value if isinstance(item, form.Starred) else item)
                    if key is not None:
                        state = state.put(key, Definition(part, before, value, index=index))
            return state
        case _:
            key = path_of(target)
            if key is not None:
                return state.put(key, Definition(kind, state, value))
            if isinstance(target, form.Subscript):
                return _stored(state, target, value)
            return state


def _stored(state: State, target: form.Subscript, value: form.Expr) -> State:
    """`container[computed] = value`: one more element."""
    key = path_of(target.value)
    if key is None:
        return state
    return state.put(key, Definition(Kind.GROW, state, value, state.of(target.value), method="append"))


def _grown(node: form.Expr, state: State) -> State:
    if (
        isinstance(node, form.Call)
        and isinstance(node.func, form.Attr)
        and node.func.attr in _GROWING
        and node.args
        and (key := path_of(node.func.value)) is not None
    ):
        method = "extend" if node.func.attr in ("extend", "update") else "append"
        before = state.of(node.func.value)
        return state.put(key, Definition(Kind.GROW, state, node.args[-1].value, before, method=method))
    return state


def _leaves(node: form.Expr) -> bool:
    if not isinstance(node, form.Call):
        return False
    return _called(node.func) in _LEAVING_CALLS


def _checked_paths(test: form.Expr) -> list[form.Name | form.Attr | form.Subscript | form.Call | form.Compare]:
    """What a test may have told something about."""
    nodes = [
        n for n in form.walk(test) if isinstance(n, form.Name | form.Attr | form.Subscript | form.Call | form.Compare)
    ]
    tells = any(
        isinstance(n, form.Compare) or (isinstance(n, form.Call) and _called(n.func) in _CHECKING_CALLS) for n in nodes
    )
    return [n for n in nodes if path_of(n) is not None] if tells else []


def _called(node: form.Expr) -> str:
    return node.attr if isinstance(node, form.Attr) else node.id if isinstance(node, form.Name) else ""
