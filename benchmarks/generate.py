"""Makes a realistic backend of any size: `python benchmarks/generate.py OUT --lines 250000`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.generator.backend import DEFAULT_FRAMEWORKS, DEFAULT_SERVICE_LINES, Plan, generate
from benchmarks.generator.services import FRAMEWORKS


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--lines", type=click.IntRange(min=2_000), default=50_000, show_default=True, help="Lines of Python.")
@click.option("--seed", default=0, show_default=True, help="The same seed makes the same backend.")
@click.option(
    "--service-lines",
    type=click.IntRange(min=2_000),
    default=DEFAULT_SERVICE_LINES,
    show_default=True,
    help="The most lines of one service; a longer backend has several.",
)
@click.option(
    "--framework",
    "frameworks",
    type=click.Choice(FRAMEWORKS),
    multiple=True,
    default=DEFAULT_FRAMEWORKS,
    show_default=True,
    help="What the services are made with, in turns; may be repeated.",
)
def main(out: Path, lines: int, seed: int, service_lines: int, frameworks: tuple[str, ...]) -> None:
    """Write a backend into the folder OUT, which must be empty or not there yet."""
    if out.exists() and any(out.iterdir()):
        raise click.ClickException(f"{out} is not empty; name a folder that isn't there yet")
    click.echo(f"{out}: {generate(out, Plan(lines, seed, service_lines, frameworks)):,} lines of Python")


if __name__ == "__main__":
    main()
