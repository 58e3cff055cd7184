"""Every case in `fixtures/rules`, through the whole pipeline: what is marked is what is found, both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

import assay.rules
from assay.scanner.own_rules.cases import KNOWN_MISS, OUTCOMES, Case, cases_in, check, lacking
from assay.scanner.rulebook import load_rulebook

CASES = cases_in(Path(__file__).parent.parent / "fixtures" / "rules")
RULEBOOK = load_rulebook(assay.rules)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.code}/{case.path.stem}")
def test_case(case: Case) -> None:
    assert [str(difference) for difference in check(case, RULEBOOK)] == []


def test_every_case_is_named_after_what_it_is_about() -> None:
    starts = (*OUTCOMES, KNOWN_MISS)
    assert [str(case.path) for case in CASES if not case.path.name.startswith(starts)] == []


def test_every_rule_has_cases_of_all_outcomes_that_it_names() -> None:
    assert [(rule.code, outcome) for rule, outcome in lacking(RULEBOOK.rules, CASES)] == []


def test_no_case_lacks_its_rule() -> None:
    assert {case.code for case in CASES} - set(RULEBOOK.by_code()) == set()


def test_a_known_miss_begins_by_saying_why() -> None:
    files = [case.path for case in CASES if case.path.name.startswith(KNOWN_MISS) and case.path.is_file()]
    assert [file.name for file in files if not file.read_text(encoding="utf-8").startswith(("#", '"""'))] == []
