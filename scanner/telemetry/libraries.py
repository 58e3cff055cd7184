"""Libraries that record durations, by the dotted names that code imports or settings name."""

from __future__ import annotations

import re
from collections.abc import Mapping

from assay.scanner.model.telemetry import DependencyKind

REQUESTS: tuple[str, ...] = (
    "prometheus_fastapi_instrumentator",
    "starlette_exporter",
    "starlette_prometheus",
    "prometheus_flask_exporter",
    "django_prometheus",
    "aioprometheus",
    "aiohttp_prometheus",
    "aiohttp_prometheus_exporter",
    "sanic_prometheus",
    "sanic_ext.extensions.prometheus",
    "falcon_prometheus",
    "litestar.plugins.prometheus",
    "litestar.contrib.prometheus",
    "litestar.plugins.opentelemetry",
    "litestar.contrib.opentelemetry",
    "opentelemetry.instrumentation.fastapi",
    "opentelemetry.instrumentation.flask",
    "opentelemetry.instrumentation.django",
    "opentelemetry.instrumentation.asgi",
    "opentelemetry.instrumentation.wsgi",
    "opentelemetry.instrumentation.starlette",
    "opentelemetry.instrumentation.aiohttp_server",
    "opentelemetry.instrumentation.tornado",
    "opentelemetry.instrumentation.falcon",
    "opentelemetry.instrumentation.pyramid",
    "opentelemetry.instrumentation.grpc",
    "opencensus.ext.flask",
    "opencensus.ext.django",
    "opencensus.ext.fastapi",
    "aws_xray_sdk.ext.flask",
    "aws_xray_sdk.ext.django",
    "aws_xray_sdk.ext.aiohttp",
    "beeline.middleware",
    "flask_monitoringdashboard",
    "flask_statsdclient",
    "django_statsd.middleware",
    "apitally",
    "silk",
    "tracing.middleware",
)
"""What records how long each request takes."""

EVERYTHING: tuple[str, ...] = (
    "ddtrace",
    "newrelic",
    "elasticapm",
    "scout_apm",
    "appsignal",
    "azure.monitor.opentelemetry",
    "instana",
    "skywalking",
    "solarwinds_apm",
    "splunk_otel",
    "splunk_opentelemetry",
    "uptrace",
    "aws_lambda_powertools.Tracer",
    "aws_lambda_powertools.tracing",
    "opentelemetry_instrumentor",
    "opentelemetry.instrumentation.auto_instrumentation",
)
"""Agents that record requests and the libraries that they call, database drivers and HTTP clients among them."""

AGENT_COMMANDS: frozenset[str] = frozenset(
    {"opentelemetry-instrument", "ddtrace-run", "newrelic-admin", "elasticapm-run", "sw-python", "splunk-py-trace"}
    | {"appsignal-wrap", "lumigo-opentelemetry", "signalfx-py-trace", "middleware-run", "dt-run"}
)
"""Programs that start a process with an agent in it, which leaves no import."""

AGENT_PACKAGES = re.compile(
    r"ddtrace|newrelic|elastic-apm|scout-apm|appsignal|opentelemetry-(distro|instrumentation-.+)|splunk-opentelemetry"
    r"|azure-monitor-opentelemetry|instana|apache-skywalking"
)
"""Packages that are there to be loaded by what starts the process."""

INJECTED = re.compile(
    r"instrumentation\.opentelemetry\.io/inject-(python|sdk)|admission\.datadoghq\.com/python-lib\.\S+"
    r"|dynatrace\.com/inject|operator\.newrelic\.com/inject\S*|co\.elastic\.apm/attach"
)
"""Annotations that let an operator put an agent into a pod."""
MESHES = re.compile(
    r"sidecar\.istio\.io/inject|linkerd\.io/inject|consul\.hashicorp\.com/connect-inject|kuma\.io/\S*inject\S*"
)
"""Labels and annotations that put a proxy beside it, which times requests without knowing routes."""
SCRAPED = re.compile(r"prometheus\.io/scrape")

DEPENDENCIES: Mapping[DependencyKind, tuple[str, ...]] = {
    DependencyKind.DATABASE: (
        "opentelemetry.instrumentation.sqlalchemy",
        "opentelemetry.instrumentation.psycopg",
        "opentelemetry.instrumentation.psycopg2",
        "opentelemetry.instrumentation.asyncpg",
        "opentelemetry.instrumentation.aiopg",
        "opentelemetry.instrumentation.dbapi",
        "opentelemetry.instrumentation.mysql",
        "opentelemetry.instrumentation.mysqlclient",
        "opentelemetry.instrumentation.pymysql",
        "opentelemetry.instrumentation.sqlite3",
        "opentelemetry.instrumentation.pymongo",
        "opentelemetry.instrumentation.tortoiseorm",
        "django_prometheus.db",
        "silk",
        "opencensus.ext.sqlalchemy",
        "opencensus.ext.postgresql",
        "opencensus.ext.mysql",
        "aws_xray_sdk.ext.sqlalchemy",
        "aws_xray_sdk.ext.flask_sqlalchemy",
        "aws_xray_sdk.ext.psycopg2",
    ),
    DependencyKind.HTTP: (
        "opentelemetry.instrumentation.requests",
        "opentelemetry.instrumentation.httpx",
        "opentelemetry.instrumentation.aiohttp_client",
        "opentelemetry.instrumentation.urllib3",
        "opentelemetry.instrumentation.urllib",
        "opencensus.ext.requests",
        "opencensus.ext.httplib",
        "aws_xray_sdk.ext.requests",
        "aws_xray_sdk.ext.httpx",
    ),
    DependencyKind.QUEUE: (
        "opentelemetry.instrumentation.celery",
        "opentelemetry.instrumentation.pika",
        "opentelemetry.instrumentation.aio_pika",
        "opentelemetry.instrumentation.kafka",
        "opentelemetry.instrumentation.aiokafka",
        "opentelemetry.instrumentation.confluent_kafka",
        "opentelemetry.instrumentation.boto3sqs",
        "opentelemetry.instrumentation.remoulade",
        "celery_prometheus_exporter",
        "celery_exporter",
        "dramatiq.middleware.prometheus",
        "rq_exporter",
    ),
    DependencyKind.CACHE: (
        "opentelemetry.instrumentation.redis",
        "opentelemetry.instrumentation.pymemcache",
        "django_prometheus.cache",
    ),
}

LOGFIRE: Mapping[str, DependencyKind | None] = {
    "instrument_fastapi": None,
    "instrument_flask": None,
    "instrument_django": None,
    "instrument_starlette": None,
    "instrument_asgi": None,
    "instrument_wsgi": None,
    "instrument_aiohttp_server": None,
    "instrument_sqlalchemy": DependencyKind.DATABASE,
    "instrument_psycopg": DependencyKind.DATABASE,
    "instrument_asyncpg": DependencyKind.DATABASE,
    "instrument_pymongo": DependencyKind.DATABASE,
    "instrument_mysql": DependencyKind.DATABASE,
    "instrument_sqlite3": DependencyKind.DATABASE,
    "instrument_requests": DependencyKind.HTTP,
    "instrument_httpx": DependencyKind.HTTP,
    "instrument_aiohttp_client": DependencyKind.HTTP,
    "instrument_celery": DependencyKind.QUEUE,
    "instrument_redis": DependencyKind.CACHE,
}
"""Logfire's calls, with what they record; None for requests."""

CACHES: frozenset[str] = frozenset({"redis", "aioredis", "pymemcache", "memcache", "pylibmc", "aiomcache", "aiocache"})
QUEUES: frozenset[str] = frozenset(
    {"celery", "dramatiq", "rq", "arq", "huey", "pika", "aio_pika", "aiokafka", "confluent_kafka", "kafka"}
)
QUERY_EVENTS: frozenset[str] = frozenset(
    {"before_cursor_execute", "after_cursor_execute", "before_execute", "after_execute"}
)
"""Events of SQLAlchemy that tell how long a statement takes."""
