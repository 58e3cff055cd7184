"""A scan as people see it: with what they accepted, what became of each finding since the base, and the gate's word."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from assay.scanner import baseline
from assay.scanner.acceptance.accepting import AtBase, accept
from assay.scanner.acceptance.waivers import FILE, Limits, Waiver, WaiverError, load_waivers
from assay.scanner.analyzers.advisories import Check
from assay.scanner.base.commits import BaseCommit, NoBaseError, base_commit
from assay.scanner.base.judging import scan_with_base
from assay.scanner.base.tree import content_at
from assay.scanner.baseline import Baseline
from assay.scanner.changes import changes_from
from assay.scanner.comparison import compared_with_baseline, compared_with_commit
from assay.scanner.config import Config, WaiversFrom
from assay.scanner.engine import scan
from assay.scanner.gate import evaluate
from assay.scanner.git import GitError
from assay.scanner.options import Options, Progress
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import Rulebook

__all__ = ["BASELINE", "Comparison", "Scope", "against", "assessed", "assessed_and_compared", "gated"]

BASELINE = "baseline"
"""What `[gate] new-since` says where the baseline file is to be compared with, and no commit."""


@dataclass(frozen=True, slots=True)
class Scope:
    """What is scanned and by what: the tree, the rules, the analyzers' checks, the options, and the day it is."""

    root: Path
    rulebook: Rulebook
    checks: Mapping[str, Check]
    options: Options
    today: date

    @property
    def codes(self) -> frozenset[str]:
        """Of all rules and checks that there are."""
        return frozenset((*self.rulebook.by_code(), *self.checks))

    @property
    def limits(self) -> Limits:
        return Limits(self.codes, self.options.config.waivers.max_days, self.today)

    def accepted(self, result: ScanResult, waivers: tuple[Waiver, ...], base: AtBase | None = None) -> ScanResult:
        """The result with what people accepted of it."""
        asked = set(self.codes) if self.options.analyzers else {rule.code for rule in self.rulebook.rules}
        asked -= self.options.config.rules.disable
        return accept(result, waivers, self.options.config, known=self.codes, asked=asked, today=self.today, base=base)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What to compare with: `since` is "merge-base", "baseline" or a revision; `may_fetch` whether a shallow clone may
    be deepened (None: in CI); `tell` is told what takes long or is done instead of what was asked.

    `found` is the commit that `since` means, or why there is none, where git was asked already.
    """

    since: str
    may_fetch: bool | None = None
    tell: Callable[[str], None] = lambda _: None
    found: BaseCommit | NoBaseError | None = None

    def commit(self, root: Path) -> BaseCommit:
        """Raises NoBaseError, and GitError for a revision that there isn't."""
        if isinstance(self.found, NoBaseError):
            raise self.found
        return self.found or base_commit(root, self.since, may_fetch=self.may_fetch, tell=self.tell)


def assessed(scope: Scope, progress: Progress) -> ScanResult:
    """Scan the tree, and settle what of it is accepted. Raises the user's errors."""
    return _assessed(scope, load_waivers(scope.root, scope.limits), progress)


def _assessed(scope: Scope, waivers: tuple[Waiver, ...], progress: Progress) -> ScanResult:
    return scope.accepted(scan(scope.root, scope.rulebook, scope.checks, scope.options, progress), waivers)


def assessed_and_compared(scope: Scope, comparison: Comparison, progress: Progress) -> ScanResult:
    """The same, and what became of each finding since the base: a commit, or the baseline where none is in reach.

    Raises the user's errors; NoBaseError where there is neither.
    """
    waivers = load_waivers(scope.root, scope.limits)
    known = baseline.load(scope.root)
    if comparison.since == BASELINE:
        if known is None:
            raise NoBaseError(f"there is no {scope.root / baseline.FILE}; `assay baseline create` writes one")
        return _compared_with_baseline(scope, waivers, known, progress)
    try:
        commit = comparison.commit(scope.root)
    except NoBaseError as error:
        if known is None:
            raise NoBaseError(f"{error}; or compare with a baseline: `assay baseline create` writes one") from error
        comparison.tell(f"{error}; compared with {baseline.FILE} instead")
        return _compared_with_baseline(scope, waivers, known, progress)
    return _compared_with_commit(scope, waivers, commit, comparison.tell, progress)


def _compared_with_baseline(
    scope: Scope, waivers: tuple[Waiver, ...], known: Baseline, progress: Progress
) -> ScanResult:
    result = _assessed(scope, waivers, progress)
    if scope.options.config.waivers.from_ is WaiversFrom.BASE and (waivers or result.ignores):
        raise NoBaseError(
            '[waivers] from = "base" asks what was accepted at the base; a baseline can\'t tell, a commit can'
        )
    return compared_with_baseline(result, known)


def _compared_with_commit(
    scope: Scope, waivers: tuple[Waiver, ...], commit: BaseCommit, tell: Callable[[str], None], progress: Progress
) -> ScanResult:
    both = scan_with_base(scope.root, scope.rulebook, scope.checks, scope.options, progress, commit.commit)
    if both.why:
        tell(f"at the base there was no backend, so all is new ({both.why})")
    ignores = both.base.ignores if both.base else ()
    at_base = AtBase(_waivers_at(scope, commit.commit), ignores)
    head = scope.accepted(both.head, waivers, replace(at_base, renames=both.renames))
    # The base's scores are compared with the head's, so the same is accepted in both.
    base = scope.accepted(both.base, waivers, at_base) if both.base else None
    changes = changes_from(scope.root, commit.commit)
    return compared_with_commit(
        head,
        base,
        commit.name,
        commit.commit,
        both.renames,
        lambda mark: any(mark.line in lines for lines in changes.lines.get(mark.path, ())),
    )


def _waivers_at(scope: Scope, commit: str) -> tuple[Waiver, ...]:
    def read(path: Path, _: str) -> str | None:
        content = content_at(path.parent.parent, commit, FILE)
        return None if content is None else content.decode("utf-8-sig", "replace")

    try:
        return load_waivers(scope.root, scope.limits, read)
    except (WaiverError, GitError):
        # A file with a mistake in it accepted nothing there.
        return ()


def against(head: ScanResult, base: ScanResult | None, root: Path) -> ScanResult:
    """An earlier scan's result, compared with another one or with the baseline of the tree; else as it was compared."""
    if base is not None:
        commit = base.scanned.commit or ""
        return compared_with_commit(head, base, "an earlier result", commit, {})
    if head.base is not None:
        return head
    known = baseline.load(root)
    return compared_with_baseline(head, known) if known else head


def gated(result: ScanResult, config: Config, today: date) -> ScanResult:
    """With the gate's word on it."""
    return replace(result, gate=evaluate(result, config, today))
