"""Calls in tests that send a request to the service: of a test client, or of what else takes a method and a path."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.linker.project import last_name
from assay.scanner.readers.python import form
from assay.scanner.suite.frames import Frame, Framed
from assay.scanner.suite.texts import UNKNOWN, Gap, Reversed, Text, Texts

_METHODS = ("get", "post", "put", "patch", "delete", "head", "options", "trace")
VERBS = {
    **{name: name.upper() for name in _METHODS},
    **{f"{name}_json": name.upper() for name in _METHODS},
    **{f"simulate_{name}": name.upper() for name in _METHODS},
    "websocket_connect": "WEBSOCKET", "ws_connect": "WEBSOCKET", "websocket": "WEBSOCKET",
}  # fmt: skip
"""Names of methods that send one kind of request."""
ANY_VERB = frozenset({"request", "simulate_request", "generic", "open", "stream", "fetch", "build_request", "_request"})
"""Names of methods that are told the kind of request."""
SOCKETS = frozenset({"WebsocketCommunicator", "HttpCommunicator"})
"""channels' clients: `WebsocketCommunicator(app, path)`."""
NAMES = frozenset({*VERBS, *ANY_VERB, *SOCKETS})
_PATHS = ("path", "url", "url_path", "uri", "route", "endpoint", "href")
_CLIENT_NAME = re.compile(r".*(client|browser|webtest|test_?app|api$|http$|^http|anon|agent)\w*|app\d?|c\d?|ac|tc|cli")
_CLIENT_TYPES = re.compile(
    r"(fastapi|starlette|httpx|flask|werkzeug|quart|django|rest_framework|litestar|starlite|aiohttp|sanic|sanic_testing|"
    r"webtest|falcon|ninja|connexion|async_asgi_testclient|django_webtest)\..*"
    r"(Client|TestApp|test_client|TestingAPI|Requestor?|create_client)\w*"
)
_OTHER_TYPES = re.compile(
    r"builtins\.|os\.|unittest\.mock|respx|responses|requests_mock|pytest_httpx|aioresponses|httpretty|redis|"
    r"pytest_mock|sqlalchemy|sqlmodel|.*RequestFactory|.*test_request_context"
)
_OTHER_NAMES = frozenset(
    """responses respx respx_mock requests_mock httpx_mock mocker mock m rsps httpretty redis cache session db
    environ headers cookies kwargs data objects config settings factory rf request_factory aioresponses requests_mocker
    os path tempfile io gzip zipfile builtins Image codecs pathlib""".split()
)
"""Names that have methods called like those of clients."""
_LOCAL = re.compile(
    r"(https?|wss?)://(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1\]|test\w*|testserver|[\w-]+)(:\d+)?(?=/|$)"
)
_ABSOLUTE = re.compile(r"[a-z][a-z0-9+.-]*://")


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """What a call sends: `*` stands for a method that can't be told."""

    methods: tuple[str, ...]
    paths: tuple[Text, ...]


def sent_by(call: form.Call, frame: Frame, texts: Texts) -> Sent | None:
    """What the call sends, where it sends a request to the service itself."""
    name = last_name(call.func)
    if name in SOCKETS:
        return _sent(("WEBSOCKET",) if name == "WebsocketCommunicator" else ("*",), _argument(call, 1, frame), texts)
    methods, place = _method(call, name, frame, texts)
    if methods is None:
        return None
    receiver = call.func.value if isinstance(call.func, form.Attr) else None
    certain = receiver is None or _is_client(receiver, frame, texts)
    if certain is False:
        return None
    path = _argument(call, place, frame)
    if path is None:
        return None
    found = _sent(methods, path, texts)
    if found is None or (certain is None and not any(_leads_to_path(t) for t in found.paths)):
        return None
    return found


def _sent(methods: tuple[str, ...], path: Framed | None, texts: Texts) -> Sent | None:
    if path is None:
        return None
    paths = tuple(p for text in texts.of(path.node, path.frame) if (p := _own_path(text)) is not None)
    return Sent(methods, paths) if paths else None


def _method(call: form.Call, name: str | None, frame: Frame, texts: Texts) -> tuple[tuple[str, ...] | None, int]:
    """The methods that it may send, and the place of the path among its arguments."""
    if isinstance(call.func, form.Call):
        return _chosen(call.func, frame, texts), 0
    if name in VERBS:
        return (VERBS[name],), 0
    if name in ("open", "fetch"):
        stated = call.keyword("method")
        return (_upper(stated, frame, texts) if stated is not None else ("GET",)), 0
    if name in ANY_VERB:
        stated = call.argument(0, "method")
        if call.keyword("method") is not None:
            return _upper(call.keyword("method"), frame, texts), 0
        return (_upper(stated, frame, texts) if stated is not None else None), 1
    if isinstance(call.func, form.Name):
        # `send = getattr(client, method)`, then `send(path)`
        for value in texts.values(call.func, frame):
            if isinstance(value.node, form.Call):
                return _chosen(value.node, value.frame, texts), 0
            if isinstance(value.node, form.Attr) and value.node.attr in VERBS:
                return (VERBS[value.node.attr],), 0
    return None, 0


def _chosen(call: form.Call, frame: Frame, texts: Texts) -> tuple[str, ...] | None:
    """`getattr(client, method)`."""
    if last_name(call.func) != "getattr" or len(call.args) < 2:
        return None
    return _upper(call.args[1].value, frame, texts)


def _upper(node: form.Expr | None, frame: Frame, texts: Texts) -> tuple[str, ...]:
    known = [t.upper() for t in texts.known(node, frame)] if node is not None else []
    return tuple(k for k in known if k.isalpha()) or ("*",)


def _argument(call: form.Call, place: int, frame: Frame) -> Framed | None:
    positional = call.positional
    if place < len(positional):
        return Framed(positional[place], frame)
    for name in _PATHS:
        stated = call.keyword(name)
        if stated is not None:
            return Framed(stated, frame)
    after = place - len(positional)
    if any(a.star == 1 for a in call.args) and after < len(frame.rest):
        return frame.rest[after]
    for arg in call.args:
        if arg.star == 2 and (found := _in_mapping(arg.value, frame)) is not None:
            return found
    return None


def _in_mapping(node: form.Expr, frame: Frame) -> Framed | None:
    """The path in what `**request` stands for."""
    if isinstance(node, form.Name):
        if node.id in frame.given:
            given = frame.given[node.id]
            return _in_mapping(given.node, given.frame)
        bindings = [b for b in frame.scope.lookup(node.id, node.start) if b.value is not None and b.offset < node.start]
        value = bindings[-1].value if bindings else None
        return _in_mapping(value, frame) if value is not None and not isinstance(value, form.Name) else None
    if isinstance(node, form.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, form.Const) and key.value in _PATHS:
                return Framed(value, frame)
    if isinstance(node, form.Call) and last_name(node.func) == "dict":
        stated = (node.keyword(name) for name in _PATHS)
        return next((Framed(s, frame) for s in stated if s is not None), None)
    return None


def _is_client(node: form.Expr, frame: Frame, texts: Texts) -> bool | None:
    """Whether the receiver is a client of the service; None where only the path can tell."""
    name = last_name(node.func if isinstance(node, form.Call) else node) or ""
    if name in _OTHER_NAMES and name not in frame.given:
        return False
    library = texts.is_library(node, frame)
    if library is not None:
        if _CLIENT_TYPES.fullmatch(library):
            return True
        if _OTHER_TYPES.match(library):
            return False
    if isinstance(node, form.Name) and node.id in ("self", "cls"):
        return None
    return True if _CLIENT_NAME.fullmatch(name.lower()) else None


def _leads_to_path(text: Text) -> bool:
    """Whether it can be nothing but a path."""
    first = text[0]
    if isinstance(first, Reversed):
        return True
    if isinstance(first, str):
        return first.startswith("/") or _ABSOLUTE.match(first) is not None
    return len(text) > 1 and isinstance(text[1], str) and text[1].startswith("/")


def _own_path(text: Text) -> Text | None:
    """The path without host, query and fragment; None for another host's."""
    pieces = list(text)
    first = pieces[0]
    if isinstance(first, str) and _ABSOLUTE.match(first):
        local = _LOCAL.match(first)
        if local is None and len(pieces) == 1 and not first.startswith("http"):
            return None
        if local is None and "." in first.split("://", 1)[1].split("/", 1)[0]:
            return None
        rest = first[local.end() :] if local is not None else ""
        pieces[0] = rest if rest or len(pieces) > 1 else "/"
    return tuple(_before_query(pieces)) or UNKNOWN


def _before_query(pieces: list[str | Gap | Reversed]) -> Iterator[str | Gap | Reversed]:
    for piece in pieces:
        if isinstance(piece, str) and (cut := re.search(r"[?#]", piece)) is not None:
            if piece[: cut.start()]:
                yield piece[: cut.start()]
            return
        if piece != "":
            yield piece
