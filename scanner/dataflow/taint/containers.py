"""What the methods of lists, dicts and sets do to what is in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from assay.scanner.dataflow.taint.state import State
from assay.scanner.dataflow.taint.values import (
    ABSENT,
    NONE,
    UNKNOWN,
    Cell,
    Const,
    Key,
    Ref,
    Thing,
    Tree,
    Value,
    frozen,
    join,
    joined,
    options_of,
    present,
)

_CONFIG = ("configparser.ConfigParser", "configparser.RawConfigParser", "configparser.SafeConfigParser")


def overlaid(below: Mapping[Key, Value], above: Mapping[Key, Value]) -> dict[Key, Value]:
    """`{**below, **above}`, where what may be missing above lets through what is below."""
    found = dict(below)
    for key, value in above.items():
        is_certain = ABSENT not in options_of(value)
        found[key] = value if is_certain else join(found.get(key, ABSENT), present(value))
    return found


def item(cell: Cell, key: Value) -> Value:
    """`container[key]`."""
    if isinstance(key, Const):
        place = key.value
        if cell.is_sequence and isinstance(place, int) and place < 0:
            if cell.rest is not None:
                return cell.all
            place += len(cell.entries)
        if place in cell.entries:
            return present(cell.entries[place])
        return cell.rest if cell.rest is not None else UNKNOWN
    known = [item(cell, k) for k in options_of(key)] if all(isinstance(k, Const) for k in options_of(key)) else []
    return joined(known) if known else cell.all


def with_item(cell: Cell, key: Value, value: Value) -> Cell:
    """After `container[key] = value`."""
    if isinstance(key, Const):
        place = key.value
        if cell.is_sequence and isinstance(place, int) and place < 0 and cell.rest is None:
            place += len(cell.entries)
        if cell.is_sequence and place not in cell.entries:
            return cell.with_any(value)
        return cell.with_entry(place, value)
    return cell.with_any(value, key)


def without_item(cell: Cell, key: Value) -> Cell:
    """After `del container[key]`."""
    if isinstance(key, Const):
        if cell.is_sequence:
            return _without_place(cell, key.value)
        return replace(cell, entries={k: v for k, v in cell.entries.items() if k != key.value})
    return cell


def _without_place(cell: Cell, place: Key) -> Cell:
    if cell.rest is not None or not isinstance(place, int):
        return replace(cell, entries={}, rest=cell.all)
    items = list(cell.entries.values())
    if -len(items) <= place < len(items):
        del items[place]
    return listed(cell, items)


def listed(cell: Cell, items: Sequence[Value]) -> Cell:
    """The list with these items and no others."""
    return replace(cell, entries=dict(enumerate(items)), rest=None)


def sliced(cell: Cell, lower: Value | None, upper: Value | None, step: Value | None) -> Tree:
    """A part of a list or tuple."""
    bounds = [b if b is not None else NONE for b in (lower, upper, step)]
    known = [b.value for b in bounds if isinstance(b, Const) and isinstance(b.value, int | None)]
    if cell.rest is not None or len(known) < 3 or known[2] == 0:
        return Tree(cell.kind, (), cell.all)
    items = list(cell.entries.values())[known[0] : known[1] : known[2]]
    return Tree(cell.kind, tuple(enumerate(items)))


def call(
    state: State, ref: Ref, cell: Cell, name: str, args: Sequence[Value], keywords: Mapping[str, Value]
) -> Value | None:
    """What calling a container's method gives, the container changed; None for a method that it doesn't have."""
    if cell.type_name in _CONFIG:
        return _config(state, ref, cell, name, args)
    if cell.type_name == "io.StringIO" and name in ("write", "writelines"):
        state.heap[ref.site] = replace(cell, rest=join(cell.rest, args[0] if args else UNKNOWN))
        return NONE
    match cell.kind:
        case "list" | "tuple":
            return _list(state, ref, cell, name, args)
        case "dict":
            return _dict(state, ref, cell, name, args, keywords)
        case "set":
            return _set(state, ref, cell, name, args)
    return None


def _list(state: State, ref: Ref, cell: Cell, name: str, args: Sequence[Value]) -> Value | None:
    first = args[0] if args else NONE
    items = list(cell.entries.values())
    is_known = cell.rest is None
    match name:
        case "append":
            state.heap[ref.site] = listed(cell, [*items, first]) if is_known else cell.with_more(first)
        case "insert":
            value = args[1] if len(args) > 1 else UNKNOWN
            if is_known and isinstance(first, Const) and isinstance(first.value, int):
                items.insert(first.value, value)
                state.heap[ref.site] = listed(cell, items)
            else:
                state.heap[ref.site] = replace(cell, entries={}, rest=joined([*items, *_rest(cell), value]))
        case "extend":
            state.heap[ref.site] = _extended(state, cell, first)
        case "pop":
            return _popped(state, ref, cell, first if args else Const(-1))
        case "remove":
            _remove(state, ref, cell, first)
        case "clear":
            state.heap[ref.site] = listed(cell, [])
        case "reverse":
            state.heap[ref.site] = listed(cell, items[::-1]) if is_known else cell
        case "sort":
            state.heap[ref.site] = cell if len(cell.entries) < 2 else replace(cell, entries={}, rest=cell.all)
        case "copy":
            return frozen(ref, state.heap)
        case "index" | "count":
            return Thing("builtins.int")
        case _:
            return None
    return NONE


def _rest(cell: Cell) -> tuple[Value, ...]:
    return (cell.rest,) if cell.rest is not None else ()


def _extended(state: State, cell: Cell, more: Value) -> Cell:
    other = state.heap.get(more.site) if isinstance(more, Ref) else None
    if other is not None and other.is_sequence and other.rest is None and cell.rest is None:
        return listed(cell, [*cell.entries.values(), *other.entries.values()])
    if other is not None and cell.rest is None and other.is_sequence:
        start = len(cell.entries)
        known: dict[Key, Value] = {start + place: value for place, value in enumerate(other.entries.values())}
        return replace(cell, entries={**cell.entries, **known}, rest=other.rest)
    return cell.with_more(other.all if other is not None else more)


def _popped(state: State, ref: Ref, cell: Cell, place: Value) -> Value:
    found = item(cell, place)
    state.heap[ref.site] = without_item(cell, place)
    return found


def _remove(state: State, ref: Ref, cell: Cell, value: Value) -> None:
    items = list(cell.entries.values())
    if cell.rest is None and value in items:
        items.remove(value)
        state.heap[ref.site] = listed(cell, items)


def _dict(
    state: State, ref: Ref, cell: Cell, name: str, args: Sequence[Value], keywords: Mapping[str, Value]
) -> Value | None:
    key = args[0] if args else NONE
    default = args[1] if len(args) > 1 else keywords.get("default", NONE)
    match name:
        case "get" | "setdefault" | "pop":
            found = _looked_up(cell, key, default)
            if name == "setdefault":
                state.heap[ref.site] = with_item(cell, key, found)
            elif name == "pop":
                state.heap[ref.site] = without_item(cell, key)
            return found
        case "update":
            _update(state, ref, cell, args, keywords)
            return NONE
        case "items":
            pairs = [Tree("tuple", ((0, Const(k)), (1, present(v)))) for k, v in cell.entries.items()]
            rest = Tree("tuple", ((0, cell.keys or UNKNOWN), (1, cell.rest))) if cell.rest is not None else None
            return Tree("list", tuple(enumerate(pairs)), rest)
        case "keys":
            return Tree("list", tuple(enumerate(Const(k) for k in cell.entries)), cell.keys)
        case "values":
            return Tree("list", tuple(enumerate(map(present, cell.entries.values()))), cell.rest)
        case "copy":
            return frozen(ref, state.heap)
        case "clear":
            state.heap[ref.site] = replace(cell, entries={}, rest=None, keys=None)
            return NONE
    return None


def _looked_up(cell: Cell, key: Value, default: Value) -> Value:
    if isinstance(key, Const):
        if key.value in cell.entries:
            found = cell.entries[key.value]
            return join(present(found), default) if ABSENT in options_of(found) else found
        return join(cell.rest, default) if cell.rest is not None else default
    return join(item(cell, key), default)


def _update(state: State, ref: Ref, cell: Cell, args: Sequence[Value], keywords: Mapping[str, Value]) -> None:
    for more in args:
        other = state.heap.get(more.site) if isinstance(more, Ref) else None
        if other is not None and other.kind == "dict":
            cell = replace(cell, entries=overlaid(cell.entries, other.entries))
            if other.rest is not None:
                cell = cell.with_any(other.rest, other.keys)
        else:
            cell = cell.with_any(more, more)
    named: dict[Key, Value] = dict(keywords.items())
    state.heap[ref.site] = replace(cell, entries={**cell.entries, **named})


def _set(state: State, ref: Ref, cell: Cell, name: str, args: Sequence[Value]) -> Value | None:
    match name:
        case "add":
            state.heap[ref.site] = replace(cell, rest=join(cell.rest, args[0] if args else UNKNOWN))
            return NONE
        case "pop":
            return cell.all
        case "discard" | "remove" | "clear":
            return NONE
        case "update":
            for more in args:
                cell = replace(cell, rest=join(cell.rest, more))
            state.heap[ref.site] = cell
            return NONE
        case "copy" | "union" | "intersection" | "difference":
            return frozen(ref, state.heap)
    return None


def _config(state: State, ref: Ref, cell: Cell, name: str, args: Sequence[Value]) -> Value | None:
    """A ConfigParser: values by section and key."""
    match name, list(args):
        case "set", [section, key, value]:
            place = _place(section, key)
            state.heap[ref.site] = with_item(cell, place, value) if place is not None else cell.with_any(value)
            return NONE
        case "get", [section, key, *_]:
            place = _place(section, key)
            return item(cell, place) if place is not None else cell.all
        case "getint" | "getfloat" | "getboolean", _:
            return Thing("builtins.int")
        case "add_section", _:
            return NONE
    return None


def _place(section: Value, key: Value) -> Const | None:
    if isinstance(section, Const) and isinstance(key, Const):
        return Const(f"{section.value}\n{str(key.value).lower()}")
    return None
