"""Receivers and routes: whether an alert gets to somebody, and an urgent one to a pager."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from assay.scanner.model.monitoring import AlertDestination, Destination
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.monitoring.found import Monitoring
from assay.scanner.readers.monitoring.facts import Held, Integration, Matcher, Receiver, Route, Routing

_READ_LATER = frozenset(
    {"slack", "email", "msteams", "msteamsv2", "teams", "discord", "rocketchat", "webex", "wechat", "mattermost"}
    | {"googlechat", "jira", "line", "threema"}
)
"""Kinds that wake nobody."""
_URGENCY = re.compile(r"sever|priorit|urgen|level|critical|^(page|pager|sev|team|oncall|escalat\w*)$", re.IGNORECASE)


def destinations(found: Monitoring) -> Iterator[AlertDestination]:
    """The receivers and routes of all files."""
    for path, facts in found.files.items():
        home = found.homes.of(path)
        for routing in facts.routings if home is not None else ():
            tree = _Tree(routing, path, home or "", found.role(path))
            yield from tree.routes()
            yield from tree.receivers()


class _Tree:
    """One configuration."""

    def __init__(self, routing: Routing, path: str, home: str, role: Role) -> None:
        self._routing, self._path, self._home, self._role = routing, path, home, role
        self._receivers = {receiver.name: receiver for receiver in routing.receivers}
        self._all = list(_below(routing.route, is_root=True)) if routing.route is not None else []

    def routes(self) -> Iterator[AlertDestination]:
        """One for the root, and one for each route below that names a receiver."""
        for number, (route, is_root) in enumerate(self._all):
            name = route.receiver or ""
            place = route.span.evidence(self._path, f"alerts go to {name}")
            known = name in self._receivers or "{{" in name or not name
            # What a namespace or a folder adds may name what others define.
            is_open = self._routing.is_part and not self._receivers
            yield AlertDestination(
                self._home,
                self._path,
                Destination.ROUTE,
                f"{name} {number}" if number else name,
                route.span.at(self._path),
                self._role,
                unknown=None if known or is_open else place,
                ungrouped=place if is_root and self._is_ungrouped(route) else None,
                unpaged=place if is_root and self._is_unpaged(route) else None,
                grouped=place,
                is_part=self._routing.is_part,
            )

    def _is_ungrouped(self, root: Route) -> bool:
        return not self._routing.is_part and not any(route.groups for route, _ in _below(root, is_root=True))

    def _is_unpaged(self, root: Route) -> bool:
        urgent, other = (self._told(root, {"severity": value}) for value in ("critical", "warning"))
        told_apart = any(
            _URGENCY.search(matcher.label) and route.receiver != root.receiver
            for route, _ in self._all
            for matcher in route.matchers
        )
        kinds = {each.kind for name in urgent for each in self._integrations(name)}
        return urgent == other and not told_apart and bool(kinds) and kinds <= _READ_LATER

    def _told(self, root: Route, labels: Mapping[str, str]) -> frozenset[str]:
        return frozenset(_reached(root, labels, root.receiver or ""))

    def _integrations(self, name: str) -> tuple[Integration, ...]:
        return self._receivers[name].integrations if name in self._receivers else ()

    def receivers(self) -> Iterator[AlertDestination]:
        """One each."""
        for receiver in self._routing.receivers:
            addresses = receiver.integrations
            held = {state: self._first(receiver, state) for state in Held}
            shown = next((held[s] for s in (Held.NOTHING, Held.PLACEHOLDER, Held.SECRET) if held[s] is not None), None)
            span = addresses[0].span if addresses else receiver.span
            empty = held[Held.NOTHING] if addresses else receiver.span.evidence(self._path, "tells nobody")
            yield AlertDestination(
                self._home,
                self._path,
                Destination.RECEIVER,
                receiver.name,
                shown.location if shown is not None else span.at(self._path),
                self._role,
                empty=empty,
                placeholder=held[Held.PLACEHOLDER],
                secret=held[Held.SECRET],
                templated=held[Held.TEMPLATED] or (empty if empty and self._is_mere_default(receiver.name) else None),
                kept=held[Held.REFERENCE] or held[Held.VALUE],
                is_part=self._routing.is_part,
                unneeded=self._unneeded(receiver),
            )

    def _first(self, receiver: Receiver, state: Held) -> Evidence | None:
        texts = {Held.NOTHING: "no address", Held.REFERENCE: "kept elsewhere", Held.VALUE: "an address"}
        found = (each for each in receiver.integrations if each.held is state)
        return next((e.span.evidence(self._path, f"{e.kind}: {texts.get(state, state)}") for e in found), None)

    def _unneeded(self, receiver: Receiver) -> str:
        leading = [(route, is_root) for route, is_root in self._all if route.receiver == receiver.name]
        if self._routing.route is not None and not leading:
            return "no route leads to it"
        if not receiver.integrations and leading and all(_is_chosen(route, is_root) for route, is_root in leading):
            return "it drops what its routes name, on purpose"
        return ""

    def _is_mere_default(self, name: str) -> bool:
        """It takes only what no route names, and urgent alerts go elsewhere."""
        root = self._routing.route
        return root is not None and root.receiver == name and name not in self._told(root, {"severity": "critical"})


def _is_chosen(route: Route, is_root: bool) -> bool:
    speaks_of_urgent = any(_URGENCY.search(m.label) and _holds(m, "critical") for m in route.matchers)
    return not is_root and bool(route.matchers) and not speaks_of_urgent


def _below(route: Route, *, is_root: bool) -> Iterator[tuple[Route, bool]]:
    if is_root or route.receiver is not None:
        yield route, is_root
    for each in route.routes:
        yield from _below(each, is_root=False)


def _reached(route: Route, labels: Mapping[str, str], above: str) -> Iterator[str]:
    """Who is told of an alert with these labels and no others."""
    receiver = route.receiver or above
    is_taken = False
    for each in route.routes:
        if _matches(each, labels):
            is_taken = True
            yield from _reached(each, labels, receiver)
            if not each.goes_on:
                return
    if not is_taken:
        yield receiver


def _matches(route: Route, labels: Mapping[str, str]) -> bool:
    return all(_holds(matcher, labels.get(matcher.label, "")) for matcher in route.matchers)


def _holds(matcher: Matcher, value: str) -> bool:
    if matcher.operator in ("=", "!="):
        return (value == matcher.value) is (matcher.operator == "=")
    try:
        is_like = re.fullmatch(matcher.value, value) is not None
    except re.error:
        return False
    return is_like is (matcher.operator == "=~")
