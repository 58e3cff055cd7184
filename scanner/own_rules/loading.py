"""From sources of rules to a rulebook that has them beside the standard's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from assay.scanner.own_rules.errors import OwnRuleError
from assay.scanner.own_rules.headings import Loaded, extended
from assay.scanner.rulebook import Rule, Rulebook, RuleFormat, RuleSource

__all__ = ["with_own_rules"]


def with_own_rules(book: Rulebook, sources: Sequence[RuleSource]) -> Rulebook:
    """The rulebook with the rules of all the sources. Raises OwnRuleError for whatever is wrong with one of them."""
    if not sources:
        return book
    loaded = [_load(source) for source in sources]
    rules: dict[str, Rule] = {}
    for rule in (rule for source in loaded for rule in source.rules):
        first = rules.setdefault(rule.code, rule)
        if first is not rule:
            raise OwnRuleError(rule.place, f"{rule.code} is defined twice: here and in {first.place}")
        if rule.since not in book.standard.editions:
            held = ", ".join(book.standard.editions)
            raise OwnRuleError(rule.place, f"{rule.code}: there is no edition {rule.since!r}; there are {held}")
    standard = extended(book.standard, loaded)
    ordered = sorted((*book.rules, *rules.values()), key=lambda rule: rule.code)
    return replace(book, standard=standard, rules=tuple(ordered), own=(*book.own, *sources))


@cache
def _load(source: RuleSource) -> Loaded:
    """Once a process, however many units it judges."""
    if source.format is RuleFormat.DATA:
        from assay.scanner.own_rules.data.loading import load_data

        return load_data(source)
    from assay.scanner.own_rules.python_rules import load_file, load_plugin

    return load_file(source) if source.format is RuleFormat.PYTHON else load_plugin(source)
