"""Agents and proxies that record requests from outside the code: start commands, pods' annotations, dependencies."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.model.place import Evidence
from assay.scanner.model.workload import Workload
from assay.scanner.readers import shell
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.dependencies import DependencyFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts
from assay.scanner.readers.shell import ShellFacts
from assay.scanner.telemetry.code import ServiceCode
from assay.scanner.telemetry.libraries import AGENT_COMMANDS, AGENT_PACKAGES, INJECTED, MESHES, SCRAPED

_FLOWER = re.compile(r"\bcelery\b.*\bflower\b")
_EXPORTER = re.compile(r"(celery|rq|dramatiq)[-_](prometheus[-_])?exporter|(^|/)flower")
"""In the names of images."""


def injected(code: ServiceCode) -> Iterator[Evidence]:
    """Annotations by which an operator puts an agent into the pods."""
    return _annotated(code, INJECTED, "lets an agent be put into it")


def commands(code: ServiceCode) -> Iterator[Evidence]:
    """Commands that start the service below an agent."""
    deployment = code.gathered.deployments.get(code.service.name)
    for command in deployment.start_commands if deployment is not None else ():
        words = {word.rpartition("/")[2] for word in command.text.replace('"', " ").replace(",", " ").split()}
        agent = next(iter(sorted(words & AGENT_COMMANDS)), None)
        if agent is not None:
            yield Evidence(command.location, f"starts with {agent}")
        script = code.gathered.context.files.get(command.location.path)
        if isinstance(script, ShellFacts):
            # The agent may stand in a variable: `exec $PREFIX gunicorn ...`.
            for found in shell.commands(script.body):
                if any(not AGENT_COMMANDS.isdisjoint(value.split()) for _, value in found.assignments):
                    yield found.span.evidence(command.location.path, "may start with an agent")


def meshes(code: ServiceCode) -> Iterator[Evidence]:
    """Proxies beside the service, and servers, that time requests."""
    yield from _annotated(code, MESHES, "puts a proxy beside it that times requests")
    deployment = code.gathered.deployments.get(code.service.name)
    for command in deployment.start_commands if deployment is not None else ():
        if "--statsd-host" in command.text:
            yield Evidence(command.location, "Gunicorn sends the durations of requests")
    for module in code.modules:
        for binding in module.scope.bindings.get("statsd_host", ()) if "gunicorn" in module.name else ():
            place = module.span(binding.offset, binding.offset + len("statsd_host"))
            yield Evidence(place, "Gunicorn sends the durations of requests")


def scraped(code: ServiceCode) -> Iterator[Evidence]:
    """Annotations by which Prometheus is told to ask the pods for metrics."""
    return _annotated(code, SCRAPED, "tells Prometheus to ask it")


def exporters(code: ServiceCode) -> Iterator[Evidence]:
    """Programs beside the workers that tell of their tasks: Flower, and exporters of a broker's events."""
    deployment = code.gathered.deployments.get(code.service.name)
    for workload in deployment.workloads if deployment is not None else ():
        if is_flower(workload):
            yield Evidence(workload.location, "Flower tells of tasks at /metrics")
    for path, facts in sorted(code.gathered.context.files.items()):
        for container in facts.services if isinstance(facts, ComposeFacts) else ():
            if _EXPORTER.search(container.image or ""):
                yield container.span.evidence(path, f"{container.name} tells of tasks")


def is_flower(workload: Workload) -> bool:
    """Whether it runs Flower, which watches workers and serves nobody else."""
    return _FLOWER.search(workload.process.text) is not None


def declared(code: ServiceCode) -> Iterator[Evidence]:
    """An agent among the dependencies, which what starts the process may load."""
    for path, facts in sorted(code.gathered.context.files.items()):
        if not isinstance(facts, DependencyFacts) or facts.is_lock:
            continue
        if code.gathered.owners.around(path) not in (code.service, None):
            continue
        for requirement in facts.requirements:
            if AGENT_PACKAGES.fullmatch(requirement.name.lower().replace("_", "-")):
                text = f"{requirement.name} is a dependency; what loads it isn't here"
                yield requirement.span.evidence(path, text)


def _annotated(code: ServiceCode, pattern: re.Pattern[str], text: str) -> Iterator[Evidence]:
    """Annotations and labels of the service's pods that switch something on."""
    deployment = code.gathered.deployments.get(code.service.name)
    own = {(w.location.path, w.name) for w in (deployment.workloads if deployment is not None else ())}
    for path in sorted({path for path, _ in own}):
        facts = code.gathered.context.files.get(path)
        for workload in facts.workloads if isinstance(facts, KubernetesFacts) else ():
            marks = (*workload.pod_annotations, *workload.pod_labels) if (path, workload.name) in own else ()
            for name, value in marks:
                if pattern.fullmatch(name) and value.lower() not in ("false", "disabled"):
                    yield workload.span.evidence(path, f"{name} {text}")
