"""What goes wrong around a scan: each ends in one clear message and the right exit code, with nothing half-written."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from assay.scanner.diagnostics import Reason
from tests.running import ASSAY, TIMEOUT, Ended, backend, interrupt, listing, run_assay, start

FINE, USAGE, INTERRUPTED, CLOSED_PIPE = 0, 2, 130, 141


def one_message(ended: Ended) -> str:
    """What it said instead of a result: one line on standard error, and nothing on standard output."""
    assert ended.out == ""
    assert ended.err.count("\n") == 1, ended.err
    return ended.err.strip()


def report(root: Path, *more: str, without_powers: bool = False) -> tuple[dict[str, Any], Ended]:
    """The JSON report of a scan that was done, and the summary beside it."""
    file = root.parent / "report.json"
    ended = run_assay("scan", root, "--report", f"json={file}", *more, cwd=root.parent, without_powers=without_powers)
    assert (ended.code, ended.err) == (FINE, "")
    return json.loads(file.read_text(encoding="utf-8")), ended


def diagnostics(loaded: dict[str, Any]) -> dict[str, tuple[str, int | None]]:
    """Reason and line by path."""
    return {row["path"]: (row["reason"], row["line"]) for row in loaded["diagnostics"]}


def coverage_shown(summary: str) -> str:
    (line,) = [line for line in summary.splitlines() if "coverage" in line and "Total" in line]
    return line.split("coverage")[1].split()[0]


# --- nothing to scan --------------------------------------------------------------------------------------------------


def test_no_such_path(tmp_path: Path) -> None:
    ended = run_assay("scan", "nowhere", cwd=tmp_path)
    assert (ended.code, one_message(ended)) == (USAGE, "assay: there is no nowhere")


def test_an_empty_folder(tmp_path: Path) -> None:
    ended = run_assay("scan", cwd=tmp_path)
    assert ended.code == USAGE
    assert one_message(ended).startswith("assay: .: there is no Python in it")


def test_a_file_for_a_folder(tmp_path: Path) -> None:
    backend(tmp_path)
    ended = run_assay("scan", "app.py", cwd=tmp_path)
    assert (ended.code, one_message(ended)) == (USAGE, "assay: app.py is no folder; name the folder that holds it")


def test_a_folder_without_any_backend(tmp_path: Path) -> None:
    (tmp_path / "sums.py").write_text("def add(a, b):\n    return a + b\n", encoding="utf-8")
    ended = run_assay("scan", cwd=tmp_path)
    assert ended.code == USAGE
    assert "no backend found in 1 file" in one_message(ended)
    assert "assay.toml" in ended.err


def test_a_folder_without_python(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# Nothing\n", encoding="utf-8")
    (tmp_path / "main.go").write_text("package main\n", encoding="utf-8")
    ended = run_assay("inventory", cwd=tmp_path)
    assert ended.code == USAGE
    assert "there is no Python in it" in one_message(ended)


# --- files that can't be read -----------------------------------------------------------------------------------------


UNREADABLE = {
    "a syntax error": (b"def broken(:\n    pass\n", Reason.SYNTAX_ERROR),
    "bytes that are no text": (b"name = '\xff\xfe\xfa'\n", Reason.UNDECODABLE),
    "an unknown encoding": (b"# -*- coding: klingon -*-\nx = 1\n", Reason.UNDECODABLE),
    "fifty megabytes": (b"x = 1\n" * (50_000_000 // 6), Reason.TOO_LARGE),
    "brackets that kill the parser": (b"x = " + b"(" * 5_000 + b")" * 5_000 + b"\n", Reason.READER_CRASHED),
}


@pytest.mark.parametrize("what", UNREADABLE)
def test_a_file_that_cant_be_read_costs_itself_alone(what: str, tmp_path: Path) -> None:
    content, reason = UNREADABLE[what]
    root = backend(tmp_path / "tree", odd=content)
    loaded, ended = report(root)

    assert diagnostics(loaded)["odd.py"][0] == reason
    assert "Not complete: 1 file could not be read" in ended.out
    assert "odd.py" in ended.out
    assert coverage_shown(ended.out) != "100.0"
    assert "OBS301" in {row["rule"] for row in loaded["verdicts"]}, "the rest is judged"


def test_nul_bytes(tmp_path: Path) -> None:
    """Python refuses them, so no service runs such a file."""
    loaded, ended = report(backend(tmp_path / "tree", odd=b"x = 1\n\0\0\0\ny = 2\n"))
    reason, _ = diagnostics(loaded)["odd.py"]
    assert reason in (Reason.SYNTAX_ERROR, Reason.UNDECODABLE)
    assert "odd.py" in ended.out


def test_a_syntax_error_is_named_with_its_line(tmp_path: Path) -> None:
    loaded, ended = report(backend(tmp_path / "tree", odd="x = 1\n\nclass :\n    pass\n"))
    assert diagnostics(loaded)["odd.py"] == (Reason.SYNTAX_ERROR, 3)
    assert "odd.py:3" in ended.out


def test_a_service_whose_every_file_is_unreadable_is_no_backend(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_bytes(b"from fastapi import FastAPI\napp = FastAPI(\n")
    ended = run_assay("scan", cwd=tmp_path)
    assert ended.code == USAGE
    assert "no backend found" in one_message(ended)
    assert "app.py" in ended.err, "what could not be read is the likely reason"


def test_symlink_loops(tmp_path: Path) -> None:
    root = backend(tmp_path / "tree")
    (root / "package").mkdir()
    (root / "package" / "up").symlink_to("..", target_is_directory=True)
    (root / "self.py").symlink_to("self.py")
    loaded, ended = report(root)
    found = diagnostics(loaded)
    assert found["package/up"][0] == found["self.py"][0] == Reason.SYMLINK_LOOP
    assert "symlink loop" in ended.out


@pytest.fixture
def restored(tmp_path: Path) -> Iterator[None]:
    """Gives back the rights that a test takes, so that pytest can clean up."""
    yield
    for folder, folders, _ in os.walk(tmp_path):
        for name in folders:
            Path(folder, name).chmod(0o755)


@pytest.mark.usefixtures("restored")
def test_unreadable_files_and_folders(tmp_path: Path) -> None:
    root = backend(tmp_path / "tree", secret="x = 1\n")
    (root / "secret.py").chmod(0)
    (root / "pyproject.toml").touch(mode=0)
    (root / "locked").mkdir(mode=0)
    loaded, ended = report(root, without_powers=True)
    found = diagnostics(loaded)
    assert found["locked"][0] == found["secret.py"][0] == Reason.UNREADABLE
    assert "3 files could not be read" in ended.out
    assert coverage_shown(ended.out) != "100.0"


@pytest.mark.usefixtures("restored")
def test_an_unreadable_root(tmp_path: Path) -> None:
    backend(tmp_path / "tree").chmod(0)
    ended = run_assay("scan", "tree", cwd=tmp_path, without_powers=True)
    assert (ended.code, one_message(ended)) == (USAGE, "assay: tree can't be read: Permission denied")


@pytest.mark.usefixtures("restored")
def test_a_read_only_tree_is_scanned_and_left_as_it_was(tmp_path: Path) -> None:
    root = backend(tmp_path / "tree")
    before = listing(root)
    root.chmod(0o555)
    _, ended = report(root, without_powers=True)
    assert coverage_shown(ended.out) == "100.0"
    assert listing(root) == before


# --- reports ----------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("restored")
def test_a_report_into_a_read_only_folder(tmp_path: Path) -> None:
    root = backend(tmp_path / "tree")
    root.chmod(0o555)
    ended = run_assay("scan", "tree", "--report", "json=tree/report.json", cwd=tmp_path, without_powers=True)
    assert ended.code == USAGE
    assert one_message(ended) == "assay: tree/report.json: the folder tree can't be written to"
    assert listing(root) == {"app.py"}


def test_an_unknown_report_format(tmp_path: Path) -> None:
    backend(tmp_path)
    ended = run_assay("scan", "--report", "pdf=report.pdf", cwd=tmp_path)
    assert (ended.code, ended.out) == (USAGE, "")
    assert "there is no format 'pdf' ('pdf=report.pdf')" in ended.err
    assert "text, html, json, jsonl, sarif" in ended.err
    assert listing(tmp_path) == {"app.py"}


def test_a_report_folder_that_is_missing(tmp_path: Path) -> None:
    backend(tmp_path)
    ended = run_assay("scan", "--report", "html=reports/today.html", cwd=tmp_path)
    assert ended.code == USAGE
    assert one_message(ended) == "assay: reports/today.html: there is no folder reports; make it first"
    assert listing(tmp_path) == {"app.py"}


def test_a_folder_for_a_report(tmp_path: Path) -> None:
    backend(tmp_path)
    (tmp_path / "reports").mkdir()
    ended = run_assay("scan", "--report", "html=reports", cwd=tmp_path)
    assert (ended.code, one_message(ended)) == (USAGE, "assay: reports is a folder; name a file in it")


def test_an_existing_report_is_kept_when_the_scan_fails(tmp_path: Path) -> None:
    (tmp_path / "tree").mkdir()
    kept = tmp_path / "report.html"
    kept.write_text("yesterday's", encoding="utf-8")
    ended = run_assay("scan", "tree", "--report", "html=report.html", cwd=tmp_path)
    assert ended.code == USAGE
    assert kept.read_text(encoding="utf-8") == "yesterday's"
    assert listing(tmp_path) == {"tree", "report.html"}


def test_a_full_disk_leaves_the_old_report(tmp_path: Path) -> None:
    """A limit on the size of files stands in for a full disk."""
    backend(tmp_path)
    kept = tmp_path / "report.html"
    kept.write_text("yesterday's", encoding="utf-8")
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096));"
        "sys.argv = ['assay', 'scan', '--report', 'html=report.html'];"
        "from assay.scanner.cli import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-B", "-c", script], cwd=tmp_path, capture_output=True, timeout=TIMEOUT, check=False
    )
    assert done.returncode == USAGE
    assert done.stderr.decode().splitlines() == ["assay: report.html: File too large"]
    assert kept.read_text(encoding="utf-8") == "yesterday's"
    assert listing(tmp_path) == {"app.py", "report.html"}


# --- configuration ----------------------------------------------------------------------------------------------------


BAD_CONFIGURATION = {
    "no TOML": ("[rules\n", "assay.toml:1: it is not valid TOML"),
    "an unknown table": ("[rule]\n", "did you mean 'rules'?"),
    "an unknown rule": ('[rules]\ndisable = ["API999"]\n', "assay.toml:2: rules.disable: there is no rule API999"),
    "a folder that is missing": ('[services.web]\nroot = "web"\n', "there is no folder 'web'"),
    "another edition": ('edition = "1999"\n', "assay.toml:1: edition:"),
}


@pytest.mark.parametrize("what", BAD_CONFIGURATION)
def test_a_mistake_in_the_configuration(what: str, tmp_path: Path) -> None:
    text, message = BAD_CONFIGURATION[what]
    backend(tmp_path)
    (tmp_path / "assay.toml").write_text(text, encoding="utf-8")
    ended = run_assay("scan", "--report", "json=report.json", cwd=tmp_path)
    assert ended.code == USAGE
    assert message in one_message(ended)
    assert listing(tmp_path) == {"app.py", "assay.toml"}


# --- the process is ended, or ends itself -----------------------------------------------------------------------------


def test_a_reader_that_closes_the_pipe(tmp_path: Path) -> None:
    backend(tmp_path)
    process = start("scan", "--format", "json", cwd=tmp_path)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(TIMEOUT) == CLOSED_PIPE
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize("command", ["scan", "rules", "inventory"])
def test_piped_into_head(command: str, tmp_path: Path) -> None:
    backend(tmp_path)
    line = f"{' '.join(ASSAY)} {command} | head -1"
    done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, timeout=TIMEOUT, check=False)
    assert done.stderr == b""
    assert done.stdout.count(b"\n") == 1


def group_is_gone(group: int) -> bool:
    """Whether no process of the group is left."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def children_of(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="finds the worker processes through Linux's /proc")
def test_ctrl_c_in_the_middle_of_a_scan(tmp_path: Path) -> None:
    root = backend(tmp_path / "tree")
    slow = "x = [" + "f(1, 2, a=[3]), " * 50_000 + "]\n"
    for number in range(12):
        (root / f"slow{number}.py").write_text(slow, encoding="utf-8")
    kept = tmp_path / "report.json"
    kept.write_text("yesterday's", encoding="utf-8")
    before = listing(tmp_path)

    process = start("scan", "tree", "--jobs", "2", "--report", "json=report.json", cwd=tmp_path)
    deadline = time.monotonic() + TIMEOUT
    while len(children_of(process.pid)) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.5)
    interrupted = time.monotonic()
    interrupt(process)
    try:
        out, err = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        raise

    assert process.returncode == INTERRUPTED
    assert time.monotonic() - interrupted < 10, "it doesn't wait for the files that are being read"
    assert (out, err.decode().strip()) == (b"", "assay: interrupted; nothing was written")
    assert group_is_gone(process.pid), "the workers went away with it"
    assert kept.read_text(encoding="utf-8") == "yesterday's"
    assert listing(tmp_path) == before


CRASHING = """
import dataclasses, sys
from assay.scanner.cli import main, wiring
load = wiring.rulebook

def judge(*_):
    raise ZeroDivisionError("no subjects")

def crashing(rule):
    return dataclasses.replace(rule, load=lambda: dataclasses.replace(rule.load(), judge=judge))

def with_a_rule_that_crashes(*own, **options):
    rulebook = load(*own, **options)
    rules = [crashing(rule) if rule.code == "OBS301" else rule for rule in rulebook.rules]
    return dataclasses.replace(rulebook, rules=tuple(rules))

wiring.rulebook = with_a_rule_that_crashes
sys.argv[0] = "assay"
main()
"""


def test_a_rule_that_crashes(tmp_path: Path) -> None:
    """The scan goes on, but nobody may take its result for the whole truth."""
    backend(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", CRASHING, "scan", "--report", "json=report.json"],
        cwd=tmp_path,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    out = done.stdout.decode()
    said = " ".join(out.split())
    assert (done.returncode, done.stderr) == (USAGE, b"")
    assert "Not complete: 1 step crashed" in said
    assert "OBS301 crashed on service" in said
    assert "ZeroDivisionError: no subjects" in said
    assert coverage_shown(out) != "100.0"
    loaded = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [d["reason"] for d in loaded["diagnostics"]] == [Reason.RULE_CRASHED]
    assert loaded["verdicts"], "the other rules went on"


HALF_A_MODEL = """
import sys
from assay.scanner import link
from assay.scanner.cli import main
from assay.scanner.framework import Framework, frameworks

def routes(_):
    raise KeyError("no such router")

link.frameworks = lambda: (*frameworks(), Framework("Broken", ("fastapi",), routes=routes))
sys.argv[0] = "assay"
main()
"""


def test_a_framework_module_that_crashes(tmp_path: Path) -> None:
    """What the other modules found is shown and judged; that something is missing is told, and is no success."""
    backend(tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", HALF_A_MODEL, "scan", "--report", "json=report.json"],
        cwd=tmp_path,
        capture_output=True,
        timeout=TIMEOUT,
        check=False,
    )
    said = " ".join(done.stdout.decode().split())
    assert (done.returncode, done.stderr) == (USAGE, b"")
    assert "routes of Broken could not be worked out: KeyError: 'no such router'" in said
    assert coverage_shown(done.stdout.decode()) != "100.0"
    loaded = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    assert [d["reason"] for d in loaded["diagnostics"]] == [Reason.MODEL_INCOMPLETE]
    assert loaded["verdicts"], "what the others found was judged"
