"""Which loops repeat what asks another machine."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.clients.sent import SentRequests
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import FunctionSymbol, How
from assay.scanner.model.role import Role
from assay.scanner.model.waiting import Wait
from assay.scanner.readers.python import form
from assay.scanner.retries.arguments import resolved
from assay.scanner.retries.found import Found
from assay.scanner.retries.loops import Loop
from assay.scanner.waiting.calls import DirectCalls
from assay.scanner.waiting.waits import Waits
from assay.scanner.web.registrations import decorated

_REMOTE = frozenset({Wait.NETWORK, Wait.MAIL})
_DEEPEST = 2
_NETWORK = ("requests.", "httpx.", "aiohttp.", "urllib.", "urllib3.", "smtplib.", "grpc.", "pika.", "kombu.", "hvac.")
_LOCAL = frozenset({"queue", "filelock", "subprocess", "multiprocessing", "playwright", "selenium", "django"})
_TROUBLE = frozenset(
    {
        "connection", "connect", "transport", "http", "url", "network", "unavailable", "unreachable",
        "disconnected", "throttled", "throttling", "smtp", "gateway",
    }
)  # fmt: skip
"""Words of the names of failures that other machines cause; what merely took long may have waited for anything."""
_ERRORS = frozenset({"S3Error", "RateLimitError", "ServiceError", "APIError", "ServerError"})


def retry_loops(project: Project, remote: RemoteCalls) -> Iterator[Found]:
    """Those that repeat what asks another machine, in order of place."""
    for module in project.modules.values():
        for node, scope in module.trying_loops if module.role is Role.PROD else ():
            loop = Loop(node, scope, project)
            if loop.is_retry and remote.are_in(loop):
                yield loop.found()


class RemoteCalls:
    """Whether what a loop repeats asks another machine."""

    def __init__(self, project: Project, sent: SentRequests, waits: Waits, calls: DirectCalls) -> None:
        self._project = project
        self._sent = sent
        self._waits = waits
        self._calls = calls

    def are_in(self, loop: Loop) -> bool:
        """By the failures that it catches, or by a call that it makes."""
        types = [resolved(h.type, loop.scope, self._project) for h in loop.repeating if h.type is not None]
        errors = [(n, t.scope) for t in types for n in form.walk(t.node) if isinstance(n, form.Name | form.Attr)]
        if any(is_network_error(self._project.qualified_name(e, s) or form.dotted(e) or "") for e, s in errors):
            return True
        function = loop.scope.enclosing_function
        if function is None:
            return False
        body = loop.tried.body
        if self._asks(function, range(body[0].start, body[-1].end), _DEEPEST):
            return True
        return any(self._asks(repeated, None, _DEEPEST) for repeated in self._handed(loop, function))

    def _handed(self, loop: Loop, function: FunctionSymbol) -> Iterator[FunctionSymbol]:
        """The functions that a decorator of the project repeats: it calls what it is given."""
        funcs = [n.func for n in form.walk_body(loop.tried.body) if isinstance(n, form.Call)]
        called = {func.id for func in funcs if isinstance(func, form.Name)}
        outer = _outermost(function)
        if outer is function or not any(b.how is How.PARAMETER for n in called for b in loop.scope.lookup(n)):
            return
        for found in decorated(self._project, {outer.name, *self._project.aliases_of(outer.name)}):
            meant = self._project.infer(found.call.func, found.scope)
            if meant is outer and isinstance(found.handler, FunctionSymbol):
                yield found.handler

    def _asks(self, function: FunctionSymbol, within: range | None, depth: int) -> bool:
        if any(self._sent.of(function, within)):
            return True
        sites = self._waits.of(function)
        if any(s.wait in _REMOTE and (within is None or s.call.start in within) for s in sites):
            return True
        steps = self._calls.of(function).steps if depth else ()
        return any(
            self._asks(step.callee, None, depth - 1) for step in steps if within is None or step.call.start in within
        )


def _outermost(function: FunctionSymbol) -> FunctionSymbol:
    while function.outer.function is not None:
        function = function.outer.function
    return function


def is_network_error(name: str) -> bool:
    """Whether it is the dotted name of a failure of connections: `httpx.TransportError`."""
    last = last_part(name.replace(":", "."))
    is_error = last[:1].isupper() and name.partition(".")[0] not in _LOCAL
    return is_error and (name.startswith(_NETWORK) or last in _ERRORS or not _TROUBLE.isdisjoint(words(last)))
