"""The caches that Django's `CACHES` declares, one an alias.

https://docs.djangoproject.com/en/stable/topics/cache/#setting-up-the-cache
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.caching.operations import Act, CacheCall
from assay.scanner.caching.stores import Backend, any_of, store_of
from assay.scanner.configuration.meanings import Firmness
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import How, Module, Scope
from assay.scanner.model.caching import CacheStore
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

DEFAULT = "default"
_SHARED = (
    "DatabaseCache", "RedisCache", "ValkeyCache", "MemcachedCache", "PyLibMCCache", "PyMemcacheCache",
    "BMemcached", "ElastiCache", "ElastiCacheClient", "RedisClusterCache", "RedisSentinelCache", "MySQLCache",
)  # fmt: skip
_BACKENDS = {
    "LocMemCache": CacheStore.PROCESS,
    "DummyCache": CacheStore.NOWHERE,
    "FileBasedCache": CacheStore.MACHINE,
    "DjangoCache": CacheStore.MACHINE,
    "UWSGICache": CacheStore.MACHINE,
    **dict.fromkeys(_SHARED, CacheStore.SHARED),
}
_SCHEMES = {
    "locmem": CacheStore.PROCESS, "locmemcache": CacheStore.PROCESS, "dummy": CacheStore.NOWHERE,
    "dummycache": CacheStore.NOWHERE, "file": CacheStore.MACHINE, "filecache": CacheStore.MACHINE,
    **dict.fromkeys(("redis", "rediss", "rediscache", "memcache", "pymemcache", "pymemcached", "db", "dbcache"),
                    CacheStore.SHARED),
}  # fmt: skip
_URL_READERS = frozenset({"cache", "cache_url", "config", "parse"})
"""Functions that make a backend of an address in a variable, as `env.cache()` does."""
_UNSET = "no setting says where Django keeps entries, so each process has its own in its memory"
_Sited = tuple[form.Expr, Scope]


def django_backends(gathered: Gathered, calls: Sequence[CacheCall]) -> list[Backend]:
    """Of every site that production runs; what several share counts once."""
    found = {(b.scope.module.path, b.node.start, b.alias): b for b in _all(gathered, calls)}
    return list(found.values())


def _all(gathered: Gathered, calls: Sequence[CacheCall]) -> Iterator[Backend]:
    production = gathered.production
    writing = (c for c in calls if c.library.name == "Django" and c.act in (Act.WRITE, Act.FILL, Act.KEEP))
    used = next((c for c in writing if offline_reason(c.scope) is None), None)
    for site in production.sites:
        stated = production.given(site, "CACHES")
        declared: dict[str, list[_Sited]] = {}
        for node, scope in stated:
            for alias, value in _aliases(node, scope, gathered.project):
                declared.setdefault(alias, []).append(value)
        for alias, value in _set_later(site, stated, production):
            declared[alias] = [value]
        for node, scope in _switched_off(site, stated, production):
            for alias, value in _aliases(node, scope, gathered.project):
                declared.setdefault(alias, []).insert(0, value)
        if not stated and used is not None and not _is_stated_elsewhere(site, gathered.project):
            yield Backend("Django", DEFAULT, used.call, used.scope, CacheStore.PROCESS, said=_UNSET)
        for alias, values in declared.items():
            stores = [s for node, scope in values for s in _stores(node, scope, production)]
            times = [m.value for node, scope in values for m in production.item(node, scope, "TIMEOUT").found]
            is_endless = bool(times) and all(value is None for value in times)
            yield Backend("Django", alias, values[-1][0], values[-1][1], any_of(stores), is_endless)


def _is_stated_elsewhere(site: Module, project: Project) -> bool:
    """Whether a class of settings states it, or code that fills in the module's names."""
    if site.calls_named(("globals", "locals", "vars", "setattr", "include")):
        return True
    return any(
        "CACHES" in scope.bindings for module in project.modules.values() if module.role is not Role.TEST
        for scope in module.scopes
    )  # fmt: skip


def aliases_used(calls: Sequence[CacheCall], gathered: Gathered) -> frozenset[str] | None:
    """The aliases that the code speaks to; None where that can't be told."""
    found: set[str] = set()
    for call in calls:
        if call.library.name == "Django":
            alias = alias_of(call, gathered.project)
            if alias is None:
                return None
            found.add(alias)
    for site in gathered.production.sites:
        for node, _ in gathered.production.listed(site, "MIDDLEWARE"):
            texts = (n.value for n in form.walk(node) if isinstance(n, form.Const))
            if any(isinstance(text, str) and text.endswith("UpdateCacheMiddleware") for text in texts):
                found.add(DEFAULT)
    return frozenset(found)


def alias_of(call: CacheCall, project: Project) -> str | None:
    """Which alias a call speaks to: that of `caches[alias]`, of `cache_page(60, cache=alias)`, or the default one."""
    stated = call.call.keyword("cache")
    if stated is not None:
        return string_value(stated, call.scope, project)
    if project.qualified_name(call.call.func, call.scope) in call.library.functions or call.receiver is None:
        return DEFAULT
    node, scope = call.receiver, call.scope
    for _ in range(3):  # a name for a name is as far as anybody goes
        if isinstance(node, form.Subscript):
            return string_value(node.index, scope, project)
        known = definitions(node, scope, project)
        if len(known) != 1:
            break
        node, scope = known[0]
    return DEFAULT if project.qualified_name(node, scope) == "django.core.cache.cache" else None


def _aliases(node: form.Expr, scope: Scope, project: Project) -> Iterator[tuple[str, _Sited]]:
    match node:
        case form.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                alias = string_value(key, scope, project) if key is not None else None
                if alias is not None:
                    yield alias, (value, scope)
        case form.Conditional(body=body, orelse=orelse):
            yield from _aliases(body, scope, project)
            yield from _aliases(orelse, scope, project)
        case form.Name() | form.Attr():
            for found, around in definitions(node, scope, project):
                if isinstance(found, form.Dict):
                    yield from _aliases(found, around, project)


def _set_later(site: Module, stated: Sequence[_Sited], production: Production) -> Iterator[tuple[str, _Sited]]:
    """`CACHES["default"] = {...}`, `CACHES["default"]["BACKEND"] = "..."`, `CACHES["default"].update({...})`."""
    for module in dict.fromkeys([site, *(scope.module for _, scope in stated)]):
        for assign, scope in module.assignments:
            for target in assign.targets:
                value = assign.value
                alias = _alias(target)
                if alias is None and isinstance(target, form.Subscript) and _is_backend(target.index):
                    alias = _alias(target.value)
                    value = None if value is None else _only_backend(target.index, value)
                if alias is not None and value is not None and production.taken(assign, scope).truth is True:
                    yield alias, (value, scope)
        for call, scope in module.calls_named(("update",)):
            alias = _alias(call.func.value) if isinstance(call.func, form.Attr) else None
            made = call.argument(0, "other")
            is_backend = isinstance(made, form.Dict) and any(_is_backend(key) for key in made.keys)
            if alias is not None and made is not None and is_backend and production.taken(call, scope).truth is True:
                yield alias, (made, scope)


def _alias(node: form.Expr) -> str | None:
    """The alias of `CACHES["default"]`."""
    match node:
        case form.Subscript(value=form.Name(id="CACHES"), index=form.Const(value=str() as alias)):
            return alias
    return None


def _is_backend(key: form.Expr | None) -> bool:
    return isinstance(key, form.Const) and key.value == "BACKEND"


def _only_backend(key: form.Expr, value: form.Expr) -> form.Expr:
    """A cache of which only the backend is said."""
    return form.Dict(start=value.start, end=value.end, keys=[key], values=[value])


def _switched_off(site: Module, stated: Sequence[_Sited], production: Production) -> Iterator[_Sited]:
    """What is given where a variable is set that nobody has to set."""
    for module in dict.fromkeys([site, *(scope.module for _, scope in stated)]):
        for binding in module.scope.bindings.get("CACHES", ()):
            if binding.value is not None and binding.how is How.ASSIGN:
                taken = production.taken(binding.value, binding.scope)
                if taken.truth is False and taken.firmness is Firmness.DEFAULT:
                    yield binding.value, binding.scope


def _stores(node: form.Expr, scope: Scope, production: Production) -> Iterator[CacheStore]:
    if isinstance(node, form.Conditional):
        for meaning in production.meanings(node.test, scope):
            if meaning.value is not False:
                yield from _stores(node.body, scope, production)
            if meaning.value is not True:
                yield from _stores(node.orelse, scope, production)
    elif isinstance(node, form.Call) and last_name(node.func) in _URL_READERS:
        yield _of_url_reader(node, scope, production)
    else:
        items = production.item(node, scope, "BACKEND")
        for meaning in items.found:
            text = meaning.value if isinstance(meaning.value, str) else ""
            yield store_of(meaning, _BACKENDS.get(last_part(text)))
        if items.is_open and not items.found:
            yield CacheStore.UNKNOWN


def _of_url_reader(call: form.Call, scope: Scope, production: Production) -> CacheStore:
    """By the address that `env.cache("CACHE_URL", default="locmemcache://")` falls back on."""
    default = call.keyword("default") or next(iter(call.positional[1:]), None)
    for meaning in production.meanings(default, scope) if default is not None else ():
        scheme = meaning.value.partition("://")[0] if isinstance(meaning.value, str) else ""
        store = _SCHEMES.get(scheme.partition("+")[0], CacheStore.UNKNOWN)
        if store not in (CacheStore.SHARED, CacheStore.UNKNOWN):
            return CacheStore.CONFIGURED
    return CacheStore.UNKNOWN
