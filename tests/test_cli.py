"""The command line as people and programs use it."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from jsonschema.validators import validator_for

import assay.rules
from assay.reports import inventory
from assay.scanner import __version__
from assay.scanner.rulebook import load_rulebook
from tests.running import backend, listing, run_assay

ROOT = Path(__file__).parent.parent
UNSOUND = ROOT / "fixtures" / "backends" / "fastapi_unsound"
INVENTORY_SCHEMA = ROOT / "reports" / "schemas" / "inventory.schema.json"
HEAVY = (
    *("libcst", "bandit", "radon", "rich", "jinja2", "pygments", "sqlglot", "yaml", "msgspec", "multiprocessing"),
    *("sqlalchemy", "alembic", "psycopg"),
)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with every report of one scan of the unsound sample, and what it printed."""
    folder = tmp_path_factory.mktemp("reports")
    forms = [f"{form}=report.{form}" for form in ("html", "json", "sarif")]
    ended = run_assay("scan", UNSOUND, *(word for form in forms for word in ("--report", form)), cwd=folder)
    assert (ended.code, ended.err) == (0, "")
    (folder / "summary.txt").write_text(ended.out, encoding="utf-8")
    return folder


# --- help -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["scan", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    script = (
        "import sys\n"
        "from assay.scanner.cli import cli\n"
        f"cli({arguments!r}, standalone_mode=False)\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_help_names_every_command(tmp_path: Path) -> None:
    ended = run_assay("--help", cwd=tmp_path)
    assert ended.code == 0
    assert all(f"\n  {command} " in ended.out for command in ("scan", "rules", "explain", "inventory"))


def test_version(tmp_path: Path) -> None:
    ended = run_assay("--version", cwd=tmp_path)
    assert (ended.code, ended.out) == (0, f"assay, version {__version__}\n")


def test_an_unknown_command_and_an_unknown_option_are_usage_errors(tmp_path: Path) -> None:
    for arguments in (["scna"], ["scan", "--formt", "json"], ["scan", "--jobs", "0"]):
        ended = run_assay(*arguments, cwd=tmp_path)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("Usage: assay")


# --- scan -------------------------------------------------------------------------------------------------------------


def test_a_scan_exits_with_0_whatever_it_finds(reports: Path) -> None:
    summary = (reports / "summary.txt").read_text(encoding="utf-8")
    assert "✗ fail  critical" in summary
    assert "SEC102" in summary
    assert "Total " in summary


def test_off_a_terminal_there_is_no_colour_and_no_bar(reports: Path) -> None:
    assert "\x1b" not in (reports / "summary.txt").read_text(encoding="utf-8")


def test_reports_are_written_whole_and_nothing_beside_them(reports: Path) -> None:
    assert listing(reports) == {"report.html", "report.json", "report.sarif", "summary.txt"}
    assert (reports / "report.html").read_text(encoding="utf-8").rstrip().endswith("</html>")


def test_the_json_report_keeps_its_contract(reports: Path) -> None:
    report = json.loads((reports / "report.json").read_text(encoding="utf-8"))
    (path,) = (ROOT / "reports" / "schemas").glob("*report*.json")
    schema = json.loads(path.read_text(encoding="utf-8"))
    validator_for(schema)(schema).validate(report)
    assert report["scanned"]["root"] == "fastapi_unsound"
    assert {v["location"]["path"] for v in report["verdicts"]} >= {"Dockerfile", "k8s/orders.yaml", "orders/main.py"}


def test_the_sarif_report_names_the_same_fails(reports: Path) -> None:
    report = json.loads((reports / "report.json").read_text(encoding="utf-8"))
    (run,) = json.loads((reports / "report.sarif").read_text(encoding="utf-8"))["runs"]
    fails = sorted((v["rule"], v["location"]["path"]) for v in report["verdicts"] if v["kind"] == "fail")
    in_sarif = sorted(
        (r["ruleId"], r["locations"][0]["physicalLocation"]["artifactLocation"]["uri"])
        for r in run["results"]
        if r["kind"] == "fail"
    )
    assert in_sarif == fails


def test_json_on_standard_output_is_nothing_but_json(tmp_path: Path) -> None:
    backend(tmp_path)
    ended = run_assay("scan", "--format", "json", cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert json.loads(ended.out)["tool"] == {"name": "assay", "version": __version__}
    assert listing(tmp_path) == {"app.py"}


def test_the_format_of_a_report_may_be_told_by_its_suffix(tmp_path: Path) -> None:
    backend(tmp_path)
    ended = run_assay("scan", "--report", "out.sarif", cwd=tmp_path)
    assert ended.code == 0
    assert json.loads((tmp_path / "out.sarif").read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_the_number_of_workers_changes_nothing(tmp_path: Path) -> None:
    first, second = (run_assay("scan", UNSOUND, "--format", "json", "--jobs", str(n), cwd=tmp_path).out for n in (1, 2))
    assert first == second


def test_analyzers_advise_and_can_be_switched_off(tmp_path: Path) -> None:
    backend(tmp_path, weak="def start(server):\n    server.bind('0.0.0.0')\n")
    with_them, without = (
        {v["rule"] for v in json.loads(run_assay("scan", "--format", "json", *flag, cwd=tmp_path).out)["verdicts"]}
        for flag in ([], ["--no-analyzers"])
    )
    assert with_them - without == {"B104"}


def test_a_configured_service_is_the_one_that_is_scanned(tmp_path: Path) -> None:
    backend(tmp_path / "web")
    backend(tmp_path / "admin")
    (tmp_path / "assay.toml").write_text('[services.shop]\nroot = "web"\n', encoding="utf-8")
    ended = run_assay("scan", "--format", "json", cwd=tmp_path)
    assert [(s["name"], s["root"]) for s in json.loads(ended.out)["services"]] == [("shop", "web")]


# --- rules and explain ------------------------------------------------------------------------------------------------


def test_rules_lists_the_whole_standard(tmp_path: Path) -> None:
    rulebook = load_rulebook(assay.rules)
    ended = run_assay("rules", cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    assert f"edition {rulebook.standard.edition}: 10 sections, 40 principles, {len(rulebook.rules)} rules" in ended.out
    rows = [line.split() for line in ended.out.splitlines()]
    for rule in rulebook.rules:
        assert [rule.code, rule.severity.value, rule.name] in rows
    for id_, principle in rulebook.standard.principles.items():
        (row,) = [line for line in ended.out.splitlines() if line.split()[:1] == [id_]]
        assert principle.title in row
        assert ("no rule yet" in row) == (not rulebook.of_principle(id_))


def test_rules_as_json_carry_their_documentation(tmp_path: Path) -> None:
    rulebook = load_rulebook(assay.rules)
    loaded = json.loads(run_assay("rules", "--format", "json", cwd=tmp_path).out)
    rules = {r["code"]: r for s in loaded["sections"] for p in s["principles"] for r in p["rules"]}
    assert set(rules) == set(rulebook.by_code())
    assert rules["API402"]["options"] == {"maximum": "1000"}
    assert rules["API402"]["subject"] == "page size"
    assert all(r["title"] and r["why"] and r["fix"] for r in rules.values())
    assert "B608" in {check["code"] for check in loaded["checks"]}


def test_explain_a_rule(tmp_path: Path) -> None:
    rule = load_rulebook(assay.rules).by_code()["API402"]
    ended = run_assay("explain", "api402", cwd=tmp_path)
    assert ended.code == 0
    text = " ".join(ended.out.split())
    parts = (
        f"API402 {rule.name}",
        rule.title,
        rule.why,
        rule.fix,
        "severity high",
        "every page size",
        *rule.references,
    )
    assert [part for part in parts if part not in text] == []
    assert "CWE-770 https://cwe.mitre.org/data/definitions/770.html" in text
    assert "maximum = 1000 set them in assay.toml, in [rules.API402]" in text


def test_explain_a_principle(tmp_path: Path) -> None:
    rulebook = load_rulebook(assay.rules)
    text = " ".join(run_assay("explain", "API4", cwd=tmp_path).out.split())
    assert rulebook.standard.principles["API4"].statement in text
    assert all(rule.name in text and rule.title in text for rule in rulebook.of_principle("API4"))


def test_explain_a_section_and_a_check(tmp_path: Path) -> None:
    assert "Naming and versioning" in run_assay("explain", "API", cwd=tmp_path).out
    text = run_assay("explain", "B608", cwd=tmp_path).out
    assert "B608" in text
    assert "never counted in a score" in text


def test_explain_what_there_is_not(tmp_path: Path) -> None:
    ended = run_assay("explain", "API499", cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(
        "assay: the standard has no section, principle, rule or check API499; did you mean API40"
    )
    assert ended.err.count("\n") == 1


# --- inventory --------------------------------------------------------------------------------------------------------


def test_inventory_on_a_terminal(tmp_path: Path) -> None:
    ended = run_assay("inventory", UNSOUND, cwd=tmp_path)
    assert (ended.code, ended.err) == (0, "")
    rows = [" ".join(line.split()) for line in ended.out.splitlines()]
    assert any(re.fullmatch(r"GET /v1/orders json \w+ paged orders/routers/orders\.py:\d+", row) for row in rows)
    assert any(re.fullmatch(r"GET /v1/customers json \w+ not paged orders/.*", row) for row in rows)
    assert any(row.startswith("orders Order 7") for row in rows)
    assert any(row.startswith("GET /health/ready readiness") for row in rows)
    headings = ("Endpoints ", "Tables ", "SQL sites ", "Log calls ", "Health checks ")
    assert [heading for heading in headings if not any(row.startswith(heading) for row in rows)] == []


def test_inventory_as_json(tmp_path: Path) -> None:
    loaded = json.loads(run_assay("inventory", UNSOUND, "--format", "json", cwd=tmp_path).out)
    (service,) = loaded["services"]
    assert service["name"] == "orders"
    assert {"fastapi", "sqlalchemy"} <= {name.lower() for name in service["frameworks"]}
    listed = {(e["method"], e["path"]): e for e in service["endpoints"]}
    assert listed["GET", "/v1/customers"]["returns_collection"]
    assert not listed["POST", "/v1/orders"]["returns_collection"]
    assert listed["GET", "/v1/customers"]["auth"]
    assert not listed["GET", "/health/ready"]["auth"]
    assert {t["name"] for t in service["tables"]} == {"customers", "orders"}
    assert {h["path"] for h in service["health"]} == {"/health/ready", "/health/status"}


def test_the_json_inventory_is_as_its_schema_says(tmp_path: Path, check_golden: Callable[[str, str], None]) -> None:
    check_golden(str(INVENTORY_SCHEMA), inventory.schema())
    loaded = json.loads(run_assay("inventory", UNSOUND, "--format", "json", cwd=tmp_path).out)
    validator = Draft202012Validator(json.loads(INVENTORY_SCHEMA.read_text(encoding="utf-8")))
    validator.validate(loaded)
    loaded["services"][0]["endpoints"][0].pop("path")
    assert not validator.is_valid(loaded)


def test_inventory_tells_what_was_not_understood(tmp_path: Path) -> None:
    backend(tmp_path, odd="def broken(:\n")
    ended = run_assay("inventory", cwd=tmp_path)
    assert ended.code == 0
    assert "Not understood  1" in ended.out
    assert "odd.py:1" in ended.out
