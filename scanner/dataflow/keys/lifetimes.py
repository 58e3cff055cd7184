"""How long something is to last: what durations and points in time come to, in seconds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from assay.scanner.configuration.meanings import Meanings
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_UNITS = {
    "years": 31_536_000, "months": 2_592_000, "weeks": 604_800, "days": 86_400, "hours": 3_600, "minutes": 60,
    "seconds": 1, "milliseconds": 0.001,
}  # fmt: skip
_DURATIONS = frozenset({"timedelta", "duration", "Duration", "add", "shift", "relativedelta"})
"""Calls, by last name, that are told a duration in units: `timedelta(days=1)`, `now.add(hours=2)`."""
_ORDER = ("days", "seconds", "microseconds", "milliseconds", "minutes", "hours", "weeks")
"""`timedelta`'s parameters."""
_SHAPES = frozenset(
    {"timestamp", "int", "round", "floor", "isoformat", "replace", "astimezone", "timegm", "utctimetuple", "strftime"}
)
"""Calls, by last name, that give the same point in time in another shape."""
_NUMBERS = frozenset({"int", "float", "total_seconds"})
_RENEWALS = frozenset(
    {
        "confirm", "confirmation", "feed", "invitation", "invite", "permanent", "personal", "refresh", "remember",
        "remembered", "share", "unsubscribe", "verification", "verify",
    }
)  # fmt: skip
"""Words of names for what is to last longer than a token that opens everything."""
_KEYS = ({"api", "token"}, {"api", "tokens"}, {"api", "key"}, {"api", "keys"}, {"long", "token"}, {"long", "lived"})
"""Words that do so together."""
_DEEPEST = 20
_MOST_CALLERS = 12


@dataclass(frozen=True, slots=True)
class Lifetime:
    """One duration that was found. `is_lasting` where the names on the way speak of what is to last long."""

    seconds: float
    evidence: Evidence
    is_lasting: bool = False


class Lifetimes:
    """Answers for one project."""

    def __init__(self, project: Project, production: Production) -> None:
        self._project = project
        self._production = production

    def until(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> list[Lifetime]:
        """How long it is from now to a point in time, or how long a duration is; nothing where that can't be told."""
        if not depth:
            return []
        found = list(self._until(node, scope, depth - 1))
        speaks = isinstance(node, form.Name | form.Attr) and is_lasting(last_name(node) or "")
        return [replace(f, is_lasting=True) for f in found] if speaks else found

    def _until(self, node: form.Expr, scope: Scope, depth: int) -> Iterator[Lifetime]:
        match node:
            case form.Call():
                yield from self._called(node, scope, depth)
            case form.Binary(op="+", left=left, right=right):
                found = self.until(left, scope, depth) + self.until(right, scope, depth)
                yield from found or self.numbers(right, scope, depth) or self.numbers(left, scope, depth)
            case form.Binary(op="*", left=left, right=right):
                yield from self._times(left, right, scope, depth)
                yield from self._times(right, left, scope, depth)
            case form.Boolean(values=values):
                for value in values:
                    yield from self.until(value, scope, depth)
            case form.Conditional(body=body, orelse=orelse):
                yield from self.until(body, scope, depth) + self.until(orelse, scope, depth)
            case form.Name() | form.Attr():
                for item, around in self._definitions(node, scope):
                    lasting = around is not scope and speaks_of_lasting(around)
                    yield from (replace(f, is_lasting=f.is_lasting or lasting) for f in self.until(item, around, depth))
            case form.Await(value=inner):
                yield from self.until(inner, scope, depth)

    def _times(self, duration: form.Expr, number: form.Expr, scope: Scope, depth: int) -> Iterator[Lifetime]:
        for one in self.until(duration, scope, depth):
            for times in self.numbers(number, scope, depth):
                yield replace(one, seconds=one.seconds * times.seconds)

    def _called(self, call: form.Call, scope: Scope, depth: int) -> Iterator[Lifetime]:
        name = last_name(call.func) or ""
        function = self._project.callee_function(call, scope)
        if function is not None and function.name != "__init__":
            for node in function.returns:
                if node.value is not None:
                    yield from self.until(node.value, function.scope, depth)
        elif name in _DURATIONS:
            yield from self._in_units(call, scope, depth)
        elif name in _SHAPES:
            if isinstance(call.func, form.Attr):
                yield from self.until(call.func.value, scope, depth)
            for argument in call.positional[:1]:
                yield from self.until(argument, scope, depth)

    def _in_units(self, call: form.Call, scope: Scope, depth: int) -> list[Lifetime]:
        """The sum of what the call is told; nothing where a part of it can't be told."""
        parts = [*zip(_ORDER, call.positional, strict=False), *((a.name, a.value) for a in call.args if a.name)]
        found = [(unit, self.numbers(value, scope, depth)) for unit, value in parts if unit in _UNITS]
        if not found or any(not numbers for _, numbers in found):
            return []
        first = max(found, key=lambda part: max(n.seconds for n in part[1]) * _UNITS[part[0]])
        rest = sum(max(n.seconds for n in ns) * _UNITS[unit] for unit, ns in found if unit != first[0])
        return [replace(n, seconds=n.seconds * _UNITS[first[0]] + rest) for n in first[1]]

    # --- numbers ---

    def numbers(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> list[Lifetime]:
        """What a number may be."""
        if not depth:
            return []
        here = scope.module.evidence(node, "this says how long")
        match node:
            case form.Const(value=bool()):
                return []
            case form.Const(value=int() | float() as number):
                return [Lifetime(number, here)]
            case form.Binary(op="+" | "-" | "*" as op, left=left, right=right):
                pairs = [
                    (a, b) for a in self.numbers(left, scope, depth - 1) for b in self.numbers(right, scope, depth - 1)
                ]
                constant = isinstance(left, form.Const | form.Binary) and isinstance(right, form.Const | form.Binary)
                return [
                    Lifetime(
                        _calculated(op, a.seconds, b.seconds),
                        here if constant else (b if isinstance(left, form.Const) else a).evidence,
                        a.is_lasting or b.is_lasting,
                    )
                    for a, b in pairs
                ]
            case form.Name() | form.Attr():
                found = [n for item in self._definitions(node, scope) for n in self.numbers(*item, depth - 1)]
                found = found or _of_meanings(self._production.meanings(node, scope))
                lasting = is_lasting(last_name(node) or "")
                return [replace(n, is_lasting=n.is_lasting or lasting) for n in found]
            case form.Boolean(values=values):
                return [n for value in values for n in self.numbers(value, scope, depth - 1)]
            case form.Call() if last_name(node.func) in _NUMBERS and not (node.args and len(node.args) > 1):
                inner = node.func.value if isinstance(node.func, form.Attr) else None
                if last_name(node.func) == "total_seconds" and inner is not None:
                    return self.until(inner, scope, depth - 1)
                if node.positional and isinstance(node.func, form.Name):
                    return self.numbers(node.positional[0], scope, depth - 1)
        return _of_meanings(self._production.meanings(node, scope))

    def _definitions(self, node: form.Name | form.Attr, scope: Scope) -> list[tuple[form.Expr, Scope]]:
        """What a name stands for; of a parameter, what callers hand to it, and its default."""
        bindings = scope.lookup(node.id) if isinstance(node, form.Name) else []
        given: list[tuple[form.Expr, Scope]] = []
        for binding in bindings:
            function, param = binding.function, binding.param
            if function is None or param is None:
                continue
            for call, around in self._project.callers(function)[:_MOST_CALLERS]:
                argument = self._project.bound_argument(call, function, param)
                given += [(argument, around)] if argument is not None else []
            given += [(param.default, function.outer)] if param.default is not None else []
        return given + definitions(node, scope, self._project)


def is_lasting(name: str) -> bool:
    """Whether the name speaks of what is to last longer than a token that opens everything."""
    spoken = set(words(name))
    return not _RENEWALS.isdisjoint(spoken) or any(pair <= spoken for pair in _KEYS)


def speaks_of_lasting(scope: Scope) -> bool:
    """Whether the code around says so: the function, or its module."""
    return is_lasting(f"{last_part(scope.module.name)}.{scope.qualname}")


def _calculated(op: str, one: float, other: float) -> float:
    return one * other if op == "*" else one + other if op == "+" else one - other


def _of_meanings(meanings: Meanings) -> list[Lifetime]:
    found = []
    for meaning in meanings:
        text = str(meaning.value)
        if isinstance(meaning.value, str | int | float) and text.replace(".", "", 1).isdigit():
            found.append(Lifetime(float(text), meaning.evidence))
    return found
