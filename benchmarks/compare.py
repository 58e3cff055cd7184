"""Measures Assay beside other tools and prints tables: `python benchmarks/compare.py [TREE ...]`."""

from __future__ import annotations

import hashlib
import json
import platform
import shutil
import statistics
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import contenders
from benchmarks.budgets import Check, TreeResult, checks
from benchmarks.contenders import CONTENDERS, TOOLS, Contender, Setting
from benchmarks.environment import BUILD, ROOT, UnavailableError, install
from benchmarks.generator.backend import Plan, generate
from benchmarks.measure import CORES, Measured, measure

DEFAULT_LINES = (10_000, 50_000, 250_000, 1_000_000)
_TREES = BUILD / "trees"


@click.command()
@click.argument("trees", nargs=-1, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--lines", type=click.IntRange(min=2_000), multiple=True, help="Generate a backend of that size too.")
@click.option("--runs", type=click.IntRange(min=1), default=3, show_default=True, help="Runs of each; they take turns.")
@click.option("--only", help=f"Take part: some of {','.join(TOOLS)}.")
@click.option("--slow-limit", default=100_000, show_default=True, help="The most lines that slow tools are run on.")
@click.option("--json", "file", type=click.Path(dir_okay=False, path_type=Path), help="Write the figures there too.")
def main(
    trees: tuple[Path, ...], lines: tuple[int, ...], runs: int, only: str | None, slow_limit: int, file: Path | None
) -> None:
    """Compare on each TREE, or on generated backends of 10, 50, 250 and 1,000 thousand lines.

    Trees are copied first, and never changed. All contenders run on two cores.
    """
    console = Console(width=None if sys.stdout.isatty() else 110, highlight=False)
    chosen = _chosen(only)
    if any(contender.is_slow for contender in chosen):
        try:
            install()
        except UnavailableError as error:
            click.echo(f"compare: {error}", err=True)
    wanted = lines or (() if trees else DEFAULT_LINES)
    results = []
    for name, tree in (*_copies(trees), *_generated(wanted)):
        results.append(_compared(name, tree, chosen, runs, slow_limit))
        console.print(_table(results[-1], runs))
    found = list(checks(results))
    console.print(_budget_table(found))
    if file:
        file.write_text(json.dumps(_figures(results, found, runs), indent=2) + "\n", encoding="utf-8")


def _chosen(only: str | None) -> Sequence[Contender]:
    if only is None:
        return CONTENDERS
    names = [name.strip() for name in only.split(",")]
    if unknown := [name for name in names if name not in TOOLS]:
        raise click.UsageError(f"--only: there is no {', '.join(unknown)}; name some of {', '.join(TOOLS)}")
    return [contender for contender in CONTENDERS if contender.tool in names]


def _copies(trees: Iterable[Path]) -> Iterator[tuple[str, Path]]:
    for number, tree in enumerate(trees, start=1):
        copy = _TREES / f"copy-{number}" / tree.resolve().name
        shutil.rmtree(copy.parent, ignore_errors=True)
        shutil.copytree(tree, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        yield copy.name, copy


def _generated(sizes: Iterable[int]) -> Iterator[tuple[str, Path]]:
    """Made once for each state of the generator, and kept."""
    for size in sizes:
        tree = _TREES / f"generated-{size}-{_recipe()}"
        if not tree.exists():
            unfinished = _TREES / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            generate(unfinished, Plan(size, frameworks=("fastapi",)))  # of one kind, so that sizes can be compared
            for outdated in _TREES.glob(f"generated-{size}-*"):
                shutil.rmtree(outdated)
            unfinished.rename(tree)
        yield f"generated, {size:,} lines", tree


def _recipe() -> str:
    """Differs for each state of the generator."""
    files = sorted(path for path in (ROOT / "benchmarks" / "generator").rglob("*") if path.suffix in (".py", ".jinja"))
    return hashlib.sha256(b"\0".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _compared(name: str, tree: Path, chosen: Sequence[Contender], runs: int, slow_limit: int) -> TreeResult:
    """All contenders once, then again: whatever else the machine does, it does to all of them."""
    lines = _lines(tree)
    setting = Setting(tree, BUILD / "cache" / tree.name)
    contenders.forget(setting)
    found: dict[str, list[Measured]] = {contender.name: [] for contender in chosen}
    notes: dict[str, str] = {}
    for run in range(runs):
        for contender in chosen:
            if contender.name in notes or (contender.is_slow and run > 0):
                continue
            if contender.is_slow and lines > slow_limit:
                notes[contender.name] = f"not run: over {slow_limit:,} lines"
                continue
            outcome = _run(contender, setting)
            if isinstance(outcome, str):
                notes[contender.name] = outcome
            else:
                found[contender.name].append(outcome)
    return TreeResult(name, lines, {c.name: notes.get(c.name) or _median(found[c.name]) for c in chosen})


def _run(contender: Contender, setting: Setting) -> Measured | str:
    command = contender.command(setting)
    if command is None:
        return "missing: not installed"
    with contender.prepared(setting):
        measured = measure(command)
    return measured if measured.code in contender.fine else f"failed: it exited with {measured.code}"


def _median(runs: Sequence[Measured]) -> Measured:
    return Measured(
        statistics.median(run.wall for run in runs),
        statistics.median(run.processor for run in runs),
        int(statistics.median(run.peak for run in runs)),
        runs[-1].code,
    )


def _lines(tree: Path) -> int:
    """Of Python. Reading all of it also means that no contender has to wait for the disk."""
    return sum(path.read_bytes().count(b"\n") for path in tree.rglob("*.py") if path.is_file())


# --- what is shown ----------------------------------------------------------------------------------------------------


def _table(result: TreeResult, runs: int) -> Table:
    table = Table(title=f"{result.name}: {result.lines:,} lines of Python, median of {runs}", title_justify="left")
    table.add_column("")
    for heading in ("wall s", f"of {contenders.BANDIT}'s", "processor s", "peak MB"):
        table.add_column(heading, justify="right")
    table.add_column("")
    baseline = result.of(contenders.BANDIT)
    for name, measured in result.measured.items():
        if isinstance(measured, str):
            table.add_row(name, *"––––", measured)
            continue
        ratio = f"{measured.wall / baseline.wall:.2f}" if baseline else "–"
        table.add_row(name, f"{measured.wall:.2f}", ratio, f"{measured.processor:.2f}", f"{measured.peak / 1e6:,.0f}")
    return table


def _budget_table(found: Iterable[Check]) -> Table:
    table = Table(title="Budgets", title_justify="left")
    for heading in ("budget", "tree"):
        table.add_column(heading)
    for heading in ("measured", "limit"):
        table.add_column(heading, justify="right")
    table.add_column("")
    for check in found:
        value = "–" if check.value is None else f"{check.value:.2f} {check.unit}"
        table.add_row(check.budget, check.where, value, f"{check.limit:g} {check.unit}", verdict(check))
    return table


def verdict(check: Check) -> str:
    """Whether the budget is met, in words."""
    return {None: "not measured", True: "met", False: "not met"}[check.is_met]


def _figures(results: Iterable[TreeResult], found: Iterable[Check], runs: int) -> dict[str, object]:
    return {
        "python": platform.python_version(),
        "machine": platform.machine(),
        "cores": CORES,
        "runs": runs,
        "trees": [
            {
                "name": result.name,
                "lines": result.lines,
                "contenders": {
                    name: measured if isinstance(measured, str) else asdict(measured)
                    for name, measured in result.measured.items()
                },
            }
            for result in results
        ],
        "budgets": [asdict(check) | {"verdict": verdict(check)} for check in found],
    }


if __name__ == "__main__":
    main()
