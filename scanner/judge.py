"""Rules over the parts of a service: exactly one verdict a rule and subject."""

from __future__ import annotations

import hashlib
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.model.call import FunctionCall
from assay.scanner.model.patterns import Patterns
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.subject import Subject
from assay.scanner.profiling import Profile
from assay.scanner.results import JudgedVerdict, SubjectReference
from assay.scanner.rulebook import Rule
from assay.scanner.verdicts import Kind, Verdict, not_applicable, review

if TYPE_CHECKING:
    from assay.scanner.model.service import Service

SourceLine = Callable[[str, int], str]
"""The text of a line of a scanned file, empty where there is none."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules said of one service, and which of them crashed."""

    verdicts: tuple[JudgedVerdict, ...]
    diagnostics: tuple[Diagnostic, ...]


def judge(
    service: Service,
    rules: Iterable[Rule],
    options: Callable[[Rule], Any],
    line: SourceLine,
    profile: Profile,
) -> Judgement:
    """Ask every rule about every subject of its type. A rule that raises is reported and loses only that subject."""
    verdicts: list[JudgedVerdict] = []
    diagnostics: list[Diagnostic] = []
    for rule in rules:
        with profile.rule(rule.code):
            for subject in _subjects_of_rule(service, rule):
                try:
                    verdict = _ask(rule, subject, service, options(rule))
                except Exception as error:  # noqa: BLE001 - a rule may fail in any way, and the scan goes on
                    diagnostics.append(_crash(rule, subject, error))
                    continue
                verdicts.append(_judged(service, rule, subject, verdict, line))
    return Judgement(tuple(verdicts), tuple(diagnostics))


def _subjects_of_rule(service: Service, rule: Rule) -> Iterator[Subject]:
    """Of the calls that rules ask for, those that this one does."""
    wanted = Patterns(rule.calls)
    for subject in subjects_of(service, rule.subject_type):
        if not isinstance(subject, FunctionCall) or wanted.match(subject.callee):
            yield subject


def subjects_of(service: Service, subject_type: type) -> tuple[Subject, ...]:
    """The service's parts of the type; the service itself for `Service`."""
    from assay.scanner.model.service import Service, parts_by_type  # all nouns, which fingerprints have no need of

    if subject_type is Service:
        return (service,)
    name = parts_by_type().get(subject_type)
    if name is None:
        raise TypeError(f"a service has no parts of type {subject_type.__name__}")
    parts: tuple[Subject, ...] = getattr(service, name)
    return parts


def _ask(rule: Rule, subject: Subject, service: Service, options: Any) -> Verdict:
    if subject.role not in rule.roles:
        return not_applicable(f"it is {_ROLE_WORDS[subject.role]}, and only production is judged")
    arguments = [subject, service, options][: rule.parameters]
    verdict = rule.judge(*arguments)
    if not isinstance(verdict, Verdict):
        raise TypeError(f"it returned {verdict!r}, which is no verdict")
    doubt: Evidence | None = getattr(subject, "doubt", None)
    if verdict.kind is Kind.FAIL and doubt is not None:
        question = f"{verdict.message} (is it production? {doubt.text})"
        return review(question, *verdict.evidence, doubt, flows=verdict.flows)
    return verdict


_ROLE_WORDS = {
    Role.PROD: "production code",
    Role.DEV: "for development",
    Role.TEST: "for tests",
    Role.EXAMPLE: "an example",
    Role.TOOL: "a tool",
}


def _crash(rule: Rule, subject: Subject, error: Exception) -> Diagnostic:
    last = traceback.extract_tb(error.__traceback__)[-1]
    place = f"{last.name}, line {last.lineno}"
    mend = f"; it stands in {rule.place}" if rule.place else "; please report it"
    message = f"{rule.code} crashed on {subject.label}: {type(error).__name__}: {error} (in {place}){mend}"
    return Diagnostic(subject.location.path, subject.location.line, Reason.RULE_CRASHED, message)


def _judged(service: Service, rule: Rule, subject: Subject, verdict: Verdict, line: SourceLine) -> JudgedVerdict:
    reference = SubjectReference(type(subject).__name__, subject.subject_id, subject.label)
    return JudgedVerdict(
        service=service.name,
        rule=rule.code,
        kind=verdict.kind,
        severity=rule.severity,
        subject=reference,
        location=subject.location,
        message=verdict.message,
        evidence=verdict.evidence,
        fingerprint=fingerprint(rule.code, service.root, reference, line(subject.location.path, subject.location.line)),
        flows=verdict.flows,
    )


def fingerprint(code: str, service_root: str, subject: SubjectReference, text: str) -> str:
    """A finding's identity: 12 hex digits of rule, service, subject and the subject's code without its spacing.

    Line numbers are no part of it, so moving code doesn't make a finding new.
    """
    parts = (code, service_root, subject.kind, subject.id, "".join(text.split()))
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:12]
