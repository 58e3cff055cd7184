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
    # msgspec's own encoder is as fast but refuses unpaired surrogates; json's is slow once it has to indent.
    text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False, allow_nan=False)
    text = msgspec.json.format(_UNPAIRED_SURROGATE.sub("\ufffd", text), indent=2)
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
