"""The pages of the HTML report that draw pictures: the map of the services, their history, and what moved."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from assay.reports.html import render
from assay.reports.html.layers import WIDTH, drawn
from assay.reports.html.service_map import MAX_BESIDE, MAX_SERVICES, MapView, service_map
from assay.scanner.history.records import Change, ScanRecord, ServiceHistory, ServiceRecord
from assay.scanner.results import (
    Base,
    BaseKind,
    Connection,
    ConnectionKind,
    Execution,
    RuleScore,
    ScanResult,
)
from assay.scanner.verdicts import Severity
from tests.browsers import (
    base_url,
    browser_type_launch_args,
    in_a_browser,
    is_wider_than_screen,
    violations,
    watched,
)
from tests.repositories import Repository
from tests.running import APP, run_assay
from tests.samples import NASTY, gated_result, sample_result

__all__ = ["base_url", "browser_type_launch_args"]

PAGES = {"#/map": "Map", "#/history": "History", "#/compare": "What moved, and why"}


class _Text(HTMLParser):
    """What a person reads in one section of a report."""

    def __init__(self, html: str, section: str) -> None:
        super().__init__()
        self.text = ""
        found = re.search(rf'<section id="{section}".*?(?=<section id=|<div id="app")', html, re.DOTALL)
        self.is_there = found is not None
        self.feed(found[0] if found else "")
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data


def navigation(html: str) -> list[str]:
    """The names of the pages that there are links to."""
    (links,) = re.findall(r"<nav aria-label=\"Pages of the report\">(.*?)</nav>", html, re.DOTALL)
    return re.findall(r">([^<]+)</a>", links)


def histories() -> tuple[ServiceHistory, ...]:
    """Four scans of `orders`, among which the edition, the configuration and a score changed; one of `billing`."""
    first = datetime(2026, 1, 5, 12, tzinfo=UTC)
    scans = [
        _scan(1, first, score=60.0),
        _scan(2, first + timedelta(days=9), score=64.25, edition="2026.2"),
        _scan(3, first + timedelta(days=20), score=None, edition="2026.2", execution=Execution.DEGRADED),
        _scan(4, first + timedelta(days=30), score=19.4, edition="2026.2", configuration="c1"),
    ]
    changes = tuple(Change(scan, before, (), (), (), ()) for before, scan in zip([None, *scans], scans, strict=False))
    alone = Change(_scan(9, first, service=2, score=None), None, (), (), (), ())
    return (
        ServiceHistory(ServiceRecord(1, "acme/shop", f"orders {NASTY}", "main", ("main",), 4, scans[-1]), changes),
        ServiceHistory(ServiceRecord(2, "acme/shop", "billing", "main", ("main",), 1, alone.scan), (alone,)),
    )


def _scan(
    number: int,
    at: datetime,
    *,
    score: float | None,
    service: int = 1,
    edition: str = "2026.1",
    configuration: str = "",
    execution: Execution = Execution.COMPLETE,
) -> ScanRecord:
    return ScanRecord(
        id=number,
        service=service,
        branch="main",
        commit=f"{number:040x}",
        committed=at,
        stored=at,
        at=at,
        tree="shop",
        prefix="",
        root="orders",
        frameworks=(),
        tool_version="1.2.3",
        edition=edition,
        configuration=configuration,
        execution=execution,
        score=score,
        score_before_waivers=None,
        grade="not rated" if score is None else "E" if score < 40 else "C",
        coverage=1.0,
        files_read=1,
        files_wanted=1,
        fails={Severity.CRITICAL: 1, Severity.HIGH: 2, Severity.MEDIUM: 0, Severity.LOW: 3},
        review=0,
        accepted=0,
        new=None,
        fixed=None,
        gate=None,
        has_report=False,
        team="",
    )


def compared() -> ScanResult:
    """As the sample, with a base at which two more subjects failed API401, and none passed."""
    result = gated_result()
    assert result.base is not None
    orders, billing = result.base.services
    api, *others = orders.sections
    paged, *rest = api.principles
    before = replace(paged, score=12.5, rules=(RuleScore("API401", failed=3, review=1, not_applicable=1, waived=1),))
    old = replace(orders, sections=(replace(api, principles=(before, *rest)), *others))
    gone = replace(billing, name="stock", root="stock")
    return replace(result, base=replace(result.base, services=(old, billing, gone)))


def connected(*services: tuple[str, tuple[Connection, ...]]) -> MapView:
    """The map of these services and no others."""
    pattern = sample_result().services[1]
    found = service_map(
        replace(sample_result(), services=tuple(replace(pattern, name=n, root=n, connections=c) for n, c in services))
    )
    assert found is not None
    return found


def hosts(number: int) -> tuple[Connection, ...]:
    return tuple(Connection(ConnectionKind.HOST, f"host{n:02}.example", "1 call") for n in range(number))


def overlapping(view: MapView) -> list[tuple[str, str]]:
    """The boxes that cover each other, or stand outside of the picture."""
    boxes = view.boxes
    covered = [
        (a.name, b.name)
        for n, a in enumerate(boxes)
        for b in boxes[n + 1 :]
        if a.x < b.x + view.box_width and b.x < a.x + view.box_width and a.y < b.y + b.height and b.y < a.y + a.height
    ]
    outside = [
        (box.name, "outside")
        for box in boxes
        if box.x < 0 or box.y < 0 or box.x + view.box_width > view.width or box.y + box.height > view.height
    ]
    return covered + outside


# --- the map ----------------------------------------------------------------------------------------------------------


def test_where_nothing_is_connected_there_is_no_picture_and_no_page() -> None:
    html = render(sample_result())
    assert "Map" not in navigation(html)
    assert '<svg class="map"' not in html
    assert "Map" in navigation(render(gated_result()))


@pytest.mark.parametrize("number", [1, 2, MAX_BESIDE])
def test_boxes_never_cover_each_other(number: int) -> None:
    view = connected(("orders", hosts(number)))
    assert len(view.boxes) == number + 1
    assert overlapping(view) == []


def test_what_is_too_much_for_a_picture_is_counted_and_stands_in_the_table() -> None:
    view = connected(("orders", hosts(MAX_BESIDE + 15)))
    assert len(view.boxes) == MAX_BESIDE + 1
    assert [box.name for box in view.boxes if box.kind == "more"] == ["and 16 more"]
    assert len(view.rows) == MAX_BESIDE + 15
    many = connected(*((f"service{n:02}", hosts(1)) for n in range(MAX_SERVICES + 7)))
    assert many.left_out == "7 more services"
    assert overlapping(view) == overlapping(many) == []


def test_callers_stand_left_of_what_they_call_even_in_circles() -> None:
    def call(*names: str) -> tuple[Connection, ...]:
        return tuple(Connection(ConnectionKind.SERVICE, name, "1 call") for name in names)

    view = connected(("a", call("b")), ("b", call("c")), ("c", call("a", "d")), ("d", ()))
    places = {box.name: box.x for box in view.boxes}
    assert places["a"] < places["b"] < places["c"] < places["d"]
    assert sorted(line.heads for line in view.lines) == [("end",)] * 3 + [("start",)], "the call that leads back"
    (both,) = connected(("a", call("b")), ("b", call("a"))).lines
    assert sorted(both.heads) == ["end", "start"]


def test_a_service_of_another_report_is_a_box_that_leads_nowhere() -> None:
    """As in a dashboard, which has a report for each service."""
    call = Connection(ConnectionKind.SERVICE, "billing", "2 calls")
    view = connected(("orders", (call,)), ("empty", ()))
    assert [(box.name, box.text, bool(box.address)) for box in view.boxes] == [
        ("empty", "Flask", True),
        ("orders", "5 endpoints · Flask", True),
        ("billing", "2 calls", False),
    ]


def test_lines_tell_what_is_seen_in_code_and_what_only_a_setting_tells() -> None:
    view = connected(
        ("a", (Connection(ConnectionKind.SERVICE, "b", "address in B_API_ADDR"), *hosts(1))),
        ("b", (Connection(ConnectionKind.INFRASTRUCTURE, "db", "postgres:16, compose"),)),
    )
    assert sorted((line.is_dashed, line.heads) for line in view.lines) == [
        (False, ("end",)),
        (True, ()),
        (True, ("end",)),
    ]


_NAMES = st.lists(st.sampled_from([f"n{n}" for n in range(24)]), min_size=2, max_size=24, unique=True)


@settings(max_examples=60, deadline=None)
@given(_NAMES, st.data())
def test_no_drawing_has_boxes_or_lines_on_each_other(names: list[str], data: st.DataObject) -> None:
    """Lines that pass through a column do so between its boxes."""
    column = {name: data.draw(st.integers(0, 3)) for name in names}
    used = sorted(set(column.values()))
    columns = [[name for name in names if column[name] == n] for n in used]
    pairs = [(a, b) for a in names for b in names if column[a] < column[b]]
    edges = data.draw(st.lists(st.sampled_from(pairs), unique=True, max_size=40)) if pairs else []
    drawing = drawn(columns, dict.fromkeys(names, 40), edges)
    spans = {name: (drawing.places[name][1], drawing.places[name][1] + drawing.heights[name]) for name in names}
    for same in columns:
        ordered = sorted(spans[name] for name in same)
        assert all(bottom <= top for (_, bottom), (top, _) in pairwise(ordered))
    for path in drawing.paths.values():
        for y, end in re.findall(r" (-?[\d.]+)H(\d+)", path):
            inside = [
                n for n in names if drawing.places[n][0] + WIDTH == int(end) and spans[n][0] < float(y) < spans[n][1]
            ]
            assert inside == []


def test_names_of_the_tree_stay_text_and_long_ones_are_cut() -> None:
    html = render(gated_result())
    assert "<script>alert(1)</script>" not in html
    text = _Text(html, "map").text
    assert "orders <script>alert(1)</script>" in text
    wide = connected(("注文サービスの非常に長い名前です", hosts(1)), ("W" * 60, hosts(1)))
    assert {box.name for box in wide.boxes} == {"注文サービスの非常に長…", f"{'W' * 19}…", "host00.example"}
    assert any("W" * 60 in box.title for box in wide.boxes)


def test_a_tree_of_services_is_drawn_from_its_code_and_its_deployment(tmp_path: Path) -> None:
    """A call by name, an address in a setting, a database that only compose knows, and a host outside."""
    orders = """
import os
import requests
from fastapi import FastAPI

app = FastAPI()
STOCK = os.environ["STOCK_API_ADDR"]
AUDIT = os.environ["AUDIT_API_ADDR"]


@app.get("/orders")
def orders():
    requests.get("http://billing:8000/bills", timeout=3)
    requests.get("https://api.pay.example/v1/charges", timeout=3)
    return requests.get(f"http://{STOCK}/items", timeout=3).json()
"""
    other = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get('/{0}')\ndef {0}():\n    return []\n"
    files = {
        "orders/main.py": orders,
        "billing/main.py": other.format("bills"),
        "stock/main.py": other.format("items"),
        "compose.yaml": """
services:
  orders: {build: ./orders, depends_on: [db]}
  db: {image: "postgres:16"}
""",
        "orders/Dockerfile": 'FROM python:3.12\nCOPY . .\nCMD ["uvicorn", "main:app"]\n',
        **{f"{name}/requirements.txt": "fastapi\nrequests\n" for name in ("orders", "billing", "stock")},
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    ended = run_assay("scan", ".", "--no-analyzers", "--report", "html=map.html", cwd=tmp_path)
    assert ended.code == 0, ended.err
    text = _Text((tmp_path / "map.html").read_text(encoding="utf-8"), "map").text
    for row in (
        "orders service of this tree billing 1 call",
        "orders service of this tree stock address in STOCK_API_ADDR",
        "orders address in a setting audit address in AUDIT_API_ADDR",
        "orders host that it calls api.pay.example 1 call",
        "orders runs it orders compose, web",
        "orders runs beside it db postgres:16, compose",
    ):
        assert row in text, row


# --- history ----------------------------------------------------------------------------------------------------------


def test_without_a_store_there_is_no_history() -> None:
    html = render(gated_result())
    assert "History" not in navigation(html)
    assert not _Text(html, "history").is_there


def test_the_history_has_a_line_marks_and_every_scan_in_a_table() -> None:
    html = render(gated_result(), history=histories())
    text = _Text(html, "history").text
    assert "acme/shop: orders <script>" in text
    assert "4 scans of main" in text
    assert "2026-01-14 12:00 0000000000000000" not in text, "commits are told by twelve digits"
    assert "2026-01-14 12:00 000000000000 64.2 C ▲ up 4.2 1 / 2 / 0 / 3 0 0 edition 2026.1 → 2026.2" in text
    assert "2026-02-04 12:00 000000000000 19.4 E 1 / 2 / 0 / 3 0 0 another configuration" in text
    assert "not everything was read" in text
    assert len(re.findall(r"<polyline", html)) == 2, "a scan without a score is a gap"
    assert len(re.findall(r'class="edition"', html)) == len(re.findall(r'class="configured"', html)) == 1
    assert "There are not two scans with a score yet." in text


def test_a_scan_that_is_kept_tells_its_history(tmp_path: Path) -> None:
    repository = Repository.new(tmp_path / "shop")
    for text in (APP, f'{APP}\nprint("started")\n'):
        repository.write("app.py", text)
        repository.commit()
        command = ("scan", "--no-analyzers", "--store", "../history.db", "--report", "html=../report.html")
        ended = run_assay(*command, cwd=repository.root)
        assert ended.code == 0, ended.err
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "2 scans of main" in _Text(html, "history").text
    again = run_assay(*command, cwd=repository.root)
    assert again.code == 0, again.err
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == html, "the same scan gives the same bytes"
    gate = ("gate", "--no-analyzers", "--since", "HEAD~1", "--store", "../history.db", "-f", "html")
    judged = run_assay(*gate, cwd=repository.root)
    assert "2 scans of main" in _Text(judged.out, "history").text
    assert {"Changes", "History"} <= set(navigation(judged.out))


# --- what moved -------------------------------------------------------------------------------------------------------


def test_without_a_base_nothing_is_compared() -> None:
    html = render(sample_result())
    assert "Changes" not in navigation(html)
    assert not _Text(html, "compare").is_there


def test_what_moved_is_told_with_its_reasons() -> None:
    text = _Text(render(compared()), "compare").text
    assert "Since the base fedcba9, merge base of origin/main." in text
    assert "orders 24.0 → 19.4 ▼ down 4.6" in text
    assert "12.5 50.0 ▲ up 37.5 API401 pass 0 → 1, fail 3 → 1" in text
    assert "stock it is gone" in text
    assert "1 service with the same verdicts." in text
    assert "New fails 1 critical SEC101 the path parameter name becomes part of the statement" in text
    assert "Fixed 1 low OBS101 an f-string hides the values" in text


def test_a_baseline_has_findings_and_no_scores() -> None:
    baseline = Base(BaseKind.BASELINE, ".assay/baseline.json", None)
    text = _Text(render(replace(compared(), base=baseline)), "compare").text
    assert "It has no scores to compare with, only findings." in text
    assert "No fail is fixed." in text


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(compared(), history=histories()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def report(page: Page, address: str) -> Iterator[Page]:
    with watched(page):
        page.goto(address)
        yield page


@in_a_browser
def test_each_page_is_reached_by_its_link_and_says_where_one_is(report: Page) -> None:
    for name, hash_ in (("Map", "#/map"), ("History", "#/history"), ("Changes", "#/compare")):
        link = report.get_by_role("navigation").get_by_role("link", name=name, exact=True)
        link.click()
        expect(link).to_have_attribute("aria-current", "page")
        expect(report.get_by_role("heading", level=1)).to_have_text(PAGES[hash_])
        expect(report).to_have_title(re.compile(f"^{PAGES[hash_]} · "))


@in_a_browser
@pytest.mark.parametrize("hash_", PAGES)
def test_axe_finds_nothing_wrong_and_narrow_screens_do_not_scroll(page: Page, address: str, hash_: str) -> None:
    with watched(page):
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            page.goto("about:blank")
            page.goto(f"{address}{hash_}")
            expect(page.get_by_role("heading", level=1)).to_have_text(PAGES[hash_])
            assert violations(page) == []
        page.set_viewport_size({"width": 320, "height": 700})
        assert not is_wider_than_screen(page)


@in_a_browser
def test_a_box_leads_to_its_subjects_by_keyboard(report: Page) -> None:
    report.get_by_role("navigation").get_by_role("link", name="Map", exact=True).click()
    expect(report.get_by_role("heading", level=1)).to_be_focused()
    report.keyboard.press("Tab")
    expect(report.get_by_role("region", name="Picture of the services")).to_be_focused()
    report.keyboard.press("Tab")
    box = report.locator("svg.map a").first
    expect(box).to_be_focused()
    assert box.locator("rect").evaluate("e => getComputedStyle(e).strokeWidth") == "2px"
    report.keyboard.press("Enter")
    expect(report.get_by_role("heading", level=1)).to_have_text("Subjects")
    expect(report).to_have_url(re.compile(r"#/subjects\?service="))
    expect(report.locator(".thing-row").first).to_be_visible()


@in_a_browser
def test_texts_fit_into_their_boxes(report: Page) -> None:
    report.get_by_role("navigation").get_by_role("link", name="Map", exact=True).click()
    expect(report.locator("svg.map text").first).to_be_visible()
    too_wide = report.eval_on_selector_all(
        "svg.map svg text", "all => all.filter(e => e.getBBox().x + e.getBBox().width > 216).map(e => e.textContent)"
    )
    assert too_wide == []


@in_a_browser
def test_without_javascript_the_pictures_can_be_seen(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    links = page.get_by_role("navigation").get_by_role("link")
    expect(links).to_have_text(["Overview", "Principles", "Changes", "History", "Map"])
    expect(page.locator("svg.map")).to_be_visible()
    expect(page.locator("svg.trend").first).to_be_visible()
    context.close()


@in_a_browser
def test_paper_has_the_pictures_and_none_is_wider_than_it(report: Page) -> None:
    report.set_viewport_size({"width": 680, "height": 900})
    report.emulate_media(media="print")
    report.evaluate("dispatchEvent(new Event('beforeprint'))")
    for picture in (report.locator("svg.map"), report.locator("svg.trend").first):
        expect(picture).to_be_visible()
        assert picture.evaluate("e => e.getBoundingClientRect().right <= innerWidth")


@in_a_browser
def test_the_page_of_a_rule_says_what_it_judges_and_what_can_be_set(page: Page, address: str) -> None:
    with watched(page):
        page.goto(f"{address}#/rules/API401")
        app = page.locator("#app")
        expect(app).to_contain_text("every endpoint")
        options = app.get_by_role("table", name="Options")
        expect(options.get_by_role("row", name="maximum")).to_have_text("maximum2001000")
        expect(options.get_by_role("row", name="words")).to_have_text('words["page"]the same')
        expect(app).to_contain_text("[rules.API401]")
        expect(app.get_by_role("link", name="CWE-770")).to_be_visible()
        assert violations(page) == []
        page.goto(f"{address}#/rules/OBS101")
        expect(page.locator("#app h1")).to_contain_text("OBS101")
        expect(app.get_by_role("heading", name="Options")).to_have_count(0)


def test_what_a_rule_was_judged_by_is_the_configured_value(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP, encoding="utf-8")
    (tmp_path / "assay.toml").write_text("[rules.API402]\nmaximum = 77\n", encoding="utf-8")
    ended = run_assay("scan", ".", "--no-analyzers", "-f", "html", cwd=tmp_path)
    assert ended.code == 0, ended.err
    assert '["maximum","1000","77"]' in ended.out
