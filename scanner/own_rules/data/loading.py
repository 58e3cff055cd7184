"""A data file of rules: its form, and what it becomes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
from msgspec import Meta, field

from assay.scanner.model.call import FunctionCall
from assay.scanner.model.role import Role
from assay.scanner.own_rules.data.attributes import Kind as AttributeKind
from assay.scanner.own_rules.data.attributes import attributes_of, nouns
from assay.scanner.own_rules.data.conditions import AllOf, Attributed, Matches
from assay.scanner.own_rules.data.document import Document, Path, read_document
from assay.scanner.own_rules.data.judging import DataJudge, Demand, Message
from assay.scanner.own_rules.data.reading import ConditionReader
from assay.scanner.own_rules.errors import OwnRuleError
from assay.scanner.own_rules.headings import Heading, Loaded, Weight
from assay.scanner.rulebook import CODE, FIRST_EDITION, Judging, Rule, RuleSource
from assay.scanner.verdicts import Severity

__all__ = ["load_data"]

Text = Annotated[str, Meta(min_length=1)]
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_FUNCTION_CALL = "function call"
_CALL, _UNLESS = "call", "unless"


class _Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule as it is written."""

    code: Text
    name: Text
    title: Text
    severity: Severity
    why: Text
    fix: Text
    subject: Text | None = None
    where: dict[str, object] = field(default_factory=dict)
    forbid: dict[str, object] | None = None
    require: dict[str, object] | None = None
    message: Text | None = None
    cwe: tuple[int, ...] = ()
    references: tuple[str, ...] = ()
    roles: Annotated[tuple[Role, ...], Meta(min_length=1)] = (Role.PROD,)
    preview: bool = False


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `sections` are titles, `principles` sentences, `weights` shares of the overall score."""

    rules: Annotated[tuple[_Rule, ...], Meta(min_length=1)]
    principles: dict[str, Text] = field(default_factory=dict)
    sections: dict[str, Text] = field(default_factory=dict)
    weights: dict[str, Annotated[float, Meta(ge=0, le=100)]] = field(default_factory=dict)


def load_data(source: RuleSource) -> Loaded:
    """Read the file. Raises OwnRuleError with file and line."""
    document = read_document(source.name, source.content)
    try:
        file = msgspec.convert(document.value, _File)
    except msgspec.ValidationError as error:
        raise _translated(document, error) from error
    rules = tuple(_RuleReader(document, rule, ("rules", index)).rule() for index, rule in enumerate(file.rules))
    headings = (*_headings(document, "sections", file.sections), *_headings(document, "principles", file.principles))
    weights = (Weight(name, value, document.place(("weights", name))) for name, value in file.weights.items())
    return Loaded(rules, headings, tuple(weights))


def _headings(document: Document, key: str, texts: Mapping[str, str]) -> Iterator[Heading]:
    form, example = {"sections": (r"[A-Z]+", "ACME"), "principles": (r"[A-Z]+\d", "ACME1")}[key]
    for name, text in texts.items():
        if not re.fullmatch(form, name):
            raise document.error((key, name), f"{name!r} names none of the {key}; one looks like {example}")
        yield Heading(name, " ".join(text.split()), document.place((key, name)))


class _RuleReader:
    """Makes one rule."""

    def __init__(self, document: Document, written: _Rule, path: Path) -> None:
        self._document, self._written, self._path = document, written, path
        self._conditions = ConditionReader(document)

    def rule(self) -> Rule:
        written = self._written
        if CODE.fullmatch(written.code) is None:
            raise self._error("code", f"{written.code!r} is no rule code; one looks like ACME101")
        if _NAME.fullmatch(written.name) is None:
            raise self._error("name", f"{written.name!r} is no name of a rule; one looks like request-without-timeout")
        where, forbid = dict(written.where), None if written.forbid is None else dict(written.forbid)
        if forbid is not None and _CALL in forbid:
            if _CALL in where:
                raise self._error("forbid", "the call is named in `where` already")
            where[_CALL] = forbid.pop(_CALL)
        noun = self._noun(is_about_calls=_CALL in where)
        chosen = self._chosen(where, noun)
        calls = _callees(chosen)
        if (noun is FunctionCall) is not bool(calls):
            raise self._error("subject", "a rule about function calls says which, as in `call: requests.*`")
        judge = DataJudge(chosen, tuple(self._demands(forbid, noun)), self._message(noun))
        judging = Judging(judge, noun, options_type=None, parameters=1)
        return Rule(
            code=written.code,
            name=written.name,
            severity=written.severity,
            title=_sentence(written.title),
            why=_sentence(written.why),
            fix=_sentence(written.fix),
            cwe=written.cwe,
            references=written.references,
            roles=frozenset(written.roles),
            source_module=self._document.file,
            since=FIRST_EDITION,
            calls=calls,
            is_preview=written.preview,
            place=self._document.place(self._path),
            load=lambda: judging,
        )

    def _noun(self, *, is_about_calls: bool) -> type:
        name = self._written.subject
        if name is None and not is_about_calls:
            raise OwnRuleError(
                self._document.place(self._path),
                f"{self._written.code} says nothing of its subject; write `subject: endpoint`, or `forbid` a call",
            )
        wanted = re.sub(r"[\s_-]+", " ", (name or _FUNCTION_CALL).strip()).casefold()
        known = {words.casefold(): noun for words, noun in nouns().items()} | {_CALL: FunctionCall}
        if wanted not in known:
            raise self._document.error(
                (*self._path, "subject", wanted), f"there is no subject {name!r}", [*nouns(), _CALL]
            )
        return known[wanted]

    def _chosen(self, where: Mapping[str, object], noun: type) -> AllOf:
        """`call` may stand in `forbid`, and is looked for there when something is wrong with it."""
        if noun is not FunctionCall and _CALL in where:
            key = "where" if _CALL in self._written.where else "forbid"
            raise self._error(key, "only function calls have a `call`")
        if _CALL in where and _CALL not in self._written.where:
            rest = {name: wanted for name, wanted in where.items() if name != _CALL}
            call = self._conditions.all_of({_CALL: where[_CALL]}, noun, (*self._path, "forbid"))
            others = self._conditions.all_of(rest, noun, (*self._path, "where"))
            return AllOf((*call.conditions, *others.conditions))
        return self._conditions.all_of(where, noun, (*self._path, "where"))

    def _demands(self, forbid: dict[str, object] | None, noun: type) -> Iterator[Demand]:
        if forbid is None and self._written.require is None:
            raise OwnRuleError(
                self._document.place(self._path),
                f"{self._written.code} demands nothing; say what it has to `forbid` or `require`",
            )
        for key, said in (("forbid", forbid), ("require", self._written.require)):
            if said is None:
                continue
            conditions = {name: wanted for name, wanted in said.items() if name != _UNLESS}
            selects = key == "forbid" and _CALL in (self._written.forbid or {})
            if not conditions and not selects:
                raise self._error(key, "it says nothing")
            path = (*self._path, key)
            yield Demand(
                self._conditions.all_of(conditions, noun, path),
                is_forbidden=key == "forbid",
                unless=tuple(self._unless(said.get(_UNLESS), noun, (*path, _UNLESS))),
            )

    def _unless(self, said: object, noun: type, path: Path) -> Iterator[AllOf]:
        """A mapping, all of which holds together, or a list of such."""
        if said is None:
            return
        if isinstance(said, list):
            for index, one in enumerate(said):
                yield self._conditions.all_of(one, noun, (*path, index))
        else:
            yield self._conditions.all_of(said, noun, path)

    def _message(self, noun: type) -> Message:
        message = Message(self._written.message or "{label}: " + _escaped(self._written.title.rstrip(".")))
        try:
            names = list(message.names)
        except ValueError as error:
            raise self._error("message", f"{error}; write {{{{ and }}}} for braces themselves") from error
        for name in names:
            attribute = attributes_of(noun).get(name)
            if attribute is None or attribute.kind is AttributeKind.PART:
                usable = [a.name for a in attributes_of(noun).values() if a.kind is not AttributeKind.PART]
                raise self._document.error(
                    (*self._path, "message", name), f"{{{name}}} is nothing that can be put into the message", usable
                )
        return message

    def _error(self, key: str, problem: str) -> OwnRuleError:
        return self._document.error((*self._path, key), problem)


def _callees(chosen: AllOf) -> tuple[str, ...]:
    for condition in chosen.conditions:
        if isinstance(condition, Attributed) and condition.name == "callee" and isinstance(condition.test, Matches):
            return condition.test.patterns.patterns
    return ()


def _sentence(text: str) -> str:
    text = " ".join(text.split())
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


_AT = re.compile(r" - at (?:key in )?`\$(?P<path>.*)`$")
_STEP = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")
_NAMES = {
    "str": "text", "int": "a whole number", "float": "a number", "bool": "true or false", "array": "a list",
    "object": "keys and values", "null": "nothing",
}  # fmt: skip


def _translated(document: Document, error: msgspec.ValidationError) -> OwnRuleError:
    """msgspec's word in that of the file."""
    text = str(error)
    at = _AT.search(text)
    problem = text[: at.start()] if at else text
    path: Path = ()
    for step in _STEP.finditer(at["path"] if at else ""):
        if step["index"] == "...":
            break
        path = (*path, step["key"] if step["key"] is not None else int(step["index"]))
    if (match := re.fullmatch(r"Object contains unknown field `(.*)`", problem)) is not None:
        struct = _Rule if path[:1] == ("rules",) else _File
        return document.error((*path, match[1]), f"there is no key {match[1]!r} here", struct.__struct_fields__)
    if (match := re.fullmatch(r"Object missing required field `(.*)`", problem)) is not None:
        return OwnRuleError(document.place(path), f"the key {match[1]!r} is missing")
    if (match := re.fullmatch(r"Invalid enum value '(.*)'", problem, re.DOTALL)) is not None:
        values = list(Role) if "roles" in path else list(Severity)
        return document.error((*path, match[1]), f"{match[1]!r} is none of {', '.join(values)}")
    words = re.sub(r"`([^`]+)`", lambda m: " or ".join(_NAMES.get(t, t) for t in m[1].split(" | ")), problem)
    key = f"{path[-1]}: " if path and isinstance(path[-1], str) else ""
    return OwnRuleError(document.place(path), key + words[:1].lower() + words[1:])
