"""Every setting of a configuration with its value and its origin, as `assay config show` tells them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from assay.scanner.config.documents import written
from assay.scanner.config.lines import KeyPath
from assay.scanner.config.loading import Loaded
from assay.scanner.config.structure import Config
from assay.scanner.rulebook import Rulebook


@dataclass(frozen=True, slots=True)
class Setting:
    """A key and its value as TOML writes them, and the places it comes from; none for a default."""

    key: str
    value: Any
    origins: tuple[str, ...]

    @property
    def toml(self) -> str:
        return _toml(self.value)


def settings(loaded: Loaded, rulebook: Rulebook) -> Iterator[Setting]:
    """In the order of the documentation; limits that nobody set are left out."""
    for path, value in _leaves(_as_written(loaded, rulebook), ()):
        yield Setting(written(path), value, _origins(loaded, path, value))


def _as_written(loaded: Loaded, rulebook: Rulebook) -> dict[str, Any]:
    config = loaded.config
    tables: dict[str, Any] = msgspec.to_builtins(config, builtin_types=(date,))
    return {
        "edition": config.edition or rulebook.standard.edition,
        "files": tables["files"],
        "coverage": tables["coverage"],
        "rules": _rules(loaded, config, rulebook),
        "gate": tables["gate"],
        "services": tables["services"],
        "waivers": tables["waivers"],
        "attestations": tables["attestations"],
    }


def _rules(loaded: Loaded, config: Config, rulebook: Rulebook) -> dict[str, Any]:
    """Severities that were changed, and all options."""
    written_rules = loaded.merged.values.get("rules", {})
    found: dict[str, Any] = {"disable": list(written_rules.get("disable", ()))}
    for rule in rulebook.rules:
        configured = config.rules.rules.get(rule.code)
        table = {}
        if configured is not None and configured.severity is not None:
            table["severity"] = configured.severity.value
        if rule.options_type is not None:
            chosen = config.rules.options(rule)
            for option in dataclasses.fields(rule.options_type):
                table[option.name] = msgspec.to_builtins(getattr(chosen, option.name))
        if table:
            found[rule.code] = table
    return found


def _leaves(value: Any, path: KeyPath) -> Iterator[tuple[KeyPath, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif isinstance(value, list | tuple) and value and isinstance(value[0], dict):
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, index))
    elif value is not None:
        yield path, value


def _origins(loaded: Loaded, path: KeyPath, value: Any) -> tuple[str, ...]:
    """A list may have entries of several files."""
    places = [(*path, index) for index in range(len(value))] if isinstance(value, list | tuple) else []
    found = (loaded.merged.origin(place) for place in [*places, path] if place != path or not places)
    return tuple(dict.fromkeys(str(origin) for origin in found if origin is not None))


def _toml(value: Any) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return json.dumps(value, ensure_ascii=False)
        case date():
            return value.isoformat()
        case float() if value.is_integer():
            return str(int(value))
        case list() | tuple():
            return f"[{', '.join(map(_toml, value))}]"
        case _:
            return str(value)
