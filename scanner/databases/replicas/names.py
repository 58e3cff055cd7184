"""Which names speak of a replica."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_OF_REPLICAS = frozenset(
    {"replica", "replicas", "readreplica", "slave", "slaves", "follower", "standby", "reader", "readers", "readonly"}
)
_OF_READING = frozenset({"read", "ro"})
_OF_DATABASES = frozenset(
    {
        "db", "database", "databases", "engine", "engines", "session", "sessions", "sessionmaker", "connection", "conn",
        "pool", "url", "uri", "dsn", "postgres", "mysql", "bind", "host", "only",
    }
)  # fmt: skip
_OF_PRIMARIES = frozenset({"write", "writer", "rw", "primary", "master"})


def is_replica(name: str) -> bool:
    """`replica_1`, `READ_REPLICA_URL`, `ReadSession`, `reader`; not `read_timeout`, nor `read_write_engine`."""
    words = {word.lower() for word in _WORD.findall(name)}
    if not words.isdisjoint(_OF_PRIMARIES):
        return False
    if not words.isdisjoint(_OF_REPLICAS) or words <= _OF_READING:
        return bool(words)
    return not words.isdisjoint(_OF_READING) and not words.isdisjoint(_OF_DATABASES)
