"""The JSON Schema of the configuration, for editors."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from assay.scanner.config.structure import OptionValue, RuleSeverity, RulesTable, WrittenConfig
from assay.scanner.rulebook import CODE

_RULE_KEY = "^" + re.sub(r"\?P<\w+>", "?:", CODE.pattern) + "$"
"""The pattern of a rule's code, without the named groups that JSON Schema's dialect of regex lacks."""


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of `assay.toml`, and of `[tool.assay]`. Dates are the strings that they are in TOML."""
    _, definitions = msgspec.json.schema_components(
        [WrittenConfig, RulesTable, RuleSeverity], ref_template="#/$defs/{name}"
    )
    definitions = dict(definitions)
    top = definitions.pop("WrittenConfig")
    severity = definitions.pop("RuleSeverity")
    options = msgspec.json.schema(OptionValue)
    rule = severity | {"additionalProperties": options, "title": "RuleConfig"}
    definitions["RulesTable"] = definitions["RulesTable"] | {"patternProperties": {_RULE_KEY: rule}}
    properties = top["properties"] | {"rules": {"$ref": "#/$defs/RulesTable"}}
    shown: dict[str, Any] = _in_tomls_terms(
        {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **top,
            "title": "Configuration of Assay",
            "description": "What Assay judges by, and what its gate demands.",
            "properties": properties,
            "$defs": dict(sorted(definitions.items())),
        }
    )
    return shown


def _in_tomls_terms(node: Any) -> Any:
    """TOML knows no null, and a table that is missing is one with nothing in it."""
    if isinstance(node, list):
        return [_in_tomls_terms(each) for each in node]
    if not isinstance(node, dict):
        return node
    kept = {key: _in_tomls_terms(value) for key, value in node.items()}
    if isinstance(kept.get("default"), dict | list | tuple | None):
        kept.pop("default", None)
    choices = [choice for choice in kept.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        del kept["anyOf"]
        return choices[0] | kept
    return kept | ({"anyOf": choices} if choices else {})
