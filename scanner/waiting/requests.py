"""What takes long while the clients of endpoints wait."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.ways import Turn, way_to
from assay.scanner.framework import Route
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.model.waiting import RequestWork, Wait
from assay.scanner.readers.python import form
from assay.scanner.waiting.async_functions import handed_over
from assay.scanner.waiting.calls import DirectCalls, Step, is_generator
from assay.scanner.waiting.chains import Chains
from assay.scanner.waiting.waits import Site, Waits

_HEAVY = frozenset({Wait.MAIL, Wait.PROCESS, Wait.COMPUTING, Wait.IMAGES, Wait.ARCHIVES, Wait.SLEEP, Wait.JOB})
_STAYING_OPEN = frozenset({EndpointKind.WEBSOCKET, EndpointKind.STREAM})
_PATIENCE = 30
"""Seconds after which Gunicorn, unless told otherwise, gives up on a request."""
_NOTICED = 0.05
"""Seconds from which on a sleep is told."""
_TRYING = frozenset({"test", "check", "try", "ping", "diagnose", "diagnostics"})
"""Words of endpoints that tell whether something works."""
_QUEUEING = ("celery", "queue", "post_office", "mailer.backend", "huey", "rq", "locmem", "dummy")


class Requests:
    """Judges the endpoints of one tree."""

    def __init__(
        self,
        endpoints: Sequence[tuple[Route, Endpoint]],
        settings: Sequence[Setting],
        calls: DirectCalls,
        waits: Waits,
    ) -> None:
        self._endpoints = sorted(
            ((r, e) for r, e in endpoints if e.role is Role.PROD), key=lambda pair: pair[1].location
        )
        self._calls = calls
        self._waits = waits
        self._mails_are_queued = any(
            s.name.endswith("EMAIL_BACKEND") and any(word in (s.value or "") for word in _QUEUEING) for s in settings
        )

    def all(self) -> Iterator[RequestWork]:
        """In order of place."""
        handlers = [r.handler for r, _ in self._endpoints if r.handler is not None]
        chains = Chains(handlers, self._calls, self._is_waited_for, self._heavy)
        for route, endpoint in self._endpoints:
            handler = route.handler
            aside = "no code of the project answers it" if handler is None else None
            if endpoint.kind in _STAYING_OPEN:
                aside = "it stays open by intention"
            work = RequestWork(endpoint.method, endpoint.path, endpoint.location, endpoint.role, aside=aside)
            if handler is None or aside is not None:
                yield work
                continue
            yield RequestWork(
                endpoint.method,
                endpoint.path,
                endpoint.location,
                endpoint.role,
                tuple(chains.delays(handler, endpoint.label)),
                endpoint.privilege is not None or "admin" in endpoint.path.lower(),
                not _TRYING.isdisjoint(words(f"{endpoint.path} {last_part(handler.qualname)}")),
                handed_over=tuple(handed_over(handler, self._calls.of(handler))),
            )

    def _is_waited_for(self, step: Step) -> bool:
        is_left = not self._calls.of(step.caller).is_waited_for(step)
        return not is_left and not _after_failure(step.caller, step.call)

    def _heavy(self, function: FunctionSymbol) -> Iterator[Site]:
        for site in self._waits.of(function):
            if site.wait not in _HEAVY or _is_bounded(site) or (site.wait is Wait.SLEEP and not _is_noticed(site)):
                continue
            is_queued = self._mails_are_queued and site.name.startswith("django.core.mail.")
            if not is_queued and not _after_failure(function, site.call):
                yield site


def _is_bounded(site: Site) -> bool:
    """Whether a program that a client waits for may not run longer than servers let requests run."""
    limit = site.call.keyword("timeout") if site.wait is Wait.PROCESS else None
    return isinstance(limit, form.Const) and isinstance(limit.value, int | float) and limit.value <= _PATIENCE


def _is_noticed(site: Site) -> bool:
    """Whether a client notices the sleep: one that is awaited, and repeated, is between messages of a stream."""
    seconds = site.call.positional[:1]
    value = seconds[0].value if seconds and isinstance(seconds[0], form.Const) else None
    if isinstance(value, int | float) and value < _NOTICED:
        return False
    way = way_to(site.function.node.body, site.call.start)
    return site.holds_up or not (is_generator(site.function) or any(b.turn is Turn.REPEATED for b in way))


def _after_failure(function: FunctionSymbol, call: form.Call) -> bool:
    return any(b.turn is Turn.HANDLED for b in way_to(function.node.body, call.start))
