"""A file of the configuration, and mistakes in it told by file, line and key with what was probably meant."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from assay.scanner.config.lines import KeyPath, lines_of


class ConfigError(Exception):
    """A mistake in the configuration; `str()` of it is the whole message for the user.

    `line` counts from 1; None where the file as a whole is meant. `key` is written as in TOML, such as
    `rules.API402.maximum`.
    """

    def __init__(self, file: str, line: int | None, key: str, problem: str) -> None:
        self.file, self.line, self.key, self.problem = file, line, key, problem
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {key + ': ' if key else ''}{problem}")


@dataclass(frozen=True, slots=True)
class Document:
    """A file's name in messages, its text, and where in it the configuration lies."""

    name: str
    text: str
    prefix: tuple[str, ...] = ()

    def parsed(self) -> dict[str, Any]:
        """The whole document. Raises ConfigError for what is no TOML."""
        try:
            values = tomllib.loads(self.text)
        except tomllib.TOMLDecodeError as error:
            match = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
            line = int(match[1]) if match else self.text.count("\n") + 1
            message = str(error)[: match.start()] if match else str(error)
            raise ConfigError(self.name, line, "", f"it is not valid TOML: {message}") from error
        except RecursionError as error:
            raise ConfigError(self.name, None, "", _TOO_DEEP) from error
        if _is_deeper(values, _DEEPEST):
            raise ConfigError(self.name, None, "", _TOO_DEEP)
        return values

    def error(self, path: KeyPath, problem: str, meant: Iterable[str] = ()) -> ConfigError:
        """`meant` are the valid names, the nearest of which is suggested for the path's last part."""
        hint = nearest(str(path[-1]), meant) if path else ""
        return ConfigError(self.name, self.line(path), written((*self.prefix, *path)), problem + hint)

    def line(self, path: KeyPath) -> int | None:
        """The line of the key, or of the nearest one around it that has a line."""
        lines = lines_of(self.text)
        full = (*self.prefix, *path)
        return next((lines[full[:end]] for end in range(len(full), 0, -1) if full[:end] in lines), None)


_DEEPEST = 50
_TOO_DEEP = f"tables and lists are nested more than {_DEEPEST} deep"


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether tables and lists are nested in more levels than that; dotted keys nest without end."""
    if not isinstance(value, dict | list):
        return False
    inner = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)


def nearest(name: str, candidates: Iterable[str]) -> str:
    """The end of a message that suggests the candidate most like the name; empty where none is like it."""
    found = difflib.get_close_matches(name, list(candidates), n=1)
    return f"; did you mean {found[0]!r}?" if found else ""


_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def written(path: KeyPath) -> str:
    """The path as TOML writes keys. A list's entry at its end is left out: the message names its value."""
    while path and isinstance(path[-1], int):
        path = path[:-1]
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{_written_key(part)}"
    return text.removeprefix(".")


def _written_key(key: str) -> str:
    # The key is a stranger's: what a terminal would act on is written as an escape.
    return key if _BARE_KEY.fullmatch(key) else json.dumps(key, ensure_ascii=not key.isprintable())
