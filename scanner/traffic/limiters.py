"""Limiters of libraries, and where they keep their counts.

https://flask-limiter.readthedocs.io, https://slowapi.readthedocs.io, https://pgjones.gitlab.io/quart-rate-limiter,
https://docs.litestar.dev/latest/usage/middleware/builtin-middleware.html#rate-limit-middleware
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.scanner.configuration.meanings import truth_of
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.constants import list_items
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.traffic import Storage
from assay.scanner.readers.python import form

_STORES = ("redis", "memcache", "valkey", "mongo", "database")
_NOT_SAID = "each process counts in its own memory unless told otherwise"


@dataclass(frozen=True, slots=True)
class LimiterLibrary:
    """What makes a limiter, the argument for its storage (a text or an object), and the settings that say the same."""

    name: str
    makers: tuple[str, ...]
    storage: str
    settings: tuple[str, ...] = ()
    has_limits: bool = False
    """Whether it limits nothing by itself: what `limit` decorates, and its defaults, are limited."""


_LIBRARIES = (
    LimiterLibrary(
        "Flask-Limiter",
        ("flask_limiter.Limiter", "flask_limiter.extension.Limiter"),
        "storage_uri",
        ("RATELIMIT_STORAGE_URI", "RATELIMIT_STORAGE_URL"),
        has_limits=True,
    ),
    LimiterLibrary("SlowAPI", ("slowapi.Limiter", "slowapi.extension.Limiter"), "storage_uri", has_limits=True),
    LimiterLibrary("Sanic-Limiter", ("sanic_limiter.Limiter",), "storage_uri", has_limits=True),
    LimiterLibrary("Quart-Rate-Limiter", ("quart_rate_limiter.RateLimiter",), "store"),
    LimiterLibrary("Litestar", ("litestar.middleware.rate_limit.RateLimitConfig",), "store"),
    LimiterLibrary("ASGI-RateLimit", ("ratelimit.RateLimitMiddleware",), "backend"),
)
_BY_MAKER = {maker: library for library in _LIBRARIES for maker in library.makers}
_MADE_SHARED = ("fastapi_limiter.FastAPILimiter.init",)


@dataclass(frozen=True, slots=True)
class FoundLimiter:
    """A limiter before its deployment is known."""

    library: str
    node: form.Node
    scope: Scope
    storage: Storage
    evidence: tuple[Evidence, ...]
    unused: str | None = None


def limiters(project: Project, production: Production) -> Iterator[FoundLimiter]:
    """Those that calls make."""
    for maker in dict.fromkeys(last_part(name) for name in (*_BY_MAKER, *_MADE_SHARED)):
        for call, scope in project.calls_named(maker):
            name = project.qualified_name(call.func, scope) or ""
            if name in _MADE_SHARED:
                shown = scope.module.evidence(call, "the counts are in Redis")
                yield FoundLimiter("fastapi-limiter", call, scope, Storage.SHARED, (shown,))
            elif name in _BY_MAKER:
                yield _of(_BY_MAKER[name], call, scope, project, production)


def _of(
    library: LimiterLibrary, call: form.Call, scope: Scope, project: Project, production: Production
) -> FoundLimiter:
    storage, evidence = _storage(library, call, scope, project, production)
    return FoundLimiter(
        library.name, call, scope, storage, (evidence,), _unused(library, call, scope, project, production)
    )


def _storage(
    library: LimiterLibrary, call: form.Call, scope: Scope, project: Project, production: Production
) -> tuple[Storage, Evidence]:
    stated = call.keyword(library.storage)
    if stated is not None:
        return _stated(stated, scope, project, production)
    for name in library.settings:
        found = production.setting(name, "Flask config", scope.module.path)
        place = production.place_of(name, "Flask config", scope.module.path)
        if found and place is not None:
            return _of_values([m.value for m in found]), Evidence(place, f"{name} says where the counts are")
    set_at_start = _is_set_at_start(project) if library.settings else None
    if set_at_start is not None:
        return Storage.UNKNOWN, set_at_start
    if call.has_double_star:
        return Storage.UNKNOWN, scope.module.evidence(call, "its options come from elsewhere")
    return Storage.PROCESS, scope.module.evidence(call, _NOT_SAID)


def _stated(node: form.Expr, scope: Scope, project: Project, production: Production) -> tuple[Storage, Evidence]:
    module = scope.module
    made = project.infer(node, scope)
    if isinstance(made, Instance):
        name = (made.cls.name if made.cls is not None else made.type_name).lower()
        if "memory" in name:
            return Storage.PROCESS, module.evidence(node, "the counts are in the memory of each process")
        if any(word in name for word in _STORES):
            return Storage.SHARED, module.evidence(node, "this holds the counts of all")
    values = [m.value for m in production.meanings(node, scope)]
    return _of_values(values), module.evidence(node, "this says where the counts are")


def _of_values(values: Sequence[object]) -> Storage:
    """Of an address that is set from outside, a store of its own is what is expected."""
    if any(isinstance(value, str) and (value.startswith("memory") or not value) for value in values):
        return Storage.PROCESS
    return Storage.UNKNOWN if None in values else Storage.SHARED


def _unused(
    library: LimiterLibrary, call: form.Call, scope: Scope, project: Project, production: Production
) -> str | None:
    enabled = call.keyword("enabled")
    if enabled is not None and all(truth_of(m.value) is False for m in production.meanings(enabled, scope)):
        return "it is switched off in production"
    if not library.has_limits or call.has_double_star:
        return None
    for keyword in ("default_limits", "application_limits"):
        listed = call.keyword(keyword)
        if listed is not None and (not isinstance(listed, form.Display) or list_items(listed, scope, project)):
            return None
    for limit, around in project.calls_named("limit", "shared_limit", "init_app", "SlowAPIMiddleware"):
        owner = project.infer(limit.func.value, around) if isinstance(limit.func, form.Attr) else None
        if not isinstance(owner, Instance) or _is_limiter(owner, library, project):
            return None
    return "nothing is limited by it"


def _is_limiter(owner: Instance, library: LimiterLibrary, project: Project) -> bool:
    """Of several limiters, which one decorates isn't asked: a service rarely has one that it doesn't use."""
    if owner.cls is not None:
        return project.is_subclass(owner.cls, *library.makers)
    return owner.type_name in library.makers


def _is_set_at_start(project: Project) -> Evidence | None:
    """`app.config[C.STORAGE_URL] = uri`, by the library's own name of the setting."""
    for module in project.modules.values():
        for scope in module.writes_by_name.get("config", ()):
            for node in form.walk_body(scope.body, into_definitions=False):
                for target in node.targets if isinstance(node, form.Assign) else ():
                    key = target.index if isinstance(target, form.Subscript) else None
                    if isinstance(key, form.Attr) and key.attr in ("STORAGE_URL", "STORAGE_URI"):
                        return module.evidence(node, "where the counts are is set here")
    return None
