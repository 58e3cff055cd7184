"""Work beside the event loop, in threads that don't keep the program from ending."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

__all__ = ["beside"]

_Result = TypeVar("_Result")


async def beside(work: Callable[[], _Result]) -> _Result:
    """What the work gives, or raises. The standard library's own threads are waited for at the end, however long they
    take to read what nobody wants any more.
    """
    done: Future[_Result] = Future()

    def run() -> None:
        if not done.set_running_or_notify_cancel():
            return
        try:
            done.set_result(work())
        except Exception as error:  # noqa: BLE001 - it is raised where the result is waited for
            done.set_exception(error)

    Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(done)
