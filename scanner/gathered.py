"""What the first part of linking gathered, for the finders of nouns that build on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.scanner.configuration.production import Production
from assay.scanner.deployment import Deployment
from assay.scanner.framework import Context, Route
from assay.scanner.libraries import Library
from assay.scanner.linker.project import Project
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.model.table import Table
from assay.scanner.services import Ownership, ServiceRoot


@dataclass(frozen=True, slots=True)
class Gathered:
    """All of the scanned tree, or of a unit of it. `endpoints` come with the routes that they were made of, `roles` are
    by path, and `deployments` by the service's name. `production` tells what settings come to, `owners` whose a file
    is.
    """

    context: Context
    endpoints: Sequence[tuple[Route, Endpoint]]
    tables: Sequence[Table]
    settings: Sequence[Setting]
    requests: Sequence[OutboundCall]
    production: Production
    libraries: Sequence[Library]
    roles: Mapping[str, Role]
    services: Sequence[ServiceRoot]
    owners: Ownership
    deployments: Mapping[str, Deployment]

    @property
    def project(self) -> Project:
        return self.context.project
