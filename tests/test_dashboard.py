"""The dashboard: a site that is written once, opens from disk, and tells of all services what a store knows."""

from __future__ import annotations

import re
import shutil
import sqlite3
import time
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from assay.reports import json_report
from assay.reports.dashboard import Portfolio, addresses, pages
from assay.scanner.history.records import Origin, ServiceRecord
from assay.scanner.history.store import Store
from assay.scanner.results import ScanResult
from tests.browsers import (  # noqa: F401 - fixtures are found by their names
    base_url,
    browser_type_launch_args,
    in_a_browser,
    is_wider_than_screen,
    violations,
    watched,
)
from tests.running import Ended, run_assay
from tests.samples import NASTY, gated_result, sample_result

TODAY = datetime(2026, 3, 1, tzinfo=UTC)
HOSTILE = "<img src=x onerror=alert(1)>/\x1b[31m../'\"&"
DAY = timedelta(days=1)


def scanned(
    result: ScanResult, day: int, score: float = 50.0, grade: str = "D", edition: str = "2026.1", api4: float = 50.0
) -> ScanResult:
    """The result as if it had been committed so many days before today; API4's score is `api4`."""
    moment = TODAY - day * DAY
    orders, *others = result.services
    sections = tuple(
        replace(s, principles=tuple(replace(p, score=api4) if p.id == "API4" else p for p in s.principles))
        for s in orders.sections
    )
    return replace(
        result,
        edition=edition,
        scanned=replace(result.scanned, commit=f"{day:040x}", committed=f"{moment:%Y-%m-%dT%H:%M:%SZ}"),
        services=(replace(orders, score=score, grade=grade, sections=sections), *others),
    )


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store of a shop that got worse, a repository with a hostile name, and one that nobody scans any more."""
    file = str(tmp_path_factory.mktemp("store") / "history.db")
    sample, gated = sample_result(), gated_result()
    with Store.open(file, json_report, create=True) as store:
        shop = Origin("acme/shop", "main", "main")
        store.add(scanned(sample, 50, 78.0, "B"), shop, TODAY - 50 * DAY)
        store.add(scanned(sample, 20, 61.0, "C", "2026.2"), shop, TODAY - 20 * DAY)
        fewer = replace(gated, verdicts=gated.verdicts[1:])
        store.add(scanned(fewer, 2, 41.5, "D", "2026.2", api4=39.0), shop, TODAY - 2 * DAY)
        store.add(scanned(sample, 3, 95.0, "A"), Origin(HOSTILE, "main", "main"), TODAY - 3 * DAY)
        store.add(scanned(sample, 90, 91.0, "A"), Origin("acme/old", "main", "main"), TODAY - 90 * DAY)
    return file


def build(url: str, folder: Path, *arguments: str) -> Ended:
    today = () if "--today" in arguments else ("--today", f"{TODAY:%Y-%m-%d}")
    return run_assay("dashboard", "build", "--store", url, "-o", folder, *today, *arguments, cwd=folder.parent)


@pytest.fixture(scope="module")
def site(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sites") / "site"
    ended = build(url, folder)
    assert (ended.code, ended.out) == (0, ""), ended.err
    assert "6 services in " in ended.err
    return folder


def service_of(url: str, label: str) -> ServiceRecord:
    with Store.open(url, json_report) as store:
        return next(service for service in store.services() if service.label == label)


def page_of(url: str, label: str) -> str:
    return addresses.service(service_of(url, label))


class _Tags(HTMLParser):
    """Every start tag with its attributes, and the text outside of style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._raw = False
        self.feed(html)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._raw = tag in ("style", "script")

    def handle_endtag(self, tag: str) -> None:
        self._raw = False

    def handle_data(self, data: str) -> None:
        self.text += "" if self._raw else data


def read(site: Path, address: str) -> _Tags:
    return _Tags((site / address).read_text(encoding="utf-8"))


def own_pages(site: Path) -> list[Path]:
    return [file for file in sorted(site.rglob("*.html")) if file.parent.name != "reports"]


# --- what it says -----------------------------------------------------------------------------------------------------


def test_the_first_page_says_in_one_sentence_how_all_stand(site: Path) -> None:
    text = read(site, "index.html").text
    assert "6 services, 2 rated lately: 68.2 of 100 on average" in text
    assert "36.5 down over 30 days" in text
    assert "lowest is acme/shop: orders (D, 41.5)" in text
    assert "2 of 6 services not scanned for 30 days: grey, and in no average." in text
    assert "several editions of the standard (2026.1 and 2026.2)" in text


def test_what_did_not_move_counts_in_the_average_s_change(url: str, tmp_path: Path) -> None:
    build(url, tmp_path / "site", "--today", "2026-05-01", "--stale-days", "400")
    assert "of 100 on average (as 30 days ago)" in read(tmp_path / "site", "index.html").text


def test_a_service_that_was_not_scanned_lately_is_never_green(site: Path, url: str) -> None:
    html = (site / "index.html").read_text(encoding="utf-8")
    (row,) = re.findall(r"<tr[^>]*>(?:(?!</tr>).)*acme/old: orders.*?</tr>", html)
    assert re.match(r'<tr [^>]*class="stale">', row)
    assert "not scanned since" in row
    assert '<span class="date grade">A</span>' in row
    heat = (site / "heat-map.html").read_text(encoding="utf-8")
    (row,) = re.findall(r"<tr[^>]*>(?:(?!</tr>).)*acme/old: orders.*?</tr>", heat)
    assert set(re.findall(r'class="cell ?([a-z]*)"', row)) <= {"stale", ""}
    badge = (site / addresses.badge(service_of(url, "acme/old: orders"))).read_text(encoding="utf-8")
    assert "not scanned since 2025-12-01" in badge


def test_changes_are_told_as_a_person_would(site: Path) -> None:
    text = read(site, "changes.html").text
    assert "acme/shop: orders C → D ▼ worse 61.0 → 41.5 : API4 50.0 → 39.0 in 0000000000" in text.replace(
        "41.5:", "41.5 :"
    )
    assert "edition 2026.2" in text


def test_a_service_s_page_links_to_its_full_report_and_the_findings_in_it(site: Path, url: str) -> None:
    address = page_of(url, "acme/shop: orders")
    report = addresses.report(service_of(url, "acme/shop: orders"))
    links = [a.get("href") or "" for tag, a in read(site, address).tags if tag == "a"]
    assert f"../{report}" in links
    assert any(link.startswith(f"../{report}#/f/") for link in links)
    assert (site / report).is_file()


def test_every_link_leads_to_a_file_of_the_site(site: Path) -> None:
    for file in own_pages(site):
        for tag, attributes in _Tags(file.read_text(encoding="utf-8")).tags:
            link = attributes.get("href")
            if tag != "a" or link is None or link.startswith("#"):
                continue
            path, _, anchor = link.partition("#")
            target = (file.parent / path).resolve()
            assert target.is_file(), (file, link)
            # What is chosen on a page is in its address, too.
            if anchor and not anchor.startswith("/") and "=" not in anchor:
                assert f'id="{anchor}"' in target.read_text(encoding="utf-8"), (file, link)


def test_accepted_debt_is_told_by_owner_and_expiry(site: Path) -> None:
    text = read(site, "accepted.html").text
    assert "accepted finding" in text
    assert "acme/shop: orders" in text


def test_a_rule_s_page_names_the_services_that_fail_it(site: Path) -> None:
    text = read(site, "rules/API401.html").text
    assert "high 2 of 2 services fail, in 2 subjects." in text
    assert "Services that fail" in text
    assert "acme/shop: orders" in text


# --- safety -----------------------------------------------------------------------------------------------------------


def test_hostile_names_and_messages_stay_text(site: Path) -> None:
    for file in own_pages(site):
        html = file.read_text(encoding="utf-8")
        assert not set(html) & {"\x1b", "\x07", "\u202e"}, file
        for tag, attributes in _Tags(html).tags:
            assert tag not in ("img", "iframe", "object", "link", "base"), file
            assert not [name for name in attributes if name.startswith("on") or name in ("style", "src")], file
            assert not (attributes.get("href") or "").startswith(("javascript:", "data:", "http")), file
        assert html.count("<script>") == (3 if file.name == "compare.html" else 2), file
    assert "<img src=x onerror=alert(1)>" in read(site, "index.html").text


def test_what_stands_in_quotation_marks_may_be_a_secret(tmp_path: Path) -> None:
    sample = sample_result()
    told = tuple(replace(verdict, message="built in: 'hunter2'; move it") for verdict in sample.verdicts)
    file = str(tmp_path / "history.db")
    with Store.open(file, json_report, create=True) as store:
        store.add(scanned(replace(sample, verdicts=told), 1), Origin("acme/shop", "main", "main"), TODAY)
    build(file, tmp_path / "site", "--no-reports")
    html = (tmp_path / "site" / page_of(file, "acme/shop: orders")).read_text(encoding="utf-8")
    assert "•••" in html
    assert "hunter2" not in html


def test_names_of_services_are_no_names_of_files(site: Path) -> None:
    for file in site.rglob("*"):
        assert re.fullmatch(r"[A-Za-z0-9._-]+", file.name), file


# --- writing ----------------------------------------------------------------------------------------------------------


def test_only_what_changed_is_written_again(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    build(url, folder)
    before = {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()}
    assert "; 0 files written, 0 removed" in build(url, folder).err
    assert {file: file.stat().st_mtime_ns for file in folder.rglob("*") if file.is_file()} == before
    (folder / "index.html").write_text("spoilt", encoding="utf-8")
    assert "; 1 file written, 0 removed" in build(url, folder).err


def test_pages_of_services_that_are_gone_go(url: str, tmp_path: Path) -> None:
    folder, other = tmp_path / "site", str(tmp_path / "other.db")
    build(url, folder)
    (folder / "notes.txt").write_text("mine", encoding="utf-8")
    with Store.open(other, json_report, create=True) as store:
        store.add(scanned(sample_result(), 1), Origin("acme/shop", "main", "main"), TODAY)
    assert build(other, folder).code == 0
    assert not [file for file in folder.rglob("*") if "old" in file.name]
    assert (folder / page_of(other, "acme/shop: orders")).is_file()
    assert (folder / "notes.txt").is_file()


def test_a_full_report_of_another_version_is_left_out_and_told(url: str, tmp_path: Path) -> None:
    older = tmp_path / "older.db"
    shutil.copyfile(url, older)
    with sqlite3.connect(older) as database:
        for id_, content in database.execute("SELECT id, content FROM assay_reports").fetchall():
            text = zlib.decompress(content).replace(b'"2.0"', b'"1.0"', 1)
            database.execute("UPDATE assay_reports SET content = ? WHERE id = ?", (zlib.compress(text), id_))
    ended = build(str(older), tmp_path / "site")
    assert ended.code == 0
    assert "acme/old: orders gets no full report: " in ended.err
    assert "version 1.0 of the report" in ended.err
    assert "No full report is kept." in read(tmp_path / "site", page_of(url, "acme/old: orders")).text
    assert not (tmp_path / "site" / "reports").exists()


def test_a_service_without_a_grade_is_told_apart_from_one_that_nobody_scans(tmp_path: Path) -> None:
    file = str(tmp_path / "history.db")
    sample = sample_result()
    orders, *others = sample.services
    unrated = replace(sample, services=(replace(orders, grade="not rated", coverage=0.913), *others))
    with Store.open(file, json_report, create=True) as store:
        store.add(unrated, Origin("acme/shop", "main", "main"), TODAY - DAY)
        store.add(sample, Origin("acme/old", "main", "main"), TODAY - 90 * DAY)
    assert build(file, tmp_path / "site").code == 0
    first = read(tmp_path / "site", "index.html").text
    assert "not rated2 not scanned lately2" in first
    assert "2 of 4 services not rated: too little of the code could be judged" in first
    shop = read(tmp_path / "site", page_of(file, "acme/shop: orders")).text
    assert "Not rated: 91.3 % could be judged" in shop


def test_a_folder_of_something_else_is_left_alone(url: str, tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "thesis.txt").write_text("years of work", encoding="utf-8")
    ended = build(url, tmp_path / "site")
    assert (ended.code, ended.out) == (2, "")
    assert "holds other files, and no dashboard" in ended.err
    assert [file.name for file in (tmp_path / "site").iterdir()] == ["thesis.txt"]


def test_a_damaged_marker_is_told(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / ".assay-dashboard.json").write_text("[]", encoding="utf-8")
    ended = build(url, folder)
    assert ended.code == 2
    assert "is damaged" in ended.err


def test_a_marker_can_name_no_file_elsewhere(url: str, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    folder.mkdir()
    (tmp_path / "precious.txt").write_text("mine", encoding="utf-8")
    marker = '{"version": 1, "files": {"../precious.txt": ["", ""], "a/../../precious.txt": ["", ""]}}'
    (folder / ".assay-dashboard.json").write_text(marker, encoding="utf-8")
    assert build(url, folder).code == 0
    assert (tmp_path / "precious.txt").is_file()


def test_a_store_that_is_not_there_is_told_before_anything_is_written(tmp_path: Path) -> None:
    ended = build(str(tmp_path / "none.db"), tmp_path / "site")
    assert (ended.code, ended.out) == (2, "")
    assert not (tmp_path / "site").exists()


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture
def shown(page: Page) -> Iterator[Page]:
    with watched(page) as seen:
        yield seen


@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_any_page(site: Path, url: str, shown: Page, scheme: str) -> None:
    shown.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    several = ("index.html", "heat-map.html", "principles.html", "principles/API4.html", "rules.html")
    more = ("rules/API401.html", "accepted.html", "changes.html", page_of(url, "acme/shop: orders"))
    for address in (*several, *more, page_of(url, "acme/old: orders")):
        shown.goto((site / address).as_uri())
        assert violations(shown) == [], address


@in_a_browser
def test_no_page_is_wider_than_a_phone(site: Path, url: str, shown: Page) -> None:
    shown.set_viewport_size({"width": 360, "height": 720})
    for address in ("index.html", "heat-map.html", "rules.html", "changes.html", page_of(url, "acme/shop: orders")):
        shown.goto((site / address).as_uri())
        assert not is_wider_than_screen(shown), address


@in_a_browser
def test_services_are_sorted_and_narrowed(site: Path, shown: Page) -> None:
    shown.goto((site / "index.html").as_uri())
    names = shown.locator("#services tbody tr:visible th")
    shown.get_by_role("button", name="Score", exact=True).click()
    expect(names.first).to_contain_text("onerror")
    shown.get_by_role("button", name="Score", exact=True).click()
    expect(shown.locator("#services thead [aria-sort=ascending]")).to_have_text("Score")
    shown.get_by_label("Name").fill("acme orders")
    expect(names).to_have_count(2)
    shown.get_by_role("combobox", name="Grade").select_option("D")
    expect(names).to_have_count(1)
    expect(names.first).to_have_text("acme/shop: orders")


@in_a_browser
def test_the_heat_map_is_walked_by_keys(site: Path, shown: Page) -> None:
    shown.goto((site / "heat-map.html").as_uri())
    cells = shown.locator("#heat tbody td a")
    cells.first.focus()
    expect(shown.locator("#pointed")).to_contain_text("API")
    shown.keyboard.press("ArrowDown")
    assert shown.evaluate("document.activeElement.closest('tr').rowIndex") > 1
    shown.keyboard.press("Enter")
    shown.wait_for_url("**/services/*.html#*")
    shown.keyboard.press("Tab")


@in_a_browser
def test_all_is_readable_without_javascript(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "index.html").as_uri())
    expect(page.locator("#services tbody tr")).to_have_count(6)
    expect(page.get_by_label("Name")).to_be_hidden()
    page.get_by_role("link", name="acme/shop: orders").first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("acme/shop: orders")
    context.close()


@in_a_browser
def test_acceptance_16_a_dashboard_of_200_services_opens_from_file(url: str, tmp_path: Path, shown: Page) -> None:
    with Store.open(url, json_report) as store:
        known = Portfolio.read(store, TODAY, 30)
    one = next(service for service in known.services if service.label == "acme/shop: orders")
    numbers = range(1, 201)
    principles = known.principles[one.id]
    wide = tuple(replace(p, id=f"{p.id}{n}") for n in range(8) for p in principles)[:40]
    many = replace(
        known,
        services=tuple(replace(one, id=n, repository=f"acme/service-{n}") for n in numbers),
        standard=replace(known.standard, principles=wide),
        principles=dict.fromkeys(numbers, wide),
        sections=dict.fromkeys(numbers, known.sections[one.id]),
        scans=dict.fromkeys(numbers, known.scans[one.id]),
        rules={},
        findings={},
        changes={},
        principle_periods={},
    )
    for address, draw in pages(many, {}).items():
        file = tmp_path / address
        file.parent.mkdir(exist_ok=True)
        file.write_text(draw(), encoding="utf-8")
    for address, rows in (("index.html", "#services tbody tr"), ("heat-map.html", "#heat tbody tr")):
        start = time.perf_counter()
        shown.goto((tmp_path / address).as_uri())
        expect(shown.locator(rows)).to_have_count(200)
        assert time.perf_counter() - start < 5, address
    shown.locator("#heat tbody td a").nth(300).click()
    expect(shown.get_by_role("heading", level=1)).to_contain_text("acme/service-")
    assert NASTY.splitlines()[1] not in shown.title()
