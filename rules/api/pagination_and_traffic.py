"""API4: list endpoints are paginated, traffic is limited, origins are restricted."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.query import Cap, Order, PagedQuery, PageSize
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule("API401", severity=Severity.HIGH, cwe=(770,), references=("OWASP API4:2023 Unrestricted Resource Consumption",))
def unpaginated_list_endpoint(endpoint: Endpoint, service: Service) -> Verdict:
    """A list endpoint hands out every row it has.

    Why: latency and memory grow with the table, and any client can ask for all of it.
    Fix: take a page size with an upper limit (or a cursor), give it a default, and apply it to the query.
    """
    if not endpoint.is_json_list:
        return not_applicable(endpoint.why_no_json_list)
    if endpoint.paginators:
        return passed("a paginator cuts the list into pages", *endpoint.paginators)
    if endpoint.unlimited_reads:
        return fail(
            f"{endpoint.label} returns every {endpoint.collection}; take a page size, cap it and apply it to the query",
            *endpoint.unlimited_reads,
        )
    if endpoint.reads_of_one_parent:
        return review("it returns all rows of one parent: how many can a parent have?", *endpoint.reads_of_one_parent)
    if endpoint.reads_of_unknown_size:
        return review("a query built elsewhere may be unbounded", *endpoint.reads_of_unknown_size)
    if endpoint.limits:
        return passed("every query it reads from is limited", *endpoint.limits)
    if endpoint.bounded_by_nature:
        return not_applicable("the collection is small by nature", *endpoint.bounded_by_nature)
    return review("where its rows come from could not be followed: is the list bounded?", *endpoint.unresolved)


@dataclass(frozen=True, slots=True)
class PageSizeOptions:
    """`maximum` is the largest page, in rows, that a client may ask for."""

    maximum: int = 1000


@rule("API402", severity=Severity.HIGH, cwe=(770,), references=("OWASP API4:2023 Unrestricted Resource Consumption",))
def unbounded_page_size(size: PageSize, service: Service, options: PageSizeOptions) -> Verdict:
    """A client can ask for a page as large as it likes.

    Why: one request can then read the whole table, and pagination protects nothing.
    Fix: cap the page size on the server, with a constraint on the parameter or with min().
    """
    if size.cap is Cap.SWITCHED_OFF:
        return fail(f"`{size.name}` takes a value that turns the limit off; refuse it and cap the rest", *size.places)
    if size.cap is Cap.UNCAPPED:
        return fail(f"`{size.name}` has no upper bound; cap it on the server", *size.places)
    if size.maximum is not None and size.maximum > options.maximum:
        return fail(f"`{size.name}` may be {size.maximum}, above the limit of {options.maximum} rows", *size.places)
    if size.cap is Cap.CONFIGURED:
        return review(f"the bound of `{size.name}` is set at run time: is it finite in production?", *size.places)
    if size.cap is Cap.UNKNOWN:
        return review(f"what bounds `{size.name}` could not be followed", *size.places)
    return passed(f"`{size.name}` is capped", *size.places)


@rule("API403", severity=Severity.MEDIUM)
def unordered_pagination(query: PagedQuery, service: Service) -> Verdict:
    """A query is cut into pages without a defined order.

    Why: without ORDER BY the database may give rows in any order, so pages overlap and rows are missed.
    Fix: order by a unique column last, or give the model a default ordering.
    """
    if query.order is Order.NONE:
        return fail("the rows of a page come in no defined order; add an order_by", query.place)
    if query.order is Order.UNKNOWN:
        return review("the order is chosen elsewhere: is there one when the client names none?", query.place)
    return passed("the rows have a defined order", query.order_by or query.place)
