"""What is known of the processes that serve the requests of a file's service."""

from __future__ import annotations

from assay.scanner.deployment import Deployment
from assay.scanner.gathered import Gathered
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.workload import Platform, Workload, WorkloadKind


def deployment_of(path: str, gathered: Gathered) -> Deployment:
    """How the service runs that the file belongs to."""
    root = gathered.owners.of(path)
    return gathered.deployments.get(root.name, Deployment()) if root is not None else Deployment()


def serving(deployment: Deployment) -> list[Workload]:
    """The workloads that serve requests, where the tree says who runs them."""
    return [
        w
        for w in deployment.workloads
        if w.role is Role.PROD
        and w.platform is not Platform.DOCKERFILE
        and (w.kind is WorkloadKind.WEB or (w.kind is WorkloadKind.UNKNOWN and w.serves_traffic))
    ]


def replicated(deployment: Deployment) -> tuple[Evidence, ...]:
    """Where more than one replica serves requests: what lies in files is then not the same for all."""
    found = (w for w in serving(deployment) if (w.replicas or 1) > 1)
    return tuple(Evidence(w.location, f"{w.replicas} replicas serve requests") for w in found)
