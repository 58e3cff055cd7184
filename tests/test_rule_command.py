"""`assay rule`: making rules of one's own, and running their cases."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.own_rules import PYTHON, STANDARD, loaded, written
from tests.running import listing, run_assay


class TestRuleNew:
    @pytest.mark.parametrize(("options", "cases"), [((), 4), (("--data",), 3)])
    def test_what_it_writes_passes(self, options: tuple[str, ...], cases: int, tmp_path: Path) -> None:
        made = run_assay("rule", "new", "ACME101", "open-billing", *options, cwd=tmp_path)
        assert made.code == 0, made.err
        file = f"rules/open_billing.{'yaml' if options else 'py'}"
        assert made.out.splitlines()[-1] == f"Now change them, and run: assay rule test {file}"
        ended = run_assay("rule", "test", file, cwd=tmp_path)
        assert (ended.code, ended.out) == (0, f"{cases} cases of 1 rule: all as they are marked\n")

    def test_a_second_rule_of_a_principle_says_the_same_of_it(self, tmp_path: Path) -> None:
        first = written(tmp_path / "rules" / "first.py", PYTHON)
        run_assay("rule", "new", "ACME102", "open-billing", cwd=tmp_path)
        assert len(loaded(first, tmp_path / "rules" / "open_billing.py").rules) == len(STANDARD.rules) + 2

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            (("API901", "open-billing"), "API901: API is a section of the standard"),
            (("ACME1", "open-billing"), "ACME1: that is no rule code"),
            (("ACME101", "Open_Billing"), "Open_Billing: that is no name of a rule"),
            (("ACME101", "taken-name"), "rules/taken_name.py: it is there already"),
            (("ACME102", "open-billing"), "rules/cases/ACME102: it is there already"),
        ],
    )
    def test_what_it_refuses_leaves_nothing_behind(
        self, arguments: tuple[str, str], expected: str, tmp_path: Path
    ) -> None:
        written(tmp_path / "rules" / "taken_name.py", "")
        written(tmp_path / "rules" / "cases" / "ACME102" / "fail.py", "")
        before = listing(tmp_path)
        ended = run_assay("rule", "new", *arguments, cwd=tmp_path)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"assay: {expected}")
        assert listing(tmp_path) == before


class TestRuleTest:
    @pytest.fixture
    def rules(self, tmp_path: Path) -> Path:
        run_assay("rule", "new", "ACME101", "open-billing", cwd=tmp_path)
        return tmp_path / "rules"

    def test_every_difference_is_told_with_its_line(self, rules: Path, tmp_path: Path) -> None:
        cases = rules / "cases" / "ACME101"
        wrong = (cases / "fail.py").read_text(encoding="utf-8")
        written(cases / "fail.py", wrong.replace("  # expect: fail", ""))
        written(
            cases / "pass.py", (cases / "pass.py").read_text(encoding="utf-8").replace("expect: pass", "expect: fail")
        )
        (cases / "review.py").unlink()
        written(cases / "other.py", wrong)
        ended = run_assay("rule", "test", "rules/open_billing.py", cwd=tmp_path)
        assert ended.code == 1
        assert ended.out.splitlines() == [
            "rules/cases/ACME101/fail.py: nothing in it is marked `# expect: fail`, as its name says",
            "rules/cases/ACME101/fail.py:7: it says fail, which is not marked: POST /billing/refunds answers anybody",
            "rules/cases/ACME101/other.py: its name doesn't say what it is about; it begins with one of "
            "pass, fail, review, not_applicable",
            "rules/cases/ACME101/pass.py: nothing in it is marked `# expect: pass`, as its name says",
            "rules/cases/ACME101/pass.py:14: it says pass, which is not marked: it asks who is calling",
            "rules/cases/ACME101/pass.py:14: marked fail, and it says pass",
            "rules/open_billing.py:11: ACME101 has no case of the outcome review",
            "4 cases of 1 rule: 7 differences",
        ]

    def test_evidence_is_compared_too(self, rules: Path, tmp_path: Path) -> None:
        case = rules / "cases" / "ACME101" / "review.py"
        text = case.read_text(encoding="utf-8").replace("  # evidence", "")
        written(case, text.replace("app = FastAPI()", "app = FastAPI()  # evidence"))
        ended = run_assay("rule", "test", "rules/open_billing.py", cwd=tmp_path)
        assert "review.py:4: marked as evidence, and no verdict cites it" in ended.out
        assert ended.code == 1

    def test_a_case_that_is_no_python_or_crashes_the_rule_differs(self, rules: Path, tmp_path: Path) -> None:
        written(rules / "cases" / "ACME101" / "fail_broken.py", "def (  # expect: fail\n")
        written(rules / "cases" / "ACME101" / "fail_empty.txt", "# expect: fail\n")
        ended = run_assay("rule", "test", "rules/open_billing.py", cwd=tmp_path)
        assert ended.code == 1
        assert "fail_empty.txt: there is no Python in it, and so nothing is judged" in ended.out
        assert "fail_broken.py:1: marked fail, and it says nothing" in ended.out

    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            ("none", "rules/cases: there is no such folder"),
            ("empty", "rules/cases: there are no cases in it"),
            ("others", "rules/cases: there is no case of ACME101 in it"),
            ("broken", "rules/open_billing.py:1: SyntaxError"),
        ],
    )
    def test_without_cases_or_without_a_rule_nobody_can_tell(
        self, change: str, expected: str, rules: Path, tmp_path: Path
    ) -> None:
        cases = rules / "cases"
        (cases / "ACME101").rename(tmp_path / "away")
        if change == "none":
            cases.rmdir()
        if change == "others":
            (tmp_path / "away").rename(cases / "ACME102")
        if change == "broken":
            written(rules / "open_billing.py", "def (")
        ended = run_assay("rule", "test", "rules/open_billing.py", cwd=tmp_path)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"assay: {expected}")

    def test_subjects_are_listed_with_their_attributes(self, tmp_path: Path) -> None:
        assert "outbound call\n" in run_assay("rule", "subjects", cwd=tmp_path).out
        assert re.search(
            r"^auth +any number of: text$", run_assay("rule", "subjects", "endpoint", cwd=tmp_path).out, re.M
        )
        ended = run_assay("rule", "subjects", "endpont", cwd=tmp_path)
        assert (ended.code, ended.err) == (2, "assay: endpont: there is no such subject; did you mean 'endpoint'?\n")
