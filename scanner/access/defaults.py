"""What a new endpoint of an application is when nobody guards it: closed, or open like those that were forgotten."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.framework import AboveRoute, Route
from assay.scanner.model.access import Access, AccessDefault
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role

_SERVED = (EndpointKind.JSON, EndpointKind.HTML, EndpointKind.FILE)
_Below = list[tuple[AboveRoute, Endpoint]]


def access_defaults(endpoints: Iterable[tuple[Route, Endpoint]]) -> Iterator[AccessDefault]:
    """One for each application, or set of settings, that has endpoints which aren't for everybody."""
    groups: dict[tuple[str, Location], _Below] = {}
    for route, endpoint in endpoints:
        above = route.above
        is_judged = endpoint.role is Role.PROD and endpoint.kind in _SERVED and endpoint.public_purpose is None
        if above is not None and is_judged:
            groups.setdefault((above.framework, above.evidence.location), []).append((above, endpoint))
    ordinals = Ordinals()
    for (framework, location), below in groups.items():
        name = f"{framework} in {location.path}"
        number = ordinals.next(location.path, framework)
        yield _default(name if number == 1 else f"{name} ({number})", location, below)


def _default(name: str, location: Location, below: _Below) -> AccessDefault:
    own = [above for above, _ in below]
    is_open = [endpoint for above, endpoint in below if above.access is Access.OPEN]
    forgotten = [e for e in is_open if not e.auth and (e.changes or e.private_rows) and not _has_doubt(e)]
    return AccessDefault(
        name,
        location,
        Role.PROD,
        _access([above.access for above in own]),
        own[0].has_setting,
        (own[0].evidence,),
        guarded=sum(bool(endpoint.auth) for _, endpoint in below),
        by_hand=sum(bool(endpoint.auth) for endpoint in is_open),
        forgotten=tuple(Evidence(e.location, f"{e.label} asks nobody") for e in forgotten),
    )


def _has_doubt(endpoint: Endpoint) -> bool:
    return bool(endpoint.unresolved_guards or endpoint.stand_ins or endpoint.opened)


def _access(found: list[Access]) -> Access:
    """The loosest of what is above: routers that ask leave the one open that doesn't."""
    for access in (Access.OPEN, Access.READS_OPEN, Access.UNKNOWN):
        if access in found:
            return access
    return Access.CLOSED
