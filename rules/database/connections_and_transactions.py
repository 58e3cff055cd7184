"""DB2: connections are pooled, and writes are transactions that roll back."""

from __future__ import annotations

from assay.scanner.model.database_connection import DatabaseConnection
from assay.scanner.model.rollback import Failing, FailurePath
from assay.scanner.model.row_change import Guard, RowChange
from assay.scanner.model.service import Service
from assay.scanner.model.side_effect import SideEffect, Timing
from assay.scanner.model.transaction import Unity, WriteScope
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule("DB201", severity=Severity.HIGH, references=("https://docs.sqlalchemy.org/en/20/core/connections.html",))
def connection_opened_per_request(connection: DatabaseConnection, service: Service) -> Verdict:
    """Each request makes an engine, a pool or a connection of its own.

    Why: a new connection costs a process of the database and several round trips, and under load the database runs out
    of them; an engine that is made anew has a pool that nobody else uses.
    Fix: make it once, when the application starts, and let each request borrow a connection.
    """
    if connection.exemption is not None:
        return not_applicable(connection.exemption, connection.place)
    if connection.request and connection.kept is not None:
        return passed("the first request makes it, and it is kept", connection.kept)
    if connection.request:
        return fail(
            f"each request makes a {connection.kind}; make one at the start", *connection.request, connection.place
        )
    return passed("no request makes it", connection.place)


@rule(
    "DB202",
    severity=Severity.MEDIUM,
    references=(
        "https://docs.sqlalchemy.org/en/20/core/pooling.html#dealing-with-disconnects",
        "https://docs.djangoproject.com/en/stable/ref/databases/#persistent-database-connections",
    ),
)
def stale_or_misused_pooled_connections(connection: DatabaseConnection, service: Service) -> Verdict:
    """A kept connection isn't checked before it is used.

    Why: after a restart or a failover of the database every connection in the pool is dead, and each request that gets
    one fails until all are replaced.
    Fix: turn on the check (pool_pre_ping=True, CONN_HEALTH_CHECKS), or replace connections after a while.
    """
    if connection.exemption is not None:
        return not_applicable(connection.exemption, connection.place)
    if not connection.is_relational:
        return not_applicable("it is no SQL database", connection.place)
    if connection.liveness is None:
        return not_applicable("no connection is kept from one request to the next", connection.place)
    if connection.liveness.is_safe:
        return passed("dead connections are noticed or replaced", *connection.liveness.evidence)
    if connection.liveness.is_safe is None:
        return review(
            f"the options of the {connection.kind} are set elsewhere: are connections checked before they are used?",
            connection.place,
            *connection.liveness.evidence,
        )
    return fail(
        f"the {connection.kind} hands out connections that may be dead; check them before they are used",
        connection.place,
        *connection.liveness.evidence,
    )


@rule(
    "DB206",
    severity=Severity.HIGH,
    references=(
        "https://docs.djangoproject.com/en/stable/topics/db/transactions/#performing-actions-after-commit",
        "https://docs.sqlalchemy.org/en/20/orm/session_events.html#after-commit",
    ),
)
def side_effect_before_commit(effect: SideEffect, service: Service) -> Verdict:
    """A mail or a request is sent while what it tells of isn't committed yet.

    Why: when the transaction is rolled back the effect stands: a mail about an order that doesn't exist. A request to
    another service also holds the row locks for as long as it takes.
    Fix: send it after the commit (`transaction.on_commit(...)`), from a task, or store it in an outbox table.
    """
    if effect.offline is not None:
        return not_applicable(f"it runs in a {effect.offline}")
    if effect.timing in (Timing.UNWRITTEN, Timing.HANDLED):
        return not_applicable(effect.timing.value, *effect.evidence)
    if effect.timing is Timing.BEFORE:
        return fail(
            f"`{effect.what}` isn't held back until the commit, and no rollback undoes it; send it afterwards",
            *effect.evidence,
        )
    if effect.timing is Timing.NEEDED:
        return review(
            f"can `{effect.what}` go before or behind the transaction, which waits for its answer?", *effect.evidence
        )
    return passed(effect.timing.value, *effect.evidence)


@rule(
    "DB207",
    severity=Severity.HIGH,
    cwe=(362, 367),
    references=(
        "https://docs.djangoproject.com/en/stable/ref/models/expressions/#avoiding-race-conditions-using-f",
        "https://docs.sqlalchemy.org/en/20/orm/persistence_techniques.html#embedding-sql-insert-update-expressions-into-a-flush",
    ),
)
def read_modify_write_race(change: RowChange, service: Service) -> Verdict:
    """A column gets a value that was computed from what the row held some time before.

    Why: of two requests that read the same value, the second overwrites what the first has written: a count is lost, a
    balance is spent twice, a limit of attempts is passed.
    Fix: let the database compute it (`F("n") + 1`, `Model.n + 1` in an UPDATE), or lock the row before it is read.
    """
    name = f"{change.model}.{change.column}"
    if change.offline is not None:
        return not_applicable(f"it runs in a {change.offline}")
    if change.accepted is not None:
        return review(f"may two changes of {name} overwrite each other, as the comment says?", change.accepted)
    if change.guard is Guard.PROCESS:
        return review(f"does only one process change {name}? the lock doesn't reach further", *change.evidence)
    if change.guard is Guard.NONE and change.is_of_worker:
        return review(f"does only one worker at a time count {name}?", *change.evidence)
    if change.guard is Guard.NONE and change.is_of_order:
        return review(f"may two rows end in one place, when two requests change {name} at once?", *change.evidence)
    if change.guard is Guard.NONE:
        return fail(
            f"two requests that change {name} at once overwrite each other; compute it in SQL or lock the row",
            *change.evidence,
        )
    if change.checked is not None:
        return fail(
            f"{name} is checked and debited in two steps, and two requests pass the check; put it into the UPDATE",
            change.checked,
            *change.evidence,
        )
    return passed(change.guard.value, *change.evidence)


@rule(
    "DB204",
    severity=Severity.HIGH,
    references=(
        "https://docs.djangoproject.com/en/stable/topics/db/transactions/",
        "https://docs.sqlalchemy.org/en/20/orm/session_transaction.html",
    ),
)
def writes_not_in_one_transaction(scope: WriteScope, service: Service) -> Verdict:
    """Writes that need each other are made in several transactions.

    Why: when the process stops or the second write fails, the first one stays: an order without lines, money taken and
    given to nobody, and no error tells of it later.
    Fix: put the writes into one transaction (`transaction.atomic()`, one commit at the end), and check the input before
    the first one.
    """
    if scope.offline is not None:
        return not_applicable(f"it runs in a {scope.offline}", *scope.parts)
    if scope.unity is Unity.APART:
        return not_applicable("nothing shows that one write needs the other", *scope.parts)
    if scope.unity is Unity.INTERRUPTED:
        return not_applicable(
            "another service is called between the writes; no transaction can stay open for that", *scope.parts
        )
    if scope.unity is Unity.REFUSED:
        return fail("it writes, and then refuses the request; check the request before the first write", *scope.parts)
    if scope.unity is Unity.SPLIT:
        return fail(f"two transactions write what belongs together: {scope.reason}", *scope.parts)
    if scope.unity is Unity.PERHAPS:
        return review(
            "only some callers open a transaction around these writes: do the others leave half of them behind?",
            *scope.parts,
            *scope.transaction,
        )
    return passed("one transaction holds the writes", *(scope.transaction or scope.parts))


@rule(
    "DB205",
    severity=Severity.HIGH,
    references=(
        "https://docs.sqlalchemy.org/en/20/faq/sessions.html",
        "https://docs.djangoproject.com/en/stable/topics/db/transactions/#django.db.transaction.atomic",
    ),
)
def no_rollback_path(path: FailurePath, service: Service) -> Verdict:
    """When a statement fails, its transaction is neither rolled back nor closed.

    Why: the connection keeps its locks and is lost to the pool, the next statement fails because the one before has, or
    what was written is thrown away and nobody is told.
    Fix: let a `with` block own the session; roll back in handlers that go on; put a savepoint around what may fail.
    """
    if path.offline is not None:
        return not_applicable(f"it runs in a {path.offline}", *path.evidence)
    match path.failing:
        case Failing.HANDED_ON:
            return not_applicable("somebody else closes it", *path.evidence)
        case Failing.AT_ONCE:
            return not_applicable("each statement is a transaction of its own there", *path.evidence)
        case Failing.LEAKED:
            return fail(
                f"the {path.what} stays open when something fails; open it in a `with` block, or close it in `finally`",
                *path.evidence,
            )
        case Failing.SWALLOWED:
            return fail(
                "the error is swallowed, and the session lives on without a rollback; roll back, or pass the error on",
                *path.evidence,
            )
        case Failing.BROKEN:
            return fail(
                "an error is caught inside of an atomic block, which it has broken; put an inner atomic block around "
                "what may fail",
                *path.evidence,
            )
        case Failing.UNCOMMITTED:
            return fail(f"what is written to the {path.what} is never committed, and so is lost", *path.evidence)
    return passed(path.failing.value, *path.evidence)
