"""DOC1: who runs the service finds how it is set up, what to do when it breaks, and whom to ask."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.documentation import Documentation, EnvironmentVariable
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@dataclass(frozen=True, slots=True)
class ReadmeOptions:
    """`topics` is how many of the five a README has to speak of: purpose, running, configuration, tests, deployment."""

    topics: int = 3


@rule("DOC101", severity=Severity.LOW)
def readme_without_operating_basics(documents: Documentation, service: Service, options: ReadmeOptions) -> Verdict:
    """Nobody new can run the service by its README.

    Why: the next developer, and whoever is called at night, has to find out by reading code how it is started,
    configured and tested.
    Fix: write five short sections: what it is for, how to run it, configure it, test it and deploy it.
    """
    if documents.readme is None:
        return fail(f"{documents.service} has no README")
    found = [evidence for _, evidence in documents.topics]
    if len(found) >= options.topics:
        return passed(f"its README and what it refers to speak of {len(found)} of 5 things", *found)
    lacking = ", ".join(documents.missing)
    if documents.elsewhere is not None:
        return review(f"does that site tell {lacking}?", documents.readme, documents.elsewhere)
    if documents.is_in_another_script:
        return review(f"does the README tell {lacking}?", documents.readme)
    return fail(f"the README doesn't tell {lacking}", documents.readme)


@rule("DOC102", severity=Severity.MEDIUM, references=("https://sre.google/sre-book/being-on-call/",))
def no_runbook(documents: Documentation, service: Service) -> Verdict:
    """Nothing tells what to do when the service breaks.

    Why: whoever is on call invents the procedure under pressure, and the second outage teaches nothing to the third.
    Fix: write a page for each alert and each recovery (symptoms, checks, actions, rollback, whom to call), and link it
    from the alert.
    """
    if documents.procedures:
        return passed("procedures are written down", *documents.procedures)
    if documents.troubleshooting:
        return review("does this tell what to do in an outage?", *documents.troubleshooting)
    if documents.wiki is not None:
        return review("do the procedures for an outage stand there?", documents.wiki)
    if not documents.is_whole:
        return not_applicable("only a part of the repository was scanned; such documents lie at its top")
    return fail(f"no document tells what to do when {documents.service} breaks")


@rule("DOC103", severity=Severity.LOW, references=("https://12factor.net/config",))
def variable_undocumented(variable: EnvironmentVariable, service: Service) -> Verdict:
    """A variable that the service reads is described nowhere.

    Why: whoever sets up another environment can't know that it exists, and learns it from a failure.
    Fix: name it in the example of the environment (.env.example), in the README or in the manifests.
    """
    if variable.given_by is not None:
        return not_applicable(f"it is known from {variable.given_by}", variable.place)
    if not {"TEST", "TESTING"}.isdisjoint(variable.name.upper().split("_")):
        return not_applicable("it is for tests", variable.place)
    if variable.described is None and variable.is_optional_field:
        return not_applicable("it has a default in the class that lists all settings", variable.place)
    if variable.described is not None:
        return passed("it is named where operators look", variable.described)
    return fail(f"{variable.name} is read, and described nowhere", variable.place)


@rule("DOC105", severity=Severity.LOW)
def service_without_owner_or_map(documents: Documentation, service: Service) -> Verdict:
    """Nobody is named who answers for the service, or nothing shows how the services work together.

    Why: a finding, an alert or a question then reaches everybody, which is nobody; and no one sees what a change here
    breaks there.
    Fix: name a team in CODEOWNERS, and draw one map of the services.
    """
    if documents.owner is None and not documents.is_whole:
        return not_applicable("only a part of the repository was scanned; owners are named at its top")
    if documents.owner is None:
        return fail(f"nothing says who owns {documents.service}; name a team in CODEOWNERS")
    if documents.services > 1 and documents.overview is None:
        return fail(f"nothing shows how the {documents.services} services of the tree work together", documents.owner)
    return passed("it has an owner", documents.owner)
