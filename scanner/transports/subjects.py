"""Every connection that could be encrypted, with what is known of it."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.transport import Place, Transport
from assay.scanner.transports.clients import clients
from assay.scanner.transports.mail_settings import mail_settings
from assay.scanner.transports.places import place_in
from assay.scanner.transports.requests import carried_by


def transports(gathered: Gathered) -> Iterator[Transport]:
    """Clients, settings and requests, each counted among those of its function."""
    ordinals = Ordinals()
    for found in clients(gathered):
        module, function = found.scope.module, around(found.scope)
        yield Transport(
            function,
            ordinals.next(function, found.protocol),
            found.protocol,
            module.location(found.call),
            module.role,
            found.place,
            found.encrypted,
            found.carries,
        )
    for mail in mail_settings(gathered):
        group = mail.shown.group
        number = ordinals.next(group, "SMTP")
        yield Transport(group, number, "SMTP", mail.shown.location, Role.PROD, mail.place, mail.encrypted, mail.carries)
    yield from _requests(gathered, ordinals)


def _requests(gathered: Gathered, ordinals: Ordinals) -> Iterator[Transport]:
    """Requests whose address begins with a scheme."""
    for request in gathered.requests:
        url = request.url or ""
        if not url.startswith(("http://", "https://")) or request.role is not Role.PROD:
            continue
        is_encrypted = url.startswith("https://")
        place = place_in(url)
        carries = () if is_encrypted or place is Place.LOCAL else tuple(carried_by(request, gathered))
        evidence = Evidence(request.location, f"it goes to {url}")
        number = ordinals.next(request.function, "HTTP")
        yield Transport(
            request.function,
            number,
            "HTTP",
            request.location,
            request.role,
            place,
            Option(is_encrypted, (evidence,)),
            carries,
        )
