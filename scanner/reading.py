"""One file from bytes to what the later stages need of it, encoded: the work of one worker on one file."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import msgspec

from assay.scanner.analyzers.facts import AnalyzerFacts
from assay.scanner.diagnostics import Reason
from assay.scanner.evidence import reading as evidence
from assay.scanner.evidence.figures import EvidenceFacts
from assay.scanner.filekinds import FileKind
from assay.scanner.outcomes import FileOutcome, content_digest
from assay.scanner.readers import (
    audits,
    checks,
    codeowners,
    compose,
    dependencies,
    dockerfile,
    dockerignore,
    documents,
    env_files,
    graphql,
    hosted,
    openapi,
    platforms,
    procfile,
    protobuf,
    proxies,
    scenarios,
    shell,
    tasks,
)
from assay.scanner.readers.kubernetes import reader as kubernetes
from assay.scanner.readers.kubernetes.facts import KubernetesFacts
from assay.scanner.readers.monitoring import reader as monitoring
from assay.scanner.readers.monitoring.facts import MonitoringFacts
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.python import depth, quick
from assay.scanner.readers.python.form import Mentions, ModuleFacts

Facts: TypeAlias = (
    ModuleFacts
    | quick.TestFacts
    | dockerfile.DockerfileFacts
    | dockerignore.DockerignoreFacts
    | compose.ComposeFacts
    | KubernetesFacts
    | openapi.OpenApiFacts
    | procfile.ProcfileFacts
    | shell.ShellFacts
    | protobuf.ProtobufFacts
    | graphql.GraphqlFacts
    | dependencies.DependencyFacts
    | audits.AuditFacts
    | proxies.ProxyFacts
    | tasks.TaskFacts
    | scenarios.ScenarioFacts
    | checks.CheckFacts
    | hosted.HostedFacts
    | codeowners.CodeownersFacts
    | documents.DocumentFacts
    | platforms.PlatformFacts
    | MonitoringFacts
    | env_files.EnvFileFacts
    | EvidenceFacts
    | bytes
)

_READERS: dict[FileKind, tuple[Callable[[str, bytes], Facts], type[Facts]]] = {
    FileKind.TEST_CODE: (quick.read, quick.TestFacts),
    FileKind.DOCKERFILE: (dockerfile.read, dockerfile.DockerfileFacts),
    FileKind.DOCKERIGNORE: (dockerignore.read, dockerignore.DockerignoreFacts),
    FileKind.COMPOSE: (compose.read, compose.ComposeFacts),
    FileKind.KUBERNETES: (kubernetes.read, KubernetesFacts),
    FileKind.OPENAPI: (openapi.read, openapi.OpenApiFacts),
    FileKind.PROCFILE: (procfile.read, procfile.ProcfileFacts),
    FileKind.SHELL: (shell.read, shell.ShellFacts),
    FileKind.PROTOBUF: (protobuf.read, protobuf.ProtobufFacts),
    FileKind.GRAPHQL: (graphql.read, graphql.GraphqlFacts),
    FileKind.PACKAGE_METADATA: (dependencies.read, dependencies.DependencyFacts),
    FileKind.CI_WORKFLOW: (audits.read, audits.AuditFacts),
    FileKind.DEPENDENCY_BOT: (audits.read, audits.AuditFacts),
    FileKind.PROXY: (proxies.read, proxies.ProxyFacts),
    FileKind.TASKS: (tasks.read, tasks.TaskFacts),
    FileKind.LOAD_SCENARIO: (scenarios.read, scenarios.ScenarioFacts),
    FileKind.CHECKS: (checks.read, checks.CheckFacts),
    FileKind.HOSTED: (hosted.read, hosted.HostedFacts),
    FileKind.CODEOWNERS: (codeowners.read, codeowners.CodeownersFacts),
    FileKind.DOCUMENT: (documents.read, documents.DocumentFacts),
    FileKind.PROMETHEUS_RULES: (monitoring.read, MonitoringFacts),
    FileKind.MONITORING: (monitoring.read, MonitoringFacts),
    FileKind.PLATFORM: (platforms.read, platforms.PlatformFacts),
    FileKind.ENV_FILE: (env_files.read, env_files.EnvFileFacts),
    FileKind.EVIDENCE: (evidence.read, EvidenceFacts),
    FileKind.LOGGING_CONFIG: (lambda _, data: data, bytes),
}


class _Head(msgspec.Struct, array_like=True):
    """`ModuleFacts` but for what is costly to decode."""

    mentions: Mentions
    body: msgspec.Raw
    line_starts: msgspec.Raw
    comments: msgspec.Raw


def decode_facts(kind: FileKind, facts: bytes) -> Facts:
    """The facts of a file of the kind. Raises msgspec.DecodeError."""
    depth.allow()
    expected: type[Facts] = ModuleFacts if kind is FileKind.PYTHON else _READERS[kind][1]
    decoded: Facts = msgspec.msgpack.decode(facts, type=expected)
    return decoded


def decode_mentions(facts: bytes) -> Mentions:
    """What a Python file mentions, of its facts. Raises msgspec.DecodeError."""
    depth.allow()
    return msgspec.msgpack.decode(facts, type=_Head).mentions


def load_readers(analyze: bool) -> None:
    """Import what `read_file` imports where it is first needed: a parser, and the analyzers with all their checks."""
    from assay.scanner.readers.python import reader

    assert reader
    if analyze:
        from assay.scanner.analyzers import bandit_analyzer, radon_analyzer

        assert bandit_analyzer
        assert radon_analyzer


def read_file(root: Path, path: str, kind: FileKind, analyze: bool) -> FileOutcome:
    """Never raises for what is in the file; `analyze` runs bandit and radon on Python too."""
    started = time.process_time()
    try:
        data = (root / path).read_bytes()
    except OSError as error:
        return FileOutcome(path, kind, problem=(Reason.UNREADABLE, error.strerror or str(error), None))
    outcome = _outcome(path, kind, data, analyze)
    outcome.lines = data.count(b"\n") + (not data.endswith(b"\n") and bool(data))
    outcome.digest = content_digest(data)
    outcome.seconds = time.process_time() - started
    return outcome


def _outcome(path: str, kind: FileKind, data: bytes, analyze: bool) -> FileOutcome:
    try:
        read = _read(path, kind, data)
        with depth.while_encoding():
            facts = msgspec.msgpack.encode(read)
    except ReadProblem as problem:
        return FileOutcome(path, kind, problem=(problem.reason, problem.message, problem.line))
    except RecursionError:
        message = "its code is nested too deeply to be followed"
        return FileOutcome(path, kind, problem=(Reason.READER_CRASHED, message, None))
    analysis = _analysis(data) if analyze and kind is FileKind.PYTHON else None
    return FileOutcome(path, kind, facts=facts, analysis=analysis)


def _read(path: str, kind: FileKind, data: bytes) -> Facts:
    if kind is FileKind.PYTHON:
        from assay.scanner.readers.python.reader import read

        return read(data)
    return _READERS[kind][0](path, data)


def _analysis(data: bytes) -> AnalyzerFacts:
    from assay.scanner.analyzers import analyze

    return analyze(data)
