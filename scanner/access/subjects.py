"""Who is let in: what is open by default, guards that act, sockets and webhooks."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.access.defaults import access_defaults
from assay.scanner.access.guard_uses import guard_uses
from assay.scanner.access.sockets.consumers import consumers
from assay.scanner.access.sockets.routes import socket_routes
from assay.scanner.access.webhooks import inbound_webhooks
from assay.scanner.gathered import Gathered
from assay.scanner.model.access import AccessDefault, GuardUse, InboundWebhook, SocketEntrance


def entrances(gathered: Gathered) -> Iterator[AccessDefault | GuardUse | InboundWebhook | SocketEntrance]:
    """Who is let in: defaults, guards that act or not, sockets, webhooks."""
    yield from access_defaults(gathered.endpoints)
    yield from guard_uses(gathered)
    yield from socket_routes(gathered.endpoints, gathered.project)
    yield from consumers(gathered.project)
    yield from inbound_webhooks(gathered.endpoints, gathered.project)
