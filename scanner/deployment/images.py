"""Images: what a base image's name says about its shell and its tools, and what a stage's chain adds to them.

The table follows the images' documentation; it was not checked against built images.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.readers.dockerfile import Copy, DockerfileFacts, HealthCheck, ImageCommand, Stage

INFRASTRUCTURE_IMAGES = re.compile(
    r"postgres(ql)?|postgis|timescaledb.*|pgvector|mysql(-server)?|mariadb|percona.*|mongo(db)?|redis(-stack.*|-cluster)?|valkey"
    r"|keydb|dragonfly|memcached|rabbitmq|kafka|cp-.*|zookeeper|redpanda|nats|pulsar|activemq.*|elasticsearch|opensearch"
    r"|kibana|solr|minio|mc|localstack|nginx(-.*)?|traefik|haproxy|caddy|envoy|httpd|varnish|pgadmin4?|adminer"
    r"|phpmyadmin|redis-commander|redisinsight|pgbouncer|pgpool.*|mailhog|maildev|mailpit|mailcatcher|smtp4dev"
    r"|prometheus|alertmanager|pushgateway|grafana|loki|tempo|promtail|jaeger|all-in-one|zipkin|.*exporter"
    r"|opentelemetry-collector.*|otel.*|fluentd?|fluent-bit|vector|statsd|keycloak|dex|vault|consul|etcd|clickhouse.*"
    r"|cassandra|scylla|neo4j|influxdb|cockroach|couchdb|qdrant|weaviate|milvus|chroma|ollama|selenium.*|standalone-.*"
    r"|chrome|httpbin|mockserver|wiremock|registry|busybox|cloud-?sql-proxy|gce-proxy|azurite|fake-gcs-server|flower"
    r"|temporal.*|sentry|unleash.*|meilisearch|typesense|imgproxy|binfmt"
)


MAX_STAGE_HOPS = 3
MAX_COPIES = 50
"""How far a file is followed back through `COPY --from`."""


class ShellFamily(StrEnum):
    """What `/bin/sh` is."""

    DASH = "dash"
    ASH = "ash"
    BASH = "bash"
    NONE = "no shell"
    UNKNOWN = "an unknown shell"

    @property
    def stays_in_front(self) -> bool:
        """It keeps itself as the parent of even a single command (dash 0.5.12 does)."""
        return self in (ShellFamily.DASH, ShellFamily.ASH)


@dataclass(frozen=True, slots=True)
class BaseImage:
    """A base image by its reference: `shell` is its /bin/sh, `tools` are there, `lacks` are known not to be."""

    repository: str
    tag: str
    shell: ShellFamily
    tools: frozenset[str] = frozenset()
    lacks: frozenset[str] = frozenset()

    @property
    def is_infrastructure(self) -> bool:
        return is_infrastructure(self.repository)


HTTP_TOOLS = frozenset({"curl", "wget"})
BUILDPACK_DEPS = frozenset({"curl", "wget", "git"})
LANGUAGES = frozenset({"python", "node", "ruby", "golang", "rust", "perl", "buildpack-deps", "openjdk", "php", "pypy"})
FULL = frozenset({"python", "node", "ruby", "golang", "rust", "perl", "buildpack-deps", "pypy"})
"""Official images whose plain tags are built on buildpack-deps."""
DEBIAN = re.compile(r"(^|[-.])(slim|bookworm|bullseye|buster|trixie|stretch|jammy|noble|focal)($|[-.])")


def split_reference(reference: str) -> tuple[str, str]:
    """Repository and tag; the digest is left out, a missing tag is empty."""
    name = reference.partition("@")[0]
    head, slash, last = name.rpartition("/")
    last, _, tag = last.partition(":")
    return f"{head}{slash}{last}", tag


def base_name(reference: str) -> str:
    """The last part of the repository: `ghcr.io/acme/shop-api:1.2` is `shop-api`."""
    return split_reference(reference)[0].rsplit("/", 1)[-1]


def is_infrastructure(reference: str) -> bool:
    """A well-known database, broker, proxy or tool image; the version tag isn't looked at."""
    return INFRASTRUCTURE_IMAGES.fullmatch(base_name(reference).lower()) is not None


def base_image(reference: str) -> BaseImage:
    """What the reference tells; UNKNOWN for images that aren't in the table."""
    repository, tag = split_reference(reference)
    name = repository.removeprefix("docker.io/").removeprefix("library/").removeprefix("public.ecr.aws/docker/library/")
    python = frozenset({"python", "python3"}) if name == "python" else frozenset()
    if "distroless" in repository:
        return BaseImage(repository, tag, ShellFamily.NONE, python, HTTP_TOOLS)
    if name == "alpine" or (name in LANGUAGES | {"nginx", "redis", "postgres"} and "alpine" in tag):
        return BaseImage(repository, tag, ShellFamily.ASH, python | {"wget"}, frozenset({"curl"}))
    if name in LANGUAGES and "slim" in tag:
        return BaseImage(repository, tag, ShellFamily.DASH, python, HTTP_TOOLS if name != "php" else frozenset())
    if name in FULL:
        return BaseImage(repository, tag, ShellFamily.DASH, python | BUILDPACK_DEPS)
    if name in ("debian", "ubuntu"):
        return BaseImage(repository, tag, ShellFamily.DASH, frozenset(), HTTP_TOOLS)
    if "alpine" in tag:
        return BaseImage(repository, tag, ShellFamily.ASH, frozenset({"wget"}))
    if DEBIAN.search(tag):
        return BaseImage(repository, tag, ShellFamily.DASH)
    if re.search(r"(^|/)(fedora|centos|rockylinux|almalinux|amazonlinux|oraclelinux|ubi\d?)(/|$|-)", repository):
        return BaseImage(repository, tag, ShellFamily.BASH, frozenset({"curl"}))
    return BaseImage(repository, tag, ShellFamily.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Image:
    """One stage of a Dockerfile as it ships: everything it inherits from the stages it builds on.

    `context` is the folder that COPY takes files from, relative to the scanned root.
    """

    path: str
    facts: DockerfileFacts
    stage: Stage
    context: str

    @property
    def chain(self) -> tuple[Stage, ...]:
        """Nearest first."""
        return self.facts.chain(self.stage)

    @property
    def base(self) -> BaseImage:
        return base_image(self.chain[-1].base)

    @property
    def env(self) -> dict[str, str]:
        return {name: value for stage in reversed(self.chain) for name, value in stage.env}

    @property
    def workdir(self) -> str:
        return next((s.workdir for s in self.chain if s.workdir is not None), "/")

    @property
    def shell(self) -> tuple[str, ...]:
        """The words in front of a shell-form command."""
        return next((s.shell for s in self.chain if s.shell is not None), ("/bin/sh", "-c"))

    @property
    def entrypoint(self) -> ImageCommand | None:
        return next((s.entrypoint for s in self.chain if s.entrypoint is not None), None)

    @property
    def cmd(self) -> ImageCommand | None:
        """CMD; an ENTRYPOINT in a nearer stage resets what it inherits."""
        for stage in self.chain:
            if stage.cmd is not None:
                return stage.cmd
            if stage.entrypoint is not None:
                return None
        return None

    @property
    def healthcheck(self) -> HealthCheck | None:
        return next((s.healthcheck for s in self.chain if s.healthcheck is not None), None)

    @property
    def exposes(self) -> bool:
        return any(s.ports for s in self.chain)

    def has_tool(self, tool: str) -> bool | None:
        """Whether a program is in the image; None when base or installations hide it."""
        packages = [p for stage in self.chain for p in stage.packages]
        if any(tool in p.names for p in packages) or self._is_copied(tool) or self._is_used(tool):
            return True
        if any(tool in p.removed for p in packages):
            return False
        base = self.base
        if tool in base.tools:
            return True
        if tool in base.lacks and not any(p.unresolved for p in packages):
            return False
        return None

    def _is_copied(self, tool: str) -> bool:
        return any(
            path.rstrip("/").rsplit("/", 1)[-1] == tool
            for stage in self.chain
            for copy in stage.copies
            for path in (*copy.sources, copy.destination)
        )

    def _is_used(self, tool: str) -> bool:
        """A RUN that calls it shows that it is there, unless the same RUN takes it away again."""
        pattern = re.compile(rf"(^|[\s;&|(]){re.escape(tool)}\s+-{{0,2}}\S")
        installs = re.compile(r"\b(install|add|del|remove|purge)\b")
        for stage in self.chain:
            for run in stage.runs:
                lines = (line for line in re.split(r"\n|&&|;|\|\|?", run.text) if not installs.search(line))
                if any(pattern.search(line) for line in lines) and not self._is_removed(tool):
                    return True
        return False

    def _is_removed(self, tool: str) -> bool:
        return any(tool in p.removed for stage in self.chain for p in stage.packages)

    def source_of(self, path_in_image: str, hops: int = 0) -> Iterator[str]:
        """The files of the tree that COPY may have put at a path, likeliest first, relative to the scanned root."""
        path = path_in_image
        if not path.startswith("/"):
            path = f"{self.workdir.rstrip('/')}/{path.removeprefix('./')}"
        for stage in self.chain:
            for copy in reversed(stage.copies[-MAX_COPIES:]):
                yield from self._copied_from(copy, path, hops)

    def _copied_from(self, copy: Copy, path: str, hops: int) -> Iterator[str]:
        if copy.stage is not None:
            yield from self._from_stage(copy, path, hops + 1)
            return
        for source in copy.sources:
            source = source.removeprefix("./").strip("/")
            name = source.rsplit("/", 1)[-1]
            destination = copy.destination
            target = destination + name if destination.endswith("/") else destination
            if path in (target, f"{destination.rstrip('/')}/{name}"):
                yield _joined(self.context, source)
            inside = destination.rstrip("/") + "/"
            if path.startswith(inside):
                yield _joined(self.context, source if source != "." else "", path[len(inside) :])

    def _from_stage(self, copy: Copy, path: str, hops: int) -> Iterator[str]:
        """A file that another stage of this Dockerfile had first."""
        stage = self.facts.stage(copy.stage) if copy.stage is not None else None
        if stage is None or stage.index >= self.stage.index or hops > MAX_STAGE_HOPS:
            return
        inside = copy.destination.rstrip("/") + "/"
        other = Image(self.path, self.facts, stage, self.context)
        for source in copy.sources:
            if path == copy.destination:
                yield from other.source_of(source, hops)
            elif path.startswith(inside):
                yield from other.source_of(f"{source.rstrip('/')}/{path[len(inside) :]}", hops)


def _joined(*parts: str) -> str:
    return "/".join(p.strip("/") for p in parts if p.strip("/") not in ("", "."))
