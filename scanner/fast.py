"""Judging a few files within a second or two, as a hook before a commit wants it.

All files are known from the cache, but only the given ones, what they import and what leads to them is linked; and only
those rules are asked whose subjects live in one place, so that what isn't linked can turn a fail into a review, never
the other way round. Endpoints, settings and containers are for the whole scan.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePath

from assay.scanner.acceptance.accepting import accept
from assay.scanner.acceptance.ignores import gather
from assay.scanner.acceptance.waivers import load_waivers
from assay.scanner.assess import BASELINE, Scope
from assay.scanner.base.commits import MERGE_BASE
from assay.scanner.base.renames import renames_since
from assay.scanner.baseline import Baseline
from assay.scanner.baseline import load as load_baseline
from assay.scanner.comparison import compared_with_baseline, compared_with_commit
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.discovery import BadRootError
from assay.scanner.engine import NothingToScanError, in_order, sources_of, told_apart
from assay.scanner.git import Git, GitError
from assay.scanner.judging import Judged, configured, judge_sources
from assay.scanner.link import may_make_applications
from assay.scanner.model.call import FunctionCall
from assay.scanner.model.crypto import Credential, HashUse, PasswordUse, RandomUse
from assay.scanner.model.log import ExceptHandler, LogCall, LoggedData, PrintCall
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.site import DataSite
from assay.scanner.model.sql import SqlSite
from assay.scanner.model.token import TokenVerification
from assay.scanner.model.transport import TlsClient
from assay.scanner.options import Options, Progress
from assay.scanner.readers.python.form import Mentions
from assay.scanner.reading import FileOutcome
from assay.scanner.recall import digests_of
from assay.scanner.results import JudgedVerdict, Scanned, ScanResult
from assay.scanner.rulebook import Rulebook
from assay.scanner.source_lines import SourceLines
from assay.scanner.standard_pages import rule_info
from assay.scanner.survey import Survey, read_files, take_survey
from assay.scanner.units import References

__all__ = ["SITES", "FastScan", "OutsideError", "assessed", "assessed_and_compared"]

SITES = (
    SqlSite
    | FunctionCall
    | DataSite
    | OutboundCall
    | TlsClient
    | TokenVerification
    | HashUse
    | RandomUse
    | PasswordUse
    | Credential
    | LogCall
    | LoggedData
    | PrintCall
    | ExceptHandler
)
"""Subjects that are told by their own file and by what it calls; no setting or registration elsewhere excuses them."""


class OutsideError(BadRootError):
    """A named file is not there, or not in the scanned tree; the message is for the user."""


@dataclass(frozen=True)
class FastScan:
    """The tree, and the files that are asked about, by path relative to its root."""

    survey: Survey
    outcomes: Mapping[str, FileOutcome]
    asked: frozenset[str]
    rulebook: Rulebook
    options: Options

    @classmethod
    def of(
        cls, root: Path, files: Iterable[Path], rulebook: Rulebook, options: Options, progress: Progress
    ) -> FastScan:
        """What the tree holds. What a scan leaves out (ignored, excluded, tests) is left out here too; of a folder all
        files are meant. Raises BadRootError, and OutsideError for a file that isn't there.
        """
        paths = {_inside(root, file) for file in files}
        folders = tuple("" if path == "." else f"{path}/" for path in paths)
        options = replace(options, analyzers=False)
        survey = take_survey(root, options)
        outcomes = read_files(survey, options, progress, lambda: None)
        if options.recall:
            options.recall.make_room()
        known = {*(f.path for f in survey.wanted), *(d.path for d in survey.tree.diagnostics)}
        asked = frozenset(path for path in known if path in paths or path.startswith(folders))
        return cls(survey, {o.path: o for o in outcomes}, asked, _of_sites(rulebook, options), options)

    def head(self) -> ScanResult:
        """What the files are like now. Raises NothingToScanError where there is no backend."""
        return self._judged(self.survey.tree.root, self.outcomes, self.asked)

    def against_commit(self, head: ScanResult, commit: str, name: str) -> ScanResult:
        """The result with what is new in it since the commit. Raises GitError.

        Files without a finding are not looked at there, so what was fixed in them is not told.
        """
        with_findings = frozenset(finding.location.path for finding in head.findings)
        with tempfile.TemporaryDirectory(prefix="assay-") as folder:
            outcomes = {**self.outcomes, **self._outcomes_at(commit, Path(folder))}
            before = self._judged(Path(folder), outcomes, with_findings) if with_findings else None
        return compared_with_commit(head, before, name, commit, {})

    def against_baseline(self, head: ScanResult, baseline: Baseline) -> ScanResult:
        """The result with what is new in it since the baseline was written."""
        entries = tuple(entry for entry in baseline.entries if entry.path in self.asked)
        return compared_with_baseline(head, replace(baseline, entries=entries))

    def _outcomes_at(self, commit: str, folder: Path) -> dict[str, FileOutcome]:
        """What the files held at the commit, each by the path that it has now; nothing of what wasn't there."""
        tree = self.survey.tree
        files = tuple(f for f in self.survey.wanted if f.path in self.asked)
        for file in files:
            (folder / file.path).parent.mkdir(parents=True, exist_ok=True)
            (folder / file.path).write_bytes(b"")
        for path, content in self._contents_at(commit, [f.path for f in files]):
            (folder / path).write_bytes(content)
        survey = Survey(replace(tree, root=folder, files=files), files, digests_of(folder, files), {})
        return {o.path: o for o in read_files(survey, self.options, lambda *_: None, lambda: None)}

    def _contents_at(self, commit: str, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        git = Git(self.survey.tree.root)
        prefix = git.prefix
        missing = []
        for path in paths:
            done = git.run("cat-file", "blob", f"{commit}:{prefix}{path}")
            if done.returncode == 0:
                yield path, done.stdout
            else:
                missing.append(path)
        renames = renames_since(git.root, commit) if missing else {}
        for path in missing:
            if path in renames:
                yield path, git.answer("cat-file", "blob", f"{commit}:{prefix}{renames[path]}")

    def _judged(self, root: Path, outcomes: Mapping[str, FileOutcome], asked: frozenset[str]) -> ScanResult:
        chosen = self.rulebook
        lines = SourceLines(root, {path: outcomes[path].digest for path in asked if path in outcomes})
        near = _Near(outcomes, asked)
        judged = self._linked(outcomes, near, asked, lines) if asked else Judged((), {}, (), (), True)
        if asked and not judged.services:
            raise NothingToScanError(
                f"{self.survey.tree.root}: no backend found in it; assay doctor tells what was seen"
            )
        told = (v for v in judged.verdicts if v.location.path in asked and near.tells(v))
        verdicts = tuple(told_apart(in_order(told)))
        edition = self.options.config.edition or chosen.standard.edition
        read = [outcomes[path] for path in sorted(asked) if path in outcomes]
        ignores = gather(read, root, lines.of)
        sources = lines.cited(verdicts, [ignore.location for ignore in ignores])
        return ScanResult(
            edition=edition,
            scanned=Scanned(self.survey.name, None, None, 0, len(read), sum(o.lines for o in read)),
            services=(),
            rules=tuple(rule_info(r, is_preview=not chosen.standard.holds(r, edition)) for r in chosen.rules),
            verdicts=verdicts,
            diagnostics=tuple(_problems(self.survey, read, asked, judged)),
            sources=sources,
            openings=lines.openings(sources),
            configuration=self.options.config.digest,
            ignores=ignores,
        )

    def _linked(
        self, outcomes: Mapping[str, FileOutcome], near: _Near, asked: frozenset[str], lines: SourceLines
    ) -> Judged:
        seen = [o for o in outcomes.values() if o.path in near.modules or o.path not in near.mentions]
        sources = replace(
            sources_of(self.survey, seen, self.options.config),
            libraries=self.options.libraries,
            modules=frozenset(near.mentions),
            focus=asked,
        )
        return judge_sources(sources, self.rulebook, self.options.config, lines, self.options.profile)


def assessed(scope: Scope, files: Iterable[Path], progress: Progress) -> ScanResult:
    """The findings in the files, and what of them is accepted. Raises the user's errors."""
    return _accepted(FastScan.of(scope.root, files, scope.rulebook, scope.options, progress), scope)


def assessed_and_compared(scope: Scope, files: Iterable[Path], since: str, progress: Progress) -> ScanResult:
    """The same, and what of it is new since the last commit, or another revision, or the baseline. Before the first
    commit, and where nothing else tells, all is new.

    Raises the user's errors.
    """
    asked = FastScan.of(scope.root, files, scope.rulebook, scope.options, progress)
    head = _accepted(asked, scope)
    known = load_baseline(scope.root)
    if since == BASELINE and known is not None:
        return asked.against_baseline(head, known)
    revision = "HEAD" if since in (BASELINE, MERGE_BASE) else since
    commit = Git(scope.root).commit(revision)
    if commit is not None:
        return asked.against_commit(head, commit, revision)
    if revision != "HEAD":
        raise GitError(f"git knows no revision {revision!r}")
    if known is not None:
        return asked.against_baseline(head, known)
    return compared_with_commit(head, None, "nothing", "", {})


def _accepted(asked: FastScan, scope: Scope) -> ScanResult:
    # Which waivers and comments are idle is for the whole scan to say: here most rules weren't asked.
    waivers = load_waivers(scope.root, scope.limits)
    config = scope.options.config
    return accept(asked.head(), waivers, config, known=scope.codes, asked=frozenset(), today=scope.today)


class _Near:
    """The modules to link: the given ones, what they import, what imports them on the way from an application, and
    whatever may make one.
    """

    def __init__(self, outcomes: Mapping[str, FileOutcome], asked: Iterable[str]) -> None:
        self.mentions: dict[str, Mentions] = {p: m for p, o in outcomes.items() if (m := o.mentions) is not None}
        self._references = References(self.mentions)
        self._makers = may_make_applications(self.mentions)
        given = {path for path in asked if path in self.mentions}
        imported = {other for path in given for other in self._references.of(path)}
        above = {step for path in sorted(given) for step in self._way_to(path)}
        self.modules = frozenset(given | imported | above | self._makers)

    def tells(self, verdict: JudgedVerdict) -> bool:
        """Whether all is known of one of the ways that data takes by the verdict. A module on it that calls what isn't
        linked may do with the data whatever it likes.
        """
        return not verdict.flows or any(
            all(self._is_whole(step.location.path) for step in way) for way in verdict.flows
        )

    def _is_whole(self, path: str) -> bool:
        return path in self.modules and self.modules.issuperset(self._references.of(path))

    def _way_to(self, path: str) -> Iterator[str]:
        """The shortest chain of imports from a module that may make an application."""
        imported: dict[str, str | None] = {path: None}
        todo = [path]
        for here in todo:
            if here in self._makers:
                step: str | None = here
                while step is not None:
                    yield step
                    step = imported[step]
                return
            for importer in self._importers.get(here, ()):
                if importer not in imported:
                    imported[importer] = here
                    todo.append(importer)

    @cached_property
    def _importers(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path in sorted(self.mentions):
            for other in dict.fromkeys(self._references.of(path)):
                found.setdefault(other, []).append(path)
        return found


def _of_sites(rulebook: Rulebook, options: Options) -> Rulebook:
    chosen = configured(rulebook, options.config)
    return replace(chosen, rules=tuple(r for r in chosen.rules if issubclass(r.subject_type, SITES)))


def _inside(root: Path, file: Path) -> str:
    """The file's path relative to the root. Links are not followed: a scan doesn't either."""
    if not os.path.lexists(file):
        raise OutsideError(f"there is no {file}")
    path = PurePath(os.path.relpath(file, root)).as_posix()
    if path.startswith("../"):
        raise OutsideError(f"{file} is not in {root}, the folder that is scanned")
    return path


def _problems(
    survey: Survey, read: Iterable[FileOutcome], asked: frozenset[str], judged: Judged
) -> Iterator[Diagnostic]:
    """What was not read of the files, and what went wrong; that other modules are unknown is no news."""
    found = {d for d in survey.tree.diagnostics if d.path in asked}
    found |= {d for o in read if (d := o.diagnostic) is not None}
    found |= {d for d in judged.diagnostics if d.reason.is_internal_error}
    yield from sorted(found, key=lambda d: (d.path, d.line or 0, d.reason, d.message))
