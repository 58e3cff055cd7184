"""API1: methods and status codes mean what HTTP says they mean."""

from __future__ import annotations

from assay.scanner.model.answer import CallerRefusal, ErrorAnswer
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.lookup import Absence, ObjectLookup
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "API101",
    severity=Severity.HIGH,
    cwe=(650, 352),
    references=("https://www.rfc-editor.org/rfc/rfc9110#section-9.2.1",),
)
def state_change_on_safe_method(endpoint: Endpoint, service: Service) -> Verdict:
    """A request with GET changes something.

    Why: browsers, crawlers, link scanners and proxies ask with GET on their own, ahead or twice, and any page makes a
    visitor's browser do it: checks against forged requests leave GET alone.
    Fix: take POST, PUT, PATCH or DELETE for the change, and let GET only read.
    """
    if not endpoint.is_read:
        return not_applicable(f"{endpoint.method} may change something")
    if endpoint.kind not in (EndpointKind.JSON, EndpointKind.HTML, EndpointKind.FILE):
        return not_applicable(f"it serves {endpoint.kind.value}")
    changes = endpoint.changes_on_get
    if not changes:
        spared = [e.evidence for e in endpoint.effects_on_get if e.excuse is not None or e.occasion is not None]
        return passed("GET changes nothing that matters to a client", *spared[:3])
    if endpoint.contract is not None:
        return not_applicable(endpoint.contract, *changes[0].steps)
    first = changes[0]
    if endpoint.link is not None:
        return review(f"may {endpoint.link} be followed by a mail scanner, or twice? {first.said}", *first.steps)
    if any(e.action == "login" for e in changes):
        return review(f"does an identity provider or proxy send people to {endpoint.label}?", *first.steps)
    if first.doubt is not None:
        return review(f"does GET change something here? {first.doubt}", *first.steps)
    return fail(f"GET {endpoint.path or '/'}: {first.said}; let POST, PUT, PATCH or DELETE do that", *first.steps)


@rule("API102", severity=Severity.HIGH, cwe=(393,), references=("https://www.rfc-editor.org/rfc/rfc9110#section-15",))
def success_status_carries_error(answer: ErrorAnswer, service: Service) -> Verdict:
    """A response says that something went wrong, and its status says that all is well.

    Why: clients, proxies, caches, retries and alerts go by the status; to them the failed request has succeeded.
    Fix: answer with the 4xx or 5xx status that fits the error.
    """
    if answer.excuse is not None:
        return not_applicable(answer.excuse, answer.marker)
    if answer.status is None:
        return review(f"{answer.label} says {answer.says}: is its status always 4xx or 5xx?", answer.marker)
    if answer.status < 400 and answer.contract is not None:
        return review(f"does the client of {answer.function} need {answer.status} with an error?", answer.contract)
    if answer.status < 400:
        said = f"{answer.label} says {answer.says} with the status {answer.status}"
        return fail(f"{said}; answer with the 4xx or 5xx status that fits", answer.marker)
    return passed(f"it answers {answer.status}", answer.marker)


@rule(
    "API106",
    severity=Severity.MEDIUM,
    cwe=(754,),
    references=("https://www.rfc-editor.org/rfc/rfc9110#section-15.5.5",),
)
def missing_object_not_answered_404(lookup: ObjectLookup, service: Service) -> Verdict:
    """An object that a client asks for by its id does not exist, and the answer isn't 404.

    Why: a client can't tell a wrong id from a broken service: it retries what never succeeds, or takes null for an
    object, and the errors fill the logs and alerts.
    Fix: answer 404 on the path where the look-up finds nothing.
    """
    if lookup.goes_on_without:
        return not_applicable(f"it goes on where there is no such {lookup.what}", *lookup.absence_evidence)
    if lookup.misleads:
        said = f"{lookup.name} {lookup.answer_without} where there is no such {lookup.what}"
        return fail(f"{said}; answer 404", *lookup.absence_evidence)
    if lookup.absence is Absence.UNKNOWN:
        asked = f"what does {lookup.name} answer where there is no such {lookup.what}?"
        return review(asked, *lookup.absence_evidence)
    return passed(f"it {lookup.answer_without} where there is no such {lookup.what}", *lookup.absence_evidence)


@rule(
    "API103",
    severity=Severity.MEDIUM,
    cwe=(393,),
    references=(
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2",
        "https://www.rfc-editor.org/rfc/rfc9110#section-15.5.4",
    ),
)
def wrong_status_on_auth_failure(refusal: CallerRefusal, service: Service) -> Verdict:
    """A caller is turned away with a status that says something else than why.

    Why: clients refresh their token or sign in again on 401, and give up on 403; any other status leads them astray.
    Fix: answer 401 to a caller who is not identified, 403 to one who is and may not, or 404 to hide the object.
    """
    wanted = " or ".join(str(status) for status in sorted(refusal.wanted))
    if refusal.excuse is not None:
        return not_applicable(refusal.excuse, refusal.condition)
    if refusal.status not in refusal.wanted and refusal.contract is not None:
        said = f"{refusal.function} answers {refusal.status} to a caller without {refusal.lacking}"
        return review(f"{said}: is the reason in the comment good enough?", refusal.contract)
    if refusal.status not in refusal.wanted:
        said = f"{refusal.function} answers {refusal.status} to a caller without {refusal.lacking}"
        return fail(f"{said}; answer {wanted}", refusal.condition)
    return passed(f"a caller without {refusal.lacking} gets {refusal.status}", refusal.condition)
