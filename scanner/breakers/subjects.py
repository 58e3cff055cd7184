"""Every circuit breaker of the service."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.breakers.answering import Answering, has_fallback
from assay.scanner.breakers.dependencies import Dependencies
from assay.scanner.breakers.lifetime import defined_anew, forgotten
from assay.scanner.breakers.made import OWN, Made, made_breakers
from assay.scanner.breakers.protected import Use, Uses, swallowed, unnoticed
from assay.scanner.clients.sent import SentRequests
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.model.breaker import CircuitBreaker
from assay.scanner.model.place import Evidence
from assay.scanner.model.synchronous_dependency import SynchronousDependency
from assay.scanner.retries.subjects import found_policies

_SHOWN = 3


def circuit_breakers(gathered: Gathered) -> Iterator[CircuitBreaker | SynchronousDependency]:
    """In order of place, and then what requests wait for."""
    made = made_breakers(gathered.project)
    uses: list[Use] = []
    if made:
        reader = _Reader(gathered)
        ordinals = Ordinals()
        for each in made:
            function = each.protected.id if each.protected is not None else around(each.scope)
            of_this = reader.uses(each)
            uses += of_this
            yield reader.breaker(each, of_this, function, ordinals.next(function, "breaker"))
    yield from Dependencies(gathered, found_policies(gathered), uses).all()


class _Reader:
    def __init__(self, gathered: Gathered) -> None:
        project = gathered.project
        self._project = project
        self._sent = SentRequests(gathered.requests)
        self._uses = Uses(project)
        self._answering = Answering(project, (r.handler for r, _ in gathered.endpoints if r.handler is not None))
        self._for_all = self._answering.for_all()

    def uses(self, made: Made) -> list[Use]:
        """What goes through it."""
        return self._uses.of(made)

    def breaker(self, made: Made, uses: list[Use], function: str, ordinal: int) -> CircuitBreaker:
        answered, surfacing = self._answer(made, uses)
        is_own = made.library == OWN
        return CircuitBreaker(
            function,
            ordinal,
            made.library,
            made.scope.module.location(made.call),
            made.scope.module.role,
            protects=tuple(use.shown for use in uses[:_SHOWN]),
            forgotten=forgotten(made.call, made.scope, self._project)
            if made.protected is None
            else defined_anew(made.protected, made.call),
            swallowed=next((e for u in uses if not is_own and (e := swallowed(u, self._sent, self._project))), None),
            unnoticed=next((e for u in uses if not is_own and (e := unnoticed(u, self._sent, self._project))), None),
            surfacing=surfacing,
            answered=answered,
            offline=offline_reason(made.scope),
        )

    def _answer(self, made: Made, uses: list[Use]) -> tuple[Evidence | None, Evidence | None]:
        known = self._for_all or has_fallback(made.call, made.scope)
        if known is not None or made.library == OWN:
            return known, None
        found = [self._answering.of(use) for use in uses]
        answered = next((answer for answer, _ in found if answer is not None), None)
        return answered, next((missing for _, missing in found if missing is not None), None)
