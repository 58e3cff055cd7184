"""What is known of the queues of each service."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.priority_use import PriorityUse
from assay.scanner.model.worker_app import Queue, WorkerApp
from assay.scanner.queries.offline import Offline
from assay.scanner.queues.apps import worker_apps
from assay.scanner.queues.priorities import Priorities
from assay.scanner.queues.usage import Usage
from assay.scanner.queues.watched import watched
from assay.scanner.workers.celery_options import CeleryOptions


def queues(gathered: Gathered) -> Iterator[WorkerApp | Queue | PriorityUse]:
    """The worker apps, their queues, and the priorities that messages are given."""
    celery = CeleryOptions(gathered)
    offline = Offline(gathered.project)
    for app in worker_apps(gathered):
        if app.tasks:
            usage = Usage(app, celery, offline)
            yield usage.added_to(watched(app))
            yield from usage.queues()
        else:
            yield watched(app)
    yield from Priorities(gathered, celery).all()
