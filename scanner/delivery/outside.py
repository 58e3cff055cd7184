"""What a consumer does outside of its own database: mails, and requests that change something."""

from __future__ import annotations

from collections import deque

from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence

_OUTSIDE = frozenset({EffectKind.MAIL, EffectKind.REQUEST})
_SAID = {EffectKind.MAIL: "a mail goes out", EffectKind.REQUEST: "another service is asked to change something"}
_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_DEEPEST = 5
_MOST = 80
"""Functions looked at behind one consumer."""
_DOUBTFUL = 2
"""From this rank of caveats on it isn't sure that the function runs."""


class Outside:
    """Answers for one tree."""

    def __init__(self, gathered: Gathered) -> None:
        self._bodies = gathered.bodies
        self._requests: dict[str, OutboundCall] = {}
        for request in gathered.requests:
            if request.method in _WRITING:
                self._requests.setdefault(request.function, request)

    def of(self, function: FunctionSymbol) -> tuple[Evidence, ...]:
        """The shortest way to a mail or a request that writes; empty where there is none in sight."""
        queue: deque[tuple[FunctionSymbol, tuple[Evidence, ...]]] = deque([(function, ())])
        seen = {function}
        while queue:
            current, steps = queue.popleft()
            here = self._here(current)
            if here is not None:
                return (*steps, here)
            for edge in self._bodies.of(current).edges if len(steps) < _DEEPEST and len(seen) < _MOST else ():
                if edge.callee not in seen and edge.caveats.rank < _DOUBTFUL:
                    seen.add(edge.callee)
                    step = current.module.evidence(edge.node, f"it calls `{edge.callee.name}`")
                    queue.append((edge.callee, (*steps, step)))
        return ()

    def _here(self, function: FunctionSymbol) -> Evidence | None:
        request = self._requests.get(function.id)
        if request is not None:
            return request.place
        for change in self._bodies.of(function).changes:
            if change.kind in _OUTSIDE and change.caveats.excuse is None:
                return function.module.evidence(change.node, _SAID[change.kind])
        return None
