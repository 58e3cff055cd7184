"""A manifest file, document by document."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.diagnostics import Reason
from assay.scanner.readers import yaml_documents
from assay.scanner.readers.kubernetes import building, objects
from assay.scanner.readers.kubernetes.facts import (
    Autoscaler,
    BuildArtifact,
    ConfigMapFacts,
    CustomObject,
    ImageChange,
    KubernetesFacts,
    LimitRange,
    OutlierDetection,
    PodWorkload,
    SecretFacts,
    ServiceFacts,
)
from assay.scanner.readers.kubernetes.pods import POD_TEMPLATES, workload
from assay.scanner.readers.monitoring import reader as monitoring
from assay.scanner.readers.monitoring.facts import MonitoringFacts
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.tasks import TaskCommand
from assay.scanner.readers.text import decode, leading_comment
from assay.scanner.readers.yaml_documents import Mapping, Node


def read(path: str, data: bytes) -> KubernetesFacts:
    """Read every document of a manifest file; kinds that aren't known are passed over. Raises ReadProblem."""
    workloads: list[PodWorkload] = []
    services: list[ServiceFacts] = []
    config_maps: list[ConfigMapFacts] = []
    artifacts: list[BuildArtifact] = []
    patches: list[str] = []
    tests: list[TaskCommand] = []
    autoscalers: list[Autoscaler] = []
    limit_ranges: list[LimitRange] = []
    secrets: list[SecretFacts] = []
    resources: list[str] = []
    image_changes: list[ImageChange] = []
    replica_changes: list[tuple[str, int]] = []
    custom_objects: list[CustomObject] = []
    outlier_detections: list[OutlierDetection] = []
    inline_patches: list[PodWorkload] = []
    renames, has_charts = ("", ""), False
    content = decode(data)
    documents = tuple(_objects(yaml_documents.read(path, data)))
    for document in documents:
        kind = document.text("kind") or ""
        api = document.text("apiVersion") or ""
        name = (document.mapping("metadata") or document).text("name") or ""
        if "{{" in kind or "{{" in name:
            raise ReadProblem(Reason.TEMPLATE, "a template of a manifest", document.span.line)
        if kind in POD_TEMPLATES:
            workloads.append(workload(kind, document))
        elif kind == "Service" and api == "v1":
            services.append(objects.service(document))
        elif kind == "ConfigMap":
            config_maps.append(ConfigMapFacts(name, tuple(objects.texts(document, "data")), document.span))
        elif kind in ("HorizontalPodAutoscaler", "ScaledObject"):
            scaler = objects.autoscaler(document)
            autoscalers += [scaler] if scaler is not None else []
        elif kind == "LimitRange":
            limit_ranges.append(objects.limit_range(document))
        elif kind == "Secret" and api == "v1":
            secrets.append(objects.secret(name, document))
        elif api.startswith("skaffold/"):
            artifacts += building.artifacts(document)
            tests += building.tests(document)
        elif kind in ("Kustomization", "Component") or api.startswith("kustomize.config.k8s.io/"):
            patches += building.patches(document)
            inline_patches += building.inline_patches(document, content)
            resources += building.resources(document)
            image_changes += building.image_changes(document)
            replica_changes += building.replica_changes(document)
            renames, has_charts = building.renames(document), building.has_charts(document)
            config_maps += (ConfigMapFacts(*made) for made in building.generated(document, "configMapGenerator"))
            secrets += (SecretFacts(*made) for made in building.generated(document, "secretGenerator"))
        elif "." in api.partition("/")[0] and not api.partition("/")[0].endswith(".k8s.io"):
            custom_objects.append(CustomObject(kind, name))
            outlier_detections += objects.outlier_detections(document)
    comment = leading_comment(content)
    watched = monitoring.of_documents(documents, content)
    return KubernetesFacts(
        comment,
        tuple(workloads),
        tuple(services),
        tuple(config_maps),
        tuple(artifacts),
        tuple(patches),
        tuple(tests),
        tuple(autoscalers),
        tuple(secrets),
        tuple(limit_ranges),
        tuple(resources),
        tuple(image_changes),
        tuple(replica_changes),
        None if watched == MonitoringFacts() else watched,
        tuple(custom_objects),
        renames,
        has_charts,
        tuple(outlier_detections),
        tuple(inline_patches),
    )


def _objects(documents: tuple[Node, ...]) -> Iterator[Mapping]:
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        if (document.text("kind") or "").endswith("List") and document.mappings("items"):
            yield from document.mappings("items")
        else:
            yield document
