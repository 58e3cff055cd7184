"""`assay scan`: a tree's verdicts and scores, as a summary and in reports."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner.cli import wiring
from assay.scanner.cli.exits import UNTRUSTED, problems_told
from assay.scanner.cli.printing import print_text, progress_shown, show

if TYPE_CHECKING:
    from assay.scanner.options import Options
    from assay.scanner.profiling import Profile
    from assay.scanner.results import ScanResult
    from assay.scanner.rulebook import Rulebook


@click.command()
@wiring.PATH
@click.option(
    "--report", "-o", "reports", type=wiring.ReportTarget(), multiple=True, help="Write a report; may be repeated."
)
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
@wiring.JOBS
@wiring.CACHE_DIR
@wiring.NO_CACHE
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
        rulebook = wiring.rulebook()
        options = replace(
            wiring.options(path, rulebook, jobs, analyzers, wiring.recall_of(cache_dir, no_cache), clocks),
            libraries=wiring.libraries(models),
        )
        result = _scanned(path, rulebook, options, since)
        with clocks.stage("report"):
            for name, file in reports:
                write_text(file, wiring.renderer(name)(result))
        if profile:
            _show_profile(clocks)
        return result

    with problems_told():
        for _, file in reports:
            check_writable(file)
        if watch:
            from assay.scanner.cli.watch import watch_tree

            watch_tree(path, [*(file for _, file in reports), *([cache_dir] if cache_dir else [])], run)
            return
        result = run()
    if form == "text":
        from assay.reports import terminal

        show(lambda console: terminal.render(result, console))
    else:
        print_text(wiring.renderer(form)(result))
    if any(d.reason.is_internal_error for d in result.diagnostics):
        sys.exit(UNTRUSTED)


def _scanned(path: Path, rulebook: Rulebook, options: Options, since: str | None) -> ScanResult:
    from assay.scanner.changes import changes_since, only_changed
    from assay.scanner.engine import scan

    changes = None if since is None else changes_since(path, since)
    with progress_shown() as progress:
        result = scan(path, rulebook, wiring.checks(), options, progress)
    return only_changed(result, changes) if changes else result


def _show_profile(profile: Profile) -> None:
    from rich.console import Console

    from assay.reports import profile as screens

    screens.render(profile, Console(stderr=True, highlight=False))
