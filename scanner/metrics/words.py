"""What names tell of a value: which parts of a request it is, whose id it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum, auto

from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form


class Spread(Enum):
    """How many values there may be."""

    CLOSED = auto()
    OPEN = auto()
    UNSURE = auto()
    """Many, by its name, or few, by what is done about it."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Origin:
    """What a value comes from; `said` is a word for it, `where` the place."""

    spread: Spread
    said: str
    where: Evidence | None = None


_REQUEST = frozenset({"request", "req", "http_request", "starlette_request", "_request", "current_request"})
_SCOPES = frozenset({"scope", "environ", "META", "asgi_scope", "wsgi_environ"})
_OPEN_OF_REQUEST = {
    **dict.fromkeys(("path", "full_path", "raw_path", "path_info", "path_qs", "rel_url", "base_path"), "the raw path"),
    **dict.fromkeys(("url", "uri", "base_url", "raw_url", "get_full_path", "build_absolute_uri"), "the raw URL"),
    **dict.fromkeys(
        ("query_string", "args", "query_params", "GET", "query", "path_params", "view_args"), "what is asked"
    ),
    **dict.fromkeys(("form", "json", "POST", "data", "body", "values", "get_json", "files"), "the request's body"),
    **dict.fromkeys(("remote_addr", "remote", "client", "ip", "access_route"), "the caller's address"),
    **dict.fromkeys(("headers", "cookies", "META", "user_agent", "referrer", "get_header"), "a header of the caller's"),
    **dict.fromkeys(("user", "session", "auth"), "the caller"),
}
_CLOSED_OF_REQUEST = frozenset(
    {"method", "scheme", "endpoint", "blueprint", "url_rule", "route", "resolver_match", "matched_route"}
    | {"uri_template", "http_version", "protocol", "path_template", "is_secure", "url_name"}
)
_RAW = frozenset({"path", "query", "host", "id", "pk", "email", "username", "uuid", "session_key", "string"})
"""What of a URL, of a caller and of what it comes with has no end of values."""
_SCOPE_KEYS = (
    {"path": "the raw path", "raw_path": "the raw path", "query_string": "what is asked"}
    | dict.fromkeys(("PATH_INFO", "REQUEST_URI", "RAW_URI"), "the raw path")
    | dict.fromkeys(("REMOTE_ADDR", "client", "HTTP_USER_AGENT", "HTTP_REFERER", "HTTP_X_FORWARDED_FOR"), "the caller")
)
_SCOPE_CLOSED = frozenset({"method", "REQUEST_METHOD", "type", "scheme", "http_version", "route", "endpoint"})
_PERSON = "user|customer|member|visitor|patient|employee|subscriber|contact"
_THING = (
    "session|request|trace|span|order|message|msg|transaction|txn|correlation|invoice|payment|conversation|document|doc"
    "|file|upload|device|item|event|object|charge|checkout|ticket|comment|post|object|entity|record|row|external|subscription"
)
_OPEN_NAME = re.compile(
    rf"(.*_)?((({_PERSON})_?(id|uuid|pk|key|name|email))|(({_THING})_?(id|ids|uuid|pk))|uuid|guid|externalid|userid"
    r"|e?_?mail(_address)?|user_?name|phone|ip(_addr(ess)?)?|(remote|client)_(ip|addr|address|host)"
    r"|(full|raw|request|url)_path|request_(uri|url)|query_string|user_agent"
    r"|(error|exception|exc|err)_(message|msg|text|detail|str)|traceback|stack_?trace|session_key)",
    re.IGNORECASE,
)
_UNSURE_NAME = re.compile(
    r"(.*_)?(tenant|org|organi[sz]ation|workspace|account|project|team|company)_?(id|uuid|pk|slug)|(.*_)?(url|uri|path|pk)"
    r"|(target_|full_)?(domain|fqdn|host_?name)|(.*_)?file_?name",
    re.IGNORECASE,
)


def by_name(name: str, said: str) -> Origin:
    """What the name tells, where nothing else does."""
    if _OPEN_NAME.fullmatch(name):
        return Origin(Spread.OPEN, f"`{said}`")
    return Origin(Spread.UNSURE, f"`{said}`") if _UNSURE_NAME.fullmatch(name) else Origin(Spread.UNKNOWN, "")


def _asked(parts: list[str]) -> Origin | None:
    first = parts[0]
    if first in _CLOSED_OF_REQUEST or (first == "match_info" and "route" in parts[1:2]):
        return Origin(Spread.CLOSED, f"the request's {first}")
    if first in ("scope", "environ") and len(parts) > 1:
        return _of_scope(parts[1:])
    if first == "match_info":
        return Origin(Spread.OPEN, "a part of the raw path")
    if first not in _OPEN_OF_REQUEST:
        return None
    if first in ("url", "user", "client", "session", "auth", "user_agent") and len(parts) > 1 and not _is_raw(parts[1]):
        return Origin(Spread.UNKNOWN, "")
    return Origin(Spread.OPEN, _OPEN_OF_REQUEST[first])


def _is_raw(part: str) -> bool:
    return part in _RAW or part in ("[]", "get", "split", "replace")


def _of_scope(parts: list[str]) -> Origin | None:
    key = parts[0] if parts[0] != "get" else (parts[1] if len(parts) > 1 else "")
    if key in _SCOPE_CLOSED:
        return Origin(Spread.CLOSED, f"the request's {key}")
    return Origin(Spread.OPEN, _SCOPE_KEYS[key]) if key in _SCOPE_KEYS else None


def of_request(node: form.Expr) -> Origin | None:
    """What of a request it is, by the first name behind the request's."""
    parts: list[str] = []
    while isinstance(node, form.Attr | form.Call | form.Subscript):
        if isinstance(node, form.Attr):
            parts.append(node.attr)
            node = node.value
        elif isinstance(node, form.Call):
            node = node.func
        else:
            index = node.index.value if isinstance(node.index, form.Const) else None
            parts.append(index if isinstance(index, str) else "[]")
            node = node.value
    if isinstance(node, form.Name):
        parts.append(node.id)
    parts.reverse()
    place = next((i for i, part in enumerate(parts) if part in _REQUEST), None)
    if place is not None and place + 1 < len(parts):
        return _asked(parts[place + 1 :])
    place = next((i for i, part in enumerate(parts) if part in _SCOPES), None)
    if place is not None and place + 1 < len(parts):
        return _of_scope(parts[place + 1 :])
    return None


def keyed(owner: form.Expr, key: form.Const) -> Origin:
    """What the key of an item tells."""
    if isinstance(owner, form.Name) and owner.id in _SCOPES and isinstance(key.value, str):
        return _of_scope([key.value]) or Origin(Spread.UNKNOWN, "")
    return by_name(str(key.value), str(key.value)) if isinstance(key.value, str) else Origin(Spread.UNKNOWN, "")
