"""Where a value goes: the names it is given on its way, over assignments, calls and returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from assay.scanner.dataflow.nesting import Nesting, Node
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 4
"""Calls and returns between a value and a name that still says what it is for."""
_MOST_CALLERS = 12
_MOST = 60
"""Names of one value: what has more is no secret any longer."""
_TRANSPARENT = frozenset(
    {
        "str", "int", "bytes", "repr", "abs", "round", "hex", "format", "chr", "list", "tuple", "join", "floor", "ceil",
        "next", "min", "max", "UUID", "bytearray", "smart_str", "force_str", "force_bytes", "to_bytes", "fromhex",
        "b64encode", "b32encode", "urlsafe_b64encode", "standard_b64encode", "b85encode", "hexlify", "quote",
        "reversed", "sorted", "isoformat", "timestamp", "strftime",
    }
)  # fmt: skip
"""Functions that give back what they get, in another shape."""
_METHODS = frozenset(
    {
        "hex", "hexdigest", "digest", "encode", "decode", "upper", "lower", "strip", "rstrip", "lstrip", "zfill",
        "replace", "isoformat", "timestamp", "strftime", "int", "bytes", "urn", "title", "capitalize", "ljust", "rjust",
        "tobytes", "tolist", "split", "finalize", "copy", "removeprefix", "removesuffix",
    }
)  # fmt: skip
"""Methods and attributes of a value that are the value again, in another shape."""
_FILLING = frozenset({"append", "extend", "add", "insert", "update"})
_KEEPING = frozenset(
    {
        "set", "setex", "put", "set_cookie", "setdefault", "hset", "set_signed_cookie", "set_secure_cookie", "setnx",
        "set_header", "psetex", "setattr", "add_header", "save",
    }
)  # fmt: skip
"""Methods that keep a value under a name that is another argument."""


_FACTORIES = frozenset({"default", "default_factory", "insert_default", "server_default"})
"""Keywords for where a field gets its values from."""


class Given(Enum):
    """In which way a value comes by a name."""

    NAME = auto()
    """A variable, an attribute, an item, a parameter, a keyword."""
    RETURNED = auto()
    """The function returns it."""
    PASSED = auto()
    """A function is called with it."""
    TEXT = auto()
    """It is put into a text, behind these words."""
    KEY = auto()
    """It is an item's key in something of that name."""
    COMPARED = auto()
    """It is compared with something of that name."""


@dataclass(frozen=True, slots=True)
class Destination:
    """A name that a value is given."""

    how: Given
    name: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class _Value:
    """A node that stands for the value, and how many calls and returns it is away."""

    node: Node
    scope: Scope
    distance: int


_WORDING = {
    Given.NAME: "it becomes `{}`",
    Given.RETURNED: "`{}` returns it",
    Given.PASSED: "`{}` is given it",
    Given.TEXT: "it is put behind `{}`",
    Given.KEY: "it is a key of `{}`",
    Given.COMPARED: "it is compared with `{}`",
}
_LONGEST = 40
"""Characters of a name or a text that evidence shows."""


class Destinations:
    """Follows values through one project. `transparent` are further functions, by last name, whose result stands for
    what they are given; `by_index` says that what a value is the index of stands for it, too.
    """

    def __init__(
        self, project: Project, nesting: Nesting, transparent: Iterable[str] = (), *, by_index: bool = False
    ) -> None:
        self._project = project
        self._nesting = nesting
        self._transparent = _TRANSPARENT | frozenset(transparent)
        self._by_index = by_index

    def of(self, node: form.Expr, scope: Scope) -> list[Destination]:
        """The names of the value that the expression gives, the nearest first."""
        way = _Way(self._project, self._nesting, self._transparent, self._by_index)
        return way.follow(node, scope)

    def company(self, node: form.Expr, scope: Scope) -> Iterator[form.Expr]:
        """What the value is joined with, up to the end of its own statement: the rest of a sum or of a text."""
        parents = self._nesting.parents(scope)
        child: Node = node
        while (parent := parents.get(child)) is not None and not isinstance(parent, form.Lambda):
            match parent:
                case form.Binary(left=left, right=right):
                    yield right if child is left else left
                case form.Template(holes=holes):
                    yield from (hole.value for hole in holes if hole.value is not child)
                case form.Display(items=items):
                    yield from (item for item in items if item is not child)
                case form.Call(func=func, args=args) if func is not child:
                    if last_name(func) in ("format", "join"):
                        yield from (arg.value for arg in args if arg.value is not child)
                    elif last_name(func) not in self._transparent:
                        return
            child = parent


class _Way:
    """The search for one value."""

    def __init__(self, project: Project, nesting: Nesting, transparent: frozenset[str], by_index: bool) -> None:
        self._project = project
        self._nesting = nesting
        self._transparent = transparent
        self._by_index = by_index
        self._found: list[Destination] = []
        self._todo: list[_Value] = []
        self._seen: set[object] = set()

    def follow(self, node: form.Expr, scope: Scope) -> list[Destination]:
        self._todo.append(_Value(node, scope, 0))
        while self._todo and len(self._found) < _MOST:
            self._climb(self._todo.pop(0))
        return self._found

    def _name(self, how: Given, name: str | None, node: form.Node, scope: Scope) -> None:
        if name:
            text = _WORDING[how].format(" ".join(name.split())[-_LONGEST:])
            self._found.append(Destination(how, name, scope.module.evidence(node, text)))

    def _climb(self, value: _Value) -> None:
        """From the value outwards, to where it gets a name or is lost."""
        parents = self._nesting.parents(value.scope)
        child: Node = value.node
        while True:
            parent = parents.get(child)
            if parent is None or not self._goes_on(parent, child, value):
                return
            child = parent

    def _goes_on(self, parent: Node, child: Node, value: _Value) -> bool:
        """Whether what stands around the value is the value still; names that it is given are noted."""
        match parent:
            case form.Assign(targets=targets):
                if parent.value is child:
                    for target in targets:
                        self._bind(target, value)
                return False
            case form.AugAssign(target=target) | form.Walrus(target=target):
                if parent.value is child:
                    self._bind(target, value)
                return isinstance(parent, form.Walrus)
            case form.Return():
                self._return(value)
                return False
            case form.Call():
                return self._call(parent, child, value)
            case form.Dict():
                self._key(parent, child, value.scope)
                return False
            case form.Compare():
                for other in (parent.left, *parent.rights):
                    if other is not child:
                        self._name(Given.COMPARED, own_name(other), other, value.scope)
                return False
        return self._is_still_it(parent, child, value.scope)

    def _is_still_it(self, parent: Node, child: Node, scope: Scope) -> bool:
        """Whether a larger expression stands for the value."""
        match parent:
            case form.Attr(attr=attr):
                return attr in _METHODS
            case form.Template():
                self._name(Given.TEXT, _text_before(parent, child), child, scope)
            case form.Binary(op=op, left=left, right=right):
                if child is right and op == "+":
                    self._name(Given.TEXT, _last_text(left), child, scope)
            case form.Comprehension(element=element, value=inner):
                return child is element or child is inner
            case form.Conditional(test=test):
                return child is not test
            case form.Subscript(value=base, index=index):
                if child is index:
                    self._name(Given.KEY, last_name(base), base, scope)
                return child is base or self._by_index
            case _:
                return isinstance(parent, form.Boolean | form.Display | form.Await | form.Starred | form.Lambda)
        return True

    # --- names ---

    def _bind(self, target: Node, value: _Value) -> None:
        scope = value.scope
        match target:
            case form.Name(id=name):
                self._name(Given.NAME, name, target, scope)
                self._follow_name(name, scope, value.distance)
            case form.Attr(attr=attr):
                self._name(Given.NAME, attr, target, scope)
            case form.Subscript(index=form.Const(value=str() as key)):
                self._name(Given.NAME, key, target, scope)
            case form.Subscript(value=base):
                self._name(Given.NAME, last_name(base), target, scope)
            case form.Display(items=items):
                for item in items:
                    self._bind(item, value)

    def _follow_name(self, name: str, scope: Scope, distance: int) -> None:
        """Where the name is read, in the code that binds it and in functions inside of that."""
        bindings = scope.lookup(name)
        owner = bindings[0].scope if bindings else scope
        if (owner, name) in self._seen:
            return
        self._seen.add((owner, name))
        if owner.function is None:
            return  # a module's or a class's name says what it is for
        for node in self._nesting.parents(owner):
            if isinstance(node, form.Name) and node.id == name:
                self._todo.append(_Value(node, owner, distance))

    def _key(self, parent: form.Dict, child: Node, scope: Scope) -> None:
        for key, item in zip(parent.keys, parent.values, strict=True):
            if item is child and isinstance(key, form.Const) and isinstance(key.value, str):
                self._name(Given.NAME, key.value, child, scope)

    # --- calls ---

    def _call(self, call: form.Call, child: Node, value: _Value) -> bool:
        if call.func is child:
            return isinstance(call.func, form.Attr)  # `value.hexdigest()`; the attribute was looked at
        name = last_name(call.func) or ""
        scope = value.scope
        if isinstance(call.func, form.Attr) and name == "format" and isinstance(call.func.value, form.Const):
            self._name(Given.TEXT, str(call.func.value.value).split("{", 1)[0], child, scope)
            return True
        if name in self._transparent:
            return True
        argument = next((a for a in call.args if a.value is child), None)
        if argument is None:
            return False
        if isinstance(call.func, form.Attr) and name in _FILLING:
            self._bind(call.func.value, value)
            return False
        if argument.name is not None:
            self._name(Given.NAME, argument.name, child, scope)
            if argument.name in _FACTORIES:
                return True  # a column's default, then the column's name
        if name in _KEEPING:
            for other in call.args:
                if other.value is not child:
                    self._name(Given.NAME, _written_text(other.value), other.value, scope)
        self._enter(call, argument, value)
        if argument.name is None:
            self._name(Given.PASSED, form.dotted(call.func) or name, call, scope)
        return False

    def _enter(self, call: form.Call, argument: form.Arg, value: _Value) -> None:
        """Into a function of the project, by the parameter that takes it."""
        function = self._project.callee_function(call, value.scope)
        if function is None or argument.star:
            return
        for param in function.parameters:
            if self._project.bound_argument(call, function, param) is argument.value:
                if argument.name is None:
                    self._name(Given.NAME, param.name, argument.value, value.scope)
                if value.distance < _DEEPEST:
                    self._follow_name(param.name, function.scope, value.distance + 1)

    def _return(self, value: _Value) -> None:
        function = value.scope.function
        if function is None or function in self._seen:
            return
        self._seen.add(function)
        text = _WORDING[Given.RETURNED].format(function.name)
        self._found.append(Destination(Given.RETURNED, function.name, Evidence(function.location, text)))
        if value.distance >= _DEEPEST:
            return
        for call, scope in self._project.callers(function)[:_MOST_CALLERS]:
            self._todo.append(_Value(call, scope, value.distance + 1))
        for node, scope in _handed_on(self._project).get(function, ()):
            self._todo.append(_Value(node, scope, value.distance + 1))


def own_name(node: form.Expr) -> str | None:
    """What the expression calls the thing it stands for: `c` of `a.c`, `a["c"]`, `a.get("c")` and `c`."""
    match node:
        case form.Subscript(index=form.Const(value=str() as key)):
            return key
        case form.Call(func=form.Attr(attr="get" | "pop" | "getlist" | "getfirst"), args=[first, *_]):
            named = first.value.value if isinstance(first.value, form.Const) else None
            return named if isinstance(named, str) else None
        case form.Attr(value=inner, attr="data" | "value"):  # a field of a form
            return own_name(inner)
        case form.Call(func=form.Attr(value=inner, attr=method)) if method in _METHODS | {"get_secret_value"}:
            return own_name(inner)
        case form.Call(func=form.Name(id=name), args=[form.Arg(value=inner), *_]) if name in _TRANSPARENT:
            return own_name(inner)
        case form.Await(value=inner) | form.Starred(value=inner) | form.Walrus(value=inner):
            return own_name(inner)
    return last_name(node)


def _written_text(node: form.Expr) -> str | None:
    """The text of a literal, and what is written out of a template."""
    match node:
        case form.Const(value=str() as text):
            return text
        case form.Template(parts=parts):
            return "".join(part for part in parts if isinstance(part, str))
        case form.Binary(left=left, right=right):
            return (_written_text(left) or "") + (_written_text(right) or "")
        case form.Call(func=form.Attr(value=form.Const(value=str() as text), attr="format")):
            return text
    return None


def _last_text(node: form.Expr) -> str | None:
    """The text that ends a sum."""
    while isinstance(node, form.Binary) and node.op == "+":
        node = node.right
    return node.value if isinstance(node, form.Const) and isinstance(node.value, str) else None


def _text_before(template: form.Template, child: Node) -> str | None:
    """What is written out before the hole that the value fills."""
    before = ""
    for part in template.parts:
        if isinstance(part, str):
            before = part
        elif any(expression is child for expression in part.expressions()):
            return before
        else:
            before = ""
    return None


@remembered
def _handed_on(project: Project) -> Mapping[FunctionSymbol, list[tuple[form.Expr, Scope]]]:
    """Functions that are given to something as where it gets its values from: `Column(default=make_token)`."""
    found: dict[FunctionSymbol, list[tuple[form.Expr, Scope]]] = {}
    for call, scope in project.calls:
        for argument in call.args:
            if argument.name in _FACTORIES and isinstance(argument.value, form.Name | form.Attr):
                function = project.infer(argument.value, scope)
                if isinstance(function, FunctionSymbol):
                    found.setdefault(function, []).append((argument.value, scope))
    return found
