"""Calls: which function is meant, by the value that is called."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assay.scanner.dataflow.taint import containers, folding, python_functions, texts
from assay.scanner.dataflow.taint.arguments import Arguments, bound
from assay.scanner.dataflow.taint.shapes import XML_PARSERS
from assay.scanner.dataflow.taint.values import (
    EVERYTHING,
    UNKNOWN,
    Anonymous,
    Cell,
    Choice,
    Const,
    Func,
    Klass,
    Lib,
    Partial,
    Ref,
    Slot,
    Text,
    Thing,
    Tree,
    Value,
    cleared,
    doubtful,
    joined,
)
from assay.scanner.libraries import Label, SinkKind
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.evaluation import Evaluation

_LONGEST_PATH = 4
_TEXT_TYPES = frozenset({"builtins.str", "builtins.bytes", python_functions.NORMAL_PATH})
_CONTAINERS = ("builtins.list.", "builtins.dict.", "builtins.set.", "builtins.str.", "builtins.tuple.")
_TASKS = frozenset({"delay", "send", "enqueue", "s", "si", "apply_async", "remote", "spawn", "submit", "__call__"})
_FILLING = frozenset({"append", "add", "extend", "insert", "update", "appendleft", "setdefault", "put", "write"})
_EXTERNAL_ENTITIES = frozenset(
    {"http://xml.org/sax/features/external-general-entities", "xml.sax.handler.feature_external_ges"}
)


class Calls:
    """The calls of one run of a function."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._eval = evaluation
        self._engine = evaluation.engine

    def value(self, node: form.Call) -> Value:
        """What a call gives."""
        func = node.func
        if isinstance(func, form.Attr):
            if isinstance(func.value, form.Call) and form.dotted(func.value.func) == "super":
                return self._super(node, func)
            owner = self._eval.value(func.value)
            arguments = self.arguments(node)
            found = self.method(node, owner, func, arguments)
        else:
            callee = self._eval.value(func)
            arguments = self.arguments(node)
            found = self.apply(node, callee, arguments)
        if isinstance(func, form.Attr) and func.attr == "set_header" and len(arguments.positional) > 1:
            self._eval.sinks.assigned(func, UNKNOWN, None, arguments.positional[0], arguments.positional[1])
        execution = self._engine.sql.get(node)
        if execution is not None and execution.text.scope is self._eval.scope:
            self._eval.use(node, SinkKind.SQL, execution.driver, self._eval.value(execution.text.node))
        return found

    def arguments(self, node: form.Call) -> Arguments:
        positional: list[Value] = []
        nodes: list[form.Expr | None] = []
        keywords: dict[str, Value] = {}
        keyword_nodes: dict[str, form.Expr] = {}
        others: list[Value] = []
        handed_on: dict[int, Slot] = {}
        for arg in node.args:
            value = self._eval.value(arg.value)
            if arg.name is not None:
                keywords[arg.name] = value
                keyword_nodes[arg.name] = arg.value
            elif not arg.star:
                positional.append(value)
                nodes.append(arg.value)
            elif isinstance(value, Slot) and arg.star not in handed_on:
                handed_on[arg.star] = value
            else:
                self._spread(value, arg.star, positional, nodes, keywords, others)
        more = joined(others) if others else None
        star, double = handed_on.get(1), handed_on.get(2)
        return Arguments(tuple(positional), keywords, more, tuple(nodes), keyword_nodes, star, double)

    def _spread(
        self,
        value: Value,
        star: int,
        positional: list[Value],
        nodes: list[form.Expr | None],
        keywords: dict[str, Value],
        others: list[Value],
    ) -> None:
        cell = self._eval.cell(value) if not isinstance(value, Slot) else None
        if cell is None or cell.kind == "object":
            others.append(Thing("", self._eval.traces(value)))
            return
        if star == 1 and cell.rest is None and not others:
            positional += cell.entries.values()
            nodes += [None] * len(cell.entries)
        elif star == 1:
            others.append(cell.all)
        else:
            keywords.update({k: v for k, v in cell.entries.items() if isinstance(k, str)})
            if cell.rest is not None:
                others.append(cell.rest)

    def _super(self, node: form.Call, func: form.Attr) -> Value:
        arguments = self.arguments(node)
        method = self._engine.method_of(self._engine.project.infer(func, self._eval.scope))
        this = self._this()
        if method is not None and this is not None:
            return self._eval.functions.call(node, Func(method, this), arguments)
        if func.attr == "__init__" and this is not None:
            self._eval.functions.initialised(node, this, arguments)
            return UNKNOWN
        linked = self._engine.of_link(self._engine.project.infer(func, self._eval.scope))
        if isinstance(linked, Lib) and self._engine.models.is_known(self._engine.models.name_of(linked.name)):
            return self._eval.libraries.call(node, linked.name, this, arguments)
        return Thing("", doubtful(self._eval.traces(*arguments.all), "what its base class does isn't known"))

    def _this(self) -> Value | None:
        function = self._eval.function
        if function is None or not function.node.params:
            return None
        return self._eval.state.env.get(function.node.params[0].name)

    def method(self, node: form.Call, owner: Value, func: form.Attr, arguments: Arguments) -> Value:
        """`owner.name(...)`; what a method of a thing gives is still about the same."""
        found = self._method(node, owner, func, arguments)
        if isinstance(owner, Thing) and owner.about and isinstance(found, Thing) and not found.about:
            return replace(found, about=owner.about)
        return found

    def _method(self, node: form.Call, owner: Value, func: form.Attr, arguments: Arguments) -> Value:
        match owner:
            case Choice(values=values):
                return joined(self.method(node, v, func, arguments) for v in values)
            case Const(value=str() as text):
                return self._text_method(node, owner, text, func, arguments)
            case Text():
                return self._text_method(node, owner, None, func, arguments)
            case Ref() | Tree():
                return self._cell_method(node, owner, func, arguments)
            case Slot():
                return self._slot_method(node, owner, func, arguments)
            case Thing(type_name=name):
                return self._thing_method(node, owner, name, func, arguments)
            case Lib(name=name):
                return self._eval.libraries.call(node, self._engine.models.member(name, func.attr), None, arguments)
            case Func() if func.attr in _TASKS:
                return self._task(node, owner, func.attr, arguments)
            case Const() | Func() | Anonymous() | Partial():
                return UNKNOWN
        return self.apply(node, self._eval.attribute(owner, func), arguments)

    def _task(self, node: form.Call, owner: Func, how: str, arguments: Arguments) -> Value:
        """A task queue's way to call a function later."""
        if how == "apply_async":
            args = self._eval.cell(arguments.get(0, "args") or UNKNOWN)
            keywords = self._eval.cell(arguments.get(1, "kwargs") or UNKNOWN)
            arguments = Arguments(
                tuple(args.entries.values()) if args is not None else (),
                {k: v for k, v in keywords.entries.items() if isinstance(k, str)} if keywords is not None else {},
            )
        self._eval.functions.call(node, owner, arguments)
        return UNKNOWN

    def _text_method(
        self, node: form.Call, owner: Value, text: str | None, func: form.Attr, arguments: Arguments
    ) -> Value:
        name = func.attr
        values = [self._eval.flat(v) for v in arguments.positional] if name in ("format", "replace") else None
        if name == "format" and text is not None and values is not None:
            named = {k: self._eval.flat(v) for k, v in arguments.keywords.items()}
            return texts.braces(text, values, named, arguments.others)
        if name in ("format", "format_map"):
            self._eval.use(node, SinkKind.TEMPLATE, name, owner)
            return Thing("builtins.str", self._eval.traces(owner, *arguments.all))
        if name == "join" and arguments.positional:
            items = self._eval.cell(arguments.positional[0])
            tree = Tree(items.kind, tuple((k, self._eval.flat(v)) for k, v in items.entries.items()), items.rest) \
                if items is not None and items.is_sequence else None  # fmt: skip
            whole = Thing("builtins.str", self._eval.traces(arguments.positional[0]))
            return texts.joined_text(owner, tree, whole)
        constants = [v.value for v in arguments.positional if isinstance(v, Const)]
        if text is not None and len(constants) == len(arguments.all):
            folded = folding.method(text, name, constants)
            if folded is not None:
                return self._eval.allocate(folded, node) if isinstance(folded, Tree) else folded
            if name in ("encode", "decode"):
                return owner
        found = texts.method(owner, name, values if values is not None else arguments.positional)
        if found is None:
            return Thing("", self._eval.traces(owner, *arguments.all))
        return self._eval.allocate(found, node) if isinstance(found, Tree) else found

    def _cell_method(self, node: form.Call, owner: Value, func: form.Attr, arguments: Arguments) -> Value:
        cell = self._eval.cell(owner)
        if cell is None:
            return UNKNOWN
        if cell.kind == "object" and func.attr in cell.entries:
            return self.apply(node, cell.entries[func.attr], arguments)
        if cell.cls is not None:
            method = self._engine.project.method(cell.cls, func.attr)
            if method is not None:
                return self._eval.functions.call(node, bound(method, owner, cell.cls), arguments)
        if cell.type_name in XML_PARSERS and func.attr == "setFeature" and isinstance(owner, Ref):
            self._set_feature(owner, cell, arguments)
            return UNKNOWN
        if isinstance(owner, Tree):
            owner = self._eval.allocate(owner, node)
        if isinstance(owner, Ref):
            found = containers.call(self._eval.state, owner, cell, func.attr, arguments.positional, arguments.keywords)
            if found is not None:
                return self._eval.allocate(found, node) if isinstance(found, Tree) else found
        if cell.type_name:
            return self._eval.libraries.call(node, f"{cell.type_name}.{func.attr}", owner, arguments)
        linked = self._engine.sources.of_call(node, self._eval.scope)
        return linked if linked is not None else Thing("", self._eval.traces(owner))

    def _set_feature(self, owner: Ref, cell: Cell, arguments: Arguments) -> None:
        feature, state = arguments.get(0, "name"), arguments.get(1, "value")
        name = feature.name if isinstance(feature, Lib) else str(feature.value) if isinstance(feature, Const) else ""
        if name in _EXTERNAL_ENTITIES and state is not None:
            self._eval.state.heap[owner.site] = cell.with_entry("resolve_entities", state)

    def _slot_method(self, node: form.Call, owner: Slot, func: form.Attr, arguments: Arguments) -> Value:
        attribute = self._eval.attribute(owner, func)
        if isinstance(attribute, Func):
            return self._dispatched(node, attribute, owner, arguments)
        source = self._engine.sources.of_call(node, self._eval.scope)
        if source is not None:
            if isinstance(source, Thing) and func.attr == "build_absolute_uri" and arguments.all:
                return Thing("", (*source.traces, *self._eval.traces(*arguments.all)))
            return source
        if isinstance(attribute, Slot | Thing):
            linked = self._engine.of_link(self._engine.project.infer(func, self._eval.scope))
            if func.attr in self._engine.methods_of_sinks:
                self._eval.want(owner)
            if isinstance(linked, Lib) and not self._fills(linked.name):
                return self._eval.libraries.call(node, linked.name, owner, arguments)
            if isinstance(linked, Func):
                return self._eval.functions.call(node, linked, arguments)
            return self._unknown_method(node, owner, func.attr, arguments)
        return self.apply(node, attribute, arguments)

    def _fills(self, name: str) -> bool:
        """Whether it is a method of a container, or of what looks like one."""
        models = self._engine.models
        is_filling = name.rpartition(".")[2] in _FILLING and not models.is_known(models.name_of(name))
        return is_filling or name.startswith(_CONTAINERS)

    def _dispatched(self, node: form.Call, found: Func, owner: Slot, arguments: Arguments) -> Value:
        """A method of what is given: a subclass may have its own."""
        overrides = self._engine.overrides(found.symbol)
        called = [found, *(Func(method, owner) for method in overrides)]
        return joined(self._eval.functions.call(node, f, arguments) for f in called)

    def _unknown_method(self, node: form.Call, owner: Value, name: str, arguments: Arguments) -> Value:
        """A method of something whose type isn't known."""
        self._eval.sinks.reach(node, f"*.{name}", owner, arguments)
        if name in _FILLING and isinstance(owner, Slot):
            for value in arguments.positional:
                written = self._eval.state.overlay.get(owner, Cell("object", {}))
                self._eval.state.overlay[owner] = written.with_any(value)
            return UNKNOWN
        kinds = self._engine.models.sanitizers.get(f"*.{name}")
        traces = self._eval.traces(owner)
        if name in ("format", "format_map") and isinstance(owner, Slot):
            self._eval.use(node, SinkKind.TEMPLATE, name, owner)
        if kinds is not None:
            return cleared(Thing("", self._eval.traces(owner, *arguments.all)), kinds)
        if name in ("encode", "decode") and isinstance(owner, Slot):
            return owner
        if name in texts.TEXT_METHODS:
            found = texts.method(Thing("", traces), name, arguments.positional)
            if found is not None:
                return self._eval.allocate(found, node) if isinstance(found, Tree) else found
            return Thing("", self._eval.traces(owner, *arguments.all))
        if name in ("get", "getlist", "pop", "first", "getfirst"):
            return self._got(owner, arguments)
        if traces and all(t.label is Label.STORED for t in traces):
            return UNKNOWN  # a record's own method gives no column's text
        more = () if not traces and not self._is_open(owner) else self._eval.traces(*arguments.all)
        return Thing("", (*traces, *doubtful(more, f"it isn't known what `{name}` does with it")))

    def _is_open(self, owner: Value) -> bool:
        return isinstance(owner, Slot)

    def _got(self, owner: Value, arguments: Arguments) -> Value:
        """`owner.get(key, default)`: `type=int` converts."""
        kind = arguments.keywords.get("type")
        if isinstance(kind, Lib) and self._engine.models.sanitizers.get(kind.name) == EVERYTHING:
            return UNKNOWN
        key = arguments.positional[0] if arguments.positional else None
        default = arguments.get(1, "default")
        if isinstance(owner, Slot) and isinstance(key, Const) and len(owner.path) < _LONGEST_PATH:
            item: Value = owner.below(key.value)
        else:
            item = Thing("", self._eval.traces(owner))
        return joined([item, default]) if default is not None and default != Const(None) else item

    def _thing_method(self, node: form.Call, owner: Value, name: str, func: form.Attr, arguments: Arguments) -> Value:
        if name and name not in _TEXT_TYPES:
            return self._eval.libraries.call(node, self._engine.models.member(name, func.attr), owner, arguments)
        if self._eval.traces(owner):
            if func.attr in ("format", "format_map"):
                self._eval.use(node, SinkKind.TEMPLATE, func.attr, owner)
            if func.attr in ("format", "join"):
                return Thing("builtins.str", self._eval.traces(owner, *arguments.all))
            return self._unknown_method(node, owner, func.attr, arguments)
        source = self._engine.sources.of_call(node, self._eval.scope)
        if source is not None:
            return source
        linked = self._engine.of_link(self._engine.project.infer(func, self._eval.scope))
        if linked != UNKNOWN:
            return self.apply(node, linked, arguments)
        return self._unknown_method(node, owner, func.attr, arguments)

    def apply(self, node: form.Node, callee: Value, arguments: Arguments) -> Value:
        """What calling a value gives."""
        match callee:
            case Choice(values=values):
                return joined(self.apply(node, v, arguments) for v in values)
            case Func():
                return self._eval.functions.call(node, callee, arguments)
            case Klass(cls=cls):
                return self._eval.functions.construct(node, cls, arguments)
            case Lib(name=name):
                return self._eval.libraries.call(node, name, None, arguments)
            case Anonymous():
                return self._anonymous(callee, arguments)
            case Partial(func=func, args=args, keywords=keywords):
                given = Arguments(
                    (*args, *arguments.positional), {**dict(keywords), **arguments.keywords}, arguments.others
                )
                return self.apply(node, func, given)
            case Ref() | Tree():
                cell = self._eval.cell(callee)
                method = self._engine.project.method(cell.cls, "__call__") if cell and cell.cls else None
                if method is not None:
                    return self._eval.functions.call(node, Func(method, callee), arguments)
            case Slot():
                self._eval.want(callee)
                return self._unknown_call(arguments, callee)
            case Thing(type_name=name) if name:
                return self._eval.libraries.call(node, f"{name}.__call__", callee, arguments)
        return self._unknown_call(arguments, callee)

    def _unknown_call(self, arguments: Arguments, callee: Value) -> Value:
        """Whatever is called hands on what it is given, as far as anyone can tell."""
        traces = self._eval.traces(*arguments.all)
        own = () if isinstance(callee, Slot) else self._eval.traces(callee)
        return Thing("", (*own, *doubtful(traces, "it isn't known what is called with it")))

    def _anonymous(self, callee: Anonymous, arguments: Arguments) -> Value:
        """A lambda runs where it is called; its variables are its own."""
        state = self._eval.state
        before = dict(state.env)
        state.env.update(
            (n, v) for n, v in callee.captured if n not in state.env or callee.scope is not self._eval.scope
        )
        positional = iter(arguments.positional)
        for param in callee.node.params:
            value = arguments.keywords.get(param.name) or next(positional, None)
            if value is None and param.default is not None:
                value = self._eval.value(param.default)
            state.env[param.name] = value if value is not None else arguments.others or UNKNOWN
        found = self._eval.value(callee.node.body)
        self._eval.state.env = before
        return found
