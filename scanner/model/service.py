"""One deployable backend: everything that was understood about it, noun by noun."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from functools import cache, partial

from assay.scanner.model.access import AccessDefault, GuardUse, InboundWebhook, SocketEntrance
from assay.scanner.model.access_path import AccessPath
from assay.scanner.model.answer import CallerRefusal, CaughtFailure, ErrorAnswer, ExceptionAnswer
from assay.scanner.model.body import BulkAssignment, RequestBody, ResponseShape
from assay.scanner.model.breaker import CircuitBreaker
from assay.scanner.model.cached_data import CachedData
from assay.scanner.model.cached_result import CachedResult
from assay.scanner.model.caching import CacheEntry, DeclaredCache
from assay.scanner.model.call import Function, FunctionCall
from assay.scanner.model.code_address import CodeAddress
from assay.scanner.model.concurrency import WorkloadConcurrency
from assay.scanner.model.cookie import Cookie
from assay.scanner.model.crypto import Credential, HashUse, PasswordUse, RandomUse
from assay.scanner.model.data_store import DataStore
from assay.scanner.model.database_connection import DatabaseConnection
from assay.scanner.model.delivery import (
    Acknowledgement,
    ConsumerFailure,
    DeadLetterPath,
    PublishingGuarantee,
    Redelivery,
)
from assay.scanner.model.dependency_client import DependencyClient
from assay.scanner.model.description import ApiDescription, DescribedOperation, DocumentedOperation
from assay.scanner.model.documentation import Documentation, EnvironmentVariable
from assay.scanner.model.drift import MigratedTable
from assay.scanner.model.dual_write import DualWrite
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.find_or_create import FindOrCreateCall
from assay.scanner.model.hardening import DebugSwitch, ForgeryProtection, HostPolicy, SecurityHeader
from assay.scanner.model.health import HealthCheck
from assay.scanner.model.image import ContainerImage, ImageReference
from assay.scanner.model.instance import CoordinationStore, ProcessState, UserFiles
from assay.scanner.model.key import SecretComparison, SensitiveColumn, SigningKey, StoredKey, TokenIssue, UrlCredential
from assay.scanner.model.load import Benchmarking, LoadTesting
from assay.scanner.model.log import ExceptHandler, LogCall, LoggedData, LoggedError, LoggingSetup, PrintCall
from assay.scanner.model.lookup import ObjectLookup
from assay.scanner.model.measurement import CoverageFigure, MeasuredTiming
from assay.scanner.model.message import Message, RepeatedRun
from assay.scanner.model.metric import MetricLabel, OutcomeMetrics, QueriedMetric
from assay.scanner.model.migration import Migration, MigrationStep, MigrationTree, SchemaOrigin
from assay.scanner.model.monitoring import Alert, AlertCoverage, AlertDestination
from assay.scanner.model.naming import ApiVersion, PathName, PathTemplate, RouteOverlap
from assay.scanner.model.neighbour import Neighbour
from assay.scanner.model.offset_paging import OffsetPaging
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.pipeline import Pipeline
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.priority_use import PriorityUse
from assay.scanner.model.publication import ImagePublication
from assay.scanner.model.published_port import PublishedPort
from assay.scanner.model.query import PagedQuery, PageSize
from assay.scanner.model.query_call import QueryCall
from assay.scanner.model.relation_read import RelationRead
from assay.scanner.model.remote_steps import RemoteSteps
from assay.scanner.model.replica import ReadReplica, ReplicaRouting, ReplicaUse
from assay.scanner.model.request_id import RequestId
from assay.scanner.model.resource import HeldResource
from assay.scanner.model.retry import RetryPolicy
from assay.scanner.model.role import Role
from assay.scanner.model.rollback import FailurePath
from assay.scanner.model.row_change import RowChange
from assay.scanner.model.row_read import RowRead
from assay.scanner.model.run_mode import RunMode
from assay.scanner.model.scanning import ScanCoverage, SecurityScan
from assay.scanner.model.secret_setting import SecretSetting
from assay.scanner.model.service_address import ServiceAddress
from assay.scanner.model.setting import Setting
from assay.scanner.model.shared_database import GivenDatabase
from assay.scanner.model.side_effect import Handover, SideEffect
from assay.scanner.model.site import (
    AbsoluteLink,
    ArchiveExtraction,
    CodeEvaluation,
    Deserialization,
    DocumentQuery,
    FileAccess,
    HeaderWrite,
    HtmlOutput,
    LdapQuery,
    LoggedText,
    ProcessStart,
    Redirect,
    SessionWrite,
    TemplateSource,
    UrlRequest,
    XmlParse,
    XpathQuery,
)
from assay.scanner.model.sql import SqlSite
from assay.scanner.model.subject import Subject
from assay.scanner.model.suite import (
    AssertingFunction,
    AuthenticationTesting,
    CollectedTest,
    RollbackTesting,
    TestedEndpoint,
)
from assay.scanner.model.supply import DependencyAudit, DependencySet
from assay.scanner.model.synchronous_dependency import SynchronousDependency
from assay.scanner.model.table import Table
from assay.scanner.model.table_key import Association, ForeignKey
from assay.scanner.model.telemetry import (
    ClientTracing,
    DependencyTelemetry,
    ErrorReporting,
    LatencyMeasurement,
    MessageTracing,
    MetricExport,
    ProcessTrace,
    TracerSetup,
)
from assay.scanner.model.test_gate import CoverageGate, TestSuite
from assay.scanner.model.token import TokenVerification
from assay.scanner.model.traffic import ClientAddress, CorsPolicy, EndpointTraffic, RateLimiter
from assay.scanner.model.transaction import WriteScope
from assay.scanner.model.transport import TlsClient, Transport
from assay.scanner.model.upload import FileUpload
from assay.scanner.model.waiting import AsyncFunction, BackgroundWork, RequestWork
from assay.scanner.model.work import Consumer, Task
from assay.scanner.model.worker import MessageSerializer, TaskRetry, TimeLimit
from assay.scanner.model.worker_app import Queue, WorkerApp
from assay.scanner.model.workload import Probe, StartCommand, Workload
from assay.scanner.model.written_secret import EnvFile, ManifestSecret


@dataclass(frozen=True, slots=True)
class Service:
    """A service and its parts. Each tuple field is a denominator: the engine hands a rule the parts of its subject's
    type, found by the field's annotation.

    `root` is relative to the scanned root (`.` for the root itself).
    """

    name: str
    root: str
    location: Location
    role: Role
    frameworks: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    page_sizes: tuple[PageSize, ...] = ()
    paged_queries: tuple[PagedQuery, ...] = ()
    query_calls: tuple[QueryCall, ...] = ()
    database_connections: tuple[DatabaseConnection, ...] = ()
    read_replicas: tuple[ReadReplica, ...] = ()
    replica_routing: tuple[ReplicaRouting, ...] = ()
    replica_uses: tuple[ReplicaUse, ...] = ()
    relation_reads: tuple[RelationRead, ...] = ()
    row_reads: tuple[RowRead, ...] = ()
    row_changes: tuple[RowChange, ...] = ()
    side_effects: tuple[SideEffect, ...] = ()
    handovers: tuple[Handover, ...] = ()
    dual_writes: tuple[DualWrite, ...] = ()
    remote_steps: tuple[RemoteSteps, ...] = ()
    write_scopes: tuple[WriteScope, ...] = ()
    failure_paths: tuple[FailurePath, ...] = ()
    offset_pagings: tuple[OffsetPaging, ...] = ()
    tables: tuple[Table, ...] = ()
    migrations: tuple[Migration, ...] = ()
    migration_trees: tuple[MigrationTree, ...] = ()
    data_stores: tuple[DataStore, ...] = ()
    finds_or_creates: tuple[FindOrCreateCall, ...] = ()
    access_paths: tuple[AccessPath, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    associations: tuple[Association, ...] = ()
    schema_origins: tuple[SchemaOrigin, ...] = ()
    migrated_tables: tuple[MigratedTable, ...] = ()
    history_parts: tuple[MigrationStep, ...] = ()
    settings: tuple[Setting, ...] = ()
    outbound_calls: tuple[OutboundCall, ...] = ()
    dependency_clients: tuple[DependencyClient, ...] = ()
    retry_policies: tuple[RetryPolicy, ...] = ()
    circuit_breakers: tuple[CircuitBreaker, ...] = ()
    synchronous_dependencies: tuple[SynchronousDependency, ...] = ()
    tasks: tuple[Task, ...] = ()
    time_limits: tuple[TimeLimit, ...] = ()
    message_serializers: tuple[MessageSerializer, ...] = ()
    task_retries: tuple[TaskRetry, ...] = ()
    worker_apps: tuple[WorkerApp, ...] = ()
    queues: tuple[Queue, ...] = ()
    priority_uses: tuple[PriorityUse, ...] = ()
    consumers: tuple[Consumer, ...] = ()
    consumer_failures: tuple[ConsumerFailure, ...] = ()
    acknowledgements: tuple[Acknowledgement, ...] = ()
    repeated_runs: tuple[RepeatedRun, ...] = ()
    messages: tuple[Message, ...] = ()
    redeliveries: tuple[Redelivery, ...] = ()
    dead_letter_paths: tuple[DeadLetterPath, ...] = ()
    publishing_guarantees: tuple[PublishingGuarantee, ...] = ()
    health_checks: tuple[HealthCheck, ...] = ()
    other_probes: tuple[Evidence, ...] = ()
    """What answers probes outside the route table: wrappers, middleware, libraries' health views, gRPC's service."""
    hard_dependencies: tuple[Evidence, ...] = ()
    """The datastores without which most requests fail."""
    workloads: tuple[Workload, ...] = ()
    probes: tuple[Probe, ...] = ()
    start_commands: tuple[StartCommand, ...] = ()
    images: tuple[ContainerImage, ...] = ()
    image_references: tuple[ImageReference, ...] = ()
    published_ports: tuple[PublishedPort, ...] = ()
    service_addresses: tuple[ServiceAddress, ...] = ()
    given_databases: tuple[GivenDatabase, ...] = ()
    neighbours: tuple[Neighbour, ...] = ()
    code_addresses: tuple[CodeAddress, ...] = ()
    documentation: tuple[Documentation, ...] = ()
    manifest_secrets: tuple[ManifestSecret, ...] = ()
    secret_settings: tuple[SecretSetting, ...] = ()
    env_files: tuple[EnvFile, ...] = ()
    environment_variables: tuple[EnvironmentVariable, ...] = ()
    route_gaps: tuple[Evidence, ...] = ()
    """What answers paths that the route table can't list: ASGI wrappers, mounted third-party applications."""
    sql_sites: tuple[SqlSite, ...] = ()
    process_starts: tuple[ProcessStart, ...] = ()
    code_evaluations: tuple[CodeEvaluation, ...] = ()
    file_accesses: tuple[FileAccess, ...] = ()
    url_requests: tuple[UrlRequest, ...] = ()
    template_sources: tuple[TemplateSource, ...] = ()
    html_outputs: tuple[HtmlOutput, ...] = ()
    deserializations: tuple[Deserialization, ...] = ()
    xml_parses: tuple[XmlParse, ...] = ()
    ldap_queries: tuple[LdapQuery, ...] = ()
    xpath_queries: tuple[XpathQuery, ...] = ()
    document_queries: tuple[DocumentQuery, ...] = ()
    redirects: tuple[Redirect, ...] = ()
    header_writes: tuple[HeaderWrite, ...] = ()
    logged_texts: tuple[LoggedText, ...] = ()
    session_writes: tuple[SessionWrite, ...] = ()
    cookies: tuple[Cookie, ...] = ()
    tls_clients: tuple[TlsClient, ...] = ()
    token_verifications: tuple[TokenVerification, ...] = ()
    hash_uses: tuple[HashUse, ...] = ()
    random_uses: tuple[RandomUse, ...] = ()
    password_uses: tuple[PasswordUse, ...] = ()
    credentials: tuple[Credential, ...] = ()
    log_calls: tuple[LogCall, ...] = ()
    print_calls: tuple[PrintCall, ...] = ()
    except_handlers: tuple[ExceptHandler, ...] = ()
    logged_data: tuple[LoggedData, ...] = ()
    logged_errors: tuple[LoggedError, ...] = ()
    logging_setups: tuple[LoggingSetup, ...] = ()
    error_answers: tuple[ErrorAnswer, ...] = ()
    caller_refusals: tuple[CallerRefusal, ...] = ()
    exception_answers: tuple[ExceptionAnswer, ...] = ()
    caught_failures: tuple[CaughtFailure, ...] = ()
    object_lookups: tuple[ObjectLookup, ...] = ()
    request_bodies: tuple[RequestBody, ...] = ()
    bulk_assignments: tuple[BulkAssignment, ...] = ()
    response_shapes: tuple[ResponseShape, ...] = ()
    path_templates: tuple[PathTemplate, ...] = ()
    path_names: tuple[PathName, ...] = ()
    api_versions: tuple[ApiVersion, ...] = ()
    route_overlaps: tuple[RouteOverlap, ...] = ()
    api_descriptions: tuple[ApiDescription, ...] = ()
    described_operations: tuple[DescribedOperation, ...] = ()
    documented_operations: tuple[DocumentedOperation, ...] = ()
    access_defaults: tuple[AccessDefault, ...] = ()
    guard_uses: tuple[GuardUse, ...] = ()
    socket_entrances: tuple[SocketEntrance, ...] = ()
    inbound_webhooks: tuple[InboundWebhook, ...] = ()
    cors_policies: tuple[CorsPolicy, ...] = ()
    rate_limiters: tuple[RateLimiter, ...] = ()
    endpoint_traffic: tuple[EndpointTraffic, ...] = ()
    client_addresses: tuple[ClientAddress, ...] = ()
    token_issues: tuple[TokenIssue, ...] = ()
    signing_keys: tuple[SigningKey, ...] = ()
    secret_comparisons: tuple[SecretComparison, ...] = ()
    stored_keys: tuple[StoredKey, ...] = ()
    url_credentials: tuple[UrlCredential, ...] = ()
    sensitive_columns: tuple[SensitiveColumn, ...] = ()
    security_headers: tuple[SecurityHeader, ...] = ()
    debug_switches: tuple[DebugSwitch, ...] = ()
    run_modes: tuple[RunMode, ...] = ()
    host_policies: tuple[HostPolicy, ...] = ()
    forgery_protections: tuple[ForgeryProtection, ...] = ()
    transports: tuple[Transport, ...] = ()
    dependency_sets: tuple[DependencySet, ...] = ()
    dependency_audits: tuple[DependencyAudit, ...] = ()
    archive_extractions: tuple[ArchiveExtraction, ...] = ()
    file_uploads: tuple[FileUpload, ...] = ()
    async_functions: tuple[AsyncFunction, ...] = ()
    user_files: tuple[UserFiles, ...] = ()
    process_states: tuple[ProcessState, ...] = ()
    cached_results: tuple[CachedResult, ...] = ()
    cached_data: tuple[CachedData, ...] = ()
    coordination_stores: tuple[CoordinationStore, ...] = ()
    declared_caches: tuple[DeclaredCache, ...] = ()
    cache_entries: tuple[CacheEntry, ...] = ()
    request_works: tuple[RequestWork, ...] = ()
    concurrency: tuple[WorkloadConcurrency, ...] = ()
    held_resources: tuple[HeldResource, ...] = ()
    background_works: tuple[BackgroundWork, ...] = ()
    absolute_links: tuple[AbsoluteLink, ...] = ()
    pipelines: tuple[Pipeline, ...] = ()
    test_suites: tuple[TestSuite, ...] = ()
    coverage_gates: tuple[CoverageGate, ...] = ()
    security_scans: tuple[SecurityScan, ...] = ()
    image_publications: tuple[ImagePublication, ...] = ()
    scan_coverage: tuple[ScanCoverage, ...] = ()
    load_testing: tuple[LoadTesting, ...] = ()
    benchmarking: tuple[Benchmarking, ...] = ()
    coverage_figures: tuple[CoverageFigure, ...] = ()
    measured_timings: tuple[MeasuredTiming, ...] = ()
    latency_measurements: tuple[LatencyMeasurement, ...] = ()
    dependency_telemetry: tuple[DependencyTelemetry, ...] = ()
    metric_exports: tuple[MetricExport, ...] = ()
    process_traces: tuple[ProcessTrace, ...] = ()
    tracer_setups: tuple[TracerSetup, ...] = ()
    alerts: tuple[Alert, ...] = ()
    metric_labels: tuple[MetricLabel, ...] = ()
    outcome_metrics: tuple[OutcomeMetrics, ...] = ()
    queried_metrics: tuple[QueriedMetric, ...] = ()
    alert_coverage: tuple[AlertCoverage, ...] = ()
    alert_destinations: tuple[AlertDestination, ...] = ()
    error_reporting: tuple[ErrorReporting, ...] = ()
    message_tracing: tuple[MessageTracing, ...] = ()
    client_tracing: tuple[ClientTracing, ...] = ()
    request_ids: tuple[RequestId, ...] = ()
    endpoint_tests: tuple[TestedEndpoint, ...] = ()
    collected_tests: tuple[CollectedTest, ...] = ()
    assertions: tuple[AssertingFunction, ...] = ()
    authentication_tests: tuple[AuthenticationTesting, ...] = ()
    rollback_tests: tuple[RollbackTesting, ...] = ()
    functions: tuple[Function, ...] = ()
    function_calls: tuple[FunctionCall, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.root

    @property
    def label(self) -> str:
        return f"service {self.name}"


@cache
def parts_by_type() -> Mapping[type, str]:
    """The tuple field of Service that holds the subjects of each type, by the field's annotation."""
    hints = typing.get_type_hints(Service)
    found: dict[type, str] = {}
    for field in fields(Service):
        arguments = typing.get_args(hints[field.name])
        if typing.get_origin(hints[field.name]) is tuple and hasattr(arguments[0], "subject_id"):
            found[arguments[0]] = field.name
    return types.MappingProxyType(found)


def with_subjects(service: Service, subjects: Iterable[Subject]) -> Service:
    """The service with each subject in the field of its type, in the order given.

    Raises KeyError for a type that no field holds: no rule would ever see it.
    """
    found: dict[str, list[Subject]] = {}
    for subject in subjects:
        found.setdefault(parts_by_type()[type(subject)], []).append(subject)
    # That each list is of its field's type is what `parts_by_type` says, and no type checker can know.
    filled: Callable[..., Service] = partial(replace, service)
    return filled(**{name: tuple(each) for name, each in found.items()})
