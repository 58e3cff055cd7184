"""The HTML report's document, overview and principles: their text, and their behaviour in a browser."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, Route, expect

import assay.rules
from assay.reports import json_report
from assay.reports.html import Assets, assets, render
from assay.reports.html.gains import gain_of_rule, next_grade
from assay.reports.html.inventory import Family, family_of
from assay.reports.html.nouns import counted
from assay.reports.html.prose import prose, sentence
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import (
    Attestation,
    GateStatus,
    JudgedVerdict,
    PrincipleScore,
    PrincipleStatus,
    RuleInfo,
    RuleScore,
    ScanResult,
    SectionScore,
    ServiceResult,
    SubjectReference,
)
from assay.scanner.rulebook import load_rulebook
from assay.scanner.scoring import rescored
from assay.scanner.verdicts import Kind, Severity
from tests.browsers import (  # noqa: F401 - fixtures are found by their names
    base_url,
    browser_type_launch_args,
    in_a_browser,
    is_wider_than_screen,
    violations,
    watched,
)
from tests.running import run_assay
from tests.samples import NASTY, gated_result, sample_result

PAGES = (
    "#/",
    "#/principles",
    "#/findings",
    "#/f/b1b1b1b1b1b1",
    "#/review",
    "#/subjects",
    "#/passes",
    "#/accepted",
    "#/coverage",
    "#/rules/API401",
    "#/p/API4",
    "#/about",
)


class _Outline(HTMLParser):
    """Every start tag with its attributes, and all text outside of style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._raw = False
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += " "
        self._raw = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._raw = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._raw else data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture(scope="module")
def html() -> str:
    return render(sample_result())


@pytest.fixture(scope="module")
def outline(html: str) -> _Outline:
    return _Outline(html)


@pytest.fixture(scope="module")
def gated() -> _Outline:
    return _Outline(render(gated_result()))


def _policy(outline: _Outline) -> str:
    return next(m["content"] or "" for m in outline.all("meta") if m.get("http-equiv") == "Content-Security-Policy")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


# Safety


def test_the_policy_allows_its_own_style_and_script_and_nothing_else(html: str, outline: _Outline) -> None:
    policy = _policy(outline)
    for name in ("style", "script"):
        sources = re.findall(f"<{name}>(.*?)</{name}>", html, re.DOTALL)
        assert f"{name}-src {' '.join(map(_hash, sources))};" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_nothing_is_loaded_and_nothing_is_inline_that_the_policy_would_block(gated: _Outline) -> None:
    for tag, attributes in gated.tags:
        assert not {"src", "srcset", "style", "data", "action"} & attributes.keys(), tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert (attributes.get("href") or "#").startswith(("#", "https://wiki.example/")), tag


def test_every_id_is_unique_and_every_link_leads_to_a_page_or_an_element(outline: _Outline, gated: _Outline) -> None:
    pages = re.compile(r"#/(findings|f|review|subjects|passes|accepted|coverage|rules|p|about)\b")
    for document in (outline, gated):
        ids = [attributes["id"] for _, attributes in document.tags if "id" in attributes]
        assert len(ids) == len(set(ids))
        inner = {link["href"] or "" for link in document.all("a") if (link["href"] or "").startswith("#")}
        assert {link for link in inner if not pages.match(link)} <= {f"#{i}" for i in ids}


def test_without_javascript_principles_and_the_worst_findings_have_their_addresses(outline: _Outline) -> None:
    ids = {attributes["id"] for _, attributes in outline.tags if "id" in attributes}
    assert {"/", "/principles", "/p/API4", "/f/a1a1a1a1a1a1", "/f/b1b1b1b1b1b1"} <= ids


def test_hostile_text_stays_text(html: str, outline: _Outline) -> None:
    assert len(outline.all("script")) == 3
    assert not [a for a in outline.all("a") if "javascript" in (a["href"] or "")]
    assert "<script>alert(1)</script> ␛[31mred␛[0m␇" in outline.text
    assert not set(html) & {"\x1b", "\x07", "\u202e"}
    assert "orders/naïve dir/<b>50%#1?.py:2:1" in outline.text


def test_no_parser_of_html_sees_anything_in_the_data() -> None:
    hostile = "</script><!--<script>\u2028\u2029&lt;"
    sample = sample_result()
    html = render(replace(sample, verdicts=tuple(replace(v, message=hostile) for v in sample.verdicts)))
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', html, re.DOTALL)
    assert not set(data) & set("<>&\u2028\u2029")
    json.loads(data)


def test_an_undecodable_name_can_be_written() -> None:
    result = sample_result()
    fail = next(v for v in result.verdicts if v.kind is Kind.FAIL)
    odd = replace(fail, location=Location("a\udcff.py", 1, 1, 1, 1))
    assert "a\ufffd.py:1:1" in render(replace(result, verdicts=(odd,))).encode().decode()


def test_only_an_address_of_the_web_becomes_a_link() -> None:
    def linked(link: str) -> list[str | None]:
        principle = replace(
            _principle("OPS9", ()),
            status=PrincipleStatus.ATTESTED,
            attestation=Attestation("restored", "@ops", "2027-01-31", link),
        )
        links = _Outline(render(_scored([principle]))).all("a")
        return [a["href"] for a in links if not (a["href"] or "").startswith("#")]

    assert linked("https://wiki.example/x") == ["https://wiki.example/x"]
    for bad in ("javascript:alert(1)", "data:text/html,x", "//evil.example", "https:", "http://[", "see the wiki"):
        assert linked(bad) == []


# What leaves the house

_SECRET = "hunter2-correct-horse"


def _with_a_secret() -> ScanResult:
    rule = RuleInfo(
        "SEC309",
        "hardcoded-credential",
        "A password is written in the code.",
        "SEC3",
        Severity.CRITICAL,
        (798,),
        "why.",
        "fix.",
    )
    line = f'PASSWORD = os.environ.get("PASSWORD", "{_SECRET}")'
    finding = JudgedVerdict(
        "orders",
        "SEC309",
        Kind.FAIL,
        Severity.CRITICAL,
        SubjectReference("Credential", "orders.PASSWORD", "PASSWORD"),
        Location("orders/settings.py", 3, 1, 3, len(line) + 1),
        f"Possible hardcoded password: '{_SECRET}'; read it from outside",
        (Evidence(Location("orders/settings.py", 4, 1, 4, 9), f"told again as '{_SECRET}'"),),
        "99" * 16,
    )
    other = replace(finding, rule="OBS101", message="built before", evidence=(), fingerprint="98" * 16)
    sample = sample_result()
    lines = {2: "import os", 3: line, 4: f"copy = '''{_SECRET}", 5: f"{_SECRET}'''", 6: "plain = 'stays'"}
    return replace(
        sample,
        rules=(*sample.rules, rule),
        verdicts=(finding, other),
        sources={"orders/settings.py": lines},
        openings={"orders/settings.py": {5: "'''"}},
    )


def test_a_secret_is_masked_wherever_its_line_is_shown() -> None:
    html = render(_with_a_secret())
    assert _SECRET not in html
    assert "•" * len(_SECRET) in html
    assert "os.environ.get(" in _Outline(html).text
    assert "Possible hardcoded password: '•••'; read it from outside" in _Outline(html).text


def test_settings_in_other_files_lose_the_value_and_keep_the_name() -> None:
    found = _with_a_secret().verdicts[0]
    for path, line, shown in (
        ("values.yaml", f"  password: {_SECRET}", "  password: •"),
        (".env", f"DB_PASSWORD={_SECRET}", "DB_PASSWORD=•"),
        ("Dockerfile", f"ENV PASSWORD={_SECRET}", "ENV PASSWORD=•"),
        ("app.json", f'  "password": "{_SECRET}",', '"password": •'),
        ("notes.txt", f"{_SECRET} is it", "•"),
    ):
        moved = replace(found, location=Location(path, 1, 1, 1, 9), evidence=())
        html = render(replace(_with_a_secret(), verdicts=(moved,), sources={path: {1: line}}, openings={}))
        assert _SECRET not in html
        assert "".join(shown.split()) in "".join(_Outline(html).text.split())


def test_without_snippets_there_is_no_code_and_no_word_of_the_secret() -> None:
    html = render(_with_a_secret(), snippets=False)
    assert _SECRET not in html
    assert "os.environ" not in html
    assert "•" not in _Outline(html).text
    assert "A password is written in the code." in html
    assert "<pre" not in html
    assert "select(Order)" not in render(sample_result(), snippets=False)


def test_no_snippets_is_an_option_of_every_command_that_writes_reports(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json_report.render(sample_result()), encoding="utf-8")
    run = run_assay("convert", "results.json", "-o", "report.html", "--no-snippets", cwd=tmp_path)
    assert run.code == 0, run.err
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert html == render(sample_result(), snippets=False)
    for command in ("scan", "gate"):
        assert "--no-snippets" in run_assay(command, "--help", cwd=tmp_path).out
    run = run_assay("convert", "results.json", "-o", "report.csv", "--no-snippets", cwd=tmp_path)
    assert run.code == 2
    assert "--no-snippets keeps code out of HTML reports, and none is asked for" in run.err


# Style and script as files


def test_with_files_nothing_is_inline_and_the_policy_says_self(tmp_path: Path) -> None:
    html = render(sample_result(), assets=Assets.FILES)
    outline = _Outline(html)
    assert _policy(outline).startswith("default-src 'none'; script-src 'self'; style-src 'self'; ")
    assert "<style" not in html
    assert [s.get("src") for s in outline.all("script")] == [None, "report.js"]
    assert outline.all("script")[0]["type"] == "application/json"
    assert [link["href"] for link in outline.all("link")] == ["report.css"]


def test_assets_files_are_written_beside_the_report(tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(json_report.render(sample_result()), encoding="utf-8")
    (tmp_path / "site").mkdir()
    run = run_assay("convert", "results.json", "-o", "site/index.html", "--assets", "files", cwd=tmp_path)
    assert run.code == 0, run.err
    assert {p.name for p in (tmp_path / "site").iterdir()} == {"index.html", "report.css", "report.js"}
    assert (tmp_path / "site/report.css").read_text(encoding="utf-8") == assets()["report.css"]
    run = run_assay("convert", "results.json", "-f", "html", "--assets", "files", cwd=tmp_path)
    assert run.code == 2
    assert "--assets files writes beside an HTML report" in run.err


def test_the_style_stays_small() -> None:
    assert len(assets()["report.css"].encode()) <= 20 * 1024


# What it says


def test_the_title_is_the_verdict() -> None:
    result = sample_result()
    assert "<title>shop: 2 services, one rated E (19.4), 1 not rated · Assay</title>" in render(result)
    assert "<title>shop: Grade E, 19.4 of 100 · Assay</title>" in render(replace(result, services=result.services[:1]))
    assert "<title>shop: Not rated" in render(replace(result, services=result.services[1:]))


def test_the_verdict_is_the_grade_where_there_is_no_gate(outline: _Outline) -> None:
    assert "2 services, one rated E (19.4), 1 not rated" in outline.text
    assert "open fails: 1 critical, 1 high" in outline.text
    one = _Outline(render(replace(sample_result(), services=sample_result().services[:1])))
    assert "Grade E, 19.4 of 100" in one.text


def test_the_verdict_is_the_gates_word_with_every_condition_and_its_margin(gated: _Outline) -> None:
    assert "✗ Gate failed" in gated.text
    assert "3 of 6 conditions not met." in gated.text
    assert "drop of the overall score of orders ✗ not met 4.6 points ≤ 0.5 points \N{MINUS SIGN}4.1" in gated.text
    assert "coverage of orders ✓ met 96.2 % ≥ 95 % +1.2" in gated.text
    assert "overall score of billing – not applicable – ≥ 10" in gated.text
    assert "OBS101: 1 finding, counts from 2027-03-01" in gated.text


def test_a_gate_that_only_warns_and_one_that_cannot_tell_say_so() -> None:
    result = gated_result()
    assert result.gate is not None
    warns = _Outline(render(replace(result, gate=replace(result.gate, is_enforced=False))))
    assert "! Gate would fail (it only warns)" in warns.text
    untold = replace(result.gate, status=GateStatus.UNTRUSTED, reason="2 files were not read")
    assert "✗ Not a pass 2 files were not read." in _Outline(render(replace(result, gate=untold))).text
    passed = replace(result.gate, status=GateStatus.PASSED, reason="all conditions are met", conditions=())
    assert "✓ Gate passed all conditions are met." in _Outline(render(replace(result, gate=passed))).text


def test_what_changed_since_the_base_is_told(gated: _Outline) -> None:
    assert "Since the base fedcba9, merge base of origin/main" in gated.text
    assert "▼ down 4.6" in gated.text
    assert "What this change has to answer for" in gated.text
    assert "Fixed OBS101 log call in cancel (orders/api.py:40:5)" in re.sub(r"\s*•\s*", " ", gated.text)


def test_the_arithmetic_is_spelt_out(outline: _Outline) -> None:
    assert "(8 × 0.00) / 8 = 0.0 %; a critical fail caps it at 39, which it is below already" in outline.text
    assert "(1 × 0.50 + 2 × 0.00) / 3 = 16.7 %" in outline.text
    assert "(2 × 50.0 + 1 × 16.7 + 3 × 0.0) / 6 = 19.4" in outline.text


def test_an_attestation_names_its_author_its_end_and_its_proof(gated: _Outline) -> None:
    assert "✓ attested by @ops until 2026-12-31: restored every month" in gated.text
    assert {"https://wiki.example/backups"} == {
        a["href"] for a in gated.all("a") if not (a["href"] or "").startswith("#")
    }


def test_a_worst_finding_shows_its_evidence_its_help_and_its_fingerprint(html: str, outline: _Outline) -> None:
    for text in (
        "no limit between query and response",
        "Latency and memory grow with the table",
        "Take a page size with an upper limit",
        "finding a1a1a1a1a1a1",
    ):
        assert text in outline.text
    marked = re.findall(r"<mark>(.*?)</mark>", html)
    assert any("select(Order)" in re.sub("<.*?>", "", text) for text in marked)


def test_a_flow_is_an_ordered_list_of_its_steps_with_their_code(html: str, outline: _Outline) -> None:
    lists = [
        re.findall(r"<li>(.*?)</li>", steps, re.DOTALL) for steps in re.findall(r"<ol>(.*?)</ol>", html, re.DOTALL)
    ]
    shown = [[" ".join(re.sub(r"<.*?>", " ", step).split()) for step in steps] for steps in lists]
    assert [len(steps) for steps in shown] == [4, 2]
    assert shown[0][0] == "orders/api.py:13:15 a client sends name def find_user( name: str ):"
    assert shown[0][1].startswith("orders/naïve dir/&lt;b&gt;50%#1?.py:2:10 put together here: &lt;script&gt;alert(1)")
    assert shown[0][2] == "orders/gone.py:8:5 handed on Größe ✓ 订单 🚚 \ufffdgnirts", (
        "a file that went away has no code"
    )
    assert "<mark>cursor.execute(query)</mark>" in lists[0][3]
    assert "Flow 1 of 2" in outline.text


def test_tables_have_captions_and_scopes(gated: _Outline) -> None:
    assert len(gated.all("table")) == len(gated.all("caption"))
    assert all(cell.get("scope") for cell in gated.all("th"))


def test_what_is_missing_is_told_first(outline: _Outline) -> None:
    assert "Not complete: 2 files could not be read and 1 step crashed." in outline.text


def test_a_scan_without_findings_says_so() -> None:
    text = _Outline(render(replace(sample_result(), verdicts=(), diagnostics=()))).text
    assert "No fail is open: nothing has to be done." in text
    assert "Nothing was found." in text
    assert "Not complete" not in text


def test_a_tree_without_a_service_says_so() -> None:
    text = _Outline(render(replace(sample_result(), services=(), verdicts=()))).text
    assert "No service was found" in text


def test_the_same_result_gives_the_same_bytes(html: str) -> None:
    assert render(sample_result()) == html


# What a better grade needs, and what to do first


def _rule(code: str, severity: Severity) -> RuleInfo:
    return RuleInfo(code, code.lower(), f"{code} is broken.", re.sub(r"\d\d$", "", code), severity, (), "why.", "fix.")


def _principle(
    name: str, rules: tuple[RuleScore, ...], score: float | None = None, cap: int | None = None
) -> PrincipleScore:
    status = PrincipleStatus.NOT_APPLICABLE if score is None else PrincipleStatus.SCORED
    return PrincipleScore(name, f"principle {name}", 1, status, score, cap, rules)


def _scored(principles: list[PrincipleScore], *rules: RuleInfo) -> ScanResult:
    scores = [p.score for p in principles if p.score is not None]
    score = sum(scores) / len(scores) if scores else None
    section = SectionScore("API", "API design", 15, score, tuple(principles))
    grade = (
        "not rated"
        if score is None
        else next(g for low, g in ((90, "A"), (75, "B"), (60, "C"), (40, "D"), (0, "E")) if score >= low)
    )
    service = ServiceResult("orders", ".", (), score, grade, 1.0, (section,), 1, 1)
    sample = sample_result()
    return replace(sample, services=(service,), rules=(*sample.rules, *rules), verdicts=(), diagnostics=())


def test_the_fewest_principles_lead_to_the_next_grade() -> None:
    low, middle, high = (
        _principle("API1", (RuleScore("API101", 1, 1),), 50.0),
        _principle("API2", (RuleScore("API201", 4, 1),), 80.0),
        _principle("API3", (RuleScore("API301", 9, 1),), 90.0),
    )
    rules = (_rule("API101", Severity.LOW), _rule("API201", Severity.LOW), _rule("API301", Severity.LOW))
    text = _Outline(render(_scored([low, middle, high], *rules))).text
    assert "Grade B begins at 75, 1.7 points away: API1 fully kept would bring 16.7 points." in text
    best = _Outline(render(_scored([_principle("API3", (RuleScore("API301", 99, 1),), 99.0)], *rules))).text
    assert "A is the best grade." in best


_RULES = tuple(
    _rule(code, severity)
    for code, severity in (
        ("API101", Severity.HIGH),
        ("API102", Severity.LOW),
        ("API201", Severity.CRITICAL),
        ("SEC101", Severity.MEDIUM),
    )
)
_COUNT = st.integers(0, 3)


@settings(max_examples=60, deadline=None)
@given(st.tuples(*(st.tuples(_COUNT, _COUNT) for _ in _RULES)))
def test_a_gain_is_what_scoring_makes_of_the_mended_code(counts: tuple[tuple[int, int], ...]) -> None:
    """Of a rule's fails turned into passes, and of the principles that lead to the next grade."""
    pattern = sample_result().verdicts[0]
    verdicts = [
        replace(pattern, rule=rule.code, kind=kind, severity=rule.severity, acceptance=None)
        for rule, (passes, fails) in zip(_RULES, counts, strict=True)
        for kind in (*[Kind.PASS] * passes, *[Kind.FAIL] * fails)
    ]
    empty = [
        (name, weight, [_principle(p, ()) for p in ids])
        for name, weight, ids in (("API", 3, ("API1", "API2")), ("SEC", 2, ("SEC1",)))
    ]
    sections = tuple(SectionScore(name, name, weight, None, tuple(principles)) for name, weight, principles in empty)
    before = rescored(ServiceResult("orders", ".", (), None, "", 1.0, sections, 1, 1), _RULES, verdicts)

    def mended(is_mended: Callable[[JudgedVerdict], bool]) -> float:
        after = rescored(before, _RULES, [replace(v, kind=Kind.PASS) if is_mended(v) else v for v in verdicts])
        return (after.score or 0.0) - (before.score or 0.0)

    for rule in _RULES:
        gain = gain_of_rule(before, rule.code, {r.code: r for r in _RULES})
        assert gain == pytest.approx(mended(lambda v, code=rule.code: v.rule == code))  # type: ignore[misc]
    needed = next_grade(before)
    if needed is not None:
        ids = [gain.principle for gain in needed.by]
        assert needed.brought == pytest.approx(mended(lambda v: v.rule[:4] in ids))
        assert needed.brought > needed.missing - 1e-9 > -1e-9


def test_what_mending_a_rule_brings_knows_the_caps() -> None:
    """Two rules of weight 4 and 1: 0.5 and 1.0; mending the first lifts 60 to 100; a high fail had capped it at 79."""
    principle = _principle("API1", (RuleScore("API101", 1, 1), RuleScore("API102", 2, 0)), 60.0, 79)
    result = _scored([principle], _rule("API101", Severity.HIGH), _rule("API102", Severity.LOW))
    fail = replace(sample_result().verdicts[0], rule="API101", kind=Kind.FAIL, severity=Severity.HIGH, acceptance=None)
    text = _Outline(render(replace(result, verdicts=(fail,)))).text
    assert "+40.0 points when mended" in text


def test_what_to_do_first_names_whose_it_is() -> None:
    result = replace(sample_result(), owners={"orders/api.py": ("@orders", "@platform", "@security")})
    assert "first at orders/api.py:15:1 · @orders, @platform and 1 more" in _Outline(render(result)).text


def test_critical_goes_first_then_severity_times_number() -> None:
    codes = {
        "API101": (Severity.LOW, 5),
        "API201": (Severity.HIGH, 1),
        "API301": (Severity.CRITICAL, 1),
        "API401": (Severity.MEDIUM, 3),
    }
    fail = replace(sample_result().verdicts[0], kind=Kind.FAIL, acceptance=None)
    verdicts = tuple(
        replace(fail, rule=code, severity=severity, fingerprint=f"{code}{n}".encode().hex().ljust(32, "0"))
        for code, (severity, number) in codes.items()
        for n in range(number)
    )
    result = _scored([], *(_rule(code, severity) for code, (severity, _) in codes.items()))
    html = render(replace(result, rules=result.rules[-4:], verdicts=verdicts))
    assert re.findall(r'href="#/findings\?kind=fail&amp;rule=(\w+)"', html) == ["API301", "API401", "API101", "API201"]


# Words


@pytest.mark.parametrize(
    ("number", "kind", "words"),
    [
        (1, "LogCall", "1 log call"),
        (2, "RequestBody", "2 request bodies"),
        (2, "Display", "2 displays"),
        (3, "SqlSite", "3 SQL sites"),
        (2, "UrlCredential", "2 URL credentials"),
        (5, "LoggedData", "5 logged data"),
        (2, "CORSPolicy", "2 CORS policies"),
        (2000, "HealthCheck", "2,000 health checks"),
        (2, "log call", "2 log calls"),
    ],
)
def test_subjects_are_called_what_people_call_them(number: int, kind: str, words: str) -> None:
    assert counted(number, kind) == words


def test_what_stands_between_backticks_is_code_and_stays_text() -> None:
    assert prose("take `<b>` from ` & `") == "take <code>&lt;b&gt;</code> from <code> &amp; </code>"
    assert prose("one ` alone") == "one ` alone"
    assert sentence("say it") == "Say it"


# In a browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(gated_result()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def report(page: Page, address: str) -> Iterator[Page]:
    with watched(page):
        page.goto(address)
        yield page


def _open(page: Page, address: str, hash_: str) -> None:
    page.goto("about:blank")
    page.goto(address + hash_)


@in_a_browser
def test_it_opens_in_silence(report: Page) -> None:
    expect(report.get_by_role("heading", level=1)).to_have_text("✗ Gate failed")
    for landmark in ("banner", "main", "navigation", "contentinfo"):
        expect(report.get_by_role(landmark)).to_have_count(1)


@in_a_browser
@pytest.mark.parametrize("hash_", PAGES)
def test_axe_finds_nothing_wrong_in_light_and_dark(page: Page, address: str, hash_: str) -> None:
    with watched(page):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            _open(page, address, hash_)
            page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
            assert violations(page) == []


@in_a_browser
@pytest.mark.parametrize("hash_", PAGES)
def test_a_phone_and_four_hundred_percent_need_no_scrolling_sideways(page: Page, address: str, hash_: str) -> None:
    """320 pixels are 1280 at 400 % zoom."""
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 700})
        _open(page, address, hash_)
        page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
        assert not is_wider_than_screen(page)


@in_a_browser
@pytest.mark.parametrize("hash_", ["#/", "#/principles"])
def test_the_pages_of_one_service_are_as_accessible_and_as_narrow(page: Page, tmp_path: Path, hash_: str) -> None:
    result = gated_result()
    (tmp_path / "report.html").write_text(render(replace(result, services=result.services[:1])), encoding="utf-8")
    address = (tmp_path / "report.html").as_uri()
    with watched(page):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            _open(page, address, hash_)
            page.evaluate("for (const details of document.querySelectorAll('details')) details.open = true")
            assert violations(page) == []
        page.set_viewport_size({"width": 320, "height": 700})
        assert not is_wider_than_screen(page)


@in_a_browser
def test_the_navigation_leads_to_every_page_and_says_where_one_is(report: Page) -> None:
    for name in ("Principles", "Findings", "Review", "Subjects", "Passes", "Accepted", "Coverage", "About", "Overview"):
        link = report.get_by_role("navigation").get_by_role("link", name=name, exact=True)
        link.click()
        expect(link).to_have_attribute("aria-current", "page")
        expect(report.get_by_role("navigation").locator("[aria-current]")).to_have_count(1)
        expect(report.get_by_role("heading", level=1)).to_have_count(1)


@in_a_browser
def test_the_keyboard_alone_reaches_everything_and_focus_can_be_seen(report: Page) -> None:
    report.keyboard.press("Tab")
    expect(report.get_by_role("link", name="Skip to the report")).to_be_focused()
    expect(report.get_by_role("link", name="Skip to the report")).to_be_in_viewport()
    reachable = report.locator("a:visible, button:visible, summary:visible, [tabindex='0']:visible").count()
    seen = set()
    for _ in range(reachable + 5):
        report.keyboard.press("Tab")
        place = report.evaluate(
            """() => {
              const e = document.activeElement;
              if (e === document.body) return null;
              const box = e.getBoundingClientRect();
              return [e.outerHTML.slice(0, 120) + Math.round(box.top + scrollY) + "," + Math.round(box.left),
                      getComputedStyle(e).outlineStyle];
            }"""
        )
        if place is not None:
            assert place[1] != "none", place[0]
            seen.add(place[0])
    assert len(seen) >= reachable - 1, "all but the link that was skipped first"


@in_a_browser
def test_a_page_is_opened_and_left_by_keyboard(report: Page) -> None:
    link = report.get_by_role("navigation").get_by_role("link", name="Principles")
    link.focus()
    report.keyboard.press("Enter")
    expect(report.get_by_role("heading", level=1, name="Principles")).to_be_visible()
    expect(report).to_have_title(re.compile("^Principles · "))
    report.go_back()
    expect(report.get_by_role("heading", level=1)).to_have_text("✗ Gate failed")


@in_a_browser
def test_headings_skip_no_level(report: Page) -> None:
    levels = report.eval_on_selector_all(
        "h1, h2, h3, h4", "all => all.filter(e => e.checkVisibility()).map(e => +e.tagName[1])"
    )
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


@in_a_browser
def test_the_theme_follows_the_system_until_the_button_is_pressed(report: Page) -> None:
    background = "() => getComputedStyle(document.body).backgroundColor"
    light = report.evaluate(background)
    report.emulate_media(color_scheme="dark")
    assert report.evaluate(background) == "rgb(22, 24, 27)"
    button = report.get_by_role("button", name="Dark theme")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert report.evaluate(background) == light
    report.reload()
    assert report.evaluate(background) == light


@in_a_browser
def test_hostile_names_do_not_run(report: Page, address: str) -> None:
    for hash_ in PAGES:
        _open(report, address, hash_)
        assert report.locator("script").count() == 3
        assert report.locator("main b", has_text="50%").count() == 0
    _open(report, address, "#/")
    expect(report.get_by_text(NASTY.partition(" ")[0]).first).to_be_visible()


@in_a_browser
def test_the_policy_stops_a_script_that_gets_in(page: Page, address: str) -> None:
    page.goto(address)
    page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
          document.body.insertAdjacentHTML("beforeend", "<b onclick='window.ran = true' id=trap>x</b>");
          document.getElementById("trap").click();
        }"""
    )
    assert page.evaluate("() => window.ran") is None


@in_a_browser
def test_without_javascript_overview_and_principles_can_be_read(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    expect(page.get_by_text("Without JavaScript this page shows")).to_be_visible()
    expect(page.get_by_role("button")).to_have_count(0)
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_text(
        ["Overview", "Principles", "Changes", "Map"]
    )
    expect(page.get_by_text("put into the text").first).to_be_visible()
    folded = page.locator("[id='/f/c3c3c3c3c3c3'], .finding").last
    folded.locator("summary").click()
    expect(folded.locator("dl")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Principles").click()
    expect(page.get_by_role("heading", level=1, name="Principles")).to_be_in_viewport()
    context.close()


@in_a_browser
def test_paper_has_overview_principles_what_was_accepted_and_the_filtered_findings(page: Page, address: str) -> None:
    for hash_, more in (("#/", 0), ("#/findings?sev=high", 1)):
        _open(page, address, hash_)
        page.emulate_media(media="print", color_scheme="dark")
        page.evaluate("dispatchEvent(new Event('beforeprint'))")
        for heading in ("Gate failed", "Principles", "Accepted"):
            expect(page.get_by_role("heading", level=1, name=heading)).to_be_visible()
        expect(page.get_by_role("heading", level=1, name="Findings")).to_have_count(more)
        expect(page.locator(".finding .body").last).to_be_visible()
        expect(page.locator(".top")).to_be_hidden()
        expect(page.locator(".footnotes li").first).to_have_text("https://wiki.example/backups")
        page.evaluate("dispatchEvent(new Event('afterprint'))")
        expect(page.locator(".footnotes, .printed")).to_have_count(0)
        page.emulate_media(media="screen")


@in_a_browser
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_it_prints_to_pdf(page: Page, address: str, paper: str) -> None:
    _open(page, address, "#/")
    pdf = page.pdf(format=paper)
    assert pdf.startswith(b"%PDF-")
    whole = len(re.findall(rb"/Type\s*/Page\b", pdf))
    _open(page, address, "#/f/b1b1b1b1b1b1")
    assert whole > len(re.findall(rb"/Type\s*/Page\b", page.pdf(format=paper))) > 0


@in_a_browser
def test_style_and_script_as_files_work_from_a_folder(page: Page, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text(render(gated_result(), assets=Assets.FILES), encoding="utf-8")
    for name, text in assets().items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    with watched(page):
        page.goto((tmp_path / "report.html").as_uri())
        expect(page.get_by_role("button", name="Dark theme")).to_be_visible()
        assert page.evaluate("() => getComputedStyle(document.querySelector('.hallmark')).display") == "grid"


@in_a_browser
def test_under_the_policy_of_jenkins_the_first_screen_is_read_with_its_style(page: Page) -> None:
    """Jenkins, "Configuring Content Security Policy": what it sends with every file of a build."""
    policy = "sandbox; default-src 'none'; img-src 'self'; style-src 'self';"
    files = {"report.html": render(gated_result(), assets=Assets.FILES), **assets()}

    def answer(route: Route) -> None:
        name = route.request.url.rpartition("/")[2]
        kind = {"html": "text/html", "css": "text/css", "js": "text/javascript"}[name.rpartition(".")[2]]
        headers = {"Content-Security-Policy": policy, "Content-Type": f"{kind}; charset=utf-8"}
        route.fulfill(body=files[name], headers=headers)

    page.route("**/*", answer)
    page.goto("http://jenkins.test/report.html")
    assert page.locator(".hallmark").first.evaluate("e => getComputedStyle(e).display") == "grid"
    expect(page.get_by_role("heading", level=1, name="Gate failed")).to_be_visible()
    expect(page.get_by_text("put into the text").first).to_be_visible()
    expect(page.get_by_text("Without JavaScript this page shows")).to_be_visible()


def test_the_inventory_has_a_part_for_what_each_rule_judges() -> None:
    kinds = {rule.subject_type.__name__ for rule in load_rulebook(assay.rules).rules}
    assert {kind for kind in kinds if family_of(kind) is Family.OTHER} == set()
