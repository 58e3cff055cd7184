"""The report for GitLab's Code Quality keeps what its documentation demands."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from assay.reports import gitlab
from assay.scanner.results import Scanned, ScanResult
from tests.running import backend, run_assay
from tests.samples import NASTY_PATH, gated_result, large_result, sample_result

CONTRACT = Path(__file__).parent / "data" / "gitlab-code-quality.schema.json"
EMPTY = ScanResult("2026.1", Scanned(".", None, None, 0.0, 0, 0), (), (), (), ())


def issues_of(result: ScanResult, with_reviews: bool = False) -> list[dict[str, Any]]:
    issues = json.loads(gitlab.render(result, with_reviews))
    assert isinstance(issues, list)
    return issues


def findings_in(issues: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what couldn't be read or judged."""
    return [issue for issue in issues if issue["check_name"][0].isupper()]


@pytest.fixture(scope="module")
def validate() -> Callable[[object], None]:
    compiled: Callable[[object], None] = fastjsonschema.compile(json.loads(CONTRACT.read_text(encoding="utf-8")))
    return compiled


@pytest.fixture(scope="module")
def many() -> str:
    """A report of 30,000 findings."""
    clock = time.process_time()
    text = gitlab.render(large_result(30_000))
    assert time.process_time() - clock < 3
    return text


def test_golden(check_golden: Callable[[str, str], None]) -> None:
    check_golden("report.gitlab.json", gitlab.render(gated_result(), with_reviews=True))


@pytest.mark.parametrize("count", [0, 1, 30_000])
def test_is_valid_with_none_one_and_many(validate: Callable[[object], None], many: str, count: int) -> None:
    issues = json.loads(many) if count > 1 else issues_of(large_result(count))
    validate(issues)
    assert len(findings_in(issues)) == count


def test_the_schema_can_refuse(validate: Callable[[object], None]) -> None:
    (issue,) = findings_in(issues_of(large_result(1)))
    for wrong in (
        {**issue, "severity": "high"},
        {**issue, "description": "two\nlines"},
        {**issue, "location": {**issue["location"], "path": "./a.py"}},
        {**issue, "location": {"path": "a.py"}},
    ):
        with pytest.raises(fastjsonschema.JsonSchemaException):
            validate([wrong])


def test_a_clean_tree_is_an_empty_array_and_not_an_empty_file() -> None:
    assert gitlab.render(EMPTY) == "[]\n"


def test_gitlab_json_has_no_bom_and_unique_fingerprints(many: str) -> None:
    assert many.startswith("[")
    marks = [issue["fingerprint"] for issue in json.loads(many)]
    assert len(set(marks)) == len(marks)
    assert len({v.fingerprint for v in large_result(30_000).verdicts}) < len(marks)


def test_a_fingerprint_is_the_findings_own_where_no_other_has_it() -> None:
    (issue,) = findings_in(issues_of(large_result(1)))
    assert issue["fingerprint"] == large_result(1).verdicts[0].fingerprint


def test_only_open_fails_that_count_are_told_and_reviews_where_asked_for() -> None:
    assert [(i["check_name"], i["severity"]) for i in findings_in(issues_of(gated_result()))] == [
        ("SEC101", "blocker"),
        ("API401", "critical"),
        ("OBS101", "minor"),
    ]
    with_reviews = findings_in(issues_of(gated_result(), with_reviews=True))
    assert [i["severity"] for i in with_reviews[3:]] == ["info", "info"]
    assert {"major"} <= {i["severity"] for i in issues_of(sample_result())}


def test_what_was_not_read_or_not_judged_is_told() -> None:
    told = [i for i in issues_of(sample_result()) if not i["check_name"][0].isupper()]
    assert [(i["check_name"], i["severity"], i["location"]["lines"]["begin"]) for i in told] == [
        ("rule-crashed", "critical", 9),
        ("syntax-error", "critical", 7),
        ("undecodable", "critical", 1),
    ]
    assert told[1]["description"] == (
        "not read: unexpected indent; mend the file, or exclude it if it isn't meant to be parsed"
    )


def test_paths_are_relative_to_the_repository() -> None:
    result = replace(sample_result(), scanned=replace(sample_result().scanned, prefix="services/shop/"))
    paths = {issue["location"]["path"] for issue in findings_in(issues_of(result))}
    assert paths == {"services/shop/orders/api.py", f"services/shop/{NASTY_PATH}"}


def test_descriptions_are_one_line_that_acts_on_nothing() -> None:
    assert all(issue["description"].isprintable() for issue in issues_of(gated_result(), with_reviews=True))


def test_codeclimate_is_another_name_of_it(tmp_path: Path) -> None:
    tree = backend(tmp_path / "shop", broken="def (:\n")
    ended = run_assay("scan", tree, "-f", "codeclimate", "-o", f"codeclimate={tmp_path / 'a'}", cwd=tmp_path)
    assert [issue["check_name"] for issue in json.loads(ended.out) if issue["severity"] == "critical"][:1] == [
        "syntax-error"
    ]
    assert (tmp_path / "a").read_bytes() == ended.out.encode()
