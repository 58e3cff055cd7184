"""The rules on ignore comments themselves: one that is wrong or idle is a finding of its own, which no score counts."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

from assay.scanner.judge import fingerprint
from assay.scanner.model.place import Location
from assay.scanner.results import IgnoreComment, JudgedVerdict, RuleInfo, ServiceResult, SubjectReference
from assay.scanner.verdicts import Kind, Severity

__all__ = ["IDLE", "RULES", "UNKNOWN_RULE", "WITHOUT_REASON", "finding", "mistake"]

_REFERENCES = ("docs/waivers.md",)

IDLE = RuleInfo(
    code="META101",
    name="idle-ignore",
    title="A comment ignores a rule that finds nothing there.",
    principle="META",
    severity=Severity.LOW,
    cwe=(),
    why="it would silence the next finding in that place, which nobody has looked at.",
    fix="remove the comment, or the rule's code from it.",
    references=_REFERENCES,
    advisory=True,
)
WITHOUT_REASON = RuleInfo(
    code="META102",
    name="ignore-without-reason",
    title="A comment ignores a rule and doesn't say why.",
    principle="META",
    severity=Severity.MEDIUM,
    cwe=(),
    why="who reads it later can't tell whether it still holds; so it silences nothing.",
    fix="write the reason behind the bracket: # assay: ignore[API401] at most 50 rows exist",
    references=_REFERENCES,
    advisory=True,
)
UNKNOWN_RULE = RuleInfo(
    code="META103",
    name="ignore-of-unknown-rule",
    title="A comment ignores no rule that exists.",
    principle="META",
    severity=Severity.MEDIUM,
    cwe=(),
    why="it silences nothing, although somebody meant it to.",
    fix="name the rule in brackets: # assay: ignore[API401] reason; `assay rules` lists the codes.",
    references=_REFERENCES,
    advisory=True,
)
RULES = (IDLE, WITHOUT_REASON, UNKNOWN_RULE)


def mistake(ignore: IgnoreComment, known: Collection[str]) -> tuple[RuleInfo, str] | None:
    """What keeps a comment from counting, and the message; None where all is well."""
    if not ignore.codes:
        return UNKNOWN_RULE, "the comment names no rule, so it silences nothing; write ignore[CODE] and the reason"
    for code in ignore.codes:
        if code not in known:
            near = difflib.get_close_matches(code.upper(), sorted(known), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            return UNKNOWN_RULE, f"there is no rule {code}, so the comment silences nothing{hint}"
    if not ignore.reason:
        codes = ", ".join(ignore.codes)
        return WITHOUT_REASON, f"the comment gives no reason for ignoring {codes}, so it silences nothing"
    return None


def finding(
    rule: RuleInfo, message: str, ignore: IgnoreComment, number: int, text: str, services: Iterable[ServiceResult]
) -> JudgedVerdict:
    """The rule's verdict on a comment, which is the `number`-th alike in its file; `text` is its line.

    It belongs to the innermost service around it, or to the first one.
    """
    service = _around(ignore.location, tuple(services))
    codes = ", ".join(ignore.codes)
    subject = SubjectReference("comment", f"{ignore.location.path}:ignore[{codes}]#{number}", f"ignore[{codes}]")
    mark = fingerprint(rule.code, service.root, subject, text)
    return JudgedVerdict(service.name, rule.code, Kind.FAIL, rule.severity, subject, ignore.location, message, (), mark)


def _around(place: Location, services: tuple[ServiceResult, ...]) -> ServiceResult:
    around = [s for s in services if s.root == "." or place.path.startswith(f"{s.root}/")]
    return max(around, key=lambda s: len(s.root)) if around else services[0]
