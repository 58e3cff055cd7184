"""Measured evidence: what readers make of files, what is said of broken ones, and what a gate makes of figures."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from assay.scanner.diagnostics import Reason
from assay.scanner.evidence.figures import CoverageReport, JunitReport, TimedThing, TimingReport
from assay.scanner.evidence.reading import read
from assay.scanner.readers.problem import ReadProblem
from tests.repositories import Repository
from tests.running import APP, Ended, run_assay

COBERTURA = """<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM 'http://cobertura.sourceforge.net/xml/coverage-04.dtd'>
<coverage version="7.6.1" timestamp="{timestamp}">
  <sources><source>/app</source></sources>
  <packages><package name="app"><classes>
    <class name="app.py" filename="{name}">
      <methods><method name="f"><lines><line number="1" hits="1"/></lines></method></methods>
      <lines>{lines}</lines>
    </class>
  </classes></package></packages>
</coverage>
"""
LOCUST = """Type,Name,Request Count,Failure Count,Median Response Time,Average Response Time,Max Response Time,95%
GET,/health,1200,0,4,4.7,31,9
,Aggregated,1200,0,4,4.7,31,9
"""
LAUGHS = """<?xml version="1.0"?>
<!DOCTYPE coverage [
 <!ENTITY a "ha">
 <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
]>
<coverage timestamp="1">&b;</coverage>
"""


def cobertura(hits: str, *, timestamp: int = 4_102_444_800_000, name: str = "app.py") -> str:
    lines = "".join(f'<line number="{number}" hits="{hit}"/>' for number, hit in enumerate(hits, 1))
    return COBERTURA.format(timestamp=timestamp, name=name, lines=lines)


# --- readers ----------------------------------------------------------------------------------------------------------


def test_cobertura_counts_each_line_once() -> None:
    text = cobertura("110").replace('number="2" hits="1"', 'number="2" hits="1" condition-coverage="50% (1/2)"')
    report = read("coverage.xml", text.encode()).report
    assert isinstance(report, CoverageReport)
    (file,) = report.files
    assert (file.path, file.statements, file.covered, file.branches, file.covered_branches) == ("app.py", 3, 2, 2, 1)
    assert (report.made, report.sources) == ("2100-01-01T00:00:00+00:00", ("/app",))


def test_cobertura_in_seconds() -> None:
    assert read("c.xml", cobertura("1", timestamp=4_102_444_800).encode()).report.made == "2100-01-01T00:00:00+00:00"


def test_coverage_json() -> None:
    summary = {"covered_lines": 8, "num_statements": 10, "num_branches": 4, "covered_branches": 3}
    meta = {"format": 3, "timestamp": "2027-01-12T10:00:00.123456", "branch_coverage": True}
    document = {"meta": meta, "files": {"src\\app.py": {"summary": summary}}, "totals": {}}
    report = read("coverage.json", json.dumps(document).encode()).report
    assert isinstance(report, CoverageReport)
    (file,) = report.files
    assert (file.path, file.statements, file.covered, file.branches, file.covered_branches) == (
        "src/app.py",
        10,
        8,
        4,
        3,
    )
    assert report.made == "2027-01-12T10:00:00+00:00"


def test_junit_counts_cases_not_the_sums_of_suites() -> None:
    text = """<testsuites tests="4"><testsuite tests="2" timestamp="2027-01-12T10:00:00">
    <testcase name="a"/><testcase name="b"><failure/></testcase><testcase name="c"><skipped/></testcase>
    </testsuite></testsuites>"""
    report = read("junit.xml", text.encode()).report
    assert isinstance(report, JunitReport)
    assert (report.tests, report.failures, report.errors, report.skipped) == (3, 1, 0, 1)
    assert report.made == "2027-01-12T10:00:00+00:00"


def test_locust_without_the_sum_of_all() -> None:
    report = read("load_stats.csv", LOCUST.encode()).report
    assert isinstance(report, TimingReport)
    (timing,) = report.timings
    assert (timing.what, timing.name, timing.samples, timing.p95_ms) == (TimedThing.REQUEST, "GET /health", 1200, 9.0)
    assert timing.span.line == 2


@pytest.mark.parametrize(
    ("metric", "missed"),
    [
        ({"p(95)": 120.5, "thresholds": {"p(95)<100": True, "avg<90": False}}, ("p(95)<100",)),
        (
            {"values": {"p(95)": 120.5}, "thresholds": {"p(95)<100": {"ok": False}, "avg<90": {"ok": True}}},
            ("p(95)<100",),
        ),
    ],
    ids=["summary-export says true of what was crossed", "handleSummary"],
)
def test_k6(metric: dict[str, Any], missed: tuple[str, ...]) -> None:
    report = read("k6.json", json.dumps({"metrics": {"http_req_duration": metric}}).encode()).report
    assert isinstance(report, TimingReport)
    assert [(t.p95_ms, t.missed) for t in report.timings] == [(120.5, missed)]


def test_pytest_benchmark_is_in_seconds() -> None:
    stats = {"mean": 0.2, "median": 0.19, "max": 0.5, "rounds": 20, "data": [0.1] * 18 + [0.3, 0.5]}
    document = {"benchmarks": [{"fullname": "t.py::b", "stats": stats}], "datetime": "2027-01-12T10:00:00+02:00"}
    report = read("bench.json", json.dumps(document).encode()).report
    assert isinstance(report, TimingReport)
    (timing,) = report.timings
    assert (timing.p95_ms, timing.median_ms, timing.max_ms) == (300.0, 190.0, 500.0)
    assert report.made == "2027-01-12T08:00:00+00:00"


@pytest.mark.parametrize("mean", ["mean_exec_time", "mean_time"])
def test_pg_stat_statements(mean: str) -> None:
    rows = f'query,calls,{mean},stddev_exec_time\n"SELECT 1\n  FROM a",40,1.5,0.2\nSELECT 2,1,3,0\n'
    report = read("pg_stat_statements.csv", rows.encode()).report
    assert isinstance(report, TimingReport)
    assert [(t.name, t.samples, t.mean_ms, t.span.line) for t in report.timings] == [
        ("SELECT 1 FROM a", 40, 1.5, 2),
        ("SELECT 2", 1, 3.0, 4),
    ]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", None, "it is empty"),
        ("<coverage", 1, "no valid XML"),
        ("<html/>", None, "begins with <html>"),
        (LAUGHS, 3, "declares an XML entity"),
        ('<coverage><class filename="a"><line number="x" hits="1"/></class></coverage>', 1, "number of a <line>"),
        ("<coverage><class/></coverage>", 1, "names no file"),
        ("{", 1, "no valid JSON"),
        ("[" * 100_000, None, "can't be read"),
        ('{"a": 1}', None, "none of what is known"),
        ('{"metrics": []}', None, "metrics is no object"),
        ('{"metrics": {}}', None, "sent no HTTP request"),
        ('{"benchmarks": 3}', None, "benchmarks is no list"),
        ('{"files": {"a.py": {}}, "totals": {}}', None, "summary of a.py"),
        ("a,b\n1,2\n", 1, "neither XML nor JSON"),
        ("query,calls\nSELECT 1,5\n", 2, "no mean_exec_time"),
        ("query,calls,mean_time\nSELECT 1,many,5\n", 2, "calls is 'many'"),
        ("query,calls,mean_time\nSELECT 1,5\n", 2, "more or fewer columns"),
        ("Type,Name,95%,Request Count\nGET,/,n,5\n", 2, "95% is 'n'"),
        ("\0", None, "NUL"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(text: str, line: int | None, says: str) -> None:
    with pytest.raises(ReadProblem) as caught:
        read("file", text.encode())
    assert says in caught.value.message
    assert caught.value.reason is Reason.BAD_EVIDENCE
    assert line is None or caught.value.line == line


# --- scans ------------------------------------------------------------------------------------------------------------


def verdicts(ended: Ended, rule: str) -> list[tuple[str, str]]:
    assert ended.code != 2, ended.err
    return [(v["kind"], v["message"]) for v in json.loads(ended.out)["verdicts"] if v["rule"] == rule]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository.new(tmp_path / "shop")
    made.write("app.py", APP)
    made.write(".gitignore", "coverage.xml\n")
    made.commit()
    return made


def scanned(repository: Repository, *arguments: str | Path) -> Ended:
    return run_assay("scan", ".", "--no-analyzers", "--no-cache", "-f", "json", *arguments, cwd=repository.root)


def test_named_on_the_command_line_from_anywhere(repository: Repository, tmp_path: Path) -> None:
    file = tmp_path / "out" / "coverage.xml"
    file.parent.mkdir()
    file.write_text(cobertura("1" * 4 + "0" * 6))
    assert verdicts(scanned(repository), "TEST102") == []
    assert [kind for kind, _ in verdicts(scanned(repository, "--evidence", file), "TEST102")] == ["fail"]


def test_an_ignored_file_that_the_configuration_names(repository: Repository) -> None:
    repository.write("coverage.xml", cobertura("1" * 9 + "0"))
    assert verdicts(scanned(repository), "TEST102") == []
    repository.write("assay.toml", '[evidence]\nfiles = ["coverage.xml", "missing.json"]\n')
    assert [kind for kind, _ in verdicts(scanned(repository), "TEST102")] == ["pass"]


def test_an_old_measurement_is_a_question(repository: Repository) -> None:
    repository.write("old.xml", cobertura("1" * 10, timestamp=1_500_000_000_000))
    ended = scanned(repository, "--evidence", repository.root / "old.xml")
    assert {kind for kind, _ in verdicts(ended, "TEST102")} == {"review"}
    repository.write("assay.toml", "[evidence]\nmax-age-days = 100000\n")
    ended = scanned(repository, "--evidence", repository.root / "old.xml")
    assert {kind for kind, _ in verdicts(ended, "TEST102")} == {"pass"}


def test_the_cache_knows_evidence(repository: Repository, tmp_path: Path) -> None:
    file = tmp_path / "coverage.xml"
    found = []
    for hits in ("1" * 10, "0" * 10, "1" * 10):
        file.write_text(cobertura(hits))
        arguments = ("scan", ".", "--no-analyzers", "--cache-dir", tmp_path / "cache", "-f", "json", "--evidence", file)
        found.append({kind for kind, _ in verdicts(run_assay(*arguments, cwd=repository.root), "TEST102")})
    assert found == [{"pass"}, {"fail"}, {"pass"}]


@pytest.mark.parametrize("command", ["scan", "gate"])
def test_a_bad_file_that_is_named_is_one_message(repository: Repository, command: str) -> None:
    repository.write("laughs.xml", LAUGHS)
    ended = run_assay(command, ".", "--evidence", "laughs.xml", cwd=repository.root)
    assert (ended.code, ended.err.count("\n")) == (2, 1)
    assert ended.err.startswith("assay: laughs.xml:3: it declares an XML entity")
    missing = run_assay(command, ".", "--evidence", "no.xml", cwd=repository.root)
    assert (missing.code, missing.err) == (2, "assay: no.xml: it is no file; name one that a tool of measuring wrote\n")


def test_a_bad_file_in_the_tree_is_a_diagnostic(repository: Repository) -> None:
    repository.write("cobertura.xml", LAUGHS)
    ended = scanned(repository)
    assert ended.code == 0
    (diagnostic,) = json.loads(ended.out)["diagnostics"]
    assert (diagnostic["path"], diagnostic["line"], diagnostic["reason"]) == ("cobertura.xml", 3, "bad-evidence")


@pytest.mark.parametrize("how", ["named", "configured", "committed"])
def test_a_first_measurement_is_no_regression(repository: Repository, tmp_path: Path, how: str) -> None:
    repository.git("checkout", "--quiet", "-b", "feature")
    arguments: tuple[str | Path, ...] = ()
    if how == "named":
        file = tmp_path / "coverage.xml"
        file.write_text(cobertura("0" * 10))
        arguments = ("--evidence", file)
        repository.write("README.md", "A shop.\n")
    else:
        repository.write("coverage.xml" if how == "configured" else "cobertura.xml", cobertura("0" * 10))
    if how == "configured":
        repository.write("assay.toml", '[evidence]\nfiles = ["coverage.xml"]\n')
    repository.commit()
    ended = run_assay("gate", ".", "--no-analyzers", "--no-cache", "-f", "json", *arguments, cwd=repository.root)
    result = json.loads(ended.out)
    states = {v["state"] for v in result["verdicts"] if v["rule"] == "TEST102" and v["kind"] == "fail"}
    assert (ended.code, states) == (0, {"known"})


def test_coverage_that_falls_is_a_regression(repository: Repository) -> None:
    repository.write("cobertura.xml", cobertura("1" * 10))
    repository.commit()
    repository.git("checkout", "--quiet", "-b", "feature")
    repository.write("cobertura.xml", cobertura("0" * 10))
    repository.commit()
    ended = run_assay("gate", ".", "--no-analyzers", "--no-cache", "-f", "json", cwd=repository.root)
    states = {v["state"] for v in json.loads(ended.out)["verdicts"] if v["rule"] == "TEST102" and v["kind"] == "fail"}
    assert (ended.code, states) == (1, {"new"})
