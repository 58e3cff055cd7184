"""Copies and resources of the containers of Kubernetes pods."""

from __future__ import annotations

import posixpath

from assay.scanner.deployment.kustomize import patches_of, replicas_of
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.model.capacity import Capacity
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.kubernetes.facts import Autoscaler, Container, PodWorkload


def pod_capacity(tree: DeploymentTree, path: str, pod: PodWorkload, container: Container) -> Capacity:
    """What the manifest, the namespace's defaults and the autoscalers of the tree say."""
    place, scaler = _autoscaler(tree, path, pod)
    return Capacity(
        controller=pod.kind,
        memory_limit=_stated(path, container, "memory", is_limit=True)
        or _patched(tree, pod, container)
        or _default(tree, pod, "memory"),
        cpu_request=_stated(path, container, "cpu", is_limit=False),
        cpu_limit=_stated(path, container, "cpu", is_limit=True) or _default(tree, pod, "cpu"),
        autoscaler=place,
        least_copies=scaler.minimum if scaler is not None else None,
        most_copies=scaler.maximum if scaler is not None else None,
        scales_on=scaler.metrics if scaler is not None else (),
        may_change=_overlay(tree, path),
        keeps=pod.claim_span.evidence(path, "it keeps a volume") if pod.claim_span else None,
        recreates=pod.recreate_span.evidence(path, "old pods go before new ones come") if pod.recreate_span else None,
    )


def copies(tree: DeploymentTree, path: str, pod: PodWorkload) -> int | None:
    """How many run: as the overlays say, the largest where they differ, or else the manifest."""
    stated = [patch.replicas for _, patch in patches_of(tree, pod) if patch.replicas is not None]
    stated += replicas_of(tree, path, pod.name)
    return max(stated, default=pod.replicas)


def _patched(tree: DeploymentTree, pod: PodWorkload, container: Container) -> Evidence | None:
    """A limit that an overlay's patch gives."""
    for path, patch in patches_of(tree, pod):
        for other in patch.containers:
            found = _stated(path, other, "memory", is_limit=True) if other.name == container.name else None
            if found is not None:
                return found
    return None


def _stated(path: str, container: Container, name: str, *, is_limit: bool) -> Evidence | None:
    """A limit or a request; a limit alone is taken for the request, too."""
    resources = container.resources
    if resources is None:
        return None
    given = dict(resources.limits) if is_limit else dict(resources.limits) | dict(resources.requests)
    if name not in given:
        return None
    return resources.span.evidence(path, f"its {name} {'limit' if is_limit else 'request'} is {given[name]}")


def _default(tree: DeploymentTree, pod: PodWorkload, name: str) -> Evidence | None:
    for path, facts in tree.manifests.items():
        for limits in facts.limit_ranges:
            if name in limits.defaults and limits.namespace in (pod.namespace, None):
                return limits.span.evidence(path, f"the namespace limits {name} by default")
    return None


def _overlay(tree: DeploymentTree, path: str) -> Evidence | None:
    other = tree.bases.get(posixpath.dirname(path))
    return Evidence(Location.whole_file(other), "an overlay builds on it, and may change it") if other else None


def _autoscaler(tree: DeploymentTree, path: str, pod: PodWorkload) -> tuple[Evidence | None, Autoscaler | None]:
    """The nearest that names it: a tree may hold the manifests of several set-ups."""
    named = [
        (other, scaler)
        for other, facts in tree.manifests.items()
        for scaler in facts.autoscalers
        if (scaler.target_kind, scaler.target) == (pod.kind, pod.name)
        and (scaler.namespace == pod.namespace or None in (scaler.namespace, pod.namespace))
    ]
    around = posixpath.dirname(posixpath.dirname(path))
    near = [pair for pair in named if not around or pair[0].startswith(f"{around}/")]
    if not near:
        return None, None
    other, scaler = max(near, key=lambda pair: len(posixpath.commonpath([pair[0], path])))
    return scaler.span.evidence(other, f"an autoscaler keeps at least {scaler.minimum} of it"), scaler
