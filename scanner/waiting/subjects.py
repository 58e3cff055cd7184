"""What waits for calls that take long."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.role import Role
from assay.scanner.model.waiting import AsyncFunction, BackgroundWork, RequestWork
from assay.scanner.waiting.async_functions import AsyncFunctions
from assay.scanner.waiting.background import background_work
from assay.scanner.waiting.calls import DirectCalls
from assay.scanner.waiting.event_loop import EventLoop
from assay.scanner.waiting.requests import Requests
from assay.scanner.waiting.waits import Waits


def delays(gathered: Gathered) -> Iterator[AsyncFunction | BackgroundWork | RequestWork]:
    """What holds up the event loop, and requests."""
    project = gathered.project
    calls = DirectCalls(project)
    waits = Waits(project, gathered.libraries, calls)
    yield from background_work(project)
    yield from Requests(gathered.endpoints, gathered.settings, calls, waits).all()
    if any(f.node.is_async and f.module.role is Role.PROD for f in project.functions):
        on_loop = EventLoop(project, [route for route, _ in gathered.endpoints], calls)
        yield from AsyncFunctions(on_loop.functions, calls, waits).all()
