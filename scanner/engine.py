"""The pipeline: discover, read, link, judge, score. Data flows one way; no stage calls back into an earlier one."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from assay.scanner.analyzers.advisories import Check, advise, judged_places, rule_infos
from assay.scanner.config import Config
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.discovery import SourceFile, Tree, discover
from assay.scanner.executors import MakePool, default_jobs, process_pool, read_all, run_all
from assay.scanner.filekinds import FileKind
from assay.scanner.judge import fingerprint
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.profiling import Profile
from assay.scanner.reading import FileOutcome, is_readable_kind
from assay.scanner.recall import Question, Recall, digests_of
from assay.scanner.results import JudgedVerdict, Scanned, ScanResult, ServiceResult
from assay.scanner.rulebook import Rulebook
from assay.scanner.scoring import score_service
from assay.scanner.source_lines import SourceLines
from assay.scanner.standard_pages import rule_info

if TYPE_CHECKING:
    from assay.scanner.judging import Judged, JudgedService, Task
    from assay.scanner.link import Linked, Sources
    from assay.scanner.units import Unit

__all__ = ["NothingToScanError", "Options", "Progress", "Understanding", "is_wanted", "scan", "understand"]

Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is."""


class NothingToScanError(Exception):
    """The tree holds no Python, or no backend; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to scan. `jobs` is the number of worker processes; `analyzers` turns bandit and radon on; `make_pool` makes
    the executor that reads the files; `recall` knows what earlier scans found out; `profile` is told where time goes.
    """

    config: Config = field(default_factory=Config)
    jobs: int | None = None
    analyzers: bool = True
    make_pool: MakePool = process_pool
    recall: Recall | None = None
    profile: Profile = field(default_factory=Profile)


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


def understand(root: Path, options: Options | None = None, progress: Progress = _silent) -> Understanding:
    """Discover, read and link. Raises BadRootError and NothingToScanError."""
    options = options or Options()
    return _understand(_survey(root, options), options, progress)


@dataclass(frozen=True, slots=True)
class _Survey:
    """The tree, which of its files are to be read, the digests of their contents if earlier scans are recalled, and the
    bytes of `pyproject.toml` by path.
    """

    tree: Tree
    wanted: tuple[SourceFile, ...]
    digests: Mapping[str, bytes]
    metadata: Mapping[str, bytes]


def _survey(root: Path, options: Options) -> _Survey:
    with options.profile.stage("discover"):
        tree = discover(root, options.config.discovery)
        wanted = tuple(f for f in tree.files if is_wanted(f))
    with options.profile.stage("compare"):
        digests = digests_of(tree.root, wanted) if options.recall else {}
    return _Survey(tree, wanted, digests, _metadata(tree.root))


def _understand(survey: _Survey, options: Options, progress: Progress) -> Understanding:
    from assay.scanner.link import link

    outcomes = _read(survey, options, progress)
    progress("linking", 0, 1)
    with options.profile.stage("link"):
        linked = link(_sources(survey, outcomes, options.config), options.profile)
    diagnostics = _all_diagnostics(survey, outcomes, linked.diagnostics)
    if not linked.services:
        raise NothingToScanError(f"{survey.tree.root}: {_no_backend(survey.tree, diagnostics)}")
    return Understanding(survey.tree, outcomes, linked, diagnostics)


def _all_diagnostics(
    survey: _Survey, outcomes: Iterable[FileOutcome], further: Iterable[Diagnostic]
) -> tuple[Diagnostic, ...]:
    found = {*survey.tree.diagnostics, *(d for o in outcomes if (d := o.diagnostic)), *further}
    return tuple(sorted(found, key=_place))


def _read(survey: _Survey, options: Options, progress: Progress) -> tuple[FileOutcome, ...]:
    """What is in the files, sorted by path: recalled where it is known, read by workers where it isn't."""
    if not any(f.kind is FileKind.PYTHON for f in survey.tree.files):
        raise NothingToScanError(f"{survey.tree.root}: there is no Python in it; name the folder of a Python backend")
    with options.profile.stage("read"):
        return _outcomes(survey, options, progress)


def _outcomes(survey: _Survey, options: Options, progress: Progress) -> tuple[FileOutcome, ...]:
    done, recall = 0, options.recall

    def report(count: int) -> None:
        nonlocal done
        done += count
        progress("reading", done, len(survey.wanted))

    outcomes = []
    unknown = []
    for file in survey.wanted:
        digest = survey.digests.get(file.path)
        known = recall.file(file, digest, options.analyzers) if recall and digest else None
        if known is None:
            unknown.append(file)
        else:
            outcomes.append(known)
    options.profile.recalled = len(outcomes)
    report(len(outcomes))
    jobs = options.jobs or default_jobs()
    for outcome in read_all(
        survey.tree.root, unknown, options.analyzers, jobs, report, options.make_pool, _load_linker
    ):
        options.profile.files[outcome.path] = outcome.seconds
        if recall:
            recall.keep_file(outcome, options.analyzers)
        outcomes.append(outcome)
    return tuple(sorted(outcomes, key=lambda o: o.path))


def _load_linker() -> None:
    """Import the largest part of the program, which an unchanged tree has no need of."""
    from assay.scanner import judging
    from assay.scanner.framework import frameworks

    assert judging
    frameworks()


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


def is_wanted(file: SourceFile) -> bool:
    """Whether a scan reads the file. No rule looks into Python tests yet, so they are not parsed."""
    return is_readable_kind(file.kind) and not (file.kind is FileKind.PYTHON and file.role is Role.TEST)


def _place(diagnostic: Diagnostic) -> tuple[str, int, str, str]:
    return diagnostic.path, diagnostic.line or 0, diagnostic.reason, diagnostic.message


def _sources(survey: _Survey, outcomes: Iterable[FileOutcome], config: Config) -> Sources:
    from assay.scanner.link import Sources

    tree = survey.tree
    return Sources(
        facts={o.path: f for o in outcomes if (f := o.decoded()) is not None},
        roles={f.path: f.role for f in tree.files},
        paths=_paths(tree),
        services={name: service.root for name, service in config.services.items()},
        tree_name=_name(tree) or "root",
        metadata=survey.metadata,
    )


def _paths(tree: Tree) -> frozenset[str]:
    """Of all files, unread ones too."""
    unread = (d.path for d in tree.diagnostics if d.reason.is_unread_file)
    return frozenset((*(f.path for f in tree.files), *unread))


def _name(tree: Tree) -> str:
    return tree.root.resolve().name


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
    options: Options | None = None,
    progress: Progress = _silent,
) -> ScanResult:
    """The whole pipeline. `checks` document the analyzers' findings. Raises BadRootError and NothingToScanError.

    Where nothing has changed since a scan that is recalled, its result is this one's.
    """
    options = options or Options()
    started = datetime.now(UTC)
    clock = time.perf_counter()
    survey = _survey(root, options)
    result = _recalled(survey, rulebook, options) or _fresh(survey, rulebook, checks, options, progress)
    scanned = replace(
        result.scanned,
        commit=_commit(survey.tree.root),
        started=started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        seconds=round(time.perf_counter() - clock, 3),
    )
    return replace(result, scanned=scanned)


def _fresh(
    survey: _Survey, rulebook: Rulebook, checks: Mapping[str, Check], options: Options, progress: Progress
) -> ScanResult:
    try:
        return _computed(survey, rulebook, checks, options, progress)
    except msgspec.DecodeError:
        if options.recall is None:
            raise
        # Somebody made a cache entry that only looks like one.
        return _computed(survey, rulebook, checks, replace(options, recall=None), progress)


def _recalled(survey: _Survey, rulebook: Rulebook, options: Options) -> ScanResult | None:
    if options.recall is None:
        return None
    with options.profile.stage("recall"):
        result = options.recall.result(_question(survey, rulebook, options))
    options.profile.result_recalled = result is not None
    return result


def _question(survey: _Survey, rulebook: Rulebook, options: Options) -> Question:
    rules = tuple((rule.code, rule.severity) for rule in rulebook.rules)
    return Question(
        survey.tree,
        survey.digests,
        options.config,
        options.analyzers,
        rulebook.packages,
        rules,
        survey.metadata,
    )


def _computed(
    survey: _Survey, rulebook: Rulebook, checks: Mapping[str, Check], options: Options, progress: Progress
) -> ScanResult:
    from assay.scanner.judging import configured

    outcomes = _read(survey, options, progress)
    chosen = configured(rulebook, options.config)
    lines = SourceLines(survey.tree.root, {o.path: o.digest for o in outcomes})
    judged = _judged(survey, outcomes, chosen, lines, options, progress)
    diagnostics = _all_diagnostics(survey, outcomes, judged.diagnostics)
    if not judged.services:
        raise NothingToScanError(f"{survey.tree.root}: {_no_backend(survey.tree, diagnostics)}")
    with options.profile.stage("score"):
        advisories = _advisories(survey.tree, outcomes, judged, checks, options.config, lines)
        everything = sorted(
            (*judged.verdicts, *advisories), key=lambda v: (v.location, v.rule, v.subject.id, v.service)
        )
        result = ScanResult(
            edition=chosen.standard.edition,
            scanned=Scanned(_name(survey.tree), None, "", 0, len(outcomes), sum(o.lines for o in outcomes)),
            services=tuple(_score(s, outcomes, chosen, judged, diagnostics, options.config) for s in judged.services),
            rules=(*(rule_info(r) for r in chosen.rules), *rule_infos(checks, {a.rule for a in advisories})),
            verdicts=tuple(everything),
            diagnostics=diagnostics,
            sources=lines.cited(everything),
        )
    if options.recall:
        with options.profile.stage("keep"):
            are_as_read = lines.are_as_read and judged.is_as_read
            if are_as_read and all(survey.digests.get(o.path) == o.digest for o in outcomes):
                options.recall.keep_result(_question(survey, rulebook, options), result)
            options.recall.make_room()
    return result


def _order(verdict: JudgedVerdict) -> tuple[Location, str, str, str]:
    return verdict.location, verdict.rule, verdict.subject.id, verdict.service


def _judged(
    survey: _Survey,
    outcomes: tuple[FileOutcome, ...],
    rulebook: Rulebook,
    lines: SourceLines,
    options: Options,
    progress: Progress,
) -> Judged:
    """The verdicts on all services: unit by unit where the tree has several that can be told apart."""
    from assay.scanner.judging import judge_sources, merged

    progress("judging", 0, 1)
    if rulebook.packages and not options.config.services:
        parts = _judged_units(survey, outcomes, rulebook, options, progress)
        if parts:
            return merged(parts)
    sources = _sources(survey, outcomes, options.config)
    return judge_sources(sources, rulebook, options.config, lines, options.profile)


def _judged_units(
    survey: _Survey, outcomes: tuple[FileOutcome, ...], rulebook: Rulebook, options: Options, progress: Progress
) -> list[Judged]:
    """Empty where there is only one: it needs no process of its own."""
    from assay.scanner.link import units_of_tree

    mentions = {o.path: said for o in outcomes if (said := o.mentions) is not None}
    others = {o.path: f for o in outcomes if o.kind is not FileKind.PYTHON and (f := o.decoded()) is not None}
    barren: set[str] = set()
    while True:
        units = units_of_tree(mentions, others, _paths(survey.tree), barren)
        if len(units) < 2 and not barren:
            return []
        tasks = [_task(unit, units, survey, outcomes, rulebook, options.config) for unit in units]
        parts = _run(units, tasks, options, progress)
        found = {unit.root for unit, part in zip(units, parts, strict=True) if not part.services}
        if not found:
            return parts
        # A library that could have been a service belongs to the service around it.
        barren |= found


def _task(
    unit: Unit,
    units: Iterable[Unit],
    survey: _Survey,
    outcomes: Iterable[FileOutcome],
    rulebook: Rulebook,
    config: Config,
) -> Task:
    from assay.scanner.judging import Task

    seen = [o for o in outcomes if o.kind is not FileKind.PYTHON or o.path in unit.modules]
    paths = {o.path for o in seen}
    return Task(
        root=str(survey.tree.root),
        facts={o.path: (o.kind, o.facts) for o in seen if o.facts is not None},
        digests={o.path: o.digest for o in seen},
        roles={f.path: f.role for f in survey.tree.files if f.path in paths},
        paths=sorted(_paths(survey.tree)),
        tree_name=_name(survey.tree),
        metadata=dict(survey.metadata),
        own=frozenset(unit.own),
        neighbours=tuple(u.root for u in units if u is not unit),
        config=config,
        packages=rulebook.packages,
        rules=frozenset(rule.code for rule in rulebook.rules),
    )


def _run(units: Sequence[Unit], tasks: list[Task], options: Options, progress: Progress) -> list[Judged]:
    from assay.scanner.judging import answer_of, run_task

    recall = options.recall
    known = {place: found for place, task in enumerate(tasks) if recall and (found := recall.judged(task))}
    options.profile.units = {unit.root: place in known for place, unit in enumerate(units)}
    places = [place for place in range(len(tasks)) if place not in known]
    jobs = options.jobs or default_jobs()
    with options.profile.stage("judge"):
        encoded = [msgspec.msgpack.encode(tasks[place]) for place in places]
        for place, answer in run_all(run_task, encoded, jobs, options.make_pool):
            known[places[place]] = judged = answer_of(answer, options.profile)
            if recall:
                recall.keep_judged(tasks[places[place]], judged)
            progress("judging", len(known), len(tasks))
    return [known[place] for place in range(len(tasks))]


def _advisories(
    tree: Tree,
    outcomes: Iterable[FileOutcome],
    judged: Judged,
    checks: Mapping[str, Check],
    config: Config,
    lines: SourceLines,
) -> list[JudgedVerdict]:
    """What bandit and radon found and no rule of ours judges better."""
    places = judged_places(judged.verdicts)
    roles = {f.path: f.role for f in tree.files}
    roots = {s.name: s.root for s in judged.services}
    found = []
    for outcome in outcomes:
        owner = judged.owners.get(outcome.path)
        if outcome.analysis is None or owner is None:
            continue
        for a in advise(outcome.analysis, outcome.path, roles[outcome.path], checks, places):
            if a.rule in config.rules.disable:
                continue
            text = lines.line(a.location.path, a.location.line)
            mark = fingerprint(a.rule, roots[owner], a.subject, text)
            found.append(
                JudgedVerdict(owner, a.rule, a.kind, a.severity, a.subject, a.location, a.message, a.evidence, mark)
            )
    return found


def _score(
    service: JudgedService,
    outcomes: Iterable[FileOutcome],
    rulebook: Rulebook,
    judged: Judged,
    diagnostics: Iterable[Diagnostic],
    config: Config,
) -> ServiceResult:
    """A file that wasn't read and a rule that crashed both count as something that should have been judged."""
    owners = judged.owners
    unread = {d.path for d in diagnostics if d.reason.is_unread_file and owners.get(d.path) == service.name}
    crashes = sum(1 for d in diagnostics if d.reason.is_internal_error)
    read = {o.path for o in outcomes if owners.get(o.path) == service.name} - unread
    return score_service(
        service.name,
        service.root,
        service.frameworks,
        rulebook,
        [v for v in judged.verdicts if v.service == service.name],
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
