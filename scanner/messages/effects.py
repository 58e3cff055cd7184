"""In which order a function does what can't be done twice, and what may fail."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.effects.change import NONE
from assay.scanner.dataflow.effects.requests import request_change
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.messages.guards import Guards
from assay.scanner.messages.repeats import Repeat
from assay.scanner.messages.risks import Risk, Risks
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.queries.regions import statements_around
from assay.scanner.readers.python import form
from assay.scanner.transactions.events import Event
from assay.scanner.transactions.paths import ends, follows
from assay.scanner.transactions.scopes import Scopes
from assay.scanner.transactions.sendings import Sendings, is_used
from assay.scanner.transactions.writes import Store

_DEEPEST = 2
_REPEATABLE = frozenset({"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"})
"""Methods of requests that change nothing more when they come twice, or only what they say."""


@dataclass(frozen=True, slots=True, eq=False)
class Lasting:
    """What is done, and can't be taken back, from `since` on. `transaction` is where it may still be rolled back."""

    node: form.Expr | form.Stmt
    since: int
    evidence: Evidence
    transaction: Location | None = None
    may_fail: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Order:
    """What a second run would do again: `later` is what fails behind it. `guard` is what prevents it."""

    lasting: Evidence | None = None
    later: Evidence | None = None
    guard: Evidence | None = None
    steps: tuple[Evidence, ...] = ()


class Effects:
    """Of functions of one project."""

    def __init__(self, gathered: Gathered) -> None:
        self._project = gathered.project
        self._bodies = gathered.bodies
        self._scopes = Scopes(gathered)
        self._sendings = Sendings(gathered, self._scopes)
        self._risks = Risks(gathered)
        self._requests: dict[Location, OutboundCall] = {r.location: r for r in gathered.requests}

    def order(
        self,
        function: FunctionSymbol,
        repeats: tuple[Repeat, ...],
        within: form.For | form.While | None = None,
        depth: int = _DEEPEST,
    ) -> Order:
        """The first thing that a failure behind it makes happen twice; else what is done last, or what prevents it."""
        lasting = [
            each for each in self._lasting(function) if within is None or within.start <= each.node.start < within.end
        ]
        guards, found = Guards(function, within), Order()
        risks = list(self._risks.of(function)) if lasting else []
        for each in sorted(lasting, key=lambda one: one.since):
            guard = guards.against(each.node)
            if guard is not None:
                found = Order(guard=guard) if found.lasting is None else found
                continue
            later = self._later(each, risks, function, repeats, within)
            if later is not None:
                return Order(each.evidence, later)
            found = Order(each.evidence)
        failures = frozenset(last_part(name) for repeat in repeats for name in repeat.caught or ("Exception",))
        for edge in self._bodies.of(function).edges if depth else ():
            is_called = isinstance(edge.node, form.Call) and last_name(edge.node.func) == edge.callee.name
            if not is_called or edge.caveats is not NONE or edge.callee.module.role is not Role.PROD:
                continue
            step = function.module.evidence(edge.node, f"`{edge.callee.name}` is called")
            if not self._risks.escapes(Risk(edge.node, failures, step), function, repeats):
                continue
            inner = self.order(edge.callee, repeats, depth=depth - 1)
            if inner.later is not None and guards.against(edge.node) is None:
                return Order(inner.lasting, inner.later, steps=(step, *inner.steps))
        return found

    # --- what lasts ---

    def _lasting(self, function: FunctionSymbol) -> Iterator[Lasting]:
        yield from self._written(function)
        yield from self._sent(function)

    def _written(self, function: FunctionSymbol) -> Iterator[Lasting]:
        events = self._scopes.events.of(function)
        for event in events:
            made = [w for w in event.writes if w.is_sure and (w.action == "create" or _adds(event))]
            if not made:
                continue
            module = function.module
            verb = "is made" if made[0].action == "create" else "is counted up"
            evidence = module.evidence(event.node, f"a row of {made[0].model or 'a table'} {verb}")
            if any(w.store is Store.AT_ONCE for w in made):
                opened = self._scopes.at(function, event.start)
                yield Lasting(event.node, event.start, evidence, opened.location if opened is not None else None)
            elif event.commits:
                yield Lasting(event.node, event.start, evidence)
            else:
                body = function.node.body
                after = (e.start for e in events if e.commits and follows(body, event.start, e.start))
                committed = min(after, default=None)
                if committed is not None:
                    yield Lasting(event.node, committed, evidence)

    def _sent(self, function: FunctionSymbol) -> Iterator[Lasting]:
        """Mails, and requests that make something."""
        for sending in self._sendings.of(function):
            if sending.kind not in (EffectKind.MAIL, EffectKind.REQUEST) or sending.is_deferred:
                continue
            location = sending.steps[-1].location if sending.steps else function.module.location(sending.node)
            request = self._requests.get(location)
            if request is not None and (request.method or "GET") in _REPEATABLE:
                continue
            if request is not None and not sending.steps and not self._makes(request, sending.node, function):
                continue
            text = (
                "a mail goes out" if sending.kind is EffectKind.MAIL else "another service is asked to make something"
            )
            evidence = function.module.evidence(sending.node, text)
            yield Lasting(sending.node, sending.node.end, evidence, may_fail=True)

    def _makes(self, request: OutboundCall, node: form.Call, function: FunctionSymbol) -> bool:
        """A POST whose answer is only read asks a question, unless its address says what it is for."""
        return request_change(request, node, function.scope) is not None or not is_used(node, function)

    # --- what fails behind it ---

    def _later(
        self,
        lasting: Lasting,
        risks: list[Risk],
        function: FunctionSymbol,
        repeats: tuple[Repeat, ...],
        within: form.For | form.While | None,
    ) -> Evidence | None:
        body = function.node.body
        for risk in risks:
            if risk.node.start >= lasting.since and follows(body, lasting.node.start, risk.node.start):
                if lasting.transaction is not None and self._is_in(lasting.transaction, function, risk):
                    continue
                if (within is None or risk.node.start < within.end) and self._risks.escapes(risk, function, repeats):
                    return risk.evidence
        own = next((r for r in risks if r.node is lasting.node), None)
        if own is None or not lasting.may_fail or not self._is_in_loop(lasting, function, within):
            return None
        if not self._risks.escapes(own, function, repeats):
            return None
        return Evidence(own.evidence.location, "it may fail in the next turn of the loop")

    def _is_in(self, transaction: Location, function: FunctionSymbol, risk: Risk) -> bool:
        opened = self._scopes.at(function, risk.node.start)
        return opened is not None and opened.location == transaction

    def _is_in_loop(self, lasting: Lasting, function: FunctionSymbol, within: form.For | form.While | None) -> bool:
        """A loop over several, whose turn goes on to the next one."""
        around = statements_around(function.node.body, lasting.node.start)
        for block, index in reversed(around):
            statement = block[index]
            if statement is within:
                return False
            if isinstance(statement, form.For):
                is_counting = isinstance(statement.iter, form.Call) and last_name(statement.iter.func) == "range"
                return not is_counting and not ends(statement.body)
            if ends(block[index:]):
                return False
        return False


def _adds(event: Event) -> bool:
    """`update(views=F("views") + 1)`, `account.balance += amount`."""
    if isinstance(event.node, form.AugAssign):
        return event.node.op in ("+", "-")
    values = [a.value for a in event.node.args if a.name] if isinstance(event.node, form.Call) else []
    return any(
        isinstance(value, form.Binary)
        and value.op in ("+", "-")
        and any(isinstance(n, form.Call) and last_name(n.func) == "F" for n in form.walk(value))
        for value in values
    )
