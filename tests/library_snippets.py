"""A few lines of Python for each thing that a library model says, and what Assay has to say of them.

Names are imported as code does it: `from flask import request` for `flask.request.args`. An object of a class is a
parameter that is declared as one, and where classes are there to be subclassed, also `self` in a subclass; an object of
an unknown class is a parameter that isn't declared. Names that no library has would do as well: what is shown is that
the engine finds every name where code uses it.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeAlias

import msgspec

from assay.scanner.libraries import (
    Condition,
    Constant,
    Guard,
    Label,
    Library,
    Propagator,
    Sanitizer,
    Sink,
    SinkKind,
    Source,
)
from assay.scanner.verdicts import Kind

CODES: Mapping[SinkKind, str] = {
    SinkKind.SQL: "SEC101",
    SinkKind.COMMAND: "SEC102",
    SinkKind.CODE: "SEC103",
    SinkKind.PATH: "SEC104",
    SinkKind.URL: "SEC105",
    SinkKind.TEMPLATE: "SEC106",
    SinkKind.HTML: "SEC107",
    SinkKind.DESERIALIZE: "SEC108",
    SinkKind.XML: "SEC109",
    SinkKind.LDAP: "SEC110",
    SinkKind.XPATH: "SEC111",
    SinkKind.DOCUMENT: "SEC112",
    SinkKind.REDIRECT: "SEC113",
    SinkKind.HEADER: "SEC114",
    SinkKind.LOG: "SEC115",
    SinkKind.SESSION: "SEC120",
    SinkKind.ARCHIVE: "SEC117",
    SinkKind.LINK: "SEC119",
}
KNOWN_SINKS: Mapping[SinkKind, tuple[str, str]] = {
    SinkKind.COMMAND: ("from os import system", "system({})"),
    SinkKind.URL: ("from urllib.request import urlopen", "urlopen({})"),
    SinkKind.CODE: ("", "eval({})"),
    SinkKind.PATH: ("", "open({})"),
    SinkKind.SQL: ("import sqlite3", "sqlite3.connect('shop.db').execute('SELECT * FROM item ORDER BY ' + {})"),
    SinkKind.TEMPLATE: ("from jinja2 import Template", "Template({})"),
    SinkKind.HTML: ("from markupsafe import Markup", "Markup({})"),
    SinkKind.DESERIALIZE: ("import pickle", "pickle.loads({})"),
    SinkKind.XML: ("from lxml.etree import XML, XMLParser", "XML({}, parser=XMLParser(resolve_entities=True))"),
    SinkKind.LDAP: ("from ldap3 import Connection", "Connection('ldap.example.com').search({})"),
    SinkKind.XPATH: ("from lxml.etree import XPath", "XPath({})"),
    SinkKind.DOCUMENT: ("from pymongo.collection import Collection", "Collection(None, 'items').find({})"),
    SinkKind.REDIRECT: ("", "flask.redirect({})"),
    SinkKind.HEADER: ("", "flask.Response().headers[{}] = 'x'"),
    SinkKind.LOG: ("", "logging.warning({})"),
    SinkKind.SESSION: ("", "flask.session[{}] = 'x'"),
    SinkKind.ARCHIVE: ("import shutil", "shutil.unpack_archive({})"),
    SinkKind.LINK: ("from email.mime.text import MIMEText", "MIMEText({})"),
}
"""What Assay knows to be dangerous, with its import, the likeliest first."""
TEXT, JSON, HOST = "flask.request.args['q']", "flask.request.get_json()", "flask.request.host_url"
"""What a client sends."""
SENT: Mapping[SinkKind, str] = {SinkKind.DOCUMENT: JSON, SinkKind.LINK: HOST}
"""What does harm at a sink of the kind, where that isn't any text."""
FILLER = "'x'"
MADE_BY_KEYWORD: Mapping[str, str] = {"tarfile.TarFile": "fileobj="}
"""Which argument of a class holds what its objects are, where it isn't the first."""
MODULES_IN_CAPITALS = frozenset(
    {"PIL.ImageMath", "defusedxml.ElementTree", "xml.etree.ElementTree", "xml.etree.cElementTree"}
)
SUBCLASSED = ("Consumer", "Form", "Handler", "Mixin", "Serializer", "View", "ViewSet")
"""What the names of classes end in that are there to be subclassed."""
READ = frozenset({"containers", "default_storage", "file", "objects", "parent", "selector", "stream"})
"""What gives an object without being called."""
TAKES_PARSER = frozenset(
    {
        "lxml.etree.XML", "lxml.etree.XMLID", "lxml.etree.fromstring", "lxml.etree.fromstringlist", "lxml.etree.parse",
        "lxml.etree._ElementTree.parse", "lxml.objectify.XML", "lxml.objectify.fromstring", "lxml.objectify.parse",
        "xml.dom.minidom.parse", "xml.dom.minidom.parseString", "xml.dom.pulldom.parse", "xml.dom.pulldom.parseString",
    }
)  # fmt: skip
"""Functions that are told what to parse with: what they do by themselves depends on their version."""
RESOLVING = "made.setFeature(xml.sax.handler.feature_external_ges, True)"
MAKERS: Mapping[str, tuple[str, ...]] = {
    "dbapi.Cursor": ("import sqlite3", "made = sqlite3.connect('shop.db').cursor()"),
    "lxml.etree.XMLParser": ("import lxml.etree", "made = lxml.etree.XMLParser(resolve_entities=True)"),
    "lxml.etree.XMLPullParser": ("import lxml.etree", "made = lxml.etree.XMLPullParser(resolve_entities=True)"),
    "xml.sax.expatreader.ExpatParser": (
        "import xml.sax.expatreader, xml.sax.handler",
        "made = xml.sax.expatreader.ExpatParser()",
        RESOLVING,
    ),
    "xml.sax.xmlreader.IncrementalParser": (
        "import xml.sax.handler, xml.sax.xmlreader",
        "made = xml.sax.xmlreader.IncrementalParser()",
        RESOLVING,
    ),
    "xml.sax.xmlreader.XMLReader": ("import xml.sax.handler", "made = xml.sax.make_parser()", RESOLVING),
    **{
        f"lxml.etree.{name}": ("import lxml.etree", f"made = lxml.etree.{name}(lxml.etree.parse('shop.xml'))")
        for name in ("XPathEvaluator", "XPathElementEvaluator", "XPathDocumentEvaluator")
    },
}
"""How objects are made that have no class of their own in code, or whose settings matter."""
ENGINE_KNOWS = frozenset(
    {"flask.abort", "io.BytesIO", "pathlib.PurePath", "pathlib.PurePosixPath", "re.Match", "xml.dom.minidom.Document"}
)
"""Of whose members no model says anything: the engine knows them, or that they hand nothing on."""

Outcomes: TypeAlias = frozenset[Kind | None]
"""The kinds of verdict that are right; None stands for no verdict at all."""


@dataclass(frozen=True, slots=True)
class Snippet:
    """A function, and the verdicts on its lines. `about` is the dotted name that it shows."""

    about: str
    title: str
    lines: tuple[str, ...]
    expected: Mapping[int, tuple[str, Outcomes]]
    """For the index of a line, the rule and what it may say."""
    parameters: str = ""
    imports: frozenset[str] = frozenset()
    base: str = ""
    """The class whose subclass has the function as a method."""


FAIL: Outcomes = frozenset({Kind.FAIL})
PASS: Outcomes = frozenset({Kind.PASS})
REVIEW: Outcomes = frozenset({Kind.REVIEW})
HARMLESS: Mapping[SinkKind, Outcomes] = {
    SinkKind.HTML: frozenset({Kind.PASS, None}),  # what is no text is no subject
    SinkKind.SQL: frozenset({Kind.PASS, Kind.NOT_APPLICABLE}),  # how it is built is for another rule
}
"""What is said of a value that does no harm, where that is more than a pass."""


@dataclass(slots=True)
class Writing:
    """The lines of one function as they come about."""

    lines: list[str] = field(default_factory=list)
    expected: dict[int, tuple[str, Outcomes]] = field(default_factory=dict)
    parameters: list[str] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    base: str = ""
    stands_for: str = ""
    """The type of which `made` is an object."""

    def add(self, line: str) -> None:
        self.lines.append(line)

    def judged(self, line: str, kind: SinkKind, kinds: Outcomes) -> None:
        self.expected[len(self.lines)] = (CODES[kind], kinds)
        self.lines.append(line)

    def hand(self, value: str, kind: SinkKind, kinds: Outcomes, indent: str = "") -> None:
        """Hand a value to what Assay knows to be dangerous."""
        needed, call = KNOWN_SINKS[kind]
        self.imports.add(needed)
        self.judged(indent + call.format(value), kind, kinds)

    def snippet(self, about: str, title: str) -> Snippet:
        parameters, imports = ", ".join(self.parameters), frozenset(self.imports)
        return Snippet(about, title, tuple(self.lines), self.expected, parameters, imports, self.base)

    # --- names ---

    def spelled(self, dotted: str, made_of: str = "") -> str:
        """The expression for a dotted name: a member of a class is one of an object, made of `made_of` if given."""
        if dotted.startswith("builtins."):
            return dotted.removeprefix("builtins.")
        if self.stands_for and dotted.startswith(f"{self.stands_for}."):
            return f"made{dotted.removeprefix(self.stands_for)}"
        if dotted.startswith("*."):
            return f"{self.parameter('')}{dotted[1:]}"
        cls, members = owner_class(dotted)
        if not members:
            return self.imported(dotted)
        if made_of:
            return f"{self.made(cls, made_of)}.{members}"
        return f"{self.parameter(cls)}.{members}"

    def made(self, cls: str, made_of: str) -> str:
        self.add(f"made = {self.imported(cls)}({MADE_BY_KEYWORD.get(cls, '')}{made_of})")
        return "made"

    def parameter(self, cls: str) -> str:
        if self.base == cls and cls:
            self.imports.add(f"import {cls.rpartition('.')[0]}")
            self.parameters.append("self")
            return "self"
        if cls in MAKERS:
            needed, *lines = MAKERS[cls]
            self.imports.add(needed)
            self.lines += lines
            return "made"
        name = f"given{len(self.parameters) or ''}"
        if cls:
            self.imports.add(f"import {cls.rpartition('.')[0]}")
            self.parameters.append(f"{name}: {cls}")
        else:
            self.parameters.append(name)
        return name

    def imported(self, dotted: str) -> str:
        """`from a import b` for `a.b.c`, `import a` for `a.b`."""
        parts = dotted.split(".")
        if len(parts) == 2:
            self.add(f"import {parts[0]}")
            return dotted
        self.add(f"from {'.'.join(parts[:-2])} import {parts[-2]}")
        return ".".join(parts[-2:])

    def constant(self, value: Constant) -> str:
        """A constant of a condition, or the object of that dotted name."""
        if is_dotted(value):
            return self.imported(str(value))
        return repr(value)


Begin: TypeAlias = Callable[[], Writing]
Entry: TypeAlias = Source | Sink | Sanitizer | Guard | Propagator
Values: TypeAlias = tuple[tuple[Condition, Constant], ...]
"""What is given for each condition."""


def is_dotted(value: Constant) -> bool:
    """Whether a constant of a condition is the name of an object."""
    parts = value.split(".") if isinstance(value, str) else []
    return len(parts) > 1 and all(p.isidentifier() and not keyword.iskeyword(p) for p in parts)


def owner_class(dotted: str) -> tuple[str, str]:
    """The class that a name is a member of, and the rest; no rest where it is no member of a class."""
    parts = dotted.split(".")
    for end in range(2, len(parts)):
        owner = ".".join(parts[:end])
        if parts[end - 1].lstrip("_")[:1].isupper() and owner not in MODULES_IN_CAPITALS:
            return owner, ".".join(parts[end:])
    return (dotted, "")


# --- what a model says ---


@dataclass(frozen=True, slots=True)
class Said:
    """All that the models say of names."""

    libraries: Sequence[Library]
    sources: Mapping[str, Source]
    sinks: Mapping[str, Sequence[Sink]]
    sanitizers: Mapping[str, frozenset[SinkKind]]
    propagators: Mapping[str, Propagator]
    gives: Mapping[str, str]
    elsewhere: frozenset[str]
    """What other rules than those of injection look for."""

    def about(self, name: str) -> Iterator[tuple[str, Entry]]:
        """What is said of the name or its members, the more telling first."""
        for section in ("sources", "sinks", "propagators", "guards", "sanitizers"):
            for library in self.libraries:
                for entry in getattr(library, section):
                    for full in entry.dotted:
                        if full == name or full.startswith(f"{name}."):
                            yield full, entry

    @classmethod
    def by(cls, libraries: Sequence[Library]) -> Said:
        sources: dict[str, Source] = {}
        sinks: dict[str, list[Sink]] = {}
        sanitizers: dict[str, frozenset[SinkKind]] = {}
        propagators: dict[str, Propagator] = {}
        for library in libraries:
            sources |= {name: source for source in library.sources if not source.when for name in source.dotted}
            propagators |= {name: propagator for propagator in library.propagators for name in propagator.dotted}
            for sink in library.sinks:
                for name in sink.dotted:
                    sinks.setdefault(name, []).append(sink)
            for sanitizer in library.sanitizers:
                for name in sanitizer.dotted:
                    sanitizers[name] = sanitizers.get(name, frozenset()) | frozenset(sanitizer.cleans or SinkKind)
        gives = {name: kind for library in libraries for name, kind in library.types.gives.items()}
        return cls(libraries, sources, sinks, sanitizers, propagators, gives, frozenset(_elsewhere(libraries)))

    def harmful(self, name: str) -> SinkKind | None:
        """The first kind of sink for which what the name gives is harmful by itself; None where there is none."""
        cleaned = self.sanitizers.get(name, frozenset())
        return next((kind for kind in KNOWN_SINKS if kind not in cleaned), None)


def _elsewhere(libraries: Iterable[Library]) -> Iterator[str]:
    yield from ENGINE_KNOWS
    for library in libraries:
        for call in (*library.hashes, *library.randoms, *library.passwords, *library.cookies, *library.tokens):
            yield from call.dotted
        for tls_call in library.tls_calls:
            yield from tls_call.dotted
            yield from (str(value) for option in tls_call.options for value in option.unsafe)


def snippets(library: Library, said: Said) -> Iterator[Snippet]:
    """All of one library."""
    for section in (library.sources, library.sinks, library.sanitizers, library.guards, library.propagators):
        for entry in section:
            for name in entry.dotted:
                yield from of_entry(name, entry, said)
    for name, target in library.types.same.items():
        yield from of_alias(name, target, said)
    for name, kind in library.types.gives.items():
        yield from of_type(name, kind, said)


def of_alias(name: str, target: str, said: Said) -> Iterator[Snippet]:
    """Something that is said of the target, by the other name."""
    for full, entry in said.about(target):
        snippet = next(of_entry(f"{name}{full.removeprefix(target)}", entry, said), None)
        if snippet is not None:
            yield replace(snippet, about=name, title=f"for {target}: {snippet.title}")
            return
    for full, kind in said.gives.items():
        if full == target or full.startswith(f"{target}."):
            for snippet in of_type(f"{name}{full.removeprefix(target)}", kind, said):
                yield replace(snippet, about=name, title=f"for {target}: {snippet.title}")
            return
    for owner, sinks in said.sinks.items():
        for sink in sinks:
            if any(target in condition.values for condition in sink.when):
                values = tuple((c, name if target in c.values else c.values[0]) for c in sink.when)
                snippet = called(f"for {target}", owner, sink, sink.arguments[0], values, FAIL)
                yield replace(snippet, about=name)
                return
    if target not in said.elsewhere:
        yield unsaid(name, target)


def of_type(name: str, kind: str, said: Said, begin: Begin = Writing) -> Iterator[Snippet]:
    """Something that is said of members of the type, by what gives an object of it."""
    begin = partial(holding, begin, name, kind)
    for full, entry in said.about(kind):
        if isinstance(entry, Sink):
            entry = msgspec.structs.replace(entry, arguments=tuple(a for a in entry.arguments if a != "receiver"))
        elif isinstance(entry, Propagator) and -1 in entry.arguments:
            continue
        snippet = next(of_entry(full, entry, said, begin), None) if full != kind else None
        if snippet is not None:
            yield replace(snippet, about=name, title=f"gives {kind}: {snippet.title}")
            return
    for full, other in said.gives.items():
        if full.startswith(f"{kind}.") and other != kind:
            for snippet in of_type(full, other, said, begin):
                yield replace(snippet, about=name, title=f"gives {kind}: {snippet.title}")
            return
    if kind not in said.elsewhere:
        yield unsaid(name, kind)


def unsaid(name: str, target: str) -> Snippet:
    """Stands for what no snippet can show."""
    return Snippet(name, f"nothing is said of {target}", ("pass",), {0: ("", FAIL)})


def holding(begin: Begin, name: str, kind: str) -> Writing:
    """A function that begins by making an object."""
    writing = begin()
    last = name.rpartition(".")[2]
    how = "['k']" if last == "__getitem__" else "" if last in READ else "()"
    writing.add(f"made = {writing.spelled(name.removesuffix('.__getitem__'))}{how}")
    if kind == "xml.sax.xmlreader.XMLReader":
        writing.imports.add("import xml.sax.handler")
        writing.add(RESOLVING)
    writing.stands_for = kind
    return writing


def of_entry(name: str, entry: Entry, said: Said, begin: Begin = Writing) -> Iterator[Snippet]:
    """Of whichever section."""
    match entry:
        case Source():
            yield from of_source(name, entry, said, begin)
        case Sink():
            yield from of_sink(name, entry, begin)
        case Sanitizer():
            yield from of_sanitizer(name, entry, said, begin)
        case Guard():
            yield from of_guard(name, entry, begin)
        case Propagator():
            yield from of_propagator(name, entry, said, begin)


def of_source(name: str, source: Source, said: Said, begin: Begin = Writing) -> Iterator[Snippet]:
    kind = said.harmful(name)
    if kind is None:
        return
    wanted = REVIEW if source.gives is Label.STORED else FAIL
    told = ", ".join(f"{c.argument}={c.values[0]!r}" for c in source.when)
    for how in (f"({told})",) if told else ("", "()"):
        if how and not told and name in said.sanitizers:
            continue  # what is harmless in one place as it is read is an attribute
        writing = begin()
        writing.add(f"value = {writing.spelled(name)}{how}")
        writing.hand("value", kind, wanted)
        writing.hand("value", SinkKind.DOCUMENT, FAIL if source.gives is Label.JSON else PASS)
        yield writing.snippet(name, f"source{how}")
    cls, members = owner_class(name)
    if members and cls.endswith(SUBCLASSED):
        for how in ("", "()"):
            writing = Writing(base=cls)
            writing.add(f"value = {writing.spelled(name)}{how}")
            writing.hand("value", kind, wanted)
            yield writing.snippet(name, f"source{how} of self")


def of_sink(name: str, sink: Sink, begin: Begin = Writing) -> Iterator[Snippet]:
    if sink.assigned:
        yield from of_assigned(name, sink, begin)
        return
    for place in sink.arguments:
        title = f"sink {sink.kind} [{place}]"
        wanted = PASS if sink.safe else REVIEW if sink.doubt else FAIL
        for values in satisfying(sink.when):
            yield called(f"{title}{_told(values)}", name, sink, place, values, wanted, begin)
        if sink.when:
            values = tuple((c, unlike(c)) for c in sink.when)
            yield called(f"{title} unless{_told(values)}", name, sink, place, values, PASS, begin)


def _told(values: Values) -> str:
    return "".join(f" {c.argument}={v}" for c, v in values)


def satisfying(when: Sequence[Condition]) -> Iterator[Values]:
    """Values for the conditions: each value of each once, the others at their first."""
    first = tuple((c, c.values[0]) for c in when)
    yield first
    for index, condition in enumerate(when):
        for value in condition.values[1:]:
            yield (*first[:index], (condition, value), *first[index + 1 :])


def unlike(condition: Condition) -> Constant:
    """A value that the condition refuses."""
    if "absent" not in condition.values and condition.position is None and condition.values != (False,):
        return "absent"
    return "other"


def called(
    title: str,
    name: str,
    sink: Sink,
    place: int | str,
    values: Values,
    wanted: Outcomes,
    begin: Begin = Writing,
) -> Snippet:
    """A call that hands a client's value to one place, and what the conditions need to the others."""
    writing = begin()
    writing.add(f"value = {SENT.get(sink.kind, TEXT)}")
    callee = writing.spelled(name, made_of="value" if place == "receiver" else "").removesuffix(".__call__")
    given = [(c, v) for c, v in values if v != "absent"]
    by_place = {c.position: v for c, v in given if c.position is not None}
    last = place if isinstance(place, int) else max(by_place, default=-1) + 1 if place == "*" else -1
    arguments = [writing.constant(by_place[p]) if p in by_place else FILLER for p in range(last)]
    if last >= 0:
        arguments.append("value")
    arguments += [f"{c.argument}={writing.constant(v)}" for c, v in given if c.position is None or c.position > last]
    if isinstance(place, str) and place not in ("*", "receiver"):
        arguments.append(f"{place}=value")
    if sink.kind is SinkKind.XML and not sink.safe:
        arguments += parsing(writing, name)
    writing.judged(f"{callee}({', '.join(arguments)})", sink.kind, wanted)
    return writing.snippet(name, title)


def parsing(writing: Writing, name: str) -> Iterator[str]:
    """The argument with which a parser resolves external entities."""
    if name == "lxml.etree.iterparse":
        yield "resolve_entities=True"
    elif name in TAKES_PARSER and name.startswith("lxml."):
        writing.imports.add("from lxml.etree import XMLParser")
        yield "parser=XMLParser(resolve_entities=True)"
    elif name in TAKES_PARSER:
        yield f"parser={writing.parameter('xml.sax.xmlreader.XMLReader')}"


def of_assigned(name: str, sink: Sink, begin: Begin = Writing) -> Iterator[Snippet]:
    """`owner[key] = value`, `owner.name = value`, `owner["Name"] = value`."""
    owner, _, last = name.rpartition(".")
    for place in sink.arguments:
        writing = begin()
        writing.add(f"value = {SENT.get(sink.kind, TEXT)}")
        if 0 in sink.arguments or last == "headers":
            target = writing.spelled(name) if owner_class(name)[1] else _whole(writing, name)
            line = f"{target}[value] = 'x'" if place == 0 else f"{target}['X-Name'] = value"
        elif last[:1].isupper() or "-" in last or owner.endswith(".headers"):
            target = writing.spelled(owner) if owner_class(owner)[1] else _whole(writing, owner)
            line = f"{target}['{last}'] = value"
        else:
            line = f"{writing.spelled(name)} = value"
        writing.judged(line, sink.kind, PASS if sink.safe else FAIL)
        yield writing.snippet(name, f"sink {sink.kind} = [{place}]")


def _whole(writing: Writing, name: str) -> str:
    """An object itself: one of a class, or one that a module holds."""
    if name.rpartition(".")[2][:1].isupper():
        return writing.parameter(name)
    return writing.imported(name)


def of_sanitizer(name: str, sanitizer: Sanitizer, said: Said, begin: Begin = Writing) -> Iterator[Snippet]:
    cls, _ = owner_class(name)

    def written(kind: SinkKind, wanted: Outcomes) -> Snippet:
        writing = begin()
        writing.add(f"value = {SENT.get(kind, TEXT)}")
        if name in said.sources:
            writing.add(f"result = {writing.spelled(name)}")
        else:
            callee = writing.spelled(name, made_of="value" if cls in said.propagators else "")
            writing.add(f"result = {callee}(value)")
        writing.hand("result", kind, wanted)
        return writing.snippet(name, f"sanitizer {kind}{' not cleaned' if wanted is FAIL else ''}")

    for kind in sanitizer.cleans or (SinkKind.COMMAND, SinkKind.URL):
        yield written(kind, HARMLESS.get(kind, PASS))
    other = said.harmful(name)
    if other is not None:
        yield written(other, FAIL)


def of_guard(name: str, guard: Guard, begin: Begin = Writing) -> Iterator[Snippet]:
    for kind in guard.cleans or (SinkKind.COMMAND,):
        writing = begin()
        writing.add(f"value = {SENT.get(kind, TEXT)}")
        callee = writing.spelled(name, made_of="value" if guard.argument == -1 else "")
        writing.add(f"if {callee}({', '.join([*[FILLER] * guard.argument, *['value'] * (guard.argument >= 0)])}):")
        value = "made" if guard.argument == -1 else "value"
        harmless = HARMLESS.get(kind, PASS)
        writing.hand(value, kind, harmless if guard.holds else FAIL, indent="    ")
        writing.add("else:")
        writing.hand(value, kind, FAIL if guard.holds else harmless, indent="    ")
        yield writing.snippet(name, f"guard {kind}")


def of_propagator(name: str, propagator: Propagator, said: Said, begin: Begin = Writing) -> Iterator[Snippet]:
    kind = said.harmful(name)
    if kind is None:
        return
    for place in propagator.arguments or (0,):
        writing = begin()
        writing.add(f"value = {TEXT}")
        callee = writing.spelled(name, made_of="value" if place == -1 else "")
        arguments = "value" if place == "*" else f"{place}=value"
        if isinstance(place, int):
            arguments = ", ".join([*[FILLER] * place, *["value"] * (place >= 0)])
        writing.add(f"result = {callee}({arguments})")
        writing.hand("result", kind, FAIL)
        yield writing.snippet(name, f"propagator [{place}]")


# --- modules ---


@dataclass(frozen=True, slots=True)
class Written:
    """A module of many snippets. `expected` has for a line and a rule which snippet it is of, and what is right."""

    text: str
    expected: Mapping[tuple[int, str], tuple[Snippet, Outcomes]]


def module_of(written: Iterable[Snippet], packages: Iterable[str]) -> Written:
    """One function, or method, for each; the module imports the packages."""
    cases = list(written)
    needed = {"import flask", "import logging", *(f"import {name}" for name in packages)}
    needed |= {statement for snippet in cases for statement in snippet.imports}
    lines = [*sorted(needed - {""}), "", "app = flask.Flask(__name__)", "logging.basicConfig(format='%(message)s')"]
    expected: dict[tuple[int, str], tuple[Snippet, Outcomes]] = {}
    for number, snippet in enumerate(cases, 1):
        lines += ["", "", *([f"class Case{number}({snippet.base}):"] if snippet.base else [])]
        indent = "    " if snippet.base else ""
        lines.append(f"{indent}def case_{number}({snippet.parameters}):")
        for index, (code, outcomes) in snippet.expected.items():
            expected[len(lines) + index + 1, code] = (snippet, outcomes)
        lines += [f"{indent}    {line}" for line in snippet.lines]
    return Written("\n".join(lines) + "\n", expected)
