"""The command line: thin click commands that wire the engine, the rules and the reports together."""

from __future__ import annotations

import gc
import importlib
import sys
from typing import NoReturn

import click

from assay.scanner import __version__
from assay.scanner.cli.colour import COLOUR
from assay.scanner.cli.exits import FINE, INTERRUPTED, UNTRUSTED

__all__ = ["cli", "main"]

COMMANDS = {
    "scan": "scanning",
    "gate": "gate",
    "baseline": "baseline",
    "rules": "standard",
    "explain": "standard",
    "inventory": "inventory",
    "doctor": "doctor",
    "convert": "convert",
    "diff": "diff",
    "history": "history",
    "dashboard": "dashboard",
    "init": "init",
    "config": "configuration",
    "waive": "waivers",
    "waivers": "waivers",
    "rule": "rule",
    "cache": "caching",
}
"""Each command and the module beside this one that has it; listed in this order."""


class _Commands(click.Group):
    """Imports a command's module when the command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - the same
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"assay.scanner.cli.{COMMANDS[cmd_name]}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        # So that `assay scan --color never` is as good as `assay --color never scan`.
        if COLOUR not in command.params:
            command.params.append(COLOUR)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="assay")
def cli() -> None:
    """Test a Python backend against a written standard of backend engineering."""


cli.params.append(COLOUR)


def main() -> NoReturn:
    """The entry point: click's own errors exit with 2, Ctrl-C with 130."""
    # What a scan builds lives until it ends: collecting garbage meanwhile finds none and costs a tenth of linking.
    gc.disable()
    try:
        cli(prog_name="assay", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nassay: interrupted; nothing was written", err=True)
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(UNTRUSTED)
    sys.exit(FINE)
