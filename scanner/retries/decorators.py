"""Policies of the libraries that are made for it: tenacity, backoff, retrying, stamina, retry.

https://github.com/litl/backoff, https://github.com/rholder/retrying, https://stamina.hynek.me/en/stable/api.html,
https://github.com/invl/retry
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from assay.scanner.linker.project import last_part
from assay.scanner.model.retry import Ending, Pause
from assay.scanner.readers.python import form
from assay.scanner.retries.arguments import Arguments, Given
from assay.scanner.retries.found import Stop, Wait
from assay.scanner.retries.tenacity import tenacity_stop, tenacity_wait


@dataclass(frozen=True, slots=True)
class Library:
    """How a library is told when to stop and how long to wait. `on` is the argument that says after which failures it
    tries again; `polls` is set for what repeats until an answer pleases.
    """

    name: str
    stop: Callable[[Arguments], Stop]
    wait: Callable[[Arguments], Wait]
    on: tuple[str, int | None] = ("", None)
    polls: bool = False


def _bounded(arguments: Arguments, attempts: str, time: str | None = None, position: int | None = None) -> Stop:
    """By a number of attempts or by a time, whatever of both is given."""
    if arguments.is_open:
        return Stop(Ending.UNKNOWN)
    given = arguments.get(attempts, position)
    if given is not None and not arguments.is_none(attempts, position):
        count = arguments.number(attempts, position)
        if count is None or count > 0:
            return Stop(Ending.BOUNDED, int(count) if count is not None else None, given.shown("it ends here"))
    limit = arguments.get(time) if time is not None else None
    if limit is not None and not (isinstance(limit.node, form.Const) and limit.node.value is None):
        return Stop(Ending.BOUNDED, None, limit.shown("it ends here"))
    return Stop(Ending.ENDLESS, shown=given.shown("it never stops") if given is not None else None)


def _backoff_wait(arguments: Arguments) -> Wait:
    """The first argument makes the waits; unless told otherwise, they are spread at random."""
    given = arguments.get("wait_gen", 0)
    if given is None:
        return Wait(Pause.UNKNOWN)
    name = _library_name(given, arguments)
    if name in ("expo", "fibo", "runtime"):
        return Wait(Pause.GROWING, given.shown("it waits"))
    if name == "constant":
        interval = arguments.number("interval")
        return Wait(Pause.NONE if interval == 0 else Pause.FIXED, given.shown("it waits"))
    if arguments.is_none("jitter"):
        return Wait(Pause.UNKNOWN, given.shown("how long it waits is told here"))
    return Wait(Pause.GROWING, given.shown("it waits, spread at random"))


def _library_name(given: Given, arguments: Arguments) -> str:
    name = arguments.project.qualified_name(given.node, given.scope) or ""
    return last_part(name) if name.startswith("backoff.") else ""


def _retrying_stop(arguments: Arguments) -> Stop:
    for name in ("stop_func", "stop"):
        if (given := arguments.get(name)) is not None:
            return Stop(Ending.UNKNOWN, None, given.shown("when it ends is told here"))
    return _bounded(arguments, "stop_max_attempt_number", "stop_max_delay")


def _retrying_wait(arguments: Arguments) -> Wait:
    kinds = {
        Pause.GROWING: (
            "wait_exponential_multiplier", "wait_exponential_max", "wait_incrementing_start",
            "wait_incrementing_increment", "wait_random_min", "wait_random_max", "wait_jitter_max",
        ),
        Pause.UNKNOWN: ("wait_func", "wait"),
        Pause.FIXED: ("wait_fixed",),
    }  # fmt: skip
    for pause, names in kinds.items():
        for name in names:
            given = arguments.get(name)
            if given is not None and arguments.number(name) != 0:
                return Wait(pause, given.shown("it waits"))
    return Wait(Pause.UNKNOWN if arguments.is_open else Pause.NONE)


def _stamina_stop(arguments: Arguments) -> Stop:
    """Ten attempts in 45 seconds, unless both are switched off."""
    if arguments.is_none("attempts") and arguments.is_none("timeout"):
        return _bounded(arguments, "attempts")
    count = arguments.number("attempts")
    return Stop(Ending.BOUNDED, int(count) if count is not None else 10)


def _stamina_wait(_: Arguments) -> Wait:
    """Exponentially and with jitter."""
    return Wait(Pause.GROWING)


def _retry_stop(arguments: Arguments) -> Stop:
    """A number below 0, the default, is no limit."""
    return _bounded(arguments, "tries", position=1)


def _retry_wait(arguments: Arguments) -> Wait:
    if arguments.is_open:
        return Wait(Pause.UNKNOWN)
    delay, factor = arguments.get("delay", 2), arguments.get("backoff", 4)
    if delay is None or arguments.number("delay", 2) == 0:
        return Wait(Pause.NONE)
    grows = (factor is not None and arguments.number("backoff", 4) != 1) or arguments.get("jitter") is not None
    return Wait(Pause.GROWING if grows else Pause.FIXED, delay.shown("it waits"))


def _backoff_stop(arguments: Arguments) -> Stop:
    return _bounded(arguments, "max_tries", "max_time")


_TENACITY = Library("tenacity", tenacity_stop, tenacity_wait, ("retry", None))
_RETRYING = Library("retrying", _retrying_stop, _retrying_wait, ("retry_on_exception", None))
_STAMINA = Library("stamina", _stamina_stop, _stamina_wait, ("on", None))
_RETRY = Library("retry", _retry_stop, _retry_wait, ("exceptions", 0))
LIBRARIES: Mapping[str, Library] = {
    **{f"tenacity.{name}": _TENACITY for name in ("retry", "Retrying", "AsyncRetrying")},
    "tenacity.asyncio.AsyncRetrying": _TENACITY,
    "backoff.on_exception": Library("backoff", _backoff_stop, _backoff_wait, ("exception", 1)),
    "backoff.on_predicate": Library("backoff", _backoff_stop, _backoff_wait, polls=True),
    **{f"retrying.{name}": _RETRYING for name in ("retry", "Retrying")},
    **{f"stamina.{name}": _STAMINA for name in ("retry", "retry_context")},
    **{f"stamina.{name}": Library("stamina", _stamina_stop, _stamina_wait) for name in
       ("RetryingCaller", "AsyncRetryingCaller")},
    **{f"{module}.retry": _RETRY for module in ("retry", "retry.api", "retry2", "retry2.api")},
    **{f"{module}.retry_call": Library("retry", _retry_stop, _retry_wait, ("exceptions", None)) for module in
       ("retry", "retry.api", "retry2", "retry2.api")},
}  # fmt: skip
"""By the dotted name of what makes a policy."""
