"""Which commit a change is measured against.

Asked for is "merge-base" or a revision. The merge base is where HEAD and the target branch parted: the branch that the
pull request is for, as the CI's environment says it, else the remote's default branch. On that branch itself there is
nothing to part from: what is being written is held against HEAD, a push against what was there before it where the CI
tells, and a commit against its first parent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.scanner.base.environment import Target, before_push, has_merged, is_ci, target_of, whole_clone
from assay.scanner.base.fetching import STEPS, Remote, missing_objects
from assay.scanner.git import Git, GitError

__all__ = ["MERGE_BASE", "BaseCommit", "NoBaseError", "base_commit"]

MERGE_BASE = "merge-base"
_DEFAULTS = ("main", "master")


class NoBaseError(GitError):
    """No base is in reach, by nobody's mistake: a baseline file will do as well. The message says what would help."""


@dataclass(frozen=True, slots=True)
class BaseCommit:
    """The commit, and what a person calls it, such as "merge base of origin/main"."""

    commit: str
    name: str


def base_commit(
    root: Path,
    since: str = MERGE_BASE,
    *,
    environment: Mapping[str, str] = os.environ,
    may_fetch: bool | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> BaseCommit:
    """The commit to compare the working tree around `root` with.

    A shallow clone is deepened, and a target branch that isn't there is fetched, where `may_fetch` (None: in a CI).
    `tell` is told of what is fetched. Raises NoBaseError, and GitError for a revision that there isn't.
    """
    git = Git(root)
    try:
        git.answer("rev-parse", "--git-dir")
    except GitError as error:
        raise NoBaseError(str(error)) from error
    if since == MERGE_BASE and git.commit("HEAD") is None:
        raise NoBaseError("there is no commit yet, so there is nothing to compare with")
    may = is_ci(environment) if may_fetch is None else may_fetch
    remote = Remote.of(git, tell) if may else None
    base = _Search(git, remote, environment).find(since)
    _complete(git, remote, base)
    return base


def _complete(git: Git, remote: Remote | None, base: BaseCommit) -> None:
    """See to it that all of the commit's files are there."""
    missing = missing_objects(git, base.commit)
    if missing and not (remote and remote.fetch_objects(missing)):
        why = f" ({remote.problem})" if remote else ""
        raise NoBaseError(
            f"this clone is partial and doesn't hold all files of {base.name}{why}; clone without a filter"
        )


@dataclass(frozen=True, slots=True)
class _Search:
    """`remote` is None where nothing may be fetched, or there is nowhere to fetch it from."""

    git: Git
    remote: Remote | None
    environment: Mapping[str, str]

    def find(self, since: str) -> BaseCommit:
        if since != MERGE_BASE:
            return self._of_revision(since)
        head = self.git.commit("HEAD")
        target = target_of(self.environment)
        if target and head and has_merged(self.environment, head) and (parent := self._parent()):
            return BaseCommit(parent, f"merge base of {self._remote_name}/{target.branch}")
        if target and (known := self._of_commit(target)):
            return known
        branch = target.branch if target else self._default_branch()
        return self._of_branch(branch)

    def _of_revision(self, revision: str) -> BaseCommit:
        commit = self.git.commit(revision) or self._fetched(revision)
        if commit is None:
            if self.git.is_shallow:
                raise GitError(f"this clone is shallow and doesn't hold {revision!r}; {self._advice}")
            hint = f"; did you mean origin/{revision}?" if self.git.commit(f"origin/{revision}") else ""
            raise GitError(f"git knows no revision {revision!r}{hint}")
        base = self._parted(commit, "")
        if base is None and self.git.is_shallow:
            raise self._unknown(repr(revision))
        return BaseCommit(base or commit, revision if base in (None, commit) else f"merge base of {revision}")

    def _fetched(self, revision: str) -> str | None:
        """A revision that the clone lacks: a branch of the remote, or the name of a commit."""
        if self.remote is None:
            return None
        branch = revision.removeprefix(f"{self.remote.name}/")
        if self.remote.fetch_commit(revision) or self.remote.fetch_branch(branch):
            return self.git.commit(revision) or self.git.commit(f"{self.remote.name}/{branch}")
        return None

    def _of_commit(self, target: Target) -> BaseCommit | None:
        """The base by the commit that the CI names, where it does."""
        if not target.commit:
            return None
        commit = self.git.commit(target.commit)
        if commit is None and self.remote and self.remote.fetch_commit(target.commit):
            commit = self.git.commit(target.commit)
        if commit is None:
            return None
        base = self.git.merge_base(commit, "HEAD") or (
            commit if target.is_past else self._parted(commit, target.branch)
        )
        name = f"{self._remote_name}/{target.branch}" if target.branch else commit[:7]
        return BaseCommit(base, f"merge base of {name}") if base else None

    def _of_branch(self, branch: str) -> BaseCommit:
        name = f"{self._remote_name}/{branch}"
        if self.remote:
            # What an earlier build left here may be behind, and all that others merged since would be taken for ours.
            self.remote.fetch_branch(branch)
        if self.git.commit(f"refs/remotes/{name}") is None:
            if self.git.commit(f"refs/heads/{branch}") is None:
                by_hand = not is_ci(self.environment) and not self.git.is_shallow
                advice = f"run: git fetch {self._remote_name} {branch}" if by_hand else self._advice
                raise NoBaseError(f"this clone doesn't hold the target branch {name}{self._why_not}; {advice}")
            name = branch
        base = self._parted(name, branch if name != branch else "")
        if base is None and self.git.is_shallow:
            raise self._unknown(name)
        if base is None:
            # No baseline file makes up for that: whoever pushes such a branch could write one, too.
            raise GitError(f"{name} and HEAD have no commit in common; name a revision with --since")
        if base != self.git.commit("HEAD"):
            return BaseCommit(base, f"merge base of {name}")
        return self._on_the_branch(base)

    def _on_the_branch(self, head: str) -> BaseCommit:
        """HEAD is on the target branch itself."""
        # In a CI nobody writes code, and what is changed there was changed by the build.
        if not is_ci(self.environment) and self._is_being_changed():
            return BaseCommit(head, "HEAD")
        if (before := self._before_push()) and before != head:
            return BaseCommit(before, "what was there before the push")
        parent = self._parent()
        if parent is None and self.git.is_shallow:
            raise NoBaseError(f"this clone is shallow and doesn't hold HEAD's parent{self._why_not}; {self._advice}")
        # The first commit of all has nothing before it, and what a project begins with is not new to it.
        return BaseCommit(parent, "HEAD~1") if parent else BaseCommit(head, "HEAD")

    def _before_push(self) -> str | None:
        """Where the branch was, if that is in HEAD's past: a push may have rewritten the history."""
        named = before_push(self.environment)
        if named and self.git.commit(named) is None and self.remote:
            self.remote.fetch_commit(named)
        commit = self.git.commit(named) if named else None
        return commit if commit and self._parted(commit, "") == commit else None

    def _is_being_changed(self) -> bool:
        """Whether tracked files were changed, or Python files added."""
        told = self.git.answer(
            *("status", "--porcelain", "-z", "--untracked-files=all", "--ignore-submodules=all", "--no-renames"),
            settings=self.git.without_filters(),
        )
        lines = told.split(b"\0")[:-1]
        return any(not line.startswith(b"??") or line.endswith(b".py") for line in lines)

    def _parent(self) -> str | None:
        """HEAD's first parent."""
        parent = self.git.commit("HEAD^1")
        if parent is None and self.git.is_shallow and self.remote and self.remote.deepen(1):
            parent = self.git.commit("HEAD^1")
        return parent

    def _parted(self, revision: str, branch: str) -> str | None:
        """Where the revision's and HEAD's histories parted; `branch` is the remote's that is deepened with HEAD's."""
        base = self.git.merge_base(revision, "HEAD")
        for step in STEPS:
            if base or not self.remote or not self.git.is_shallow or not self.remote.deepen(step, branch):
                break
            base = self.git.merge_base(revision, "HEAD")
        return base

    def _default_branch(self) -> str:
        """The branch that changes go to where nobody says so."""
        known = self.git.run("symbolic-ref", "--quiet", "--short", f"refs/remotes/{self._remote_name}/HEAD")
        if known.returncode == 0 and self.git.commit(f"refs/remotes/{self._remote_name}/HEAD"):
            return known.stdout.decode(errors="surrogateescape").strip().removeprefix(f"{self._remote_name}/")
        if said := self.environment.get("CI_DEFAULT_BRANCH") or (self.remote and self.remote.default_branch):
            return said
        refs = (
            f"{where}{name}" for where in (f"refs/remotes/{self._remote_name}/", "refs/heads/") for name in _DEFAULTS
        )
        found = next((ref for ref in refs if self.git.commit(ref)), None)
        if found is None:
            raise NoBaseError(
                "nothing tells which branch changes are for; name it with --since, such as --since origin/main"
            )
        return found.rpartition("/")[2]

    @property
    def _remote_name(self) -> str:
        return self.remote.name if self.remote else Remote.name_in(self.git) or "origin"

    @property
    def _advice(self) -> str:
        return whole_clone(self.environment)

    @property
    def _why_not(self) -> str:
        return f" ({self.remote.problem})" if self.remote and self.remote.problem else ""

    def _unknown(self, what: str) -> NoBaseError:
        return NoBaseError(
            f"in this shallow clone it is unknown where {what} and HEAD parted{self._why_not}; {self._advice}"
        )
