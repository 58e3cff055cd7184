"""The formats of a line or a page: annotations, comments, tables, and what hostile text may do in them."""

from __future__ import annotations

import csv
import html
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from xml.etree import ElementTree as ET
from zlib import crc32

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from assay.reports import (
    azure,
    badge,
    blocks,
    concise,
    csv_report,
    github,
    jsonl,
    markdown_report,
    selection,
    summary,
    text,
)
from assay.reports.formats import FORMATS, by_file_name
from assay.reports.markdown import code, quiet
from assay.reports.plain import plain
from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.model.place import Location
from assay.scanner.results import (
    Condition,
    GateResult,
    GateStatus,
    JudgedVerdict,
    Outcome,
    Scanned,
    ScanResult,
    State,
)
from assay.scanner.verdicts import Kind, Severity
from tests.samples import NASTY, NASTY_PATH, UNICODE, gated_result, sample_result

NOTHING = ScanResult("2026.1", Scanned("/tmp/empty", None, None, 0.0, 0, 0), (), (), (), ())

HOSTILE = (
    "::error::forged",
    "a\n::set-env name=PATH::evil",
    "\r##[add-mask]secret",
    "##vso[task.setvariable variable=x]y",
    "100%25,title=x:y::z",
    "]; type=error;",
    "=cmd|' /C calc'!A0",
    "<!-- --> --> <img src=x onerror=alert(1)>",
    "@octocat fixes #1",
    "`` ` ``` code",
    "\x1b]8;;http://evil\x07click",
    "",
    NASTY,
    UNICODE,
)
texts = st.text(max_size=60) | st.sampled_from(HOSTILE) | st.text(alphabet="%:,;]=\r\n#[`|<>@&\\ a", max_size=30)


def fail_at(path: str, line: int, severity: Severity = Severity.HIGH, state: State | None = None) -> JudgedVerdict:
    """An open fail of API401."""
    model = next(v for v in sample_result().verdicts if v.kind is Kind.FAIL)
    return replace(
        model,
        rule="API401",
        severity=severity,
        location=Location(path, line, 1, line, 9),
        fingerprint=f"{line:08x}{crc32(path.encode()):08x}" + "0" * 16,
        state=state,
        acceptance=None,
        flows=(),
    )


def with_findings(*findings: JudgedVerdict) -> ScanResult:
    return replace(sample_result(), verdicts=findings, diagnostics=())


def hostile_result(path: str, message: str) -> ScanResult:
    """The sample with these in every place where text of the tree may stand."""
    sample = gated_result()
    assert sample.gate is not None
    assert sample.base is not None
    return replace(
        sample,
        scanned=replace(sample.scanned, root=f"/{message}/{path}", prefix=path),
        services=tuple(replace(s, name=message, frameworks=(message,)) for s in sample.services),
        verdicts=tuple(
            replace(
                v,
                service=message,
                message=message,
                subject=replace(v.subject, label=message),
                location=replace(v.location, path=path),
                acceptance=v.acceptance and replace(v.acceptance, reason=message, owner=message),
                lapsed=v.lapsed and replace(v.lapsed, reason=message, owner=message),
            )
            for v in sample.verdicts
        ),
        diagnostics=tuple(replace(d, path=path, message=message) for d in sample.diagnostics),
        notices=(message,),
        base=replace(sample.base, name=message),
        gate=replace(
            sample.gate,
            reason=message,
            conditions=tuple(replace(c, name=message, note=message) for c in sample.gate.conditions),
        ),
        sources={},
    )


# --- all formats ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("result", [sample_result(), gated_result(), NOTHING], ids=["sample", "gated", "nothing"])
def test_every_format_writes_every_result_the_same_twice(name: str, result: ScanResult) -> None:
    assert FORMATS[name].render(result) == FORMATS[name].render(result)


@pytest.mark.parametrize("name", sorted(FORMATS.keys() - {"html", "json", "sarif", "sarif-github", "gitlab", "junit"}))
def test_text_formats_hold_no_control_characters(name: str) -> None:
    for hostile in HOSTILE:
        written = FORMATS[name].render(hostile_result(hostile, hostile))
        assert {c for c in written if c < " " or "\x7f" <= c <= "\x9f"} <= {"\n"}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("report.html", "html"),
        ("out/results.json", "json"),
        ("gl-code-quality-report.json", "gitlab"),
        ("assay.sarif", "sarif"),
        ("assay.sarif.json", "sarif"),
        ("junit.xml", "junit"),
        ("findings.jsonl", "jsonl"),
        ("comment.md", "markdown"),
        ("badge.svg", "badge"),
        ("findings.csv", "csv"),
        ("assay.txt", "text"),
        ("report.pdf", None),
        ("report", None),
    ],
)
def test_the_file_name_tells_the_format_where_it_can(file: str, name: str | None) -> None:
    assert by_file_name(file) == name


def test_each_format_is_documented_with_the_names_that_tell_it() -> None:
    document = (Path(__file__).parents[1] / "docs" / "formats.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| \[`([\w-]+)`\]\(#[\w-]+\) \| (.*) \|$", document, re.MULTILINE))
    assert list(rows) == list(FORMATS)
    for form in FORMATS.values():
        told = set(re.findall(r"`\*?([^`]+)`", rows[form.name].rpartition("|")[2]))
        assert told == set(form.suffixes)


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("github", "github.txt"),
        ("azure", "azure.txt"),
        ("summary", "summary.md"),
        ("markdown", "comment.md"),
        ("csv", "findings.csv"),
        ("jsonl", "findings.jsonl"),
        ("concise", "concise.txt"),
        ("badge", "badge.svg"),
    ],
)
def test_the_formats_look_as_agreed(name: str, file: str, check_golden: Callable[[str, str], None]) -> None:
    check_golden(file, FORMATS[name].render(gated_result()))


def test_a_text_report_tells_no_time_and_has_no_colours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "40")
    written = text.render(sample_result())
    assert "\x1b" not in written
    assert written == text.render(replace(sample_result(), scanned=replace(sample_result().scanned, seconds=9.0)))
    assert max(map(len, written.splitlines())) <= 100
    assert "Gate failed: 1 new critical finding" in text.render(gated_result())


# --- annotations of GitHub --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Command:
    """What the runner makes of a line."""

    name: str
    properties: dict[str, str]
    data: str


COMMANDS = {"error", "warning", "notice", "debug", "add-mask", "stop-commands", "group", "set-env", "set-output"}


def understood(line: str) -> Command | None:
    """`ActionCommand.TryParseV2`, then `TryParse` of actions/runner, as its source has them."""
    message = line.lstrip()
    if message.startswith("::"):
        end = message.find("::", 2)
        if end >= 0:
            name, _, written = message[2:end].partition(" ")
            if name in COMMANDS:
                pairs = (part.split("=", 1) for part in written.strip().split(",") if part)
                properties = {p[0]: unescaped(p[1], ":,") for p in pairs if len(p) == 2 and p[1]}
                return Command(name, properties, unescaped(message[end + 2 :], ""))
    start = line.find("##[")
    end = line.find("]", start)
    if start >= 0 and end >= 0:
        name = line[start + 3 : end].partition(" ")[0]
        if name in COMMANDS:
            return Command(name, {}, line[end + 1 :])
    return None


def unescaped(value: str, more: str) -> str:
    for sign in ("\r", "\n", *more, "%"):
        value = value.replace(f"%{ord(sign):02X}", sign)
    return value


def lines_of(written: str) -> list[str]:
    """As .NET's StreamReader reads them."""
    assert written == "" or written.endswith("\n")
    return re.split("\r\n|\r|\n", written)[:-1]


@given(st.dictionaries(st.sampled_from(["file", "line", "title", "col"]), texts, min_size=1), texts)
@settings(deadline=None)
def test_github_takes_a_command_apart_into_what_it_was_made_of(properties: dict[str, str], data: str) -> None:
    """The runner drops empty values and trims the last one, so these are marked at both ends."""
    properties = {name: f"<{value}>" for name, value in properties.items()}
    (line,) = lines_of(github.command("error", properties, data))
    assert understood(line) == Command("error", properties, data)


@given(texts, texts)
@settings(max_examples=150, deadline=None)
def test_no_path_or_message_is_ever_a_command_of_its_own(path: str, message: str) -> None:
    result = hostile_result(f"x{path}", message)
    commands = [understood(line) for line in lines_of(github.render(result))]
    assert 0 < len(commands) <= 10
    for command in commands:
        assert command is not None
        assert command.name in {"error", "warning", "notice"}
        assert command.properties.get("file", plain(f"x{path}x{path}")) == plain(f"x{path}x{path}")
        assert command.properties.keys() <= {"file", "line", "endLine", "col", "endColumn", "title"}


def test_of_forty_errors_ten_are_shown_and_the_last_says_31_more() -> None:
    result = with_findings(*(fail_at(f"app/{number % 4}.py", number) for number in range(1, 41)))
    commands = [understood(line) for line in lines_of(github.render(result))]
    assert [command.name for command in commands if command] == ["error"] * 10
    assert commands[-1] is not None
    assert commands[-1].data.startswith("31 more: ")
    assert "file" not in commands[-1].properties


@pytest.mark.parametrize(("number", "shown"), [(0, 0), (1, 1), (9, 9), (10, 10), (11, 10)])
def test_ten_find_room_and_eleven_do_not(number: int, shown: int) -> None:
    lines = lines_of(github.render(with_findings(*(fail_at("a.py", line) for line in range(1, number + 1)))))
    assert len(lines) == shown
    assert ("2 more" in "".join(lines[-1:])) == (number == 11)


def test_annotations_are_spread_over_files_worst_and_newest_first() -> None:
    many = [fail_at("a.py", line) for line in range(1, 30)]
    result = with_findings(*many, fail_at("b.py", 1), fail_at("c.py", 5, Severity.CRITICAL), fail_at("d.py", 1))
    files = [
        command.properties.get("file") for line in lines_of(github.render(result)) if (command := understood(line))
    ]
    assert files == ["c.py", "a.py", "b.py", "d.py", "a.py", "a.py", "a.py", "a.py", "a.py", None]


def test_with_a_base_only_new_fails_and_what_the_gate_counts_are_annotated() -> None:
    marks = {finding.fingerprint[:2] for finding in selection.to_mend(gated_result())}
    assert marks == {"a1", "b1"}  # the expired waiver's and the new one; neither the preview nor the known ones


def test_files_that_were_not_read_are_annotated_and_leave_room() -> None:
    unread = tuple(Diagnostic(f"{number}.py", 3, Reason.SYNTAX_ERROR, "bad") for number in range(20))
    result = replace(with_findings(*(fail_at("a.py", line) for line in range(1, 21))), diagnostics=unread)
    lines = lines_of(github.render(result))
    assert len(lines) == 10
    assert [("not read" in line) for line in lines] == [True] * 3 + [False] * 7
    assert "::31 more" in lines[-1]


def test_a_gate_that_fails_without_a_finding_says_so() -> None:
    gate = GateResult(GateStatus.FAILED, "coverage: 90 %, and the limit is ≥ 95 %", ())
    (line,) = lines_of(github.render(replace(with_findings(), gate=gate)))
    assert line == "::error title=assay%3A gate failed::coverage: 90 %25, and the limit is ≥ 95 %25"
    (line,) = lines_of(github.render(replace(with_findings(), gate=replace(gate, is_enforced=False))))
    assert line.startswith("::warning ")
    assert github.render(replace(with_findings(), gate=replace(gate, status=GateStatus.PASSED))) == ""


def test_annotations_name_files_as_the_repository_does() -> None:
    result = with_findings(fail_at("app.py", 1))
    nested = replace(result, scanned=replace(result.scanned, prefix="services/orders/"))
    assert "file=services/orders/app.py," in github.render(nested)
    assert "sourcepath=services/orders/app.py;" in azure.render(nested)


# --- issues of Azure --------------------------------------------------------------------------------------------------


def issue(line: str) -> tuple[dict[str, str], str]:
    """What `Command.TryParse` of azure-pipelines-agent makes of a line."""
    start = line.index("##vso[")
    end = line.index("]", start)
    name, _, written = line[start + 6 : end].partition(" ")
    assert name == "task.logissue"
    pairs = (part.split("=", 1) for part in written.split(";") if part)
    return {key: azure_unescaped(value) for key, value in pairs}, azure_unescaped(line[end + 1 :])


def azure_unescaped(value: str) -> str:
    for sign, written in ((";", "%3B"), ("\r", "%0D"), ("\n", "%0A"), ("]", "%5D"), ("%", "%AZP25")):
        value = value.replace(written, sign)
    return value


@given(texts, texts)
@settings(max_examples=100, deadline=None)
def test_azure_reads_one_issue_a_line_whatever_the_tree_says(path: str, message: str) -> None:
    lines = lines_of(azure.render(hostile_result(path, message)))
    assert 0 < len(lines) <= 10
    for line in lines:
        assert line.startswith("##vso[task.logissue type=")
        properties, _ = issue(line)
        assert properties["type"] in {"error", "warning"}
        assert properties.get("sourcepath", plain(path * 2)) == plain(path * 2)


# --- Markdown ---------------------------------------------------------------------------------------------------------

MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


def shown(markdown: str) -> str:
    """What a reader sees, without the invisible sign that keeps people from being mentioned."""
    rendered = MARKDOWN.render(markdown)
    return html.unescape(re.sub(r"<[^>]*>", "", rendered)).strip().replace("\u200b", "")


def shown_of(value: str) -> str:
    return plain(" ".join(value.split())).replace("\u200b", "")


@given(texts)
@settings(deadline=None)
def test_quiet_text_shows_as_itself_and_is_no_markup(value: str) -> None:
    rendered = MARKDOWN.render(f"x {quiet(value)} y")
    assert set(re.findall(r"<(/?\w+)", rendered)) == {"p", "/p"}
    assert shown(f"x {quiet(value)} y") == " ".join(f"x {shown_of(value)} y".split(" ")) if value.split() else True


@given(texts)
@settings(deadline=None)
def test_a_code_span_shows_as_itself(value: str) -> None:
    (token,) = [child for token in MARKDOWN.parse(f"- {code(value)} y") for child in token.children or ()][:1]
    assert token.type == "code_inline"
    assert token.content.strip(" ") == shown_of(value).strip(" ")


def test_nobody_is_mentioned_and_nothing_is_referred_to() -> None:
    written = markdown_report.render(hostile_result("a/@octocat#1.py", "@octocat, see #1 and octo/cat#2"))
    outside_code = re.sub(r"`[^`]*`", "", written).replace("&#8203;", "\u200b")
    assert re.findall(r"[@#](?=\w)", outside_code) == []


ALLOWED = {"h3", "p", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong", "code", "br", "sub"} | {
    "details",
    "summary",
}


@given(texts, texts)
@settings(max_examples=60, deadline=None)
def test_no_markup_of_the_tree_gets_into_a_comment(path: str, message: str) -> None:
    result = hostile_result(path, message)
    for written in (markdown_report.render(result), summary.render(result)):
        rendered = re.sub(r"<!-- assay:[^>]* -->", "", MARKDOWN.render(written))
        assert set(re.findall(r"<!|</?([a-zA-Z]\w*)", rendered)) <= ALLOWED
        assert set(re.findall(r"<\w+ ([^>]*)>", rendered)) <= {'style="text-align:right"'}


def five_thousand() -> ScanResult:
    sample = gated_result()
    findings = [
        replace(fail_at(f"app/{number % 97}/{NASTY_PATH}", number, state=State.NEW), message=f"{number} {NASTY}")
        for number in range(1, 5001)
    ]
    return replace(sample, verdicts=tuple(findings))


def characters(written: str) -> int:
    """As GitHub may count them at worst."""
    return len(written.encode("utf-16-le")) // 2


def test_a_comment_of_5000_findings_has_at_most_60000_characters() -> None:
    written = markdown_report.render(five_thousand())
    assert 50_000 < characters(written) <= 60_000
    _, at_once, rest, listed, *_ = written[written.index("**New: 5,000**") :].split("\n\n")
    assert rest == "<details><summary>4,990 more</summary>"
    more = re.fullmatch(r"- … and ([\d,]+) more", listed.splitlines()[-1])
    assert more is not None
    shown_places = at_once.count("\n- `") + 1 + listed.count("- `")
    assert shown_places + int(more[1].replace(",", "")) == 5000
    assert "All conditions (8)" in written
    assert written.count("<details>") == written.count("</details>") == 2
    assert "| ✗ new critical findings |" in written


def test_a_summary_of_many_services_and_findings_has_at_most_100000_bytes() -> None:
    result = five_thousand()
    services = tuple(replace(result.services[0], name=f"{number} {UNICODE * 9}") for number in range(500))
    written = summary.render(replace(result, services=services, notices=(NASTY,) * 2000))
    assert 80_000 < len(written.encode()) <= 100_000
    assert "the sections of 480 more services in the report" in written


@given(texts, st.integers(0, 400), st.integers(0, 60))
@settings(max_examples=15, deadline=None)
def test_no_comment_is_ever_too_long(message: str, number: int, services: int) -> None:
    result = hostile_result("a.py", (message or "x") * 500)
    findings = tuple(replace(result.verdicts[0], kind=Kind.FAIL, state=State.NEW) for _ in range(number))
    many = replace(
        result, verdicts=findings, services=result.services[:1] * services, diagnostics=result.diagnostics * number
    )
    assert characters(markdown_report.render(many)) <= 60_000
    assert len(summary.render(many).encode()) <= 100_000


@given(st.lists(st.lists(st.text("ab", max_size=20), max_size=10), max_size=5), st.integers(0, 300))
@settings(deadline=None)
def test_blocks_are_cut_between_entries_and_count_what_is_missing(entries: list[list[str]], limit: int) -> None:
    given_blocks = [blocks.Block("head", tuple(f"* {entry}" for entry in each), "tail") for each in entries]
    least = sum(len(f"head\n- … and {len(each)} more\ntail") + 2 for each in entries)
    written = blocks.joined(given_blocks, least + limit, len)
    assert len(written) <= max(least + limit, 1)
    for each, part in zip(entries, written.split("\n\n"), strict=False):
        left = re.search(r"and (\d+) more", part)
        assert part.count("\n* ") + (int(left[1]) if left else 0) == len(each)


def test_a_comment_without_a_gate_and_a_base_tells_what_is_open() -> None:
    written = markdown_report.render(sample_result())
    assert written.startswith("<!-- assay:shop -->\n<!-- assay:digest ")
    assert "### Backend standard: 4 open fails\n" in written
    assert "| Overall, orders | 19.4, E, 87.5 % judged |" in written
    assert "base" not in written
    assert "### Backend standard: 0 open fails" in markdown_report.render(NOTHING)


@pytest.mark.parametrize(
    ("status", "is_enforced", "headline"),
    [
        (GateStatus.PASSED, True, "### ✓ Backend standard: 1 new, 1 fixed; 3 conditions met"),
        (GateStatus.FAILED, True, "### ✗ Backend standard: gate failed"),
        (GateStatus.FAILED, False, "### ! Backend standard: the gate would fail, and only warns"),
        (GateStatus.UNTRUSTED, True, "### ✗ Backend standard: not a pass"),
    ],
)
def test_the_headline_is_the_gates_word(status: GateStatus, is_enforced: bool, headline: str) -> None:
    sample = gated_result()
    assert sample.gate is not None
    written = markdown_report.render(replace(sample, gate=replace(sample.gate, status=status, is_enforced=is_enforced)))
    assert written.split("\n")[3] == headline


@pytest.mark.parametrize(
    ("root", "prefix", "marker"),
    [
        ("/home/dev/shop", "", "<!-- assay:shop -->"),
        ("/home/dev/shop/", "", "<!-- assay:shop -->"),
        ("C:\\work\\shop", "", "<!-- assay:shop -->"),
        ("/home/dev/shop/services/orders", "services/orders/", "<!-- assay:services-orders -->"),
        ("/x/a --> <script> b", "", "<!-- assay:a-script-b -->"),
        ("/", "", "<!-- assay:backend -->"),
        (".", "", "<!-- assay:. -->"),
    ],
)
def test_the_marker_names_the_scanned_folder(root: str, prefix: str, marker: str) -> None:
    result = replace(NOTHING, scanned=replace(NOTHING.scanned, root=root, prefix=prefix))
    assert markdown_report.marker(result) == marker


def variations() -> Iterator[ScanResult]:
    sample = gated_result()
    assert sample.gate is not None
    assert sample.base is not None
    yield replace(sample, gate=replace(sample.gate, status=GateStatus.PASSED))
    yield replace(sample, base=replace(sample.base, fixed=()))
    yield replace(sample, verdicts=tuple(v for v in sample.verdicts if v.rule != "SEC101"))
    yield replace(sample, diagnostics=())
    unmet = Condition("low findings", Outcome.NOT_MET, 3.0, "≤", 2.0)
    yield replace(sample, gate=replace(sample.gate, conditions=(*sample.gate.conditions, unmet)))


def test_the_digest_changes_with_what_is_told_and_with_nothing_else() -> None:
    sample = gated_result()
    digests = {markdown_report.digest(result) for result in variations()}
    assert len(digests | {markdown_report.digest(sample)}) == 6
    moved = [replace(v, location=replace(v.location, line=v.location.line + 1)) for v in reversed(sample.verdicts)]
    same = replace(sample, verdicts=tuple(moved), scanned=replace(sample.scanned, commit="f" * 40, lines=1))
    assert markdown_report.digest(same) == markdown_report.digest(sample)


# --- tables and lines -------------------------------------------------------------------------------------------------


FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


@given(texts, texts)
@settings(max_examples=100, deadline=None)
def test_no_cell_is_a_formula(path: str, message: str) -> None:
    table = list(csv.reader(io.StringIO(csv_report.render(hostile_result(path, message)))))
    assert {len(row) for row in table} == {len(csv_report.COLUMNS)}
    assert len(table) == 1 + len(gated_result().findings)
    for row in table:
        assert [cell for cell in row if cell.startswith(FORMULA)] == []
    text = plain(" ".join(path.split()))
    assert {row[8] for row in table[1:]} == {f"'{text}" if text.startswith(FORMULA) else text}


def test_json_lines_hold_each_finding_and_what_was_not_read() -> None:
    result = gated_result()
    objects = [json.loads(line) for line in jsonl.render(result).splitlines()]
    findings = [o for o in objects if o["type"] == "finding"]
    assert [o["fingerprint"] for o in findings] == [v.fingerprint for v in result.verdicts if v.is_finding]
    assert [o["path"] for o in objects if o["type"] == "diagnostic"] == [d.path for d in result.diagnostics]
    assert {o["fingerprint"][:2] for o in findings if o["counts"]} == {"a1", "b1", "c1"}
    assert findings[2]["accepted"]["owner"] == "@payments"


@given(texts, texts)
@settings(max_examples=60, deadline=None)
def test_json_lines_give_back_any_text_in_one_line(path: str, message: str) -> None:
    lines = jsonl.render(hostile_result(path, message)).split("\n")[:-1]
    assert len(lines) == len(gated_result().findings) + len(gated_result().diagnostics)
    assert {json.loads(line)["message"] for line in lines} == {message}


@given(texts, texts)
@settings(max_examples=60, deadline=None)
def test_concise_has_a_line_for_each_finding_and_none_is_a_command(path: str, message: str) -> None:
    lines = lines_of(concise.render(hostile_result(path, message)))
    assert len(lines) == len(gated_result().findings) + len(gated_result().diagnostics)
    for line in lines:
        assert re.search(r":\d+:1: (not read|not judged|API401|SEC101|OBS10\d|BANDIT-B101)", line)
        assert understood(line) is None
        assert "##vso[" not in line


def test_concise_is_sorted_by_path_and_line_and_says_what_does_not_count() -> None:
    lines = concise.render(gated_result()).splitlines()
    places = [(path, int(line)) for path, line, *_ in (entry.split(":") for entry in lines)]
    assert places == sorted(places)
    assert (
        "orders/api.py:31:1: BANDIT-B101 low known accepted advisory assert is removed by python -O [d1d1d1d1d1d1]"
        in (lines)
    )


# --- the badge --------------------------------------------------------------------------------------------------------

SVG = "{http://www.w3.org/2000/svg}"


def drawn(result: ScanResult) -> str:
    root = ET.fromstring(badge.render(result))
    assert {node.tag.removeprefix(SVG) for node in root.iter()} == {"svg", "title", "rect", "g", "text"}
    assert {name for node in root.iter() for name in node.attrib if "href" in name or name.startswith("on")} == set()
    return [node.text or "" for node in root.iter(f"{SVG}text")][1]


def test_a_badge_tells_score_grade_and_how_much_was_judged() -> None:
    orders, billing = sample_result().services
    fine = replace(orders, score=92.04, grade="A", coverage=1.0)
    assert drawn(replace(sample_result(), services=(fine,))) == "A 92.0 · 100.0 % judged"
    assert drawn(replace(sample_result(), services=(fine, orders))) == "E 19.4 · 87.5 % judged · lowest of 2"
    assert drawn(replace(sample_result(), services=(fine, billing))) == "not rated · 0.0 % judged · lowest of 2"
    assert drawn(NOTHING) == "not rated"


def test_a_badge_below_the_minimum_coverage_is_not_rated_whatever_the_score() -> None:
    half = replace(sample_result().services[0], score=99.0, grade="not rated", coverage=0.5)
    assert drawn(replace(sample_result(), services=(half,))) == "not rated · 50.0 % judged"


@given(texts)
@settings(deadline=None)
def test_a_badge_takes_any_name(name: str) -> None:
    services = tuple(replace(s, name=name) for s in sample_result().services)
    root = ET.fromstring(badge.render(replace(sample_result(), services=services)))
    assert (root.findtext(f"{SVG}title") or "").startswith(f"backend standard: {plain(name)} E")
