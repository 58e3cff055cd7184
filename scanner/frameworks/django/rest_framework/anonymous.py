"""What a permission's `has_permission` answers an anonymous caller: its body is run with what is known of the request.

Values are True, False, or None where they can't be told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import UNKNOWN, Evaluator, definition
from assay.scanner.frameworks.django.views import constant_strings
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.readers.python import form

READS = frozenset({"GET", "HEAD", "OPTIONS"})
_REQUESTS = ("request", "req", "_request")
_EQUALITY = {"==": True, "in": True, "is": True, "!=": False, "not in": False, "is not": False}
_OF_EVERY_VIEW = frozenset(
    """action action_map args authentication_classes basename detail filter_backends get_object get_queryset
    get_serializer get_serializer_class kwargs lookup_field lookup_url_kwarg name pagination_class permission_classes
    queryset request schema serializer_class throttle_classes""".split()
)
"""What the library gives its views, or some of them: of these a project's class tells too little."""
_DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that a permission is asked about."""

    view: ClassSymbol | None
    action: str
    verb: str


@dataclass(frozen=True, slots=True)
class _Given:
    """What a name was last given, and what names were then: `allowed = allowed or owns` asks for the one before."""

    value: form.Expr
    before: Mapping[str, _Given]


@dataclass(slots=True)
class _Frame:
    """One function that runs, with its names."""

    function: FunctionSymbol
    depth: int
    assigned: Mapping[str, _Given] = field(default_factory=dict)

    def before(self, name: str) -> _Frame:
        """As it was when the name was given what it has."""
        return replace(self, assigned=self.assigned[name].before)


class Anonymous:
    """Runs a permission's methods for a caller of whom nothing is known."""

    def __init__(self, cls: ClassSymbol, asked: Asked, base_lets_in: bool | None, project: Project) -> None:
        self._cls = cls
        self._asked = asked
        self._base_lets_in = base_lets_in
        self._project = project
        self._known: dict[FunctionSymbol, bool | None] = {}

    def is_let_in_by(self, method: FunctionSymbol, depth: int = 0) -> bool | None:
        """What the function returns, in the sense of `bool()`; what it is called with doesn't count."""
        if method not in self._known:
            self._known[method] = None  # for functions that call each other
            outcomes: set[bool | None] = set()
            if not self._body(method.node.body, _Frame(method, depth), outcomes):
                outcomes.add(False)
            self._known[method] = outcomes.pop() if len(outcomes) == 1 else None
        return self._known[method]

    def _body(self, body: list[form.Stmt], frame: _Frame, outcomes: set[bool | None]) -> bool:
        """True when the statements surely leave the function."""
        for statement in body:
            match statement:
                case form.Return(value=value):
                    outcomes.add(self._value(value, frame) if value is not None else False)
                    return True
                case form.Raise():
                    outcomes.add(False)
                    return True
                case form.Assign(targets=[form.Name(id=name)], value=value) if value is not None:
                    frame.assigned = {**frame.assigned, name: _Given(value, frame.assigned)}
                case form.If(test=test, body=then, orelse=orelse):
                    held = self._value(test, frame)
                    taken = [then] if held is True else [orelse] if held is False else [then, orelse]
                    left = [self._body(block, frame, outcomes) for block in taken]
                    if all(left):
                        return True
                case form.Try(body=inner) | form.With(body=inner):
                    if self._body(inner, frame, outcomes):
                        return True
                case form.For(body=inner) | form.While(body=inner):
                    self._body(inner, frame, outcomes)
        return False

    # --- expressions ---

    def _value(self, node: form.Expr, frame: _Frame) -> bool | None:
        match node:
            case form.Const(value=value):
                return bool(value)
            case form.Unary(op="not", operand=operand):
                inner = self._value(operand, frame)
                return None if inner is None else not inner
            case form.Boolean(op=op, values=values):
                return self._joined(op, values, frame)
            case form.Conditional(test=test, body=body, orelse=orelse):
                held = self._value(test, frame)
                one, other = self._value(body, frame), self._value(orelse, frame)
                return one if held or one is other else other if held is False else None
            case form.Compare(left=left, ops=[op], rights=[right]) if op in _EQUALITY:
                return self._compared(left, op, right, frame)
            case form.Attr():
                return self._attribute(node, frame)
            case form.Call():
                return self._call(node, frame)
            case form.Name(id=name) if name in frame.assigned:
                return self._value(frame.assigned[name].value, frame.before(name))
        return None

    def _joined(self, op: str, values: list[form.Expr], frame: _Frame) -> bool | None:
        decisive = op == "or"
        outcomes = []
        for value in values:
            outcomes.append(self._value(value, frame))
            if outcomes[-1] is decisive:
                return decisive
        return None if None in outcomes else not decisive

    def _compared(self, left: form.Expr, op: str, right: form.Expr, frame: _Frame) -> bool | None:
        wanted = _EQUALITY[op]
        if self._is_request(left, "method", frame) or self._is_view(left, "action", frame):
            actual = self._asked.verb if last_name(left) == "method" else self._asked.action
            named = self._strings(right, frame)
            return (actual in named) is wanted if named else None
        if self._is_about_the_caller(left, frame) or self._is_about_the_caller(right, frame):
            is_none = isinstance(right, form.Const) and right.value is None
            if is_none:
                return None if self._is_user(left, frame) else wanted
            return False if wanted else None  # a stranger owns nothing and is nobody in particular
        return None

    def _strings(self, node: form.Expr, frame: _Frame) -> list[str]:
        if last_name(node) == "SAFE_METHODS":
            return sorted(READS)
        followed = definition(Sited(node, frame.function.scope), self._project).node
        return constant_strings(followed.items if isinstance(followed, form.Display) else [followed])

    def _attribute(self, node: form.Attr, frame: _Frame) -> bool | None:
        if self._is_user(node, frame):
            return True
        if self._is_user(node.value, frame):
            return node.attr == "is_anonymous"
        if self._is_request(node, "auth", frame) or self._is_request(node, "successful_authenticator", frame):
            return False
        if last_name(node.value) == "view":
            return self._of_view(node.attr, missing=None)
        return None

    def _of_view(self, name: str, missing: bool | None) -> bool | None:
        view = self._asked.view
        found = self._project.class_attribute(view, name) if view is not None else None
        if found is None:
            has_more = view is not None and (self._project.method(view, name) or name in _OF_EVERY_VIEW)
            return None if has_more else missing
        value = Evaluator(self._project).constant(Sited(*found))
        return None if value is UNKNOWN else bool(value)

    def _has(self, name: str) -> bool | None:
        view = self._asked.view
        if view is None or not self._project.class_member(view, name):
            return None if name in _OF_EVERY_VIEW else False
        return True

    def _call(self, call: form.Call, frame: _Frame) -> bool | None:
        name, given = last_name(call.func), call.positional
        if isinstance(call.func, form.Attr):
            if isinstance(call.func.value, form.Call) and last_name(call.func.value.func) == "super":
                return self._by_base(frame)
            if self._is_user(call.func.value, frame):
                return name == "is_anonymous"
        match name, given:
            case "bool", [only]:
                return self._value(only, frame)
            case "isinstance", [subject, *_] if self._is_about_the_caller(subject, frame):
                return False
            case "hasattr" | "getattr", [subject, *_] if self._is_about_the_caller(subject, frame):
                return False
            case "hasattr", [form.Name(id="view"), form.Const(value=str() as attribute)]:
                return self._has(attribute)
            case "getattr", [form.Name(id="view"), form.Const(value=str() as attribute), default]:
                return self._of_view(attribute, missing=self._value(default, frame))
        called = self._project.callee_function(call, frame.function.scope)
        if called is None or called.name == "__init__" or frame.depth > _DEEPEST:
            return None
        return self.is_let_in_by(called, frame.depth + 1)

    def _by_base(self, frame: _Frame) -> bool | None:
        """What `super()` says: the next method of that name in the project, else the library's."""
        found = self._project.class_member(self._cls, frame.function.name, frame.function.owner)
        following = found[-1].function if found else None
        if following is None or frame.depth > _DEEPEST:
            return self._base_lets_in
        return self.is_let_in_by(following, frame.depth + 1)

    # --- what an expression is about ---

    def _is_request(self, node: form.Expr, attribute: str, frame: _Frame) -> bool:
        """`request.method`, `self.request.method`, or a name for it."""
        if isinstance(node, form.Name) and node.id in frame.assigned:
            return self._is_request(frame.assigned[node.id].value, attribute, frame.before(node.id))
        return isinstance(node, form.Attr) and node.attr == attribute and last_name(node.value) in _REQUESTS

    def _is_view(self, node: form.Expr, attribute: str, frame: _Frame) -> bool:
        if isinstance(node, form.Name) and node.id in frame.assigned:
            return self._is_view(frame.assigned[node.id].value, attribute, frame.before(node.id))
        return isinstance(node, form.Attr) and node.attr == attribute and last_name(node.value) == "view"

    def _is_user(self, node: form.Expr, frame: _Frame) -> bool:
        return self._is_request(node, "user", frame) or (
            isinstance(node, form.Name) and node.id == "user" and node.id not in frame.assigned
        )

    def _is_about_the_caller(self, node: form.Expr, frame: _Frame) -> bool:
        """The user, something of the user's, or the credentials."""
        if self._is_user(node, frame) or self._is_request(node, "auth", frame):
            return True
        return isinstance(node, form.Attr) and self._is_about_the_caller(node.value, frame)
