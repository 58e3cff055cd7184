"""What runs, and the environment that manifests, compose files and files of variables give it."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.deployment.compose import extended
from assay.scanner.deployment.images import Image
from assay.scanner.deployment.tree import DeploymentTree, relative
from assay.scanner.model.place import Location
from assay.scanner.readers.compose import ComposeFacts, ComposeService
from assay.scanner.readers.kubernetes.facts import Container, PodWorkload, Reference, Variable
from assay.scanner.readers.variables import expand


@dataclass(frozen=True, slots=True)
class Given:
    """A variable of the environment. `value` is None where it isn't in the tree.

    `entry` names the entry of the Secret or ConfigMap that holds it, or the whole, of which the names aren't known.
    `location` is where the value stands, `taken` where the workload is given it.
    """

    name: str
    value: str | None
    location: Location
    taken: Location
    holder: str
    entry: str | None = None


@dataclass(frozen=True, slots=True)
class Runner:
    """A container of a pod, or a compose service: `workload` is the `subject_id` of its workload, `name` what a person
    calls it. `image` is what it runs, where the tree builds that, `reference` the name of the image.
    """

    path: str
    workload: str
    name: str
    image: Image | None
    reference: str
    given: tuple[Given, ...]
    pod: PodWorkload | None = None
    service: ComposeService | None = None

    def value(self, name: str) -> str | None:
        """What the variable is."""
        return next((g.value for g in self.given if g.name == name), None)


def runners(tree: DeploymentTree) -> Iterator[Runner]:
    """All that the manifests and compose files of the tree run; patches hold parts of objects and are left out."""
    for path, facts in tree.manifests.items():
        if path not in tree.patches:
            for pod in facts.workloads:
                for container in (*pod.containers, *pod.init_containers):
                    if container.image is not None:
                        yield _of_container(tree, path, pod, container)
    for path, composed in tree.compose_files.items():
        host = _beside(tree, path)
        for written in composed.services:
            yield _of_service(tree, path, composed, written, host)


def _of_container(tree: DeploymentTree, path: str, pod: PodWorkload, container: Container) -> Runner:
    given: dict[str, Given] = {}
    for reference in container.env_from:
        for each in _of_reference(tree, path, reference):
            given[each.name] = each
    own = {v.name: v.value for v in container.env if v.value is not None}
    for variable in container.env:
        given[variable.name] = _of_variable(tree, path, container, variable, own)
    return Runner(
        path,
        f"{path}:{pod.kind}/{pod.name}/{container.name}",
        pod.name,
        tree.image_named(container.image or ""),
        container.image or "",
        tuple(given.values()),
        pod=pod,
    )


def _of_variable(
    tree: DeploymentTree, path: str, container: Container, variable: Variable, own: dict[str, str]
) -> Given:
    place, holder = variable.span.at(path), container.name
    if variable.source is not None:
        for found in _of_reference(tree, path, variable.source, place):
            return Given(variable.name, found.value, found.location, place, found.holder, found.entry)
    value = variable.value
    if value is not None and "$(" in value:
        for name, text in own.items():
            value = value.replace(f"$({name})", text)
    return Given(variable.name, value, place, place, holder)


def _of_reference(
    tree: DeploymentTree, path: str, reference: Reference, taken: Location | None = None
) -> Iterator[Given]:
    """The entries that a ConfigMap or a Secret gives, by the one of that name that lies nearest."""
    place = taken or reference.span.at(path)
    holder = f"{reference.kind}/{reference.name}"
    found = [
        (other, made.entries)
        for other, facts in tree.manifests.items()
        if other not in tree.patches
        for made in (facts.config_maps if reference.kind == "ConfigMap" else facts.secrets)
        if made.name == reference.name
    ]
    if not found:
        entry = holder if reference.key is None else f"{holder}/{reference.key}"
        yield Given(reference.key or "", None, place, place, holder, entry)
        return
    other, entries = max(found, key=lambda pair: _nearness(pair[0], path))
    for each in entries:
        if reference.key in (None, each.name):
            yield Given(each.name, each.value, each.span.at(other), place, holder, f"{holder}/{each.name}")


def _nearness(path: str, other: str) -> tuple[bool, int, str]:
    one, two = posixpath.dirname(path), posixpath.dirname(other)
    return one == two, len(posixpath.commonpath([f"/{one}", f"/{two}"])), path


def _of_service(
    tree: DeploymentTree,
    path: str,
    facts: ComposeFacts,
    written: ComposeService,
    host: Mapping[str, tuple[str, Location]],
) -> Runner:
    service = extended(tree, path, facts, written)
    given: dict[str, Given] = {}
    for file in service.env_files:
        held = tree.env_files.get(relative(path, file))
        for line in held.variables if held is not None else ():
            if not line.is_off:
                place = line.span.at(relative(path, file))
                given[line.name] = Given(line.name, line.value, place, service.span.at(path), relative(path, file))
    for name in service.passed_through:
        if name in host:
            value, place = host[name]
            given[name] = Given(name, value, place, service.span.at(path), service.name)
    values = {name: value for name, (value, _) in host.items()}
    spans = {v.name: v.span for v in service.variables}
    base = service.extends[0] if service.extends is not None and not written.environment else None
    at = relative(path, base) if base is not None else path
    for name, value in service.environment:
        place = spans.get(name, service.span).at(at)
        given[name] = Given(name, expand(value, values), place, place, service.name)
    return Runner(
        path,
        f"{path}:{service.name}",
        service.name,
        tree.compose_image(path, service),
        service.image or "",
        tuple(given.values()),
        service=service,
    )


def _beside(tree: DeploymentTree, path: str) -> dict[str, tuple[str, Location]]:
    """What `docker compose` takes for the host's variables: the `.env` beside the file."""
    file = relative(path, ".env")
    facts = tree.env_files.get(file)
    found: dict[str, tuple[str, Location]] = {}
    values: dict[str, str] = {}
    for line in facts.variables if facts is not None else ():
        if not line.is_off:
            values[line.name] = expand(line.value, values)
            found[line.name] = values[line.name], line.span.at(file)
    return found
