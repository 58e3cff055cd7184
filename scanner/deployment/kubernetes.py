"""Containers of Kubernetes pod templates as workloads."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from assay.scanner.deployment.build import (
    Found,
    command_probe,
    homes,
    image_start,
    kind_of,
    script_commands,
    start_command,
)
from assay.scanner.deployment.capacity import copies, pod_capacity
from assay.scanner.deployment.images import Image, is_infrastructure
from assay.scanner.deployment.kustomize import deployed_image
from assay.scanner.deployment.published import service_ports
from assay.scanner.deployment.references import references_of_init
from assay.scanner.deployment.roles import environment_doubt, label_doubt, place_doubt, workload_role
from assay.scanner.deployment.starts import NOTHING, Start, Starter
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.workload import (
    CommandForm,
    Platform,
    Probe,
    ProbeKind,
    Process,
    StartCommand,
    Workload,
    WorkloadKind,
)
from assay.scanner.readers.kubernetes import facts as facts_of
from assay.scanner.readers.kubernetes.facts import Container, KubernetesFacts, PodWorkload, ProbeFacts, ServiceFacts

DEFAULT_GRACE_SECONDS = 30.0
"""kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle, termination of pods."""
JOBS = frozenset({"Job", "CronJob"})
KINDS = {
    facts_of.ProbeKind.READINESS: ProbeKind.READINESS,
    facts_of.ProbeKind.LIVENESS: ProbeKind.LIVENESS,
    facts_of.ProbeKind.STARTUP: ProbeKind.STARTUP,
}
SLEEP = re.compile(r"\bsleep\s+(\d+(?:\.\d+)?)([smh]?)\b")
SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


def kubernetes_workloads(tree: DeploymentTree, path: str, facts: KubernetesFacts) -> Iterator[Found]:
    """Every container with an image; patches of kustomizations hold parts of objects and are left out."""
    if path in tree.patches:
        return
    for pod in facts.workloads:
        for container in pod.containers:
            if container.image is not None:
                found = _Builder(tree, path, facts, pod, container).found()
                is_first = container is pod.containers[0]
                yield (
                    replace(found, references=tuple(references_of_init(tree, path, pod, found.workload)))
                    if is_first
                    else found
                )


@dataclass(frozen=True)
class _Builder:
    tree: DeploymentTree
    path: str
    facts: KubernetesFacts
    pod: PodWorkload
    container: Container

    def found(self) -> Found:
        pod, container = self.pod, self.container
        reference = container.image or ""
        image = self.tree.image_named(reference)
        start = self._start(self.tree.starter(image, self._env()), image)
        process = start.process if start is not None else NOTHING
        kind = self._kind(process, image)
        role = workload_role(self.tree.role(self.path), self.facts.comment, process, kind)
        doubt = self._doubt()
        pre_stop, pre_stop_seconds = self._pre_stop()
        infrastructure = kind is WorkloadKind.INFRASTRUCTURE
        commands = () if infrastructure else tuple(self._commands(start, role, doubt))
        workload = Workload(
            subject_id=f"{self.path}:{pod.kind}/{pod.name}/{container.name}",
            name=container.name if container.name == pod.name else f"{pod.name}/{container.name}",
            platform=Platform.KUBERNETES,
            kind=kind,
            location=container.span.at(self.path),
            role=role,
            process=process,
            doubt=doubt,
            traffic=tuple(self._traffic()),
            image=deployed_image(self.tree, self.path, reference),
            image_varies=self.tree.is_versioned_by_build(reference),
            built_here=image is not None or self.tree.is_built_here(reference),
            dockerfile=image.path if image is not None else None,
            command=commands[0] if commands else self._inherited(start, image, role, doubt),
            probes=tuple(
                replace(self._probe(p, process, role, image), doubt=doubt, of_infrastructure=infrastructure)
                for p in container.probes
            ),
            grace_seconds=DEFAULT_GRACE_SECONDS if pod.grace_seconds is None else float(pod.grace_seconds),
            grace=self._grace(),
            pre_stop=pre_stop,
            pre_stop_seconds=pre_stop_seconds,
            replicas=copies(self.tree, self.path, pod),
            volumes=container.mounts,
            image_location=(container.image_span or container.span).at(self.path),
            user=self._user(),
            place_role=workload_role(self.tree.role(self.path), self.facts.comment, NOTHING),
            capacity=pod_capacity(self.tree, self.path, pod, container),
        )
        targeted = (pair for pair in self._services() if self._is_targeted(pair[1]))
        ports = tuple(port for path, service in targeted for port in service_ports(path, service, workload))
        return Found(workload, commands, homes(image, ()), image, ports)

    def _user(self) -> Option | None:
        """The container's word comes before the pod's, setting by setting."""
        contexts = [c for c in (self.container.security, self.pod.security) if c is not None]
        for context in contexts:
            if context.user is not None:
                text = f"it runs as user {context.user}"
                return Option(context.user != 0, (context.span.evidence(self.path, text),))
        for context in contexts:
            if context.non_root is not None:
                evidence = context.span.evidence(self.path, "it doesn't start as root")
                return Option(True, (evidence,)) if context.non_root else None
        return None

    def _env(self) -> dict[str, str]:
        """Literal variables, and those of ConfigMaps that stand in the same folder."""
        found: dict[str, str] = {}
        folder = posixpath.dirname(self.path)
        for path, facts in self.tree.manifests.items():
            if posixpath.dirname(path) == folder:
                for config in facts.config_maps:
                    if any(r.kind == "ConfigMap" and r.name == config.name for r in self.container.env_from):
                        found |= dict(config.data)
        return found | {v.name: v.value for v in self.container.env if v.value is not None}

    def _start(self, starter: Starter, image: Image | None) -> Start | None:
        container = self.container
        if container.command or container.args:
            words = list(container.command)
            if not words and image is not None and image.entrypoint is not None:
                words += image.entrypoint.words or (*image.shell, image.entrypoint.line)
            if not words and image is None:
                return None
            return starter.trace([*words, *container.args])
        return image_start(starter, image) if image is not None else None

    def _commands(self, start: Start | None, role: Role, doubt: Evidence | None) -> Iterator[StartCommand]:
        container = self.container
        span = container.command_span or container.args_span
        if start is None or span is None or not (container.command or container.args):
            return
        identity = f"{self.path}:{self.pod.kind}/{self.pod.name}/{container.name}:command"
        label = f"command of {container.name} in {self.path}"
        text = " ".join((*container.command, *container.args))
        location = span.at(self.path)
        yield start_command(identity, label, location, CommandForm.EXEC, text, start, role, doubt)
        yield from script_commands(start, role, location, label, doubt, self.tree)

    def _inherited(
        self, start: Start | None, image: Image | None, role: Role, doubt: Evidence | None
    ) -> StartCommand | None:
        """The image's own command: a subject of the Dockerfile, and here only a place to point at."""
        if start is None or image is None:
            return None
        declared = image.cmd or image.entrypoint
        if declared is None:
            return None
        form = CommandForm.EXEC if declared.words else CommandForm.SHELL
        text = " ".join(declared.words) or declared.line
        location = declared.span.at(image.path)
        return start_command(f"{image.path}:CMD", f"CMD of {image.path}", location, form, text, start, role, doubt)

    def _kind(self, process: Process, image: Image | None) -> WorkloadKind:
        if self.pod.kind in JOBS:
            return WorkloadKind.JOB
        third_party = image is None and is_infrastructure(self.container.image or "")
        return kind_of(self.pod.name, process, image, third_party)

    def _doubt(self) -> Evidence | None:
        """Labels, variables and places that call it development, and overlays that change it."""
        labelled = label_doubt(self.path, self.pod) or place_doubt(self.path, self.pod)
        if labelled is not None:
            return labelled
        place = self.container.span.evidence(self.path, "")
        said = environment_doubt(place, ((v.name, v.value) for v in self.container.env if v.value is not None))
        if said is not None:
            return said
        for patch, kustomization in self.tree.patches.items():
            facts = self.tree.manifests.get(patch)
            for pod in facts.workloads if facts is not None else ():
                if (pod.kind, pod.name) == (self.pod.kind, self.pod.name) and patch != self.path:
                    return pod.span.evidence(patch, f"{kustomization} lays a patch over it")
        return None

    def _traffic(self) -> Iterator[Evidence]:
        for path, service in self._services():
            if self._is_targeted(service):
                yield service.span.evidence(path, f"the Service {service.name} sends it traffic")

    def _services(self) -> Iterator[tuple[str, ServiceFacts]]:
        """The Services that select the pod: those of its folder, or else of the whole tree."""
        folder = posixpath.dirname(self.path)
        selecting = [
            (path, service)
            for path, facts in self.tree.manifests.items()
            for service in facts.services
            if service.selector and set(service.selector) <= set(self.pod.pod_labels)
            if service.namespace == self.pod.namespace or None in (service.namespace, self.pod.namespace)
        ]
        near = [pair for pair in selecting if posixpath.dirname(pair[0]) == folder]
        yield from near or selecting

    def _is_targeted(self, service: ServiceFacts) -> bool:
        """In a pod of several containers the traffic goes to the one that declares the Service's target port."""
        if len(self.pod.containers) == 1:
            return True
        mine = {str(p.number) for p in self.container.ports} | {p.name for p in self.container.ports}
        return any((p.target or str(p.port)) in mine for p in service.ports)

    def _probe(self, probe: ProbeFacts, process: Process, role: Role, image: Image | None) -> Probe:
        identity = f"{self.path}:{self.pod.kind}/{self.pod.name}/{self.container.name}:{probe.kind.value}"
        kind = KINDS[probe.kind]
        restarts = kind in (ProbeKind.LIVENESS, ProbeKind.STARTUP)
        if probe.command:
            checked = command_probe(
                subject_id=identity,
                workload=self.container.name,
                platform=Platform.KUBERNETES,
                kind=kind,
                location=probe.span.at(self.path),
                role=role,
                process=process,
                words=probe.command,
                image=image,
            )
            return replace(checked, restarts_on_failure=restarts)
        port, problem = self._port(probe)
        return Probe(
            subject_id=identity,
            workload=self.container.name,
            platform=Platform.KUBERNETES,
            kind=kind,
            location=probe.span.at(self.path),
            role=role,
            process=process,
            path=probe.path.partition("?")[0] if probe.path is not None else None,
            port=port,
            port_problem=problem,
            image=self.container.image,
            built_here=image is not None,
            sends_credentials=any(name.lower() == "authorization" for name, _ in probe.headers),
            restarts_on_failure=restarts,
        )

    def _port(self, probe: ProbeFacts) -> tuple[int | None, Evidence | None]:
        if probe.port is None or probe.port_span is None:
            return None, None
        if probe.port.isascii() and probe.port.isdigit():
            return int(probe.port), None
        if "$" in probe.port or "{" in probe.port:
            return None, None
        named = next((p for p in self.container.ports if p.name == probe.port), None)
        if named is None:
            return None, probe.port_span.evidence(self.path, f"no port of the container is named {probe.port}")
        return named.number, None

    def _grace(self) -> Evidence | None:
        if self.pod.grace_seconds is None or self.pod.grace_span is None:
            return None
        text = f"terminationGracePeriodSeconds is {self.pod.grace_seconds}"
        return self.pod.grace_span.evidence(self.path, text)

    def _pre_stop(self) -> tuple[Evidence | None, float | None]:
        hook = self.container.pre_stop
        if hook is None:
            return None, 0.0
        line = " ".join(hook.command)
        match = SLEEP.search(line)
        seconds = float(hook.sleep) if hook.sleep is not None else None
        if seconds is None and match is not None:
            seconds = float(match[1]) * SECONDS[match[2]]
        text = f"preStop takes {seconds:g} s of the window" if seconds is not None else f"preStop runs `{line}`"
        return hook.span.evidence(self.path, text), seconds
