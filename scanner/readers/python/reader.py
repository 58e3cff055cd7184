"""A Python file's bytes to `ModuleFacts`: decode, parse, find positions, lower.

Python's own parser is several times as fast as LibCST, which reads what this Python doesn't take: code for a newer one.
Both come to the same facts.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import warnings
from bisect import bisect_right

import libcst as cst

from assay.scanner.diagnostics import Reason
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.python import depth, form, native
from assay.scanner.readers.python.lower import BadLiteralError, Lowering
from assay.scanner.readers.python.positions import locate

_CST_PLACE = re.compile(r"error at (\d+):\d+")
_TOO_DEEP = "its code is nested too deeply to be followed"


def read(data: bytes) -> form.ModuleFacts:
    """Raises ReadProblem for bytes that are no Python text, no Python, or nested too deeply to be walked.

    A file that LibCST's parser can't survive (some 3,000 nested brackets) ends the process: call this in a worker.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes in the scanned code are not our user's business
        text = _decode(data)
        facts = native.facts_of(text)
        if facts is not None:
            return facts
        module = _parse(data, text)
        try:
            with depth.while_reading():
                return _facts(module, text)
        except RecursionError as error:
            raise ReadProblem(Reason.READER_CRASHED, _TOO_DEEP) from error


def _parse(data: bytes, text: str) -> cst.Module:
    try:
        return cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise _syntax_problem(data, error) from error
    except (cst.CSTValidationError, cst.CSTLogicError) as error:
        # Strings of several kinds side by side; of these LibCST 1.9 takes too few: two t-strings are valid Python.
        message = f"the parser does not take it: {error}"
        raise ReadProblem(Reason.SYNTAX_ERROR, message) from error
    except UnicodeEncodeError as error:  # a declared encoding that decodes to lone surrogates
        raise ReadProblem(Reason.UNDECODABLE, f"not text in its declared encoding: {error}") from error


def _syntax_problem(data: bytes, error: cst.ParserSyntaxError) -> ReadProblem:
    """In the words of Python's own compiler where that finds fault too: they are far better than a parser's."""
    try:
        ast.parse(data)
    except SyntaxError as python_error:
        return ReadProblem(Reason.SYNTAX_ERROR, python_error.msg, python_error.lineno)
    except (ValueError, MemoryError, RecursionError):
        pass
    place = _CST_PLACE.search(error.message)
    line = int(place[1]) if place else None
    return ReadProblem(Reason.SYNTAX_ERROR, "Python takes it, but LibCST, which Assay reads code with, doesn't", line)


def _facts(module: cst.Module, text: str) -> form.ModuleFacts:
    spans, hashes = locate(module, text)
    lowering = Lowering(spans)
    line_starts = form.line_starts_of(text)
    try:
        body = lowering.module(module)
    except BadLiteralError as error:
        line = bisect_right(line_starts, error.offset)
        raise ReadProblem(Reason.SYNTAX_ERROR, error.message, line) from error
    return form.ModuleFacts(lowering.mentions, body, line_starts, _comments(hashes, lowering.string_spans))


def _decode(data: bytes) -> str:
    """By PEP 263: byte order mark, then coding comment, then UTF-8."""
    try:
        lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")  # `tokenize` doesn't know the old Macintosh's
        encoding, _ = tokenize.detect_encoding(io.BytesIO(lines).readline)
        text = data.decode(encoding)
    except (SyntaxError, ValueError, LookupError) as error:
        line = data.count(b"\n", 0, error.start) + 1 if isinstance(error, UnicodeDecodeError) else None
        raise ReadProblem(Reason.UNDECODABLE, f"not text in its declared encoding: {error}", line) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ReadProblem(Reason.SYNTAX_ERROR, "it holds a NUL byte, which no Python accepts", line)
    return text


def _comments(hashes: list[tuple[int, str]], strings: list[tuple[int, int]]) -> list[form.Comment]:
    outermost: list[tuple[int, int]] = []
    for start, end in sorted(strings):
        if not outermost or start >= outermost[-1][1]:
            outermost.append((start, end))
    starts = [start for start, _ in outermost]

    def is_text(offset: int) -> bool:
        before = bisect_right(starts, offset)
        return before > 0 and offset < outermost[before - 1][1]

    return [form.Comment(offset, text) for offset, text in hashes if not is_text(offset)]
