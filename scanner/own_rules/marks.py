"""Marks in the files of cases and samples: what is expected, on the line that it is expected of.

`# expect: fail` stands on the subject's line, `# evidence` on a line that proves it, `# plant: API401, API402` on the
line of a planted fault. Where a file can't have comments behind its code (Dockerfiles), a line that holds marks alone
speaks for the next line that is no comment.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from assay.scanner.verdicts import Kind

_MARK = re.compile(r"#\s*(?P<word>expect|evidence|plant)\b(?::\s*(?P<values>\w+(?:,\s*\w+)*))?")
_COMMENT = r"#\s*(?:expect|evidence|plant)\b[^#]*"
_MARKS = re.compile(rf"\s*(?:{_COMMENT})+$")


@dataclass(frozen=True, slots=True)
class Marks:
    """Places as (path relative to the folder, line from 1), with what is expected there."""

    expected: frozenset[tuple[str, int, Kind]]
    evidence: frozenset[tuple[str, int]]
    planted: frozenset[tuple[str, int, str]]


def marks_in(folder: Path) -> Marks:
    """The marks of all files below a folder, documents aside: those speak of marks."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    found = [mark for path in files for mark in _of_file(path, folder)]
    return Marks(
        frozenset((path, line, Kind(value)) for path, line, word, value in found if word == "expect"),
        frozenset((path, line) for path, line, word, _ in found if word == "evidence"),
        frozenset((path, line, value) for path, line, word, value in found if word == "plant"),
    )


def unmarked(text: str) -> str:
    """The text without its marks, line for line: a comment may mean something to a rule, a mark must not."""
    return "\n".join("#" if _MARKS.match(line) else _MARKS.sub("", line) for line in text.split("\n"))


def _of_file(path: Path, folder: Path) -> Iterator[tuple[str, int, str, str]]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    name = path.relative_to(folder).as_posix()
    for index, text in enumerate(lines):
        for mark in _MARK.finditer(text):
            line = _next_code(lines, index) if _MARKS.match(text) else index + 1
            for value in re.split(r",\s*", mark["values"] or ""):
                yield name, line, mark["word"], value


def _next_code(lines: list[str], index: int) -> int:
    following = range(index, len(lines))
    code = (i + 1 for i in following if lines[i].strip() and not lines[i].lstrip().startswith("#"))
    return next(code, index + 1)
