"""What may fail in a function, and whether that makes it run again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.delivery.handling import ACKNOWLEDGING
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.messages.repeats import Repeat, retries
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.waiting import Wait
from assay.scanner.queries.regions import statements_around
from assay.scanner.readers.python import form
from assay.scanner.waiting.calls import DirectCalls
from assay.scanner.waiting.waits import Waits

_FAR = 3
"""Calls between a function and what it asks."""
_REMOTE = (Wait.NETWORK, Wait.MAIL)
_BROAD = frozenset({"Exception", "BaseException"})
_OF_SYSTEMS = frozenset({"OSError", "IOError", "ConnectionError", "TimeoutError", "EnvironmentError"})


@dataclass(frozen=True, slots=True, eq=False)
class Risk:
    """What may fail, and by which exceptions: their names, or the packages that they are of."""

    node: form.Node
    names: frozenset[str]
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Call(Risk):
    """A call that may fail."""

    node: form.Call


class Risks:
    """Those of one project's functions."""

    def __init__(self, gathered: Gathered) -> None:
        self._bodies = gathered.bodies
        self._waits = Waits(gathered.project, gathered.libraries, DirectCalls(gathered.project))
        self._requests: dict[str, dict[Location, OutboundCall]] = {}
        for request in gathered.requests:
            self._requests.setdefault(request.function, {})[request.location] = request
        self._risky: dict[FunctionSymbol, tuple[frozenset[str], Evidence] | None] = {}

    def of(self, function: FunctionSymbol) -> Iterator[Risk]:
        """Calls that ask other machines, helpers that do so, and what ends the run by intention."""
        yield from (r for r in self._asked(function) if last_name(r.node.func) not in ACKNOWLEDGING)
        for edge in self._bodies.of(function).edges:
            is_called = isinstance(edge.node, form.Call) and last_name(edge.node.func) == edge.callee.name
            if is_called and edge.caveats.doubt is None:
                found = self._remote(edge.callee, _FAR)
                if found is not None:
                    text = f"this may fail: {found[1].text}"
                    yield Risk(edge.node, found[0], function.module.evidence(edge.node, text))
        asked = set(retries(function))
        handled = [(h.start, h.end) for n in function.nodes if isinstance(n, form.Try) for h in n.handlers]
        for node in function.nodes:
            is_end = node in asked or (isinstance(node, form.Raise) and node.exc is not None)
            if is_end and not any(start <= node.start < end for start, end in handled):
                yield Risk(node, frozenset({_raised(node)}), function.module.evidence(node, "this ends the run"))

    def _asked(self, function: FunctionSymbol) -> Iterator[Call]:
        """Other machines that the function asks itself, those included that it awaits."""
        seen = set()
        for site in self._waits.of(function):
            if site.wait in _REMOTE:
                seen.add(site.call)
                yield Call(site.call, _names_of(site.name, site.wait), site.evidence)
        requests = self._requests.get(function.id, {})
        for node in function.nodes if requests else ():
            if isinstance(node, form.Call) and node not in seen:
                request = requests.get(function.module.location(node))
                if request is not None:
                    evidence = function.module.evidence(node, "another service is asked")
                    yield Call(node, _names_of(request.library, Wait.NETWORK), evidence)

    def _remote(self, function: FunctionSymbol, depth: int) -> tuple[frozenset[str], Evidence] | None:
        """What a helper waits for, with the exceptions that it raises by name."""
        if function not in self._risky:
            self._risky[function] = None
            self._risky[function] = self._search(function, depth)
        return self._risky[function]

    def _search(self, function: FunctionSymbol, depth: int) -> tuple[frozenset[str], Evidence] | None:
        if not depth or function.module.role is not Role.PROD:
            return None
        raised = frozenset(_raised(n) for n in function.nodes if isinstance(n, form.Raise) and n.exc is not None)
        for risk in self._behind(function, depth):
            if self.escapes(risk, function, (Repeat(risk.evidence),)):
                return risk.names | raised, risk.evidence
        return None

    def _behind(self, function: FunctionSymbol, depth: int) -> Iterator[Risk]:
        yield from self._asked(function)
        for edge in self._bodies.of(function).edges:
            if isinstance(edge.node, form.Call) and last_name(edge.node.func) == edge.callee.name:
                found = self._remote(edge.callee, depth - 1)
                if found is not None:
                    yield Risk(edge.node, *found)

    def escapes(self, risk: Risk, function: FunctionSymbol, repeats: tuple[Repeat, ...]) -> bool:
        """Whether a failure there makes the function run again: none of its handlers ends it."""
        names, asked = risk.names, tuple(retries(function))
        for block, index in reversed(statements_around(function.node.body, risk.node.start)):
            statement = block[index]
            if not isinstance(statement, form.Try) or not _is_tried(statement, risk.node):
                continue
            for handler in statement.handlers:
                if not _catches(handler, names):
                    continue
                is_asked = any(handler.start <= node.start < handler.end for node in asked)
                if is_asked and any(repeat.by_hand for repeat in repeats):
                    return True
                raised = next((n for n in form.walk_body(handler.body) if isinstance(n, form.Raise)), None)
                if raised is None:
                    return False
                names = names if raised.exc is None else frozenset({_raised(raised)})
                break
        if risk.node in asked:
            return True
        return any(not repeat.by_hand and _fits(names, repeat.caught) for repeat in repeats)


def _names_of(name: str, wait: Wait) -> frozenset[str]:
    root = name.partition(".")[0] if not name.startswith("django.") else "socket"
    return frozenset({root, *_OF_SYSTEMS, *({"smtplib", "SMTPException"} if wait is Wait.MAIL else ())})


def _raised(node: form.Node) -> str:
    """The exception's own name."""
    exc = node.exc if isinstance(node, form.Raise) else None
    named = exc.func if isinstance(exc, form.Call) else exc
    return (last_name(named) if named is not None else None) or "Retry"


def _is_tried(statement: form.Try, node: form.Node) -> bool:
    return bool(statement.body) and statement.body[0].start <= node.start < statement.body[-1].end


def _catches(handler: form.Handler, names: frozenset[str]) -> bool:
    if handler.type is None:
        return True
    caught = handler.type.items if isinstance(handler.type, form.Display) else [handler.type]
    return any(_fits(names, frozenset({form.dotted(each) or ""})) for each in caught)


def _fits(names: frozenset[str], caught: frozenset[str] | None) -> bool:
    """Whether one of the exceptions is caught, by its name or by its library."""
    if caught is None:
        return True
    for name in caught:
        last, root = last_part(name), name.partition(".")[0]
        if last in _BROAD or last in names or (root != last and root in names):
            return True
    return False
