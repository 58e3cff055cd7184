"""What keeps callers of a Litestar app out, or slows them down: guards, authentication and other middleware, hooks and
injected dependencies (https://docs.litestar.dev/2/usage/security/index.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.constants import constant, list_items, string_value
from assay.scanner.dataflow.refusals.decorators import refuses_by_decorator
from assay.scanner.dataflow.refusals.functions import refusal
from assay.scanner.dataflow.refusals.strangers import refusal_of_strangers
from assay.scanner.framework import Context, Guard, Sited
from assay.scanner.frameworks.litestar.layers import Layer, entry, is_set
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_BACKENDS = frozenset({"JWTAuth", "JWTCookieAuth", "OAuth2PasswordBearerAuth", "SessionAuth"})
_AUTHENTICATING = frozenset(
    {"JWTAuthenticationMiddleware", "JWTCookieAuthenticationMiddleware", "SessionAuthMiddleware"}
)
_ABSTRACT_AUTHENTICATION = "AbstractAuthenticationMiddleware"
_RATE_LIMITS = frozenset({"RateLimitConfig", "RateLimitMiddleware"})
_ENTRANCES = ("authenticate_request", "__call__", "handle")
_DEFAULT_KEY = "exclude_from_auth"
_KEYS = ("exclude_opt_key", "exclude_from_auth_key")
_PARAMETER = re.compile(r"\{[^{}]*\}")
_REPETITION = re.compile(r"[*+?{]")
_MOST_REPETITIONS = 3
"""In a pattern of the scanned tree: with more, or one of a group, matching could take for ever."""
_DEEPEST = 4


@dataclass(frozen=True, slots=True, eq=False)
class Barrier:
    """Something in front of handlers: `options` is the call that says which ones it lets pass, and by which key."""

    guard: Guard
    options: form.Call | None
    scope: Scope
    limits_rate: bool = False
    default_key: str | None = None


class Guards:
    """Finds them for handlers, by the layers above."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._of_layer: dict[Layer, list[Barrier]] = {}
        self._own_of_layer: dict[Layer, list[Guard]] = {}

    def of(self, layers: Sequence[Layer], path: str, parameters: Sequence[str]) -> Iterator[Guard]:
        """All that keep callers out of a handler with these parameters at the path."""
        for barrier in self._barriers(layers):
            if not barrier.limits_rate and not self._lets_pass(barrier, layers, path):
                yield barrier.guard
        for layer in layers:
            if layer not in self._own_of_layer:
                items = layer.items("guards", self._project)
                self._own_of_layer[layer] = [guard for item in items for guard in self._guard(item)]
            yield from self._own_of_layer[layer]
        yield from self._hook(layers)
        for name in parameters:
            yield from self._injected(name, layers, _DEEPEST)

    def rate_limits(self, layers: Sequence[Layer], path: str) -> Iterator[Guard]:
        """All that limit how often the handler at the path may be called."""
        for barrier in self._barriers(layers):
            if barrier.limits_rate and not self._lets_pass(barrier, layers, path):
                yield barrier.guard

    # --- guards, hooks, dependencies ---

    def _guard(self, item: Sited) -> Iterator[Guard]:
        """A guard of a library, or one of the project that refuses somebody."""
        name = form.dotted(item.node.func if isinstance(item.node, form.Call) else item.node) or "guard"
        value = self._project.infer(item.node, item.scope)
        place = item.module.evidence(item.node, f"{name} turns callers away")
        if value is None or isinstance(value, External) or self._refuses(item, value) is not None:
            yield Guard(name, place)

    def _refuses(self, item: Sited, value: Value | None) -> Evidence | None:
        if isinstance(value, BoundMethod):
            value = value.function
        if isinstance(value, Instance):
            value = self._project.method(value.cls, "__call__") if value.cls is not None else None
        if isinstance(value, FunctionSymbol):
            found = refusal(value, self._project)
            if found is not None:
                return found
        if isinstance(item.node, form.Call):  # a function that makes the guard
            return refuses_by_decorator(item.node, item.scope, self._project)
        return None

    def _hook(self, layers: Sequence[Layer]) -> Iterator[Guard]:
        """The nearest layer's `before_request`, where it refuses callers of whom nothing is known."""
        stated = next((s for each in reversed(layers) if (s := each.stated("before_request", self._project))), None)
        hook = self._project.infer(stated.node, stated.scope) if stated is not None else None
        refused = refusal_of_strangers(hook, self._project) if isinstance(hook, FunctionSymbol) else None
        if refused is not None and isinstance(hook, FunctionSymbol):
            yield Guard(hook.name, refused)

    def _injected(self, name: str, layers: Sequence[Layer], depth: int) -> Iterator[Guard]:
        """The dependency that a parameter names, where it or one that it depends on refuses callers."""
        provided = entry(layers, "dependencies", name, self._project) if depth else None
        if provided is None:
            return
        node, scope = provided.node, provided.scope
        if isinstance(node, form.Call) and last_name(node.func) == "Provide" and node.positional:
            node = node.positional[0]
        value = self._project.infer(node, scope)
        function = value.function if isinstance(value, BoundMethod) else value
        if isinstance(function, ClassSymbol):
            function = self._project.method(function, "__init__")
        if not isinstance(function, FunctionSymbol):
            return
        if refusal(function, self._project) is not None:
            yield Guard(name, scope.module.evidence(node, f"{name} turns callers away"))
            return
        for param in function.parameters:
            yield from self._injected(param.name, layers, depth - 1)

    # --- middleware ---

    def _barriers(self, layers: Sequence[Layer]) -> Iterator[Barrier]:
        for layer in layers:
            if layer not in self._of_layer:
                backends = (b for item in layer.items("on_app_init", self._project) for b in self._backend(item))
                others = (b for item in layer.items("middleware", self._project) for b in self._middleware(item))
                self._of_layer[layer] = [*backends, *others]
            yield from self._of_layer[layer]

    def _backend(self, item: Sited) -> Iterator[Barrier]:
        """`JWTAuth(...).on_app_init`, and `.middleware` of such a thing or of a `RateLimitConfig`."""
        if not isinstance(item.node, form.Attr):
            return
        value = self._project.infer(item.node.value, item.scope)
        names = {value.type_name} if isinstance(value, Instance) else set()
        if isinstance(value, Instance) and value.cls is not None:
            names |= self._project.base_names(value.cls)
        kinds = {last_part(name) for name in names}
        if not isinstance(value, Instance) or kinds.isdisjoint(_BACKENDS | _RATE_LIMITS):
            return
        name = form.dotted(item.node.value) or sorted(kinds)[0]
        limits = not kinds.isdisjoint(_RATE_LIMITS)
        text = f"{name} limits the rate" if limits else f"{name} authenticates callers"
        guard = Guard(name, item.module.evidence(item.node, text))
        yield Barrier(guard, value.origin, value.scope or item.scope, limits, None if limits else _DEFAULT_KEY)

    def _middleware(self, item: Sited) -> Iterator[Barrier]:
        """A middleware's class, a function that makes one, or either in `DefineMiddleware(..., exclude=...)`."""
        yield from self._backend(item)
        node, options = item.node, None
        defined = self._project.infer(node, item.scope)
        if isinstance(defined, Instance) and last_part(defined.type_name) == "DefineMiddleware" and defined.origin:
            options, node = defined.origin, defined.origin.positional[0]
            item = Sited(node, defined.scope or item.scope)
        value = self._project.infer(node, item.scope)
        name = last_name(node.func if isinstance(node, form.Call) else node) or "middleware"
        if isinstance(value, External):
            known = last_part(value.name)
            if known in _AUTHENTICATING | _RATE_LIMITS:
                limits = known in _RATE_LIMITS
                guard = Guard(name, item.module.evidence(node, f"{name} stands before all handlers"))
                yield Barrier(guard, options, item.scope, limits, None if limits else _DEFAULT_KEY)
            return
        cls = value.cls if isinstance(value, Instance) else value
        if isinstance(cls, ClassSymbol):
            yield from self._of_class(cls, name, item, options)
        elif isinstance(value, FunctionSymbol):
            refused = refuses_by_decorator(node, item.scope, self._project)
            if refused is not None:
                yield Barrier(Guard(name, refused), options, item.scope)

    def _of_class(self, cls: ClassSymbol, name: str, item: Sited, options: form.Call | None) -> Iterator[Barrier]:
        bases = {last_part(base) for base in self._project.base_names(cls)}
        place = item.module.evidence(item.node, f"{name} turns callers away")
        init = self._project.method(cls, "__init__")
        for node in init.walk() if init is not None and options is None else ():
            if init is not None and isinstance(node, form.Call) and last_name(node.func) == "__init__":
                options, item = node, Sited(item.node, init.scope)
        if not bases.isdisjoint(_AUTHENTICATING):
            yield Barrier(Guard(name, place), options, item.scope, default_key=_DEFAULT_KEY)
            return
        for entrance in _ENTRANCES:
            method = self._project.method(cls, entrance)
            is_authentication = entrance == "authenticate_request" and _ABSTRACT_AUTHENTICATION in bases
            look = refusal if is_authentication else refusal_of_strangers
            if method is not None and look(method, self._project) is not None:
                key = _DEFAULT_KEY if is_authentication else None
                yield Barrier(Guard(name, place), options, item.scope, default_key=key)
                return

    # --- exceptions ---

    def _lets_pass(self, barrier: Barrier, layers: Sequence[Layer], path: str) -> bool:
        """Whether its `exclude` patterns match the path, or the handler's `opt` says that it isn't for it."""
        call, key = barrier.options, barrier.default_key
        if call is not None:
            stated = next((value for name in _KEYS if (value := call.keyword(name)) is not None), None)
            known = constant(stated, barrier.scope, self._project) if stated is not None else None
            key = str(known.value) if known is not None else key
            if any(self._matches(pattern, path, Sited(call, barrier.scope)) for pattern in self._excluded(barrier)):
                return True
        return key is not None and is_set(layers, key, self._project)

    def _excluded(self, barrier: Barrier) -> list[str]:
        stated = barrier.options.keyword("exclude") if barrier.options is not None else None
        if stated is None or (isinstance(stated, form.Const) and stated.value is None):
            return []
        items = list_items(stated, barrier.scope, self._project) or [(stated, barrier.scope)]
        found = [string_value(*item, self._project) for item in items]
        if None in found:
            place = barrier.scope.module.location(stated)
            self._context.unresolved(place, "which paths this leaves out can't be told")
        return [pattern for pattern in found if pattern is not None]

    def _matches(self, pattern: str, path: str, stated: Sited) -> bool:
        """As Litestar looks for the pattern anywhere in the path of a request."""
        is_harmless = len(_REPETITION.findall(pattern)) <= _MOST_REPETITIONS and not re.search(r"\)[*+{]", pattern)
        try:
            if is_harmless:
                return re.search(pattern, _PARAMETER.sub("1", path)) is not None
        except re.error:
            pass
        self._context.unresolved(stated.module.location(stated.node), f"which paths {pattern!r} leaves out isn't read")
        return False
