"""What a service is built from, and who looks after it; how it speaks to the outside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

from assay.scanner.gathered import Gathered
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.supply import DependencyAudit, DependencySet
from assay.scanner.readers.audits import AuditFacts, AuditKind
from assay.scanner.readers.dependencies import DependencyFacts
from assay.scanner.readers.dockerfile import DockerfileFacts
from assay.scanner.services import ServiceRoot
from assay.scanner.supply.installs import lock_left_unused, loose_installs
from assay.scanner.supply.manifests import Declared, Manifests, evidence_of, is_published

_T = TypeVar("_T")


def supplies(gathered: Gathered) -> Iterator[DependencyAudit | DependencySet]:
    """Dependencies of each service, and what looks after them."""
    offside = {path for path, role in gathered.roles.items() if role is not Role.PROD}
    manifests = Manifests(_of(gathered, DependencyFacts), offside)
    for service in gathered.services:
        yield from _dependencies(service, manifests, gathered)
        yield _audit(service, manifests, gathered)


def _of(gathered: Gathered, kind: type[_T]) -> Mapping[str, _T]:
    return {path: facts for path, facts in gathered.context.files.items() if isinstance(facts, kind)}


def _dependencies(service: ServiceRoot, manifests: Manifests, gathered: Gathered) -> Iterator[DependencySet]:
    declared = manifests.of(service.root)
    if not declared:
        return
    locks = manifests.locks_of(service.root)
    loose: list[Evidence] = []
    pinned: list[Evidence] = []
    for one in declared:
        constrained = manifests.held_by_constraints(one)
        for path, requirement in manifests.requirements(one):
            held = manifests.is_held(requirement, constrained)
            (pinned if held else loose).append(evidence_of(path, requirement))
    deployment = gathered.deployments.get(service.name)
    workloads = deployment.workloads if deployment is not None else ()
    images = {w.dockerfile for w in workloads if w.dockerfile is not None and w.role is Role.PROD and w.doubt is None}
    dockerfiles = _of(gathered, DockerfileFacts)
    installs = [e for path in sorted(images) if path in dockerfiles for e in loose_installs(path, dockerfiles[path])]
    unused = (lock_left_unused(path, dockerfiles[path], locks) for path in sorted(images) if path in dockerfiles)
    yield DependencySet(
        declared[0].path,
        _place(service, declared),
        Role.PROD,
        tuple(Evidence(Location.whole_file(path), "holds every version, those of dependencies too") for path in locks),
        tuple(dict.fromkeys(pinned)),
        tuple(dict.fromkeys(loose)),
        tuple(dict.fromkeys(installs)),
        is_published(declared) and not images,
        next((evidence for evidence in unused if evidence is not None), None),
        min((d.facts.oldest_python for d in declared if d.facts.oldest_python is not None), default=None),
    )


def _audit(service: ServiceRoot, manifests: Manifests, gathered: Gathered) -> DependencyAudit:
    files = _of(gathered, AuditFacts)
    found = [(path, audit) for path, facts in files.items() for audit in facts.audits]
    by_kind = {
        kind: tuple(audit.span.evidence(path, audit.name) for path, audit in found if audit.kind is kind)
        for kind in AuditKind
    }
    declared = manifests.of(service.root)
    return DependencyAudit(
        service.name,
        _place(service, declared),
        Role.PROD,
        by_kind[AuditKind.SCAN],
        by_kind[AuditKind.UPDATES],
        by_kind[AuditKind.OTHER_UPDATES],
        has_automation=bool(files),
        has_packages=bool(declared),
    )


def _place(service: ServiceRoot, declared: list[Declared]) -> Location:
    """The file that declares the packages, where it lies in the service: one above may be another service's too."""
    inside = (d.path for d in declared if service.root == "." or d.path.startswith(f"{service.root}/"))
    path = next(inside, None)
    return service.location if path is None else Location.whole_file(path)
