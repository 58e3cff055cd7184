"""Which calls are log calls, and how their messages come about."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.framework import LoggerLibrary, frameworks
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import How, Module, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.log import MessageForm
from assay.scanner.readers.python import form

LOGGER_NAMES = frozenset({"logger", "log", "logging", "lgr"})
"""Last words of names that stand for a logger, in any case and with underscores around."""
_GUESSED_METHODS = {
    "debug": 0,
    "info": 0,
    "warning": 0,
    "warn": 0,
    "error": 0,
    "exception": 0,
    "critical": 0,
    "fatal": 0,
}
_TRANSLATIONS = frozenset({"gettext", "gettext_lazy", "gettext_noop", "ugettext", "_", "dedent"})
_FIELD_KEYWORDS = frozenset({"exc_info", "stack_info", "stacklevel", "msg", "event", "args"})
_DEEPEST = 8


@dataclass(frozen=True, slots=True, eq=False)
class FoundLogCall:
    """A log call as it stands in the code. `library` is None where the logger comes from outside the tree."""

    call: form.Call
    scope: Scope
    method: str
    library: LoggerLibrary | None
    message: form.Expr | None

    @property
    def values(self) -> Iterator[form.Expr]:
        """Everything it tells: the message, the arguments and the fields."""
        skip = 0 if self.method != "log" else 1
        for index, arg in enumerate(self.call.args):
            if arg.name in ("exc_info", "stack_info", "stacklevel") or (arg.name is None and index < skip):
                continue
            yield arg.value


class Loggers:
    """Tells log calls from other calls."""

    def __init__(self, project: Project) -> None:
        self._project = project
        libraries = [library for framework in frameworks() for library in framework.loggers]
        self._methods = {
            f"{receiver}.{method}": (library, place)
            for library in libraries
            for receiver in library.receivers
            for method, place in library.methods.items()
        }
        self.names = {method for library in libraries for method in library.methods}

    def find(self, modules: Iterator[Module] | list[Module]) -> Iterator[FoundLogCall]:
        """All log calls of the modules, in order of position."""
        for module in modules:
            for call, scope in module.calls_named(self.names):
                found = self.log_call(call, scope)
                if found is not None:
                    yield found

    def log_call(self, call: form.Call, scope: Scope) -> FoundLogCall | None:
        """The call as a log call; None when it is none."""
        method = last_name(call.func)
        if method not in self.names:
            return None
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, External):
            known = self._methods.get(callee.name)
            if known is not None:
                library, place = known
                return FoundLogCall(call, scope, method, library, _message(call, place))
        if self._comes_from_outside(call, callee):
            return FoundLogCall(call, scope, method, None, _message(call, _GUESSED_METHODS[method]))
        return None

    def _comes_from_outside(self, call: form.Call, callee: object) -> bool:
        """Whether a thing named like a logger, of a kind nobody can see here, is called like one."""
        if not isinstance(call.func, form.Attr) or call.func.attr not in _GUESSED_METHODS:
            return False
        name = last_name(call.func.value)
        if name is None or name.lower().strip("_").rsplit("_", 1)[-1] not in LOGGER_NAMES:
            return False
        if callee is None:
            return True
        return isinstance(callee, External) and not callee.name.startswith(("builtins.", "math.", "numpy."))


def _message(call: form.Call, place: int) -> form.Expr | None:
    positional = call.positional
    if place < len(positional):
        return positional[place]
    return call.keyword("msg") or call.keyword("event") or call.keyword("message")


def message_form(message: form.Expr, scope: Scope, project: Project) -> MessageForm:
    """How the text that the logger gets comes about."""
    return _form(message, scope, project, 0)


_WORST_FIRST = (MessageForm.INTERPOLATED, MessageForm.EXCEPTION, MessageForm.VARIABLE, MessageForm.CONSTANT)


def _form(node: form.Expr, scope: Scope, project: Project, depth: int) -> MessageForm:
    if depth > _DEEPEST:
        return MessageForm.VARIABLE
    match node:
        case form.Const():
            return MessageForm.CONSTANT
        case form.Template():
            parts = {_form(hole.value, scope, project, depth + 1) for hole in node.holes}
            return MessageForm.CONSTANT if parts <= {MessageForm.CONSTANT} else MessageForm.INTERPOLATED
        case form.Binary(op="*", left=left, right=right):
            # A line of dashes.
            told = _worst(left, right, scope=scope, project=project, depth=depth)
            return told if told is MessageForm.CONSTANT else MessageForm.VARIABLE
        case form.Binary(op="+", left=left, right=right):
            return _concatenation(left, right, scope, project, depth)
        case form.Binary(op="%", left=left):
            return MessageForm.INTERPOLATED if _is_text(left, scope, project) else MessageForm.VARIABLE
        case form.Conditional(body=body, orelse=orelse):
            return _worst(body, orelse, scope=scope, project=project, depth=depth)
        case form.Call():
            return _form_of_call(node, scope, project, depth)
        case form.Name() | form.Attr():
            return _form_of_name(node, scope, project, depth)
    return MessageForm.VARIABLE


def _worst(*parts: form.Expr, scope: Scope, project: Project, depth: int) -> MessageForm:
    forms = {_form(part, scope, project, depth + 1) for part in parts}
    return next(f for f in _WORST_FIRST if f in forms)


def _concatenation(left: form.Expr, right: form.Expr, scope: Scope, project: Project, depth: int) -> MessageForm:
    worst = _worst(left, right, scope=scope, project=project, depth=depth)
    if worst is MessageForm.CONSTANT or worst is MessageForm.INTERPOLATED:
        return worst
    has_text = any(_is_text(side, scope, project) for side in (left, right))
    return MessageForm.INTERPOLATED if has_text else MessageForm.VARIABLE


def _is_text(node: form.Expr, scope: Scope, project: Project) -> bool:
    """Whether the expression is certainly a string with text in it."""
    match node:
        case form.Const(value=str()) | form.Template():
            return True
        case form.Binary(op="+" | "%", left=left, right=right):
            return _is_text(left, scope, project) or _is_text(right, scope, project)
        case form.Call(func=form.Name(id=name) | form.Attr(attr=name), args=[first, *_]) if name in _TRANSLATIONS:
            return _is_text(first.value, scope, project)
        case form.Name() | form.Attr():
            value = project.infer(node, scope)
            return isinstance(value, Literal) and isinstance(value.node, form.Const | form.Template)
    return False


def _form_of_call(node: form.Call, scope: Scope, project: Project, depth: int) -> MessageForm:
    name = last_name(node.func)
    if name == "format" and isinstance(node.func, form.Attr) and _is_text(node.func.value, scope, project):
        return MessageForm.INTERPOLATED
    if name == "join" and isinstance(node.func, form.Attr) and _is_text(node.func.value, scope, project):
        parts = node.positional[0] if node.positional else None
        told = {_form(i, scope, project, depth + 1) for i in parts.items} if isinstance(parts, form.Display) else set()
        return MessageForm.CONSTANT if told == {MessageForm.CONSTANT} else MessageForm.INTERPOLATED
    if name in _TRANSLATIONS and node.positional:
        return _form(node.positional[0], scope, project, depth + 1)
    if name in ("str", "repr") and len(node.positional) == 1:
        inner = _form(node.positional[0], scope, project, depth + 1)
        return inner if inner is MessageForm.EXCEPTION else MessageForm.VARIABLE
    return MessageForm.VARIABLE


def _form_of_name(node: form.Name | form.Attr, scope: Scope, project: Project, depth: int) -> MessageForm:
    if isinstance(node, form.Name):
        bindings = scope.lookup(node.id)
        if any(b.how is How.EXCEPT for b in bindings):
            return MessageForm.EXCEPTION
        values = [b.value for b in bindings if b.how is How.ASSIGN and b.value is not None]
        if bindings and len(values) == len(bindings):
            forms = {_form(value, b.scope, project, depth + 1) for value, b in zip(values, bindings, strict=True)}
            if forms == {MessageForm.CONSTANT}:
                return MessageForm.CONSTANT
            if forms == {MessageForm.INTERPOLATED} and _is_only_logged(node.id, scope, {b.offset for b in bindings}):
                return MessageForm.INTERPOLATED
        return MessageForm.VARIABLE
    value = project.infer(node, scope)
    if isinstance(value, Literal) and isinstance(value.node, form.Const):
        return MessageForm.CONSTANT
    if (
        isinstance(value, Instance)
        and value.cls is None
        and last_part(value.type_name).endswith(("Error", "Exception"))
    ):
        return MessageForm.EXCEPTION
    return MessageForm.VARIABLE


def _is_only_logged(name: str, scope: Scope, bound: set[int]) -> bool:
    """Whether the local name has no other use than the log call: a text that is answered too has to be made."""
    if scope.function is None:
        return False
    uses = [n for n in scope.function.walk() if isinstance(n, form.Name) and n.id == name and n.start not in bound]
    return len(uses) == 1


def fields(found: FoundLogCall) -> dict[str, form.Expr] | None:
    """The data beside the message, by name; None when there is none. `**` and `extra=name` count as unnamed data."""
    names: dict[str, form.Expr] = {}
    any_field = False
    for arg in found.call.args:
        if arg.star == 2:
            any_field = True
        elif arg.name == "extra":
            any_field = True
            if isinstance(arg.value, form.Dict):
                names |= {
                    k.value: v
                    for k, v in zip(arg.value.keys, arg.value.values, strict=True)
                    if isinstance(k, form.Const) and isinstance(k.value, str)
                }
        elif arg.name is not None and arg.name not in _FIELD_KEYWORDS:
            any_field = True
            names[arg.name] = arg.value
    return names if any_field else None


def repeats_fields(message: form.Expr, beside: dict[str, form.Expr]) -> bool:
    """Whether each value in the text also goes beside it, so that nothing depends on the text."""
    if not isinstance(message, form.Template):
        return False
    told = {form.dotted(value) for value in beside.values()}
    return all(_is_beside(hole.value, beside, told) for hole in message.holes)


def _is_beside(value: form.Expr, beside: dict[str, form.Expr], told: set[str | None]) -> bool:
    dotted = form.dotted(value)
    if dotted is not None and dotted in told:
        return True
    name = last_name(value.func if isinstance(value, form.Call) else value)
    return name is not None and any(field in name or name in field for field in beside)
