"""Caches that calls of libraries make: Flask-Caching, aiocache, cashews, fastapi-cache, dogpile.cache, cachelib."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from assay.scanner.caching.stores import Backend, any_of, store_of
from assay.scanner.configuration.meanings import Firmness, Meaning
from assay.scanner.configuration.production import Production
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External, Instance, Value
from assay.scanner.model.caching import CacheStore
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_FLASK, _FLASK_CONFIG, _TYPE = "Flask-Caching", "Flask config", "CACHE_TYPE"
_FLASK_TYPES = {
    "null": CacheStore.NOWHERE, "simple": CacheStore.PROCESS, "filesystem": CacheStore.MACHINE,
    "uwsgi": CacheStore.MACHINE,
    **dict.fromkeys(("redis", "rediscluster", "redissentinel", "memcached", "spreadsaslmemcached", "saslmemcached",
                     "gaememcached"), CacheStore.SHARED),
}  # fmt: skip
"""https://flask-caching.readthedocs.io/en/latest/#built-in-cache-backends"""
_SCHEMES = {
    "mem": CacheStore.PROCESS, "memory": CacheStore.PROCESS, "disk": CacheStore.MACHINE,
    **dict.fromkeys(("redis", "rediss", "valkey", "valkeys", "memcached", "unix"), CacheStore.SHARED),
}  # fmt: skip
_DOGPILE = {
    "memory": CacheStore.PROCESS, "memory_pickle": CacheStore.PROCESS, "null": CacheStore.NOWHERE,
    "dbm": CacheStore.MACHINE,
    **dict.fromkeys(("redis", "redis_sentinel", "redis_cluster", "valkey", "memcached", "pylibmc", "bmemcached",
                     "pymemcache"), CacheStore.SHARED),
}  # fmt: skip
_CLASSES = {
    "aiocache": {
        "SimpleMemoryCache": CacheStore.PROCESS, "MEMORY": CacheStore.PROCESS,
        **dict.fromkeys(("RedisCache", "REDIS", "ValkeyCache", "MemcachedCache", "MEMCACHED"), CacheStore.SHARED),
    },
    "fastapi_cache": {
        "InMemoryBackend": CacheStore.PROCESS,
        **dict.fromkeys(("RedisBackend", "MemcachedBackend", "DynamoBackend"), CacheStore.SHARED),
    },
    "cachelib": {
        "SimpleCache": CacheStore.PROCESS, "NullCache": CacheStore.NOWHERE, "FileSystemCache": CacheStore.MACHINE,
        "UWSGICache": CacheStore.MACHINE,
        **dict.fromkeys(("RedisCache", "MemcachedCache", "DynamoDbCache", "MongoDbCache"), CacheStore.SHARED),
    },
}  # fmt: skip
"""What the libraries' classes keep, by their last names."""
FLASK_CACHES = ("flask_caching.Cache", "flask_cache.Cache")
_PACKAGES = frozenset({"flask_caching", "flask_cache", "aiocache", "cashews", "fastapi_cache", "dogpile", "cachelib"})
_LOADING = ("from_object", "from_envvar", "from_prefixed_env", "from_file", "from_pyfile", "from_json")
"""Methods by which an application's configuration gets what can't be seen."""
_METHODS = ("from_url", "setup", "init", "configure")
_DECORATORS = ("cached", "cached_stampede", "multi_cached")
"""Those of aiocache make a cache of their own, in memory unless they are told otherwise."""
_MAKERS = ("Cache", "SimpleMemoryCache", "RedisCache", "MemcachedCache", "SimpleCache", "FileSystemCache", "NullCache")


def library_backends(gathered: Gathered) -> Iterator[Backend]:
    """In production code."""
    project, production = gathered.project, gathered.production
    if project.imported_packages.isdisjoint(_PACKAGES):
        return
    own = [c.name for c in project.classes if project.is_subclass(c, *FLASK_CACHES)]
    for call, scope in project.calls_named(*dict.fromkeys((*_MAKERS, *own, *_METHODS))):
        if scope.module.role is not Role.PROD:
            continue
        name = project.qualified_name(call.func, scope) or ""
        package, last = name.partition(".")[0], last_part(name)
        backend: Backend | None = None
        if is_flask_cache(project.infer(call, scope), project):
            backend = _of_flask(call, scope, gathered)
        elif package == "aiocache" and last in ("Cache", "from_url", "SimpleMemoryCache", "RedisCache"):
            backend = _of_aiocache(call, scope, project, production)
        elif package == "cashews" and last == "setup":
            store = _by_text(call.argument(0, "settings_url"), scope, production, _SCHEMES)
            backend = Backend("cashews", "", call, scope, store, is_endless=True)
        elif name == "fastapi_cache.FastAPICache.init":
            store = _by_class(call.argument(0, "backend"), scope, project, _CLASSES["fastapi_cache"])
            backend = Backend("fastapi-cache", "", call, scope, store, call.argument(2, "expire") is None)
        elif package == "dogpile" and last == "configure":
            backend = _of_dogpile(call, scope, production)
        elif package == "cachelib" and last in _CLASSES["cachelib"]:
            is_endless = _is_zero(call.keyword("default_timeout"), scope, production)
            backend = Backend("cachelib", "", call, scope, _CLASSES["cachelib"][last], is_endless)
        taken = production.taken(call, scope)
        may_change = taken.firmness is Firmness.DEFAULT
        if backend is not None and (taken.truth is not False or may_change):
            yield replace(backend, is_certain=taken.truth is True and not may_change)


def decorator_backends(project: Project) -> Iterator[Backend]:
    """The first use of aiocache's decorators for each store, where no alias says which cache it is."""
    seen: set[CacheStore] = set()
    for call, scope in project.calls_named(*_DECORATORS) if "aiocache" in project.imported_packages else ():
        name = project.qualified_name(call.func, scope) or ""
        is_other = call.keyword("alias") is not None or call.has_double_star
        if scope.module.role is not Role.PROD or name.partition(".")[0] != "aiocache" or is_other:
            continue
        given = call.keyword("cache")
        store = CacheStore.PROCESS if given is None else _by_class(given, scope, project, _CLASSES["aiocache"])
        if store not in seen:
            seen.add(store)
            yield Backend("aiocache", "", call, scope, store, is_endless=call.argument(0, "ttl") is None)


def is_flask_cache(made: Value | None, project: Project) -> bool:
    """Whether it is an object of Flask-Caching's class, or of one that derives from it."""
    if not isinstance(made, Instance):
        return False
    if made.cls is not None:
        return project.is_subclass(made.cls, *FLASK_CACHES)
    return made.type_name in FLASK_CACHES


def _of_flask(call: form.Call, scope: Scope, gathered: Gathered) -> Backend:
    """By the mapping it is given, now or in `init_app`, or else by the application's configuration."""
    production = gathered.production
    stated = [(c, scope) for c in (call.argument(2, "config"),) if c is not None]
    made = gathered.project.infer(call, scope)
    for later, around in gathered.project.calls_named("init_app"):
        owner = later.func.value if isinstance(later.func, form.Attr) else None
        given = later.argument(1, "config")
        target = gathered.project.infer(owner, around) if owner is not None and given is not None else None
        if isinstance(target, Instance) and isinstance(made, Instance) and target.origin is made.origin:
            stated += [(given, around)] if given is not None else []
    near = scope.module.path
    for node, around in stated:
        kinds = production.item(node, around, _TYPE)
        if kinds.found:
            times = production.item(node, around, "CACHE_DEFAULT_TIMEOUT").found
            is_endless = bool(times) and all(m.value == 0 for m in times)
            return Backend(_FLASK, "", node, around, any_of(map(_flask_store, kinds.found)), is_endless)
    found = production.setting(_TYPE, _FLASK_CONFIG, near)
    times = production.setting("CACHE_DEFAULT_TIMEOUT", _FLASK_CONFIG, near) or ()
    is_endless = bool(times) and all(m.value == 0 for m in times)
    if found:
        store = any_of(map(_flask_store, found))
    else:
        can_tell = not stated and production.is_set_in(_FLASK_CONFIG, near) and _is_said_nowhere(gathered.project)
        store = CacheStore.NOWHERE if can_tell else CacheStore.UNKNOWN
    said = "no setting says where Flask-Caching keeps entries, so it keeps none" if not found else None
    place = production.place_of(_TYPE, _FLASK_CONFIG, near) if found else None
    shown = said if store is CacheStore.NOWHERE else None
    return Backend(_FLASK, "", call, scope, store, is_endless, shown, stated=place)


def _is_said_nowhere(project: Project) -> bool:
    """Whether nothing that can't be followed may say of which type the cache is."""
    if any(True for _ in project.calls_named(*_LOADING)):
        return False
    return not any(
        any(isinstance(text, form.Const) and text.value == _TYPE for text, _ in module.texts)
        or any(_TYPE in scope.bindings for scope in module.scopes)
        for module in project.modules.values()
    )


def _flask_store(meaning: Meaning) -> CacheStore:
    text = last_part(meaning.value).lower().removesuffix("cache") if isinstance(meaning.value, str) else "?"
    return store_of(meaning, _FLASK_TYPES.get(text))


def _of_aiocache(call: form.Call, scope: Scope, project: Project, production: Production) -> Backend:
    name = last_part(project.qualified_name(call.func, scope) or "")
    if name == "from_url":
        store = _by_text(call.argument(0, "url"), scope, production, _SCHEMES)
    elif name == "Cache":
        given = call.argument(0, "cache_class")
        store = CacheStore.PROCESS if given is None else _by_class(given, scope, project, _CLASSES["aiocache"])
    else:
        store = _CLASSES["aiocache"][name]
    return Backend("aiocache", "", call, scope, store, is_endless=call.keyword("ttl") is None)


def _of_dogpile(call: form.Call, scope: Scope, production: Production) -> Backend | None:
    given = call.argument(0, "backend")
    if given is None:
        return None
    found = production.meanings(given, scope)
    stores = [
        store_of(m, _DOGPILE.get(m.value.removeprefix("dogpile.cache.")) if isinstance(m.value, str) else None)
        for m in found
    ]
    times = [n for n in form.walk(call) if isinstance(n, form.Const) and "expir" in str(n.value)]
    is_endless = call.argument(1, "expiration_time") is None and not times
    return Backend("dogpile.cache", "", call, scope, any_of(stores), is_endless)


def _by_text(
    node: form.Expr | None, scope: Scope, production: Production, schemes: Mapping[str, CacheStore]
) -> CacheStore:
    if node is None:
        return CacheStore.UNKNOWN
    return any_of(
        store_of(m, schemes.get(m.value.partition(":")[0]) if isinstance(m.value, str) else None)
        for m in production.meanings(node, scope)
    )


def _by_class(node: form.Expr | None, scope: Scope, project: Project, classes: Mapping[str, CacheStore]) -> CacheStore:
    if isinstance(node, form.Conditional):
        return any_of(_by_class(part, scope, project, classes) for part in (node.body, node.orelse))
    value = project.infer(node, scope) if node is not None else None
    name = value.name if isinstance(value, External) else value.type_name if isinstance(value, Instance) else ""
    return classes.get(last_part(name), CacheStore.UNKNOWN)


def _is_zero(node: form.Expr | None, scope: Scope, production: Production) -> bool:
    return node is not None and all(m.value == 0 for m in production.meanings(node, scope))
