"""What instances of a service keep to themselves."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.instances.coordination import coordination_stores
from assay.scanner.instances.shared_state import process_states
from assay.scanner.instances.user_files import user_files
from assay.scanner.model.instance import CoordinationStore, ProcessState, UserFiles


def instances(gathered: Gathered) -> Iterator[CoordinationStore | ProcessState | UserFiles]:
    """Files, state in memory, and stores that coordinate."""
    yield from user_files(gathered)
    yield from process_states(gathered)
    yield from coordination_stores(gathered)
