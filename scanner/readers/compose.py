"""Compose files: each service's image or build, command, ports, health check, dependencies and stop settings.

Field names: github.com/compose-spec/compose-spec.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from assay.scanner.diagnostics import Reason
from assay.scanner.readers import yaml_documents
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode, leading_comment
from assay.scanner.readers.variables import expand
from assay.scanner.readers.yaml_documents import Entry, Mapping, Node, Scalar, Sequence

DURATION = re.compile(r"(?P<number>\d+(?:\.\d+)?)(?P<unit>us|ms|h|m|s)")
SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


class Build(msgspec.Struct, frozen=True, array_like=True):
    """`context` and `dockerfile` (relative to the context) as written, defaults of variables put in."""

    context: str
    dockerfile: str | None
    target: str | None
    args: tuple[tuple[str, str], ...]
    span: Span
    contexts: tuple[str, ...] = ()
    """Names of further folders or images that its Dockerfile takes files from."""


class ComposeCommand(msgspec.Struct, frozen=True, array_like=True):
    """`command:` or `entrypoint:`. Compose splits a string into words and never adds a shell."""

    words: tuple[str, ...]
    span: Span


class TestForm(StrEnum):
    """How a health check's command runs."""

    __test__ = False  # not a test class, whatever its name

    EXEC = "CMD"
    SHELL = "CMD-SHELL"
    DISABLED = "NONE"


class ComposeHealthCheck(msgspec.Struct, frozen=True, array_like=True):
    """`test` is empty where the service only tunes the image's own check."""

    form: TestForm
    test: tuple[str, ...]
    span: Span
    test_span: Span


class Dependency(msgspec.Struct, frozen=True, array_like=True):
    """An entry of `depends_on`; the short form waits for `service_started`."""

    service: str
    condition: str
    span: Span


class ComposePort(msgspec.Struct, frozen=True, array_like=True):
    """`target` is the port inside the container; None where it isn't a literal. `published` is the host's, and
    `address` the host's address that it is bound to, where that is stated.
    """

    target: int | None
    published: str | None
    span: Span
    address: str | None = None


class ComposeVariable(msgspec.Struct, frozen=True, array_like=True):
    """A variable of a service as it is written, references to the host's variables kept."""

    name: str
    written: str
    span: Span


class ComposeService(msgspec.Struct, frozen=True, array_like=True):
    """One service; `span` is that of its key. None means the file leaves it to the image or the default."""

    name: str
    span: Span
    image: str | None = None
    image_span: Span | None = None
    image_varies: bool = False
    """Variables decide what it is; their defaults are put in."""
    build: Build | None = None
    command: ComposeCommand | None = None
    entrypoint: ComposeCommand | None = None
    ports: tuple[ComposePort, ...] = ()
    expose: tuple[str, ...] = ()
    healthcheck: ComposeHealthCheck | None = None
    depends_on: tuple[Dependency, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    profiles: tuple[str, ...] = ()
    mounted_sources: tuple[str, ...] = ()
    """Folders and files of the host that are mounted into the container, as written."""
    volumes: tuple[str, ...] = ()
    """Folders of the container that outlive it: what is mounted there may be written to."""
    extends: tuple[str | None, str] | None = None
    """File (None for this one) and service that it starts from."""
    stop_grace_seconds: float | None = None
    stop_grace_span: Span | None = None
    stop_signal: str | None = None
    restart: str | None = None
    init: bool = False
    has_deploy: bool = False
    replicas: int | None = None
    env_files: tuple[str, ...] = ()
    variables: tuple[ComposeVariable, ...] = ()
    """`environment`, as it is written."""
    passed_through: tuple[str, ...] = ()
    """Variables of the host that it is given as they are."""
    user: str | None = None
    user_span: Span | None = None
    memory_span: Span | None = None
    """Where its memory is limited."""
    other_names: tuple[str, ...] = ()
    """By which it is reached, besides its own name: of its container, its host, its aliases in networks."""
    known_hosts: tuple[str, ...] = ()
    """Names that it alone is told: links, and hosts with their addresses."""
    networks: tuple[str, ...] = ()
    """Empty for the one that all services share by default."""
    network_mode: str | None = None
    cpu_span: Span | None = None
    """Where its processor time is limited."""


class ComposeFacts(msgspec.Struct, frozen=True, array_like=True, tag="compose"):
    """A compose file; `comment` is what its head says."""

    comment: str
    services: tuple[ComposeService, ...]
    external_networks: tuple[str, ...] = ()
    """Networks that are made elsewhere, by the names that this file has for them."""
    includes: bool = False
    """It takes other files in."""

    def service(self, name: str) -> ComposeService | None:
        return next((s for s in self.services if s.name == name), None)


def read(path: str, data: bytes) -> ComposeFacts:
    """Read a compose file. Raises ReadProblem for broken YAML and for a file without services."""
    documents = yaml_documents.read(path, data)
    root = documents[0] if documents else None
    if not isinstance(root, Mapping):
        raise ReadProblem(Reason.SYNTAX_ERROR, "no compose file: it takes a mapping with `services`", 1)
    services = root.mapping("services")
    found = tuple(_service(e) for e in services.entries) if services is not None else ()
    networks = root.mapping("networks")
    external = (e.key.text for e in networks.entries if _is_external(e.value)) if networks is not None else ()
    return ComposeFacts(leading_comment(decode(data)), found, tuple(external), root.get("include") is not None)


def _is_external(network: Node) -> bool:
    stated = network.get("external") if isinstance(network, Mapping) else None
    return isinstance(stated, Mapping) or (isinstance(stated, Scalar) and stated.boolean is True)


def _service(entry: Entry) -> ComposeService:
    node = entry.value if isinstance(entry.value, Mapping) else Mapping((), entry.key.span)
    image, deploy, grace = node.entry("image"), node.mapping("deploy"), node.entry("stop_grace_period")
    return ComposeService(
        name=entry.key.text,
        span=entry.key.span,
        image=_text(image),
        image_span=image.key.span if image is not None else None,
        image_varies=image is not None and isinstance(image.value, Scalar) and "$" in image.value.text,
        build=_build(node.entry("build")),
        command=_command(node.entry("command")),
        entrypoint=_command(node.entry("entrypoint")),
        ports=tuple(_ports(node)),
        expose=tuple(i.text for i in node.items("expose") if isinstance(i, Scalar)),
        healthcheck=_healthcheck(node.entry("healthcheck")),
        depends_on=tuple(_dependencies(node.get("depends_on"))),
        environment=_pairs(node.get("environment")),
        labels=_pairs(node.get("labels")),
        profiles=tuple(i.text for i in node.items("profiles") if isinstance(i, Scalar)),
        mounted_sources=tuple(_mounts(node)),
        volumes=tuple(_volumes(node)),
        extends=_extends(node.get("extends")),
        stop_grace_seconds=_seconds(_text(grace)),
        stop_grace_span=grace.key.span if grace is not None else None,
        stop_signal=node.text("stop_signal"),
        restart=node.text("restart"),
        init=(node.text("init") or "").lower() == "true",
        has_deploy=deploy is not None,
        replicas=deploy.integer("replicas") if deploy is not None else None,
        variables=tuple(_variables(node.get("environment"))),
        passed_through=tuple(_passed_through(node.get("environment"))),
        env_files=tuple(_env_files(node.get("env_file"))),
        user=_text(node.entry("user")),
        user_span=_key_span(node.entry("user")),
        memory_span=_key_span(_limit(node, deploy, "memory", "mem_limit")),
        other_names=tuple(_other_names(node)),
        known_hosts=tuple(_known_hosts(node)),
        networks=tuple(_networks(node.get("networks"))),
        network_mode=node.text("network_mode"),
        cpu_span=_key_span(_limit(node, deploy, "cpus", "cpus")),
    )


def _other_names(service: Mapping) -> Iterator[str]:
    for key in ("container_name", "hostname"):
        name = service.text(key)
        if name is not None:
            yield _substituted(name)
    networks = service.mapping("networks")
    for entry in networks.entries if networks is not None else ():
        if isinstance(entry.value, Mapping):
            yield from (_substituted(i.text) for i in entry.value.items("aliases") if isinstance(i, Scalar))


def _known_hosts(service: Mapping) -> Iterator[str]:
    for key in ("links", "external_links"):
        yield from (i.text.rpartition(":")[2] for i in service.items(key) if isinstance(i, Scalar))
    hosts = service.get("extra_hosts")
    if isinstance(hosts, Mapping):
        yield from (entry.key.text for entry in hosts.entries)
    for item in service.items("extra_hosts"):
        if isinstance(item, Scalar):
            yield re.split("[:=]", item.text)[0]


def _networks(node: Node | None) -> Iterator[str]:
    if isinstance(node, Mapping):
        yield from (entry.key.text for entry in node.entries)
    elif isinstance(node, Sequence):
        yield from (item.text for item in node.items if isinstance(item, Scalar))


def _variables(node: Node | None) -> Iterator[ComposeVariable]:
    if isinstance(node, Mapping):
        for entry in node.entries:
            if isinstance(entry.value, Scalar) and not entry.value.is_null:
                yield ComposeVariable(entry.key.text, entry.value.text, entry.key.span)
    elif isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, Scalar) and "=" in item.text:
                name, _, value = item.text.partition("=")
                yield ComposeVariable(name, value, item.span)


def _passed_through(node: Node | None) -> Iterator[str]:
    if isinstance(node, Mapping):
        yield from (e.key.text for e in node.entries if isinstance(e.value, Scalar) and e.value.is_null)
    elif isinstance(node, Sequence):
        yield from (item.text for item in node.items if isinstance(item, Scalar) and "=" not in item.text)


def _env_files(node: Node | None) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield _substituted(node.text)
    elif isinstance(node, Mapping) and (path := node.text("path")) is not None:
        yield _substituted(path)
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _env_files(item)


def _key_span(entry: Entry | None) -> Span | None:
    return entry.key.span if entry is not None else None


def _limit(service: Mapping, deploy: Mapping | None, name: str, older: str) -> Entry | None:
    """The limit, in the spelling of either generation of the format."""
    resources = deploy.mapping("resources") if deploy is not None else None
    limits = resources.mapping("limits") if resources is not None else None
    return (limits.entry(name) if limits is not None else None) or service.entry(older)


def _text(entry: Entry | None) -> str | None:
    if entry is None or not isinstance(entry.value, Scalar) or entry.value.is_null:
        return None
    return _substituted(entry.value.text)


def _substituted(text: str) -> str:
    """With the defaults of `${X:-default}`; other references stay as they are, `$$` becomes `$`."""
    return expand(text, {}).replace("$$", "$")


def _build(entry: Entry | None) -> Build | None:
    if entry is None:
        return None
    node = entry.value
    if isinstance(node, Scalar):
        return Build(_substituted(node.text), None, None, (), entry.key.span)
    if not isinstance(node, Mapping):
        return None
    dockerfile = node.text("dockerfile")
    return Build(
        _substituted(node.text("context") or "."),
        _substituted(dockerfile) if dockerfile is not None else None,
        node.text("target"),
        _pairs(node.get("args")),
        entry.key.span,
        tuple(name for name, _ in _pairs(node.get("additional_contexts"))),
    )


def _command(entry: Entry | None) -> ComposeCommand | None:
    if entry is None:
        return None
    node = entry.value
    if isinstance(node, Sequence):
        words = tuple(_substituted(i.text) for i in node.items if isinstance(i, Scalar))
    elif isinstance(node, Scalar) and not node.is_null:
        words = _split(node.text)
    else:
        return None
    return ComposeCommand(words, entry.key.span)


def _split(text: str) -> tuple[str, ...]:
    try:
        return tuple(_substituted(word) for word in shlex.split(text))
    except ValueError:  # an open quote: compose itself refuses the file
        return (_substituted(text),)


def _ports(node: Mapping) -> Iterator[ComposePort]:
    for item in node.items("ports"):
        if isinstance(item, Mapping):
            yield ComposePort(item.integer("target"), item.text("published"), item.span, item.text("host_ip"))
        elif isinstance(item, Scalar):
            text = _substituted(item.text).partition("/")[0]
            host, _, target = text.rpartition(":")
            address, _, published = host.rpartition(":")
            yield ComposePort(
                int(target) if target.isascii() and target.isdigit() else None,
                published or None,
                item.span,
                address.strip("[]") or None,
            )


def _healthcheck(entry: Entry | None) -> ComposeHealthCheck | None:
    if entry is None or not isinstance(entry.value, Mapping):
        return None
    node = entry.value
    test = node.entry("test")
    span = entry.key.span
    if (node.text("disable") or "").lower() == "true":
        return ComposeHealthCheck(TestForm.DISABLED, (), span, span)
    if test is None:
        return ComposeHealthCheck(TestForm.EXEC, (), span, span)
    if isinstance(test.value, Scalar):
        return ComposeHealthCheck(TestForm.SHELL, (_substituted(test.value.text),), span, test.key.span)
    items = test.value.items if isinstance(test.value, Sequence) else ()
    words = [_substituted(i.text) for i in items if isinstance(i, Scalar)]
    form = {"NONE": TestForm.DISABLED, "CMD-SHELL": TestForm.SHELL}.get(words[0] if words else "", TestForm.EXEC)
    return ComposeHealthCheck(form, tuple(words[1:]), span, test.key.span)


def _dependencies(node: Node | None) -> Iterator[Dependency]:
    if isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, Scalar):
                yield Dependency(item.text, "service_started", item.span)
    elif isinstance(node, Mapping):
        for entry in node.entries:
            condition = entry.value.text("condition") if isinstance(entry.value, Mapping) else None
            yield Dependency(entry.key.text, condition or "service_started", entry.key.span)


def _pairs(node: Node | None) -> tuple[tuple[str, str], ...]:
    """Name and value from both spellings, `{A: b}` and `[A=b]`; variables without value are left out."""
    found: dict[str, str] = {}
    if isinstance(node, Mapping):
        for entry in node.entries:
            if isinstance(entry.value, Scalar) and not entry.value.is_null:
                found[entry.key.text] = _substituted(entry.value.text)
    elif isinstance(node, Sequence):
        for item in node.items:
            if isinstance(item, Scalar) and "=" in item.text:
                name, _, value = item.text.partition("=")
                found[name] = _substituted(value)
    return tuple(sorted(found.items()))


def _mounts(node: Mapping) -> Iterator[str]:
    for item in node.items("volumes"):
        if isinstance(item, Scalar):
            source, separator, _ = _substituted(item.text).partition(":")
            if separator and source.startswith((".", "/", "~")):
                yield source
        elif isinstance(item, Mapping) and item.text("type") == "bind":
            yield _substituted(item.text("source") or "")


def _volumes(node: Mapping) -> Iterator[str]:
    for item in node.items("volumes"):
        if isinstance(item, Scalar):
            parts = _substituted(item.text).split(":")
            if len(parts) == 1 or parts[-1] not in ("ro", "readonly"):
                yield parts[0] if len(parts) == 1 else parts[1]
        elif isinstance(item, Mapping) and item.text("type") in ("bind", "volume", None) and not _is_read_only(item):
            yield _substituted(item.text("target") or "")


def _is_read_only(volume: Mapping) -> bool:
    return (volume.text("read_only") or "").lower() == "true"


def _extends(node: Node | None) -> tuple[str | None, str] | None:
    if isinstance(node, Scalar):
        return None, node.text
    if isinstance(node, Mapping) and (service := node.text("service")) is not None:
        return node.text("file"), service
    return None


def _seconds(text: str | None) -> float | None:
    """A compose duration such as `1m30s`, in seconds; None where it isn't one."""
    if text is None or DURATION.sub("", text) != "" or text == "":
        return None
    return sum(float(m["number"]) * SECONDS[m["unit"]] for m in DURATION.finditer(text))
