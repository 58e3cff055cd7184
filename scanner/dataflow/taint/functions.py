"""Calls of the project's functions and classes: summaries, filled with what a call gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from assay.scanner.dataflow.taint import containers
from assay.scanner.dataflow.taint.arguments import Arguments, bound, default_name
from assay.scanner.dataflow.taint.state import path_of
from assay.scanner.dataflow.taint.summary import Filling, Summary, Use
from assay.scanner.dataflow.taint.values import (
    EVERYTHING,
    FIXED,
    UNKNOWN,
    Anonymous,
    Cell,
    Const,
    Func,
    Key,
    Klass,
    Lib,
    Mod,
    Ref,
    Slot,
    Thing,
    Tree,
    Value,
    cleared,
    join,
    joined,
    open_trace,
    options_of,
    thawed,
)
from assay.scanner.libraries import SinkKind
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.evaluation import Evaluation

_LONGEST_PATH = 4


class FunctionCalls:
    """The calls of functions and classes of the project in one run of a function."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._eval = evaluation
        self._engine = evaluation.engine

    def call(self, node: form.Node, callee: Func, arguments: Arguments) -> Value:
        """A function of the project: its summary, filled with what this call gives."""
        symbol = callee.symbol
        wrapper = None if callee.is_plain else self._engine.wrapper_of(symbol)
        if wrapper is not None:
            receiver = () if callee.receiver is None else (callee.receiver,)
            arguments = replace(arguments, positional=(*receiver, *arguments.positional))
            callee = wrapper
            symbol = wrapper.symbol
        bound = self._bound(callee, arguments, node)
        summary = self._engine.summary(symbol)
        context = self._context(summary, callee, bound)
        if context:
            summary = self._engine.summary(symbol, context)
        self._eval.summary.calls.add(symbol)
        return self._filled(node, callee, bound, summary, arguments)

    def _context(self, summary: Summary, callee: Func, bound: Mapping[str, Value]) -> tuple[tuple[str, Value], ...]:
        """Of what the summary depends on, the part that this call knows."""
        found = []
        for slot in sorted(summary.wants, key=lambda s: s.name):
            if slot.owner is callee.symbol:
                value = bound.get(slot.name)
            else:
                value = dict(callee.captured).get(slot.name)
                if value is None and slot.owner is self._eval.function:
                    value = self._eval.state.env.get(slot.name)
            if value is not None and _is_telling(value):
                found.append((slot.name, self._eval.frozen(value)))
            elif isinstance(value, Thing) and value.type_name in self._engine.models.sink_owners:
                # Its methods are known by its type; what is in it, the caller still fills in.
                found.append((slot.name, Thing(value.type_name, (open_trace(slot),))))
        return tuple(found)

    def _bound(self, callee: Func, arguments: Arguments, node: form.Node) -> dict[str, Value]:
        """What each parameter is given."""
        symbol = callee.symbol
        params = symbol.node.params
        bound: dict[str, Value] = {}
        positional = list(arguments.positional)
        if callee.receiver is not None or (
            symbol.owner is not None and not symbol.is_static() and _is_class_call(callee)
        ):
            positional.insert(0, callee.receiver if callee.receiver is not None else UNKNOWN)
        keywords = dict(arguments.keywords)
        places = iter(range(len(params)))
        for param in params:
            value = self._argument(param, positional, keywords, places, arguments, callee)
            bound[param.name] = self._eval.handed_on(value, node, f"it is passed to `{symbol.name}` as `{param.name}`")
        return bound

    def _argument(
        self,
        param: form.Param,
        positional: list[Value],
        keywords: dict[str, Value],
        places: Iterator[int],
        arguments: Arguments,
        callee: Func,
    ) -> Value:
        """What one parameter is given; `places` counts what was taken out of a `*args` that is handed on."""
        match param.kind:
            case form.ParamKind.VAR_POSITIONAL:
                return self._remaining("tuple", dict(enumerate(positional)), arguments.star, arguments.others)
            case form.ParamKind.VAR_KEYWORD:
                return self._remaining("dict", dict(keywords.items()), arguments.double, arguments.others)
        if param.name in keywords and param.kind is not form.ParamKind.POSITIONAL_ONLY:
            return keywords.pop(param.name)
        if positional and param.kind is not form.ParamKind.KEYWORD_ONLY:
            return positional.pop(0)
        found: list[Value] = []
        if arguments.star is not None and param.kind is not form.ParamKind.KEYWORD_ONLY:
            found.append(arguments.star.below(next(places)))
        if arguments.double is not None:
            found.append(arguments.double.below(param.name))
        if found:
            return joined(found)
        if arguments.others is not None:
            return arguments.others
        default = dict(callee.captured).get(default_name(param))
        return default if default is not None else self._engine.default_of(callee.symbol, param)

    def _remaining(self, kind: str, entries: dict[Key, Value], handed_on: Slot | None, others: Value | None) -> Value:
        """What `*args` or `**kwargs` of a callee hold."""
        if handed_on is not None and not entries and others is None:
            return handed_on
        rest = others
        if handed_on is not None:
            rest = join(rest, Thing("", self._eval.traces(handed_on)))
        return Tree(kind, tuple((k, self._eval.frozen(v)) for k, v in entries.items()), rest)

    def _filled(
        self, node: form.Node, callee: Func, bound: Mapping[str, Value], summary: Summary, arguments: Arguments
    ) -> Value:
        captured = dict(callee.captured)

        def given(slot: Slot) -> Value:
            if slot.owner is callee.symbol:
                base = bound.get(slot.name, UNKNOWN)
            elif slot.owner is self._eval.function and slot.name in self._eval.state.env:
                base = self._eval.state.env[slot.name]  # a closure sees what its variables hold now
            elif slot.name in captured:
                base = captured[slot.name]
            else:
                return slot
            return self.navigated(base, slot.path, node)

        def path(name: str) -> str | None:
            node = self.argument_node(Slot(callee.symbol, name), callee, arguments)
            return path_of(node) if node is not None else None

        filling = Filling(given, self._eval.traces, path)
        for use in summary.uses:
            self._eval.spend(Use(use.place, self._eval.frozen(filling.value(use.value))))
        self._write(node, summary, filling)
        if summary.rebinds and callee.symbol.outer.enclosing_function is self._eval.function:
            for name, value in summary.rebinds.items():
                self._eval.state.assign(name, thawed(filling.value(value), self._eval.state.heap, (node, name)))
        self._prove(summary.always, callee, arguments, filling)
        if summary.result is None:
            self._eval.leaves = True
            return UNKNOWN
        return thawed(self._eval.frozen(filling.value(summary.result)), self._eval.state.heap, (node,)) \
            if not isinstance(summary.result, Slot) else filling.value(summary.result)  # fmt: skip

    def _write(self, node: form.Node, summary: Summary, filling: Filling) -> None:
        heap = self._eval.state.heap
        for slot, cell in summary.writes.items():
            for target in options_of(filling.given(slot)):
                for key, value in cell.entries.items():
                    filled = thawed(filling.value(value), heap, (node, *slot.path, key))
                    self._eval.targets.write(target, key, filled)
                if cell.rest is not None:
                    self._put(target, filling.value(cell.rest))

    def _put(self, target: Value, value: Value) -> None:
        cell = self._eval.cell(target)
        if isinstance(target, Ref) and cell is not None:
            self._eval.state.heap[target.site] = cell.with_any(value)
        elif isinstance(target, Slot):
            self._eval.targets.write(target, None, value)

    def _prove(
        self,
        proved: Mapping[Slot, frozenset[SinkKind]],
        callee: Func,
        arguments: Arguments,
        filling: Filling,
    ) -> None:
        """What the callee has shown of its parameters holds of the arguments."""
        for slot, kinds in proved.items():
            node = self.argument_node(slot, callee, arguments)
            if node is not None:
                self._eval.guards.clear(node, kinds)
            else:
                value = filling.given(slot)
                if isinstance(value, Slot):
                    self._eval.guards.prove(value, kinds)

    def argument_node(self, slot: Slot, callee: Func, arguments: Arguments) -> form.Expr | None:
        """The expression that fills a parameter."""
        if slot.path or slot.owner is not callee.symbol:
            return None
        params = callee.symbol.node.params
        index = next((i for i, p in enumerate(params) if p.name == slot.name), None)
        if index is None:
            return None
        offset = 1 if callee.receiver is not None else 0
        if index < offset:
            return None
        return arguments.node(index - offset, slot.name)

    def navigated(self, value: Value, path: tuple[Key, ...], node: form.Node) -> Value:
        """What lies on a path below a value."""
        for key in path:
            value = joined(self._below(v, key, node) for v in options_of(value))
        return value

    def _below(self, value: Value, key: Key, node: form.Node) -> Value:
        match value:
            case Slot():
                written = self._eval.state.overlay.get(value)
                if written is not None and key in written.entries:
                    return written.entries[key]
                if len(value.path) >= _LONGEST_PATH:
                    return Thing("", self._eval.traces(value))
                return value.below(key)
            case Ref() | Tree():
                cell = self._eval.cell(value)
                return self._member(value, cell, key) if cell is not None else UNKNOWN
            case Thing(type_name=name, traces=traces):
                if name and isinstance(key, str):
                    found = self._eval.library_attribute(name, form.Attr(
                        start=node.start, end=node.end, value=form.Opaque(start=node.start, end=node.end),
                        attr=key, attr_start=node.start))  # fmt: skip
                    if isinstance(found, Thing):
                        return found
                return Thing("", traces)
            case Lib(name=name) if isinstance(key, str):
                return self._eval.library_attribute(name, form.Attr(
                    start=node.start, end=node.end, value=form.Opaque(start=node.start, end=node.end),
                    attr=key, attr_start=node.start))  # fmt: skip
            case Mod(module=module) if isinstance(key, str):
                return self._engine.member(module, key)
            case Klass(cls=cls) if isinstance(key, str):
                return self._engine.class_value(cls, key) or UNKNOWN
        return Thing("", self._eval.traces(value))

    def _member(self, value: Value, cell: Cell, key: Key) -> Value:
        if key in cell.entries:
            return cell.entries[key]
        if cell.cls is not None and isinstance(key, str):
            method = self._engine.project.method(cell.cls, key)
            if method is not None:
                return bound(method, value, cell.cls)
            found = self._engine.class_value(cell.cls, key)
            if found is not None:
                return found
        return containers.item(cell, Const(key)) if cell.kind != "object" else cell.rest or UNKNOWN

    def construct(self, node: form.Node, cls: ClassSymbol, arguments: Arguments) -> Value:
        """An object of a class of the project."""
        project = self._engine.project
        if self._engine.is_enumeration(cls):
            return FIXED
        ref = self._eval.state.allocate((node,), Cell("object", {}, cls=cls))
        init = project.method(cls, "__init__")
        if init is not None:
            self._eval.leaves = False
            self.call(node, Func(init, ref), arguments)
            self._eval.leaves = False
            return ref
        self._eval.state.heap[ref.site] = Cell("object", self._fields_given(cls, arguments, node), cls=cls)
        post = project.method(cls, "__post_init__")
        if post is not None:
            self.call(node, Func(post, ref), Arguments.none())
        return ref

    def _fields_given(self, cls: ClassSymbol, arguments: Arguments, node: form.Node) -> dict[Key, Value]:
        """What the fields of a class hold that its annotations make the constructor of."""
        fields = self._engine.fields_of(cls)
        entries: dict[Key, Value] = dict(arguments.keywords.items())
        entries.update(zip(fields, arguments.positional, strict=False))
        for name, is_typed in fields.items():
            if name not in entries:
                entries[name] = self._field(cls, name, arguments, node)
            if is_typed:
                entries[name] = cleared(entries[name], EVERYTHING, self._eval.state.heap)
        return entries

    def _field(self, cls: ClassSymbol, name: str, arguments: Arguments, node: form.Node) -> Value:
        if arguments.double is not None:
            return arguments.double.below(name)
        return arguments.others if arguments.others is not None else self._default(cls, name, node)

    def _default(self, cls: ClassSymbol, name: str, node: form.Node) -> Value:
        """What a field holds that isn't given: `field(default_factory=list)` makes a list of its own."""
        found = self._engine.project.class_attribute(cls, name)
        if found is not None and isinstance(found[0], form.Call):
            factory = found[0].keyword("default_factory")
            if isinstance(factory, form.Name) and factory.id in ("list", "dict", "set"):
                return self._eval.state.allocate((node, name), Cell(factory.id, {}))
        return self._engine.class_value(cls, name) or UNKNOWN

    def initialised(self, node: form.Call, this: Value, arguments: Arguments) -> None:
        """`super().__init__(...)` of a base whose fields its annotations declare."""
        function = self._eval.function
        owner = function.owner if function is not None else None
        bases = self._engine.project.mro(owner)[1:] if owner is not None else ()
        base = next((b for b in bases if isinstance(b, ClassSymbol)), None)
        if base is not None:
            for name, value in self._fields_given(base, arguments, node).items():
                self._eval.targets.write(this, name, value)


def _is_class_call(callee: Func) -> bool:
    """`Base.method(self, x)` passes the receiver itself; a class method called on its class has one of its own."""
    return any(form.dotted(d) == "classmethod" for d in callee.symbol.decorators)


def _is_telling(value: Value) -> bool:
    """Whether a callee can be run with it: constants, and what can be called."""
    match value:
        case Const() | Klass() | Lib():
            return True
        case Func(receiver=receiver, captured=captured):
            return receiver is None and len(captured) <= 4
        case Anonymous(captured=captured):
            return len(captured) <= 4
    return False
