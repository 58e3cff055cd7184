"""What a text can be where it is used: literal pieces with holes, in a few alternatives.

Flow-sensitive within one function; module and class constants and small helper functions are looked up in the whole
project. What can't be followed is a hole, with the origin of what goes into it.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from string import Formatter
from typing import Protocol

from assay.scanner.dataflow.checks import settled_by
from assay.scanner.dataflow.reaching import Definition, Flow, Kind, State
from assay.scanner.dataflow.text import Parameter, Text, TextHole, Texts, assemble, few, literal
from assay.scanner.dataflow.typed import is_enumeration, is_typed
from assay.scanner.linker.project import Project, last_part, literal_item
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Literal
from assay.scanner.model.origin import Origin, worst
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 60
_DEEPEST_CALL = 3
_FIRST_MARK = 0xF0000
"""Private-use characters stand for holes while a text with holes is itself a format."""

_TRANSPARENT = frozenset(
    {
        "builtins.str", "textwrap.dedent", "inspect.cleandoc", "textwrap.indent", "sqlalchemy.text",
        "sqlalchemy.sql.text", "sqlalchemy.sql.expression.text", "sqlmodel.text", "sqlalchemy.DDL",
        "sqlalchemy.schema.DDL", "sqlalchemy.literal_column", "sqlalchemy.sql.literal_column", "psycopg2.sql.SQL",
        "psycopg.sql.SQL", "django.db.models.expressions.RawSQL", "sys.intern", "copy.copy",
        "asyncpg.Connection.prepare", "sqlalchemy.TextClause.bindparams", "sqlparse.format",
    }
)  # fmt: skip
_TYPED_RESULTS = frozenset(
    {
        "builtins.int", "builtins.float", "builtins.bool", "builtins.len", "builtins.hash", "builtins.abs",
        "builtins.round", "builtins.ord", "builtins.sum", "builtins.id", "decimal.Decimal", "uuid.UUID", "uuid.uuid4",
        "uuid.uuid1", "ipaddress.ip_address", "ipaddress.ip_network", "datetime.datetime", "datetime.date",
        "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.date.today", "datetime.datetime.strptime",
        "datetime.datetime.fromisoformat", "datetime.date.fromisoformat", "datetime.timedelta", "time.time",
        "os.getpid", "datetime.datetime.fromtimestamp", "dateutil.parser.parse", "django.utils.timezone.now",
        "math.ceil", "math.floor", "builtins.isinstance", "django.utils.dateparse.parse_date", "builtins.range",
        "django.utils.dateparse.parse_datetime", "random.randint", "threading.get_ident", "zlib.crc32",
        "binascii.crc32",
    }
)  # fmt: skip
_TYPED_PARTS = frozenset(
    {"hexdigest", "isoformat", "timestamp", "toordinal", "total_seconds", "weekday", "count", "index"}
)
_QUOTERS = frozenset({"quote_name", "quote_ident", "quote_identifier", "Identifier", "format_identifier"})
_KEEPING = frozenset(
    {
        "asyncio.to_thread", "base64.b64decode", "base64.b64encode", "base64.urlsafe_b64decode", "bleach.clean",
        "builtins.ascii", "builtins.bytes", "builtins.dict", "builtins.enumerate", "builtins.filter", "builtins.format",
        "builtins.frozenset", "builtins.iter", "builtins.list", "builtins.map", "builtins.max",
        "builtins.min", "builtins.next", "builtins.repr", "builtins.reversed", "builtins.set", "builtins.sorted",
        "builtins.tuple", "builtins.zip", "copy.deepcopy", "django.utils.html.escape", "html.escape", "html.unescape",
        "json.dumps", "json.loads", "markupsafe.escape", "os.path.basename", "os.path.join", "re.escape", "re.sub",
        "shlex.quote", "typing.cast", "unicodedata.normalize", "urllib.parse.quote", "urllib.parse.quote_plus",
        "urllib.parse.unquote", "urllib.parse.unquote_plus",
    }
)  # fmt: skip
_LITERAL_METHODS: Mapping[str, Callable[[str], str]] = {
    "strip": str.strip, "lstrip": str.lstrip, "rstrip": str.rstrip, "lower": str.lower, "upper": str.upper,
    "title": str.title, "capitalize": str.capitalize, "swapcase": str.swapcase, "casefold": str.casefold,
}  # fmt: skip
_EDGE_METHODS = frozenset({"strip", "lstrip", "rstrip", "encode", "decode", "bindparams", "columns"})
_PERCENT = re.compile(
    r"%(?:\((?P<key>[^()]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?[hlL]?(?P<kind>[diouxXeEfFgGcrsa%])"
)
_NUMBERS = frozenset("diouxXeEfFgG")


@dataclass(frozen=True, slots=True)
class Source:
    """What is known about where a value begins."""

    origin: Origin
    text: str


class Sources(Protocol):
    """Tells which expressions bring values into a function from outside, and of which origin."""

    def of_parameter(self, function: FunctionSymbol, param: form.Param) -> Source | None: ...
    def of_expression(self, node: form.Expr, state: State) -> Source | None: ...


class TextReader:
    """Reads texts out of one project; remembers what it worked out."""

    def __init__(self, project: Project, sources: Sources) -> None:
        self._project = project
        self._sources = sources
        self._flows: dict[Scope, Flow] = {}
        self._known: dict[Definition, Texts] = {}
        self._depth = 0
        self._calls: list[FunctionSymbol] = []
        self.seen_through: set[form.Call] = set()
        """Constructs such as `text(...)` whose argument was read as the text of something around them."""

    def flow(self, scope: Scope) -> Flow:
        """The walked body that the scope belongs to."""
        if scope not in self._flows:
            self._flows[scope] = Flow(scope)
        return self._flows[scope]

    def state_at(self, call: form.Call, scope: Scope) -> State:
        """What reaches a call; the end of its function where the walk did not pass it (dead code, a lambda)."""
        flow = self.flow(scope)
        return flow.at.get(call, flow.end)

    def texts(self, node: form.Expr, state: State) -> Texts:
        """All that the expression can be there, as text."""
        if self._depth > _DEEPEST:
            return self._hole(node, state.scope, Origin.UNKNOWN)
        self._depth += 1
        try:
            return self._texts(node, state)
        finally:
            self._depth -= 1

    # --- by kind of expression ---

    def _texts(self, node: form.Expr, state: State) -> Texts:  # noqa: C901 - one case per expression
        match node:
            case form.Const(value=value):
                return literal(value if isinstance(value, str) else str(value))
            case form.Template(parts=parts):
                return assemble(literal(p) if isinstance(p, str) else self._replacement(p, state) for p in parts)
            case form.Binary():
                return self._binary(node, state)
            case form.Await(value=inner) | form.Starred(value=inner) | form.Walrus(value=inner):
                return self.texts(inner, state)
            case form.Conditional(test=test, body=body, orelse=orelse):
                return few(self.texts(body, state.checked(test, True)) + self.texts(orelse, state.checked(test, False)))
            case form.Boolean(op="or", values=values):
                return few(t for v in values for t in self.texts(v, state) if t.literal not in ("", "None"))
            case form.Boolean(values=values):
                return self.texts(values[-1], state)
            case form.Compare():
                return self._hole(node, state.scope, Origin.TYPED)
            case form.Unary(op=op, operand=operand):
                return (
                    self._hole(node, state.scope, Origin.TYPED) if op == "not" else self._made_of(node, state, operand)
                )
            case form.Name():
                return self._name(node, state)
            case form.Attr():
                return self._attribute(node, state)
            case form.Call():
                return self._call(node, state)
            case form.Subscript():
                return self._subscript(node, state)
            case form.Display() | form.Dict() | form.Comprehension():
                return self._container(node, state)
        return self._hole(node, state.scope, Origin.UNKNOWN)

    def _hole(
        self,
        node: form.Expr,
        scope: Scope,
        origin: Origin,
        trail: tuple[Evidence, ...] = (),
        parameter: Parameter | None = None,
    ) -> Texts:
        return (Text((TextHole(node, scope, origin, trail, parameter),)),)

    def _source(self, node: form.Expr, state: State) -> Texts | None:
        source = self._sources.of_expression(node, state)
        if source is None:
            return None
        evidence = state.scope.module.evidence(node, source.text)
        return self._hole(node, state.scope, source.origin, (evidence,))

    def _made_of(self, node: form.Expr, state: State, *parts: form.Expr) -> Texts:
        """A value computed from others: of the worst origin among them."""
        return self._mixed(node, state.scope, [t for part in parts for t in self.texts(part, state)])

    def _mixed(self, node: form.Expr, scope: Scope, texts: Iterable[Text], floor: Origin | None = None) -> Texts:
        holes = [h for t in texts for h in t.holes]
        origin = worst(*(h.origin for h in holes), *([floor] if floor else []))
        blamed = next((h for h in holes if h.origin is origin), None)
        if blamed is None:
            return self._hole(node, scope, origin)
        return self._hole(node, scope, origin, blamed.trail, blamed.parameter)

    def _placed(self, node: form.Expr, state: State) -> Texts:
        """The texts of an expression that is put into another text: what a name stands for is shown where it is put."""
        placed = []
        for text in self.texts(node, state):
            if text.is_one_hole and isinstance(node, form.Name | form.Attr | form.Subscript):
                hole = text.holes[0]
                step = state.scope.module.evidence(node, "it is put into the text here")
                text = Text((replace(hole, node=node, scope=state.scope, trail=(*hole.trail, step)),))
            placed.append(text)
        return tuple(placed)

    def _replacement(self, part: form.Hole, state: State) -> Texts:
        texts = self._placed(part.value, state)
        if not part.has_spec and part.conversion is None:
            return texts
        if part.conversion in ("r", "a") and not part.has_spec and isinstance(part.value, form.Const):
            return literal(repr(part.value.value))
        return tuple(t if t.holes else self._hole(part.value, state.scope, Origin.CONSTANT)[0] for t in texts)

    def _binary(self, node: form.Binary, state: State) -> Texts:
        left, right = node.left, node.right
        if node.op == "%":
            formats = self.texts(left, state)
            if any(not t.is_one_hole for t in formats) and not _is_number(left):
                return few(t for text in formats for t in self._percent(text, node, state))
            return self._made_of(node, state, left, right)
        if node.op == "*":
            for part, count in ((left, right), (right, left)):
                texts = self.texts(part, state)
                if any(isinstance(p, str) for t in texts for p in t.pieces) and not _is_number(part):
                    times = count.value if isinstance(count, form.Const) and isinstance(count.value, int) else 1
                    return few(Text.of(t.pieces * min(times, 100)) for t in texts)
        if node.op == "+":
            summands = _summands(node)
            if not any(_is_number(s) for s in summands):
                return assemble(self._placed(s, state) for s in summands)
        return self._made_of(node, state, left, right)

    # --- names ---

    def _name(self, node: form.Name, state: State) -> Texts:
        definitions = state.of(node)
        if not definitions or any(d.kind is Kind.OTHER for d in definitions):
            return self._source(node, state) or self._outer(node, state.scope)
        return few(t for d in definitions for t in self._definition(d, node))

    def _definition(self, definition: Definition, node: form.Expr) -> Texts:
        if definition not in self._known:
            self._known[definition] = self._defined(definition, node)
        return self._known[definition]

    def _defined(self, definition: Definition, node: form.Expr) -> Texts:
        state, value = definition.state, definition.value
        if definition.kind is Kind.PARAMETER:
            return self._parameter(definition, node)
        if definition.kind is Kind.CHECK:
            return self._checked(definition, node)
        if value is None:
            return self._hole(node, state.scope, Origin.UNKNOWN)
        if definition.kind is Kind.ASSIGN:
            return self.texts(value, state)
        if definition.kind is Kind.ELEMENT:
            return self._element(definition, node)
        if definition.kind is Kind.UNPACK and isinstance(value, form.Display) and definition.index is not None:
            item = literal_item(value, definition.index)
            if item is not None:
                return self.texts(item, state)
        if definition.kind is Kind.GROW:
            grown = [t for d in definition.before for t in self._definition(d, node)]
            return self._mixed(node, state.scope, [*grown, *self.texts(value, state)])
        return self._mixed(node, state.scope, self.texts(value, state))

    def _parameter(self, definition: Definition, node: form.Expr) -> Texts:
        function, param = definition.function, definition.param
        assert function is not None
        assert param is not None
        source = self._sources.of_parameter(function, param)
        if source is None and is_typed(param.annotation, function.outer, self._project):
            source = Source(Origin.TYPED, f"`{param.name}` is typed")
        if source is None:
            source = Source(Origin.PARAMETER, f"`{param.name}` is a parameter of {function.qualname}")
        evidence = Evidence(function.module.location(param), source.text)
        given = Parameter(function, param) if source.origin is Origin.PARAMETER else None
        return self._hole(node, function.scope, source.origin, (evidence,), given)

    def _checked(self, definition: Definition, node: form.Expr) -> Texts:
        assert definition.value is not None
        assert definition.test is not None
        before = [t for d in definition.before for t in self._definition(d, node)]
        texts = few(before) if before else self.texts(definition.value, definition.state)
        if all(t.literal is not None for t in texts):
            return texts
        origin = settled_by(definition.test, definition.truth, definition.value, _Facts(self, definition.state))
        if origin is None:
            return texts
        evidence = definition.state.scope.module.evidence(definition.test, "it is checked here")
        return self._hole(definition.value, definition.state.scope, origin, (evidence,))

    def is_fixed(self, node: form.Expr, state: State) -> bool:
        """Whether it is a constant, or a collection of constants."""
        elements = self.elements(node, state)
        value = self._project.infer(node, state.scope)
        if elements is None and isinstance(value, ClassSymbol):
            return is_enumeration(value, self._project)
        texts = [t for e in elements for t in e] if elements is not None else self.texts(node, state)
        return all(h.origin.rank >= Origin.OPERATOR.rank for t in texts for h in t.holes)

    def pattern_of(self, node: form.Expr, state: State) -> str | None:
        """The regular expression that a constant or a compiled pattern holds."""
        value = self._project.infer(node, state.scope)
        if isinstance(value, Instance) and value.origin is not None and value.scope is not None:
            is_pattern = value.type_name == "re.compile" and bool(value.origin.args)
            return self.pattern_of(value.origin.args[0].value, State(value.scope, {})) if is_pattern else None
        texts = self.texts(node, state)
        return texts[0].literal if len(texts) == 1 else None

    def _element(self, definition: Definition, node: form.Expr) -> Texts:
        value, state = definition.value, definition.state
        assert value is not None
        pairs = self._tuples(value, state) if definition.index is not None else None
        if pairs is not None and definition.index is not None:
            chosen = [i for p in pairs if (i := literal_item(p, definition.index)) is not None]
            return few(t for item in chosen for t in self.texts(item, state)) or self._mixed(node, state.scope, ())
        elements = self.elements(value, state)
        if elements is not None and definition.index is None:
            return few(t for e in elements for t in e) or self._hole(node, state.scope, Origin.CONSTANT)
        return self._mixed(node, state.scope, self.texts(value, state))

    def _tuples(self, node: form.Expr, state: State) -> list[form.Expr] | None:
        """The rows of a constant table that a loop unpacks: of a list of tuples, or of `.items()`."""
        if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr == "items":
            mapping = self._project.infer(node.func.value, state.scope)
            if isinstance(mapping, Literal) and isinstance(mapping.node, form.Dict):
                pairs = zip(mapping.node.keys, mapping.node.values, strict=True)
                return [
                    form.Display(start=v.start, end=v.end, kind="tuple", items=[k, v])
                    for k, v in pairs
                    if k is not None
                ]
            return None
        value = self._project.infer(node, state.scope)
        if isinstance(value, Literal) and isinstance(value.node, form.Display):
            rows = value.node.items
            return rows if all(isinstance(r, form.Display) for r in rows) else None
        return None

    def _outer(self, node: form.Name, scope: Scope) -> Texts:
        """A name that isn't local: of an enclosing function or class, of the module, imported."""
        owner: Scope | None = scope
        while owner is not None and (node.id not in owner.bindings or (owner.cls is not None and owner is not scope)):
            owner = owner.parent
        if owner is None:
            return self._hole(node, scope, Origin.UNKNOWN)
        last = owner.bindings[node.id][-1]
        if last.how is How.IMPORT_FROM:
            module = self._project.import_module(last.module, last.level, owner.module)
            if isinstance(module, Module):
                return self._module_name(module, last.name, node, scope)
        if owner is scope and scope.function is not None:
            return self._hole(node, scope, Origin.UNKNOWN)
        end = self.flow(owner).end
        definitions = end.of(node)
        if not definitions or any(d.kind is Kind.OTHER for d in definitions):
            return self._hole(node, scope, Origin.UNKNOWN)
        return few(t for d in definitions for t in self._definition(d, node))

    def _module_name(self, module: Module, name: str, node: form.Expr, scope: Scope) -> Texts:
        if name not in module.scope.bindings or self._depth > _DEEPEST:
            return self._hole(node, scope, Origin.UNKNOWN)
        return self.texts(form.Name(start=node.start, end=node.end, id=name), State(module.scope, {}))

    # --- attributes, subscripts ---

    def _attribute(self, node: form.Attr, state: State) -> Texts:
        definitions = state.of(node)
        if definitions:
            return few(t for d in definitions for t in self._definition(d, node))
        if (found := self._source(node, state)) is not None:
            return found
        owner = self._project.infer(node.value, state.scope)
        if isinstance(owner, Module):
            return self._module_name(owner, node.attr, node, state.scope)
        if isinstance(owner, ClassSymbol):
            return self._member(owner, node, state) or self._hole(node, state.scope, Origin.UNKNOWN)
        if node.attr in ("value", "name") and self._is_enum_member(node.value, state.scope):
            return self._hole(node, state.scope, Origin.TYPED)
        if isinstance(owner, Instance) and owner.cls is not None:
            member = self._member(owner.cls, node, state)
            if member is not None:
                return member
        base = self.texts(node.value, state)
        if any(
            h.origin in (Origin.REMOTE, Origin.METADATA, Origin.TYPED, Origin.OPERATOR) for t in base for h in t.holes
        ):
            return self._mixed(node, state.scope, base)
        return self._mixed(node, state.scope, base, Origin.UNKNOWN)

    def _member(self, cls: ClassSymbol, node: form.Attr, state: State) -> Texts | None:
        """A constant of a class, or what its methods assign to `self`; None where neither tells."""
        declared = self._project.class_member(cls, node.attr)
        if is_enumeration(cls, self._project) and declared:
            return self._hole(node, state.scope, Origin.TYPED)
        if declared and is_typed(declared[-1].annotation, declared[-1].scope, self._project):
            return self._hole(node, state.scope, Origin.TYPED)
        method = self._project.method(cls, node.attr)
        if method is not None:
            return self._returned(method, {}) if method.decorators else None
        assigned = self._project.instance_attributes(cls, node.attr)
        constant = self._project.class_attribute(cls, node.attr)
        values = [*assigned, *([constant] if constant is not None else [])]
        if not values or self._depth > _DEEPEST // 2:
            return None
        texts = few(t for value, scope in values for t in self.texts(value, self.flow(scope).start))
        trusted = all(h.origin.is_harmless or h.origin is Origin.REMOTE for t in texts for h in t.holes)
        return texts if trusted else self._hole(node, state.scope, Origin.UNKNOWN)

    def _is_enum_member(self, node: form.Expr, scope: Scope) -> bool:
        if isinstance(node, form.Attr):
            owner = self._project.infer(node.value, scope)
            if isinstance(owner, ClassSymbol) and is_enumeration(owner, self._project):
                return True
        value = self._project.infer(node, scope)
        return isinstance(value, Instance) and value.cls is not None and is_enumeration(value.cls, self._project)

    def _subscript(self, node: form.Subscript, state: State) -> Texts:
        definitions = state.of(node)
        if definitions:
            return few(t for d in definitions for t in self._definition(d, node))
        if (found := self._source(node, state)) is not None:
            return found
        if isinstance(node.index, form.Slice):
            return self._slice(node, node.index, state)
        chosen = self._chosen(node.value, node.index, state)
        if chosen is not None:
            return chosen
        base = self.texts(node.value, state)
        if all(t.literal is not None for t in base):
            return self._hole(node, state.scope, Origin.CONSTANT)
        return self._mixed(node, state.scope, base)

    def _slice(self, node: form.Subscript, bounds: form.Slice, state: State) -> Texts:
        """Cutting the ends off a text leaves its holes; only a literal is cut exactly."""
        texts = self.texts(node.value, state)
        ends = [_number(b) for b in (bounds.lower, bounds.upper, bounds.step)]
        known = all(e is not None for e, b in zip(ends, (bounds.lower, bounds.upper, bounds.step), strict=True) if b)
        if known and all(t.literal is not None for t in texts):
            return few(Text.of([(t.literal or "")[slice(*ends)]]) for t in texts)
        return texts

    def _chosen(self, mapping: form.Expr, key: form.Expr, state: State) -> Texts | None:
        """`mapping[key]` of a mapping or list written in the code: one of its values."""
        node, scope = self._literal(mapping, state)
        if node is None or scope is None:
            return None
        inside = state if scope is state.scope else State(scope, {})
        if isinstance(key, form.Const) and (item := literal_item(node, key.value)) is not None:
            return self.texts(item, inside)
        if isinstance(node, form.Dict) and None not in node.keys and node.values:
            return few(t for v in node.values for t in self.texts(v, inside))
        if isinstance(node, form.Display) and node.items:
            return few(t for v in node.items for t in self.texts(v, inside))
        return None

    def _literal(self, node: form.Expr, state: State) -> tuple[form.Expr | None, Scope | None]:
        """The one display or dict that an expression stands for."""
        if isinstance(node, form.Dict | form.Display):
            return node, state.scope
        definitions = state.of(node)
        if definitions:
            only = definitions[0]
            is_one = len(definitions) == 1 and only.kind is Kind.ASSIGN and only.value is not None
            return self._literal(only.value, only.state) if is_one and only.value is not None else (None, None)
        value = self._project.infer(node, state.scope)
        if isinstance(value, Literal) and isinstance(value.node, form.Dict | form.Display):
            return value.node, value.scope
        return None, None

    # --- collections ---

    def _container(self, node: form.Display | form.Dict | form.Comprehension, state: State) -> Texts:
        if isinstance(node, form.Dict):
            return self._made_of(node, state, *node.values)
        elements = self.elements(node, state) or []
        return self._mixed(node, state.scope, [t for e in elements for t in e])

    def elements(self, node: form.Expr, state: State) -> list[Texts] | None:
        """What a collection holds, each element's texts; None where that can't be told."""
        match node:
            case form.Display(items=items):
                return self._items(items, state)
            case form.Dict(keys=keys):
                return [self.texts(k, state) for k in keys if k is not None]
            case form.Comprehension(kind=kind, element=element, generators=generators) if kind != "dict":
                inside = state
                for generator in generators:
                    inside = inside.loop_element(generator.target, generator.iter)
                    for test in generator.ifs:
                        inside = inside.checked(test, True)
                return [self._placed(element, inside)] * 2
            case form.Binary(op="+", left=left, right=right):
                one, other = self.elements(left, state), self.elements(right, state)
                return one + other if one is not None and other is not None else None
            case form.Binary(op="*", left=left, right=right):
                found = self.elements(left, state) or self.elements(right, state)
                return found * 2 if found else None
            case form.Conditional(body=body, orelse=orelse):
                one, other = self.elements(body, state), self.elements(orelse, state)
                return one + other if one is not None and other is not None else None
            case form.Call():
                return self._elements_of_call(node, state)
            case form.Name() | form.Attr():
                return self._elements_of_name(node, state)
        return None

    def _items(self, items: list[form.Expr], state: State) -> list[Texts] | None:
        found: list[Texts] = []
        for item in items:
            if isinstance(item, form.Starred):
                inner = self.elements(item.value, state)
                if inner is None:
                    return None
                found += inner
            else:
                found.append(self._placed(item, state))
        return found

    def _elements_of_call(self, node: form.Call, state: State) -> list[Texts] | None:
        if isinstance(node.func, form.Attr) and node.func.attr in ("keys", "copy"):
            return self.elements(node.func.value, state)
        if isinstance(node.func, form.Attr) and node.func.attr == "values":
            mapping, scope = self._literal(node.func.value, state)
            if isinstance(mapping, form.Dict) and scope is not None:
                inside = state if scope is state.scope else State(scope, {})
                return [self.texts(v, inside) for v in mapping.values]
            return None
        if isinstance(node.func, form.Attr) and node.func.attr == "split" and len(node.args) <= 1:
            texts = self.texts(node.func.value, state)
            separator = node.args[0].value if node.args else None
            if all(t.literal is not None for t in texts) and (separator is None or isinstance(separator, form.Const)):
                by = separator.value if separator is not None and isinstance(separator.value, str) else None
                return [literal(word) for t in texts for word in (t.literal or "").split(by)]
            return None
        name = self._project.callee_name(node, state.scope)
        if name in ("builtins.list", "builtins.tuple", "builtins.set", "builtins.frozenset", "builtins.sorted",
                    "builtins.reversed", "builtins.iter"):  # fmt: skip
            return self.elements(node.args[0].value, state) if node.args else []
        if name == "builtins.map" and len(node.args) == 2:
            return self._mapped(node.args[0].value, node.args[1].value, state)
        return None

    def _mapped(self, function: form.Expr, iterated: form.Expr, state: State) -> list[Texts] | None:
        callee = self._project.infer(function, state.scope)
        if isinstance(callee, External) and callee.name in _TYPED_RESULTS:
            return [self._hole(iterated, state.scope, Origin.TYPED)]
        if isinstance(function, form.Lambda) and len(function.params) == 1:
            target = form.Name(start=function.start, end=function.end, id=function.params[0].name)
            return [self.texts(function.body, state.loop_element(target, iterated))] * 2
        if isinstance(callee, External) and callee.name == "builtins.str":
            return self.elements(iterated, state)
        return None

    def _elements_of_name(self, node: form.Expr, state: State) -> list[Texts] | None:
        definitions = state.of(node)
        if definitions:
            found: dict[tuple[object, ...], Texts] = {}
            for definition in definitions:
                inner = self._elements_of_definition(definition)
                if inner is None:
                    return None
                for texts in inner:
                    found.setdefault(tuple(t.key for t in texts), texts)
            return list(found.values())
        value = self._project.infer(node, state.scope)
        if isinstance(value, Literal) and isinstance(value.node, form.Display | form.Dict | form.Comprehension):
            return self.elements(value.node, State(value.scope, {}))
        if isinstance(value, Instance) and value.origin is not None and value.scope is not None:  # noqa: SIM102
            if value.type_name in ("builtins.frozenset", "builtins.set", "builtins.tuple", "builtins.list"):
                return self.elements(value.origin, State(value.scope, {}))
        if isinstance(value, ClassSymbol) and is_enumeration(value, self._project):
            return [self._hole(node, state.scope, Origin.TYPED)]
        return None

    def _elements_of_definition(self, definition: Definition) -> list[Texts] | None:
        value, state = definition.value, definition.state
        if value is None or definition.kind not in (Kind.ASSIGN, Kind.GROW, Kind.CHECK):
            return None
        if definition.kind is Kind.ASSIGN:
            return self.elements(value, state)
        before: list[Texts] = []
        for earlier in definition.before:
            inner = self._elements_of_definition(earlier)
            if inner is None:
                return None
            before += inner
        if definition.kind is Kind.CHECK:
            return before if definition.before else None
        if definition.method == "append":
            return [*before, self._placed(value, state)]
        more = self.elements(value, state)
        return [*before, *more] if more is not None else None

    # --- calls ---

    def _call(self, node: form.Call, state: State) -> Texts:
        definitions = state.of(node)
        if definitions:
            return few(t for d in definitions for t in self._definition(d, node))
        if (found := self._source(node, state)) is not None:
            return found
        callee = self._project.infer(node.func, state.scope)
        function = callee.function if isinstance(callee, BoundMethod) else callee
        if isinstance(function, FunctionSymbol):
            return self._call_of_project(node, function, state)
        if isinstance(callee, ClassSymbol):
            if is_enumeration(callee, self._project):
                return self._hole(node, state.scope, Origin.TYPED)
            return self._hole(node, state.scope, Origin.UNKNOWN)
        if isinstance(callee, External) and (known := self._call_of_library(node, callee.name, state)) is not None:
            return known
        if isinstance(node.func, form.Attr):
            return self._call_of_method(node, node.func, state)
        return self._hole(node, state.scope, Origin.UNKNOWN)

    def _call_of_library(self, node: form.Call, name: str, state: State) -> Texts | None:
        arguments = [a.value for a in node.args]
        if name in _TYPED_RESULTS:
            return self._hole(node, state.scope, Origin.TYPED)
        if last_part(name) in _QUOTERS or (last_part(name) == "quote" and "dentifierPreparer" in name):
            return self._hole(node, state.scope, Origin.QUOTED_IDENTIFIER)
        if name in _TRANSPARENT and arguments:
            self.seen_through.add(node)
            texts = self.texts(arguments[0], state)
            clean = {"textwrap.dedent": textwrap.dedent, "inspect.cleandoc": inspect.cleandoc}.get(name)
            return tuple(Text.of([clean(t.literal)]) if clean and t.literal is not None else t for t in texts)
        if name in _KEEPING and arguments:
            return self._made_of(node, state, *arguments)
        return None

    def _call_of_project(self, node: form.Call, function: FunctionSymbol, state: State) -> Texts:
        if is_typed(function.node.returns, function.outer, self._project):
            return self._hole(node, state.scope, Origin.TYPED)
        if function.name in _QUOTERS:
            return self._hole(node, state.scope, Origin.QUOTED_IDENTIFIER)
        arguments: dict[str, Definition] = {}
        for param in function.parameters:
            bound = self._project.bound_argument(node, function, param)
            if bound is not None:
                arguments[param.name] = Definition(Kind.ASSIGN, state, bound)
            elif param.default is not None:
                arguments[param.name] = Definition(Kind.ASSIGN, State(function.outer, {}), param.default)
        returned = self._returned(function, arguments)
        return returned or self._hole(node, state.scope, Origin.UNKNOWN)

    def _returned(self, function: FunctionSymbol, arguments: Mapping[str, Definition]) -> Texts | None:
        """What a small function of the project gives back for these arguments."""
        if function in self._calls or len(self._calls) >= _DEEPEST_CALL:
            return None
        self._calls.append(function)
        try:
            flow = Flow(function.scope, arguments) if arguments else self.flow(function.scope)
            texts = few(t for value, at in flow.returns for t in self.texts(value, at))
        finally:
            self._calls.pop()
        leaked = any(h.parameter is not None and h.parameter.function is function for t in texts for h in t.holes)
        return None if leaked else texts or None

    def _call_of_method(self, node: form.Call, func: form.Attr, state: State) -> Texts:
        method, receiver = func.attr, func.value
        if method in _QUOTERS:
            return self._hole(node, state.scope, Origin.QUOTED_IDENTIFIER)
        if method in _TYPED_PARTS:
            return self._hole(node, state.scope, Origin.TYPED)
        if method == "get" and node.args:
            chosen = self._chosen(receiver, node.args[0].value, state)
            if chosen is not None:
                default = node.args[1].value if len(node.args) > 1 else None
                return few(chosen + (self.texts(default, state) if default is not None else ()))
        texts = self.texts(receiver, state)
        if all(t.is_one_hole for t in texts) and method != "join":
            return self._mixed(node, state.scope, texts)
        if method == "format":
            return few(t for text in texts for t in self._format(text, node, state))
        if method == "join" and node.args:
            return self._join(texts, node, state)
        if method in _LITERAL_METHODS and not node.args:
            return few(_mapped_literals(t, _LITERAL_METHODS[method], method in _EDGE_METHODS) for t in texts)
        if method in _EDGE_METHODS:
            return texts
        if method == "replace" and len(node.args) >= 2:
            return self._replaced(texts, node, state)
        return self._mixed(node, state.scope, [*texts, *(t for a in node.args for t in self.texts(a.value, state))])

    def _replaced(self, texts: Texts, node: form.Call, state: State) -> Texts:
        old = self.texts(node.args[0].value, state)[0].literal
        result: list[Text] = []
        for new in self._placed(node.args[1].value, state):
            for text in texts:
                pieces: list[str | TextHole] = []
                for piece in text.pieces:
                    if isinstance(piece, TextHole) or not old:
                        pieces.append(piece)
                        continue
                    for index, kept in enumerate(piece.split(old)):
                        pieces += [*(new.pieces if index else ()), kept]
                result.append(Text.of(pieces))
        return few(result)

    def _join(self, separators: Texts, node: form.Call, state: State) -> Texts:
        iterated = node.args[0].value
        elements = self.elements(iterated, state)
        if elements is None:
            return self._mixed(node, state.scope, [*separators, *self.texts(iterated, state)])
        parts: list[Texts] = []
        for index, element in enumerate(elements):
            parts += [separators, element] if index else [element]
        return assemble(parts)

    # --- formats ---

    def _percent(self, text: Text, node: form.Binary, state: State) -> Texts:
        right = node.right
        found, scope = self._literal(right, state)
        inside = state if scope is state.scope or scope is None else State(scope, {})
        items = iter(found.items if isinstance(found, form.Display) and found.kind == "tuple" else [right])
        parts: list[Texts] = []
        for piece in text.pieces:
            if isinstance(piece, TextHole):
                parts.append((Text((piece,)),))
                continue
            end = 0
            for match in _PERCENT.finditer(piece):
                parts.append(literal(piece[end : match.start()]))
                end = match.end()
                if match["kind"] == "%":
                    parts.append(literal("%"))
                    continue
                if match["key"] is not None:
                    value = literal_item(found, match["key"]) if isinstance(found, form.Dict) else None
                else:
                    value = next(items, None)
                texts = self._placed(value, inside) if value is not None else self._made_of(right, state, right)
                parts.append(self._as_number(texts, value or right, state) if match["kind"] in _NUMBERS else texts)
            parts.append(literal(piece[end:]))
        return assemble(parts)

    def _as_number(self, texts: Texts, node: form.Expr, state: State) -> Texts:
        """What a numeric format lets through: anything but a number raises."""
        return self._hole(node, state.scope, Origin.TYPED) if any(t.holes for t in texts) else texts

    def _format(self, text: Text, node: form.Call, state: State) -> Texts:
        holes = text.holes
        marks = {id(h.node): chr(_FIRST_MARK + i) for i, h in enumerate(holes)}
        template = "".join(p if isinstance(p, str) else marks[id(p.node)] for p in text.pieces)
        by_name = _keyword_values(node)
        for argument in node.args:
            if argument.star == 2 and isinstance(spread := self._literal(argument.value, state)[0], form.Dict):
                for key, value in zip(spread.keys, spread.values, strict=True):
                    if isinstance(key, form.Const):
                        by_name.setdefault(str(key.value), value)
        positional = iter(node.positional)
        parts: list[Texts] = []
        try:
            fields = list(Formatter().parse(template))
        except ValueError:
            return self._mixed(node, state.scope, [text], Origin.UNKNOWN)
        for before, name, spec, _ in fields:
            parts.append((Text.of(_unmarked(before, holes)),))
            if name is None:
                continue
            parts.append(self._field(name, spec or "", node, by_name, positional, state))
        return assemble(parts)

    def _field(
        self,
        name: str,
        spec: str,
        node: form.Call,
        by_name: Mapping[str, form.Expr],
        positional: Iterable[form.Expr],
        state: State,
    ) -> Texts:
        first = re.split(r"[.\[]", name, maxsplit=1)[0]
        if first == "":
            value = next(iter(positional), None)
        elif first.isdigit():
            value = node.positional[int(first)] if int(first) < len(node.positional) else None
        else:
            value = by_name.get(first)
        if value is None:
            return self._made_of(node, state, *(a.value for a in node.args))
        if spec[-1:] in _NUMBERS and spec[-1:]:
            return self._hole(value, state.scope, Origin.TYPED)
        if first != name or spec:
            return self._made_of(value, state, value)
        return self._placed(value, state)


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a test's other side is, in the state it is met in."""

    reader: TextReader
    state: State

    def is_fixed(self, node: form.Expr) -> bool:
        return self.reader.is_fixed(node, self.state)

    def pattern_of(self, node: form.Expr) -> str | None:
        return self.reader.pattern_of(node, self.state)


def _keyword_values(node: form.Call) -> dict[str, form.Expr]:
    return {a.name: a.value for a in node.args if a.name is not None}


def _unmarked(text: str, holes: tuple[TextHole, ...]) -> list[str | TextHole]:
    pieces: list[str | TextHole] = []
    for character in text:
        index = ord(character) - _FIRST_MARK
        pieces.append(holes[index] if 0 <= index < len(holes) else character)
    return pieces


def _mapped_literals(text: Text, change: Callable[[str], str], only_edges: bool) -> Text:
    if only_edges and text.literal is None:
        return text
    return Text.of(p if isinstance(p, TextHole) else change(p) for p in text.pieces)


def _summands(node: form.Expr) -> list[form.Expr]:
    """The terms of a sum, left to right; sums of hundreds of strings are met in real code."""
    right: list[form.Expr] = []
    while isinstance(node, form.Binary) and node.op == "+":
        right.append(node.right)
        node = node.left
    return [node, *reversed(right)]


def _is_number(node: form.Expr) -> bool:
    return isinstance(node, form.Const) and not isinstance(node.value, str)


def _number(node: form.Expr | None) -> int | None:
    if isinstance(node, form.Unary) and node.op == "-" and (inner := _number(node.operand)) is not None:
        return -inner
    return node.value if isinstance(node, form.Const) and isinstance(node.value, int) else None
