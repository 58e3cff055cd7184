"""What a health check's command asks: the URL that curl, wget or a Python one-liner calls, and the tool it needs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from assay.scanner.deployment.processes import unwrapped
from assay.scanner.readers.variables import is_resolved

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "0.0.0.0", "::1", "::"})  # noqa: S104 - compared, not bound
URL = re.compile(r"https?://[^\s'\")|;,>]+")
CHECKED_TOOLS = frozenset({"curl", "wget", "http", "python", "python3", "nc"})
SEPARATORS = re.compile(r"\|\||&&|;|\n|\|")
CREDENTIALS = re.compile(r"(?i)authorization|x-api-key|--user\b|-u\s|--oauth2-bearer")

ASKS = (
    (re.compile(r"\bcelery\b.*\b(inspect|status)\b"), "the broker"),
    (re.compile(r"\b(redis|valkey)-cli\b.*\s-(h|u)\b"), "Redis"),
    (re.compile(r"\bpg_isready\b.*\s(-h|--host)\b"), "PostgreSQL"),
    (re.compile(r"\b(psql|mysqladmin|mysql|mongosh?)\b.*\s(-h|--host)\b"), "the database"),
    (
        re.compile(r"\bmanage\.py\s+(check\b.*--database|migrate\b.*--check|dbshell|wait_for_db|showmigrations)"),
        "the database",
    ),
    (re.compile(r"\b(rabbitmqctl|rabbitmq-diagnostics)\b.*\s-n\b"), "RabbitMQ"),
)


@dataclass(frozen=True, slots=True)
class CommandCheck:
    """`path` and `port` are None unless the command asks this very container over HTTP."""

    tool: str | None = None
    path: str | None = None
    port: int | None = None
    method: str = "GET"
    sends_credentials: bool = False
    asks_dependency: str | None = None


def command_check(words: Sequence[str]) -> CommandCheck:
    """Read a check's command, given as words or as one shell line."""
    line = " ".join(words)
    dependency = next((name for pattern, name in ASKS if pattern.search(line)), None)
    url = _local_url(line)
    path, port = (None, None) if url is None else url
    method = re.search(r"(?:-X|--request)[ =]?([A-Z]+)", line)
    return CommandCheck(
        tool=_tool(words),
        path=path,
        port=port,
        method=method[1] if method is not None else "GET",
        sends_credentials=CREDENTIALS.search(line) is not None,
        asks_dependency=dependency,
    )


def _tool(words: Sequence[str]) -> str | None:
    first = SEPARATORS.split(" ".join(words))[0]
    try:
        parts = unwrapped(shlex.split(first))
    except ValueError:
        return None
    if parts[:1] and parts[0].rsplit("/", 1)[-1] in ("sh", "bash", "ash") and "-c" in parts:
        return _tool(parts[parts.index("-c") + 1 :])
    name = parts[0].rsplit("/", 1)[-1] if parts else ""
    return name if name in CHECKED_TOOLS else None


def _local_url(line: str) -> tuple[str, int | None] | None:
    for match in URL.finditer(line):
        try:
            parts = urlsplit(match[0])
            port, host = parts.port, parts.hostname
        except ValueError:  # a port that is a variable, or no URL at all
            continue
        if host in LOCAL_HOSTS and is_resolved(parts.path):
            return parts.path or "/", port or (443 if parts.scheme == "https" else 80)
    for match in re.finditer(r"\bcurl\b.*?\s((?:localhost|127\.0\.0\.1|0\.0\.0\.0)(?::(\d+))?(/[^\s'\"|;]*)?)", line):
        if is_resolved(match[3] or "/"):
            return match[3] or "/", int(match[2]) if match[2] else 80
    return None
