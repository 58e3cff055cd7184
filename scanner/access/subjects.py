"""Who is let in: what is open by default, guards that act, sockets and webhooks."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.access.defaults import access_defaults
from assay.scanner.access.guard_uses import guard_uses
from assay.scanner.gathered import Gathered
from assay.scanner.model.access import AccessDefault, GuardUse, InboundWebhook, SocketEntrance


def entrances(gathered: Gathered) -> Iterator[AccessDefault | GuardUse | InboundWebhook | SocketEntrance]:
    """Who is let in: defaults, guards that act or not, sockets, webhooks."""
    yield from access_defaults(gathered.endpoints)
    yield from guard_uses(gathered)
