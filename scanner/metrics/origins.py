"""How many values an expression may take over the life of a service: a few, any number, or nobody can tell."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cached_property

from assay.scanner.dataflow.sources import Handler, handlers_of
from assay.scanner.dataflow.typed import is_enumeration
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, FunctionSymbol, How, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.metrics.words import Origin, Spread, by_name, keyed, of_request
from assay.scanner.readers.python import form

_DEEPEST = 12
_DEEPEST_CALL = 3
_CALLERS = 6
"""Callers of a function that are looked at; with more, the parameter's name has to do."""
_ROUTE = frozenset({"route", "rule", "url_rule", "resolver_match", "matched_route", "resource", "uri_template"})
"""Names of what a router matched."""
_FRESH = {
    **dict.fromkeys(
        ("uuid1", "uuid4", "uuid7", "token_hex", "token_urlsafe", "ulid", "nanoid"), "a new value each time"
    ),
    **dict.fromkeys(("format_exc", "print_exc", "exc_info", "format_exception"), "the text of an exception"),
    **dict.fromkeys(("now", "utcnow", "isoformat", "timestamp", "time_ns", "getrandbits"), "a time"),
}
_UNCHANGED = frozenset(
    {"lower", "upper", "strip", "lstrip", "rstrip", "replace", "split", "rsplit", "partition", "rpartition", "title"}
    | {"removeprefix", "removesuffix", "encode", "decode", "capitalize", "format_map", "casefold", "splitlines"}
)
_OF_ARGUMENT = frozenset(
    {"str", "repr", "quote", "quote_plus", "unquote", "escape", "cast", "format", "text_type", "force_str", "smart_str"}
    | {"slugify", "urlparse", "urlsplit"}
)
_FEW = frozenset(
    {"type", "isinstance", "bool", "callable", "hasattr", "any", "all", "issubclass", "gethostname", "getpid"}
)
_CLOSED_ATTRIBUTES = frozenset(
    {"__name__", "__qualname__", "__module__", "__class__", "status_code", "model_name", "app_label", "path_format"}
    | {"view_name", "url_name", "object_name", "verbose_name", "actor_name", "queue_name", "canonical"}
)
_ERRORS = frozenset({"e", "ex", "exc", "err", "error", "exception", "exc_value", "exc_val"})


class Origins:
    """Answers for one project, whose routes say what callers fill."""

    def __init__(self, project: Project, routes: Iterable[Route] = ()) -> None:
        self._project = project
        self._routes = routes

    def of(self, node: form.Expr, scope: Scope) -> Origin:
        """Where the value comes from."""
        return self._of(node, scope, _DEEPEST, _DEEPEST_CALL)

    def _of(self, node: form.Expr, scope: Scope, depth: int, calls: int) -> Origin:
        if depth <= 0:
            return Origin(Spread.UNKNOWN, "")
        found = self._read(node, scope, depth - 1, calls)
        if found.spread in (Spread.OPEN, Spread.UNSURE) and found.where is None:
            return replace(found, where=scope.module.evidence(node, found.said))
        return found

    def _read(self, node: form.Expr, scope: Scope, depth: int, calls: int) -> Origin:
        parts = _alternatives(node)
        if parts is not None:
            return self._all(self._of(part, scope, depth, calls) for part in parts)
        match node:
            case form.Const():
                return Origin(Spread.CLOSED, "written out")
            case form.Compare() | form.Unary(op="not"):
                return Origin(Spread.CLOSED, "true or false")
            case form.Template(parts=pieces):
                holes = [part.value for part in pieces if isinstance(part, form.Hole)]
                return self._all(self._shown(hole, scope, depth, calls) for hole in holes)
            case form.Call():
                return self._call(node, scope, depth, calls)
            case form.Attr():
                return self._attribute(node, scope)
            case form.Subscript():
                return self._item(node, scope, depth, calls)
            case form.Name():
                return self._name(node, scope, depth, calls)
        return Origin(Spread.UNKNOWN, "")

    def _all(self, origins: Iterable[Origin]) -> Origin:
        """Of a text made of several, or of one of several."""
        found = list(origins)
        for spread in (Spread.OPEN, Spread.UNSURE, Spread.UNKNOWN, Spread.CLOSED):
            for origin in found:
                if origin.spread is spread:
                    return origin
        return Origin(Spread.CLOSED, "written out")

    def _shown(self, node: form.Expr, scope: Scope, depth: int, calls: int) -> Origin:
        """A value made into text: of an exception, its message."""
        if isinstance(node, form.Name) and self._is_error(node, scope, is_shown=True):
            return Origin(Spread.OPEN, "the text of an exception")
        return self._of(node, scope, depth, calls)

    def _is_error(self, node: form.Name, scope: Scope, *, is_shown: bool) -> bool:
        """Whether the name stands for an exception. A parameter of such a name may be a word for the error: what
        callers give tells, and else whether it is made into text.
        """
        bound = scope.lookup(node.id, node.start)
        if any(b.how is How.EXCEPT for b in bound):
            return True
        if node.id not in _ERRORS or not bound or any(b.how is not How.PARAMETER for b in bound):
            return False
        declared = [last_name(b.param.annotation) or "" for b in bound if b.param is not None and b.param.annotation]
        if declared:
            return all(name.endswith(("Exception", "Error")) for name in declared)
        function = bound[0].scope.function
        given = [
            self._project.bound_argument(call, function, b.param)
            for b in bound
            if function is not None and b.param is not None
            for call, _ in self._project.callers(function)
        ]
        return all(isinstance(each, form.Name) and each.id in _ERRORS for each in given) if given else is_shown

    # --- calls ---

    def _call(self, call: form.Call, scope: Scope, depth: int, calls: int) -> Origin:
        name = last_name(call.func) or ""
        first = call.args[0].value if call.args else None
        on = call.func.value if isinstance(call.func, form.Attr) else None
        if name in _FRESH:
            return Origin(Spread.OPEN, _FRESH[name])
        if name in _FEW:
            return Origin(Spread.CLOSED, "one of a few")
        if name == "getattr" and len(call.args) > 1 and first is not None:
            return self._getattr(call, scope, depth, calls)
        if on is None and name in _OF_ARGUMENT and first is not None:
            return self._shown(first, scope, depth, calls)
        if name == "sub" and call.args:
            inner = self._of(call.args[-1].value, scope, depth, calls)
            return replace(inner, spread=Spread.UNSURE) if inner.spread is Spread.OPEN else inner
        if on is not None and name in ("format", "join"):
            return self._all(self._shown(arg.value, scope, depth, calls) for arg in call.args)
        if on is not None and name in _UNCHANGED:
            return self._of(on, scope, depth, calls)
        asked = of_request(call.func)
        if asked is not None:
            return asked
        if on is not None and name in ("get", "pop") and isinstance(first, form.Const):
            return keyed(on, first)
        return self._returned(call, scope, depth, calls)

    def _getattr(self, call: form.Call, scope: Scope, depth: int, calls: int) -> Origin:
        owner, name = call.args[0].value, call.args[1].value
        if not isinstance(name, form.Const) or not isinstance(name.value, str):
            return Origin(Spread.UNKNOWN, "")
        as_written = form.Attr(start=call.start, end=call.end, value=owner, attr=name.value, attr_start=name.start)
        default = [self._of(arg.value, scope, depth, calls) for arg in call.args[2:]]
        return self._all([self._of(as_written, scope, depth, calls), *default])

    def _returned(self, call: form.Call, scope: Scope, depth: int, calls: int) -> Origin:
        function = self._project.callee_function(call, scope) if calls else None
        if function is None:
            return Origin(Spread.UNKNOWN, "")
        values = [r.value for r in function.returns if r.value is not None]
        found = [self._of(value, function.scope, depth, calls - 1) for value in values]
        return self._all(found) if found else Origin(Spread.UNKNOWN, "")

    # --- attributes and items ---

    def _attribute(self, node: form.Attr, scope: Scope) -> Origin:
        asked = of_request(node)
        if asked is not None:
            return asked
        if node.attr in _CLOSED_ATTRIBUTES or node.attr.startswith(("is_", "has_")):
            return Origin(Spread.CLOSED, f"`{node.attr}`")
        owner = last_name(node.value) or ""
        if node.attr in ("path", "rule", "pattern", "name", "path_regex", "endpoint") and owner in _ROUTE:
            return Origin(Spread.CLOSED, "the route's template")
        if isinstance(node.value, form.Name) and node.attr in ("args", "message", "detail"):
            if self._is_error(node.value, scope, is_shown=True):
                return Origin(Spread.OPEN, "the text of an exception")
        elif node.attr in ("value", "name") and self._is_member(node.value, scope):
            return Origin(Spread.CLOSED, "a member of an enumeration")
        if node.attr in ("id", "pk", "uuid", "email", "username"):
            return by_name(f"{owner}_{node.attr}", node.attr)
        return by_name(node.attr, node.attr)

    def _is_member(self, node: form.Expr, scope: Scope) -> bool:
        value = self._project.infer(node, scope)
        return isinstance(value, Instance) and value.cls is not None and is_enumeration(value.cls, self._project)

    def _item(self, node: form.Subscript, scope: Scope, depth: int, calls: int) -> Origin:
        asked = of_request(node)
        if asked is not None:
            return asked
        if isinstance(node.index, form.Const) and isinstance(node.index.value, str):
            return keyed(node.value, node.index)
        inner = self._of(node.value, scope, depth, calls)
        return inner if inner.spread is not Spread.CLOSED else Origin(Spread.UNKNOWN, "")

    # --- names ---

    def _name(self, node: form.Name, scope: Scope, depth: int, calls: int) -> Origin:
        if self._is_error(node, scope, is_shown=False):
            return Origin(Spread.OPEN, "an exception")
        bound = [b for b in scope.lookup(node.id, node.start) if b.is_known_at(node.start)]
        found = [self._bound(b, depth, calls) for b in bound]
        origin = self._all(found) if found else Origin(Spread.UNKNOWN, "")
        return by_name(node.id, node.id) if origin.spread is Spread.UNKNOWN else origin

    def _bound(self, binding: Binding, depth: int, calls: int) -> Origin:
        if binding.how in (How.FUNCTION, How.CLASS):
            return Origin(Spread.CLOSED, "a name in the code")
        if binding.how is How.ASSIGN and binding.value is not None:
            return self._of(binding.value, binding.scope, depth, calls)
        if binding.how is How.FOR and isinstance(binding.value, form.Display | form.Name):
            return self._of(binding.value, binding.scope, depth, calls)
        if binding.how is How.PARAMETER and binding.param is not None:
            return self._parameter(binding, binding.param, depth, calls)
        if binding.how is How.IMPORT_FROM:
            value = self._project.binding_value(binding)
            return Origin(
                Spread.UNKNOWN if value is None or isinstance(value, External) else Spread.CLOSED, "a constant"
            )
        return Origin(Spread.UNKNOWN, "")

    def _parameter(self, binding: Binding, param: form.Param, depth: int, calls: int) -> Origin:
        function = binding.scope.function
        if param.annotation is not None and self._is_closed_type(param.annotation, binding.scope):
            return Origin(Spread.CLOSED, "its type has few values")
        if function is None or not calls:
            return Origin(Spread.UNKNOWN, "")
        handler = self._handlers.get(function)
        if handler is not None and param.name in handler.remote:
            named = by_name(param.name, param.name)
            return named if named.spread is Spread.OPEN else Origin(Spread.UNSURE, "what the caller asks for")
        callers = self._project.callers(function)
        if not callers or len(callers) > _CALLERS:
            return Origin(Spread.UNKNOWN, "")
        return self._all(self._given(call, around, function, param, depth, calls) for call, around in callers)

    @cached_property
    def _handlers(self) -> dict[FunctionSymbol, Handler]:
        return handlers_of(self._routes, self._project)

    def _given(
        self, call: form.Call, scope: Scope, function: FunctionSymbol, param: form.Param, depth: int, calls: int
    ) -> Origin:
        argument = self._project.bound_argument(call, function, param) or param.default
        return self._of(argument, scope, depth, calls - 1) if argument is not None else Origin(Spread.UNKNOWN, "")

    def _is_closed_type(self, annotation: form.Expr, scope: Scope) -> bool:
        if isinstance(annotation, form.Subscript) and last_name(annotation.value) == "Literal":
            return True
        value = self._project.annotated(annotation, scope)
        is_truth = form.dotted(annotation) == "bool"
        return is_truth or (
            isinstance(value, Instance) and value.cls is not None and is_enumeration(value.cls, self._project)
        )


def _alternatives(node: form.Expr) -> list[form.Expr] | None:
    """What the value is made of, or one of which it is."""
    match node:
        case form.Binary(left=left, right=right):
            return [left, right]
        case form.Boolean(values=values):
            return values
        case form.Conditional(body=body, orelse=orelse):
            return [body, orelse]
        case form.Display(items=items):
            return items
        case form.Await(value=value) | form.Starred(value=value) | form.Walrus(value=value) | form.Lambda(body=value):
            return [value]
    return None
