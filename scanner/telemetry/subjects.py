"""What each service records of its requests and of what it calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cached_property

from assay.scanner.dataflow.constants import constant
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import Binding, How, Module, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.telemetry import DependencyKind, DependencyTelemetry, LatencyMeasurement
from assay.scanner.readers.python import form
from assay.scanner.services import ServiceRoot
from assay.scanner.telemetry.libraries import (
    AGENT_COMMANDS,
    CACHES,
    DEPENDENCIES,
    EVERYTHING,
    LOGFIRE,
    QUERY_EVENTS,
    QUEUES,
    REQUESTS,
)

_EMITTING = ("timing", "timer", "observe", "histogram", "distribution", "timed", "record_duration", "record")
_CLOCKS = ("perf_counter", "monotonic", "process_time")
_OF_A_REQUEST = frozenset({"request", "req", "response", "resp", "scope", "environ", "get_response", "call_next"})
_SHOWN = 3


def telemetry(gathered: Gathered) -> Iterator[LatencyMeasurement | DependencyTelemetry]:
    """What is recorded of each service."""
    for service in gathered.services:
        found = _Service(service, gathered)
        yield found.latency
        yield from found.dependencies()


_PACKAGES = frozenset(
    name.partition(".")[0] for names in (REQUESTS, EVERYTHING, *DEPENDENCIES.values()) for name in names
)


class _Service:
    def __init__(self, service: ServiceRoot, gathered: Gathered) -> None:
        self._service = service
        self._gathered = gathered
        self._project = gathered.project
        owners = gathered.owners
        self._modules = [
            m for m in self._project.modules.values() if m.role is Role.PROD and owners.of(m.path) is service
        ]
        self._agents = (*self._named(EVERYTHING), *self._commands(), *self._sentry())

    @cached_property
    def latency(self) -> LatencyMeasurement:
        """What records the requests."""
        recorded = (*self._named(REQUESTS), *self._agents, *self._logfire(None), *self._emitted())
        serves = any(self._gathered.owners.of(e.location.path) is self._service for _, e in self._gathered.endpoints)
        return LatencyMeasurement(
            self._service.root,
            self._service.location,
            Role.PROD,
            _shown(recorded),
            _shown(self._timed()),
            serves,
        )

    def dependencies(self) -> Iterator[DependencyTelemetry]:
        """What records the calls of each kind of dependency that is used."""
        is_dark = not self.latency.recorded
        for kind in DependencyKind:
            uses = _shown(self._uses(kind))
            if not uses:
                continue
            found = [*self._named(DEPENDENCIES[kind]), *self._agents, *self._logfire(kind)]
            found += self._query_events() if kind is DependencyKind.DATABASE else ()
            is_dark_here = is_dark and not found
            yield DependencyTelemetry(
                self._service.root,
                kind,
                self._service.location,
                Role.PROD,
                uses,
                _shown(found),
                _shown(self._kept_for_a_while(kind)),
                is_dark_here,
            )

    def _kept_for_a_while(self, kind: DependencyKind) -> Iterator[Evidence]:
        """What tells of each call, and may be recorded by somebody."""
        if kind is DependencyKind.DATABASE:
            for call, scope in self._own_calls("get_recorded_queries", "get_debug_queries"):
                yield Evidence(scope.module.location(call), "asks for the queries of a request")
        elif kind is DependencyKind.QUEUE:
            for setting in self._gathered.settings:
                mine = self._gathered.owners.of(setting.location.path) is self._service
                if mine and "send_task_events" in setting.name.lower():
                    yield Evidence(setting.location, "workers send events of their tasks")

    def _named(self, names: Iterable[str]) -> Iterator[Evidence]:
        """Imports of a library, and strings in settings that name it."""
        wanted = tuple(names)
        for module, dotted, offset in self._mentioned:
            name = next((n for n in wanted if _is_below(dotted, n)), None)
            if name is None:
                continue
            if offset is None:
                yield from _string(module, dotted)
            else:
                yield Evidence(module.span(offset, offset), f"imports {name}")

    @cached_property
    def _mentioned(self) -> tuple[tuple[Module, str, int | None], ...]:
        """What of the known libraries code imports, with the place, and what strings name."""
        found: list[tuple[Module, str, int | None]] = []
        for module in self._modules:
            if not module.imported_packages.isdisjoint(_PACKAGES):
                names = ((_dotted(binding), binding.offset) for binding in module.imports if binding.level == 0)
                found += [(module, name, at) for name, at in names if name.partition(".")[0] in _PACKAGES]
            said = (text for text in module.facts.mentions.strings if text.partition(".")[0] in _PACKAGES)
            found += [(module, text, None) for text in said]
        return tuple(found)

    def _commands(self) -> Iterator[Evidence]:
        deployment = self._gathered.deployments.get(self._service.name)
        for command in deployment.start_commands if deployment is not None else ():
            words = {word.rpartition("/")[2] for word in command.text.replace('"', " ").replace(",", " ").split()}
            agent = next(iter(sorted(words & AGENT_COMMANDS)), None)
            if agent is not None:
                yield Evidence(command.location, f"starts with {agent}")

    def _sentry(self) -> Iterator[Evidence]:
        """Sentry records durations only where a share of the requests is traced."""
        for call, scope in self._own_calls("init"):
            is_sentry = "sentry_sdk" in scope.module.imported_packages
            if not is_sentry or form.dotted(call.func) not in ("sentry_sdk.init", "init"):
                continue
            for name in ("traces_sample_rate", "traces_sampler", "enable_tracing"):
                value = call.keyword(name)
                if value is None:
                    continue
                known = constant(value, scope, self._project)
                if known is None or known.value not in (0, 0.0, False, None):
                    yield Evidence(scope.module.location(call), f"Sentry traces requests ({name})")

    def _logfire(self, kind: DependencyKind | None) -> Iterator[Evidence]:
        for name, records in LOGFIRE.items():
            if records is kind:
                for call, scope in self._own_calls(name):
                    yield Evidence(scope.module.location(call), f"calls {name}")

    def _emitted(self) -> Iterator[Evidence]:
        """A metric of a duration that code around every request writes."""
        for call, scope in self._own_calls(*_EMITTING):
            function = _around_requests(scope)
            named = bool(call.args) and isinstance(call.args[0].value, form.Const | form.Template)
            if function is not None and isinstance(call.func, form.Attr) and (named or call.func.attr == "observe"):
                yield Evidence(scope.module.location(call), "records the duration of a request")

    def _timed(self) -> Iterator[Evidence]:
        """Code around every request that looks at the clock."""
        for call, scope in self._own_calls(*_CLOCKS):
            if _around_requests(scope) is not None:
                yield Evidence(scope.module.location(call), "takes the time of a request")

    def _query_events(self) -> Iterator[Evidence]:
        for call, scope in self._own_calls("listens_for", "listen"):
            event = call.positional[1] if len(call.positional) > 1 else None
            if isinstance(event, form.Const) and event.value in QUERY_EVENTS:
                yield Evidence(scope.module.location(call), f"listens for {event.value}")

    def _uses(self, kind: DependencyKind) -> Iterator[Evidence]:
        owners, service = self._gathered.owners, self._service
        if kind is DependencyKind.DATABASE:
            for table in self._gathered.tables:
                if owners.of(table.location.path) is service:
                    yield Evidence(table.location, table.label)
        elif kind is DependencyKind.HTTP:
            for request in self._gathered.requests:
                if owners.of(request.location.path) is service and request.role is Role.PROD:
                    yield Evidence(request.location, "a request to another service")
        elif kind is DependencyKind.QUEUE:
            for module in self._modules:
                for name in sorted(module.imported_packages & QUEUES):
                    yield from _import_of(module, name)
        else:
            for module in self._modules:
                for name in sorted(module.imported_packages & CACHES):
                    yield from _import_of(module, name)

    def _own_calls(self, *names: str) -> Iterator[tuple[form.Call, Scope]]:
        for call, scope in self._project.calls_named(*names):
            if scope.module.role is Role.PROD and self._gathered.owners.of(scope.module.path) is self._service:
                yield call, scope


def _around_requests(scope: Scope) -> Scope | None:
    """The function's scope, where it is one that a framework calls around requests, as its parameters tell."""
    function = scope.function
    if function is None:
        return None
    names = {p.name for p in function.node.params}
    owner = function.owner
    is_middleware = owner is not None and "middleware" in owner.name.lower()
    return scope if is_middleware or not names.isdisjoint(_OF_A_REQUEST) else None


def _dotted(binding: Binding) -> str:
    """What an import names: `import a.b` as much as `from a import b`."""
    return binding.name if binding.how is How.IMPORT else f"{binding.module}.{binding.name}"


def _is_below(dotted: str, name: str) -> bool:
    return dotted == name or dotted.startswith(f"{name}.")


def _string(module: Module, text: str) -> Iterator[Evidence]:
    for statement in module.facts.body:
        for node in form.walk(statement):
            if isinstance(node, form.Const) and node.value == text:
                yield Evidence(module.location(node), f"names {text}")
                return


def _import_of(module: Module, package: str) -> Iterator[Evidence]:
    for binding in module.imports:
        if binding.level == 0 and (_is_below(binding.module, package) or _is_below(binding.name, package)):
            yield Evidence(module.span(binding.offset, binding.offset), f"imports {package}")
            return


def _shown(evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(evidence))[:_SHOWN]
