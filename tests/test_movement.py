"""`assay diff` tells why the score moved: the parts add up, and nobody is blamed for what they didn't do."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from rich.console import Console

import assay.rules
from assay.reports import figures, json_report, movement_json
from assay.reports import movement as screens
from assay.scanner.acceptance.waivers import FILE as WAIVERS
from assay.scanner.causes import Cause
from assay.scanner.config import Config
from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.engine import scan
from assay.scanner.model.place import Location
from assay.scanner.movement import Movement, MovementError, Turn, movement, usual_cause
from assay.scanner.options import Options
from assay.scanner.results import (
    Acceptance,
    AcceptedBy,
    JudgedVerdict,
    PrincipleScore,
    PrincipleStatus,
    RuleInfo,
    Scanned,
    ScanResult,
    SectionScore,
    ServiceResult,
    Since,
    SubjectReference,
)
from assay.scanner.rulebook import load_rulebook
from assay.scanner.scoring import rescored
from assay.scanner.verdicts import Kind, Severity
from tests.running import run_assay
from tests.samples import NASTY, gated_result, sample_result

SCHEMA_FILE = Path(__file__).parents[1] / "reports" / "schemas" / "diff.schema.json"
WAIVER = Acceptance(AcceptedBy.WAIVER, "until the new service is there", id="W-1", owner="@shop", expires="2026-02-01")


# Small results made by hand


def a_rule(
    code: str, severity: Severity = Severity.MEDIUM, since: str = "2026.1", *, preview: bool = False
) -> RuleInfo:
    return RuleInfo(
        code, code.lower(), "Title.", code[:-2], severity, (), "why", "fix", since=since, is_preview=preview
    )


def a_verdict(rule: str, subject: str, kind: Kind, path: str = "app.py", **more: Acceptance | None) -> JudgedVerdict:
    reference = SubjectReference("Endpoint", subject, subject)
    place = Location(path, 1 + len(subject), 1, 1 + len(subject), 9)
    mark = f"{rule}-{subject}"
    return JudgedVerdict(
        "shop", rule, kind, Severity.MEDIUM, reference, place, f"{subject}: {kind}", (), mark, more.get("acceptance")
    )


RULES = (a_rule("API101"), a_rule("API102", Severity.HIGH), a_rule("SEC101", Severity.CRITICAL))
VERDICTS = (
    a_verdict("API101", "a", Kind.PASS),
    a_verdict("API101", "b", Kind.FAIL),
    a_verdict("API102", "a", Kind.PASS, "other.py"),
    a_verdict("SEC101", "a", Kind.PASS),
)
FILES = {"app.py": "0a", "other.py": "0b"}


def a_principle(id_: str, weight: float = 1.0) -> PrincipleScore:
    return PrincipleScore(id_, f"The {id_}", weight, PrincipleStatus.NO_RULE_YET, None, None, ())


def a_result(
    verdicts: tuple[JudgedVerdict, ...] = VERDICTS,
    rules: tuple[RuleInfo, ...] = RULES,
    edition: str = "2026.1",
    api_weight: float = 2.0,
    files: dict[str, str] = FILES,
    configuration: str = "c1",
    tool_version: str = "1.0",
    diagnostics: tuple[Diagnostic, ...] = (),
    exclude: tuple[str, ...] = (),
) -> ScanResult:
    sections = (
        SectionScore("API", "API", api_weight, None, (a_principle("API1"),)),
        SectionScore("SEC", "Security", 1.0, None, (a_principle("SEC1", 2.0),)),
    )
    service = ServiceResult("shop", "", (), None, "not rated", 1.0, sections, len(files), len(files))
    sources = {path: {number: f"line {number}" for number in range(1, 20)} for path in files}
    return ScanResult(
        edition=edition,
        scanned=Scanned("shop", None, None, 0.0, len(files), 10),
        services=(rescored(service, [rule for rule in rules if rule.counts], verdicts),),
        rules=rules,
        verdicts=verdicts,
        diagnostics=diagnostics,
        sources=sources,
        files=files,
        configuration=configuration,
        tool_version=tool_version,
        exclude=exclude,
    )


def causes(moved: Movement) -> set[Cause]:
    """The causes that moved a score."""
    return {cause for service in moved.services for cause, points in service.parts.items() if points}


def counts(moved: Movement) -> dict[str, int]:
    told = {turn.value: moved.count(turn, usual_cause(turn)) for turn in Turn}
    return {turn: number for turn, number in told.items() if number}


def changed(rule: str, subject: str, kind: Kind, **more: Acceptance) -> tuple[JudgedVerdict, ...]:
    return tuple(
        a_verdict(rule, subject, kind, v.location.path, **more) if (v.rule, v.subject.id) == (rule, subject) else v
        for v in VERDICTS
    )


WORSE = changed("API102", "a", Kind.FAIL)
ANOTHER_RULE = (*RULES, a_rule("API103", since="2026.2"))
ITS_VERDICTS = (*VERDICTS, a_verdict("API103", "a", Kind.FAIL), a_verdict("API103", "b", Kind.PASS))


@pytest.mark.parametrize(
    ("old", "new", "cause", "turns"),
    [
        pytest.param(
            a_result(), a_result(WORSE, files=FILES | {"other.py": "0c"}), Cause.CODE, {"new": 1}, id="edited"
        ),
        pytest.param(
            a_result(), a_result(WORSE, files=FILES | {"app.py": "0c"}), Cause.CODE, {"new": 1}, id="edited elsewhere"
        ),
        pytest.param(
            a_result(),
            a_result(WORSE, files=FILES | {"other.py": "0c"}, tool_version="1.1", configuration="c2"),
            Cause.CODE,
            {"new": 1},
            id="edited, with other tools",
        ),
        pytest.param(
            a_result(), a_result(WORSE, tool_version="1.1"), Cause.ANALYSIS, {}, id="another version of Assay"
        ),
        pytest.param(a_result(), a_result(WORSE), Cause.ANALYSIS, {}, id="nothing else differs"),
        pytest.param(a_result(), a_result(WORSE, configuration="c2"), Cause.CONFIGURATION, {}, id="a threshold"),
        pytest.param(
            a_result(), a_result(VERDICTS[:2], RULES[:1], configuration="c2"), Cause.CONFIGURATION, {}, id="disabled"
        ),
        pytest.param(
            a_result(VERDICTS[:2], RULES[:1], configuration="c2"), a_result(), Cause.CONFIGURATION, {}, id="enabled"
        ),
        pytest.param(
            a_result(changed("API101", "b", Kind.FAIL)),
            a_result(rules=(a_rule("API101", Severity.LOW), *RULES[1:]), configuration="c2"),
            Cause.CONFIGURATION,
            {},
            id="a severity of one's own",
        ),
        pytest.param(
            a_result(),
            a_result(rules=(a_rule("API101", Severity.LOW), *RULES[1:]), edition="2026.2", configuration="c2"),
            Cause.STANDARD,
            {},
            id="a severity of another edition",
        ),
        pytest.param(
            a_result(), a_result(api_weight=5.0, edition="2026.2"), Cause.STANDARD, {}, id="a section's weight"
        ),
        pytest.param(
            a_result(),
            a_result(ITS_VERDICTS, ANOTHER_RULE, edition="2026.2", tool_version="2.0", configuration="c2"),
            Cause.STANDARD,
            {},
            id="a rule that the earlier one doesn't know",
        ),
        pytest.param(
            a_result(ITS_VERDICTS, (*RULES, a_rule("API103", since="2026.2", preview=True))),
            a_result(ITS_VERDICTS, ANOTHER_RULE, edition="2026.2", configuration="c2"),
            Cause.STANDARD,
            {},
            id="a preview that counts now",
        ),
        pytest.param(
            a_result(ITS_VERDICTS, ANOTHER_RULE, edition="2026.2", configuration="c2"),
            a_result(),
            Cause.STANDARD,
            {},
            id="an earlier edition again",
        ),
        pytest.param(
            a_result(),
            a_result(changed("API101", "b", Kind.FAIL, acceptance=WAIVER)),
            Cause.WAIVERS,
            {"accepted": 1},
            id="a waiver",
        ),
        pytest.param(
            a_result(changed("API101", "b", Kind.FAIL, acceptance=WAIVER)),
            a_result(),
            Cause.WAIVERS,
            {"reopened": 1},
            id="a waiver that expired",
        ),
        pytest.param(
            a_result(VERDICTS[1:], files=FILES, diagnostics=(Diagnostic("app.py", 3, Reason.SYNTAX_ERROR, ""),)),
            a_result(files=FILES | {"app.py": "0c"}),
            Cause.ANALYSIS,
            {},
            id="a file that is read now",
        ),
        pytest.param(
            a_result((*VERDICTS, a_verdict("API101", "z", Kind.FAIL, "old/z.py")), files=FILES | {"old/z.py": "0d"}),
            a_result(configuration="c2", exclude=("old/",)),
            Cause.CONFIGURATION,
            {},
            id="left out",
        ),
        pytest.param(
            a_result((*VERDICTS, a_verdict("API101", "z", Kind.FAIL, "old/z.py")), files=FILES | {"old/z.py": "0d"}),
            a_result(configuration="c2", exclude=("new/",)),
            Cause.CODE,
            {"fixed": 1},
            id="deleted",
        ),
    ],
)
def test_each_cause_is_told(old: ScanResult, new: ScanResult, cause: Cause, turns: dict[str, int]) -> None:
    moved = movement(old, new)
    assert causes(moved) == {cause}
    assert counts(moved) == turns


def test_a_new_finding_that_is_waived_at_once_is_told_as_both() -> None:
    files = FILES | {"other.py": "0c"}
    moved = movement(a_result(), a_result(changed("API102", "a", Kind.FAIL, acceptance=WAIVER), files=files))
    (shop,) = moved.services
    assert shop.parts[Cause.CODE] < 0 < shop.parts[Cause.WAIVERS]
    assert counts(moved) == {"new": 1, "accepted": 1}


def test_what_was_waived_and_is_mended_is_the_code_s_merit() -> None:
    old = a_result(changed("API101", "b", Kind.FAIL, acceptance=WAIVER))
    moved = movement(old, a_result(changed("API101", "b", Kind.PASS), files=FILES | {"app.py": "0c"}))
    assert counts(moved) == {"fixed": 1}
    assert moved.services[0].parts[Cause.WAIVERS] == 0


def test_a_renamed_file_makes_nothing_new() -> None:
    verdicts = tuple(replace(v, location=replace(v.location, path="app/main.py")) for v in VERDICTS)
    moved = movement(a_result(), a_result(verdicts, files={"app/main.py": "0a", "other.py": "0b"}))
    assert counts(moved) == {"moved": 1}
    assert causes(moved) == set()


def test_a_service_that_comes_or_goes_has_no_parts() -> None:
    old, new = a_result(), a_result()
    new = replace(new, services=(replace(new.services[0], name="store"),), verdicts=())
    store, shop = movement(old, new).services
    assert (store.service, store.before, store.parts) == ("store", None, {})
    assert (shop.service, shop.after, shop.parts) == ("shop", None, {})


def test_principles_that_moved_are_named() -> None:
    moved = movement(a_result(), a_result(WORSE, files=FILES | {"other.py": "0c"}))
    (principle,) = moved.services[0].principles
    assert principle.id == "API1"
    assert (principle.before, principle.after) == pytest.approx((250 / 3, 50 / 3))


@pytest.mark.parametrize("is_old", [True, False])
def test_results_that_hide_findings_cant_be_compared(is_old: bool) -> None:
    whole = a_result()
    part = replace(whole, scanned=replace(whole.scanned, since=Since("main", "abc", 4)))
    word = "earlier" if is_old else "later"
    with pytest.raises(MovementError, match=f"the {word} result holds only findings in lines changed since main"):
        movement(*((part, whole) if is_old else (whole, part)))


# Any two results

_acceptances = st.sampled_from([None, None, WAIVER])
_codes = ("API101", "API102", "API103", "SEC101", "SEC102")


@st.composite
def _results(draw: st.DrawFn) -> ScanResult:
    codes = draw(st.sets(st.sampled_from(_codes)))
    rules = tuple(
        a_rule(
            code,
            draw(st.sampled_from(Severity)),
            draw(st.sampled_from(["2026.1", "2026.2"])),
            preview=draw(st.booleans()),
        )
        for code in sorted(codes)
    )
    verdicts = tuple(
        a_verdict(
            rule.code, subject, kind, path, acceptance=draw(_acceptances) if kind in (Kind.FAIL, Kind.REVIEW) else None
        )
        for rule in rules
        for subject in draw(st.lists(st.sampled_from("abc"), max_size=4))
        for kind, path in [(draw(st.sampled_from(Kind)), draw(st.sampled_from(["app.py", "other.py", "gone.py"])))]
    )
    return a_result(
        verdicts,
        rules,
        edition=draw(st.sampled_from(["2026.1", "2026.2"])),
        api_weight=draw(st.sampled_from([1.0, 0.3])),
        files=draw(st.dictionaries(st.sampled_from(["app.py", "other.py"]), st.sampled_from(["0a", "0b"]))),
        configuration=draw(st.sampled_from(["c1", "c2"])),
        tool_version=draw(st.sampled_from(["1.0", "1.1"])),
        diagnostics=draw(st.sampled_from([(), (Diagnostic("app.py", 1, Reason.SYNTAX_ERROR, ""),)])),
    )


@settings(max_examples=300, deadline=None)
@given(_results(), _results())
def test_the_parts_add_up_and_swapping_the_results_negates_their_sum(old: ScanResult, new: ScanResult) -> None:
    for one, other in ((old, new), (new, old)):
        for service in movement(one, other).services:
            if service.before is None or service.after is None:
                assert service.parts == {}
            else:
                assert set(service.parts) == set(Cause)
                assert sum(service.parts.values()) == Fraction(service.after) - Fraction(service.before)
                shown = screens.tenths(service)
                assert sum(shown.values()) == _in_tenths(service.after) - _in_tenths(service.before)
                assert all(points or not shown[cause] for cause, points in service.parts.items())
                assert all(abs(float(points) * 10 - shown[cause]) < 2 for cause, points in service.parts.items())


def _in_tenths(score: float) -> int:
    return round(float(figures.score(score)) * 10)


@settings(max_examples=100, deadline=None)
@given(_results())
def test_where_nothing_changed_nothing_moved(result: ScanResult) -> None:
    moved = movement(result, result)
    assert moved.is_none
    assert causes(moved) == set()
    assert moved.findings == ()
    assert moved.rules == ()


@settings(max_examples=100, deadline=None)
@given(_results(), _results())
def test_every_finding_that_comes_or_goes_has_a_cause(old: ScanResult, new: ScanResult) -> None:
    moved = movement(old, new)
    came = sum(change.turn is Turn.NEW for change in moved.findings)
    went = sum(change.turn is Turn.FIXED for change in moved.findings)
    assert len(old.findings) + came - went == len(new.findings)


# Real scans

APP = """\
from fastapi import FastAPI
from sqlalchemy import select

app = FastAPI()


@app.get("/orders")
def list_orders(db):
    return db.scalars(select(Order)).all()


@app.get("/users/{name}")
def find_user(name: str, db):
    return db.execute(f"SELECT * FROM users WHERE name = '{name}'").fetchall()
"""
NEWER = ("API401", "OBS102")


@pytest.fixture(scope="module")
def editions(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The JSON reports of one tree, judged by two editions, the later of which has more rules."""
    root = tmp_path_factory.mktemp("editions") / "shop"
    root.mkdir()
    (root / "app.py").write_text(APP + '\n\nprint("started")\n', encoding="utf-8")
    book = load_rulebook(assay.rules)
    standard = msgspec.structs.replace(book.standard, editions=(*book.standard.editions, "2099.1"))
    rules = tuple(replace(rule, since="2099.1") if rule.code in NEWER else rule for rule in book.rules)
    book = replace(book, standard=standard, rules=rules)
    files = []
    for edition in ("2026.1", "2099.1"):
        result = scan(root, book, {}, Options(Config(edition=edition), jobs=1, analyzers=False))
        files.append(root.parent / f"{edition}.json")
        files[-1].write_text(json_report.render(result), encoding="utf-8")
    return files[0], files[1]


def test_the_shipped_schema_is_current_and_what_is_written_keeps_it(
    check_golden: Callable[[str, str], None], editions: tuple[Path, Path]
) -> None:
    check_golden(str(SCHEMA_FILE), movement_json.schema())
    validator = Draft202012Validator(json.loads(SCHEMA_FILE.read_text(encoding="utf-8")))
    old, new = editions
    for one, other in ((old, new), (new, old)):
        validator.validate(json.loads(_diff(one, other, "-f", "json")))
    validator.validate(json.loads(movement_json.render(movement(sample_result(), gated_result()))))


def test_new_edition_same_tree_is_blamed_on_the_standard_and_nothing_is_new(editions: tuple[Path, Path]) -> None:
    old, new = editions
    ended = run_assay("diff", old, new, "--format", "json", cwd=old.parent)
    assert ended.code == 0, ended.err
    told = json.loads(ended.out)
    assert told["counts"]["new"] == 0
    (service,) = told["services"]
    assert service["parts"]["standard"] == pytest.approx(service["after"] - service["before"])
    assert service["parts"]["standard"] != 0
    assert {cause for cause, points in service["parts"].items() if points} == {"standard"}
    text = run_assay("diff", old, new, cwd=old.parent).out
    assert text.startswith("! edition 2026.1 → 2099.1: ")
    assert "now count (" in text


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """JSON reports of a backend at some points of its life, scanned when they are asked for."""
    root = tmp_path_factory.mktemp("history") / "shop"
    root.mkdir()
    query = """db.execute(f"SELECT * FROM users WHERE name = '{name}'")"""
    mended = APP.replace(query, """db.execute("SELECT * FROM users WHERE name = :name", {"name": name})""")
    waiver = (
        '[[waiver]]\nid = "W-1"\nrule = "API401"\npath = "**"\nreason = "until the new service is there"\n'
        f'owner = "@shop"\napproved-by = "@platform"\ncreated = {date.today()}\nexpires = {date.today()}\n'
    )
    points = {
        "first": {"app.py": APP},
        "mended": {"app.py": mended},
        "configured": {"app.py": APP, "assay.toml": '[rules]\ndisable = ["API401"]\n'},
        "waived": {"app.py": APP, WAIVERS: waiver},
        "broken": {"app.py": APP, "more.py": "def (:\n"},
    }
    reports: dict[str, Path] = {}

    def report(name: str) -> Path:
        if name not in reports:
            for path in ("assay.toml", WAIVERS, "more.py"):
                (root / path).unlink(missing_ok=True)
            for path, text in points[name].items():
                (root / path).parent.mkdir(exist_ok=True)
                (root / path).write_text(text, encoding="utf-8")
            reports[name] = root.parent / f"{name}.json"
            ended = run_assay("scan", root, "--jobs", "1", "-o", reports[name], "-f", "badge", cwd=root)
            assert ended.code == 0, ended.err
        return reports[name]

    return report


def _diff(old: Path, new: Path, *arguments: str) -> str:
    ended = run_assay("diff", old, new, *arguments, cwd=old.parent)
    assert ended.code == 0, ended.err
    return ended.out


def test_mended_code_is_praised(history: Callable[[str], Path]) -> None:
    text = _diff(history("first"), history("mended"))
    assert "code           +" in text
    assert "standard         0.0" in text
    assert "✓ fixed    app.py:14  SEC" in text
    assert "1 fixed" in text


def test_a_disabled_rule_is_the_configuration_s(history: Callable[[str], Path]) -> None:
    text = _diff(history("first"), history("configured"))
    assert "configuration   +" in text
    assert "API401 no longer counts (1 fail)" in text
    assert "fixed" not in text


def test_a_waiver_is_told_as_one(history: Callable[[str], Path]) -> None:
    there, back = (history(name) for name in ("first", "waived"))
    assert "waivers         +" in (text := _diff(there, back))
    assert "1 accepted (API401)" in text
    text = _diff(back, there)
    assert "1 reopened (API401)" in text
    assert "✗ reopened app.py:" in text


def test_an_attestation_is_told_though_it_is_no_score() -> None:
    old = sample_result()
    moved = movement(old, gated_result())
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as written:
        screens.render(moved, console)
    assert "OPS9 attested" in written.get()


def test_a_file_that_is_not_read_is_said_first(history: Callable[[str], Path]) -> None:
    text = _diff(history("first"), history("broken"))
    assert text.startswith("! the later result is not complete: 1 file not read; ")


def test_hostile_text_is_inert() -> None:
    old, new = sample_result(), gated_result()
    old = replace(old, edition=NASTY, tool_version=NASTY, verdicts=old.verdicts[:3])
    console = Console(file=io.StringIO(), width=100)
    with console.capture() as written:
        screens.render(movement(old, new), console)
    assert all(c.isprintable() or c == "\n" for c in written.get())


def test_the_same_results(history: Callable[[str], Path]) -> None:
    assert _diff(history("first"), history("first"), "--exit-code") == (
        "The scores are the same.\n\nNo finding is another.\n"
    )


def test_the_exit_code_tells_a_difference_where_it_is_asked_to(history: Callable[[str], Path]) -> None:
    old, new = history("first"), history("mended")
    assert run_assay("diff", old, new, "--exit-code", cwd=old.parent).code == 1
    assert run_assay("diff", old, new, cwd=old.parent).code == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere.json", "part.json"], "nowhere.json: it can't be read: No such file or directory"),
        (["whole.json", "part.json"], "the later result holds only findings in lines changed since main; scan without"),
        (["broken.json", "whole.json"], "broken.json: it is not JSON"),
        (["whole.json"], "Missing argument 'NEW'"),
        (["-", "-"], "only one of the two can come from standard input"),
    ],
)
def test_a_mistake_is_one_message_and_exit_code_2(arguments: list[str], message: str, tmp_path: Path) -> None:
    whole = a_result()
    part = replace(whole, scanned=replace(whole.scanned, since=Since("main", "abc", 4)))
    (tmp_path / "whole.json").write_text(json_report.render(whole), encoding="utf-8")
    (tmp_path / "part.json").write_text(json_report.render(part), encoding="utf-8")
    (tmp_path / "broken.json").write_text("nonsense", encoding="utf-8")
    ended = run_assay("diff", *arguments, cwd=tmp_path)
    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
