"""`assay gate`: whether a change may be merged."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner.cli import wiring
from assay.scanner.cli.exits import GATE_NOT_MET, UNTRUSTED, problems_told, tell
from assay.scanner.cli.keeping import STORE, keep_and_write, wanted
from assay.scanner.cli.printing import print_text, progress_shown, show
from assay.scanner.cli.reporting import Reports, takes_reports
from assay.scanner.cli.request import Request, takes_request

if TYPE_CHECKING:
    from assay.scanner.assess import Scope
    from assay.scanner.config import Config
    from assay.scanner.options import Progress
    from assay.scanner.results import GateResult, ScanResult
    from assay.scanner.safeguard import Safeguarded


@click.command()
@takes_request
@takes_reports
@wiring.FORMAT
@click.option("--since", metavar="REV", help="What new is measured against, instead of [gate] new-since.")
@click.option("--fetch/--no-fetch", default=None, help="Whether to deepen a shallow clone; by default in CI.")
@click.option(
    "--from",
    "results",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Judge a JSON report of an earlier scan, instead of scanning.",
)
@click.option(
    "--base",
    "base_results",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A JSON report of the base to compare with, instead of a commit.",
)
@click.option("--new-only", is_flag=True, help="Only the conditions on what a change brings.")
@click.option("--warn-only", is_flag=True, help="Print the same, and exit with 0 where the gate isn't met.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 where the gate isn't met.")
@STORE
@wiring.FAST
@wiring.ROOT
@wiring.FILES
def gate(
    request: Request,
    files: tuple[Path, ...],
    fast: bool,
    root: Path | None,
    reports: Reports,
    form: str,
    since: str | None,
    fetch: bool | None,
    results: Path | None,
    base_results: Path | None,
    new_only: bool,
    warn_only: bool,
    exit_zero: bool,
    store: str | None,
) -> None:
    """Decide whether a change may be merged, and print every condition with its margin.

    Without configuration: no new critical or high finding, no principle with more fails than before, nothing unread, no
    expired waiver. Exits 0 when the gate is met, 1 when it isn't, 2 when nobody can tell.
    """
    from assay.scanner.assess import gated

    request, files = request.chosen(files, is_fast=fast, root=root)
    if fast and (results or base_results):
        raise click.UsageError("--fast judges files as they are; --from and --base speak of an earlier scan")
    against = _Against(since, False if results or base_results else fetch, results, base_results)
    with problems_told():
        reports.check(form)
        store = wanted(store, "--fast" if fast else None)
        scope = request.scope()
        guard = None if fast else _guard(request, scope, against)
        scope = guard.scope if guard else scope
        config = _chosen(scope.options.config, since, new_only or fast, warn_only)
        with progress_shown() as progress:
            if fast:
                compared = _compared_files(scope, files, config, progress)
            else:
                compared = _compared(scope, guard, against, config, progress)
        result = gated(guard.told(compared) if guard else compared, config, scope.today)
    if form == "text":
        from assay.reports import gate as screens

        show(lambda console: screens.render(result, console, _authors(request.path, result)))
    with problems_told():
        history = keep_and_write(store, result, request.path, reports)
    if form != "text":
        print_text(reports.text(form, result, history))
    sys.exit(_exit_code(result.gate, exit_zero))


@dataclass(frozen=True, slots=True)
class _Against:
    """What is compared with what, as the command line says: a revision; or JSON reports of the head, of the base."""

    since: str | None
    may_fetch: bool | None
    head: Path | None
    base: Path | None


def _compared(
    scope: Scope, guard: Safeguarded | None, against: _Against, config: Config, progress: Progress
) -> ScanResult:
    from assay.scanner import assess
    from assay.scanner.base.commits import MERGE_BASE

    base = _read(against.base) if against.base else None
    if against.head is not None:
        return assess.against(_read(against.head), base, scope.root)
    if base is not None:
        return assess.against(assess.assessed(scope, progress), base, scope.root)
    known = guard.base if guard and config.gate.new_since == (against.since or MERGE_BASE) else None
    comparison = assess.Comparison(config.gate.new_since, against.may_fetch, tell, known)
    return assess.assessed_and_compared(scope, comparison, progress)


def _compared_files(scope: Scope, files: tuple[Path, ...], config: Config, progress: Progress) -> ScanResult:
    from assay.scanner.fast import hook

    return hook.assessed_and_compared(scope, files, config.gate.new_since, progress)


def _guard(request: Request, scope: Scope, against: _Against) -> Safeguarded:
    from assay.scanner.safeguard import safeguarded

    return safeguarded(
        scope,
        against.since,
        file=request.config_file,
        isolated=request.isolated,
        may_fetch=against.may_fetch,
        tell=tell,
    )


def _exit_code(gate: GateResult | None, exit_zero: bool) -> int:
    from assay.scanner.results import GateStatus

    assert gate is not None
    match gate.status:
        case GateStatus.PASSED:
            return 0
        case GateStatus.FAILED:
            return GATE_NOT_MET if gate.is_enforced and not exit_zero else 0
        case GateStatus.UNTRUSTED:
            return UNTRUSTED


def _chosen(config: Config, since: str | None, new_only: bool, warn_only: bool) -> Config:
    """The configuration with what the command line says otherwise."""
    import msgspec

    from assay.scanner.config.gate import Mode, on_new_only

    chosen = on_new_only(config.gate) if new_only else config.gate
    if since is not None:
        chosen = msgspec.structs.replace(chosen, new_since=since)
    if warn_only:
        chosen = msgspec.structs.replace(chosen, mode=Mode.WARN)
    return msgspec.structs.replace(config, gate=chosen)


def _read(file: Path) -> ScanResult:
    from assay.reports import json_report

    return json_report.read(file)


def _authors(root: Path, result: ScanResult) -> dict[str, str]:
    from assay.reports import gate as screens
    from assay.scanner.authors import authors
    from assay.scanner.results import State

    new = [f for f in screens.red(result)[: screens.SHOWN] if f.state is State.NEW]
    return authors(root, new, result.base.commit if result.base else None)
