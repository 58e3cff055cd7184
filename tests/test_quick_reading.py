"""Tests are read by Python's own parser: their form is the same as LibCST's, but for the data that is left out."""

from __future__ import annotations

import pytest

from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.python import form
from assay.scanner.readers.python.quick import read
from assay.scanner.readers.python.reader import read as read_slowly


def shown(body: list[form.Stmt]) -> list[tuple[str, int, int]]:
    """Names, calls and definitions with their places."""
    kinds = (form.Name, form.Function, form.Class, form.Call, form.Assert, form.Compare, form.With, form.For)
    return [(type(n).__name__, n.start, n.end) for n in form.walk_body(body) if isinstance(n, kinds)]


def test_the_form_is_that_of_the_slow_reader() -> None:
    source = '''
"""Ä test."""
import pytest as p
from .app import app, other as o


@p.mark.parametrize("path, status", [("/ä", 200), (f"/{o}/x", 404)])
async def test_reads(client, path: str, status=200, *rest, key=None, **more):
    with client, o(1) as c:
        for x in [1, 2]:
            assert (await c.get(path + "ü", key=-1)).status_code == status, "é"
    try:
        x = y = not a and b or c[1:2]
    except (A, B) as error:
        raise error from None
    else:
        lambda q=1: q
    while x if y else z:
        x += [i for i in range(3) if i]


class Tests(Base, metaclass=M):
    url = "/{}".format(1)
'''.encode()
    assert shown(read("", source).module.body) == shown(read_slowly(source).body)


def test_rows_are_left_out() -> None:
    (statement,) = read("", b"order = Order(name='a', lines=[Line(count=3)])\n").module.body
    assert isinstance(statement, form.Assign)
    assert isinstance(statement.value, form.Call)
    assert statement.value.args == []


def test_paths_in_mappings_are_kept() -> None:
    (kept, left) = read("", b"a = {'path': url, 'data': {}}\nb = {'name': 'x'}\n").module.body
    assert isinstance(kept, form.Assign)
    assert isinstance(left, form.Assign)
    assert isinstance(kept.value, form.Dict)
    assert isinstance(left.value, form.Opaque)


def test_comments_that_speak_to_assay_are_kept() -> None:
    facts = read("", b"x = 1  # assay: ignore[TEST204] it is a demonstration\n").module
    assert [c.text for c in facts.comments] == ["# assay: ignore[TEST204] it is a demonstration"]


def test_what_is_no_python_is_a_problem() -> None:
    with pytest.raises(ReadProblem):
        read("", b"def (:\n")
