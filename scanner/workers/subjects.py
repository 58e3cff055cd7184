"""How tasks are run."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.worker import MessageSerializer, TaskRetry, TimeLimit
from assay.scanner.workers.celery_options import CeleryOptions
from assay.scanner.workers.retries import task_retries
from assay.scanner.workers.serializers import Serializers
from assay.scanner.workers.time_limits import time_limits


def workers(gathered: Gathered) -> Iterator[TimeLimit | MessageSerializer | TaskRetry]:
    """What tells workers how to run tasks."""
    celery = CeleryOptions(gathered)
    yield from time_limits(gathered, celery)
    yield from Serializers(gathered, celery).all()
    yield from task_retries(gathered)
