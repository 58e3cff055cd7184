"""git, asked in a folder that may belong to a stranger: nothing that the repository's configuration names is run."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

__all__ = ["Git", "GitError", "reason_in", "words_of"]


class GitError(Exception):
    """git can't tell; the message is for the user."""


_SETTINGS = (
    "core.fsmonitor=false",
    f"core.hooksPath={os.devnull}",
    # Two people who scan the same tree get the same result: what one of them ignores everywhere is no part of it.
    f"core.excludesFile={os.devnull}",
)
_ENVIRONMENT = {
    "GIT_OPTIONAL_LOCKS": "0",
    # A partial clone would fetch what is missing, by whatever program its configuration names.
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    # What a commit holds is what its name says, whatever the repository would like to show instead.
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C",
}
_OTHER_REPOSITORY = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_DIFF_OPTS"}
    | {"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"}
)
"""What a hook's environment says of the repository that the hook runs in."""

_NOTHING, _NO = "ASSAY_NOTHING", "ASSAY_NO"
"""Variables to set a filter's settings from: `-c` would cut a filter's name at an equals sign in it."""


@dataclass(frozen=True, slots=True)
class Git:
    """git in the folder."""

    root: Path

    def run(
        self,
        *arguments: str,
        settings: Iterable[str] = (),
        given: bytes = b"",
        environment: Mapping[str, str] | None = None,
        timeout: float | None = None,
    ) -> subprocess.CompletedProcess[bytes]:
        """`given` is its standard input, `environment` what it gets besides. Raises GitError where there is no git, and
        where it takes longer than `timeout` seconds.
        """
        try:
            return subprocess.run(  # noqa: S603 - no shell reads it, and what isn't ours is kept from being an option
                self._command(arguments, settings),
                capture_output=True,
                check=False,
                env={**_environment(), **(environment or {})},
                input=given,
                timeout=timeout,
            )
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git {arguments[0]} did not end within {timeout:.0f} seconds") from error
        except OSError as error:
            raise _no_git(error) from error

    def start(self, *arguments: str, given: IO[bytes] | int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """A git whose answer is read bit by bit. Raises GitError where there is no git."""
        try:
            return subprocess.Popen(  # noqa: S603 - as above
                self._command(arguments, ()),
                stdin=given,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=_environment(),
            )
        except OSError as error:
            raise _no_git(error) from error

    def answer(
        self,
        *arguments: str,
        settings: Iterable[str] = (),
        given: bytes = b"",
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        """What it writes. Raises GitError with git's own words."""
        done = self.run(*arguments, settings=settings, given=given, environment=environment)
        if done.returncode == 0:
            return done.stdout
        raise self.error_of(done)

    def error_of(self, done: subprocess.CompletedProcess[bytes]) -> GitError:
        """What went wrong in a run that failed."""
        words = words_of(done)
        if "not a git repository" in words:
            return GitError(f"{self.root} is in no git repository, so nothing tells what changed")
        if owned := re.search(r"dubious ownership in repository at '(.*)'", words):
            # The step that every container needs that builds what somebody else has checked out.
            return GitError(
                f"git trusts no repository of another user; run: git config --global --add safe.directory {owned[1]}"
            )
        return GitError(f"git can't tell what changed: {reason_in(words)}")

    def commit(self, revision: str) -> str | None:
        """The commit that is meant by the revision."""
        done = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        found = done.stdout.decode(errors="replace").strip()
        return found if done.returncode == 0 and re.fullmatch("[0-9a-f]+", found) else None

    def merge_base(self, first: str, second: str) -> str | None:
        """Where the histories of two commits parted; None where they have nothing in common, as far as is known."""
        return self.run("merge-base", first, second).stdout.decode().strip() or None

    def time_of(self, commit: str) -> str:
        """When the commit was made: ISO 8601, UTC. Raises GitError."""
        seconds = int(self.answer("show", "--no-patch", "--format=%ct", commit).strip())
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    def last_change(self, path: str) -> str:
        """When a commit changed the file last: ISO 8601, UTC; empty for one in no commit. Raises GitError."""
        seconds = self.answer("log", "-1", "--format=%ct", "--", f":(literal){path}").strip()
        if not seconds:
            return ""
        return datetime.fromtimestamp(int(seconds), UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    @property
    def prefix(self) -> str:
        """Where the folder lies in its repository: empty at the top, else with `/` at the end. Raises GitError."""
        return os.fsdecode(self.answer("rev-parse", "--show-prefix").removesuffix(b"\n"))

    @property
    def is_shallow(self) -> bool:
        return self.answer("rev-parse", "--is-shallow-repository").strip() == b"true"

    @property
    def untracked(self) -> tuple[str, ...]:
        """What git would add, relative to the folder; a repository of its own has `/` at the end. Raises GitError."""
        return tuple(os.fsdecode(self.answer("ls-files", "--others", "--exclude-standard", "-z")).split("\0")[:-1])

    def without_filters(self) -> tuple[str, ...]:
        """Options that turn off every filter (gitattributes(5)): git would run it on files of the working tree."""
        known = self.run("config", "--null", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process|required)$")
        names = {os.fsdecode(key).rpartition(".")[0] for key in known.stdout.split(b"\0") if key}
        return tuple(
            option
            for name in sorted(names)
            for option in (
                f"--config-env={name}.clean={_NOTHING}",
                f"--config-env={name}.process={_NOTHING}",
                f"--config-env={name}.required={_NO}",
            )
        )

    def _command(self, arguments: Iterable[str], settings: Iterable[str]) -> list[str]:
        chosen = [word for setting in _SETTINGS for word in ("-c", setting)]
        return ["git", "-C", str(self.root), "--no-pager", *chosen, *settings, *arguments]


def words_of(done: subprocess.CompletedProcess[bytes]) -> str:
    """What git said of its work: a remote may have said it, so what a terminal would obey is left out."""
    said = done.stderr.decode(errors="replace")
    return "\n".join("".join(c if c.isprintable() else "?" for c in line) for line in said.split("\n"))


def reason_in(words: str) -> str:
    """The line that says why git failed."""
    lines = words.split("\n")
    return next((line for line in lines if line.startswith(("fatal:", "error:", "remote:"))), "no reason given")


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in _OTHER_REPOSITORY}
    return kept | _ENVIRONMENT | {_NOTHING: "", _NO: "false"}


def _no_git(error: OSError) -> GitError:
    return GitError(f"git can't be run: {error.strerror}; install git, which knows what changed")
