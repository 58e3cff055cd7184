"""The names that alerts and dashboards ask for, of metrics that only this code can make."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.gathered import Gathered
from assay.scanner.metrics.registry import Registry
from assay.scanner.model.metric import QueriedMetric
from assay.scanner.monitoring import promql
from assay.scanner.monitoring.found import Monitoring
from assay.scanner.readers.dockerfile import DockerfileFacts
from assay.scanner.readers.monitoring.facts import Recording
from assay.scanner.readers.span import Span

_OTHERS = frozenset(
    """alertmanager alerts api apiserver app application argocd aws azure blackbox cadvisor calico cassandra celery ceph
    certmanager cilium cloudsql cloudwatch cluster clickhouse cnpg consul container coredns cortex cpu cpython
    daphne db django docker dotnet dramatiq elasticsearch envoy etcd falco fastapi fluentbit fluentd flask flower
    flux gcp github gitlab go grafana grpc gunicorn haproxy hikaricp http https instance istio jaeger java jenkins
    job jvm kafka karpenter keda kube kubelet kubernetes linkerd loki machine memcached memory minio mongodb mqtt
    mysql namespace nats net nginx node nodejs opentelemetry otel otelcol pg pgbouncer php pod postgres postgresql
    probe process prometheus promtail puma python quantile rabbitmq rails redis request requests response rq ruby
    scrape server service sidekiq slo snmp spring squid sql ssl starlette statsd tempo temporal thanos tomcat
    traces traefik up uvicorn uwsgi varnish vault vm websocket windows workqueue zookeeper""".split()
)
"""First words of what exporters and libraries make, or that anything might be called by."""
_OTHER_LANGUAGES = re.compile(
    r"golang|openjdk|temurin|corretto|maven|gradle|distroless/(java|static|cc|base)|\brust|\bruby|dotnet|\bphp|elixir|erlang"
)
"""Images that programs are built with, or run in; those of Node make pages as often as services."""
_LEAST = 2
"""Metrics that share a first word before it counts as the code's own."""


@dataclass(frozen=True, slots=True)
class _Asked:
    path: str
    name: str
    span: Span
    is_alert: bool


def queried_metrics(found: Monitoring, gathered: Gathered) -> Iterator[QueriedMetric]:
    """Each name once for each file, where its first word is one of the code's own."""
    if not any(facts.alerts or facts.queries for facts in found.files.values()):
        return
    registry = Registry(gathered.project)
    own = _own_words(registry, gathered)
    recorded = {r.name: r.span.evidence(path, "it is recorded") for path, r in _recordings(found)}
    doubt = _doubt(registry, gathered)
    for asked in _asked(found):
        home = own.get(re.split(r"[_:]", asked.name, maxsplit=1)[0].lower())
        if home is None:
            continue
        defined = registry.defines(asked.name)
        made = recorded.get(asked.name) or (defined.place if defined is not None else registry.mentions(asked.name))
        yield QueriedMetric(
            home,
            asked.path,
            asked.name,
            asked.span.at(asked.path),
            found.role(asked.path),
            asked.is_alert,
            made,
            doubt,
        )


def _own_words(registry: Registry, gathered: Gathered) -> dict[str, str]:
    """First words of the metrics that code defines, each with the service that does."""
    words: Counter[str] = Counter()
    homes: dict[str, str] = {}
    for metric in {m.stem: m for m in registry.metrics}.values():
        word, _, rest = metric.stem.partition("_")
        service = gathered.owners.of(metric.module.path)
        if rest and "*" not in word and word not in _OTHERS and service in gathered.services and service is not None:
            words[word] += 1
            homes.setdefault(word, service.root)
    return {word: homes[word] for word, number in words.items() if number >= _LEAST}


def _recordings(found: Monitoring) -> Iterator[tuple[str, Recording]]:
    for path, facts in found.files.items():
        yield from ((path, recording) for recording in facts.recordings)


def _asked(found: Monitoring) -> Iterator[_Asked]:
    for path, facts in found.files.items():
        seen: set[str] = set()
        queries = [(text, span, True) for alert in facts.alerts for text, span in alert.expressions]
        queries += [(recording.expression, recording.span, True) for recording in facts.recordings]
        queries += [(query.expression, query.span, False) for query in facts.queries]
        for text, span, is_alert in queries:
            for selector in promql.selectors(text):
                if selector.metric is not None and selector.metric not in seen:
                    seen.add(selector.metric)
                    yield _Asked(path, selector.metric, span, is_alert)


def _doubt(registry: Registry, gathered: Gathered) -> str:
    if gathered.neighbours:
        return "other services of the tree may make it"
    if registry.is_open:
        return "the code makes metrics of names that can't be told"
    built = (f for f in gathered.context.files.values() if isinstance(f, DockerfileFacts))
    is_elsewhere = any(_OTHER_LANGUAGES.search(stage.base) for facts in built for stage in facts.stages)
    return "a service in another language may make it" if is_elsewhere else ""
