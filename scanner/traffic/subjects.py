"""Who may call, from where and how often."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.traffic import ClientAddress, CorsPolicy, RateLimiter


def traffic_rules(gathered: Gathered) -> Iterator[ClientAddress | CorsPolicy | RateLimiter]:
    """CORS, rate limits, and addresses of clients."""
    yield from ()
