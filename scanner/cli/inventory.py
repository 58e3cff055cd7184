"""`assay inventory`: what was understood, before anything is judged."""

from __future__ import annotations

from pathlib import Path

import click

from assay.scanner.cli import wiring
from assay.scanner.cli.exits import problems_told
from assay.scanner.cli.printing import print_text, progress_shown, show


@click.command()
@wiring.PATH
@click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text")
@wiring.RULES
@wiring.JOBS
@wiring.CACHE_DIR
@wiring.NO_CACHE
@wiring.CONFIG_FILE
@wiring.ISOLATED
def inventory(
    path: Path,
    form: str,
    own_rules: tuple[Path, ...],
    jobs: int | None,
    cache_dir: Path | None,
    no_cache: bool,
    config_file: Path | None,
    isolated: bool,
) -> None:
    """Show what was understood: services, frameworks, endpoints, tables, SQL sites, log calls, health endpoints."""
    from assay.scanner import inventory as inventories
    from assay.scanner.engine import understand

    with problems_told(), progress_shown() as progress:
        recall = wiring.recall_of(cache_dir, no_cache)
        options = wiring.options(
            path,
            wiring.rulebook(own_rules),
            jobs,
            analyzers=False,
            recall=recall,
            config_file=config_file,
            isolated=isolated,
        )
        known = understand(path, options, progress)
    found = inventories.take(known)
    if form == "json":
        print_text(inventories.as_json(found))
    else:
        from assay.reports import inventory as screens

        show(lambda console: screens.render(found, console))
