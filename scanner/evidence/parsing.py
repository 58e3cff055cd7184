"""What readers of evidence share: JSON, numbers, times, and one way to say that a file is wrong."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from assay.scanner.diagnostics import Reason
from assay.scanner.readers.problem import ReadProblem

Json: TypeAlias = "Mapping[str, Json] | list[Json] | str | int | float | bool | None"

_MILLISECONDS = 1e11
"""An epoch time above it counts milliseconds: in seconds, it would lie in the year 5138."""
_LATEST = 253_402_300_799
"""The last second of the year 9999."""


def problem(message: str, line: int | None = None) -> ReadProblem:
    """The file isn't what its tool writes."""
    return ReadProblem(Reason.BAD_EVIDENCE, message, line)


def parsed(text: str, tool: str) -> Json:
    """The JSON document. Raises ReadProblem."""
    try:
        value: Json = json.loads(text)
    except json.JSONDecodeError as error:
        raise problem(f"it is no valid JSON ({error.msg}); let {tool} write it anew", error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise problem(f"its JSON can't be read; let {tool} write it anew") from error
    return value


def table(value: Json, name: str, tool: str) -> Mapping[str, Json]:
    """The object. Raises ReadProblem where it is something else."""
    if not isinstance(value, Mapping):
        raise problem(f"{name} is no object, as {tool} writes it; let {tool} write the file anew")
    return value


def number(value: Json) -> float | None:
    """The number, also one that is written as text; None for what is none or isn't finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def count(value: Json, name: str, tool: str, line: int | None = None) -> int:
    """A number of things. Raises ReadProblem for what is none."""
    found = number(value)
    if found is None or found < 0 or found != int(found):
        raise problem(f"{name} is {str(value)[:40]!r}, which is no number of things; let {tool} write it anew", line)
    return int(found)


def time_of_epoch(value: Json) -> str:
    """Seconds or milliseconds since 1970 as ISO 8601; empty for what is no such time."""
    found = number(value)
    if found is None or found <= 0:
        return ""
    seconds = found / 1000 if found > _MILLISECONDS else found
    if seconds > _LATEST:
        return ""
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=int(seconds))).isoformat()


def time_of_text(value: Json) -> str:
    """An ISO 8601 time in UTC, which is also assumed where no zone is told; empty for what is no such time."""
    if not isinstance(value, str):
        return ""
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value.strip()))
        found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        return ""
    return found.replace(microsecond=0).isoformat()
