"""Calls: of the project's functions by their summaries, of classes, and of what libraries are known to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from assay.scanner.dataflow.taint import containers, folding, python_functions, texts
from assay.scanner.dataflow.taint.shapes import OLD_LXML
from assay.scanner.dataflow.taint.state import path_of
from assay.scanner.dataflow.taint.summary import Filling, Summary, Use
from assay.scanner.dataflow.taint.values import (
    EVERYTHING,
    FIXED,
    UNKNOWN,
    Anonymous,
    Cell,
    Choice,
    Const,
    Func,
    Key,
    Klass,
    Lib,
    Mod,
    Partial,
    Ref,
    Slot,
    Text,
    Thing,
    Tree,
    Value,
    cleared,
    doubtful,
    join,
    joined,
    options_of,
    thawed,
)
from assay.scanner.libraries import Condition, Label, Sink, SinkKind
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.evaluation import Evaluation

_LONGEST_PATH = 4
_TEXT_TYPES = frozenset({"builtins.str", "builtins.bytes", python_functions.NORMAL_PATH})
_TABLES = frozenset({"config", "settings", "environ", "conf", "session", "objects", "query"})
"""What a library's object is called that is asked for values by their names."""
_ROLES = frozenset(
    {"role", "roles", "is_admin", "admin", "is_staff", "is_superuser", "permissions", "scopes", "tenant"}
)
_IDENTITIES = frozenset({"user", "user_id", "userid", "uid", "username", "account_id", "tenant_id", "email"})
_CONTAINERS = ("builtins.list.", "builtins.dict.", "builtins.set.", "builtins.str.", "builtins.tuple.")
_TASKS = frozenset({"delay", "send", "enqueue", "s", "si", "apply_async", "remote", "spawn", "submit", "__call__"})
_FILLING = frozenset({"append", "add", "extend", "insert", "update", "appendleft", "setdefault", "put", "write"})
_XML_PARSERS = frozenset(
    {
        "xml.sax.make_parser", "xml.sax.xmlreader.XMLReader", "lxml.etree.XMLParser", "lxml.etree.XMLPullParser",
        "lxml.etree.ETCompatXMLParser",
    }
)  # fmt: skip
_EXTERNAL_ENTITIES = frozenset(
    {"http://xml.org/sax/features/external-general-entities", "xml.sax.handler.feature_external_ges"}
)


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a call passes. `others` stands for what `*args` and `**kwargs` bring where that isn't known one by one;
    where they are handed on as they came, `star` and `double` are them.
    """

    positional: tuple[Value, ...]
    keywords: Mapping[str, Value]
    others: Value | None = None
    nodes: tuple[form.Expr | None, ...] = ()
    """The expressions of the positional arguments."""
    keyword_nodes: Mapping[str, form.Expr] | None = None
    star: Slot | None = None
    double: Slot | None = None

    @classmethod
    def none(cls) -> Arguments:
        return cls((), {})

    @property
    def all(self) -> list[Value]:
        more = (self.others, self.star, self.double)
        return [*self.positional, *self.keywords.values(), *(v for v in more if v is not None)]

    def get(self, position: int | None, name: str) -> Value | None:
        """By keyword, or by place where it has one."""
        if name in self.keywords:
            return self.keywords[name]
        if position is not None and position < len(self.positional):
            return self.positional[position]
        if self.double is not None:
            return self.double.below(name)
        return self.others

    def node(self, position: int, name: str = "") -> form.Expr | None:
        if position < len(self.nodes):
            return self.nodes[position]
        return (self.keyword_nodes or {}).get(name)


def bound(method: FunctionSymbol, owner: Value | None, cls: ClassSymbol) -> Func:
    """A method looked up on an object, or on its class where `owner` is None."""
    if method.is_static():
        return Func(method)
    is_of_class = any(form.dotted(d) == "classmethod" for d in method.decorators)
    return Func(method, Klass(cls) if is_of_class else owner)


def default_name(param: form.Param) -> str:
    """The name under which a nested function keeps what a parameter's default was when it was defined."""
    return f"{param.name}="


class Calls:
    """The calls of one run of a function."""

    def __init__(self, evaluation: Evaluation) -> None:
        self._eval = evaluation
        self._engine = evaluation.engine
        self.leaves = False
        """Whether what was called last never comes back."""

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

    # --- what is called ---

    def _super(self, node: form.Call, func: form.Attr) -> Value:
        arguments = self.arguments(node)
        method = self._engine.method_of(self._engine.project.infer(func, self._eval.scope))
        this = self._this()
        if method is not None and this is not None:
            return self.function(node, Func(method, this), arguments)
        if func.attr == "__init__" and this is not None:
            self._initialised(node, this, arguments)
            return UNKNOWN
        return Thing("", doubtful(self._eval.traces(*arguments.all), "what its base class does isn't known"))

    def _initialised(self, node: form.Call, this: Value, arguments: Arguments) -> None:
        """`super().__init__(...)` of a base whose fields its annotations declare."""
        function = self._eval.function
        owner = function.owner if function is not None else None
        bases = self._engine.project.mro(owner)[1:] if owner is not None else ()
        base = next((b for b in bases if isinstance(b, ClassSymbol)), None)
        if base is not None:
            for name, value in self._fields_given(base, arguments, node).items():
                self._eval.write(this, name, value)

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
                return self.library(node, self._engine.models.member(name, func.attr), None, arguments)
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
        self.function(node, owner, arguments)
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
                return self.function(node, bound(method, owner, cell.cls), arguments)
        if cell.type_name in _XML_PARSERS and func.attr == "setFeature" and isinstance(owner, Ref):
            self._set_feature(owner, cell, arguments)
            return UNKNOWN
        if isinstance(owner, Tree):
            owner = self._eval.allocate(owner, node)
        if isinstance(owner, Ref):
            found = containers.call(self._eval.state, owner, cell, func.attr, arguments.positional, arguments.keywords)
            if found is not None:
                return self._eval.allocate(found, node) if isinstance(found, Tree) else found
        if cell.type_name:
            return self.library(node, f"{cell.type_name}.{func.attr}", owner, arguments)
        linked = self._engine.sources.of_call(node, self._eval.scope)
        return linked if linked is not None else Thing("", self._eval.traces(owner))

    def _set_feature(self, owner: Ref, cell: Cell, arguments: Arguments) -> None:
        feature, state = arguments.get(0, "name"), arguments.get(1, "value")
        name = feature.name if isinstance(feature, Lib) else str(feature.value) if isinstance(feature, Const) else ""
        if name in _EXTERNAL_ENTITIES and state is not None:
            self._eval.state.heap[owner.site] = cell.with_entry("resolve_entities", state)

    def _slot_method(self, node: form.Call, owner: Slot, func: form.Attr, arguments: Arguments) -> Value:
        source = self._engine.sources.of_call(node, self._eval.scope)
        if source is not None:
            if isinstance(source, Thing) and func.attr == "build_absolute_uri" and arguments.all:
                return Thing("", (*source.traces, *self._eval.traces(*arguments.all)))
            return source
        attribute = self._eval.attribute(owner, func)
        if isinstance(attribute, Func):
            return self._dispatched(node, attribute, owner, arguments)
        if isinstance(attribute, Slot | Thing):
            linked = self._engine.of_link(self._engine.project.infer(func, self._eval.scope))
            if isinstance(linked, Lib) and not self._fills(linked.name):
                return self.library(node, linked.name, owner, arguments)
            if isinstance(linked, Func):
                return self.function(node, linked, arguments)
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
        return joined(self.function(node, f, arguments) for f in called)

    def _unknown_method(self, node: form.Call, owner: Value, name: str, arguments: Arguments) -> Value:
        """A method of something whose type isn't known."""
        self._sinks(node, f"*.{name}", owner, arguments)
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
            return self.library(node, self._engine.models.member(name, func.attr), owner, arguments)
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
                return self.function(node, callee, arguments)
            case Klass(cls=cls):
                return self.construct(node, cls, arguments)
            case Lib(name=name):
                return self.library(node, name, None, arguments)
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
                    return self.function(node, Func(method, callee), arguments)
            case Slot():
                self._eval.want(callee)
                return self._unknown_call(arguments, callee)
            case Thing(type_name=name) if name:
                return self.library(node, f"{name}.__call__", callee, arguments)
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

    # --- the project's functions ---

    def function(self, node: form.Node, callee: Func, arguments: Arguments) -> Value:
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
            self.leaves = True
            return UNKNOWN
        return thawed(self._eval.frozen(filling.value(summary.result)), self._eval.state.heap, (node,)) \
            if not isinstance(summary.result, Slot) else filling.value(summary.result)  # fmt: skip

    def _write(self, node: form.Node, summary: Summary, filling: Filling) -> None:
        heap = self._eval.state.heap
        for slot, cell in summary.writes.items():
            for target in options_of(filling.given(slot)):
                for key, value in cell.entries.items():
                    filled = thawed(filling.value(value), heap, (node, *slot.path, key))
                    self._eval.write(target, key, filled)
                if cell.rest is not None:
                    self._put(target, filling.value(cell.rest))

    def _put(self, target: Value, value: Value) -> None:
        cell = self._eval.cell(target)
        if isinstance(target, Ref) and cell is not None:
            self._eval.state.heap[target.site] = cell.with_any(value)
        elif isinstance(target, Slot):
            self._eval.write(target, None, value)

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
            self.leaves = False
            self.function(node, Func(init, ref), arguments)
            self.leaves = False
            return ref
        self._eval.state.heap[ref.site] = Cell("object", self._fields_given(cls, arguments, node), cls=cls)
        post = project.method(cls, "__post_init__")
        if post is not None:
            self.function(node, Func(post, ref), Arguments.none())
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

    # --- libraries ---

    def library(self, node: form.Node, name: str, receiver: Value | None, arguments: Arguments) -> Value:
        """A library's function or method; its result remembers what it says something about."""
        name = self._engine.models.name_of(name)
        found = self._library(node, name, receiver, arguments)
        about = self._about(name, arguments, receiver)
        return replace(found, about=about) if about and isinstance(found, Thing) and not found.about else found

    def _library(self, node: form.Node, name: str, receiver: Value | None, arguments: Arguments) -> Value:
        models = self._engine.models
        self._sinks(node, name, receiver, arguments)
        if name in self._engine.leaving:
            self.leaves = True
        matched = self._matched(name, receiver, arguments)
        if matched is not None:
            return matched
        special = python_functions.SPECIAL.get(name)
        if special is not None:
            return special(self._eval, node, arguments)
        constants = [v.value for v in arguments.positional if isinstance(v, Const)]
        if len(constants) == len(arguments.all) and constants:
            folded = folding.function(name, constants)
            if folded is not None:
                return self._eval.allocate(folded, node) if isinstance(folded, Tree) else folded
        last = f"*.{name.rsplit('.', 1)[-1]}"
        kinds = models.sanitizers.get(name) or (models.sanitizers.get(last) if receiver is not None else None)
        result = models.type_of(name)
        if kinds is not None:
            inputs = self._eval.traces(receiver, *arguments.all)
            return cleared(Thing(result, inputs), kinds)
        label = models.sources.get(name)
        if label is not None:
            return self._eval.source(node, name, label)
        if name in _XML_PARSERS:
            options: dict[Key, Value] = {k: v for k, v in arguments.keywords.items() if isinstance(v, Const)}
            return self._eval.state.allocate((node,), Cell("object", options, type_name=result))
        propagator = models.propagators.get(name) or (models.propagators.get(last) if receiver is not None else None)
        if propagator is not None:
            chosen = self._chosen(propagator.arguments, receiver, arguments) if propagator.arguments else [
                *([receiver] if receiver is not None else []), *arguments.all]  # fmt: skip
            if name in python_functions.NORMALISING:
                result = python_functions.NORMAL_PATH
            return Thing(result, self._eval.traces(*chosen))
        if receiver is not None or _is_method(name):
            # What an object of a library gives is its own: rows of a query are not the query's parameters.
            return Thing(result, self._eval.traces(receiver))
        self._called_back(node, arguments)
        traces = doubtful(self._eval.traces(*arguments.all), f"it isn't known what `{name}` does with it")
        return Thing(result, traces)

    def _matched(self, name: str, receiver: Value | None, arguments: Arguments) -> Value | None:
        """`PATTERN.fullmatch(text)`, and what a match has to say."""
        if name in ("re.Pattern.fullmatch", "re.Pattern.match"):
            cell = self._eval.cell(receiver) if receiver is not None else None
            pattern = cell.entries.get("pattern") if cell is not None else None
            subject = arguments.get(0, "string")
            how = name.rpartition(".")[2]
            return python_functions.match_of(self._eval, how, pattern, subject, arguments.node(0, "string"))
        if name == "re.Pattern.sub":
            cell = self._eval.cell(receiver) if receiver is not None else None
            pattern = cell.entries.get("pattern") if cell is not None else None
            return python_functions.substituted(
                self._eval, pattern, arguments.get(0, "repl"), arguments.get(1, "string"))  # fmt: skip
        if name.startswith("re.Match.") and isinstance(receiver, Thing):
            kinds = python_functions.matched_kinds(receiver.about)
            return cleared(Thing("", receiver.traces), kinds)
        return None

    def _about(self, name: str, arguments: Arguments, receiver: Value | None) -> tuple[str, ...]:
        if name == "pathlib.Path.resolve":
            return (python_functions.RESOLVED,)
        if isinstance(receiver, Thing) and receiver.about:
            return receiver.about
        if name in python_functions.ABOUT or name in ("hmac.new", "hmac.digest"):
            node = arguments.node(1 if name.startswith("hmac.") else 0)
            path = path_of(node) if node is not None else None
            first = arguments.positional[0] if arguments.positional else None
            if isinstance(first, Thing) and first.about:
                return first.about
            return (path,) if path is not None else ()
        return ()

    def _called_back(self, node: form.Node, arguments: Arguments) -> None:
        """A function of the project that is handed to a library is called by it, with nothing that is known."""
        for value in arguments.all:
            if isinstance(value, Func | Anonymous | Partial) and not isinstance(value, Anonymous):
                rest = [v for v in arguments.positional if v is not value]
                if isinstance(value, Func) and value.symbol is self._eval.function:
                    continue
                leaves = self.leaves
                self.apply(node, value, Arguments(tuple(rest), dict(arguments.keywords)))
                self.leaves = leaves

    def library_item(self, owner: Lib, node: form.Subscript) -> Value:
        """`os.environ["HOME"]`, a parametrised generic, ..."""
        label = self._engine.models.sources.get(owner.name)
        return self._eval.source(node, owner.name, label) if label is not None else UNKNOWN

    # --- sinks ---

    def assigned(self, node: form.Node, owner: Value, attr: str | None, key: Value, value: Value) -> None:
        """`owner[key] = value`, `owner.attr = value`."""
        for option in options_of(owner):
            name = option.name if isinstance(option, Lib) else option.type_name if isinstance(option, Thing) else ""
            if not name and isinstance(node, form.Subscript | form.Attr) and isinstance(option, Slot | Thing):
                linked = self._engine.of_link(self._engine.project.infer(node.value, self._eval.scope))
                name = linked.name if isinstance(linked, Lib) else getattr(linked, "type_name", "")
            if not name:
                continue
            full = self._engine.models.name_of(f"{name}.{attr}" if attr is not None else name)
            named = f"{full}.{key.value}" if attr is None and isinstance(key, Const) else full
            for sink in self._engine.models.sinks.get(named) or self._engine.models.sinks.get(full) or ():
                if sink.assigned:
                    self._reach(node, full, sink, None, Arguments((key, value), {}))
                    if sink.kind is SinkKind.SESSION:
                        self._privilege(node, full, key, value)

    def _privilege(self, node: form.Node, name: str, key: Value, value: Value) -> None:
        """What later code takes for granted: a role that a client names itself, or an identity that may be unproven."""
        word = str(key.value).lower() if isinstance(key, Const) else ""
        if word in _ROLES:
            self._eval.use(node, SinkKind.SESSION, name.rpartition(".")[2], value)
        elif word in _IDENTITIES:
            traces = doubtful(self._eval.traces(value), "it may have been proven before")
            self._eval.use(node, SinkKind.SESSION, name.rpartition(".")[2], Thing("", traces))

    def _sinks(self, node: form.Node, name: str, receiver: Value | None, arguments: Arguments) -> None:
        sinks = self._engine.models.sinks.get(name)
        if sinks is None and not name.startswith("*."):
            last = f"*.{name.rsplit('.', 1)[-1]}"
            if receiver is not None or name.split(".", 1)[0] in self._engine.models.unbound.get(last, ()):
                sinks = self._engine.models.sinks.get(last)
        for sink in sinks or ():
            if not sink.assigned:
                self._reach(node, name, sink, receiver, arguments)

    def _reach(self, node: form.Node, name: str, sink: Sink, receiver: Value | None, arguments: Arguments) -> None:
        callee = name.rsplit(".", 1)[-1]
        values = self._chosen(sink.arguments, receiver, arguments)
        if not values:
            return
        if sink.safe:
            self._engine.keep(node, sink.kind, self._eval.scope, callee, sink.safe)
            return
        doubt = self._doubt(sink, arguments)
        if doubt is False:
            self._engine.keep(node, sink.kind, self._eval.scope, callee, _why_not(sink))
            return
        for value in values:
            if self._is_other(sink.kind, value):
                continue
            if sink.is_script:
                value = Tree("dict", (("$where", self._eval.frozen(value)),))
            if sink.doubt:
                value = Thing("", doubtful(self._eval.traces(value), sink.doubt))
            if isinstance(doubt, str):
                value = Thing("", doubtful(self._eval.traces(value), doubt))
            if sink.kind is SinkKind.COMMAND and self._runs_shell(arguments):
                value = self._as_shell_text(value)
            if sink.kind is SinkKind.XML and not sink.when:
                value = self._parse(name, value, receiver, arguments)
            if sink.kind is SinkKind.LOG:
                value = self._message(value, arguments)
            self._eval.use(node, sink.kind, callee, value)

    def _is_other(self, kind: SinkKind, value: Value) -> bool:
        """Whether it isn't what this kind is about: a dict that goes out as JSON, an open file that has a path."""
        cell = self._eval.cell(value) if isinstance(value, Ref | Tree) else None
        if kind is SinkKind.HTML:
            return _is_response(value) or (cell is not None and cell.kind in ("dict", "list"))
        if kind is SinkKind.URL:
            return isinstance(value, Thing) and value.type_name.endswith("Request")  # it was judged when it was made
        return kind is SinkKind.PATH and cell is not None and cell.kind == "object"

    def _message(self, value: Value, arguments: Arguments) -> Value:
        """What is logged: `%r` in the message escapes line breaks."""
        first, *rest = arguments.positional or (value,)
        if isinstance(first, Const) and isinstance(first.value, str) and "%" in first.value and rest:
            return texts.percent(first.value, [self._eval.flat(v) for v in rest], {}, None)
        return value

    def _parse(self, name: str, document: Value, receiver: Value | None, arguments: Arguments) -> Value:
        """A document with what is known of its parser: see `shapes`."""
        given = arguments.keywords.get("parser") or (arguments.positional[1] if len(arguments.positional) > 1 else None)
        keyword = arguments.keywords.get("resolve_entities")
        entries: list[tuple[Key, Value]] = [("document", document)]
        cell = self._eval.cell(receiver) if receiver is not None else None
        if keyword is not None:
            entries.append(("parser", Tree("object", (("resolve_entities", keyword),), type_name=name)))
        elif cell is not None and cell.type_name in _XML_PARSERS and receiver is not None:
            entries.append(("parser", self._eval.frozen(receiver)))
        elif given is not None and given != Const(None) and self._is_parser(given):
            entries.append(("parser", self._eval.frozen(given)))
        entries.append(("default", Const(OLD_LXML if name.startswith("lxml.") else None)))
        return Tree("parse", tuple((k, self._eval.frozen(v)) for k, v in entries))

    def _is_parser(self, value: Value) -> bool:
        cell = self._eval.cell(value)
        return isinstance(value, Slot) or (cell is not None and cell.type_name in _XML_PARSERS) or (
            isinstance(value, Thing) and not value.traces and value.type_name not in _TEXT_TYPES)  # fmt: skip

    def _runs_shell(self, arguments: Arguments) -> bool:
        shell = arguments.keywords.get("shell")
        return isinstance(shell, Const) and bool(shell.value)

    def _as_shell_text(self, value: Value) -> Value:
        """With a shell, the first item of a list is the command's text; whatever follows are its parameters."""
        cell = self._eval.cell(value)
        return cell.entries.get(0, cell.all) if cell is not None and cell.is_sequence else value

    def _chosen(self, places: tuple[int | str, ...], receiver: Value | None, arguments: Arguments) -> list[Value]:
        """The arguments at some places: a number is a position, -1 the receiver, `*` stands for all."""
        found: list[Value] = []
        for place in places:
            if place == "*":
                found += arguments.all
            elif place in (-1, "receiver"):
                found += [receiver] if receiver is not None else []
            elif isinstance(place, int):
                found += arguments.positional[place : place + 1]
                if place >= len(arguments.positional) and arguments.star is not None:
                    found.append(arguments.star.below(place - len(arguments.positional)))
                if place >= len(arguments.positional) and arguments.others is not None:
                    found.append(arguments.others)
            elif place in arguments.keywords:
                found.append(arguments.keywords[place])
            elif arguments.double is not None:
                found.append(arguments.double.below(place))
        return found

    def _doubt(self, sink: Sink, arguments: Arguments) -> bool | str | None:
        """Whether the conditions hold: None where they do, False where one doesn't, what is in doubt else."""
        doubt: str | None = None
        for condition in sink.when:
            holds = self._holds(condition, arguments)
            if holds is False:
                return False
            if holds is None:
                doubt = f"it depends on `{condition.argument}`"
        return doubt

    def _holds(self, condition: Condition, arguments: Arguments) -> bool | None:
        value = arguments.keywords.get(condition.argument)
        if value is None and condition.position is not None and condition.position < len(arguments.positional):
            value = arguments.positional[condition.position]
        if value is None:
            return None if arguments.others is not None and "absent" not in condition.values else (
                "absent" in condition.values)  # fmt: skip
        outcomes = {self._matches(v, condition) for v in options_of(value)}
        return outcomes.pop() if len(outcomes) == 1 else None

    def _matches(self, value: Value, condition: Condition) -> bool | None:
        match value:
            case Const(value=constant):
                return any(constant == v and type(constant) is type(v) for v in condition.values)
            case Lib(name=name) | Thing(type_name=name) if name:
                return any(isinstance(v, str) and (v == name or name.endswith(f".{v.rsplit('.', 1)[-1]}"))
                           for v in condition.values)  # fmt: skip
            case Text(parts=[str() as first, *_]):
                return any(isinstance(v, str) and first.split(";")[0].strip() == v for v in condition.values)
        return None


def _is_response(value: Value) -> bool:
    """Whether it is no text: a response that was made before is judged where that was done."""
    return isinstance(value, Thing) and value.type_name not in (*_TEXT_TYPES, "", "markupsafe.Markup")


def _is_method(name: str) -> bool:
    """Whether a dotted name is that of a method: of a class, or of a library's settings."""
    owners = name.split(".")[1:-1]
    return any(owner[:1].isupper() for owner in owners) or (bool(owners) and owners[-1] in _TABLES)


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


def _why_not(sink: Sink) -> str:
    return f"{', '.join(f'`{c.argument}`' for c in sink.when)} makes it harmless"


def _is_class_call(callee: Func) -> bool:
    """`Base.method(self, x)` passes the receiver itself; a class method called on its class has one of its own."""
    return any(form.dotted(d) == "classmethod" for d in callee.symbol.decorators)
