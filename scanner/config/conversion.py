"""The merged tables turned into the configuration, with every mistake told in TOML's words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import Any

import msgspec
from msgspec import inspect

from assay.scanner.config.documents import nearest, written
from assay.scanner.config.lines import KeyPath
from assay.scanner.config.merging import Merged
from assay.scanner.config.structure import (
    Config,
    FilesConfig,
    OptionValue,
    RuleConfig,
    RulesConfig,
    RuleSeverity,
    RulesTable,
    ServiceConfig,
    WrittenConfig,
)
from assay.scanner.rulebook import CODE


def config_of(merged: Merged, sources: tuple[str, ...]) -> Config:
    """Raises ConfigError."""
    top = convert(merged, merged.values, WrittenConfig, ())
    plain = {key: value for key, value in top.rules.items() if not isinstance(value, dict)}
    disable = convert(merged, plain, RulesTable, ("rules",)).disable
    rules = {code: _rule(merged, code, table) for code, table in top.rules.items() if isinstance(table, dict)}
    return Config(
        edition=top.edition,
        services={name: _service(service) for name, service in top.services.items()},
        files=FilesConfig(top.files.exclude, top.files.max_size, top.files.roles),
        rules=RulesConfig(frozenset(disable), rules),
        coverage=top.coverage,
        migrations=top.migrations,
        evidence=top.evidence,
        sources=sources,
        gate=top.gate,
        waivers=top.waivers,
        attestations=top.attestations,
    )


def _service(service: ServiceConfig) -> ServiceConfig:
    """With its folder written as paths of files are: `./orders/` is `orders`."""
    return msgspec.structs.replace(service, root=PurePosixPath(service.root).as_posix())


def _rule(merged: Merged, code: str, table: dict[str, Any]) -> RuleConfig:
    path = ("rules", code)
    if CODE.fullmatch(code) is None:
        raise merged.error(path, "that is no rule code; one looks like API402", ("disable", "extend-disable"))
    known = {key: value for key, value in table.items() if key == "severity"}
    severity = convert(merged, known, RuleSeverity, path).severity
    options = {
        key: convert(merged, value, OptionValue, (*path, key)) for key, value in table.items() if key != "severity"
    }
    return RuleConfig(severity, options)


def convert(merged: Merged, value: Any, type_: Any, path: KeyPath) -> Any:
    """msgspec's conversion of the value at the path. Raises ConfigError."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        text = str(error)
        at = _AT.search(text)
        inner = _path_of(at["path"] if at else "", value, type_, text)
        problem, about, meant = _in_words(text[: at.start()] if at else text, type_, path, inner)
        raise merged.error((*path, *inner, *about), problem, meant) from error


_AT = re.compile(r" - at `\$(?P<path>.*)`$")
_STEP = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`", re.DOTALL)
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`")
_ENUM = re.compile(r"Invalid enum value '(?P<value>.*)'", re.DOTALL)
_LENGTH = re.compile(r"Expected `(?:str|array)` of length >= 1")
_TYPE_NAMES = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "date": "a date",
    "datetime": "a date and time",
    "time": "a time",
}


def _in_words(problem: str, type_: Any, path: KeyPath, inner: KeyPath) -> tuple[str, KeyPath, Sequence[str]]:
    """msgspec's words in TOML's, the key below `inner` that they are about, and what may have been meant by it."""
    if (match := _UNKNOWN.fullmatch(problem)) is not None:
        where = f"[{written((*path, *inner))}]" if path or inner else "the top level"
        return f"there is no such key in {where}", (match["name"],), _keys_of(_type_at(type_, inner))
    if (match := _MISSING.fullmatch(problem)) is not None:
        return f"the key {match['name']!r} is missing", (), ()
    if (match := _ENUM.fullmatch(problem)) is not None:
        here = _type_at(type_, inner)
        valid = _words_of(here)
        choice = f"neither a whole number nor {valid[0]!r}" if _takes_numbers(here) else f"none of {', '.join(valid)}"
        return f"{match['value']!r} is {choice}{nearest(match['value'], valid)}", (), ()
    if _LENGTH.fullmatch(problem) is not None:
        return "it is empty", (), ()
    if "matching regex" in problem:
        folder = "expected a folder inside the file's own, relative to it and with '/', such as 'services/orders'"
        return folder, (), ()
    if problem.startswith("Invalid RFC3339"):
        return "expected a date such as 2027-01-31", (), ()
    problem = problem.replace(" | null", "")
    if "| str`" in problem and (words := _words_of(_type_at(type_, inner))):
        problem = problem.replace("| str`", f"| {words[0]!r}`")
    problem = re.sub(r"`([^`]+)`", lambda m: " or ".join(_TYPE_NAMES.get(t, t) for t in m[1].split(" | ")), problem)
    return problem[:1].lower() + problem[1:], (), ()


def _path_of(text: str, value: Any, type_: Any, message: str) -> KeyPath:
    """The keys of msgspec's path. It writes `[...]` for any key of a mapping; the key is found by trying each."""
    path: list[str | int] = []
    here = value
    for step in _STEP.finditer(text):
        key: str | int = step["key"]
        if step["index"] == "...":
            key = next(key for key in here if _message_with_only(value, type_, path, key) == message)
        elif step["index"] is not None:
            key = int(step["index"])
        path.append(key)
        here = here[key]
    return tuple(path)


def _message_with_only(value: Any, type_: Any, path: Sequence[str | int], key: str | int) -> str | None:
    """What is wrong once the mapping at the path has nothing but that key."""
    try:
        msgspec.convert(_with_only(value, path, key), type_)
    except msgspec.ValidationError as error:
        return str(error)
    return None


def _with_only(value: Any, path: Sequence[str | int], key: str | int) -> Any:
    if not path:
        return {key: value[key]}
    changed = value.copy()
    changed[path[0]] = _with_only(value[path[0]], path[1:], key)
    return changed


def _type_at(type_: Any, path: KeyPath) -> inspect.Type:
    """The type of what is at the path inside a value of the type."""
    here = inspect.type_info(type_)
    for step in path:
        match _plain(here):
            case inspect.StructType(fields=fields):
                here = next(field.type for field in fields if field.encode_name == step)
            case inspect.DictType(value_type=here) | inspect.VarTupleType(item_type=here):
                pass
    return here


def _plain(info: inspect.Type) -> inspect.Type:
    """Without what only describes it, and without None: TOML has no null."""
    while isinstance(info, inspect.Metadata | inspect.UnionType):
        if isinstance(info, inspect.Metadata):
            info = info.type
        else:
            info = next(each for each in info.types if not isinstance(each, inspect.NoneType))
    return info


def _alternatives(info: inspect.Type) -> Iterator[inspect.Type]:
    match info:
        case inspect.Metadata(type=inner):
            yield from _alternatives(inner)
        case inspect.UnionType(types=types):
            for each in types:
                yield from _alternatives(each)
        case _:
            yield info


def _keys_of(info: inspect.Type) -> list[str]:
    plain = _plain(info)
    return [field.encode_name for field in plain.fields] if isinstance(plain, inspect.StructType) else []


def _words_of(info: inspect.Type) -> list[str]:
    """The words that it takes, where it doesn't take any text."""
    words: list[str] = []
    for each in _alternatives(info):
        match each:
            case inspect.EnumType(cls=members):
                words += [str(member.value) for member in members]
            case inspect.LiteralType(values=values):
                words += [str(value) for value in values]
    return words


def _takes_numbers(info: inspect.Type) -> bool:
    return any(isinstance(each, inspect.IntType | inspect.FloatType) for each in _alternatives(info))
