"""Where functions send requests over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.outbound import OutboundCall


class SentRequests:
    """Outbound calls by the function that they are in."""

    def __init__(self, requests: Iterable[OutboundCall]) -> None:
        self._by_function: dict[str, list[OutboundCall]] = {}
        for request in requests:
            self._by_function.setdefault(request.function, []).append(request)

    def of(self, function: FunctionSymbol, within: range | None = None) -> Iterator[OutboundCall]:
        """Those of the function's own body, or of the part of it between two offsets."""
        span = function.module.span(within.start, within.stop) if within is not None else None
        for request in self._by_function.get(function.id, ()):
            if request.location.path != function.module.path:
                continue
            if span is None or span.line <= request.location.line <= span.end_line:
                yield request
