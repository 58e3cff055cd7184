"""What is read of manifests: pod templates with their containers and probes, Services, autoscalers.

Field names: Kubernetes API reference v1.34; skaffold.dev/docs/references/yaml; kubectl.docs.kubernetes.io; keda.sh.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from assay.scanner.readers.monitoring.facts import MonitoringFacts
from assay.scanner.readers.span import Span
from assay.scanner.readers.tasks import TaskCommand


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


class Reference(msgspec.Struct, frozen=True, array_like=True):
    """A ConfigMap or a Secret by name: one entry of it, or the whole, where there is no `key`."""

    kind: str
    name: str
    key: str | None
    span: Span


class Variable(msgspec.Struct, frozen=True, array_like=True):
    """An environment variable; `value` is None where it comes from elsewhere, `source` says from what entry."""

    name: str
    value: str | None
    span: Span
    source: Reference | None = None


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


class SecurityContext(msgspec.Struct, frozen=True, array_like=True):
    """As whom processes run; None where the image or the pod decides."""

    user: int | None
    non_root: bool | None
    span: Span


class Resources(msgspec.Struct, frozen=True, array_like=True):
    """What a container asks for and may take at most, as written. A limit without a request is the request too."""

    limits: tuple[tuple[str, str], ...]
    requests: tuple[tuple[str, str], ...]
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
    env_from: tuple[Reference, ...] = ()
    probes: tuple[ProbeFacts, ...] = ()
    pre_stop: Hook | None = None
    mounts: tuple[str, ...] = ()
    """Where volumes are mounted that may be written to."""
    security: SecurityContext | None = None
    resources: Resources | None = None

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
    security: SecurityContext | None = None
    """What holds for all containers that say nothing else."""
    recreate_span: Span | None = None
    """Where its strategy says that all old pods go before the first new one comes."""
    claim_span: Span | None = None
    """Where it is given a volume that outlives it."""


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
    type: str = "ClusterIP"
    type_span: Span | None = None
    is_inside: bool = False
    """Its load balancer stays inside the private network, or lets only some in."""
    is_headless: bool = False
    """Its name is that of the pods themselves, with all ports that these have."""


class Autoscaler(msgspec.Struct, frozen=True, array_like=True):
    """What changes how many replicas a workload has; `metrics` are the resources it looks at."""

    target_kind: str
    target: str
    namespace: str | None
    minimum: int
    metrics: tuple[str, ...]
    span: Span
    maximum: int | None = None


class LimitRange(msgspec.Struct, frozen=True, array_like=True):
    """Limits (`cpu`, `memory`) that a namespace gives containers that state none."""

    namespace: str | None
    defaults: tuple[str, ...]
    span: Span


class ConfigMapFacts(msgspec.Struct, frozen=True, array_like=True):
    """A ConfigMap's text entries."""

    name: str
    entries: tuple[Variable, ...]
    span: Span

    @property
    def data(self) -> tuple[tuple[str, str], ...]:
        """Names and values."""
        return tuple((entry.name, entry.value) for entry in self.entries if entry.value is not None)


class SecretFacts(msgspec.Struct, frozen=True, array_like=True):
    """A Secret object, its values decoded where they are text; None for one that is put in later."""

    name: str
    entries: tuple[Variable, ...]
    span: Span


class CustomObject(msgspec.Struct, frozen=True, array_like=True):
    """An object of a kind that Kubernetes itself doesn't know: an operator may make Services of it."""

    kind: str
    name: str


class OutlierDetection(msgspec.Struct, frozen=True, array_like=True):
    """An Istio DestinationRule that takes failing instances of a host out: a circuit breaker outside of the code."""

    host: str
    span: Span


class BuildArtifact(msgspec.Struct, frozen=True, array_like=True):
    """An image that skaffold builds: from which folder (relative to the file), with which Dockerfile in it."""

    image: str
    context: str
    dockerfile: str | None
    span: Span


class ImageChange(msgspec.Struct, frozen=True, array_like=True):
    """An entry of a kustomization's `images`: it names another image, tag or digest for those of this repository."""

    name: str
    new_name: str | None
    new_tag: str | None
    digest: str | None


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
    autoscalers: tuple[Autoscaler, ...] = ()
    secrets: tuple[SecretFacts, ...] = ()
    limit_ranges: tuple[LimitRange, ...] = ()
    resources: tuple[str, ...] = ()
    """The files and folders that its kustomization builds on."""
    image_changes: tuple[ImageChange, ...] = ()
    replica_changes: tuple[tuple[str, int], ...] = ()
    """How many a kustomization runs of which workload."""
    monitoring: MonitoringFacts | None = None
    """The rules, routes and dashboards in its objects, where there are any."""
    custom_objects: tuple[CustomObject, ...] = ()
    renames: tuple[str, str] = ("", "")
    """What a kustomization puts before and behind the names of objects."""
    has_charts: bool = False
    """Its kustomization takes Helm charts in."""
    outlier_detections: tuple[OutlierDetection, ...] = ()
    inline_patches: tuple[PodWorkload, ...] = ()
    """What its kustomization changes of pods by patches that stand in it."""
