"""Schedules, in words or in cron's syntax: when work runs by itself."""

from __future__ import annotations

from collections.abc import Mapping

from assay.scanner.dataflow.constants import constant, definitions, string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form

COMPUTED = "computed"
_UNITS = ("weeks", "days", "hours", "minutes", "seconds", "microseconds")
_FIELDS: Mapping[str, tuple[str, ...]] = {
    "minute": ("minute",),
    "hour": ("hour",),
    "day": ("day_of_month", "day"),
    "month": ("month_of_year", "month"),
    "weekday": ("day_of_week", "weekday"),
}
"""The five fields of cron in their order, with the arguments that libraries call them by."""
_CELERY_ORDER = ("minute", "hour", "weekday", "day", "month")
CRONS = frozenset({"crontab", "cron", "CronTrigger", "from_crontab", "Cron"})
_INTERVALS = frozenset({"timedelta", "IntervalTrigger", "schedule"})
_DEEPEST = 3


def schedule(node: form.Expr, scope: Scope, project: Project, depth: int = _DEEPEST) -> str:
    """`every 30 seconds` for a number or a timedelta, `*/5 * * * *` for a crontab; a text is its own word for it."""
    found = constant(node, scope, project)
    if found is not None and isinstance(found.value, int | float):
        return every({"seconds": f"{found.value:g}"})
    if found is not None and isinstance(found.value, str):
        return found.value
    if isinstance(node, form.Call):
        name = last_name(node.func)
        if name in CRONS:
            return crontab(node, scope, project)
        if name in _INTERVALS:
            return interval(node, scope, project)
        if name == "solar" and node.positional:
            return f"at {string_value(node.positional[0], scope, project) or COMPUTED}"
    known = definitions(node, scope, project) if depth else []
    if len(known) == 1 and known[0][0] is not node:
        return schedule(*known[0], project, depth - 1)
    return COMPUTED


def every(parts: Mapping[str, str]) -> str:
    """`every hour`, `every 5 minutes`, `every 1 hour 30 minutes`, of amounts by unit."""
    if not parts:
        return COMPUTED
    if len(parts) == 1 and "1" in parts.values():
        return f"every {next(iter(parts)).rstrip('s')}"
    return "every " + " ".join(f"{n} {unit.rstrip('s') if n == '1' else unit}" for unit, n in parts.items())


def interval(node: form.Call, scope: Scope, project: Project) -> str:
    """`timedelta(hours=1)`, `IntervalTrigger(minutes=5)`, or a call that is told an interval by unit."""
    wrapped = node.keyword("run_every")
    if wrapped is not None:
        return schedule(wrapped, scope, project)
    given = {unit: value for unit in _UNITS if (value := node.keyword(unit)) is not None}
    positional = node.positional
    if positional and last_name(node.func) == "timedelta":
        given |= dict(zip(("days", "seconds"), positional, strict=False))
    amounts = {unit: constant(value, scope, project) for unit, value in given.items()}
    known = {u: f"{c.value:g}" for u, c in amounts.items() if c is not None and isinstance(c.value, int | float)}
    return every(known) if len(known) == len(amounts) else COMPUTED


def crontab(node: form.Call, scope: Scope, project: Project, first: int = 0) -> str:
    """The five fields of a crontab that a call states by name, or as one text; those before `first` are none of it."""
    positional = node.positional[first:]
    if positional and not any(argument.name for argument in node.args):
        whole = string_value(positional[0], scope, project)
        if whole is not None and " " in whole:
            return whole
    by_place = dict(zip(_CELERY_ORDER, positional, strict=False))
    stated = [
        by_place.get(field) or next((v for name in names if (v := node.keyword(name)) is not None), None)
        for field, names in _FIELDS.items()
    ]
    return " ".join("*" if value is None else _field(value, scope, project) for value in stated)


def _field(node: form.Expr, scope: Scope, project: Project) -> str:
    """A number, cron's own text, or several numbers."""
    if isinstance(node, form.Display):
        return ",".join(_field(item, scope, project) for item in node.items)
    found = constant(node, scope, project)
    if found is None:
        return "?"
    return "*" if found.value is None else str(found.value).replace(" ", "")
