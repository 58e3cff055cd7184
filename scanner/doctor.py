"""What a scan would work with: what is read and what isn't, services, base commit, cache, configuration."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from assay.scanner import __version__
from assay.scanner.acceptance.waivers import Limits, load_waivers
from assay.scanner.base.commits import MERGE_BASE, NoBaseError, base_commit
from assay.scanner.baseline import FILE as BASELINE_FILE
from assay.scanner.baseline import load as load_baseline
from assay.scanner.cache import LIMIT, Cache, CacheError
from assay.scanner.config.settings import Setting
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.discovery import discover
from assay.scanner.engine import NothingToScanError, Options, Progress, Understanding, understand
from assay.scanner.examination import (
    SCHEMA_VERSION,
    BaseRow,
    CacheRow,
    Configuration,
    Doubt,
    Examination,
    Files,
    KindRow,
    LeftOut,
    Problem,
    Repository,
    ServiceRow,
    SettingRow,
    Versions,
)
from assay.scanner.filekinds import FileKind
from assay.scanner.git import Git, GitError
from assay.scanner.model.service import Service
from assay.scanner.rulebook import Rulebook
from assay.scanner.survey import Survey, is_wanted, read_files, take_survey

_LIBRARIES = ("libcst", "bandit", "radon", "sqlglot", "msgspec", "rich", "click")
_SHOWN = 5


def examine(
    root: Path,
    rulebook: Rulebook,
    options: Options,
    settings: Iterable[Setting],
    limits: Limits,
    cache: Path | None,
    progress: Progress,
) -> Examination:
    """Read and link the tree as a scan would; `cache` is the folder of the cache, None where it is off. The network is
    not asked. Raises BadRootError, and the user's errors in waivers and baseline.
    """
    survey = take_survey(root, options)
    try:
        known: Understanding | None = understand(root, options, progress)
        problem = None
    except NothingToScanError as error:
        known, problem = None, str(error)
    diagnostics = known.diagnostics if known else _unread(survey, options, progress)
    services = known.linked.services if known else ()
    return Examination(
        schema_version=SCHEMA_VERSION,
        root=str(root.resolve()),
        versions=_versions(rulebook),
        repository=_repository(root),
        configuration=_configuration(root, rulebook, options, settings, limits),
        files=_files(survey, diagnostics, options),
        frameworks=sorted({name for service in services for name in service.frameworks}),
        services=[_service(service) for service in services],
        not_understood=list(_doubts(diagnostics)),
        base=_base(root, options.config.gate.new_since),
        cache=_cache(cache),
        problem=problem,
    )


def _unread(survey: Survey, options: Options, progress: Progress) -> tuple[Diagnostic, ...]:
    """What is known of the files where no service was found in them."""
    outcomes = read_files(survey, options, progress, lambda: None)
    return tuple(sorted({*survey.tree.diagnostics, *(d for o in outcomes if (d := o.diagnostic))}, key=_place))


def _place(diagnostic: Diagnostic) -> tuple[str, int, str, str]:
    return diagnostic.path, diagnostic.line or 0, diagnostic.reason, diagnostic.message


def _versions(rulebook: Rulebook) -> Versions:
    return Versions(
        assay=__version__,
        python=platform.python_version(),
        system=platform.system(),
        libraries={name: found for name in _LIBRARIES if (found := _version(name))},
        rules=len(rulebook.rules),
        packages=list(rulebook.packages),
    )


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _repository(root: Path) -> Repository:
    git = Git(root)
    try:
        told = git.run("--version").stdout.decode(errors="replace").strip().removeprefix("git version ")
    except GitError:
        return Repository(None, None, is_shallow=False)
    commit = git.commit("HEAD")
    return Repository(told, commit, is_shallow=commit is not None and git.is_shallow)


def _configuration(
    root: Path, rulebook: Rulebook, options: Options, settings: Iterable[Setting], limits: Limits
) -> Configuration:
    said = [SettingRow(f"{s.key} = {s.toml}", list(s.origins)) for s in settings if s.origins]
    edition = options.config.edition or rulebook.standard.edition
    return Configuration(list(options.config.sources), said, edition, len(load_waivers(root, limits)))


def _files(survey: Survey, diagnostics: Iterable[Diagnostic], options: Options) -> Files:
    unread = sorted({d for d in diagnostics if d.reason.is_unread_file}, key=_place)
    failed = {d.path for d in unread}
    tree = survey.tree
    rows = []
    for kind in FileKind:
        found = [f for f in tree.files if f.kind is kind]
        if found:
            read = sum(is_wanted(f) and f.path not in failed for f in found)
            rows.append(KindRow(kind, len(found), read, sum(f.path in failed for f in found)))
    return Files(rows, [_problem(d) for d in unread], list(_left_out(survey, options)))


def _left_out(survey: Survey, options: Options) -> Iterator[LeftOut]:
    tree = survey.tree
    known = {*(f.path for f in tree.files), *(d.path for d in tree.diagnostics)}
    everything = discover(tree.root, replace(options.config.discovery, exclude=()))
    excluded = [f.path for f in everything.files if f.path not in known]
    if excluded:
        yield _named(excluded, "[files] exclude names them")
    tracked = [path for path in _tracked(tree.root) if path not in known and path not in excluded]
    if tracked:
        yield _named(tracked, "an ignore file names them though git has them, or such folders are never scanned")


def _named(paths: list[str], why: str) -> LeftOut:
    return LeftOut(len(paths), why, sorted(paths)[:_SHOWN])


def _tracked(root: Path) -> list[str]:
    """Python files that git has, relative to the root and below it."""
    try:
        listed = Git(root).answer("ls-files", "-z", "--", "*.py")
    except GitError:
        return []
    paths = (os.fsdecode(path) for path in listed.split(b"\0") if path)
    return [path for path in paths if (root / path).is_file() and not (root / path).is_symlink()]


def _service(service: Service) -> ServiceRow:
    return ServiceRow(
        name=service.name,
        root=service.root,
        frameworks=list(service.frameworks),
        endpoints=len(service.endpoints),
        tables=len(service.tables),
        queries=len(service.sql_sites),
        outbound_calls=len(service.outbound_calls),
        log_calls=len(service.log_calls),
        workloads=len(service.workloads),
    )


def _doubts(diagnostics: Iterable[Diagnostic]) -> Iterator[Doubt]:
    open_ones = [d for d in diagnostics if not d.reason.is_unread_file]
    for reason, count in sorted(Counter(d.reason for d in open_ones).items(), key=lambda item: (-item[1], item[0])):
        first = [_problem(d) for d in open_ones if d.reason is reason][:_SHOWN]
        yield Doubt(reason, count, first)


def _problem(diagnostic: Diagnostic) -> Problem:
    return Problem(diagnostic.path, diagnostic.line, diagnostic.reason, diagnostic.message)


def _base(root: Path, since: str) -> BaseRow:
    known = load_baseline(root)
    entries = len(known.entries) if known else None
    if since == "baseline":
        missing = f"there is no {BASELINE_FILE}; `assay baseline create` writes one" if known is None else None
        return BaseRow(BASELINE_FILE if known else None, None, missing, entries)
    try:
        base = base_commit(root, since, may_fetch=False)
    except NoBaseError as error:
        hint = "" if known else "; or compare with a baseline: `assay baseline create` writes one"
        return BaseRow(BASELINE_FILE if known else None, None, f"{error}{hint}", entries)
    except GitError as error:
        return BaseRow(None, None, str(error), entries)
    return BaseRow(base.name if since == MERGE_BASE else f"{since}: {base.name}", base.commit, None, entries)


def _cache(folder: Path | None) -> CacheRow:
    if folder is None:
        return CacheRow(None, 0, 0, LIMIT, "it is turned off")
    try:
        Cache.open(folder)
        entries, size = Cache.contents(folder)
    except CacheError as error:
        return CacheRow(str(folder), 0, 0, LIMIT, str(error))
    return CacheRow(str(folder), entries, size, LIMIT, None)
