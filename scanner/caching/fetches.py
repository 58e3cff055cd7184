"""Which functions get something that changes: from a database, or from another service."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from assay.scanner.framework import frameworks
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.queries.chains import Chains
from assay.scanner.queries.executions import Executions
from assay.scanner.readers.python import form

_CLIENTS = frozenset(
    """pymongo motor elasticsearch opensearchpy boto3 aioboto3 ldap3 stripe googleapiclient grpc neo4j cassandra
    google hvac kubernetes docker slack_sdk""".split()
)
"""Packages whose objects' methods ask a database or a service."""
_DEEPEST = 3
"""Functions that call one another, between the place in question and what fetches."""


class Fetches:
    """Which functions get something from a database or another service."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._requests = {r.function: r.location for r in gathered.requests}
        self._known: dict[FunctionSymbol, Evidence | None] = {}

    @cached_property
    def _chains(self) -> Chains:
        return Chains(self._project, frameworks())

    @cached_property
    def _executions(self) -> Executions:
        return Executions(self._project, self._chains, self._gathered.executions)

    def by(self, function: FunctionSymbol, depth: int = _DEEPEST) -> Evidence | None:
        """Where the function does, or one that it calls."""
        if function not in self._known:
            self._known[function] = None  # for functions that call one another
            self._known[function] = self._by(function, depth)
        return self._known[function]

    def _by(self, function: FunctionSymbol, depth: int) -> Evidence | None:
        asked = self._requests.get(function.id)
        if asked is not None:
            return Evidence(asked, "it is fetched from another service here")
        return self.among([n for n in function.nodes if isinstance(n, form.Call)], function.scope, depth)

    def among(self, calls: Sequence[form.Call], scope: Scope, depth: int = _DEEPEST) -> Evidence | None:
        """Where one of the calls does, or a function that they call."""
        for call in calls:
            if self._executions.of(call, scope) is not None or self._chains.query(call, scope) is not None:
                return scope.module.evidence(call, "it is read from the database here")
            if self._asks_elsewhere(call, scope):
                return scope.module.evidence(call, "it is fetched from elsewhere here")
        for call in calls if depth else ():
            callee = self._project.callee_function(call, scope)
            below = self.by(callee, depth - 1) if callee is not None else None
            if below is not None:
                return below
        return None

    def _asks_elsewhere(self, call: form.Call, scope: Scope) -> bool:
        """Whether it is a method of a client: `products.find_one(...)`, `s3.get_object(...)`."""
        name = self._project.callee_name(call, scope) or ""
        return name.partition(".")[0] in _CLIENTS and name.count(".") > 1 and last_part(name)[:1].islower()
