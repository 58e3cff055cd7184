"""bandit and radon on bytes: the same findings as their command lines, told in the terms of the standard."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import msgspec
import pytest
import yaml

from assay.scanner.analyzers import AnalyzerFacts, BanditFinding, FunctionComplexity, analyze
from assay.scanner.analyzers.advisories import (
    AdvisoryTableError,
    Check,
    advise,
    judged_places,
    load_table,
    merge,
    rule_infos,
)
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.results import JudgedVerdict, SubjectReference
from assay.scanner.verdicts import Kind, Severity

TABLES = Path(__file__).parent.parent / "rules" / "analyzers"
SOURCES: dict[str, bytes] = {
    "sql.py": b"""
def orders(cursor, name):
    cursor.execute("SELECT * FROM orders WHERE name = '" + name + "'")
    cursor.execute(f"SELECT * FROM orders WHERE name = '{name}'")
    cursor.execute(
        "SELECT * FROM orders "
        "WHERE name = '%s'" % name
    )
""",
    "shell.py": b"""
import subprocess
from os import system as run
import importlib

async def start(command):
    subprocess.Popen(command, shell=True)
    run("ls *.txt")
    importlib.import_module("telnetlib")
    __import__("pickle")
""",
    "passwords.py": """# Größe
password = 'hunter2'
class A:
    def connect(self, password='hunter2', *, token='x'):
        login(password='hunter2')
        self.secret = 'abc'
        if password == 'hunter2': return 1
""".encode(),
    "nosec.py": b"""
import subprocess  # nosec
import pickle  # nosec: B403
import marshal, pickle  # nosec B404
eval("1")  # nosec: blacklist
exec("1")  # nosec B102,B307
exec("1")  # nosec exec_used
exec("1")  # NOSEC
subprocess.call(
    "ls",
    shell=True,  # nosec
)
subprocess.call(
    "ls",
    shell=True,
)  # nosec B602
text = "# nosec"
assert text
""",
    "errors.py": b"""
for item in range(3):
    try:
        print(item)
    except Exception:
        continue
    try:
        print(item)
    except:
        pass
""",
    "templates.py": b"""
from jinja2 import Environment
from markupsafe import Markup
import yaml, requests, hashlib, random, tarfile, ssl, tempfile, xml.etree.ElementTree as ET
Environment(autoescape=False)
Markup(f"<b>{x}</b>")
yaml.load(x)
requests.get(u, verify=False)
hashlib.md5(b"x"); hashlib.new("sha1"); random.random()
tarfile.open(x).extractall()
ssl._create_unverified_context()
ET.parse(x)
open("/tmp/x")
app.run(debug=True, host="0.0.0.0")
""",
    "latin.py": "# -*- coding: latin-1 -*-\nn = 'äöü'; password = 'hunter2'; eval(n)\n".encode("latin-1"),
    "bidi.py": "x = 1\ny = '\N{RIGHT-TO-LEFT OVERRIDE}'\n".encode(),
    "windows.py": b"import pickle\r\nassert pickle\r\n",
    "mac.py": b"import pickle\rassert pickle\r",
    "bom.py": b"\xef\xbb\xbfassert 1\n",
    "empty.py": b"",
    "docstring.py": b'"""password = \'x\' SELECT * FROM a"""\n',
}


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, object]]:
    """What bandit's own command says of the sources."""
    root = tmp_path_factory.mktemp("sources")
    for name, data in SOURCES.items():
        (root / name).write_bytes(data)
    done = subprocess.run(
        [sys.executable, "-m", "bandit", "-q", "-r", str(root), "-f", "json"],
        capture_output=True,
        text=True,
        check=False,
    )
    report = json.loads(done.stdout)
    assert report["errors"] == []
    results: list[dict[str, object]] = report["results"]
    return [result | {"filename": Path(str(result["filename"])).name} for result in results]


def test_findings_are_those_of_bandits_command(cli: list[dict[str, object]]) -> None:
    expected = Counter(
        (
            r["filename"],
            r["test_id"],
            r["line_number"],
            r["issue_severity"],
            r["issue_confidence"],
            r["issue_cwe"].get("id", 0),  # type: ignore[attr-defined]
            r["issue_text"],
        )
        for r in cli
    )
    found = Counter(
        (name, f.test_id, f.line, f.severity, f.confidence, f.cwe, f.message)
        for name, data in SOURCES.items()
        for f in analyze(data).findings
    )
    assert found == expected
    assert len({key[1] for key in expected}) >= 25, "the sources are meant to set off many checks"


def test_places_are_in_code_points_and_enclose_the_node() -> None:
    source = SOURCES["latin.py"].decode("latin-1").splitlines()
    (evaluated,) = (f for f in analyze(SOURCES["latin.py"]).findings if f.test_id == "B307")
    assert source[evaluated.line - 1][evaluated.column - 1 : evaluated.end_column - 1] == "eval(n)"
    assert (evaluated.line, evaluated.end_line) == (2, 2)


def test_places_of_findings_over_several_lines() -> None:
    findings = [f for f in analyze(SOURCES["sql.py"]).findings if f.test_id == "B608"]
    assert [(f.line, f.end_line, f.function) for f in findings] == [
        (3, 3, "orders"),
        (4, 4, "orders"),
        (6, 7, "orders"),
    ]


def test_enclosing_functions_are_named_with_their_classes() -> None:
    functions = {f.test_id: f.function for f in analyze(SOURCES["passwords.py"]).findings}
    assert functions["B106"] == "A.connect"
    assert analyze(SOURCES["windows.py"]).findings[0].function == ""


def test_nothing_but_the_bytes_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = analyze(SOURCES["sql.py"])
    (tmp_path / "__init__.py").touch()
    monkeypatch.chdir(tmp_path)
    assert analyze(SOURCES["sql.py"]) == before


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"def f(:\n", "could not parse it: .*line 1, in the grammar of Python"),
        (b"x = '\xff'\n", "could not parse it"),
        (b"x = 1\x00\n", "could not parse it"),
        (b"# coding: nonsense\n", "could not parse it"),
        (b"(" * 500 + b")" * 500, "could not parse it: too many nested parentheses"),
    ],
)
def test_what_cannot_be_parsed_is_a_problem_and_no_crash(data: bytes, problem: str) -> None:
    facts = analyze(data)
    assert (facts.findings, facts.complexities) == ((), ())
    assert facts.problem is not None
    assert facts.problem.startswith("bandit and radon")
    assert re.search(problem, facts.problem)


def test_deep_nesting_is_a_problem_and_no_crash() -> None:
    facts = analyze(b"x = " + b" + ".join([b"1"] * 5000))
    assert facts.problem is not None
    assert "nested too deeply" in facts.problem or "could not parse" in facts.problem


def test_a_check_that_raises_is_a_problem_beside_the_other_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    from assay.scanner.analyzers import bandit_analyzer

    def broken(context: object) -> None:
        raise KeyError("x")

    broken._test_id = "B999"  # type: ignore[attr-defined]
    tests = {**bandit_analyzer._TESTS.tests}
    monkeypatch.setattr(bandit_analyzer._TESTS, "tests", tests | {"Assert": [broken, *tests["Assert"]]})
    facts = analyze(b"\nassert 1\n")
    assert facts.problem == "bandit's check broken raised KeyError at line 2"
    assert [f.test_id for f in facts.findings] == ["B101"]


def test_nothing_is_written_and_no_warning_leaks(capfd: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        analyze(b"x = '\\d'\nassert (x, 1)\ny = 1 is 1\nz = 1  # nosec B000\n")
        analyze(SOURCES["nosec.py"])
    assert capfd.readouterr() == ("", "")


def test_the_command_line_does_not_load_bandit_or_radon() -> None:
    code = "import sys, assay.scanner.analyzers.advisories; print([m for m in ('bandit', 'radon') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def branches(count: int, indent: int = 4) -> str:
    return "".join(f"{' ' * indent}if x == {number}:\n{' ' * indent}    x += 1\n" for number in range(count))


COMPLEX = (
    "def simple(x):\n    return x\n\n"
    + "def moderate(x):\n"
    + branches(10)
    + "class Größe:\n    class Inner:\n        async def method(self, x):\n"
    + branches(20, 12)
    + "            def closure(x):\n"
    + branches(40, 16)
    + "if True:\n    def guarded(x):\n"
    + branches(20, 8)
)


def test_complexities_are_radons_with_names_and_places() -> None:
    facts = analyze(COMPLEX.encode())
    lines = COMPLEX.splitlines()
    assert [(c.function, c.complexity, c.rank) for c in facts.complexities] == [
        ("moderate", 11, "C"),
        ("Größe.Inner.method", 21, "D"),
        ("Größe.Inner.method.closure", 41, "F"),
        ("guarded", 21, "D"),
    ]
    starts = [lines[c.line - 1][c.column - 1 : c.end_column - 1] for c in facts.complexities]
    assert starts == ["def moderate(x):", "async def method(self, x):", "def closure(x):", "def guarded(x):"]


def test_complexities_are_those_of_radons_command(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text(COMPLEX, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "radon", "cc", "-j", "--show-closures", "-n", "C", "x.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )

    def flattened(blocks: list[dict[str, object]]) -> set[tuple[object, object]]:
        return {(b["lineno"], b["complexity"]) for b in blocks if b["type"] != "class"}

    found = {(c.line, c.complexity) for c in analyze(COMPLEX.encode()).complexities}
    assert flattened(json.loads(done.stdout)["x.py"]) == found


def test_facts_are_serialisable() -> None:
    facts = analyze(SOURCES["shell.py"] + COMPLEX.encode())
    assert facts.findings
    assert facts.complexities
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=AnalyzerFacts) == facts


# What is shown of it.

CHECKS = merge(load_table((TABLES / f"{tool}.yaml").read_text(encoding="utf-8")) for tool in ("bandit", "radon"))


def finding(test_id: str, function: str = "f", line: int = 3, end_line: int | None = None) -> BanditFinding:
    return BanditFinding(
        test_id, "name", "MEDIUM", "LOW", 89, "Possible trouble.", function, line, 5, end_line or line, 20
    )


def test_every_check_of_the_installed_bandit_is_in_the_table_under_its_name() -> None:
    from assay.scanner.analyzers.bandit_analyzer import CHECKS as INSTALLED

    named = {code: check.name for code, check in CHECKS.items() if code.startswith("B")}
    assert named == {code: name.replace("_", "-").lower() for code, name in INSTALLED.items()}


def test_every_principle_of_the_table_exists() -> None:
    standard = yaml.safe_load((TABLES.parent / "standard.yaml").read_text(encoding="utf-8"))
    principles = {principle["id"] for section in standard["sections"] for principle in section["principles"]}
    assert {check.principle for check in CHECKS.values()} <= principles


def test_a_finding_is_advice_for_review() -> None:
    (advice,) = advise(AnalyzerFacts((finding("B602"),)), "shop/x.py", Role.PROD, CHECKS, {})
    location = Location("shop/x.py", 3, 5, 3, 20)
    assert (advice.rule, advice.kind, advice.severity, advice.location) == (
        "B602",
        Kind.REVIEW,
        Severity.HIGH,
        location,
    )
    assert advice.subject == SubjectReference("code", "shop/x.py:f#1", "f")
    assert advice.message == "Possible trouble; pass a list of words, without shell=True."
    assert advice.evidence == (Evidence(location, "bandit B602 (name), low confidence"),)


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.PROD])
def test_only_production_code_gets_advice(role: Role) -> None:
    facts = AnalyzerFacts((finding("B101"),), (FunctionComplexity("f", 50, "F", 1, 1, 1, 9),))
    assert advise(facts, "x.py", role, CHECKS, {}) == ()
    assert len(advise(facts, "x.py", Role.PROD, CHECKS, {})) == 2


def test_identities_survive_moved_lines_and_superseding() -> None:
    first, second = finding("B608", line=3), finding("B608", line=9)
    before = advise(AnalyzerFacts((first, second)), "x.py", Role.PROD, CHECKS, {})
    moved = advise(AnalyzerFacts((finding("B608", line=30), finding("B608", line=90))), "x.py", Role.PROD, CHECKS, {})
    judged = {"SEC101": frozenset({("x.py", 3)})}
    left = advise(AnalyzerFacts((first, second)), "x.py", Role.PROD, CHECKS, judged)
    assert [a.subject.id for a in before] == [a.subject.id for a in moved] == ["x.py:f#1", "x.py:f#2"]
    assert [(a.subject.id, a.location.line) for a in left] == [("x.py:f#2", 9)]


def test_ordinals_count_by_check_and_function() -> None:
    facts = AnalyzerFacts((finding("B101"), finding("B110"), finding("B101", "g"), finding("B101", "")))
    ids = [(a.rule, a.subject.id) for a in advise(facts, "x.py", Role.PROD, CHECKS, {})]
    assert ids == [("B101", "x.py:<module>#1"), ("B101", "x.py:f#1"), ("B101", "x.py:g#1"), ("B110", "x.py:f#1")]


def test_only_a_superseding_rules_word_counts() -> None:
    facts = AnalyzerFacts((finding("B608", line=3, end_line=5),))
    assert advise(facts, "x.py", Role.PROD, CHECKS, {"SEC116": frozenset({("x.py", 5)})}) == ()
    assert len(advise(facts, "x.py", Role.PROD, CHECKS, {"OBS106": frozenset({("x.py", 5)})})) == 1
    assert len(advise(facts, "x.py", Role.PROD, CHECKS, {"SEC101": frozenset({("y.py", 5)})})) == 1
    assert len(advise(facts, "x.py", Role.PROD, CHECKS, {"SEC101": frozenset({("x.py", 6)})})) == 1


def verdict(kind: Kind, location: Location, *evidence: Evidence) -> JudgedVerdict:
    subject = SubjectReference("query", "q", "q")
    return JudgedVerdict("s", "SEC101", kind, Severity.HIGH, subject, location, "m", evidence, "f")


def test_a_rule_has_judged_where_its_verdict_and_evidence_point() -> None:
    places = judged_places(
        [
            verdict(Kind.PASS, Location("x.py", 7, 1, 8, 2), Evidence(Location("y.py", 3, 1, 3, 9), "built here")),
            verdict(Kind.NOT_APPLICABLE, Location("z.py", 1, 1, 1, 1)),
        ]
    )
    assert places == {"SEC101": frozenset({("x.py", 7), ("x.py", 8), ("y.py", 3)})}


def test_only_very_complex_functions_are_shown() -> None:
    facts = analyze(COMPLEX.encode())
    shown = advise(facts, "x.py", Role.PROD, CHECKS, {})
    assert [(a.rule, a.subject.label) for a in shown] == [
        ("RADON-CC", "Größe.Inner.method"),
        ("RADON-CC", "Größe.Inner.method.closure"),
        ("RADON-CC", "guarded"),
    ]
    assert shown[0].message.startswith("Größe.Inner.method has 21 paths through it; split it")


def test_rule_infos_are_advisory_and_cover_unknown_plugins() -> None:
    known, unknown = rule_infos(CHECKS, ["X999", "B608", "B608"])
    assert (known.code, known.principle, known.cwe, known.advisory) == ("B608", "SEC1", (89,), True)
    assert (unknown.code, unknown.name, unknown.advisory) == ("X999", "check-of-a-plugin", True)
    (advice,) = advise(AnalyzerFacts((finding("X999"),)), "x.py", Role.PROD, CHECKS, {})
    assert advice.severity is Severity.LOW


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tool: [", "while parsing"),
        ("tool: x\nurl: y\nchecks:\n  B1: {name: x}", "missing required field `principle`"),
        ("tool: x\nurl: y\nchecks: {}\nmore: 1", "unknown field `more`"),
    ],
)
def test_a_broken_table_is_an_error(text: str, message: str) -> None:
    with pytest.raises(AdvisoryTableError, match=message):
        load_table(text)


def test_titles_are_sentences() -> None:
    for code, check in CHECKS.items():
        assert isinstance(check, Check)
        for sentence in (check.title, check.why, check.fix):
            assert sentence.endswith("."), f"{code}: {sentence}"


def test_the_sources_are_python() -> None:
    for data in SOURCES.values():
        ast.parse(data)
