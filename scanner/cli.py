"""The command line: thin click commands that wire the engine, the rules and the reports together."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TypeVar

import click

from assay.scanner import __version__

if TYPE_CHECKING:
    from threading import Event

    from rich.console import Console

    from assay.scanner.analyzers.advisories import Check
    from assay.scanner.engine import Options, Progress
    from assay.scanner.libraries import Library
    from assay.scanner.profiling import Profile
    from assay.scanner.recall import Recall
    from assay.scanner.results import ScanResult, StandardPages
    from assay.scanner.rulebook import Rulebook
    from assay.scanner.watching import News

FINE, UNTRUSTED, INTERRUPTED, CLOSED_PIPE = 0, 2, 130, 141
"""Exit codes; the last two are what a shell shows for a program ended by SIGINT and SIGPIPE."""
FORMATS = ("html", "json", "sarif")
"""What `--report FORMAT=FILE` takes."""
_PIPE_WIDTH = 100
_T = TypeVar("_T")

PATH = click.argument("path", default=".", type=click.Path(path_type=Path, readable=False))
JOBS = click.option("--jobs", "-j", type=click.IntRange(min=1), help="Worker processes; by default one a core.")
CACHE_DIR = click.option(
    "--cache-dir",
    envvar="ASSAY_CACHE_DIR",
    type=click.Path(path_type=Path),
    help="Where to remember what was found out; by default in your own cache folder.",
)
NO_CACHE = click.option("--no-cache", is_flag=True, help="Read every file anew, and remember nothing.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="assay")
def cli() -> None:
    """Test a Python backend against a written standard of backend engineering."""


class ReportTarget(click.ParamType[tuple[str, Path]]):
    """`FORMAT=FILE`; the format may be left out where the file's suffix tells."""

    name = "format=file"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> tuple[str, Path]:
        """Raises a usage error that lists the formats."""
        assert isinstance(value, str)
        form, equals, file = value.partition("=")
        if not equals:
            form, file = Path(value).suffix.removeprefix("."), value
        if form not in FORMATS or not file:
            self.fail(
                f"{value!r} names no report; write FORMAT=FILE with a FORMAT of {', '.join(FORMATS)}", param, context
            )
        return form, Path(file)


@cli.command()
@PATH
@click.option("--report", "-o", "reports", type=ReportTarget(), multiple=True, help="Write a report; may be repeated.")
@click.option("--format", "-f", "form", type=click.Choice(["text", "json", "sarif"]), default="text")
@click.option("--analyzers/--no-analyzers", default=True, help="Run bandit and radon too.")
@click.option("--since", metavar="REV", help="Show only findings in lines changed since then, as a pull request does.")
@click.option("--watch", is_flag=True, help="Scan again whenever a file changes; show what is new and what is gone.")
@click.option("--profile", is_flag=True, help="Show where the time went, on standard error.")
@click.option(
    "--libraries",
    "models",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="A YAML file that says what libraries of your own do with data; may be repeated.",
)
@JOBS
@CACHE_DIR
@NO_CACHE
def scan(
    path: Path,
    reports: tuple[tuple[str, Path], ...],
    form: str,
    analyzers: bool,
    since: str | None,
    watch: bool,
    profile: bool,
    models: tuple[Path, ...],
    jobs: int | None,
    cache_dir: Path | None,
    no_cache: bool,
) -> None:
    """Scan a backend and show how far it keeps the standard.

    Exits 0 whatever it finds; 2 when the result can't be trusted.
    """
    from assay.scanner.output import check_writable, write_text
    from assay.scanner.profiling import Profile

    if watch and form != "text":
        raise click.UsageError(
            f"--watch goes on and on, and {form} is one whole; take --report {form}=FILE, written anew after each scan"
        )

    def run() -> ScanResult:
        clocks = Profile()
        rulebook = _rulebook()
        options = replace(
            _options(path, rulebook, jobs, analyzers, _recall(cache_dir, no_cache), clocks),
            libraries=_libraries(models),
        )
        result = _scanned(path, rulebook, options, since)
        with clocks.stage("report"):
            for name, file in reports:
                write_text(file, _renderer(name)(result))
        if profile:
            _show_profile(clocks)
        return result

    with _problems_told():
        for _, file in reports:
            check_writable(file)
        if watch:
            _watch(path, [*(file for _, file in reports), *([cache_dir] if cache_dir else [])], run)
            return
        result = run()
    if form == "text":
        from assay.reports import terminal

        _show(lambda console: terminal.render(result, console))
    else:
        _print(_renderer(form)(result))
    if any(d.reason.is_internal_error for d in result.diagnostics):
        sys.exit(UNTRUSTED)


@cli.command()
@click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text")
def rules(form: str) -> None:
    """List the standard: sections, principles and the rules that check them."""
    from assay.reports import standard

    with _problems_told():
        pages = _standard_pages()
    if form == "json":
        _print(standard.as_json(pages))
    else:
        _show(lambda console: standard.render(pages, console))


@cli.command()
@click.argument("code")
def explain(code: str) -> None:
    """Show a rule (API401), a principle (API4), a section (API) or an analyzer's check (B303) in full."""
    from assay.reports import standard

    with _problems_told():
        pages = _standard_pages()
    if not _show(lambda console: standard.explain(pages, code.upper(), console)):
        import difflib

        near = difflib.get_close_matches(code.upper(), standard.codes(pages), n=3)
        hint = f"; did you mean {' or '.join(near)}?" if near else "; `assay rules` lists them"
        _fail(f"the standard has no section, principle, rule or check {code}{hint}")


@cli.command()
@PATH
@click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text")
@JOBS
@CACHE_DIR
@NO_CACHE
def inventory(path: Path, form: str, jobs: int | None, cache_dir: Path | None, no_cache: bool) -> None:
    """Show what was understood: services, frameworks, endpoints, tables, SQL sites, log calls, health endpoints."""
    from assay.scanner import inventory as inventories
    from assay.scanner.engine import understand

    with _problems_told(), _progress() as progress:
        options = _options(path, _rulebook(), jobs, analyzers=False, recall=_recall(cache_dir, no_cache))
        known = understand(path, options, progress)
    found = inventories.take(known)
    if form == "json":
        _print(inventories.as_json(found))
    else:
        from assay.reports import inventory as screens

        _show(lambda console: screens.render(found, console))


@cli.group()
def cache() -> None:
    """What earlier scans found out, kept so that the next one is fast."""


@cache.command()
@CACHE_DIR
def clean(cache_dir: Path | None) -> None:
    """Remove everything from the cache; the next scan reads every file anew."""
    from assay.scanner.cache import Cache, default_folder

    folder = cache_dir or default_folder()
    with _problems_told():
        entries, size = Cache.clean(folder)
    _print(f"Removed {entries:,} entr{'y' if entries == 1 else 'ies'} ({size / 1_000_000:.1f} MB) from {folder}\n")


def main() -> NoReturn:
    """The entry point: click's own errors exit with 2, Ctrl-C with 130."""
    # What a scan builds lives until it ends: collecting garbage meanwhile finds none and costs a tenth of linking.
    gc.disable()
    try:
        cli(prog_name="assay", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nassay: interrupted; nothing was written", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(UNTRUSTED)
    sys.exit(FINE)


# --- wiring -----------------------------------------------------------------------------------------------------------


def _rulebook() -> Rulebook:
    import assay.rules
    from assay.scanner.rulebook import load_rulebook

    return load_rulebook(assay.rules)


def _checks() -> dict[str, Check]:
    from importlib import resources

    import assay.rules.analyzers
    from assay.scanner.analyzers.advisories import load_table, merge

    folder = resources.files(assay.rules.analyzers)
    tables = (folder.joinpath(f"{tool}.yaml").read_text(encoding="utf-8") for tool in ("bandit", "radon"))
    return merge(load_table(table) for table in tables)


def _standard_pages() -> StandardPages:
    from assay.scanner.standard_pages import standard_pages

    return standard_pages(_rulebook(), _checks())


def _options(
    path: Path,
    rulebook: Rulebook,
    jobs: int | None,
    analyzers: bool,
    recall: Recall | None,
    profile: Profile | None = None,
) -> Options:
    from assay.scanner.config import load_config
    from assay.scanner.discovery import check_root
    from assay.scanner.engine import Options
    from assay.scanner.profiling import Profile

    check_root(path)
    return Options(load_config(path, rulebook), jobs, analyzers=analyzers, recall=recall, profile=profile or Profile())


def _libraries(files: Iterable[Path]) -> tuple[Library, ...]:
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


def _recall(folder: Path | None, is_off: bool) -> Recall | None:
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


def _scanned(path: Path, rulebook: Rulebook, options: Options, since: str | None) -> ScanResult:
    from assay.scanner.changes import changes_since, only_changed
    from assay.scanner.engine import scan

    changes = None if since is None else changes_since(path, since)
    with _progress() as progress:
        result = scan(path, rulebook, _checks(), options, progress)
    return only_changed(result, changes) if changes else result


def _watch(path: Path, written: list[Path], run: Callable[[], ScanResult]) -> None:
    """Scan again at each change, until Ctrl-C."""
    from threading import Event

    from assay.reports import terminal
    from assay.scanner import watching
    from assay.scanner.discovery import check_root

    check_root(path)
    stop = Event()
    batches = watching.changes_in(path, written, stop)
    next(batches)
    first = run()
    _show(lambda console: terminal.render(first, console))
    _print("Watching for changes; Ctrl-C ends it.\n")
    with suppress(KeyboardInterrupt):
        for news in watching.follow(first, batches, run, _users_errors()):
            _tell(news)
            _collect_garbage(stop)


def _collect_garbage(stop: Event) -> None:
    """None is collected during a scan, and watching is many scans. Ctrl-C meanwhile sets the event."""
    import signal

    # Raised while an object is being finalised, KeyboardInterrupt would be dropped.
    before = signal.signal(signal.SIGINT, lambda *_: stop.set())
    try:
        gc.collect()
    finally:
        signal.signal(signal.SIGINT, before)


def _tell(news: News) -> None:
    from assay.reports import difference
    from assay.scanner.watching import Incomplete, Mistake

    match news:
        case Mistake(message):
            click.echo(f"assay: {message}", err=True)
        case Incomplete(diagnostics):
            _show(lambda console: difference.render_incomplete(diagnostics, console))
        case _:
            _show(lambda console: difference.render(news, console))


def _renderer(form: str) -> Callable[[ScanResult], str]:
    if form == "html":
        from assay.reports import html

        return html.render
    if form == "sarif":
        from assay.reports import sarif

        return sarif.render
    from assay.reports import json_report

    return json_report.render


@contextmanager
def _problems_told() -> Iterator[None]:
    """Errors that are the user's to mend become one line and exit code 2."""
    try:
        yield
    except _users_errors() as error:
        _fail(str(error))


def _users_errors() -> tuple[type[Exception], ...]:
    """Asked for only once something went wrong, so that the engine isn't loaded to list rules."""
    from assay.scanner.cache import CacheError
    from assay.scanner.changes import ChangesError
    from assay.scanner.config import ConfigError
    from assay.scanner.discovery import BadRootError
    from assay.scanner.engine import NothingToScanError
    from assay.scanner.libraries import LibraryError
    from assay.scanner.output import UnwritableError
    from assay.scanner.rulebook import RulebookError
    from assay.scanner.watching import WatchError

    return (
        BadRootError,
        NothingToScanError,
        ConfigError,
        UnwritableError,
        LibraryError,
        RulebookError,
        ChangesError,
        WatchError,
        CacheError,
    )


def _fail(message: str) -> NoReturn:
    click.echo(f"assay: {message}", err=True)
    sys.exit(UNTRUSTED)


def _show(render: Callable[[Console], _T]) -> _T:
    """Let a report write to the terminal, in one piece."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)
    with console.capture() as written:
        answer = render(console)
    _print(written.get(), console.encoding)
    return answer


def _show_profile(profile: Profile) -> None:
    from rich.console import Console

    from assay.reports import profile as screens

    screens.render(profile, Console(stderr=True, highlight=False))


def _print(text: str, encoding: str = "utf-8") -> None:
    """Write it to standard output; a reader that has seen enough (`| head`) ends the program without a word."""
    try:
        sys.stdout.buffer.write(text.encode(encoding, "replace"))
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain when it flushes at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(CLOSED_PIPE)


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on a terminal, nothing in CI or in a pipe."""
    if not sys.stderr.isatty() or os.environ.get("CI"):
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, auto_refresh=False) as bar:
        task = bar.add_task("reading", total=None)

        def update(stage: str, done: int, total: int) -> None:
            bar.update(task, description=stage, completed=done, total=total, refresh=True)

        yield update
