"""What two configurations say differently, in the words of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from assay.scanner.config.structure import Config

__all__ = ["differences"]

_NOTHING = "none"
_LONGEST, _MOST = 60, 4
"""Characters of a value, and values of a list, that are shown."""


def differences(before: Config, after: Config) -> list[str]:
    """Such as `gate.mode: enforce → warn` and `rules.disable: + SEC101`, sorted by key."""
    old, new = (dict(_leaves(_as_written(config))) for config in (before, after))
    return [_told(key, old.get(key), new.get(key)) for key in sorted({*old, *new}) if old.get(key) != new.get(key)]


def _as_written(config: Config) -> dict[str, Any]:
    values: dict[str, Any] = msgspec.to_builtins(msgspec.structs.replace(config, sources=()), order="deterministic")
    rules = values["rules"]
    named = {code: {"severity": rule["severity"], **rule["options"]} for code, rule in rules["rules"].items()}
    return values | {"rules": {"disable": rules["disable"], **named}}


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    """Each setting that isn't empty, with its dotted key."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{key}.{name}" if key else str(name))
    elif value is not None and value not in ([], ()):
        yield key, value


def _told(key: str, old: Any, new: Any) -> str:
    if isinstance(old, list | tuple) or isinstance(new, list | tuple):
        before, after = ([_shown(item) for item in items or ()] for items in (old, new))
        parts = [f"+ {item}" for item in after if item not in before]
        parts += [f"- {item}" for item in before if item not in after]
        more = [f"and {len(parts) - _MOST:,} more"] if len(parts) > _MOST else []
        return f"{_short(key)}: {', '.join((*parts[:_MOST], *more)) or 'in another order'}"
    return f"{_short(key)}: {_shown(old)} → {_shown(new)}"


def _shown(value: Any) -> str:
    if value is None:
        return _NOTHING
    if isinstance(value, Mapping):
        inner = ", ".join(f"{name} = {_shown(each)}" for name, each in value.items() if each is not None)
        return f"{{{inner}}}"
    return _short(str(value).lower() if isinstance(value, bool) else str(value))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
