"""What the libraries of caches are told to do: who writes, reads and deletes, under which key, and for how long.

https://docs.djangoproject.com/en/stable/topics/cache/, https://flask-caching.readthedocs.io,
https://redis.readthedocs.io, https://aiocache.aio-libs.org, https://github.com/Krukov/cashews,
https://github.com/long2ice/fastapi-cache, https://dogpilecache.sqlalchemy.org, https://cachelib.readthedocs.io
"""

from __future__ import annotations

from collections.abc import Mapping

from assay.scanner.caching.acts import Act, Argument, CacheLibrary, Lasting, Operation


def _first(name: str = "key") -> Argument:
    return Argument(0, name)


def _dictlike(name: str, position: int = 2, without: Lasting = Lasting.DEFAULT) -> dict[str, Operation]:
    """`get`, `set`, `add`, `delete` and the like, with a time of that name."""
    time, times = (Argument(position, name),), (Argument(1, name),)
    value = Argument(1, "value")
    return {
        "get": Operation(Act.READ, _first()),
        "get_many": Operation(Act.READ, _first("keys"), is_many=True),
        "set": Operation(Act.WRITE, _first(), time, without, value=value),
        "add": Operation(Act.WRITE, _first(), time, without, value=value),
        "set_many": Operation(Act.WRITE, _first("data"), times, without, is_many=True),
        "delete": Operation(Act.DELETE, _first()),
        "delete_many": Operation(Act.DELETE, _first("keys"), is_many=True),
        "clear": Operation(Act.CLEAR),
    }


def _awaited(methods: Mapping[str, Operation]) -> dict[str, Operation]:
    """With the asynchronous twins that Django names `aget`, `aset`."""
    return {**methods, **{f"a{name}": operation for name, operation in methods.items()}}


_DJANGO = CacheLibrary(
    "Django",
    frozenset({"django"}),
    frozenset(
        {
            "django.core.cache.cache",
            "django.core.cache.caches",
            "django.core.cache.caches.create_connection",
            "django.core.cache.BaseCache",
            "django.core.cache.backends.base.BaseCache",
            "django.core.cache.backends.redis.RedisCache",
            "django.core.cache.backends.locmem.LocMemCache",
            "django_redis.cache.RedisCache",
        }
    ),
    _awaited(
        {
            **_dictlike("timeout"),
            "get_or_set": Operation(Act.FILL, _first(), (Argument(2, "timeout"),), value=Argument(1, "default")),
            "touch": Operation(Act.RENEW, _first(), (Argument(1, "timeout"),)),
            "expire": Operation(Act.RENEW, _first(), (Argument(1, "timeout"),)),
            "persist": Operation(Act.RENEW, _first(), (), Lasting.FOREVER),
            "delete_pattern": Operation(Act.CLEAR, _first("pattern")),
        }
    ),
    {
        "django.views.decorators.cache.cache_page": Operation(Act.KEEP, None, (_first("timeout"),)),
        "rest_framework_extensions.cache.decorators.cache_response": Operation(
            Act.KEEP, Argument(None, "key_func"), (_first("timeout"),)
        ),
    },
    none=Lasting.FOREVER,
    zero=Lasting.NO_TIME,
)
_FLASK = CacheLibrary(
    "Flask-Caching",
    frozenset({"flask_caching", "flask_cache"}),
    frozenset({"flask_caching.Cache", "flask_cache.Cache"}),
    {
        **_dictlike("timeout"),
        "cached": Operation(Act.KEEP, Argument(1, "key_prefix"), (_first("timeout"),)),
        "memoize": Operation(Act.KEEP, None, (_first("timeout"),)),
        "delete_memoized": Operation(Act.DELETE),
        "delete_memoized_verhash": Operation(Act.DELETE),
    },
    {},
    none=Lasting.DEFAULT,
    zero=Lasting.FOREVER,
)
_CACHELIB = CacheLibrary(
    "cachelib",
    frozenset({"cachelib"}),
    frozenset(),
    _dictlike("timeout"),
    {},
    none=Lasting.DEFAULT,
    zero=Lasting.FOREVER,
)
_AIOCACHE = CacheLibrary(
    "aiocache",
    frozenset({"aiocache"}),
    frozenset(),
    {
        **_dictlike("ttl"),
        "multi_get": Operation(Act.READ, _first("keys"), is_many=True),
        "multi_set": Operation(Act.WRITE, _first("pairs"), (Argument(1, "ttl"),), is_many=True),
        "expire": Operation(Act.RENEW, _first(), (Argument(1, "ttl"),)),
    },
    {
        "aiocache.cached": Operation(Act.KEEP, Argument(None, "key"), (_first("ttl"),)),
        "aiocache.cached_stampede": Operation(Act.KEEP, Argument(None, "key"), (Argument(1, "ttl"),)),
        "aiocache.multi_cached": Operation(Act.KEEP, _first("keys_from_attr"), (Argument(None, "ttl"),)),
    },
    none=Lasting.FOREVER,
    zero=Lasting.FOREVER,
)
_CASHEWS = CacheLibrary(
    "cashews",
    frozenset({"cashews"}),
    frozenset({"cashews.cache", "cashews.Cache", "cashews.wrapper.Cache"}),
    {
        "get": Operation(Act.READ, _first()),
        "set": Operation(Act.WRITE, _first(), (Argument(2, "expire"),), Lasting.FOREVER, value=Argument(1, "value")),
        "set_many": Operation(Act.WRITE, _first("pairs"), (Argument(1, "expire"),), Lasting.FOREVER, is_many=True),
        "get_or_set": Operation(Act.FILL, _first(), (Argument(2, "expire"),), Lasting.FOREVER),
        "expire": Operation(Act.RENEW, _first(), (Argument(1, "timeout"),)),
        "delete": Operation(Act.DELETE, _first()),
        "delete_many": Operation(Act.DELETE, _first("keys"), is_many=True),
        "delete_match": Operation(Act.CLEAR, _first("pattern")),
        "delete_tags": Operation(Act.CLEAR, _first("tags")),
        "invalidate": Operation(Act.CLEAR, _first("target")),
        "clear": Operation(Act.CLEAR),
        "early": Operation(Act.KEEP, Argument(None, "key"), (_first("ttl"),)),
        "soft": Operation(Act.KEEP, Argument(None, "key"), (_first("ttl"),)),
        "hit": Operation(Act.KEEP, Argument(None, "key"), (_first("ttl"),)),
    },
    {
        "cashews.cache": Operation(Act.KEEP, Argument(None, "key"), (_first("ttl"),)),
        "cashews.Cache.__call__": Operation(Act.KEEP, Argument(None, "key"), (_first("ttl"),)),
    },
    none=Lasting.FOREVER,
    zero=Lasting.NO_TIME,
)
_FASTAPI_CACHE = CacheLibrary(
    "fastapi-cache",
    frozenset({"fastapi_cache"}),
    frozenset({"fastapi_cache.FastAPICache", "fastapi_cache.FastAPICache.get_backend"}),
    {
        "get": Operation(Act.READ, _first()),
        "set": Operation(Act.WRITE, _first(), (Argument(2, "expire"),), Lasting.FOREVER, value=Argument(1, "value")),
        "clear": Operation(Act.CLEAR, Argument(0, "namespace")),
    },
    {
        "fastapi_cache.decorator.cache": Operation(Act.KEEP, Argument(3, "key_builder"), (_first("expire"),)),
    },
    none=Lasting.DEFAULT,
    zero=Lasting.NO_TIME,
)
_DOGPILE = CacheLibrary(
    "dogpile.cache",
    frozenset({"dogpile"}),
    frozenset(),
    {
        "get": Operation(Act.READ, _first()),
        "get_multi": Operation(Act.READ, _first("keys"), is_many=True),
        "set": Operation(Act.WRITE, _first(), value=Argument(1, "value")),
        "set_multi": Operation(Act.WRITE, _first("mapping"), is_many=True),
        "get_or_create": Operation(Act.FILL, _first(), (Argument(2, "expiration_time"),), value=Argument(1, "creator")),
        "cache_on_arguments": Operation(Act.KEEP, Argument(0, "namespace"), (Argument(1, "expiration_time"),)),
        "cache_multi_on_arguments": Operation(Act.KEEP, Argument(0, "namespace"), (Argument(1, "expiration_time"),)),
        "delete": Operation(Act.DELETE, _first()),
        "delete_multi": Operation(Act.DELETE, _first("keys"), is_many=True),
        "invalidate": Operation(Act.CLEAR),
    },
    {},
    none=Lasting.DEFAULT,
    zero=Lasting.NO_TIME,
)
_TIMES_OF_SET = (
    Argument(2, "ex"), Argument(3, "px"), Argument(None, "exat"), Argument(None, "pxat"), Argument(None, "keepttl"),
    Argument(None, "expire"), Argument(None, "pexpire"),
)  # fmt: skip
_NAMED, _VALUE = _first("name"), Argument(1, "value")
REDIS = CacheLibrary(
    "Redis",
    frozenset({"redis", "aioredis", "valkey", "coredis", "flask_redis", "fakeredis", "django_redis", "django_valkey"}),
    frozenset(),
    {
        "get": Operation(Act.READ, _NAMED),
        "mget": Operation(Act.READ, _first("keys"), is_many=True),
        "hget": Operation(Act.READ, _NAMED),
        "hgetall": Operation(Act.READ, _NAMED),
        "hmget": Operation(Act.READ, _NAMED),
        "exists": Operation(Act.READ, _NAMED),
        "set": Operation(Act.WRITE, _NAMED, _TIMES_OF_SET, Lasting.FOREVER, value=_VALUE),
        "setex": Operation(Act.WRITE, _NAMED, (Argument(1, "time"),), value=Argument(2, "value")),
        "psetex": Operation(Act.WRITE, _NAMED, (Argument(1, "time_ms"),), value=Argument(2, "value")),
        "mset": Operation(Act.WRITE, _first("mapping"), (), Lasting.FOREVER, is_many=True),
        "hset": Operation(Act.WRITE, _NAMED, (), Lasting.FOREVER, value=Argument(2, "value")),
        "hmset": Operation(Act.WRITE, _NAMED, (), Lasting.FOREVER, value=Argument(1, "mapping")),
        "getex": Operation(Act.RENEW, _NAMED, (Argument(None, "ex"), Argument(None, "px"), Argument(None, "exat"))),
        "expire": Operation(Act.RENEW, _NAMED, (Argument(1, "time"),)),
        "pexpire": Operation(Act.RENEW, _NAMED, (Argument(1, "time"),)),
        "expireat": Operation(Act.RENEW, _NAMED, (Argument(1, "when"),)),
        "pexpireat": Operation(Act.RENEW, _NAMED, (Argument(1, "when"),)),
        "delete": Operation(Act.DELETE, _NAMED),
        "unlink": Operation(Act.DELETE, _NAMED),
        "hdel": Operation(Act.DELETE, _NAMED),
        "getdel": Operation(Act.DELETE, _NAMED),
        "flushdb": Operation(Act.CLEAR),
        "flushall": Operation(Act.CLEAR),
    },
    {},
    none=Lasting.FOREVER,
    zero=Lasting.NO_TIME,
    is_store=True,
)
_MEMCACHED = CacheLibrary(
    "Memcached",
    frozenset({"pymemcache", "memcache", "pylibmc", "aiomcache", "bmemcached", "emcache"}),
    frozenset(),
    {**_dictlike("expire", without=Lasting.FOREVER), "flush_all": Operation(Act.CLEAR)},
    {},
    none=Lasting.NO_TIME,
    zero=Lasting.FOREVER,
)
_DISKCACHE = CacheLibrary(
    "DiskCache",
    frozenset({"diskcache"}),
    frozenset(),
    {
        **_dictlike("expire", without=Lasting.FOREVER),
        "memoize": Operation(Act.KEEP, None, (Argument(2, "expire"),), Lasting.FOREVER),
        "touch": Operation(Act.RENEW, _first(), (Argument(1, "expire"),)),
        "evict": Operation(Act.CLEAR, _first("tag")),
    },
    {},
    none=Lasting.FOREVER,
    zero=Lasting.NO_TIME,
)
LIBRARIES = (
    _DJANGO, _FLASK, _CACHELIB, _AIOCACHE, _CASHEWS, _FASTAPI_CACHE, _DOGPILE, REDIS, _MEMCACHED, _DISKCACHE,
)  # fmt: skip
