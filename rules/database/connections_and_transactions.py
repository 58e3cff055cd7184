"""DB2: connections are pooled, and writes are transactions that roll back."""

from __future__ import annotations

from assay.scanner.model.database_connection import DatabaseConnection
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule("DB201", severity=Severity.HIGH, references=("https://docs.sqlalchemy.org/en/20/core/connections.html",))
def connection_opened_per_request(connection: DatabaseConnection, service: Service) -> Verdict:
    """Each request makes an engine, a pool or a connection of its own.

    Why: a new connection costs a process of the database and several round trips, and under load the database runs out
    of them; an engine that is made anew has a pool that nobody else uses.
    Fix: make it once, when the application starts, and let each request borrow a connection.
    """
    if connection.offline is not None:
        return not_applicable(f"it is made in a {connection.offline}")
    if connection.foreign is not None or connection.is_embedded:
        return not_applicable(connection.foreign or "the database is a file in the process", connection.place)
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
    if connection.offline is not None:
        return not_applicable(f"it is made in a {connection.offline}")
    if connection.foreign is not None or connection.is_embedded:
        return not_applicable(connection.foreign or "the database is a file in the process", connection.place)
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
