"""Targets: what assigning to names, attributes, items and several of them at once leaves behind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.scanner.dataflow.taint import containers
from assay.scanner.dataflow.taint.state import path_of
from assay.scanner.dataflow.taint.values import (
    NONE,
    UNKNOWN,
    Cell,
    Choice,
    Const,
    Key,
    Ref,
    Slot,
    Value,
    join,
    joined,
    options_of,
)
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.evaluation import Evaluation


class Targets:
    """The assignments of one run of a function."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._eval = evaluation

    def bind(self, target: form.Expr, value: Value) -> None:
        """Assign to a name, an attribute, an item, or several of them."""
        match target:
            case form.Name(id=name):
                self._eval.state.assign(name, value)
            case form.Attr():
                self._bind_attribute(target, value)
            case form.Subscript():
                self._bind_item(target, value)
            case form.Display(items=items):
                self._unpack(items, value)
            case form.Starred(value=inner):
                self.bind(inner, value)

    def _unpack(self, targets: Sequence[form.Expr], value: Value) -> None:
        cell = self._eval.cell(value)
        starred = [i for i, t in enumerate(targets) if isinstance(t, form.Starred)]
        if cell is not None and cell.is_sequence and cell.rest is None and len(starred) == 1:
            self._unpack_starred(targets, starred[0], list(cell.entries.values()))
            return
        if cell is not None and cell.is_sequence and cell.rest is None and not starred:
            for index, target in enumerate(targets):
                self.bind(target, cell.entries.get(index, UNKNOWN))
            return
        if isinstance(value, Slot) and not starred:
            for index, target in enumerate(targets):
                self.bind(target, self._eval.slot_item(value, Const(index)))
            return
        if isinstance(value, Choice) and not starred:
            for index, target in enumerate(targets):
                cells = [self._eval.cell(v) for v in value.values]
                parts = [c.entries.get(index, c.all) if c is not None else self._eval.element(v)
                         for c, v in zip(cells, value.values, strict=True)]  # fmt: skip
                self.bind(target, joined(parts))
            return
        for target in targets:
            element = self._eval.element(value)
            if isinstance(target, form.Starred):
                element = self._eval.state.allocate((target,), Cell("list", {}, element))
            self.bind(target, element)

    def _unpack_starred(self, targets: Sequence[form.Expr], place: int, items: list[Value]) -> None:
        behind = len(targets) - place - 1
        end = max(len(items) - behind, place)
        for target, item in zip(targets[:place], items[:place], strict=False):
            self.bind(target, item)
        rest = Cell("list", dict(enumerate(items[place:end])))
        self.bind(targets[place], self._eval.state.allocate((targets[place],), rest))
        for target, item in zip(targets[place + 1 :], items[end:], strict=False):
            self.bind(target, item)

    def _bind_attribute(self, target: form.Attr, value: Value) -> None:
        owner = self._eval.value(target.value)
        path = path_of(target)
        if path is not None:
            self._eval.state.forget(path)
        self._eval.sinks.assigned(target, owner, target.attr, Const(target.attr), value)
        for option in options_of(owner):
            self.write(option, target.attr, value)

    def _bind_item(self, target: form.Subscript, value: Value) -> None:
        owner = self._eval.value(target.value)
        key = self._eval.value(target.index) if not isinstance(target.index, form.Slice) else UNKNOWN
        path = path_of(target)
        if path is not None:
            self._eval.state.forget(path)
        self._eval.sinks.assigned(target, owner, None, key, value)
        for option in options_of(owner):
            cell = self._eval.cell(option)
            if isinstance(option, Ref) and cell is not None and isinstance(target.index, form.Slice):
                self._eval.state.heap[option.site] = self._spliced(cell, target.index, value)
            elif isinstance(option, Ref) and cell is not None:
                self._eval.state.heap[option.site] = containers.with_item(cell, key, value)
            elif isinstance(option, Slot):
                self.write(option, key.value if isinstance(key, Const) else None, value)

    def _spliced(self, cell: Cell, bounds: form.Slice, value: Value) -> Cell:
        """After `container[lower:upper] = value`."""
        given = self._eval.cell(value)
        lower, upper = self._eval.maybe(bounds.lower) or NONE, self._eval.maybe(bounds.upper) or NONE
        if given is None or given.rest is not None or cell.rest is not None or bounds.step is not None:
            return replace(cell, entries={}, rest=join(cell.all, self._eval.element(value)))
        if not isinstance(lower, Const) or not isinstance(upper, Const):
            return replace(cell, entries={}, rest=join(cell.all, given.all))
        items = list(cell.entries.values())
        if isinstance(lower.value, int | None) and isinstance(upper.value, int | None):
            items[lower.value : upper.value] = given.entries.values()
        return containers.listed(cell, items)

    def write(self, owner: Value, key: Key, value: Value) -> None:
        """Set an attribute of an object, or of what a slot stands for."""
        if isinstance(owner, Ref):
            cell = self._eval.state.heap.get(owner.site)
            if cell is not None:
                self._eval.state.heap[owner.site] = containers.with_item(cell, Const(key), value)
        elif isinstance(owner, Slot):
            cell = self._eval.state.overlay.get(owner, Cell("object", {}))
            self._eval.state.overlay[owner] = cell.with_entry(key, value) if key is not None else cell.with_any(value)
