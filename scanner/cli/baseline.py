"""`assay baseline`: the findings that were there when somebody began to look."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner.cli.exits import fail, problems_told
from assay.scanner.cli.printing import print_text, progress_shown, show
from assay.scanner.cli.request import Request, takes_request
from assay.scanner.counted import counted

if TYPE_CHECKING:
    from assay.scanner.baseline import Baseline
    from assay.scanner.results import ScanResult


class _CreateByDefault(click.Group):
    """`assay baseline PATH` is `assay baseline create PATH`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if args and args[0] not in self.commands and args[0] not in ctx.help_option_names:
            args = ["create", *args]
        return super().parse_args(ctx, args)


@click.group(cls=_CreateByDefault, no_args_is_help=True)
def baseline() -> None:
    """Record the findings that are there, so that a gate judges what is new.

    `assay baseline PATH` with no verb creates.
    """


@baseline.command()
@takes_request
@click.option("--force", is_flag=True, help="Write a baseline anew where there is one.")
def create(request: Request, force: bool) -> None:
    """Write all findings of today into .assay/baseline.jsonl."""
    from assay.scanner import baseline as baselines

    with problems_told():
        if not force and (before := baselines.load(request.path)) is not None:
            fail(
                f"{request.path / baselines.FILE} has {len(before.entries):,} entries; `assay baseline prune` drops "
                "what is gone, `assay baseline accept --reason …` adds what is new, --force begins anew"
            )
        result = _result(request)
        made = baselines.created(result)
        _write(request.path, made)
    size = counted(len(made.entries), "finding")
    print_text(f"{request.path / baselines.FILE}: {size}. Commit it; the gate judges what is new.\n")


@baseline.command()
@takes_request
def prune(request: Request) -> None:
    """Drop the entries of findings that are gone; nothing is ever added."""
    from assay.scanner import baseline as baselines

    _rewrite(request, lambda before, result: baselines.pruned(before, result))


@baseline.command()
@takes_request
@click.option("--reason", required=True, help="Why these findings may stay; kept in the file.")
@click.option("--only", multiple=True, metavar="CODE|ID", help="A rule or a finding; by default all that are new.")
def accept(request: Request, reason: str, only: tuple[str, ...]) -> None:
    """Add findings that are not in the baseline; nothing is ever dropped."""
    from assay.scanner import baseline as baselines
    from assay.scanner.assess import BASELINE

    if not reason.strip():
        raise click.BadParameter("say why these findings may stay", param_hint="--reason")
    _rewrite(request, lambda before, result: baselines.accepted(before, result, reason.strip(), only))
    if request.scope().options.config.gate.new_since != BASELINE:
        print_text("The gate takes it where no base commit is in reach; else `assay waive` accepts what is new.\n")


@baseline.command(name="show")
@takes_request
def show_baseline(request: Request) -> None:
    """Count the entries by rule: those that are still there, and those that are gone."""
    from assay.reports import baseline as screens
    from assay.scanner.comparison import compared_with_baseline

    with problems_told():
        before = _existing(request.path)
        result = compared_with_baseline(_result(request), before)
    held = Counter(entry.rule for entry in before.entries)
    later = Counter(entry.rule for entry in before.entries if entry.reason)
    show(lambda console: screens.render(held, later, result, console))


def _rewrite(request: Request, change: Callable[[Baseline, ScanResult], Baseline]) -> None:
    from assay.scanner import baseline as baselines

    with problems_told():
        before = _existing(request.path)
        after = change(before, _result(request))
        _write(request.path, after)
    difference = len(after.entries) - len(before.entries)
    done = "added" if difference > 0 else "dropped"
    print_text(
        f"{request.path / baselines.FILE}: {counted(len(after.entries), 'finding')}, {abs(difference):,} {done}\n"
        if difference
        else f"{request.path / baselines.FILE}: {counted(len(after.entries), 'finding')}, as before\n"
    )


def _existing(root: Path) -> Baseline:
    from assay.scanner import baseline as baselines

    found = baselines.load(root)
    if found is None:
        fail(f"there is no {root / baselines.FILE}; `assay baseline create` writes one")
    return found


def _write(root: Path, baseline: Baseline) -> None:
    from assay.scanner import baseline as baselines
    from assay.scanner.output import write_text

    file = root / baselines.FILE
    file.parent.mkdir(exist_ok=True)
    write_text(file, baseline.text)


def _result(request: Request) -> ScanResult:
    """A whole one: what was not read would be missing from the baseline, or be taken for gone."""
    from assay.scanner.assess import assessed

    scope = request.scope()
    with progress_shown() as progress:
        result = assessed(scope, progress)
    grave = [d for d in result.diagnostics if d.reason.is_grave]
    if grave:
        others = f" (and {len(grave) - 1} more)" if len(grave) > 1 else ""
        fail(f"{grave[0].path} could not be read or judged: {grave[0].message}{others}; nothing was written")
    return result
