"""Whether tests let transactions fail halfway, and look whether anything remained."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import External
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Evidence
from assay.scanner.model.suite import RollbackTesting
from assay.scanner.model.transaction import Unity, WriteScope
from assay.scanner.readers.python import form
from assay.scanner.suite.collected import Collected
from assay.scanner.suite.failures import Failures
from assay.scanner.suite.tested import Tested, tested

_DEEPEST = 3
_MOST_WAYS = 60
_SHOWN = 3
_GENERIC = frozenset(
    {"create", "update", "save", "delete", "get", "filter", "add", "execute", "commit", "all", "first"}
)
"""Names that say nothing of whose method is made to fail."""
_METHODS = {
    "perform_create": ("POST",), "form_valid": ("POST",), "create": ("POST",), "perform_destroy": ("DELETE",),
    "destroy": ("DELETE",), "perform_update": ("PUT", "PATCH"), "update": ("PUT", "PATCH"),
    "partial_update": ("PATCH",),
}  # fmt: skip
"""Methods of views and serializers that a library calls, with the requests that it calls them for."""


def rollback_tests(gathered: Gathered, scopes: Iterable[WriteScope]) -> Iterator[RollbackTesting]:
    """One for each function whose writes one transaction holds."""
    judged = [s for s in scopes if s.unity is Unity.ONE and s.offline is None and s.transaction]
    if not judged:
        return
    known = tested(gathered)
    if not known.suite.tests:
        return
    functions = {f.id: f for f in gathered.project.functions}
    finder = _Finder(gathered, known)
    ways = {s.function: finder.ways(functions[s.function]) for s in judged if s.function in functions}
    direct = finder.direct({f for way in ways.values() for f in way})
    failures = Failures(known.suite)
    for scope in judged:
        if scope.function in ways:
            yield finder.of(scope, ways[scope.function], direct, failures)


@dataclass(slots=True)
class _Found:
    """What tests show of one scope; see `RollbackTesting`."""

    proven: list[Evidence] = field(default_factory=list)
    forced: list[Evidence] = field(default_factory=list)
    refused: list[Evidence] = field(default_factory=list)
    perhaps: list[Evidence] = field(default_factory=list)

    def note(self, test: Collected, statuses: set[int], scope: WriteScope, own: set[str], failures: Failures) -> None:
        """What a test that runs it shows; `own` are the names of what the function calls."""
        failure = failures.forced(test)
        gone = failures.nothing_left(test, scope.models)
        is_failing = failure is not None or failures.expects_error(test) or any(s >= 500 for s in statuses)
        if gone is not None and (is_failing or failures.is_about(test)):
            self.proven += [e for e in (failure, gone) if e is not None]
        elif failure is not None and failures.target(test) in own:
            self.forced.append(failure)
        elif gone is not None and any(400 <= s < 500 for s in statuses):
            self.refused.append(gone)


class _Finder:
    def __init__(self, gathered: Gathered, known: Tested) -> None:
        self._gathered = gathered
        self._project: Project = gathered.project
        self._known = known
        self._handled: dict[FunctionSymbol, list[Endpoint]] = {}
        self._views: dict[ClassSymbol, list[tuple[Route, Endpoint]]] = {}
        for route, endpoint in gathered.endpoints:
            if route.handler is not None:
                self._handled.setdefault(route.handler, []).append(endpoint)
            if route.view_class is not None:
                for cls in self._project.mro(route.view_class):
                    if isinstance(cls, ClassSymbol):
                        self._views.setdefault(cls, []).append((route, endpoint))
        self._requests = self._by_endpoint()
        self._serializers: dict[ClassSymbol, list[tuple[Route, Endpoint]]] | None = None

    def _by_endpoint(self) -> Mapping[int, dict[Collected, set[int]]]:
        """The tests that surely call each endpoint, with the statuses that they expect."""
        found: dict[int, dict[Collected, set[int]]] = {}
        for test, requests in self._known.calls.by_test.items():
            for request in requests:
                for endpoint in self._known.calls.matcher.match(request.method, request.path).certain:
                    found.setdefault(id(endpoint), {}).setdefault(test, set()).update(request.statuses)
        return found

    def ways(self, function: FunctionSymbol) -> Sequence[FunctionSymbol]:
        """The function, and those that lead to it."""
        found = {function: 0}
        queue = [function]
        for current in queue:
            if found[current] >= _DEEPEST or len(found) > _MOST_WAYS:
                continue
            for _, scope in self._project.callers(current):
                caller = scope.enclosing_function
                if caller is not None and caller not in found:
                    found[caller] = found[current] + 1
                    queue.append(caller)
        return tuple(found)

    def direct(self, functions: set[FunctionSymbol]) -> Mapping[FunctionSymbol, list[Collected]]:
        """The tests that call each of the functions themselves."""
        found: dict[FunctionSymbol, list[Collected]] = {}
        names = {f.name for f in functions} | {f.owner.name for f in functions if f.owner is not None}
        tests = {t.function: t for t in self._known.suite.tests}
        for module in dict.fromkeys(t.module for t in tests):
            for call, scope in module.calls_named(names):
                test = tests.get(scope.enclosing_function) if scope.enclosing_function is not None else None
                called = self._known.suite.project.callee_function(call, scope) if test is not None else None
                if test is not None and called in functions and called is not None:
                    found.setdefault(called, []).append(test)
        return found

    def of(
        self,
        scope: WriteScope,
        ways: Sequence[FunctionSymbol],
        direct: Mapping[FunctionSymbol, list[Collected]],
        failures: Failures,
    ) -> RollbackTesting:
        """Of one scope: the tests that run it, and what of them counts."""
        linked = self._linked(ways, direct)
        own = {last_name(n.func) or "" for n in ways[0].nodes if isinstance(n, form.Call)}
        found = _Found()
        for test, statuses in linked.items():
            found.note(test, statuses, scope, own, failures)
        if not found.proven:
            others = (t for t in failures.failing if t not in linked)
            for test in others:
                is_named = failures.calls(test, ways[0].name)
                is_near = is_named or failures.target(test) in own - _GENERIC or self._is_beside(test, ways[0])
                gone = failures.nothing_left(test, scope.models, is_linked=is_named) if is_near else None
                if gone is not None:
                    (found.proven if is_named else found.perhaps).append(gone)
        running = [t for t, s in linked.items() if not s or any(status < 400 or status >= 500 for status in s)]
        return RollbackTesting(
            function=scope.function,
            location=scope.location,
            role=scope.role,
            transaction=scope.transaction,
            is_bound=_is_bound(scope),
            tests=tuple(Evidence(t.function.location, f"{t.name} runs what leads to it") for t in running)[:_SHOWN],
            proven=tuple(found.proven[:_SHOWN]),
            forced=tuple(found.forced[:_SHOWN]),
            refused=tuple(found.refused[:_SHOWN]),
            perhaps=tuple(found.perhaps[:_SHOWN]),
        )

    def _linked(
        self, ways: Sequence[FunctionSymbol], direct: Mapping[FunctionSymbol, list[Collected]]
    ) -> dict[Collected, set[int]]:
        """The tests that run one of the functions, each with the statuses that it expects."""
        linked: dict[Collected, set[int]] = {}
        for way in ways:
            for test in direct.get(way, ()):
                linked.setdefault(test, set())
            for endpoint in self._endpoints(way):
                for test, statuses in self._requests.get(id(endpoint), {}).items():
                    linked.setdefault(test, set()).update(statuses)
        return linked

    def _is_beside(self, test: Collected, function: FunctionSymbol) -> bool:
        """Whether the test's module imports that of the function."""
        return function.module in self._known.suite.project.imports(test.function.module)

    def _endpoints(self, function: FunctionSymbol) -> Iterator[Endpoint]:
        """Those whose requests run the function first."""
        yield from self._handled.get(function, ())
        if function.owner is None:
            return
        pairs = [*self._views.get(function.owner, ()), *self._of_serializer(function.owner)]
        methods = _METHODS.get(function.name)
        for route, endpoint in pairs:
            if methods is not None and route.handler is not function and endpoint.method in methods:
                yield endpoint

    def _of_serializer(self, cls: ClassSymbol) -> Iterable[tuple[Route, Endpoint]]:
        if self._serializers is None:
            self._serializers = {}
            for route, endpoint in self._gathered.endpoints:
                stated = (
                    self._project.class_attribute(route.view_class, "serializer_class") if route.view_class else None
                )
                value = self._project.infer(*stated) if stated is not None else None
                if isinstance(value, ClassSymbol):
                    for base in self._project.mro(value):
                        if not isinstance(base, External):
                            self._serializers.setdefault(base, []).append((route, endpoint))
        return self._serializers.get(cls, ())


def _is_bound(scope: WriteScope) -> bool:
    """Whether a transaction was opened for the writes, or one of them needs the other."""
    opened = scope.transaction[0].location
    first = min((part.location for part in scope.parts), default=opened)
    return bool(scope.reason) or opened.path != first.path or opened <= first
