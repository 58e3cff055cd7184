"""The shortest way from a function to a call that takes long, through functions of the project."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator

from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.model.waiting import Delay
from assay.scanner.waiting.calls import DirectCalls, Step
from assay.scanner.waiting.waits import Site

_LONGEST = 8
_MOST = 3
"""Calls shown of one function."""


class Chains:
    """Found for all functions at once: forwards to learn what there is, then backwards from the calls in question."""

    def __init__(
        self,
        starts: Iterable[FunctionSymbol],
        calls: DirectCalls,
        goes_on: Callable[[Step], bool],
        sites_in: Callable[[FunctionSymbol], Iterable[Site]],
    ) -> None:
        self._calls = calls
        self._goes_on = goes_on
        self._sites: dict[FunctionSymbol, tuple[Site, ...]] = {}
        self._next: dict[FunctionSymbol, Step] = {}
        self._length: dict[FunctionSymbol, int] = {}
        self._told: dict[FunctionSymbol, str] = {}
        into: dict[FunctionSymbol, list[Step]] = {}
        queue = deque(dict.fromkeys(starts))
        seen = set(queue)
        while queue:
            function = queue.popleft()
            sites = tuple(sites_in(function))
            if sites:
                self._sites[function] = sites
            for step in calls.of(function).steps:
                if goes_on(step):
                    into.setdefault(step.callee, []).append(step)
                    if step.callee not in seen:
                        seen.add(step.callee)
                        queue.append(step.callee)
        self._backwards(into)

    def _backwards(self, into: dict[FunctionSymbol, list[Step]]) -> None:
        queue = deque(self._sites)
        self._length = dict.fromkeys(self._sites, 0)
        while queue:
            function = queue.popleft()
            for step in into.get(function, ()) if self._length[function] < _LONGEST else ():
                if step.caller not in self._length:
                    self._length[step.caller] = self._length[function] + 1
                    self._next[step.caller] = step
                    queue.append(step.caller)

    def delays(self, function: FunctionSymbol, name: str) -> Iterator[Delay]:
        """What the function waits for: in its own body, then in what it calls, one for each function at the end.

        `name` is what the reader is told it at. Another function that leads to the same end is told that name.
        """
        for site in self._sites.get(function, ())[:_MOST]:
            yield Delay(site.wait, site.name, (site.evidence,), self._told_at(function, name))
        led: dict[FunctionSymbol, list[Step]] = {}
        for step in self._calls.of(function).steps:
            if self._goes_on(step) and step.callee in self._length:
                way = [step, *self._way(step.callee)]
                led.setdefault(way[-1].callee, way)
        for end, way in list(led.items())[:_MOST]:
            site = self._sites[end][0]
            yield Delay(site.wait, site.name, (*map(_said, way), site.evidence), self._told_at(end, name))

    def _way(self, function: FunctionSymbol) -> Iterator[Step]:
        while function not in self._sites:
            yield self._next[function]
            function = self._next[function].callee

    def _told_at(self, end: FunctionSymbol, name: str) -> str | None:
        first = self._told.setdefault(end, name)
        return first if first != name else None


def _said(step: Step) -> Evidence:
    return step.caller.module.evidence(step.call, f"it calls `{step.callee.name}`")
