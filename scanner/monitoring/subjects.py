"""What watches each service."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.metric import QueriedMetric
from assay.scanner.model.monitoring import Alert, AlertCoverage, AlertDestination
from assay.scanner.monitoring.alerts import alerts
from assay.scanner.monitoring.coverage import coverage
from assay.scanner.monitoring.destinations import destinations
from assay.scanner.monitoring.found import Monitoring
from assay.scanner.monitoring.names import queried_metrics


def monitoring(gathered: Gathered) -> Iterator[Alert | AlertDestination | AlertCoverage | QueriedMetric]:
    """The alerts of the whole tree, where they go, and what they look at."""
    found = Monitoring(gathered)
    yield from alerts(found)
    yield from destinations(found)
    yield from coverage(found)
    yield from queried_metrics(found, gathered)
