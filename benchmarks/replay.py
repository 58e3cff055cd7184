"""Replays histories, and holds what matching says of findings against git: `python benchmarks/replay.py REPOSITORY`.

Each commit's tree is judged; the findings of neighbouring commits are matched as the gate matches head and base.
"""

from __future__ import annotations

import gc
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from pathlib import Path

import click
import msgspec
from msgspec.structs import replace
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from assay.scanner.base.tree import write_tree
from assay.scanner.cache import Cache
from assay.scanner.cli import wiring
from assay.scanner.engine import NothingToScanError, scan
from assay.scanner.git import Git
from assay.scanner.matching import Mark, mark_of, marked, match
from assay.scanner.options import Options
from assay.scanner.recall import Recall
from benchmarks.environment import BUILD
from benchmarks.line_map import LineMap, line_map

MOST_NOISE = 0.02
"""Share of commits that may call an old finding new."""
MOST_HIDDEN = 0.04
"""Share of really added findings that may be called old."""
_KEPT = BUILD / "replay"


class Finding(msgspec.Struct, frozen=True, array_like=True):
    """A finding with what it is matched by, and its line."""

    mark: Mark
    text: str


class Truth(StrEnum):
    """What git says of a finding."""

    UNCHANGED = "unchanged"
    """Its line is as it was, and had the finding."""
    EDITED = "edited"
    """Its line took the place of one that had a finding of the rule, or stands in a patch beside one that did."""
    MOVED = "moved"
    """Its line was removed elsewhere, where it had the finding; or its subject, which has a name of its own, had it."""
    ADDED = "added"


@dataclass(slots=True)
class Tally:
    """What became of findings of each truth, and of commits."""

    commits: int = 0
    with_noise: int = 0
    matched: Counter[Truth] = field(default_factory=Counter)
    unmatched: Counter[Truth] = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)

    @property
    def noise(self) -> float:
        return self.with_noise / self.commits if self.commits else 0.0

    def kept(self, truth: Truth) -> float:
        """The share of findings of the truth that are matched, and so not new."""
        every = self.matched[truth] + self.unmatched[truth]
        return self.matched[truth] / every if every else 0.0

    def all(self, truth: Truth) -> int:
        return self.matched[truth] + self.unmatched[truth]

    def add(self, other: Tally) -> None:
        self.commits += other.commits
        self.with_noise += other.with_noise
        self.matched += other.matched
        self.unmatched += other.unmatched


@click.command()
@click.argument("repositories", nargs=-1, required=True, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--commits", default=40, show_default=True, help="How many changes to replay.")
@click.option("--skip", default=0, show_default=True, help="How many of the newest to leave out.")
@click.option("--least", default=50, show_default=True, help="How many lines of Python a commit has to change.")
@click.option("--only-fails", is_flag=True, help="Leave reviews and analyzers' findings out.")
@click.option("--examples", is_flag=True, help="Show each finding that is called what it isn't.")
@click.option("--fresh", is_flag=True, help="Judge anew what an earlier replay has judged.")
def main(
    repositories: tuple[Path, ...], commits: int, skip: int, least: int, only_fails: bool, examples: bool, fresh: bool
) -> None:
    """Replay changes of each of the REPOSITORIES, and print what matching calls old and new beside what git says."""
    console = Console(width=None if sys.stdout.isatty() else 130, highlight=False)
    table = Table(title=f"{commits} changes each" + (", fails alone" if only_fails else ""))
    for column in ("repository", "commits", "with noise", "unchanged", "called new", "added", "called old"):
        table.add_column(column, justify="left" if column == "repository" else "right")
    for column in ("edited", "kept", "moved", "kept"):
        table.add_column(column, justify="right")
    total = Tally()
    for repository in repositories:
        names = _history(repository, commits + 1, skip, least)
        tally = Tally()
        judge = Judge(repository, fresh)
        for number, (new, old) in enumerate(pairwise(names), start=1):
            if not sys.stdout.isatty():
                print(f"{repository.name} {number}/{len(names) - 1} {old[:9]}..{new[:9]}", file=sys.stderr, flush=True)
            pair = (judge.findings(old), judge.findings(new))
            before, after = (tuple(f for f in found if not only_fails or _is_fail(f)) for found in pair)
            compare(before, after, line_map(repository, old, new), new, tally)
        table.add_row(*_row(repository.resolve().name, tally))
        total.add(tally)
        if examples:
            console.print("\n".join(tally.examples), markup=False)
    table.add_row(*_row("all", total))
    console.print(table)
    called_old = total.kept(Truth.ADDED)
    met = total.noise <= MOST_NOISE and called_old <= MOST_HIDDEN
    console.print(
        f"commits with noise {total.noise:.1%} (at most {MOST_NOISE:.0%}), added called old {called_old:.1%} "
        f"(at most {MOST_HIDDEN:.0%}): {'met' if met else 'NOT MET'}"
    )
    sys.exit(not met)


def _is_fail(finding: Finding) -> bool:
    return finding.mark.kind == "fail"


def _row(name: str, tally: Tally) -> Iterator[str]:
    yield from (name, str(tally.commits), f"{tally.with_noise} ({tally.noise:.1%})")
    yield from (f"{tally.all(Truth.UNCHANGED):,}", str(tally.unmatched[Truth.UNCHANGED]))
    yield from (str(tally.all(Truth.ADDED)), f"{tally.matched[Truth.ADDED]} ({tally.kept(Truth.ADDED):.1%})")
    for truth in (Truth.EDITED, Truth.MOVED):
        yield from (str(tally.all(truth)), f"{tally.kept(truth):.0%}")


def _history(repository: Path, number: int, skip: int, least: int) -> list[str]:
    """The newest commits of the first parents' line that change so many lines of Python, tests aside; newest first."""
    told = Git(repository).answer(
        *(
            "log",
            "--first-parent",
            "--diff-merges=first-parent",
            "--numstat",
            "--format=%x00%H",
            f"--skip={skip}",
            "HEAD",
        ),
        *("--", "*.py", ":(exclude,glob)**/test*/**", ":(exclude,glob)**/*test*.py"),
    )
    found = []
    for part in told.decode(errors="replace").split("\0")[1:]:
        name, *files = part.split("\n")
        counts = [word for line in files for word in line.split("\t")[:2] if word.isdigit()]
        if sum(map(int, counts)) >= least:
            found.append(name)
        if len(found) == number:
            break
    return found


# --- judging ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judge:
    """Judges commits of a repository, and remembers what it found in them."""

    repository: Path
    is_fresh: bool = False

    def findings(self, commit: str) -> tuple[Finding, ...]:
        """Of the commit's tree; none where it holds no backend."""
        if commit not in self._known:
            kept = self._kept(commit)
            self._known[commit] = self._judged(commit) if kept is None else kept
        return self._known[commit]

    def _kept(self, commit: str) -> tuple[Finding, ...] | None:
        file = self._file(commit)
        if self.is_fresh or not file.exists():
            return None
        with suppress(msgspec.MsgspecError):
            return tuple(map(_marked_anew, msgspec.msgpack.decode(file.read_bytes(), type=tuple[Finding, ...])))
        return None

    def _judged(self, commit: str) -> tuple[Finding, ...]:
        gc.collect()
        gc.disable()  # as the command line does: a model is large, and has no use for collections
        rulebook = wiring.rulebook()
        options = Options(jobs=1, recall=Recall(Cache.open(_KEPT / "cache")))
        with tempfile.TemporaryDirectory(prefix="assay-replay-") as folder:
            tree = write_tree(self.repository, commit, Path(folder), options.config.discovery)
            try:
                result = scan(tree.root, rulebook, wiring.checks(), options)
            except NothingToScanError:
                return ()
        found = tuple(
            Finding(mark_of(f, result), result.line(f.location.path, f.location.line)) for f in result.findings
        )
        self._file(commit).parent.mkdir(parents=True, exist_ok=True)
        self._file(commit).write_bytes(msgspec.msgpack.encode(found))
        return found

    def _file(self, commit: str) -> Path:
        return _KEPT / self.repository.resolve().name / f"{commit}.msgpack"

    @cached_property
    def _known(self) -> dict[str, tuple[Finding, ...]]:
        return {}


def _marked_anew(finding: Finding) -> Finding:
    """What a finding is known by is what gets better from one replay to the next."""
    was = finding.mark
    return replace(finding, mark=marked(was.rule, was.kind, was.path, was.line, was.subject, was.text))


# --- the truth --------------------------------------------------------------------------------------------------------


class _Untaken:
    """Findings of the earlier commit that stand for none of the later one yet, by whatever is looked for."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._findings = findings
        self._left = set(range(len(findings)))

    def take(self, wanted: Callable[[Mark, str], bool], best: Callable[[Mark], object] = lambda _: 0) -> bool:
        """Take one that is wanted, the best first, then the first of the text; whether there is any."""
        found = [
            place for place in sorted(self._left) if wanted(self._findings[place].mark, self._findings[place].text)
        ]
        if not found:
            return False
        self._left.remove(min(found, key=lambda place: (best(self._findings[place].mark), place)))
        return True


def truths(old: Sequence[Finding], new: Sequence[Finding], lines: LineMap) -> list[Truth]:
    """What git says of each of the new findings: one to one, the surest first."""
    groups: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
    for finding in old:
        groups[finding.mark.rule, finding.mark.kind].append(finding)
    untaken = {key: _Untaken(group) for key, group in groups.items()}
    found: dict[int, Truth] = {}
    for truth, is_it in (
        (Truth.UNCHANGED, _was_at_its_line),
        (Truth.EDITED, _was_in_its_hunk),
        (Truth.MOVED, _was_removed_elsewhere),
        (Truth.EDITED, _was_removed_beside_it),
        (Truth.MOVED, _had_its_subject),
    ):
        for place, finding in enumerate(new):
            group = untaken.get((finding.mark.rule, finding.mark.kind))
            if place not in found and group is not None and is_it(finding, group, lines):
                found[place] = truth
    return [found.get(place, Truth.ADDED) for place in range(len(new))]


def _was_at_its_line(finding: Finding, untaken: _Untaken, lines: LineMap) -> bool:
    mark, file = finding.mark, lines.of(finding.mark.path)
    line = file.old_line(mark.line)
    return line is not None and untaken.take(
        lambda old, _: (old.path, old.line) == (file.old, line), best=lambda old: old.subject != mark.subject
    )


def _was_in_its_hunk(finding: Finding, untaken: _Untaken, lines: LineMap) -> bool:
    file = lines.of(finding.mark.path)
    hunk = file.hunk(finding.mark.line)
    return hunk is not None and untaken.take(lambda old, _: old.path == file.old and old.line in hunk.old)


def _was_removed_beside_it(finding: Finding, untaken: _Untaken, lines: LineMap) -> bool:
    file = lines.of(finding.mark.path)
    near = file.surroundings(finding.mark.line)
    return near is not None and untaken.take(
        lambda old, _: old.path == file.old and old.line in near.old and lines.is_removed(old.path, old.line)
    )


def _was_removed_elsewhere(finding: Finding, untaken: _Untaken, lines: LineMap) -> bool:
    if lines.of(finding.mark.path).hunk(finding.mark.line) is None:
        return False
    words = finding.text.split()
    return untaken.take(lambda old, text: text.split() == words and lines.is_removed(old.path, old.line))


def _had_its_subject(finding: Finding, untaken: _Untaken, _: LineMap) -> bool:
    mark = finding.mark
    return not mark.is_placed and untaken.take(lambda old, _: old.subject == mark.subject)


def _shown(finding: Finding) -> str:
    mark = finding.mark
    return f"{mark.path}:{mark.line} {mark.rule} {mark.kind} {mark.subject} {finding.text.strip()!r}"


def compare(old: Sequence[Finding], new: Sequence[Finding], lines: LineMap, name: str, tally: Tally) -> None:
    """Count what matching says of each new finding by what git says of it."""

    def is_changed(mark: Mark) -> bool:
        return lines.of(mark.path).hunk(mark.line) is not None

    matches = match([f.mark for f in old], [f.mark for f in new], lines.renames, is_changed)
    matched = {m.new: m for m in matches}
    has_noise = False
    for place, truth in enumerate(truths(old, new, lines)):
        (tally.matched if place in matched else tally.unmatched)[truth] += 1
        is_noise = truth is Truth.UNCHANGED and place not in matched
        has_noise |= is_noise
        if is_noise or (truth is Truth.ADDED and place in matched):
            said = f"{matched[place].state} from {_shown(old[matched[place].old])}" if place in matched else "new"
            tally.examples.append(f"{name[:9]} {truth}, called {said}: {_shown(new[place])}")
    tally.commits += 1
    tally.with_noise += has_noise


if __name__ == "__main__":
    main()
