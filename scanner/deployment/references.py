"""Images that are taken from a registry: by the Dockerfiles of images that are shipped, and by workloads."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from assay.scanner.deployment.images import Image, split_reference
from assay.scanner.deployment.kustomize import deployed_image
from assay.scanner.deployment.presented import unclear
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.model.image import ImageReference, Pin
from assay.scanner.model.role import Role
from assay.scanner.model.workload import Platform, Workload
from assay.scanner.readers.dockerfile import Stage
from assay.scanner.readers.kubernetes.facts import PodWorkload

_VERSION = re.compile(r"\d")
_RELEASES = re.compile(
    r"(^|[-_.])(buster|bullseye|bookworm|trixie|forky|focal|jammy|noble|plucky|questing)($|[-_.])", re.IGNORECASE
)
"""Distributions' releases have names: Debian's and Ubuntu's."""
_NO_NAME = re.compile(r"[^a-z0-9._/:@-]")
"""No repository's name has any of these: something else is put there before it is used."""
_STAND_IN = re.compile(
    r"[A-Z][A-Z_]{2,}|.*[<>%@#{}].*|__\w+__|(?i:place-?holder|change-?me|replace-?me|to-?be-?replaced|tag)"
)
"""Tags that stand for one."""
_ROLLING = frozenset({"scratch"})
_MOUNT_SOURCE = re.compile(r"(?:^|,)from=(?P<image>[^,\s]+)")


def pin_of(reference: str) -> Pin:
    """How firmly it names one image."""
    if "@sha256:" in reference:
        return Pin.DIGEST
    repository, tag = split_reference(reference)
    if "$" in reference or "{{" in reference or _NO_NAME.search(repository) or _STAND_IN.fullmatch(tag):
        return Pin.UNKNOWN
    if not tag:
        return Pin.MISSING
    return Pin.VERSION if _VERSION.search(tag) or _RELEASES.search(tag) else Pin.MOVING


def references_of_image(image: Image, role: Role, contexts: Collection[str]) -> Iterator[ImageReference]:
    """What the shipped stage is built from: its base, what it copies files from, and their bases. `contexts` are names
    that builds give to folders.
    """
    done: set[int] = set()
    todo = [image.stage]
    while todo:
        stage = todo.pop()
        if stage.index in done:
            continue
        done.add(stage.index)
        if stage.parent is None:
            if stage.base not in _ROLLING:
                use = "is what the image is built on" if stage in image.chain else "is what a part of it is built in"
                yield _reference(image, stage.base, stage, stage.span.line, use, role)
        else:
            todo.append(image.facts.stages[stage.parent])
        for source, line in _taken_from(image, stage):
            other = image.facts.stage(source)
            if other is not None and other.index < stage.index:
                todo.append(other)
            elif other is None and source not in _ROLLING and source not in contexts:
                yield _reference(image, source, stage, line, "gives files to the image", role)


def _taken_from(image: Image, stage: Stage) -> Iterator[tuple[str, int]]:
    """Stages and images that COPY and mounts of RUN take files from, with the line."""
    for copy in stage.copies:
        if copy.stage is not None:
            yield copy.stage, copy.span.line
    for instruction in image.facts.within(stage):
        for name, value in instruction.flags if instruction.keyword == "RUN" else ():
            found = _MOUNT_SOURCE.search(value) if name == "mount" else None
            if found is not None:
                yield found["image"], instruction.span.line


def _reference(image: Image, reference: str, stage: Stage, line: int, use: str, role: Role) -> ImageReference:
    span = next((i.span for i in image.facts.instructions if i.span.line == line), stage.span)
    return ImageReference(
        subject_id=f"{image.path}:{reference}",
        reference=reference,
        location=span.at(image.path),
        role=role,
        pin=pin_of(reference),
        used_for=use,
    )


def _is_pulled(workload: Workload, pin: Pin) -> bool:
    """A cluster gets it from a registry, by a tag that the manifest states."""
    is_stated = pin is Pin.MOVING and "/" in (workload.image or "") and not workload.image_varies
    return workload.platform is Platform.KUBERNETES and is_stated


def reference_of_workload(workload: Workload) -> ImageReference | None:
    """What a workload runs. An image that the tree builds gets its version where it is published."""
    if workload.image is None or workload.image_location is None:
        return None
    pin = pin_of(workload.image)
    is_composed = workload.platform is Platform.COMPOSE
    return ImageReference(
        subject_id=f"{workload.subject_id}:{workload.image}",
        reference=workload.image,
        location=workload.image_location,
        role=workload.role,
        pin=Pin.UNKNOWN if workload.image_varies and pin in (Pin.MOVING, Pin.MISSING) else pin,
        used_for=f"is what {workload.name} runs",
        is_own=workload.platform is Platform.DOCKERFILE or (workload.built_here and not _is_pulled(workload, pin)),
        doubt=workload.doubt or (unclear(workload) if is_composed else None),
    )


def references_of_init(
    tree: DeploymentTree, path: str, pod: PodWorkload, workload: Workload
) -> Iterator[ImageReference]:
    """The images of what a pod runs before its containers."""
    for container in pod.init_containers:
        if container.image is None:
            continue
        image = deployed_image(tree, path, container.image)
        yield ImageReference(
            subject_id=f"{path}:{pod.kind}/{pod.name}/{container.name}:{image}",
            reference=image,
            location=(container.image_span or container.span).at(path),
            role=workload.role,
            pin=pin_of(image),
            used_for=f"is what {container.name} runs before {pod.name}",
            is_own=tree.is_built_here(container.image),
            doubt=workload.doubt,
        )
