"""From what a data rule says of attributes to conditions, with every word checked against the nouns of the model."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from assay.scanner.linker.library_types import canonical
from assay.scanner.model.call import FunctionCall
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.patterns import Patterns, is_plain
from assay.scanner.model.subject import noun_of
from assay.scanner.own_rules.data.attributes import Attribute, Kind, attributes_of, found_attribute
from assay.scanner.own_rules.data.conditions import (
    AllOf,
    AnyIs,
    ArgumentGiven,
    ArgumentIs,
    Attributed,
    Compared,
    Is,
    Matches,
    MatchesPath,
    Test,
    There,
)
from assay.scanner.own_rules.data.document import Document, Path

__all__ = ["ConditionReader"]

_ARGUMENT = "argument"
_COMPARISON = re.compile(r"(?P<operator><=|>=|<|>)\s*(?P<limit>-?\d+(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class ConditionReader:
    """Reads what one document says; each method raises OwnRuleError with the line."""

    document: Document

    def all_of(self, value: object, noun: type, path: Path) -> AllOf:
        """A mapping of attributes to what they are to be."""
        if not isinstance(value, Mapping):
            raise self.document.error(path, "here stand attributes and what they are to be, as in `method: POST`")
        return AllOf(
            tuple(self._condition(str(name), wanted, noun, (*path, str(name))) for name, wanted in value.items())
        )

    def patterns(self, value: object, path: Path) -> Patterns:
        """A text, or a list of them."""
        texts: list[str] = []
        for text in _listed(value):
            if not isinstance(text, str) or not text.removeprefix("!"):
                hint = "put it into quotes" if isinstance(text, int | float) else "a pattern is a text"
                raise self.document.error(path, f"{_written(text)} is no pattern; {hint}")
            texts.append(text)
        if not texts:
            raise self.document.error(path, "the list is empty")
        return Patterns(tuple(texts))

    def callees(self, value: object, path: Path) -> Patterns:
        """Patterns of dotted names, those of the libraries' own where one thing has several."""
        patterns = self.patterns(value, path)
        for pattern in patterns.patterns:
            if not re.fullmatch(r"!?[\w*?]+(\.[\w*?]+)*", pattern):
                raise self.document.error(path, f"{pattern!r} is no dotted name, as `requests.get` or `requests.*` is")
        return Patterns(tuple(canonical(p) if is_plain(p) else p for p in patterns.patterns))

    def _condition(self, name: str, wanted: object, noun: type, path: Path) -> Attributed | ArgumentGiven | ArgumentIs:
        if noun is FunctionCall and name == _ARGUMENT:
            return self._argument(wanted, path)
        attribute = found_attribute(noun, name)
        if attribute is None:
            more = (_ARGUMENT, "call") if noun is FunctionCall else ()
            raise self.document.error(
                path, f"{_article(noun)} has no attribute {name!r}", [*more, *attributes_of(noun)]
            )
        if noun is FunctionCall and attribute.name == "callee":
            return Attributed(attribute.name, Matches(self.callees(wanted, path)))
        if noun is Endpoint and attribute.name == "path" and not isinstance(wanted, bool):
            return Attributed(attribute.name, MatchesPath(self.patterns(wanted, path)))
        return Attributed(attribute.name, self._test(wanted, attribute, path))

    def _argument(self, wanted: object, path: Path) -> ArgumentGiven | ArgumentIs:
        """A name, a list of them, or one name with its value."""
        if not isinstance(wanted, Mapping):
            names = [str(name) if type(name) is int else name for name in _listed(wanted)]
            return ArgumentGiven(self.patterns(names, path))
        if len(wanted) != 1:
            raise self.document.error(
                path, "here stands one argument with its value, as in `argument: {verify: false}`"
            )
        ((name, value),) = wanted.items()
        return ArgumentIs(str(name), Patterns(tuple(_as_python(v) for v in _listed(value))))

    def _test(self, wanted: object, attribute: Attribute, path: Path) -> Test:
        if isinstance(wanted, bool) and (attribute.is_many or attribute.kind is not Kind.FLAG):
            return There(wanted)
        test = self._item_test(wanted, attribute, path)
        return AnyIs(test) if attribute.is_many else test

    def _item_test(self, wanted: object, attribute: Attribute, path: Path) -> Test:
        if attribute.kind is Kind.PART:
            assert attribute.part is not None
            if isinstance(wanted, Mapping):
                return self.all_of(wanted, attribute.part, path)
            known = ", ".join(attributes_of(attribute.part))
            raise self.document.error(
                path,
                f"{attribute.name!r} is true or false (there or not), or says what attributes are: {known}",
            )
        if attribute.kind is Kind.FLAG:
            flags = [value for value in _listed(wanted) if isinstance(value, bool)]
            if len(flags) < len(_listed(wanted)):
                raise self.document.error(path, f"{attribute.name!r} is true or false, not {_written(wanted)}")
            return Is(tuple(flags))
        if attribute.kind is Kind.NUMBER:
            return self._number(wanted, attribute, path)
        patterns = self.patterns(wanted, path)
        for pattern in (p.removeprefix("!") for p in patterns.patterns):
            if attribute.choices and is_plain(pattern) and pattern not in attribute.choices:
                raise self.document.error(
                    (*path, pattern), f"{attribute.name!r} is never {pattern!r}", attribute.choices
                )
        return Matches(patterns)

    def _number(self, wanted: object, attribute: Attribute, path: Path) -> Test:
        if isinstance(wanted, str) and (match := _COMPARISON.fullmatch(wanted.strip())) is not None:
            return Compared(match["operator"], float(match["limit"]))
        numbers = [v for v in _listed(wanted) if isinstance(v, int | float) and not isinstance(v, bool)]
        if len(numbers) < len(_listed(wanted)):
            what = f"{attribute.name!r} is a number, or compared with one, as in '<= 100', not {_written(wanted)}"
            raise self.document.error(path, what)
        return Is(tuple(numbers))


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _as_python(value: object) -> str:
    """A value as Python spells it; text stays a pattern, of text in Python's quotes."""
    if isinstance(value, str) and not value.removeprefix("!").startswith(("'", "*")) and value not in ("None", "!None"):
        return f"!'{value[1:]}'" if value.startswith("!") else f"'{value}'"
    return value if isinstance(value, str) else repr(value)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "nothing" if value is None else repr(value) if isinstance(value, str | int | float) else "that"


def _article(noun: type) -> str:
    words = noun_of(noun)
    return f"{'an' if words[0] in 'aeio' or words.startswith('SQL') else 'a'} {words}"
