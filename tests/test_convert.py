"""`assay convert` writes from a JSON report what the scan would have written, and says what is wrong with others."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.reports import json_contract, json_report
from assay.reports.formats import FORMATS
from assay.reports.json_report import ReportError
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import Scanned, ScanResult, Since
from assay.scanner.verdicts import Kind, Severity
from tests.running import run_assay
from tests.samples import gated_result, sample_result

BACKENDS = Path(__file__).parents[1] / "fixtures" / "backends"
DOCSTRING = '''\
from fastapi import FastAPI, Request
from sqlalchemy import text

app = FastAPI()


@app.get("/find")
def find(request: Request, name: str):
    """All that go by a name; the quotes below aren't code.

    "'{name}'" is put in as it is.
    """
    statement = f"""
        SELECT *
        FROM users
        WHERE name = '{name}'
        ORDER BY name
    """
    return request.app.db.execute(text(statement)).all()
'''


@dataclass(frozen=True, slots=True)
class Scan:
    """A real scan in every format, and what its JSON report is converted to."""

    scanned: Path
    converted: Path

    @property
    def json(self) -> Path:
        return self.scanned / "report.json"


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Scan:
    root = tmp_path_factory.mktemp("real") / "shop"
    shutil.copytree(BACKENDS / "fastapi_unsound", root)
    (root / "find.py").write_text(DOCSTRING, encoding="utf-8")
    scanned, converted = (tmp_path_factory.mktemp(name) for name in ("scanned", "converted"))
    ended = run_assay("scan", root, *_reports(scanned), cwd=root)
    assert ended.code == 0, ended.err
    ended = run_assay("convert", scanned / "report.json", *_reports(converted), cwd=root)
    assert (ended.code, ended.out, ended.err) == (0, "", "")
    return Scan(scanned, converted)


def _reports(folder: Path) -> list[str]:
    return [part for form in FORMATS for part in ("-o", f"{form}={folder}/report.{form}")]


@pytest.mark.parametrize("form", list(FORMATS))
def test_a_converted_report_is_the_scan_s_own_byte_for_byte(form: str, scan: Scan) -> None:
    assert (scan.converted / f"report.{form}").read_bytes() == (scan.scanned / f"report.{form}").read_bytes()


@pytest.mark.parametrize("form", [form for form in FORMATS if form != "text"])
def test_so_it_is_on_standard_output(form: str, scan: Scan) -> None:
    ended = run_assay("convert", scan.json, "-f", form, cwd=scan.scanned)
    assert ended.code == 0
    assert ended.out == (scan.scanned / f"report.{form}").read_text(encoding="utf-8")


@pytest.mark.parametrize("result", [sample_result(), gated_result()], ids=["plain", "gated"])
@pytest.mark.parametrize("form", list(FORMATS))
def test_nothing_that_a_report_shows_is_lost(form: str, result: ScanResult) -> None:
    again = json_report.parsed(json_report.render(result).encode(), "report.json")
    assert FORMATS[form].render(again) == FORMATS[form].render(result)


@pytest.mark.parametrize("result", [sample_result(), gated_result()], ids=["plain", "gated"])
def test_every_field_comes_back(result: ScanResult) -> None:
    again = json_report.parsed(json_report.render(result).encode(), "report.json")
    for each in fields(ScanResult):
        if each.name != "scanned":
            assert getattr(again, each.name) == getattr(result, each.name), each.name
    assert again.scanned == replace(result.scanned, seconds=0.0)


def _classes(kind: object) -> Iterator[type]:
    """The dataclasses that a type is made of."""
    if isinstance(kind, type) and is_dataclass(kind):
        yield kind
        for hint in get_type_hints(kind).values():
            yield from _classes(hint)
    for part in get_args(kind):
        yield from _classes(part)


PARTS = {kind.__name__: kind for kind in _classes(ScanResult) if kind is not ScanResult}


@pytest.mark.parametrize("kind", PARTS.values(), ids=PARTS)
def test_the_contract_leaves_out_nothing_of_a_result(kind: type) -> None:
    """A field that is added to results is to be added to the report, or convert would lose it without a word."""
    names = {"ServiceResult": "Service", "JudgedVerdict": "Verdict", "SubjectReference": "Subject", "RuleInfo": "Rule"}
    names |= {"PrincipleScore": "Principle", "SectionScore": "Section", "GateResult": "Gate"}
    struct = getattr(json_contract, names.get(kind.__name__, kind.__name__))
    left_out = {each.name for each in fields(kind)} - set(struct.__struct_fields__)
    assert left_out == ({"seconds"} if kind is Scanned else set())


_text = st.text(st.characters(exclude_categories=["Cs"]))
_places = st.builds(Location, _text, *[st.integers(1, 2**53)] * 4)
_evidence = st.lists(st.builds(Evidence, _places, _text), max_size=2).map(tuple)


@settings(max_examples=50)
@given(
    st.sampled_from(sample_result().verdicts),
    _places,
    _text,
    _evidence,
    st.sampled_from(Kind),
    st.sampled_from(Severity),
    st.dictionaries(_text, st.dictionaries(st.integers(1, 10**6), _text)),
    st.none() | st.builds(Since, _text, _text, st.integers(0, 9)),
)
def test_any_text_comes_back(
    verdict: Any,
    place: Location,
    text: str,
    evidence: tuple[Evidence, ...],
    kind: Kind,
    severity: Severity,
    sources: dict[str, dict[int, str]],
    since: Since | None,
) -> None:
    other = replace(
        verdict, location=place, message=text, evidence=evidence, flows=(evidence,), kind=kind, severity=severity
    )
    sample = sample_result()
    result = replace(
        sample,
        verdicts=(other,),
        sources=sources,
        openings=sources,
        notices=(text,),
        scanned=replace(sample.scanned, root=text, seconds=0.0, since=since),
    )
    assert json_report.parsed(json_report.render(result).encode(), "report.json") == result


def test_code_is_coloured_as_what_it_is_though_the_report_holds_a_few_lines_of_it(scan: Scan) -> None:
    html = (scan.scanned / "report.html").read_text(encoding="utf-8")
    held = json.loads(scan.json.read_text(encoding="utf-8"))
    assert held["openings"]["find.py"]["18"] == 'f"""'
    assert len(held["sources"]["find.py"]) < len(DOCSTRING.splitlines()), "not whole files"
    closing = next(line for line in html.splitlines() if '<i class="s">    &#34;&#34;&#34;</i>' in line)
    assert closing


def test_the_report_holds_no_line_that_no_finding_shows(scan: Scan) -> None:
    held = json.loads(scan.json.read_text(encoding="utf-8"))
    cited = {
        (place["path"], line)
        for verdict in held["verdicts"]
        if verdict["kind"] in ("fail", "review")
        for place in _places_of(verdict)
        for line in range(place["line"] - 2, place["line"] + 3)
    }
    assert {(path, int(line)) for path, lines in held["sources"].items() for line in lines} <= cited


def _places_of(verdict: dict[str, Any]) -> list[dict[str, Any]]:
    steps = [*verdict["evidence"], *(step for flow in verdict["flows"] for step in flow)]
    return [verdict["location"], *(step["location"] for step in steps)]


def test_without_a_format_it_shows_what_a_scan_shows(scan: Scan) -> None:
    ended = run_assay("convert", scan.json, cwd=scan.scanned)
    assert ended.code == 0
    assert ended.out == (scan.scanned / "report.text").read_text(encoding="utf-8")


# What is no report


def _changed(change: Callable[[dict[str, Any]], object]) -> str:
    report = json.loads(json_report.render(sample_result()))
    change(report)
    return json.dumps(report)


WHOLE = json_report.render(sample_result())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it is empty"),
        ("<html>", "it is not JSON"),
        (WHOLE[: len(WHOLE) // 2], "it is not whole: the JSON ends too early"),
        (WHOLE + "}", "it is not JSON"),
        ("[]", "it is no JSON report of Assay"),
        ("null", "it is no JSON report of Assay"),
        ("{}", "it is no JSON report of Assay"),
        ('{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0"}', "it is no JSON report"),
        ('{"schema_version": "2.0", "tool": {"name": "other"}}', "it is no JSON report of Assay"),
        ('{"schema_version": [], "tool": 3}', "it is no JSON report of Assay"),
        (_changed(lambda r: r.update(schema_version="3.0")), "it is version 3.0 of the report, by Assay 1.2.3"),
        (_changed(lambda r: r.update(schema_version="2.7")), "this Assay reads 2.0"),
        (_changed(lambda r: r["verdicts"][3].update(kind="maybe")), "verdicts[3].kind: invalid enum value 'maybe'"),
        (
            _changed(lambda r: r["verdicts"][1]["location"].update(line="9")),
            "verdicts[1].location.line: expected `int`",
        ),
        (_changed(lambda r: r["services"][0].pop("grade")), "services[0]: object missing required field `grade`"),
        (_changed(lambda r: r["rules"][0].update(colour="red")), "rules[0]: object contains unknown field `colour`"),
        (_changed(lambda r: r.update(sources={"a.py": {"one": ""}})), "sources"),
        (_changed(lambda r: r.pop("gate")), "the top level: object missing required field `gate`"),
    ],
)
def test_what_is_wrong_with_a_report_is_said_in_one_line(text: str, message: str, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ReportError) as raised:
        json_report.read(file)
    assert str(raised.value).startswith(f"{file}: ")
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_bytes_that_are_no_text(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"^x: it is not JSON: not UTF-8 at byte 1$"):
        json_report.parsed(b"{\xff}", "x")


def test_a_byte_order_mark_does_no_harm() -> None:
    assert json_report.parsed(b"\xef\xbb\xbf" + WHOLE.encode(), "x").edition == "2026.1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.json"], "nowhere.json: it can't be read: No such file or directory"),
        (["."], ".: it can't be read: Is a directory"),
        (["results.json", "-o", "sarif=nowhere/x.sarif"], "there is no folder nowhere"),
        (["results.json", "-o", "serif=x"], "did you mean 'sarif'?"),
        (["results.json"], "results.json: it is empty"),
        ([], "Missing argument 'RESULTS'"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").touch()
    ended = run_assay("convert", *arguments, cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert {path.name for path in tmp_path.iterdir()} == {"results.json"}, "nothing is half-written"
