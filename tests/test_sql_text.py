"""The abstract value of a text: literal pieces and holes agree with what Python itself makes of the same code."""

from __future__ import annotations

import re
import string
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.dataflow.checks import lets_no_metacharacter_through
from assay.scanner.dataflow.sources import RequestSources, path_parameters
from assay.scanner.dataflow.sql_shape import positions, reads_as_sql
from assay.scanner.dataflow.strings import TextReader
from assay.scanner.dataflow.text import MOST_ALTERNATIVES, Text, TextHole, Texts, few
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Module
from assay.scanner.model.origin import Origin
from assay.scanner.model.role import Role
from assay.scanner.model.sql import Position
from assay.scanner.readers.python import form
from assay.scanner.readers.python.reader import read

NAMES = ("alpha", "beta", "gamma")
MARKS = {name: f"\x02{name}\x03" for name in NAMES}
"""What the names stand for when Python evaluates: strings that no literal holds."""


def project(**modules: str) -> Project:
    return Project([Module(f"{name}.py", name, Role.PROD, read(source.encode())) for name, source in modules.items()])


def texts_at_use(*, main: str, **modules: str) -> Texts:
    """What the argument of `use(...)` can be."""
    linked = project(main=main, **modules)
    reader = TextReader(linked, RequestSources(linked, {}))
    call, scope = next(linked.calls_named("use"))
    return reader.texts(call.args[0].value, reader.state_at(call, scope))


def shown(texts: Texts) -> set[str]:
    """Each alternative with its holes in braces."""
    return {"".join(p if isinstance(p, str) else f"{{{_name(p)}:{p.origin}}}" for p in t.pieces) for t in texts}


def _name(hole: TextHole) -> str:
    return form.dotted(hole.node) or type(hole.node).__name__


# --- agreement with Python ---


@dataclass(frozen=True)
class Built:
    """An expression as source."""

    source: str


literals = st.text(alphabet=string.ascii_letters + " '=,()\"%{}\n", max_size=8)


def _literal(text: str) -> str:
    return repr(text)


def _template(parts: list[str]) -> str:
    """An f-string of literals and names; names are told by being in NAMES."""
    inside = "".join(
        f"{{{p}}}" if p in NAMES else p.replace("{", "{{").replace("}", "}}").replace("'", "").replace('"', "")
        for p in parts
    ).replace("\n", "\\n")
    return f"f'{inside}'"


def _percent(parts: list[str]) -> str:
    names = [p for p in parts if p in NAMES]
    pattern = "".join("%s" if p in NAMES else p.replace("%", "%%") for p in parts)
    return f"({pattern!r} % ({''.join(n + ', ' for n in names)}))" if names else repr(pattern.replace("%%", "%"))


def _format(parts: list[str]) -> str:
    names = [p for p in parts if p in NAMES]
    pattern = "".join("{}" if p in NAMES else p.replace("{", "{{").replace("}", "}}") for p in parts)
    return f"{pattern!r}.format({', '.join(names)})"


def _join(parts: list[str]) -> str:
    return f"', '.join([{', '.join(p if p in NAMES else repr(p) for p in parts)}])"


parts = st.lists(st.one_of(literals, st.sampled_from(NAMES)), max_size=5)
leaves = st.one_of(
    literals.map(_literal),
    st.sampled_from(NAMES),
    parts.map(_template),
    parts.map(_percent),
    parts.map(_format),
    parts.map(_join),
)
expressions = st.recursive(
    leaves, lambda inner: st.tuples(inner, inner).map(lambda p: f"({p[0]} + {p[1]})"), max_leaves=6
)


@given(expressions)
def test_pieces_and_holes_agree_with_python(expression: str) -> None:
    source = f"def build({', '.join(NAMES)}):\n    return use({expression})\n"
    (text,) = texts_at_use(main=source)
    mine = "".join(p if isinstance(p, str) else MARKS[_name(p)] for p in text.pieces)
    assert mine == eval(expression, dict(MARKS))
    assert len(text.holes) == sum(mine.count(mark) for mark in MARKS.values())


@given(st.lists(st.tuples(st.booleans(), literals), max_size=6), st.integers(0, 63))
def test_every_path_through_branches_is_among_the_alternatives(steps: list[tuple[bool, str]], taken: int) -> None:
    lines = ["def build(flags):", "    q = 'start'"]
    expected = "start"
    for index, (is_optional, text) in enumerate(steps):
        if is_optional:
            lines += [f"    if flags[{index}]:", f"        q += {text!r}"]
        else:
            lines.append(f"    q = q + {text!r}")
        if not is_optional or taken >> index & 1:
            expected += text
    lines.append("    use(q)")
    texts = texts_at_use(main="\n".join(lines))
    assert all(t.literal is not None for t in texts)
    if 2 ** sum(optional for optional, _ in steps) <= MOST_ALTERNATIVES:
        assert expected in {t.literal for t in texts}


@given(st.lists(st.lists(st.integers(0, 60), max_size=3), min_size=1, max_size=80))
def test_no_hole_is_lost_when_alternatives_are_dropped(rows: list[list[int]]) -> None:
    scope = project(main="").modules["main.py"].scope
    nodes = [form.Name(start=0, end=0, id=f"n{i}") for i in range(61)]
    texts = [Text.of([str(i), *(TextHole(nodes[n], scope, Origin.UNKNOWN) for n in row)]) for i, row in enumerate(rows)]
    kept = few(texts)
    assert {id(h.node) for t in kept for h in t.holes} == {id(nodes[n]) for row in rows for n in row}


# --- flow ---


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("q = 'a'\nq = 'b'\nuse(q)", {"b"}),
        ("q = 'a'\nif x: q = 'b'\nuse(q)", {"a", "b"}),
        ("q = 'a'\nif x:\n    q = 'b'\n    return\nuse(q)", {"a"}),
        ("q = 'a'\nfor i in x: q += 'b'\nuse(q)", {"a", "ab", "abb"}),
        ("q = 'a'\ntry:\n    q = 'b'\nexcept E: raise\nuse(q)", {"b"}),
        ("q = 'a' if x else 'b'\nuse(q)", {"a", "b"}),
        ("use({'x': 'a', 'y': 'b'}[x])", {"a", "b"}),
        ("use({'x': 'a', 'y': 'b'}.get(x, 'c'))", {"a", "b", "c"}),
        ("use({'x': 'a', 'y': 'b'}['y'])", {"b"}),
        ("parts = ['a']\nparts.append('b')\nuse(' AND '.join(parts))", {"a AND b"}),
        ("use(','.join(['?'] * len(x)))", {"?,?"}),
        ("use(','.join('?' for _ in x))", {"?,?"}),
        ("import textwrap\nuse(textwrap.dedent('  a'))", {"a"}),
        ("use('  a '.strip().upper())", {"A"}),
        ("a, b = 'one', 'two'\nuse(b + a)", {"twoone"}),
        ("d = {'n': x}\nuse('%(n)s!' % d)", {"{x:parameter}!"}),
        ("use('%d' % x)", {"{x:typed}"}),
        ("use(f'{int(x)}')", {"{int:typed}"} | {"{Call:typed}"}),
        ("for t in ('a', 'b'): use('from ' + t)", {"from a", "from b"}),
        ("for t, u in [('a', 1), ('b', 2)]: use('from ' + t)", {"from a", "from b"}),
        ("def f(): q = 'inner'\nq = 'outer'\nuse(q)", {"outer"}),
        ("q = 'SELECT 1, '\nuse(q[:-2])", {"SELECT 1"}),
    ],
)
def test_flow_in_one_function(body: str, expected: set[str]) -> None:
    source = "def build(x):\n" + "\n".join("    " + line for line in body.split("\n"))
    assert shown(texts_at_use(main=source)) & expected == shown(texts_at_use(main=source))
    if not any("{" in e for e in expected):
        assert shown(texts_at_use(main=source)) == expected


def test_constants_of_other_modules_classes_and_helpers() -> None:
    found = texts_at_use(
        main=(
            "import consts\nfrom consts import TABLE as T\n"
            "class Q:\n    tail = ' LIMIT 1'\n    def run(self):\n"
            "        use('SELECT ' + consts.cols() + ' FROM ' + T + self.tail)\n"
        ),
        consts="BASE = 'mem'\nTABLE = BASE + 'bers'\ndef cols(more=False):\n    return 'a, b' if more else 'a'\n",
    )
    assert shown(found) == {"SELECT a, b FROM members LIMIT 1", "SELECT a FROM members LIMIT 1"}


def test_a_helper_is_read_with_the_arguments_it_is_given() -> None:
    found = texts_at_use(
        main="def wrap(inner, n=1):\n    return f'({inner})'\ndef build(x):\n    use(wrap('a') + wrap(x))\n"
    )
    assert shown(found) == {"(a)({inner:parameter})"}


def test_a_sum_of_hundreds_of_terms() -> None:
    source = "def build(x):\n    use(" + " + ".join(["'a'"] * 900 + ["x"]) + ")\n"
    assert shown(texts_at_use(main=source)) == {"a" * 900 + "{x:parameter}"}


# --- sources and checks ---

FLASK = (
    "from flask import request, abort\nimport re\nALLOWED = {'a', 'b'}\n"
    "NAME = re.compile('[a-z]+')\nANY = re.compile('.+')\ndef view():\n"
)


@pytest.mark.parametrize(
    ("body", "origin"),
    [
        ("x = request.args['x']", Origin.REMOTE),
        ("x = request.args.get('x')", Origin.REMOTE),
        ("x = request.args.get('x').strip().lower()", Origin.REMOTE),
        ("x = request.get_json()['a']['b']", Origin.REMOTE),
        ("data = request.form\nx = data['x']", Origin.REMOTE),
        ("x = request.args.get('x', type=int)", Origin.TYPED),
        ("x = int(request.args['x'])", Origin.TYPED),
        ("x = request.args['x']\nif x not in ALLOWED: abort(400)", Origin.CONSTANT_SET),
        ("x = request.args['x']\nif x not in ALLOWED: print(x)", Origin.REMOTE),
        ("x = request.args['x']\nif x in ALLOWED: return", Origin.REMOTE),
        ("x = request.args['x']\nif not (x in ALLOWED and y): return", Origin.CONSTANT_SET),
        ("x = request.args['x']\nif not re.fullmatch('[a-z]+', x): return", Origin.PATTERN),
        ("x = request.args['x']\nif re.fullmatch('[a-z]+', x) is None: return", Origin.PATTERN),
        ("x = request.args['x']\nif not re.fullmatch('.+', x): return", Origin.REMOTE),
        ("x = request.args['x']\nif not re.match('[a-z]+', x): return", Origin.REMOTE),
        ("x = request.args['x']\nif not x.isalnum(): return", Origin.PATTERN),
        ("x = request.args['x']\nif not NAME.fullmatch(x): return", Origin.PATTERN),
        ("x = request.args['x']\nif not ANY.fullmatch(x): return", Origin.REMOTE),
        ("x = request.args['x']\nassert x in ALLOWED", Origin.REMOTE),
        ("x = request.args['x']\nx = 'fixed ' + y", Origin.UNKNOWN),
    ],
)
def test_origin_of_what_a_client_sends(body: str, origin: Origin) -> None:
    source = FLASK + "\n".join("    " + line for line in [*body.split("\n"), "use(f'-{x}-')"])
    assert {h.origin for t in texts_at_use(main=source) for h in t.holes} == {origin}


@pytest.mark.parametrize(
    ("pattern", "whole", "safe"),
    [
        (r"[a-z_]{1,30}", True, True),
        (r"^[A-Za-z0-9_-]+$", False, True),
        (r"\w+", True, True),
        (r"\w+", False, False),
        (r".*", True, False),
        (r"[^;]+", True, False),
        (r"[ -~]+", True, False),
        (r"\S+", True, False),
        (r"[a-z' ]+", True, False),
        (r"(asc|desc)", True, True),
    ],
)
def test_patterns(pattern: str, whole: bool, safe: bool) -> None:
    assert lets_no_metacharacter_through(pattern, whole=whole) is safe
    if safe:
        anchored = re.compile(pattern)
        assert not any(anchored.fullmatch(f"a{mark}b") for mark in "'\";() ")


def test_path_parameters_of_every_framework() -> None:
    assert path_parameters("/a/<int:id>/<name>/{slug}/{n:int}/{d:\\d+}") == {
        "id": True, "name": False, "slug": False, "n": True, "d": True,
    }  # fmt: skip
    assert path_parameters(r"^a/(?P<pk>\d+)/(?P<slug>[\w-]+)/$") == {"pk": True, "slug": False}


# --- shape ---


@pytest.mark.parametrize(
    ("sql", "position"),
    [
        ("SELECT a FROM t WHERE b = {}", Position.VALUE),
        ("SELECT a FROM t WHERE b = '{}'", Position.QUOTED_VALUE),
        ("SELECT a FROM t WHERE b LIKE '%{}%'", Position.QUOTED_VALUE),
        ('SELECT a FROM t WHERE b = "{}"', Position.QUOTED_VALUE),
        ("SELECT a FROM t WHERE b IN ({})", Position.VALUE),
        ("INSERT INTO t (a, b) VALUES (1, {})", Position.VALUE),
        ("SELECT a FROM t LIMIT {}", Position.VALUE),
        ("SELECT a FROM t LIMIT 10 OFFSET {}", Position.VALUE),
        ("UPDATE t SET a = {} WHERE b = 1", Position.VALUE),
        ("UPDATE {} SET a = 1", Position.IDENTIFIER),
        ("SELECT a FROM {}", Position.IDENTIFIER),
        ("SELECT a FROM public.{}", Position.IDENTIFIER),
        ('SELECT a FROM "{}"', Position.IDENTIFIER),
        ("SELECT a FROM `{}`", Position.IDENTIFIER),
        ("SELECT a FROM t JOIN {} ON true", Position.IDENTIFIER),
        ("SELECT {} FROM t", Position.IDENTIFIER),
        ("SELECT a FROM t ORDER BY {}", Position.IDENTIFIER),
        ("SELECT a FROM t ORDER BY a, {}", Position.IDENTIFIER),
        ("INSERT INTO t ({}) VALUES (1)", Position.IDENTIFIER),
        ("SELECT a FROM t WHERE {} = 1", Position.IDENTIFIER),
        ("SELECT a FROM t WHERE {}", Position.CLAUSE),
        ("SELECT a FROM t {}", Position.CLAUSE),
        ("SELECT * FROM ({}) x", Position.CLAUSE),
    ],
)
def test_position_of_a_hole(sql: str, position: Position) -> None:
    scope = project(main="").modules["main.py"].scope
    before, after = sql.split("{}")
    hole = TextHole(form.Name(start=0, end=0, id="x"), scope, Origin.UNKNOWN)
    assert positions(Text.of([before, hole, after])) == [(hole, position)]


@pytest.mark.parametrize(
    ("text", "is_sql"),
    [
        ("SELECT 1", True),
        ("  with a as (select 1)", True),
        ("select", False),
        ("hello there", False),
        ("-- x\nDROP TABLE t", True),
    ],
)
def test_reads_as_sql(text: str, is_sql: bool) -> None:
    assert reads_as_sql(Text.of([text])) is is_sql
