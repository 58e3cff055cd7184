"""Where an address leads: to the same machine, into the own network, or out into the world."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import urlsplit

from assay.scanner.model.transport import Place

_LOCAL = frozenset({"localhost", "metadata", "metadata.google.internal", "host.docker.internal", "0.0.0.0"})  # noqa: S104
_OWN_ENDINGS = (".local", ".internal", ".lan", ".svc", ".cluster.local", ".intranet", ".home.arpa", ".localhost")
_COMPUTED = "{}"
_NAME = re.compile(r"[\w.-]+")


def place_of(host: str | None) -> Place:
    """The place of a host name or address; a name without dots is a neighbour in the same network."""
    if not host or _COMPUTED in host or not _NAME.fullmatch(host.strip("[]").replace(":", "")):
        return Place.UNKNOWN
    name = host.strip("[]").lower()
    if name in _LOCAL or name.endswith(".localhost"):
        return Place.LOCAL
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return Place.NEAR if "." not in name or name.endswith(_OWN_ENDINGS) else Place.WORLD
    if address.is_loopback or address.is_link_local or address.is_unspecified:
        return Place.LOCAL
    return Place.NEAR if address.is_private else Place.WORLD


def host_in(url: str) -> str | None:
    """The host of a URL, in which computed parts stand as `{}`."""
    try:
        return urlsplit(url.replace(_COMPUTED, "computed-part")).hostname
    except ValueError:  # an address that no library would take either
        return None


def place_in(url: str) -> Place:
    """Where the URL leads; one whose host is computed, even in part, leads somewhere unknown."""
    host = host_in(url)
    return Place.UNKNOWN if host is None or "computed-part" in host else place_of(host)
