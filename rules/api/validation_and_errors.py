"""API3: requests and responses are validated against declared types, and every error has the same shape."""

from __future__ import annotations

from assay.scanner.model.answer import CaughtFailure, ExceptionAnswer, Outcome
from assay.scanner.model.body import BulkAssignment, RequestBody, ResponseShape
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "API301",
    severity=Severity.HIGH,
    cwe=(20,),
    references=(
        "OWASP API Security Top 10 2023 API3",
        "OWASP Top 10 2021 A03",
        "https://fastapi.tiangolo.com/tutorial/body/",
        "https://www.django-rest-framework.org/api-guide/serializers/#validation",
        "https://marshmallow.readthedocs.io/en/stable/quickstart.html#validation",
    ),
)
def unvalidated_request_body(body: RequestBody, service: Service) -> Verdict:
    """A handler uses what a client sends without holding it against a schema.

    Why: what is missing, too long or of another type than expected breaks the handler or is stored as it came.
    Fix: declare the body's fields (a pydantic model, a serializer, a schema) and use only what the validation gives.
    """
    if not body.is_read:
        return not_applicable("it reads no body")
    if body.trusted is not None:
        return not_applicable("it comes from a service that proves who it is")
    if body.validated:
        return passed("the body is validated against a schema", *body.validated)
    if body.is_text and not body.changes_something and not body.is_open:
        return passed("an answer is made of what it sends, and nothing is kept", *body.checks, *body.compared)
    if body.unchecked and (body.is_open or (not body.checks and (body.changes_something or body.breaks))):
        return fail(f"{body.label} uses its body without validation; declare a schema for it", *body.unchecked)
    if body.unchecked and body.checks:
        return review("do these fields need no check, as others have one?", *body.unchecked)
    if body.unchecked:
        return review("can a value of another type or size do harm here?", *body.unchecked)
    if body.half_checked:
        return review("may these fields be of any type and length, if only they are there?", *body.half_checked)
    if body.forwarded:
        return review("does the service that it is handed on to validate it?", *body.forwarded)
    return passed("each field is checked by hand, or only compared", *body.checks, *body.compared)


@rule(
    "API304",
    severity=Severity.HIGH,
    cwe=(915,),
    references=(
        "OWASP API Security Top 10 2023 API3",
        "https://docs.djangoproject.com/en/stable/topics/forms/modelforms/#selecting-the-fields-to-use",
        "https://fastapi.tiangolo.com/tutorial/extra-models/",
        "https://cheatsheetseries.owasp.org/cheatsheets/Mass_Assignment_Cheat_Sheet.html",
    ),
)
def mass_assignment(assignment: BulkAssignment, service: Service) -> Verdict:
    """Fields that only the service may set are copied from what a client sends.

    Why: a client that adds `is_admin` or `owner_id` to a body gets rights, or somebody else's things.
    Fix: take a narrow input schema that names its fields, and set roles, owners and balances in code.
    """
    if not assignment.is_stored:
        return not_applicable("the object that it writes is no row")
    target = assignment.target or "the object"
    if assignment.unlimited is not None and not assignment.only_admins:
        return fail(
            f"every field that a client sends becomes one of {target}; name those it may set", *assignment.copying
        )
    if assignment.rights and not assignment.only_entitled:
        return fail(f"a client may give itself rights in {target}; leave these fields out", *assignment.rights)
    if assignment.unlimited is not None:
        return review(f"may administrators set every field of {target}?", *assignment.copying)
    if assignment.unknown is not None:
        return review(f"which fields of {target} may a client set?", assignment.unknown)
    if assignment.rights and not assignment.only_admins:
        return review("may all callers that are let in give these rights?", *assignment.rights)
    if assignment.checked and not assignment.only_admins:
        return review("does the check of these fields keep clients from giving themselves rights?", *assignment.checked)
    if assignment.owners and not assignment.only_entitled:
        return review(f"may a client say whose {target} is?", *assignment.owners)
    if assignment.everything is not None and not assignment.only_admins:
        return review(f"may clients set each field of {target}, and those added later?", assignment.everything)
    return passed("only fields that clients may set are taken over", *assignment.limits)


@rule(
    "API305",
    severity=Severity.CRITICAL,
    cwe=(200, 522),
    references=(
        "OWASP API Security Top 10 2023 API3",
        "https://fastapi.tiangolo.com/tutorial/response-model/",
        "https://www.django-rest-framework.org/api-guide/fields/#write_only",
    ),
)
def secret_field_in_response(shape: ResponseShape, service: Service) -> Verdict:
    """An answer holds a password, a hash of one, a key or a token that is stored.

    Why: whoever may read the object, or its log or cache, can act as its owner; hashes of passwords can be guessed.
    Fix: answer with a schema of its own without the field (`write_only`, `load_only`, `Field(exclude=True)`).
    """
    if shape.hands_out and not shape.shown and not shape.doubtful:
        return not_applicable("clients get their tokens by it")
    if shape.shown:
        return fail(f"{shape.label} shows a credential; leave the field out of what is answered", *shape.shown)
    if shape.doubtful:
        return review(f"does {shape.label} show a credential to somebody who is not its owner?", *shape.doubtful)
    if shape.unresolved is not None:
        return review(f"does {shape.label} leave out the credentials of its table?", shape.unresolved)
    if shape.issued:
        return passed("only the call that makes the credential shows it", *shape.issued)
    return passed("none of its fields shows a credential", *shape.kept)


@rule(
    "API306",
    severity=Severity.MEDIUM,
    cwe=(209,),
    references=(
        "OWASP API Security Top 10 2023 API8",
        "OWASP Top 10 2021 A05",
        "https://www.rfc-editor.org/rfc/rfc9457#section-5",
    ),
)
def exception_text_in_response(answer: ExceptionAnswer, service: Service) -> Verdict:
    """An answer tells the client the text of an exception that was not written for clients.

    Why: such texts name tables, statements, hosts, paths and code, which helps attackers and nobody else.
    Fix: log the exception, and answer with a message of your own and a code that stays the same.
    """
    if answer.excuse is not None:
        return not_applicable(answer.excuse, *answer.exposed, *answer.doubtful)
    if answer.exposed:
        said = f"{answer.function} answers with the text of {answer.caught}"
        return fail(f"{said}; log it and answer with a message of your own", *answer.exposed, answer.clause)
    if answer.doubtful:
        question = f"can the text of {answer.caught} in {answer.function} tell of the inside of the service?"
        return review(question, *answer.doubtful, answer.clause)
    return passed(answer.harmless or "it tells nothing of the exception", answer.clause)


@rule(
    "API307",
    severity=Severity.HIGH,
    cwe=(390, 392),
    references=("https://www.rfc-editor.org/rfc/rfc9110#section-15.6", "OWASP Top 10 2021 A09"),
)
def failure_turned_into_success(clause: CaughtFailure, service: Service) -> Verdict:
    """A handler catches every error and answers as if all were well.

    Why: the client believes that its order was stored, nobody tries again, and no alert sees the errors.
    Fix: let the error go on, or answer a 5xx status and log the cause; catch only what the code can mend.
    """
    if clause.outcome is Outcome.SAYS_SO:
        return not_applicable("the answer says that it failed, and its status is judged for itself", clause.place)
    if clause.outcome is Outcome.EXCEPTION:
        return fail(f"{clause.function} returns the exception itself; return an error response", clause.place)
    if clause.excuse is not None and clause.outcome is not Outcome.ERROR:
        return not_applicable(clause.excuse, clause.place)
    if clause.loses_change and clause.comment is None:
        said = f"{clause.function} goes on as if its change had been made"
        return fail(f"{said}; answer an error", clause.place, *clause.changes)
    if clause.replaces_result and not (clause.is_read and clause.is_logged) and clause.comment is None:
        said = f"{clause.function} gives {clause.outcome}, whatever went wrong"
        return fail(f"{said}; answer an error", clause.place, *clause.changes)
    if clause.loses_change or clause.replaces_result:
        return review(f"may {clause.function} answer a success whatever went wrong?", clause.place)
    if clause.outcome is Outcome.FALLBACK and not (clause.is_read and clause.is_logged):
        return review(f"is what {clause.function} answers good enough whatever went wrong?", clause.place)
    return passed(f"the client gets {clause.outcome}", clause.place)
