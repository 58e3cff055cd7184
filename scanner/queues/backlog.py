"""What tells how many tasks wait, or for how long: metrics, reads of a queue's length, exporters, alerts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.queues.alerts import expressions
from assay.scanner.queues.apps import App
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts
from assay.scanner.readers.python import form

_QUEUED = frozenset({"queue", "queues", "queued", "backlog", "enqueued"})
_WAITING = frozenset({"pending", "waiting", "lag", "depth", "age"})
_WORK = frozenset(
    {"task", "tasks", "job", "jobs", "celery", "rq", "worker", "workers", "message", "messages", "consumer"}
)
"""Words of metrics: those that speak of queues, those that say that something waits, those that say what does."""
_MEASURING = (
    *("Gauge", "GaugeMetricFamily", "Histogram", "create_gauge", "create_observable_gauge", "create_histogram"),
    *("gauge", "histogram", "distribution", "timing", "timer", "put_metric", "put_metric_data", "add_metric"),
    *("set_gauge", "record_metric", "record_custom_metric", "record_gauge", "create_up_down_counter", "send_metric"),
)
"""Calls that measure how much there is or how long it takes, of whatever library; the first text names the metric."""
_READING: Mapping[str, frozenset[str]] = {
    "RQ": frozenset({"get_statistics", "get_queue_stats", "get_job_ids", "job_ids", "get_scheduler_statistics"}),
    "Dramatiq": frozenset({"get_queue_message_counts", "get_queue_size", "do_qsize"}),
    "arq": frozenset({"queued_jobs"}),
    "Huey": frozenset({"pending_count", "scheduled_count"}),
    "Django Q": frozenset({"queue_size", "lock_size"}),
}
"""Methods and attributes by which a library says how much waits."""
_EXPORTER = re.compile(
    r"(celery|rq|dramatiq|arq|huey|kafka|kafka[-_]lag|rabbitmq|sqs|cloudwatch|yace)[-_.]?(prometheus[-_])?(metrics[-_])?exporter"
    r"|burrow(:|@|$)",
    re.IGNORECASE,
)
"""In the names of images."""
_EXPORTING = ("celery_exporter", "celery_prometheus_exporter", "rq_exporter", "dramatiq.middleware.prometheus",
              "dramatiq.middleware.Prometheus")  # fmt: skip
_ALERTED = re.compile(
    r"queue|backlog|messages_(ready|visible)|(kafka|consumer|group|stream|subscription)\w*lag"
    r"|redis_(key|list)_(size|length)|(task|job|celery|message)s?\w*(waiting|pending|oldest)",
    re.IGNORECASE,
)
_SCALERS = frozenset({"rabbitmq", "redis", "redis-streams", "aws-sqs-queue", "apache-kafka", "kafka", "gcp-pubsub",
                      "azure-queue", "azure-servicebus", "redis-cluster"})  # fmt: skip


def backlog(app: App) -> Iterator[Evidence]:
    """Of one worker app."""
    yield from _metrics(app)
    yield from _reads(app)
    yield from exporters(app)
    yield from _probed(app)
    for text, place in expressions(app):
        if _ALERTED.search(text):
            yield place
    for path, facts in sorted(app.code.gathered.context.files.items()):
        for scaler in facts.autoscalers if isinstance(facts, KubernetesFacts) else ():
            if not _SCALERS.isdisjoint(scaler.metrics):
                yield scaler.span.evidence(path, "starts more workers when more waits")


def _metrics(app: App) -> Iterator[Evidence]:
    for call, scope in app.code.calls_named(*_MEASURING):
        if _measures_waiting(call):
            yield scope.module.evidence(call, "measures what waits")
    for call, scope in app.code.calls_named("send"):
        owner = form.dotted(call.func.value) if isinstance(call.func, form.Attr) else None
        is_metric = not {"metrics", "metric", "statsd"}.isdisjoint(words(owner or ""))
        if is_metric and _measures_waiting(call):
            yield scope.module.evidence(call, "measures what waits")


def _measures_waiting(call: form.Call) -> bool:
    """By the texts in what names the metric."""
    stated = call.argument(0, "name") or call.keyword("MetricName")
    parts = [stated] if stated is not None else [a.value for a in call.args]
    nodes = (node for part in parts for node in form.walk(part))
    texts = (node.value for node in nodes if isinstance(node, form.Const) and isinstance(node.value, str))
    spoken = {word for text in texts for word in words(text)}
    return not spoken.isdisjoint(_QUEUED) or not (spoken.isdisjoint(_WAITING) or spoken.isdisjoint(_WORK))


def _reads(app: App) -> Iterator[Evidence]:
    """Code that asks how much waits, but for what is run by hand."""
    for call, scope in app.code.calls_named("llen", "zcard", "queue_declare", "declare_queue", "get_queue_attributes"):
        if _asks_length(call) and offline_reason(scope) is None:
            yield scope.module.evidence(call, "asks how much waits")
    names = _READING.get(app.framework, frozenset())
    for module in app.code.modules if names else ():
        if app.package not in module.imported_packages and f"django_{app.package}" not in module.imported_packages:
            continue
        for function in module.functions:
            read = next((node for node in function.nodes if _is_read(node, names, function.scope, app)), None)
            if read is not None and offline_reason(function.scope) is None:
                yield module.evidence(read, "asks how much waits")


def _is_read(node: form.Expr | form.Stmt, names: frozenset[str], scope: Scope, app: App) -> bool:
    """By a name of the library's own; or `queue.count` of a queue of RQ's."""
    match node:
        case form.Attr(value=owner, attr="count") if app.framework == "RQ":
            value = app.code.project.infer(owner, scope)
            return isinstance(value, Instance) and (value.type_name or "").startswith("rq.")
        case form.Attr(attr=name) | form.Call(func=form.Name(id=name)):
            return name in names
    return False


def _asks_length(call: form.Call) -> bool:
    name = last_name(call.func)
    if name in ("queue_declare", "declare_queue"):
        passive = call.keyword("passive")
        return isinstance(passive, form.Const) and passive.value is True
    if name == "get_queue_attributes":
        return True
    key = call.positional[0] if call.positional else None
    text = key.value if isinstance(key, form.Const) else form.dotted(key) if key is not None else None
    spoken = words(text) if isinstance(text, str) else ()
    return not {"queue", "queues", "celery", "rq", "dramatiq", "arq", "broker"}.isdisjoint(spoken)


def _probed(app: App) -> Iterator[Evidence]:
    """Checks that send a task and wait for it, and that miss a scheduled one."""
    for module in app.code.modules:
        for binding in module.scope.bindings.get("INSTALLED_APPS", ()):
            for node in form.walk(binding.value) if binding.value is not None else ():
                if isinstance(node, form.Const) and node.value == "health_check.contrib.celery":
                    yield module.evidence(node, "a health check sends a task and waits for it")
    for call, scope in app.code.calls_named("CeleryIntegration"):
        stated = call.keyword("monitor_beat_tasks")
        if isinstance(stated, form.Const) and stated.value is True:
            yield scope.module.evidence(stated, "Sentry tells when a scheduled task doesn't run")


def exporters(app: App) -> Iterator[Evidence]:
    """Programs beside the workers, and middleware in them, that tell of each queue how much waits and what fails."""
    for path, facts in sorted(app.code.gathered.context.files.items()):
        if isinstance(facts, ComposeFacts):
            for service in facts.services:
                if _EXPORTER.search(service.image or ""):
                    yield service.span.evidence(path, f"{service.name} tells what waits and what fails")
        elif isinstance(facts, KubernetesFacts):
            for workload in facts.workloads:
                if any(_EXPORTER.search(c.image or "") for c in workload.containers):
                    yield workload.span.evidence(path, f"{workload.name} tells what waits and what fails")
    yield from app.code.named(_EXPORTING)
