"""Who may call, from where and how often."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.traffic import ClientAddress, CorsPolicy, EndpointTraffic, RateLimiter
from assay.scanner.traffic.client_addresses import client_addresses
from assay.scanner.traffic.endpoint_traffic import endpoint_traffic
from assay.scanner.traffic.policies import cors_policies
from assay.scanner.traffic.rate_limiters import rate_limiters


def traffic_rules(gathered: Gathered) -> Iterator[ClientAddress | CorsPolicy | EndpointTraffic | RateLimiter]:
    """CORS, rate limits, and addresses of clients."""
    production = gathered.production
    yield from cors_policies(gathered, production)
    yield from endpoint_traffic(gathered, production)
    yield from client_addresses(gathered, production)
    yield from rate_limiters(gathered, production)
