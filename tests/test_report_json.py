"""The JSON report keeps its public contract: the schema, the bytes, and what hostile text may do."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from assay.reports import json_report
from assay.scanner import __version__
from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.results import GateResult, GateStatus, Scanned, ScanResult
from tests.samples import NASTY, NASTY_PATH, UNICODE, gated_result, sample_result

SCHEMA_FILE = Path(__file__).parents[1] / "reports" / "schemas" / "report.schema.json"
EMPTY = ScanResult("2026.1", Scanned(".", None, "2026-01-31T12:00:00Z", 0.0, 0, 0), (), (), (), ())


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    shipped = resources.files("assay.reports").joinpath("schemas/report.schema.json")
    schema = json.loads(shipped.read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


@pytest.fixture
def report() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(json_report.render(sample_result()))
    return loaded


def test_golden(check_golden: Callable[[str, str], None]) -> None:
    check_golden("report.json", json_report.render(sample_result()))
    check_golden("report-gated.json", json_report.render(gated_result()))


def test_the_shipped_schema_is_the_one_that_the_structs_declare(check_golden: Callable[[str, str], None]) -> None:
    check_golden(str(SCHEMA_FILE), json_report.schema())


@pytest.mark.parametrize("result", [sample_result(), gated_result(), EMPTY], ids=["sample", "gated", "empty"])
def test_reports_are_valid(validator: Draft202012Validator, result: ScanResult) -> None:
    validator.validate(json.loads(json_report.render(result)))


def test_the_schema_names_every_field_and_takes_no_other() -> None:
    definitions = json.loads(json_report.schema())["$defs"]
    objects = [d for d in definitions.values() if "enum" not in d]
    assert len(objects) > 10
    for each in objects:
        assert each["additionalProperties"] is False
        assert each["required"] == list(each["properties"])


@pytest.mark.parametrize(
    "breaking",
    [
        lambda report: report.update(extra=1),
        lambda report: report.pop("edition"),
        lambda report: report.update(schema_version="1.0"),
        lambda report: report["verdicts"][0].update(kind="maybe"),
        lambda report: report["verdicts"][0]["location"].update(line=0),
        lambda report: report["services"][0].update(grade="F"),
        lambda report: report["services"][0].update(score=100.5),
        lambda report: report["services"][0]["sections"][0]["principles"][0]["rules"][0].pop("notApplicable"),
        lambda report: report["diagnostics"][0].update(reason="because"),
    ],
)
def test_the_schema_refuses_what_breaks_the_contract(
    validator: Draft202012Validator, report: dict[str, Any], breaking: Callable[[dict[str, Any]], object]
) -> None:
    assert validator.is_valid(report)
    breaking(report)
    assert not validator.is_valid(report)


def test_a_verdict_holds_everything(report: dict[str, Any]) -> None:
    sample = sample_result()
    assert len(report["verdicts"]) == len(sample.verdicts)
    found = next(v for v in report["verdicts"] if v["rule"] == "SEC101")
    assert found == {
        "service": "orders",
        "rule": "SEC101",
        "kind": "fail",
        "severity": "critical",
        "subject": {"kind": "query", "id": "orders.api.find_user#1", "label": "query in find_user"},
        "location": {"path": "orders/api.py", "line": 15, "column": 1, "end_line": 15, "end_column": 12},
        "message": f"the path parameter `name` becomes part of the statement: {NASTY}",
        "evidence": [
            {
                "location": {"path": "orders/api.py", "line": 13, "column": 15, "end_line": 13, "end_column": 24},
                "text": "comes from the client",
            },
            {
                "location": {"path": "orders/api.py", "line": 14, "column": 5, "end_line": 14, "end_column": 57},
                "text": f"put into the text: {NASTY}",
            },
        ],
        "flows": [
            [
                {
                    "location": {"path": "orders/api.py", "line": 13, "column": 15, "end_line": 13, "end_column": 24},
                    "text": "a client sends `name`",
                },
                {
                    "location": {"path": NASTY_PATH, "line": 2, "column": 10, "end_line": 2, "end_column": 47},
                    "text": f"put together here: {NASTY}",
                },
                {
                    "location": {"path": "orders/gone.py", "line": 8, "column": 5, "end_line": 8, "end_column": 20},
                    "text": f"handed on {UNICODE}",
                },
                {
                    "location": {"path": "orders/api.py", "line": 15, "column": 12, "end_line": 15, "end_column": 33},
                    "text": "run as SQL",
                },
            ],
            [
                {
                    "location": {"path": "orders/api.py", "line": 24, "column": 12, "end_line": 24, "end_column": 18},
                    "text": "a client sends `q`",
                },
                {
                    "location": {"path": "orders/api.py", "line": 15, "column": 12, "end_line": 15, "end_column": 33},
                    "text": "run as SQL",
                },
            ],
        ],
        "fingerprint": "b1" * 16,
        "waiver": None,
        "acceptance": None,
        "lapsed": None,
        "state": None,
        "line_hash": "",
    }
    assert [v["waiver"] for v in report["verdicts"] if v["waiver"]] == [v.waiver for v in sample.verdicts if v.waiver]


def test_a_rule_carries_its_help(report: dict[str, Any]) -> None:
    rule = next(r for r in report["rules"] if r["code"] == "OBS101")
    assert rule["help"] == "Why: text can't be searched by field.\nFix: hand the values over as fields."
    assert {r["code"] for r in report["rules"] if r["advisory"]} == {"BANDIT-B101"}


def test_a_rule_says_why_and_since_when(report: dict[str, Any]) -> None:
    rule = next(r for r in report["rules"] if r["code"] == "API401")
    assert rule["why"].startswith("latency and memory grow")
    assert rule["fix"].startswith("take a page size")
    assert rule["references"][0] == "OWASP API4:2023"
    gated = json.loads(json_report.render(gated_result()))
    assert {r["code"]: r["since"] for r in gated["rules"] if r["preview"]} == {"OBS102": "2027.1"}


def test_acceptance_is_told_in_a_sentence_and_in_parts() -> None:
    gated = json.loads(json_report.render(gated_result()))
    accepted = next(v for v in gated["verdicts"] if v["fingerprint"] == "d1" * 16)
    assert accepted["waiver"] == "ignored: only in development"
    assert (accepted["acceptance"]["by"], accepted["acceptance"]["reason"]) == ("ignore", "only in development")
    lapsed = next(v for v in gated["verdicts"] if v["fingerprint"] == "a1" * 16)
    assert (lapsed["waiver"], lapsed["acceptance"]) == (None, None)
    assert (lapsed["lapsed"]["id"], lapsed["lapsed"]["owner"]) == ("W-014", "@payments")


@pytest.mark.parametrize(
    ("reasons", "execution"),
    [
        ([], "complete"),
        ([Reason.UNRESOLVED], "complete"),
        ([Reason.SYNTAX_ERROR, Reason.UNRESOLVED], "degraded"),
        ([Reason.SYNTAX_ERROR, Reason.RULE_CRASHED], "failed"),
    ],
)
def test_how_far_the_scan_got_needs_no_knowledge_of_reasons(reasons: list[Reason], execution: str) -> None:
    result = replace(EMPTY, diagnostics=tuple(Diagnostic("a.py", 1, reason, "") for reason in reasons))
    assert json.loads(json_report.render(result))["execution"] == execution


@pytest.mark.parametrize("status", list(GateStatus))
def test_the_gate_s_word_is_one_of_three(status: GateStatus) -> None:
    result = replace(EMPTY, gate=GateResult(status, "why", ()))
    told = json.loads(json_report.render(result))["gate"]
    words = {GateStatus.PASSED: "passed", GateStatus.FAILED: "failed", GateStatus.UNTRUSTED: "not-evaluated"}
    assert told == {"status": words[status], "reason": "why", "enforced": True, "conditions": []}
    assert json.loads(json_report.render(EMPTY))["gate"] is None


def test_a_verdict_is_a_line() -> None:
    """Twenty thousand verdicts stay a file that one can search, compare and mail."""
    sample = sample_result()
    one = len(json_report.render(replace(sample, verdicts=sample.verdicts[:1])))
    many = json_report.render(replace(sample, verdicts=sample.verdicts[:1] * 20_001))
    assert (len(many) - one) / 20_000 < 1_000
    assert many.count("\n") < 20_200


def test_thirty_megabytes_are_read_in_two_seconds() -> None:
    sample = sample_result()
    times = 30_000_000 // len(json_report.render(sample))
    data = json_report.render(replace(sample, verdicts=sample.verdicts * times)).encode()
    began = time.process_time()
    assert json_report.parsed(data, "report.json").edition == "2026.1"
    assert time.process_time() - began < 2 * len(data) / 30_000_000


def test_the_tool_is_the_one_that_scanned() -> None:
    assert json.loads(json_report.render(sample_result()))["tool"] == {"name": "assay", "version": "1.2.3"}
    assert json.loads(json_report.render(EMPTY))["tool"]["version"] == __version__


def test_hostile_text_survives_but_is_inert(report: dict[str, Any]) -> None:
    paths = {v["location"]["path"] for v in report["verdicts"]}
    labels = {v["subject"]["label"] for v in report["verdicts"]}
    assert NASTY_PATH in paths
    assert {NASTY, UNICODE} <= labels
    text = json_report.render(sample_result())
    assert all(c.isprintable() or c == "\n" for c in text)
    assert "订单 🚚" in text, "what is harmless stays readable"


def test_an_undecodable_file_name_leaves_valid_unicode() -> None:
    result = replace(EMPTY, diagnostics=(Diagnostic("caf\udce9.py", None, Reason.UNREADABLE, "\x9b31m"),))
    text = json_report.render(result)
    text.encode()
    assert json.loads(text)["diagnostics"] == [
        {"path": "caf\ufffd.py", "line": None, "reason": "unreadable", "message": "\x9b31m"}
    ]


def test_a_result_that_breaks_the_contract_is_an_error() -> None:
    service = replace(sample_result().services[0], score=101.0)
    with pytest.raises(msgspec.ValidationError, match="score"):
        json_report.render(replace(EMPTY, services=(service,)))
