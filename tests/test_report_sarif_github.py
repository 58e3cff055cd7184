"""The SARIF report for GitHub holds what GitHub can show, in the way that its documentation and its action demand."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import fastjsonschema
import msgspec
import pytest

from assay.reports import sarif_github
from assay.scanner.engine import scan
from assay.scanner.line_hashes import line_hashes
from assay.scanner.model.place import Evidence, Location
from assay.scanner.options import Options
from assay.scanner.results import ScanResult
from assay.scanner.verdicts import Kind
from tests.repositories import Repository
from tests.running import backend
from tests.samples import NASTY, NASTY_PATH, gated_result, large_result, sample_result

OFFICIAL_SCHEMA = Path(__file__).parent / "data" / "sarif-2.1.0-rtm.5.json"
LINK = re.compile(r"(?<!\\)\[([^\]]*)(?<!\\)\]\((\d+)\)")


def run_of(result: ScanResult) -> dict[str, Any]:
    (run,) = json.loads(sarif_github.render(result))["runs"]
    assert isinstance(run, dict)
    return run


def everything(node: object) -> Iterator[dict[str, Any]]:
    """Every object of a JSON document."""
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from everything(child)


def marks(run: dict[str, Any]) -> list[str]:
    return [result["partialFingerprints"]["findingId/v1"][:2] for result in run["results"]]


@pytest.fixture
def run() -> dict[str, Any]:
    return run_of(gated_result())


@pytest.fixture(scope="module")
def validate() -> Callable[[object], None]:
    compiled: Callable[[object], None] = fastjsonschema.compile(json.loads(OFFICIAL_SCHEMA.read_text(encoding="utf-8")))
    return compiled


@pytest.fixture(scope="module")
def many() -> str:
    """A report of 30,000 findings."""
    clock = time.process_time()
    text = sarif_github.render(large_result(30_000))
    assert time.process_time() - clock < 3
    return text


def test_golden(check_golden: Callable[[str, str], None]) -> None:
    check_golden("report.github.sarif", msgspec.json.format(sarif_github.render(gated_result()), indent=2))


@pytest.mark.parametrize("count", [0, 1, 30_000])
def test_is_valid_with_none_one_and_many(validate: Callable[[object], None], many: str, count: int) -> None:
    log = json.loads(many if count > 1 else sarif_github.render(large_result(count)))
    validate(log)
    assert len(log["runs"]) == 1
    assert len(log["runs"][0]["results"]) == min(count, 5_000)


def test_holds_no_pass_no_review_nothing_accepted_and_nothing_that_doesnt_count(run: dict[str, Any]) -> None:
    counting = {rule.code for rule in gated_result().rules if rule.counts}
    expected = {
        v.fingerprint[:2]
        for v in gated_result().verdicts
        if v.kind is Kind.FAIL and v.acceptance is None and v.rule in counting
    }
    assert sorted(marks(run)) == sorted(expected)
    assert not [r for r in run["results"] if "suppressions" in r or "baselineState" in r]


def test_what_fails_the_gate_comes_first_then_the_new_then_the_worst(run: dict[str, Any]) -> None:
    assert marks(run) == ["b1", "a1", "c1"]
    ungated = replace(gated_result(), gate=None)
    assert marks(run_of(ungated)) == ["b1", "a1", "c1"]


def test_the_new_ones_and_the_worst_are_kept_and_the_rest_is_counted(many: str) -> None:
    large = large_result(30_000)
    (run,) = json.loads(many)["runs"]
    states = [r["properties"]["state"] for r in run["results"]]
    new = sum(v.state == "new" for v in large.verdicts)
    assert states == ["new"] * new + ["known"] * (5_000 - new)
    known = [r for r in run["results"] if r["properties"]["state"] == "known"]
    assert {r["properties"]["severity"] for r in known} == {"critical"}
    told = [n["message"]["text"] for n in run["invocations"][0]["toolExecutionNotifications"]]
    assert "25,000 more findings: GitHub keeps 5,000 of an upload; another report tells all" in told


def test_what_is_kept_of_equals_is_spread_over_the_files(many: str) -> None:
    large = large_result(30_000)
    (run,) = json.loads(many)["runs"]
    paths = {large.scanned.prefix + v.location.path for v in large.verdicts}
    kept = {unquote(r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) for r in run["results"]}
    assert kept == paths


def test_every_region_has_all_four_ends_and_every_place_is_relative_to_the_repository() -> None:
    result = gated_result()
    run = run_of(replace(result, scanned=replace(result.scanned, prefix="services/shop/")))
    assert "originalUriBaseIds" not in run
    for found in run["results"]:
        assert len(found["locations"]) == 1
        steps = [s["location"] for f in found.get("codeFlows", []) for t in f["threadFlows"] for s in t["locations"]]
        for place in (*found["locations"], *found.get("relatedLocations", []), *steps):
            physical = place["physicalLocation"]
            assert set(physical["region"]) == {"startLine", "startColumn", "endLine", "endColumn"}
            assert physical["artifactLocation"]["uri"].startswith("services/shop/orders/")
            assert set(physical["artifactLocation"]) == {"uri"}
    assert f"services/shop/{NASTY_PATH}" in {
        unquote(r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]) for r in run["results"]
    }


def test_a_finding_on_a_whole_file_is_on_its_first_line() -> None:
    result = sample_result()
    path = "orders/api.py"
    whole = tuple(replace(v, location=Location.whole_file(path)) for v in result.verdicts if v.rule == "SEC101")
    (found,) = run_of(replace(result, verdicts=whole))["results"]
    region = found["locations"][0]["physicalLocation"]["region"]
    assert region == {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": len(result.line(path, 1)) + 1}


def test_the_message_says_what_is_wrong_then_links_the_evidence_then_what_to_do(run: dict[str, Any]) -> None:
    (found,) = (r for r in run["results"] if r["ruleId"] == "API401")
    text = found["message"]["text"]
    assert text.startswith("GET /orders returns every Order; take limit/offset or a cursor and cap it. ")
    assert "See [no limit between query and response](1)." in text
    assert "Its waiver has expired: W-014 of @payments: replaced by" in text
    assert text.endswith("Fix: take a page size with an upper limit (or a cursor) and apply it to the query.")


def test_only_our_own_links_are_live_and_each_leads_to_its_evidence(run: dict[str, Any]) -> None:
    for found in run["results"]:
        text = found["message"]["text"]
        numbers = [place["id"] for place in found.get("relatedLocations", [])]
        assert [int(number) for _, number in LINK.findall(text)] == numbers
        assert not re.search(r"(?<!\\)\]\((?!\d+\))", text)
    (nasty,) = (r for r in run["results"] if r["ruleId"] == "SEC101")
    assert "[comes from the client](1), [evidence 2](2)" in nasty["message"]["text"]


@pytest.mark.parametrize("text", ["](1) [x", "a] [b](2)", "\\", "[", "", NASTY])
def test_no_text_of_the_tree_can_break_a_link(text: str) -> None:
    result = sample_result()
    found = tuple(
        replace(v, message=text or "wrong", evidence=(Evidence(v.location, text), Evidence(v.location, "fine")))
        for v in result.verdicts
        if v.rule == "API401" and v.kind is Kind.FAIL and v.acceptance is None
    )
    (shown,) = run_of(replace(result, verdicts=found))["results"]
    assert [number for _, number in LINK.findall(shown["message"]["text"])][-2:] == ["1", "2"]


def test_no_message_breaks_a_line_or_acts_on_a_terminal(run: dict[str, Any]) -> None:
    texts = [node["message"]["text"] for node in everything(run) if "message" in node]
    assert len(texts) > 12
    assert [text for text in texts if not text.isprintable()] == []


def test_only_rules_with_results_are_described(run: dict[str, Any]) -> None:
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == ["API401", "OBS101", "SEC101"]
    assert [rules[r["ruleIndex"]] for r in run["results"]] == [r["ruleId"] for r in run["results"]]


def test_long_flows_are_cut_to_what_github_keeps() -> None:
    result = sample_result()
    (found,) = (v for v in result.verdicts if v.flows)
    step = found.flows[0][0]
    long = replace(found, flows=((step,) * 1_500,) * 20, evidence=(step,) * 200)
    (shown,) = run_of(replace(result, verdicts=(long,)))["results"]
    assert [len(f["threadFlows"][0]["locations"]) for f in shown["codeFlows"]] == [1_000] * 10
    assert len(shown["relatedLocations"]) == 100


def test_the_hash_of_a_line_is_the_one_of_the_file_that_github_sees(tmp_path: Path) -> None:
    """`upload-sarif` warns, once for each result, of a hash that isn't the one that it computes itself."""
    from assay.scanner.cli import wiring

    repository = Repository.new(tmp_path)
    source = 'import requests\r\n\n\ndef ask():\r    return requests.get("http://a.example", verify=False)  # 🚚 é\n'
    backend(tmp_path / "services" / "shop", ask=source.encode())
    repository.commit()
    result = scan(tmp_path / "services" / "shop", wiring.rulebook(), wiring.checks(), Options())
    results = run_of(result)["results"]
    assert results
    for found in results:
        place = found["locations"][0]["physicalLocation"]
        text = (tmp_path / unquote(place["artifactLocation"]["uri"])).read_bytes().decode()
        line = place["region"]["startLine"]
        hashes = line_hashes(re.split(r"\r\n|\r|\n", text), {line})
        assert found["partialFingerprints"]["primaryLocationLineHash"] == hashes[line]
