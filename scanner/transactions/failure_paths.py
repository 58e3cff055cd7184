"""What becomes of transactions when a statement fails: of sessions and connections, and in handlers of errors."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.entry_points import serving_functions
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.rollback import Failing, FailurePath
from assay.scanner.queries.offline import Offline
from assay.scanner.transactions.acquisitions import Acquisitions
from assay.scanner.transactions.error_handlers import ErrorHandlers
from assay.scanner.transactions.scopes import Scopes


def failure_paths(gathered: Gathered, scopes: Scopes, functions: tuple[FunctionSymbol, ...]) -> Iterator[FailurePath]:
    """Of all that opens sessions or connections, and of the functions that write or that requests run."""
    finder = _Finder(Offline(gathered.project))
    for one in Acquisitions(gathered, scopes.events).all():
        place = one.function.module.location(one.call)
        yield finder.path(one.function, one.what, place, one.failing, one.evidence)
    served = serving_functions(gathered.project)
    handlers = frozenset([*(r.handler for r, _ in gathered.endpoints if r.handler is not None), *served])
    errors = ErrorHandlers(gathered.project, scopes, handlers)
    for function in sorted({*functions, *gathered.bodies.read}, key=lambda f: (f.module.path, f.node.start)):
        if function.module.role is Role.PROD:
            for found in errors.of(function):
                place = function.module.span(found.handler.start, found.handler.body[0].start)
                yield finder.path(function, f"handler of {found.caught}", place, found.failing, found.evidence)


class _Finder:
    def __init__(self, offline: Offline) -> None:
        self._offline = offline
        self._ordinals = Ordinals()

    def path(
        self,
        function: FunctionSymbol,
        what: str,
        place: Location,
        failing: Failing,
        evidence: tuple[Evidence, ...],
    ) -> FailurePath:
        name = around(function.scope)
        return FailurePath(
            function=name,
            what=what,
            ordinal=self._ordinals.next(name, what),
            location=place,
            role=function.module.role,
            failing=failing,
            evidence=evidence,
            offline=self._offline.reason(function.scope, is_asked_of_callers=True),
        )
