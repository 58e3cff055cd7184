"""API4: list endpoints are paginated, traffic is limited, origins are restricted."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.query import Cap, Order, PagedQuery, PageSize
from assay.scanner.model.service import Service
from assay.scanner.model.traffic import (
    AuthStyle,
    CorsPolicy,
    EndpointTraffic,
    RateLimiter,
    Storage,
    Throttle,
)
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


@rule(
    "API404",
    severity=Severity.CRITICAL,
    cwe=(942, 346),
    references=(
        "OWASP API8:2023 Security Misconfiguration",
        "https://fetch.spec.whatwg.org/#http-cors-protocol",
    ),
)
def credentialed_wildcard_cors(policy: CorsPolicy, service: Service) -> Verdict:
    """Any web page may call with the visitor's cookies, and read the answer.

    Why: a page of a stranger acts and reads in the name of whoever is signed in here and opens it.
    Fix: name the origins of the front ends, or don't allow credentials.
    """
    if policy.inactive is not None:
        return not_applicable("production doesn't have it", policy.inactive)
    if policy.any_origin.is_safe is True:
        return passed("only named origins are let in", *policy.any_origin.evidence)
    if policy.credentials.is_safe is True:
        return passed("no cookies are sent along", *policy.evidence)
    if policy.exclusive is not None:
        return passed("every origin is let in only without cookies", policy.exclusive)
    if policy.any_origin.is_safe is False and policy.credentials.is_safe is False:
        if policy.is_literal_star:
            return review("browsers refuse `*` with credentials: which origins are meant to call?", *policy.evidence)
        return fail(f"{policy.mechanism} lets every origin call with cookies; name the origins", *policy.evidence)
    if policy.any_origin.is_safe is False:
        return review("every origin is let in: are credentials ever allowed?", *policy.evidence)
    return review("credentials are allowed: can the origins become `*`?", *policy.evidence)


@rule(
    "API405",
    severity=Severity.LOW,
    cwe=(942,),
    references=("OWASP API8:2023 Security Misconfiguration", "https://fetch.spec.whatwg.org/#http-cors-protocol"),
)
def permissive_cors_origin(policy: CorsPolicy, service: Service) -> Verdict:
    """Any web page may call a service whose callers are told by a cookie.

    Why: only the service's own pages hold the cookie, so nobody else has to call; letting everybody read what needs no
    sign-in shows strangers' pages what is reachable from the visitor's network alone.
    Fix: name the origins of the front ends.
    """
    if policy.inactive is not None:
        return not_applicable("production doesn't have it", policy.inactive)
    if policy.any_origin.is_safe is True:
        return passed("only named origins are let in", *policy.any_origin.evidence)
    if policy.credentials.is_safe is not True:
        return not_applicable("it allows credentials, which has a rule of its own", *policy.credentials.evidence)
    if policy.auth_style is AuthStyle.NONE:
        return not_applicable("nothing here asks who is calling: it is open to everybody")
    shown = (policy.auth,) if policy.auth is not None else ()
    if policy.any_origin.is_safe is None:
        return not_applicable("which origins are let in is set at run time, without cookies", *policy.evidence)
    if policy.auth_style is AuthStyle.COOKIE and policy.is_for_all:
        return fail(f"{policy.mechanism} lets every origin in; name those of the front ends", *policy.evidence, *shown)
    if policy.auth_style is AuthStyle.HEADER:
        return passed("callers have to send a token in a header", *shown)
    if not policy.is_for_all:
        return passed("only a part is opened, without cookies", *policy.any_origin.evidence)
    return review("every origin is let in: do all callers send a token in a header?", *policy.any_origin.evidence)


@rule(
    "API407",
    severity=Severity.MEDIUM,
    cwe=(770, 799),
    references=("OWASP API4:2023 Unrestricted Resource Consumption", "RFC 6585 §4"),
)
def endpoint_without_rate_limit(endpoint: EndpointTraffic, service: Service) -> Verdict:
    """Anybody may call something that costs the service dearly, as often as they like.

    Why: one script fills the tables, the mail quota or the bill for somebody else's API, and slows everybody down.
    Fix: set a default limit for all endpoints, and a tighter one where a call writes, sends or computes much.
    """
    if not endpoint.is_json:
        return not_applicable("it serves pages, not JSON")
    if endpoint.credential is not None:
        return not_applicable("it handles credentials, which has a rule of its own")
    if endpoint.is_public is False:
        return not_applicable("not everybody gets there")
    if endpoint.throttle is Throttle.LIMIT:
        return passed("how often one may call it is limited", *endpoint.throttles)
    if endpoint.is_public is None:
        return not_applicable("it may be guarded")
    if endpoint.cost is None:
        return not_applicable("it is open, but a call costs little")
    if endpoint.before:
        return review("does what runs before every handler count who calls this one?", *endpoint.before)
    if endpoint.spoken_for is not None:
        return not_applicable(f"nothing here is limited, which is told at {endpoint.spoken_for}", endpoint.cost)
    text = f"anybody may call {endpoint.label} without limit; limit how often"
    return fail(text, endpoint.cost, *endpoint.others)


@rule("API409", severity=Severity.MEDIUM, cwe=(770,), references=("OWASP API4:2023 Unrestricted Resource Consumption",))
def per_process_rate_limit_store(limiter: RateLimiter, service: Service) -> Verdict:
    """Each process counts calls for itself, and several serve requests.

    Why: the limit is as many times higher as there are processes, and every restart begins to count anew.
    Fix: keep the counts in a store that all processes share, such as Redis.
    """
    if limiter.unused is not None:
        return not_applicable(limiter.unused)
    if limiter.storage is Storage.SHARED:
        return passed("all processes count together", *limiter.storage_evidence)
    if limiter.storage is Storage.UNKNOWN:
        return review("do all processes count together?", *limiter.storage_evidence)
    if limiter.several:
        text = f"{limiter.label} counts in each process for itself; give it a shared store"
        return fail(text, *limiter.storage_evidence, *limiter.several)
    if limiter.single:
        return passed("only one process serves requests", *limiter.single)
    return review("each process counts for itself: does more than one serve requests?", *limiter.storage_evidence)
