"""`assay diff`: why the score moved between two scans."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from assay.scanner.cli.convert import STANDARD_INPUT
from assay.scanner.cli.exits import problems_told
from assay.scanner.cli.keeping import MAYBE_STORE
from assay.scanner.cli.printing import print_text, show

DIFFERENT = 1
"""The exit code that `--exit-code` asks for, as `git diff` has it."""


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--exit-code", is_flag=True, help="Exit with 1 where findings or scores differ.")
@click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text")
@MAYBE_STORE
def diff(old: Path, new: Path, exit_code: bool, form: str, store: str | None) -> None:
    """Tell why the score moved between two scans, and which findings are new, fixed, edited, moved or accepted.

    OLD and NEW are JSON reports (`assay scan --report json=FILE`), or scans of a store: by number, as `assay history
    list` shows it, or a service's newest as @orders, the one before it as @orders~1. The change is split into code,
    standard, configuration, waivers and analysis; the parts add up.
    """
    from assay.scanner.cli.kept_results import read_pair
    from assay.scanner.movement import movement

    if str(old) == str(new) == STANDARD_INPUT:
        raise click.UsageError("only one of the two can come from standard input")
    with problems_told():
        moved = movement(*read_pair(old, new, store))
    if form == "json":
        from assay.reports import movement_json

        print_text(movement_json.render(moved))
    else:
        from assay.reports import movement as screens

        show(lambda console: screens.render(moved, console))
    if exit_code and not moved.is_none:
        sys.exit(DIFFERENT)
