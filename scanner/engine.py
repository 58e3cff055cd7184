"""The pipeline: discover, read, link, judge, score. Data flows one way; no stage calls back into an earlier one."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from assay.scanner.analyzers.advisories import Check, advise, judged_places, rule_infos
from assay.scanner.config import Config
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.discovery import Tree, discover
from assay.scanner.executors import MakePool, default_jobs, process_pool, read_all
from assay.scanner.filekinds import FileKind
from assay.scanner.judge import fingerprint, judge
from assay.scanner.link import Linked, Sources, link
from assay.scanner.model.role import Role
from assay.scanner.model.service import Service
from assay.scanner.reading import Facts, FileOutcome, is_readable_kind
from assay.scanner.results import JudgedVerdict, Scanned, ScanResult, ServiceResult
from assay.scanner.rulebook import Rulebook
from assay.scanner.scoring import score_service
from assay.scanner.standard_pages import rule_info

__all__ = ["NothingToScanError", "Options", "Progress", "Understanding", "scan", "understand"]

Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is."""


class NothingToScanError(Exception):
    """The tree holds no Python, or no backend; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to scan. `jobs` is the number of worker processes; `analyzers` turns bandit and radon on; `make_pool` makes
    the executor that reads the files.
    """

    config: Config = field(default_factory=Config)
    jobs: int | None = None
    analyzers: bool = True
    make_pool: MakePool = process_pool


@dataclass(frozen=True, slots=True)
class Understanding:
    """What is known of the tree before anything is judged."""

    tree: Tree
    outcomes: tuple[FileOutcome, ...]
    linked: Linked
    diagnostics: tuple[Diagnostic, ...]

    @property
    def lines(self) -> int:
        return sum(o.lines for o in self.outcomes)


def _silent(stage: str, done: int, total: int) -> None:
    pass


def understand(root: Path, options: Options = Options(), progress: Progress = _silent) -> Understanding:
    """Discover, read and link. Raises BadRootError and NothingToScanError."""
    tree = discover(root, options.config.discovery)
    wanted = [f for f in tree.files if _is_wanted(f.kind, f.role)]
    if not any(f.kind is FileKind.PYTHON for f in tree.files):
        raise NothingToScanError(f"{root}: there is no Python in it; name the folder of a Python backend")
    done = 0

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress("reading", done, len(wanted))

    jobs = options.jobs or default_jobs()
    outcomes = sorted(
        read_all(tree.root, wanted, options.analyzers, jobs, report, options.make_pool), key=lambda o: o.path
    )
    progress("linking", 0, 1)
    facts: dict[str, Facts] = {o.path: f for o in outcomes if (f := o.decoded()) is not None}
    linked = link(_sources(tree, facts, options.config))
    diagnostics = (*tree.diagnostics, *(d for o in outcomes if (d := o.diagnostic)), *linked.diagnostics)
    if not linked.services:
        raise NothingToScanError(f"{root}: {_no_backend(tree, diagnostics)}")
    return Understanding(tree, tuple(outcomes), linked, tuple(sorted(set(diagnostics), key=_place)))


def _no_backend(tree: Tree, diagnostics: Iterable[Diagnostic]) -> str:
    """Why there is nothing to judge, and what to do; a file that could not be read is the likeliest reason."""
    unread = [d for d in diagnostics if d.reason.is_unread_file]
    if unread:
        others = f" (and {len(unread) - 1} more)" if len(unread) > 1 else ""
        return f"no backend found, and {unread[0].path} could not be read: {unread[0].message}{others}"
    count = f"{len(tree.files)} file{'s' if len(tree.files) != 1 else ''}"
    return (
        f"no backend found in {count}: nothing makes a web application, and there is no manage.py; "
        "name the service's folder in assay.toml ([services.NAME] root = ...)"
    )


def _is_wanted(kind: FileKind, role: Role) -> bool:
    """No rule looks into Python tests yet, so they are not parsed."""
    return is_readable_kind(kind) and not (kind is FileKind.PYTHON and role is Role.TEST)


def _place(diagnostic: Diagnostic) -> tuple[str, int, str, str]:
    return diagnostic.path, diagnostic.line or 0, diagnostic.reason, diagnostic.message


def _sources(tree: Tree, facts: Mapping[str, Facts], config: Config) -> Sources:
    return Sources(
        facts=facts,
        roles={f.path: f.role for f in tree.files},
        paths=frozenset(
            (*(f.path for f in tree.files), *(d.path for d in tree.diagnostics if d.reason.is_unread_file))
        ),
        services={name: service.root for name, service in config.services.items()},
        tree_name=tree.root.resolve().name or "root",
        metadata=_metadata(tree.root),
    )


def _metadata(root: Path) -> dict[str, bytes]:
    try:
        return {"pyproject.toml": (root / "pyproject.toml").read_bytes()}
    except OSError:
        # It would only have named the service, which the folder does too.
        return {}


def scan(
    root: Path,
    rulebook: Rulebook,
    checks: Mapping[str, Check],
    options: Options = Options(),
    progress: Progress = _silent,
) -> ScanResult:
    """The whole pipeline. `checks` document the analyzers' findings. Raises BadRootError and NothingToScanError."""
    started = datetime.now(UTC)
    clock = time.perf_counter()
    known = understand(root, options, progress)
    progress("judging", 0, 1)
    lines = SourceLines(known.tree.root)
    rulebook = _configured(rulebook, options.config)
    verdicts: list[JudgedVerdict] = []
    diagnostics = list(known.diagnostics)
    for service in known.linked.services:
        judgement = judge(service, rulebook.rules, options.config.rules.options, lines.line)
        verdicts += judgement.verdicts
        diagnostics += judgement.diagnostics
    advisories = _advisories(known, verdicts, checks, options.config, lines)
    services = tuple(_score(s, known, rulebook, verdicts, diagnostics, options.config) for s in known.linked.services)
    everything = sorted((*verdicts, *advisories), key=lambda v: (v.location, v.rule, v.subject.id, v.service))
    return ScanResult(
        edition=rulebook.standard.edition,
        scanned=Scanned(
            root=known.tree.root.resolve().name,
            commit=_commit(known.tree.root),
            started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
            seconds=round(time.perf_counter() - clock, 3),
            files=len(known.outcomes),
            lines=known.lines,
        ),
        services=services,
        rules=(
            *(rule_info(r) for r in rulebook.rules),
            *rule_infos(checks, {a.rule for a in advisories}),
        ),
        verdicts=tuple(everything),
        diagnostics=tuple(sorted(diagnostics, key=_place)),
        sources=lines.cited(everything),
    )


def _configured(rulebook: Rulebook, config: Config) -> Rulebook:
    """The rules that are on, with the severities that count: for verdicts, scores and reports alike."""
    chosen = (r for r in rulebook.rules if r.code not in config.rules.disable)
    return replace(rulebook, rules=tuple(replace(r, severity=config.rules.severity(r)) for r in chosen))


class SourceLines:
    """The scanned files' text by line, read once when first asked for."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._files: dict[str, tuple[str, ...]] = {}

    def of(self, path: str) -> tuple[str, ...]:
        if path not in self._files:
            try:
                text = (self._root / path).read_text(encoding="utf-8", errors="replace")
            except OSError:
                # A place that is no file (a service's folder), or one that went away: it has no text to show.
                text = ""
            # Lines as Python counts them: `str.splitlines` would also break at form feeds.
            self._files[path] = tuple(re.split(r"\r\n|\r|\n", text))
        return self._files[path]

    def line(self, path: str, number: int) -> str:
        lines = self.of(path)
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def cited(self, verdicts: Iterable[JudgedVerdict]) -> dict[str, tuple[str, ...]]:
        """The files that findings and their evidence point into."""
        paths = {
            location.path
            for v in verdicts
            if v.is_finding
            for location in (v.location, *(e.location for e in v.evidence))
        }
        return {path: lines for path in sorted(paths) if (lines := self.of(path))}


def _advisories(
    known: Understanding,
    verdicts: Iterable[JudgedVerdict],
    checks: Mapping[str, Check],
    config: Config,
    lines: SourceLines,
) -> list[JudgedVerdict]:
    """What bandit and radon found and no rule of ours judges better."""
    judged = judged_places(verdicts)
    roles = {f.path: f.role for f in known.tree.files}
    roots = {s.name: s.root for s in known.linked.services}
    found = []
    for outcome in known.outcomes:
        owner = known.linked.owners.get(outcome.path)
        if outcome.analysis is None or owner is None:
            continue
        for a in advise(outcome.analysis, outcome.path, roles[outcome.path], checks, judged):
            if a.rule in config.rules.disable:
                continue
            text = lines.line(a.location.path, a.location.line)
            mark = fingerprint(a.rule, roots[owner], a.subject, text)
            found.append(
                JudgedVerdict(owner, a.rule, a.kind, a.severity, a.subject, a.location, a.message, a.evidence, mark)
            )
    return found


def _score(
    service: Service,
    known: Understanding,
    rulebook: Rulebook,
    verdicts: Iterable[JudgedVerdict],
    diagnostics: Iterable[Diagnostic],
    config: Config,
) -> ServiceResult:
    """A file that wasn't read and a rule that crashed both count as something that should have been judged."""
    owners = known.linked.owners
    unread = {d.path for d in diagnostics if d.reason.is_unread_file and owners.get(d.path) == service.name}
    crashes = sum(1 for d in diagnostics if d.reason.is_internal_error)
    read = {o.path for o in known.outcomes if owners.get(o.path) == service.name} - unread
    return score_service(
        service.name,
        service.root,
        service.frameworks,
        rulebook,
        [v for v in verdicts if v.service == service.name],
        len(read),
        len(read) + len(unread) + crashes,
        config.coverage.minimum,
    )


def _commit(root: Path) -> str | None:
    """The commit that is checked out, or None outside a repository or without git."""
    command = ["git", "-C", str(root), "rev-parse", "HEAD"]
    try:
        done = subprocess.run(  # noqa: S603 - the arguments are ours, and no shell reads them
            command, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None if done.returncode == 0 else None
