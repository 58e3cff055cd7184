"""Environment variables that files give to what runs: Dockerfiles, compose files, manifests, files of variables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.dockerfile import DockerfileFacts
from assay.scanner.readers.env_files import EnvFileFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts


def variables_given(files: Mapping[str, object]) -> Iterator[tuple[str, str | None, Evidence]]:
    """Name, value (None where a secret or a config map gives it) and place of each."""
    for path, facts in sorted(files.items()):
        match facts:
            case KubernetesFacts():
                yield from _of_manifest(path, facts)
            case ComposeFacts():
                for service in facts.services:
                    place = service.span.evidence(path, f"a variable of {service.name}")
                    yield from ((name, value, place) for name, value in service.environment)
            case DockerfileFacts():
                place = Evidence(Location.whole_file(path), "a variable of the image")
                yield from ((name, value, place) for stage in facts.stages for name, value in stage.env)
            case EnvFileFacts():
                given = (v for v in facts.variables if not v.is_off)
                yield from ((v.name, v.value, v.span.evidence(path, f"it sets {v.name}")) for v in given)


def _of_manifest(path: str, facts: KubernetesFacts) -> Iterator[tuple[str, str | None, Evidence]]:
    for workload in facts.workloads:
        for container in workload.containers:
            for given in container.env:
                yield given.name, given.value, given.span.evidence(path, f"{container.name} is given {given.name}")
