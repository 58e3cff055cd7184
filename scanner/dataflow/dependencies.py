"""Which calls leave the process for a datastore, a cache, a broker or another service, and what they do there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.dataflow.reachability import CallGraph
from assay.scanner.linker.library_types import result_of_call
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Literal, Value
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

HEALTH_DEPTH = 3
"""Calls through functions of the project that a health check's handler is followed."""
_SERVICE_DEPTH = 6
"""The same for ordinary handlers, where services and repositories stand between them and the datastore."""


def words(text: str) -> frozenset[str]:
    """A lexicon written as running text."""
    return frozenset(text.split())


class System(StrEnum):
    """What is outside the process, in words."""

    SQL = "the SQL database"
    DOCUMENTS = "the document database"
    SEARCH = "the search engine"
    REDIS = "Redis"
    CACHE = "the cache"
    BROKER = "the message broker"
    REMOTE = "another service"

    @property
    def is_datastore(self) -> bool:
        """The service's own data live there."""
        return self in (System.SQL, System.DOCUMENTS, System.SEARCH, System.REDIS)


class Act(StrEnum):
    """What a call does there."""

    ASK = "asks"
    OPEN = "opens a session of"
    """Lazily: SQLAlchemy's session connects with its first statement."""
    WRITE = "writes to"
    TRY_WRITE = "writes a fixed key to"
    ENQUEUE = "enqueues to"
    READ_ALL = "reads a whole table of"


@dataclass(frozen=True, slots=True, eq=False)
class Touch:
    """One call (or injected parameter) that reaches another system.

    `via` is the chain of project functions from the handler's callee to the one that holds the call. `library` is the
    dotted name of what is called, empty where only the receiver's name tells. `injected` is set where the framework
    makes the call before the handler runs. `waits` means that the call has no time limit unless somebody sets one.
    """

    node: form.Node
    scope: Scope
    system: System
    act: Act
    evidence: Evidence
    library: str = ""
    via: tuple[FunctionSymbol, ...] = ()
    injected: bool = False
    waits: bool = False


_SQL_VERBS = words(
    """connect execute executemany executescript exec scalar scalars scalar_one fetch fetchrow fetchval fetchone
    fetchall fetchmany fetch_one fetch_all fetch_val query get first one one_or_none count exists aggregate ping
    raw_connection begin acquire getconn run_sync ensure_connection cursor is_usable iterator last get_or_404
    first_or_404 one_or_404 paginate stream refresh all add add_all delete merge save create update insert
    get_or_create update_or_create bulk_create bulk_update bulk_save_objects bulk_insert_mappings insert_many filter
    filter_by get_or_none select callproc copy_from commit asave acreate aget afirst acount aexists earliest latest"""
)
_DOCUMENT_VERBS = words(
    """command find find_one find_all aggregate count_documents estimated_document_count server_info ping get
    list_database_names list_collection_names insert_one insert_many insert update_one update_many delete_one
    delete_many replace_one save delete create run execute verify_connectivity objects first to_list count
    find_one_and_update put_item get_item scan"""
)
_SEARCH_VERBS = words("ping info search health index bulk count get delete exists")
_BROKER_VERBS = words(
    """send_task delay apply_async apply enqueue enqueue_call enqueue_at enqueue_in enqueue_job publish basic_publish
    produce send send_message send_and_wait ping inspect stats active registered ensure_connection connect
    connect_robust list_topics partitions_for connection broker_connection connection_for_read connection_for_write
    drain_events start bootstrap_connected BlockingConnection KafkaProducer KafkaConsumer"""
)
_HTTP_VERBS = words("get post put patch delete head options request send stream ws_connect")
_REMOTE_VERBS = _HTTP_VERBS | words(
    """urlopen create_connection connect result login bind simple_bind_s head_bucket list_buckets get_object put_object
    describe_table get_queue_attributes list_queues getresponse open_connection SMTP SMTP_SSL list_tables
    upload_file generate_content create invoke"""
)
_REDIS_NOT_IO = words("pipeline lock pubsub register_script StrictRedis Redis from_url ConnectionPool")

_LIBRARIES: tuple[tuple[str, System, frozenset[str]], ...] = (
    ("sqlalchemy.Engine", System.SQL, _SQL_VERBS),
    ("sqlalchemy.Connection", System.SQL, _SQL_VERBS),
    ("sqlalchemy.orm.Session", System.SQL, _SQL_VERBS),
    ("sqlalchemy.orm.scoped_session", System.SQL, _SQL_VERBS),
    ("sqlalchemy.orm.sessionmaker.begin", System.SQL, _SQL_VERBS),
    ("sqlalchemy.orm.Query", System.SQL, _SQL_VERBS),
    ("flask_sqlalchemy", System.SQL, _SQL_VERBS),
    ("flask_sqlalchemy_lite", System.SQL, _SQL_VERBS),
    ("alchemical", System.SQL, _SQL_VERBS),
    ("databases.Database", System.SQL, _SQL_VERBS),
    ("dbapi", System.SQL, _SQL_VERBS),
    ("asyncpg", System.SQL, _SQL_VERBS),
    ("django.db.connection", System.SQL, _SQL_VERBS),
    ("django.db.connections", System.SQL, _SQL_VERBS),
    ("django.db.models.Model", System.SQL, _SQL_VERBS),
    ("django.db.models.Manager", System.SQL, _SQL_VERBS),
    ("django.db.models.QuerySet", System.SQL, _SQL_VERBS),
    ("django.db.models.manager", System.SQL, _SQL_VERBS),
    ("django.db.models.query", System.SQL, _SQL_VERBS),
    ("peewee", System.SQL, _SQL_VERBS),
    ("playhouse", System.SQL, _SQL_VERBS),
    ("tortoise", System.SQL, _SQL_VERBS),
    ("ormar", System.SQL, _SQL_VERBS),
    ("pymongo", System.DOCUMENTS, _DOCUMENT_VERBS),
    ("motor", System.DOCUMENTS, _DOCUMENT_VERBS),
    ("flask_pymongo", System.DOCUMENTS, _DOCUMENT_VERBS),
    ("mongoengine", System.DOCUMENTS, _DOCUMENT_VERBS),
    ("beanie", System.DOCUMENTS, _DOCUMENT_VERBS),
    ("cassandra", System.DOCUMENTS, _DOCUMENT_VERBS),
    ("neo4j", System.DOCUMENTS, _DOCUMENT_VERBS),
    ("elasticsearch", System.SEARCH, _SEARCH_VERBS),
    ("elasticsearch_dsl", System.SEARCH, _SEARCH_VERBS),
    ("opensearchpy", System.SEARCH, _SEARCH_VERBS),
    ("celery", System.BROKER, _BROKER_VERBS),
    ("kombu", System.BROKER, _BROKER_VERBS),
    ("pika", System.BROKER, _BROKER_VERBS),
    ("aio_pika", System.BROKER, _BROKER_VERBS),
    ("kafka", System.BROKER, _BROKER_VERBS),
    ("aiokafka", System.BROKER, _BROKER_VERBS),
    ("confluent_kafka", System.BROKER, _BROKER_VERBS),
    ("nats", System.BROKER, _BROKER_VERBS),
    ("dramatiq", System.BROKER, _BROKER_VERBS),
    ("rq", System.BROKER, _BROKER_VERBS),
    ("arq", System.BROKER, _BROKER_VERBS),
    ("huey", System.BROKER, _BROKER_VERBS),
    ("requests", System.REMOTE, _HTTP_VERBS),
    ("httpx", System.REMOTE, _HTTP_VERBS),
    ("aiohttp.ClientSession", System.REMOTE, _HTTP_VERBS),
    ("aiohttp.request", System.REMOTE, _HTTP_VERBS),
    ("urllib.request", System.REMOTE, _REMOTE_VERBS),
    ("urllib3", System.REMOTE, _REMOTE_VERBS),
    ("http.client", System.REMOTE, _REMOTE_VERBS),
    ("socket", System.REMOTE, _REMOTE_VERBS),
    ("asyncio.open_connection", System.REMOTE, _REMOTE_VERBS),
    ("grpc.channel_ready_future", System.REMOTE, _REMOTE_VERBS),
    ("boto3", System.REMOTE, _REMOTE_VERBS),
    ("smtplib", System.REMOTE, _REMOTE_VERBS),
    ("ldap", System.REMOTE, _REMOTE_VERBS),
    ("ldap3", System.REMOTE, _REMOTE_VERBS),
    ("openai", System.REMOTE, _REMOTE_VERBS),
)
_CACHES = frozenset({"pymemcache", "pylibmc", "memcache", "aiocache", "flask_caching", "django_redis", "cachelib"})
_REDIS = frozenset({"redis", "aioredis", "valkey", "flask_redis", "aredis"})
_SESSION_FACTORIES = frozenset({"sqlalchemy.orm.sessionmaker", "sqlalchemy.orm.scoped_session"})
_SESSIONS = words(
    """sqlalchemy.orm.Session sqlalchemy.orm.scoped_session sqlalchemy.Connection dbapi.Connection dbapi.Cursor
    asyncpg.Connection"""
)
_DJANGO_LOOKUPS = frozenset({"django.shortcuts.get_object_or_404", "django.shortcuts.get_list_or_404"})
_EXCEPTION_HOMES = {
    "sqlalchemy": System.SQL, "sqlmodel": System.SQL, "psycopg": System.SQL, "psycopg2": System.SQL,
    "asyncpg": System.SQL, "pymysql": System.SQL, "MySQLdb": System.SQL, "sqlite3": System.SQL, "peewee": System.SQL,
    "tortoise": System.SQL, "django": System.SQL, "dbapi": System.SQL, "databases": System.SQL, "aiomysql": System.SQL,
    "aiosqlite": System.SQL, "aiopg": System.SQL, "pyodbc": System.SQL, "oracledb": System.SQL,
    "pymongo": System.DOCUMENTS, "mongoengine": System.DOCUMENTS, "neo4j": System.DOCUMENTS,
    "cassandra": System.DOCUMENTS, "elasticsearch": System.SEARCH, "opensearchpy": System.SEARCH,
    "redis": System.REDIS, "aioredis": System.REDIS, "valkey": System.REDIS, "kombu": System.BROKER,
    "celery": System.BROKER, "pika": System.BROKER, "kafka": System.BROKER, "amqp": System.BROKER,
    "requests": System.REMOTE, "httpx": System.REMOTE, "aiohttp": System.REMOTE, "urllib": System.REMOTE,
    "urllib3": System.REMOTE, "socket": System.REMOTE, "botocore": System.REMOTE, "grpc": System.REMOTE,
}  # fmt: skip

_STRONG_SQL = words(
    """execute executemany fetch fetchval fetchone fetchall fetchrow scalar scalars query connect ping cursor acquire
    add commit flush ensure_connection fetch_one fetch_all"""
)
_STRONG_REDIS = words("ping get set setex info delete incr exists hget hset")
_RECEIVERS: tuple[tuple[re.Pattern[str], System, frozenset[str]], ...] = (
    (re.compile(r"(async_?)?(db_?)?(session|conn|connection|cursor)|db|database|engine|cur|(pg_|db_)?pool"),
     System.SQL, _STRONG_SQL),
    (re.compile(r"mongo(_?(db|client))?"), System.DOCUMENTS, _DOCUMENT_VERBS),
    (re.compile(r"redis(_?(client|conn|connection|db|pool))?|rdb"), System.REDIS, _STRONG_REDIS),
    (re.compile(r"(elasticsearch|opensearch|es)(_client)?"), System.SEARCH, _SEARCH_VERBS),
    (re.compile(r"celery(_app)?|broker|rabbit(mq)?|(kafka_)?producer|kafka"), System.BROKER, _BROKER_VERBS),
    (re.compile(r"(http|async|api)_(client|session)"), System.REMOTE, _HTTP_VERBS),
)  # fmt: skip
_OPAQUE_HOSTS = words("fastapi starlette flask quart django aiohttp sanic litestar builtins")
"""Libraries whose objects carry what the application put there: `request.app.state.db`, `g.db`, `app["pool"]`."""
_REQUESTS = frozenset({"request", "req", "kwargs"})
_WRITES = words(
    """add add_all delete merge save create get_or_create update_or_create bulk_create bulk_update update insert
    bulk_save_objects bulk_insert_mappings insert_many insert_one update_one update_many delete_one delete_many
    replace_one find_one_and_update put_item asave acreate put_object upload_file bulk index set setex setnx psetex
    incr incrby decr lpush rpush hset hmset sadd zadd expire flushdb flushall mset getset set_many delete_many touch
    append"""
)
_ENQUEUES = words(
    """send_task delay apply_async enqueue enqueue_call enqueue_at enqueue_in enqueue_job publish basic_publish produce
    send_message send_and_wait xadd"""
)
_WRITING_SQL = re.compile(r"\s*(insert|update|delete|create|drop|alter|truncate|merge|replace)\b", re.IGNORECASE)
_WHOLE_TABLE_SQL = re.compile(r"\s*select\b.*\bfrom\s+(?!information_schema|pg_|alembic_version|dual)", re.I | re.S)
_BOUNDED_SQL = re.compile(r"\b(limit|fetch\s+first|top|where|count\s*\(|exists\s*\(|max\s*\(|min\s*\()", re.I)
_WRITING_STATEMENTS = (
    "sqlalchemy.insert", "sqlalchemy.update", "sqlalchemy.delete", "sqlmodel.insert", "sqlmodel.update",
    "sqlmodel.delete",
)  # fmt: skip
_LISTS_ALL = frozenset({"all", "fetchall", "to_list"})
_CUTS = (".limit", ".filter", ".where", ".filter_by", ".get", ".first", ".paginate", ".slice", ".exclude")


def touch(call: form.Call, scope: Scope, project: Project) -> Touch | None:
    """What the call reaches; None for a call that stays in the process or can't be told."""
    value = None if _hangs_on_request(call.func) else project.infer(call.func, scope)
    if isinstance(value, Instance) and value.cls is None and value.type_name in _SESSION_FACTORIES:
        return _made(call, scope, System.SQL, Act.OPEN, value.type_name)
    if isinstance(value, External):
        found = _of_library(call, value.name, scope, project)
        if found is not None or _top(value.name) not in _OPAQUE_HOSTS:
            return found
    if isinstance(value, ClassSymbol | BoundMethod):
        return None
    if isinstance(call.func, form.Attr) and call.func.attr in ("delay", "apply_async"):
        return _made(call, scope, System.BROKER, Act.ENQUEUE, "")
    return _by_receiver(call, scope, project) if not isinstance(value, FunctionSymbol) else None


def _hangs_on_request(node: form.Expr) -> bool:
    """`request.app.state.db.execute`: a request carries what the application hung on it, and no type tells what."""
    while isinstance(node, form.Attr | form.Subscript | form.Call):
        node = node.func if isinstance(node, form.Call) else node.value
    return isinstance(node, form.Name) and node.id in _REQUESTS


def system_of_exception(name: str) -> System | None:
    """The system whose failures a library's exception reports, by the library."""
    return _EXCEPTION_HOMES.get(_top(name))


def _of_library(call: form.Call, name: str, scope: Scope, project: Project) -> Touch | None:
    verb, made = last_part(name), result_of_call(name)
    if name == "sqlalchemy.orm.Session":
        return _made(call, scope, System.SQL, Act.OPEN, name)
    if made in ("dbapi.Connection", "asyncpg.Connection", "asyncpg.Pool") and not name.startswith("dbapi."):
        return _made(call, scope, System.SQL, Act.ASK, name)
    if name in _DJANGO_LOOKUPS or (name.startswith("django.") and ".objects." in name):
        return _made(call, scope, System.SQL, _act(System.SQL, verb, call, scope, project, name), name)
    system = _system(name, verb)
    if system is None:
        return None
    return _made(call, scope, system, _act(system, verb, call, scope, project, name), name)


def _system(name: str, verb: str) -> System | None:
    package = _top(name)
    if package in _REDIS:
        is_method = name.count(".") > 1 and verb not in _REDIS_NOT_IO and ".exceptions." not in name
        return System.REDIS if is_method and verb[:1].islower() else None
    if (package in _CACHES or name.startswith("django.core.cache.")) and verb[:1].islower() and name.count(".") > 1:
        return System.CACHE
    if ".func." in name or ".Column" in name:
        return None
    for prefix, system, verbs in _LIBRARIES:
        if (name == prefix or name.startswith(prefix + ".")) and verb in verbs:
            return system
    return None


def _by_receiver(call: form.Call, scope: Scope, project: Project) -> Touch | None:
    """Where the receiver can't be resolved, its name and the method's together are telling enough."""
    if not isinstance(call.func, form.Attr):
        return None
    receiver = call.func.value
    if isinstance(receiver, form.Subscript) and isinstance(receiver.index, form.Const):
        name = str(receiver.index.value)
    else:
        name = last_name(receiver) or ""
    name = name.strip("_").lower()
    for pattern, system, verbs in _RECEIVERS:
        if pattern.fullmatch(name) and call.func.attr in verbs:
            return _made(call, scope, system, _act(system, call.func.attr, call, scope, project, ""), "")
    return None


def _made(call: form.Call, scope: Scope, system: System, act: Act, library: str) -> Touch:
    text = f"{act} {system}"
    waits = _top(library) == "requests" and call.keyword("timeout") is None and not call.has_double_star
    return Touch(call, scope, system, act, scope.module.evidence(call, text), library, waits=waits)


def _act(system: System, verb: str, call: form.Call, scope: Scope, project: Project, name: str) -> Act:
    if verb in _ENQUEUES and (system in (System.BROKER, System.REDIS)):
        return Act.ENQUEUE
    if system in (System.REDIS, System.CACHE) and verb in _WRITES:
        return Act.TRY_WRITE if _fixed_key(call, scope, project) else Act.WRITE
    if system in (System.SQL, System.DOCUMENTS, System.SEARCH) and verb in _WRITES and not _is_read(verb, name):
        return Act.WRITE
    if system is System.SQL:
        return _statement_act(verb, call, scope, project, name)
    return Act.ASK


def _is_read(verb: str, name: str) -> bool:
    """`index` and `bulk` write in search engines only; a session's `update` is a dictionary's in disguise."""
    return verb in ("index", "bulk") and not name.startswith(("elasticsearch", "opensearch"))


def _statement_act(verb: str, call: form.Call, scope: Scope, project: Project, name: str) -> Act:
    if verb in _LISTS_ALL and isinstance(call.func, form.Attr):
        return Act.READ_ALL if _lists_everything(name, call.func.value, scope, project) else Act.ASK
    if verb not in ("execute", "exec", "fetch", "fetch_all", "executescript", "executemany") or not call.args:
        return Act.ASK
    sql = _sql_text(call.args[0].value, scope, project)
    if sql is not None and _WRITING_SQL.match(sql):
        return Act.WRITE
    if sql is not None and _WHOLE_TABLE_SQL.match(sql) and not _BOUNDED_SQL.search(sql):
        return Act.READ_ALL
    statement = project.infer(call.args[0].value, scope)
    writes = isinstance(statement, Instance) and statement.type_name.startswith(_WRITING_STATEMENTS)
    return Act.WRITE if writes else Act.ASK


def _lists_everything(name: str, receiver: form.Expr, scope: Scope, project: Project) -> bool:
    """`User.query.all()`, `session.scalars(select(User)).all()`: nothing cuts the rows down."""
    if any(cut in name for cut in _CUTS):
        return False
    if isinstance(receiver, form.Call) and last_name(receiver.func) in ("execute", "scalars", "exec") and receiver.args:
        statement = project.infer(receiver.args[0].value, scope)
        selected = statement.type_name if isinstance(statement, Instance) else ""
        return selected.startswith(("sqlalchemy.select", "sqlmodel.select")) and not any(c in selected for c in _CUTS)
    return name.endswith("query.all") and name.startswith(("sqlalchemy.orm.", "flask_sqlalchemy"))


def _sql_text(node: form.Expr, scope: Scope, project: Project) -> str | None:
    if isinstance(node, form.Call) and last_name(node.func) in ("text", "SQL") and node.args:
        node = node.args[0].value
    return string_value(node, scope, project)


def _fixed_key(call: form.Call, scope: Scope, project: Project) -> bool:
    key = call.argument(0, "key") or call.argument(0, "name")
    return key is not None and string_value(key, scope, project) is not None


def _top(name: str) -> str:
    return name.split(".", 1)[0]


# --- what a function reaches ----------------------------------------------------------------------------------


def touches(function: FunctionSymbol, project: Project, depth: int = HEALTH_DEPTH) -> tuple[Touch, ...]:
    """Everything outside the process that the handler reaches, what the framework injects into it included."""
    return tuple(_touches(function, project, depth, (), {function}, injected=False))


def _touches(
    function: FunctionSymbol,
    project: Project,
    depth: int,
    via: tuple[FunctionSymbol, ...],
    seen: set[FunctionSymbol],
    injected: bool,
) -> Iterator[Touch]:
    yield from _injected_touches(function, project, depth, seen)
    for node in function.walk():
        if isinstance(node, form.Call):
            found = touch(node, function.scope, project)
            if found is not None:
                yield Touch(
                    found.node, found.scope, found.system, found.act, found.evidence, found.library, via, injected,
                    found.waits and not _is_timed(node, function),
                )  # fmt: skip
    if not depth:
        return
    for callee in called_functions(function, project):
        if callee not in seen:
            seen.add(callee)
            yield from _touches(callee, project, depth - 1, (*via, callee), seen, injected)


def _is_timed(call: form.Call, function: FunctionSymbol) -> bool:
    """Whether something around the call bounds the time it takes."""
    timers = ("wait_for", "timeout", "timeout_at", "fail_after", "move_on_after")
    for node in function.walk():
        inside = node.start <= call.start and call.end <= node.end
        if (
            inside
            and isinstance(node, form.With)
            and any(isinstance(i.value, form.Call) and last_name(i.value.func) in timers for i in node.items)
        ):
            return True
        if inside and isinstance(node, form.Call) and node is not call and last_name(node.func) in timers:
            return True
    return False


def _injected_touches(
    function: FunctionSymbol, project: Project, depth: int, seen: set[FunctionSymbol]
) -> Iterator[Touch]:
    for provider, node in injected(function, project):
        if isinstance(node, form.Param):
            place = function.module.location(node)
            value = project.infer(form.Name(start=node.start, end=node.end, id=node.name), function.scope)
            if isinstance(value, Instance) and value.type_name in _SESSIONS:
                text = f"{node.name} is injected: a session of {System.SQL}"
                marker = form.Name(start=node.start, end=node.end, id=node.name)
                yield Touch(marker, function.scope, System.SQL, Act.OPEN, Evidence(place, text), injected=True)
        if provider is not None and provider not in seen and depth:
            seen.add(provider)
            yield from _touches(provider, project, depth - 1, (provider,), seen, injected=True)


def injected(
    function: FunctionSymbol, project: Project
) -> Iterator[tuple[FunctionSymbol | None, form.Param | form.Call]]:
    """The functions that FastAPI calls for a handler's `Depends(...)`: in defaults, annotations and the decorator."""
    for param in function.parameters:
        found = _depends(param.default, function.outer, project) or _annotated_depends(
            param.annotation, function.outer, project
        )
        if found is not None:
            call, scope = found
            provider = call.argument(0, "dependency")
            yield (_provider(provider, scope, project) if provider is not None else None), param
    for decorator in function.decorators:
        listed = decorator.keyword("dependencies") if isinstance(decorator, form.Call) else None
        for item in listed.items if isinstance(listed, form.Display) else ():
            found = _depends(item, function.outer, project)
            if found is not None:
                provider = found[0].argument(0, "dependency")
                yield (_provider(provider, found[1], project) if provider is not None else None), found[0]


def _provider(node: form.Expr, scope: Scope, project: Project) -> FunctionSymbol | None:
    value = project.infer(node, scope)
    if isinstance(value, Instance) and value.cls is not None:
        return project.method(value.cls, "__call__")
    return _function_of(value, project)


def _depends(node: form.Expr | None, scope: Scope, project: Project) -> tuple[form.Call, Scope] | None:
    if not isinstance(node, form.Call):
        return None
    callee = project.infer(node.func, scope)
    name = last_part(callee.name) if isinstance(callee, External) else ""
    return (node, scope) if name in ("Depends", "Security") else None


def _annotated_depends(node: form.Expr | None, scope: Scope, project: Project) -> tuple[form.Call, Scope] | None:
    """`Annotated[Session, Depends(get_db)]`, directly or by the name of an alias."""
    if isinstance(node, form.Subscript):
        items = node.index.items if isinstance(node.index, form.Display) else []
        return next((f for item in items if (f := _depends(item, scope, project)) is not None), None)
    if isinstance(node, form.Name | form.Attr):
        for value, where in definitions(node, scope, project):
            if isinstance(value, form.Subscript):
                return _annotated_depends(value, where, project)
    return None


def called_functions(function: FunctionSymbol, project: Project) -> list[FunctionSymbol]:
    """The project's functions that it calls, hands on to be called, or enters as context managers."""
    found: dict[FunctionSymbol, None] = {}
    for node in function.walk():
        if isinstance(node, form.Call):
            for expression in (node.func, *(a.value for a in node.args)):
                for callee in _functions_in(project.infer(expression, function.scope), project):
                    found[callee] = None
        elif isinstance(node, form.With):
            for item in node.items:
                manager = project.infer(item.value, function.scope)
                if isinstance(manager, Instance) and manager.cls is not None:
                    enter = project.method(manager.cls, "__enter__") or project.method(manager.cls, "__aenter__")
                    if enter is not None:
                        found[enter] = None
        elif isinstance(node, form.For):
            for callee in _functions_in(project.infer(_iterated(node.iter), function.scope), project):
                found[callee] = None
    return list(found)


def _iterated(node: form.Expr) -> form.Expr:
    """The collection that a loop goes through: `checks` of `checks.items()`."""
    match node:
        case form.Call(func=form.Attr(value=collection, attr="items" | "values"), args=[]):
            return collection
    return node


def _functions_in(value: Value | None, project: Project) -> Iterator[FunctionSymbol]:
    function = _function_of(value, project)
    if function is not None:
        yield function
    if isinstance(value, Literal):
        items: Iterable[form.Expr] = ()
        if isinstance(value.node, form.Display):
            items = value.node.items
        elif isinstance(value.node, form.Dict):
            items = value.node.values
        for item in items:
            for part in item.items if isinstance(item, form.Display) else [item]:
                inner = _function_of(project.infer(part, value.scope), project)
                if inner is not None:
                    yield inner


def _function_of(value: Value | None, project: Project) -> FunctionSymbol | None:
    if isinstance(value, BoundMethod):
        return value.function
    if isinstance(value, ClassSymbol):
        return project.method(value, "__init__")
    return value if isinstance(value, FunctionSymbol) else None


# --- what a service can't do without --------------------------------------------------------------------------

_DATABASES = frozenset({System.SQL, System.DOCUMENTS})
_NO_WORK = re.compile(
    r".*(health|ready|readiness|liveness|alive|ping|heartbeat).*|(get_?)?(version|metrics|whereami|favicon|robots(_txt)?|info)"
)
"""Handlers that serve the platform, not the service's clients."""


def hard_dependencies(handlers: Iterable[FunctionSymbol], project: Project) -> tuple[Evidence, ...]:
    """The datastores that more than half of the handlers use, each with the place of one such use."""
    reach = _Reach(project)
    users: dict[System, list[Evidence]] = {}
    working = [h for h in dict.fromkeys(handlers) if not _NO_WORK.fullmatch(h.name.lower())]
    for handler in working:
        for system, place in reach.of(handler).items():
            users.setdefault(system, []).append(place)
    return tuple(
        Evidence(places[0].location, f"{len(places)} of {len(working)} handlers need {system}, as here")
        for system, places in users.items()
        if system.is_datastore and len(places) * 2 > len(working)
    )


class _Reach:
    """Which systems functions reach, each function worked out once."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._graph = CallGraph(project)
        self._own: dict[FunctionSymbol, dict[System, Evidence]] = {}
        self._providers: dict[FunctionSymbol, tuple[FunctionSymbol, ...]] = {}

    def of(self, handler: FunctionSymbol) -> dict[System, Evidence]:
        """Breadth first, so that the nearest use is the one that is shown, and only until a database is met."""
        found: dict[System, Evidence] = {}
        level = {handler: None}
        seen = dict(level)
        for _ in range(_SERVICE_DEPTH):
            for function in level:
                for system, place in self._touches(function).items():
                    found.setdefault(system, place)
            if not found.keys().isdisjoint(_DATABASES):
                break
            level = {c: None for f in level for c in self._callees(f) if c not in seen}
            seen |= level
        return found

    def _touches(self, function: FunctionSymbol) -> dict[System, Evidence]:
        if function not in self._own:
            mine = self._own[function] = {}
            found_here = list(_touches(function, self._project, 0, (), {function}, injected=False))
            for found in sorted(found_here, key=lambda t: t.act is Act.OPEN):
                mine.setdefault(found.system, found.evidence)
        return self._own[function]

    def _callees(self, function: FunctionSymbol) -> tuple[FunctionSymbol, ...]:
        if function not in self._providers:
            self._providers[function] = tuple(p for p, _ in injected(function, self._project) if p is not None)
        return self._providers[function] + self._graph.callees(function)
