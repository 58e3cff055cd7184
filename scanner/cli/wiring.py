"""From what a command was given to what the engine takes: options, rules, libraries, the cache, reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from assay.scanner.analyzers.advisories import Check
    from assay.scanner.libraries import Library
    from assay.scanner.options import Options
    from assay.scanner.profiling import Profile
    from assay.scanner.recall import Recall
    from assay.scanner.results import ScanResult, StandardPages
    from assay.scanner.rulebook import Rulebook

PATH = click.argument("path", default=".", type=click.Path(path_type=Path, readable=False))
JOBS = click.option("--jobs", "-j", type=click.IntRange(min=1), help="Worker processes; by default one a core.")
CACHE_DIR = click.option(
    "--cache-dir",
    envvar="ASSAY_CACHE_DIR",
    type=click.Path(path_type=Path),
    help="Where to remember what was found out; by default in your own cache folder.",
)
NO_CACHE = click.option("--no-cache", is_flag=True, help="Read every file anew, and remember nothing.")
REPORT_FORMATS = ("html", "json", "sarif")
"""What `--report FORMAT=FILE` takes."""


class ReportTarget(click.ParamType[tuple[str, Path]]):
    """`FORMAT=FILE`; the format may be left out where the file's suffix tells."""

    name = "format=file"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> tuple[str, Path]:
        """Raises a usage error that lists the formats."""
        assert isinstance(value, str)
        form, equals, file = value.partition("=")
        if not equals:
            form, file = Path(value).suffix.removeprefix("."), value
        if form not in REPORT_FORMATS or not file:
            formats = ", ".join(REPORT_FORMATS)
            self.fail(f"{value!r} names no report; write FORMAT=FILE with a FORMAT of {formats}", param, context)
        return form, Path(file)


def renderer(form: str) -> Callable[[ScanResult], str]:
    """What writes a result in the format."""
    if form == "html":
        from assay.reports import html

        return html.render
    if form == "sarif":
        from assay.reports import sarif

        return sarif.render
    from assay.reports import json_report

    return json_report.render


def rulebook() -> Rulebook:
    """The standard and the rules that come with Assay."""
    import assay.rules
    from assay.scanner.rulebook import load_rulebook

    return load_rulebook(assay.rules)


def checks() -> dict[str, Check]:
    """The analyzers' checks by code."""
    from importlib import resources

    import assay.rules.analyzers
    from assay.scanner.analyzers.advisories import load_table, merge

    folder = resources.files(assay.rules.analyzers)
    tables = (folder.joinpath(f"{tool}.yaml").read_text(encoding="utf-8") for tool in ("bandit", "radon"))
    return merge(load_table(table) for table in tables)


def standard_pages() -> StandardPages:
    """The standard to read."""
    from assay.scanner import standard_pages as pages

    return pages.standard_pages(rulebook(), checks())


def options(
    path: Path,
    book: Rulebook,
    jobs: int | None,
    analyzers: bool,
    recall: Recall | None,
    profile: Profile | None = None,
) -> Options:
    """How to scan the tree: as it is configured there, and as the command was told. Raises the user's errors."""
    from assay.scanner.config import load_config
    from assay.scanner.discovery import check_root
    from assay.scanner.options import Options
    from assay.scanner.profiling import Profile

    check_root(path)
    return Options(load_config(path, book), jobs, analyzers=analyzers, recall=recall, profile=profile or Profile())


def libraries(files: Iterable[Path]) -> tuple[Library, ...]:
    """The library models in some files. Raises LibraryError."""
    from assay.scanner.libraries import LibraryError, load_library

    found = []
    for file in files:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise LibraryError(f"{file}: it can't be read: {error}") from error
        found.append(load_library(text, str(file)))
    return tuple(found)


def recall_of(folder: Path | None, is_off: bool) -> Recall | None:
    """What earlier scans found out. A folder that nobody named and that can't be used is no reason not to scan."""
    from assay.scanner.cache import Cache, CacheError, default_folder
    from assay.scanner.recall import Recall

    if is_off:
        return None
    try:
        return Recall(Cache.open(folder or default_folder()))
    except CacheError:
        if folder is None:
            return None
        raise
