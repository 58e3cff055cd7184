"""What handlers answer when something is wrong: errors, refusals, the texts of exceptions."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.answer import CallerRefusal, CaughtFailure, ErrorAnswer, ExceptionAnswer


def answers(gathered: Gathered) -> Iterator[CallerRefusal | CaughtFailure | ErrorAnswer | ExceptionAnswer]:
    """What handlers answer: statuses and bodies, folded, and which exceptions stand behind them."""
    yield from ()
