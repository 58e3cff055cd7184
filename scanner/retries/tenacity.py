"""Policies of tenacity: stops and waits are objects that `|`, `&` and `+` put together.

By default it never stops and never waits: https://tenacity.readthedocs.io/en/latest/
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.scanner.linker.project import Project, last_part
from assay.scanner.model.retry import Ending, Pause
from assay.scanner.readers.python import form
from assay.scanner.retries.arguments import Arguments, Given, number, resolved
from assay.scanner.retries.found import Stop, Wait, all_of, either, together

_LIMITS = frozenset({"stop_after_delay", "stop_before_delay"})
_WAITS: Mapping[str, Pause] = {
    "wait_none": Pause.NONE,
    "wait_fixed": Pause.FIXED,
    "wait_random": Pause.GROWING,
    "wait_incrementing": Pause.GROWING,
    "wait_exponential": Pause.GROWING,
    "wait_random_exponential": Pause.GROWING,
    "wait_full_jitter": Pause.GROWING,
    "wait_exponential_jitter": Pause.GROWING,
    "wait_chain": Pause.GROWING,
    "wait_exception": Pause.GROWING,
}


def tenacity_stop(arguments: Arguments) -> Stop:
    """What `stop=` comes to."""
    given = arguments.get("stop")
    if given is not None:
        return _stop(given, arguments.project)
    return Stop(Ending.UNKNOWN if arguments.is_open else Ending.ENDLESS)


def tenacity_wait(arguments: Arguments) -> Wait:
    """What `wait=` comes to."""
    given = arguments.get("wait")
    if given is not None:
        return _wait(given, arguments.project)
    return Wait(Pause.UNKNOWN if arguments.is_open else Pause.NONE)


def _stop(given: Given, project: Project) -> Stop:
    node, scope = given.node, given.scope
    match node:
        case form.Const(value=None):
            return Stop(Ending.ENDLESS, shown=given.shown("it never stops"))
        case form.Binary(op="|" | "&" as op, left=left, right=right):
            parts = [_stop(resolved(part, scope, project), project) for part in (left, right)]
            return either(parts) if op == "|" else all_of(parts)
        case form.Name() | form.Attr() if _name(node, given, project) == "stop_never":
            return Stop(Ending.ENDLESS, shown=given.shown("it never stops"))
        case form.Call(func=func):
            name = _name(func, given, project)
            parts = [_stop(resolved(part, scope, project), project) for part in node.positional]
            if name == "stop_any":
                return either(parts)
            if name == "stop_all":
                return all_of(parts)
            if name == "stop_after_attempt":
                most = node.argument(0, "max_attempt_number")
                count = number(resolved(most, scope, project), project) if most is not None else None
                return Stop(Ending.BOUNDED, int(count) if count is not None else None, given.shown("it ends here"))
            if name in _LIMITS:
                return Stop(Ending.BOUNDED, None, given.shown("it ends here"))
    return Stop(Ending.UNKNOWN, None, given.shown("when it ends is told here"))


def _wait(given: Given, project: Project) -> Wait:
    node, scope = given.node, given.scope
    match node:
        case form.Const(value=None):
            return Wait(Pause.NONE, given.shown("it waits for nothing"))
        case form.Binary(op="+", left=left, right=right):
            return together([_wait(resolved(part, scope, project), project) for part in (left, right)])
        case form.Call(func=func):
            name = _name(func, given, project)
            if name == "wait_combine":
                return together([_wait(resolved(part, scope, project), project) for part in node.positional])
            pause = _WAITS.get(name)
            if pause is not None:
                is_nothing = pause is Pause.FIXED and _is_zero(node, given, project)
                return Wait(Pause.NONE if is_nothing else pause, given.shown("it waits"))
    return Wait(Pause.UNKNOWN, given.shown("how long it waits is told here"))


def _is_zero(call: form.Call, given: Given, project: Project) -> bool:
    seconds = call.argument(0, "wait")
    return seconds is not None and number(resolved(seconds, given.scope, project), project) == 0


def _name(func: form.Expr, given: Given, project: Project) -> str:
    name = project.qualified_name(func, given.scope) or ""
    return last_part(name) if name.startswith("tenacity.") else ""
