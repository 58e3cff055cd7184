"""Which routes a path of a test leads to: the template with the most literal segments that fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from assay.scanner.framework import Route
from assay.scanner.linker.project import Project
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.naming.templates import Segment, Takes, template_of
from assay.scanner.suite.route_names import RouteNames
from assay.scanner.suite.texts import Gap, Reversed, Text

_HOLE = "\0"
_MOST_PERHAPS = 12
"""Routes that a path with gaps may lead to, before it says nothing."""


@dataclass(slots=True, eq=False)
class _Node:
    """What follows after some segments of paths."""

    literal: dict[str, _Node] = field(default_factory=dict)
    mixed: list[tuple[re.Pattern[str], _Node]] = field(default_factory=list)
    digits: _Node | None = None
    any: _Node | None = None
    rest: list[Endpoint] = field(default_factory=list)
    ends: list[Endpoint] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Matched:
    """The endpoints that a request surely calls, and those that it may call."""

    certain: tuple[Endpoint, ...] = ()
    perhaps: tuple[Endpoint, ...] = ()


class Matcher:
    """The routes of a project, by path and by name."""

    def __init__(self, served: Iterable[tuple[Route, Endpoint]], project: Project) -> None:
        served = list(served)
        self._root = _Node()
        self._known: dict[tuple[str, Text], Matched] = {}
        self._names = RouteNames(served, project)
        self._by_last: dict[str, list[tuple[tuple[Segment, ...], Endpoint]]] = {}
        for _, endpoint in served:
            segments = tuple(s for s in template_of(endpoint.path).segments if s.text)
            self._plant(segments, endpoint)
            literals = [s.text for s in segments if s.static]
            if literals:
                self._by_last.setdefault(literals[-1], []).append((segments, endpoint))

    def _plant(self, segments: tuple[Segment, ...], endpoint: Endpoint) -> None:
        node = self._root
        for segment in segments:
            if segment.static is not None:
                node = node.literal.setdefault(segment.text, _Node())
            elif segment.takes is Takes.REST:
                node.rest.append(endpoint)
                return
            elif segment.takes is Takes.DIGITS:
                node.digits = node = node.digits or _Node()
            elif segment.text == _HOLE:
                node.any = node = node.any or _Node()
            else:
                pattern = re.compile(re.escape(segment.text).replace(re.escape(_HOLE), ".+"))
                known = next((n for p, n in node.mixed if p.pattern == pattern.pattern), None)
                if known is None:
                    known = _Node()
                    node.mixed.append((pattern, known))
                node = known
        node.ends.append(endpoint)

    def match(self, method: str, path: Text) -> Matched:
        """The endpoints of a method (`*` for any) and a path."""
        key = (method, path)
        if key not in self._known:
            self._known[key] = self._match(method, path)
        return self._known[key]

    def _match(self, method: str, path: Text) -> Matched:
        named = next((p for p in path if isinstance(p, Reversed)), None)
        if named is not None:
            certain, perhaps = self._names.named(named.name)
            after = path[path.index(named) + 1 :]
            if any(isinstance(p, str) and p.strip("/") for p in after):
                return Matched()  # something is put behind the path: another route's
            return Matched(_taking(certain, method), _taking(perhaps, method)[:_MOST_PERHAPS])
        segments = _segments(path)
        starts_open = bool(segments) and segments[0] == _HOLE and len(segments) > 1
        if not segments and Gap.ANY in path:
            return Matched()
        if segments == [_HOLE]:
            return Matched()
        found = self._ends(segments, method)
        if found:
            return self._meant(segments, method, found)
        if starts_open:
            for cut in range(1, len(segments) - 1):
                found = self._ends(segments[cut:], method)
                if found:
                    return Matched(found)
        elif len(segments) > 1 and segments[0] != _HOLE and segments[0] not in self._root.literal:
            # A prefix that a proxy, a tenant or a setting puts in front.
            found = self._ends(segments[1:], method)
            if found:
                return Matched(found)
        within = self._ending_in([s for s in segments if s != _HOLE or not starts_open] if starts_open else segments)
        found = _taking(within, method)
        if found and len({e.path for e in found}) == 1:
            return Matched(found)
        loose = list(dict.fromkeys(self._loosely(self._root, segments)))
        perhaps = _taking(loose, method)
        return Matched((), perhaps if len(perhaps) <= _MOST_PERHAPS else ())

    def _meant(self, segments: list[str], method: str, found: tuple[Endpoint, ...]) -> Matched:
        """A route of parameters alone takes anything; where others end in the very words, one of them may be meant."""
        if any(s.static for s in template_of(found[0].path).segments if s.text):
            return Matched(found)
        ending = _taking(self._ending_in(segments), method)
        if not ending:
            return Matched(found)
        return Matched(ending if len({e.path for e in ending}) == 1 else (), (*ending, *found)[:_MOST_PERHAPS])

    def _ends(self, segments: list[str], method: str) -> tuple[Endpoint, ...]:
        """Of the first template, the most literal first, that fits and takes the method."""
        for endpoints in self._follow(self._root, segments, 0):
            found = _taking(endpoints, method)
            if found:
                return found
        return ()

    def _follow(self, node: _Node, segments: list[str], at: int) -> Iterator[list[Endpoint]]:
        if at == len(segments):
            if node.ends:
                yield node.ends
            if node.rest:
                yield node.rest
            return
        segment = segments[at]
        if segment in node.literal:
            yield from self._follow(node.literal[segment], segments, at + 1)
        for pattern, below in node.mixed:
            if pattern.fullmatch(segment.replace(_HOLE, "0")) or (_HOLE in segment and segment != _HOLE):
                yield from self._follow(below, segments, at + 1)
        if node.digits is not None and (_HOLE in segment or segment.isdigit()):
            yield from self._follow(node.digits, segments, at + 1)
        if node.any is not None:
            yield from self._follow(node.any, segments, at + 1)
        if node.rest:
            yield node.rest

    def _loosely(self, node: _Node, segments: list[str], at: int = 0) -> Iterator[Endpoint]:
        """Where a gap may stand for a literal segment as well."""
        if at == len(segments):
            yield from node.ends
            return
        segment = segments[at]
        if _HOLE in segment:
            pattern = re.compile(re.escape(segment).replace(re.escape(_HOLE), ".*"))
            for text, below in node.literal.items():
                if pattern.fullmatch(text):
                    yield from self._loosely(below, segments, at + 1)
        elif segment in node.literal:
            yield from self._loosely(node.literal[segment], segments, at + 1)
        for further in (node.digits, node.any):
            if further is not None:
                yield from self._loosely(further, segments, at + 1)

    def _ending_in(self, segments: list[str]) -> Iterator[Endpoint]:
        """Where the client adds a prefix of its own, the routes that end in what the test says."""
        known = next((s for s in reversed(segments) if s in self._by_last), None)
        for template, endpoint in self._by_last[known] if known is not None else ():
            own = template[-len(segments) :]
            if len(own) == len(segments) < len(template) and all(
                s.text == given if s.static else True for s, given in zip(own, segments, strict=True)
            ):
                yield endpoint


def _segments(path: Text) -> list[str]:
    text = "".join(p if isinstance(p, str) else _HOLE for p in path)
    return [s for s in text.split("/") if s]


def _taking(endpoints: Iterable[Endpoint], method: str) -> tuple[Endpoint, ...]:
    wanted = "GET" if method == "HEAD" else method
    return tuple(
        e
        for e in endpoints
        if wanted == "*" or e.method in (wanted, "ANY", method) or (wanted == "WEBSOCKET" and e.kind == "websocket")
    )
