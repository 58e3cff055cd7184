"""Comments that say why a finding is none: `# assay: ignore[API401] cursor is bounded by the caller`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from assay.scanner.acceptance.comments import Comment, comments_of
from assay.scanner.filekinds import FileKind
from assay.scanner.model.place import Location
from assay.scanner.outcomes import FileOutcome
from assay.scanner.readers.python import form
from assay.scanner.readers.python.quick import TestFacts
from assay.scanner.results import IgnoreComment

__all__ = ["gather"]

_MARKER = b"assay:"
"""In files without it nothing is looked for."""
_IGNORE = re.compile(r"[#;]+[ \t]*assay:[ \t]*ignore\b[ \t]*(?P<rest>.*)", re.DOTALL)
_SAID = re.compile(r"\[(?P<codes>[^\]]*)\][ \t:–—-]*(?P<reason>.*)", re.DOTALL)
_NEXT_PRAGMA = re.compile(r"\s#+\s")
_Lines = Callable[[str], Sequence[str]]
"""The lines of a file, by path."""
_Speech = Callable[[int, bool], tuple[int, int]]
"""The lines that a comment speaks of: it stands at the end of a line, or alone above it."""


def gather(outcomes: Iterable[FileOutcome], root: Path, lines: _Lines) -> tuple[IgnoreComment, ...]:
    """All such comments of the files that were read, in the order of path and line, those with mistakes too."""
    return tuple(ignore for outcome in outcomes if _has_marker(outcome, root) for ignore in _of_file(outcome, lines))


def _has_marker(outcome: FileOutcome, root: Path) -> bool:
    if outcome.facts is None:
        return False
    if outcome.kind in (FileKind.PYTHON, FileKind.TEST_CODE):
        # Its comments are among its facts, as they are written.
        return _MARKER in outcome.facts
    try:
        return _MARKER in (root / outcome.path).read_bytes()
    except OSError:
        # It went away after it was read; that its findings stay is the safe side.
        return False


def _of_file(outcome: FileOutcome, lines: _Lines) -> Iterator[IgnoreComment]:
    facts = outcome.decoded()
    if isinstance(facts, TestFacts):
        facts = facts.module
    if isinstance(facts, form.ModuleFacts):
        comments = tuple(Comment(*facts.position(c.start), c.text) for c in facts.comments)
        speech = _python_speech(facts)
    else:
        comments = comments_of(outcome.path, outcome.kind, facts, "\n".join(lines(outcome.path)))
        speech = _line_speech
    for comment in comments:
        if match := _IGNORE.match(comment.text):
            yield _ignore(outcome.path, comment, match["rest"], lines(outcome.path), speech)


def _python_speech(facts: form.ModuleFacts) -> _Speech:
    from assay.scanner.acceptance.spoken import lines_of

    return lambda line, is_alone: lines_of(facts, line, is_alone=is_alone)


def _line_speech(line: int, is_alone: bool) -> tuple[int, int]:  # noqa: ARG001 - the two kinds of files answer alike
    return line, line


def _ignore(path: str, comment: Comment, rest: str, lines: Sequence[str], speech: _Speech) -> IgnoreComment:
    before = lines[comment.line - 1].lstrip("\ufeff")[: comment.column - 1]
    is_alone = not before.strip()
    first, last = speech(_next_line(lines, comment.line) if is_alone else comment.line, is_alone)
    end = comment.column + len(comment.text)
    codes, reason = _said(rest)
    return IgnoreComment(Location(path, comment.line, comment.column, comment.line, end), first, last, codes, reason)


def _next_line(lines: Sequence[str], line: int) -> int:
    """The first line below that is no comment by itself: several comments may stand above one line."""
    while line < len(lines) and lines[line].lstrip().startswith("#"):
        line += 1
    return line + 1


def _said(rest: str) -> tuple[tuple[str, ...], str]:
    """The rules that are named and the reason, which ends where the next tool's comment begins."""
    match = _SAID.match(rest)
    if match is None:
        return (), ""
    codes = tuple(dict.fromkeys(code for part in match["codes"].split(",") if (code := part.strip())))
    reason = _NEXT_PRAGMA.split(f" {match['reason']}", maxsplit=1)[0].strip()
    return codes, reason if re.search(r"\w", reason) else ""
