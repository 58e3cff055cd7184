"""Abstract values: what an expression can be while a function runs, and what of it a client chose.

Values are immutable and compare by content. Lists, dicts and objects live in the state's heap, where `Ref` points;
outside of the function that made them they are a `Tree`. Traces compare without the steps that led to them, so that
loops come to an end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from assay.scanner.libraries import Label, SinkKind
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.readers.python import form

Key: TypeAlias = str | int | float | bool | None
"""A constant that a container is indexed by; attributes are keys of objects."""

Site: TypeAlias = tuple[form.Node | Key, ...]
"""Where something in the heap was made: a node, with the keys that lead from there to what is inside."""

EVERYTHING = frozenset(SinkKind)
_MOST_TRACES = 12
_MOST_CHOICES = 10
_MOST_PARTS = 60
_MOST_BEGINNINGS = 4
_MOST_STEPS = 14


@dataclass(frozen=True, slots=True, eq=False)
class Step:
    """A place where a client's value is handed on; `before` is the step before it."""

    module: Module
    node: form.Node
    text: str
    before: Step | None = None
    length: int = 1


@dataclass(frozen=True, slots=True)
class Source:
    """Where a client's value comes in, in words."""

    text: str


@dataclass(frozen=True, slots=True)
class Trace:
    """One origin of a value: a client's input, or a slot that the caller fills.

    `cleared` are the sinks for which it was made harmless on the way; `lacks` are pieces of text that it was shown not
    to contain; `doubt` says what makes it uncertain that it arrives unchanged.
    """

    origin: Source | Slot
    label: Label = Label.TEXT
    cleared: frozenset[SinkKind] = frozenset()
    lacks: frozenset[str] = frozenset()
    doubt: str | None = None
    steps: Step | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Const:
    """A known scalar."""

    value: Key


@dataclass(frozen=True, slots=True)
class Text:
    """A text of which some parts are known: literal pieces, and values formatted into it. Never a single literal."""

    parts: tuple[str | Value, ...]


@dataclass(frozen=True, slots=True)
class Thing:
    """Anything else: an object of a library's type, or of an unknown one where `type_name` is empty.

    `about` is the path of the variable that it was worked out from (`urlparse(url)` is about `url`), and what of it.
    """

    type_name: str = ""
    traces: tuple[Trace, ...] = ()
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lib:
    """A function, class or module of a library, by its dotted name."""

    name: str


@dataclass(frozen=True, slots=True)
class Mod:
    """A module of the project."""

    module: Module


@dataclass(frozen=True, slots=True)
class Klass:
    """A class of the project."""

    cls: ClassSymbol


@dataclass(frozen=True, slots=True)
class Func:
    """A function of the project, bound to `receiver` where it is a method; `captured` are the variables around it.

    `is_plain` says that it is the function as it was before its decorators replaced it.
    """

    symbol: FunctionSymbol
    receiver: Value | None = None
    captured: tuple[tuple[str, Value], ...] = ()
    is_plain: bool = False


@dataclass(frozen=True, slots=True)
class Anonymous:
    """A lambda."""

    node: form.Lambda
    scope: Scope
    captured: tuple[tuple[str, Value], ...] = ()


@dataclass(frozen=True, slots=True)
class Partial:
    """A callable with arguments given beforehand."""

    func: Value
    args: tuple[Value, ...]
    keywords: tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True)
class Slot:
    """What the caller gives: the variable `name` of `owner` at its start (a parameter, or a variable of a function
    around it), or what lies on a path below that. `steps` are where it was handed on since.
    """

    owner: FunctionSymbol
    name: str
    path: tuple[Key, ...] = ()
    steps: Step | None = field(default=None, compare=False)

    def below(self, key: Key) -> Slot:
        """What the caller's value has under a key."""
        return Slot(self.owner, self.name, (*self.path, key), self.steps)


@dataclass(frozen=True, slots=True)
class Ref:
    """A container or object in the heap, by the place that made it."""

    site: Site


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several values."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Tree:
    """A container or object with what is in it. See `Cell` for the fields."""

    kind: str
    entries: tuple[tuple[Key, Value], ...]
    rest: Value | None = None
    keys: Value | None = None
    cls: ClassSymbol | None = None
    type_name: str = ""


Value: TypeAlias = Const | Text | Thing | Lib | Mod | Klass | Func | Anonymous | Partial | Slot | Ref | Choice | Tree


@dataclass(frozen=True, slots=True)
class Cell:
    """What a container or object holds: `entries` by known key, and `rest` for all others, None where there are none.

    `kind` is list, tuple, set, dict or object. The entries of a list are its first ones, 0 to n-1, and `rest` stands
    for all that may follow. `keys` stands for the keys of a dict that aren't known.
    """

    kind: str
    entries: dict[Key, Value]
    rest: Value | None = None
    keys: Value | None = None
    cls: ClassSymbol | None = None
    type_name: str = ""

    def with_entry(self, key: Key, value: Value) -> Cell:
        return replace(self, entries={**self.entries, key: value})

    def with_any(self, value: Value, key: Value | None = None) -> Cell:
        """Something was put at a place that isn't known: it may be at any of the known ones, too."""
        entries = {k: join(v, value) for k, v in self.entries.items()} if self.kind != "object" else self.entries
        keys = join(self.keys, key) if key is not None else self.keys
        return replace(self, entries=entries, rest=join(self.rest, value), keys=keys)

    def with_more(self, value: Value) -> Cell:
        """Something was put behind all that is in it."""
        return replace(self, rest=join(self.rest, value)) if self.is_sequence else self.with_any(value)

    @property
    def is_sequence(self) -> bool:
        return self.kind in ("list", "tuple")

    @property
    def all(self) -> Value:
        """Any of the values in it."""
        return present(joined([*self.entries.values(), *([self.rest] if self.rest is not None else [])]))

    @property
    def any_key(self) -> Value:
        return joined([*(Const(k) for k in self.entries), *([self.keys] if self.keys is not None else [])])


Heap: TypeAlias = dict[Site, Cell]

UNKNOWN = Thing()
NONE = Const(None)
ABSENT = Lib("<absent>")
"""Stands beside a value that a dict may or may not have."""
FIXED = Thing("<fixed>")
"""One of a set of constants that is too large to be listed."""


def is_fixed(value: Value) -> bool:
    """Whether it is written in the code: a constant, or one of several."""
    return all(isinstance(v, Const) or v == FIXED for v in options_of(value))


def join(one: Value | None, other: Value | None) -> Value:
    """What is one or the other."""
    if one is None or one == other:
        return other if other is not None else UNKNOWN
    if other is None:
        return one
    return joined([one, other])


def joined(values: Iterable[Value]) -> Value:
    """One of the values; too many different ones become a thing that has all their traces."""
    given = list(values)
    if len(given) == 1:
        return given[0]
    flat: dict[Value, Value] = {}
    for value in given:
        for part in value.values if isinstance(value, Choice) else (value,):
            flat.setdefault(part, part)
    if not flat:
        return UNKNOWN
    things = [v for v in flat if isinstance(v, Thing)]
    if len(things) > 1:
        # Unknown things differ in nothing but their traces.
        names = {t.type_name for t in things}
        merged = Thing(names.pop() if len(names) == 1 else "", merged_traces(t for v in things for t in v.traces))
        flat = {v: v for v in flat if not isinstance(v, Thing)}
        flat[merged] = merged
    if len(flat) == 1:
        return next(iter(flat))
    if len(flat) > _MOST_CHOICES:
        if all(isinstance(v, Const) for v in flat):
            return FIXED
        return Thing("", merged_traces(t for v in flat for t in shallow_traces(v)))
    return Choice(tuple(flat))


def present(value: Value) -> Value:
    """The value where it is there."""
    if isinstance(value, Choice) and ABSENT in value.values:
        return joined(v for v in value.values if v != ABSENT)
    return value if value != ABSENT else UNKNOWN


def options_of(value: Value) -> tuple[Value, ...]:
    """The values that it may be, one by one."""
    return value.values if isinstance(value, Choice) else (value,)


def merged_traces(traces: Iterable[Trace]) -> tuple[Trace, ...]:
    """Each once, and not too many: what comes after these isn't even worked out."""
    given = iter(traces)
    first, second = next(given, None), next(given, None)
    if first is None or second is None:
        return (first,) if first is not None else ()  # most have one, which is slow to hash
    found = {first: None, second: None}
    for trace in given:
        if len(found) == _MOST_TRACES:
            break
        found[trace] = None
    return tuple(found)


def shallow_traces(value: Value) -> Iterator[Trace]:
    """The traces of a value, without those of what a `Ref` points to."""
    match value:
        case Thing(traces=traces):
            yield from traces
        case Slot():
            yield open_trace(value)
        case _:
            for part in _parts_of(value):
                yield from shallow_traces(part)


def _parts_of(value: Value) -> Iterator[Value]:
    """The values that a value is made of."""
    match value:
        case Text(parts=parts):
            yield from (part for part in parts if not isinstance(part, str))
        case Choice(values=values):
            yield from values
        case Tree(entries=entries, rest=rest, keys=keys):
            yield from (entry for _, entry in entries)
            yield from (other for other in (rest, keys) if other is not None)
        case Partial(args=args, keywords=keywords):
            yield from args
            yield from (argument for _, argument in keywords)
        case Func(receiver=receiver) if receiver is not None:
            yield receiver


def open_trace(slot: Slot) -> Trace:
    """The trace of whatever the caller gives."""
    return Trace(slot, Label.JSON, steps=slot.steps)


def text_of(parts: Iterable[str | Value]) -> Value:
    """Text put together from pieces: literals side by side become one, nested texts are unfolded.

    Where the beginning is one of several, so is the whole: what a URL begins with decides where it leads. The same goes
    for one later piece; of more that are one of several texts, only the traces are kept.
    """
    pieces = list(parts)
    several = [i for i, piece in enumerate(pieces) if isinstance(piece, Choice) and (not i or _holds_text(piece))]
    if len(several) == 1 or (several and several[0] == 0):
        place = several[0]
        options = pieces[place]
        if isinstance(options, Choice) and len(options.values) <= _MOST_BEGINNINGS:
            return joined(text_of([*pieces[:place], option, *pieces[place + 1 :]]) for option in options.values)
    found: list[str | Value] = []
    for piece in pieces:
        _append(found, piece)
    if len(found) > _MOST_PARTS:
        return Thing(
            "builtins.str", merged_traces(t for p in found if not isinstance(p, str) for t in shallow_traces(p))
        )
    if not found:
        return Const("")
    if len(found) == 1 and isinstance(found[0], str):
        return Const(found[0])
    return Text(tuple(found))


def _holds_text(choice: Choice) -> bool:
    return any(isinstance(v, Text) for v in choice.values)


def _append(found: list[str | Value], part: str | Value) -> None:
    match part:
        case Const(value=value):
            part = str(value)
        case Text(parts=parts):
            for inner in parts:
                _append(found, inner)
            return
        case Choice(values=values) if not all(isinstance(v, Const) for v in values):
            part = Thing("builtins.str", merged_traces(t for v in values for t in shallow_traces(v)))
    if isinstance(part, str) and found and isinstance(found[-1], str):
        found[-1] += part
    elif part != "":
        found.append(part)


def handed_on(value: Value, module: Module, node: form.Node, text: str) -> Value:
    """The value, with a step where it is handed on."""
    if type(value) is Const:
        return value
    match value:
        case Thing(type_name=name, traces=traces, about=about):
            return Thing(name, tuple(stepped(t, module, node, text) for t in traces), about) if traces else value
        case Text(parts=parts):
            return Text(tuple(p if isinstance(p, str) else handed_on(p, module, node, text) for p in parts))
        case Choice(values=values):
            return joined(handed_on(v, module, node, text) for v in values)
        case Slot(owner=owner, name=name, path=path, steps=steps):
            return Slot(owner, name, path, _step(steps, module, node, text))
    return value


def continuing(value: Value, steps: Step | None) -> Value:
    """A value that a caller gives, with the steps that it goes in the callee."""
    if steps is None:
        return value
    match value:
        case Thing(traces=traces) if traces:
            return replace(value, traces=tuple(replace(t, steps=continued(t.steps, steps)) for t in traces))
        case Text(parts=parts):
            return Text(tuple(p if isinstance(p, str) else continuing(p, steps) for p in parts))
        case Choice(values=values):
            return joined(continuing(v, steps) for v in values)
        case Slot():
            return replace(value, steps=continued(value.steps, steps))
    return value


def stepped(trace: Trace, module: Module, node: form.Node, text: str) -> Trace:
    """The trace, one step on."""
    steps = _step(trace.steps, module, node, text)
    if steps is trace.steps:
        return trace
    return Trace(trace.origin, trace.label, trace.cleared, trace.lacks, trace.doubt, steps)


def _step(before: Step | None, module: Module, node: form.Node, text: str) -> Step | None:
    """One step on. A second step in one statement says nothing new."""
    if before is None:
        return Step(module, node, text)
    if (before.module is module and before.node.start == node.start) or before.length >= _MOST_STEPS:
        return before
    return Step(module, node, text, before, before.length + 1)


def continued(first: Step | None, then: Step | None) -> Step | None:
    """The steps of a callee behind those that lead to its call."""
    if then is None:
        return first
    before = continued(first, then.before)
    if before is not None and before.length >= _MOST_STEPS:
        return before
    return Step(then.module, then.node, then.text, before, before.length + 1 if before is not None else 1)


def cleared(value: Value, kinds: frozenset[SinkKind], heap: Heap | None = None) -> Value:
    """The value, harmless for sinks of these kinds; a constant stays one."""
    match value:
        case Const() | Lib() | Mod() | Klass() | Func() | Anonymous() | Partial():
            return value
        case Choice(values=values):
            return joined(cleared(v, kinds, heap) for v in values)
        case Text(parts=parts):
            return text_of(p if isinstance(p, str) else cleared(p, kinds, heap) for p in parts)
        case Ref():
            traces = traces_of(value, heap or {})
            return Thing("", _cleared_traces(traces, kinds)) if any(t.cleared < kinds for t in traces) else value
        case Thing(type_name=name, traces=traces, about=about):
            return Thing(name, _cleared_traces(traces, kinds), about)
    return Thing("", _cleared_traces(shallow_traces(value), kinds))


def _cleared_traces(traces: Iterable[Trace], kinds: frozenset[SinkKind]) -> tuple[Trace, ...]:
    if kinds >= EVERYTHING:
        return ()
    return merged_traces(replace(t, cleared=t.cleared | kinds) for t in traces)


def lacking(value: Value, piece: str) -> Value:
    """The value, which doesn't contain a piece of text."""
    match value:
        case Thing(type_name=name, traces=traces, about=about):
            return Thing(name, merged_traces(replace(t, lacks=t.lacks | {piece}) for t in traces), about)
        case Slot():
            return Thing("", (replace(open_trace(value), lacks=frozenset({piece})),))
        case Choice(values=values):
            return joined(lacking(v, piece) for v in values)
    return value


def revived(traces: Iterable[Trace]) -> tuple[Trace, ...]:
    """The traces of a value that is decoded: what was checked or escaped before says nothing of it any more."""
    return merged_traces(
        replace(t, cleared=frozenset(), lacks=frozenset(), label=Label.TEXT if t.label is Label.SEGMENT else t.label)
        for t in traces
    )


def parsed(traces: Iterable[Trace]) -> tuple[Trace, ...]:
    """The traces of a text that is read as JSON: it may be an object now."""
    return merged_traces(replace(t, label=Label.JSON) if t.label is Label.TEXT else t for t in traces)


def labelled(value: Value, label: Label) -> Value:
    """The value, of which a client chooses no more than the label says."""
    order = list(Label)
    match value:
        case Thing(type_name=name, traces=traces, about=about):
            kept = (replace(t, label=max(t.label, label, key=order.index)) for t in traces)
            return Thing(name, merged_traces(kept), about)
        case Slot():
            return Thing("", (Trace(value, label),))
        case Choice(values=values):
            return joined(labelled(v, label) for v in values)
    return value


def doubtful(traces: Iterable[Trace], doubt: str) -> tuple[Trace, ...]:
    """The traces, made uncertain."""
    return merged_traces(replace(t, doubt=t.doubt or doubt) for t in traces)


def traces_of(value: Value, heap: Heap) -> tuple[Trace, ...]:
    """The traces of a value and of all that is in it."""
    kind = type(value)
    if kind is Const or kind is Lib:  # with things, nine of ten values: a match would try class after class
        return ()
    return value.traces if isinstance(value, Thing) else merged_traces(_traces_in(value, heap, set()))


def _traces_in(value: Value, heap: Heap, seen: set[Ref]) -> Iterator[Trace]:
    """Those of a container are given once, however many ways lead to it."""
    match value:
        case Thing(traces=traces):
            yield from traces
        case Const() | Lib() | Mod() | Klass() | Anonymous():
            return
        case Ref():
            cell = heap.get(value.site)
            if cell is None or value in seen:
                return
            seen.add(value)
            for inside in (*cell.entries.values(), cell.rest, cell.keys):
                if inside is not None:
                    yield from _traces_in(inside, heap, seen)
        case Choice(values=values):
            for one in values:
                yield from _traces_in(one, heap, seen)
        case Text(parts=parts):
            for part in parts:
                if not isinstance(part, str):
                    yield from _traces_in(part, heap, seen)
        case _:
            yield from shallow_traces(value)


def _holds_reference(value: Value) -> bool:
    match value:
        case Ref():
            return True
        case Tree(entries=entries, rest=rest):
            return any(_holds_reference(v) for _, v in entries) or (rest is not None and _holds_reference(rest))
        case Choice(values=values):
            return any(_holds_reference(v) for v in values)
    return False


_DEEPEST_TREE = 4
_SAME_OUTSIDE = frozenset({Const, Thing, Slot, Lib, Mod, Klass})


def frozen(value: Value, heap: Heap, depth: int = _DEEPEST_TREE) -> Value:
    """The value as it is outside of the function whose heap it is in."""
    if type(value) in _SAME_OUTSIDE:
        return value
    match value:
        case Ref():
            cell = heap.get(value.site)
            if cell is None:
                return UNKNOWN
            if not depth:
                return Thing("", traces_of(value, heap))
            inside = tuple((k, frozen(v, heap, depth - 1)) for k, v in cell.entries.items())
            rest = frozen(cell.rest, heap, depth - 1) if cell.rest is not None else None
            keys = frozen(cell.keys, heap, depth - 1) if cell.keys is not None else None
            return Tree(cell.kind, inside, rest, keys, cell.cls, cell.type_name)
        case Tree(entries=entries, rest=rest) if depth and _holds_reference(value):
            inside = tuple((k, frozen(v, heap, depth - 1)) for k, v in entries)
            return replace(value, entries=inside, rest=frozen(rest, heap, depth - 1) if rest is not None else None)
        case Choice(values=values):
            return joined(frozen(v, heap, depth) for v in values)
        case Text(parts=parts):
            return text_of(p if isinstance(p, str) else frozen(p, heap, depth) for p in parts)
        case Func(receiver=receiver, captured=captured):
            inner = frozen(receiver, heap, depth) if receiver is not None else None
            outside = tuple((n, frozen(v, heap, depth - 1)) for n, v in captured if depth)
            return replace(value, receiver=inner, captured=outside)
        case Anonymous(node=node, scope=scope, captured=captured):
            return Anonymous(node, scope, tuple((n, frozen(v, heap, depth - 1)) for n, v in captured if depth))
        case Partial(func=func, args=args, keywords=keywords):
            return Partial(
                frozen(func, heap, depth),
                tuple(frozen(a, heap, depth) for a in args),
                tuple((n, frozen(v, heap, depth)) for n, v in keywords),
            )
    return value


def thawed(value: Value, heap: Heap, site: Site) -> Value:
    """A value from outside, with its containers in the heap: `site` is the place that got it."""
    match value:
        case Tree(kind=kind, entries=entries, rest=rest, keys=keys, cls=cls, type_name=name):
            inside = {k: thawed(v, heap, (*site, k)) for k, v in entries}
            others = thawed(rest, heap, (*site, "*")) if rest is not None else None
            heap[site] = Cell(kind, inside, others, keys, cls, name)
            return Ref(site)
        case Choice(values=values):
            return joined(thawed(v, heap, (*site, index)) for index, v in enumerate(values))
    return value


def cell_of(value: Value, heap: Heap) -> Cell | None:
    """What a container or object holds; None for a value that is none."""
    if isinstance(value, Ref):
        return heap.get(value.site)
    if isinstance(value, Tree):
        return Cell(value.kind, dict(value.entries), value.rest, value.keys, value.cls, value.type_name)
    return None
