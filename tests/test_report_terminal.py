"""The terminal summary, as a person and as a pipe gets it."""

from __future__ import annotations

import io
import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from assay.reports.terminal import render
from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.results import ScanResult
from assay.scanner.verdicts import Kind
from tests.samples import NASTY, sample_result

SGR = re.compile(r"\x1b\[[0-9;]*m")


def _rendered(result: ScanResult, width: int = 100, *, terminal: bool = False) -> str:
    out = io.StringIO()
    render(
        result, Console(file=out, width=width, force_terminal=terminal, color_system="standard" if terminal else None)
    )
    return out.getvalue()


def test_the_summary_looks_as_agreed(check_golden: Callable[[str, str], None]) -> None:
    check_golden("terminal.txt", _rendered(sample_result()))


@pytest.mark.parametrize("width", [60, 80, 100, 140])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = _rendered(sample_result(), width)
    assert [line for line in text.splitlines() if cell_len(line) > width] == []


def test_a_pipe_gets_no_escape_bytes() -> None:
    assert "\x1b" not in _rendered(sample_result())


def test_no_color_gives_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    out = io.StringIO()
    render(sample_result(), Console(file=out, width=100, force_terminal=True))
    assert re.findall(r"\x1b\[[0-9;]*3[0-9][0-9;]*m", out.getvalue()) == []


def test_colour_adds_nothing_to_the_text() -> None:
    coloured = _rendered(sample_result(), terminal=True)
    assert "\x1b[" in coloured
    assert SGR.sub("", coloured) == _rendered(sample_result())


def test_nothing_from_the_tree_drives_the_terminal() -> None:
    text = SGR.sub("", _rendered(sample_result(), terminal=True))
    assert {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs")} == {"\n"}
    assert "␛[31mred␛[0m␇" in text


def test_markup_of_the_console_is_text() -> None:
    result = sample_result()
    hostile = "[bold]x[/bold] [link=http://evil]y[/link] [/] :boom:"
    verdicts = tuple(replace(v, message=hostile) for v in result.verdicts)
    assert hostile in _rendered(replace(result, verdicts=verdicts))


def test_an_encoding_without_our_signs_is_served() -> None:
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding="ascii", errors="strict")
    render(sample_result(), Console(file=out, width=80))
    out.flush()
    assert b"x fail" in raw.getvalue()


def test_the_worst_fails_come_first_and_the_rest_is_counted() -> None:
    text = _rendered(sample_result())
    codes = re.findall(r"(\S+)  ✗ fail", text)
    assert codes == ["SEC101", "API401", "OBS102", "OBS101"]
    assert "… 2 to review; 1 waived; 1 advisory" in text
    out = io.StringIO()
    render(sample_result(), Console(file=out, width=100), worst=1)
    assert "… 1 more high, 1 more medium, 1 more low; 2 to review; 1 waived; 1 advisory" in out.getvalue()


def test_the_first_flow_of_a_fail_is_told_step_by_step_and_the_others_are_counted() -> None:
    text = _rendered(sample_result())
    assert "\n    1. orders/api.py:13  a client sends `name`\n    2. orders/naïve dir/<b>50%#1?.py:2  put tog" in text
    assert "\n    4. orders/api.py:15  run as SQL\n    … 1 more flow in the report\n" in text
    assert "a client sends `q`" not in text


def test_evidence_that_is_a_step_is_not_told_twice() -> None:
    (finding,) = (v for v in sample_result().verdicts if v.flows)
    verdict = replace(finding, evidence=finding.flows[0])
    text = _rendered(replace(sample_result(), verdicts=(verdict,)))
    assert text.count("orders/gone.py:8") == 1


def test_what_could_not_be_read_is_named_at_the_end_with_what_to_do() -> None:
    end = _rendered(sample_result()).partition("Not complete: 2 files could not be read and 1 step crashed")[2]
    assert "orders/broken.py:7  syntax error: unexpected indent\n        mend the file" in end
    assert "orders/data.bin.py  undecodable" in end
    assert "please report it" in end
    assert end.rstrip().endswith("A rule: assay explain SEC101")


def test_lesser_diagnostics_are_counted() -> None:
    template = Diagnostic("chart.yaml", None, Reason.TEMPLATE, NASTY)
    text = _rendered(replace(sample_result(), diagnostics=(template, replace(template, path="b.yaml"))))
    assert "Also noted, and in the report: 2 template" in text
    assert "Not complete" not in text


def test_a_clean_scan_says_so() -> None:
    result = sample_result()
    passes = tuple(v for v in result.verdicts if v.kind is Kind.PASS)
    text = _rendered(replace(result, verdicts=passes, diagnostics=()))
    assert "✓ No findings." in text
    assert text.rstrip().endswith("A rule: assay explain CODE")


def test_an_empty_scan_is_shown() -> None:
    text = _rendered(replace(sample_result(), services=(), verdicts=(), diagnostics=()))
    assert "No findings." in text
