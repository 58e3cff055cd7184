"""The real comments of files that aren't Python: what only looks like one, inside a value or a heredoc, is none."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

import yaml

from assay.scanner.filekinds import FileKind
from assay.scanner.readers.dockerfile import DockerfileFacts

__all__ = ["Comment", "comments_of"]


class Comment(NamedTuple):
    """A comment with its `#`, and where that stands: line and column count from 1."""

    line: int
    column: int
    text: str


def comments_of(path: str, kind: FileKind, facts: object, text: str) -> tuple[Comment, ...]:
    r"""The comments of a file; none where its format has no comments, or can't tell them from text.

    `text` has `\n` line ends; `facts` are what the file's reader made of it.
    """
    return tuple(_finder(path, kind, facts)(text))


def _finder(path: str, kind: FileKind, facts: object) -> Callable[[str], Iterator[Comment]]:
    name = path.rpartition("/")[2]
    if isinstance(facts, DockerfileFacts):
        return lambda text: _of_dockerfile(text, facts)
    if name.endswith((".yml", ".yaml")):
        return _of_yaml
    if name.endswith(".toml") or name == "Pipfile":
        return _of_toml
    if kind is FileKind.PACKAGE_METADATA and name.endswith((".txt", ".in")):
        return lambda text: _of_lines(text, _AFTER_SPACE)
    if kind in (FileKind.PROCFILE, FileKind.PROXY, FileKind.SHELL) or name.endswith((".ini", ".cfg", ".conf")):
        return lambda text: _of_lines(text, _ALONE)
    return _none


def _none(text: str) -> Iterator[Comment]:  # noqa: ARG001 - as the others
    return iter(())


_ALONE = re.compile(r"^[ \t]*(?P<comment>[#;].*)$")
_AFTER_SPACE = re.compile(r"(?:^|(?<=\s))(?P<comment>#.*)$")
"""pip's own rule for requirements files."""


def _of_lines(text: str, pattern: re.Pattern[str]) -> Iterator[Comment]:
    for number, line in enumerate(text.split("\n"), start=1):
        if match := pattern.search(line):
            yield Comment(number, match.start("comment") + 1, match["comment"])


def _of_dockerfile(text: str, facts: DockerfileFacts) -> Iterator[Comment]:
    """Docker takes whole lines only, between the lines of an instruction too, but not inside a heredoc."""
    heredocs = [i.span for i in facts.instructions if i.heredocs]
    for comment in _of_lines(text, re.compile(r"^[ \t]*(?P<comment>#.*)$")):
        if not any(span.line < comment.line <= span.end_line for span in heredocs):
            yield comment


_TOML = re.compile(
    r"""
    \"{3}(?:\\.|[^\\])*?\"{3,5} | '{3}.*?'{3,5}
    | "(?:\\.|[^"\\\n])*" | '[^'\n]*'
    | (?P<comment>\#[^\n]*)
    """,
    re.VERBOSE | re.DOTALL,
)


def _of_toml(text: str) -> Iterator[Comment]:
    position = _positions(text)
    for match in _TOML.finditer(text):
        if match["comment"]:
            yield Comment(*position(match.start()), match["comment"])


_HASH = re.compile(r"(?:^|(?<=[\s,\[\]{}]))#[^\n]*", re.MULTILINE)
_YAML_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Mark(Protocol):
    """libyaml's marks and PyYAML's own have no common base."""

    @property
    def index(self) -> int: ...


def _of_yaml(text: str) -> Iterator[Comment]:
    """What follows a `#` outside every scalar; nothing where the file isn't YAML yet (a template)."""
    try:
        scalars = [_scalar(token, text) for token in yaml.scan(text, _YAML_LOADER) if _is_scalar(token)]
    except yaml.YAMLError:
        return
    starts = [start for start, _ in scalars]
    position = _positions(text)
    for match in _HASH.finditer(text):
        before = bisect_right(starts, match.start()) - 1
        if before < 0 or match.start() >= scalars[before][1]:
            yield Comment(*position(match.start()), match[0])


def _is_scalar(token: yaml.Token) -> bool:
    return isinstance(token, yaml.ScalarToken)


def _scalar(token: yaml.Token, text: str) -> tuple[int, int]:
    start, end = _index(token.start_mark), _index(token.end_mark)
    return _block(text, start, end) if text[start] in "|>" else (start, end)


def _index(mark: _Mark | None) -> int:
    assert mark is not None, "the scanner marks every token"
    return mark.index


def _block(text: str, start: int, end: int) -> tuple[int, int]:
    """A block scalar without its header, and without what is indented less than its first line.

    Its mark of the end stands at the next token: comments that come before that lie inside (YAML 1.2.2 §8.1).
    """
    body = at = min(text.find("\n", start) + 1 or end, end)
    indent: int | None = None
    while at < end:
        next_line = text.find("\n", at) + 1 or end
        line = text[at:next_line]
        if line.strip():
            depth = len(line) - len(line.lstrip(" "))
            if indent is not None and depth < indent:
                return body, at
            indent = depth if indent is None else indent
        at = next_line
    return body, end


def _positions(text: str) -> Callable[[int], tuple[int, int]]:
    line_starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def position(offset: int) -> tuple[int, int]:
        line = bisect_right(line_starts, offset)
        return line, offset - line_starts[line - 1] + 1

    return position
