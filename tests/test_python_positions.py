"""Positions, proved against the standard library's `ast` on all the Python there is on this machine.

By default a fixed sample of the files is compared; `pytest --full-corpus` compares every one.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import sysconfig
import tokenize
import unicodedata
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import pytest

from assay.scanner.executors import default_jobs, process_pool
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.python import form
from assay.scanner.readers.python.reader import read

SAMPLE = 40
"""One file in so many is compared by default."""

AST_KNOWS_F_STRINGS = sys.version_info >= (3, 12)
"""Before PEP 701 `ast` parses what is inside an f-string apart, and places it wrongly."""

UNREAD = re.compile(r"^\(\w+(\.\w+)*\):")
"""`(name): annotation` is all of Python that LibCST is known not to take; reading says which line it is."""

Position = tuple[int, int]


class Mark(NamedTuple):
    """A node as both sides see it. Lines and columns count from 1, columns in code points; None: not comparable."""

    kind: str
    name: str
    start: Position | None
    end: Position | None


class Compared(NamedTuple):
    path: str
    marks: int
    differences: list[str]


# --- our side ---------------------------------------------------------------------------------------------------------


def our_marks(facts: form.ModuleFacts) -> Iterator[Mark]:
    todo: list[tuple[form.Expr | form.Stmt, bool]] = [(node, False) for node in facts.body]
    captures: set[form.Name] = set()  # `case x` binds a name that is no Name to `ast`
    while todo:
        node, in_template = todo.pop()
        match node:
            case form.Match(cases=cases):
                captures.update(name for case in cases for name in case.binds)
            case form.Function() | form.Class() | form.Call() | form.Name() if node not in captures:
                start, end = facts.position(node.start), facts.position(node.end)
                unplaced = in_template and not AST_KNOWS_F_STRINGS
                yield Mark(*_kind_and_name(node), *(None, None) if unplaced else (start, end))
            case _:
                pass
        in_template = in_template or isinstance(node, form.Template)
        todo.extend((child, in_template) for child in node.children())


def _kind_and_name(node: form.Function | form.Class | form.Call | form.Name) -> tuple[str, str]:
    match node:
        case form.Name(id=name):
            return "name", unicodedata.normalize("NFKC", name)
        case form.Function(name=name) | form.Class(name=name):
            return type(node).__name__, unicodedata.normalize("NFKC", name)
    return "call", ""


# --- the standard library's side --------------------------------------------------------------------------------------


class Columns:
    """Columns that `ast` counts in bytes of UTF-8, in code points."""

    def __init__(self, text: str) -> None:
        self._lines = [line if not line.isascii() else None for line in re.split(r"\r\n|\r|\n", text)]

    def position(self, line: int, byte_offset: int) -> Position:
        content = self._lines[line - 1]
        if content is None:
            return line, byte_offset + 1
        return line, len(content.encode("utf-8", "surrogatepass")[:byte_offset].decode()) + 1


def their_marks(tree: ast.Module, text: str) -> Iterator[Mark]:
    columns = Columns(text)
    todo: list[tuple[ast.AST, bool]] = [(tree, False)]
    while todo:
        node, in_template = todo.pop()
        kind = {
            ast.Call: "call",
            ast.Name: "name",
            ast.FunctionDef: "Function",
            ast.AsyncFunctionDef: "Function",
            ast.ClassDef: "Class",
        }.get(type(node))
        if kind is not None:
            assert isinstance(node, ast.expr | ast.stmt)
            name = getattr(node, "id", "") or getattr(node, "name", "")
            if in_template and not AST_KNOWS_F_STRINGS:
                yield Mark(kind, name, None, None)
            else:
                assert node.end_lineno is not None
                assert node.end_col_offset is not None
                start = columns.position(node.lineno, node.col_offset)
                yield Mark(kind, name, start, columns.position(node.end_lineno, node.end_col_offset))
        in_template = in_template or isinstance(node, ast.JoinedStr)
        todo.extend((child, in_template) for child in ast.iter_child_nodes(node))


# --- the comparison ---------------------------------------------------------------------------------------------------


def compare(path: str) -> Compared | None:
    """None for a file that the running Python itself doesn't take."""
    data = Path(path).read_bytes()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return None
    try:
        facts = read(data)
    except ReadProblem as problem:
        line = data.decode(errors="replace").splitlines()[problem.line - 1] if problem.line else ""
        return Compared(path, 0, [] if UNREAD.match(line.strip()) else [f"not read: {problem}"])
    return Compared(path, *differences(data, facts, tree))


def differences(data: bytes, facts: form.ModuleFacts, tree: ast.Module) -> tuple[int, list[str]]:
    text = _text(data)
    ours = Counter(_with_semicolon(mark, text, facts) for mark in our_marks(facts))
    theirs = Counter(their_marks(tree, text))
    found = [f"only ours: {mark}" for mark in ours - theirs] + [f"only ast's: {mark}" for mark in theirs - ours]
    # Inside f-strings, where an old `ast` can't judge, a name's place must at least hold the name.
    found += [
        f"not at its place: {node.id}"
        for node in form.walk_body(facts.body)
        if isinstance(node, form.Name) and text[node.start : node.end] != node.id
    ]
    return ours.total(), found


def _with_semicolon(mark: Mark, text: str, facts: form.ModuleFacts) -> Mark:
    """To `ast` a semicolon after the last statement belongs to the definition around it; to us it is trivia."""
    if mark.kind in ("Function", "Class") and mark.end is not None:
        line, column = mark.end
        rest = re.match(r"[ \t]*;", text[facts.line_starts[line - 1] + column - 1 :][:80])
        if rest is not None:
            return mark._replace(end=(line, column + rest.end()))
    return mark


def _text(data: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")).readline)
    return data.decode(encoding)


def _corpus() -> list[str]:
    standard = Path(sysconfig.get_path("stdlib"))
    installed = Path(sysconfig.get_path("purelib"))
    files = chain((p for p in standard.rglob("*.py") if "site-packages" not in p.parts), installed.rglob("*.py"))
    return sorted(str(p) for p in files if p.is_file())


def test_every_position_is_the_one_that_ast_gives(request: pytest.FixtureRequest) -> None:
    files = _corpus()
    if not request.config.getoption("--full-corpus"):
        files = [f for f in files if zlib.crc32(Path(f).name.encode()) % SAMPLE == 0]
    with process_pool(default_jobs()) as pool:
        compared = [c for c in pool.map(compare, files, chunksize=4) if c is not None]
    assert sum(c.marks for c in compared) > 50_000
    assert {c.path: c.differences[:5] for c in compared if c.differences} == {}


TRAPS = {
    "parentheses": "((f)((a), *(b)))\n(yes if (f()) else (no))\n",
    "decorators": "@a.b(c)\n@(d)\n\nasync \\\n def f(x: (T) = (y)) -> (R): pass\n@e\nclass C(B, metaclass=M): x = 1;\n",
    "tabs and form feeds": "if a:\n\tf(b)\n\x0cg()\n\tif c: \x0c h(d)\n".replace("\tif c", "if c"),
    "line continuations": "x = f \\\n  (a, \\\n b) \\\n . g ()\nif a and \\\n b: c()\n",
    "non-ASCII names": "größe = f('äöü', größe, '😀', x)  # ä\nclass Ä(ß): ª = \U0001d4cd(é)\n",
    "white space before a colon": "try: f()\nexcept (A) \t: g()\nexcept B \\\n : h()\nelse : i()\nfinally : j()\n",
    "no line end": "f(a)",
    "trailing blanks": "def f():\n    g()   \n\n    # comment\n\n\n   # other\nh()\n   \n",
    "f-strings": "f(f'{a(b)}' f\"{c!r:>{d}}\", e)\ng(f'é{h}', i)\n",
    "strings over lines": "f('''a\né''', b)\ng('a' \\\n 'é', c)\n",
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("source", TRAPS.values(), ids=TRAPS.keys())
def test_positions_in_spite_of_layout_encoding_and_line_ends(source: str, encoding: str, line_end: str) -> None:
    if encoding == "latin-1":
        source = "# coding: latin-1\n" + source.encode("latin-1", "ignore").decode("latin-1")
    data = source.replace("\n", line_end).encode(encoding)
    assert differences(data, read(data), ast.parse(data))[1] == []
