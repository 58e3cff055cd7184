"""What finds the nouns that build on others: on endpoints, tables, settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from assay.scanner.access.subjects import entrances
from assay.scanner.addresses.subjects import addresses
from assay.scanner.breakers.subjects import circuit_breakers
from assay.scanner.caching.subjects import caches
from assay.scanner.clients.subjects import dependency_clients
from assay.scanner.databases.replicas.subjects import replicas
from assay.scanner.databases.subjects import database_connections
from assay.scanner.dataflow.bodies.subjects import bodies
from assay.scanner.dataflow.columns.subjects import sensitive_columns
from assay.scanner.dataflow.keys.subjects import keys
from assay.scanner.dataflow.lookups.subjects import object_lookups
from assay.scanner.dataflow.responses.subjects import answers
from assay.scanner.dataflow.uploads.subjects import uploads
from assay.scanner.delivery.subjects import deliveries
from assay.scanner.description.subjects import descriptions
from assay.scanner.documents.subjects import documents
from assay.scanner.gathered import Gathered
from assay.scanner.hardening.subjects import protections
from assay.scanner.instances.subjects import instances
from assay.scanner.lifetimes.subjects import lifetimes
from assay.scanner.measurements.subjects import measurements
from assay.scanner.messages.subjects import messages
from assay.scanner.metrics.subjects import metrics
from assay.scanner.model.subject import Subject
from assay.scanner.monitoring.subjects import monitoring
from assay.scanner.naming.subjects import path_names
from assay.scanner.pipelines.subjects import pipelines
from assay.scanner.queries.subjects import queries
from assay.scanner.queues.subjects import queues
from assay.scanner.retries.subjects import retry_policies
from assay.scanner.schema.subjects import schemas
from assay.scanner.sizing.subjects import concurrency
from assay.scanner.suite.subjects import test_suites
from assay.scanner.supply.subjects import supplies
from assay.scanner.telemetry.subjects import telemetry
from assay.scanner.traffic.subjects import traffic_rules
from assay.scanner.transactions.races import row_changes
from assay.scanner.transactions.subjects import transactions
from assay.scanner.transports.subjects import transports
from assay.scanner.waiting.subjects import delays
from assay.scanner.workers.subjects import workers
from assay.scanner.written_secrets.subjects import written_secrets

FINDERS: Mapping[str, Callable[[Gathered], Iterable[Subject]]] = {
    "answers": answers,
    "object lookups": object_lookups,
    "bodies": bodies,
    "path names": path_names,
    "descriptions": descriptions,
    "entrances": entrances,
    "traffic rules": traffic_rules,
    "keys": keys,
    "sensitive columns": sensitive_columns,
    "protections": protections,
    "supplies": supplies,
    "uploads": uploads,
    "transports": transports,
    "test suites": test_suites,
    "pipelines": pipelines,
    "measurements": measurements,
    "telemetry": telemetry,
    "monitoring": monitoring,
    "metrics": metrics,
    "queries": queries,
    "row changes": row_changes,
    "transactions": transactions,
    "database connections": database_connections,
    "replicas": replicas,
    "schemas": schemas,
    "delays": delays,
    "instances": instances,
    "lifetimes": lifetimes,
    "concurrency": concurrency,
    "documents": documents,
    "dependency clients": dependency_clients,
    "retry policies": retry_policies,
    "circuit breakers": circuit_breakers,
    "written secrets": written_secrets,
    "addresses": addresses,
    "caches": caches,
    "workers": workers,
    "queues": queues,
    "deliveries": deliveries,
    "messages": messages,
}
"""By what a person calls the part, in `--profile` and in diagnostics."""
