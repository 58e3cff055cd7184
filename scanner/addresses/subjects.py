"""Addresses of services, as deployments and code give them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from assay.scanner.addresses.databases import given_databases
from assay.scanner.addresses.given import runners
from assay.scanner.addresses.in_code import code_addresses
from assay.scanner.addresses.neighbours import service_addresses, told
from assay.scanner.addresses.reached import neighbours
from assay.scanner.deployment.tree import DeploymentTree, Facts
from assay.scanner.gathered import Gathered
from assay.scanner.homes import Homes
from assay.scanner.model.code_address import CodeAddress
from assay.scanner.model.migration import Migration
from assay.scanner.model.neighbour import Neighbour
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.service_address import ServiceAddress
from assay.scanner.model.shared_database import GivenDatabase
from assay.scanner.model.table import Table

_DEPLOYED = get_args(Facts)


def addresses(gathered: Gathered) -> Iterator[ServiceAddress | GivenDatabase | CodeAddress | Neighbour]:
    """Those of the whole tree, each handed to the service that it is for."""
    files = {path: facts for path, facts in gathered.context.files.items() if isinstance(facts, _DEPLOYED)}
    tree = DeploymentTree(files, gathered.roles, gathered.paths)
    running, homes = list(runners(tree)), Homes(gathered)
    found = list(told(tree, running, gathered.paths))
    yield from service_addresses(tree, found, homes)
    yield from neighbours(tree, running, found, homes, gathered)
    yield from given_databases(tree, running, homes, lambda root: _keeps(root, gathered))
    yield from code_addresses(gathered)


def _keeps(root: str, gathered: Gathered) -> Evidence | None:
    """Where the code of a service says that it keeps data: its tables, its migrations, the statements it runs. What it
    shares with others is nobody's own.
    """
    mine = [s for s in gathered.services if s.root == root]
    stated: tuple[Table | Migration, ...] = (*gathered.tables, *gathered.migrations)
    for found in stated:
        if found.role is Role.PROD and gathered.owners.around(found.location.path) in mine:
            return Evidence(found.location, f"{found.label} is its own")
    for execution in gathered.executions:
        module = execution.scope.module
        if module.role is Role.PROD and gathered.owners.around(module.path) in mine:
            return module.evidence(execution.call, "it runs SQL of its own")
    return None
