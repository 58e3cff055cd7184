"""Whether a stream gets colours: what was asked for, then what the environment asks for, then what the stream is."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TextIO

import click


class Colour(StrEnum):
    """What `--color` takes."""

    AUTO = "auto"
    ALWAYS = "always"
    NEVER = "never"


def _remembered(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.find_root().meta[_CHOSEN] = Colour(value)


_CHOSEN = "assay.colour"
COLOUR = click.Option(
    ["--color"],
    type=click.Choice([colour.value for colour in Colour]),
    expose_value=False,
    callback=_remembered,
    help="Whether text has colours; by default where a terminal or a CI's log shows it.",
)
"""An option of every command."""

_FORCING = ("FORCE_COLOR", "CLICOLOR_FORCE")
_CI_WITH_COLOURS = ("GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE")
"""Their logs show colours, though what they read is no terminal."""


def chosen() -> Colour:
    """What the command line asks for."""
    context = click.get_current_context(silent=True)
    choice = context.find_root().meta.get(_CHOSEN) if context else None
    return choice if isinstance(choice, Colour) else Colour.AUTO


def has_colours(stream: TextIO, choice: Colour, environment: Mapping[str, str]) -> bool:
    """An empty variable counts as unset (https://no-color.org, https://force-color.org, https://bixense.com/clicolors)."""
    if choice is not Colour.AUTO:
        return choice is Colour.ALWAYS
    if environment.get("NO_COLOR"):
        return False
    if any(environment.get(name, "") not in ("", "0") for name in _FORCING):
        return True
    if environment.get("TERM") == "dumb":
        return False
    if environment.get("CI") and any(environment.get(name) for name in _CI_WITH_COLOURS):
        return True
    return stream.isatty()
