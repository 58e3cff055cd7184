"""DB1: the schema is normalised, and indexed for the queries that it serves."""

from __future__ import annotations

from assay.scanner.model.access_path import AccessPath
from assay.scanner.model.find_or_create import FindOrCreateCall
from assay.scanner.model.place import Evidence
from assay.scanner.model.service import Service
from assay.scanner.model.table_key import Association, ForeignKey
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "DB101",
    severity=Severity.MEDIUM,
    references=("https://www.postgresql.org/docs/current/ddl-constraints.html#DDL-CONSTRAINTS-FK",),
)
def foreign_key_without_index(key: ForeignKey, service: Service) -> Verdict:
    """No index leads with a foreign key.

    Why: PostgreSQL makes none by itself. Joins, filters by the parent and each delete or update of a parent read the
    whole child table, under a lock.
    Fix: give the column an index (`index=True`, `db_index`, `Index(...)`), or lead a unique key with it.
    """
    if key.dialects and all(dialect.indexes_foreign_keys for dialect in key.dialects):
        return not_applicable("InnoDB gives each foreign key an index")
    if key.serving is not None:
        place = key.serving.location or key.location
        return passed(f"{key.serving.label} leads with it", Evidence(place, key.serving.label))
    if not key.is_whole:
        return review(f"does a base that isn't in sight give {key.label} an index?")
    return fail(
        f"{key.label} to {key.refers_to} has no index; add one", Evidence(key.location, "no index leads with it")
    )


@rule(
    "DB102",
    severity=Severity.MEDIUM,
    references=("https://www.postgresql.org/docs/current/indexes-intro.html",),
)
def hot_filter_without_index(path: AccessPath, service: Service) -> Verdict:
    """A request filters or sorts a table by columns that no index leads with.

    Why: the database reads the whole table for each request, so that requests slow down as it grows.
    Fix: add an index of the columns that it filters by, the one that it sorts by last.
    """
    columns = ", ".join(path.columns)
    if path.serving is not None:
        place = path.serving.location or path.location
        return passed(f"{path.serving.label} leads to the rows", Evidence(place, path.serving.label))
    if path.reference is not None:
        return not_applicable("it goes by a foreign key, whose index DB101 asks for")
    if path.is_small:
        return not_applicable(f"{path.table} holds a few rows that people set up")
    if not path.grows and path.made is None:
        return not_applicable(f"nothing says that {path.table} gets longer with use")
    if not path.grows:
        return review(f"can {path.table} get long? requests go by ({columns}), with no index for it", *_all(path))
    if not path.is_whole:
        return review(f"is there an index of {path.table} for ({columns})? The migrations don't tell all of it")
    if path.expression is not None:
        place = path.expression.location or path.location
        return review(
            f"is it ({columns}) that {path.table} has an index over an expression for?", Evidence(place, "the index")
        )
    if path.is_sort:
        problem = f"requests sort {path.table} by {columns} to take the first rows; no index has this order, add one"
    else:
        them = "it" if len(path.columns) == 1 else "any of them"
        problem = f"requests look {path.table} up by ({columns}), and no index leads with {them}; add one"
    return fail(problem, *_all(path))


def _all(path: AccessPath) -> tuple[Evidence, ...]:
    made = (path.made,) if path.made is not None else ()
    return Evidence(path.location, "no index leads to what it asks for"), *path.request, *made


@rule(
    "DB104",
    severity=Severity.HIGH,
    references=("https://docs.djangoproject.com/en/stable/ref/models/querysets/#get-or-create",),
)
def find_or_create_without_unique_key(call: FindOrCreateCall, service: Service) -> Verdict:
    """A row is created where none is found, and no unique key keeps two requests from doing so at once.

    Why: both find nothing and both insert; from then on every lookup finds two rows and fails.
    Fix: add a unique constraint over the columns that it looks up by; the second insert then fails, and is looked up
    again.
    """
    if call.offline is not None:
        return not_applicable(f"it runs in a {call.offline}")
    if call.covering is not None:
        place = call.covering.location or call.location
        return passed(f"{call.covering.label} holds one such row", Evidence(place, call.covering.label))
    if call.unclear is not None:
        return review(f"{call.label}: is there a unique key for this? {call.unclear}")
    if call.conditional is not None:
        return review(f"{call.label} may find rows for which {call.conditional.label} doesn't hold: can there be two?")
    if call.lock is not None:
        return review(f"does this lock keep two requests from {call.label} at once?", call.lock)
    columns = ", ".join(call.asked)
    return fail(
        f"{call.label} can insert twice: no unique key is over ({columns}) or a part of it; add one",
        Evidence(call.location, "two requests at once both find nothing"),
        *((call.inserted,) if call.inserted is not None else ()),
    )


@rule(
    "DB107",
    severity=Severity.MEDIUM,
    references=("https://docs.sqlalchemy.org/en/20/orm/basic_relationships.html#many-to-many",),
)
def association_without_unique_key(association: Association, service: Service) -> Verdict:
    """A table between two others can hold the same pair twice.

    Why: two requests at once, or one that is repeated, make two rows; joins then count double, and deleting one leaves
    the other.
    Fix: make the pair the primary key, or add a unique constraint over it.
    """
    pair = ", ".join(association.ends)
    if association.payload:
        return not_applicable("it holds more than the pair, so a pair may come twice on purpose")
    if association.spanning is not None:
        place = association.spanning.location or association.location
        return passed(f"{association.spanning.label} holds each pair once", Evidence(place, association.spanning.label))
    if association.conditional is not None:
        return passed("each pair is held once among the rows that count")
    if not association.is_whole:
        return review(f"does a base that isn't in sight make ({pair}) unique?")
    return fail(f"{association.label} has no unique key over ({pair}); add one")
