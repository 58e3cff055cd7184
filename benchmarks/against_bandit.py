"""Times a cold scan against `bandit -q -r` on one tree, taking turns: `python benchmarks/against_bandit.py PATH`."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

SCAN = (sys.executable, "-m", "assay.scanner", "scan")
CONTENDERS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "assay scan": lambda tree: (*SCAN, tree),
    "assay scan --no-analyzers": lambda tree: (*SCAN, tree, "--no-analyzers"),
    "bandit -q -r": lambda tree: (sys.executable, "-m", "bandit", "-q", "-r", tree),
}
BASELINE = "bandit -q -r"


@click.command()
@click.argument("tree", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--runs", default=3, show_default=True, help="Runs of each; they take turns, so all see the same load.")
def main(tree: Path, runs: int) -> None:
    """Print the median wall time of each, in seconds, and its ratio to bandit's."""
    seconds: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    for _ in range(runs):
        for name, command in CONTENDERS.items():
            seconds[name].append(_timed(command(str(tree))))
    baseline = statistics.median(seconds[BASELINE])
    click.echo(f"{'median of ' + str(runs):<28}{'seconds':>9}{'ratio':>8}")
    for name, measured in seconds.items():
        median = statistics.median(measured)
        click.echo(f"{name:<28}{median:>9.2f}{median / baseline:>8.2f}")


def _timed(command: tuple[str, ...]) -> float:
    """Wall time in seconds. bandit exits with 1 when it finds something, which is no failure here."""
    start = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    if done.returncode not in (0, 1):
        raise click.ClickException(f"{' '.join(command)} exited with {done.returncode}")
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
