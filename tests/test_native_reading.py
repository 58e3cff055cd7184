"""Python's own parser and LibCST come to the same facts, to the last offset."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import msgspec
import pytest

from assay.scanner.readers.python import native
from assay.scanner.readers.python.reader import read
from tests.programs import program_of

FIXTURES = Path(__file__).parent.parent / "fixtures"

SNIPPETS = (
    # brackets and commas
    "x = ((a), b)", "x = (a), (b)", "x = (  (a),  )  ", "x = (a,)\ny = a,\nz = (a),", "x = ()", "x = ( # c\n )",
    "x = (\n  # hi\n  a,  # (there\n  b,  # ,)\n)", "f((a, b))", "f((a))", "for (x, y), z in (a): pass",
    "for x, in y: z", "f(a)(b for c in d)", "f( (x) for x in (y) )", "f((x for x in y))",
    "(a for b in c for d in (e) if (f) if g)", "((a, b) for b in c)", "del (x), (y)", "del x, y ,", "del a,",
    "del (a, b)", "del (a);", "assert (a, b), c", "with (a, b): pass", "with (a): pass", "with (yield): pass",
    "x = yield a, b", "(a := 1)", "x = (yield)",
    # indices
    "a[b : ]", "a[ : ]", "a[b:\n  ]", "a[: , 1]", "a[b:c: ]", "x[b[c]:d , e: # f\n , g]", "a[(1), 2]", "a[1,]",
    "a[(1,)]", "x[(a, b), c]", "x[()]", "x[a:b, ...]", "x[*a]", "x[*a, b]", "d[a, *(x for y in (z))] += 1",
    # strings and numbers
    'x["a" "b"]', '("a" # c\n  "b.c")', 'f"{a}" "b.c" r"\\d"', 'u"a.b"', '"\\ud800"', '"a\\\r\nb"',
    "x = '''a\r\nb'''\r\ny", 'a = b"x" b"y"', "x = ''  \"b\"", 'f"{x!r:>{y}} {z=}"', "f'''{\n a\n + b}'''",
    'x = f"{{}}"', 'f"\\N{BULLET}{a}"', 'f"{a!s}" f"{b}"', 'x = {f"a{b}": "c" "d"}', "x = '''\n# no comment\n''' # one",
    "x = f'''\n# no comment {a}\n''' # one", 'x = "a\\"b" # c', 'x = f"{a["b"]}" # c', 'x = f"{a["#"]}" # c',
    'x = f"{f"{a}"}"', 'x = t"{a}"', "--1", "x = -(1)", "-True", "0xffffffffffffffff", "-9223372036854775808", "1e999",
    "1j", "...", "x = 5 .real",
    # statements
    "def f():\n  x = 1; pass; del x;\n\ny=1", "if a:\n  x;\nelif b: y;\nelse: z ;", "while x:\n if a: y ;#b",
    "try:\n  x;\nexcept E as e: z ;\n", "try:\n pass\nexcept* E: pass", "if a:\n  pass\nelse:\n  if b: pass",
    "@a.b(c)\n@d\nasync def f(a, /, b: int = 1, *c, d: 'x.y' = (1), **e: g) -> 'a.b': 'text'",
    "lambda *a, b=1, **c: (a, b)",
    "class A(b, *c, d=1, **e):\n  'text'\n  def f(self): return self.a\n  # end\n\n# more", "f(a, b=1, *c, **d, e=2)",
    "import a.b as c, d", "from .. import a as b, c", "from . import (b, c as e,)", "from x import *", "a: int",
    "global a, b",
    "async def f():\n async with (a as b, c): pass\n async for x in y: return [x async for x in (y) if (await z)]",
    "match x:\n case 1 | [y, *_]: pass", "type X[T] = list[T]", "def f[T](x: T) -> T: pass", "raise (A) from (b)",
    # operators and layout
    "a < b < c not in d is not e", "a and (b and c) and d or e", "(a and b) and c", "(a or b) or c or d",
    "a @ b ** -c // ~d", "x = a if (b) else (c)", "{**a, 'b': c, **(d)}", "[*a, *b], {*c}", "{a: b for c in (d)}",
    "x\\\n.y", "(x\n .y # c\n .z)", "if 1:\n\tx = 1 \\\n  + 2", "\x0cx = 1", "'ä'; x # ä", "ä = 1",
    "x = 'ä' 'a', b, 'ü.b'", "f'ä{a}' # c", "#\n#!x\nx#",
)  # fmt: skip


@pytest.mark.parametrize("source", SNIPPETS)
def test_a_snippet_is_read_alike(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_read_alike(source, monkeypatch)


def test_whole_applications_are_read_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    files = sorted((FIXTURES / "backends").rglob("*.py"))

    assert files
    for file in files:
        assert_read_alike(file.read_bytes().decode(), monkeypatch)


@pytest.mark.parametrize("seed", range(60))
def test_whatever_is_written_is_read_alike(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_read_alike(program_of(seed).text, monkeypatch)


def test_code_of_others_is_read_alike(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own library, whose authors use all of the language; a part of it, but for --full-corpus."""
    files = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    chosen = files if request.config.getoption("--full-corpus") else files[::12]

    assert len(chosen) > 10
    for file in chosen:
        assert_read_alike(file.read_bytes().decode(errors="replace"), monkeypatch)


def test_libcst_reads_only_what_it_has_to() -> None:
    assert native.facts_of("x = [f'{a}', 'b' 'c', (1, 2)]\n") is not None


def assert_read_alike(source: str, monkeypatch: pytest.MonkeyPatch) -> None:
    quickly = native.facts_of(source)
    with monkeypatch.context() as patch:
        patch.setattr(native, "facts_of", lambda _: None)
        slowly = read(source.encode())
    if quickly is not None:
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(quickly)) == msgspec.msgpack.decode(
            msgspec.msgpack.encode(slowly)
        )
