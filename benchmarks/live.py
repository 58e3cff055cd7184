"""Times a live dashboard of a store that `benchmarks/history.py` made: its first page, each sort of page, a scan more.

`python benchmarks/live.py --store FILE` adds one scan to the store.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from assay.reports import json_report
from assay.reports.dashboard import addresses
from assay.reports.dashboard.live import Live
from assay.scanner.history.records import Origin, ServiceRecord
from assay.scanner.history.store import Store
from benchmarks.history import scans

LIMIT = 1.0
"""Seconds of this process that a page may take, once everything was read."""
_NOW = datetime(2026, 10, 30, tzinfo=UTC)
"""The day after the newest scan of that store."""


@click.command()
@click.option("--store", "url", required=True, help="A file or a database that `benchmarks/history.py --store` made.")
def main(url: str) -> None:
    """Exits with 1 where a page takes longer than allowed."""
    with Store.open(url, json_report) as store:
        known = store.services()
    one = known[len(known) // 2]
    live = Live(lambda: Store.open(url, json_report), 30, snippets=True, clock=lambda: _NOW)
    table = Table("what", "seconds", "of this process", "kB", box=None)
    slowest = 0.0
    gc.disable()
    for name, ask in _questions(live, one, url).items():
        wall, own = time.perf_counter(), time.process_time()
        size = ask()
        wall, own = time.perf_counter() - wall, time.process_time() - own
        table.add_row(name, f"{wall:.2f}", f"{own:.2f}", f"{size / 1000:.0f}" if size else "")
        if not gc.isenabled():
            # As `assay dashboard serve` does.
            gc.freeze()
            gc.enable()
        slowest = max(slowest, own) if size and name != "the first page" else slowest
    live.close()
    Console(highlight=False).print(table)
    sys.exit(slowest > LIMIT)


def _questions(live: Live, one: ServiceRecord, url: str) -> dict[str, Callable[[], int]]:
    """Each gives the size of what was drawn, in bytes; 0 where nothing was."""

    def page(address: str) -> Callable[[], int]:
        def ask() -> int:
            document = live.document(address)
            assert document is not None
            return len(document.body)

        return ask

    def add() -> int:
        newest = next(scans(0, 1, 300))
        moment = datetime.now(UTC)
        scanned = replace(newest.scanned, commit=f"{int(moment.timestamp()):040x}", committed=_NOW.isoformat())
        with Store.open(url, json_report) as store:
            store.add(replace(newest, scanned=scanned), Origin(one.repository, "main", "main"), moment)
        return 0

    def news() -> int:
        assert live.news("another") != ""
        return 0

    return {
        "the first page": page("index.html"),
        "the first page again": page("index.html"),
        "heat map": page("heat-map.html"),
        "teams": page("teams.html"),
        "principles": page("principles.html"),
        "rules": page("rules.html"),
        "accepted": page("accepted.html"),
        "changes": page("changes.html"),
        "comparing": page("compare.html"),
        "a service": page(addresses.service(one)),
        "a service's history, for comparing": page(addresses.data(one)),
        "a principle": page(addresses.principle("S11")),
        "a rule": page(addresses.rule("S1101")),
        "adding a scan": add,
        "asking for what is new": news,
        "the first page after a scan": page("index.html"),
        "the heat map after a scan": page("heat-map.html"),
    }


if __name__ == "__main__":
    main()
