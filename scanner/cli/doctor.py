"""`assay doctor`: what a scan would work with, and what keeps it from seeing all."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from assay.scanner.cli import wiring
from assay.scanner.cli.exits import UNTRUSTED, problems_told
from assay.scanner.cli.printing import print_text, progress_shown, show
from assay.scanner.cli.request import Request, takes_request


@click.command()
@takes_request
@click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text")
def doctor(request: Request, form: str) -> None:
    """Show which files are read and which aren't and why, services, frameworks, base, cache and configuration.

    Exits with 2 where a scan isn't possible. The network is not asked.
    """
    from assay.scanner.config.settings import settings
    from assay.scanner.doctor import examine
    from assay.scanner.examination import as_json

    with problems_told():
        scope = request.scope()
        loaded = wiring.loaded(request.path, scope.rulebook, request.config_file, request.isolated)
        with progress_shown() as progress:
            found = examine(
                scope.root,
                scope.rulebook,
                scope.options,
                settings(loaded, scope.rulebook),
                scope.limits,
                _cache_folder(request),
                progress,
            )
    if form == "json":
        print_text(as_json(found))
    else:
        from assay.reports import doctor as screens

        show(lambda console: screens.render(found, console))
    if found.problem:
        sys.exit(UNTRUSTED)


def _cache_folder(request: Request) -> Path | None:
    from assay.scanner.cache import default_folder

    return None if request.no_cache else request.cache_dir or default_folder()
