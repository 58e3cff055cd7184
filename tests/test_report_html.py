"""The HTML report: its text, and its behaviour in a browser."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from assay.reports.html import render
from assay.reports.html.page import MAX_FRAMES
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import ScanResult
from tests.samples import NASTY, sample_result

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
in_a_browser = pytest.mark.skipif(
    not CHROMIUM.exists() and not os.environ.get("CI"), reason="the system's Chromium is not installed"
)


class _Outline(HTMLParser):
    """Every start tag with its attributes, and all text outside of style and script."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self._raw = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
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


def test_the_policy_allows_its_own_style_and_script_and_nothing_else(html: str, outline: _Outline) -> None:
    policy = next(m["content"] for m in outline.all("meta") if m.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    for name in ("style", "script"):
        (source,) = re.findall(f"<{name}>(.*?)</{name}>", html, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        assert f"{name}-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy


def test_nothing_is_loaded_and_nothing_is_inline_that_the_policy_would_block(outline: _Outline) -> None:
    for tag, attributes in outline.tags:
        assert not {"src", "srcset", "style", "data", "action"} & attributes.keys(), tag
        assert not [name for name in attributes if name.startswith("on")], tag
        assert (attributes.get("href") or "#").startswith("#"), tag


def test_every_id_is_unique_and_every_link_has_its_target(outline: _Outline) -> None:
    ids = [attributes["id"] for _, attributes in outline.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {link["href"] for link in outline.all("a")} <= {f"#{i}" for i in ids}


def test_hostile_text_stays_text(html: str, outline: _Outline) -> None:
    assert len(outline.all("script")) == 1
    assert not [a for a in outline.all("a") if "javascript" in (a["href"] or "")]
    assert "<script>alert(1)</script> ␛[31mred␛[0m␇" in outline.text
    assert not set(html) & {"\x1b", "\x07", "\u202e"}
    assert "orders/naïve dir/<b>50%#1?.py:2:1" in outline.text


def test_an_undecodable_name_can_be_written() -> None:
    result = sample_result()
    odd = replace(result.verdicts[0], location=Location("a\udcff.py", 1, 1, 1, 1))
    assert "a\ufffd.py:1:1" in render(replace(result, verdicts=(odd,))).encode().decode()


def test_the_title_names_grade_and_score() -> None:
    result = sample_result()
    assert "<title>2 services, from E (19.4) to E (19.4) · Assay</title>" in render(result)
    assert "<title>orders: E (19.4) · Assay</title>" in render(replace(result, services=result.services[:1]))


def test_the_arithmetic_is_spelt_out(outline: _Outline) -> None:
    assert "(8 × 0.00) / 8 = 0.0 %; a critical fail caps it at 39, which it is below already" in outline.text
    assert "(1 × 0.50 + 2 × 0.00) / 3 = 16.7 %" in outline.text
    assert "(2 × 50.0 + 1 × 16.7 + 3 × 0.0) / 6 = 19.4" in outline.text


def test_a_finding_shows_its_evidence_its_help_and_its_fingerprint(outline: _Outline) -> None:
    for text in (
        "no limit between query and response",
        "latency and memory grow with the table",
        "take a page size with an upper limit",
        "CWE-770 (cwe.mitre.org/data/definitions/770.html)",
        "a1" * 16,
        "@payments: at most 20 users exist (until 2026-06-30)",
    ):
        assert text in outline.text
    marked = re.findall(r"<mark>(.*?)</mark>", render(sample_result()))
    assert any("select(Order)" in re.sub("<.*?>", "", text) for text in marked)


def test_a_flow_is_an_ordered_list_of_its_steps_with_their_code(html: str, outline: _Outline) -> None:
    lists = [
        re.findall(r"<li>(.*?)</li>", steps, re.DOTALL) for steps in re.findall(r"<ol>(.*?)</ol>", html, re.DOTALL)
    ]
    shown = [[" ".join(re.sub(r"<.*?>", " ", step).split()) for step in steps] for steps in lists]
    assert [len(steps) for steps in shown] == [4, 2]
    assert shown[0][0] == "orders/api.py:13:15 a client sends `name` def find_user( name: str ):"
    assert shown[0][1].startswith("orders/naïve dir/&lt;b&gt;50%#1?.py:2:10 put together here: &lt;script&gt;alert(1)")
    assert shown[0][2] == "orders/gone.py:8:5 handed on Größe ✓ 订单 🚚 \ufffdgnirts", (
        "a file that went away has no code"
    )
    assert "<mark>cursor.execute(query)</mark>" in lists[0][3]
    assert "Flow 1 of 2" in outline.text


def test_findings_without_their_code_keep_the_steps_of_their_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("assay.reports.html.page.MAX_FRAMES", 0)
    html = render(sample_result())
    assert "a client sends `name`" in html
    assert 'class="step"' not in html


def test_tables_have_captions_and_scopes(outline: _Outline) -> None:
    assert len(outline.all("table")) == len(outline.all("caption"))
    assert all(cell.get("scope") for cell in outline.all("th"))


def test_verdicts_are_words_and_symbols(outline: _Outline) -> None:
    assert "✗ fail" in outline.text
    assert "? review" in outline.text


def test_diagnostics_say_what_to_do(outline: _Outline) -> None:
    assert "Not complete: 2 files could not be read and 1 step crashed." in outline.text
    assert "declare its encoding" in outline.text


def test_a_scan_without_findings_says_so() -> None:
    text = _Outline(render(replace(sample_result(), verdicts=(), diagnostics=()))).text
    assert "Nothing was found." in text
    assert "every rule ran to its end" in text
    assert "Not complete" not in text


def test_the_same_result_gives_the_same_bytes(html: str) -> None:
    assert render(sample_result()) == html


def _many(number: int) -> ScanResult:
    result = sample_result()
    lines = {n + 1: f"    value = compute(argument_{n}, 'text', {n})  # note" for n in range(1000)}
    pattern = [v for v in result.verdicts if v.is_finding]
    verdicts = []
    for n in range(number):
        path, line = f"app/package_{n % 50}/module.py", n * 7 % 990 + 1
        evidence = Evidence(Location(path, line + 3, 5, line + 3, 20), "no limit between query and response")
        steps = tuple(Evidence(Location(path, line + k, 5, line + k, 20), "handed on by `compute`") for k in range(4))
        message = f"GET /orders/{n} returns every Order; take limit/offset or a cursor and cap it"
        verdicts.append(
            replace(
                pattern[n % len(pattern)],
                location=Location(path, line, 1, line, 9),
                evidence=(evidence,),
                flows=(steps,) if n % 50 == 0 else (),
                message=message,
                fingerprint=hashlib.sha256(str(n).encode()).hexdigest()[:32],
            )
        )
    verdicts.sort(key=lambda v: (v.location, v.rule))
    sources = {f"app/package_{n}/module.py": lines for n in range(50)}
    return replace(result, verdicts=tuple(verdicts), sources=sources)


@pytest.fixture(scope="module")
def large_html() -> str:
    return render(_many(5000))


def test_five_thousand_findings_stay_below_three_megabytes(large_html: str) -> None:
    assert len(large_html.encode()) < 3_000_000
    assert large_html.count("<pre ") == MAX_FRAMES
    assert large_html.count('class="finding"') == 5000
    assert f"the code of the {MAX_FRAMES} worst findings is shown" in large_html


# In a browser


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, object]:
    return {"executable_path": str(CHROMIUM), "args": ARGUMENTS}


@pytest.fixture(scope="session")
def base_url() -> None:
    """There is no server. (The plugin's own fixture of that name warns under pytest 9.)"""


@pytest.fixture(scope="module")
def address(html: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html, encoding="utf-8")
    return path.as_uri()


@pytest.fixture
def report(page: Page, address: str) -> Iterator[Page]:
    """The opened report; afterwards: no dialog, no error and no request was made."""
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url.partition("#")[0]))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.goto(address)
    yield page
    assert complaints == []
    assert set(requests) == {address}


def _visible(page: Page) -> Locator:
    return page.locator(".finding:visible")


@in_a_browser
def test_it_opens_in_silence(report: Page) -> None:
    expect(report.get_by_role("heading", level=1)).to_have_text("shop")
    expect(report.locator("#shown")).to_have_text("8 findings")
    for landmark in ("banner", "main", "navigation", "search", "contentinfo"):
        expect(report.get_by_role(landmark)).to_have_count(1)


@in_a_browser
@pytest.mark.parametrize(
    ("name", "value", "left"),
    [
        ("kind", "review", 2),
        ("severity", "high", 4),
        ("rule", "SEC101", 1),
        ("section", "OBS", 2),
        ("service", "billing", 1),
    ],
)
def test_a_filter_leaves_what_matches_and_stays_in_the_address(report: Page, name: str, value: str, left: int) -> None:
    report.locator(f"select[name={name}]").select_option(value)
    expect(report.locator("#shown")).to_have_text(f"{left} of 8 findings shown")
    expect(_visible(report)).to_have_count(left)
    assert report.url.endswith(f"#{name}={value}")
    report.reload()
    expect(_visible(report)).to_have_count(left)
    expect(report.locator(f"select[name={name}]")).to_have_value(value)
    report.get_by_role("button", name="Clear").click()
    expect(report.locator("#shown")).to_have_text("8 findings")
    assert "#" not in report.url


@in_a_browser
def test_search_reads_message_code_and_help(report: Page) -> None:
    search = report.get_by_role("searchbox")
    for text, left in (
        ("select(Order)", 1),
        ("LATENCY", 4),
        ("billing/app.py", 1),
        ("find_user client", 1),
        ("zebra", 0),
    ):
        search.fill(text)
        expect(report.locator("#shown")).to_have_text(f"{left} of 8 findings shown")
        expect(report.locator("#none")).to_be_visible(visible=not left)


@in_a_browser
def test_a_fingerprint_is_a_link_that_unfolds_its_finding(page: Page, address: str) -> None:
    page.goto(f"{address}#f-{'a5' * 6}")
    finding = page.locator(f"#f-{'a5' * 6}")
    expect(finding).to_have_attribute("open", "")
    expect(finding).to_be_in_viewport()


@in_a_browser
def test_a_link_to_a_filtered_out_rule_clears_the_filter(report: Page) -> None:
    report.locator("select[name=kind]").select_option("review")
    expect(report.locator("#rule-SEC101")).to_be_hidden()
    report.locator(".principles a[href='#rule-SEC101']").click()
    expect(report.locator("#rule-SEC101")).to_be_visible()


@in_a_browser
def test_the_keyboard_alone_reaches_and_works_everything(report: Page) -> None:
    report.keyboard.press("Tab")
    expect(report.get_by_role("link", name="Skip to the report")).to_be_focused()
    expect(report.get_by_role("link", name="Skip to the report")).to_be_in_viewport()
    report.keyboard.press("/")
    expect(report.get_by_role("searchbox")).to_be_focused()
    report.keyboard.type("orders")
    expect(report.get_by_role("searchbox")).to_have_value("orders")
    report.get_by_role("searchbox").fill("")
    report.locator("body").evaluate("() => document.activeElement.blur()")
    report.keyboard.press("j")
    report.keyboard.press("j")
    second = report.locator(".finding").nth(1)
    expect(second.locator("summary")).to_be_focused()
    was_open = second.get_attribute("open") is not None
    report.keyboard.press("Enter")
    assert (second.get_attribute("open") is not None) is not was_open
    report.keyboard.press("k")
    expect(report.locator(".finding").first.locator("summary")).to_be_focused()


@in_a_browser
def test_focus_is_always_visible_and_nothing_is_out_of_reach(report: Page) -> None:
    reachable = report.locator(
        "a:visible, button:visible, input:visible, select:visible, summary:visible, [tabindex='0']:visible"
    ).count()
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
    assert len(seen) >= reachable


@in_a_browser
def test_the_theme_follows_the_system_until_the_button_is_pressed(report: Page) -> None:
    background = "() => getComputedStyle(document.body).backgroundColor"
    report.emulate_media(color_scheme="dark")
    assert report.evaluate(background) == "rgb(22, 24, 27)"
    button = report.get_by_role("button", name="Dark theme")
    expect(button).to_have_attribute("aria-pressed", "true")
    button.press("Enter")
    expect(button).to_have_attribute("aria-pressed", "false")
    assert report.evaluate(background) == "rgb(252, 252, 250)"
    report.reload()
    assert report.evaluate(background) == "rgb(252, 252, 250)"


CONTRASTS = """() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const rgba = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const background = (e) => {
    for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; }
    return [255, 255, 255];
  };
  const weak = [];
  for (const details of document.querySelectorAll("details")) details.open = true;
  for (const e of document.querySelectorAll("body *")) {
    const text = [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data).join("").trim();
    if (!text || ["SCRIPT", "OPTION"].includes(e.tagName) || !e.checkVisibility()) continue;
    const [a, b] = [luminance(rgba(getComputedStyle(e).color)), luminance(background(e))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    if (ratio < 4.5) weak.push(`${e.tagName}.${e.className} ${ratio.toFixed(2)} ${text.slice(0, 30)}`);
  }
  return weak;
}"""


@in_a_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(report: Page, scheme: str) -> None:
    """WCAG 2.2 §1.4.3 asks for 4.5:1."""
    report.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert report.evaluate(CONTRASTS) == []


@in_a_browser
def test_headings_skip_no_level_and_controls_have_names(report: Page) -> None:
    levels = report.eval_on_selector_all("h1, h2, h3", "all => all.map(e => +e.tagName[1])")
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for control in report.locator("input, select, button").all():
        assert control.evaluate("e => (e.labels?.[0]?.textContent || e.textContent).trim()")


@in_a_browser
def test_a_narrow_screen_needs_no_scrolling_sideways(report: Page) -> None:
    """WCAG 2.2 §1.4.10: 320 pixels, which is 1280 at 400 % zoom."""
    report.set_viewport_size({"width": 320, "height": 700})
    report.get_by_role("button", name="Unfold all").click()
    assert report.evaluate("() => document.documentElement.scrollWidth") <= 320


@in_a_browser
def test_hostile_names_do_not_run(report: Page) -> None:
    assert report.locator("script").count() == 1
    assert report.locator("main b", has_text="50%").count() == 0
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
def test_without_javascript_every_finding_can_be_read(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator("#theme")).to_be_hidden()
    expect(_visible(page)).to_have_count(8)
    expect(page.get_by_text("no limit between query and response")).to_be_visible()
    folded = page.locator(f"#f-{'a5' * 6}")
    expect(folded.locator("p").last).to_be_hidden()
    folded.locator("summary").click()
    expect(folded.locator("p").last).to_be_visible()
    context.close()


@in_a_browser
def test_paper_shows_what_is_folded_and_no_controls(browser: Browser, address: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    page.emulate_media(media="print", color_scheme="dark")
    expect(page.locator(".finding:not([open]) > p").first).to_be_visible()
    expect(page.locator(".top")).to_be_hidden()
    context.close()


@in_a_browser
def test_five_thousand_findings_can_be_filtered(page: Page, tmp_path: Path, large_html: str) -> None:
    path = tmp_path / "report.html"
    path.write_text(large_html, encoding="utf-8")
    page.goto(path.as_uri())
    page.get_by_role("searchbox").fill("/orders/4321 returns")
    expect(page.locator("#shown")).to_have_text("1 of 5000 findings shown")
    expect(_visible(page)).to_have_count(1)
