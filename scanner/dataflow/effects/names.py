"""What names say of a change: that it is kept as an audit record, or that it matters to no client."""

from __future__ import annotations

import itertools
from functools import lru_cache

from assay.scanner.dataflow.lexicon import words

_RECORDING = frozenset(
    {"log", "record", "track", "create", "add", "write", "emit", "save", "register", "store", "post"}
)
_RECORDED = frozenset({"event", "events", "activity", "activities", "action", "actions"})
_LOGGED = frozenset(
    {
        "access", "auth", "change", "changes", "login", "logout", "security", "user", "admin", "deletion", "creation",
        "update", "attempt", "addition",
    }
)  # fmt: skip
_RECORD_PAIRS = frozenset(
    {
        ("audit", "log"), ("audit", "event"), ("audit", "entry"), ("audit", "trail"), ("audit", "record"),
        ("activity", "log"), ("change", "log"), ("object", "change"), ("log", "entry"), ("event", "log"),
        ("security", "event"), ("security", "log"), ("access", "log"), ("login", "attempt"), ("login", "history"),
        ("login", "event"), ("login", "log"), ("action", "log"), ("history", "entry"), ("user", "activity"),
        ("operation", "log"), ("issue", "activity"), ("auth", "event"), ("auth", "log"), ("user", "event"),
        ("login", "record"), ("event", "record"), ("user", "log"), ("admin", "log"), ("system", "log"),
        ("activity", "event"), ("user", "action"), ("change", "record"), ("activity", "entry"),
    }
)  # fmt: skip
_RECORD_WORDS = frozenset(
    {"audit", "auditlog", "changelog", "audited", "auditor", "auditing", "activitylog", "objectchange"}
)
_TIMES_OF_USE = frozenset(
    {
        ("last", "used"), ("last", "seen"), ("last", "login"), ("last", "active"), ("last", "activity"),
        ("last", "access"), ("last", "accessed"), ("last", "visit"), ("last", "visited"), ("last", "read"),
        ("last", "viewed"), ("last", "ping"), ("last", "request"), ("last", "retrieved"), ("last", "heartbeat"),
        ("last", "online"), ("last", "ip"), ("last", "opened"), ("last", "checked"), ("last", "fetched"),
        ("is", "read"), ("is", "seen"), ("is", "viewed"), ("update", "read"),
        ("accessed", "at"), ("viewed", "at"), ("seen", "at"), ("visited", "at"), ("used", "at"), ("read", "at"),
        ("view", "count"), ("views", "count"), ("access", "count"), ("hit", "count"), ("click", "count"),
        ("visit", "count"), ("download", "count"), ("downloads", "count"), ("login", "count"), ("read", "count"),
        ("use", "count"), ("usage", "count"), ("num", "views"), ("click", "counter"), ("view", "counter"),
        ("page", "view"), ("page", "views"), ("pageview", "count"), ("times", "used"), ("times", "viewed"),
        ("times", "accessed"), ("download", "counter"), ("visit", "counter"), ("total", "views"),
    }
)  # fmt: skip
_PREFERENCES = frozenset(
    """sort sort_by sort_order order_by ordering theme language locale timezone tz page_size per_page columns layout
    last_project current_project current_team""".split()
)
_COUNTERS = frozenset({"views", "hits", "clicks", "visits", "downloads", "pageviews", "impressions", "lastseen"})
_BESIDE_THE_POINT = frozenset(
    {
        "cache", "cached", "metric", "metrics", "stat", "stats", "statistics", "counter", "telemetry", "analytics",
        "impression", "visit", "visitor", "pageview", "hit", "throttle", "heartbeat", "tracing", "trace", "tracking",
        "log", "logs", "history", "recent", "recently", "session", "sessions",
    }
)  # fmt: skip

LOG_METHODS = frozenset({"debug", "info", "warning", "error", "critical", "log", "exception", "notice", "bind"})
_LOGGERS = frozenset({"log", "logger", "logging", "loguru", "structlog", "audit"})
_READING = frozenset(
    """get fetch load find list read retrieve lookup search is has can check count resolve render serialize view show
    query select current calculate compute validate""".split()
)


@lru_cache(maxsize=8192)
def records_audit(name: str) -> bool:
    """Whether a function of that name writes down who did what."""
    parts = words(name)
    if not parts:
        return False
    if not _RECORD_WORDS.isdisjoint(parts):
        return not _is_question(parts)
    if parts[0] in _RECORDING and parts[-1] in _RECORDED:
        return parts[0] != "create" or (len(parts) == 2 and parts[-1] in ("event", "activity"))
    return len(parts) > 1 and parts[0] == "log" and not _LOGGED.isdisjoint(parts[1:])


def _is_question(parts: tuple[str, ...]) -> bool:
    return parts[0] in ("get", "list", "is", "has", "fetch", "find", "read", "search", "count", "delete", "query")


@lru_cache(maxsize=8192)
def is_audit_record(name: str) -> bool:
    """Whether rows of a model of that name say who did what."""
    parts = words(name)
    if not _RECORD_WORDS.isdisjoint(parts):
        return True
    pairs = set(itertools.pairwise(parts))
    return not _RECORD_PAIRS.isdisjoint(pairs)


@lru_cache(maxsize=8192)
def tells_of_use(name: str) -> bool:
    """Whether a column of that name only says when or how often something was used, or how somebody likes to see it."""
    parts = words(name)
    if not parts:
        return False
    pairs = set(itertools.pairwise(parts))
    is_one = (len(parts) == 1 and parts[0] in _COUNTERS) or "_".join(parts) in _PREFERENCES
    return is_one or not _TIMES_OF_USE.isdisjoint(pairs)


@lru_cache(maxsize=8192)
def why_beside_the_point(name: str) -> str | None:
    """Why rows of that name, or what a function of that name changes, are none of a client's business."""
    parts = words(name)
    found = next((part for part in parts if part in _BESIDE_THE_POINT), None)
    if found is not None:
        return f"`{name}` is only a record of use ({found})"
    return f"`{name}` only notes the use" if tells_of_use(name) else None


@lru_cache(maxsize=8192)
def why_now_and_then(name: str) -> str | None:
    """When a function of that name changes something, where it is there to read: it keeps what it reads up to date."""
    parts = words(name)
    text = "_".join(parts)
    if parts[:1] == ("ensure",) or "or_create" in text or "or_add" in text or "or_insert" in text:
        return f"`{name}` makes it when it isn't there yet"
    return f"`{name}` reads, and keeps what it reads up to date" if parts and parts[0] in _READING else None


@lru_cache(maxsize=8192)
def is_logger(name: str) -> bool:
    """Whether something of that name writes into a log."""
    return not _LOGGERS.isdisjoint(words(name))
