"""`assay cache`: what earlier scans found out."""

from __future__ import annotations

from pathlib import Path

import click

from assay.scanner.cli.exits import problems_told
from assay.scanner.cli.printing import print_text
from assay.scanner.cli.wiring import CACHE_DIR


@click.group()
def cache() -> None:
    """What earlier scans found out, kept so that the next one is fast."""


@cache.command()
@CACHE_DIR
def clean(cache_dir: Path | None) -> None:
    """Remove everything from the cache; the next scan reads every file anew."""
    from assay.scanner.cache import Cache, default_folder

    folder = cache_dir or default_folder()
    with problems_told():
        entries, size = Cache.clean(folder)
    print_text(f"Removed {entries:,} entr{'y' if entries == 1 else 'ies'} ({size / 1_000_000:.1f} MB) from {folder}\n")
