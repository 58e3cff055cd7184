"""From what a command was given to what the engine takes: options, rules, libraries, the cache, reports."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.reports.formats import ALIASES, FORMATS, by_file_name

if TYPE_CHECKING:
    from assay.scanner.analyzers.advisories import Check
    from assay.scanner.config import Loaded
    from assay.scanner.libraries import Library
    from assay.scanner.options import Options
    from assay.scanner.pages import StandardPages
    from assay.scanner.profiling import Profile
    from assay.scanner.recall import Recall
    from assay.scanner.results import ScanResult
    from assay.scanner.rulebook import Rulebook

PATH = click.argument("path", default=".", type=click.Path(path_type=Path, readable=False))
JOBS = click.option("--jobs", "-j", type=click.IntRange(min=1), help="Worker processes; by default one a core.")
CACHE_DIR = click.option(
    "--cache-dir",
    envvar="ASSAY_CACHE_DIR",
    type=click.Path(path_type=Path),
    help="Where to remember what was found out; by default in your own cache folder.",
)
RULES = click.option(
    "--rules",
    "own_rules",
    type=click.Path(exists=True, path_type=Path),
    multiple=True,
    help="A file of rules of your own, in Python or YAML, or a folder of such; may be repeated.",
)
FAST = click.option(
    "--fast",
    is_flag=True,
    help="Judge only the files that are named, by what they and their imports tell: for a hook before a commit.",
)
ROOT = click.option(
    "--root",
    type=click.Path(path_type=Path, readable=False),
    help="With --fast: the folder that is scanned otherwise; by default the current one.",
)
FILES = click.argument("files", nargs=-1, type=click.Path(path_type=Path, readable=False))
"""Those after the first, which is PATH."""
NO_CACHE = click.option("--no-cache", is_flag=True, help="Read every file anew, and remember nothing.")
CONFIG_FILE = click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    help="Configured by this file, whatever the tree holds.",
)
ISOLATED = click.option("--isolated", is_flag=True, help="Configured by no file: the defaults hold.")


class ReportTarget(click.ParamType[tuple[str, Path]]):
    """`FORMAT=FILE`; the format may be left out where the file's name tells."""

    name = "format=file"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> tuple[str, Path]:
        """Raises a usage error that names the nearest format, or all of them."""
        assert isinstance(value, str)
        form, equals, file = value.partition("=")
        told = ALIASES.get(form, form) if equals else by_file_name(value)
        file = file if equals else value
        if told is None:
            self.fail(f"{value!r} doesn't tell a format; write FORMAT=FILE with one of {_FORMAT_NAMES}", param, context)
        if told not in FORMATS:
            near = get_close_matches(told, FORMATS, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"the formats are {_FORMAT_NAMES}"
            self.fail(f"there is no format {told!r} ({value!r}); {hint}", param, context)
        if not file:
            self.fail(f"{value!r} names no file; write {told}=FILE", param, context)
        return told, Path(file)


def _each_its_own_file(
    context: click.Context, param: click.Parameter, reports: tuple[tuple[str, Path], ...]
) -> tuple[tuple[str, Path], ...]:
    """Two reports in one file would leave the last one alone, without a word."""
    forms: dict[Path, str] = {}
    for form, file in reports:
        if file in forms:
            raise click.BadParameter(f"{file} is named twice, for {forms[file]} and for {form}", context, param)
        forms[file] = form
    return reports


_FORMAT_NAMES = ", ".join(FORMATS)
FORMAT_CHOICE = click.Choice([*FORMATS, *ALIASES])
REPORTS = click.option(
    "--report",
    "-o",
    "reports",
    type=ReportTarget(),
    multiple=True,
    callback=_each_its_own_file,
    help="Write a report; may be repeated. The format may be left out where the file's name tells.",
)
FORMAT = click.option(
    "--format",
    "-f",
    "form",
    type=FORMAT_CHOICE,
    metavar="FORMAT",
    default="text",
    help=f"What to write to standard output: {_FORMAT_NAMES}.",
)


def renderer(form: str) -> Callable[[ScanResult], str]:
    """What writes a result in the format."""
    return FORMATS[ALIASES.get(form, form)].render


def rulebook(own_rules: Iterable[Path] = (), *, with_plugins: bool = True, recall: Recall | None = None) -> Rulebook:
    """The standard and the rules that come with Assay, those of installed plugins, and those in the files.

    Raises RulebookError.
    """
    from assay.scanner.own_rules.loading import with_own_rules
    from assay.scanner.own_rules.sources import installed, read_files

    plugins = installed() if with_plugins else ()
    return with_own_rules(_standard_rulebook(recall), (*plugins, *read_files(own_rules)))


def _standard_rulebook(recall: Recall | None) -> Rulebook:
    """Recalled, it loads no rule: an unchanged tree needs to know only which ones there are."""
    import assay.rules
    from assay.scanner.rulebook import load_rulebook, rulebook_of, texts_of

    package = assay.rules.__name__
    texts = recall.rules(package) if recall else None
    if texts is not None:
        return rulebook_of(assay.rules, texts)
    book = load_rulebook(assay.rules)
    if recall:
        recall.keep_rules(package, texts_of(book))
    return book


def checks() -> dict[str, Check]:
    """The analyzers' checks by code."""
    from importlib import resources

    import assay.rules.analyzers
    from assay.scanner.analyzers.advisories import load_table, merge

    folder = resources.files(assay.rules.analyzers)
    tables = (folder.joinpath(f"{tool}.yaml").read_text(encoding="utf-8") for tool in ("bandit", "radon"))
    return merge(load_table(table) for table in tables)


def standard_pages(own_rules: Iterable[Path] = ()) -> StandardPages:
    """The standard to read, with the rules that are judged beside it. Raises RulebookError."""
    from assay.scanner import standard_pages as pages

    return pages.standard_pages(rulebook(own_rules), checks())


def options(
    path: Path,
    book: Rulebook,
    jobs: int | None,
    analyzers: bool,
    recall: Recall | None,
    profile: Profile | None = None,
    config_file: Path | None = None,
    isolated: bool = False,
) -> Options:
    """How to scan the tree: as it is configured there, and as the command was told. Raises the user's errors."""
    from assay.scanner.discovery import check_root
    from assay.scanner.options import Options
    from assay.scanner.profiling import Profile

    check_root(path)
    config = loaded(path, book, config_file, isolated).config
    return Options(config, jobs, analyzers=analyzers, recall=recall, profile=profile or Profile())


def loaded(path: Path, book: Rulebook, config_file: Path | None, isolated: bool) -> Loaded:
    """The tree's configuration with the origin of each value. Raises ConfigError and usage errors."""
    from assay.scanner.config import load

    if config_file is not None and isolated:
        raise click.UsageError("--config names a file, and --isolated takes none; leave one of them out")
    return load(path, book, file=config_file, isolated=isolated)


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
