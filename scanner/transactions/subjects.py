"""Which writes run in one transaction, and what happens to it when one of them fails."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.subject import Subject
from assay.scanner.suite.rollbacks import rollback_tests
from assay.scanner.transactions.effects import side_effects
from assay.scanner.transactions.failure_paths import failure_paths
from assay.scanner.transactions.scopes import Scopes
from assay.scanner.transactions.write_scopes import write_scopes, writing_functions


def transactions(gathered: Gathered) -> Iterator[Subject]:
    """All nouns about transactions, which share what is known of the scopes."""
    scopes = Scopes(gathered)
    writing = writing_functions(gathered, scopes)
    found = list(write_scopes(gathered, scopes, writing))
    yield from found
    yield from rollback_tests(gathered, found)
    yield from failure_paths(gathered, scopes, writing)
    yield from side_effects(gathered, scopes, writing)
