"""Ports that reach beyond the platform: of compose services, and of Services of Kubernetes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from ipaddress import ip_address

from assay.scanner.deployment.images import base_name
from assay.scanner.deployment.presented import unclear
from assay.scanner.model.place import Evidence
from assay.scanner.model.published_port import PublishedPort
from assay.scanner.model.workload import Platform, Workload
from assay.scanner.readers.compose import ComposeService
from assay.scanner.readers.kubernetes.facts import ServiceFacts

_INTERNAL: Mapping[str, str] = {
    "a database": r"postgres(ql)?|postgis|timescaledb.*|pgvector|mysql(-server)?|mariadb|percona.*|mongo(db)?"
    r"|cassandra|scylla|cockroach|couchdb|clickhouse.*|neo4j|influxdb",
    "a cache": r"redis(-stack.*|-cluster)?|valkey|keydb|dragonfly|memcached",
    "a message broker": r"rabbitmq|kafka|cp-kafka|redpanda|nats|pulsar|activemq.*|zookeeper",
    "a search engine": r"elasticsearch|opensearch|solr|meilisearch|typesense|qdrant|weaviate|milvus",
    "an administration page": r"pgadmin4?|adminer|phpmyadmin|redis-commander|redisinsight|flower|mongo-express|kafka-ui"
    r"|portainer|kibana|opensearch-dashboards",
    "a store of secrets": r"vault|consul|etcd",
    "a page of measurements": r"prometheus|alertmanager|pushgateway|cadvisor|([a-z-]+[-_])?exporter",
}
"""What no stranger should reach, by the names of images."""


def internal_use(image: str) -> str:
    """In words, what only other services and administrators should reach; empty for anything else."""
    name = base_name(image).lower()
    return next((use for use, pattern in _INTERNAL.items() if re.fullmatch(pattern, name)), "")


def _use(workload: Workload) -> str:
    """By its image, or by what it starts."""
    is_flower = workload.process.server == "flower"
    return "an administration page" if is_flower else internal_use(workload.image or "")


def _is_inside(address: str | None) -> bool | None:
    """Whether only the machine or its private network reaches the address; None for a variable."""
    if address is None or address == "localhost":
        return address is not None
    if "$" in address:
        return None
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return found.is_private and not found.is_unspecified


def compose_ports(
    path: str, service: ComposeService, workload: Workload, changed: Evidence | None
) -> Iterator[PublishedPort]:
    """Docker binds published ports to all addresses of the machine, past its firewall. `changed` is what may say
    otherwise in production.
    """
    for port in service.ports:
        number = str(port.target or port.published or "")
        is_inside = _is_inside(port.address)
        yield PublishedPort(
            subject_id=f"{workload.subject_id}:{number}",
            workload=workload.name,
            port=number,
            platform=Platform.COMPOSE,
            location=port.span.at(path),
            role=workload.role,
            internal=_use(workload),
            kept_inside=port.span.evidence(path, f"only {port.address} is open") if is_inside else None,
            perhaps_inside=port.span.evidence(path, "a variable says where it is open") if is_inside is None else None,
            doubt=workload.doubt or unclear(workload) or changed,
        )


def service_ports(path: str, service: ServiceFacts, workload: Workload) -> Iterator[PublishedPort]:
    """A Service that a node port or a load balancer puts before the cluster."""
    if service.type not in ("NodePort", "LoadBalancer"):
        return
    span = service.type_span or service.span
    for port in service.ports:
        yield PublishedPort(
            subject_id=f"{path}:{service.name}:{port.port}",
            workload=service.name,
            port=str(port.port),
            platform=Platform.KUBERNETES,
            location=span.at(path),
            role=workload.role,
            internal=internal_use(workload.image or ""),
            kept_inside=span.evidence(path, "its load balancer is the private network's")
            if service.is_inside
            else None,
            doubt=workload.doubt,
        )
