"""How a report's values become JSON text: the same bytes for the same values, safe to print anywhere."""

from __future__ import annotations

import json
import re

import msgspec

_UNPAIRED_SURROGATE = re.compile("[\ud800-\udfff]")
# DEL, C1 controls, line separators, direction marks: JSON lets them stand, but terminals act on them. C0 controls are
# escaped by JSON itself.
_ACTS_ON_A_TERMINAL = re.compile("[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def json_text(value: object) -> str:
    """Two spaces of indent, keys in the order of their declaration, a newline at the end.

    Takes whatever msgspec can encode. Unpaired surrogates (what Python makes of undecodable bytes in file names)
    become U+FFFD, as not every JSON parser takes them (RFC 8259 §8.2). Raises ValueError for a NaN or an infinity.
    """
    return _harmless(msgspec.json.format(_written(value), indent=2))


def json_line(value: object) -> str:
    """The same in one line, for JSON lines."""
    return _harmless(_written(value))


def float_free_json_line(value: object) -> str:
    """The same, several times as fast, for what holds no floats: of a NaN this would make null."""
    try:
        return _harmless(msgspec.json.encode(value).decode())
    except UnicodeEncodeError:  # an unpaired surrogate
        return json_line(value)


def json_document(value: msgspec.Struct) -> str:
    """The same with a line for each element of each field: small, and easy to search and to compare line by line."""
    fields = (f"  {_written(name)}: {_element_lines(field)}" for name, field in msgspec.to_builtins(value).items())
    return _harmless("{\n" + ",\n".join(fields) + "\n}")


def _element_lines(field: object) -> str:
    if isinstance(field, dict) and field:
        return "{\n" + ",\n".join(f"    {_written(str(key))}: {_written(e)}" for key, e in field.items()) + "\n  }"
    if isinstance(field, list | tuple) and field:
        return "[\n" + ",\n".join(f"    {_written(element)}" for element in field) + "\n  ]"
    return _written(field)


def _written(value: object) -> str:
    # msgspec's own encoder is as fast but refuses unpaired surrogates; json's is slow once it has to indent.
    text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False, allow_nan=False)
    return _UNPAIRED_SURROGATE.sub("\ufffd", text)


def _harmless(text: str) -> str:
    return _ACTS_ON_A_TERMINAL.sub(lambda found: f"\\u{ord(found[0]):04x}", text) + "\n"


def schema_text(root: type[msgspec.Struct], title: str) -> str:
    """The JSON Schema (2020-12) of what msgspec makes of the struct."""
    (reference,), definitions = msgspec.json.schema_components([root], ref_template="#/$defs/{name}")
    return json_text(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": title,
            **reference,
            "$defs": dict(sorted(definitions.items())),
        }
    )
