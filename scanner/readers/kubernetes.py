"""Kubernetes manifests: pod templates with their containers and probes, Services, and what skaffold and kustomize add.

Field names: Kubernetes API reference v1.34; skaffold.dev/docs/references/yaml; kubectl.docs.kubernetes.io.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from assay.scanner.diagnostics import Reason
from assay.scanner.readers import yaml_documents
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.tasks import TaskCommand
from assay.scanner.readers.text import decode, leading_comment
from assay.scanner.readers.yaml_documents import Entry, Mapping, Node, Scalar, Sequence

POD_TEMPLATES = {
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "Rollout": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    "Pod": (),
}
"""Where a kind keeps its pod template; `Rollout` is Argo's Deployment."""


class ProbeKind(StrEnum):
    """The field a probe stands in."""

    READINESS = "readinessProbe"
    LIVENESS = "livenessProbe"
    STARTUP = "startupProbe"


class Port(msgspec.Struct, frozen=True, array_like=True):
    """A container's port; `number` is None where it isn't a literal."""

    name: str | None
    number: int | None
    span: Span


class Variable(msgspec.Struct, frozen=True, array_like=True):
    """An environment variable; `value` is None where it comes from elsewhere (`valueFrom`)."""

    name: str
    value: str | None
    span: Span


class ProbeFacts(msgspec.Struct, frozen=True, array_like=True):
    """One probe. Either `path` (httpGet) or `command` (exec) is set, or neither (tcpSocket, grpc).

    `port` is a number or a name as written.
    """

    kind: ProbeKind
    span: Span
    handler: str
    path: str | None = None
    path_span: Span | None = None
    port: str | None = None
    port_span: Span | None = None
    command: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    scheme: str = "HTTP"


class Hook(msgspec.Struct, frozen=True, array_like=True):
    """A preStop hook; `sleep` is in seconds where it is the sleep handler."""

    command: tuple[str, ...]
    sleep: int | None
    span: Span


class Container(msgspec.Struct, frozen=True, array_like=True):
    """A container of a pod template; `span` is that of its name (of the whole when it has none)."""

    name: str
    span: Span
    image: str | None = None
    image_span: Span | None = None
    command: tuple[str, ...] = ()
    command_span: Span | None = None
    args: tuple[str, ...] = ()
    args_span: Span | None = None
    ports: tuple[Port, ...] = ()
    env: tuple[Variable, ...] = ()
    env_from: tuple[str, ...] = ()
    probes: tuple[ProbeFacts, ...] = ()
    pre_stop: Hook | None = None
    mounts: tuple[str, ...] = ()
    """Where volumes are mounted that may be written to."""

    def probe(self, kind: ProbeKind) -> ProbeFacts | None:
        return next((p for p in self.probes if p.kind is kind), None)


class PodWorkload(msgspec.Struct, frozen=True, array_like=True):
    """Something that runs pods: its kind, labels (the object's and the pod's) and containers.

    `grace_seconds` and `replicas` are None where the manifest leaves the default. `labels_span` is that of the pod's
    labels.
    """

    kind: str
    name: str
    namespace: str | None
    span: Span
    labels: tuple[tuple[str, str], ...]
    pod_labels: tuple[tuple[str, str], ...]
    labels_span: Span | None
    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...] = ()
    grace_seconds: int | None = None
    grace_span: Span | None = None
    replicas: int | None = None
    pod_annotations: tuple[tuple[str, str], ...] = ()


class ServicePort(msgspec.Struct, frozen=True, array_like=True):
    """`target` is a number or a container port's name; Kubernetes takes `port` when it is left out."""

    port: int | None
    target: str | None


class ServiceFacts(msgspec.Struct, frozen=True, array_like=True):
    """A Service object and the pods it sends traffic to."""

    name: str
    namespace: str | None
    span: Span
    selector: tuple[tuple[str, str], ...]
    ports: tuple[ServicePort, ...]


class ConfigMapFacts(msgspec.Struct, frozen=True, array_like=True):
    """A ConfigMap's text entries."""

    name: str
    data: tuple[tuple[str, str], ...]
    span: Span


class BuildArtifact(msgspec.Struct, frozen=True, array_like=True):
    """An image that skaffold builds: from which folder (relative to the file), with which Dockerfile in it."""

    image: str
    context: str
    dockerfile: str | None
    span: Span


class KubernetesFacts(msgspec.Struct, frozen=True, array_like=True, tag="kubernetes"):
    """`patches` are the files a kustomization lays over others: what they hold is no complete object."""

    comment: str
    workloads: tuple[PodWorkload, ...] = ()
    services: tuple[ServiceFacts, ...] = ()
    config_maps: tuple[ConfigMapFacts, ...] = ()
    artifacts: tuple[BuildArtifact, ...] = ()
    patches: tuple[str, ...] = ()
    tests: tuple[TaskCommand, ...] = ()
    """Commands that `skaffold test` runs, in the folder of the file."""


def read(path: str, data: bytes) -> KubernetesFacts:
    """Read every document of a manifest file; kinds that aren't known are passed over. Raises ReadProblem."""
    workloads: list[PodWorkload] = []
    services: list[ServiceFacts] = []
    config_maps: list[ConfigMapFacts] = []
    artifacts: list[BuildArtifact] = []
    patches: list[str] = []
    tests: list[TaskCommand] = []
    for document in _objects(yaml_documents.read(path, data)):
        kind = document.text("kind") or ""
        api = document.text("apiVersion") or ""
        name = (document.mapping("metadata") or document).text("name") or ""
        if "{{" in kind or "{{" in name:
            raise ReadProblem(Reason.TEMPLATE, "a template of a manifest", document.span.line)
        if kind in POD_TEMPLATES:
            workloads.append(_workload(kind, document))
        elif kind == "Service" and api == "v1":
            services.append(_service(document))
        elif kind == "ConfigMap":
            config_maps.append(ConfigMapFacts(name, document.pairs("data"), document.span))
        elif api.startswith("skaffold/"):
            artifacts += _artifacts(document)
            tests += _tests(document)
        elif kind in ("Kustomization", "Component") or api.startswith("kustomize.config.k8s.io/"):
            patches += _patches(document)
    comment = leading_comment(decode(data))
    return KubernetesFacts(
        comment, tuple(workloads), tuple(services), tuple(config_maps), tuple(artifacts), tuple(patches), tuple(tests)
    )


def _objects(documents: tuple[Node, ...]) -> Iterator[Mapping]:
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        if document.text("kind") == "List":
            yield from document.mappings("items")
        else:
            yield document


def _workload(kind: str, document: Mapping) -> PodWorkload:
    template: Mapping | None = document
    for key in POD_TEMPLATES[kind]:
        template = template.mapping(key) if template is not None else None
    metadata = document.mapping("metadata")
    pod_metadata = template.mapping("metadata") if template is not None else None
    spec = template.mapping("spec") if template is not None else None
    name = metadata.entry("name") if metadata is not None else None
    labelled = pod_metadata or metadata
    labels = labelled.entry("labels") if labelled is not None else None
    grace = spec.entry("terminationGracePeriodSeconds") if spec is not None else None
    stated = document.mapping("spec")
    return PodWorkload(
        kind=kind,
        name=_text(name) or "",
        namespace=metadata.text("namespace") if metadata is not None else None,
        span=_entry_span(name) or document.span,
        labels=metadata.pairs("labels") if metadata is not None else (),
        pod_labels=pod_metadata.pairs("labels") if pod_metadata is not None else (),
        labels_span=_entry_span(labels),
        containers=tuple(_container(c) for c in spec.mappings("containers")) if spec is not None else (),
        init_containers=tuple(_container(c) for c in spec.mappings("initContainers")) if spec is not None else (),
        grace_seconds=spec.integer("terminationGracePeriodSeconds") if spec is not None else None,
        grace_span=_entry_span(grace),
        replicas=stated.integer("replicas") if stated is not None else None,
        pod_annotations=pod_metadata.pairs("annotations") if pod_metadata is not None else (),
    )


def _container(node: Mapping) -> Container:
    name, image = node.entry("name"), node.entry("image")
    command, args = node.entry("command"), node.entry("args")
    lifecycle = node.mapping("lifecycle")
    pre_stop = lifecycle.entry("preStop") if lifecycle is not None else None
    return Container(
        name=_text(name) or "",
        span=_entry_span(name) or node.span,
        image=_text(image),
        image_span=_entry_span(image),
        command=_strings(command),
        command_span=_entry_span(command),
        args=_strings(args),
        args_span=_entry_span(args),
        ports=tuple(Port(p.text("name"), p.integer("containerPort"), p.span) for p in node.mappings("ports")),
        env=tuple(Variable(v.text("name") or "", v.text("value"), v.span) for v in node.mappings("env")),
        env_from=tuple(_config_map_names(node)),
        probes=tuple(_probes(node)),
        pre_stop=_hook(pre_stop) if pre_stop is not None else None,
        mounts=tuple(
            m.text("mountPath") or ""
            for m in node.mappings("volumeMounts")
            if (m.text("readOnly") or "").lower() != "true"
        ),
    )


def _config_map_names(node: Mapping) -> Iterator[str]:
    for source in node.mappings("envFrom"):
        reference = source.mapping("configMapRef")
        name = reference.text("name") if reference is not None else None
        if name is not None:
            yield name


def _probes(node: Mapping) -> Iterator[ProbeFacts]:
    for kind in ProbeKind:
        entry = node.entry(kind.value)
        if entry is None or not isinstance(entry.value, Mapping):
            continue
        yield _probe(kind, entry.key.span, entry.value)


def _probe(kind: ProbeKind, span: Span, probe: Mapping) -> ProbeFacts:
    for handler in ("httpGet", "exec", "tcpSocket", "grpc"):
        action = probe.mapping(handler)
        if action is None:
            continue
        path, port = action.entry("path"), action.entry("port")
        headers = ((h.text("name") or "", h.text("value") or "") for h in action.mappings("httpHeaders"))
        return ProbeFacts(
            kind=kind,
            span=span,
            handler=handler,
            path=(_text(path) or "/") if handler == "httpGet" else None,
            path_span=_entry_span(path),
            port=_text(port),
            port_span=_entry_span(port),
            command=_strings(action.entry("command")),
            headers=tuple(headers),
            scheme=action.text("scheme") or "HTTP",
        )
    return ProbeFacts(kind, span, "none")


def _hook(entry: Entry) -> Hook:
    value = entry.value if isinstance(entry.value, Mapping) else None
    action = value.mapping("exec") if value is not None else None
    sleep = value.mapping("sleep") if value is not None else None
    return Hook(
        _strings(action.entry("command")) if action is not None else (),
        sleep.integer("seconds") if sleep is not None else None,
        entry.key.span,
    )


def _service(document: Mapping) -> ServiceFacts:
    metadata, spec = document.mapping("metadata"), document.mapping("spec")
    name = metadata.entry("name") if metadata is not None else None
    return ServiceFacts(
        name=_text(name) or "",
        namespace=metadata.text("namespace") if metadata is not None else None,
        span=_entry_span(name) or document.span,
        selector=spec.pairs("selector") if spec is not None else (),
        ports=tuple(ServicePort(p.integer("port"), p.text("targetPort")) for p in spec.mappings("ports"))
        if spec is not None
        else (),
    )


def _artifacts(document: Mapping) -> Iterator[BuildArtifact]:
    build = document.mapping("build")
    for artifact in build.mappings("artifacts") if build is not None else ():
        image = artifact.text("image")
        if image is None:
            continue
        docker = artifact.mapping("docker")
        dockerfile = docker.text("dockerfile") if docker is not None else None
        yield BuildArtifact(image, artifact.text("context") or ".", dockerfile, artifact.span)


def _tests(document: Mapping) -> Iterator[TaskCommand]:
    for test in document.mappings("test"):
        for custom in test.mappings("custom"):
            command = custom.scalar("command")
            if command is not None:
                yield TaskCommand(command.text, command.span)


def _patches(document: Mapping) -> Iterator[str]:
    for patch in document.mappings("patches"):
        path = patch.text("path")
        if path is not None:
            yield path
    for item in document.items("patchesStrategicMerge"):
        if isinstance(item, Scalar) and "\n" not in item.text:
            yield item.text


def _text(entry: Entry | None) -> str | None:
    return entry.value.text if entry is not None and isinstance(entry.value, Scalar) else None


def _entry_span(entry: Entry | None) -> Span | None:
    """From the key to the end of a scalar value; of anything longer, the key alone."""
    if entry is None:
        return None
    key, value = entry.key.span, entry.value
    if isinstance(value, Scalar) and value.span.line == key.line == value.span.end_line:
        return Span(key.line, key.column, value.span.end_line, value.span.end_column)
    return key


def _strings(entry: Entry | None) -> tuple[str, ...]:
    if entry is None or not isinstance(entry.value, Sequence):
        return ()
    return tuple(item.text for item in entry.value.items if isinstance(item, Scalar))
