"""Which traces of a value are dangerous at a sink: what interprets it decides which parts of it matter."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.taint.values import (
    Choice,
    Const,
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

_SHELLS = frozenset({"sh", "bash", "dash", "zsh", "ksh", "cmd", "cmd.exe", "powershell", "pwsh"})
_SHELL_FLAGS = frozenset({"-c", "/c", "/C", "-Command", "-lc", "-ec"})
_PROGRAMS_OF_ARGUMENTS = frozenset({"env", "sudo", "xargs", "nohup", "nice", "timeout", "ssh"})


def fixes_authority(prefix: str) -> bool:
    """Whether a URL that begins so leads to a known host, or stays on the same one."""
    return _AUTHORITY.match(prefix) is not None


def dangerous(kind: SinkKind, value: Value) -> tuple[Trace, ...]:
    """The traces of the value that do harm at a sink of the kind."""
    found: list[Trace] = []
    for option in options_of(value):
        found += (t for t in _parts(kind, option) if kind not in t.cleared)
    return merged_traces(found)


def _parts(kind: SinkKind, value: Value) -> Iterator[Trace]:
    match kind:
        case SinkKind.COMMAND if isinstance(value, Tree):
            yield from _arguments(value)
        case SinkKind.URL | SinkKind.REDIRECT if isinstance(value, Text):
            yield from _authority(value)
        case SinkKind.DOCUMENT:
            yield from _documents(value)
        case _:
            yield from shallow_traces(value)


def _authority(text: Text) -> Iterator[Trace]:
    """What can change where a URL leads: all parts up to the one that ends its authority."""
    literal = ""
    for part in text.parts:
        if isinstance(part, str):
            literal += part
            if _AUTHORITY.match(literal):
                return
        else:
            yield from shallow_traces(part)
            literal += "\N{WHITE SQUARE}"  # stands for text of the client's: it is no end of an authority


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
            yield from (t for t in traces if t.label is Label.JSON or not isinstance(t.origin, str) and _is_slot(t))
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


def _is_slot(trace: Trace) -> bool:
    return not hasattr(trace.origin, "text")
