"""DB4: queries stay under 100 ms at p95."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.database_connection import DatabaseConnection
from assay.scanner.model.measurement import MeasuredTiming, Timed
from assay.scanner.model.offset_paging import OffsetPaging
from assay.scanner.model.query import Order
from assay.scanner.model.query_call import QueryCall, Repetition
from assay.scanner.model.relation_read import RelationRead, Supply
from assay.scanner.model.row_read import Extent, RowRead
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

_SPARED = {
    Repetition.ONCE: "it runs once",
    Repetition.FEW: "the loop is over a few things that are written down",
    Repetition.CHUNKS: "it runs once for each chunk of many rows",
    Repetition.UNTIL_FOUND: "the loop ends with the answer",
    Repetition.OTHER_TABLES: "each time it asks another table",
    Repetition.KEPT: "answers are kept, and not asked for again",
}
"""Why a query is no query for each row."""


@rule(
    "DB401",
    severity=Severity.HIGH,
    references=(
        "https://docs.djangoproject.com/en/stable/topics/db/optimization/",
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html",
    ),
)
def query_in_loop(query: QueryCall, service: Service) -> Verdict:
    """A query runs once for each element of a loop.

    Why: a hundred rows are a hundred round trips to the database, and the time of a request grows with the data.
    Fix: ask once before the loop for all of them (IN, a join, an aggregate, in_bulk), and look the answers up in it.
    """
    if query.offline is not None:
        return not_applicable(f"it runs in a {query.offline}")
    if query.repetition.is_many:
        return fail(f"{query.what} runs {query.repetition.value}; ask once, before the loop", *query.steps)
    if query.repetition is Repetition.UNKNOWN:
        return review(f"{query.what} runs for each element of a loop: how many can there be?", *query.steps)
    return passed(_SPARED[query.repetition], *query.steps)


@rule(
    "DB402",
    severity=Severity.HIGH,
    references=(
        "https://docs.djangoproject.com/en/stable/ref/models/querysets/#select-related",
        "https://docs.sqlalchemy.org/en/20/orm/queryguide/relationships.html#lazy-loading",
    ),
)
def lazy_load_while_serialising(read: RelationRead, service: Service) -> Verdict:
    """A relation is loaded with a query of its own for each row of a list.

    Why: a list of a hundred rows costs a hundred and one queries, which nobody sees in the code.
    Fix: load the related objects with the rows (select_related, prefetch_related, joinedload, selectinload).
    """
    if read.offline is not None:
        return not_applicable(f"it runs in a {read.offline}")
    if read.supply is Supply.FEW:
        return passed("there are but a few rows", *read.places)
    if read.supply is Supply.LOADED:
        return passed(f"{read.relation} is loaded with the rows", *read.places)
    if read.supply is Supply.REFUSED:
        return passed(f"{read.relation} can't be looked at without being loaded", *read.places)
    if read.supply is Supply.ANEW:
        return fail(f"each row asks anew for {read.relation}; ask once for all rows", *read.places)
    if read.supply is Supply.EACH:
        return fail(f"each row loads {read.relation} by itself; load it with the rows", *read.places)
    return review(f"is {read.relation} loaded with the rows by whoever reads them?", *read.places)


@dataclass(frozen=True)
class TimingOptions:
    """Milliseconds at the 95th percentile. A benchmark has no budget unless one is set; `samples` is how many a figure
    needs to count.
    """

    query: float = 100
    request: float = 500
    benchmark: float = 0
    samples: int = 20


@rule("DB408", severity=Severity.HIGH)
def measured_p95_over_budget(timing: MeasuredTiming, service: Service, options: TimingOptions) -> Verdict:
    """It was measured, and it takes too long.

    Why: a query that takes 100 ms leaves nothing of a request's time for anything else, and holds a connection.
    Fix: read the plan of the slowest statement first (`EXPLAIN (ANALYZE, BUFFERS)`): an index, fewer rows, fewer
    round trips.
    """
    budgets = {Timed.QUERY: options.query, Timed.REQUEST: options.request, Timed.BENCHMARK: options.benchmark}
    budget = budgets[timing.what]
    if timing.is_upkeep:
        return not_applicable("no request sends this statement")
    if budget <= 0 and not timing.missed:
        return not_applicable("no budget is set for it")
    if timing.samples is not None and timing.samples < options.samples and timing.what is not Timed.BENCHMARK:
        return not_applicable(f"{timing.samples} samples say nothing; {options.samples} are asked for")
    if timing.stale is not None:
        return review("is this old measurement still true? measure again", timing.stale, *timing.evidence)
    if timing.missed:
        return fail(f"{timing.label} missed {', '.join(timing.missed[:3])}", *timing.evidence)
    return _within(timing, budget)


def _within(timing: MeasuredTiming, budget: float) -> Verdict:
    """By what the source tells: a percentile, a mean with its deviation, or a median with the worst."""
    typical = timing.p95_ms if timing.p95_ms is not None else timing.median_ms
    typical = typical if typical is not None else timing.mean_ms
    high = timing.likely_p95_ms if timing.likely_p95_ms is not None else timing.max_ms
    if typical is None:
        return not_applicable("it tells no duration")
    if typical > budget:
        what = "p95" if timing.p95_ms is not None else "typical"
        return fail(f"{timing.label} takes {typical:.4g} ms ({what}); {budget:g} ms are allowed", *timing.evidence)
    if timing.p95_ms is None and high is not None and high > budget:
        return review(f"{timing.label} may take {high:.4g} ms at p95; does it?", *timing.evidence)
    return passed(f"{timing.label} stays below {budget:g} ms", *timing.evidence)


@rule("DB403", severity=Severity.MEDIUM, cwe=(770,), references=("OWASP API4:2023 Unrestricted Resource Consumption",))
def unbounded_read(read: RowRead, service: Service) -> Verdict:
    """A request reads a whole table into memory.

    Why: the time and the memory that it takes grow with the table, until the process is killed.
    Fix: let the database answer (count, sum, exists), filter or limit the query, or go through it in chunks.
    """
    if read.is_listed:
        return not_applicable("an endpoint's own list has a rule of its own", *read.evidence)
    if read.offline is not None:
        return not_applicable(f"it runs in a {read.offline}")
    if read.extent is Extent.WHOLE and read.request and not read.grows:
        return review(f"a request reads every {read.model}: how many can there be?", *read.request, *read.evidence)
    if read.extent is Extent.WHOLE and read.request:
        return fail(f"a request reads every {read.model}; limit it, or ask for less", *read.request, *read.evidence)
    if read.extent is Extent.WHOLE:
        return not_applicable("no request is known to run it", *read.evidence)
    if read.extent is Extent.UNKNOWN:
        return not_applicable("how many rows it reads is up to the code that makes the query", *read.evidence)
    return passed(f"{read.extent.value} keeps the rows few", *read.evidence)


@rule("DB405", severity=Severity.LOW, references=("https://use-the-index-luke.com/no-offset",))
def deep_offset_paging(paging: OffsetPaging, service: Service) -> Verdict:
    """Pages that are cut by an offset skip rows or show them twice.

    Why: rows that are equal in the order, and rows that leave or enter what is paged over, move between the pages; and
    the database reads all that it skips.
    Fix: page by the last key (`WHERE id > :last ORDER BY id LIMIT :n`), or at least end the order with a unique column.
    """
    if paging.offline is not None:
        return not_applicable(f"it runs in a {paging.offline}")
    if paging.shrinking:
        return fail("what it pages over shrinks, so it skips rows; page by key", *paging.evidence, *paging.shrinking)
    if paging.order is Order.NONE:
        if paging.is_batch:
            return fail("the batches come in no defined order; order them by a unique column", *paging.evidence)
        return not_applicable("pages without an order have a rule of their own", *paging.evidence)
    if paging.is_total is False:
        order = ", ".join(paging.ordered_by)
        return fail(
            f"rows with the same {order} may be on two pages or on none; order by the key too", *paging.evidence
        )
    if paging.is_total is None:
        return not_applicable("the order is chosen elsewhere", *paging.evidence)
    return passed("the order ends with a unique column", *paging.evidence)


@rule(
    "DB407",
    severity=Severity.MEDIUM,
    references=(
        "https://www.postgresql.org/docs/current/runtime-config-client.html#GUC-STATEMENT-TIMEOUT",
        "https://dev.mysql.com/doc/refman/8.4/en/server-system-variables.html#sysvar_max_execution_time",
    ),
)
def statement_timeout_missing(connection: DatabaseConnection, service: Service) -> Verdict:
    """Nothing ends a statement that takes too long.

    Why: one slow query keeps its connection and its locks for as long as it likes, and soon all the others wait for it.
    Fix: set a statement timeout for the role or the engine, with SET LOCAL for the few that need more.
    """
    if connection.exemption is not None:
        return not_applicable(connection.exemption, connection.place)
    if not connection.is_relational:
        return not_applicable("it is no SQL database", connection.place)
    timeout = connection.statement_timeout
    if timeout.is_safe:
        return passed("statements that take too long are ended", *(timeout.evidence or (connection.place,)))
    if timeout.is_safe is None:
        return review(
            f"the options of the {connection.kind} are set elsewhere: is a statement timeout among them?",
            connection.place,
            *timeout.evidence,
        )
    if not connection.dialects:
        return review("which database is it, and does its role have a statement timeout?", connection.place)
    return fail(f"no statement of the {connection.kind} is ever ended; set a statement timeout", connection.place)
