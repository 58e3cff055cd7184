"""The benchmarks: generated backends are what they claim to be, figures are measured, budgets are judged."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from assay.scanner.engine import Options, understand
from assay.scanner.executors import InlineExecutor
from benchmarks import compare, contenders, generate
from benchmarks.budgets import TreeResult, checks
from benchmarks.contenders import Contender, Setting, parsed_files
from benchmarks.generator import backend
from benchmarks.generator.backend import Plan
from benchmarks.generator.services import FRAMEWORKS
from benchmarks.measure import Measured, measure
from tests.running import backend as small_backend

LINES = 3_000


def texts(tree: Path) -> dict[str, bytes]:
    return {path.relative_to(tree).as_posix(): path.read_bytes() for path in tree.rglob("*") if path.is_file()}


def lines_of(tree: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in tree.rglob("*.py"))


# --- the generator ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_a_generated_backend_is_python_and_as_long_as_asked_for(framework: str, tmp_path: Path) -> None:
    told = backend.generate(tmp_path, Plan(LINES, frameworks=(framework,)))

    for path in tmp_path.rglob("*.py"):
        compile(path.read_bytes(), path, "exec")
    assert told == lines_of(tmp_path) == pytest.approx(LINES, rel=0.05)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_assay_finds_in_it_what_a_backend_has(framework: str, tmp_path: Path) -> None:
    backend.generate(tmp_path, Plan(LINES, frameworks=(framework,)))

    known = understand(tmp_path, Options(analyzers=False, make_pool=lambda _: InlineExecutor()))

    (service,) = known.linked.services
    assert [d for d in known.diagnostics if d.reason.is_unread_file] == []
    assert len(service.endpoints) >= 5
    assert len(service.tables) >= 2
    assert len(service.log_calls) >= 5


def test_one_seed_makes_one_backend_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("first", 7), ("again", 7), ("other", 8)):
        backend.generate(tmp_path / name, Plan(LINES, seed=seed))

    assert texts(tmp_path / "first") == texts(tmp_path / "again")
    assert texts(tmp_path / "first") != texts(tmp_path / "other")


def test_a_backend_longer_than_a_service_holds_several(tmp_path: Path) -> None:
    backend.generate(tmp_path, Plan(3 * LINES, service_lines=LINES))

    services = list((tmp_path / "services").iterdir())
    assert [lines_of(service) for service in services] == [pytest.approx(LINES, rel=0.05)] * 3
    assert {(service / "manage.py").exists() for service in services} == {True, False}


def test_the_command_writes_a_backend_but_not_over_something_else(tmp_path: Path) -> None:
    first = CliRunner().invoke(generate.main, [str(tmp_path / "made"), "--lines", "2000"])
    second = CliRunner().invoke(generate.main, [str(tmp_path / "made"), "--lines", "2000"])

    assert first.exit_code == 0
    assert f"{lines_of(tmp_path / 'made'):,} lines" in first.output
    assert second.exit_code == 1
    assert "is not empty" in second.output


# --- measuring --------------------------------------------------------------------------------------------------------


def test_figures_of_a_command_cover_the_processes_that_it_starts() -> None:
    child = "held = bytearray(60_000_000); sum(range(20_000_000))"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True); sys.exit(3)"

    measured = measure([sys.executable, "-c", parent])

    assert measured.code == 3
    assert measured.processor > 0
    assert measured.wall > 0
    assert measured.peak > 40_000_000


def test_one_changed_file_is_as_before_when_the_run_is_over(tmp_path: Path) -> None:
    tree = small_backend(tmp_path / "tree", billing="RATE = 3\n", orders="LIMIT = 20\n")
    before = texts(tree)
    (changed,) = (c for c in contenders.CONTENDERS if c.name == contenders.CHANGED)

    with changed.prepared(Setting(tree, tmp_path / "cache")):
        meanwhile = texts(tree)

    assert texts(tree) == before
    assert len([name for name, text in before.items() if meanwhile[name] != text]) == 1


def test_tests_are_not_among_the_files_that_are_parsed(tmp_path: Path) -> None:
    tree = small_backend(tmp_path / "tree")
    (tree / "tests").mkdir()
    (tree / "tests" / "test_app.py").write_text("def test_nothing() -> None: ...\n")

    assert [file.path for file in parsed_files(tree)] == ["app.py"]


# --- the tables -------------------------------------------------------------------------------------------------------


def run(wall: float, processor: float = 1.0, peak: int = 100_000_000) -> Measured:
    return Measured(wall, processor, peak, 0)


def verdicts(*trees: TreeResult) -> dict[str, str]:
    return {check.budget: compare.verdict(check) for check in checks(trees)}


def test_a_budget_is_met_or_not_or_not_measured() -> None:
    found = verdicts(
        TreeResult(
            "large",
            250_000,
            {
                contenders.COLD: run(12.0),
                contenders.COLD_ALONE: run(11.0, processor=30.0),
                contenders.BANDIT: run(10.0),
                contenders.PARSE: run(9.0, processor=10.0),
                contenders.WARM: run(0.3),
                contenders.CHANGED: run(2.0),
                contenders.FIXIT: "missing: not installed",
            },
        )
    )

    assert found["cold, against bandit"] == "met"
    assert found["cold without analyzers, against bandit"] == "not met"
    assert found["its processor time, against LibCST's parse alone"] == "not met"
    assert found["nothing changed, 250,000 lines"] == "met"
    assert found["nothing changed, against cold"] == "met"
    assert found["one file changed, 250,000 lines"] == "met"
    assert found["one file changed, against cold"] == "not met"
    assert found["cold, against Fixit"] == "not measured"
    assert found["assay --help"] == "not measured"
    assert found["time a line at 1,000,000 lines, against 50,000"] == "not measured"


def test_budgets_for_a_size_ignore_trees_of_other_sizes() -> None:
    slow = {contenders.WARM: run(9.0), contenders.COLD: run(10.0, peak=9_000_000_000)}

    assert verdicts(TreeResult("small", 10_000, slow))["nothing changed, 250,000 lines"] == "not measured"
    assert verdicts(TreeResult("large", 1_000_000, slow))["peak memory, 1,000,000 lines"] == "not met"


@pytest.mark.parametrize(("seconds", "expected"), [(23.0, "met"), (25.0, "not met")])
def test_growth_is_time_a_line_of_a_large_tree_against_a_small_one(seconds: float, expected: str) -> None:
    small = TreeResult("small", 50_000, {contenders.COLD: run(1.0)})
    large = TreeResult("large", 1_000_000, {contenders.COLD: run(seconds)})

    assert verdicts(small, large)["time a line at 1,000,000 lines, against 50,000"] == expected


def test_contenders_that_cannot_be_had_or_fail_are_shown_with_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = (sys.executable, "-c", "raise SystemExit(9)")
    monkeypatch.setattr(
        compare,
        "CONTENDERS",
        (
            Contender("absent", "assay", lambda _: None),
            Contender("failing", "assay", lambda _: failing),
            Contender("slow", "assay", lambda _: failing, is_slow=True),
        ),
    )
    monkeypatch.setattr(compare, "BUILD", tmp_path / "build")
    monkeypatch.setattr(compare, "_TREES", tmp_path / "build" / "trees")
    monkeypatch.setattr(compare, "install", lambda: None)
    tree = small_backend(tmp_path / "tree")

    done = CliRunner().invoke(compare.main, [str(tree), "--runs", "1", "--slow-limit", "1"], catch_exceptions=False)

    shown = {line.split("│")[1].strip(): line for line in done.output.splitlines() if line.count("│") > 1}
    assert done.exit_code == 0
    assert "not installed" in shown["absent"]
    assert "exited with 9" in shown["failing"]
    assert "over 1 lines" in shown["slow"]


def test_a_tool_that_does_not_take_part_is_a_usage_error() -> None:
    done = CliRunner().invoke(compare.main, ["--only", "assay,flake8"])

    assert done.exit_code == 2
    assert "there is no flake8" in done.output
