"""The SARIF report is valid against the official schema and says of each verdict what it is."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import fastjsonschema
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assay.reports import sarif
from assay.reports.markdown import escaped
from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.results import GateResult, GateStatus, RuleInfo, Scanned, ScanResult
from assay.scanner.verdicts import Severity
from tests.samples import NASTY, NASTY_PATH, gated_result, large_result, sample_result

OFFICIAL_SCHEMA = Path(__file__).parent / "data" / "sarif-2.1.0-rtm.5.json"
EMPTY = ScanResult("2026.1", Scanned(".", None, "2026-01-31T12:00:00Z", 0.0, 0, 0), (), (), (), ())

RELATIVE_REFERENCE = re.compile(r"(?:[A-Za-z0-9._~/-]|%[0-9A-F]{2})+")
"""RFC 3986 §4.2, without a colon, so that no first segment looks like a scheme."""


def run_of(result: ScanResult) -> dict[str, Any]:
    (run,) = json.loads(sarif.render(result))["runs"]
    assert isinstance(run, dict)
    return run


@pytest.fixture
def run() -> dict[str, Any]:
    return run_of(sample_result())


@pytest.fixture
def gated() -> dict[str, Any]:
    return run_of(gated_result())


@pytest.fixture(scope="module")
def validate() -> Callable[[object], None]:
    compiled: Callable[[object], None] = fastjsonschema.compile(json.loads(OFFICIAL_SCHEMA.read_text(encoding="utf-8")))
    return compiled


@pytest.fixture(scope="module")
def many() -> str:
    """A report of 30,000 findings."""
    clock = time.process_time()
    text = sarif.render(large_result(30_000))
    assert time.process_time() - clock < 3
    return text


def everything(node: object) -> Iterator[dict[str, Any]]:
    """Every object of a JSON document."""
    if isinstance(node, dict):
        yield node
    children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    for child in children:
        yield from everything(child)


def test_golden(check_golden: Callable[[str, str], None]) -> None:
    text = sarif.render(gated_result())
    assert text.endswith("}\n")
    assert text.count("\n") == 1
    check_golden("report.sarif", msgspec.json.format(text, indent=2))


@pytest.mark.parametrize("result", [sample_result(), gated_result(), EMPTY], ids=["sample", "gated", "empty"])
def test_is_valid_against_the_official_schema(validate: Callable[[object], None], result: ScanResult) -> None:
    validate(json.loads(sarif.render(result)))


@pytest.mark.parametrize("count", [0, 1, 30_000])
def test_is_valid_with_none_one_and_many(validate: Callable[[object], None], many: str, count: int) -> None:
    log = json.loads(many if count > 1 else sarif.render(large_result(count)))
    validate(log)
    assert len([r for r in log["runs"][0]["results"] if r["baselineState"] != "absent"]) == count


def test_the_official_schema_can_refuse(validate: Callable[[object], None], run: dict[str, Any]) -> None:
    run["results"][0].pop("message")
    with pytest.raises(fastjsonschema.JsonSchemaException):
        validate({"version": "2.1.0", "runs": [run]})


def test_only_fails_have_a_level(run: dict[str, Any]) -> None:
    assert {(r["ruleId"], r["kind"], r["level"]) for r in run["results"]} == {
        ("API401", "fail", "error"),
        ("API401", "pass", "none"),
        ("API401", "review", "none"),
        ("API401", "notApplicable", "none"),
        ("BANDIT-B101", "fail", "note"),
        ("OBS101", "fail", "note"),
        ("OBS101", "pass", "none"),
        ("OBS102", "fail", "warning"),
        ("SEC101", "fail", "error"),
    }


def test_each_verdict_is_a_result_and_knows_its_rule(run: dict[str, Any]) -> None:
    verdicts = sample_result().verdicts
    rules = run["tool"]["driver"]["rules"]
    assert [r["partialFingerprints"] for r in run["results"]] == [{"findingId/v1": v.fingerprint} for v in verdicts]
    assert [rules[r["ruleIndex"]]["id"] for r in run["results"]] == [v.rule for v in verdicts]
    assert [r["properties"]["service"] for r in run["results"]] == [v.service for v in verdicts]


def test_evidence_is_related_and_numbered(run: dict[str, Any]) -> None:
    (found,) = (r for r in run["results"] if r["ruleId"] == "SEC101")
    assert [(place["id"], place["physicalLocation"]["region"]) for place in found["relatedLocations"]] == [
        (1, {"startLine": 13, "startColumn": 15, "endLine": 13, "endColumn": 24}),
        (2, {"startLine": 14, "startColumn": 5, "endLine": 14, "endColumn": 57}),
    ]
    assert found["relatedLocations"][0]["message"] == {"text": "comes from the client"}
    assert found["locations"][0]["logicalLocations"] == [
        {"name": "query in find_user", "fullyQualifiedName": "orders.api.find_user#1", "kind": "query"}
    ]


def test_each_flow_is_a_code_flow_of_one_thread(run: dict[str, Any]) -> None:
    (found,) = (r for r in run["results"] if "codeFlows" in r)
    threads = [thread for flow in found["codeFlows"] for thread in flow["threadFlows"]]
    assert [len(flow["threadFlows"]) for flow in found["codeFlows"]] == [1, 1]
    (verdict,) = (v for v in sample_result().verdicts if v.flows)
    for thread, steps in zip(threads, verdict.flows, strict=True):
        places = [step["location"] for step in thread["locations"]]
        assert [p["physicalLocation"]["region"]["startLine"] for p in places] == [s.location.line for s in steps]
        assert [p["message"]["text"].replace("\\", "") for p in places] == [s.text for s in steps]


def test_accepted_findings_are_suppressed_by_whose_word_it_is(gated: dict[str, Any]) -> None:
    given = {r["partialFingerprints"]["findingId/v1"][:2]: r["suppressions"] for r in gated["results"]}
    assert {name: words for name, words in given.items() if words} == {
        "a5": [
            {
                "kind": "external",
                "status": "accepted",
                "justification": "@payments: at most 20 users exist (until 2026-06-30)",
                "properties": {"owner": "@payments", "expires": "2026-06-30"},
            }
        ],
        "d1": [{"kind": "inSource", "status": "accepted", "justification": "ignored: only in development"}],
    }


def test_a_waiver_that_has_expired_suppresses_nothing(gated: dict[str, Any]) -> None:
    (found,) = (r for r in gated["results"] if r["partialFingerprints"]["findingId/v1"].startswith("a1"))
    assert found["suppressions"] == []
    assert found["properties"]["lapsed"].startswith("W-014 of @payments: replaced")


def test_each_finding_says_what_became_of_it_since_the_base(gated: dict[str, Any], run: dict[str, Any]) -> None:
    states = {r["partialFingerprints"]["findingId/v1"][:2]: r.get("baselineState") for r in gated["results"]}
    assert states == {
        "a1": "unchanged",
        "a2": None,
        "a3": "unchanged",
        "a4": None,
        "a5": "unchanged",
        "b1": "new",
        "c1": "updated",
        "c2": None,
        "c3": "new",
        "d1": "unchanged",
        "e1": "new",
        "f1": "absent",
    }
    assert gated["properties"]["base"]["name"] == "merge base of origin/main"
    assert not [r for r in run["results"] if "baselineState" in r]


def test_a_finding_that_is_gone_may_be_of_a_rule_that_is_gone_too() -> None:
    gated = gated_result()
    run = run_of(replace(gated, rules=(), verdicts=()))
    assert [(r["ruleId"], "ruleIndex" in r) for r in run["results"]] == [("OBS101", False)]


def test_findings_are_known_to_github_by_the_hash_of_their_line(gated: dict[str, Any]) -> None:
    hashes = {r["partialFingerprints"].get("primaryLocationLineHash") for r in gated["results"]}
    assert hashes == {None, *(v.line_hash for v in gated_result().verdicts if v.line_hash)}


@pytest.mark.parametrize(
    ("status", "is_enforced", "code", "is_successful"),
    [
        (GateStatus.PASSED, True, 0, True),
        (GateStatus.FAILED, True, 1, True),
        (GateStatus.FAILED, False, 0, True),
        (GateStatus.UNTRUSTED, True, 2, False),
    ],
)
def test_the_invocation_ends_as_the_gate_says(
    status: GateStatus, is_enforced: bool, code: int, is_successful: bool
) -> None:
    (invocation,) = run_of(replace(EMPTY, gate=GateResult(status, "so it is", (), is_enforced)))["invocations"]
    assert (invocation["exitCode"], invocation["executionSuccessful"]) == (code, is_successful)
    assert invocation["exitCodeDescription"] == "so it is"


def test_what_a_person_should_know_is_a_note(gated: dict[str, Any]) -> None:
    (invocation,) = gated["invocations"]
    notes = [n["message"]["text"] for n in invocation["toolExecutionNotifications"] if n["level"] == "note"]
    assert len(notes) == 2
    assert notes[0].startswith("W-014 expires in 12 days")


def test_scans_of_two_folders_of_a_repository_are_told_apart() -> None:
    run = run_of(replace(EMPTY, scanned=replace(EMPTY.scanned, prefix="services/orders/")))
    assert run["automationDetails"]["id"] == "assay/services/orders/"


def test_a_rule_that_is_newer_than_the_edition_is_marked(gated: dict[str, Any]) -> None:
    marked = {
        r["id"]: r["properties"].get("since") for r in gated["tool"]["driver"]["rules"] if "preview" in r["properties"]
    }
    assert marked == {"OBS102": "2027.1"}


@pytest.mark.parametrize(
    ("code", "tags", "severity", "level"),
    [
        ("SEC101", ["security", "SEC", "SEC1", "external/cwe/cwe-89", "external/cwe/cwe-943"], "9.5", "error"),
        ("API401", ["API", "API4", "external/cwe/cwe-770"], None, "error"),
        ("OBS102", ["OBS", "OBS1", "external/cwe/cwe-532"], None, "warning"),
        ("BANDIT-B101", ["security", "SEC", "SEC1", "external/cwe/cwe-703"], "2.5", "note"),
        ("OBS101", ["OBS", "OBS1"], None, "note"),
    ],
)
def test_rules_carry_what_code_scanning_reads(
    run: dict[str, Any], code: str, tags: list[str], severity: str | None, level: str
) -> None:
    rule = next(r for r in run["tool"]["driver"]["rules"] if r["id"] == code)
    assert rule["properties"]["tags"] == tags
    assert rule["properties"].get("security-severity") == severity
    assert ("problem.severity" in rule["properties"]) is (severity is None)
    assert rule["defaultConfiguration"] == {"level": level}


def test_rules_are_documented(run: dict[str, Any]) -> None:
    rule = next(r for r in run["tool"]["driver"]["rules"] if r["id"] == "OBS102")
    assert rule["name"] == "secret-in-log"
    assert rule["shortDescription"]["text"] == "A log call writes a secret."
    assert rule["fullDescription"]["text"].startswith("A log call writes a secret. Why: logs are copied")
    assert rule["help"]["text"].endswith("Fix: log an identifier instead of *the value*.")
    assert r"&lt;secrets&gt; &amp; keys" in rule["help"]["markdown"]
    assert r"\*the value\*" in rule["help"]["markdown"]


def test_long_descriptions_are_shortened_to_what_github_takes() -> None:
    rule = RuleInfo(
        "API101", "n" * 300, "t" * 2000, "API6", Severity.LOW, tuple(range(1, 40)), why="x" * 2000, fix="mend it."
    )
    (described,) = run_of(replace(EMPTY, rules=(rule,)))["tool"]["driver"]["rules"]
    assert len(described["name"]) == 255
    assert len(described["shortDescription"]["text"]) == 1024
    assert len(described["fullDescription"]["text"]) == 1024
    assert len(described["properties"]["tags"]) == 20
    assert described["properties"]["security-severity"] == "2.5"
    assert "x" * 2000 in described["help"]["text"]


def test_only_whole_addresses_are_links() -> None:
    references = ("OWASP [x](y)", "https://a.example/b(c)#d", "https://a.example/> <script>")
    rule = RuleInfo("API101", "n", "t", "API1", Severity.LOW, (), "w", "f", references)
    (described,) = run_of(replace(EMPTY, rules=(rule,)))["tool"]["driver"]["rules"]
    assert described["helpUri"] == "https://a.example/b(c)#d"
    assert described["help"]["markdown"].count("<") == 1
    assert "<https://a.example/b(c)#d>" in described["help"]["markdown"]


def test_every_uri_is_relative_to_the_root_and_percent_encoded(run: dict[str, Any]) -> None:
    artifacts = [node["artifactLocation"] for node in everything(run) if "artifactLocation" in node]
    assert all(RELATIVE_REFERENCE.fullmatch(a["uri"]) and a["uriBaseId"] == "SRCROOT" for a in artifacts)
    assert NASTY_PATH in {unquote(a["uri"]) for a in artifacts}
    assert run["originalUriBaseIds"]["SRCROOT"]["uri"] == "file:///home/dev/shop/"


@pytest.mark.parametrize(("root", "uri"), [("/", "file:///"), ("/a b", "file:///a%20b/"), (".", None), ("shop", None)])
def test_only_an_absolute_root_has_a_uri(root: str, uri: str | None) -> None:
    run = run_of(replace(EMPTY, scanned=replace(EMPTY.scanned, root=root)))
    assert run["originalUriBaseIds"]["SRCROOT"].get("uri") == uri


def test_the_bytes_of_an_undecodable_file_name_are_kept_in_its_uri() -> None:
    run = run_of(replace(EMPTY, diagnostics=(Diagnostic("caf\udce9.py", None, Reason.UNREADABLE, "no"),)))
    (noted,) = run["invocations"][0]["toolExecutionNotifications"]
    assert noted["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "caf%E9.py"


def test_diagnostics_are_notifications_and_a_crashed_rule_fails_the_run(run: dict[str, Any]) -> None:
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert [
        (n["descriptor"]["id"], n["level"], n["locations"][0]["physicalLocation"].get("region"))
        for n in invocation["toolExecutionNotifications"]
    ] == [
        ("rule-crashed", "error", {"startLine": 9}),
        ("syntax-error", "warning", {"startLine": 7}),
        ("undecodable", "warning", None),
    ]


def test_an_unread_file_alone_doesnt_fail_the_run() -> None:
    (invocation,) = run_of(replace(EMPTY, diagnostics=(Diagnostic("a.py", 1, Reason.SYNTAX_ERROR, "no"),)))[
        "invocations"
    ]
    assert invocation["executionSuccessful"] is True


def test_no_message_holds_a_live_link_and_no_byte_acts_on_a_terminal(run: dict[str, Any]) -> None:
    texts = [node["message"]["text"] for node in everything(run) if "message" in node]
    assert any("javascript" in text for text in texts)
    assert not [text for text in texts if re.search(r"(?<!\\)\[[^\]]*(?<!\\)\]\(", text)]
    assert all(c.isprintable() or c == "\n" for c in sarif.render(sample_result()))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00")))
@example(NASTY)
@example("# title\n- item\n1. one\n> quote\n```\ncode\n```\n<b>&amp;</b> **x** _y_ ![a](b) [c]: d https://e.f <g@h.i>")
def test_escaped_markdown_shows_as_itself(text: str) -> None:
    shown = MarkdownIt("commonmark").render(f"**Why:** {escaped(text)}")
    words = " ".join(text.split())
    assert unescape(shown) == f"<p><strong>Why:</strong> {words}</p>\n".replace(" </p>", "</p>")
