"""A Python file's bytes to `ModuleFacts`: decode, parse with LibCST, find positions, lower."""

from __future__ import annotations

import io
import re
import sys
import tokenize
import warnings
from bisect import bisect_right

import libcst as cst

from assay.scanner.diagnostics import Reason
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.python import form
from assay.scanner.readers.python.lower import Lowering
from assay.scanner.readers.python.positions import locate

VERSION = 1
"""Raised whenever the same bytes would give other facts."""

_NEWLINE = re.compile(r"\r\n|\r|\n")
_DEEPEST_TREE = 20_000


def read(data: bytes) -> form.ModuleFacts:
    """Raises ReadProblem for bytes that are no Python text or no Python.

    A file that LibCST's parser can't survive (some 3,000 nested brackets) ends the process: call this in a worker.
    """
    text = _decode(data)
    # LibCST's tree and our walk recurse as deep as the code nests; since 3.11 that costs heap, not C stack.
    sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEEPEST_TREE))
    try:
        module = cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise ReadProblem(Reason.SYNTAX_ERROR, error.message.splitlines()[0], error.raw_line) from error
    spans, hashes = locate(module)
    lowering = Lowering(spans)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the scanned code are not our user's business
        body = lowering.module(module)
    return form.ModuleFacts(
        body=body,
        line_starts=[0, *(match.end() for match in _NEWLINE.finditer(text))],
        comments=_comments(hashes, lowering.string_spans),
    )


def _decode(data: bytes) -> str:
    """By PEP 263: byte order mark, then coding comment, then UTF-8."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError) as error:
        raise ReadProblem(Reason.UNDECODABLE, f"not text in its declared encoding: {error}") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ReadProblem(Reason.SYNTAX_ERROR, "it holds a NUL byte, which no Python accepts", line)
    return text


def _comments(hashes: list[tuple[int, str]], strings: list[tuple[int, int]]) -> list[form.Comment]:
    if strings:
        strings = sorted(strings)
        starts = [start for start, _ in strings]
        hashes = [
            (offset, text)
            for offset, text in hashes
            if not any(start <= offset < end for start, end in strings[: bisect_right(starts, offset)][-8:])
        ]
    return [form.Comment(offset, text) for offset, text in hashes]
