"""`assay scan`: a tree's verdicts and scores, as a summary and in reports."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner.cli import wiring
from assay.scanner.cli.exits import UNTRUSTED, problems_told, tell
from assay.scanner.cli.keeping import STORE, keep_and_write, wanted
from assay.scanner.cli.printing import console_on, print_text, progress_shown, show
from assay.scanner.cli.reporting import Reports, takes_reports
from assay.scanner.cli.request import Request, takes_request

if TYPE_CHECKING:
    from assay.scanner.assess import Scope
    from assay.scanner.options import Progress
    from assay.scanner.profiling import Profile
    from assay.scanner.results import ScanResult


@click.command()
@takes_request
@takes_reports
@wiring.FORMAT
@click.option("--since", metavar="REV", help="Show only findings in lines changed since then, as a pull request does.")
@click.option("--watch", is_flag=True, help="Scan again whenever a file changes; show what is new and what is gone.")
@click.option("--profile", is_flag=True, help="Show where the time went, on standard error.")
@STORE
@wiring.FAST
@wiring.ROOT
@wiring.FILES
def scan(
    request: Request,
    files: tuple[Path, ...],
    fast: bool,
    root: Path | None,
    reports: Reports,
    form: str,
    since: str | None,
    watch: bool,
    profile: bool,
    store: str | None,
) -> None:
    """Scan a backend and show how far it keeps the standard.

    Exits 0 whatever it finds; 2 when the result can't be trusted.
    """
    from assay.scanner.profiling import Profile

    if watch and form != "text":
        raise click.UsageError(
            f"--watch goes on and on, and {form} is one whole; take --report {form}=FILE, written anew after each scan"
        )

    request, files = request.chosen(files, is_fast=fast, root=root)
    if fast and (since or watch):
        other = "--since" if since else "--watch"
        raise click.UsageError(f"--fast judges some files once, and {other} needs the whole tree")

    def again() -> ScanResult:
        clocks = Profile()
        result = _scanned(request, files, clocks, since)
        with clocks.stage("report"):
            reports.write(result)
        if profile:
            _show_profile(clocks)
        return result

    clocks = Profile()
    with problems_told():
        reports.check(form)
        unfit = {"--fast": fast, "--since": since, "--watch": watch}
        store = wanted(store, next((option for option, is_given in unfit.items() if is_given), None))
        if watch:
            from assay.scanner.cli.watch import watch_tree

            written = [*reports.files, *([request.cache_dir] if request.cache_dir else [])]
            watch_tree(request.path, written, again)
            return
        result = _scanned(request, files, clocks, since)
    if form == "text":
        from assay.reports import terminal

        show(lambda console: terminal.render(result, console))
    with problems_told(), clocks.stage("report"):
        history = keep_and_write(store, result, request.path, reports)
    if form != "text":
        print_text(reports.text(form, result, history))
    if profile:
        _show_profile(clocks)
    if any(d.reason.is_internal_error for d in result.diagnostics):
        sys.exit(UNTRUSTED)


def _scanned(request: Request, files: tuple[Path, ...], clocks: Profile, since: str | None) -> ScanResult:
    from assay.scanner.assess import assessed
    from assay.scanner.changes import added_since, changes_since, only_changed

    scope = request.scope(clocks)
    changes = None if since is None else changes_since(request.path, since, tell)
    if changes is not None:
        added = added_since(request.path, changes.base)
        scope = replace(scope, options=replace(scope.options, added=added))
    with progress_shown() as progress:
        result = _of_files(scope, files, progress) if files else assessed(scope, progress)
    return only_changed(result, changes) if changes else result


def _of_files(scope: Scope, files: tuple[Path, ...], progress: Progress) -> ScanResult:
    from assay.scanner.fast import hook

    return hook.assessed(scope, files, progress)


def _show_profile(profile: Profile) -> None:
    from assay.reports import profile as screens

    screens.render(profile, console_on(sys.stderr))
