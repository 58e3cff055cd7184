"""The deployment stage: from the facts of Dockerfiles, compose files, manifests and Procfiles to each service's
workloads, probes and start commands. Pure: same facts, same result.
"""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from assay.scanner.deployment.build import Found, dockerfile_workload
from assay.scanner.deployment.compose import compose_contexts, compose_workloads
from assay.scanner.deployment.kubernetes import kubernetes_workloads
from assay.scanner.deployment.procfile import procfile_workloads
from assay.scanner.deployment.shipped import container_images, image_references
from assay.scanner.deployment.tree import DeploymentTree, Facts
from assay.scanner.model.image import ContainerImage, ImageReference
from assay.scanner.model.published_port import PublishedPort
from assay.scanner.model.role import Role
from assay.scanner.model.workload import Probe, StartCommand, Workload
from assay.scanner.readers.procfile import ProcfileFacts

__all__ = ["Deployment", "Facts", "link_deployment", "service_hints"]

NO_ROLES: Mapping[str, Role] = {}


@dataclass(frozen=True, slots=True)
class Deployment:
    """How one service runs."""

    workloads: tuple[Workload, ...] = ()
    probes: tuple[Probe, ...] = ()
    start_commands: tuple[StartCommand, ...] = ()
    images: tuple[ContainerImage, ...] = ()
    image_references: tuple[ImageReference, ...] = ()
    published_ports: tuple[PublishedPort, ...] = ()


def link_deployment(
    files: Mapping[str, Facts],
    service_roots: Mapping[str, str],
    roles: Mapping[str, Role] = NO_ROLES,
    other_paths: Collection[str] = (),
) -> Mapping[str, Deployment]:
    """Each service's deployment, by the service's name.

    `files` are the facts by path, `service_roots` the services' folders by name (`.` for the scanned root), `roles`
    those that the paths have, `other_paths` the remaining files, of which the names matter. A workload that belongs
    to no service (another project's image, a database that several could own) is in none.
    """
    tree = DeploymentTree(files, roles, other_paths)
    found = list(_workloads(tree))
    owners = _owners(found, {name: _folder(root) for name, root in service_roots.items()})
    return {
        name: _deployment([f for f, owner in zip(found, owners, strict=True) if owner == name], tree)
        for name in service_roots
    }


def service_hints(files: Mapping[str, Facts]) -> tuple[str, ...]:
    """Folders that look like a service because something builds or starts them; the scanned root is `.`."""
    tree = DeploymentTree(files, NO_ROLES)
    found: set[str] = set()
    for path in tree.dockerfiles:
        image = tree.image(path)
        if image is not None and not image.base.is_infrastructure:
            found.add(posixpath.dirname(path) or ".")
    found.update(posixpath.dirname(path) or "." for path in tree.of(ProcfileFacts))
    for path, facts in tree.compose_files.items():
        found.update(compose_contexts(tree, path, facts))
    return tuple(sorted(folder for folder in found if not folder.startswith("..")))


def _workloads(tree: DeploymentTree) -> Iterator[Found]:
    for path, manifest in tree.manifests.items():
        yield from kubernetes_workloads(tree, path, manifest)
    for path, compose in tree.compose_files.items():
        yield from compose_workloads(tree, path, compose)
    yield from procfile_workloads(tree)
    for path in tree.dockerfiles:
        image = dockerfile_workload(tree, path)
        if image is not None:
            yield image


def _folder(root: str) -> str:
    return "" if root in (".", "") else root.strip("/")


def _owners(found: list[Found], roots: Mapping[str, str]) -> list[str | None]:
    """The service each workload belongs to: that of its code, or else the one nearest to the file that runs it."""
    by_code = [_owner_of_code(f, roots) for f in found]
    return [
        owner if owner is not None or f.home else _owner_of_file(f, found, by_code, roots)
        for f, owner in zip(found, by_code, strict=True)
    ]


def _owner_of_code(found: Found, roots: Mapping[str, str]) -> str | None:
    candidates = [_containing(home, roots) for home in found.home]
    specific = [c for c in candidates if c is not None and roots[c] != ""]
    if specific:
        return specific[0]
    named = _named(found.workload, roots)
    above = found.home if found.workload.dockerfile is None else (posixpath.dirname(found.workload.dockerfile),)
    around = [*candidates, *(_only_below(home, roots) for home in above)]
    return named or next((c for c in around if c is not None), None)


def _containing(folder: str, roots: Mapping[str, str]) -> str | None:
    """The service with the deepest root around the folder."""
    folder = _folder(folder)
    around = [name for name, root in roots.items() if root == "" or folder == root or folder.startswith(root + "/")]
    return max(around, key=lambda name: len(roots[name]), default=None)


def _only_below(folder: str, roots: Mapping[str, str]) -> str | None:
    """The one service that lies below the folder: the Dockerfile beside `src/` is that of the service in `src/`.

    Where the Dockerfile lies counts, not its build context: in `apps/web` it is another application's, whose build
    only sees the whole tree.
    """
    folder = _folder(folder)
    below = [name for name, root in roots.items() if folder == "" or root.startswith(folder + "/")]
    return below[0] if len(below) == 1 else None


def _named(workload: Workload, roots: Mapping[str, str]) -> str | None:
    """A service whose folder has the workload's name."""
    if workload.built_here and workload.dockerfile is not None:
        return None
    names = {
        workload.name.partition("/")[0],
        (workload.image or "").rsplit("/", 1)[-1].partition(":")[0].partition("@")[0],
    }
    fitting = [name for name, root in roots.items() if root.rsplit("/", 1)[-1] in names and root]
    return fitting[0] if len(fitting) == 1 else None


def _owner_of_file(
    found: Found, everything: list[Found], by_code: list[str | None], roots: Mapping[str, str]
) -> str | None:
    """For what isn't built here: a service of its name, the only service that its file runs, the one around it."""
    named = _named(found.workload, roots)
    if named is not None:
        return named
    path = found.workload.location.path
    beside = {o for f, o in zip(everything, by_code, strict=True) if o is not None and f.workload.location.path == path}
    if len(beside) == 1:
        return beside.pop()
    folder = posixpath.dirname(path)
    return None if beside else _containing(folder, roots) or _only_below(folder, roots)


def _deployment(found: list[Found], tree: DeploymentTree) -> Deployment:
    """One of each: an image's check and an entry script are shared by all that run them."""
    return Deployment(
        tuple(f.workload for f in found),
        _unique(p for f in found for p in f.workload.probes),
        _unique(c for f in found for c in f.commands),
        tuple(container_images(found, tree)),
        _unique(image_references(found, tree)),
        _unique(port for f in found for port in f.ports),
    )


_S = TypeVar("_S", Probe, StartCommand, ImageReference, PublishedPort)


def _unique(subjects: Iterable[_S]) -> tuple[_S, ...]:
    """By identity; a subject that production uses is production's."""
    done: dict[str, _S] = {}
    for subject in subjects:
        before = done.get(subject.subject_id)
        if before is None or _weight(subject) > _weight(before):
            done[subject.subject_id] = subject
    return tuple(done.values())


def _weight(subject: Probe | StartCommand | ImageReference | PublishedPort) -> int:
    return (subject.role is Role.PROD) * 2 + (subject.doubt is None)
