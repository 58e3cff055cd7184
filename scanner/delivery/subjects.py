"""How surely messages are delivered."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.delivery.acknowledging import broker_acknowledgements
from assay.scanner.delivery.consumed import ConsumedFunctions
from assay.scanner.delivery.dead_letters import dead_letter_paths
from assay.scanner.delivery.declarations import declarations
from assay.scanner.delivery.early import task_acknowledgements
from assay.scanner.delivery.failures import consumer_failures
from assay.scanner.delivery.outside import Outside
from assay.scanner.delivery.publishing import publishing_guarantees
from assay.scanner.delivery.redelivery import redeliveries
from assay.scanner.gathered import Gathered
from assay.scanner.model.delivery import (
    Acknowledgement,
    ConsumerFailure,
    DeadLetterPath,
    PublishingGuarantee,
    Redelivery,
)
from assay.scanner.workers.celery_options import CeleryOptions


def deliveries(
    gathered: Gathered,
) -> Iterator[ConsumerFailure | Acknowledgement | Redelivery | PublishingGuarantee | DeadLetterPath]:
    """What becomes of messages, from their producers to those that are given up."""
    consumed = ConsumedFunctions(gathered)
    celery = CeleryOptions(gathered)
    outside = Outside(gathered)
    declared = tuple(declarations(gathered.project))
    failures = tuple(consumer_failures(gathered, consumed))
    of_tasks = task_acknowledgements(gathered, consumed, celery, outside)
    acknowledgements = (*of_tasks, *broker_acknowledgements(gathered, consumed, outside))
    yield from failures
    yield from acknowledgements
    yield from redeliveries(gathered, consumed)
    yield from publishing_guarantees(gathered, declared)
    yield from dead_letter_paths(gathered, consumed, celery, declared, failures, acknowledgements)
