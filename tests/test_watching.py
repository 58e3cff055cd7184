"""`assay scan --watch`: what makes it scan again, what it compares, and what it says of the difference."""

from __future__ import annotations

import io
import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console
from watchfiles import Change

from assay.reports.difference import render
from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.differences import Difference, difference
from assay.scanner.model.place import Location
from assay.scanner.results import JudgedVerdict, ScanResult
from assay.scanner.verdicts import Kind
from assay.scanner.watching import Incomplete, Mistake, Relevant, WatchError, changes_in, follow
from tests.running import TIMEOUT, backend, interrupt, run_assay, start
from tests.samples import sample_result

BATCH = {"something"}
WEAK = "import hashlib\n\n\ndef digest(data):\n    return hashlib.md5(data).hexdigest()\n"


def with_findings(*findings: JudgedVerdict) -> ScanResult:
    return replace(sample_result(), verdicts=findings, diagnostics=())


@pytest.fixture
def finding() -> JudgedVerdict:
    return next(f for f in sample_result().findings if f.kind is Kind.FAIL)


# --- the difference ---------------------------------------------------------------------------------------------------


def moved(finding: JudgedVerdict, line: int) -> JudgedVerdict:
    return replace(finding, location=Location(finding.location.path, line, 1, line, 2))


def test_a_scan_differs_in_nothing_from_itself() -> None:
    result = sample_result()
    assert difference(result, result) == Difference((), (), len(result.findings), ())


def test_what_moved_is_not_new(finding: JudgedVerdict) -> None:
    assert not difference(with_findings(finding), with_findings(moved(finding, 70))).new


def test_the_same_finding_once_more_is_new_and_once_less_is_gone(finding: JudgedVerdict) -> None:
    two = with_findings(moved(finding, 1), moved(finding, 2))
    three = with_findings(moved(finding, 1), moved(finding, 2), moved(finding, 3))
    assert [f.location.line for f in difference(two, three).new] == [3]
    assert [f.location.line for f in difference(three, two).gone] == [3]
    assert not difference(two, three).gone
    assert not difference(three, two).new


def test_a_review_that_became_a_fail_is_told(finding: JudgedVerdict) -> None:
    review = replace(finding, kind=Kind.REVIEW)
    told = difference(with_findings(review), with_findings(finding))
    assert (told.gone, told.new) == ((review,), (finding,))


def test_what_is_no_finding_is_no_difference(finding: JudgedVerdict) -> None:
    passed = replace(finding, kind=Kind.PASS)
    assert difference(with_findings(), with_findings(passed)) == difference(with_findings(), with_findings())


def rendered(told: Difference) -> list[str]:
    out = io.StringIO()
    render(told, Console(file=out, width=200))
    return out.getvalue().splitlines()


def test_each_finding_gets_a_line(finding: JudgedVerdict) -> None:
    finding = replace(finding, message="it is bad")
    other = replace(moved(finding, 9), fingerprint="other", message="it is [bold]bad[/bold] \x1b[31m")
    path = finding.location.path
    assert rendered(difference(with_findings(finding), with_findings(other))) == [
        f"- gone {path}:{finding.location.line}  {finding.rule}  ✗ fail  it is bad",
        f"+ new  {path}:9  {finding.rule}  ✗ fail  it is [bold]bad[/bold] ␛[31m",
        "1 finding: 1 new, 1 gone",
    ]


def test_no_difference_is_told_too(finding: JudgedVerdict) -> None:
    assert rendered(difference(with_findings(finding), with_findings(finding))) == ["no change in findings (1)"]


def test_scores_that_moved_are_told_in_one_line() -> None:
    before = sample_result()
    orders, billing = before.services
    orders, billing = replace(orders, score=61.0, grade="C"), replace(billing, score=None, grade="not rated")
    before = replace(before, services=(orders, billing))
    after = replace(before, services=(replace(orders, score=75.04, grade="B"), billing))
    assert rendered(difference(before, after))[1:] == ["score: orders 61.0 → 75.0 (C → B)"]
    after = replace(before, services=(replace(orders, score=62.0), replace(billing, name="new")))
    assert rendered(difference(before, after))[1:] == [
        "score: orders 61.0 → 62.0 (C); billing – → – (not rated → –); new – → – (– → not rated)"
    ]


# --- scanning again ---------------------------------------------------------------------------------------------------


def test_each_scan_is_compared_with_the_one_before(finding: JudgedVerdict) -> None:
    results = iter([with_findings(finding), with_findings(finding), with_findings()])
    news = list(follow(with_findings(), [BATCH, set(), BATCH, BATCH], lambda: next(results), ()))
    assert news == [Difference((finding,), (), 1, ()), Difference((), (), 1, ()), Difference((), (finding,), 0, ())]


def test_after_a_mistake_it_goes_on_from_the_last_result(finding: JudgedVerdict) -> None:
    attempts: Iterator[Exception | ScanResult] = iter([LookupError("no such rule"), with_findings()])

    def attempt() -> ScanResult:
        found = next(attempts)
        if isinstance(found, Exception):
            raise found
        return found

    news = list(follow(with_findings(finding), [BATCH, BATCH], attempt, (LookupError,)))
    assert news == [Mistake("no such rule"), Difference((), (finding,), 0, ())]


def test_what_is_no_mistake_of_the_user_is_not_hidden() -> None:
    def crash() -> ScanResult:
        raise KeyError("a bug")

    with pytest.raises(KeyError):
        list(follow(with_findings(), [BATCH], crash, (OSError,)))


def test_a_file_in_the_middle_of_an_edit_mends_nothing(finding: JudgedVerdict) -> None:
    broken = Diagnostic("orders/api.py", 3, Reason.SYNTAX_ERROR, "unexpected indent")
    results = iter([replace(with_findings(), diagnostics=(broken,)), with_findings(finding)])
    news = list(follow(with_findings(finding), [BATCH, BATCH], lambda: next(results), ()))
    assert news == [Incomplete((broken,)), Difference((), (), 1, ())]


def test_a_file_that_could_never_be_read_hinders_nothing(finding: JudgedVerdict) -> None:
    broken = Diagnostic("old.py", 3, Reason.SYNTAX_ERROR, "a print statement")
    first, second = (
        replace(with_findings(*found), diagnostics=(replace(broken, line=line),))
        for found, line in (((), 3), ((finding,), 4))
    )
    assert list(follow(first, [BATCH], lambda: second, ())) == [Difference((finding,), (), 1, ())]


# --- what makes it scan again -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        ("app.py", True),
        ("deploy/Dockerfile", True),
        ("k8s/orders.yaml", True),
        ("assay.toml", True),
        ("pyproject.toml", True),
        ("shop/.gitignore", True),
        ("server.log", False),
        ("shop.sqlite3", False),
        (".git/index.py", False),
        ("node_modules/x/setup.py", False),
        ("shop/__pycache__/app.py", False),
        (".app.py.swp", False),
        ("app.py~", False),
        ("report.json", False),
        (".report.json.k3j4h5", False),
        ("report.json.py", True),
        ("cache/ab/entry.json", False),
    ],
)
def test_what_matters(path: str, matters: bool, tmp_path: Path) -> None:
    """The tree lies below a folder that would be skipped inside of one."""
    root = tmp_path / "node_modules" / "shop"
    file = root / path
    file.parent.mkdir(parents=True)
    file.touch()
    relevant = Relevant(root, [root / "report.json", root / "cache"])
    assert [relevant(change, str(file)) for change in (Change.added, Change.modified)] == [matters, matters]


def test_folders_matter_as_a_whole(tmp_path: Path) -> None:
    relevant = Relevant(tmp_path, [tmp_path / "cache"])
    (tmp_path / "moved").mkdir()
    (tmp_path / "cache").mkdir()
    assert relevant(Change.added, str(tmp_path / "moved"))
    assert relevant(Change.deleted, str(tmp_path / "gone"))
    assert not relevant(Change.added, str(tmp_path / "cache"))


def test_what_can_not_be_watched(tmp_path: Path) -> None:
    with pytest.raises(WatchError, match="can't be watched"):
        next(changes_in(tmp_path / "gone", [], threading.Event()))


# --- the command ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_watching_goes_to_a_terminal(form: str, tmp_path: Path) -> None:
    ended = run_assay("scan", "--watch", "--format", form, cwd=backend(tmp_path))
    assert (ended.code, ended.out) == (2, "")
    assert f"take --report {form}=FILE" in ended.err


def test_what_is_wrong_from_the_start_ends_it(tmp_path: Path) -> None:
    ended = run_assay("scan", "--watch", tmp_path / "nowhere", cwd=tmp_path)
    assert (ended.code, ended.out, ended.err) == (2, "", f"assay: there is no {tmp_path / 'nowhere'}\n")


@contextmanager
def watching(root: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """The process, which doesn't outlive the test, nor a message that never comes."""
    process = start("scan", "--watch", "--jobs", "1", *arguments, cwd=root)
    limit = threading.Timer(TIMEOUT, process.kill)
    limit.start()
    with process:
        try:
            yield process
        finally:
            limit.cancel()
            process.kill()


def until(end: str, process: subprocess.Popen[bytes], *, told: bool = False) -> list[str]:
    """The lines up to one that has the text in it."""
    stream = process.stderr if told else process.stdout
    assert stream is not None
    lines: list[str] = []
    while not lines or end not in lines[-1]:
        line = stream.readline()
        assert line, f"it ended without {end!r}: {lines}"
        lines.append(line.decode().rstrip("\n"))
    return lines


def count(lines: list[str], beginning: str) -> int:
    return sum(line.startswith(beginning) for line in lines)


def test_from_the_first_summary_to_ctrl_c(tmp_path: Path) -> None:
    root = backend(tmp_path / "shop")
    with watching(root, "-o", "json=report.json") as process:
        summary = until("Watching for changes", process)
        assert any(line.startswith("Total ") for line in summary)

        (root / "weak.py").write_text(WEAK, encoding="utf-8")
        lines = until("1 new, 0 gone", process)
        assert count(lines, "+ new  weak.py:5  SEC304  ") == 1
        report = json.loads((root / "report.json").read_text(encoding="utf-8"))
        assert "SEC304" in {v["rule"] for v in report["verdicts"]}

        (root / "weak.py").write_text(WEAK + "def (:\n", encoding="utf-8")
        lines = until("not compared", process)
        assert count(lines, "weak.py:6  syntax error: ") == 1

        (root / "assay.toml").write_text("[rulez]\n", encoding="utf-8")
        assert "rulez" in until("assay: ", process, told=True)[-1]

        (root / "assay.toml").write_text('[rules]\ndisable = ["B324", "SEC304"]\n', encoding="utf-8")
        (root / "weak.py").write_text(WEAK + "# mended\n", encoding="utf-8")
        lines = until("0 new, 1 gone", process)
        assert count(lines, "- gone weak.py:5  SEC304  ") == 1

        (root / "app.py").write_text((root / "app.py").read_text(encoding="utf-8") + "\n", encoding="utf-8")
        until("no change in findings", process)

        interrupt(process)
        assert process.wait(TIMEOUT) == 0
        assert process.stderr is not None
        assert process.stderr.read() == b""
