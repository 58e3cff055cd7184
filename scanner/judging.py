"""From the facts of a tree, or of one unit of it, to verdicts: the work that is done side by side and remembered."""

from __future__ import annotations

import gc
import importlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from assay.scanner.config import Config
from assay.scanner.connections import Reached, address_variables, connections, reached_by
from assay.scanner.dataflow.named_functions import Wanted
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.evidence.figures import NOTHING_MEASURED, Measured
from assay.scanner.filekinds import FileKind
from assay.scanner.judge import judge
from assay.scanner.libraries import Library, packaged_libraries
from assay.scanner.link import Linked, Sources, link
from assay.scanner.linker.project import OutOfSightError
from assay.scanner.model.call import Function, FunctionCall
from assay.scanner.model.cookie import Cookie
from assay.scanner.model.crypto import SecretPlace
from assay.scanner.model.delivery import Redelivery
from assay.scanner.model.message import RepeatedRun
from assay.scanner.model.patterns import Patterns
from assay.scanner.model.retry import RetryPolicy
from assay.scanner.model.role import Role
from assay.scanner.model.site import DataSite
from assay.scanner.model.sql import SqlSite
from assay.scanner.model.token import TokenVerification
from assay.scanner.model.transport import TlsClient
from assay.scanner.model.waiting import Delayed
from assay.scanner.model.worker import TaskRetry
from assay.scanner.own_rules.loading import with_own_rules
from assay.scanner.profiling import Profile
from assay.scanner.reading import decode_facts
from assay.scanner.results import Connection, JudgedVerdict
from assay.scanner.rulebook import Rule, Rulebook, RuleSource, load_rulebook
from assay.scanner.source_lines import SourceLines

__all__ = ["Judged", "JudgedService", "Task", "answer_of", "configured", "judge_sources", "merged", "run_task"]

_TOLD_BY_LIBRARIES = (
    DataSite
    | SqlSite
    | SecretPlace
    | Cookie
    | TlsClient
    | TokenVerification
    | Delayed
    | TaskRetry
    | RetryPolicy
    | Redelivery
    | RepeatedRun
)
"""Subjects that are found by what the library models say."""


class JudgedService(msgspec.Struct, frozen=True, array_like=True):
    """A service of which there are verdicts; see `connections` for its last three."""

    name: str
    root: str
    frameworks: tuple[str, ...]
    connections: tuple[Connection, ...]
    address_variables: tuple[str, ...]
    reached: tuple[Reached, ...] = ()


class Judged(msgspec.Struct, frozen=True, array_like=True):
    """What the rules said. `owners` tells which service each file belongs to; `is_as_read` whether the lines that were
    looked up are those of the files that were read.
    """

    services: tuple[JudgedService, ...]
    owners: dict[str, str]
    verdicts: tuple[JudgedVerdict, ...]
    diagnostics: tuple[Diagnostic, ...]
    is_as_read: bool

    @property
    def is_whole(self) -> bool:
        """Whether it speaks of no services but its own."""
        names = {service.name for service in self.services}
        return names.issuperset(self.owners.values()) and names.issuperset(v.service for v in self.verdicts)


class Task(msgspec.Struct, frozen=True, array_like=True):
    """One unit of a tree for a worker: what `Sources` holds with facts still encoded, and how to judge.

    `digests` are of the files' contents; `rules` the codes of the rules to ask, found in the modules of `packages`
    and in the sources of one's `own`.
    """

    root: str
    facts: dict[str, tuple[FileKind, bytes]]
    digests: dict[str, bytes]
    roles: dict[str, Role]
    paths: list[str]
    tree_name: str
    metadata: dict[str, bytes]
    modules: frozenset[str]
    neighbours: tuple[str, ...]
    config: Config
    packages: tuple[str, ...]
    rules: frozenset[str]
    libraries: tuple[Library, ...] = ()
    own: tuple[RuleSource, ...] = ()
    measured: Measured = NOTHING_MEASURED
    added: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Timed:
    judged: Judged | None
    profile: Profile


def configured(rulebook: Rulebook, config: Config) -> Rulebook:
    """The rules that are on, with the severities that count: for verdicts, scores and reports alike."""
    chosen = (r for r in rulebook.rules if r.code not in config.rules.disable)
    return replace(rulebook, rules=tuple(replace(r, severity=config.rules.severity(r)) for r in chosen))


def judge_sources(sources: Sources, rulebook: Rulebook, config: Config, lines: SourceLines, profile: Profile) -> Judged:
    """Link and judge; `rulebook` has the configured rules."""
    if any(issubclass(rule.subject_type, _TOLD_BY_LIBRARIES) for rule in rulebook.rules):
        packaged = (library for package in rulebook.packages for library in packaged_libraries(package))
        sources = replace(sources, libraries=(*packaged, *sources.libraries))
    else:
        sources = replace(sources, libraries=())
    sources = replace(sources, wanted=_wanted(rulebook.rules), releases=config.migrations)
    with profile.stage("link"):
        linked = link(sources, profile)
    with profile.stage("judge"):
        return _judge_linked(linked, rulebook, config, lines, profile)


def _wanted(rules: Sequence[Rule]) -> Wanted:
    calls = dict.fromkeys(Patterns(rule.calls) for rule in rules if rule.subject_type is FunctionCall)
    return Wanted(tuple(calls), any(rule.subject_type is Function for rule in rules))


def _judge_linked(linked: Linked, rulebook: Rulebook, config: Config, lines: SourceLines, profile: Profile) -> Judged:
    """Ask the rules about every service."""
    verdicts: list[JudgedVerdict] = []
    diagnostics = list(linked.diagnostics)
    for service in linked.services:
        judgement = judge(service, rulebook.rules, config.rules.options, lines.line, profile)
        verdicts += judgement.verdicts
        diagnostics += judgement.diagnostics
    services = tuple(
        JudgedService(s.name, s.root, s.frameworks, connections(s), address_variables(s), reached_by(s))
        for s in linked.services
    )
    return Judged(services, dict(linked.owners), tuple(verdicts), tuple(diagnostics), lines.are_as_read)


def run_task(data: bytes) -> bytes:
    """A worker's work on one encoded `Task`; the answer is what `answer_of` decodes."""
    gc.collect()  # what the task before left: a worker doesn't collect otherwise
    task = msgspec.msgpack.decode(data, type=Task)
    sources = Sources(
        facts={path: decode_facts(kind, facts) for path, (kind, facts) in task.facts.items()},
        roles=task.roles,
        paths=frozenset(task.paths),
        services={},
        tree_name=task.tree_name,
        metadata=task.metadata,
        modules=task.modules,
        neighbours=task.neighbours,
        libraries=task.libraries,
        measured=task.measured,
        added=task.added,
    )
    books = [load_rulebook(importlib.import_module(name)) for name in task.packages]
    book = with_own_rules(replace(books[0], rules=tuple(rule for book in books for rule in book.rules)), task.own)
    rules = tuple(rule for rule in book.rules if rule.code in task.rules)
    rulebook = configured(replace(book, rules=rules), task.config)
    profile = Profile()
    lines = SourceLines(Path(task.root), task.digests)
    try:
        judged = judge_sources(sources, rulebook, task.config, lines, profile)
    except OutOfSightError:
        judged = None
    return msgspec.msgpack.encode(_Timed(judged, profile))


def answer_of(data: bytes, profile: Profile) -> Judged | None:
    """What `run_task` gave: None where the unit speaks of modules outside it. The profile is told of its time."""
    timed = msgspec.msgpack.decode(data, type=_Timed)
    profile.add(timed.profile)
    return timed.judged


def merged(parts: Sequence[Judged]) -> Judged:
    """The verdicts of all units; no two of them have a service or a file in common."""
    return Judged(
        tuple(sorted((s for part in parts for s in part.services), key=lambda s: s.root)),
        {path: name for part in parts for path, name in part.owners.items()},
        tuple(v for part in parts for v in part.verdicts),
        tuple(dict.fromkeys(d for part in parts for d in part.diagnostics)),
        all(part.is_as_read for part in parts),
    )
