"""Which of two routes answers a request that both match, by the order that their framework asks them in.

Starlette and FastAPI (https://www.starlette.io/routing/#route-priority), Django
(https://docs.djangoproject.com/en/stable/topics/http/urls/#how-django-processes-a-request) take the first route that
matches. Werkzeug ranks rules: of two equal ones the first wins. Litestar, Sanic and Falcon refuse to start
with two equal routes, and aiohttp looks for literal paths first: nothing is said of those.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum, auto
from itertools import islice

from assay.scanner.dataflow.blocks import Block, ModuleBlocks
from assay.scanner.framework import Route, Sited
from assay.scanner.linker.scopes import Module
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.naming import Precedence, RouteOverlap
from assay.scanner.model.place import Evidence
from assay.scanner.naming.apis import ApiRoute
from assay.scanner.naming.places import registered_at
from assay.scanner.naming.templates import Takes
from assay.scanner.readers.python import form


class _Matching(Enum):
    """How a framework chooses among routes."""

    FIRST = auto()
    """The first whose path and method match."""
    FIRST_PATH = auto()
    """The first whose path matches: it answers 405 to methods that it doesn't know."""
    RANKED = auto()
    """The most specific one; the first of equal ones."""


_MATCHING = {
    "fastapi": _Matching.FIRST,
    "starlette": _Matching.FIRST,
    "Django": _Matching.FIRST_PATH,
    "Django REST framework": _Matching.FIRST_PATH,
    "django-ninja": _Matching.FIRST_PATH,
    "flask": _Matching.RANKED,
    "flask_restful": _Matching.RANKED,
}
_BY_METHOD = "django-ninja"
"""It puts the methods of one path behind one pattern."""
_WITHOUT_HEAD = frozenset({"fastapi"})
"""Frameworks that answer HEAD where a route says so only, and not wherever one takes GET."""
_HOSTS = ("subdomain", "host")
_SOCKET = EndpointKind.WEBSOCKET
_MOST_SEEN = 200
"""Overlaps of one route that are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class _Candidate:
    """One method of a route of an application."""

    found: ApiRoute
    matching: _Matching

    @property
    def route(self) -> Route:
        return self.found.route

    @property
    def method(self) -> str:
        return self.found.endpoint.method

    @property
    def place(self) -> Evidence:
        return Evidence(registered_at(self.route), f"{self.method} {self.found.template.text}")


class Precedences:
    """The overlaps among routes."""

    def __init__(self) -> None:
        self._blocks: dict[Module, ModuleBlocks] = {}

    def overlaps(self, routes: Iterable[ApiRoute]) -> Iterable[RouteOverlap]:
        """Each route that another route of its application stands in the way of, or might."""
        tables: dict[tuple[Module, int], list[_Candidate]] = {}
        for each in routes:
            matching = _MATCHING.get(each.route.framework)
            table = each.route.application
            is_told = each.template.is_exact and not each.is_computed and not _is_of_host(each.route)
            if matching is not None and table is not None and is_told and each.endpoint.kind is not _SOCKET:
                tables.setdefault((table.module, table.node.start), []).append(_Candidate(each, matching))
        found = dict[str, RouteOverlap]()
        for candidates in tables.values():
            tree = _Node()
            for candidate in candidates:
                _plant(tree, candidate)
            for later in candidates:
                overlap = self._worst(later, _meeting(tree, later))
                if overlap is not None:
                    found.setdefault(overlap.subject_id, overlap)
        return found.values()

    def _worst(self, later: _Candidate, others: Iterable[_Candidate]) -> RouteOverlap | None:
        """What becomes of the route, all others seen: one that takes all of its requests counts most."""
        found: dict[Precedence, _Candidate] = {}
        for other in others:
            precedence = self._precedence(later, other)
            if precedence is not None:
                found.setdefault(precedence, other)
        for precedence in (Precedence.SHADOWED, Precedence.ORDER_UNKNOWN, *Precedence):
            if precedence in found:
                return _overlap(later, found[precedence], precedence)
        return None

    def _precedence(self, later: _Candidate, other: _Candidate) -> Precedence | None:
        if other is later or not _answer_alike(later, other) or _is_same_pattern(later.route, other.route):
            return None
        is_same = later.found.template.form == other.found.template.form
        if is_same and later.route.framework == _BY_METHOD and later.method != other.method:
            return None
        if not is_same and not other.found.template.may_meet(later.found.template):
            return None
        if is_same and later.route.handler_name == other.route.handler_name:
            return Precedence.SAME_HANDLER
        if later.matching is _Matching.RANKED and not is_same:
            return Precedence.RANKED
        if not (is_same or other.found.template.takes_all_of(later.found.template)):
            return Precedence.SPECIFIC_FIRST
        order = self._comes_first(other.route, later.route)
        if order is None:
            return None if self._depends(other.route) else Precedence.ORDER_UNKNOWN
        if order is False:
            return Precedence.SPECIFIC_FIRST if not is_same else None
        return None if self._depends(other.route) else Precedence.SHADOWED

    def _comes_first(self, first: Route, second: Route) -> bool | None:
        """Whether it is registered before the other; None where the calls are in code that runs in an unknown order."""
        is_repeated = False
        for mine, other in zip(first.steps, second.steps, strict=False):
            if mine.node is other.node:
                is_repeated |= self._is_in_loop(mine)
                continue
            if mine.scope is not other.scope or (is_repeated and _router(mine) != _router(other)):
                return None
            return mine.node.start < other.node.start
        return None

    def _is_in_loop(self, step: Sited) -> bool:
        """Whether it puts several routers into the application, in the order of what it loops over."""
        return any(isinstance(b.header, form.For | form.While) for b in self._blocks_around(step))

    def _depends(self, route: Route) -> bool:
        """Whether it is there on a condition only: another one may be there instead."""
        return any(self._is_conditional(step) for step in route.steps)

    def _is_conditional(self, step: Sited) -> bool:
        return any(isinstance(b.header, form.If | form.Try | form.Handler) for b in self._blocks_around(step))

    def _blocks_around(self, step: Sited) -> Iterator[Block]:
        if step.module not in self._blocks:
            self._blocks[step.module] = ModuleBlocks(step.module)
        return self._blocks[step.module].innermost(step.node.start).within_function()


def _router(step: Sited) -> tuple[Module, str | None]:
    """What the route is registered at, as it is spelled."""
    func = step.node.func if isinstance(step.node, form.Call) else None
    return step.module, form.dotted(func.value) if isinstance(func, form.Attr) else None


def _is_of_host(route: Route) -> bool:
    """Whether it answers for one host or subdomain only, so that another one with its path may stand beside it."""
    calls = (step.node for step in route.steps)
    return any(call.keyword(name) is not None for call in calls if isinstance(call, form.Call) for name in _HOSTS)


def _answer_alike(later: _Candidate, other: _Candidate) -> bool:
    """Whether a request of the later one's method ends at the other one, if that is asked first."""
    if later.matching is _Matching.FIRST_PATH:
        return True
    takes_head = other.method == "GET" and other.route.framework not in _WITHOUT_HEAD
    return other.method in (later.method, "ANY") or (later.method == "HEAD" and takes_head)


def _is_same_pattern(one: Route, other: Route) -> bool:
    """Two methods of one view, or two routes of one viewset."""
    return bool(one.steps) and bool(other.steps) and one.steps[-1].node is other.steps[-1].node


def _overlap(later: _Candidate, other: _Candidate, precedence: Precedence) -> RouteOverlap:
    return RouteOverlap(
        method=later.method,
        path=later.found.template.text,
        handler=later.route.handler_name,
        other=other.found.template.text,
        precedence=precedence,
        is_equal=later.found.template.form == other.found.template.form,
        location=registered_at(later.route),
        role=later.found.endpoint.role,
        evidence=(other.place,),
    )


@dataclass(slots=True)
class _Node:
    """Routes by their segments, so that each one is compared with those that it may meet only.

    `ends` are those whose last segment leads here, `rest` those that take all that follows.
    """

    statics: dict[str, _Node] = field(default_factory=dict)
    dynamic: _Node | None = None
    ends: list[_Candidate] = field(default_factory=list)
    rest: list[_Candidate] = field(default_factory=list)


def _plant(node: _Node, candidate: _Candidate) -> None:
    for segment in candidate.found.template.segments:
        if segment.takes is Takes.REST:
            node.rest.append(candidate)
            return
        if segment.static is not None:
            node = node.statics.setdefault(segment.static, _Node())
        else:
            node.dynamic = node.dynamic or _Node()
            node = node.dynamic
    node.ends.append(candidate)


def _meeting(tree: _Node, candidate: _Candidate) -> Iterator[_Candidate]:
    """Those whose segments may match the same, roughly."""
    nodes = [tree]
    for segment in candidate.found.template.segments:
        for node in nodes:
            yield from node.rest
        below = [node.dynamic for node in nodes if node.dynamic is not None]
        if segment.static is not None:
            below += [node.statics[segment.static] for node in nodes if segment.static in node.statics]
        else:
            below += [child for node in nodes for child in node.statics.values()]
        nodes = below
    yield from islice((end for node in nodes for end in node.ends), _MOST_SEEN)
