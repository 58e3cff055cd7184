"""What is opened on the way up, and whether something on the way down closes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.lifetimes.phases import Part, on_leaving, phases_of, reached
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.resource import Ending, HeldResource, ResourceKind
from assay.scanner.readers.python import form

_TASKS = frozenset({"create_task", "ensure_future"})
_OPENING: Mapping[str, tuple[ResourceKind, str]] = {
    "apscheduler.schedulers.asyncio.AsyncIOScheduler": (ResourceKind.SCHEDULER, "shutdown()"),
    "apscheduler.schedulers.background.BackgroundScheduler": (ResourceKind.SCHEDULER, "shutdown()"),
    "aiokafka.AIOKafkaProducer": (ResourceKind.PRODUCER, "await stop()"),
    "aiokafka.AIOKafkaConsumer": (ResourceKind.CONSUMER, "await stop()"),
    "confluent_kafka.Producer": (ResourceKind.PRODUCER, "flush()"),
    "kafka.KafkaProducer": (ResourceKind.PRODUCER, "close()"),
    "aio_pika.connect": (ResourceKind.CLIENT, "await close()"),
    "aio_pika.connect_robust": (ResourceKind.CLIENT, "await close()"),
    "nats.connect": (ResourceKind.CLIENT, "await drain()"),
    "httpx.AsyncClient": (ResourceKind.CLIENT, "await aclose()"),
    "aiohttp.ClientSession": (ResourceKind.CLIENT, "await close()"),
    "elasticsearch.AsyncElasticsearch": (ResourceKind.CLIENT, "await close()"),
    "opensearchpy.AsyncOpenSearch": (ResourceKind.CLIENT, "await close()"),
    "redis.asyncio.Redis": (ResourceKind.POOL, "await aclose()"),
    "redis.asyncio.from_url": (ResourceKind.POOL, "await aclose()"),
    "redis.asyncio.Redis.from_url": (ResourceKind.POOL, "await aclose()"),
    "aioredis.from_url": (ResourceKind.POOL, "await close()"),
    "aioredis.create_pool": (ResourceKind.POOL, "close()"),
    "aioredis.create_redis_pool": (ResourceKind.POOL, "close()"),
    "asyncpg.create_pool": (ResourceKind.POOL, "await close()"),
    "aiopg.create_pool": (ResourceKind.POOL, "close()"),
    "aiopg.sa.create_engine": (ResourceKind.POOL, "close()"),
    "aiomysql.create_pool": (ResourceKind.POOL, "close()"),
    "psycopg_pool.AsyncConnectionPool": (ResourceKind.POOL, "await close()"),
    "sqlalchemy.ext.asyncio.create_async_engine": (ResourceKind.POOL, "await dispose()"),
    "arq.create_pool": (ResourceKind.POOL, "await aclose()"),
    "databases.Database": (ResourceKind.POOL, "await disconnect()"),
    "prisma.Prisma": (ResourceKind.CLIENT, "await disconnect()"),
    "broadcaster.Broadcast": (ResourceKind.CLIENT, "await disconnect()"),
    "motor.motor_asyncio.AsyncIOMotorClient": (ResourceKind.CLIENT, "close()"),
    "pymongo.AsyncMongoClient": (ResourceKind.CLIENT, "await close()"),
}
"""What opens one, by qualified name, and how it is ended."""
_CLOSING = frozenset(
    {
        "close", "aclose", "dispose", "shutdown", "stop", "disconnect", "cancel", "flush", "wait_closed", "drain",
        "terminate", "join", "cleanup", "force_flush", "close_all", "close_connections", "set", "quit",
        "aexit", "__aexit__", "close_pool", "gather", "wait",
    }
)  # fmt: skip
_BEGUN_BY = frozenset({"start", "connect"})
_CONNECTED = (".Database", ".Prisma", ".Broadcast")
"""Types that open by `connect`, not when they are made."""
_BEGUN = (*_CONNECTED, "Scheduler", "Producer", "Consumer")
"""Types that open by a call of their own."""
_HANDED = frozenset({"push_async_callback", "callback", "register", "push", "push_async_exit", "enter_async_context"})
"""Calls that are handed what closes it: of exit stacks, and of `atexit`."""
_TELLING = ("close", "stop", "shut", "dispose", "cancel", "disconnect", "clean", "teardown", "destroy")
"""Beginnings of names for functions that end something."""


@dataclass(frozen=True, slots=True)
class _Opened:
    call: form.Call
    function: FunctionSymbol
    kind: ResourceKind
    how: str
    names: frozenset[str]
    is_scoped: bool
    is_stored: bool = False
    """It is kept outside of the function's own variables, or returned."""
    is_given: bool = False
    """It is handed to a call."""
    is_returned: bool = False


def held_resources(project: Project) -> Iterator[HeldResource]:
    """Those of all asynchronous servers of the project, in order of path and position."""
    phases = phases_of(project)
    if phases is None:
        return
    up = list(reached(phases.starting, project))
    down = list(reached((*phases.stopping, *on_leaving(up, project)), project))
    closing = [(part, n) for part in down for n in part.nodes if isinstance(n, form.Call) and _closes(n)]
    handed = _handed_to_stacks(up)
    ordinals = Ordinals()
    found = sorted(_opened(up, project), key=lambda o: (o.function.module.path, o.call.start))
    for opened in found:
        if not _is_kept(opened):
            continue
        module, name = opened.function.module, around(opened.function.scope)
        ending, proof = _ending(opened, closing, handed)
        what = next(iter(sorted(opened.names)), "") or last_name(opened.call.func) or ""
        yield HeldResource(
            function=name,
            ordinal=ordinals.next(name, opened.kind.value),
            location=module.location(opened.call),
            role=module.role,
            kind=opened.kind,
            what=what,
            how=opened.how,
            ending=ending,
            evidence=(module.evidence(opened.call, "it is opened when the server starts"), *proof),
        )


def _opened(parts: list[Part], project: Project) -> Iterator[_Opened]:
    for part in parts:
        scope = part.function.scope
        scoped = _scoped(part)
        for call in (n for n in part.nodes if isinstance(n, form.Call)):
            name = last_name(call.func) or ""
            if name in _TASKS:
                if _runs_for_ever(call, part.function, project):
                    yield _made(call, part, ResourceKind.TASK, "cancel(), and await it", is_scoped=False)
                continue
            value = project.infer(call.func, scope)
            known = value.name if isinstance(value, External) else ""
            opening = _OPENING.get(known) or _OPENING.get(_public(known))
            if opening is not None:
                made = _made(call, part, *opening, is_scoped=id(call) in scoped)
                yield _with_callers(made, parts, project)
            elif name in _BEGUN_BY and isinstance(call.func, form.Attr):
                yield from _started(call, part, project)


def _scoped(part: Part) -> set[int]:
    """What the part's blocks close, by identity."""
    managers = [item.value for node in part.nodes if isinstance(node, form.With) for item in node.items]
    handed = [m.positional[0] for m in managers if isinstance(m, form.Call) and _is_closing(m) and m.positional]
    return {id(node) for node in (*managers, *handed)}


def _is_closing(call: form.Call) -> bool:
    return last_name(call.func) in ("closing", "aclosing")


def _is_kept(opened: _Opened) -> bool:
    """Whether it outlives the function: a generator's own variables do, those of other functions don't. A task that
    nobody keeps hold of is judged as such (PERF205), and what the function itself closes is only used on the way up.
    """
    function = opened.function
    if opened.is_scoped:
        return opened.is_returned or any(isinstance(n, form.Yield) for n in function.nodes)
    if not opened.names:
        return (opened.is_stored or opened.is_given) and opened.kind is not ResourceKind.TASK
    closed_here = any(
        isinstance(n, form.Call)
        and isinstance(n.func, form.Attr)
        and n.func.attr in _CLOSING
        and _told(n.func.value) in opened.names
        for n in function.nodes
    )
    has_yield = any(isinstance(n, form.Yield) for n in function.nodes)
    return has_yield or (opened.is_stored and not closed_here)


def _started(call: form.Call, part: Part, project: Project) -> Iterator[_Opened]:
    """A scheduler or a producer that was made elsewhere, and is started here."""
    assert isinstance(call.func, form.Attr)
    value = project.infer(call.func.value, part.function.scope)
    made = value.type_name if isinstance(value, Instance) else ""
    opening = _OPENING.get(made) or _OPENING.get(_public(made))
    made_here = isinstance(value, Instance) and any(value.origin is n for n in part.nodes)
    is_begun = made.endswith(_CONNECTED) is (call.func.attr == "connect") and made.endswith(_BEGUN)
    if opening is not None and not made_here and is_begun:
        name = _told(call.func.value)
        names = frozenset({name} if name else ())
        yield _Opened(call, part.function, *opening, names, is_scoped=False, is_stored=True)


def _public(name: str) -> str:
    """`redis.asyncio.client.Redis` is `redis.asyncio.Redis`."""
    parts = name.split(".")
    return ".".join((*parts[:-2], parts[-1])) if len(parts) > 2 else name


def _runs_for_ever(call: form.Call, function: FunctionSymbol, project: Project) -> bool:
    """Whether the task is a loop without an end."""
    coroutine = call.positional[0] if call.positional else None
    if not isinstance(coroutine, form.Call):
        return False
    value = project.infer(coroutine.func, function.scope)
    target = value.function if isinstance(value, BoundMethod) else value
    if not isinstance(target, FunctionSymbol):
        return False
    loops = (n for n in target.nodes if isinstance(n, form.While))
    return any(isinstance(n.test, form.Const) and bool(n.test.value) for n in loops)


def _made(call: form.Call, part: Part, kind: ResourceKind, how: str, *, is_scoped: bool) -> _Opened:
    """With the names under which it is kept, those of further assignments included."""
    found: set[str] = set()
    is_stored = is_given = is_returned = False
    same: list[form.Expr] = [call, *(n for n in part.nodes if isinstance(n, form.Await) and n.value is call)]
    own = part.function.scope

    def is_it(node: form.Expr | None) -> bool:
        return node is not None and (any(node is s for s in same) or (isinstance(node, form.Name) and node.id in found))

    for node in part.nodes:
        match node:
            case form.Assign(value=value, targets=targets) if is_it(value):
                for target in targets:
                    found.update(t for t in (_told(target),) if t)
                    is_stored |= not isinstance(target, form.Name) or target.id in own.globals
            case form.Call(func=func, args=args) if any(is_it(a.value) for a in args):
                is_given |= last_name(func) not in ("gather", "wait", "wait_for")
                owner = _told(func.value) if isinstance(func, form.Attr) and func.attr in ("add", "append") else None
                found.update((owner,) if owner else ())
                is_stored |= owner is not None
            case form.Return(value=value) if is_it(value):
                is_stored = is_returned = True
    return _Opened(call, part.function, kind, how, frozenset(found), is_scoped, is_stored, is_given, is_returned)


def _with_callers(opened: _Opened, parts: list[Part], project: Project, depth: int = 3) -> _Opened:
    """What a function returns is known by other names where it is called, or closed by the block there."""
    if not opened.is_returned or not depth:
        return opened
    above: list[_Opened] = []
    for part in parts:
        for call in (n for n in part.nodes if isinstance(n, form.Call)):
            if project.callee_function(call, part.function.scope) is opened.function:
                made = _made(call, part, opened.kind, opened.how, is_scoped=id(call) in _scoped(part))
                above.append(_with_callers(made, parts, project, depth - 1))
    names = opened.names.union(*(caller.names for caller in above))
    return replace(opened, names=names, is_scoped=bool(above) and all(caller.is_scoped for caller in above))


def _told(node: form.Expr | form.Stmt) -> str | None:
    """The last name of a place: `client` of `app.state.client`, of `app["client"]` and of `app[CLIENT]`."""
    if isinstance(node, form.Subscript):
        index = node.index
        if isinstance(index, form.Const) and isinstance(index.value, str):
            return index.value
        return last_name(index) if isinstance(index, form.Name | form.Attr) else None
    return last_name(node) if isinstance(node, form.Name | form.Attr) else None


def _closes(call: form.Call) -> bool:
    name = (last_name(call.func) or "").lstrip("_")
    return name in _CLOSING or name.startswith(_TELLING)


def _handed_to_stacks(parts: list[Part]) -> set[str]:
    """Names of what exit stacks, or the interpreter's end, are to close."""
    found: set[str] = set()
    for part in parts:
        for call in (n for n in part.nodes if isinstance(n, form.Call) and last_name(n.func) in _HANDED):
            for arg in call.args:
                for node in form.walk(arg.value):
                    if isinstance(node, form.Name | form.Attr) and (name := last_name(node)):
                        found.add(name)
    return found


def _ending(
    opened: _Opened, closing: list[tuple[Part, form.Call]], handed: set[str]
) -> tuple[Ending, tuple[Evidence, ...]]:
    module = opened.function.module
    if opened.is_scoped:
        return Ending.CLOSED, (module.evidence(opened.call, "the block around what runs closes it"),)
    if opened.names & handed or last_name(opened.call.func) in handed:
        return Ending.CLOSED, (module.evidence(opened.call, "what closes it is registered"),)
    perhaps: tuple[Evidence, ...] = ()
    for part, call in closing:
        spoken = {n for node in form.walk(call) if (n := _told(node))}
        shown = (part.function.module.evidence(call, "this runs when the server stops"),)
        if opened.names & spoken or any(name in (last_name(call.func) or "") for name in opened.names if name):
            return Ending.CLOSED, shown
        perhaps = perhaps or shown
    return (Ending.PERHAPS, perhaps) if perhaps else (Ending.NEVER, ())
