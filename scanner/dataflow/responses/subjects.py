"""What handlers answer when something is wrong: errors, refusals, the texts of exceptions."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.responses.caller_refusals import caller_refusals
from assay.scanner.dataflow.responses.caught_failures import caught_failures
from assay.scanner.dataflow.responses.errors import error_answers
from assay.scanner.dataflow.responses.exception_answers import exception_answers
from assay.scanner.dataflow.responses.replies import Replies
from assay.scanner.dataflow.responses.serving import Serving
from assay.scanner.gathered import Gathered
from assay.scanner.model.answer import CallerRefusal, CaughtFailure, ErrorAnswer, ExceptionAnswer


def answers(gathered: Gathered) -> Iterator[CallerRefusal | CaughtFailure | ErrorAnswer | ExceptionAnswer]:
    """What handlers answer: statuses and bodies, folded, and which exceptions stand behind them."""
    serving = Serving(gathered)
    replies = Replies(gathered.project)
    yield from caller_refusals(serving, replies, gathered.project)
    yield from error_answers(serving, replies, gathered.project)
    yield from exception_answers(serving, replies, gathered.project)
    yield from caught_failures(serving, replies, gathered.project)
