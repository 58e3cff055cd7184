"""What a hook before a commit is told of the changed files: what of it is accepted, and what is new."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from assay.scanner.acceptance.accepting import accept
from assay.scanner.acceptance.waivers import load_waivers
from assay.scanner.assess import BASELINE, Scope
from assay.scanner.base.commits import MERGE_BASE
from assay.scanner.baseline import load as load_baseline
from assay.scanner.comparison import compared_with_commit
from assay.scanner.engine import without_forgeries
from assay.scanner.fast.judging import FastScan
from assay.scanner.git import Git, GitError
from assay.scanner.options import Options, Progress
from assay.scanner.results import ScanResult


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
