"""What the first part of linking gathered, for the finders of nouns that build on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.scanner.config.structure import MigrationsConfig
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.deployment import Deployment
from assay.scanner.evidence.figures import Measured
from assay.scanner.framework import Context, Route, SqlExecution
from assay.scanner.libraries import Library
from assay.scanner.linker.project import Project
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.migration import Migration
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.model.table import Table
from assay.scanner.model.work import Consumer, Task
from assay.scanner.services import Ownership, ServiceRoot


@dataclass(frozen=True, slots=True)
class Gathered:
    """All of the scanned tree, or of a unit of it. `endpoints` come with the routes that they were made of, `roles` are
    by path, and `deployments` by the service's name. `production` tells what settings come to, `owners` whose a file
    is. `bodies` tells what a function changes. `paths` are those of all files of the tree, `neighbours` the roots of
    services in other units, `measured` what was measured besides what the tree holds. `added` and `releases` tell which
    migrations may still be changed.
    """

    context: Context
    endpoints: Sequence[tuple[Route, Endpoint]]
    tables: Sequence[Table]
    tasks: Sequence[Task]
    consumers: Sequence[Consumer]
    migrations: Sequence[Migration]
    settings: Sequence[Setting]
    requests: Sequence[OutboundCall]
    executions: Sequence[SqlExecution]
    bodies: Bodies
    production: Production
    libraries: Sequence[Library]
    roles: Mapping[str, Role]
    services: Sequence[ServiceRoot]
    owners: Ownership
    deployments: Mapping[str, Deployment]
    paths: frozenset[str]
    neighbours: tuple[str, ...]
    measured: Measured
    added: frozenset[str]
    releases: MigrationsConfig

    @property
    def project(self) -> Project:
        return self.context.project
