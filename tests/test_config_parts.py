"""Parts of reading a configuration: the lines of keys, and patterns seen from further down."""

from __future__ import annotations

import string
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

from assay.scanner.config.documents import Document
from assay.scanner.config.layers import Layer
from assay.scanner.config.lines import KeyPath, lines_of
from assay.scanner.config.merging import Merged
from assay.scanner.config.patterns import EVERYTHING, seen_from

ROOT = Path(__file__).parents[1]


def paths_in(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    if path:
        yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths_in(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths_in(inner, (*path, index))


# --- lines ------------------------------------------------------------------------------------------------------------

EVERY_SHAPE = '''\
plain = 1 # a comment = 2
"quoted key"."and dotted" = { inline = [1, { deep = "}]#" }], 'single' = 1979-05-27T07:32:00Z }

text = """
[not.a.table]
not = "a key"  \\"""
"""
raw = \'\'\'
# [[neither]]\'\'\'
list = [ # with a comment ]
  "one, two",
  [ 'nested' ],

  { key = 1 },
]
[[gate.paths]]
path = "a/**"
new = { medium = 1 }
[[gate.paths]]
path = "b/**"
[gate.paths.new]
low = 3
[ spaced . "out" ]
x = inf
[[outer.inner]]
[[outer.inner.most]]
[[outer.inner]]
[[outer.inner.most]]
y = 1
[[outer.inner.most]]
'''


def test_each_key_and_each_entry_has_its_line() -> None:
    lines = lines_of(EVERY_SHAPE)
    assert lines["quoted key", "and dotted", "inline", 1, "deep"] == 2
    assert (lines["list", 0], lines["list", 1, 0], lines["list", 2, "key"]) == (11, 12, 14)
    assert lines["gate", "paths"] == 16
    assert (lines["gate", "paths", 1], lines["gate", "paths", 1, "path"]) == (19, 20)
    assert lines["gate", "paths", 1, "new", "low"] == 22
    assert lines["outer", "inner", 1, "most", 0, "y"] == 29
    assert set(lines) == set(paths_in(tomllib.loads(EVERY_SHAPE)))


def test_lines_are_the_same_with_other_line_ends() -> None:
    assert lines_of(EVERY_SHAPE.replace("\n", "\r\n")) == lines_of(EVERY_SHAPE)


def test_what_is_no_toml_has_no_lines() -> None:
    assert lines_of("a = = 1") == {}


def test_the_files_of_this_project() -> None:
    for file in (ROOT / "pyproject.toml", *sorted((ROOT / "fixtures").rglob("*.toml"))[:60]):
        text = file.read_text(encoding="utf-8")
        assert set(lines_of(text)) == set(paths_in(tomllib.loads(text))), file


keys = st.text(string.ascii_letters + "-_ .#=[\"'\\", min_size=1, max_size=4)
values = st.recursive(
    st.integers() | st.booleans() | st.text("ab\"'#[]{}=,\\ ", max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=8,
)


def inline(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case str():
            return quoted(value)
        case list():
            return "[\n" + "".join(f"  {inline(each)}, # ]\n" for each in value) + "]"
        case _:
            return "{" + ", ".join(f"{quoted(k)} = {flat(v)}" for k, v in value.items()) + "}"


def flat(value: Any) -> str:
    """An inline table is one line."""
    return "[" + ",".join(map(flat, value)) + "]" if isinstance(value, list) else inline(value)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.dictionaries(keys, values, max_size=4), st.dictionaries(keys, values, max_size=4))
def test_any_document_has_a_line_for_everything(top: dict[str, Any], table: dict[str, Any]) -> None:
    text = "".join(f"{quoted(k)} = {inline(v)}\n" for k, v in top.items())
    text += "[[a.table]]\n[[a.table]] # second\n" + "".join(f"\t{quoted(k)}={inline(v)}\n" for k, v in table.items())
    try:
        parsed = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # `a` is taken
    assert set(lines_of(text)) == set(paths_in(parsed))


# --- patterns ---------------------------------------------------------------------------------------------------------

segments = st.sampled_from(["a", "b", "*", "?", "a*", "[ab]", "**", "ab"])
names = st.sampled_from(["a", "b", "ab"])
some_patterns = st.builds(
    lambda lead, parts, end: lead + "/".join(parts) + end,
    st.sampled_from(["", "/"]),
    st.lists(segments, min_size=1, max_size=4),
    st.sampled_from(["", "/"]),
).filter(lambda pattern: not pattern.endswith("**/") and "**/**" not in pattern)
"""pathspec doesn't take these as git does."""


def matches(pattern: str, path: str) -> bool:
    return GitIgnoreSpecPattern(pattern).match_file(path) is not None


@given(some_patterns, st.lists(names, max_size=3), st.lists(names, min_size=1, max_size=3))
def test_a_pattern_seen_from_below_matches_the_same_files(pattern: str, folders: list[str], file: list[str]) -> None:
    seen = seen_from(pattern, folders)
    assert any(matches(each, "/".join(file)) for each in seen) is matches(pattern, "/".join([*folders, *file]))


@pytest.mark.parametrize(
    ("pattern", "seen"),
    [
        ("*.gen.py", ["*.gen.py"]),
        ("services/orders/gen/", ["/gen/"]),
        ("services/*/gen/*.py", ["/gen/*.py"]),
        ("other/gen/", []),
        ("services/", ["services/", EVERYTHING]),
        ("/services/", [EVERYTHING]),
        ("/gen", []),
        ("services/orders/**", [EVERYTHING]),
        ("**/orders/gen", ["**/orders/gen", "/gen"]),
        ("!services/orders/kept.py", ["!/kept.py"]),
    ],
)
def test_seen_from_a_service(pattern: str, seen: list[str]) -> None:
    assert sorted(seen_from(pattern, ["services", "orders"])) == sorted(seen)


# --- merging ----------------------------------------------------------------------------------------------------------

tables: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2),
        lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=6,
    ),
    max_size=3,
)


def at(value: Any, path: KeyPath) -> Any:
    for step in path:
        value = value[step]
    return value


@given(st.lists(tables, min_size=1, max_size=4))
def test_every_value_is_that_of_its_origin(written: list[dict[str, Any]]) -> None:
    merged = Merged()
    for number, values in enumerate(written):
        merged = merged.under(Layer(Document(str(number), ""), values))
    paths = set(paths_in(merged.values))
    assert {path for path in merged.origins if path} == paths
    for path in paths:
        origin = merged.origins[path]
        value = at(merged.values, path)
        if not isinstance(value, dict):
            assert at(written[int(origin.document.name)], origin.path) == value
    for path in paths_in(written[-1]):
        assert merged.origins[path].document.name == str(len(written) - 1), "the nearest wins"
