"""Which names and expressions of a function hold a body, or a part of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from assay.scanner.dataflow.bodies.requests.readings import Readings
from assay.scanner.dataflow.bodies.requests.sent import ANY_FIELD, Part, Sent
from assay.scanner.dataflow.bodies.schemas.names import names_in
from assay.scanner.dataflow.bodies.schemas.reader import Schemas
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, How
from assay.scanner.linker.values import Instance, Literal
from assay.scanner.readers.python import form

_REQUESTS = frozenset({"request", "req", "self"})
_LOADING = frozenset({"load", "loads", "model_validate", "parse_obj", "from_dict", "model_validate_json"})
_ASKING = frozenset({"is", "valid", "validate", "check", "match", "fullmatch", "verify"})
Given = Mapping[str, Sent]
"""What a function's parameters hold."""


class Others(Protocol):
    """What is known of other functions."""

    readings: Readings
    schemas: Schemas
    project: Project

    def given_by(self, function: FunctionSymbol, given: Given) -> Sent | None:
        """What of a body a function returns that reads it itself, or was given it."""
        ...


class Held:
    """Knows it of one function. `made_of` are the expressions that were put into a list or dict, `answers` the tests
    whose outcome was kept, each by the name that it got.
    """

    def __init__(self, others: Others, function: FunctionSymbol, given: Given) -> None:
        self._others = others
        self._readings = others.readings
        self._scope = function.scope
        self._names = dict(given)
        self._narrowed: dict[form.Call, Sent] = {}
        self.made_of: dict[str, list[form.Expr]] = {}
        self.answers: dict[str, form.Expr] = {}
        for node in function.nodes:
            match node:
                case form.Assign(targets=targets, value=value) if value is not None:
                    for target in targets:
                        self._bind(target, value)
                case form.Walrus(target=target, value=value):
                    self._bind(target, value)
                case form.For(target=target, iter=iterated):
                    self._loop(target, iterated)
                case form.Comprehension(generators=generators):
                    for generator in generators:
                        self._loop(generator.target, generator.iter)
                case form.With(items=items):
                    for item in items:
                        if item.target is not None:
                            self._bind(item.target, item.value)

    def limit(self, name: str) -> None:
        """From here on only some of the fields of the body can be there that the name holds."""
        if (sent := self._names.get(name)) is not None:
            self._names[name] = replace(sent, is_limited=True)

    def _bind(self, target: form.Expr, value: form.Expr) -> None:
        match target, value:
            case form.Name(id=name), _:
                sent = self.sent(value)
                if sent is not None:
                    self._names.setdefault(name, sent)
                elif isinstance(value, form.Dict | form.Display):
                    self.made_of.setdefault(name, []).append(value)
                elif isinstance(value, form.Compare | form.Unary | form.Boolean | form.Binary) or _asks(value):
                    self.answers[name] = value
            case form.Subscript(value=form.Name(id=name)), _ if name in self.made_of:
                self.made_of[name].append(value)
            case form.Display(items=targets), form.Display(items=values) if len(targets) == len(values):
                for inner, item in zip(targets, values, strict=True):
                    self._bind(inner, item)

    def _loop(self, target: form.Expr, iterated: form.Expr) -> None:
        sent = self.sent(iterated)
        if sent is not None and sent.part is not Part.TEXT:
            for name in form.walk(target):
                if isinstance(name, form.Name):
                    self._names.setdefault(name.id, sent.item(ANY_FIELD))

    def sent(self, node: form.Expr) -> Sent | None:
        """What of a body the expression holds."""
        match node:
            case form.Name(id=name):
                return self._names.get(name)
            case form.Attr():
                return self._attribute(node)
            case form.Call():
                return self._call(node)
            case form.Subscript():
                return self._item(node)
            case form.Await(value=inner):
                return self.sent(inner)
            case form.Boolean(op="or", values=[first, *_]):
                return self.sent(first)
            case form.Conditional(body=body, orelse=orelse):
                return self.sent(body) or self.sent(orelse)
            case form.Comprehension(kind="dict"):
                return self._copied(node)
            case form.Dict(keys=keys, values=values):
                spread = [self.sent(v) for k, v in zip(keys, values, strict=True) if k is None or _sets(k)]
                return next((s for s in spread if s is not None), None)
            case form.Binary() | form.Template():
                return self._inside(node)
        return None

    def _attribute(self, node: form.Attr) -> Sent | None:
        read = self._readings.of_attribute(node, self._scope)
        if read is not None:
            return read
        held = self.sent(node.value) if isinstance(node.value, form.Name) else None
        if held is not None and held.schema is not None and held.part is Part.WHOLE:
            return held if node.attr in ("data", "__dict__") else held.item(node.attr)
        if node.attr not in ("validated_data", "cleaned_data"):
            return None
        owner = self._others.project.infer(node.value, self._scope)
        schema = self._others.schemas.of(owner.cls) if isinstance(owner, Instance) and owner.cls is not None else None
        return Sent(Part.WHOLE, schema=schema) if schema is not None else None

    def _item(self, node: form.Subscript) -> Sent | None:
        held = self.sent(node.value)
        if held is None or held.part is Part.TEXT:
            return None
        index = node.index.value if isinstance(node.index, form.Const) else None
        if isinstance(index, str):
            return held.item(index)
        item = held.item(ANY_FIELD)
        return replace(item, is_limited=True) if self._is_listed(node.index) else item

    def _is_listed(self, node: form.Expr) -> bool:
        """Whether a name goes through a list that the code holds: `for name in ("title", "text"): ...`."""
        if not isinstance(node, form.Name):
            return False
        loops = [b for b in self._scope.lookup(node.id, node.start) if b.how is How.FOR and b.value is not None]
        values = [self._others.project.infer(b.value, self._scope) for b in loops if b.value is not None]
        return bool(values) and all(isinstance(v, Literal) and isinstance(v.node, form.Display) for v in values)

    def _copied(self, node: form.Comprehension) -> Sent | None:
        """`{k: v for k, v in data.items()}`, `{k: data[k] for k in NAMES}`."""
        generator = node.generators[0]
        picks = any(isinstance(n, form.Compare) and n.ops[0] == "in" for test in generator.ifs for n in form.walk(test))
        iterated = self.sent(generator.iter)
        if iterated is not None:
            return replace(iterated, is_limited=picks or iterated.is_limited) if iterated.part is Part.WHOLE else None
        value = self.sent(node.value) if node.value is not None else None
        if value is None or value.field != ANY_FIELD:
            return None
        return replace(value, part=Part.WHOLE, field="", is_limited=True)

    def _inside(self, node: form.Binary | form.Template) -> Sent | None:
        """The first field that a text is put together from."""
        found = (self.sent(inner) for inner in form.walk(node) if isinstance(inner, form.Name | form.Subscript))
        return next((sent for sent in found if sent is not None and sent.part is Part.FIELD), None)

    def _call(self, node: form.Call) -> Sent | None:
        read = self._readings.of_call(node, self._scope)
        if read is not None:
            return read
        owner = self.sent(node.func.value) if isinstance(node.func, form.Attr) else None
        if owner is not None:
            return self._of_method(node, owner)
        first = self.sent(node.positional[-1 if last_name(node.func) == "cast" else 0]) if node.positional else None
        if first is not None and first.part is Part.TEXT and self._readings.parses(node, self._scope):
            return Sent(Part.WHOLE)
        if first is not None:
            copied = first if last_name(node.func) == "str" else self._readings.copied(node, first)
            if copied is not None:
                return copied
            if (loaded := self._loaded(node, first)) is not None:
                return loaded
        return self._of_function(node)

    def _loaded(self, node: form.Call, given: Sent) -> Sent | None:
        """`schema.load(data)`, `User.model_validate(data)`: what the schema lets through."""
        if last_name(node.func) not in _LOADING or not isinstance(node.func, form.Attr) or given.part is Part.FIELD:
            return None
        if node not in self._narrowed:
            schema = self._others.schemas.of_expression(node.func.value, self._scope)
            if schema is None:
                return None
            if given.schema is not None:  # a client can only send what the first schema lets through
                schema = schema.narrowed(frozenset(given.schema.fields), frozenset())
            self._narrowed[node] = Sent(Part.WHOLE, given.is_form, schema=schema)
        return self._narrowed[node]

    def _of_method(self, node: form.Call, owner: Sent) -> Sent | None:
        if owner.part is Part.FIELD:
            return owner  # `name.strip()`
        if owner.part is Part.TEXT:
            return owner if last_name(node.func) in ("decode", "strip") else None
        got = self._readings.field_got(node, owner)
        return got if got is not None else self._narrow(node, self._readings.copied(node, owner))

    def _narrow(self, node: form.Call, held: Sent | None) -> Sent | None:
        """`user.model_dump(exclude={"role"})` of a schema."""
        only, without = node.keyword("include"), node.keyword("exclude")
        if held is None or held.schema is None or (only is None and without is None):
            return held
        if node not in self._narrowed:
            listed = [
                names_in(names, self._scope, self._others.project, self._others.schemas.tables.columns)
                if names is not None
                else None
                for names in (only, without)
            ]
            kept = frozenset(listed[0]) if listed[0] is not None else None
            self._narrowed[node] = replace(held, schema=held.schema.narrowed(kept, frozenset(listed[1] or ())))
        return self._narrowed[node]

    def _of_function(self, node: form.Call) -> Sent | None:
        given = self.handed(node)
        if given is None:
            return None
        has_body = any(sent.part is not Part.FIELD for sent in given[1].values())
        return self._others.given_by(*given) if has_body or not given[1] else None

    def handed(self, node: form.Call) -> tuple[FunctionSymbol, dict[str, Sent]] | None:
        """The function of the project that is called, and what its parameters are given of the body; None where it
        gets nothing of it, and has no request to read it from.
        """
        may_read = self._others.readings.is_request_global or _has_request(node)
        if not may_read and not any(self.sent(arg.value) is not None for arg in node.args):
            return None
        callee = self._others.project.callee_function(node, self._scope)
        if callee is None:
            return None
        handed: dict[str, Sent] = {}
        for param in callee.parameters:
            argument = self._others.project.bound_argument(node, callee, param)
            sent = self.sent(argument) if argument is not None else None
            if sent is not None:
                handed[param.name] = sent
        return callee, handed


def _sets(key: form.Expr) -> bool:
    """`{"$set": data}` of MongoDB."""
    return isinstance(key, form.Const) and key.value in ("$set", "$setOnInsert")


def _has_request(node: form.Call) -> bool:
    """`parsed(request)`, `self.data()`."""
    owner = node.func.value if isinstance(node.func, form.Attr) else None
    return any(last_name(each) in _REQUESTS for each in (owner, *(a.value for a in node.args)) if each is not None)


def _asks(node: form.Expr) -> bool:
    """`is_email(email)`, `check_name(name)`."""
    return isinstance(node, form.Call) and not _ASKING.isdisjoint(words(last_name(node.func) or ""))
