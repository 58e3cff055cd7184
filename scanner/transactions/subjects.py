"""Which writes run in one transaction, and what happens to it when one of them fails."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.delivery.consumed import ConsumedFunctions
from assay.scanner.gathered import Gathered
from assay.scanner.integration.dual_writes import dual_writes
from assay.scanner.integration.steps import remote_steps
from assay.scanner.integration.workers import Workers
from assay.scanner.model.subject import Subject
from assay.scanner.queries.offline import Offline
from assay.scanner.suite.rollbacks import rollback_tests
from assay.scanner.transactions.effects import TimedSendings, side_effects
from assay.scanner.transactions.failure_paths import failure_paths
from assay.scanner.transactions.scopes import Scopes
from assay.scanner.transactions.write_scopes import write_scopes, writing_functions


def transactions(gathered: Gathered) -> Iterator[Subject]:
    """All nouns about transactions, which share what is known of the scopes."""
    scopes = Scopes(gathered)
    consumed = ConsumedFunctions(gathered)
    writing = writing_functions(gathered, scopes, consumed)
    found = list(write_scopes(gathered, scopes, writing))
    yield from found
    yield from rollback_tests(gathered, found)
    yield from failure_paths(gathered, scopes, writing)
    timed = TimedSendings(gathered, scopes)
    offline, workers = Offline(gathered.project), Workers(gathered, consumed)
    sent = list(timed.of(writing))
    yield from side_effects(sent, offline)
    yield from dual_writes(gathered, timed, sent, workers, offline)
    yield from remote_steps(gathered, scopes, workers, offline)
