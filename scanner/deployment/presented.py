"""Whether a compose file is one that production runs: most are for development and tests."""

from __future__ import annotations

import posixpath
import re

from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.compose import ComposeService

_WORDS = re.compile(
    r"(^|[/_.-])(prod|production|deploy|deployments?|release|self-?host(ed|ing)?|stack|swarm)($|[/_.-])"
)
_OVERRIDES = ("compose.override", "docker-compose.override")


def presented(tree: DeploymentTree, path: str, service: ComposeService) -> Evidence | None:
    """What says so: the path's words, an override for development beside it, a section that only a swarm heeds."""
    if not (service.command or service.ports or service.environment or service.depends_on or service.restart):
        return None  # it only says how an image is built
    if _WORDS.search(path.lower()):
        return Evidence(Location.whole_file(path), "its name says that it is for production")
    folder = posixpath.dirname(path)
    is_base = posixpath.basename(path) in ("compose.yml", "compose.yaml", "docker-compose.yml", "docker-compose.yaml")
    for other in tree.compose_files if is_base else ():
        if posixpath.dirname(other) == folder and posixpath.basename(other).startswith(_OVERRIDES):
            return Evidence(Location.whole_file(other), "what development changes stands in this file")
    if service.has_deploy and service.replicas is not None:
        return service.span.evidence(path, "it says how many of it are deployed")
    return None
