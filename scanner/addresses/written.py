"""Addresses as they are written: URLs, data source names, `host:port`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs

COMPUTED = "{}"
_REFERENCE = re.compile(
    r"\$\{[^{}]*\}|\$\([^()]*\)|\{\{.*?\}\}|\$[A-Za-z_]\w*|<[\w -]+>|\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b"
    r"|\b(?:your|my)[-_]?(?:\w+[-_])*(?:host|server|domain|address)(?:name)?\b|\bchange-?me\b|\bx{3,}\b|\bplaceholder\b"
)
"""Variables that are put in later, and what stands for them."""
_URL = re.compile(
    r"(?:jdbc:)?(?P<scheme>[a-z][a-z0-9+.-]*)://(?:(?P<user>[^:@/]*)(?::(?P<secret>[^@]*))?@)?(?P<hosts>[^/?#]*)"
    r"(?:/(?P<path>[^?#]*))?(?:\?(?P<query>[^#]*))?",
    re.IGNORECASE,
)
_PAIR = re.compile(r"(?P<host>[A-Za-z0-9_.-]*[A-Za-z][A-Za-z0-9_.-]*):(?P<port>\d{2,5})")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_.-]*[A-Za-z0-9])?")
_KEYWORDS = re.compile(r"(\w+)=('[^']*'|\S+)")
_DEFAULT_PORTS: Mapping[str, int] = {
    "http": 80, "https": 443, "ws": 80, "wss": 443,
    "postgres": 5432, "postgresql": 5432, "postgis": 5432, "psql": 5432, "pgsql": 5432, "cockroachdb": 26257,
    "mysql": 3306, "mariadb": 3306, "mysql2": 3306, "mssql": 1433, "oracle": 1521,
    "redis": 6379, "rediss": 6379, "valkey": 6379, "amqp": 5672, "amqps": 5671, "pyamqp": 5672,
    "mongodb": 27017, "memcached": 11211, "nats": 4222, "ldap": 389, "ldaps": 636, "smtp": 25,
}  # fmt: skip
"""Of clients that are told none."""
DATABASES = frozenset(
    {
        "postgres", "postgresql", "postgis", "psql", "pgsql", "cockroachdb", "mysql", "mysql2", "mariadb", "mssql",
        "oracle", "mongodb",
    }
)  # fmt: skip
"""Schemes of what keeps a service's own data."""
SCHEMES = DATABASES | _DEFAULT_PORTS.keys() | {
    "tcp", "udp", "tls", "ssl", "grpc", "grpcs", "dns", "plaintext", "sasl_plaintext", "sasl_ssl", "kafka", "mqtt",
    "mqtts", "stomp", "bolt", "neo4j", "etcd", "zk", "zookeeper", "sentinel", "elasticsearch", "opensearch",
    "clickhouse", "influxdb", "cassandra", "librabbitmq", "smtps", "imap", "imaps", "ftp", "sftp", "ssh", "syslog",
    "gelf", "statsd", "db", "otlp",
}  # fmt: skip
"""Those that are followed by a host: in `s3://` and `vault://` other names stand there."""


@dataclass(frozen=True, slots=True)
class Address:
    """`scheme` is in lower case and without its driver (`postgresql+asyncpg`), and empty where none is stated.

    `host` has `{}` for the parts that are put in later. `database`, `user` and `schema` are empty where nothing is said
    of them.
    """

    host: str
    port: int | None
    scheme: str = ""
    database: str = ""
    user: str = ""
    schema: str = ""

    @property
    def asked_port(self) -> int | None:
        """The port that a client of this address connects to."""
        return self.port or _DEFAULT_PORTS.get(self.scheme)

    @property
    def text(self) -> str:
        return self.host if self.port is None else f"{self.host}:{self.port}"

    @property
    def is_known(self) -> bool:
        """All of its host is known."""
        return COMPUTED not in self.host


def addresses_in(value: str) -> Iterator[Address]:
    """The addresses that a value consists of, one or a list; nothing for what isn't written as one."""
    text = _REFERENCE.sub(COMPUTED, value.strip())
    url = _URL.fullmatch(text) if text.count("://") == 1 else None
    if url is not None:
        yield from _of_url(url)
        return
    if "host=" in text and "://" not in text:
        yield from _of_keywords(text)
        return
    for part in text.split(","):
        pair, url = _PAIR.fullmatch(part.strip()), _URL.fullmatch(part.strip())
        if pair is not None:
            yield Address(pair["host"].lower(), int(pair["port"]))
        elif url is not None:
            yield from _of_url(url)


def host_alone(value: str) -> Address | None:
    """A value that is nothing but a host's name."""
    text = value.strip()
    return Address(text.lower(), None) if _HOST.fullmatch(text) and not text.isdigit() else None


def _of_url(url: re.Match[str]) -> Iterator[Address]:
    scheme = url["scheme"].lower().partition("+")[0]
    query = parse_qs(url["query"] or "")
    schema = next((v for name in ("schema", "currentSchema") for v in query.get(name, ())), "")
    schema = schema or "".join(query.get("options", ())).rpartition("search_path=")[2]
    for each in url["hosts"].split(","):
        host, _, port = each.rpartition(":") if each.count(":") == 1 else (each, "", "")
        if (_HOST.fullmatch(host) or COMPUTED in host) and (port.isdigit() or not port or COMPUTED in port):
            yield Address(
                host.lower(),
                int(port) if port.isdigit() else None,
                scheme,
                (url["path"] or "").strip("/"),
                url["user"] or "",
                schema,
            )


def _of_keywords(text: str) -> Iterator[Address]:
    """`host=db port=5432 dbname=shop`."""
    said = {name.lower(): value.strip("'") for name, value in _KEYWORDS.findall(text)}
    if _HOST.fullmatch(said.get("host", "")):
        port = said.get("port", "")
        yield Address(
            said["host"].lower(),
            int(port) if port.isdigit() else None,
            "postgresql",
            said.get("dbname", ""),
            said.get("user", ""),
        )
