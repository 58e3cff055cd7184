"""The pipeline: discover, read, link, judge, score. Data flows one way; no stage calls back into an earlier one."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec

from assay.scanner.analyzers.advisories import Check, advise, judged_places, rule_infos
from assay.scanner.config import Config
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.discovery import Tree
from assay.scanner.evidence.figures import Measured
from assay.scanner.filekinds import FileKind
from assay.scanner.judge import fingerprint
from assay.scanner.line_hashes import with_line_hashes
from assay.scanner.options import Options, Progress
from assay.scanner.outcomes import FileOutcome
from assay.scanner.recall import Question
from assay.scanner.results import JudgedVerdict, Scanned, ScanResult, ServiceResult
from assay.scanner.rulebook import Rulebook
from assay.scanner.scoring import score_service
from assay.scanner.source_lines import SourceLines
from assay.scanner.standard_pages import rule_info
from assay.scanner.survey import Survey, read_files, take_survey

if TYPE_CHECKING:
    from assay.scanner.judging import Judged, JudgedService
    from assay.scanner.link import Linked, Sources

_T = TypeVar("_T")

__all__ = [
    "NothingToScanError",
    "Options",
    "Progress",
    "Understanding",
    "in_order",
    "scan",
    "sources_of",
    "told_apart",
    "understand",
    "without_forgeries",
]  # fmt: skip


class NothingToScanError(Exception):
    """The tree holds no Python, or no backend; the message is for the user."""


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
    survey = take_survey(root, options)
    known = without_forgeries(lambda chosen: _understand(survey, chosen, progress), options)
    if options.recall:
        options.recall.make_room()
    return known


def without_forgeries(work: Callable[[Options], _T], options: Options) -> _T:
    """Done anew without recalling anything where somebody made a cache entry that only looks like one."""
    try:
        return work(options)
    except msgspec.DecodeError:
        if options.recall is None:
            raise
        return work(replace(options, recall=None))


def _understand(survey: Survey, options: Options, progress: Progress) -> Understanding:
    from assay.scanner.link import link

    outcomes = _read(survey, options, progress)
    progress("linking", 0, 1)
    with options.profile.stage("link"):
        linked = link(sources_of(survey, outcomes, options.config), options.profile)
    diagnostics = _all_diagnostics(survey, outcomes, linked.diagnostics)
    if not linked.services:
        raise NothingToScanError(f"{survey.tree.root}: {_no_backend(survey.tree, diagnostics)}")
    return Understanding(survey.tree, outcomes, linked, diagnostics)


def _all_diagnostics(
    survey: Survey, outcomes: Iterable[FileOutcome], further: Iterable[Diagnostic]
) -> tuple[Diagnostic, ...]:
    found = {*survey.tree.diagnostics, *(d for o in outcomes if (d := o.diagnostic)), *further}
    return tuple(sorted(found, key=_place))


def _read(survey: Survey, options: Options, progress: Progress) -> tuple[FileOutcome, ...]:
    if not any(f.kind is FileKind.PYTHON for f in survey.tree.files):
        raise NothingToScanError(f"{survey.tree.root}: there is no Python in it; name the folder of a Python backend")
    with options.profile.stage("read"):
        return read_files(survey, options, progress, _load_linker)


def _load_linker() -> None:
    """Import the largest part of the program, which an unchanged tree has no need of."""
    from assay.scanner import finders, side_by_side
    from assay.scanner.framework import frameworks

    assert finders
    assert side_by_side
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


def sources_of(survey: Survey, outcomes: Iterable[FileOutcome], config: Config) -> Sources:
    """What linking works on, without libraries."""
    from assay.scanner.link import Sources

    tree = survey.tree
    return Sources(
        facts={o.path: f for o in outcomes if (f := o.decoded()) is not None},
        roles={f.path: f.role for f in tree.files},
        paths=survey.paths,
        services={name: service.root for name, service in config.services.items()},
        tree_name=survey.name or "root",
        metadata=survey.metadata,
    )


def _place(diagnostic: Diagnostic) -> tuple[str, int, str, str]:
    return diagnostic.path, diagnostic.line or 0, diagnostic.reason, diagnostic.message


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
    clock = time.perf_counter()
    survey = take_survey(root, options)
    options = replace(options, measured=_dated(survey, options))
    result = _recalled(survey, rulebook, options) or without_forgeries(
        lambda chosen: _computed(survey, rulebook, checks, chosen, progress), options
    )
    result = _in_repository(result, survey.tree.root)
    result = _with_teams(result, options.config)
    return replace(result, scanned=replace(result.scanned, seconds=round(time.perf_counter() - clock, 3)))


def _dated(survey: Survey, options: Options) -> Measured:
    """With the times that tell whether a measurement is of another day's code; git is asked only where there is one."""
    files = [f.path for f in survey.tree.files if f.kind is FileKind.EVIDENCE]
    measured = msgspec.structs.replace(options.measured, max_age_days=options.config.evidence.max_age_days)
    if measured.committed or not (files or measured.files):
        return measured
    from assay.scanner.git import Git, GitError

    git = Git(survey.tree.root)
    try:
        commit = git.commit("HEAD")
        if commit is None:
            return measured
        changed = {path: git.last_change(path) for path in files}
        return msgspec.structs.replace(measured, committed=git.time_of(commit), changed=changed)
    except GitError:
        return measured


def _recalled(survey: Survey, rulebook: Rulebook, options: Options) -> ScanResult | None:
    if options.recall is None:
        return None
    with options.profile.stage("recall"):
        result = options.recall.result(_question(survey, rulebook, options))
    options.profile.result_recalled = result is not None
    return result


def _question(survey: Survey, rulebook: Rulebook, options: Options) -> Question:
    rules = tuple((rule.code, rule.severity) for rule in rulebook.rules)
    return Question(
        survey.tree,
        survey.digests,
        options.config,
        options.analyzers,
        rulebook.packages,
        rules,
        survey.metadata,
        options.libraries,
        rulebook.own,
        options.measured,
        options.added,
    )


def _computed(
    survey: Survey, rulebook: Rulebook, checks: Mapping[str, Check], options: Options, progress: Progress
) -> ScanResult:
    outcomes = _read(survey, options, progress)
    from assay.scanner.acceptance.ignores import gather
    from assay.scanner.judging import configured  # by now: workers read while it is imported

    chosen = configured(rulebook, options.config)
    lines = SourceLines(survey.tree.root, {o.path: o.digest for o in outcomes})
    judged = _judged(survey, outcomes, chosen, lines, options, progress)
    diagnostics = _all_diagnostics(survey, outcomes, judged.diagnostics)
    if not judged.services:
        raise NothingToScanError(f"{survey.tree.root}: {_no_backend(survey.tree, diagnostics)}")
    with options.profile.stage("score"):
        advisories = _advisories(survey.tree, outcomes, judged, checks, options.config, lines)
        ordered = tuple(told_apart(in_order((*judged.verdicts, *advisories))))
        everything = tuple(with_line_hashes(ordered, lines.of))
        edition = options.config.edition or chosen.standard.edition
        infos = tuple(
            rule_info(r, not chosen.standard.holds(r, edition), options.config.rules.options(r)) for r in chosen.rules
        )
        counting = replace(chosen, rules=tuple(r for r in chosen.rules if chosen.standard.holds(r, edition)))
        ignores = gather(outcomes, survey.tree.root, lines.of)
        sources = lines.cited(everything, [ignore.location for ignore in ignores])
        result = ScanResult(
            edition=edition,
            scanned=Scanned(survey.name, None, None, 0, len(outcomes), sum(o.lines for o in outcomes)),
            services=_connected(
                judged.services,
                (_score(s, outcomes, counting, judged, diagnostics, options.config) for s in judged.services),
            ),
            rules=(*infos, *rule_infos(checks, {a.rule for a in advisories})),
            verdicts=everything,
            diagnostics=diagnostics,
            sources=sources,
            openings=lines.openings(sources),
            files={o.path: o.digest.hex()[:8] for o in sorted(outcomes, key=lambda o: o.path)},
            exclude=options.config.files.exclude,
            configuration=_configuration(options.config, rulebook),
            ignores=ignores,
        )
    if options.recall:
        with options.profile.stage("keep"):
            if lines.are_as_read and judged.is_as_read and survey.is_still(outcomes):
                options.recall.keep_result(_question(survey, rulebook, options), result)
            options.recall.make_room()
    return result


def in_order(verdicts: Iterable[JudgedVerdict]) -> list[JudgedVerdict]:
    """The total order of all reports."""
    return sorted(verdicts, key=lambda v: (v.location, v.rule, v.subject.id, v.service))


def told_apart(verdicts: Iterable[JudgedVerdict]) -> Iterator[JudgedVerdict]:
    """Each with a fingerprint of its own: the second of two alike (a file that two services share) gets another."""
    seen: Counter[str] = Counter()
    for verdict in verdicts:
        mark = verdict.fingerprint
        if seen[mark]:
            again = f"{mark}\0{seen[mark]}".encode()
            verdict = replace(verdict, fingerprint=hashlib.sha256(again).hexdigest()[: len(mark)])
        seen[mark] += 1
        yield verdict


def _judged(
    survey: Survey,
    outcomes: tuple[FileOutcome, ...],
    rulebook: Rulebook,
    lines: SourceLines,
    options: Options,
    progress: Progress,
) -> Judged:
    """The verdicts on all services: unit by unit where the tree has several that can be told apart."""
    from assay.scanner.judging import judge_sources, merged
    from assay.scanner.side_by_side import judge_units

    progress("judging", 0, 1)
    if rulebook.packages and not options.config.services:
        parts = judge_units(survey, outcomes, rulebook, options, progress)
        if parts:
            return merged(parts)
    options.when_read()
    sources = replace(
        sources_of(survey, outcomes, options.config),
        libraries=options.libraries,
        measured=options.measured,
        added=options.added,
    )
    return judge_sources(sources, rulebook, options.config, lines, options.profile)


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


def _configuration(config: Config, rulebook: Rulebook) -> str:
    """A digest of what the user chose that verdicts hang on: the configuration, and rules of one's own."""
    if not rulebook.own:
        return config.digest
    sources = msgspec.msgpack.encode([(source.format, source.content) for source in rulebook.own])
    return hashlib.sha256(config.digest.encode() + sources).hexdigest()[: len(config.digest)]


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


def _connected(judged: Iterable[JudgedService], scored: Iterable[ServiceResult]) -> tuple[ServiceResult, ...]:
    from assay.scanner.connections import with_services

    services = tuple(judged)
    found = with_services(
        {s.name: (s.connections, s.address_variables) for s in services},
        {s.name: s.reached for s in services},
        {s.root: s.name for s in services},
    )
    return tuple(replace(service, connections=found[service.name]) for service in scored)


def _in_repository(result: ScanResult, root: Path) -> ScanResult:
    """With what the repository that the root lies in tells: the commit that is checked out and its time, where the root
    lies in it, its address and who owns what. As it was outside of any, or without git.
    """
    from assay.scanner.git import Git, GitError
    from assay.scanner.owners import owners_in
    from assay.scanner.web_address import web_of

    git = Git(root)
    try:
        commit = git.commit("HEAD")
        committed, prefix, web = git.time_of(commit) if commit else None, git.prefix, web_of(git)
    except GitError:
        return result
    top = root.resolve().parents[prefix.count("/") - 1] if prefix else root
    paths = (verdict.location.path for verdict in result.verdicts if verdict.is_finding)
    scanned = replace(result.scanned, commit=commit, committed=committed, prefix=prefix, web=web)
    known = owners_in(top)
    teams = known.teams((service.root for service in result.services), result.files, prefix)
    owners = known.by_path(paths, prefix) | {root: (team,) for root, team in teams.items()}
    return replace(result, scanned=scanned, owners=owners)


def _with_teams(result: ScanResult, config: Config) -> ScanResult:
    """With the services' teams that the configuration names, whatever CODEOWNERS says."""
    teams = {
        service.root: config.services[service.name].team
        for service in result.services
        if service.name in config.services
    }
    named = {root: (team,) for root, team in teams.items() if team}
    return replace(result, owners={**result.owners, **named}) if named else result
