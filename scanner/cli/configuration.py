"""`assay config`: what is configured, where each value comes from, and the schema for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner.cli import wiring
from assay.scanner.cli.exits import problems_told
from assay.scanner.cli.printing import print_text

if TYPE_CHECKING:
    from assay.scanner.config import Loaded
    from assay.scanner.rulebook import Rulebook


@click.group()
def config() -> None:
    """Show and check what is configured."""


@config.command(name="show")
@wiring.PATH
@wiring.RULES
@wiring.CONFIG_FILE
@wiring.ISOLATED
@click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text")
def show_settings(path: Path, own_rules: tuple[Path, ...], config_file: Path | None, isolated: bool, form: str) -> None:
    """Show every setting, and the file and line that it comes from."""
    from assay.reports.plain import plain
    from assay.scanner.config.settings import settings

    loaded, rulebook = _loaded(path, own_rules, config_file, isolated)
    found = list(settings(loaded, rulebook))
    if form == "json":
        rows = [{"key": s.key, "value": s.value, "origins": s.origins} for s in found]
        answer = {"files": loaded.config.sources, "settings": rows}
        print_text(json.dumps(answer, indent=2, ensure_ascii=False, default=str) + "\n")
        return
    print_text(plain(_files(loaded)) + "\n\n")
    lines = [(f"{s.key} = {s.toml}", ", ".join(s.origins) or "default") for s in found]
    width = min(max(len(line) for line, _ in lines), _WIDEST)
    for line, origin in lines:
        print_text(plain(f"{line:<{width}}  # {origin}") + "\n")


_WIDEST = 60
"""Where origins are aligned; a longer line has its own behind it."""


@config.command()
@wiring.PATH
@wiring.RULES
@wiring.CONFIG_FILE
@wiring.ISOLATED
def check(path: Path, own_rules: tuple[Path, ...], config_file: Path | None, isolated: bool) -> None:
    """Check the configuration without scanning anything; exits 2 for a mistake."""
    from assay.reports.plain import plain

    loaded, _ = _loaded(path, own_rules, config_file, isolated)
    print_text(plain(_files(loaded)) + ": no mistakes found\n")


@config.command()
def schema() -> None:
    """Print the JSON Schema of assay.toml, for editors."""
    from assay.scanner.config import schema as json_schema

    print_text(json.dumps(json_schema(), indent=2, ensure_ascii=False) + "\n")


def _loaded(
    path: Path, own_rules: tuple[Path, ...], config_file: Path | None, isolated: bool
) -> tuple[Loaded, Rulebook]:
    from assay.scanner.discovery import check_root

    with problems_told():
        check_root(path)
        rulebook = wiring.rulebook(own_rules)
        return wiring.loaded(path, rulebook, config_file, isolated), rulebook


def _files(loaded: Loaded) -> str:
    sources = loaded.config.sources
    return f"Configured by {', '.join(sources)}" if sources else "Configured by no file, so the defaults hold"
