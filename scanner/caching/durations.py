"""How many seconds an entry of a cache lasts."""

from __future__ import annotations

import re

from assay.scanner.caching.operations import CacheCall
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.constants import constant
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form

_USUAL = 300
"""Seconds that Django and Flask-Caching keep what comes without a time."""
_WITH_USUAL = frozenset({"Django", "Flask-Caching", "cachelib"})
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_SPELLED = re.compile(r"(\d+)\s*([smhdw])")
_OF_TIMEDELTA = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86_400, "weeks": 604_800}
_MILLISECONDS = frozenset({"psetex"})


def seconds_of(call: CacheCall, production: Production, project: Project) -> int | None:
    """None where it can't be told."""
    if call.timeout is None:
        return _USUAL if call.library.name in _WITH_USUAL else None
    found = _seconds(call.timeout, call.scope, project)
    if found is None:
        values = [m.value for m in production.meanings(call.timeout, call.scope)]
        numbers = [v for v in values if isinstance(v, int | float) and not isinstance(v, bool)]
        found = int(min(numbers)) if numbers and len(numbers) == len(values) else None
    is_in_thousandths = last_name(call.call.func) in _MILLISECONDS or call.call.keyword("px") is call.timeout
    return found // 1000 if found is not None and is_in_thousandths else found


def _seconds(node: form.Expr, scope: Scope, project: Project) -> int | None:
    known = constant(node, scope, project)
    value = known.value if known is not None else None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return int(value)
    if isinstance(value, str):
        return sum(int(n) * _UNITS[unit] for n, unit in _SPELLED.findall(value)) or None
    match node:
        case form.Call(args=args) if last_name(node.func) == "timedelta":
            parts = [(a.name or "days", _seconds(a.value, scope, project)) for a in args]
            known_parts = [_OF_TIMEDELTA[name] * n for name, n in parts if n is not None and name in _OF_TIMEDELTA]
            return sum(known_parts) if parts and len(known_parts) == len(parts) else None
        case form.Name(id=name):
            values = [b.value for b in scope.lookup(name) if b.value is not None]
            return _seconds(values[0], scope, project) if len(values) == 1 and values[0] is not node else None
    return None
