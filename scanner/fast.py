"""Judging a few files within a second or two, as a hook before a commit wants it.

All files are known from the cache, but only the given ones, what they import and what leads to them is linked; and only
those rules are asked whose subjects live in one place, so that what isn't linked can turn a fail into a review, never
the other way round. Endpoints, settings and containers are for the whole scan.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePath

import msgspec

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
from assay.scanner.engine import NothingToScanError, in_order, sources_of, told_apart, without_forgeries
from assay.scanner.executors import Companion
from assay.scanner.git import Git, GitError
from assay.scanner.judging import Judged, configured, judge_sources
from assay.scanner.link import import_applications, may_make_applications
from assay.scanner.model.call import FunctionCall
from assay.scanner.model.crypto import Credential, HashUse, PasswordUse, RandomUse
from assay.scanner.model.log import ExceptHandler, LogCall, LoggedData, PrintCall
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.site import AbsoluteLink, DataSite, LoggedText
from assay.scanner.model.sql import SqlSite
from assay.scanner.model.token import TokenVerification
from assay.scanner.model.transport import TlsClient
from assay.scanner.near import Near, leading_to
from assay.scanner.options import Options, Progress
from assay.scanner.readers.python.form import Mentions
from assay.scanner.reading import FileOutcome
from assay.scanner.recall import digests_of
from assay.scanner.results import Scanned, ScanResult
from assay.scanner.rulebook import Rulebook
from assay.scanner.source_lines import SourceLines
from assay.scanner.standard_pages import rule_info
from assay.scanner.survey import Survey, read_files, take_survey

__all__ = ["EXCUSED_ELSEWHERE", "SITES", "FastScan", "OutsideError", "assessed", "assessed_and_compared"]

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
"""Subjects that are told by their own file and by what it calls."""

EXCUSED_ELSEWHERE = LoggedText | AbsoluteLink
"""Of these, those that a setting of the service may excuse: how its logs are rendered, which hosts it answers."""


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
        return self._judged(self.survey.tree.root, self.outcomes, self.asked, self.rulebook)

    @cached_property
    def mentions(self) -> Mapping[str, Mentions]:
        """Of which modules each module speaks."""
        return _mentions(self.outcomes)

    @cached_property
    def around(self) -> frozenset[str]:
        """The modules by which the files are known to be a service's: makers of applications, and what leads from there
        to the files.
        """
        return leading_to(self.asked, self.mentions, import_applications(self.mentions))

    def head_and_base(self, commit: str) -> tuple[ScanResult, ScanResult | None, dict[str, str]]:
        """What the files are like now, what they were like at the commit (None where there was no backend, or there is
        nothing to compare), and the old path of renamed ones.

        Raises GitError, and NothingToScanError for the files as they are.
        """
        with tempfile.TemporaryDirectory(prefix="assay-") as folder:
            old, renames = self._outcomes_at(commit, Path(folder))
            outcomes = {path: o for path, o in self.outcomes.items() if path not in self.asked} | old
            if _are_same(outcomes, self.outcomes):
                head = self.head()
                return head, head, renames

            def base(rules: Rulebook) -> ScanResult | None:
                try:
                    return self._judged(Path(folder), outcomes, frozenset(old), rules)
                except NothingToScanError:
                    return None

            _ = self.around  # both need it
            companion = Companion.at_work(lambda: _encoded(base(self.rulebook))) if self.options.workers > 1 else None
            try:
                head = self.head()
                if not head.findings:
                    return head, None, renames
                answer = companion.answer() if companion else None
            finally:
                if companion:
                    companion.end()
            if answer is not None:
                return head, msgspec.msgpack.decode(answer, type=ScanResult | None), renames
            return head, base(self._rules({finding.rule for finding in head.findings})), renames

    def _rules(self, codes: Collection[str]) -> Rulebook:
        """Some rules only: where no data flows into a finding none has to be followed, and that is most of the work."""
        return replace(self.rulebook, rules=tuple(rule for rule in self.rulebook.rules if rule.code in codes))

    def against_baseline(self, head: ScanResult, baseline: Baseline) -> ScanResult:
        """The result with what is new in it since the baseline was written."""
        rules = self.rulebook.by_code()
        entries = tuple(e for e in baseline.entries if e.path in self.asked and e.rule in rules)
        return compared_with_baseline(head, replace(baseline, entries=entries))

    def _outcomes_at(self, commit: str, folder: Path) -> tuple[dict[str, FileOutcome], dict[str, str]]:
        """What the files held at the commit, by the path that they had there, and the old path of renamed ones."""
        git = Git(self.survey.tree.root)
        files = {file.path: file for file in self.survey.wanted if file.path in self.asked}
        contents = _contents(git, commit, files)
        renames = renames_since(git.root, commit) if len(contents) < len(files) else {}
        renames = {new: old for new, old in renames.items() if new in files and new not in contents}
        contents |= _contents(git, commit, renames.values())
        there = []
        for new in files:
            old = renames.get(new, new)
            if old in contents:
                (folder / old).parent.mkdir(parents=True, exist_ok=True)
                (folder / old).write_bytes(contents[old])
                there.append(replace(files[new], path=old))
        tree = replace(self.survey.tree, root=folder, files=tuple(there))
        survey = Survey(tree, tree.files, digests_of(folder, there), {})
        outcomes = read_files(survey, self.options, lambda *_: None, lambda: None)
        return {o.path: o for o in outcomes}, renames

    def _judged(
        self, root: Path, outcomes: Mapping[str, FileOutcome], asked: frozenset[str], chosen: Rulebook
    ) -> ScanResult:
        lines = SourceLines(root, {path: outcomes[path].digest for path in asked if path in outcomes})
        mentions = self.mentions if outcomes is self.outcomes else _mentions(outcomes)
        near = Near.of(asked, mentions, self.around)
        judged = self._linked(outcomes, near, chosen, lines) if asked else Judged((), {}, (), (), is_as_read=True)
        if asked and not judged.services:
            # An application that is made in an unusual way: it takes longer to find.
            near = Near.of(asked, mentions, may_make_applications(mentions))
            judged = self._linked(outcomes, near, chosen, lines)
        if asked and not judged.services:
            where = self.survey.tree.root
            raise NothingToScanError(f"{where}: no backend found in it; `assay doctor` tells what was seen")
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
        self, outcomes: Mapping[str, FileOutcome], near: Near, rulebook: Rulebook, lines: SourceLines
    ) -> Judged:
        seen = [o for o in outcomes.values() if o.path in near.modules or o.path not in near.mentions]
        sources = replace(
            sources_of(self.survey, seen, self.options.config),
            libraries=self.options.libraries,
            modules=frozenset(near.mentions),
            focus=near.asked,
        )
        return judge_sources(sources, rulebook, self.options.config, lines, self.options.profile)


def _encoded(result: ScanResult | None) -> bytes:
    return msgspec.msgpack.encode(result)


def _mentions(outcomes: Mapping[str, FileOutcome]) -> dict[str, Mentions]:
    return {path: said for path, outcome in outcomes.items() if (said := outcome.mentions) is not None}


def assessed(scope: Scope, files: Iterable[Path], progress: Progress) -> ScanResult:
    """The findings in the files, and what of them is accepted. Raises the user's errors."""
    named = tuple(files)

    def work(options: Options) -> ScanResult:
        return _accepted(FastScan.of(scope.root, named, scope.rulebook, options, progress).head(), scope)

    return without_forgeries(work, scope.options)


def assessed_and_compared(scope: Scope, files: Iterable[Path], since: str, progress: Progress) -> ScanResult:
    """The same, and what of it is new since the last commit, or another revision, or the baseline. Before the first
    commit all is new. Raises the user's errors.
    """
    named = tuple(files)

    def work(options: Options) -> ScanResult:
        asked = FastScan.of(scope.root, named, scope.rulebook, options, progress)
        return _compared(asked, scope, since)

    return without_forgeries(work, scope.options)


def _compared(asked: FastScan, scope: Scope, since: str) -> ScanResult:
    known = load_baseline(scope.root)
    if since == BASELINE and known is not None:
        return asked.against_baseline(_accepted(asked.head(), scope), known)
    git = Git(scope.root)
    revision = "HEAD" if since in (BASELINE, MERGE_BASE) else since
    commit = git.commit(revision)
    if commit is not None:
        head, base, renames = asked.head_and_base(commit)
        return compared_with_commit(_accepted(head, scope), base, revision, commit, renames)
    if known is not None:
        return asked.against_baseline(_accepted(asked.head(), scope), known)
    git.answer("rev-parse", "--git-dir")  # or it tells what is wrong
    if revision != "HEAD":
        raise GitError(f"git knows no revision {revision!r}")
    return compared_with_commit(_accepted(asked.head(), scope), None, "nothing, for nothing is committed yet", "", {})


def _accepted(result: ScanResult, scope: Scope) -> ScanResult:
    # Which waivers and comments are idle is for the whole scan to say: here most rules weren't asked.
    waivers = load_waivers(scope.root, scope.limits)
    config = scope.options.config
    return accept(result, waivers, config, known=scope.codes, asked=frozenset(), today=scope.today)


def _are_same(one: Mapping[str, FileOutcome], other: Mapping[str, FileOutcome]) -> bool:
    return one.keys() == other.keys() and all(outcome.digest == other[path].digest for path, outcome in one.items())


def _contents(git: Git, commit: str, paths: Iterable[str]) -> dict[str, bytes]:
    """What some files held at the commit; nothing of those that weren't there."""
    # The names are given line by line.
    asked = [path for path in paths if "\n" not in path]
    names = "".join(f"{commit}:{git.prefix}{path}\n" for path in asked)
    told = git.answer("cat-file", "--batch", given=names.encode(errors="surrogateescape")) if asked else b""
    found, at = {}, 0
    for path in asked:
        end = told.index(b"\n", at)
        header, at = told[at:end], end + 1
        size = re.search(rb" blob (\d+)$", header)
        if size:
            found[path] = told[at : at + int(size[1])]
            at += int(size[1]) + 1
    return found


def _of_sites(rulebook: Rulebook, options: Options) -> Rulebook:
    chosen = configured(rulebook, options.config)
    return replace(chosen, rules=tuple(rule for rule in chosen.rules if _stands_alone(rule.subject_type)))


def _stands_alone(subject: type) -> bool:
    return issubclass(subject, SITES) and not issubclass(subject, EXCUSED_ELSEWHERE)


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
