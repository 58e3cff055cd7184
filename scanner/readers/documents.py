"""Documents in Markdown, reStructuredText and AsciiDoc: what they speak of, not how they look.

Only what tells their subject is read (headings, commands, links, names in capitals), line by line: documentation is
often larger than the code, and no page is ever drawn from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode

_BADGES = (
    ("Snyk", re.compile(r"snyk\.io/(test|advisor|.*badge)")),
    ("Sonar", re.compile(r"sonarcloud\.io/|sonar\.[\w.-]+/api/project_badges")),
    ("Codacy", re.compile(r"(app|api|www)\.codacy\.com/")),
    ("DeepSource", re.compile(r"deepsource\.(io|com)/")),
    ("Code Climate", re.compile(r"codeclimate\.com/|qlty\.sh/")),
    ("PyUp", re.compile(r"pyup\.io/")),
    ("GitGuardian", re.compile(r"gitguardian\.com/")),
    ("CodeQL", re.compile(r"github-code-scanning/codeql")),
    ("FOSSA", re.compile(r"app\.fossa\.(com|io)/")),
    ("Socket", re.compile(r"socket\.dev/")),
)
_HEADING = re.compile(
    r" {0,3}(?P<level>#{1,6}|={2,6}(?=\s+[^=\s]))\s+(?P<text>.*?)\s*#*\s*$|\s*<h(?P<tag>[1-6])[^>]*>(?P<inner>.*?)</h"
)
_UNDERLINE = re.compile(r"([=\-~^\"'`#*+:._])\1{2,}\s*$")
_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_BLOCK = re.compile(r"\s*\.\. (code-block|code|sourcecode|prompt)::|.*::\s*$")
_BOLD = re.compile(r"\s*(\*\*|__)(?P<text>[^*_]{3,60}?):?\1:?\s*$")
_INLINE = re.compile(r"(?<!`)`([^`\n]{3,100})`(?!`)")
_LINK = re.compile(
    r"\]\(\s*<?([^)\s>]+)|href=\"([^\"]+)\"|`[^`]*<([^`>\s]+)>`_|^\[[^\]]+\]:\s*(\S+)|(https?://[^\s<>()\[\]\"'`]+)"
)
_NAME = re.compile(
    r"(?<![A-Za-z0-9_])[A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)+(?![a-z])|(?<![A-Za-z0-9_])[A-Z]{4,}(?![A-Za-z0-9_])"
)
_MOST_COMMANDS = 500
_LOWEST = 6
"""The level of a line in bold."""
_UNSPACED = 15
"""Characters of a sentence in a script that has no spaces."""


class Heading(msgspec.Struct, frozen=True, array_like=True):
    """`level` is 1 for the outermost."""

    level: int
    text: str
    span: Span


class DocumentFacts(msgspec.Struct, frozen=True, array_like=True, tag="document"):
    """One document. `opening` is its first line of prose, `commands` are the lines of code blocks and the code inside
    of lines, `links` what it refers to, as written, `names` the words in capitals, and `badges` the tools whose badges
    it shows.
    """

    headings: tuple[Heading, ...] = ()
    opening: str = ""
    commands: tuple[tuple[str, int], ...] = ()
    links: tuple[tuple[str, int], ...] = ()
    names: tuple[str, ...] = ()
    badges: tuple[tuple[str, Span], ...] = ()


def read(path: str, data: bytes) -> DocumentFacts:  # noqa: ARG001 - every reader has the same signature
    """Read one document. Raises ReadProblem for what is no text."""
    text = decode(data)
    lines = text.split("\n")
    inside = _code_lines(lines)
    prose = [(at, line) for at, line in enumerate(lines, 1) if at not in inside]
    return DocumentFacts(
        tuple(_headings(prose, lines)),
        next((line.strip() for _, line in prose if _is_prose(line)), ""),
        tuple(_commands(lines, inside))[:_MOST_COMMANDS],
        tuple((next(filter(None, m.groups())), at) for at, line in prose for m in _LINK.finditer(line)),
        tuple(sorted(set(_NAME.findall(text.replace("\\_", "_"))))),
        tuple(_badges(text)),
    )


def _commands(lines: list[str], inside: frozenset[int]) -> Iterator[tuple[str, int]]:
    for at, line in enumerate(lines, 1):
        if at in inside:
            if line.strip():
                yield line.strip(), at
        else:
            yield from ((code, at) for code in _INLINE.findall(line))


def _code_lines(lines: list[str]) -> frozenset[int]:
    """The numbers of the lines inside fences and indented literal blocks."""
    found: set[int] = set()
    fence = ""
    block: int | None = None
    is_open = False  # by a blank line, after which four spaces begin a block of code
    for at, line in enumerate(lines, 1):
        opened = _FENCE.match(line)
        if fence:
            if opened is not None and opened[1].startswith(fence):
                fence = ""
            else:
                found.add(at)
        elif opened is not None:
            fence = opened[1]
        elif block is not None and line.strip():
            indent = len(line) - len(line.lstrip())
            if indent > block:
                found.add(at)
            else:
                block = indent if _BLOCK.match(line) else None
        elif block is None and _BLOCK.match(line):
            block = len(line) - len(line.lstrip())
        elif (is_open or at - 1 in found) and line.startswith(("    ", "\t")) and line.strip():
            found.add(at)
        is_open = not line.strip()
    return frozenset(found)


def _headings(prose: list[tuple[int, str]], lines: list[str]) -> Iterator[Heading]:
    levels: dict[str, int] = {}
    for at, line in prose:
        match = _HEADING.match(line)
        if match is not None:
            level, text = (
                (len(match["level"]), match["text"]) if match["level"] else (int(match["tag"]), match["inner"])
            )
            yield Heading(level, _plain(text), Span(at, 1, at, len(line) + 1))
            continue
        bold = _BOLD.match(line)
        if bold is not None:
            yield Heading(_LOWEST, _plain(bold["text"]), Span(at, 1, at, len(line) + 1))
            continue
        under = lines[at] if at < len(lines) else ""
        if line.strip() and _UNDERLINE.match(under) and not _UNDERLINE.match(line) and "|" not in line:
            level = levels.setdefault(under[0], len(levels) + 1)
            yield Heading(level, _plain(line), Span(at, 1, at, len(line) + 1))


def _plain(text: str) -> str:
    return re.sub(r"<[^>]+>|[*`_\[\]]|\([^)]*\)|:\w+:", "", text).strip()


def _is_prose(line: str) -> bool:
    plain = re.sub(r"</?[a-z][^>]*>", "", line).strip()
    unspaced = sum(char > "\u2e80" for char in plain)
    return (len(plain.split()) >= 5 or unspaced >= _UNSPACED) and not plain.startswith(
        ("#", "<", "[!", "![", "|", "..", "-->", "<!--", "[![")
    )


def _badges(text: str) -> Iterator[tuple[str, Span]]:
    for name, pattern in _BADGES:
        badge = pattern.search(text)
        if badge is not None:
            line = text.count("\n", 0, badge.start()) + 1
            yield name, Span(line, 1, line, 1)
