"""What each service counts, and by which labels."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.metrics.labels import metric_labels
from assay.scanner.metrics.outcomes import outcome_metrics
from assay.scanner.model.metric import MetricLabel, OutcomeMetrics


def metrics(gathered: Gathered) -> Iterator[MetricLabel | OutcomeMetrics]:
    """The labels of metrics, and whether there are metrics of outcomes."""
    yield from metric_labels(gathered)
    yield from outcome_metrics(gathered)
