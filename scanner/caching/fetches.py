"""Which functions get something that changes: from a database, or from another service."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from assay.scanner.dataflow.numbering import around
from assay.scanner.framework import frameworks
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence, Location
from assay.scanner.queries.chains import Chains
from assay.scanner.queries.executions import Executions
from assay.scanner.readers.python import form

_CLIENTS = frozenset(
    """pymongo motor elasticsearch opensearchpy boto3 aioboto3 ldap3 stripe googleapiclient grpc neo4j cassandra
    google hvac kubernetes docker slack_sdk""".split()
)
"""Packages whose objects' methods ask a database or a service."""
_HANDLES = frozenset(
    """client resource session get_session driver connect build default insecure_channel secure_channel
    get_database get_default_database get_collection collection document bucket blob with_options""".split()
)
"""Their functions and methods that ask nothing yet: what they give does."""
_LOADING = ("from_", "load_")
"""How the names of those begin that read credentials and addresses of services."""
_DEEPEST = 3
"""Functions that call one another, between the place in question and what fetches."""


class Fetches:
    """Which functions get something from a database or another service."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._requests: dict[str, list[Location]] = {}
        for request in gathered.requests:
            self._requests.setdefault(request.function, []).append(request.location)
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
            calls = [n for n in function.nodes if isinstance(n, form.Call)]
            self._known[function] = self.among(calls, function.scope, depth)
        return self._known[function]

    def among(self, calls: Sequence[form.Call], scope: Scope, depth: int = _DEEPEST) -> Evidence | None:
        """Where one of the calls does, or a function that they call."""
        sent = self._requests.get(around(scope), ())
        for call in calls:
            if sent and (location := scope.module.location(call)) in sent:
                return Evidence(location, "it is fetched from another service here")
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
        package, method = name.partition(".")[0], last_part(name)
        if package not in _CLIENTS or name.count(".") < 2 or not method[:1].islower():
            return False
        return method not in _HANDLES and not method.startswith(_LOADING)
