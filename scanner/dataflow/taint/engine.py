"""The engine: summaries of functions on demand, values of the project's globals, and what was found at each sink."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from assay.scanner.dataflow.sources import Handler, RequestSources, injection
from assay.scanner.dataflow.taint.client_values import ClientValues
from assay.scanner.dataflow.taint.evaluation import Evaluation, TooMuchWorkError
from assay.scanner.dataflow.taint.models import Models
from assay.scanner.dataflow.taint.running import Run
from assay.scanner.dataflow.taint.shapes import dangerous
from assay.scanner.dataflow.taint.summary import BOTTOM, Filling, Place, Summary, Use
from assay.scanner.dataflow.taint.values import (
    UNKNOWN,
    Const,
    Func,
    Key,
    Klass,
    Lib,
    Mod,
    Slot,
    Text,
    Thing,
    Trace,
    Tree,
    Value,
    joined,
    options_of,
    traces_of,
)
from assay.scanner.dataflow.typed import is_enumeration, is_typed
from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.framework import Sited, SqlExecution
from assay.scanner.libraries import SinkKind
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Literal
from assay.scanner.linker.values import Value as Linked
from assay.scanner.readers.python import form

_DEEPEST = 24
"""Calls within calls that are followed."""
_MOST_CONTEXTS = 12
"""Ways of calling one function that are told apart."""
_MOST_OVERRIDES = 8
_MOST_USES = 60
_LARGEST_TABLE = 200
"""Items of a literal that are told apart."""
_CONFIGURATION = frozenset({"model_config", "model_fields", "Config"})
"""What pydantic's own attributes are called."""
_ENTERED = ("contextmanager", "asynccontextmanager", "property", "cached_property", "staticmethod", "classmethod")


@dataclass(slots=True)
class Seen:
    """What was found at one sink: how clients' values get there, proof for other values, and whether ends are open."""

    flows: dict[tuple[object, str | None], Trace] = field(default_factory=dict)
    proofs: dict[str, form.Node] = field(default_factory=dict)
    is_open: bool = False
    is_constant: bool = True


class Engine:
    """Answers what any function of a project does with what it is given. Everything is worked out once."""

    leaving = frozenset(
        {
            "flask.abort", "quart.abort", "werkzeug.exceptions.abort", "sys.exit", "os._exit", "builtins.exit",
            "builtins.quit", "bottle.abort", "flask_restful.abort", "flask_restx.abort", "flask_smorest.abort",
            "sanic.exceptions.abort", "apiflask.abort", "starlette.exceptions.abort", "os.abort",
        }
    )  # fmt: skip
    validating = frozenset(
        {
            "builtins.int", "builtins.float", "uuid.UUID", "ipaddress.ip_address", "decimal.Decimal",
            "datetime.date.fromisoformat", "datetime.datetime.fromisoformat",
        }
    )  # fmt: skip
    identity = Lib("assay.identity")

    def __init__(
        self,
        project: Project,
        models: Models,
        handlers: Mapping[FunctionSymbol, Handler],
        executions: Iterable[SqlExecution],
    ) -> None:
        self.project = project
        self.models = models
        self.handlers = handlers
        self.sql = {e.call: e for e in executions}
        self.sources = ClientValues(self, RequestSources(project, handlers))
        self.seen: dict[Place, Seen] = {}
        self.not_html: set[Scope] = set()
        """Functions that set another content type: the texts which they answer with are no HTML."""
        self.diagnostics: list[Diagnostic] = []
        self._summaries: dict[tuple[FunctionSymbol, tuple[tuple[str, Value], ...]], Summary] = {}
        self._contexts: dict[FunctionSymbol, int] = {}
        self._in_work: list[FunctionSymbol] = []
        self._globals: dict[tuple[Scope, str], Value] = {}
        self._class_values: dict[tuple[ClassSymbol, str], Value | None] = {}
        self._settled: dict[tuple[ClassSymbol, str], Value | None] = {}
        self._wrappers: dict[FunctionSymbol, Func | None] = {}
        self._fields: dict[ClassSymbol, dict[str, Sited]] = {}
        self._free: dict[FunctionSymbol, tuple[str, ...]] = {}
        self._field_values: dict[tuple[ClassSymbol, str], Value] = {}
        self._literals: dict[form.Expr, Value] = {}

    @cached_property
    def methods_of_sinks(self) -> frozenset[str]:
        """The names of all methods and functions that are sinks."""
        return self.models.last_names_called

    # --- summaries ---

    def summary(self, symbol: FunctionSymbol, context: tuple[tuple[str, Value], ...] = ()) -> Summary:
        """What the function does; `context` gives some of its variables' values."""
        key = (symbol, context)
        known = self._summaries.get(key)
        if known is not None:
            return known
        if context:
            count = self._contexts.get(symbol, 0)
            if count >= _MOST_CONTEXTS:
                return self.summary(symbol)
            self._contexts[symbol] = count + 1
        if symbol in self._in_work or len(self._in_work) >= _DEEPEST:
            return _UNFOLLOWED if symbol not in self._in_work else BOTTOM
        self._summaries[key] = BOTTOM
        found = self._run(symbol, dict(context))
        if symbol in found.calls:
            # A recursion: the first round knew nothing of what it gives back.
            self._summaries[key] = found
            found = self._run(symbol, dict(context))
        self._summaries[key] = found
        return found

    def _run(self, symbol: FunctionSymbol, context: Mapping[str, Value]) -> Summary:
        given: dict[str, Value] = {p.name: Slot(symbol, p.name) for p in symbol.node.params}
        outer = symbol.outer.enclosing_function
        if outer is not None:
            given |= {name: Slot(outer, name) for name in symbol.scope.nonlocals}
        run = Run(self, symbol.scope, {**given, **context})
        self._in_work.append(symbol)
        try:
            found = run.of(symbol.node.body)
        except (TooMuchWorkError, RecursionError):
            self._gave_up(symbol)
            found = Summary(UNKNOWN, is_whole=False)
        finally:
            self._in_work.pop()
        del found.uses[_MOST_USES:]
        return found

    def _gave_up(self, symbol: FunctionSymbol) -> None:
        message = f"`{symbol.qualname}` is too long or branches too much for its data to be followed"
        diagnostic = Diagnostic(symbol.module.path, symbol.location.line, Reason.UNRESOLVED, message)
        if diagnostic not in self.diagnostics:
            self.diagnostics.append(diagnostic)

    def module_run(self, module: Module) -> None:
        """Run what a module does when it is imported."""
        try:
            Run(self, module.scope, {}).of(module.facts.body)
        except (TooMuchWorkError, RecursionError):
            # Nothing is lost but this module's own statements, which no client reaches.
            return

    # --- what is found at sinks ---

    def settle(self, use: Use) -> bool:
        """Note what is known of a use; whether a caller has to say more."""
        seen = self.seen.setdefault(use.place, Seen())
        found = dangerous(use.place.kind, use.value)
        is_open = False
        for trace in found:
            if isinstance(trace.origin, Slot):
                is_open = True
            else:
                seen.flows.setdefault((trace.origin, trace.doubt), trace)
        if not isinstance(use.value, Const):
            seen.is_constant = False
        if not found:
            seen.proofs.setdefault(_proof(use.value), use.place.node)
        return is_open

    def keep(self, node: form.Node, kind: SinkKind, scope: Scope, callee: str, why: str) -> None:
        """The call is a safe one, whatever it is given."""
        seen = self.seen.setdefault(Place(node, kind, scope, callee), Seen())
        seen.proofs.setdefault(why, node)
        seen.is_constant = False

    def answered(self, node: form.Return, value: Value, evaluation: Evaluation) -> None:
        """A text that a view returns goes out as HTML, where its framework sends texts so."""
        function = evaluation.function
        if function is None or not self._answers_html(function):
            return
        for option in options_of(value):
            cell = evaluation.cell(option) if not isinstance(option, Slot) else None
            if cell is not None and cell.kind == "tuple" and 0 in cell.entries:
                option = cell.entries[0]  # the text with its status
            if isinstance(option, Text) or (isinstance(option, Thing) and option.type_name in ("", "builtins.str")):
                traces = [t for t in evaluation.traces(option) if t.doubt is None]
                if any(not isinstance(t.origin, Slot) or self._is_clients(t.origin) for t in traces):
                    evaluation.use(node, SinkKind.HTML, "return", option)

    def _answers_html(self, function: FunctionSymbol) -> bool:
        handler = self.handlers.get(function)
        if handler is not None:
            return handler.answers_html
        return self.handles_errors(function)

    def handles_errors(self, function: FunctionSymbol) -> bool:
        """Whether Flask answers with what the function returns when something went wrong."""
        names = (d.func for d in function.decorators if isinstance(d, form.Call))
        return any((form.dotted(n) or "").endswith("errorhandler") for n in names)

    def fills(self, slot: Slot) -> bool:
        """Whether clients fill the parameter: what is read of it came in there."""
        handler = self.handlers.get(slot.owner)
        return handler is not None and slot.name in handler.remote

    def _is_clients(self, slot: Slot) -> bool:
        return slot.owner in self.handlers

    # --- what names and attributes stand for ---

    def of_link(self, found: Linked | None) -> Value:
        """What the linker says an expression stands for."""
        match found:
            case External(name=name):
                return Lib(name)
            case FunctionSymbol():
                return Func(found)
            case ClassSymbol():
                return Klass(found)
            case Module():
                return Mod(found)
            case BoundMethod(function=function, receiver=receiver):
                this = Tree("object", (), cls=receiver.cls) if receiver.cls is not None else UNKNOWN
                return Func(function, None if function.is_static() else this)
            case Instance(cls=cls) if cls is not None:
                return Tree("object", (), cls=cls)
            case Instance(type_name=name):
                return Thing(name)
            case Literal(node=node, scope=scope):
                return self.literal(node, scope)
        return UNKNOWN

    def literal(self, node: form.Expr, scope: Scope) -> Value:
        """A literal of a module or class: one within a function depends on where it runs."""
        if scope.function is not None:
            return UNKNOWN
        if node not in self._literals:
            self._literals[node] = UNKNOWN
            self._literals[node] = self._expression(node, scope)
        return self._literals[node]

    def _expression(self, node: form.Expr, scope: Scope) -> Value:
        size = (
            len(node.items) if isinstance(node, form.Display) else len(node.keys) if isinstance(node, form.Dict) else 0
        )
        if size > _LARGEST_TABLE:
            return UNKNOWN
        try:
            return Run(self, scope, {}).expression(node)
        except (TooMuchWorkError, RecursionError):
            return UNKNOWN

    def global_value(self, scope: Scope, name: str) -> Value:
        """What a module's or class's variable holds, over all that is assigned to it."""
        key = (scope, name)
        if key not in self._globals:
            self._globals[key] = UNKNOWN
            bindings = scope.bindings.get(name, ())
            found = joined(self._bound(b) for b in bindings) if bindings else UNKNOWN
            self._globals[key] = found
        return self._globals[key]

    def _bound(self, binding: Binding) -> Value:
        match binding.how:
            case How.ASSIGN if binding.value is not None and binding.scope.function is None:
                if isinstance(binding.value, form.Call):
                    linked = self.project.binding_value(binding)
                    if isinstance(linked, Instance) and linked.cls is None and linked.type_name in _SHARED:
                        return Thing(linked.type_name)
                value = self._expression(binding.value, binding.scope)
                return UNKNOWN if _may_be_filled(value) else value
            case How.FUNCTION if binding.function is not None:
                return Func(binding.function)
            case How.CLASS if binding.cls is not None:
                return Klass(binding.cls)
            case How.IMPORT | How.IMPORT_FROM:
                return self._imported(binding)
        return self.of_link(self.project.binding_value(binding))

    def _imported(self, binding: Binding) -> Value:
        source = self.project.import_module(binding.module, binding.level, binding.scope.module)
        if binding.how is How.IMPORT_FROM and isinstance(source, Module) and binding.name in source.scope.bindings:
            return self.global_value(source.scope, binding.name)
        found = self.of_link(self.project.binding_value(binding))
        if isinstance(found, Lib):
            return Lib(self.models.name_of(found.name))
        return found

    def member(self, module: Module, name: str) -> Value:
        """`module.name`."""
        if name in module.scope.bindings:
            return self.global_value(module.scope, name)
        return self.of_link(self.project.member(module, name))

    def class_value(self, cls: ClassSymbol, name: str) -> Value | None:
        """What the class's body gives the attribute; None where it says nothing."""
        key = (cls, name)
        if key not in self._class_values:
            self._class_values[key] = None
            found = self.project.class_attribute(cls, name)
            if found is not None:
                self._class_values[key] = self._expression(*found)
        return self._class_values[key]

    @cached_property
    def written_names(self) -> frozenset[str]:
        """The names of all attributes that anything in the project assigns to an object."""
        return frozenset(name for module in self.project.modules.values() for name in module.writes_by_name)

    def settled_class_value(self, cls: ClassSymbol, name: str) -> Value | None:
        """The same, where nothing else ever assigns the attribute: neither an object nor a subclass."""
        key = (cls, name)
        if key not in self._settled:
            family = [cls, *self.project.subclasses(cls)]
            is_set = name in self.written_names or name in self.annotations_of(cls)
            is_overridden = any(c.own(name) for c in family[1:])
            found = None if is_set or is_overridden else self.class_value(cls, name)
            self._settled[key] = None if found == UNKNOWN or (found and _may_be_filled(found)) else found
        return self._settled[key]

    def default_of(self, symbol: FunctionSymbol, param: form.Param) -> Value:
        """What a parameter holds that a call doesn't give."""
        if param.default is None:
            return UNKNOWN
        if symbol.outer.function is not None:
            return Const(param.default.value) if isinstance(param.default, form.Const) else UNKNOWN
        if param.default not in self._literals:
            self._literals[param.default] = UNKNOWN
            self._literals[param.default] = self._expression(param.default, symbol.outer)
        return self._literals[param.default]

    def method_of(self, found: Linked | None) -> FunctionSymbol | None:
        return (
            found.function if isinstance(found, BoundMethod) else found if isinstance(found, FunctionSymbol) else None
        )

    def property_of(self, node: form.Attr, scope: Scope) -> FunctionSymbol | None:
        """The function behind `owner.attr` where that is a property of the project."""
        owner = self.project.infer(node.value, scope)
        if not isinstance(owner, Instance) or owner.cls is None:
            return None
        method = self.project.method(owner.cls, node.attr)
        if method is not None and any((form.dotted(d) or "").endswith("property") for d in method.decorators):
            return method
        return None

    def overrides(self, symbol: FunctionSymbol) -> list[FunctionSymbol]:
        """The methods of subclasses that may run instead, if they are few."""
        if symbol.owner is None:
            return []
        found = [c.methods[symbol.name] for c in self.project.subclasses(symbol.owner) if symbol.name in c.methods]
        return found if len(found) <= _MOST_OVERRIDES else []

    def is_enumeration(self, cls: ClassSymbol) -> bool:
        return is_enumeration(cls, self.project)

    def annotations_of(self, cls: ClassSymbol) -> dict[str, Sited]:
        """The annotated fields of a class and its bases, in the order of their definition, with their annotations."""
        if cls not in self._fields:
            found: dict[str, Sited] = {}
            for base in reversed(self.project.mro(cls)):
                if isinstance(base, ClassSymbol):
                    for statement in base.node.body:
                        if isinstance(statement, form.Assign) and statement.annotation is not None:
                            name = form.dotted(statement.targets[0])
                            if name is not None and name not in _CONFIGURATION:
                                found[name] = Sited(statement.annotation, base.scope)
            self._fields[cls] = found
        return self._fields[cls]

    def fields_of(self, cls: ClassSymbol) -> dict[str, bool]:
        """The annotated fields, each with whether its type leaves no room for free text."""
        return {n: is_typed(a.node, a.scope, self.project) for n, a in self.annotations_of(cls).items()}

    def free_names(self, symbol: FunctionSymbol) -> tuple[str, ...]:
        """The variables of functions around it that a nested function speaks of."""
        if symbol not in self._free:
            outer = symbol.outer.enclosing_function
            names = {n.id for n in form.walk_body(symbol.node.body) if isinstance(n, form.Name)}
            known = outer.scope.bindings if outer is not None else {}
            around = outer.outer.enclosing_function if outer is not None else None
            more = around.scope.bindings if around is not None else {}
            self._free[symbol] = tuple(sorted(n for n in names if n in known or n in more))
        return self._free[symbol]

    def wrapper_of(self, symbol: FunctionSymbol) -> Func | None:
        """The function that decorators of the project put in its place; None where they leave it."""
        if symbol not in self._wrappers:
            self._wrappers[symbol] = None
            if symbol.outer.function is None and symbol.decorators:
                self._wrappers[symbol] = self._decorated(symbol)
        return self._wrappers[symbol]

    def _decorated(self, symbol: FunctionSymbol) -> Func | None:
        value: Value = Func(symbol, is_plain=True)
        for decorator in reversed(symbol.decorators):
            callee = decorator.func if isinstance(decorator, form.Call) else decorator
            if (form.dotted(callee) or "").rsplit(".", 1)[-1] in _ENTERED:
                continue
            if not isinstance(self.project.infer(callee, symbol.outer), FunctionSymbol):
                continue
            try:
                value = Run(self, symbol.outer, {}).decorated(decorator, value)
            except (TooMuchWorkError, RecursionError):
                return None
        return value if isinstance(value, Func) and value.symbol is not symbol else None

    # --- the outermost callers ---

    def finish(self, symbol: FunctionSymbol, is_called: bool) -> None:
        """Fill what no caller says: a handler's parameters by what clients send, an object's fields by its methods."""
        summary = self.summary(symbol)
        filling = self._outermost(symbol, is_called)
        for use in summary.uses:
            filled = Use(use.place, filling.value(use.value))
            if self.settle(filled) and not is_called:
                self.seen[use.place].is_open = True

    def _outermost(self, symbol: FunctionSymbol, is_called: bool, is_dependency: bool = False) -> Filling:
        params = {p.name: p for p in symbol.node.params}
        this = symbol.node.params[0].name if symbol.owner is not None and symbol.node.params else None

        def given(slot: Slot) -> Value:
            if slot.owner is not symbol or slot.name not in params:
                return UNKNOWN
            if slot.name == this and slot.path and symbol.owner is not None:
                return _reached(self.field_value(symbol.owner, slot.path[0]), slot.path[1:])
            if slot.name == this:
                return UNKNOWN
            ask = self.sources.of_dependency if is_dependency else self.sources.of_parameter
            sent = ask(symbol, params[slot.name])
            if sent is not None:
                return _reached(sent, slot.path)
            provided = self._provided(symbol, params[slot.name])
            if provided is not None:
                return _reached(provided, slot.path)
            return UNKNOWN if is_called or symbol in self.handlers else slot

        return Filling(given, lambda value: traces_of(value, {}), lambda _: None)

    def _provided(self, symbol: FunctionSymbol, param: form.Param) -> Value | None:
        """What a dependency gives (`Depends(provider)`), whose own parameters clients fill."""
        for node in (param.default, param.annotation):
            found = injection(node, symbol.outer, self.project)
            if found is not None and isinstance(found.node, form.Call):
                provider = found.node.argument(0, "dependency") or param.annotation
                function = self.project.infer(provider, found.scope) if provider is not None else None
                return self.outcome(function) if function is not symbol else UNKNOWN
        return None

    def outcome(self, provider: Linked | None) -> Value:
        """What a dependency gives where the framework calls it: a function's result, or an object of a class."""
        if isinstance(provider, ClassSymbol):
            init = self.project.method(provider, "__init__")
            if init is None:
                return Tree("object", (), cls=provider)
            written = self.summary(init).writes.get(Slot(init, init.node.params[0].name))
            filling = self._outermost(init, is_called=False, is_dependency=True)
            entries = written.entries if written is not None else {}
            return Tree("object", tuple((k, filling.value(v)) for k, v in entries.items()), cls=provider)
        if isinstance(provider, FunctionSymbol):
            result = self.summary(provider).result
            if result is not None:
                return self._outermost(provider, is_called=False, is_dependency=True).value(result)
        return UNKNOWN

    def field_value(self, cls: ClassSymbol, name: Key) -> Value:
        """What an attribute may hold of an object that nobody is seen to make."""
        if not isinstance(name, str):
            return UNKNOWN
        key = (cls, name)
        if key not in self._field_values:
            self._field_values[key] = UNKNOWN
            found = [self.class_value(cls, name)]
            for base in (b for b in self.project.mro(cls) if isinstance(b, ClassSymbol)):
                methods = {scope.function for _, scope in base.assigned_to_self.get(name, ()) if scope.function}
                found += [self._written(method, name) for method in sorted(methods, key=lambda m: m.node.start)]
            self._field_values[key] = joined(v for v in found if v is not None)
        return self._field_values[key]

    def _written(self, method: FunctionSymbol, name: str) -> Value:
        this = method.node.params[0].name
        written = self.summary(method).writes.get(Slot(method, this))
        value = written.entries.get(name) if written is not None else None
        return self._outermost(method, True).value(value) if value is not None else UNKNOWN


_UNFOLLOWED = Summary(UNKNOWN, is_whole=False)
_SHARED = frozenset({"flask.Flask", "fastapi.FastAPI", "fastapi.APIRouter", "flask.Blueprint", "celery.Celery"})
"""Applications and routers: how they were made says nothing of data."""


def _reached(value: Value, path: tuple[Key, ...]) -> Value:
    """What lies on a path below a value of the outermost caller's."""
    for key in path:
        value = joined(_below(option, key) for option in options_of(value))
    return value


def _below(value: Value, key: Key) -> Value:
    if isinstance(value, Tree):
        entries = dict(value.entries)
        return entries.get(key, value.rest if value.rest is not None else UNKNOWN)
    return Thing("", traces_of(value, {})) if not isinstance(value, Const) else UNKNOWN


def _may_be_filled(value: Value) -> bool:
    """An empty container at module level is there to be filled."""
    return (
        isinstance(value, Tree) and value.kind in ("list", "dict", "set") and not value.entries and value.rest is None
    )


def _proof(value: Value) -> str:
    match value:
        case Const():
            return "it is a constant"
        case Tree(kind="list" | "tuple"):
            return "the program is a constant, and arguments are passed one by one"
    traces = traces_of(value, {})
    if any(t.cleared for t in traces):
        return "what a client sends is checked or escaped for it"
    if traces:
        return "what a client sends can't change what it does"
    return "nothing that a client sends reaches it"
