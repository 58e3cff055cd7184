"""The dashboard, live: served while scans arrive, to those who may read it, whatever becomes of the store."""

from __future__ import annotations

import html
import http.client
import json
import os
import re
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from assay.reports import json_report
from assay.reports.dashboard import addresses
from assay.reports.dashboard.live import Live
from assay.reports.dashboard.live import pages as kept_pages
from assay.scanner.history.records import Origin, StoreError
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
from tests.databases import Server, postgresql_server
from tests.running import TIMEOUT, interrupt, run_assay, start
from tests.samples import gated_result, sample_result

NOW = datetime.now(UTC).replace(microsecond=0)
DAY = timedelta(days=1)
SHOP = Origin("acme/shop", "main", "main")
HOSTILE = Origin("<img src=x onerror=alert(1)>/\x1b[31m'\"&", "main", "main")


def scanned(days_ago: int, score: float = 50.0, result: ScanResult | None = None) -> ScanResult:
    sample = result or sample_result()
    orders, *others = sample.services
    moment = NOW - days_ago * DAY
    commit = replace(sample.scanned, commit=f"{days_ago:040x}", committed=f"{moment:%Y-%m-%dT%H:%M:%SZ}")
    return replace(sample, scanned=commit, services=(replace(orders, score=score, grade="C"), *others))


def of_orders(result: ScanResult) -> ScanResult:
    """Of that service alone."""
    verdicts = tuple(v for v in result.verdicts if v.service == result.services[0].name)
    return replace(result, services=result.services[:1], verdicts=verdicts)


def fill(url: str) -> None:
    with Store.open(url, json_report, create=True) as store:
        store.add(scanned(50, 78.0), SHOP, NOW - 50 * DAY)
        store.add(scanned(2, 61.0, gated_result()), SHOP, NOW - 2 * DAY)
        store.add(scanned(40), HOSTILE, NOW - 40 * DAY)


def add(url: str, result: ScanResult, origin: Origin = SHOP) -> int:
    with Store.open(url, json_report) as store:
        return store.add(result, origin, datetime.now(UTC))[0]


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[[], Server]]:
    with ExitStack() as stack:
        running: list[Server] = []

        def server() -> Server:
            if not running:
                running.append(stack.enter_context(postgresql_server()))
            return running[0]

        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, started: Callable[[], Server]) -> Iterator[str]:
    """A store with some scans."""
    with ExitStack() as stack:
        sqlite = str(tmp_path / "history.db")
        named = sqlite if request.param == "sqlite" else stack.enter_context(started().database())
        fill(named)
        yield named


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Served:
    """A dashboard that is served; `told` is what it said on standard error when it began."""

    url: str
    told: str

    def ask(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Underscores in the names of headers are hyphens. The path is sent as it is."""
        host, port = urlsplit(self.url).hostname, urlsplit(self.url).port
        assert host is not None
        connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, headers=given)
            response = connection.getresponse()
            named = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, named, response.read().decode())
        finally:
            connection.close()

    def news(self, page: str) -> str:
        """What a page that is open is told."""
        found = re.search(r'data-news="([^"]*)"', page)
        assert found is not None
        answer = self.ask(f"/{html.unescape(found[1]).removeprefix('../')}")
        assert answer.status == 200
        return str(json.loads(answer.body)["text"])


@contextmanager
def served(url: str, cwd: Path, *arguments: str) -> Iterator[Served]:
    """Until it is interrupted, which is the usual end."""
    process = start("dashboard", "serve", "--store", url, "--port", "0", *arguments, cwd=cwd)
    try:
        assert process.stderr is not None
        told = process.stderr.readline().decode()
        found = re.search(r"at (http://\S+/);", told)
        assert found is not None, told + process.stderr.read().decode()
        if "0.0.0.0" in told:
            told += process.stderr.readline().decode()
        yield Served(found[1].replace("0.0.0.0", "127.0.0.1"), told)
        interrupt(process)
        out, err = process.communicate(timeout=TIMEOUT)
        assert (process.returncode, out, err.decode()) == (0, b"", "")
    finally:
        process.kill()
        process.communicate()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> str:
    """One that no test adds to."""
    file = str(tmp_path_factory.mktemp("store") / "history.db")
    fill(file)
    return file


@pytest.fixture(scope="module")
def dashboard(store: str) -> Iterator[Served]:
    with served(store, Path(store).parent) as running:
        yield running


def live_of(url: str, *, snippets: bool = True) -> Live:
    return Live(lambda: Store.open(url, json_report, patience=1), 30, snippets=snippets, clock=lambda: NOW)


def main_of(page: str) -> str:
    found = re.search("<main.*</main>", page, re.DOTALL)
    assert found is not None
    return found[0]


# --- the same site ----------------------------------------------------------------------------------------------------


def test_each_page_is_that_of_the_static_site_at_the_same_address(
    dashboard: Served, store: str, tmp_path: Path
) -> None:
    assert run_assay("dashboard", "build", "--store", store, "-o", tmp_path / "site", cwd=tmp_path).code == 0
    files = [file for file in sorted((tmp_path / "site").rglob("*")) if file.is_file() and file.name[0] != "."]
    assert len(files) > 30
    for file in files:
        address = file.relative_to(tmp_path / "site").as_posix()
        answer, written = dashboard.ask(f"/{address}"), file.read_text(encoding="utf-8")
        assert answer.status == 200, address
        if file.suffix == ".html" and "<main" in written:
            assert main_of(answer.body) == main_of(written), address
        else:
            assert answer.body == written, address
    assert dashboard.ask("/").body == dashboard.ask("/index.html").body


def test_a_static_page_has_nothing_of_a_live_one(store: str, tmp_path: Path) -> None:
    run_assay("dashboard", "build", "--store", store, "-o", tmp_path / "site", "--no-reports", cwd=tmp_path)
    for file in (tmp_path / "site").rglob("*.html"):
        written = file.read_text(encoding="utf-8")
        for mark in ("news.json", "connect-src", "stream", "fetch("):
            assert mark not in written, (file, mark)


def test_the_full_report_is_drawn_when_it_is_asked_for(store: str) -> None:
    with Store.open(store, json_report) as opened:
        orders = next(s for s in opened.services() if s.label == "acme/shop: orders")
        result = opened.report(orders.latest.id)
    assert result is not None
    secret = "cursor.execute"
    live, without = live_of(store), live_of(store, snippets=False)
    shown, hidden = live.document(addresses.report(orders)), without.document(addresses.report(orders))
    assert shown is not None
    assert hidden is not None
    assert secret.encode() in shown.body
    assert secret.encode() not in hidden.body
    assert live.document(addresses.report(orders)) is shown
    live.close()
    without.close()


# --- what is new ------------------------------------------------------------------------------------------------------


def test_a_scan_is_shown_as_soon_as_it_is_there(url: str, tmp_path: Path) -> None:
    with served(url, tmp_path) as dashboard:
        page = dashboard.ask("/").body
        assert dashboard.news(page) == ""
        add(url, of_orders(scanned(0, 12.3)))
        after = dashboard.ask("/").body
        assert "12.3" in after
        assert "12.3" not in page
        assert dashboard.news(page) == "1 new scan: acme/shop: orders."
        assert dashboard.news(after) == ""


def test_what_is_read_at_one_moment_fits_together_whatever_comes_meanwhile(url: str) -> None:
    with Store.open(url, json_report) as store:
        with store.at_one_moment() as then:
            marks, services = then.marks(), then.services()
            add(url, scanned(1, 12.3))
            assert (then.marks(), then.services()) == (marks, services)
        assert store.marks() != marks
        assert store.services() != services


def test_what_is_kept_is_brought_up_to_date_as_if_all_were_read_anew(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # However many services changed, each is asked for.
    monkeypatch.setattr(kept_pages, "_FEW", 100)
    live = live_of(url)
    feature = replace(SHOP, branch="feature")
    edition = replace(scanned(1, 55.0), edition="2026.9")

    def prune(reports: int) -> None:
        with Store.open(url, json_report) as store:
            store.prune(reports=reports)

    def remove(scan: int) -> None:
        with Store.open(url, json_report) as store:
            store.remove([scan])

    def forget(repository: str) -> None:
        with Store.open(url, json_report) as store:
            gone = [service.id for service in store.services() if service.repository == repository]
            store.remove(scan.id for id_ in gone for scan in store.scans(id_))

    steps: list[Callable[[], object]] = [
        lambda: None,
        lambda: add(url, of_orders(scanned(1, 40.0))),
        lambda: add(url, of_orders(scanned(1, 41.0))),
        lambda: add(url, scanned(30, 70.0)),
        lambda: add(url, scanned(0, 20.0, gated_result()), feature),
        lambda: add(url, scanned(3), Origin("acme/new", "main", "main")),
        lambda: forget("acme/new"),
        lambda: add(url, edition),
        lambda: prune(0),
        lambda: remove(add(url, of_orders(scanned(0, 90.0)))),
    ]
    for step in steps:
        step()
        anew = live_of(url)
        live.refresh()
        anew.refresh()
        assert live._site is not None
        assert anew._site is not None
        assert live._site.reports == anew._site.reports
        assert live._site.drawn.keys() == anew._site.drawn.keys()
        for address, draw in anew._site.drawn.items():
            assert live._site.drawn[address]() == draw(), address
        anew.close()
    live.close()


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (lambda url: add(url, scanned(1)), "2 new scans: acme/shop: billing and acme/shop: orders."),
        (lambda url: add(url, of_orders(scanned(2, 62.0))), "1 new scan: acme/shop: orders."),
        (lambda url: add(url, scanned(1), replace(SHOP, branch="feature")), ""),
        (
            lambda url: [add(url, of_orders(scanned(1)), Origin(f"a/{name}", "main", "main")) for name in "cdeba"],
            "5 new scans: a/a: orders, a/b: orders, a/c: orders and 2 other services.",
        ),
    ],
    ids=["two services", "the same commit again", "another branch", "many"],
)
def test_news_are_told_in_a_sentence(happens: Callable[[str], object], told: str, tmp_path: Path) -> None:
    file = str(tmp_path / "history.db")
    fill(file)
    live = live_of(file)
    live.refresh()
    assert live._site is not None
    seen = live._site.state.id
    happens(file)
    live.refresh()
    assert live.news(seen) == told
    assert live.news("of another time") == "The store has changed."
    live.close()


def test_after_it_was_started_again_a_page_is_told_only_what_changed(tmp_path: Path) -> None:
    file = str(tmp_path / "history.db")
    fill(file)
    with served(file, tmp_path) as first:
        page = first.ask("/").body
    with served(file, tmp_path) as second:
        second.ask("/")
        assert second.news(page) == ""
        add(file, scanned(1))
        second.ask("/")
        assert second.news(page) == "2 new scans: acme/shop: billing and acme/shop: orders."
    with served(file, tmp_path) as third:
        assert third.news(page) == "The store has changed."


# --- answers ----------------------------------------------------------------------------------------------------------

ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}


@pytest.mark.parametrize("path", ["/", "/heat-map.html", "/news.json", "/none.html", "/a/b/c"])
def test_every_answer_says_what_protects_its_reader(dashboard: Served, path: str) -> None:
    answer = dashboard.ask(path)
    assert answer.headers.items() >= ALWAYS.items()
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert policy.endswith("; frame-ancestors 'none'")
    assert "unsafe" not in policy
    meta = re.search('Content-Security-Policy" content="([^"]*)"', answer.body)
    assert meta is None or f"{html.unescape(meta[1])}; frame-ancestors 'none'" == policy
    assert "server" not in answer.headers


def test_a_badge_may_be_shown_elsewhere(dashboard: Served, store: str) -> None:
    with Store.open(store, json_report) as opened:
        address = addresses.badge(opened.services()[0])
    answer = dashboard.ask(f"/{address}")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; base-uri")


def test_head_says_what_get_would(dashboard: Served) -> None:
    got, head = dashboard.ask("/rules.html"), dashboard.ask("/rules.html", "HEAD")
    assert (head.status, head.body) == (200, "")
    assert head.headers | {"date": ""} == got.headers | {"date": ""}
    assert int(head.headers["content-length"]) == len(got.body.encode())


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"])
def test_it_can_only_be_read(dashboard: Served, method: str) -> None:
    answer = dashboard.ask("/index.html", method)
    assert answer.status == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}
    assert "The dashboard can only be read." in answer.body


def test_what_a_browser_has_is_not_sent_again(dashboard: Served) -> None:
    tag = dashboard.ask("/").headers["etag"]
    again = dashboard.ask("/", If_None_Match=f'"other", W/{tag}')
    assert (again.status, again.body, again.headers["etag"]) == (304, "", tag)
    assert "content-security-policy" in again.headers
    assert dashboard.ask("/", If_None_Match='"other"').status == 200


@pytest.mark.parametrize(
    ("path", "home"),
    [
        ("/none.html", "index.html"),
        ("/services/none.html", "../index.html"),
        ("/a%2Fb/c/d", "../../index.html"),
        ("/../../../../etc/passwd", "../../../../../index.html"),
        ("/%2e%2e/%2e%2e/etc/passwd", "../../../index.html"),
        ("/services/..%5c..%5cwin.ini", "../index.html"),
        ("/.assay-dashboard.json", "index.html"),
        ("/%00%ff%1b[31m", "index.html"),
    ],
)
def test_what_is_not_there_is_told_with_the_way_home(dashboard: Served, path: str, home: str) -> None:
    answer = dashboard.ask(path)
    assert answer.status == 404
    assert "There is no such page." in answer.body
    assert f'<a href="{home}">All services</a>' in answer.body
    assert "etc" not in main_of(answer.body)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "localhost.", "[::2]", "", "a b"])
def test_a_name_that_is_not_its_own_is_refused(dashboard: Served, host: str) -> None:
    for path in ("/", "/news.json?seen=1"):
        answer = dashboard.ask(path, Host=host)
        assert answer.status == 400
        assert "acme" not in answer.body


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8711", "127.0.0.1:80"])
def test_its_own_names_are_known(dashboard: Served, host: str) -> None:
    assert dashboard.ask("/", Host=host).status == 200


def test_a_proxy_s_name_can_be_allowed(store: str, tmp_path: Path) -> None:
    with served(store, tmp_path, "--allow-host", "scores.example.org") as dashboard:
        assert dashboard.ask("/", Host="scores.example.org").status == 200
        assert dashboard.ask("/", Host="localhost").status == 200
        assert dashboard.ask("/", Host="example.org").status == 400


def test_an_address_that_others_reach_is_said_to_have_no_sign_in(store: str, tmp_path: Path) -> None:
    with served(store, tmp_path, "--host", "0.0.0.0") as dashboard:
        assert "there is no sign-in: everyone who reaches this address can read the dashboard" in dashboard.told
        assert dashboard.ask("/", Host="scores.example.org").status == 200


def test_hostile_names_stay_text(dashboard: Served, store: str) -> None:
    for path in ("/", "/heat-map.html", "/changes.html"):
        body = dashboard.ask(path).body
        assert "<img" not in body
        assert "&lt;img src=x" in body
        assert not set(body) & {"\x1b", "\x07"}


# --- what becomes of the store ----------------------------------------------------------------------------------------


def test_a_store_that_went_away_is_told_until_it_is_back(tmp_path: Path) -> None:
    file, other = tmp_path / "history.db", tmp_path / "other.db"
    fill(str(file))
    with served(str(file), tmp_path) as dashboard:
        page = dashboard.ask("/").body
        file.rename(other)
        gone = dashboard.ask("/services/none.html")
        assert gone.status == 503
        assert int(gone.headers["retry-after"]) > 0
        assert f"The store can&#39;t be read at the moment. there is no store {file}" in main_of(gone.body)
        assert "Try again" in gone.body
        assert dashboard.ask("/news.json?seen=1").status == 503
        assert not file.exists()
        # What lies there now is another one.
        fill(str(file))
        add(str(file), of_orders(scanned(1, 12.3)))
        other.unlink()
        deadline = datetime.now(UTC) + timedelta(seconds=20)
        while (back := dashboard.ask("/")).status != 200:
            assert datetime.now(UTC) < deadline
        assert "12.3" in back.body
        assert dashboard.news(page) != ""


def test_what_is_no_store_any_more_is_told(tmp_path: Path) -> None:
    file = tmp_path / "history.db"
    fill(str(file))
    with served(str(file), tmp_path) as dashboard:
        assert dashboard.ask("/").status == 200
        file.unlink()
        file.write_bytes(b"spoilt" * 1000)
        answer = dashboard.ask("/")
        assert answer.status == 503
        assert "it is no store of Assay" in main_of(answer.body)


def test_a_file_that_is_told_never_to_change_is_read_again_when_it_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = str(tmp_path / "history.db")
    fill(file)

    def opened() -> Store:
        with monkeypatch.context() as in_a_folder_that_is_not_ours:
            in_a_folder_that_is_not_ours.setattr(os, "access", lambda *_: False)
            return Store.open(file, json_report)

    live = Live(opened, 30, snippets=True)
    before = live.document("index.html")
    add(file, of_orders(scanned(0, 12.3)))
    after = live.document("index.html")
    assert before is not None
    assert after is not None
    assert b"12.3" not in before.body
    assert b"12.3" in after.body
    live.close()


def test_a_store_that_others_hold_keeps_nobody_waiting_for_long(started: Callable[[], Server]) -> None:
    with started().database() as url:
        fill(url)
        live = live_of(url)
        live.refresh()
        with Store.open(url, json_report) as other, other.database.writing() as connection:
            connection.execute(text("LOCK TABLE assay_scans IN ACCESS EXCLUSIVE MODE"))
            with pytest.raises(StoreError, match="somebody else has been writing to it for 1 seconds"):
                live.document("index.html")
        live.close()


def test_a_locked_file_keeps_nobody_waiting_for_long(tmp_path: Path) -> None:
    file = str(tmp_path / "history.db")
    fill(file)
    live = live_of(file)
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("PRAGMA locking_mode = EXCLUSIVE")
    holder.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(StoreError, match="somebody else has been writing to it for 1 seconds"):
            live.document("index.html")
    finally:
        holder.close()
    live.close()


def test_a_report_of_another_version_is_told(tmp_path: Path) -> None:
    file = str(tmp_path / "history.db")
    fill(file)
    with Store.open(file, json_report) as opened:
        address = addresses.report(opened.services()[0])
        with opened.database.writing() as connection:
            # {} as zlib compresses it
            connection.execute(text("UPDATE assay_reports SET content = x'789cabae0500017500f9'"))
    with served(file, tmp_path) as dashboard:
        answer = dashboard.ask(f"/{address}")
        assert answer.status == 500
        assert "The full report can&#39;t be read" in answer.body
        assert "it is no JSON report of Assay" in answer.body


# --- messages ---------------------------------------------------------------------------------------------------------


def refused(url: str, cwd: Path, *arguments: str, **environment: str) -> str:
    ended = run_assay("dashboard", "serve", "--store", url, *arguments, cwd=cwd, environment=environment)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.count("\n") == 1, ended.err
    return ended.err


def test_a_port_in_use_is_told(store: str, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = refused(store, tmp_path, "--port", port)
    assert f"port {port} is in use by another program; name another one with --port; 0 takes any that is free" in told


@pytest.mark.parametrize(
    ("host", "told"),
    [
        ("no such host", "there is no address 'no such host'"),
        ("", "there is no address ''"),
        ("203.0.113.7", "203.0.113.7 is no address of this machine"),
        ("\x1b[31m", "there is no address"),
    ],
)
def test_an_address_that_is_not_there_is_told(store: str, tmp_path: Path, host: str, told: str) -> None:
    assert told in refused(store, tmp_path, "--host", host, "--port", "0")


def test_a_store_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "there is no store none.db" in refused("none.db", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_what_is_to_be_installed_is_told(store: str, tmp_path: Path, missing: str) -> None:
    text = f"raise ModuleNotFoundError('No module named {missing}', name='{missing}')"
    (tmp_path / f"{missing}.py").write_text(text, encoding="utf-8")
    told = refused(store, tmp_path, "--port", "0", PYTHONPATH=str(tmp_path))
    assert told == f"assay: the live dashboard takes {missing}: pip install 'assay[serve]'\n"


def test_ctrl_c_ends_it_while_somebody_is_connected(store: str, tmp_path: Path) -> None:
    with ExitStack() as stack:
        dashboard = stack.enter_context(served(store, tmp_path))
        address = urlsplit(dashboard.url)
        idle = stack.enter_context(socket.create_connection((address.hostname, address.port)))
        idle.sendall(b"GET / HTTP/1.1\r\n")


# --- in a browser -----------------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path: Path) -> str:
    """A store that a test adds to."""
    named = str(tmp_path / "history.db")
    fill(named)
    return named


@in_a_browser
def test_a_page_that_is_open_says_that_a_scan_came(url: str, tmp_path: Path, page: Page) -> None:
    with served(url, tmp_path) as dashboard, watched(page, dashboard.url) as shown:
        shown.goto(f"{dashboard.url}heat-map.html")
        status, show = shown.get_by_role("status").last, shown.get_by_role("button", name="Show", exact=True)
        expect(show).to_be_hidden()
        add(url, of_orders(scanned(0, 12.3)))
        expect(status).to_have_text("1 new scan: acme/shop: orders.", timeout=20_000)
        # Nothing of what is read is taken away.
        expect(shown.locator("main")).not_to_contain_text("12.3")
        show.click()
        expect(shown.locator("main")).to_contain_text("12.3")
        expect(status).to_be_empty()
        expect(show).to_be_hidden()


@in_a_browser
def test_new_scans_are_shown_at_once_to_who_wants_it(file: str, tmp_path: Path, page: Page) -> None:
    with served(file, tmp_path) as dashboard, watched(page, dashboard.url) as shown:
        shown.goto(dashboard.url)
        shown.get_by_label("Show new scans at once").check()
        add(file, of_orders(scanned(0, 12.3)))
        expect(shown.locator("main")).to_contain_text("12.3", timeout=20_000)
        expect(shown.get_by_label("Show new scans at once")).to_be_checked()


@in_a_browser
def test_hostile_news_stay_text(file: str, tmp_path: Path, page: Page) -> None:
    with served(file, tmp_path) as dashboard, watched(page, dashboard.url) as shown:
        shown.goto(dashboard.url)
        add(file, of_orders(scanned(0)), HOSTILE)
        expect(shown.get_by_role("status").last).to_contain_text("1 new scan: <img src=x onerror", timeout=20_000)


@in_a_browser
def test_who_reads_is_told_when_the_server_is_gone(file: str, tmp_path: Path, page: Page) -> None:
    with served(file, tmp_path) as dashboard:
        page.goto(dashboard.url)
    expect(page.get_by_role("status").last).to_contain_text("doesn't answer", timeout=20_000)
    expect(page.get_by_role("button", name="Show", exact=True)).to_be_hidden()


@in_a_browser
def test_without_javascript_a_reload_shows_it(file: str, tmp_path: Path, browser: Browser) -> None:
    with served(file, tmp_path) as dashboard:
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(dashboard.url)
        expect(page.get_by_label("Show new scans at once")).to_be_hidden()
        add(file, of_orders(scanned(0, 12.3)))
        page.reload()
        expect(page.locator("main")).to_contain_text("12.3")
        page.context.close()


@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_wrong(dashboard: Served, page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    for address in ("", "changes.html", "none/at/all"):
        page.goto(f"{dashboard.url}{address}")
        assert violations(page) == [], address
        page.evaluate("document.querySelector('#stream p')?.append('1 new scan: acme/shop: orders.')")
        page.evaluate("document.querySelectorAll('#stream').forEach(e => e.classList.add('news'))")
        page.evaluate("document.querySelectorAll('#stream button').forEach(e => e.hidden = false)")
        assert violations(page) == [], address


@in_a_browser
def test_no_page_is_wider_than_a_phone(dashboard: Served, page: Page) -> None:
    page.set_viewport_size({"width": 360, "height": 720})
    for address in ("", "none.html"):
        page.goto(f"{dashboard.url}{address}")
        assert not is_wider_than_screen(page), address


@in_a_browser
def test_its_pages_lead_to_each_other(dashboard: Served, page: Page) -> None:
    with watched(page, dashboard.url) as shown:
        shown.goto(dashboard.url)
        shown.get_by_role("link", name="acme/shop: orders").first.click()
        expect(shown.get_by_role("heading", level=1)).to_contain_text("acme/shop: orders")
        shown.get_by_role("link", name="full report").first.click()
        expect(shown).to_have_url(re.compile("/reports/"))
        shown.go_back()
        shown.get_by_role("link", name="Heat map").click()
        expect(shown).to_have_url(f"{dashboard.url}heat-map.html")
        # Loads services' histories.
        shown.get_by_role("link", name="Compare").click()
        expect(shown.get_by_role("heading", level=1)).to_contain_text("ompar")
