"""The intermediate form: what is left of a Python module when trivia and syntax variants are gone.

Plain values that serialise (msgpack) and depend on the file's bytes alone. Every node carries the half-open range
`start`..`end` of code points it covers in the text; `ModuleFacts.position` turns one into line and column. Nodes
compare and hash by identity, so that later stages can remember what they worked out about one.
"""

from __future__ import annotations

import re
import typing
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from enum import IntEnum

import msgspec

LARGEST_INTEGER = 2**63 - 1
"""Larger ones are opaque: they would not serialise."""
_DOTTED_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+(:[\w.]+)?")
"""With the object that servers are started with, `app.main:app`."""
_LINE_END = re.compile(r"\r\n|\r|\n")


class Node(msgspec.Struct, array_like=True, eq=False, gc=False, kw_only=True):
    """`start` and `end` count code points from the beginning of the text, without a byte order mark."""

    start: int
    end: int

    def children(self) -> Sequence[Expr | Stmt]:
        """The nodes directly inside, in source order as far as that matters; definitions' bodies included."""
        return ()


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

    def children(self) -> Sequence[Expr | Stmt]:
        return (self.value,)


class Arg(msgspec.Struct, array_like=True, eq=False, gc=False):
    """One argument of a call or base of a class; `star` counts the asterisks before it."""

    value: Expr
    name: str | None = None
    star: int = 0


class Call(Node, tag="call"):
    func: Expr
    args: list[Arg]

    def children(self) -> Sequence[Expr | Stmt]:
        return [self.func, *[arg.value for arg in self.args]]

    def keyword(self, name: str) -> Expr | None:
        for arg in self.args:
            if arg.name == name:
                return arg.value
        return None

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

    def children(self) -> Sequence[Expr | Stmt]:
        return [expression for hole in self.holes for expression in hole.expressions()]

    @property
    def holes(self) -> list[Hole]:
        return [p for p in self.parts if isinstance(p, Hole)]


class Binary(Node, tag="bin"):
    op: str
    left: Expr
    right: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return self.left, self.right


class Boolean(Node, tag="bool"):
    op: str
    values: list[Expr]

    def children(self) -> Sequence[Expr | Stmt]:
        return self.values


class Compare(Node, tag="cmp"):
    left: Expr
    ops: list[str]
    rights: list[Expr]

    def children(self) -> Sequence[Expr | Stmt]:
        return [self.left, *self.rights]


class Unary(Node, tag="una"):
    op: str
    operand: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return (self.operand,)


class Display(Node, tag="seq"):
    """A list, tuple or set display; `kind` is its type's name."""

    kind: str
    items: list[Expr]

    def children(self) -> Sequence[Expr | Stmt]:
        return self.items


class Dict(Node, tag="dict"):
    """A key of None stands for `**value`."""

    keys: list[Expr | None]
    values: list[Expr]

    def children(self) -> Sequence[Expr | Stmt]:
        pairs = zip(self.keys, self.values, strict=True)
        return _present(*(part for pair in pairs for part in pair))


class Subscript(Node, tag="sub"):
    """`value[index]`; several indices are a tuple display."""

    value: Expr
    index: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return self.value, self.index


class Slice(Node, tag="slice"):
    lower: Expr | None
    upper: Expr | None
    step: Expr | None

    def children(self) -> Sequence[Expr | Stmt]:
        return _present(self.lower, self.upper, self.step)


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

    def children(self) -> Sequence[Expr | Stmt]:
        found: list[Expr | Stmt] = []
        for generator in self.generators:
            found += (generator.iter, generator.target, *generator.ifs)
        return [*found, *_present(self.element, self.value)]


class Lambda(Node, tag="lam"):
    params: list[Param]
    body: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return _present(*(param.default for param in self.params), self.body)


class Conditional(Node, tag="ifx"):
    test: Expr
    body: Expr
    orelse: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return self.test, self.body, self.orelse


class Await(Node, tag="await"):
    value: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return (self.value,)


class Yield(Node, tag="yield"):
    value: Expr | None
    is_from: bool

    def children(self) -> Sequence[Expr | Stmt]:
        return _present(self.value)


class Starred(Node, tag="star"):
    value: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return (self.value,)


class Walrus(Node, tag="walrus"):
    target: Expr
    value: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return self.value, self.target


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

    def children(self) -> Sequence[Expr | Stmt]:
        own = (part for param in self.params for part in (param.annotation, param.default))
        return [*self.decorators, *bounds(self.type_params), *_present(*own, self.returns), *self.body]


class Class(Node, tag="class"):
    name: str
    bases: list[Arg]
    decorators: list[Expr]
    body: list[Stmt]
    type_params: list[TypeParam] = []

    def children(self) -> Sequence[Expr | Stmt]:
        return [*self.decorators, *bounds(self.type_params), *(base.value for base in self.bases), *self.body]


class TypeAlias(Node, tag="type"):
    """`type name[type_params] = value` (PEP 695)."""

    name: Name
    type_params: list[TypeParam]
    value: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return [*bounds(self.type_params), self.value, self.name]


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

    def children(self) -> Sequence[Expr | Stmt]:
        return [*_present(self.annotation, self.value), *self.targets]


class AugAssign(Node, tag="op="):
    target: Expr
    op: str
    value: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return self.value, self.target


class ExprStmt(Node, tag="expr"):
    value: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return (self.value,)


class Return(Node, tag="return"):
    value: Expr | None

    def children(self) -> Sequence[Expr | Stmt]:
        return _present(self.value)


class Raise(Node, tag="raise"):
    exc: Expr | None
    cause: Expr | None

    def children(self) -> Sequence[Expr | Stmt]:
        return _present(self.exc, self.cause)


class Assert(Node, tag="assert"):
    test: Expr
    message: Expr | None

    def children(self) -> Sequence[Expr | Stmt]:
        return _present(self.test, self.message)


class Delete(Node, tag="del"):
    target: Expr

    def children(self) -> Sequence[Expr | Stmt]:
        return (self.target,)


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

    def children(self) -> Sequence[Expr | Stmt]:
        return [self.test, *self.body, *self.orelse]


class For(Node, tag="for"):
    target: Expr
    iter: Expr
    body: list[Stmt]
    orelse: list[Stmt]

    def children(self) -> Sequence[Expr | Stmt]:
        return [self.iter, self.target, *self.body, *self.orelse]


class While(Node, tag="while"):
    test: Expr
    body: list[Stmt]
    orelse: list[Stmt]

    def children(self) -> Sequence[Expr | Stmt]:
        return [self.test, *self.body, *self.orelse]


class Handler(Node):
    """`except type as name:`; `type` is None for a bare one."""

    type: Expr | None
    name: str | None
    body: list[Stmt]

    def children(self) -> Sequence[Expr | Stmt]:
        return [*_present(self.type), *self.body]


class Try(Node, tag="try"):
    body: list[Stmt]
    handlers: list[Handler]
    orelse: list[Stmt]
    final: list[Stmt]

    def children(self) -> Sequence[Expr | Stmt]:
        handled = (node for handler in self.handlers for node in handler.children())
        return [*self.body, *handled, *self.orelse, *self.final]


class WithItem(msgspec.Struct, array_like=True, eq=False, gc=False):
    value: Expr
    target: Expr | None


class With(Node, tag="with"):
    items: list[WithItem]
    body: list[Stmt]

    def children(self) -> Sequence[Expr | Stmt]:
        managers = (node for item in self.items for node in _present(item.value, item.target))
        return [*managers, *self.body]


class Case(msgspec.Struct, array_like=True, eq=False, gc=False):
    """One `case`; the pattern is kept as the names it binds and the values it compares with."""

    binds: list[Name]
    values: list[Expr]
    guard: Expr | None
    body: list[Stmt]


class Match(Node, tag="match"):
    subject: Expr
    cases: list[Case]

    def children(self) -> Sequence[Expr | Stmt]:
        found: list[Expr | Stmt] = [self.subject]
        for case in self.cases:
            found += (*case.values, *case.binds, *_present(case.guard), *case.body)
        return found


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


class Mentions(msgspec.Struct, array_like=True, eq=False, gc=False):
    """The modules that a file may speak of: what its imports say anywhere in it (module, dots before it, names), and
    the strings in it that could be dotted names.
    """

    imports: list[tuple[str, int, list[str]]]
    strings: list[str]


class ModuleFacts(msgspec.Struct, array_like=True, eq=False, gc=False):
    """One Python file. `line_starts` holds the offset at which each line begins."""

    mentions: Mentions
    body: list[Stmt]
    line_starts: list[int]
    comments: list[Comment]

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1


def is_dotted_name(text: str) -> bool:
    """Whether a string may name a module, or something in one."""
    return "." in text and _DOTTED_NAME.fullmatch(text) is not None


def line_starts_of(text: str) -> list[int]:
    """The offset at which each line begins."""
    return [0, *(match.end() for match in _LINE_END.finditer(text))]


# --- reading the form -------------------------------------------------------------------------------------------------


def _present(*nodes: Expr | None) -> list[Expr | Stmt]:
    return [node for node in nodes if node is not None]


def bounds(type_params: list[TypeParam]) -> list[Expr]:
    """What is evaluated for type parameters: bounds and defaults."""
    return [x for param in type_params for x in (param.bound, param.default) if x is not None]


def walk(node: Expr | Stmt, *, into_definitions: bool = True) -> Iterator[Expr | Stmt]:
    """The node and everything inside it, outermost first.

    Without `into_definitions` nested functions, classes and lambdas are yielded but not entered: what is left is what
    runs when the node runs.
    """
    stack: list[Expr | Stmt] = [node]
    while stack:
        current = stack.pop()
        yield current
        kind = type(current)
        if kind is Name or kind is Const:  # more than half of all nodes, and nothing is inside
            continue
        if not into_definitions and current is not node and isinstance(current, (Function, Class, Lambda)):
            continue
        stack.extend(reversed(current.children()))


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
