"""Markers: what in a body tells the client that something went wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, constant
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.dataflow.lexicon import words
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.readers.python import form

_ERROR_KEYS = frozenset("error errors err error_message errormessage error_msg error_code error_type".split())
_OUTCOME_KEYS = frozenset("success succeeded successful ok is_success".split())
_STATUS_KEYS = frozenset("status result state outcome".split())
_CODE_KEYS = frozenset("code status_code statuscode status http_code error_code".split())
_FAILED = frozenset("error errors err fail failed failure failing failed_request exception ko nok".split())
_STATES = frozenset({"failed", "failing", "failure"})
"""Those that things have too."""
_BESIDE_ERRORS = frozenset(
    """message msg status success ok code detail details description reason error errors error_code error_message
    status_code data result timestamp path request_id trace_id type title hint""".split()
)
"""Keys that stand beside an error in an answer that tells of nothing else."""
_VALIDATORS = ("form", "serializer", "schema", "validator")
_EXPLAINING = frozenset({"message", "msg", "detail", "error", "description", "reason"})
_WRITING = frozenset({"dumps", "jsonify", "jsonable_encoder", "dict", "encode"})
"""Calls that only write down what they are given."""
_TELLING_CALLS = frozenset("str repr format format_exc gettext _ ugettext lazy_gettext gettext_lazy t join".split())
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class Marker:
    """What tells of the error, in words. `per_item` says that it lists what became of several things."""

    text: str
    node: Sited
    per_item: bool = False


def marker(body: Sited, project: Project, given: Given, present: frozenset[str] = frozenset()) -> Marker | None:
    """What says that the body is about an error; None where nothing certainly does.

    `present` are names that hold something there, because a condition around says so.
    """
    return _Markers(project, given, present).of(body, _DEEPEST)


@dataclass(frozen=True, slots=True)
class _Markers:
    project: Project
    given: Given
    present: frozenset[str]

    def of(self, body: Sited, depth: int) -> Marker | None:
        node, scope = body.node, body.scope
        if isinstance(node, form.Name):
            named = self._named(node, scope) if depth else None
            return self.of(named, depth - 1) if named is not None else None
        if isinstance(node, form.Call) and depth:
            found = self._made(node, scope, depth)
            if found is not None:
                return found
        if isinstance(node, form.Attr) and _is_of_validator(node):  # `Response(serializer.errors)`
            return Marker("what is wrong with the input", body)
        pairs = list(_pairs(node))
        for key, value in pairs:
            text = self._told(key, value, scope, pairs)
            if text is not None:
                others = {k for k, _ in pairs if k != key} - _BESIDE_ERRORS
                return Marker(text, Sited(value, scope), per_item=key == "errors" and bool(others))
        if isinstance(node, form.Dict) and len(pairs) == 1 and depth:  # `{"job": {"error": ...}}`
            return self.of(Sited(pairs[0][1], scope), depth - 1) if isinstance(pairs[0][1], form.Dict) else None
        return None

    def _made(self, call: form.Call, scope: Scope, depth: int) -> Marker | None:
        """What says so in what a call writes down, or in what a function of the project makes."""
        if last_name(call.func) in _WRITING and call.args:
            return self.of(Sited(call.args[0].value, scope), depth - 1)
        function = self.project.callee_function(call, scope)
        if function is None or function.name == "__init__" or len(function.returns) != 1:
            return None
        made = function.returns[0].value
        handed = {**self.given, **arguments(call, scope, function, self.project)}
        inside = _Markers(self.project, handed, frozenset())
        return inside.of(Sited(made, function.scope), depth - 1) if made is not None else None

    def _named(self, node: form.Name, scope: Scope) -> Sited | None:
        """What the name stands for, if that is one thing."""
        bindings = scope.lookup(node.id, node.start)
        known = self.given.get((bindings[0].scope, node.id)) if bindings else None
        if known is not None:
            return Sited(*known)
        values = [b.value for b in bindings if b.how is How.ASSIGN and b.scope is scope and b.value is not None]
        return Sited(values[0], scope) if len(values) == len(bindings) == 1 else None

    def _told(self, key: str, value: form.Expr, scope: Scope, pairs: list[tuple[str, form.Expr]]) -> str | None:
        found = constant(value, scope, self.project, self.given)
        known = found.value if found is not None else None
        if key in _ERROR_KEYS and isinstance(known, str | bool) and known:
            return f"`{key}`: {_shown(known)}"
        if key in _ERROR_KEYS and found is None and key != "error_code" and self.tells(value, scope):
            return f"an `{key}`"
        is_explained = not _EXPLAINING.isdisjoint(k for k, _ in pairs)
        if known is False and (key in _OUTCOME_KEYS or (key == "status" and is_explained)):
            return f"`{key}`: false"
        if key in _STATUS_KEYS and isinstance(known, str) and len(words(known)) <= 2 and _FAILED & set(words(known)):
            # A payment that failed is what was asked for: then nothing explains it, or a value of its own does.
            is_state = bool(_STATES & set(words(known)))
            is_told = any(k in _EXPLAINING and (not is_state or _is_text(v)) for k, v in pairs)
            return f"`{key}`: {_shown(known)}" if is_told or (len(pairs) == 1 and not is_state) else None
        is_code = key in _CODE_KEYS and isinstance(known, int) and not isinstance(known, bool) and 400 <= known <= 599
        return f"`{key}`: {known}" if is_code and is_explained else None

    def tells(self, value: form.Expr, scope: Scope) -> bool:
        """Whether the value certainly says something: a text, an exception, the errors of a form that didn't hold."""
        match value:
            case form.Template():
                return True
            case form.Dict(values=inner) | form.Display(items=inner):
                return bool(inner)
            case form.Binary(op="+" | "%", left=left, right=right):
                return _is_text(left) or _is_text(right)
            case form.Boolean(op="or", values=values):
                return any(_is_text(v) or self.tells(v, scope) for v in values)
            case form.Name(id=name):
                return self._is_present(value, name, scope)
            case form.Attr(value=owner):
                if _is_of_validator(value):
                    return True
                return isinstance(owner, form.Name) and any(
                    b.how is How.EXCEPT for b in scope.lookup(owner.id, owner.start)
                )
            case form.Call(func=func, args=args):
                if last_name(func) == "errors" and isinstance(func, form.Attr):
                    return self.tells(func, scope) or self.tells(func.value, scope)
                if last_name(func) in _TELLING_CALLS:
                    given = [*(a.value for a in args), *([func.value] if isinstance(func, form.Attr) else ())]
                    return any(_is_text(v) or self.tells(v, scope) for v in given)
        return False

    def _is_present(self, node: form.Name, name: str, scope: Scope) -> bool:
        bindings = scope.lookup(name, node.start)
        key = (bindings[0].scope, name) if bindings else None
        if key is not None and key in self.given:
            known = self.given[key]
            found = constant(*known, self.project)
            if found is not None:
                return bool(found.value)
            # A function that calls itself hands its own names on: no name is followed twice.
            others = {k: v for k, v in self.given.items() if k != key}
            return _Markers(self.project, others, self.present).tells(*known)
        return name in self.present or any(b.how is How.EXCEPT for b in bindings)


def _pairs(node: form.Expr) -> Iterator[tuple[str, form.Expr]]:
    """The keys and values of a dict, or the named arguments of what makes a body."""
    match node:
        case form.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, form.Const) and isinstance(key.value, str):
                    yield key.value.lower(), value
        case form.Call(args=args):
            yield from ((a.name.lower(), a.value) for a in args if a.name is not None)


def _is_of_validator(node: form.Attr) -> bool:
    """`serializer.errors`, `form.errors`."""
    owner = (last_name(node.value) or "").lower()
    return node.attr == "errors" and any(word in owner for word in _VALIDATORS)


def _shown(known: object) -> str:
    text = "true" if known is True else str(known)
    return f'"{text[:40]}"' if isinstance(known, str) else text


def _is_text(node: form.Expr) -> bool:
    return isinstance(node, form.Template) or (isinstance(node, form.Const) and isinstance(node.value, str))
