"""The standard library's syntax tree of one file, as both analyzers need it: parsed once, with its source lines."""

from __future__ import annotations

import ast
import re
import sys
import warnings

_LINE_END = re.compile(rb"\r\n|\r|\n")
_UTF8_BOM = b"\xef\xbb\xbf"
_CODING = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


class NotParsableError(Exception):
    """The running interpreter's grammar doesn't take the file."""


def parse(data: bytes) -> ast.Module:
    """Raises NotParsableError with the reason, and the version of the grammar that was tried."""
    with warnings.catch_warnings():
        # The compiler warns of `"\d"` in scanned code; that is for the code's authors.
        warnings.simplefilter("ignore")
        try:
            return ast.parse(data)
        except SyntaxError as error:
            version = f"{sys.version_info.major}.{sys.version_info.minor}"
            raise NotParsableError(f"{error.msg}, line {error.lineno}, in the grammar of Python {version}") from error
        except (ValueError, RecursionError, MemoryError) as error:
            raise NotParsableError(str(error) or type(error).__name__) from error


class Lines:
    """The source's lines, to turn `ast`'s byte offsets into columns."""

    __slots__ = ("_encoding", "_lines")

    def __init__(self, data: bytes) -> None:
        self._encoding = _declared_encoding(data)
        self._lines = _LINE_END.split(data.removeprefix(_UTF8_BOM))

    def column(self, line: int, utf8_offset: int) -> int:
        """The column (from 1, in code points) of a byte offset in the line's UTF-8 form, as `ast` gives it."""
        return len(self._text(line).encode()[:utf8_offset].decode(errors="replace")) + 1

    def end(self, line: int) -> int:
        """The column after the line's last character."""
        return len(self._text(line)) + 1

    def _text(self, line: int) -> str:
        if not 1 <= line <= len(self._lines):
            return ""
        return self._lines[line - 1].decode(self._encoding, errors="replace")


def _declared_encoding(data: bytes) -> str:
    for line in data.split(b"\n", 2)[:2]:
        if (match := _CODING.match(line)) is not None:
            return match[1].decode("ascii")
    return "utf-8"
