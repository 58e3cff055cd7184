"""The images that are shipped of what the tree builds: as whom they run, and what is in them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.deployment.baked import baked_secrets, perhaps_baked
from assay.scanner.deployment.build import Found
from assay.scanner.deployment.images import Image
from assay.scanner.deployment.references import reference_of_workload, references_of_image
from assay.scanner.deployment.tools import build_tools, perhaps_used
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.deployment.users import user_of
from assay.scanner.model.image import ContainerImage, ImageReference
from assay.scanner.model.role import Role
from assay.scanner.model.workload import Platform, Workload


def container_images(found: Iterable[Found], tree: DeploymentTree) -> Iterator[ContainerImage]:
    """One for each stage that something runs or that a build without a target gives."""
    for image, workloads in _shipped(found):
        running = [w for w in workloads if w.platform is not Platform.DOCKERFILE and w.role is Role.PROD]
        name = f"stage {image.stage.name} of {image.path}" if image.stage.name else image.path
        yield ContainerImage(
            subject_id=_identity(image),
            label=name,
            location=image.stage.span.at(image.path),
            role=_role(workloads),
            user=user_of(image, running, workloads, tree.scripts),
            build_tools=build_tools(image),
            perhaps_used=perhaps_used(image),
            secrets=tuple(baked_secrets(image, tree)),
            perhaps_secret=tuple(perhaps_baked(image)),
            runs_infrastructure=image.base.is_infrastructure,
        )


def image_references(found: Iterable[Found], tree: DeploymentTree) -> Iterator[ImageReference]:
    """What registries give to the images that are shipped and to workloads, each place once."""
    together = list(found)
    done: dict[str, ImageReference] = {}
    for image, workloads in _shipped(together):
        for reference in references_of_image(image, _role(workloads), tree.named_contexts):
            done.setdefault(reference.subject_id, reference)
    for each in together:
        is_pulled = each.image is None or each.workload.platform is Platform.KUBERNETES
        taken = reference_of_workload(each.workload) if is_pulled else None
        for reference in (*([taken] if taken is not None else []), *each.references):
            done.setdefault(reference.subject_id, reference)
    return iter(done.values())


def _shipped(found: Iterable[Found]) -> Iterator[tuple[Image, list[Workload]]]:
    images: dict[str, tuple[Image, list[Workload]]] = {}
    for each in found:
        if each.image is not None:
            images.setdefault(_identity(each.image), (each.image, []))[1].append(each.workload)
    return iter(images.values())


def _identity(image: Image) -> str:
    is_last = image.stage is image.facts.stages[-1]
    return image.path if is_last else f"{image.path}:{image.stage.name or image.stage.index}"


def _role(workloads: list[Workload]) -> Role:
    """Production's, where production runs it."""
    roles = [w.role for w in workloads]
    return Role.PROD if Role.PROD in roles else roles[0]
