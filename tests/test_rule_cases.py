"""Every case in `fixtures/rules`, through the whole pipeline: what is marked is what is found, both ways."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

import assay.rules
from assay.scanner.config import Config, ServiceConfig
from assay.scanner.engine import Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import load_rulebook
from assay.scanner.verdicts import Kind
from tests.marks import Marks, marks_in, unmarked

CASES = Path(__file__).parent.parent / "fixtures" / "rules"
PREFIXES = {"pass": Kind.PASS, "fail": Kind.FAIL, "review": Kind.REVIEW, "not_applicable": Kind.NOT_APPLICABLE}
KNOWN_MISS = "known_miss_"
RULEBOOK = load_rulebook(assay.rules)
OPTIONS = Options(
    Config(services={"case": ServiceConfig(".")}), jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor()
)


def cases() -> list[Path]:
    """A case is a file or folder in the folder of its rule."""
    return sorted(case for case in CASES.glob("*/*") if case.name != "__pycache__")


def copied(case: Path, folder: Path) -> Path:
    """A tree that holds nothing but the case; a file's own name would tell things that are not its subject's."""
    root = folder / "case"
    if case.is_dir():
        return Path(shutil.copytree(case, root, ignore=shutil.ignore_patterns("__pycache__")))
    root.mkdir()
    shutil.copy(case, root / f"app{case.suffix}")
    return root


def judged(root: Path, code: str) -> ScanResult:
    """What the rule alone says of the tree, which is one service by configuration."""
    rules = tuple(rule for rule in RULEBOOK.rules if rule.code == code)
    return scan(root, replace(RULEBOOK, rules=rules), {}, OPTIONS)


def expected_kind(case: Path) -> Kind | None:
    """What the case's name says it is about; None for a known miss."""
    return next((kind for prefix, kind in PREFIXES.items() if case.stem.startswith(prefix)), None)


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.parent.name}/{case.stem}")
def test_case(case: Path, tmp_path: Path) -> None:
    root = copied(case, tmp_path)
    marks = marks_in(root)
    for file in root.rglob("*"):
        if file.is_file():
            file.write_bytes(unmarked(file.read_bytes().decode()).encode())
    result = judged(root, case.parent.name)

    assert [str(d) for d in result.diagnostics if d.reason.is_internal_error or d.reason.is_unread_file] == []
    _assert_same_verdicts(case, marks, result)
    _assert_evidence(case, marks, result)


def _assert_same_verdicts(case: Path, marks: Marks, result: ScanResult) -> None:
    """What is not applicable goes without saying, except where that is what the case is about."""
    must_be_marked = set(Kind) if expected_kind(case) is Kind.NOT_APPLICABLE else set(Kind) - {Kind.NOT_APPLICABLE}
    found = {(v.location.path, v.location.line, v.kind): v.message for v in result.verdicts}
    unmarked = {p: text for p, text in found.items() if p[2] in must_be_marked and p not in marks.expected}
    missing = sorted(marks.expected - set(found))
    assert (unmarked, missing) == ({}, [])


def _assert_evidence(case: Path, marks: Marks, result: ScanResult) -> None:
    """Every mark is some verdict's evidence; in cases of failure, the proof of each fail is marked in full."""
    cited = {(e.location.path, e.location.line) for v in result.verdicts for e in v.evidence}
    assert sorted(marks.evidence - cited) == []
    if expected_kind(case) is Kind.FAIL:
        proof = {(e.location.path, e.location.line) for v in result.verdicts if v.kind is Kind.FAIL for e in v.evidence}
        assert sorted(proof - marks.evidence) == []


def test_every_case_is_named_after_what_it_is_about() -> None:
    strangers = [case for case in cases() if expected_kind(case) is None and not case.name.startswith(KNOWN_MISS)]
    assert [str(case.relative_to(CASES)) for case in strangers] == []


def test_every_case_shows_what_its_name_says() -> None:
    silent = []
    for case in cases():
        folder = case if case.is_dir() else case.parent
        kinds = {kind for path, _, kind in marks_in(folder).expected if case.is_dir() or path == case.name}
        wanted = expected_kind(case)
        if wanted is not None and wanted not in kinds:  # in a known miss there may be nothing that is judged
            silent.append(f"{case.parent.name}/{case.name}")
    assert silent == []


@pytest.mark.parametrize("code", [rule.code for rule in RULEBOOK.rules])
def test_every_rule_has_cases_of_all_four_outcomes(code: str) -> None:
    shown = {expected_kind(case) for case in cases() if case.parent.name == code}
    assert set(PREFIXES.values()) - shown == set()


def test_no_case_lacks_its_rule() -> None:
    assert {case.parent.name for case in cases()} - set(RULEBOOK.by_code()) == set()


def test_a_known_miss_begins_by_saying_why() -> None:
    files = [case for case in cases() if case.name.startswith(KNOWN_MISS) and case.is_file()]
    assert [case.name for case in files if not case.read_text(encoding="utf-8").startswith(("#", '"""'))] == []
