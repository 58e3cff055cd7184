"""Which traces of a value are dangerous at a sink: what interprets it decides which parts of it matter."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.dataflow.taint.values import (
    Choice,
    Const,
    Slot,
    Text,
    Thing,
    Trace,
    Tree,
    Value,
    merged_traces,
    options_of,
    shallow_traces,
)
from assay.scanner.libraries import Label, SinkKind

_AUTHORITY = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#\\]+[/?#]|/(?![/\\])[^/\\]|[?#]")
"""A beginning that fixes where a URL leads: scheme and host up to the path, or a path on the same host."""

XML_PARSERS = frozenset(
    {
        "xml.sax.make_parser", "xml.sax.xmlreader.XMLReader", "lxml.etree.XMLParser", "lxml.etree.XMLPullParser",
        "lxml.etree.ETCompatXMLParser",
    }
)  # fmt: skip
"""Objects whose options say what becomes of a document's entities."""
_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "cmd", "cmd.exe", "powershell", "pwsh"})
_SHELL_FLAGS = frozenset({"-c", "/c", "/C", "-Command", "-lc", "-ec"})
_PROGRAMS_OF_ARGUMENTS = frozenset({"env", "sudo", "xargs", "nohup", "nice", "timeout", "ssh"})


def fixes_authority(prefix: str) -> bool:
    """Whether a URL that begins so leads to a known host, or stays on the same one."""
    return _AUTHORITY.match(prefix) is not None


def dangerous(kind: SinkKind, value: Value) -> tuple[Trace, ...]:
    """The traces of the value that do harm at a sink of the kind."""
    found = (trace for option in options_of(value) for trace in _parts(kind, option))
    return merged_traces(t for t in found if t.label is not Label.STORED or kind in _STORED)


_SHAPED = frozenset(
    {
        SinkKind.COMMAND, SinkKind.PATH, SinkKind.URL, SinkKind.REDIRECT, SinkKind.XML, SinkKind.XPATH,
        SinkKind.DOCUMENT, SinkKind.HEADER,
    }
)  # fmt: skip


def essence(kind: SinkKind, value: Value) -> Value:
    """What of a value matters at a sink of the kind, whoever fills its slots: mostly its dangerous traces alone.

    A log call deep down is filled again for each of its callers; a text of traces costs a fraction of its parts.
    """
    if kind in _SHAPED:
        return value
    found = dangerous(kind, value)
    return Thing("", found) if found else value


_STORED = frozenset(
    {
        SinkKind.COMMAND, SinkKind.CODE, SinkKind.PATH, SinkKind.URL, SinkKind.TEMPLATE, SinkKind.HTML,
        SinkKind.DESERIALIZE, SinkKind.REDIRECT,
    }
)  # fmt: skip
"""Where text that was stored before is worth a question."""


def _parts(kind: SinkKind, value: Value) -> Iterator[Trace]:
    match kind, value:
        case SinkKind.COMMAND, Tree():
            yield from (t for t in _arguments(value) if kind not in t.cleared)
        case SinkKind.COMMAND, Text():
            yield from _shell_words(value)
        case ((SinkKind.URL | SinkKind.REDIRECT), Text()):
            yield from (t for t in _authority(value) if kind not in t.cleared)
        case SinkKind.XML, Tree(kind="parse"):
            yield from (t for t in _parsed(value) if kind not in t.cleared)
        case SinkKind.HEADER, Tree(kind="dict", entries=entries):
            for name, entry in entries:
                # Line breaks are refused by what takes a dict; a quote in a file's name isn't.
                if str(name).lower() == "content-disposition":
                    yield from _parts(kind, entry)
        case SinkKind.HEADER, Text():
            yield from _lines(value)
        case SinkKind.XPATH, Text():
            yield from _quoted_parts(value)
        case SinkKind.DOCUMENT, _:
            yield from (t for t in _documents(value) if kind not in t.cleared)
        case SinkKind.PATH, _:
            yield from _path_parts(value)
        case _:
            yield from (t for t in shallow_traces(value) if kind not in t.cleared and _does_harm(kind, t))


def _does_harm(kind: SinkKind, trace: Trace) -> bool:
    if kind is SinkKind.LINK:
        return _may_be_host(trace)
    needed = _NEEDED.get(kind, ())
    return not (needed and trace.lacks.issuperset(needed))


def _may_be_host(trace: Trace) -> bool:
    return trace.label is Label.HOST or isinstance(trace.origin, Slot)


_NEEDED = {SinkKind.HEADER: ("\n",), SinkKind.LOG: ("\n",), SinkKind.HTML: ("<",)}
"""Without these a value can't leave its place."""


def _shell_words(text: Text) -> Iterator[Trace]:
    """What a shell reads: a quoted value within quotes of the text ends these."""
    literal = ""
    for part in text.parts:
        if isinstance(part, str):
            literal += part
            continue
        is_within_quotes = literal.count("'") % 2 == 1 or literal.count('"') % 2 == 1
        yield from (t for t in shallow_traces(part) if SinkKind.COMMAND not in t.cleared or is_within_quotes)


def _quoted_parts(text: Text) -> Iterator[Trace]:
    """Within quotes, a value without that quote stays where it is."""
    literal = ""
    for part in text.parts:
        if isinstance(part, str):
            literal += part
            continue
        quote = _open_quote(literal)
        for trace in shallow_traces(part):
            if SinkKind.XPATH not in trace.cleared and not (quote and quote in trace.lacks):
                yield trace


def _lines(text: Text) -> Iterator[Trace]:
    """What can begin a header of its own; behind an empty line comes the body."""
    literal = ""
    for part in text.parts:
        if isinstance(part, str):
            literal += part.replace("\r\n", "\n")
            if "\n\n" in literal:
                return
        else:
            yield from (t for t in shallow_traces(part) if SinkKind.HEADER not in t.cleared and "\n" not in t.lacks)


def _parsed(parse: Tree) -> Iterator[Trace]:
    """A document does harm where its parser resolves external entities."""
    entries = dict(parse.entries)
    doubt = _parser_doubt(entries.get("parser"), entries["default"])
    if doubt is not None:
        for trace in shallow_traces(entries["document"]):
            yield replace(trace, doubt=trace.doubt or doubt or None)


def _parser_doubt(parser: Value | None, default: Value) -> str | None:
    """What makes it uncertain that a parser resolves external entities: empty where it does, None where it doesn't."""
    if parser is None:
        return str(default.value) if isinstance(default, Const) and default.value is not None else None
    if not isinstance(parser, Tree):
        return "it isn't known how its parser is configured"
    options = dict(parser.entries)
    if any(options.get(name) == Const(unsafe) for name, unsafe in _RESOLVING.items()):
        return ""
    if "lxml" not in parser.type_name or options.get("resolve_entities") in (Const(False), Const("internal")):
        return None
    return OLD_LXML


OLD_LXML = "lxml resolves external entities by default before version 5"
_RESOLVING = {"resolve_entities": True, "load_dtd": True, "no_network": False}


def _open_quote(literal: str) -> str:
    """The quote that is open at the end of a text; empty where none is."""
    quote = ""
    for character in literal:
        if character == quote:
            quote = ""
        elif not quote and character in "'\"":
            quote = character
    return quote


def _path_parts(value: Value) -> Iterator[Trace]:
    """What can lead out of a folder. One segment of a route's path can only be `..`: at the end that is a folder, which
    is no file to open, and with text directly before or behind it, it is a name.
    """
    parts = value.parts if isinstance(value, Text) else (value,)
    for index, part in enumerate(parts):
        if isinstance(part, str):
            continue
        before = parts[index - 1] if index else ""
        after = parts[index + 1] if index + 1 < len(parts) else ""
        is_within_name = _touches(before, last=True) or _touches(after, last=False)
        for trace in shallow_traces(part):
            if SinkKind.PATH in trace.cleared or not trace.lacks.isdisjoint(("..", "../", "./")):
                continue
            if trace.label is not Label.SEGMENT and "/" not in trace.lacks:
                yield trace
            elif not is_within_name and (after != "" or _THE_END in trace.lacks):
                yield replace(trace, doubt=trace.doubt or _MAY_CLIMB)


def in_the_middle(traces: Iterable[Trace]) -> tuple[Trace, ...]:
    """The traces of a path that goes on behind them."""
    return tuple(replace(t, lacks=t.lacks | {_THE_END}) for t in traces)


_THE_END = "<end>"
_MAY_CLIMB = "it has no slash in it, but it may be `..`"


def _touches(part: str | Value, *, last: bool) -> bool:
    """Whether a literal continues the name that a value is in."""
    return isinstance(part, str) and part != "" and part[-1 if last else 0] not in "/\\"


def _authority(text: Text) -> Iterator[Trace]:
    """What can change where a URL leads: all parts up to the one that ends its authority."""
    literal = ""
    for part in text.parts:
        if isinstance(part, str):
            literal += part
            if _AUTHORITY.match(literal):
                return
            continue
        traces = list(shallow_traces(part))
        yield from traces
        # Text of the client's is no end of an authority; text that the service chooses may well be one.
        literal += "\N{WHITE SQUARE}" if traces or literal else "x://x"


def _arguments(arguments: Tree) -> Iterator[Trace]:
    """What of a list of arguments can start something else: the program, and the text that a shell is given."""
    entries = dict(arguments.entries)
    first = entries.get(0)
    if first is None:
        yield from shallow_traces(arguments)
        return
    yield from shallow_traces(first)
    program = first.value.rsplit("/", 1)[-1] if isinstance(first, Const) and isinstance(first.value, str) else ""
    later = [v for k, v in arguments.entries if k != 0]
    flags = {v.value for v in later if isinstance(v, Const) and isinstance(v.value, str)}
    if program in _SHELLS and flags & _SHELL_FLAGS:
        yield from (t for v in later for t in shallow_traces(v))
        if arguments.rest is not None:
            yield from shallow_traces(arguments.rest)
    elif program in _PROGRAMS_OF_ARGUMENTS and later:
        yield from shallow_traces(later[0])


def _documents(value: Value) -> Iterator[Trace]:
    """Whatever may be an object, not a text: an operator in it changes the query."""
    match value:
        case Thing(traces=traces):
            yield from (t for t in traces if t.label is Label.JSON)
        case Tree(entries=entries, rest=rest, keys=keys):
            for key, entry in entries:
                is_script = isinstance(key, str) and key in ("$where", "$function", "$accumulator")
                yield from shallow_traces(entry) if is_script else _documents(entry)
            if rest is not None:
                yield from _documents(rest)
            if keys is not None:
                yield from shallow_traces(keys)
        case Choice(values=values):
            for option in values:
                yield from _documents(option)
        case Text():
            return
        case _:
            yield from shallow_traces(value)
