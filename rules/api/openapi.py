"""API5: the API is described by an OpenAPI document, and the document is true."""

from __future__ import annotations

from assay.scanner.model.description import ApiDescription, DescribedOperation, DescriptionSource, DocumentedOperation
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "API501",
    severity=Severity.MEDIUM,
    references=("https://spec.openapis.org/oas/v3.1.0", "OWASP API9:2023 Improper Inventory Management"),
)
def no_openapi_description(description: ApiDescription, service: Service) -> Verdict:
    """No OpenAPI document describes the API of an application.

    Why: clients read the code or guess, nothing can be generated from it, and nobody knows what is exposed.
    Fix: let the framework or a library make the document of the code, and publish it; or write one and check it in CI.
    """
    if description.excuse is not None:
        return not_applicable(description.excuse)
    count = f"{description.operations} operations" if description.operations > 1 else "its one operation"
    match description.source:
        case DescriptionSource.NONE:
            return fail(f"nothing describes {count}; generate an OpenAPI document from the code and publish it")
        case DescriptionSource.SWITCHED_OFF:
            return fail(
                f"the description of {count} is switched off; serve it to those who may see it, or export it",
                *description.evidence,
            )
        case DescriptionSource.CONFIGURED:
            return review("a setting that is empty by default decides: is the API described?", *description.evidence)
        case DescriptionSource.UNREAD:
            return review(f"does this document describe {count} of {description.name}?", *description.evidence)
    return passed(f"its description is {description.source}", *description.evidence)


@rule(
    "API502",
    severity=Severity.HIGH,
    references=("https://spec.openapis.org/oas/v3.1.0", "OWASP API9:2023 Improper Inventory Management"),
)
def openapi_drift(operation: DescribedOperation, service: Service) -> Verdict:
    """A committed OpenAPI document and the code say different things about an operation.

    Why: clients made from the document call what isn't there, or send what nobody reads; audits miss what it hides.
    Fix: make the document from the code in CI, and let the build fail on a difference.
    """
    if operation.excuse is not None:
        return not_applicable(operation.excuse, *operation.evidence)
    if operation.differences and operation.doubt is not None:
        return review(f"is it true that {operation.differences[0]}? {operation.doubt}", *operation.evidence)
    if operation.differences:
        said = "; ".join(operation.differences)
        return fail(f"{operation.label} in {operation.document}: {said}; make the document anew", *operation.evidence)
    return passed("document and code agree", *operation.evidence)


@rule("API503", severity=Severity.LOW, references=("https://spec.openapis.org/oas/v3.1.0#operation-object",))
def undocumented_operation(operation: DocumentedOperation, service: Service) -> Verdict:
    """The description of the API shows an operation, or most of them, without a word on what it does.

    Why: a generated name and a list of fields don't tell what the call is for, what it changes and when it refuses.
    Fix: say it in the handler's docstring, or as `summary` or `description`, in one sentence.
    """
    if operation.excuse is not None:
        return not_applicable(operation.excuse)
    if operation.is_whole_api:
        count = f"{operation.bare} of {operation.total} operations"
        return fail(f"nothing says what {count} do; add a docstring of one sentence to each", *operation.evidence)
    if operation.text is None:
        return fail(f"nothing says what {operation.label} does; add a sentence as the handler's docstring")
    if operation.is_placeholder:
        return review(f"does `{operation.text.text}` say what {operation.label} does?", operation.text)
    return passed("it is described in words", operation.text)
