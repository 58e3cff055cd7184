"""Async functions on the event loop, with what holds it up."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.model.waiting import AsyncFunction, Wait
from assay.scanner.waiting.calls import Body, DirectCalls
from assay.scanner.waiting.chains import Chains
from assay.scanner.waiting.waits import Site, Waits

_BLOCKING = frozenset(Wait) - {Wait.DATABASE, Wait.FILES}
_QUERYING = frozenset({Wait.DATABASE})
_FILING = frozenset({Wait.FILES})
_OFFLOADING = frozenset(
    {
        "to_thread", "run_in_threadpool", "run_in_executor", "sync_to_async", "run_sync", "add_task", "submit",
        "BackgroundTask", "run_in_process", "delay", "apply_async", "enqueue", "enqueue_job", "kiq",
        "database_sync_to_async",
    }
)  # fmt: skip


class AsyncFunctions:
    """Judges the functions that run on one event loop."""

    def __init__(self, on_loop: Sequence[FunctionSymbol], calls: DirectCalls, waits: Waits) -> None:
        self._calls = calls
        self._waits = waits
        self._functions = sorted((f for f in on_loop if f.node.is_async), key=lambda f: f.location)

    def all(self) -> Iterator[AsyncFunction]:
        """In order of place."""
        blocking, filing, querying = (self._chains(kinds) for kinds in (_BLOCKING, _FILING, _QUERYING))
        ordinals = Ordinals()
        for function in self._functions:
            ordinal = ordinals.next(function.id, "")
            blocks = [*blocking.delays(function, function.id), *filing.delays(function, function.id)]
            yield AsyncFunction(
                function.id,
                ordinal,
                function.location,
                function.module.role,
                tuple(blocks),
                tuple(querying.delays(function, function.id)),
                tuple(self._awaited(function)),
                tuple(handed_over(function, self._calls.of(function))),
            )

    def _chains(self, kinds: frozenset[Wait]) -> Chains:
        return Chains(
            self._functions, self._calls, lambda step: not step.callee.node.is_async, lambda f: self._sites(f, kinds)
        )

    def _sites(self, function: FunctionSymbol, kinds: frozenset[Wait]) -> Iterator[Site]:
        for site in self._waits.of(function):
            # Sessions and cursors have the same names with and without `await`.
            is_open = site.wait is Wait.DATABASE and site.goes_on
            if site.wait in kinds and site.holds_up and not is_open:
                yield site

    def _awaited(self, function: FunctionSymbol) -> Iterator[Evidence]:
        found = [s for s in self._waits.of(function) if s.wait is Wait.DATABASE and not s.holds_up]
        yield from (site.function.module.evidence(site.call, f"`{site.name}` is awaited") for site in found[:1])


def handed_over(function: FunctionSymbol, body: Body) -> Iterator[Evidence]:
    """Where the function hands work to a thread, a process or a queue."""
    for call in body.calls:
        if last_name(call.func) in _OFFLOADING:
            yield function.module.evidence(call, f"`{last_name(call.func)}` hands it over")
            return
