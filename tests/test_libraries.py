"""Library models: those that Assay brings along are sound, and a broken one is told in one message."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.scanner.libraries import Library, LibraryError, Sanitizer, Sink, SinkKind, load_libraries, load_library

FILES = sorted((Path(__file__).parent.parent / "rules" / "libraries").glob("*.yaml"))
LIBRARIES = load_libraries((file.name, file.read_text(encoding="utf-8")) for file in FILES)
SECTIONS = ("sources", "sinks", "sanitizers", "guards", "propagators")
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
ITEM = re.compile(DOTTED.pattern + r"(?:\.[\w-]+)?")
"""An item that is set may have a name of its own, such as a header's."""


def entries(section: str) -> Iterator[tuple[Library, str, object]]:
    """Every full name of a section in all files, with the entry that lists it."""
    for library in LIBRARIES:
        for entry in getattr(library, section):
            for name in entry.dotted:
                yield library, name, entry


def aliases() -> dict[str, str]:
    return {name: target for library in LIBRARIES for name, target in library.types.same.items()}


def of_alias(name: str) -> bool:
    """Whether the name, or what it is a member of, has another name that it is looked up by."""
    parts = name.split(".")
    return any(".".join(parts[:length]) in aliases() for length in range(1, len(parts) + 1))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_file_says_which_documentation_it_rests_on(file: Path) -> None:
    comment = re.match(r"(?:#.*\n)+", file.read_text(encoding="utf-8"))
    assert comment is not None
    assert "https://" in comment[0]


def test_each_model_has_a_name_of_its_own() -> None:
    assert [name for name, count in Counter(library.library for library in LIBRARIES).items() if count > 1] == []


@pytest.mark.parametrize("section", SECTIONS)
def test_names_are_dotted_identifiers(section: str) -> None:
    wrong = [
        name
        for _, name, entry in entries(section)
        if not (ITEM if getattr(entry, "assigned", False) else DOTTED).fullmatch(name.removeprefix("*."))
    ]
    assert wrong == []


def test_types_are_dotted_identifiers() -> None:
    types = [library.types for library in LIBRARIES]
    names = [name for t in types for mapping in (t.same, t.gives) for pair in mapping.items() for name in pair]
    assert [name for name in names if not DOTTED.fullmatch(name)] == []


def test_methods_of_anything_belong_to_packages() -> None:
    floating = {
        library.library
        for section in SECTIONS
        for library, name, _ in entries(section)
        if name.startswith("*.") and not library.packages
    }
    assert floating == set()


def test_nothing_is_said_twice() -> None:
    said: Counter[tuple[object, ...]] = Counter()
    for section in SECTIONS:
        for _, name, entry in entries(section):
            said[section, name, *(getattr(entry, field, None) for field in ("kind", "when", "argument", "safe"))] += 1
    for library in LIBRARIES:
        said.update(("same", name) for name in library.types.same)
        said.update(("gives", name) for name in library.types.gives)
    assert [key for key, count in said.items() if count > 1] == []


def test_nothing_is_a_sink_and_makes_harmless_for_it() -> None:
    """A result that is harmless for all is something else than what went in: an open file, a server's answer. And what
    escapes its other arguments takes a pattern, and gives markup.
    """
    sinks = {(name, entry.kind) for _, name, entry in entries("sinks") if isinstance(entry, Sink)}
    cleaned = {
        (n, kind) for _, n, entry in entries("sanitizers") if isinstance(entry, Sanitizer) for kind in entry.cleans
    }
    assert sinks & cleaned == {
        ("django.utils.html.format_html", SinkKind.HTML),
        ("django.utils.html.format_html_join", SinkKind.HTML),
    }


def test_nothing_makes_harmless_and_hands_on() -> None:
    harmless = {n for _, n, entry in entries("sanitizers") if isinstance(entry, Sanitizer) and not entry.cleans}
    assert sorted(harmless & {name for _, name, _ in entries("propagators")}) == []


@pytest.mark.parametrize("section", SECTIONS)
def test_names_are_those_that_are_looked_up(section: str) -> None:
    assert [name for _, name, _ in entries(section) if of_alias(name)] == []


def test_other_names_lead_to_the_name_that_is_looked_up() -> None:
    assert [target for target in aliases().values() if target in aliases()] == []
    given = [pair for library in LIBRARIES for pair in library.types.gives.items()]
    assert [pair for pair in given if of_alias(pair[0]) or of_alias(pair[1])] == []


def test_a_safe_call_is_safe_whatever_it_is_given() -> None:
    """Conditions say what makes a call dangerous: where they don't hold, it is kept without being said."""
    sinks = [(name, entry) for _, name, entry in entries("sinks") if isinstance(entry, Sink)]
    assert [name for name, sink in sinks if sink.safe and sink.when] == []
    safe = {(name, sink.kind, argument) for name, sink in sinks if sink.safe for argument in sink.arguments}
    unsafe = {(name, sink.kind, argument) for name, sink in sinks if not sink.safe for argument in sink.arguments}
    assert sorted(map(str, safe & unsafe)) == []


def test_what_is_set_is_told_by_key_and_value() -> None:
    """`owner[key] = value` and `owner.key = value` pass two arguments, by position."""
    assigned = [(name, e) for _, name, e in entries("sinks") if isinstance(e, Sink) and e.assigned]
    assert [name for name, sink in assigned if not {0, 1}.issuperset(sink.arguments)] == []


def test_reasons_are_phrases() -> None:
    reasons = {entry.safe for _, _, entry in entries("sinks") if isinstance(entry, Sink) and entry.safe}
    assert [reason for reason in reasons if reason.endswith(".") or len(reason.split()) > 10] == []


def test_every_kind_but_sql_has_sinks() -> None:
    found = {entry.kind for _, _, entry in entries("sinks") if isinstance(entry, Sink)}
    assert found == set(SinkKind) - {SinkKind.SQL}


@pytest.mark.parametrize(
    ("kind", "name", "arguments"),
    [
        ("command", "subprocess.run", (0, "args", "executable")),
        ("path", "pathlib.Path.rename", ("receiver", 0, "target", "target_dir")),
        ("url", "requests.Session.request", (1, "url")),
        ("ldap", "ldap.ldapobject.LDAPObject.search_s", (0, 2, "base", "filterstr")),
    ],
)
def test_a_sink_is_found_by_its_full_name(kind: str, name: str, arguments: tuple[int | str, ...]) -> None:
    found = [e for _, n, e in entries("sinks") if n == name and isinstance(e, Sink) and e.kind == kind]
    assert [sink.arguments for sink in found] == [arguments]


HEAD = "library: x\npackages: [x]\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("library: x\npackages: [", r"own\.yaml, line \d: it is no YAML: "),
        ("library: x\n  packages: []", r"own\.yaml, line 2: it is no YAML: "),
        ("", r"own\.yaml: Expected `object`, got `null`"),
        ("- library: x", r"own\.yaml: Expected `object`, got `array`"),
        ("library: x", r"own\.yaml: Object missing required field `packages`"),
        (HEAD + "sink: []", r"own\.yaml: Object contains unknown field `sink`"),
        (
            HEAD + "sinks: [{names: [f], kind: shell}]",
            r"own\.yaml: Invalid enum value 'shell' - at `\$\.sinks\[0\]\.kind`",
        ),
        (HEAD + "sinks: [{names: [f]}]", r"own\.yaml: Object missing required field `kind` - at `\$\.sinks\[0\]`"),
        (HEAD + "sources: [{names: f}]", r"own\.yaml: Expected `array`, got `str` - at `\$\.sources\[0\]\.names`"),
        (HEAD + "sources: [{names: [f], gives: html}]", r"own\.yaml: Invalid enum value 'html'"),
        (HEAD + "guards: [{names: [f], argument: x}]", r"own\.yaml: Expected `int`, got `str`"),
    ],
)
def test_a_broken_model_is_one_message_that_names_the_file(text: str, message: str) -> None:
    with pytest.raises(LibraryError, match=f"^{message}") as caught:
        load_library(text, "own.yaml")
    assert "\n" not in str(caught.value)


def test_models_are_read_in_the_order_given() -> None:
    pairs = [("b.yaml", "library: b\npackages: []"), ("a.yaml", "library: a\npackages: []")]
    assert [library.library for library in load_libraries(pairs)] == ["b", "a"]
