"""A few files, with what has to be linked to judge them."""

from __future__ import annotations

import tempfile
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import msgspec

from assay.scanner.acceptance.ignores import gather
from assay.scanner.base.renames import renames_since
from assay.scanner.baseline import Baseline
from assay.scanner.comparison import compared_with_baseline
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.engine import NothingToScanError, in_order, sources_of, told_apart
from assay.scanner.executors import Companion
from assay.scanner.fast.files import contents_at, path_inside
from assay.scanner.fast.near import Near, leading_to
from assay.scanner.fast.subjects import on_sites
from assay.scanner.filekinds import FileKind
from assay.scanner.git import Git
from assay.scanner.judging import Judged, judge_sources
from assay.scanner.link import import_applications, may_make_applications
from assay.scanner.options import Options, Progress
from assay.scanner.outcomes import FileOutcome
from assay.scanner.readers.python.form import Mentions
from assay.scanner.recall import digests_of
from assay.scanner.results import Scanned, ScanResult
from assay.scanner.rulebook import Rulebook
from assay.scanner.source_lines import SourceLines
from assay.scanner.standard_pages import rule_info
from assay.scanner.survey import Survey, read_files, take_survey


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
        paths = {path_inside(root, file) for file in files}
        folders = tuple("" if path == "." else f"{path}/" for path in paths)
        options = replace(options, analyzers=False)
        survey = take_survey(root, options)
        survey = replace(survey, wanted=tuple(f for f in survey.wanted if f.kind is not FileKind.TEST_CODE))
        outcomes = read_files(survey, options, progress, lambda: None)
        if options.recall:
            options.recall.make_room()
        known = {*(f.path for f in survey.wanted), *(d.path for d in survey.tree.diagnostics)}
        asked = frozenset(path for path in known if path in paths or path.startswith(folders))
        return cls(survey, {o.path: o for o in outcomes}, asked, on_sites(rulebook, options), options)

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
        contents = contents_at(git, commit, files)
        renames = renames_since(git.root, commit) if len(contents) < len(files) else {}
        renames = {new: old for new, old in renames.items() if new in files and new not in contents}
        contents |= contents_at(git, commit, renames.values())
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
            rules=tuple(
                rule_info(r, not chosen.standard.holds(r, edition), self.options.config.rules.options(r))
                for r in chosen.rules
            ),
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


def _are_same(one: Mapping[str, FileOutcome], other: Mapping[str, FileOutcome]) -> bool:
    return one.keys() == other.keys() and all(outcome.digest == other[path].digest for path, outcome in one.items())


def _problems(
    survey: Survey, read: Iterable[FileOutcome], asked: frozenset[str], judged: Judged
) -> Iterator[Diagnostic]:
    """What was not read of the files, and what went wrong; that other modules are unknown is no news."""
    found = {d for d in survey.tree.diagnostics if d.path in asked}
    found |= {d for o in read if (d := o.diagnostic) is not None}
    found |= {d for d in judged.diagnostics if d.reason.is_internal_error}
    yield from sorted(found, key=lambda d: (d.path, d.line or 0, d.reason, d.message))
