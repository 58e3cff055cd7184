"""What a function does to what it is given, and how a caller fills that in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from assay.scanner.dataflow.taint.values import (
    Anonymous,
    Cell,
    Choice,
    Const,
    Func,
    Partial,
    Slot,
    Text,
    Thing,
    Trace,
    Tree,
    Value,
    continued,
    continuing,
    joined,
    merged_traces,
    text_of,
)
from assay.scanner.libraries import Label, SinkKind
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.readers.python import form

_LABELS = list(Label)


@dataclass(frozen=True, slots=True)
class Place:
    """A sink in the code: the call or assignment, and what interprets the data."""

    node: form.Node
    kind: SinkKind
    scope: Scope = field(compare=False)
    callee: str = field(compare=False)


@dataclass(frozen=True, slots=True)
class Use:
    """A value that reaches a sink; it has slots in it, so the caller decides what that is."""

    place: Place
    value: Value


Cleared: TypeAlias = Mapping[Slot, frozenset[SinkKind]]
"""For which sinks a slot is shown to be harmless."""


@dataclass(slots=True)
class Summary:
    """What running a function does, in terms of its slots.

    `result` is None where it never returns. `writes` is what it leaves in its arguments' attributes and items.
    `rebinds` is what it leaves in variables of the function around it. `wants` are the slots whose constants or
    functions the answer depends on. `always`, `if_true` and `if_false` say what holds of slots when it has returned,
    and when what it returned is true or false.
    """

    result: Value | None = None
    uses: list[Use] = field(default_factory=list)
    writes: dict[Slot, Cell] = field(default_factory=dict)
    wants: set[Slot] = field(default_factory=set)
    rebinds: dict[str, Value] = field(default_factory=dict)
    always: Cleared = field(default_factory=dict)
    if_true: Cleared = field(default_factory=dict)
    if_false: Cleared = field(default_factory=dict)
    calls: set[FunctionSymbol] = field(default_factory=set)
    is_whole: bool = True
    """Whether it was followed to the end."""


BOTTOM = Summary()
"""Of a function that is being worked out: nothing comes back from a recursion that has not begun to return."""


@dataclass(frozen=True, slots=True)
class Filling:
    """What a caller puts into a callee's slots: `given` looks a slot up, `traces` tells what is in a value, `path` what
    the caller calls a variable of the callee.
    """

    given: Callable[[Slot], Value]
    traces: Callable[[Value], tuple[Trace, ...]]
    path: Callable[[str], str | None]

    def value(self, value: Value) -> Value:
        """The value with its slots filled."""
        if type(value) is Const:
            return value
        match value:
            case Slot(steps=steps):
                return continuing(self.given(value), steps)
            case Text(parts=parts):
                return text_of(p if isinstance(p, str) else self._part(p) for p in parts)
            case Thing(type_name=name, traces=traces, about=about):
                if not traces and not about:
                    return value
                return Thing(name, merged_traces(self._filled(traces)), self._about(about))
            case Choice(values=values):
                return joined(self.value(v) for v in values)
            case Tree(kind=kind, entries=entries, rest=rest, keys=keys, cls=cls, type_name=name):
                inside = tuple((k, self.value(v)) for k, v in entries)
                return Tree(kind, inside, self._maybe(rest), self._maybe(keys), cls, name)
            case Func(receiver=receiver, captured=captured):
                return replace(value, receiver=self._maybe(receiver), captured=self._named(captured))
            case Anonymous(node=node, scope=scope, captured=captured):
                return Anonymous(node, scope, self._named(captured))
            case Partial(func=func, args=args, keywords=keywords):
                return Partial(self.value(func), tuple(self.value(a) for a in args), self._named(keywords))
        return value

    def _about(self, about: tuple[str, ...]) -> tuple[str, ...]:
        path = self.path(about[0]) if about else None
        return (path, *about[1:]) if path is not None else ()

    def _part(self, part: Value) -> Value:
        filled = self.value(part)
        return filled if not isinstance(filled, Tree) else Thing("", self.traces(filled))

    def _maybe(self, value: Value | None) -> Value | None:
        return self.value(value) if value is not None else None

    def _named(self, pairs: tuple[tuple[str, Value], ...]) -> tuple[tuple[str, Value], ...]:
        return tuple((name, self.value(value)) for name, value in pairs)

    def _filled(self, traces: tuple[Trace, ...]) -> Iterator[Trace]:
        for trace in traces:
            if not isinstance(trace.origin, Slot):
                yield trace
                continue
            for outer in self.traces(self.given(trace.origin)):
                label = max(outer.label, trace.label, key=_LABELS.index)
                steps = continued(outer.steps, trace.steps)
                yield Trace(
                    outer.origin,
                    label,
                    outer.cleared | trace.cleared,
                    outer.lacks | trace.lacks,
                    outer.doubt or trace.doubt,
                    steps,
                )
