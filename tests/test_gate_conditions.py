"""The gate's conditions, each on a small result: what is met, what isn't, and what nobody can tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import msgspec
import pytest

from assay.scanner.config import Config, ServiceConfig
from assay.scanner.config.gate import GateConfig, ServiceGate
from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.gate import evaluate
from assay.scanner.model.place import Location
from assay.scanner.results import (
    Acceptance,
    AcceptedBy,
    Base,
    BaseKind,
    Condition,
    GateResult,
    GateStatus,
    JudgedVerdict,
    Outcome,
    PrincipleScore,
    PrincipleStatus,
    RuleInfo,
    Scanned,
    ScanResult,
    SectionScore,
    ServiceResult,
    State,
    SubjectReference,
)
from assay.scanner.verdicts import Kind, Severity

TODAY = date(2026, 11, 3)
WAIVER = Acceptance(AcceptedBy.WAIVER, "at most 20 rows", "W-014", "@acme/pay", expires="2026-10-31")


def finding(
    name: str,
    rule: str = "API401",
    severity: Severity = Severity.HIGH,
    state: State = State.NEW,
    kind: Kind = Kind.FAIL,
    path: str = "app.py",
    **more: Any,
) -> JudgedVerdict:
    subject = SubjectReference("Endpoint", name, name)
    place = Location(path, 1, 1, 1, 2)
    return JudgedVerdict("shop", rule, kind, severity, subject, place, "so", (), name, state=state, **more)


def service(score: float | None = 80.0, name: str = "shop", coverage: float = 1.0) -> ServiceResult:
    principle = PrincipleScore("API4", "Pages", 1, PrincipleStatus.SCORED, score, None, ())
    section = SectionScore("API", "API", 1, score, (principle,))
    return ServiceResult(name, ".", ("Flask",), score, "B", coverage, (section,))


RULES = (
    RuleInfo("API401", "unpaginated", "t", "API4", Severity.HIGH, (), "w", "f"),
    RuleInfo("API402", "uncapped", "t", "API4", Severity.MEDIUM, (), "w", "f"),
    RuleInfo("SEC101", "injection", "t", "SEC1", Severity.CRITICAL, (), "w", "f"),
    RuleInfo("SEC199", "newer", "t", "SEC1", Severity.CRITICAL, (), "w", "f", since="2027.1", is_preview=True),
    RuleInfo("B608", "bandit", "t", "SEC1", Severity.HIGH, (), "w", "f", advisory=True),
)
BASE = Base(BaseKind.COMMIT, "merge base of origin/main", "8f31c2a" * 5, services=(service(),))


def result(*findings: JudgedVerdict, base: Base | None = BASE, **more: Any) -> ScanResult:
    scanned = Scanned("shop", None, None, 0, 1, 1)
    fields: dict[str, Any] = {"services": (service(),), "diagnostics": ()} | more
    return ScanResult("2026.1", scanned, rules=RULES, verdicts=findings, base=base, **fields)


def judged(found: ScanResult, **gate: Any) -> GateResult:
    """Under a gate written as in `assay.toml`."""
    return evaluate(found, Config(gate=msgspec.convert(gate, GateConfig)), TODAY)


def unmet(word: GateResult) -> list[str]:
    return [c.name for c in word.conditions if c.outcome is Outcome.NOT_MET]


def condition(word: GateResult, name: str) -> Condition:
    return next(c for c in word.conditions if c.name == name)


# --- without configuration --------------------------------------------------------------------------------------------


def test_any_repository_is_green_on_day_one() -> None:
    old = (finding("a", state=State.KNOWN), finding("b", "SEC101", Severity.CRITICAL, State.MOVED))
    assert judged(result(*old, finding("c", state=State.EDITED))).status is GateStatus.PASSED


@pytest.mark.parametrize("severity", [Severity.CRITICAL, Severity.HIGH])
def test_a_new_grave_finding_fails_it(severity: Severity) -> None:
    word = judged(result(finding("a", severity=severity)))
    assert word.status is GateStatus.FAILED
    assert unmet(word) == [f"new {severity} findings", "more fails than before in API4"]
    assert word.reason.startswith(f"new {severity} findings: 1 (API401)")


def test_a_new_lesser_finding_makes_its_principle_worse() -> None:
    lesser = finding("a", "API402", Severity.MEDIUM)
    assert unmet(judged(result(lesser))) == ["more fails than before in API4"]
    fixed = replace(BASE, fixed=(finding("b"),))
    assert judged(result(lesser, base=fixed)).status is GateStatus.PASSED


def test_what_is_fixed_elsewhere_outweighs_nothing_here() -> None:
    fixed = replace(BASE, fixed=(finding("b", "SEC101", Severity.CRITICAL),))
    lesser = finding("a", "API402", Severity.MEDIUM)
    assert unmet(judged(result(lesser, base=fixed))) == ["more fails than before in API4"]
    assert judged(result(lesser, base=fixed), ratchet={"scope": "overall"}).status is GateStatus.PASSED


@pytest.mark.parametrize(
    "harmless",
    [
        pytest.param(finding("a", kind=Kind.REVIEW), id="a question"),
        pytest.param(finding("a", "SEC199", Severity.CRITICAL), id="of a rule newer than the edition"),
        pytest.param(finding("a", "B608"), id="an analyzer's advice"),
        pytest.param(finding("a", acceptance=WAIVER), id="accepted"),
    ],
)
def test_what_counts_nowhere_fails_no_gate(harmless: JudgedVerdict) -> None:
    assert judged(result(harmless)).status is GateStatus.PASSED


def test_an_expired_waiver_fails_it_and_its_owner_is_named() -> None:
    word = judged(result(finding("a", state=State.KNOWN, lapsed=WAIVER)))
    assert word.status is GateStatus.FAILED
    assert condition(word, "expired waivers").note == "W-014 (API401, @acme/pay, expired 3 days ago)"


# --- not to be trusted ------------------------------------------------------------------------------------------------

UNREAD = (Diagnostic("b.py", 1, Reason.SYNTAX_ERROR, "no"),)
CRASHED = (Diagnostic("b.py", 1, Reason.RULE_CRASHED, "no"),)


def test_an_unread_file_is_no_yes_and_findings_beside_it_are_told_too() -> None:
    word = judged(result(finding("a"), diagnostics=UNREAD))
    assert word.status is GateStatus.UNTRUSTED
    assert word.reason.startswith("1 file could not be read; new high findings: 1")
    assert judged(result(diagnostics=UNREAD), **{"on-incomplete": "warn"}).status is GateStatus.PASSED


def test_a_crashed_rule_is_no_yes_whatever_is_configured() -> None:
    assert judged(result(diagnostics=CRASHED), **{"on-incomplete": "warn"}).status is GateStatus.UNTRUSTED


def test_without_a_base_nobody_can_tell_what_is_new() -> None:
    word = judged(result(finding("a", state=State.NEW), base=None))
    assert word.status is GateStatus.UNTRUSTED
    assert "nothing to compare with" in word.reason
    anything = {"critical": "any", "high": "any"}
    assert judged(result(base=None), new=anything, ratchet={"scope": "off"}).status is GateStatus.PASSED


# --- configured -------------------------------------------------------------------------------------------------------


def test_limits_of_new_findings_and_of_all() -> None:
    two = (finding("a", "API402", Severity.MEDIUM), finding("b", "API402", Severity.MEDIUM))
    off = {"scope": "off"}
    assert judged(result(*two), new={"medium": 2}, ratchet=off).status is GateStatus.PASSED
    assert unmet(judged(result(*two), new={"medium": 1}, ratchet=off)) == ["new medium findings"]
    old = finding("c", "SEC101", Severity.CRITICAL, State.KNOWN)
    assert unmet(judged(result(old), severities={"critical": 0})) == ["critical findings"]


def test_a_path_may_have_limits_of_its_own() -> None:
    legacy = [finding(name, "API402", Severity.MEDIUM, path="legacy/a.py") for name in "ab"]
    gate: dict[str, Any] = {"ratchet": {"scope": "off"}, "new": {"medium": 0}}
    paths = [{"path": "legacy/**", "new": {"medium": 2}}]
    assert unmet(judged(result(*legacy), **gate)) == ["new medium findings"]
    assert judged(result(*legacy), **gate, paths=paths).status is GateStatus.PASSED
    third = finding("c", "API402", Severity.MEDIUM, path="legacy/b.py")
    assert unmet(judged(result(*legacy, third), **gate, paths=paths)) == ["new medium findings in legacy/**"]


def test_scores_have_limits_and_margins() -> None:
    word = judged(
        result(services=(service(72.5),)),
        overall={"min": 70},
        sections={"API": {"min": 75}},
        principles={"API4": {"min": 72.5}},
    )
    assert unmet(word) == ["score of API"]
    assert [condition(word, n).margin for n in ("overall score", "score of API", "score of API4")] == [2.5, -2.5, 0]


def test_a_score_that_nothing_makes_is_not_applicable() -> None:
    word = judged(result(services=(service(None),)), overall={"min": 70, "max-drop": 1})
    assert word.status is GateStatus.PASSED
    assert condition(word, "overall score").outcome is Outcome.NOT_APPLICABLE


def test_a_score_may_drop_where_nothing_new_fails() -> None:
    """Deleting what kept the rules lowers a share; nobody is blamed for that."""
    lower = (service(70),)
    gate: dict[str, Any] = {"overall": {"max-drop": 0.5}, "ratchet": {"scope": "off"}, "new": {"high": "any"}}
    assert judged(result(services=lower), **gate).status is GateStatus.PASSED
    assert unmet(judged(result(finding("a"), services=lower), **gate)) == ["drop of the overall score"]


def test_a_drop_is_not_told_by_a_baseline() -> None:
    baseline = Base(BaseKind.BASELINE, ".assay/baseline.jsonl", None)
    word = judged(result(base=baseline), overall={"max-drop": 0.5})
    assert word.status is GateStatus.UNTRUSTED
    assert "holds no scores" in word.reason


def test_coverage_has_a_limit() -> None:
    word = judged(result(services=(service(coverage=0.9),)), **{"min-coverage": 95})
    assert unmet(word) == ["coverage"]


def test_an_announced_rule_only_warns_until_its_day() -> None:
    new = finding("a")
    later = judged(result(new), rules={"API401": {"from": date(2026, 11, 4)}})
    assert later.status is GateStatus.PASSED
    assert condition(later, "API401 findings").outcome is Outcome.ANNOUNCED
    assert condition(later, "API401 findings").value == 1
    assert judged(result(new), rules={"API401": {"from": TODAY}}).status is GateStatus.FAILED


def test_reviews_may_be_demanded() -> None:
    question = finding("a", kind=Kind.REVIEW)
    assert unmet(judged(result(question), new={"review": "fail"})) == ["new findings to review"]


def test_a_service_may_have_limits_of_its_own() -> None:
    own = msgspec.convert({"overall": {"min": 90}, "severities": {"high": 0}}, ServiceGate)
    config = Config(services={"shop": ServiceConfig(".", own)})
    word = evaluate(result(finding("a", state=State.KNOWN)), config, TODAY)
    assert unmet(word) == ["overall score of shop", "high findings of shop"]


def test_several_services_are_told_apart() -> None:
    word = judged(result(services=(service(60, "a"), service(90, "b"))), overall={"min": 70})
    assert unmet(word) == ["overall score of a"]


def test_a_gate_may_only_warn() -> None:
    word = judged(result(finding("a")), mode="warn")
    assert (word.status, word.is_enforced) == (GateStatus.FAILED, False)
