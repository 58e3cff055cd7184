"""What a report of 5,000 findings and 20,000 other verdicts costs to write, to load and to look things up in.

python -m benchmarks.report [--findings N] [--others N] [--runs N]
"""

from __future__ import annotations

import argparse
import gzip
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from assay.reports.html import render
from benchmarks.large_result import large_result

CHROMIUM = "/usr/bin/chromium"
MEGABYTE = 1_000_000

PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"
NODES = "() => document.querySelectorAll('*').length"
UNTIL_DRAWN = """(act) => new Promise((done) => {
  const start = performance.now();
  eval(act);
  requestAnimationFrame(() => requestAnimationFrame(() => done(performance.now() - start)));
})"""
"""How long until what an action changes is on the screen, in milliseconds."""


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured, in `unit`; `limit` is its budget, if it has one."""

    name: str
    value: float
    unit: str
    limit: float | None = None

    @property
    def is_kept(self) -> bool:
        return self.limit is None or self.value <= self.limit


def measured(findings: int, others: int, runs: int) -> list[Figure]:
    """All figures: medians over the runs, each in a browser of its own."""
    result = large_result(findings, others)
    clock = time.perf_counter()
    html = render(result)
    seconds = time.perf_counter() - clock
    data = html.encode()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "report.html"
        file.write_bytes(data)
        walks = [_walk(file) for _ in range(runs)]
    return [
        Figure("written in", seconds, "s"),
        Figure("file", len(data) / MEGABYTE, "MB", 3.0),
        Figure("file, gzip", len(gzip.compress(data)) / MEGABYTE, "MB", 1.0),
        *(Figure(name, statistics.median(walk[name][0] for walk in walks), *walks[0][name][1:]) for name in walks[0]),
    ]


Walk = dict[str, tuple[float, str, float | None]]


def _walk(file: Path) -> Walk:
    """Open it and look things up, as a person would."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.goto(file.as_uri())
        found: Walk = {"first screen": (page.evaluate(PAINTED), "ms", 500.0)}
        timed = _timer(page)
        found["list"] = (timed("location.hash = '#/findings'"), "ms", 1000.0)
        found["nodes of the list"] = (page.evaluate(NODES), "", None)
        press = "document.querySelector('[data-facet=\"{}\"]').click()"
        found["filter: a severity"] = (timed(press.format("sev critical")), "ms", 150.0)
        found["filter: a service, too"] = (timed(press.format("service billing")), "ms", 150.0)
        found["filter: none"] = (timed("document.querySelector('.tools .small:not([hidden])').click()"), "ms", 150.0)
        found["search"] = (timed(_search("invoice cursor")), "ms", None)
        found["search, again"] = (timed(_search("coupon parameter")), "ms", 150.0)
        found["group by rule"] = (timed(_choose("group", "rule")), "ms", 150.0)
        found["to the end"] = (timed("scrollTo(0, document.body.scrollHeight)"), "ms", None)
        found["subjects"] = (timed("location.hash = '#/subjects'"), "ms", 1000.0)
        found["passes"] = (timed("location.hash = '#/passes'"), "ms", 1000.0)
        browser.close()
    return found


def _timer(page: Page) -> Callable[[str], float]:
    def timed(action: str) -> float:
        return float(page.evaluate(UNTIL_DRAWN, action))

    return timed


def _search(text: str) -> str:
    """What typing does once nobody has typed for a moment."""
    address = f"#/findings?q={text.replace(' ', '+')}"
    return f"history.replaceState(null, '', '{address}'); dispatchEvent(new Event('hashchange'))"


def _choose(name: str, value: str) -> str:
    select = f"document.querySelector('select[name={name}]')"
    return f"{select}.value = '{value}'; {select}.dispatchEvent(new Event('change'))"


def main() -> int:
    """Print the figures; 1 where a budget isn't kept."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--findings", type=int, default=5_000)
    parser.add_argument("--others", type=int, default=20_000)
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    figures = measured(asked.findings, asked.others, asked.runs)
    print("| figure | measured | budget |\n| --- | --- | --- |")
    for figure in figures:
        digits = 2 if figure.unit in ("MB", "s") else 0
        limit = (
            "" if figure.limit is None else f"{figure.limit:g} {figure.unit}{'' if figure.is_kept else ', NOT KEPT'}"
        )
        print(f"| {figure.name} | {figure.value:,.{digits}f} {figure.unit} | {limit} |")
    return 0 if all(figure.is_kept for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
