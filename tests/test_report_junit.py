"""The JUnit report is valid against the common schema, and every verdict is a case with a name of its own."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import xmlschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assay.reports import junit
from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.results import Scanned, ScanResult
from assay.scanner.verdicts import Kind
from tests.samples import NASTY, UNICODE, gated_result, large_result, sample_result

BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
"""A busy machine is no fault of what is tested."""

SCHEMA = Path(__file__).parent / "data" / "junit-10.xsd"
EMPTY = ScanResult("2026.1", Scanned(".", None, None, 0.0, 0, 0), (), (), (), ())


def read(result: ScanResult) -> ET.Element:
    return ET.fromstring(junit.render(result).encode())


def cases(result: ScanResult) -> list[ET.Element]:
    return list(read(result).iter("testcase"))


def case(result: ScanResult, rule: str, name: str) -> ET.Element:
    (found,) = (c for c in cases(result) if c.attrib["classname"].endswith(rule) and c.attrib["name"].startswith(name))
    return found


def outcome(found: ET.Element) -> tuple[str, str]:
    said = next(iter(found), None)
    return ("passed", "") if said is None else (said.tag, said.attrib["message"])


@pytest.fixture(scope="module")
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(SCHEMA)


@pytest.fixture(scope="module")
def many() -> str:
    """A report of 30,000 findings."""
    clock = time.process_time()
    text = junit.render(large_result(30_000))
    assert time.process_time() - clock < 3
    return text


def test_golden(check_golden: Callable[[str, str], None]) -> None:
    check_golden("report.junit.xml", junit.render(gated_result()))


@pytest.mark.parametrize("result", [EMPTY, sample_result(), gated_result()], ids=["empty", "sample", "gated"])
def test_is_valid_against_the_common_schema(schema: xmlschema.XMLSchema, result: ScanResult) -> None:
    schema.validate(junit.render(result))


@pytest.mark.parametrize("count", [0, 1, 30_000])
def test_is_valid_with_none_one_and_many(schema: xmlschema.XMLSchema, many: str, count: int) -> None:
    text = many if count > 1 else junit.render(large_result(count))
    schema.validate(text)
    assert text.count("\nRule: ") == count
    assert len(text.encode()) < 30_000_000  # more of one file GitLab refuses


def test_the_common_schema_can_refuse(schema: xmlschema.XMLSchema) -> None:
    assert not schema.is_valid(junit.render(sample_result()).replace("<testcase ", '<testcase line="1" ', 1))


def test_every_verdict_is_a_case() -> None:
    sample = sample_result()
    judged = [c for c in cases(sample) if not c.attrib["classname"].startswith("assay.")]
    assert len(judged) == len(sample.verdicts)
    passed = [c for c in judged if outcome(c)[0] == "passed"]
    assert len(passed) == sum(v.kind is Kind.PASS for v in sample.verdicts)


def test_a_fail_is_a_failure_with_where_why_and_the_next_step() -> None:
    found = case(sample_result(), "API4.API401", "GET /orders")
    assert found.attrib["name"] == "GET /orders (orders/api.py)"
    assert found.attrib["classname"] == "orders.API4.API401"
    (failure,) = found
    assert failure.tag == "failure"
    assert failure.attrib == {
        "type": "high",
        "message": "GET /orders returns every Order; take limit/offset or a cursor and cap it",
    }
    assert failure.text is not None
    assert failure.text.splitlines() == [
        failure.attrib["message"],
        "at orders/api.py:6:1",
        "orders/api.py:9:12: no limit between query and response",
        "Fix: take a page size with an upper limit (or a cursor) and apply it to the query.",
        "See: OWASP API4:2023, https://owasp.org/API-Security/editions/2023/en/0xa4/",
        f"Rule: API401 unpaginated-list-endpoint; finding {'a1' * 16}",
    ]


@pytest.mark.parametrize(
    ("rule", "name", "expected"),
    [
        ("API401", "GET /items", ("passed", "")),
        (
            "API401",
            "GET /search",
            ("skipped", "review: GET /search: a query built elsewhere may be unbounded"),
        ),
        ("API401", "POST /orders", ("skipped", "not applicable: it doesn't return a collection")),
        (
            "API401",
            "GET /users/{name}",
            ("skipped", "waived until 2026-06-30 by @payments: at most 20 users exist"),
        ),
        ("BANDIT-B101", "assert", ("skipped", "ignored in the code: only in development")),
        ("OBS102", "", ("skipped", "counts from edition 2027.1 on: user.password is written to the log")),
    ],
)
def test_what_is_no_failure_says_why(rule: str, name: str, expected: tuple[str, str]) -> None:
    assert outcome(case(gated_result(), rule, name)) == expected


def test_an_analyzers_finding_is_told_and_fails_nothing() -> None:
    assert outcome(case(sample_result(), "BANDIT-B101", "assert")) == (
        "skipped",
        "counts in no score: assert is removed by python -O",
    )


def test_unread_files_and_crashed_rules_are_errors() -> None:
    told = [(c.attrib["classname"], c.attrib["name"], outcome(c)[0]) for c in cases(sample_result())[:3]]
    assert told == [
        ("assay.rule-crashed", "orders/api.py", "error"),
        ("assay.syntax-error", "orders/broken.py", "error"),
        ("assay.undecodable", "orders/data.bin.py", "error"),
    ]


def test_what_leaves_nothing_out_is_no_error() -> None:
    (found,) = cases(replace(EMPTY, diagnostics=(Diagnostic("a.py", 3, Reason.UNRESOLVED, "no"),)))
    assert outcome(found) == ("skipped", "a.py:3: no")


def test_the_conditions_of_the_gate_are_cases() -> None:
    gated = gated_result()
    assert gated.gate is not None
    told = {c.attrib["name"]: outcome(c)[0] for c in cases(gated) if c.attrib["classname"] == "assay.gate"}
    assert len(told) == len(gated.gate.conditions)
    assert told["new critical findings"] == "failure"
    assert told["new high findings"] == "passed"
    warned = replace(gated, gate=replace(gated.gate, is_enforced=False))
    assert "failure" not in [outcome(c)[0] for c in cases(warned) if c.attrib["classname"] == "assay.gate"]


def test_a_word_that_was_given_for_a_principle_is_on_record() -> None:
    kind, message = outcome(case(gated_result(), "OPS9.attestation", "attestation"))
    assert kind == "skipped"
    assert message.startswith("attested until 2026-12-31 by @ops: restored every month")


def test_counts_are_of_the_cases() -> None:
    root = read(gated_result())
    for suite in root:
        assert int(suite.attrib["tests"]) == len(suite.findall("testcase"))
        for tag, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert int(suite.attrib[name]) == len(suite.findall(f"testcase/{tag}"))
    for name in ("tests", "failures", "errors"):
        assert int(root.attrib[name]) == sum(int(suite.attrib[name]) for suite in root)


def test_junit_names_are_unique(many: str) -> None:
    names = [(c.attrib["classname"], c.attrib["name"]) for c in ET.fromstring(many.encode()).iter("testcase")]
    assert len(set(names)) == len(names)


@BUSY
@given(st.lists(st.tuples(st.sampled_from("a b".split()), st.sampled_from(["p", "p) #2", "p) #2 #2"])), max_size=12))
def test_no_label_and_no_path_makes_two_cases_of_one_name(named: list[tuple[str, str]]) -> None:
    sample = sample_result()
    pattern = sample.verdicts[0]
    verdicts = tuple(
        replace(
            pattern,
            subject=replace(pattern.subject, label=label),
            location=replace(pattern.location, path=path),
        )
        for label, path in named
    )
    names = [(c.attrib["classname"], c.attrib["name"]) for c in cases(replace(sample, verdicts=verdicts))]
    assert len(set(names)) == len(names)


def test_a_name_doesnt_change_when_code_moves() -> None:
    sample = sample_result()
    moved = tuple(
        replace(v, location=replace(v.location, line=v.location.line + 40, end_line=v.location.end_line + 40))
        for v in sample.verdicts
    )
    assert [c.attrib for c in cases(replace(sample, verdicts=moved))] == [c.attrib for c in cases(sample)]


@BUSY
@given(st.text())
def test_any_text_of_the_tree_makes_a_document(text: str) -> None:
    sample = sample_result()
    pattern = next(v for v in sample.verdicts if v.kind is Kind.FAIL)
    subject = replace(pattern.subject, label=text)
    root = read(replace(sample, verdicts=(replace(pattern, message=text, subject=subject),)))
    assert len(list(root.iter("failure"))) == 1


@pytest.mark.parametrize("text", [NASTY, UNICODE, "\ud800\x00\ufffe\uffff]]>&<"])
def test_no_text_of_the_tree_is_markup_or_acts_on_a_terminal(text: str) -> None:
    written = junit.render(replace(EMPTY, diagnostics=(Diagnostic("a.py", 3, Reason.UNRESOLVED, text),)))
    assert "<script" not in written
    assert all(c.isprintable() or c == "\n" for c in written)
