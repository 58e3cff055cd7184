"""Formats and colours as a user of the command line meets them."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import struct
import subprocess
import termios
from pathlib import Path

import pytest

from assay.reports.formats import FORMATS
from tests.running import ASSAY, TIMEOUT, backend, run_assay

ESCAPE = "\x1b"
WEAK = "import hashlib\n\n\ndef digest(data):\n    return hashlib.md5(data).hexdigest()\n"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return backend(tmp_path_factory.mktemp("formats") / "shop", weak=WEAK)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


# --- any number of formats --------------------------------------------------------------------------------------------


def test_one_scan_writes_every_format_and_the_next_scan_sees_none_of_them(tree: Path, cache: Path) -> None:
    cached = ("--cache-dir", cache)
    before = run_assay("scan", "shop", "--format", "json", *cached, cwd=tree.parent)
    files = {
        name: tree / f"report-{name}.{form.suffixes[0] if form.suffixes else 'txt'}" for name, form in FORMATS.items()
    }
    targets = [part for name, file in files.items() for part in ("--report", f"{name}={file}")]
    written = run_assay("scan", "shop", "--format", "json", *cached, *targets, cwd=tree.parent)
    assert (written.code, written.err) == (0, "")
    assert {file for file in files.values() if not file.exists()} == set()
    after = run_assay("scan", "shop", "--format", "json", "--no-cache", cwd=tree.parent)
    assert before.out == written.out == after.out == files["json"].read_text(encoding="utf-8")
    for file in files.values():
        file.unlink()


@pytest.mark.parametrize("name", ["csv", "github", "html", "markdown"])
def test_standard_output_gets_what_the_file_gets(name: str, tree: Path, cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "report"
    ended = run_assay("scan", ".", "-f", name, "-o", f"{name}={file}", "--cache-dir", cache, cwd=tree)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == file.read_bytes().decode()


@pytest.mark.parametrize(
    ("targets", "message"),
    [
        (["jsno=out"], "there is no format 'jsno' ('jsno=out'); did you mean 'json'?"),
        (["pdf=out"], "there is no format 'pdf' ('pdf=out'); the formats are text, html, json,"),
        (["json="], "'json=' names no file; write json=FILE"),
        (["out"], "'out' doesn't tell a format; write FORMAT=FILE with one of text, html, json,"),
        (["json=out", "sarif=out"], "out is named twice, for json and for sarif"),
    ],
)
def test_a_wrong_report_is_told_before_anything_is_scanned(targets: list[str], message: str, tmp_path: Path) -> None:
    ended = run_assay("scan", *(part for target in targets for part in ("-o", target)), cwd=tmp_path)
    assert ended.code == 2
    assert message in ended.err
    assert not list(tmp_path.iterdir())


def test_a_report_may_go_to_a_pipe(tree: Path, cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "findings.jsonl"
    script = f"{ASSAY[0]} -m assay.scanner scan --cache-dir {cache} -f badge -o jsonl=>(cat > {file}); wait $!"
    done = subprocess.run(["bash", "-c", script], cwd=tree, capture_output=True, check=True, timeout=TIMEOUT)
    assert done.stdout.startswith(b"<svg ")
    assert {json.loads(line)["type"] for line in file.read_text(encoding="utf-8").splitlines()} == {"finding"}
    twice = run_assay("scan", "--cache-dir", cache, "-f", "badge", "-o", "jsonl=/dev/stdout", cwd=tree)
    assert twice.out == file.read_text(encoding="utf-8") + done.stdout.decode()


def test_a_json_report_of_a_rule_that_it_does_not_describe_is_told(tree: Path, cache: Path, tmp_path: Path) -> None:
    report = json.loads(run_assay("scan", "--cache-dir", cache, "-f", "json", cwd=tree).out)
    report["verdicts"][1]["rule"] = "NOPE101"
    (tmp_path / "results.json").write_text(json.dumps(report), encoding="utf-8")
    ended = run_assay("convert", "results.json", "-f", "concise", cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "assay: results.json: verdicts[1].rule: the report describes no rule 'NOPE101'\n"


def test_a_link_is_replaced_and_not_followed(tree: Path, cache: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine", encoding="utf-8")
    (tmp_path / "out.csv").symlink_to(precious)
    assert run_assay("scan", "--cache-dir", cache, "-o", tmp_path / "out.csv", cwd=tree).code == 0
    assert precious.read_text(encoding="utf-8") == "mine"
    assert not (tmp_path / "out.csv").is_symlink()


def test_help_loads_no_report() -> None:
    loads = (
        "import sys, assay.scanner.cli.wiring as w; print([m for m in sys.modules if m.startswith('assay.reports')])"
    )
    done = subprocess.run([ASSAY[0], "-c", loads], capture_output=True, check=True, timeout=TIMEOUT)
    assert done.stdout.decode().strip() == "['assay.reports', 'assay.reports.formats']"


# --- colours ----------------------------------------------------------------------------------------------------------

GITHUB = {"CI": "true", "GITHUB_ACTIONS": "true"}


@pytest.mark.parametrize(
    ("options", "environment", "has_colours"),
    [
        ([], {}, False),
        (["--color", "auto"], {}, False),
        (["--color", "always"], {"NO_COLOR": "1", "TERM": "dumb"}, True),
        (["--color", "never"], {"FORCE_COLOR": "1", **GITHUB}, False),
        ([], {"NO_COLOR": "1", "FORCE_COLOR": "1", **GITHUB}, False),
        ([], {"NO_COLOR": "", "FORCE_COLOR": "1"}, True),
        ([], {"FORCE_COLOR": "1", "TERM": "dumb"}, True),
        ([], {"CLICOLOR_FORCE": "1"}, True),
        ([], {"FORCE_COLOR": "0", "CLICOLOR_FORCE": "0"}, False),
        ([], {"FORCE_COLOR": "", "CLICOLOR_FORCE": ""}, False),
        ([], {"TERM": "dumb", **GITHUB}, False),
        ([], GITHUB, True),
        ([], {"CI": "true", "GITLAB_CI": "true"}, True),
        ([], {"CI": "true", "BUILDKITE": "true"}, True),
        ([], {"CI": "true"}, False),
        ([], {"CI": "", "GITHUB_ACTIONS": "true"}, False),
    ],
)
def test_colours_in_a_pipe_in_the_order_of_who_decides(
    options: list[str], environment: dict[str, str], has_colours: bool, tmp_path: Path
) -> None:
    unset = dict.fromkeys(("TERM", "CLICOLOR_FORCE", "GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE"), "")
    ended = run_assay(*options, "explain", "API401", cwd=tmp_path, environment=unset | environment)
    assert ended.code == 0
    assert (ESCAPE in ended.out) == has_colours


@pytest.mark.parametrize(
    ("options", "environment", "has_colours"),
    [
        ([], {}, True),
        ([], {"CI": "true"}, True),
        (["--color", "never"], {}, False),
        ([], {"NO_COLOR": "1"}, False),
        ([], {"NO_COLOR": ""}, True),
        ([], {"TERM": "dumb"}, False),
        ([], {"TERM": "dumb", "FORCE_COLOR": "1"}, True),
    ],
)
def test_colours_on_a_terminal(
    options: list[str], environment: dict[str, str], has_colours: bool, tmp_path: Path
) -> None:
    shown = on_terminal(*options, "explain", "API401", cwd=tmp_path, environment=environment)
    assert (ESCAPE in shown) == has_colours


def test_a_terminal_tells_the_width_and_a_pipe_gets_100(tmp_path: Path) -> None:
    narrow, middle, wide = (
        on_terminal("explain", "API4", cwd=tmp_path, environment={"NO_COLOR": "1"}, columns=columns)
        for columns in (60, 100, 140)
    )
    assert max(map(len, narrow.splitlines())) <= 60
    assert len(narrow.splitlines()) > len(middle.splitlines()) > len(wide.splitlines())
    assert run_assay("explain", "API4", cwd=tmp_path, environment={"COLUMNS": "50"}).out == middle


def test_no_color_and_a_pipe_have_no_escape_bytes(tree: Path) -> None:
    command = f"NO_COLOR=1 FORCE_COLOR=1 {ASSAY[0]} -m assay.scanner scan --no-cache --profile . 2>&1 | cat"
    done = subprocess.run(command, shell=True, cwd=tree, capture_output=True, timeout=TIMEOUT, check=True)
    assert b"Total" in done.stdout
    assert b"\x1b" not in done.stdout


def test_each_stream_is_asked_for_itself(tree: Path, cache: Path) -> None:
    shown = on_terminal("scan", "--profile", "--cache-dir", str(cache), ".", cwd=tree, error=subprocess.PIPE)
    out, err = shown.split("\0")
    assert ESCAPE in out
    assert ESCAPE not in err
    assert "seconds" in err or "s " in err


def test_a_report_file_has_no_colours_even_where_they_are_forced(tree: Path, cache: Path, tmp_path: Path) -> None:
    file = tmp_path / "out.txt"
    ended = run_assay("--color", "always", "scan", "-o", str(file), "--cache-dir", cache, ".", cwd=tree)
    assert ESCAPE in ended.out
    assert ESCAPE not in file.read_text(encoding="utf-8")


def test_the_option_may_stand_behind_the_command_too(tmp_path: Path) -> None:
    assert ESCAPE in run_assay("explain", "API401", "--color", "always", cwd=tmp_path).out
    both = run_assay("--color", "always", "explain", "API401", "--color", "never", cwd=tmp_path)
    assert ESCAPE not in both.out


def test_a_color_that_is_none_is_told(tmp_path: Path) -> None:
    ended = run_assay("--color", "blue", "rules", cwd=tmp_path)
    assert ended.code == 2
    assert "'blue' is not one of 'auto', 'always', 'never'" in ended.err


# --- a runner that reads along ----------------------------------------------------------------------------------------


def test_in_a_workflow_text_is_printed_while_commands_are_paused(tree: Path, cache: Path) -> None:
    environment = {**GITHUB, "NO_COLOR": "1"}
    arguments = ("scan", "--cache-dir", cache, ".")
    lines = run_assay(*arguments, cwd=tree, environment=environment).out.splitlines()
    mark = lines[0].removeprefix("::stop-commands::")
    assert lines[-1] == f"::{mark}::"
    assert len(mark) == 64
    assert not any(mark in line for line in lines[1:-1])
    commands = run_assay(*arguments, "-f", "github", cwd=tree, environment=environment).out
    assert commands.startswith(("::error file=", "::warning file=", "::notice file="))
    json.loads(run_assay(*arguments, "-f", "json", cwd=tree, environment=environment).out)


def on_terminal(
    *arguments: str,
    cwd: Path,
    environment: dict[str, str] | None = None,
    columns: int = 90,
    error: int | None = None,
) -> str:
    """What a terminal of so many columns is sent; with `error`, NUL and what another stream got after it."""
    mine, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    kept = {n: v for n, v in os.environ.items() if n not in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CI")}
    variables = kept | {"PYTHONUTF8": "1", "TERM": "xterm"} | (environment or {})
    process = subprocess.Popen(
        [*ASSAY, *arguments], cwd=cwd, env=variables, stdin=theirs, stdout=theirs, stderr=error or theirs
    )
    os.close(theirs)
    sent = b""
    while True:
        try:
            part = os.read(mine, 65536)
        except OSError:  # Linux: EIO, once nobody else has the terminal open
            break
        if not part:
            break
        sent += part
    _, written = process.communicate(timeout=TIMEOUT)
    os.close(mine)
    assert process.returncode == 0, sent.decode()
    return sent.decode().replace("\r\n", "\n") + (f"\0{written.decode()}" if error else "")
