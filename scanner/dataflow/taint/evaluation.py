"""Expressions: what each can be in a state, and the calls, sinks and writes that evaluating it brings about."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from assay.scanner.dataflow.taint import containers, folding, texts
from assay.scanner.dataflow.taint.arguments import Arguments, bound
from assay.scanner.dataflow.taint.calls import Calls
from assay.scanner.dataflow.taint.client_values import HOST_PARTS, is_of_server, names_host, names_page_before
from assay.scanner.dataflow.taint.functions import FunctionCalls
from assay.scanner.dataflow.taint.guards import Guards
from assay.scanner.dataflow.taint.library_calls import LibraryCalls
from assay.scanner.dataflow.taint.shapes import essence, in_the_middle
from assay.scanner.dataflow.taint.sinks import Sinks
from assay.scanner.dataflow.taint.state import State, merge, path_of
from assay.scanner.dataflow.taint.summary import Place, Summary, Use
from assay.scanner.dataflow.taint.targets import Targets
from assay.scanner.dataflow.taint.values import (
    EVERYTHING,
    NONE,
    UNKNOWN,
    Anonymous,
    Cell,
    Choice,
    Const,
    Func,
    Klass,
    Lib,
    Mod,
    Ref,
    Slot,
    Text,
    Thing,
    Trace,
    Tree,
    Value,
    cell_of,
    cleared,
    frozen,
    handed_on,
    join,
    joined,
    labelled,
    merged_traces,
    open_trace,
    options_of,
    text_of,
    thawed,
    traces_of,
)
from assay.scanner.libraries import Label, SinkKind
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.engine import Engine

_MOST_WORK = 40_000
"""Expressions that one run of a function may evaluate: a body that is longer, or whose loops are, is given up."""

_LONGEST_PATH = 4
_MARKUP = "markupsafe.Markup"
"""A text that escapes what is put into it."""
_CLEAN_DATA = frozenset({"cleaned_data", "validated_data"})
_FILE_NAMES = frozenset({"name", "stem", "suffix"})
_PATHS = frozenset({"pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath", "pathlib.PurePosixPath"})


class TooMuchWorkError(Exception):
    """A function is too long, or branches too much, to be followed."""


class Evaluation:
    """Evaluates the expressions of one run of a function (or module, or class body)."""

    def __init__(self, engine: Engine, scope: Scope, summary: Summary) -> None:
        self.engine = engine
        self.scope = scope
        self.function = scope.function
        self.summary = summary
        self.state = State.empty()
        self.yielded: list[Value] = []
        self.sinks = Sinks(self)
        self.targets = Targets(self)
        self.libraries = LibraryCalls(self)
        self.functions = FunctionCalls(self)
        self.calls = Calls(self)
        self.guards = Guards(self)
        self.leaves = False
        """Whether what was called last never comes back."""
        self.is_recalling = False
        """Whether calls have been made before, and are only looked at again."""
        self._called: dict[form.Call, Value] = {}
        self._work = 0

    # --- what there is ---

    def value(self, node: form.Expr) -> Value:
        """What the expression can be."""
        self._work += 1
        if self._work > _MOST_WORK:
            raise TooMuchWorkError
        find = self._BY_KIND.get(type(node))
        return find(self, node) if find is not None else UNKNOWN

    def maybe(self, node: form.Expr | None) -> Value | None:
        return self.value(node) if node is not None else None

    def known(self, node: form.Expr, found: Callable[[], Value]) -> Value:
        """What a test has shown of the expression, else what it is by itself."""
        if self.state.facts:
            path = path_of(node)
            if path is not None and path in self.state.facts:
                return self.state.facts[path]
        return found()

    def traces(self, *values: Value | None) -> tuple[Trace, ...]:
        heap = self.state.heap
        return merged_traces(t for v in values if v is not None for t in traces_of(v, heap))

    def frozen(self, value: Value) -> Value:
        return frozen(value, self.state.heap)

    def allocate(self, value: Tree, node: form.Node) -> Value:
        return thawed(value, self.state.heap, (node,))

    def cell(self, value: Value) -> Cell | None:
        """What the container or object holds; for a slot, what was written to it."""
        if isinstance(value, Slot):
            return self.state.overlay.get(value)
        return cell_of(value, self.state.heap)

    def want(self, *values: Value | None) -> None:
        """The answer depends on what these are: a caller that knows should say so."""
        for value in values:
            if value is None or isinstance(value, Const):
                continue
            for trace in self.traces(value):
                if isinstance(trace.origin, Slot):
                    self.summary.wants.add(Slot(trace.origin.owner, trace.origin.name))

    # --- expressions ---

    def _const(self, node: form.Const) -> Value:
        return Const(node.value)

    def _name(self, node: form.Name) -> Value:
        value = self.state.env.get(node.id)
        return value if value is not None else self._outer_name(node)

    def _outer_name(self, node: form.Name) -> Value:
        bindings = self.scope.lookup(node.id, node.start)
        if not bindings:
            return self.engine.of_link(self.engine.project.infer(node, self.scope))
        owner = bindings[0].scope
        if owner.function is not None and owner is not self.scope:
            nested = bindings[-1]
            if nested.how is How.FUNCTION and nested.function is not None and len(bindings) == 1:
                return Func(nested.function)
            return Slot(owner.function, node.id)
        if owner.function is not None:
            return self._local(node, bindings[-1].how)
        return self.engine.global_value(owner, node.id)

    def _local(self, node: form.Name, how: How) -> Value:
        """A local variable without a value so far: an import or a definition that stands elsewhere in the body."""
        if how in (How.IMPORT, How.IMPORT_FROM, How.FUNCTION, How.CLASS):
            return self.engine.of_link(self.engine.project.infer(node, self.scope))
        return UNKNOWN

    def _attr(self, node: form.Attr) -> Value:
        value = self.known(node, lambda: self.attribute(self.value(node.value), node))
        return labelled(value, Label.HOST) if node.attr in HOST_PARTS and names_host(node) else value

    def attribute(self, owner: Value, node: form.Attr) -> Value:
        """`owner.attr`."""
        match owner:
            case Choice(values=values):
                return joined(self.attribute(v, node) for v in values)
            case Lib(name=name):
                return self.library_attribute(name, node)
            case Mod(module=module):
                return self.engine.member(module, node.attr)
            case Klass(cls=cls):
                return self._class_attribute(cls, node)
            case Slot():
                return self._slot_attribute(owner, node)
            case Ref() | Tree():
                return self._field(owner, node)
            case Thing(type_name=name, traces=traces, about=about):
                return self._thing_attribute(owner, name, traces, about, node)
            case Const() if node.attr in ("value", "name"):
                return owner
        return UNKNOWN

    def library_attribute(self, name: str, node: form.Attr) -> Value:
        """A member of a library's module, class or object."""
        models = self.engine.models
        full = models.member(name, node.attr)
        label = models.sources.get(full)
        if label is not None:
            return self.source(node, full, label)
        return Lib(full)

    def source(self, node: form.Node, what: str, label: Label) -> Value:
        """A value that a client chooses."""
        return self.engine.sources.client_value(self.scope, node, what, label)

    def sanitized(self, value: Value, name: str) -> Value:
        """The value, where reading this attribute makes it harmless."""
        kinds = self.engine.models.sanitizers.get(name)
        return cleared(value, kinds) if kinds is not None else value

    def _thing_attribute(
        self, owner: Value, name: str, traces: tuple[Trace, ...], about: tuple[str, ...], node: form.Attr
    ) -> Value:
        if name in _PATHS and node.attr in _FILE_NAMES:
            return cleared(owner, frozenset({SinkKind.PATH}))
        if about and name not in _PATHS:
            return Thing("", traces, (*about, node.attr))
        if name:
            found = self.library_attribute(name, node)
            full = self.engine.models.member(name, node.attr)
            if isinstance(found, Thing):
                return found
            if not traces:
                kind = self.engine.models.gives.get(full)
                return Thing(kind) if kind is not None else found
            return self.sanitized(Thing(self.engine.models.gives.get(full, ""), traces), full)
        if traces:
            return Thing("", traces)
        return self._linked(node)

    def _linked(self, node: form.Attr) -> Value:
        """What the linker knows of an attribute whose owner says nothing."""
        found = self.engine.sources.of_attribute(node, self.scope)
        return found if found is not None else self.engine.of_link(self.engine.project.infer(node, self.scope))

    def _class_attribute(self, cls: ClassSymbol, node: form.Attr) -> Value:
        method = self.engine.project.method(cls, node.attr)
        if method is not None:
            return bound(method, None, cls)
        return self.engine.class_value(cls, node.attr) or self._linked(node)

    def _slot_attribute(self, owner: Slot, node: form.Attr) -> Value:
        written = self.state.overlay.get(owner)
        if written is not None and node.attr in written.entries:
            return written.entries[node.attr]
        found = self.engine.sources.of_attribute(node, self.scope)
        if found is not None:
            return found
        linked = self.engine.project.infer(node, self.scope)
        method = self.engine.method_of(linked)
        if method is not None:
            return Func(method, owner)
        member = self._library_member(node)
        label = self.engine.models.sources.get(member)
        if label is not None and not self.engine.fills(owner):
            return self.source(node, member, label)
        kind = self.engine.models.gives.get(member)
        if kind is not None and len(owner.path) < _LONGEST_PATH:
            return Thing(kind, (open_trace(owner.below(node.attr)),))
        first = next(iter(owner.owner.node.params), None)
        if not owner.path and owner.owner.owner is not None and first is not None and owner.name == first.name:
            settled = self.engine.settled_class_value(owner.owner.owner, node.attr)
            if settled is not None:
                return settled
        prop = self.engine.property_of(node, self.scope)
        if prop is not None:
            return self.functions.call(node, Func(prop, owner), Arguments.none())
        if len(owner.path) >= _LONGEST_PATH:
            return Thing("", (open_trace(owner),))
        return owner.below(node.attr)

    def _library_member(self, node: form.Attr) -> str:
        """What a library's models call the attribute of something that is given, or of an object of a subclass."""
        models, found = self.engine.models, self.engine.project.infer(node.value, self.scope)
        if isinstance(found, External):
            return models.member(found.name, node.attr)
        if not isinstance(found, Instance):
            return ""
        owners = sorted(self.engine.project.base_names(found.cls)) if found.cls is not None else [found.type_name]
        names = [models.member(owner, node.attr) for owner in owners]
        return next((name for name in names if models.is_known(name)), "")

    def _field(self, owner: Value, node: form.Attr) -> Value:
        cell = self.cell(owner)
        if cell is None:
            return UNKNOWN
        if node.attr in cell.entries and cell.kind == "object":
            return cell.entries[node.attr]
        if cell.cls is not None:
            method = self.engine.project.method(cell.cls, node.attr)
            if method is not None and _is_property(method):
                return self.functions.call(node, Func(method, owner), Arguments.none())
            if method is not None:
                return bound(method, owner, cell.cls)
            found = self.engine.class_value(cell.cls, node.attr)
            if found is not None:
                return found
        if cell.rest is not None:
            return cell.rest
        if cell.type_name:
            return self.library_attribute(cell.type_name, node)
        sent = self.engine.sources.of_attribute(node, self.scope) if cell.cls is not None else None
        return sent if sent is not None else UNKNOWN

    def _subscript(self, node: form.Subscript) -> Value:
        if isinstance(node.value, form.Attr) and node.value.attr in _CLEAN_DATA:
            found = self.engine.sources.of_item(node, self.scope)
            if found is not None:
                return found
        if is_of_server(node):
            return UNKNOWN
        value = self.known(node, lambda: self.subscript(self.value(node.value), node))
        return self._as_header(value, node)

    def _as_header(self, value: Value, node: form.Subscript | form.Call) -> Value:
        """A value that may have been read from a header, with what that says of it."""
        value = labelled(value, Label.HOST) if names_host(node) else value
        return cleared(value, frozenset({SinkKind.REDIRECT})) if names_page_before(node) else value

    def subscript(self, owner: Value, node: form.Subscript) -> Value:
        """`owner[index]`."""
        if isinstance(owner, Choice):
            return joined(self.subscript(v, node) for v in owner.values)
        if isinstance(node.index, form.Slice):
            return self._slice(owner, node.index, node)
        key = self.value(node.index)
        if isinstance(owner, Slot):
            return self.slot_item(owner, key)
        cell = self.cell(owner)
        if cell is not None:
            return self._item(cell, key, node)
        if isinstance(owner, Const) and isinstance(owner.value, str) and isinstance(key, Const):
            place = key.value
            if isinstance(place, int) and -len(owner.value) <= place < len(owner.value):
                return Const(owner.value[place])
            return UNKNOWN
        if isinstance(owner, Lib):
            return self.libraries.item(owner, node)
        if isinstance(owner, Thing):
            kind = self.engine.models.gives.get(f"{owner.type_name}.__getitem__", "") if owner.type_name else ""
            return Thing(kind, owner.traces, owner.about)
        return Thing("", self.traces(owner))

    def _item(self, cell: Cell, key: Value, node: form.Subscript) -> Value:
        if not isinstance(key, Const):
            self.want(key)
        if cell.kind == "object" and cell.cls is not None:
            method = self.engine.project.method(cell.cls, "__getitem__")
            if method is not None:
                owner = self.value(node.value)
                return self.functions.call(node, Func(method, owner), Arguments((key,), {}))
        return containers.item(cell, key)

    def slot_item(self, owner: Slot, key: Value) -> Value:
        written = self.state.overlay.get(owner)
        if not isinstance(key, Const):
            return Thing("", self.traces(owner, written.rest if written is not None else None))
        if written is not None and key.value in written.entries:
            return written.entries[key.value]
        if len(owner.path) >= _LONGEST_PATH:
            return Thing("", (open_trace(owner),))
        return owner.below(key.value)

    def _slice(self, owner: Value, bounds: form.Slice, node: form.Node) -> Value:
        lower, upper, step = self.maybe(bounds.lower), self.maybe(bounds.upper), self.maybe(bounds.step)
        cell = self.cell(owner)
        if cell is not None:
            return self.allocate(containers.sliced(cell, lower, upper, step), node)
        return texts.sliced(owner, lower, upper, step) if not isinstance(owner, Slot) else Thing("", self.traces(owner))

    def _template(self, node: form.Template) -> Value:
        parts: list[str | Value] = []
        for part in node.parts:
            if isinstance(part, str):
                parts.append(part)
                continue
            value = self.flat(self.value(part.value))
            spec = "".join(p for p in part.spec or () if isinstance(p, str))
            parts.append(texts.formatted(value, part.conversion, spec))
        return text_of(parts)

    def flat(self, value: Value) -> Value:
        """The value as a piece of text: of a container, only what is in it matters."""
        if isinstance(value, Ref | Tree):
            # Items are written by `repr`, which escapes line breaks.
            return cleared(Thing("builtins.str", self.traces(value)), frozenset({SinkKind.LOG, SinkKind.HEADER}))
        return value

    def _binary(self, node: form.Binary) -> Value:
        return self.binary(node.op, self.value(node.left), self.value(node.right), node)

    def binary(self, op: str, left: Value, right: Value, node: form.Node) -> Value:
        """`left op right`."""
        if isinstance(left, Const) and isinstance(right, Const):
            if op == "%" and isinstance(left.value, str):
                return texts.percent(left.value, [right], {}, None)
            return folding.binary(op, left.value, right.value) or UNKNOWN
        if op in ("%", "+") and isinstance(left, Thing) and left.type_name == _MARKUP:
            return Thing(_MARKUP, self.traces(left, cleared(right, frozenset({SinkKind.HTML}), self.state.heap)))
        if op == "%" and isinstance(left, Const | Text):
            return self._percent(left, right)
        mine, theirs = self.cell(left), self.cell(right)
        if op in ("+", "|") and mine is not None and theirs is not None:
            return self.allocate(_added(mine, theirs), node)
        if op == "+" and mine is not None and mine.is_sequence and mine.rest is None and isinstance(right, Thing):
            return self.allocate(Tree(mine.kind, tuple(mine.entries.items()), self.element(right)), node)
        if op == "+" and mine is None and theirs is None:
            return self._sum(left, right)
        if op == "*" and mine is not None:
            return self.allocate(Tree(mine.kind, (), mine.all), node)
        if op == "/" and (_is_path(left) or isinstance(right, Text) or (self.traces(right) and isinstance(left, Lib))):
            return Thing("pathlib.Path", merged_traces((*in_the_middle(self.traces(left)), *self.traces(right))))
        name = left.type_name if isinstance(left, Thing) else ""
        return Thing(name, self.traces(left, right))

    def _sum(self, left: Value, right: Value) -> Value:
        """A text, unless both are something else: numbers carry nothing that does harm, and look the same here."""
        known = [v for v in (left, right) if isinstance(v, Const) and not isinstance(v.value, str)]
        if known:
            return Thing("", self.traces(left, right))
        return text_of([left, right])

    def _percent(self, left: Const | Text, right: Value) -> Value:
        cell = self.cell(right)
        if not isinstance(left, Const) or not isinstance(left.value, str):
            return Thing("builtins.str", self.traces(left, right))
        if cell is not None and cell.kind == "tuple" and cell.rest is None:
            return texts.percent(left.value, [self.flat(v) for v in cell.entries.values()], {}, None)
        if cell is not None and cell.kind == "dict":
            others = self.flat(cell.rest) if cell.rest is not None else None
            return texts.percent(left.value, [], {k: self.flat(v) for k, v in cell.entries.items()}, others)
        return texts.percent(left.value, [self.flat(right)], {}, Thing("", self.traces(right)))

    def _boolean(self, node: form.Boolean) -> Value:
        """`a and b`, `a or b`: each is evaluated in the state in which the ones before it let it be."""
        is_and = node.op == "and"
        found: list[Value] = []
        before = self.state
        self.state = before.copy()
        for index, operand in enumerate(node.values):
            value = self.value(operand)
            truth = self.truth(value)
            is_last = index == len(node.values) - 1
            if is_last or truth is not is_and:
                found.append(_falsy(value) if is_and and not is_last else value)
            if truth is not None and truth is not is_and:
                break
            if not is_last:
                narrowed = self.guards.refined(operand, is_and)
                if narrowed is None:
                    break
                self.state = narrowed
        # What the operands changed stays; what they proved holds only behind them.
        self.state = State(self.state.env if _assigns(node) else before.env, self.state.heap, self.state.overlay,
                           before.facts, before.proved)  # fmt: skip
        return joined(found)

    def truth(self, value: Value) -> bool | None:
        """Whether the value counts as true; None where that isn't known."""
        found = {self._truth(v) for v in options_of(value)}
        return found.pop() if len(found) == 1 else None

    def _truth(self, value: Value) -> bool | None:
        match value:
            case Const(value=constant):
                return bool(constant)
            case Text(parts=parts):
                return True if any(isinstance(p, str) for p in parts) else None
            case Func() | Klass() | Anonymous() | Mod():
                return True
            case Ref() | Tree():
                cell = self.cell(value)
                if cell is None or cell.kind == "object":
                    return None
                if cell.entries and cell.is_sequence:
                    return True
                return False if not cell.entries and cell.rest is None and cell.kind != "dict" else None
        return None

    def _compare(self, node: form.Compare) -> Value:
        left = self.value(node.left)
        result: bool | None = True
        for op, right_node in zip(node.ops, node.rights, strict=True):
            right = self.value(right_node)
            found = self.compared(op, left, right)
            if found is False:
                return Const(False)
            result = result and found
            left = right
        return Const(True) if result else Thing("builtins.bool")

    def compared(self, op: str, left: Value, right: Value) -> bool | None:
        """`left op right`, where it is known."""
        outcomes = {self._compared(op, one, other) for one in options_of(left) for other in options_of(right)}
        if len(outcomes) == 1:
            return outcomes.pop()
        return None

    def _compared(self, op: str, left: Value, right: Value) -> bool | None:
        if isinstance(left, Const) and isinstance(right, Const):
            return folding.compare(op, left.value, right.value)
        if op in ("in", "not in") and isinstance(left, Const):
            cell = self.cell(right)
            if cell is not None and cell.kind != "object" and cell.rest is None:
                inside = [*map(Const, cell.entries)] if cell.kind == "dict" else list(cell.entries.values())
                if left in inside:
                    return op == "in"
                if all(isinstance(v, Const) for v in inside):
                    return op == "not in"
        if op in ("is", "is not") and NONE in (left, right) and _is_something(right if left == NONE else left):
            return op == "is not"
        self.want(left, right)
        return None

    def _unary(self, node: form.Unary) -> Value:
        value = self.value(node.operand)
        if node.op == "not":
            truth = self.truth(value)
            if truth is None:
                self.want(value)
                return Thing("builtins.bool")
            return Const(not truth)
        if node.op == "-" and isinstance(value, Const) and isinstance(value.value, int | float):
            return Const(-value.value)
        return Thing("", self.traces(value))

    def _display(self, node: form.Display) -> Value:
        items: list[Value] = []
        rest: Value | None = None
        for item in node.items:
            if isinstance(item, form.Starred):
                inner = self.value(item.value)
                cell = self.cell(inner)
                if cell is not None and cell.is_sequence and cell.rest is None and rest is None:
                    items += cell.entries.values()
                else:
                    rest = join(rest, self.element(inner))
            else:
                value = self.value(item)
                if rest is None:
                    items.append(value)
                else:
                    rest = join(rest, value)
        return self.state.allocate((node,), Cell(node.kind, dict(enumerate(items)), rest))

    def _dict(self, node: form.Dict) -> Value:
        cell = Cell("dict", {})
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            value = self.value(value_node)
            if key_node is None:
                other = self.cell(value)
                if other is not None:
                    cell = replace(cell, entries=containers.overlaid(cell.entries, other.entries))
                    if other.rest is not None:
                        cell = cell.with_any(other.rest, other.keys)
                else:
                    cell = cell.with_any(Thing("", self.traces(value)))
            else:
                key = self.value(key_node)
                cell = containers.with_item(cell, key, value)
        return self.state.allocate((node,), cell)

    def _comprehension(self, node: form.Comprehension) -> Value:
        outer = self.state
        self.state = outer.copy()
        generators = node.generators
        if len(generators) == 1 and not generators[0].ifs and node.kind != "set":
            found = self._mapped(node, generators[0])
        else:
            found = self._gathered(node, generators)
        names = outer.env
        self.state = State(names, self.state.heap, self.state.overlay, outer.facts, outer.proved)
        return found

    def _mapped(self, node: form.Comprehension, generator: form.Generator) -> Value:
        """`[f(x) for x in items]`: item by item, where the items are known."""
        iterated = self.value(generator.iter)
        cell = self.cell(iterated)
        if cell is not None and cell.rest is None and cell.is_sequence and len(cell.entries) <= 8:
            found = Cell("dict" if node.value is not None else "list", {})
            for place, item in enumerate(cell.entries.values()):
                self.targets.bind(generator.target, item)
                element = self.value(node.element)
                if node.value is None:
                    found = found.with_entry(place, element)
                else:
                    found = containers.with_item(found, element, self.value(node.value))
            return self.state.allocate((node,), found)
        return self._gathered(node, [generator])

    def _gathered(self, node: form.Comprehension, generators: Sequence[form.Generator]) -> Value:
        for generator in generators:
            self.targets.bind(generator.target, self.element(self.value(generator.iter)))
            for test in generator.ifs:
                self.value(test)
                narrowed = self.guards.refined(test, True)
                if narrowed is None:
                    return self.state.allocate((node,), Cell("list", {}))
                self.state = narrowed
        element = self.value(node.element)
        if node.value is not None:
            return self.state.allocate((node,), Cell("dict", {}, self.value(node.value), element))
        return self.state.allocate((node,), Cell("set" if node.kind == "set" else "list", {}, element))

    def _lambda(self, node: form.Lambda) -> Value:
        return Anonymous(node, self.scope, tuple(self._captured(node)))

    def _captured(self, node: form.Lambda) -> Iterator[tuple[str, Value]]:
        params = {p.name for p in node.params}
        for inner in form.walk(node.body):
            if isinstance(inner, form.Name) and inner.id not in params and inner.id in self.state.env:
                yield inner.id, self.state.env[inner.id]

    def _conditional(self, node: form.Conditional) -> Value:
        truth = self.truth(self.tested(node.test))
        before = self.state
        found: list[Value] = []
        states: list[State] = []
        for wanted, branch in ((True, node.body), (False, node.orelse)):
            if truth is (not wanted):
                continue
            self.state = before
            narrowed = self.guards.refined(node.test, wanted)
            if narrowed is None:
                continue
            self.state = narrowed
            found.append(self.value(branch))
            states.append(self.state)
        merged = merge(states)
        self.state = State(
            before.env if not _assigns(node) or merged is None else merged.env,
            merged.heap if merged is not None else before.heap,
            merged.overlay if merged is not None else before.overlay,
            before.facts,
            before.proved,
        )
        return joined(found)

    def tested(self, test: form.Expr) -> Value:
        """The value of a condition; where its outcome isn't known, callers that know more are asked to say so."""
        value = self.value(test)
        if self.truth(value) is None:
            self.want(value)
        return value

    def _await(self, node: form.Await) -> Value:
        return self.value(node.value)

    def _yield(self, node: form.Yield) -> Value:
        value = self.maybe(node.value)
        if value is not None:
            self.yielded.append(self.element(value) if node.is_from else value)
        return UNKNOWN

    def _starred(self, node: form.Starred) -> Value:
        return self.value(node.value)

    def _walrus(self, node: form.Walrus) -> Value:
        value = self.value(node.value)
        self.targets.bind(node.target, value)
        return value

    def _call(self, node: form.Call) -> Value:
        if self.is_recalling and node in self._called:
            return self._called[node]
        value = self.known(node, lambda: self.calls.value(node))
        if isinstance(node.func, form.Attr) and node.func.attr == "get":
            value = self._as_header(value, node)
        self._called[node] = value
        return value

    # --- containers ---

    def element(self, iterated: Value) -> Value:
        """What a loop over the value gives, whichever round it is."""
        found: list[Value] = []
        for value in options_of(iterated):
            cell = self.cell(value) if not isinstance(value, Slot) else None
            if cell is not None and cell.kind != "object":
                found.append(cell.any_key if cell.kind == "dict" else cell.all)
            elif cell is not None and cell.cls is not None:
                found.append(self._iterated_object(value, cell.cls))
            elif isinstance(value, Const):
                found.append(Thing("builtins.str") if isinstance(value.value, str) else UNKNOWN)
            elif isinstance(value, Thing):
                name = value.type_name if self.engine.models.is_typed(value.type_name) else ""
                found.append(Thing(name, value.traces, value.about))
            else:
                found.append(Thing("", self.traces(value)))
        return joined(found)

    def _iterated_object(self, value: Value, cls: ClassSymbol) -> Value:
        method = self.engine.project.method(cls, "__iter__")
        if method is None or self.function is method:
            return Thing("", self.traces(value))
        return self.element(self.functions.call(method.node, Func(method, value), Arguments.none()))

    # --- sinks and steps ---

    def use(self, node: form.Node, kind: SinkKind, callee: str, value: Value) -> None:
        """A value reaches a sink."""
        self.spend(Use(Place(node, kind, self.scope, callee), essence(kind, self.frozen(value))))

    def spend(self, use: Use) -> None:
        """A use of this function's or of one that it calls: what the client chose is a finding, the rest is open."""
        if self.engine.settle(use) and use not in self.summary.uses:
            self.summary.uses.append(use)

    def handed_on(self, value: Value, node: form.Node, text: str) -> Value:
        """The value, with a step where it is handed on."""
        return handed_on(value, self.scope.module, node, text)

    _BY_KIND: ClassVar[Mapping[type[form.Node], Callable[..., Value]]] = {
        form.Const: _const,
        form.Name: _name,
        form.Attr: _attr,
        form.Call: _call,
        form.Template: _template,
        form.Binary: _binary,
        form.Boolean: _boolean,
        form.Compare: _compare,
        form.Unary: _unary,
        form.Display: _display,
        form.Dict: _dict,
        form.Subscript: _subscript,
        form.Comprehension: _comprehension,
        form.Lambda: _lambda,
        form.Conditional: _conditional,
        form.Await: _await,
        form.Yield: _yield,
        form.Starred: _starred,
        form.Walrus: _walrus,
    }


def _added(one: Cell, other: Cell) -> Tree:
    if one.kind == "dict":
        entries = containers.overlaid(one.entries, other.entries)
        rest = None if one.rest is None and other.rest is None else join(one.rest, other.rest)
        return Tree("dict", tuple(entries.items()), rest, one.keys or other.keys)
    if one.rest is None and one.is_sequence:
        return Tree(one.kind, tuple(enumerate([*one.entries.values(), *other.entries.values()])), other.rest)
    return Tree(one.kind, (), join(one.all, other.all))


def _is_path(value: Value) -> bool:
    return isinstance(value, Thing) and value.type_name in _PATHS


def _assigns(node: form.Expr) -> bool:
    return any(isinstance(inner, form.Walrus) for inner in form.walk(node, into_definitions=False))


def _falsy(value: Value) -> Value:
    """What is left of `value` in `value and other` where it is false: nothing that a client chose."""
    return value if isinstance(value, Const) else cleared(value, EVERYTHING)


def _is_something(value: Value) -> bool:
    return isinstance(value, Const | Text | Ref | Tree | Func | Klass | Anonymous | Mod)


def _is_property(function: FunctionSymbol) -> bool:
    return any((form.dotted(d) or "").endswith("property") for d in function.decorators)
