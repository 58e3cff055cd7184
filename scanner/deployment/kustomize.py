"""What kustomizations make of manifests that they build on: images, numbers of copies, patches."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from assay.scanner.deployment.images import split_reference
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.readers.kubernetes.facts import ImageChange, PodWorkload


def deployed_image(tree: DeploymentTree, path: str, reference: str) -> str:
    """The image of a manifest as the kustomizations that build on it leave it; the firmest, where they differ."""
    repository = split_reference(reference)[0]
    found = [
        _changed(reference, change)
        for kustomization in _kustomizations_of(tree, path)
        for change in tree.manifests[kustomization].image_changes
        if change.name == repository
    ]
    return max(found, key=_firmness, default=reference)


def replicas_of(tree: DeploymentTree, path: str, name: str) -> list[int]:
    """How many the kustomizations run of a workload of that manifest."""
    found = (change for each in _kustomizations_of(tree, path) for change in tree.manifests[each].replica_changes)
    return [count for other, count in found if other == name]


def patches_of(tree: DeploymentTree, pod: PodWorkload) -> Iterator[tuple[str, PodWorkload]]:
    """What patches say of it, each with the path of the file that it stands in: its own, or a kustomization."""
    return iter(tree.pod_patches.get((pod.kind, pod.name), ()))


def _kustomizations_of(tree: DeploymentTree, path: str) -> list[str]:
    """Those that take the manifest, by itself or by its folder, and those that build on them in turn."""
    found: list[str] = []
    todo = [path]
    while todo:
        target = todo.pop()
        for place in (target, posixpath.dirname(target)):
            new = [each for each in tree.built_on.get(place, ()) if each not in found]
            found += new
            todo += new
    return found


def _firmness(reference: str) -> tuple[bool, bool]:
    return "@" in reference, any(c.isdigit() for c in split_reference(reference)[1])


def _changed(reference: str, change: ImageChange) -> str:
    repository, tag = split_reference(reference)
    name = change.new_name or repository
    if change.digest is not None:
        return f"{name}@{change.digest}"
    tag = change.new_tag or tag
    return f"{name}:{tag}" if tag else name
