"""Addresses, hosts and schemes of clients that a service believes, as the model has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.model.traffic import ClientAddress
from assay.scanner.traffic.address_headers import address_reads
from assay.scanner.traffic.limiter_keys import LimiterKey, limiter_keys
from assay.scanner.traffic.proxy_trust import proxy_trusts


def client_addresses(gathered: Gathered, production: Production) -> Iterator[ClientAddress]:
    """In order of place."""
    keys = list(limiter_keys(gathered.project, production, [e for _, e in gathered.endpoints]))
    found = [*_counted_by(keys), *_read(gathered, keys), *_trusted(gathered, production, keys)]
    ordinals = Ordinals()
    for address in sorted(found, key=lambda a: a.location):
        yield replace(address, ordinal=ordinals.next(address.function, address.what))


def _counted_by(keys: list[LimiterKey]) -> Iterator[ClientAddress]:
    for key in keys:
        yield ClientAddress(
            key.function, 0, "limiter key", key.location, key.role, key.trust, (key.evidence,), key.evidence
        )


def _read(gathered: Gathered, keys: list[LimiterKey]) -> Iterator[ClientAddress]:
    """Reads of headers, but for those that a limiter's key is told by."""
    told = {key.evidence.location for key in keys}
    for read in address_reads(gathered.project):
        module = read.scope.module
        place = module.location(read.node)
        if place not in told:
            shown = module.evidence(read.node, f"takes the address from {read.what}")
            aside = "it is only logged or stored" if read.use is None else None
            yield ClientAddress(
                around(read.scope), 0, read.what, place, module.role, read.trust, (shown,), read.use, aside
            )


def _trusted(gathered: Gathered, production: Production, keys: list[LimiterKey]) -> Iterator[ClientAddress]:
    """Where a limiter counts by the connection, what the server takes for its address decides."""
    counted = next((key.evidence for key in keys if key.is_of_connection), None)
    for trust in proxy_trusts(gathered.project, production, gathered.deployments.values()):
        use = counted if trust.sets_address else None
        yield ClientAddress(trust.function, 0, trust.what, trust.location, trust.role, trust.trust, trust.evidence, use)
