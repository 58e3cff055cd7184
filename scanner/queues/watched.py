"""Whether somebody notices that tasks wait or fail."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.worker_app import WorkerApp
from assay.scanner.queues.apps import App
from assay.scanner.queues.backlog import backlog, exporters
from assay.scanner.queues.failures import failures
from assay.scanner.readers import shell
from assay.scanner.readers.dependencies import DependencyFacts
from assay.scanner.readers.python import form
from assay.scanner.readers.shell import ShellFacts
from assay.scanner.telemetry import agents
from assay.scanner.telemetry.code import import_of
from assay.scanner.telemetry.found import shown

_SHOWING = re.compile(r"django_rq\.urls|rq_dashboard|dramatiq_dashboard")
_DASHBOARDS = frozenset({"rq_dashboard", "dramatiq_dashboard", "rq_dashboard_fast", "arq_dashboard"})
_LOADED_FROM_OUTSIDE = re.compile(r"ddtrace|newrelic|opentelemetry-(distro|instrumentation-(celery|pika))|splunk")
"""Dependencies that see tasks, and that a command may load."""
_MEASURED_BY_CLOUD = frozenset({"SQS", "Google Pub/Sub", "Azure Service Bus"})
_FLOWER = re.compile(r"(^|[/\s])flower\b|\bflower(:|$)")


def watched(app: App) -> WorkerApp:
    """What tells of one worker app."""
    return WorkerApp(
        app.framework,
        app.code.service.root,
        app.location,
        Role.PROD,
        backlog=shown(backlog(app)),
        failures=shown([*failures(app), *exporters(app)]),
        looked_at=shown(_looked_at(app)),
    )


def _looked_at(app: App) -> Iterator[Evidence]:
    """Pages for people, and events that workers send to whoever listens."""
    if app.framework in _MEASURED_BY_CLOUD:
        yield Evidence(app.location, "the cloud measures its queues; what alerts on that isn't here")
    yield from _flower(app)
    yield from (e for e in agents.declared(app.code) if _LOADED_FROM_OUTSIDE.match(e.text))
    for call, scope in app.code.calls_named("include"):
        for node in form.walk(call):
            if isinstance(node, form.Const) and isinstance(node.value, str) and _SHOWING.search(node.value):
                yield scope.module.evidence(call, "pages show the queues to who looks")
    for module in app.code.modules:
        if not _DASHBOARDS.isdisjoint(module.imported_packages):
            found = (import_of(module, name) for name in sorted(_DASHBOARDS))
            yield from (each for each in found if each is not None)
    for setting in app.code.gathered.settings:
        if "send_task_events" in setting.name.lower() and app.code.owns(setting.location.path):
            yield Evidence(setting.location, "workers send events of their tasks, which nothing here reads")


def _flower(app: App) -> Iterator[Evidence]:
    text = "Flower shows tasks to who looks"
    deployment = app.code.gathered.deployments.get(app.code.service.name)
    for workload in deployment.workloads if deployment is not None else ():
        if agents.is_flower(workload) or _FLOWER.search(workload.image or "") or workload.name == "flower":
            yield Evidence(workload.location, text)
    for path, facts in sorted(app.code.gathered.context.files.items()):
        for command in shell.commands(facts.body) if isinstance(facts, ShellFacts) and app.code.owns(path) else ():
            if "flower" in command.words and "celery" in " ".join(command.words):
                yield command.span.evidence(path, text)
        for requirement in facts.requirements if isinstance(facts, DependencyFacts) and not facts.is_lock else ():
            if requirement.name.lower() == "flower" and app.code.gathered.owners.around(path) is app.code.service:
                yield requirement.span.evidence(path, "Flower is a dependency; what starts it isn't here")
