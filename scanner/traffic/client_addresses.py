"""Addresses, hosts and schemes of clients that a service believes, as the model has them."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.model.place import Evidence
from assay.scanner.model.traffic import ClientAddress, Trust
from assay.scanner.traffic.address_headers import address_reads
from assay.scanner.traffic.limiter_keys import limiter_keys
from assay.scanner.traffic.proxy_trust import proxy_trusts

_KEY = "limiter key"


def client_addresses(gathered: Gathered, production: Production) -> Iterator[ClientAddress]:
    """In order of place."""
    found = [*_all(gathered, production)]
    ordinals = Ordinals()
    for each, function in sorted(found, key=lambda pair: pair[0].location):
        yield ClientAddress(
            function=function,
            ordinal=ordinals.next(function, each.what),
            what=each.what,
            location=each.location,
            role=each.role,
            trust=each.trust,
            evidence=each.evidence,
            use=each.use,
            aside=each.aside,
        )


def _all(gathered: Gathered, production: Production) -> Iterator[tuple[ClientAddress, str]]:
    project = gathered.project
    keys = list(limiter_keys(project, production, [e for _, e in gathered.endpoints]))
    counted = next((k.evidence for k in keys if k.trust is Trust.PEER and "connect from" in k.evidence.text), None)
    claimed = {k.evidence.location for k in keys}
    for key in keys:
        yield (
            ClientAddress("", 0, _KEY, key.location, key.role, key.trust, (key.evidence,), key.evidence),
            key.function,
        )
    for read in address_reads(project):
        module = read.scope.module
        place = module.location(read.node)
        if place in claimed:
            continue  # the limiter that is keyed by it is told
        shown = (module.evidence(read.node, f"takes the address from {read.what}"),)
        aside = "it is only logged or stored" if read.use is None else None
        yield (
            ClientAddress("", 0, read.what, place, module.role, read.trust, shown, read.use, aside),
            around(read.scope),
        )
    for trust in proxy_trusts(project, production, iter(gathered.deployments.values())):
        use = _use(trust.what, counted)
        yield (
            ClientAddress("", 0, trust.what, trust.location, trust.role, trust.trust, trust.evidence, use),
            trust.function,
        )


def _use(what: str, counted: Evidence | None) -> Evidence | None:
    """What hangs on the addresses that a server takes from proxies."""
    return counted if "forwarded" in what.lower().replace("-", "_") else None
