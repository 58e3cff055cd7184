"""Lowering: constants are what Python says they are, nothing is lost, and every Python from 3.8 on is read."""

from __future__ import annotations

import ast
import warnings
from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.scanner.diagnostics import Reason
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.python import form
from assay.scanner.readers.python.reader import read

QUOTES = ("'", '"', "'''", '"""')


def lowered(expression: str) -> form.Expr:
    (statement,) = read(f"x = {expression}\n".encode()).body
    assert isinstance(statement, form.Assign)
    assert statement.value is not None
    return statement.value


def called(source: str) -> list[str | None]:
    """Names of the functions that are called, as `walk` meets them."""
    nodes = list(form.walk_body(read(source.encode()).body))
    assert len({id(node) for node in nodes}) == len(nodes), "a node was met twice"
    return [form.dotted(node.func) for node in nodes if isinstance(node, form.Call)]


# --- constants --------------------------------------------------------------------------------------------------------


@st.composite
def string_tokens(draw: st.DrawFn) -> str:
    """One string literal of some prefix and quote; its body may hold escapes, right ones and wrong ones."""
    prefix = draw(st.sampled_from(["", "r", "R", "u", "U"]))
    quote = draw(st.sampled_from(QUOTES))
    pieces = st.sampled_from(
        ["a", "é", "😀", " ", "#", "{", "}", "%s", "\\n", "\\\\", "\\'", '\\"', "\\x41", "\\u00e9", "\\N{DASH}",
         "\\N{EM DASH}", "\\101", "\\q", "\\x4", "\\\n", "\\", "'", '"', "\n"]
    )  # fmt: skip
    return f"{prefix}{quote}{''.join(draw(st.lists(pieces, max_size=8)))}{quote}"


@given(st.lists(string_tokens(), min_size=1, max_size=3).map(" ".join))
@settings(deadline=None, max_examples=400)
def test_strings_have_the_value_that_python_gives_them(source: str) -> None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of wrong escapes
            expected = ast.literal_eval(f"({source})")
    except (SyntaxError, ValueError):
        expected = None
    try:
        value: object = lowered(f"({source})")
    except ReadProblem as problem:
        value = problem.reason
    if expected is None:
        assert value is Reason.SYNTAX_ERROR
    else:
        assert isinstance(value, form.Const)
        assert value.value == expected


@given(st.text(max_size=30), st.sampled_from(["", "f", "t"]))
@settings(deadline=None)
def test_any_text_that_repr_can_write_is_read_back(text: str, prefix: str) -> None:
    value = lowered(prefix + repr(text).replace("{", "{{").replace("}", "}}") if prefix else repr(text))
    if isinstance(value, form.Template):
        assert "".join(part for part in value.parts if isinstance(part, str)) == text
    else:
        assert isinstance(value, form.Const)
        assert value.value == text


@pytest.mark.parametrize(
    "source",
    ["0", "0x1F", "0o17", "0b1_0", "1_000", "00", "9223372036854775807", "1.5", "1e3", "1_0.0_1", ".5", "5.", "1e400",
     "-1", "- 1.5", "--1", "True", "None", "'a' 'b'", "'a' r'\\n'"],
)  # fmt: skip
def test_literals_have_the_value_that_python_gives_them(source: str) -> None:
    value = lowered(source)
    assert isinstance(value, form.Const)
    expected = eval(source)
    assert (value.value, type(value.value)) == (expected, type(expected))


@pytest.mark.parametrize("source", ["9" * 20, "9" * 5000, "1j", "...", "b'a'", "b'a' b'c'"])
def test_what_no_stage_looks_into_is_opaque(source: str) -> None:
    assert isinstance(lowered(source), form.Opaque)


def test_a_lone_surrogate_is_replaced_for_no_facts_could_hold_it() -> None:
    value = lowered(r"'a\ud800b'")
    assert isinstance(value, form.Const)
    assert value.value == "a?b"


def test_line_ends_inside_strings_are_python_s_not_the_file_s() -> None:
    (first, second) = read(b"x = '''a\r\nb'''\r\ny = f'''a\r\n{b}'''\r\n").body
    assert isinstance(first, form.Assign)
    assert isinstance(first.value, form.Const)
    assert first.value.value == "a\nb"
    assert isinstance(second, form.Assign)
    assert isinstance(second.value, form.Template)
    assert second.value.parts[0] == "a\n"


# --- f-strings --------------------------------------------------------------------------------------------------------


def shape(template: form.Expr) -> list[object]:
    """Text parts, and for holes their source name, conversion and spec."""
    assert isinstance(template, form.Template)

    def of(parts: list[str | form.Hole]) -> list[object]:
        return [p if isinstance(p, str) else (form.dotted(p.value), p.conversion, of(p.spec or [])) for p in parts]

    return of(template.parts)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("f'a{b}c'", ["a", ("b", None, []), "c"]),
        ("f'{b!r}{{x}}'", [("b", "r", []), "{x}"]),
        ("f'{b:>10}'", [("b", None, [">10"])]),
        ("f'{b:{width}.{digits!s}}'", [("b", None, [("width", None, []), ".", ("digits", "s", [])])]),
        ("f'{b=}'", ["b=", ("b", "r", [])]),
        ("f'{ b = !s}'", [" b = ", ("b", "s", [])]),
        ("f'{b=:d}'", ["b=", ("b", None, ["d"])]),
        ("f'\\n{b}\"'", ["\n", ("b", None, []), '"']),
        ("rf'\\n{b}'", ["\\n", ("b", None, [])]),
        ("f'\\N{DIGIT ONE}{b}'", ["1", ("b", None, [])]),
        ("'a' f'{b}' 'c' f'd'", ["a", ("b", None, []), "c", "d"]),
        ("t'a{b}'", ["a", ("b", None, [])]),
        ("f'''\"\"\"\\t{b}'''", ['"""\t', ("b", None, [])]),
    ],
)
def test_f_strings_keep_their_text_and_their_holes(source: str, expected: list[object]) -> None:
    assert shape(lowered(source)) == expected


CONSTRUCTS = (
    "f({}, *{}, k={}, **{})", "({}).attr", "({} + {})", "(not {} and {} or -{})", "({} < {} is not {})", "[{}, *{}]",
    "{{{}: {}, **{}}}", "{{{}, {}}}", "name[{}:{}:{}, *{}]", "[{} for a in {} if {} for b in {}]",
    "{{{}: {} for a in {}}}", "(lambda a={}, *b, c={}: {})", "({} if {} else {})", "(w := {})",
)  # fmt: skip


def _nested(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    simple = st.sampled_from(["f()", "name", "f(1)", "(f() + f(2))"])
    return st.one_of(
        *(st.builds(c.format, *[inner] * c.replace("{{", "").replace("}}", "").count("{")) for c in CONSTRUCTS),
        st.builds("f'a{{{}}}b{{{}!r:{{{}}}}}'".format, simple, simple, simple),
    )


EXPRESSIONS = st.recursive(st.sampled_from(["f()", "name", "1"]), _nested, max_leaves=8)
"""Calls of `f`, nested in every construct there is."""

STATEMENTS = (
    "def g(a: {0} = {1}, /, *b: {0}, c={1}, **d) -> {0}:\n    return {1}",
    "@{0}\nclass C({1}, metaclass={0}):\n    x: {1} = {0}",
    "x = y[{0}] = {1}",
    "x += {0}",
    "assert {0}, {1}",
    "raise_ = 1\nif {0}:\n    pass\nelif {1}:\n    pass",
    "for a[{0}] in {1}:\n    pass\nelse:\n    {0}",
    "while {0}:\n    {1}",
    "with ({0} as a, {1} as b.c):\n    pass",
    "try:\n    {0}\nexcept {1} as e:\n    {0}\nelse:\n    {1}\nfinally:\n    {0}",
    "try:\n    {0}\nexcept* {1}:\n    raise {0} from {1}",
    "match {0}:\n    case [a, *b] if {1}:\n        {0}\n    case {{'k': K(v=1)}}:\n        {1}",
    "del x[{0}], y[{1}]",
)


@given(st.sampled_from(STATEMENTS), EXPRESSIONS, EXPRESSIONS)
@settings(deadline=None, max_examples=300)
def test_walk_meets_every_call_and_name_exactly_once(statement: str, first: str, second: str) -> None:
    source = statement.format(first, second)
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    ours, theirs = Counter(called(source)), Counter[str | None]()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            theirs[node.func.id if isinstance(node.func, ast.Name) else None] += 1
    assert ours == theirs


@given(st.sampled_from(STATEMENTS), EXPRESSIONS, EXPRESSIONS)
@settings(deadline=None, max_examples=100)
def test_facts_survive_the_way_through_msgpack(statement: str, first: str, second: str) -> None:
    try:
        facts = read(statement.format(first, second).encode())
    except ReadProblem:
        return
    data = msgspec.msgpack.encode(facts)
    again = msgspec.msgpack.decode(data, type=form.ModuleFacts)
    assert msgspec.to_builtins(again) == msgspec.to_builtins(facts)
    assert msgspec.msgpack.encode(again) == data


# --- every Python's syntax --------------------------------------------------------------------------------------------

SYNTAX = {
    "positional-only parameters (3.8)": ("def g(a, b=f(), /, c=f()): pass", 2),
    "walrus (3.8)": ("if (n := f()) > g(): pass", 2),
    "decorator of any expression (3.9)": ("@x[f()].y(g()) or (lambda a: h())\ndef d(): pass", 4),
    "parenthesised with (3.10)": ("with (f() as a, g() as b,): h()", 3),
    "match (3.10)": ("match f():\n    case A(x=1) | B.C if g(): h()\n    case {'a': [1, *_], **rest}: i()", 4),
    "match as a name": ("match = f()\nmatch(g())\ncase = match.h()", 4),
    "except* (3.11)": ("try: f()\nexcept* (A, B) as e: g()", 2),
    "star in an index (3.11)": ("x[f(), *g()]", 2),
    "star in an annotation (3.11)": ("def h(*args: *f()): pass", 1),
    "generic function (3.12)": ("def h[T: f(), *Ts, **P](a: T) -> g(): pass", 2),
    "generic class (3.12)": ("class C[T: f()](g()): pass", 2),
    "type alias (3.12)": ("type X[T: f()] = g()", 2),
    "type as a name": ("type = f()\ntype(g())\ntype.x[h()]", 4),
    "PEP 701 f-string (3.12)": ("x = f'{f('a' + f\"{g('b')}\")}'\ny = f'{\n    h()  # why\n}'", 3),
    "type parameter default (3.13)": ("class C[T = f()]: pass", 1),
    "except without parentheses (3.14)": ("try: f()\nexcept A, B: g()", 2),
    "t-string (3.14)": ("x = t'{f()} and {g():{h()}}'", 3),
    "lambda defaults": ("x = lambda a=f(), *, b=g(): h()", 3),
    "async comprehension": ("async def z():\n    return [f(x) async for x in g() if await h()]", 3),
    "async with and for": ("async def z():\n    async with f() as a:\n        async for b in g(): await h()", 3),
    "global and nonlocal": ("def z():\n    global a\n    def y():\n        nonlocal b\n        b = f()", 1),
    "star assignment": ("a, *b = *f(), g()", 2),
    "return and yield of stars": ("def z():\n    yield *f(), 1\n    return *g(), 2", 2),
    "yield from": ("def z():\n    x = yield from f()\n    y = yield", 1),
    "print to a stream": ("print(f(), file=g())", 3),
    "continued lines": ("x = f(\n)\\\n  .g()", 2),
    "semicolons": ("f(); g();", 2),
    "one-line bodies": ("class A: x = f(); y = g()", 2),
}


@pytest.mark.parametrize(("source", "calls"), SYNTAX.values(), ids=SYNTAX.keys())
def test_syntax_of_every_python_is_read(source: str, calls: int) -> None:
    assert len(called(source)) == calls


def test_patterns_keep_what_they_bind_and_compare_with() -> None:
    source = "match x:\n    case {Color.RED: a, 'k': B(c, d=1), **rest} | [E.F, *others] as whole: pass\n"
    (statement,) = read(source.encode()).body
    assert isinstance(statement, form.Match)
    (case,) = statement.cases
    assert sorted(name.id for name in case.binds) == ["a", "c", "others", "rest", "whole"]
    assert {form.dotted(v) for v in case.values} >= {"Color.RED", "B", "E.F"}


def test_a_pattern_of_none_is_no_default() -> None:
    (statement,) = read(b"match x:\n    case None: pass\n    case _: pass\n").body
    assert isinstance(statement, form.Match)
    given = [[v.value for v in case.values if isinstance(v, form.Const)] for case in statement.cases]
    assert given == [[None], []]


def test_generic_definitions_keep_their_type_parameters() -> None:
    function, cls, alias = read(b"def f[T: int, *Ts](): ...\nclass C[T = str]: ...\ntype A[T] = list[T]\n").body
    assert isinstance(function, form.Function)
    assert isinstance(cls, form.Class)
    assert isinstance(alias, form.TypeAlias)
    assert [p.name for p in function.type_params] == ["T", "Ts"]
    assert cls.type_params[0].default is not None
    assert alias.name.id == "A"


def test_slices_have_places_of_their_own() -> None:
    (statement,) = read(b"xx[1:2, :, *c]\n").body
    assert isinstance(statement, form.ExprStmt)
    assert isinstance(statement.value, form.Subscript)
    index = statement.value.index
    assert isinstance(index, form.Display)
    assert [(i.start, i.end) for i in (index, *index.items)] == [(3, 13), (3, 6), (8, 9), (11, 13)]


def test_comments_are_told_from_text_that_looks_like_one() -> None:
    inner = "".join(f"{{f'{i}'}}" for i in range(12))
    source = f'x = f"""{{a}}# no{inner}{{b}}# neither"""  # yes\n# and this\n'
    facts = read(source.encode())
    assert [c.text for c in facts.comments] == ["# yes", "# and this"]
    assert all(source[c.start :].startswith(c.text) for c in facts.comments)


def test_white_space_that_the_parser_forgets_moves_nothing() -> None:
    source = "try:\n    pass\nexcept (A, B) \\\n   :  # why\n    pass\nfunction()\n"
    facts = read(source.encode())
    (name,) = (n for n in form.walk_body(facts.body) if isinstance(n, form.Name) and n.id == "function")
    assert source[name.start : name.end] == "function"
    assert source[facts.comments[0].start :].startswith("# why")
