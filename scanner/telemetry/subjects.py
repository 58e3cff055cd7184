"""What each service records of its requests and of what it calls."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from assay.scanner.dataflow.blocks import is_main_guard
from assay.scanner.dataflow.constants import constant
from assay.scanner.dataflow.entry_points import is_command
from assay.scanner.dataflow.ways import way_to
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Binding, FunctionSymbol, How, Module, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.telemetry import DependencyKind, DependencyTelemetry, LatencyMeasurement
from assay.scanner.readers import shell
from assay.scanner.readers.dependencies import DependencyFacts
from assay.scanner.readers.kubernetes import KubernetesFacts
from assay.scanner.readers.python import form
from assay.scanner.readers.shell import ShellFacts
from assay.scanner.roles import is_offline
from assay.scanner.services import ServiceRoot
from assay.scanner.telemetry.libraries import (
    AGENT_COMMANDS,
    AGENT_PACKAGES,
    CACHES,
    DEPENDENCIES,
    EVERYTHING,
    INJECTED,
    LOGFIRE,
    MESHES,
    QUERY_EVENTS,
    QUEUES,
    REQUESTS,
)

_HOOKS = frozenset(
    {"before_request", "after_request", "teardown_request", "before_app_request", "after_app_request", "middleware"}
    | {"teardown_app_request", "on_request", "on_response"}
)
"""Decorators of what a framework calls around requests."""
_EMITTING = ("timing", "timer", "observe", "histogram", "distribution", "timed", "record_duration", "record")
_CLOCKS = ("perf_counter", "monotonic", "process_time", "default_timer", "time")
_OF_A_REQUEST = frozenset({"request", "req", "response", "resp", "scope", "environ", "get_response", "call_next"})
_AROUND_A_REQUEST = frozenset({"scope", "environ", "get_response", "call_next"})
_SHOWN = 3
_DEEPEST = 4
"""Callers of callers that are looked at."""


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
        injected = self._annotated(INJECTED, "lets an agent be put into it")
        self._agents = (*self._named(EVERYTHING), *self._commands(), *injected, *self._sentry())

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
            _shown((*self._timed(), *self._traced_elsewhere(), *self._meshes(), *self._declared())),
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
        for call, scope in self._own_calls("start_as_current_span", "start_span"):
            yield Evidence(scope.module.location(call), "opens a span by hand, which may be around such calls")
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
            script = self._gathered.context.files.get(command.location.path)
            if isinstance(script, ShellFacts):
                # The agent may stand in a variable: `exec $PREFIX gunicorn ...`.
                for found in shell.commands(script.body):
                    if any(not AGENT_COMMANDS.isdisjoint(value.split()) for _, value in found.assignments):
                        yield found.span.evidence(command.location.path, "may start with an agent")

    def _annotated(self, pattern: re.Pattern[str], text: str) -> Iterator[Evidence]:
        """Annotations and labels of the service's pods that switch something on."""
        deployment = self._gathered.deployments.get(self._service.name)
        own = {(w.location.path, w.name) for w in (deployment.workloads if deployment is not None else ())}
        for path in sorted({path for path, _ in own}):
            facts = self._gathered.context.files.get(path)
            for workload in facts.workloads if isinstance(facts, KubernetesFacts) else ():
                marks = (*workload.pod_annotations, *workload.pod_labels) if (path, workload.name) in own else ()
                for name, value in marks:
                    if pattern.fullmatch(name) and value.lower() not in ("false", "disabled"):
                        yield workload.span.evidence(path, f"{name} {text}")

    def _meshes(self) -> Iterator[Evidence]:
        yield from self._annotated(MESHES, "puts a proxy beside it that times requests")
        deployment = self._gathered.deployments.get(self._service.name)
        for command in deployment.start_commands if deployment is not None else ():
            if "--statsd-host" in command.text:
                yield Evidence(command.location, "Gunicorn sends the durations of requests")

    def _declared(self) -> Iterator[Evidence]:
        """An agent among the dependencies, which what starts the process may load."""
        for path, facts in sorted(self._gathered.context.files.items()):
            if not isinstance(facts, DependencyFacts) or facts.is_lock:
                continue
            if self._gathered.owners.around(path) not in (self._service, None):
                continue
            for requirement in facts.requirements:
                if AGENT_PACKAGES.fullmatch(requirement.name.lower().replace("_", "-")):
                    text = f"{requirement.name} is a dependency; what loads it isn't here"
                    yield requirement.span.evidence(path, text)

    def _sentry(self) -> Iterator[Evidence]:
        """Sentry records durations only where a share of the requests is traced."""
        for call, scope, name, value in self._sentry_options:
            known = constant(value, scope, self._project)
            off = _is_off_by_default(value) if known is None else known.value in (0, 0.0, False, None)
            if not off:
                yield Evidence(scope.module.location(call), f"Sentry traces requests ({name})")

    def _traced_elsewhere(self) -> Iterator[Evidence]:
        """Sentry whose rate the environment decides, or whose options come from elsewhere."""
        for call, scope, name, value in self._sentry_options:
            if _is_off_by_default(value):
                yield Evidence(scope.module.location(call), f"Sentry traces what the environment says ({name})")
        for call, scope in self._sentry_calls():
            if any(argument.star == 2 for argument in call.args):
                yield Evidence(scope.module.location(call), "Sentry's options come from elsewhere")

    @cached_property
    def _sentry_options(self) -> tuple[tuple[form.Call, Scope, str, form.Expr], ...]:
        names = ("traces_sample_rate", "traces_sampler", "enable_tracing")
        return tuple(
            (call, scope, name, value)
            for call, scope in self._sentry_calls()
            for name in names
            if (value := call.keyword(name)) is not None
        )

    def _sentry_calls(self) -> Iterator[tuple[form.Call, Scope]]:
        sentry = [m for m in self._modules if "sentry_sdk" in m.imported_packages]
        bound = {
            local for module in sentry for local, bindings in module.scope.bindings.items()
            if any(b.module == "sentry_sdk" and b.name == "init" for b in bindings)
        }  # fmt: skip
        for call, scope in self._own_calls("init", *sorted(bound - {"init"})) if sentry else ():
            if self._project.qualified_name(call.func, scope) in ("sentry_sdk.init", "sentry_sdk.api.init"):
                yield call, scope

    def _logfire(self, kind: DependencyKind | None) -> Iterator[Evidence]:
        for name, records in LOGFIRE.items():
            if records is kind:
                for call, scope in self._own_calls(name):
                    yield Evidence(scope.module.location(call), f"calls {name}")

    def _emitted(self) -> Iterator[Evidence]:
        """A metric of a duration that code around every request writes."""
        for call, scope in self._own_calls("time"):
            # `HISTOGRAM.labels(...).time()` around the request.
            on = call.func.value if isinstance(call.func, form.Attr) else None
            is_metric = isinstance(on, form.Call) and isinstance(on.func, form.Attr) and on.func.attr == "labels"
            if is_metric and _around_requests(scope) is not None:
                yield Evidence(scope.module.location(call), "records the duration of a request")
        for call, scope in self._own_calls(*_EMITTING):
            function = _around_requests(scope)
            named = bool(call.args) and isinstance(call.args[0].value, form.Const | form.Template)
            if function is not None and isinstance(call.func, form.Attr) and (named or call.func.attr == "observe"):
                yield Evidence(scope.module.location(call), "records the duration of a request")

    def _timed(self) -> Iterator[Evidence]:
        """Code around every request that looks at the clock."""
        for call, scope in self._own_calls(*_CLOCKS):
            is_clock = call.func.attr != "time" if isinstance(call.func, form.Attr) else True
            is_clock = is_clock or form.dotted(call.func) in ("time.time", "_time.time")
            # Views look at the clock for reasons of their own.
            around = _around_requests(scope, strict=form.dotted(call.func) in ("time", "time.time", "_time.time"))
            if is_clock and around is not None:
                yield Evidence(scope.module.location(call), "takes the time of a request")

    def _query_events(self) -> Iterator[Evidence]:
        for call, scope in self._own_calls("listens_for", "listen"):
            event = call.positional[1] if len(call.positional) > 1 else None
            if isinstance(event, form.Const) and event.value in QUERY_EVENTS:
                yield Evidence(scope.module.location(call), f"listens for {event.value}")
        for call, scope in self._own_calls("execute_wrapper"):
            yield Evidence(scope.module.location(call), "wraps every query of Django")

    def _uses(self, kind: DependencyKind) -> Iterator[Evidence]:
        owners, service = self._gathered.owners, self._service
        if kind is DependencyKind.DATABASE:
            for table in self._gathered.tables:
                if owners.of(table.location.path) is service:
                    yield Evidence(table.location, table.label)
        elif kind is DependencyKind.HTTP:
            for request in self._gathered.requests:
                is_own = owners.of(request.location.path) is service and request.role is Role.PROD
                if is_own and not self._is_offline(request.function, request.location.path):
                    yield Evidence(request.location, "a request to another service")
        elif kind is DependencyKind.QUEUE:
            for module in self._online:
                for name in sorted(module.imported_packages & QUEUES):
                    yield from _import_of(module, name)
        else:
            for module in self._online:
                for name in sorted(module.imported_packages & CACHES):
                    yield from _import_of(module, name)

    @cached_property
    def _online(self) -> tuple[Module, ...]:
        """Modules that aren't run by hand or at deployment."""
        return tuple(m for m in self._modules if not is_offline(m.path))

    def _is_offline(self, function: str, path: str) -> bool:
        """Whether nobody's request leads to it: commands, scripts, and what only they call."""
        found = next((f for m in self._modules if m.path == path for f in m.functions if f.id == function), None)
        return is_offline(path) if found is None else self._is_run_by_hand(found, frozenset())

    def _is_run_by_hand(self, function: FunctionSymbol, seen: frozenset[FunctionSymbol]) -> bool:
        if is_command(function, self._project):
            return True
        calls = [(call, s) for call, s in self._project.callers(function) if s.module.role is Role.PROD]
        if not calls or function in seen or len(seen) > _DEEPEST:
            return False
        return all(
            self._is_run_by_hand(caller, seen | {function})
            if (caller := scope.enclosing_function) is not None
            else is_offline(scope.module.path) or _is_below_guard(call, scope)
            for call, scope in calls
        )

    def _own_calls(self, *names: str) -> Iterator[tuple[form.Call, Scope]]:
        for call, scope in self._project.calls_named(*names):
            if scope.module.role is Role.PROD and self._gathered.owners.of(scope.module.path) is self._service:
                yield call, scope


def _around_requests(scope: Scope, *, strict: bool = False) -> Scope | None:
    """The function's scope, where it is one that a framework calls around requests, as its parameters tell. A strict
    look doesn't take a view for one.
    """
    function = scope.function
    if function is None:
        return None
    names = {p.name for p in function.node.params}
    owner = function.owner
    is_middleware = owner is not None and "middleware" in owner.name.lower()
    is_hook = any(last_name(d.func if isinstance(d, form.Call) else d) in _HOOKS for d in function.decorators)
    wanted = _AROUND_A_REQUEST if strict else _OF_A_REQUEST
    return scope if is_middleware or is_hook or not names.isdisjoint(wanted) else None


def _is_below_guard(call: form.Call, scope: Scope) -> bool:
    """Whether it runs below `if __name__ == "__main__"`."""
    return any(branch.test is not None and is_main_guard(branch.test) for branch in way_to(scope.body, call.start))


def _is_off_by_default(value: form.Expr) -> bool:
    """Whether the environment has to switch it on: `os.environ.get("RATE", "0.0")`."""
    return any(
        isinstance(node, form.Call)
        and last_name(node.func) in ("get", "getenv")
        and (default := node.argument(1, "default")) is not None
        and isinstance(default, form.Const)
        and default.value in ("0", "0.0", 0, 0.0, False)
        for node in form.walk(value)
    )


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
