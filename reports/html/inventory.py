"""Which part of a backend a subject belongs to, so that an inventory of thousands can be read."""

from __future__ import annotations

from enum import Enum

__all__ = ["Family", "family_of"]


class Family(Enum):
    """A part of a backend; the value is its heading. In the order in which they are shown."""

    SERVICE = "The service as a whole"
    ENDPOINTS = "Endpoints"
    DATA = "Queries and stored data"
    CALLS = "Outbound calls"
    QUEUES = "Queues, tasks and files"
    INPUT = "Where input goes"
    IDENTITY = "Identity and secrets"
    CONTAINERS = "Containers and probes"
    TESTS = "Tests and CI"
    LOGS = "Logging"
    ERRORS = "Errors"
    ADVICE = "Advice of analyzers"
    OTHER = "Others"


_KINDS = {
    Family.SERVICE: """Service LoggingSetup DependencySet DependencyAudit ApiDescription AccessDefault
        HostPolicy ForgeryProtection CorsPolicy SecurityHeader RateLimiter DebugSwitch RunMode
        ClientAddress LatencyMeasurement
        DependencyTelemetry MetricExport ProcessTrace TracerSetup ErrorReporting CoordinationStore ProcessState
        UserFiles RequestId MessageTracing DeclaredCache Documentation EnvironmentVariable
        Alert AlertDestination AlertCoverage MetricLabel QueriedMetric OutcomeMetrics""",
    Family.ENDPOINTS: """Endpoint EndpointTraffic RequestBody DocumentedOperation DescribedOperation RouteOverlap
        PathTemplate PathName ObjectLookup GuardUse ResponseShape CallerRefusal InboundWebhook SocketEntrance
        ApiVersion PageSize RequestWork""",
    Family.DATA: """SqlSite DataSite PagedQuery DocumentQuery BulkAssignment StoredKey SensitiveColumn Table Column
        Migration LdapQuery XpathQuery ForeignKey Association FindOrCreateCall MigratedTable MigrationTree MigrationStep
        AccessPath ReadReplica ReplicaRouting ReplicaUse
        WriteScope RowChange SideEffect FailurePath CachedData CachedResult CacheEntry SchemaOrigin
        DataStore DatabaseConnection QueryCall RelationRead RowRead OffsetPaging""",
    Family.CALLS: """UrlRequest TlsClient Transport OutboundCall DualWrite RemoteSteps DependencyClient CodeAddress
        ServiceAddress GivenDatabase RetryPolicy CircuitBreaker SynchronousDependency ClientTracing""",
    Family.QUEUES: """Task Consumer Acknowledgement ConsumerFailure Redelivery PublishingGuarantee DeadLetterPath
        Queue WorkerApp PriorityUse TimeLimit TaskRetry RepeatedRun Message MessageSerializer Handover FileUpload
        ArchiveExtraction AsyncFunction BackgroundWork HeldResource""",
    Family.INPUT: """CodeEvaluation ProcessStart TemplateSource Deserialization XmlParse FileAccess HtmlOutput
        HeaderWrite Redirect AbsoluteLink SessionWrite""",
    Family.IDENTITY: """PasswordUse TokenIssue TokenVerification SigningKey SecretComparison RandomUse HashUse
        Credential UrlCredential Cookie ManifestSecret EnvFile SecretSetting""",
    Family.CONTAINERS: """Workload Probe StartCommand HealthCheck Container ContainerImage ImageReference
        PublishedPort WorkloadConcurrency""",
    Family.TESTS: """TestedEndpoint CollectedTest AssertingFunction AuthenticationTesting RollbackTesting TestSuite
        CoverageGate CoverageFigure LoadTesting SecurityScan ScanCoverage ImagePublication
        Benchmarking MeasuredTiming""",
    Family.LOGS: "LogCall LoggedText LoggedData LoggedError PrintCall",
    Family.ERRORS: "ExceptHandler ExceptionAnswer ErrorAnswer CaughtFailure",
    Family.ADVICE: "code",
}
_FAMILIES = {kind: family for family, kinds in _KINDS.items() for kind in kinds.split()}


def family_of(kind: str) -> Family:
    """The part that subjects of that kind belong to; a rule of one's own may judge any other."""
    return _FAMILIES.get(kind, Family.OTHER)
