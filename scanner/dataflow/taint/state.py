"""What holds at one point of a function: its variables, the heap, and what tests have shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from assay.scanner.dataflow.taint.values import ABSENT, Cell, Heap, Key, Ref, Site, Slot, Value, join, joined
from assay.scanner.libraries import SinkKind
from assay.scanner.readers.python import form


@dataclass(slots=True)
class State:
    """`env` holds the function's variables; `heap` what references and slots point to; `facts` what is known of an
    expression that is asked again (`request.args["next"]`), by its path; `overlay` what was written to slots;
    `proved` for which sinks tests have shown slots to be harmless.
    """

    env: dict[str, Value]
    heap: Heap
    overlay: dict[Slot, Cell]
    facts: dict[str, Value]
    proved: dict[Slot, frozenset[SinkKind]]

    @classmethod
    def empty(cls) -> State:
        return cls({}, {}, {}, {}, {})

    def copy(self) -> State:
        return State(dict(self.env), dict(self.heap), dict(self.overlay), dict(self.facts), dict(self.proved))

    def assign(self, name: str, value: Value) -> None:
        """Bind a variable; what was known of paths below it is forgotten."""
        self.env[name] = value
        self.forget(name)

    def forget(self, name: str) -> None:
        if self.facts:
            self.facts = {path: v for path, v in self.facts.items() if not hangs_on(path, name)}

    def allocate(self, site: Site, cell: Cell) -> Ref:
        self.heap[site] = cell
        return Ref(site)


def hangs_on(path: str, name: str) -> bool:
    """Whether a path begins with a name, or asks for it within an index."""
    return path == name or path.startswith((f"{name}.", f"{name}[", f"{name}("))


def merge(states: Iterable[State | None]) -> State | None:
    """What holds where several ways meet; None where none of them gets there."""
    met = [s for s in states if s is not None]
    if not met:
        return None
    first = met[0]
    for other in met[1:]:
        first = _merged(first, other)
    return first


def _merged(one: State, other: State) -> State:
    if one is other:
        return one
    env = dict(one.env)
    for name, value in other.env.items():
        known = env.get(name)
        env[name] = value if known is None or known is value else join(known, value)
    heap = dict(one.heap)
    for site, cell in other.heap.items():
        known_cell = heap.get(site)
        heap[site] = cell if known_cell is None or known_cell is cell else merged_cells(known_cell, cell)
    overlay = dict(one.overlay)
    for slot, cell in other.overlay.items():
        known_cell = overlay.get(slot)
        if known_cell is not cell:
            overlay[slot] = merged_overlays(slot, known_cell, cell)
    for slot, cell in one.overlay.items():
        if slot not in other.overlay:
            overlay[slot] = merged_overlays(slot, cell, None)
    facts = {path: join(v, other.facts[path]) for path, v in one.facts.items() if path in other.facts}
    proved = {slot: kinds & other.proved[slot] for slot, kinds in one.proved.items() if slot in other.proved}
    return State(env, heap, overlay, facts, proved)


def merged_overlays(slot: Slot, one: Cell | None, other: Cell | None) -> Cell:
    """What was written to a slot's attributes; where only one way wrote one, it may still be what the caller gave."""
    entries: dict[Key, Value] = {}
    mine, theirs = (one.entries if one else {}), (other.entries if other else {})
    for key in (*mine, *(k for k in theirs if k not in mine)):
        untouched = Slot(slot.owner, slot.name, (*slot.path, key))
        entries[key] = join(mine.get(key, untouched), theirs.get(key, untouched))
    rest = join(one.rest if one else None, other.rest) if other and other.rest else (one.rest if one else None)
    return Cell("object", entries, rest)


def merged_cells(one: Cell, other: Cell) -> Cell:
    """What a container may hold where two ways meet."""
    same_length = len(one.entries) == len(other.entries)
    rest = one.rest if other.rest is None else join(one.rest, other.rest)
    keys = one.keys if other.keys is None else join(one.keys, other.keys)
    if one.is_sequence and not same_length:
        return _merged_sequences(one, other)
    entries = dict(one.entries)
    missing = ABSENT if one.kind == "dict" else None
    for key, value in other.entries.items():
        known = entries.get(key, missing)
        entries[key] = value if known is None or known is value else join(known, value)
    if missing is not None:
        entries.update((key, join(entries[key], missing)) for key in one.entries if key not in other.entries)
    return Cell(one.kind, entries, rest, keys, one.cls or other.cls, one.type_name)


def _merged_sequences(one: Cell, other: Cell) -> Cell:
    """Lists of different lengths: what both begin with, and whatever follows."""
    shared = min(len(one.entries), len(other.entries))
    entries = {place: join(one.entries[place], other.entries[place]) for place in list(one.entries)[:shared]}
    behind = [v for cell in (one, other) for v in list(cell.entries.values())[shared:]]
    rests = [cell.rest for cell in (one, other) if cell.rest is not None]
    return Cell(one.kind, entries, joined([*behind, *rests]), None, one.cls, one.type_name)


_ASKED_AGAIN = frozenset({"get", "getlist", "get_json", "get_argument", "getfirst", "first", "strip", "lower"})


def path_of(node: form.Expr) -> str | None:
    """The path of a name, an attribute, an item or a question asked with constants: equal paths mean the same value as
    long as nothing on them is assigned.
    """
    match node:
        case form.Name(id=name):
            return name
        case form.Attr(value=value, attr=attr):
            owner = path_of(value)
            return f"{owner}.{attr}" if owner else None
        case form.Subscript(value=value, index=form.Const(value=key)):
            owner = path_of(value)
            return f"{owner}[{key!r}]" if owner else None
        case form.Call(func=form.Attr(attr=attr) as func, args=args) if attr in _ASKED_AGAIN:
            owner = path_of(func)
            given = [a.value.value for a in args if isinstance(a.value, form.Const)]
            return f"{owner}({given!r})" if owner and len(given) == len(args) else None
        case form.Await(value=value) | form.Walrus(target=value):
            return path_of(value)
    return None
