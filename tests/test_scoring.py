"""The arithmetic of scores: exact examples, and the promise that a better tree never scores worse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from random import Random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.results import (
    Acceptance,
    AcceptedBy,
    JudgedVerdict,
    PrincipleScore,
    PrincipleStatus,
    RuleInfo,
    ServiceResult,
    SubjectReference,
)
from assay.scanner.rulebook import Judging, Principle, Rule, Rulebook, Section, Standard
from assay.scanner.scoring import grade, score_service
from assay.scanner.verdicts import Kind, Severity, passed
from tests.samples import sample_result


def a_rule(code: str, severity: Severity) -> Rule:
    return Rule(
        code=code,
        name=code.lower(),
        severity=severity,
        title="It is wrong.",
        why="it harms.",
        fix="mend it.",
        cwe=(),
        references=(),
        roles=frozenset({Role.PROD}),
        source_module=__name__,
        since="test",
        load=lambda: Judging(passed, object, options_type=None, parameters=1),
    )


RULES = (
    a_rule("API101", Severity.HIGH),
    a_rule("API102", Severity.LOW),
    a_rule("API201", Severity.MEDIUM),
    a_rule("SEC101", Severity.CRITICAL),
    a_rule("SEC102", Severity.MEDIUM),
    a_rule("SEC103", Severity.MEDIUM),
)


def a_rulebook(*, weights: tuple[float, float, float, float, float] = (1, 3, 1, 2, 4)) -> Rulebook:
    """API (API1, API2), SEC (SEC1), OPS (OPS1 attested and without rules, OPS2 without rules)."""
    api1, api2, sec1, api, sec = weights
    return Rulebook(
        Standard(
            editions=("test",),
            sections=(
                Section(
                    "API", "API", api, (Principle("API1", "One", "One.", api1), Principle("API2", "Two", "Two.", api2))
                ),
                Section("SEC", "SEC", sec, (Principle("SEC1", "Safe", "Safe.", sec1),)),
                Section(
                    "OPS", "OPS", 5, (Principle("OPS1", "Run", "Run.", attested=True), Principle("OPS2", "Go", "Go."))
                ),
            ),
        ),
        RULES,
    )


def verdict(rule: str, kind: Kind, waiver: str | None = None) -> JudgedVerdict:
    subject = SubjectReference("endpoint", "GET /", "GET /")
    place = Location("app.py", 1, 1, 1, 2)
    return JudgedVerdict(
        "app",
        rule,
        kind,
        Severity.LOW,
        subject,
        place,
        "so it is",
        (),
        fingerprint="f",
        acceptance=Acceptance(AcceptedBy.WAIVER, waiver) if waiver else None,
    )


def verdicts(
    rule: str, *, ok: int = 0, wrong: int = 0, unsure: int = 0, off: int = 0, waived: int = 0
) -> list[JudgedVerdict]:
    return [
        *[verdict(rule, Kind.PASS)] * ok,
        *[verdict(rule, Kind.FAIL)] * wrong,
        *[verdict(rule, Kind.REVIEW)] * unsure,
        *[verdict(rule, Kind.NOT_APPLICABLE)] * off,
        *[verdict(rule, Kind.FAIL, "accepted")] * waived,
    ]


def score(
    found: Iterable[JudgedVerdict],
    rulebook: Rulebook | None = None,
    *,
    read: int = 10,
    wanted: int = 10,
    minimum: float = 0.95,
) -> ServiceResult:
    return score_service("app", ".", ("FastAPI",), rulebook or a_rulebook(), found, read, wanted, minimum)


def principle(result: ServiceResult, name: str) -> PrincipleScore:
    return next(p for s in result.sections for p in s.principles if p.id == name)


def rulebook_of(service: ServiceResult, rules: Iterable[RuleInfo]) -> Rulebook:
    """The rulebook that a scored service implies."""
    sections = tuple(
        Section(
            s.id,
            s.title,
            s.weight,
            tuple(Principle(p.id, p.title, p.title, p.weight, p.is_attested) for p in s.principles),
        )
        for s in service.sections
    )
    return Rulebook(Standard(("test",), sections), tuple(a_rule(r.code, r.severity) for r in rules if not r.advisory))


class TestPrinciples:
    def test_score_is_the_mean_of_compliance_weighted_by_severity(self) -> None:
        # medium 2 x 100 % and medium 2 x 50 %, critical 8 x 100 %
        found = verdicts("SEC101", ok=1) + verdicts("SEC102", ok=4) + verdicts("SEC103", ok=1, wrong=1)
        assert principle(score(found), "SEC1").score == pytest.approx(100 * (8 + 2 + 1) / 12)

    def test_rules_without_judged_subjects_take_no_part(self) -> None:
        found = verdicts("SEC101", off=3, unsure=1, waived=1) + verdicts("SEC102", ok=1, wrong=3)
        sec1 = principle(score(found), "SEC1")
        assert sec1.score == 25
        assert [(r.passed, r.failed, r.review, r.not_applicable, r.waived) for r in sec1.rules] == [
            (0, 0, 1, 3, 1),
            (1, 3, 0, 0, 0),
            (0, 0, 0, 0, 0),
        ]

    @pytest.mark.parametrize(("code", "cap"), [("SEC101", 39), ("API101", 79), ("SEC102", None), ("API102", None)])
    def test_a_fail_caps_by_its_rules_severity(self, code: str, cap: int | None) -> None:
        found = verdicts(code, ok=999, wrong=1)
        scored = principle(score(found), code[:-2])
        assert scored.cap == cap
        assert scored.score == (cap or 99.9)

    def test_the_cap_is_a_ceiling_not_a_score(self) -> None:
        sec1 = principle(score(verdicts("SEC101", ok=1, wrong=3)), "SEC1")
        assert (sec1.score, sec1.cap) == (25, 39)

    @pytest.mark.parametrize("others", [{"waived": 5}, {"unsure": 5}, {"off": 5}, {}])
    def test_only_an_unwaived_fail_caps(self, others: dict[str, int]) -> None:
        sec1 = principle(score(verdicts("SEC101", ok=1, **others)), "SEC1")
        assert (sec1.score, sec1.cap) == (100, None)

    def test_a_waiver_on_a_pass_changes_nothing(self) -> None:
        sec1 = principle(score([verdict("SEC101", Kind.PASS, "accepted")]), "SEC1")
        assert (sec1.score, sec1.rules[0].passed, sec1.rules[0].waived) == (100, 1, 0)

    def test_a_principle_without_judged_subjects_has_no_score(self) -> None:
        result = score(verdicts("API101", ok=1) + verdicts("SEC101", unsure=1, off=1, waived=1))
        statuses = {p.id: (p.status, p.score) for s in result.sections for p in s.principles}
        assert statuses == {
            "API1": (PrincipleStatus.SCORED, 100),
            "API2": (PrincipleStatus.NOT_APPLICABLE, None),
            "SEC1": (PrincipleStatus.NOT_APPLICABLE, None),
            "OPS1": (PrincipleStatus.NO_RULE_YET, None),
            "OPS2": (PrincipleStatus.NO_RULE_YET, None),
        }

    def test_an_attested_principle_with_rules_asks_for_a_persons_word(self) -> None:
        attested = Section("API", "API", 1, (Principle("API1", "One", "One.", attested=True),))
        rulebook = Rulebook(Standard(("test",), (attested,)), RULES[:1])
        assert principle(score([], rulebook), "API1").status is PrincipleStatus.NEEDS_ATTESTATION
        assert principle(score(verdicts("API101", ok=1), rulebook), "API1").status is PrincipleStatus.SCORED


class TestSectionsAndOverall:
    def test_means_are_weighted_and_skip_what_has_no_score(self) -> None:
        # API = (1 x API1 50 + 3 x API2 90) / 4 = 80; SEC 20; overall = (2 x 80 + 4 x 20) / 6 = 40; OPS has no score
        found = (
            verdicts("API102", ok=1, wrong=1) + verdicts("API201", ok=9, wrong=1) + verdicts("SEC102", ok=1, wrong=4)
        )
        result = score(found)
        assert [s.score for s in result.sections] == [80, 20, None]
        assert (result.score, result.grade) == (40, "D")

    @pytest.mark.parametrize(
        ("points", "letter"),
        [
            (100, "A"),
            (90, "A"),
            (89.99, "B"),
            (75, "B"),
            (74.99, "C"),
            (60, "C"),
            (59.99, "D"),
            (40, "D"),
            (39.99, "E"),
            (0, "E"),
        ],
    )
    def test_grades(self, points: float, letter: str) -> None:
        assert grade(points) == letter

    def test_nothing_judged_is_not_rated(self) -> None:
        result = score([])
        assert (result.score, result.grade, result.coverage) == (None, "not rated", 1.0)

    def test_the_sample_of_the_report_tests_keeps_the_arithmetic(self) -> None:
        sample = sample_result()
        for service in sample.services:
            own = [v for v in sample.verdicts if v.service == service.name]
            rulebook = rulebook_of(service, sample.rules)
            name, root, frameworks = service.name, service.root, service.frameworks
            assert score_service(name, root, frameworks, rulebook, own, 6, 6, 0.8) == service


class TestCoverage:
    def test_is_settled_subjects_times_files_read(self) -> None:
        # settled: pass, fail, waived; n. a. was never to be judged
        found = verdicts("API102", ok=5, wrong=2, waived=1, unsure=2, off=90)
        assert score(found, read=9, wanted=10).coverage == pytest.approx(0.8 * 0.9)

    @pytest.mark.parametrize(("minimum", "letter"), [(0.8, "A"), (0.81, "not rated")])
    def test_below_the_minimum_the_grade_is_not_rated_and_the_score_stays(self, minimum: float, letter: str) -> None:
        result = score(verdicts("API102", ok=4, unsure=1), minimum=minimum)
        assert (result.coverage, result.score, result.grade) == (0.8, 100, letter)

    def test_analyzers_verdicts_are_advice(self) -> None:
        found = verdicts("API102", ok=1)
        assert score(found + verdicts("BANDIT-B101", wrong=7, unsure=7)) == score(found)

    @pytest.mark.parametrize(("read", "wanted"), [(11, 10), (-1, 10), (0, -1)])
    def test_impossible_file_counts_are_errors(self, read: int, wanted: int) -> None:
        with pytest.raises(ValueError, match="files can't have been read"):
            score([], read=read, wanted=wanted)

    def test_no_files_wanted_is_full_coverage(self) -> None:
        assert score([], read=0, wanted=0).coverage == 1.0


CODES = st.sampled_from([r.code for r in RULES])
WEIGHTS = st.sampled_from([0.1, 0.3, 0.5, 1.0, 1.7, 2.0, 3.0])
RULEBOOKS = st.tuples(WEIGHTS, WEIGHTS, WEIGHTS, WEIGHTS, WEIGHTS).map(lambda weights: a_rulebook(weights=weights))


@st.composite
def found_verdicts(draw: st.DrawFn) -> list[JudgedVerdict]:
    batches = draw(
        st.lists(
            st.builds(
                verdicts,
                CODES,
                ok=st.integers(0, 7),
                wrong=st.integers(0, 3),
                unsure=st.integers(0, 2),
                off=st.integers(0, 2),
                waived=st.integers(0, 2),
            ),
            max_size=8,
        )
    )
    return [v for batch in batches for v in batch]


class Scored(NamedTuple):
    what: str
    score: float | None


def every_score(result: ServiceResult) -> Iterator[Scored]:
    yield Scored("overall", result.score)
    for section in result.sections:
        yield Scored(section.id, section.score)
        for each in section.principles:
            yield Scored(each.id, each.score)
            for rule in each.rules:
                yield Scored(rule.code, rule.compliance)


def assert_never_lower(before: ServiceResult, after: ServiceResult) -> None:
    for old, new in zip(every_score(before), every_score(after), strict=True):
        if new.score is None:
            assert not old.score, f"{old.what} lost its score of {old.score}"
        elif old.score is not None:
            assert new.score >= old.score, f"{old.what} fell from {old.score} to {new.score}"


class TestABetterTreeNeverScoresWorse:
    """Proof: with fixed terms a weighted mean grows with each term and a cap only lifts when fails go. A term that
    leaves because its last fail went was 0, the lowest; one that enters by a first pass is 100, the highest."""

    @given(found_verdicts(), RULEBOOKS, st.data())
    def test_turning_fails_into_passes(
        self, found: list[JudgedVerdict], rulebook: Rulebook, data: st.DataObject
    ) -> None:
        after = [
            verdict(v.rule, Kind.PASS) if v.kind is Kind.FAIL and v.waiver is None and data.draw(st.booleans()) else v
            for v in found
        ]
        assert_never_lower(score(found, rulebook), score(after, rulebook))

    @given(found_verdicts(), RULEBOOKS, st.data())
    def test_deleting_what_fails(self, found: list[JudgedVerdict], rulebook: Rulebook, data: st.DataObject) -> None:
        after = [v for v in found if v.kind is not Kind.FAIL or data.draw(st.booleans())]
        assert_never_lower(score(found, rulebook), score(after, rulebook))

    @given(found_verdicts(), RULEBOOKS, st.lists(CODES, min_size=1, max_size=5))
    def test_adding_what_passes(self, found: list[JudgedVerdict], rulebook: Rulebook, added: list[str]) -> None:
        after = found + [verdict(code, Kind.PASS) for code in added]
        assert_never_lower(score(found, rulebook), score(after, rulebook))

    @given(found_verdicts(), RULEBOOKS, st.data())
    def test_waiving_what_fails(self, found: list[JudgedVerdict], rulebook: Rulebook, data: st.DataObject) -> None:
        after = [verdict(v.rule, v.kind, "accepted") if v.is_finding and data.draw(st.booleans()) else v for v in found]
        assert_never_lower(score(found, rulebook), score(after, rulebook))

    @given(found_verdicts(), RULEBOOKS, st.randoms(use_true_random=False))
    def test_order_doesnt_matter(self, found: list[JudgedVerdict], rulebook: Rulebook, random: Random) -> None:
        shuffled = list(found)
        random.shuffle(shuffled)
        assert score(shuffled, rulebook) == score(found, rulebook)

    @given(found_verdicts())
    def test_scores_stay_between_0_and_100(self, found: list[JudgedVerdict]) -> None:
        result = score(found)
        assert all(s.score is None or 0 <= s.score <= 100 for s in every_score(result))
        assert 0 <= result.coverage <= 1
