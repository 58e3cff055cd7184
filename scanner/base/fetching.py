"""Getting from the remote what a clone lacks: a target branch, a commit, more of the history.

This is the one place where git is let onto the network, and only in a CI or where the user asks for it. The transport
is then as `.git/config` says (`core.sshCommand`, `credential.helper`): that file is part of no clone but the runner's
own, and without it many could fetch nothing. What has no use here stays off: hooks, submodules, questions to a person,
and other protocols, of which `ext::` would run any program.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from assay.scanner.git import Git, GitError, reason_in, words_of

__all__ = ["STEPS", "Remote", "missing_objects"]

STEPS = (4, 16, 64, 256, 1024)
"""By how many commits a shallow clone is deepened, one after the other, until it holds what is looked for."""
_ENVIRONMENT = {
    "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
    "GIT_NO_LAZY_FETCH": "0",
    "GIT_TERMINAL_PROMPT": "0",
}
_QUIETLY = ("--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-gc", "--no-write-fetch-head")
_SECONDS = 300.0
_BRANCH = re.compile(r"(?!-)(?!.*(\.\.|//|@\{|\.lock(/|$)))[^\x00-\x20\x7f-\x9f~^:?*\[\\]+")
"""A branch's name, by the rules of git-check-ref-format(1) that keep it from being anything else in a refspec."""
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")


_PARTIAL = r"^(extensions\.partialclone|remote\..*\.promisor)$"


def missing_objects(git: Git, commit: str) -> tuple[str, ...]:
    """What a partial clone left out of a commit, by name; nothing of any other clone. Raises GitError."""
    if git.run("config", "--get-regexp", _PARTIAL).returncode:
        return ()
    told = git.answer("rev-list", "--objects", "--missing=print", "--no-walk", commit).decode(errors="replace")
    return tuple(line.removeprefix("?") for line in told.splitlines() if line.startswith("?"))


@dataclass(slots=True)
class Remote:
    """Where the clone came from. `tell` is told what is fetched, `problem` is why the last attempt failed."""

    git: Git
    name: str
    tell: Callable[[str], None]
    problem: str = field(default="", init=False)

    @classmethod
    def of(cls, git: Git, tell: Callable[[str], None]) -> Remote | None:
        """`origin`, or the only one there is."""
        name = cls.name_in(git)
        return cls(git, name, tell) if name else None

    @staticmethod
    def name_in(git: Git) -> str:
        """What the remote is called; empty where there is none, and where there are several and no `origin`."""
        names = git.answer("remote").decode(errors="surrogateescape").splitlines()
        if "origin" in names:
            return "origin"
        return names[0] if len(names) == 1 else ""

    @property
    def default_branch(self) -> str:
        """The branch that the remote itself names; empty where it can't be asked."""
        said = self._ask("ls-remote", "--symref", "--", self.name, "HEAD")
        found = re.match(r"ref: refs/heads/(\S+)\tHEAD\n", said or "")
        return found[1] if found else ""

    def fetch_branch(self, branch: str) -> bool:
        """Bring `refs/remotes/NAME/BRANCH` up to date, in a shallow clone without the history of a new one."""
        if not _BRANCH.fullmatch(branch):
            self.problem = f"{branch!r} is no name of a branch"
            return False
        is_new = self.git.commit(f"refs/remotes/{self.name}/{branch}") is None
        self.tell(f"fetching {self.name}/{branch}")
        return self._fetch(self._depth(is_new), [self._tracked(branch)])

    def fetch_commit(self, name: str) -> bool:
        """Get one commit by its full name, and no history where the clone has none."""
        if not _COMMIT.fullmatch(name):
            self.problem = f"{name!r} is no full name of a commit"
            return False
        self.tell(f"fetching commit {name[:12]}")
        return self._fetch(self._depth(is_new=True), [name])

    def deepen(self, by: int, branch: str = "") -> bool:
        """Get that many more commits of the history of HEAD, and of the branch."""
        head = self.git.commit("HEAD")
        tracked = [self._tracked(branch)] if branch else []
        self.tell(f"this clone is shallow: fetching {by:,} more commits of its history")
        depth = (f"--deepen={by}",)
        # Some servers give a commit only by the name of a branch.
        return self._fetch(depth, [*([head] if head else []), *tracked]) or self._fetch(depth, tracked)

    def fetch_objects(self, names: Iterable[str]) -> bool:
        """Get files that a partial clone left out, by the names of their contents."""
        wanted = "".join(f"{name}\n" for name in names)
        self.tell("this clone is partial: fetching files of the base")
        return self._fetch(("--filter=blob:none", "--stdin"), [], wanted.encode())

    def _depth(self, is_new: bool) -> tuple[str, ...]:
        return ("--depth=1",) if is_new and self.git.is_shallow else ()

    def _tracked(self, branch: str) -> str:
        return f"+refs/heads/{branch}:refs/remotes/{self.name}/{branch}"

    def _fetch(self, how: tuple[str, ...], refspecs: list[str], given: bytes = b"") -> bool:
        return self._ask("fetch", *_QUIETLY, *how, "--", self.name, *refspecs, given=given) is not None

    def _ask(self, *arguments: str, given: bytes = b"") -> str | None:
        """None where it failed, and then `problem` says why."""
        try:
            done = self.git.run(*arguments, given=given, environment=_ENVIRONMENT, timeout=_SECONDS)
        except GitError as error:
            self.problem = str(error)
            return None
        self.problem = ""
        if done.returncode:
            self.problem = reason_in(words_of(done))
            return None
        return done.stdout.decode(errors="replace")
