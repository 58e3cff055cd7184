"""Which lines a change touches, as git tells it: from where a revision and HEAD parted to the files as they are now."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from assay.scanner.model.place import Location
from assay.scanner.results import ScanResult, Since

_WHOLE = range(1, sys.maxsize)


class ChangesError(Exception):
    """git can't tell what changed; the message is for the user."""


@dataclass(frozen=True, slots=True)
class Changes:
    """The changed lines by path, relative to the scanned root; all that lies in `new_folders` (with `/`) is new.

    `base` is the commit that the files are compared with.
    """

    revision: str
    base: str
    lines: Mapping[str, tuple[range, ...]]
    new_folders: tuple[str, ...] = ()

    def touch(self, place: Location) -> bool:
        """Whether a changed line is in the place; a whole file is touched by any change in it."""
        if place.path.startswith(self.new_folders):
            return True
        changed = self.lines.get(place.path, ())
        if place == Location.whole_file(place.path):
            return bool(changed)
        # The end is exclusive, so a place that ends in column 1 has nothing of that line.
        last = place.end_line - (place.end_column == 1 and place.end_line > place.line)
        return any(lines.start <= last and place.line < lines.stop for lines in changed)


def only_changed(result: ScanResult, changes: Changes) -> ScanResult:
    """The result without the findings that have neither their place nor evidence in a changed line.

    What is no finding stays, and so do scores.
    """
    shown = tuple(v for v in result.verdicts if not v.is_finding or any(map(changes.touch, v.places)))
    cited = {place.path for v in shown if v.is_finding for place in v.places}
    since = Since(changes.revision, changes.base, len(result.verdicts) - len(shown))
    return replace(
        result,
        scanned=replace(result.scanned, since=since),
        verdicts=shown,
        sources={path: lines for path, lines in result.sources.items() if path in cited},
    )


def changes_since(root: Path, revision: str) -> Changes:
    """What a pull request onto the revision would show, and what isn't committed yet. Raises ChangesError."""
    git = Git(root)
    prefix = os.fsdecode(git.answer("rev-parse", "--show-prefix").removesuffix(b"\n"))
    base = _base(git, revision)
    untracked = os.fsdecode(git.answer("ls-files", "--others", "--exclude-standard", "-z")).split("\0")[:-1]
    patch = git.answer("diff-index", *_PATCH, base, "--", settings=_without_filters(git))
    lines = {
        path.removeprefix(prefix): ranges for path, ranges in _changed_lines(patch).items() if path.startswith(prefix)
    }
    lines = {path: ranges if _has_gits_lines(root / path) else (_WHOLE,) for path, ranges in lines.items()}
    lines |= dict.fromkeys(untracked, (_WHOLE,))
    # A repository of its own, which git names but doesn't look into.
    return Changes(revision, base, lines, tuple(path for path in untracked if path.endswith("/")))


# --- asking git -------------------------------------------------------------------------------------------------------

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
    "LC_ALL": "C",
}
_OTHER_REPOSITORY = frozenset(
    {"GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_NAMESPACE", "GIT_DIFF_OPTS"}
    | {"GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"}
)
"""What a hook's environment says of the repository that the hook runs in."""
_PATCH = (
    "--patch",
    "--unified=0",
    "--inter-hunk-context=0",
    "--no-color",
    "--no-ext-diff",
    "--no-textconv",
    # Else the tree's own .gitattributes could declare its code to be binary, which has no lines.
    "--text",
    "--find-renames",
    "--ignore-submodules=all",
    "--no-relative",
    "--src-prefix=a/",
    "--dst-prefix=b/",
)


@dataclass(frozen=True, slots=True)
class Git:
    """git in the folder, which may belong to a stranger: nothing that its configuration names is run."""

    root: Path

    def run(self, *arguments: str, settings: Iterable[str] = ()) -> subprocess.CompletedProcess[bytes]:
        """Raises ChangesError where there is no git."""
        chosen = [word for setting in _SETTINGS for word in ("-c", setting)]
        command = ["git", "-C", str(self.root), "--no-pager", *chosen, *settings, *arguments]
        environment = {name: value for name, value in os.environ.items() if name not in _OTHER_REPOSITORY}
        try:
            return subprocess.run(  # noqa: S603 - no shell reads it, and what isn't ours is kept from being an option
                command,
                capture_output=True,
                check=False,
                env=environment | _ENVIRONMENT | {_NOTHING: "", _NO: "false"},
                stdin=subprocess.DEVNULL,
            )
        except OSError as error:
            raise ChangesError(f"--since asks git, which can't be run: {error.strerror}; install git") from error

    def answer(self, *arguments: str, settings: Iterable[str] = ()) -> bytes:
        """Raises ChangesError with git's own words."""
        done = self.run(*arguments, settings=settings)
        if done.returncode == 0:
            return done.stdout
        words = done.stderr.decode(errors="replace")
        if "not a git repository" in words:
            raise ChangesError(f"{self.root} is in no git repository, so --since can't tell what changed")
        first = next((line for line in words.splitlines() if line.startswith(("fatal:", "error:"))), "no reason given")
        raise ChangesError(f"--since: git can't tell what changed: {first}")

    def commit(self, revision: str) -> str | None:
        """The commit that is meant by the revision."""
        done = self.run("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
        found = done.stdout.decode(errors="replace").strip()
        return found if done.returncode == 0 and re.fullmatch("[0-9a-f]+", found) else None

    def time_of(self, commit: str) -> str:
        """When the commit was made: ISO 8601, UTC. Raises ChangesError."""
        seconds = int(self.answer("show", "--no-patch", "--format=%ct", commit).strip())
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    @property
    def is_shallow(self) -> bool:
        return self.answer("rev-parse", "--is-shallow-repository").strip() == b"true"


def _base(git: Git, revision: str) -> str:
    """Where the revision and HEAD parted; the revision itself where they have nothing in common."""
    commit = git.commit(revision)
    if commit is None:
        if git.is_shallow:
            raise ChangesError(f"--since: this clone is shallow and doesn't hold {revision!r}; {_FETCH}")
        hint = f"; did you mean origin/{revision}?" if git.commit(f"origin/{revision}") else ""
        raise ChangesError(f"--since: git knows no revision {revision!r}{hint}")
    merge_base = git.run("merge-base", commit, "HEAD").stdout.decode().strip()
    if not merge_base and git.is_shallow:
        raise ChangesError(f"--since: in this shallow clone it is unknown where {revision!r} and HEAD parted; {_FETCH}")
    return merge_base or commit


_FETCH = "fetch the whole history first: git fetch --unshallow, or fetch-depth: 0 in a GitHub workflow"

_NOTHING, _NO = "ASSAY_NOTHING", "ASSAY_NO"
"""Variables to set a filter's settings from: `-c` would cut a filter's name at an equals sign in it."""


def _without_filters(git: Git) -> Iterator[str]:
    """Options that turn off every filter (gitattributes(5)): git would run it on files of the working tree."""
    keys = git.run("config", "--null", "--name-only", "--get-regexp", r"^filter\..*\.(clean|process|required)$").stdout
    names = {os.fsdecode(key).rpartition(".")[0] for key in keys.split(b"\0") if key}
    for name in sorted(names):
        yield from (f"--config-env={name}.clean={_NOTHING}", f"--config-env={name}.process={_NOTHING}")
        yield f"--config-env={name}.required={_NO}"


# --- reading its answer -----------------------------------------------------------------------------------------------

_HUNK = re.compile(rb"@@ -\d+(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def _changed_lines(patch: bytes) -> dict[str, tuple[range, ...]]:
    """The changed lines of each file's new text. What is deleted stood between two lines, and touches both."""
    found: defaultdict[str, tuple[range, ...]] = defaultdict(tuple)
    path = ""
    lines = iter(patch.split(b"\n"))
    for line in lines:
        if line.startswith(b"+++ "):
            path = _new_path(line.removeprefix(b"+++ "))
        elif hunk := _HUNK.match(line):
            old, start, new = (1 if number is None else int(number) for number in hunk.groups())
            found[path] += (range(start, start + new) if new else range(start, start + 2),)
            _pass_over(lines, old + new)
    # A deleted file has no new path.
    found.pop("", None)
    return dict(found)


def _pass_over(lines: Iterator[bytes], number: int) -> None:
    """Leave a hunk's text behind unread: it may look like anything, a header too."""
    while number:
        # "\ No newline at end of file" is no line of either text.
        number -= not next(lines).startswith(b"\\")


def _new_path(written: bytes) -> str:
    """A path as a patch has it: quoted as in C where it holds odd characters, with a tab behind where it has spaces."""
    path = written.removesuffix(b"\t")
    if path.startswith(b'"'):
        path = path[1:-1].decode("unicode_escape").encode("latin-1")
    return os.fsdecode(path.removeprefix(b"b/")) if path != b"/dev/null" else ""


def _has_gits_lines(path: Path) -> bool:
    """git ends lines at line feeds alone, Python at carriage returns too: such a file is taken as a whole."""
    try:
        return path.is_symlink() or not path.is_file() or re.search(rb"\r(?!\n)", path.read_bytes()) is None
    except OSError:
        return True
