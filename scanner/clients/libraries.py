"""What makes a client, and which option limits how long it waits: the libraries' own documents, as of redis-py 5.3,
ldap3 2.9, pymemcache 4.0 and Python 3.13.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientLibrary:
    """`options` limit the wait, the first one by name in what is advised; `position` is the place of that one.
    `address` is the place of an address that may carry it.
    """

    kind: str
    options: tuple[str, ...]
    position: int | None = None
    address: int | None = None
    heeds_socket_default: bool = True
    """Where it is told nothing, `socket.setdefaulttimeout` counts."""


_REDIS = ClientLibrary("Redis", ("socket_timeout",), address=0, heeds_socket_default=False)
_REDIS_MAKERS = (
    "from_url",
    *(f"{cls}{made}" for cls in ("Redis", "StrictRedis", "Valkey") for made in ("", ".from_url")),
    *(f"{cls}{made}" for cls in ("ConnectionPool", "BlockingConnectionPool") for made in ("", ".from_url")),
)
_SMTP = ClientLibrary("a mail server", ("timeout",), 3)
CLIENTS: Mapping[str, ClientLibrary] = {
    **{
        f"{module}.{name}": _REDIS
        for module in ("redis", "redis.client", "redis.asyncio", "redis.asyncio.client", "valkey", "valkey.asyncio")
        for name in _REDIS_MAKERS
    },
    **{
        f"{module}.{name}": ClientLibrary("Redis", ("socket_timeout",), heeds_socket_default=False)
        for module in (
            "redis",
            "redis.cluster",
            "redis.sentinel",
            "redis.asyncio",
            "redis.asyncio.cluster",
            "redis.asyncio.sentinel",
        )
        for name in ("Sentinel", "RedisCluster", "RedisCluster.from_url")
    },
    "smtplib.SMTP": _SMTP,
    "smtplib.SMTP_SSL": ClientLibrary("a mail server", ("timeout",), 5),
    "smtplib.LMTP": ClientLibrary("a mail server", ("timeout",)),
    "ftplib.FTP": ClientLibrary("an FTP server", ("timeout",), 4),
    "ftplib.FTP_TLS": ClientLibrary("an FTP server", ("timeout",)),
    "imaplib.IMAP4": ClientLibrary("a mailbox", ("timeout",), 2),
    "imaplib.IMAP4_SSL": ClientLibrary("a mailbox", ("timeout",)),
    "poplib.POP3": ClientLibrary("a mailbox", ("timeout",), 2),
    "poplib.POP3_SSL": ClientLibrary("a mailbox", ("timeout",)),
    "telnetlib.Telnet": ClientLibrary("a Telnet server", ("timeout",), 2),
    "socket.create_connection": ClientLibrary("a socket", ("timeout",), 1),
    "ldap3.Connection": ClientLibrary("a directory", ("receive_timeout",), heeds_socket_default=False),
    "pymemcache.Client": ClientLibrary("Memcached", ("timeout",), 4, heeds_socket_default=False),
    "pymemcache.client.base.Client": ClientLibrary("Memcached", ("timeout",), 4, heeds_socket_default=False),
    "pymemcache.client.base.PooledClient": ClientLibrary("Memcached", ("timeout",), heeds_socket_default=False),
    "pymemcache.client.hash.HashClient": ClientLibrary("Memcached", ("timeout",), heeds_socket_default=False),
}
"""By the dotted name of what makes it."""
LISTENING = frozenset(
    {
        "pubsub",
        "psubscribe",
        "subscribe",
        "blpop",
        "brpop",
        "brpoplpush",
        "blmove",
        "xread",
        "xreadgroup",
        "bzpopmin",
        "monitor",
    }
)
"""Methods that wait for messages: a limit of the socket would end the wait."""
