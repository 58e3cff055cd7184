"""What skaffold builds and tests, and what a kustomization lays over manifests."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.readers.kubernetes.facts import BuildArtifact, ImageChange, Variable
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
