"""Pod templates: containers, probes, hooks, resources."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.readers.kubernetes.entries import entry_span, strings, text
from assay.scanner.readers.kubernetes.facts import (
    Container,
    Hook,
    PodWorkload,
    Port,
    ProbeFacts,
    ProbeKind,
    Reference,
    Resources,
    SecurityContext,
    Variable,
)
from assay.scanner.readers.span import Span
from assay.scanner.readers.yaml_documents import Entry, Mapping

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


def workload(kind: str, document: Mapping) -> PodWorkload:
    """An object of a kind that runs pods."""
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
        name=text(name) or "",
        namespace=metadata.text("namespace") if metadata is not None else None,
        span=entry_span(name) or document.span,
        labels=metadata.pairs("labels") if metadata is not None else (),
        pod_labels=pod_metadata.pairs("labels") if pod_metadata is not None else (),
        labels_span=entry_span(labels),
        containers=tuple(_container(c) for c in spec.mappings("containers")) if spec is not None else (),
        init_containers=tuple(_container(c) for c in spec.mappings("initContainers")) if spec is not None else (),
        grace_seconds=spec.integer("terminationGracePeriodSeconds") if spec is not None else None,
        grace_span=entry_span(grace),
        replicas=stated.integer("replicas") if stated is not None else None,
        pod_annotations=pod_metadata.pairs("annotations") if pod_metadata is not None else (),
        security=_security(spec.entry("securityContext")) if spec is not None else None,
        recreate_span=_recreates(stated) if stated is not None else None,
        claim_span=_claim(spec) if spec is not None else None,
    )


def _container(node: Mapping) -> Container:
    name, image = node.entry("name"), node.entry("image")
    command, args = node.entry("command"), node.entry("args")
    lifecycle = node.mapping("lifecycle")
    pre_stop = lifecycle.entry("preStop") if lifecycle is not None else None
    return Container(
        name=text(name) or "",
        span=entry_span(name) or node.span,
        image=text(image),
        image_span=entry_span(image),
        command=strings(command),
        command_span=entry_span(command),
        args=strings(args),
        args_span=entry_span(args),
        ports=tuple(Port(p.text("name"), p.integer("containerPort"), p.span) for p in node.mappings("ports")),
        env=tuple(_variable(v) for v in node.mappings("env")),
        env_from=tuple(_taken_whole(node)),
        probes=tuple(_probes(node)),
        pre_stop=_hook(pre_stop) if pre_stop is not None else None,
        mounts=tuple(
            m.text("mountPath") or ""
            for m in node.mappings("volumeMounts")
            if (m.text("readOnly") or "").lower() != "true"
        ),
        security=_security(node.entry("securityContext")),
        resources=_resources(node.entry("resources")),
    )


def _variable(node: Mapping) -> Variable:
    elsewhere = node.mapping("valueFrom")
    found = _references(elsewhere, "configMapKeyRef", "secretKeyRef") if elsewhere is not None else ()
    return Variable(node.text("name") or "", node.text("value"), node.span, next(iter(found), None))


def _taken_whole(node: Mapping) -> Iterator[Reference]:
    for source in node.mappings("envFrom"):
        yield from _references(source, "configMapRef", "secretRef")


def _references(node: Mapping, *keys: str) -> Iterator[Reference]:
    for key in keys:
        reference = node.mapping(key)
        name = reference.entry("name") if reference is not None else None
        if reference is not None and name is not None:
            kind = "ConfigMap" if key.startswith("configMap") else "Secret"
            yield Reference(kind, text(name) or "", reference.text("key"), entry_span(name) or node.span)


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
            path=(text(path) or "/") if handler == "httpGet" else None,
            path_span=entry_span(path),
            port=text(port),
            port_span=entry_span(port),
            command=strings(action.entry("command")),
            headers=tuple(headers),
            scheme=action.text("scheme") or "HTTP",
        )
    return ProbeFacts(kind, span, "none")


def _hook(entry: Entry) -> Hook:
    value = entry.value if isinstance(entry.value, Mapping) else None
    action = value.mapping("exec") if value is not None else None
    sleep = value.mapping("sleep") if value is not None else None
    return Hook(
        strings(action.entry("command")) if action is not None else (),
        sleep.integer("seconds") if sleep is not None else None,
        entry.key.span,
    )


def _security(entry: Entry | None) -> SecurityContext | None:
    if entry is None or not isinstance(entry.value, Mapping):
        return None
    non_root = entry.value.scalar("runAsNonRoot")
    return SecurityContext(
        entry.value.integer("runAsUser"), non_root.boolean if non_root is not None else None, entry.key.span
    )


def _resources(entry: Entry | None) -> Resources | None:
    if entry is None or not isinstance(entry.value, Mapping):
        return None
    return Resources(entry.value.pairs("limits"), entry.value.pairs("requests"), entry.key.span)


def _claim(spec: Mapping) -> Span | None:
    claims = (volume.entry("persistentVolumeClaim") for volume in spec.mappings("volumes"))
    return next((entry_span(claim) for claim in claims if claim is not None), None)


def _recreates(spec: Mapping) -> Span | None:
    strategy = spec.mapping("strategy")
    kind = strategy.entry("type") if strategy is not None else None
    return entry_span(kind) if text(kind) == "Recreate" else None
