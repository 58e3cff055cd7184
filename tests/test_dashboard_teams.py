"""Teams on the dashboard, what is chosen there kept in the address, and two scans compared."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from assay.reports import json_report
from assay.reports.dashboard import addresses
from assay.reports.dashboard.live import Live
from assay.scanner.history.records import Origin
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
from tests.samples import NASTY, gated_result, sample_result
from tests.test_dashboard import HOSTILE, TODAY, build, page_of, read, scanned, service_of

DAY = timedelta(days=1)
SHOP, SECURITY = "@acme/shop", "@acme/security"


def owned(result: ScanResult, team: str, *owners: str) -> ScanResult:
    """`orders` is the team's, its `api.py` the owners'; `billing` is nobody's."""
    return replace(result, owners={"orders": (team,)} | ({"orders/api.py": owners} if owners else {}))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Two services of the shop's team, two of a hostile name; files of the first are the security team's, too."""
    file = str(tmp_path_factory.mktemp("store") / "history.db")
    sample, gated = sample_result(), gated_result()
    with Store.open(file, json_report, create=True) as store:
        shop, web = Origin("acme/shop", "main", "main"), Origin("acme/web", "main", "main")
        for day, score, grade, api4 in ((50, 78.0, "B", 80.0), (20, 61.0, "C", 50.0)):
            store.add(owned(scanned(sample, day, score, grade, api4=api4), SHOP), shop, TODAY - day * DAY)
        fewer = replace(gated, verdicts=gated.verdicts[1:])
        newest = scanned(fewer, 2, 41.5, "D", "2026.2", api4=39.0)
        store.add(owned(newest, SHOP, SHOP, SECURITY, "@ada"), shop, TODAY - 2 * DAY)
        store.add(owned(scanned(sample, 3, 70.0, "C"), SHOP), web, TODAY - 3 * DAY)
        other = Origin("acme/other", "main", "main")
        store.add(owned(scanned(sample, 1, 95.0, "A"), HOSTILE), other, TODAY - DAY)
        store.add(owned(scanned(sample, 90, 91.0, "A"), HOSTILE), Origin("acme/old", "main", "main"), TODAY - 90 * DAY)
    return file


@pytest.fixture(scope="module")
def site(url: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sites") / "site"
    ended = build(url, folder)
    assert (ended.code, ended.out) == (0, ""), ended.err
    return folder


@pytest.fixture
def shown(page: Page) -> Iterator[Page]:
    with watched(page) as seen:
        yield seen


def spaced(site: Path, address: str) -> str:
    """The page's text with a space between its elements."""
    html = (site / address).read_text(encoding="utf-8")
    text = re.sub(r"<(?:style|script).*?</(?:style|script)>|<[^>]*>", " ", html, flags=re.DOTALL)
    return " ".join(unescape(text).split())


def team_page(team: str) -> str:
    return addresses.team(team)


def compare(url: str, *sides: str) -> str:
    """The page's address; each side is a service's label, and a day after @ where one is meant."""
    named = [(label, f"@{day}" if day else "") for label, _, day in (side.partition("@") for side in sides)]
    first, second = (f"{addresses.name(service_of(url, label))}{day}" for label, day in named)
    return f"compare.html#from={first}&to={second}"


# --- teams ------------------------------------------------------------------------------------------------------------


def test_teams_are_listed_by_name_with_their_figures_and_nobody_is_last(site: Path) -> None:
    links = [a["href"] for tag, a in read(site, "teams.html").tags if tag == "a" and "teams/" in (a.get("href") or "")]
    assert links == [team_page(team) for team in (HOSTILE, SECURITY, SHOP, "")]
    text = spaced(site, "teams.html")
    assert "@acme/shop 2 55.8 2 of 2 1 × C 1 × D 2 2 2 ▼ down 36.5 1 worse" in text
    assert "4 services without an owner" in text
    assert "@ada" not in text


def test_a_team_s_page_tells_what_its_services_share(site: Path) -> None:
    text = spaced(site, team_page(SHOP))
    assert "2 services: 55.8 of 100 on average (36.5 down over 30 days), 2 critical fails open." in text
    assert "API4 Lists are paginated, traffic is limited: fails in 2 of 2 , so mend the template" in text
    assert "acme/other" not in text
    assert "2026-02-27 acme/shop: orders C → D" in text
    assert "2026-01-10" not in text.partition("What changed")[2]


def test_a_team_sees_its_findings_in_a_service_that_is_another_one_s(site: Path) -> None:
    text = read(site, team_page(SECURITY)).text
    assert "No service is theirs" in text
    assert "acme/shop: orders" in text
    assert "SEC101" in text
    assert "OBS101" not in text
    assert "file of" not in text + spaced(site, team_page(SHOP))


def test_a_finding_in_somebody_else_s_file_says_whose_it_is(url: str, tmp_path: Path) -> None:
    with Store.open(str(tmp_path / "h.db"), json_report, create=True) as store:
        store.add(owned(scanned(sample_result(), 1), SHOP, SECURITY), Origin("acme/shop", "main", "main"), TODAY)
    build(str(tmp_path / "h.db"), tmp_path / "site", "--no-reports")
    for address in (team_page(SHOP), page_of(url, "acme/shop: orders")):
        assert f"orders/api.py:15 · since 2026-02-28 · file of {SECURITY}" in spaced(tmp_path / "site", address)


def test_services_that_nobody_owns_are_told_as_such(site: Path, url: str) -> None:
    text = spaced(site, team_page(""))
    assert "No owner 4 services, none of them rated in the last 30 days." in text
    assert "Team no owner" in spaced(site, page_of(url, "acme/shop: billing"))
    assert f"Team {SHOP}" in spaced(site, page_of(url, "acme/shop: orders"))


def test_what_ends_soon_is_on_the_page_of_its_team(url: str, tmp_path: Path) -> None:
    build(url, tmp_path / "site", "--no-reports", "--today", "2026-06-20")
    text = spaced(tmp_path / "site", team_page(SHOP))
    assert "2026-06-30 ! soon acme/shop: orders high API401" in text


def test_how_far_the_log_goes_back_is_said(url: str, tmp_path: Path) -> None:
    build(url, tmp_path / "site", "--no-reports", "--log-days", "10")
    text = read(tmp_path / "site", "changes.html").text
    assert "in the last 10 days" in text
    assert "2026-02-27" in text
    assert "2026-02-09" not in text


# --- comparing --------------------------------------------------------------------------------------------------------


def test_now_against_30_days_ago_is_there_without_a_script(site: Path) -> None:
    text = spaced(site, "compare.html")
    assert "2026-01-10 78.0 2026-02-27 41.5 ▼ down 36.5 4 3 not the same standard: 2026.1 and 2026.2" in text


def test_the_next_day_rewrites_only_what_says_another_thing(url: str, tmp_path: Path) -> None:
    build(url, tmp_path / "site", "--today", "2026-03-03")
    assert "; 0 files written" in build(url, tmp_path / "site", "--today", "2026-03-04").err
    told = build(url, tmp_path / "site", "--today", "2026-03-12").err
    # The shop's first scan of February is now what held 30 days ago: its page, its team's, and the lists.
    assert int(told.partition("; ")[2].split()[0]) <= 6, told


def test_a_comparison_shows_scores_as_all_pages_do(url: str, tmp_path: Path) -> None:
    """74.97 is no 75.0: there another grade begins."""
    with Store.open(str(tmp_path / "h.db"), json_report, create=True) as store:
        store.add(scanned(sample_result(), 1, 74.97, "C"), Origin("acme/shop", "main", "main"), TODAY)
    build(str(tmp_path / "h.db"), tmp_path / "site", "--no-reports")
    data = (tmp_path / "site" / addresses.data(service_of(url, "acme/shop: orders"))).read_text(encoding="ascii")
    assert '"2026-02-28T00:00:00","0000000000",74.9,"C",87.5,' in data
    assert "74.9" in spaced(tmp_path / "site", "compare.html")


def test_histories_are_shown_live_too(url: str) -> None:
    live = Live(lambda: Store.open(url, json_report), 30, snippets=False, clock=lambda: TODAY)
    page, data = live.document("compare.html"), live.document(addresses.data(service_of(url, "acme/shop: orders")))
    live.close()
    assert page is not None
    assert data is not None
    assert "script-src 'strict-dynamic' 'sha256-" in page.policy
    assert data.media_type == "text/javascript"
    told = json.loads(data.body.decode("ascii").partition("] = ")[2].rstrip(";\n"))
    assert [scan[0] for scan in told["scans"]] == ["2026-01-10T00:00:00", "2026-02-09T00:00:00", "2026-02-27T00:00:00"]
    assert told["principles"]["API4"] == [[0, 0, 80.0, 1, 1], [1, 1, 50.0, 1, 1], [2, 2, 39.0, 1, 1]]
    assert not set(data.body.decode("ascii")) & {"\x1b", "\x07"}


# --- in a browser -----------------------------------------------------------------------------------------------------


@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong_with_teams_and_comparisons(site: Path, url: str, shown: Page, scheme: str) -> None:
    shown.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    compared = compare(url, "acme/shop: orders@2026-01-15", "acme/shop: orders")
    for address in ("teams.html", *map(team_page, (SHOP, SECURITY, HOSTILE, "")), "compare.html", f"{compared}&all=1"):
        shown.goto("about:blank")
        shown.goto(f"{site.as_uri()}/{address}")
        if "#" in address:
            expect(shown.get_by_role("heading", name="Figures")).to_be_visible()
        assert violations(shown) == [], address


@in_a_browser
def test_teams_and_comparisons_are_no_wider_than_a_phone(site: Path, url: str, shown: Page) -> None:
    shown.set_viewport_size({"width": 360, "height": 720})
    compared = compare(url, "acme/shop: orders@2026-01-15", "acme/shop: orders")
    for address in ("index.html", "heat-map.html", "teams.html", team_page(SHOP), "compare.html", compared):
        shown.goto("about:blank")
        shown.goto(f"{site.as_uri()}/{address}")
        if "#" in address:
            expect(shown.get_by_role("heading", name="Figures")).to_be_visible()
        assert not is_wider_than_screen(shown), address


@in_a_browser
def test_what_is_chosen_is_in_the_address_and_comes_back(site: Path, shown: Page) -> None:
    shown.goto((site / "index.html").as_uri())
    names = shown.locator("#services tbody tr:visible th")
    expect(names).to_have_count(8)
    shown.get_by_label("Team").select_option(SHOP)
    expect(names).to_have_count(2)
    shown.get_by_role("button", name="Score", exact=True).click()
    expect(names.first).to_have_text("acme/web: orders")
    shown.get_by_label("Name").fill("orders")
    expect(shown).to_have_url(re.compile("#text=orders&team=acme-shop-.*&sort=-Score$"))
    kept = shown.url
    shown.get_by_role("link", name="acme/shop: orders").first.click()
    expect(shown.get_by_role("heading", level=1)).to_have_text("acme/shop: orders")
    shown.go_back()
    expect(shown.get_by_label("Name")).to_have_value("orders")
    expect(names).to_have_count(2)
    expect(names.first).to_have_text("acme/web: orders")
    shown.go_back()
    expect(shown.locator("#services thead [aria-sort]")).to_have_count(0)
    shown.go_back()
    expect(names).to_have_count(8)
    shown.go_forward()
    expect(names).to_have_count(2)
    shown.goto("about:blank")
    shown.goto(kept)
    expect(shown.get_by_label("Team")).to_have_value(addresses.team_name(SHOP))
    expect(names.first).to_have_text("acme/web: orders")


@in_a_browser
def test_the_heat_map_is_narrowed_to_a_team_to_nobody_s_and_to_what_is_stale(site: Path, shown: Page) -> None:
    shown.goto((site / team_page(SHOP)).as_uri())
    shown.get_by_role("link", name="In the heat map").click()
    rows = shown.locator("#heat tbody tr:visible")
    expect(rows).to_have_count(2)
    shown.get_by_label("Team").select_option("no owner")
    expect(rows).to_have_count(4)
    shown.get_by_label("Scanned").select_option("not lately")
    expect(rows).to_have_count(1)
    shown.get_by_label("Team").select_option("all")
    expect(rows).to_have_count(2)
    shown.get_by_label("Grade").select_option("A")
    expect(rows).to_have_count(0)
    expect(shown.locator(".filters output")).to_have_text("0 of 8")
    shown.get_by_label("Scanned").select_option("at any time")
    expect(rows).to_have_count(1)


@in_a_browser
def test_an_address_that_names_what_there_is_not_shows_all(site: Path, shown: Page) -> None:
    shown.goto(f"{(site / 'index.html').as_uri()}#team=gone&grade=Z&sort=Nothing&__proto__=1")
    expect(shown.locator("#services tbody tr:visible")).to_have_count(8)
    expect(shown.get_by_label("Team")).to_have_value("")


@in_a_browser
def test_a_place_in_the_page_leaves_the_table_as_it_is(site: Path, shown: Page) -> None:
    shown.goto(f"{(site / 'index.html').as_uri()}#grade=D")
    expect(shown.locator("#services tbody tr:visible")).to_have_count(1)
    shown.keyboard.press("Tab")
    shown.keyboard.press("Enter")
    assert shown.url.endswith("#main")
    expect(shown.locator("#services tbody tr:visible")).to_have_count(1)


@in_a_browser
def test_two_dates_of_a_service_are_compared(site: Path, url: str, shown: Page) -> None:
    shown.goto((site / "compare.html").as_uri())
    expect(shown.get_by_role("heading", name="Now against 30 days ago")).to_be_visible()
    first, second = shown.get_by_role("group", name="First"), shown.get_by_role("group", name="Second")
    first.get_by_label("Service").select_option("acme/shop: orders")
    expect(second.get_by_label("Service")).to_have_value(addresses.name(service_of(url, "acme/shop: orders")))
    expect(first.get_by_label("Scan")).to_have_value("2026-01-10")
    compared = shown.locator("#compared")
    expect(compared).to_contain_text("Not the same standard: edition 2026.1 and edition 2026.2.")
    expect(compared.get_by_role("row", name="Score 78.0 41.5 down 36.5")).to_be_visible()
    expect(compared.get_by_role("row", name="API4")).to_contain_text("80.0 1 of 2")
    expect(compared.get_by_role("row", name="OBS1")).to_contain_text("OBS102 1 fail → not judged")
    compared.get_by_text("1 fixed").click()
    expect(compared.locator(".items li").first).to_contain_text("OBS102")
    expect(compared.get_by_text("new")).to_have_count(0)
    assert "@2026-01-10&to=acme-shop-orders-" in shown.url
    shown.get_by_role("button", name="Swap").click()
    expect(compared.get_by_role("row", name="Score 41.5 78.0 up 36.5")).to_be_visible()
    expect(compared.get_by_text("1 new")).to_be_visible()
    shown.go_back()
    expect(compared.get_by_role("row", name="Score 78.0 41.5 down 36.5")).to_be_visible()
    first.get_by_label("Scan").select_option("2026-02-09 · 0000000000 · 61.0 C")
    expect(compared.get_by_role("row", name="Score 61.0 41.5 down 19.5")).to_be_visible()
    shown.get_by_label("principles that don't differ, too").check()
    expect(compared.get_by_role("row", name="SEC1")).to_be_visible()


@in_a_browser
def test_two_services_are_compared_by_an_address(site: Path, url: str, shown: Page) -> None:
    shown.goto(f"{site.as_uri()}/{compare(url, 'acme/shop: orders', 'acme/web: orders')}")
    compared = shown.locator("#compared")
    expect(compared.get_by_role("columnheader", name="acme/web: orders 2026-02-26").first).to_be_visible()
    expect(compared.get_by_role("row", name="Score 41.5 70.0 up 28.5")).to_be_visible()
    expect(compared).to_contain_text("Two services have no finding in common")
    expect(shown.get_by_role("heading", name="Now against 30 days ago")).to_be_hidden()


@in_a_browser
def test_a_comparison_is_reached_from_a_service_and_made_by_keys(site: Path, url: str, shown: Page) -> None:
    shown.goto((site / page_of(url, "acme/shop: orders")).as_uri())
    link = shown.get_by_role("link", name="Compare with an earlier scan")
    link.focus()
    shown.keyboard.press("Enter")
    compared = shown.locator("#compared")
    expect(compared.get_by_role("row", name="Score 78.0 41.5")).to_be_visible()
    shown.get_by_role("group", name="Second").get_by_label("Scan").focus()
    shown.keyboard.press("ArrowDown")
    expect(compared.get_by_role("row", name="Score 78.0 61.0")).to_be_visible()
    shown.keyboard.press("ArrowDown")
    expect(compared).to_have_text("The two are one and the same scan.")


@in_a_browser
def test_hostile_text_stays_text_in_a_comparison(site: Path, url: str, shown: Page) -> None:
    shown.goto(f"{site.as_uri()}/{compare(url, 'acme/other: orders', 'acme/shop: orders')}&all=1")
    expect(shown.locator("#compared")).to_contain_text("Input is never code <b>&")
    assert shown.locator("#compared b, #compared img, #compared script").count() == 0
    shown.goto(f"{site.as_uri()}/compare.html#from=../../evil&to=__proto__")
    expect(shown.locator("#compared")).to_be_empty()


@in_a_browser
def test_a_history_that_is_not_there_is_told(url: str, tmp_path: Path, page: Page) -> None:
    build(url, tmp_path / "site", "--no-reports")
    (tmp_path / "site" / addresses.data(service_of(url, "acme/shop: orders"))).unlink()
    page.goto(f"{(tmp_path / 'site').as_uri()}/{compare(url, 'acme/shop: orders', 'acme/web: orders')}")
    expect(page.get_by_role("alert")).to_have_text("The history of acme/shop: orders can't be read.")


@in_a_browser
def test_teams_and_comparisons_are_readable_without_javascript(site: Path, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((site / "compare.html").as_uri())
    expect(page.locator("#now tbody tr")).to_have_count(8)
    expect(page.get_by_role("button", name="Swap")).to_be_hidden()
    page.get_by_role("link", name="Teams").click()
    page.get_by_role("link", name=SHOP).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(SHOP)
    assert NASTY.splitlines()[1] not in page.title()
    context.close()
