"""What is learnt of one retry policy, and how the parts of a policy are put together."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.retry import Ending, Pause
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True)
class Stop:
    """When attempts end. `attempts` is the number of all, where it is known."""

    ending: Ending
    attempts: int | None = None
    shown: Evidence | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """How long the wait between two attempts is."""

    pause: Pause
    shown: Evidence | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """A policy at `node`; `function` is what it repeats, where that is a function of the project."""

    kind: str
    node: form.Node
    scope: Scope
    stop: Stop
    wait: Wait
    function: FunctionSymbol | None = None
    mild: Evidence | None = None
    excuse: Evidence | None = None


def either(stops: list[Stop]) -> Stop:
    """The first of several that is met ends the attempts."""
    bounded = [s for s in stops if s.ending is Ending.BOUNDED]
    if not bounded:
        return next((s for s in stops if s.ending is Ending.UNKNOWN), Stop(Ending.ENDLESS))
    counts = [s.attempts for s in bounded if s.attempts is not None]
    return replace(bounded[0], attempts=min(counts, default=None))


def all_of(stops: list[Stop]) -> Stop:
    """Only when all of several are met, attempts end."""
    order = (Ending.ENDLESS, Ending.UNKNOWN, Ending.BOUNDED)
    found = min(stops, key=lambda s: order.index(s.ending), default=Stop(Ending.UNKNOWN))
    return replace(found, attempts=None)


def together(waits: list[Wait]) -> Wait:
    """Waits one after another."""
    order = (Pause.GROWING, Pause.UNKNOWN, Pause.FIXED, Pause.NONE)
    return min(waits, key=lambda w: order.index(w.pause), default=Wait(Pause.UNKNOWN))
