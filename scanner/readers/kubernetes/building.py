"""What skaffold builds and tests, and what a kustomization lays over manifests."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from assay.scanner.readers import yaml_documents
from assay.scanner.readers.kubernetes.facts import BuildArtifact, ImageChange, PodWorkload, Variable
from assay.scanner.readers.kubernetes.pods import POD_TEMPLATES, workload
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.tasks import TaskCommand
from assay.scanner.readers.yaml_documents import Mapping, Scalar


def artifacts(document: Mapping) -> Iterator[BuildArtifact]:
    """The images that skaffold builds."""
    build = document.mapping("build")
    for artifact in build.mappings("artifacts") if build is not None else ():
        image = artifact.text("image")
        if image is None:
            continue
        docker = artifact.mapping("docker")
        dockerfile = docker.text("dockerfile") if docker is not None else None
        yield BuildArtifact(image, artifact.text("context") or ".", dockerfile, artifact.span)


def tests(document: Mapping) -> Iterator[TaskCommand]:
    """The commands of `skaffold test`."""
    for test in document.mappings("test"):
        for custom in test.mappings("custom"):
            command = custom.scalar("command")
            if command is not None:
                yield TaskCommand(command.text, command.span)


def patches(document: Mapping) -> Iterator[str]:
    """The files of a kustomization that are no complete objects."""
    for patch in document.mappings("patches"):
        path = patch.text("path")
        if path is not None:
            yield path
    for item in document.items("patchesStrategicMerge"):
        if isinstance(item, Scalar) and "\n" not in item.text:
            yield item.text


def inline_patches(document: Mapping, text: str) -> Iterator[PodWorkload]:
    """Patches that stand in the kustomization itself, as far as they look like what they change; lists of operations
    don't.
    """
    written = [(patch.scalar("patch"), patch.mapping("target")) for patch in document.mappings("patches")]
    written += [(item, None) for item in document.items("patchesStrategicMerge") if isinstance(item, Scalar)]
    for scalar, target in written:
        if scalar is None or "\n" not in scalar.text.strip():
            continue
        try:
            found = yaml_documents.read("", yaml_documents.text_within(text, scalar).encode())
        except ReadProblem:
            continue  # what it changes is told to be changed, and not how
        for patch in found:
            kind = patch.text("kind") if isinstance(patch, Mapping) else None
            if isinstance(patch, Mapping) and kind in POD_TEMPLATES:
                made = workload(kind, patch)
                meant = target.text("name") if target is not None else None
                yield msgspec.structs.replace(made, name=meant) if meant is not None else made


def image_changes(document: Mapping) -> Iterator[ImageChange]:
    """What a kustomization puts in the place of images."""
    for change in document.mappings("images"):
        name = change.text("name")
        if name is not None:
            yield ImageChange(name, change.text("newName"), change.text("newTag"), change.text("digest"))


def replica_changes(document: Mapping) -> Iterator[tuple[str, int]]:
    """How many a kustomization runs of workloads, by their names."""
    for change in document.mappings("replicas"):
        name, count = change.text("name"), change.integer("count")
        if name is not None and count is not None:
            yield name, count


def generated(document: Mapping, key: str) -> Iterator[tuple[str, tuple[Variable, ...], Span]]:
    """The ConfigMaps or Secrets that a kustomization makes of what stands in it: name, entries, place."""
    for generator in document.mappings(key):
        pairs = (
            (item.text.partition("="), item.span) for item in generator.items("literals") if isinstance(item, Scalar)
        )
        entries = tuple(Variable(name, value, span) for (name, _, value), span in pairs)
        yield generator.text("name") or "", entries, generator.span


def renames(document: Mapping) -> tuple[str, str]:
    """What a kustomization puts before and behind names."""
    return document.text("namePrefix") or "", document.text("nameSuffix") or ""


def has_charts(document: Mapping) -> bool:
    """Whether a kustomization takes Helm charts in."""
    return any(document.get(key) is not None for key in ("helmCharts", "helmChartInflationGenerator"))


def resources(document: Mapping) -> Iterator[str]:
    """The files and folders that a kustomization builds on."""
    for key in ("resources", "bases"):
        for item in document.items(key):
            if isinstance(item, Scalar):
                yield item.text
