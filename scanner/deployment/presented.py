"""Whether a compose file is one that production runs: most are for development and tests."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.workload import Workload
from assay.scanner.readers.compose import ComposeService

UNCLEAR = "nothing says whether production runs this compose file"
_WORDS = re.compile(
    r"(^|[/_.-])(prod|production|deploy|deployments?|release|self-?host(ed|ing)?|stack|swarm)($|[/_.-])"
)
_BASES = frozenset({"compose.yml", "compose.yaml", "docker-compose.yml", "docker-compose.yaml"})
_OVERRIDES = ("compose.override", "docker-compose.override")


def laid_over(tree: DeploymentTree, path: str, name: str) -> Iterator[tuple[str, ComposeService | None]]:
    """Files for production that only change services of this one, with what they say of the service of that name:
    `docker compose -f compose.yml -f compose.prod.yml` merges them.
    """
    if posixpath.basename(path) not in _BASES:
        return
    base = tree.compose_files[path]
    for other, facts in tree.compose_files.items():
        beside = posixpath.dirname(other) == posixpath.dirname(path) and other != path
        if not beside or not _WORDS.search(posixpath.basename(other).lower()):
            continue
        if any(
            s.image is None and s.build is None and s.extends is None and base.service(s.name) for s in facts.services
        ):
            yield other, facts.service(name)


def presented(tree: DeploymentTree, path: str, service: ComposeService) -> Evidence | None:
    """What says so: the path's words, an override for development beside it, a section that only a swarm heeds."""
    if not (service.command or service.ports or service.environment or service.depends_on or service.restart):
        return None  # it only says how an image is built
    if _WORDS.search(path.lower()):
        return Evidence(Location.whole_file(path), "its name says that it is for production")
    folder = posixpath.dirname(path)
    is_base = posixpath.basename(path) in _BASES
    merged = next(laid_over(tree, path, service.name), None)
    if merged is not None:
        return Evidence(Location.whole_file(merged[0]), "what production changes stands in this file")
    for other in tree.compose_files if is_base else ():
        if posixpath.dirname(other) == folder and posixpath.basename(other).startswith(_OVERRIDES):
            return Evidence(Location.whole_file(other), "what development changes stands in this file")
    if service.has_deploy and service.replicas is not None:
        return service.span.evidence(path, "it says how many of it are deployed")
    return None


def unclear(workload: Workload) -> Evidence | None:
    """The doubt about a compose file of which nothing says so."""
    return None if workload.for_production is not None else Evidence(workload.location, UNCLEAR)
