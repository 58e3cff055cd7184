"""API6: every caller is identified, and is allowed what it asks for before it gets it."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.access import (
    Access,
    AccessDefault,
    Admission,
    GuardAction,
    GuardUse,
    InboundWebhook,
    SocketEntrance,
    Trust,
)
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.lookup import ObjectLookup, Reach
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

_SHOWN = 3
"""Changes of one endpoint that are shown; one proves as much as all."""


@rule(
    "API601",
    severity=Severity.CRITICAL,
    cwe=(306, 862),
    references=(
        "OWASP API2:2023",
        "OWASP A01:2021",
        "https://cheatsheetseries.owasp.org/cheatsheets/REST_Security_Cheat_Sheet.html#access-control",
    ),
)
def unauthenticated_endpoint(endpoint: Endpoint, service: Service) -> Verdict:
    """An endpoint changes something, or hands out rows about people, and asks nobody who they are.

    Why: whoever reaches the port does it: bots find such endpoints within hours.
    Fix: put the guard on the app or the router, and open by name the few endpoints that are for everybody.
    """
    if endpoint.kind not in (EndpointKind.JSON, EndpointKind.HTML, EndpointKind.FILE):
        return not_applicable(f"it serves {endpoint.kind.value}")
    if endpoint.public_purpose is not None:
        return not_applicable(endpoint.public_purpose)
    may_change = endpoint.perhaps_changes if endpoint.is_written_to else ()
    if not endpoint.auth and not (endpoint.changes or endpoint.private_rows or may_change):
        return not_applicable("it is open, and neither changes anything nor lists rows about people that we know of")
    doubts = (*endpoint.unresolved_guards, *endpoint.stand_ins, *endpoint.opened)
    is_page = endpoint.kind is EndpointKind.HTML
    if not endpoint.auth and not doubts and endpoint.changes:
        text = f"{endpoint.label} changes something for anybody; put a guard on it or its router"
        return fail(text, *endpoint.changes[:_SHOWN])
    if not endpoint.auth and not doubts and endpoint.private_rows and not is_page:
        text = f"{endpoint.label} lists rows about people for anybody; put a guard on it or its router"
        return fail(text, *endpoint.private_rows)
    if endpoint.auth:
        return passed(f"{', '.join(endpoint.auth)} asks who is calling", *endpoint.guards)
    touched = endpoint.changes or endpoint.private_rows or may_change
    return review(f"{endpoint.label}: {_question(endpoint)}", *doubts[:_SHOWN], *touched[:_SHOWN])


@dataclass(frozen=True, slots=True)
class ByHandOptions:
    """`least` guarded endpoints of an application are judged, of which at least `share` are guarded one by one."""

    least: int = 5
    share: float = 0.8


@rule(
    "API602",
    severity=Severity.HIGH,
    cwe=(1188, 276),
    references=(
        "OWASP A05:2021",
        "OWASP API8:2023",
        "https://www.django-rest-framework.org/api-guide/permissions/#setting-the-permission-policy",
    ),
)
def open_by_default_permissions(default: AccessDefault, service: Service, options: ByHandOptions) -> Verdict:
    """A new endpoint is open until somebody thinks of guarding it.

    Why: sooner or later one is forgotten, and nothing fails: no test, no type check, no user complains.
    Fix: deny by default (`DEFAULT_PERMISSION_CLASSES`, `NinjaAPI(auth=...)`, dependencies of the app or router) and
    open endpoints by name.
    """
    proof = default.evidence
    if not default.guarded and not default.forgotten:
        return not_applicable("none of its endpoints asks who is calling, or has to", *proof)
    is_open = default.access is Access.OPEN
    if is_open and default.has_setting:
        return fail("a view that says nothing is open to anybody; deny by default, and open views by name", *proof)
    is_by_hand = default.by_hand >= max(options.least, options.share * default.guarded)
    if is_open and is_by_hand and default.forgotten:
        text = f"{default.by_hand} endpoints are guarded one by one, and others were forgotten; guard the app or router"
        return fail(text, *proof, *default.forgotten[:_SHOWN])
    is_from_above = default.guarded - default.by_hand >= max(options.least, options.share * default.guarded)
    if is_open and not is_by_hand and not is_from_above:
        return not_applicable("some of its endpoints are guarded one by one, some by what is above them", *proof)
    if is_open and is_by_hand:
        return review(f"{default.by_hand} endpoints are guarded one by one; who notices one without a guard?", *proof)
    if default.access is Access.READS_OPEN:
        return review("anybody may read where a view says nothing; is all that it serves public?", *proof)
    if default.access is Access.UNKNOWN:
        return review("does the default turn strangers away?", *proof)
    if is_open:
        return passed("what is above nearly all of its endpoints asks who is calling", *proof)
    return passed("an endpoint that says nothing is closed", *proof)


_IN_VAIN = {
    GuardAction.ABOVE_ROUTE: "the decorator below has registered the handler without it; put it below that one",
    GuardAction.BEHIND_VIEW: "the view's class comes first and never asks the mixin; put the mixin left of it",
    GuardAction.NOT_REST: "this is none of REST framework's views, and reads no such attribute; use a mixin",
    GuardAction.ON_CLASS: "it takes a function; use `method_decorator(..., name='dispatch')`, a mixin or `decorators`",
    GuardAction.BARE_DEPENDENCY: "nothing calls it; wrap it in `Depends`",
    GuardAction.CALLED_DEPENDENCY: "it is called as the module is loaded, once; give `Depends` the function itself",
    GuardAction.ONLY_MADE: "this only makes the guard, and nobody asks it; call it inside `Depends`",
    GuardAction.ON_METHOD: "it is for functions under `api_view`; name the permissions on the class or the `action`",
    GuardAction.NOT_AWAITED: "nobody awaits it, so that it never runs; await it",
    GuardAction.IGNORED: "it only answers yes or no, and nobody listens; refuse the caller when it says no",
    GuardAction.LOST: "it returns its refusal, and nobody sends that; raise it, or return what it returned",
    GuardAction.TOO_LATE: "permissions are asked before the handler runs; name them on the class",
    GuardAction.INSTANCE: "REST framework makes the permission itself; list the class, not an object of it",
}


@rule(
    "API603",
    severity=Severity.CRITICAL,
    cwe=(862, 863),
    references=(
        "OWASP A01:2021",
        "OWASP API5:2023",
        "https://flask.palletsprojects.com/en/stable/patterns/viewdecorators/",
        "https://docs.djangoproject.com/en/stable/topics/auth/default/#the-loginrequiredmixin-mixin",
    ),
)
def ineffective_auth_guard(use: GuardUse, service: Service) -> Verdict:
    """A guard stands where it can't act.

    Why: the code looks guarded, reviews pass it, and everybody gets in.
    Fix: put the guard where the framework runs it, and test the endpoint without credentials.
    """
    if use.action is GuardAction.OPENS:
        return not_applicable(f"{use.guard} lets anybody in", *use.evidence)
    reason = _IN_VAIN.get(use.action)
    if reason is not None:
        return fail(f"{use.guard} doesn't act: {reason}", *use.evidence)
    if use.action is GuardAction.REDUNDANT:
        return review(
            f"{use.guard} doesn't act above the route; does what else guards it ask for as much?", *use.evidence
        )
    return passed(f"{use.guard} acts", *use.evidence)


@rule(
    "API606",
    severity=Severity.HIGH,
    cwe=(306, 1385),
    references=(
        "OWASP API2:2023",
        "RFC 6455 §10.2",
        "https://cheatsheetseries.owasp.org/cheatsheets/WebSocket_Security_Cheat_Sheet.html",
    ),
)
def unauthenticated_websocket(socket: SocketEntrance, service: Service) -> Verdict:
    """A WebSocket accepts whoever connects, or every site's pages in a user's name.

    Why: the guards of HTTP routes don't see it, and browsers let any page connect with the user's cookies.
    Fix: find out who connects before the connection is accepted, compare the origin, and close it with 1008 otherwise.
    """
    proof = (*socket.evidence, *socket.http_guards)
    match socket.admission:
        case Admission.NOBODY:
            return not_applicable("it closes every connection", *proof)
        case Admission.ANYBODY if socket.http_guards or any(endpoint.auth for endpoint in service.endpoints):
            return fail("whoever connects is accepted; check who it is before accepting", *proof)
        case Admission.ANYBODY:
            return review("whoever connects is accepted; is it meant for everybody?", *proof)
        case Admission.ANY_ORIGIN:
            return fail("pages of any site may connect; compare the origin with your own", *proof)
        case Admission.ORIGIN:
            return review("only the origin is compared, which programs make up; is it meant for everybody?", *proof)
        case Admission.TICKET:
            return review("it asks for a ticket in the query string, which logs keep; is that good for once?", *proof)
        case Admission.UNKNOWN:
            return review("does it turn strangers away before it accepts?", *proof)
    return passed("it checks who connects", *proof)


@rule(
    "API607",
    severity=Severity.CRITICAL,
    cwe=(345, 347),
    references=(
        "OWASP A08:2021",
        "OWASP API10:2023",
        "https://docs.stripe.com/webhooks#verify-events",
    ),
)
def unverified_webhook(webhook: InboundWebhook, service: Service) -> Verdict:
    """An event of another system is acted on, and nothing checks that it comes from there.

    Why: anybody sends "order 42 is paid", and it is.
    Fix: verify the sender's signature over the raw body before anything else, in constant time, and refuse old events.
    """
    proof = webhook.evidence
    if webhook.trust is Trust.NONE and webhook.actions and webhook.is_named:
        return fail(
            "it acts on events of anybody; verify the sender's signature first", *proof, *webhook.actions[:_SHOWN]
        )
    acts = webhook.actions or webhook.perhaps_actions
    match webhook.trust:
        case Trust.NONE if acts:
            return review("do events come from outside? nothing checks who sent them", *proof, *acts[:_SHOWN])
        case Trust.UNKNOWN if acts:
            return review(f"does it check who sent the event? {proof[0].text}", *proof)
        case Trust.VERIFIED:
            return passed("it checks who sent the event", *proof)
        case Trust.GUARDED:
            return passed("a guard asks who is calling", *proof)
        case Trust.SECRET_PATH:
            return passed("its path holds a secret", *proof)
    return not_applicable("it does nothing that we know of", *proof)


def _question(endpoint: Endpoint) -> str:
    if endpoint.unresolved_guards:
        return f"does it turn strangers away? {endpoint.unresolved_guards[0].text}"
    if endpoint.stand_ins:
        return f"is it meant for people who haven't signed in? {endpoint.stand_ins[0].text}"
    if endpoint.opened:
        return f"is it meant for everybody? {endpoint.opened[0].text}"
    return "is it meant for everybody? nothing asks who is calling"


@rule(
    "API605",
    severity=Severity.CRITICAL,
    cwe=(639, 862),
    references=(
        "OWASP API1:2023",
        "OWASP A01:2021",
        "https://cheatsheetseries.owasp.org/cheatsheets/Insecure_Direct_Object_Reference_Prevention_Cheat_Sheet.html",
    ),
)
def missing_object_ownership_check(lookup: ObjectLookup, service: Service) -> Verdict:
    """An endpoint hands out or changes somebody's object by its id, whoever is asking.

    Why: a caller who counts the ids up reads or changes what belongs to others.
    Fix: put the caller into the query, or compare the object's owner with the caller before anything else.
    """
    if lookup.reach in (Reach.ANYBODY, Reach.NOT_OWNED):
        return not_applicable(lookup.reach_reason, *lookup.reach_evidence)
    if lookup.reach is Reach.ALL:
        said = f"{lookup.name} takes any {lookup.what} by its id, whoever is asking"
        return fail(
            f"{said}; put the caller into the query, or compare its owner with the caller", *lookup.reach_evidence
        )
    if lookup.reach is Reach.PERHAPS_ALL:
        asked = f"may every caller of {lookup.name} have any {lookup.what}? {lookup.reach_reason}"
        return review(asked, *lookup.reach_evidence)
    return passed(lookup.reach_reason, *lookup.reach_evidence)
