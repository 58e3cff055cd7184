"""Texts put together from pieces, and what the methods of a text do to its pieces."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from string import Formatter

from assay.scanner.dataflow.taint import folding
from assay.scanner.dataflow.taint.values import (
    EVERYTHING,
    Const,
    Key,
    Text,
    Thing,
    Trace,
    Tree,
    Value,
    cleared,
    lacking,
    merged_traces,
    shallow_traces,
    text_of,
)
from assay.scanner.libraries import SinkKind

_PERCENT = re.compile(r"%(?:\((?P<name>[^)]*)\))?[#0\- +]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?P<kind>[diouxXeEfFgGcrsa%])")
_SAME = frozenset(
    {
        "capitalize", "casefold", "center", "copy", "decode", "encode", "expandtabs", "format_map", "ljust", "lower",
        "lstrip", "removeprefix", "removesuffix", "replace", "rjust", "rstrip", "strip", "swapcase", "title",
        "translate", "upper", "zfill",
    }
)  # fmt: skip
_LISTS = frozenset({"partition", "rpartition", "rsplit", "split", "splitlines"})
_TELLING = frozenset(
    {
        "count", "endswith", "find", "index", "isalnum", "isalpha", "isascii", "isdecimal", "isdigit", "isidentifier",
        "islower", "isnumeric", "isprintable", "isspace", "istitle", "isupper", "rfind", "rindex", "startswith",
        "__contains__", "__len__",
    }
)  # fmt: skip
TEXT_METHODS = _SAME | _LISTS | _TELLING | {"format", "join"}
"""Methods that a value whose type isn't known has as a text, at a good guess."""

_NO_TEXT = frozenset("diouxXeEfFgGc")
"""Conversions that leave no room for text of the client's choice."""


def formatted(value: Value, conversion: str | None, spec: str) -> Value:
    """What `{value!conversion:spec}` puts into a text."""
    if spec and spec[-1] in "bcdeEfFgGnoxX%" and not isinstance(value, Const):
        return cleared(value, EVERYTHING)
    if conversion in ("r", "a") and not isinstance(value, Const):
        return cleared(value, frozenset({SinkKind.LOG, SinkKind.HEADER}))
    return value


def percent(template: str, positional: Sequence[Value], named: Mapping[Key, Value], others: Value | None) -> Value:
    """`template % values`; `others` stands for what is not known by place or name."""
    parts: list[str | Value] = []
    values = iter(positional)
    end = 0
    for match in _PERCENT.finditer(template):
        parts.append(template[end : match.start()])
        end = match.end()
        if match["kind"] == "%":
            parts.append("%")
            continue
        value = named.get(match["name"]) if match["name"] is not None else next(values, None)
        value = value if value is not None else others
        if value is None:
            parts.append(match[0])
        elif match["kind"] in _NO_TEXT:
            parts.append(cleared(value, EVERYTHING))
        else:
            parts.append(formatted(value, match["kind"], ""))
    return text_of([*parts, template[end:]])


def braces(template: str, positional: Sequence[Value], named: Mapping[str, Value], others: Value | None) -> Value:
    """`template.format(...)`."""
    parts: list[str | Value] = []
    values = iter(positional)
    try:
        fields = list(Formatter().parse(template))
    except ValueError:  # a lone brace: the program would fail there too
        return Thing("builtins.str", _of([*positional, *named.values()]))
    for literal, name, spec, conversion in fields:
        parts.append(literal)
        if name is None:
            continue
        first = re.split(r"[.\[]", name, maxsplit=1)[0]
        value = _field(first, positional, named) if first else next(values, None)
        value = value if value is not None else others
        if value is not None:
            parts.append(formatted(value, conversion, spec or ""))
    return text_of(parts)


def _field(name: str, positional: Sequence[Value], named: Mapping[str, Value]) -> Value | None:
    if name.isdigit():
        return positional[int(name)] if int(name) < len(positional) else None
    return named.get(name)


def joined_text(separator: Value, items: Tree | None, whole: Value) -> Value:
    """`separator.join(items)`; without known items, a text made of whatever is in `whole`."""
    if items is None or items.rest is not None:
        return Thing("builtins.str", _of([separator, whole]))
    parts: list[str | Value] = []
    for index, (_, item) in enumerate(items.entries):
        if index:
            parts.append(separator)
        parts.append(item)
    return text_of(parts)


def method(text: Value, name: str, args: Sequence[Value]) -> Value | None:
    """What a method gives of a text that isn't known as a whole; None for one that texts don't have."""
    traces = tuple(shallow_traces(text))
    if name in _TELLING:
        return Thing("builtins.bool")
    if name == "splitlines":
        line = lacking(lacking(Thing("builtins.str", merged_traces(traces)), "\n"), "\r")
        return Tree("list", (), line)
    if name in _LISTS:
        return Tree("list", (), Thing("builtins.str", merged_traces(traces)))
    if name not in _SAME:
        return None
    if name == "replace" and isinstance(text, Text) and len(args) >= 2:
        return _replaced(text, args)
    if name in ("lower", "upper") and isinstance(text, Text):
        return text_of(getattr(p, name)() if isinstance(p, str) else p for p in text.parts)
    if isinstance(text, Text) and name in ("encode", "decode", "copy", "strip", "rstrip"):
        return text
    if name == "replace":
        found: Value = Thing("builtins.str", merged_traces([*traces, *_of(args[1:2])]))
        if len(args) == 2 and isinstance(args[0], Const) and isinstance(args[1], Const):
            old, new = str(args[0].value), str(args[1].value)
            # Of a longer piece a new one may come about: `....//` without `../` is `../`.
            return lacking(found, old) if len(old) == 1 and old not in new else found
        return found
    return Thing("builtins.str", merged_traces(traces))


def _replaced(text: Text, args: Sequence[Value]) -> Value:
    old, new = args[0], args[1]
    if not isinstance(old, Const) or not isinstance(old.value, str) or not old.value:
        return Thing("builtins.str", _of([text, *args]))
    parts: list[str | Value] = []
    for part in text.parts:
        if not isinstance(part, str):
            parts.append(part)
            continue
        for index, piece in enumerate(part.split(old.value)):
            parts += [new, piece] if index else [piece]
    return text_of(parts)


def sliced(text: Value, lower: Value | None, upper: Value | None, step: Value | None) -> Value:
    """`text[lower:upper:step]`."""
    bounds = [b if b is not None else Const(None) for b in (lower, upper, step)]
    known = [b.value for b in bounds if isinstance(b, Const)]
    if len(known) == 3 and isinstance(text, Const) and isinstance(text.value, str):
        return folding.sliced(text.value, *known) or Thing("builtins.str")
    if isinstance(text, Text) and len(known) == 3 and known[2] is None:
        found = _of_edge(text, known[0], known[1])
        if found is not None:
            return found
    return Thing("builtins.str", merged_traces(shallow_traces(text)))


def _of_edge(text: Text, lower: Key, upper: Key) -> Value | None:
    """A slice that lies within the literal beginning or end of the text, or cuts something off there."""
    first, last = text.parts[0], text.parts[-1]
    if isinstance(first, str) and isinstance(lower, int | None) and isinstance(upper, int | None):
        if upper is not None and (lower or 0) >= 0 and 0 <= upper <= len(first):
            return Const(first[lower:upper])
        if upper is None and lower is not None and 0 <= lower <= len(first):
            return text_of([first[lower:], *text.parts[1:]])
    if isinstance(last, str) and isinstance(lower, int | None) and isinstance(upper, int | None):
        if lower is not None and lower < 0 and -lower <= len(last) and (upper is None or upper < 0):
            return Const(last[lower:upper])
        if not lower and upper is not None and upper < 0 and -upper <= len(last):
            return text_of([*text.parts[:-1], last[:upper]])
    return None


def _of(values: Sequence[Value]) -> tuple[Trace, ...]:
    return merged_traces(t for v in values for t in shallow_traces(v))
