"""The pages of the HTML report that the script draws, used in a browser as people use them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from playwright.sync_api import Browser, Page, expect

from assay.reports import csv_report
from assay.reports.html import render
from assay.reports.html.columns import packed
from assay.reports.html.data import MAX_WITH_CODE, embedded
from assay.reports.html.web_links import web_links
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import ScanResult
from benchmarks.large_result import large_result
from tests.browsers import (
    base_url,
    browser_type_launch_args,
    in_a_browser,
    is_wider_than_screen,
    violations,
    watched,
)
from tests.samples import NASTY, NASTY_PATH, gated_result

__all__ = ["base_url", "browser_type_launch_args"]

DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
"""Two frames later, what scrolling has brought about is drawn."""

GONE = """hash => new Promise((done) => {
  if (location.hash === hash) return done();
  addEventListener("hashchange", () => done(), { once: true });
  location.hash = hash;
})"""
"""The report listened first, so it has drawn the page when this is told."""

COMMIT = "0123456789abcdef0123456789abcdef01234567"
INJECTION = "b1" * 6
"""The finding with two flows."""

PAGES = {
    "#/findings": "Findings",
    f"#/f/{INJECTION}": "the path parameter",
    "#/subjects": "Subjects",
    "#/passes": "Passes",
    "#/review": "Review",
    "#/accepted": "Accepted",
    "#/coverage": "Coverage",
    "#/rules": "Rules",
    "#/rules/API401": "API401 unpaginated-list-endpoint",
    "#/p/API4": "API4 Lists are paginated",
    "#/p/SEC1": "SEC1 Input is never code <b>&",
    "#/about": "About this report",
}


def full_result() -> ScanResult:
    """Every state and kind of acceptance, with owners and a repository on the web."""
    result = gated_result()
    scanned = replace(result.scanned, web="https://github.com/acme/shop")
    owners = {"orders/api.py": ("@acme/orders", "ops@acme.example"), NASTY_PATH: ("@acme/orders;rm", "=1+1@x.example")}
    return replace(result, scanned=scanned, owners=owners)


@pytest.fixture(scope="module")
def result() -> ScanResult:
    return full_result()


@pytest.fixture(scope="module")
def address(result: ScanResult, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(result), encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def report(page: Page, address: str) -> Iterator[Page]:
    """The list of findings; afterwards: no dialog, no error, and nothing was asked for."""
    with watched(page):
        page.goto(f"{address}#/findings")
        yield page


def rows(page: Page) -> list[str]:
    """The messages in the list."""
    return page.locator(".finding-row .what > a").all_text_contents()


def go(page: Page, hash_: str) -> None:
    """To another page of the report; afterwards it is drawn."""
    page.evaluate(GONE, hash_)
    expect(page.locator("#app h1")).to_contain_text(PAGES.get(hash_, ""))


def ends(text: str) -> re.Pattern[str]:
    """An address with this end."""
    return re.compile(f"{re.escape(text)}$")


# --- the data ---------------------------------------------------------------------------------------------------------


def test_without_snippets_no_line_of_code_is_in_the_data(result: ScanResult) -> None:
    assert "db.scalars(select(Order))" in embedded(result, snippets=True)
    data = embedded(result, snippets=False)
    assert "db.scalars(select(Order))" not in data
    assert json.loads(data)["note"] == "This report was written without code."


def test_a_report_of_very_many_findings_holds_no_code_and_says_so(
    result: ScanResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MAX_WITH_CODE == 20_000
    monkeypatch.setattr("assay.reports.html.data.MAX_WITH_CODE", 2)
    data = json.loads(embedded(result, snippets=True))
    assert data["note"] == "With more than 2 findings the report holds no code; it names the lines."
    assert data["code"]["text"] == ""


def test_the_same_result_gives_the_same_data(result: ScanResult) -> None:
    assert embedded(result, snippets=True) == embedded(full_result(), snippets=True)


def test_no_character_of_the_tree_acts_in_the_data(result: ScanResult) -> None:
    data = embedded(result, snippets=True)
    assert not set(data) & {"\x1b", "\x07", "\u202e"}
    assert "\\u001b" not in data


@given(st.lists(st.integers(-(2**40), 2**40)))
def test_packed_columns_are_base64_vlq_of_the_differences(column: list[int]) -> None:
    """Read as ECMA-426 says."""
    digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    found, number, rest, shift = [], 0, 0, 0
    for digit in map(digits.index, packed(column)):
        rest |= (digit & 31) << shift
        shift += 5
        if digit < 32:
            number += -(rest >> 1) if rest & 1 else rest >> 1
            found.append(number)
            rest = shift = 0
    assert found == column


@pytest.mark.parametrize(
    ("web", "line"),
    [
        ("https://github.com/acme/shop", f"https://github.com/acme/shop/blob/{COMMIT}/backend/|#L"),
        ("https://gitlab.acme.io/a/b/shop", f"https://gitlab.acme.io/a/b/shop/-/blob/{COMMIT}/backend/|#L"),
        ("https://bitbucket.org/acme/shop", f"https://bitbucket.org/acme/shop/src/{COMMIT}/backend/|#lines-"),
        ("https://codeberg.org/acme/shop", f"https://codeberg.org/acme/shop/src/commit/{COMMIT}/backend/|#L"),
        ("https://git.acme.example/acme/shop", None),
        ("javascript:alert(1)//github.com/a/b", None),
        ("https://github.com/acme/<script>", None),
        ("", None),
    ],
)
def test_lines_are_linked_at_the_web_hosts_that_are_known(result: ScanResult, web: str, line: str | None) -> None:
    links = web_links(replace(result.scanned, web=web))
    assert line == (None if links is None else f"{links.files}|{links.line}")


# --- in a browser -----------------------------------------------------------------------------------------------------


@in_a_browser
@pytest.mark.parametrize("hash_", PAGES)
def test_each_page_has_its_address_its_title_and_its_focus(report: Page, hash_: str) -> None:
    go(report, "#/about" if hash_ != "#/about" else "#/rules")
    go(report, hash_)
    heading = report.locator("#app h1")
    expect(heading).to_be_focused()
    expect(heading).to_be_in_viewport()
    expect(report).to_have_title(re.compile(".+ · .*2 services"))
    current = report.locator(".top a[aria-current=page]")
    above = {"#/f": "#/findings", "#/p": "#/principles"}.get("/".join(hash_.split("/")[:2]), hash_)
    assert current.get_attribute("href") == "/".join(above.split("/")[:2])
    report.reload()
    expect(heading).to_contain_text(PAGES[hash_])


@in_a_browser
@pytest.mark.parametrize("hash_", ["#/f/nothing", "#/rules/NONE1", "#/p/NONE1", "#/f/%E0%A4%A"])
def test_an_address_of_nothing_says_so(report: Page, hash_: str) -> None:
    go(report, hash_)
    expect(report.locator("#app h1")).to_contain_text("No such")


@in_a_browser
def test_a_filter_leaves_what_fits_and_is_the_address(report: Page) -> None:
    expect(report.locator(".shown")).to_have_text("8 findings")
    report.get_by_role("region", name="Filter by verdict").get_by_role("button", name="review").click()
    expect(report.locator(".shown")).to_have_text("2 of 8 findings")
    assert len(rows(report)) == 2
    expect(report).to_have_url(ends("#/findings?kind=review"))
    report.get_by_role("region", name="Filter by service").get_by_role("button", name="billing").click()
    expect(report.locator(".shown")).to_have_text("1 of 8 findings")
    expect(report).to_have_url(ends("#/findings?kind=review&service=billing"))
    report.reload()
    assert len(rows(report)) == 1
    report.go_back()
    expect(report.locator(".shown")).to_have_text("2 of 8 findings")
    report.get_by_role("button", name="Clear filters").click()
    expect(report.locator(".shown")).to_have_text("8 findings")
    expect(report).to_have_url(ends("#/findings"))


@in_a_browser
def test_counts_of_a_facet_are_of_what_all_others_leave(report: Page) -> None:
    severity = report.get_by_role("region", name="Filter by severity")
    severity.get_by_role("button", name="high").click()
    expect(severity.get_by_role("button", name="critical")).to_contain_text("1")
    severity.get_by_role("button", name="critical").click()
    expect(report).to_have_url(ends("sev=high&sev=critical"))
    verdicts = report.get_by_role("region", name="Filter by verdict")
    expect(verdicts.get_by_role("button", name="fail")).to_contain_text("3")


@in_a_browser
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("select(Order)", 1),
        ("NO LIMIT between", 1),
        ("billing/app.py", 1),
        ("find_user sql", 1),
        ("b1b1", 1),
        ("zebra", 0),
    ],
)
def test_the_search_reads_messages_code_evidence_and_places(report: Page, text: str, left: int) -> None:
    report.get_by_role("searchbox").fill(text)
    expect(report.locator(".shown")).to_have_text(f"{left} of 8 findings")
    if not left:
        expect(report.get_by_text("No finding fits.")).to_be_visible()


@in_a_browser
@pytest.mark.parametrize("name", ["rule", "file", "subject", "owner", "service"])
def test_findings_are_grouped(report: Page, name: str) -> None:
    report.get_by_label("Group by").select_option(name)
    expect(report.locator(".group-row").first).to_be_visible()
    expect(report).to_have_url(ends(f"group={name}"))
    assert len(rows(report)) == 8


@in_a_browser
def test_a_finding_says_all_that_is_known_of_it(report: Page) -> None:
    go(report, f"#/f/{INJECTION}")
    app = report.locator("#app")
    expect(app.locator("mark", has_text="name: str").first).to_be_visible()
    expect(app.locator(".note", has_text="comes from the client").first).to_be_visible()
    flow = app.locator(".flow").first
    assert flow.locator("li").count() == 4
    expect(flow.locator("li").last.locator("mark")).to_have_text("cursor.execute(query)")
    for text in ("A client can run any statement.", "Pass the value as a parameter.", "CWE-943", "@acme/orders, ops@"):
        expect(app.get_by_text(text).first).to_be_visible()
    link = app.get_by_role("link", name="orders/api.py:15").first
    assert link.get_attribute("href") == f"https://github.com/acme/shop/blob/{COMMIT}/backend/orders/api.py#L15"
    expect(app.get_by_text(f'assay waive {INJECTION} backend/ --reason "…" --owner @acme/orders')).to_be_visible()


@in_a_browser
def test_nothing_hostile_gets_into_a_command(report: Page) -> None:
    go(report, f"#/f/{'c1' * 6}")
    commands = " ".join(report.locator(".command code").all_text_contents())
    assert "assay waive" in commands
    assert "--owner @team" in commands


@in_a_browser
def test_the_keyboard_alone_does_everything(report: Page) -> None:
    report.keyboard.press("?")
    expect(report.get_by_role("dialog", name="Keys")).to_be_visible()
    report.keyboard.press("Escape")
    expect(report.get_by_role("dialog")).to_have_count(0)
    report.locator("#app h1").focus()
    report.keyboard.press("/")
    expect(report.get_by_role("searchbox")).to_be_focused()
    report.locator("#app h1").focus()
    report.keyboard.press("j")
    report.keyboard.press("j")
    second = report.locator(".finding-row .what > a").nth(1)
    expect(second).to_be_focused()
    message = second.text_content()
    report.keyboard.press("k")
    report.keyboard.press("j")
    report.keyboard.press("Enter")
    assert message is not None
    expect(report.locator("#app h1")).to_have_text(message)
    report.keyboard.press("j")
    expect(report.locator(".beside")).to_contain_text("3 of 8")
    report.keyboard.press("k")
    expect(report.locator("#app h1")).to_have_text(message)
    report.keyboard.press("u")
    expect(report.locator("#app h1")).to_have_text("Findings")


@in_a_browser
def test_what_has_the_focus_shows_it(report: Page) -> None:
    for hash_ in ("#/findings", f"#/f/{INJECTION}"):
        go(report, hash_)
        for _ in range(40):
            report.keyboard.press("Tab")
            has_focus = report.locator(":focus:not(body, main)")
            if has_focus.count():
                assert has_focus.evaluate("e => getComputedStyle(e).outlineStyle") != "none"


@in_a_browser
def test_findings_are_copied_as_markdown(browser: Browser, address: str) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(f"{address}#/findings?sev=critical")
    page.get_by_role("button", name="Copy as Markdown").click()
    expect(page.get_by_role("status").last).to_have_text("Copied 1 finding.")
    text = page.evaluate("() => navigator.clipboard.readText()")
    assert text.startswith("1 finding of Assay at `0123456789ab`:\n\n- **critical** the path parameter \\`name\\`")
    assert "&lt;script&gt;" in text
    assert f"[`orders/api.py:15`](https://github.com/acme/shop/blob/{COMMIT}/backend/orders/api.py#L15)" in text
    context.close()


@in_a_browser
def test_the_csv_of_all_findings_is_that_of_the_csv_report(report: Page, result: ScanResult) -> None:
    with report.expect_download() as download:
        report.get_by_role("button", name="Save as CSV").click()
    assert download.value.suggested_filename == "findings.csv"
    ours = Path(download.value.path()).read_text(encoding="utf-8").replace("\N{SYMBOL FOR LINE FEED}", " ")
    theirs = csv_report.render(result)
    assert ours.splitlines()[0] == theirs.splitlines()[0]
    assert sorted(ours.splitlines()) == sorted(theirs.splitlines())
    assert not re.search(r"(^|,)[=+@-]", ours, re.MULTILINE)


@in_a_browser
@pytest.mark.parametrize(("hash_", "name"), [("#/passes", "passes.csv"), ("#/subjects", "subjects.csv")])
def test_evidence_is_saved_for_an_auditor(report: Page, hash_: str, name: str) -> None:
    go(report, hash_)
    with report.expect_download() as download:
        report.get_by_role("button", name="Save as CSV").click()
    assert download.value.suggested_filename == name
    assert "limited to at most 200" in Path(download.value.path()).read_text(encoding="utf-8") or name != "passes.csv"


@in_a_browser
def test_a_subject_shows_all_verdicts_on_it(report: Page) -> None:
    go(report, "#/subjects")
    subject = report.locator(".thing-row", has_text="GET /orders").first
    expect(subject.get_by_role("link", name="fail API401")).to_be_visible()
    subject.locator("summary").click()
    expect(subject.get_by_text("returns every Order")).to_be_visible()


@in_a_browser
def test_a_principle_shows_its_subjects_and_rules(report: Page) -> None:
    go(report, "#/p/API4")
    row = report.locator(".matrix-row", has_text="GET /orders")
    expect(row.first).to_contain_text("✗")
    expect(report.locator(".matrix-row", has_text="GET /items")).to_contain_text("✓")
    expect(report.locator(".matrix-row", has_text="POST /orders")).to_contain_text("–")
    expect(report.locator("#app")).to_contain_text("= 50.0 %; a high fail caps it at 79, which it is below already")


@in_a_browser
def test_review_says_how_to_answer(report: Page) -> None:
    go(report, "#/review")
    question = report.locator(".question").first
    question.get_by_text("How to answer").click()
    expect(question.get_by_text("# assay: ignore[API401] …")).to_be_visible()
    expect(question.get_by_text('extend-disable = ["API401"]')).to_be_visible()


@in_a_browser
def test_accepted_findings_stand_by_owner_with_their_end(report: Page) -> None:
    go(report, "#/accepted")
    app = report.locator("#app")
    for text in ("@payments", "at most 20 users exist", "2026-06-30", "In the code", "✗ expired 2026-01-28"):
        expect(app.get_by_text(text).first).to_be_visible()


@in_a_browser
def test_coverage_names_what_was_not_read_and_what_to_do(report: Page) -> None:
    go(report, "#/coverage")
    app = report.locator("#app")
    expect(app).to_contain_text("2 files could not be read")
    expect(app).to_contain_text("orders/broken.py:7 unexpected indent")
    expect(app).to_contain_text("declare its encoding")
    app.get_by_role("link", name="1", exact=True).first.click()
    expect(app.locator("h1")).to_have_text("Passes")
    expect(report.locator(".shown")).to_contain_text("1 of")


@in_a_browser
def test_no_page_makes_markup_a_link_or_a_script_of_what_it_shows(report: Page) -> None:
    for hash_ in PAGES:
        go(report, hash_)
        assert report.locator("#app :is(script, img, iframe, object, embed, form[action], style)").count() == 0
        links = report.eval_on_selector_all("#app a", "all => all.map(a => a.getAttribute('href'))")
        assert all(link.startswith(("#/", "https://")) for link in links)
        attributes = report.eval_on_selector_all(
            "#app *", "all => all.flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
        )
        assert attributes == []
    go(report, f"#/f/{INJECTION}")
    expect(report.locator("#app h1")).to_contain_text(NASTY.partition(" ")[0])


@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_nothing_to_say_of_any_page(report: Page, scheme: str) -> None:
    report.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for hash_ in PAGES:
        go(report, hash_)
        assert violations(report) == [], hash_


@in_a_browser
def test_no_page_is_wider_than_a_narrow_screen(report: Page) -> None:
    """WCAG 2.2 §1.4.10: 320 pixels, which is 1280 at 400 % zoom."""
    report.set_viewport_size({"width": 320, "height": 700})
    for hash_ in PAGES:
        go(report, hash_)
        assert not is_wider_than_screen(report), hash_


@in_a_browser
def test_paper_shows_the_whole_list(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(large_result(300, 0)), encoding="utf-8")
    page = browser.new_page()
    page.goto(f"{path.as_uri()}#/findings")
    assert len(rows(page)) < 100
    page.evaluate("() => dispatchEvent(new Event('beforeprint'))")
    assert len(rows(page)) == 300
    page.evaluate("() => dispatchEvent(new Event('afterprint'))")
    assert len(rows(page)) < 100
    page.close()


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("large") / "report.html"
    path.write_text(render(large_result()), encoding="utf-8")
    return path


def test_five_thousand_findings_and_twenty_thousand_other_verdicts_fit_into_three_megabytes(large: Path) -> None:
    assert large.stat().st_size < 3_000_000


@in_a_browser
def test_five_thousand_findings_are_looked_through(page: Page, large: Path) -> None:
    with watched(page):
        page.goto(f"{large.as_uri()}#/findings")
        expect(page.locator(".shown")).to_have_text("5,000 findings")
        table = page.get_by_role("table", name="Findings")
        assert table.get_attribute("aria-rowcount") == "5001"
        assert len(rows(page)) < 60
        page.keyboard.press("End")
        expect(page.locator("[role=row][aria-rowindex='5001']")).to_be_in_viewport()
        assert len(rows(page)) < 120
        page.get_by_role("searchbox").fill("parameter coupon")
        expect(page.locator(".shown")).to_have_text(re.compile(r"^[\d,]+ of 5,000 findings$"))


@in_a_browser
def test_the_way_back_leads_to_the_same_place_in_the_list(page: Page, large: Path) -> None:
    page.goto(f"{large.as_uri()}#/findings")
    for _ in range(4):
        page.evaluate("() => scrollBy({ top: 4000, behavior: 'instant' })")
        page.evaluate(DRAWN)
    # Rows out of sight are taken away as the list is scrolled: only one that is seen stays the same row.
    target = page.evaluate(
        """() => [...document.querySelectorAll(".finding-row .what > a")]
            .find((link) => link.getBoundingClientRect().top > innerHeight / 3).getAttribute("href")"""
    )
    link = page.locator(f".finding-row .what > a[href='{target}']")
    expect(link).to_be_in_viewport()
    message = link.text_content()
    link.click()
    expect(page.locator("#app h1")).to_have_text(str(message))
    page.go_back()
    expect(link).to_be_in_viewport()
    expect(link).to_be_focused()


@in_a_browser
def test_a_report_of_nothing_has_all_its_pages(page: Page, tmp_path: Path, result: ScanResult) -> None:
    path = tmp_path / "report.html"
    nothing = replace(result, verdicts=(), diagnostics=(), sources={}, ignores=(), base=None, gate=None)
    path.write_text(render(nothing), encoding="utf-8")
    with watched(page):
        for hash_, text in (
            ("#/findings", "Nothing was found."),
            ("#/subjects", "There is no subject."),
            ("#/passes", "No verdict fits."),
            ("#/review", "No finding waits for an answer."),
            ("#/accepted", "Attestations"),
            ("#/coverage", "Every file was read, and every rule ran to its end."),
            ("#/p/API4", "No rule judged any subject for it."),
        ):
            page.goto(f"{path.as_uri()}{hash_}")
            expect(page.locator("#app")).to_contain_text(text)


@in_a_browser
def test_a_line_that_is_cut_shows_its_mark(page: Page, tmp_path: Path, result: ScanResult) -> None:
    """Tabs, signs beyond the Basic Multilingual Plane and a long line, all before the evidence."""
    line = "\t" + "🚚" * 5 + "x" * 300 + "TARGET" + "y" * 300
    column = line.index("TARGET") + 1
    at = Location("long.py", 1, column, 1, column + 6)
    finding = replace(result.findings[0], location=at, evidence=(Evidence(at, "here"),), flows=(), fingerprint="f0" * 6)
    path = tmp_path / "report.html"
    path.write_text(render(replace(result, verdicts=(finding,), sources={"long.py": {1: line}})), encoding="utf-8")
    page.goto(f"{path.as_uri()}#/f/{finding.fingerprint}")
    expect(page.locator("#app pre mark")).to_have_text("TARGET")
    assert len(page.locator("#app pre").text_content() or "") < 250
