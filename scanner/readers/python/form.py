"""The intermediate form: what is left of a Python module when trivia and syntax variants are gone.

Plain values that serialise (msgpack) and depend on the file's bytes alone. Every node carries the half-open range
`start`..`end` of code points it covers in the text; `ModuleFacts.position` turns one into line and column. Nodes
compare and hash by identity, so that later stages can remember what they worked out about one.
"""

from __future__ import annotations

import typing
from bisect import bisect_right
from collections.abc import Iterator
from enum import IntEnum

import msgspec


class Node(msgspec.Struct, array_like=True, eq=False, gc=False, kw_only=True):
    """`start` and `end` count code points from the beginning of the text, without a byte order mark."""

    start: int
    end: int


# --- expressions ------------------------------------------------------------------------------------------------------


class Const(Node, tag="const"):
    """A literal; adjacent string literals are one, bytes are opaque."""

    value: str | int | float | bool | None


class Name(Node, tag="name"):
    id: str


class Attr(Node, tag="attr"):
    value: Expr
    attr: str
    attr_start: int


class Arg(msgspec.Struct, array_like=True, eq=False, gc=False):
    """One argument of a call or base of a class; `star` counts the asterisks before it."""

    value: Expr
    name: str | None = None
    star: int = 0


class Call(Node, tag="call"):
    func: Expr
    args: list[Arg]

    def keyword(self, name: str) -> Expr | None:
        return next((a.value for a in self.args if a.name == name), None)

    @property
    def positional(self) -> list[Expr]:
        """Positional arguments before the first `*args`."""
        found: list[Expr] = []
        for arg in self.args:
            if arg.star:
                break
            if arg.name is None:
                found.append(arg.value)
        return found

    def argument(self, index: int, name: str) -> Expr | None:
        """By position or by keyword, as a call of a known signature binds it."""
        positional = self.positional
        return positional[index] if index < len(positional) else self.keyword(name)

    @property
    def has_double_star(self) -> bool:
        return any(a.star == 2 for a in self.args)


class Hole(msgspec.Struct, array_like=True, eq=False, gc=False):
    """A replacement field of a template: `{value!conversion:spec}`; the spec may have holes of its own."""

    value: Expr
    conversion: str | None = None
    spec: list[str | Hole] | None = None

    @property
    def has_spec(self) -> bool:
        return bool(self.spec)

    def expressions(self) -> Iterator[Expr]:
        """What is evaluated to fill it: the value, then what its spec asks for."""
        yield self.value
        for part in self.spec or ():
            if isinstance(part, Hole):
                yield from part.expressions()


class Template(Node, tag="fstr"):
    """An f-string (or t-string), or adjacent strings of which one is an f-string."""

    parts: list[str | Hole]

    @property
    def holes(self) -> list[Hole]:
        return [p for p in self.parts if isinstance(p, Hole)]


class Binary(Node, tag="bin"):
    op: str
    left: Expr
    right: Expr


class Boolean(Node, tag="bool"):
    op: str
    values: list[Expr]


class Compare(Node, tag="cmp"):
    left: Expr
    ops: list[str]
    rights: list[Expr]


class Unary(Node, tag="una"):
    op: str
    operand: Expr


class Display(Node, tag="seq"):
    """A list, tuple or set display; `kind` is its type's name."""

    kind: str
    items: list[Expr]


class Dict(Node, tag="dict"):
    """A key of None stands for `**value`."""

    keys: list[Expr | None]
    values: list[Expr]


class Subscript(Node, tag="sub"):
    """`value[index]`; several indices are a tuple display."""

    value: Expr
    index: Expr


class Slice(Node, tag="slice"):
    lower: Expr | None
    upper: Expr | None
    step: Expr | None


class Generator(msgspec.Struct, array_like=True, eq=False, gc=False):
    """One `for target in iter if ...` of a comprehension."""

    target: Expr
    iter: Expr
    ifs: list[Expr]


class Comprehension(Node, tag="comp"):
    """`kind` is list, set, dict or generator; `value` is the dict's value."""

    kind: str
    element: Expr
    value: Expr | None
    generators: list[Generator]


class Lambda(Node, tag="lam"):
    params: list[Param]
    body: Expr


class Conditional(Node, tag="ifx"):
    test: Expr
    body: Expr
    orelse: Expr


class Await(Node, tag="await"):
    value: Expr


class Yield(Node, tag="yield"):
    value: Expr | None
    is_from: bool


class Starred(Node, tag="star"):
    value: Expr


class Walrus(Node, tag="walrus"):
    target: Expr
    value: Expr


class Opaque(Node, tag="opaque"):
    """An expression that no later stage looks into, such as `...` or a complex number."""


Expr: typing.TypeAlias = (
    Const
    | Name
    | Attr
    | Call
    | Template
    | Binary
    | Boolean
    | Compare
    | Unary
    | Display
    | Dict
    | Subscript
    | Slice
    | Comprehension
    | Lambda
    | Conditional
    | Await
    | Yield
    | Starred
    | Walrus
    | Opaque
)


# --- definitions and statements ---------------------------------------------------------------------------------------


class ParamKind(IntEnum):
    POSITIONAL_ONLY = 0
    NORMAL = 1
    VAR_POSITIONAL = 2
    KEYWORD_ONLY = 3
    VAR_KEYWORD = 4


class Param(msgspec.Struct, array_like=True, eq=False, gc=False):
    name: str
    start: int
    end: int
    annotation: Expr | None
    default: Expr | None
    kind: ParamKind


class TypeParam(msgspec.Struct, array_like=True, eq=False, gc=False):
    """`name: bound = default` of a generic definition (PEP 695, PEP 696)."""

    name: str
    bound: Expr | None
    default: Expr | None


class Function(Node, tag="def"):
    """`start` is at `def` or `async`, as in the standard library's `ast`."""

    name: str
    params: list[Param]
    decorators: list[Expr]
    returns: Expr | None
    body: list[Stmt]
    is_async: bool
    type_params: list[TypeParam] = []


class Class(Node, tag="class"):
    name: str
    bases: list[Arg]
    decorators: list[Expr]
    body: list[Stmt]
    type_params: list[TypeParam] = []


class TypeAlias(Node, tag="type"):
    """`type name[type_params] = value` (PEP 695)."""

    name: Name
    type_params: list[TypeParam]
    value: Expr


class Import(Node, tag="import"):
    """`import a.b as c`: pairs of dotted name and alias."""

    names: list[tuple[str, str | None]]


class ImportFrom(Node, tag="from"):
    """`from ..module import name as alias`; `level` counts the dots; a star import has the one name `*`."""

    module: str
    level: int
    names: list[tuple[str, str | None]]


class Assign(Node, tag="="):
    """`a = b = value`, or `a: annotation = value` with one target; `value` is None for a bare annotation."""

    targets: list[Expr]
    value: Expr | None
    annotation: Expr | None = None


class AugAssign(Node, tag="op="):
    target: Expr
    op: str
    value: Expr


class ExprStmt(Node, tag="expr"):
    value: Expr


class Return(Node, tag="return"):
    value: Expr | None


class Raise(Node, tag="raise"):
    exc: Expr | None
    cause: Expr | None


class Assert(Node, tag="assert"):
    test: Expr
    message: Expr | None


class Delete(Node, tag="del"):
    target: Expr


class Jump(Node, tag="jump"):
    """pass, break or continue."""

    keyword: str


class Scope(Node, tag="scope"):
    """`global` or `nonlocal` names."""

    keyword: str
    names: list[str]


class If(Node, tag="if"):
    """An `elif` is an `If` alone in `orelse`."""

    test: Expr
    body: list[Stmt]
    orelse: list[Stmt]


class For(Node, tag="for"):
    target: Expr
    iter: Expr
    body: list[Stmt]
    orelse: list[Stmt]


class While(Node, tag="while"):
    test: Expr
    body: list[Stmt]
    orelse: list[Stmt]


class Handler(Node):
    """`except type as name:`; `type` is None for a bare one."""

    type: Expr | None
    name: str | None
    body: list[Stmt]


class Try(Node, tag="try"):
    body: list[Stmt]
    handlers: list[Handler]
    orelse: list[Stmt]
    final: list[Stmt]


class WithItem(msgspec.Struct, array_like=True, eq=False, gc=False):
    value: Expr
    target: Expr | None


class With(Node, tag="with"):
    items: list[WithItem]
    body: list[Stmt]


class Case(msgspec.Struct, array_like=True, eq=False, gc=False):
    """One `case`; the pattern is kept as the names it binds and the values it compares with."""

    binds: list[Name]
    values: list[Expr]
    guard: Expr | None
    body: list[Stmt]


class Match(Node, tag="match"):
    subject: Expr
    cases: list[Case]


Stmt: typing.TypeAlias = (
    Function
    | Class
    | TypeAlias
    | Import
    | ImportFrom
    | Assign
    | AugAssign
    | ExprStmt
    | Return
    | Raise
    | Assert
    | Delete
    | Jump
    | Scope
    | If
    | For
    | While
    | Try
    | With
    | Match
)


class Comment(msgspec.Struct, array_like=True, eq=False, gc=False):
    start: int
    text: str


class ModuleFacts(msgspec.Struct, array_like=True, eq=False, gc=False):
    """One Python file. `line_starts` holds the offset at which each line begins."""

    body: list[Stmt]
    line_starts: list[int]
    comments: list[Comment]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1


# --- reading the form -------------------------------------------------------------------------------------------------


def children(node: Expr | Stmt) -> Iterator[Expr | Stmt]:
    """The nodes directly inside, in source order as far as that matters; definitions' bodies included."""
    match node:
        case Const() | Name() | Opaque() | Import() | ImportFrom() | Jump() | Scope():
            return
        case Attr(value=value) | Await(value=value) | Starred(value=value) | ExprStmt(value=value):
            yield value
        case Call(func=func, args=args):
            yield func
            for arg in args:
                yield arg.value
        case Template(parts=parts):
            for part in parts:
                if isinstance(part, Hole):
                    yield from part.expressions()
        case Binary(left=left, right=right):
            yield left
            yield right
        case Boolean(values=values) | Display(items=values):
            yield from values
        case Compare(left=left, rights=rights):
            yield left
            yield from rights
        case Unary(operand=operand):
            yield operand
        case Dict(keys=keys, values=values):
            for key, item in zip(keys, values, strict=True):
                if key is not None:
                    yield key
                yield item
        case Subscript(value=value, index=index):
            yield value
            yield index
        case Slice(lower=lower, upper=upper, step=step):
            yield from (x for x in (lower, upper, step) if x is not None)
        case Comprehension(element=element, value=optional, generators=generators):
            for generator in generators:
                yield generator.iter
                yield generator.target
                yield from generator.ifs
            yield element
            if optional is not None:
                yield optional
        case Lambda(params=params, body=expression):
            for param in params:
                if param.default is not None:
                    yield param.default
            yield expression
        case Conditional(test=test, body=then, orelse=otherwise):
            yield from (test, then, otherwise)
        case Yield(value=optional) | Return(value=optional):
            if optional is not None:
                yield optional
        case Walrus(target=target, value=value):
            yield value
            yield target
        case Function(params=params, decorators=decorators, returns=returns, body=body, type_params=type_params):
            yield from decorators
            yield from bounds(type_params)
            for param in params:
                yield from (x for x in (param.annotation, param.default) if x is not None)
            if returns is not None:
                yield returns
            yield from body
        case Class(bases=bases, decorators=decorators, body=body, type_params=type_params):
            yield from decorators
            yield from bounds(type_params)
            for base in bases:
                yield base.value
            yield from body
        case TypeAlias(name=target, type_params=type_params, value=value):
            yield from bounds(type_params)
            yield value
            yield target
        case Assign(targets=targets, value=optional, annotation=annotation):
            yield from (x for x in (annotation, optional) if x is not None)
            yield from targets
        case AugAssign(target=target, value=value):
            yield value
            yield target
        case Raise(exc=exc, cause=cause):
            yield from (x for x in (exc, cause) if x is not None)
        case Assert(test=test, message=optional):
            yield test
            if optional is not None:
                yield optional
        case Delete(target=target):
            yield target
        case If(test=test, body=body, orelse=orelse) | While(test=test, body=body, orelse=orelse):
            yield test
            yield from body
            yield from orelse
        case For(target=target, iter=iterated, body=body, orelse=orelse):
            yield iterated
            yield target
            yield from body
            yield from orelse
        case Try(body=body, handlers=handlers, orelse=orelse, final=final):
            yield from body
            for handler in handlers:
                if handler.type is not None:
                    yield handler.type
                yield from handler.body
            yield from orelse
            yield from final
        case With(items=managers, body=body):
            for manager in managers:
                yield manager.value
                if manager.target is not None:
                    yield manager.target
            yield from body
        case Match(subject=subject, cases=cases):
            yield subject
            for branch in cases:
                yield from branch.values
                yield from branch.binds
                if branch.guard is not None:
                    yield branch.guard
                yield from branch.body


def bounds(type_params: list[TypeParam]) -> Iterator[Expr]:
    """What is evaluated for type parameters: bounds and defaults."""
    for param in type_params:
        yield from (x for x in (param.bound, param.default) if x is not None)


def walk(node: Expr | Stmt, *, into_definitions: bool = True) -> Iterator[Expr | Stmt]:
    """The node and everything inside it, outermost first.

    Without `into_definitions` nested functions, classes and lambdas are yielded but not entered: what is left is what
    runs when the node runs.
    """
    stack: list[Expr | Stmt] = [node]
    while stack:
        current = stack.pop()
        yield current
        if not into_definitions and current is not node and isinstance(current, Function | Class | Lambda):
            continue
        stack.extend(reversed(list(children(current))))


def walk_body(body: list[Stmt], *, into_definitions: bool = True) -> Iterator[Expr | Stmt]:
    """`walk` over statements in order."""
    for statement in body:
        if not into_definitions and isinstance(statement, Function | Class):
            yield statement
            continue
        yield from walk(statement, into_definitions=into_definitions)


def dotted(expression: Expr) -> str | None:
    """`a.b.c` as text, or None for anything but names and attributes."""
    parts: list[str] = []
    while isinstance(expression, Attr):
        parts.append(expression.attr)
        expression = expression.value
    if not isinstance(expression, Name):
        return None
    parts.append(expression.id)
    return ".".join(reversed(parts))
