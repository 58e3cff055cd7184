"""What a text in a test comes to: literal pieces, names of routes that are turned into paths, and gaps.

A test's paths hang on its class, its arguments and its fixtures, so they are worked out for one run at a time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from itertools import islice, product
from string import Formatter
from typing import TypeAlias

from assay.scanner.dataflow.blocks import ModuleBlocks
from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.linker.project import Project, last_name, literal_item
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Module
from assay.scanner.linker.values import BoundMethod, External, Instance, Literal
from assay.scanner.readers.python import form
from assay.scanner.suite.collected import Suite
from assay.scanner.suite.frames import Frame, Framed, called

_MOST = 12
"""Ways that a text is looked at in."""
_MOST_ITEMS = 200
"""Items of a written-out list."""
_DEEPEST = 8
"""Runs inside of one another."""
_MOST_AT_ONCE = 100
"""Expressions inside of one another."""
_REVERSING = frozenset({"reverse", "reverse_lazy", "url_for", "url_path_for", "resolve_url", "app_path"})
_TRANSPARENT = frozenset({"str", "quote", "quote_plus", "URL", "Url", "force_str", "mark_safe", "iri_to_uri"})
_JOINING = frozenset({"urljoin"})
_TRIMMING: Mapping[str, Callable[[str], str]] = {
    "strip": str.strip,
    "lstrip": str.lstrip,
    "rstrip": str.rstrip,
    "lower": str.lower,
    "upper": str.upper,
}
_CONDITIONAL = (form.If, form.For, form.While, form.Handler)
_PERCENT = re.compile(r"%(?:\((?P<key>[^()]*)\))?[-#0 +]*\d*(?:\.\d+)?(?P<kind>[diouxXeEfFgGcrsa%])")


_MODEL_NAME = re.compile("\ue000(\\w+)\ue001")
"""What stands for a name of the model that the test's class tests, until the class is known."""


class Gap(Enum):
    """A piece that can't be told."""

    ANY = auto()


@dataclass(frozen=True, slots=True)
class Reversed:
    """The path of the route of that name; `*` stands for what can't be told in the name."""

    name: str


Piece: TypeAlias = str | Gap | Reversed
Text: TypeAlias = tuple[Piece, ...]
UNKNOWN: Text = (Gap.ANY,)


class Texts:
    """Works out texts, and the classes and functions that names in tests stand for."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._project: Project = suite.project
        self._blocks: dict[Module, ModuleBlocks] = {}
        self._active: set[tuple[form.Expr, Frame]] = set()
        """What is being worked out, for names that are defined in terms of themselves."""
        self._cls: ClassSymbol | None = None
        self._asked: set[str] = set()
        self._model_names: dict[ClassSymbol, dict[str, str]] = {}
        self._members: dict[tuple[ClassSymbol, str], object] = {}
        self._urls: dict[ClassSymbol, tuple[Text, ...]] = {}

    # --- one class for many ---

    def start(self, cls: ClassSymbol | None) -> set[str]:
        """Work out texts of a class's test from now on. The set gets the names of what they hang on in the class: for
        another class in which these mean the same, the texts are the same but for the names of its model.
        """
        self._cls, self._asked = cls, set()
        return self._asked

    def meaning(self, cls: ClassSymbol, name: str) -> object:
        """What two classes share that mean the same by the name."""
        key = (cls, name)
        if key not in self._members:
            assigned = tuple(value for value, _ in self._project.instance_attributes(cls, name))
            self._members[key] = (*self._project.class_member(cls, name)[-1:], *assigned)
        return self._members[key]

    def specific(self, text: Text, cls: ClassSymbol | None) -> Text:
        """The text for the class, with the names of its model."""

        def name(found: re.Match[str]) -> str:
            return self._names_of_model(cls).get(found[1], "*") if cls is not None else "*"

        return tuple(
            Reversed(_MODEL_NAME.sub(name, p.name))
            if isinstance(p, Reversed)
            else _MODEL_NAME.sub(name, p)
            if isinstance(p, str)
            else p
            for p in text
        )

    def _names_of_model(self, cls: ClassSymbol) -> dict[str, str]:
        if cls not in self._model_names:
            model = self._tested_model(Frame(cls.scope, cls))
            self._model_names[cls] = _names(model) if model is not None else {}
        return self._model_names[cls]

    def of(self, node: form.Expr, frame: Frame) -> tuple[Text, ...]:
        """All that the expression can be in that run; at least one."""
        key = (node, frame)
        if frame.depth > _DEEPEST or key in self._active or len(self._active) > _MOST_AT_ONCE:
            return (UNKNOWN,)
        self._active.add(key)
        try:
            return tuple(dict.fromkeys(islice(self._of(node, frame), _MOST))) or (UNKNOWN,)
        finally:
            self._active.discard(key)

    def known(self, node: form.Expr, frame: Frame) -> list[str]:
        """The texts without a gap."""
        texts = (plain(text) for text in self.of(node, frame))
        return [t for t in texts if t is not None]

    def _of(self, node: form.Expr, frame: Frame) -> Iterator[Text]:  # noqa: C901 - one case per expression
        match node:
            case form.Const(value=None):
                return
            case form.Const(value=value):
                yield (str(value),)
            case form.Template(parts=parts):
                yield from _joined([(p,)] if isinstance(p, str) else self.of(p.value, frame) for p in parts)
            case form.Binary(op="+", left=left, right=right):
                yield from _joined([self.of(left, frame), self.of(right, frame)])
            case form.Binary(op="/", left=left, right=right):  # yarl
                yield from _joined([self.of(left, frame), [("/",)], self.of(right, frame)])
            case form.Binary(op="%"):
                yield from self._percent(node, frame)
            case form.Await(value=inner) | form.Starred(value=inner) | form.Walrus(value=inner):
                yield from self.of(inner, frame)
            case form.Conditional(body=body, orelse=orelse):
                yield from (*self.of(body, frame), *self.of(orelse, frame))
            case form.Boolean(values=values):
                yield from (text for value in values for text in self._of(value, frame))
            case form.Name():
                for found in self.values(node, frame):
                    yield from self.of(found.node, found.frame)
            case form.Attr():
                yield from self._attribute(node, frame)
            case form.Subscript(value=base, index=form.Const(value=key)):
                items = [(literal_item(v.node, key), v.frame) for v in self.values(base, frame)]
                yield from (text for item, inside in items if item is not None for text in self.of(item, inside))
            case form.Call():
                yield from self._call(node, frame)

    # --- names ---

    def values(self, node: form.Expr, frame: Frame) -> list[Framed]:
        """The expressions that a name or attribute may stand for; itself where it is neither."""
        if isinstance(node, form.Attr):
            return self._attribute_values(node, frame)
        if not isinstance(node, form.Name):
            return [Framed(node, frame)]
        bindings = frame.scope.lookup(node.id, node.start)
        if not bindings:
            return []
        owner = bindings[0].scope
        inside = frame if owner is frame.scope else frame.inside(owner)
        if owner.function is None or owner is not frame.scope:
            return [v for b in bindings[-2:] for v in self._bound(b, inside)]
        return [v for b in self._in_force(bindings, node.start) for v in self._bound(b, inside)]

    def _in_force(self, bindings: list[Binding], at: int) -> list[Binding]:
        """Those that may have been made last when the place is reached."""
        before = [b for b in bindings if max(b.offset, b.value.end if b.value is not None else 0) <= at]
        found: list[Binding] = []
        for binding in reversed(before):
            if binding.how is How.AUGMENT:
                continue
            found.append(binding)
            if self._is_certain(binding, at):
                break
        return found or bindings

    def _is_certain(self, binding: Binding, at: int) -> bool:
        module = binding.scope.module
        if module not in self._blocks:
            self._blocks[module] = ModuleBlocks(module)
        around = self._blocks[module].innermost(binding.offset).within_function()
        return all(b.start <= at < b.end for b in around if isinstance(b.header, _CONDITIONAL))

    def _bound(self, binding: Binding, frame: Frame) -> list[Framed]:
        value = binding.value
        match binding.how:
            case How.PARAMETER:
                return self._parameter(binding, frame)
            case How.ASSIGN if value is not None:
                return [Framed(value, frame)]
            case How.UNPACK if isinstance(value, form.Display) and binding.index is not None:
                item = literal_item(value, binding.index)
                return [Framed(item, frame)] if item is not None else []
            case How.FOR if value is not None:
                items = [frame.turns[value]] if value in frame.turns else self.items(value, frame)
                return [part for item in items if (part := _part(item, binding.index)) is not None]
            case How.IMPORT_FROM:
                source = self._project.import_module(binding.module, binding.level, binding.scope.module)
                return self._of_module(source, binding.name, frame) if isinstance(source, Module) else []
        return []

    def _of_module(self, module: Module, name: str, frame: Frame) -> list[Framed]:
        if frame.depth > _DEEPEST:
            return []
        bindings = module.scope.bindings.get(name, ())
        return [v for b in bindings[-2:] for v in self._bound(b, Frame(module.scope, depth=frame.depth + 1))]

    def _parameter(self, binding: Binding, frame: Frame) -> list[Framed]:
        function, param = binding.function, binding.param
        if function is None or param is None:
            return []
        if param.name in frame.given:
            return [frame.given[param.name]]
        fixture = self._suite.fixture(param.name, function)
        if fixture is not None:
            return self.returned(fixture, Frame(fixture.scope, frame.cls, depth=frame.depth + 1))
        return [Framed(param.default, frame.inside(function.outer))] if param.default is not None else []

    def items(self, node: form.Expr, frame: Frame) -> list[Framed]:
        """The items of a list that is written out."""
        found: list[Framed] = []
        for value in self.values(node, frame):
            inner = value.node
            if isinstance(inner, form.Call) and last_name(inner.func) == "items" and isinstance(inner.func, form.Attr):
                found += [
                    Framed(form.Display(start=v.start, end=v.end, kind="tuple", items=[k, v]), mapping.frame)
                    for mapping in self.values(inner.func.value, value.frame)
                    if isinstance(mapping.node, form.Dict)
                    for k, v in zip(mapping.node.keys, mapping.node.values, strict=True)
                    if k is not None
                ]
            elif isinstance(inner, form.Dict):
                found += [Framed(key, value.frame) for key in inner.keys if key is not None]
            else:
                listed = list_items(inner, value.frame.scope, self._project)
                same = value.frame.scope
                found += [Framed(i, value.frame if s is same else value.frame.inside(s)) for i, s in listed]
        return found[:_MOST_ITEMS]

    def returned(self, function: FunctionSymbol, frame: Frame) -> list[Framed]:
        """What the function returns or yields."""
        if frame.depth > _DEEPEST:
            return []
        return [
            Framed(n.value, frame)
            for n in function.nodes
            if isinstance(n, form.Return | form.Yield) and n.value is not None
        ]

    # --- attributes ---

    def owner(self, node: form.Expr, frame: Frame) -> ClassSymbol | Module | None:
        """The class or module whose attributes the expression has."""
        key = (node, frame)
        if key in self._active or len(self._active) > _MOST_AT_ONCE:
            return None
        self._active.add(key)
        try:
            return self._owner(node, frame)
        finally:
            self._active.discard(key)

    def _owner(self, node: form.Expr, frame: Frame) -> ClassSymbol | Module | None:
        if isinstance(node, form.Name):
            first = frame.function.node.params[:1] if frame.function is not None else []
            if frame.cls is not None and first and first[0].name == node.id and node.id in ("self", "cls"):
                return frame.cls
            if node.id in frame.given:
                given = frame.given[node.id]
                return self.owner(given.node, given.frame) if given.frame.depth <= _DEEPEST else None
        if isinstance(node, form.Attr):
            holder = self.owner(node.value, frame)
            if isinstance(holder, ClassSymbol):
                values = self._member(holder, node.attr, frame)
                found = (self.owner(v.node, v.frame) for v in values if v.node is not node)
                return next((f for f in found if f is not None), None)
        if isinstance(node, form.Call) and (self._is_super(node) and frame.cls is not None):
            return frame.cls
        value = self._inferred(node, frame)
        if isinstance(value, Instance):
            return value.cls
        return value if isinstance(value, ClassSymbol | Module) else None

    def _inferred(self, node: form.Expr, frame: Frame) -> object:
        """What the linker knows; a parameter that is not annotated is not looked for at all who call by that name."""
        if isinstance(node, form.Name):
            bindings = frame.scope.lookup(node.id, node.start)
            binding = bindings[-1] if bindings else None
            if binding is not None and binding.how is How.PARAMETER:
                if binding.annotation is not None and binding.function is not None:
                    return self._project.annotated(binding.annotation, binding.function.outer)
                fixture = self._suite.fixture(node.id, binding.function) if binding.function is not None else None
                return self._project.result(fixture) if fixture is not None else None
        if isinstance(node, form.Name | form.Attr | form.Call | form.Await):
            return self._project.infer(node, frame.scope)
        return None

    def _is_super(self, node: form.Call) -> bool:
        return isinstance(node.func, form.Name) and node.func.id == "super"

    def _attribute_values(self, node: form.Attr, frame: Frame) -> list[Framed]:
        owner = self.owner(node.value, frame)
        if isinstance(owner, Module):
            return self._of_module(owner, node.attr, frame)
        return self._member(owner, node.attr, frame) if isinstance(owner, ClassSymbol) else []

    def _member(self, cls: ClassSymbol, name: str, frame: Frame) -> list[Framed]:
        """What the attribute of the class's objects was given: by the function itself, else by the nearest class."""
        if cls is self._cls:
            self._asked.add(name)
        if frame.depth > _DEEPEST:
            return []
        own = [(value, s) for value, s in cls.assigned_to_self.get(name, ()) if s is frame.scope]
        assigned = own or self._project.instance_attributes(cls, name)
        if assigned:
            owners = [s.function.owner for _, s in assigned if s.function is not None]
            nearest = [a for a, o in zip(assigned, owners, strict=False) if o is owners[0]]
            found = [v for v in nearest if not (isinstance(v[0], form.Const) and v[0].value is None)]
            if found:
                return [Framed(value, frame if s is frame.scope else frame.inside(s)) for value, s in found]
        bindings = self._project.class_member(cls, name)
        if not bindings:
            return []
        last = bindings[-1]
        if last.how is How.ASSIGN and last.value is not None:
            return [Framed(last.value, Frame(last.scope, cls, depth=frame.depth + 1))]
        if last.function is not None and last.function.decorators:
            return self.returned(last.function, Frame(last.function.scope, cls, depth=frame.depth + 1))
        return []

    def _attribute(self, node: form.Attr, frame: Frame) -> Iterator[Text]:
        if isinstance(node.value, form.Attr) and node.value.attr == "_meta":
            yield from self._of_meta(node.value.value, node.attr, frame)
            return
        values = self._attribute_values(node, frame)
        for value in values:
            yield from self.of(value.node, value.frame)
        if not values:
            found = string_value(node, frame.scope, self._project) if isinstance(node.value, form.Name) else None
            if found is not None:
                yield (found,)

    def _of_meta(self, node: form.Expr, attr: str, frame: Frame) -> Iterator[Text]:
        """Django's names for a model: `model._meta.app_label`. An object that can't be told is of the tested model."""
        is_tested = isinstance(node, form.Attr) and node.attr == "model" and self._is_self(node.value, frame)
        found = self.owner(node, frame) if not is_tested else None
        if isinstance(found, ClassSymbol) and found is not frame.cls:
            known = _names(found).get(attr)
            yield (known,) if known is not None else UNKNOWN
        elif frame.cls is not None and frame.cls is self._cls:
            yield (f"\ue000{attr}\ue001",)
        elif frame.cls is not None:
            known = _names(frame.cls).get(attr)
            yield (known,) if known is not None else UNKNOWN

    def _is_self(self, node: form.Expr, frame: Frame) -> bool:
        return isinstance(node, form.Name) and node.id in ("self", "cls") and frame.cls is self._cls is not None

    def model(self, node: form.Expr, frame: Frame) -> ClassSymbol | None:
        """The class of an object; in tests of a class that names its model, of one that can't be told, this model."""
        found = self.owner(node, frame)
        if isinstance(found, ClassSymbol) and found is not frame.cls:
            return found
        return self._tested_model(frame) if frame.cls is not None else None

    def _tested_model(self, frame: Frame) -> ClassSymbol | None:
        values = self._member(frame.cls, "model", frame) if frame.cls is not None else []
        owners = (self.owner(v.node, v.frame) for v in values)
        return next((o for o in owners if isinstance(o, ClassSymbol)), None)

    # --- calls ---

    def _call(self, call: form.Call, frame: Frame) -> Iterator[Text]:
        name = last_name(call.func) or ""
        target = self.target(call, frame)
        if target is not None:
            function, inside = target
            yield from self._returned_texts(function, inside)
            return
        if name in _REVERSING:
            yield from self._reversed(call, frame)
        elif name in _TRANSPARENT and call.args:
            yield from self.of(call.args[0].value, frame)
        elif name in _JOINING and len(call.args) > 1:
            yield from self.of(call.args[1].value, frame)
        elif name == "get_absolute_url" and isinstance(call.func, form.Attr):
            yield from self._absolute_url(call.func.value, frame)
        elif isinstance(call.func, form.Attr):
            yield from self._of_method(call, call.func, frame)

    def _returned_texts(self, function: FunctionSymbol, frame: Frame) -> Iterator[Text]:
        for value in self.returned(function, frame):
            yield from self.of(value.node, value.frame)

    def _reversed(self, call: form.Call, frame: Frame) -> Iterator[Text]:
        node = call.positional[0] if call.positional else call.keyword("viewname") or call.keyword("name")
        node = node or call.keyword("endpoint")
        for text in self.of(node, frame) if node is not None else ():
            name = "".join(p if isinstance(p, str) else "*" for p in text)
            if name.strip("*"):
                yield (Reversed(name),)

    def _absolute_url(self, node: form.Expr, frame: Frame) -> Iterator[Text]:
        model = self.model(node, frame)
        if model is None:
            return
        if model not in self._urls:
            self._urls[model] = ()  # for one that asks for its own
            method = self._project.method(model, "get_absolute_url")
            if method is not None:
                self._urls[model] = tuple(self._returned_texts(method, Frame(method.scope, model)))
        yield from self._urls[model]

    def _of_method(self, call: form.Call, func: form.Attr, frame: Frame) -> Iterator[Text]:
        """A method of strings; one that isn't known leaves the text as it was, as far as it was told."""
        if func.attr == "format":
            for template in self.of(func.value, frame):
                yield from self._formatted(template, call, frame)
        elif func.attr in _TRIMMING:
            for text in self.of(func.value, frame):
                literal = plain(text)
                yield (_TRIMMING[func.attr](literal),) if literal is not None and not call.args else text
        elif func.attr == "replace":
            given = [self.known(a.value, frame) for a in call.args[:2]]
            for text in self.of(func.value, frame):
                if len(given) == 2 and all(len(g) == 1 for g in given):
                    old, new = given[0][0], given[1][0]
                    yield tuple(p.replace(old, new) if isinstance(p, str) else p for p in text)
                else:
                    # What is put in for a mark such as `:id` is a gap.
                    mark = given[0][0] if given and len(given[0]) == 1 else None
                    yield tuple(q for p in text for q in (_cut(p, mark) if isinstance(p, str) and mark else (p,)))
        elif func.attr == "join" and call.args and isinstance(call.args[0].value, form.Display):
            parts = [self.of(item, frame) for item in call.args[0].value.items]
            separators = self.of(func.value, frame)
            yield from _joined(part for p in parts for part in (separators, p))

    def _formatted(self, template: Text, call: form.Call, frame: Frame) -> Iterator[Text]:
        positional = iter([a.value for a in call.args if a.name is None and not a.star])
        numbered = [a.value for a in call.args if a.name is None and not a.star]
        parts: list[Iterable[Text]] = []
        for piece in template:
            if not isinstance(piece, str):
                parts.append([(piece,)])
                continue
            try:
                fields = list(Formatter().parse(piece))
            except ValueError:  # a lone brace
                parts.append([UNKNOWN])
                continue
            for text, name, _, _ in fields:
                parts.append([(text,)])
                if name is not None:
                    plain_name = re.split(r"[.\[]", name)[0]
                    if not plain_name:
                        value = next(positional, None)
                    elif plain_name.isdigit():
                        value = numbered[int(plain_name)] if int(plain_name) < len(numbered) else None
                    else:
                        value = call.keyword(plain_name)
                    parts.append(self.of(value, frame) if value is not None and name == plain_name else [UNKNOWN])
        yield from _joined(parts)

    def _percent(self, node: form.Binary, frame: Frame) -> Iterator[Text]:
        right = node.right
        items = right.items if isinstance(right, form.Display) and right.kind == "tuple" else [right]
        for template in self.of(node.left, frame):
            values = iter(items)
            parts: list[Iterable[Text]] = []
            for piece in template:
                if not isinstance(piece, str):
                    parts.append([(piece,)])
                    continue
                at = 0
                for mark in _PERCENT.finditer(piece):
                    parts.append([(piece[at : mark.start()],)])
                    at = mark.end()
                    if mark["kind"] == "%":
                        parts.append([("%",)])
                        continue
                    key = mark["key"]
                    value = next(values, None) if key is None else literal_item(right, key)
                    parts.append(self.of(value, frame) if value is not None else [UNKNOWN])
                parts.append([(piece[at:],)])
            yield from _joined(parts)

    def target(self, call: form.Call, frame: Frame) -> tuple[FunctionSymbol, Frame] | None:
        """The function of the project that the call runs, and its run; None where that can't be told."""
        func = call.func
        if isinstance(func, form.Attr):
            owner = self.owner(func.value, frame)
            if isinstance(owner, ClassSymbol):
                method = self._method(owner, func, frame)
                return (method, called(method, call, frame, owner)) if method is not None else None
            if owner is None:
                return None
        value = self._inferred(func, frame)
        if isinstance(value, BoundMethod):
            return value.function, called(value.function, call, frame, value.receiver.cls)
        if isinstance(value, FunctionSymbol):
            cls = frame.cls if value.owner is None and value.outer.function is not None else value.owner
            return value, called(value, call, frame, cls)
        return None

    def _method(self, owner: ClassSymbol, func: form.Attr, frame: Frame) -> FunctionSymbol | None:
        if owner is self._cls:
            self._asked.add(func.attr)
        if not (isinstance(func.value, form.Call) and self._is_super(func.value)):
            return self._project.method(owner, func.attr)
        defining = frame.function.owner if frame.function is not None else None
        bindings = self._project.class_member(owner, func.attr, defining)
        return bindings[-1].function if bindings else None

    def function(self, node: form.Name | form.Attr, frame: Frame) -> FunctionSymbol | None:
        """The function of the project that a name stands for."""
        if isinstance(node, form.Attr):
            owner = self.owner(node.value, frame)
            return self._method(owner, node, frame) if isinstance(owner, ClassSymbol) else None
        value = self._inferred(node, frame)
        return value if isinstance(value, FunctionSymbol) else None

    def is_library(self, node: form.Expr, frame: Frame) -> str | None:
        """The dotted name of the library's type or object that the expression stands for."""
        value = self._inferred(node, frame)
        if isinstance(value, Instance):
            return value.type_name
        if isinstance(value, Literal):
            return "builtins.object"
        return value.name if isinstance(value, External) else None


def plain(text: Text) -> str | None:
    """The text, where nothing in it is missing."""
    pieces = [piece for piece in text if isinstance(piece, str)]
    return "".join(pieces) if len(pieces) == len(text) else None


def _joined(parts: Iterable[Iterable[Text]]) -> Iterator[Text]:
    """Every combination of the parts, in order."""
    for chosen in islice(product(*(tuple(p) for p in parts)), _MOST):
        pieces: list[Piece] = []
        for piece in (piece for text in chosen for piece in text):
            if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
                pieces[-1] += piece
            elif piece != "":
                pieces.append(piece)
        yield tuple(pieces) or ("",)


def _part(item: Framed, index: int | None) -> Framed | None:
    if index is None:
        return item
    found = literal_item(item.node, index)
    return Framed(found, item.frame) if found is not None else None


def _cut(piece: str, mark: str) -> Iterator[Piece]:
    before, *after = piece.split(mark)
    yield before
    for rest in after:
        yield Gap.ANY
        yield rest


def _names(model: ClassSymbol) -> dict[str, str]:
    label, name = _app_label(model), model.name.lower()
    return {"app_label": label, "model_name": name, "label_lower": f"{label}.{name}"}


def _app_label(model: ClassSymbol) -> str:
    """Stated in its `Meta`, else the folder that holds `models`."""
    meta = model.own("Meta")
    inner = meta[-1].cls if meta else None
    stated = inner.own("app_label") if inner is not None else []
    value = stated[-1].value if stated else None
    if isinstance(value, form.Const) and isinstance(value.value, str):
        return value.value
    parts = model.module.path.removesuffix(".py").split("/")
    at = parts.index("models") if "models" in parts else len(parts) - 1
    return parts[at - 1] if at else parts[0]
