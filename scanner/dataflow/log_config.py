"""How each kind of process is set up to log: handlers, formats, unrouted loggers, ids that tie records together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from assay.scanner.dataflow.applications import Application, applications, imported
from assay.scanner.dataflow.correlation import correlation, ids_of_environment, ids_of_files
from assay.scanner.dataflow.log_files import file_sinks
from assay.scanner.framework import Context, SinkFound, frameworks
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import Module
from assay.scanner.model.log import LogFormat, LoggingSetup, LogSink, ProcessKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_NO_FILES: Mapping[str, bytes] = {}
_CELERY_SIGNALS = frozenset({"setup_logging", "after_setup_logger", "after_setup_task_logger"})
_HIJACK = "hijack_root_logger"
_TRACKERS = {
    "sentry_sdk.init": "an error tracker has ids of its own",
    "elasticapm.contrib.flask.ElasticAPM": "an APM has ids of its own",
    "newrelic.agent.initialize": "an APM has ids of its own",
    "ddtrace.patch_all": "an APM has ids of its own",
    "opentelemetry.trace.set_tracer_provider": "traces have ids of their own",
    "logfire.configure": "traces have ids of their own",
}


def logging_setups(
    context: Context, modules: Collection[Module], files: Mapping[str, bytes] = _NO_FILES
) -> tuple[LoggingSetup, ...]:
    """One setup for each kind of process that the service's modules make up.

    `files` are the service's configuration files (`.conf`, `.ini`, `.cfg`, `.yaml`, `.json`) by path; those that
    configure no logging are passed over.
    """
    ours = [m for m in modules if m.role is Role.PROD]
    paths = {m.path for m in ours}
    found = [s for f in frameworks() for s in f.sinks(context) if s.module is None or s.module.path in paths]
    found += file_sinks(files)
    ids = [*correlation(context.project, ours), *ids_of_files(files), *ids_of_environment(context.files)]
    carried = list(dict.fromkeys(ids))
    trackers = tuple(_trackers(context.project, ours))
    serving = applications(context.project, modules)
    reached = {kind: imported({a.module for a in apps}, context.project) for kind, apps in serving.items()}
    setups = []
    for kind, apps in sorted(serving.items()):
        mine = _sinks_of(kind, found, reached)
        if any(a.library == "celery" for a in apps) and not _keeps_root(ours):
            mine = [_replaced(s) if s.on_root else s for s in mine]
        setups.append(_setup(kind, apps, mine, carried, trackers))
    return tuple(setups)


def _keeps_root(modules: Collection[Module]) -> bool:
    """Whether Celery's workers leave the root logger's handlers alone, or are told which to take instead."""
    for module in modules:
        if any(b.module.startswith("celery") and b.name in _CELERY_SIGNALS for b in module.imports):
            return True
        if "celery" in module.imported_packages:
            connected = (form.dotted(d) or "" for f in module.functions for d in f.decorators)
            if any(not _CELERY_SIGNALS.isdisjoint(name.split(".")) for name in connected):
                return True
        if any(_HIJACK in name.lower() for name in module.scope.bindings) or any(
            isinstance(target, form.Attr) and _HIJACK in target.attr
            for a, _ in module.assignments
            for target in a.targets
        ):
            return True
        if any(a.name and _HIJACK in a.name for call, _ in module.calls_named(("update", "Celery")) for a in call.args):
            return True
        if any(isinstance(n, form.Const) and _HIJACK in str(n.value).lower() for n, _ in module.texts):
            return True
    return False


def _replaced(sink: SinkFound) -> SinkFound:
    """A handler of the root logger, instead of which Celery's workers use one of their own."""
    text = "Celery's workers replace it by a plain one unless worker_hijack_root_logger is off"
    return replace(sink, format=LogFormat.PLAIN, evidence=replace(sink.evidence, text=text))


def _sinks_of(kind: ProcessKind, found: list[SinkFound], reached: Mapping[ProcessKind, set[str]]) -> list[SinkFound]:
    """The sinks that a process of the kind gets: those of modules that it imports, and what all share.

    Where that is nothing, what no other kind imports is its: a server's start-up code imports what it likes.
    """
    mine = [s for s in found if s.is_shared or s.module is None or s.module.path in reached[kind]]
    others = {path for other, paths in reached.items() if other is not kind for path in paths}
    return mine or [s for s in found if s.module is not None and s.module.path not in others]


def _setup(
    kind: ProcessKind,
    apps: list[Application],
    mine: list[SinkFound],
    carried: list[tuple[ProcessKind | None, Evidence]],
    trackers: tuple[Evidence, ...],
) -> LoggingSetup:
    sinks = tuple(LogSink(s.format, s.evidence, s.is_file) for s in mine if s.format is not LogFormat.UNKNOWN)
    elsewhere = tuple(s.evidence for s in mine if s.format is LogFormat.UNKNOWN)
    first = min((s.setup or s.evidence.location for s in mine), default=apps[0].location)
    return LoggingSetup(
        kind=kind,
        location=first,
        role=apps[0].module.role,
        sinks=sinks,
        elsewhere=elsewhere,
        unrouted=tuple(e for s in mine for e in s.unrouted),
        correlation=tuple(e for k, e in carried if k is None or k is kind),
        tracker_ids=trackers,
    )


def _trackers(project: Project, modules: list[Module]) -> Iterator[Evidence]:
    paths = {m.path for m in modules}
    for call, scope in project.calls_named(*sorted({last_part(n) for n in _TRACKERS})):
        name = project.callee_name(call, scope)
        if name in _TRACKERS and scope.module.path in paths:
            yield scope.module.evidence(call, _TRACKERS[name])
