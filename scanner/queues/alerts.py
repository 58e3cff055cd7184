"""What alerts ask, wherever in the tree their rules are."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.model.place import Evidence
from assay.scanner.queues.apps import App
from assay.scanner.readers.kubernetes.facts import KubernetesFacts
from assay.scanner.readers.monitoring.facts import MonitoringFacts


def expressions(app: App) -> Iterator[tuple[str, Evidence]]:
    """Each query of a rule that alerts, with its place."""
    for path, facts in sorted(app.code.gathered.context.files.items()):
        found = facts.monitoring if isinstance(facts, KubernetesFacts) else facts
        for alert in found.alerts if isinstance(found, MonitoringFacts) else ():
            for text, span in alert.expressions:
                yield f"{alert.name} {text}", span.evidence(path, f"the alert {alert.name} asks for it")
