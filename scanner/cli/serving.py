"""Serving the dashboard on this machine: a port to listen on, and an end by Ctrl-C. This takes `assay[serve]`."""

from __future__ import annotations

import errno
import gc
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from ipaddress import ip_address
from threading import Event, Thread
from typing import NoReturn

import uvicorn

from assay.reports.dashboard.live import Live, application
from assay.scanner.cli.exits import fail, tell
from assay.scanner.history.records import StoreError

__all__ = ["serve_live"]

_LOCAL_NAMES = ("localhost", "127.0.0.1", "[::1]")
_REFRESH_SECONDS = 30
"""How often the store is asked for what changed though nobody looks, who would wait for a whole night's scans."""
_CONNECTIONS = 1000
_LAST_SECONDS = 3
"""What answers that are under way at Ctrl-C are given to be finished."""


def serve_live(live: Live, host: str, port: int, names: Sequence[str], services: str) -> None:
    """Serve until Ctrl-C; what hinders it ends the program. `names` are more names by which it may be asked for, and
    `services` says how many it tells of.
    """
    listener = _listening(host, port)
    address, chosen = listener.getsockname()[:2]
    is_local = ip_address(address.partition("%")[0]).is_loopback
    shown = f"[{host}]" if ":" in host else host

    def announce() -> None:
        tell(f"{services} at http://{shown}:{chosen}/; Ctrl-C ends it")
        if not is_local:
            tell("there is no sign-in: everyone who reaches this address can read the dashboard")

    config = uvicorn.Config(
        application(live, (*_LOCAL_NAMES, shown, *names) if is_local or names else ("*",)),
        http="h11",
        loop="asyncio",
        lifespan="off",
        ws="none",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_LAST_SECONDS,
    )
    ended = Event()
    Thread(target=_refresh, args=(live, ended), daemon=True).start()
    try:
        # It is raised again once all is ended in good order.
        with suppress(KeyboardInterrupt):
            _Server(config, announce).run(sockets=[listener])
    finally:
        ended.set()
        live.close()


class _Server(uvicorn.Server):
    """Calls `announce` when it answers, and Ctrl-C ends it."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._announce()


def _refresh(live: Live, ended: Event) -> None:
    while not ended.is_set():
        # Whoever asks for a page is told.
        with suppress(StoreError):
            live.refresh()
        if not gc.isenabled():
            # A scan is over before garbage matters, and this is not. But what was read stays: to look through the
            # millions of objects of a large store takes a second each time.
            gc.freeze()
            gc.enable()
        ended.wait(_REFRESH_SECONDS)


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, _, _, _, address = socket.getaddrinfo(host or " ", port, type=socket.SOCK_STREAM)[0]
    except (OSError, UnicodeError):
        fail(f"--host: there is no address {host!r}; 127.0.0.1 is this machine, 0.0.0.0 all its addresses")
    try:
        # Again at once after an end, though the last connections to the port linger.
        return socket.create_server(address, family=family)
    except OSError as error:
        _refused(error, host, port)


def _refused(error: OSError, host: str, port: int) -> NoReturn:
    other = "name another one with --port; 0 takes any that is free"
    if error.errno == errno.EADDRINUSE:
        fail(f"port {port} is in use by another program; {other}")
    if error.errno == errno.EACCES:
        fail(f"port {port} may not be opened by this user; {other}")
    if error.errno == errno.EADDRNOTAVAIL:
        fail(f"--host: {host} is no address of this machine")
    fail(f"{host}, port {port}: {error.strerror or error}")
