"""What the user configures: `assay.toml` at the scanned root, or `[tool.assay]` in its `pyproject.toml`.

Only one of the two may hold content: which one would count is nobody's guess. A mistake is one ConfigError that names
file, line and key, what is wrong and what was probably meant.
"""

from __future__ import annotations

import dataclasses
import difflib
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from enum import StrEnum
from hashlib import blake2b
from pathlib import Path, PurePosixPath
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from assay.scanner.config.gate import GateConfig, ServiceGate
from assay.scanner.config.tables import Table
from assay.scanner.discovery import DEFAULT_MAX_SIZE, DiscoveryOptions
from assay.scanner.model.role import Role
from assay.scanner.roles import RoleOverride
from assay.scanner.rulebook import CODE, Rule, Rulebook
from assay.scanner.verdicts import Severity

FILE_NAME = "assay.toml"
PYPROJECT = "pyproject.toml"

OptionValue = bool | int | float | str | list[str]
_ANALYZER_CODE = re.compile(r"B\d{3}|RADON-[A-Z]+")
_RULE_KEY = "^" + re.sub(r"\?P<\w+>", "?:", CODE.pattern) + "$"
"""The pattern of a rule's code, without the named groups that JSON Schema's dialect of regex lacks."""


class ConfigError(Exception):
    """A mistake in the configuration; `str()` of it is the whole message for the user.

    `line` counts from 1; None where the file as a whole is meant. `key` is written as in TOML, such as
    `rules.API402.maximum`.
    """

    def __init__(self, file: str, line: int | None, key: str, problem: str) -> None:
        self.file, self.line, self.key, self.problem = file, line, key, problem
        place = file if line is None else f"{file}:{line}"
        super().__init__(f"{place}: {key + ': ' if key else ''}{problem}")


RelativeFolder = Annotated[
    str,
    Meta(
        pattern=r"^(?!/)(?!.*\\)(?!(.*/)?\.\.(/|$)).+$",
        description="A folder relative to the scanned root, with '/'; '.' is the root itself.",
    ),
]


class ServiceConfig(Table, frozen=True):
    """A service that is named by hand."""

    root: RelativeFolder
    gate: ServiceGate = ServiceGate()


class FilesConfig(Table, frozen=True):
    """Which files are scanned, and as what."""

    exclude: Annotated[
        tuple[str, ...], Meta(description="Patterns in gitignore syntax, relative to the scanned root.")
    ] = ()
    max_size: Annotated[int, Meta(gt=0, description="The largest Python file that is read, in bytes.")] = (
        DEFAULT_MAX_SIZE
    )
    roles: Annotated[
        dict[str, Role], Meta(description="Glob in gitignore syntax to role; the first that matches counts.")
    ] = field(default_factory=dict)


class CoverageConfig(Table, frozen=True):
    """How much has to be judged before a grade is given."""

    minimum: Annotated[float, Meta(ge=0, le=1, description="Share, 0 to 1.")] = 0.95


class WaiversFrom(StrEnum):
    """Which waivers and ignores count."""

    HEAD = "head"
    """All of the scanned tree."""
    BASE = "base"
    """Those that were there at the base: nobody exempts their own change."""


class WaiversConfig(Table, frozen=True, rename={"from_": "from", "max_days": "max-days"}):
    """What a waiver may be."""

    max_days: Annotated[int, Meta(gt=0, description="How many days a waiver may hold from its creation.")] = 180
    from_: Annotated[
        WaiversFrom, Meta(description='"base": what the same change adds is checked and does not count in it yet.')
    ] = WaiversFrom.HEAD


class AttestationConfig(Table, frozen=True):
    """A person's word for a principle that code can't show."""

    statement: Annotated[str, Meta(min_length=1, description="What is attested.")]
    by: Annotated[str, Meta(min_length=1, description="Whose word it is.")]
    expires: Annotated[date, Meta(description="The last day on which it counts.")]
    link: Annotated[str, Meta(description="Where the proof is.")] = ""


class RuleConfig(msgspec.Struct, frozen=True):
    """One rule's settings: another severity, and values for the rule's own options."""

    severity: Severity | None = None
    options: dict[str, OptionValue] = field(default_factory=dict)


class RulesConfig(msgspec.Struct, frozen=True):
    """Which rules are off, and settings by rule code."""

    disable: frozenset[str] = frozenset()
    rules: dict[str, RuleConfig] = field(default_factory=dict)

    def severity(self, rule: Rule) -> Severity:
        """The configured severity, or the rule's own."""
        configured = self.rules.get(rule.code, RuleConfig()).severity
        return configured or rule.severity

    def options(self, rule: Rule) -> Any:
        """The rule's options with the configured values over the defaults; None when it takes none."""
        if rule.options_type is None:
            return None
        return msgspec.convert(self.rules.get(rule.code, RuleConfig()).options, rule.options_type)


class Config(msgspec.Struct, frozen=True):
    """The whole configuration; without a file, the defaults. `source` is the file it came from."""

    edition: str | None = None
    services: dict[str, ServiceConfig] = field(default_factory=dict)
    files: FilesConfig = FilesConfig()
    rules: RulesConfig = RulesConfig()
    coverage: CoverageConfig = CoverageConfig()
    source: str | None = None
    gate: GateConfig = GateConfig()
    waivers: WaiversConfig = WaiversConfig()
    attestations: dict[str, AttestationConfig] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Names all that is configured and can change a verdict or a score: 12 hex digits."""
        judged_by = msgspec.structs.replace(self, source=None, gate=GateConfig())
        return blake2b(msgspec.json.encode(judged_by, order="deterministic"), digest_size=6).hexdigest()

    @property
    def discovery(self) -> DiscoveryOptions:
        """What discovery has to know of it."""
        roles = tuple(RoleOverride(glob, role) for glob, role in self.files.roles.items())
        return DiscoveryOptions(self.files.exclude, self.files.max_size, roles)


class _TopLevel(Table, frozen=True):
    """The tables as they are written; `rules` mixes a key of its own with tables named by rule codes."""

    edition: Annotated[str, Meta(min_length=1, description="The edition of the standard to judge by.")] | None = None
    services: dict[str, ServiceConfig] = field(default_factory=dict)
    files: FilesConfig = FilesConfig()
    rules: dict[str, Any] = field(default_factory=dict)
    coverage: CoverageConfig = CoverageConfig()
    gate: GateConfig = GateConfig()
    waivers: WaiversConfig = WaiversConfig()
    attestations: Annotated[dict[str, AttestationConfig], Meta(description="By principle, such as DB3.")] = field(
        default_factory=dict
    )


class _Disable(Table, frozen=True):
    disable: Annotated[tuple[str, ...], Meta(description="Codes of rules, or of analyzers' checks such as B101.")] = ()


class _RuleSeverity(Table, frozen=True):
    severity: Severity | None = None


def load_config(root: Path, rulebook: Rulebook | None = None) -> Config:
    """Read the configuration of the tree at `root`; the defaults when it has none.

    With a rulebook, codes, options and the edition are checked against it. Raises ConfigError.
    """
    found = _find(root)
    if found is None:
        return Config()
    document, raw = found
    config = _convert_all(document, raw)
    for name, service in config.services.items():
        if not (root / PurePosixPath(service.root)).is_dir():
            raise document.error(("services", name, "root"), f"there is no folder {service.root!r}")
    if rulebook is not None:
        _check_rules(document, config, rulebook)
    return config


def schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of `assay.toml`, and of `[tool.assay]`."""
    (reference,), definitions = msgspec.json.schema_components([_TopLevel], ref_template="#/$defs/{name}")
    (disable, severity), more = msgspec.json.schema_components([_Disable, _RuleSeverity], ref_template="#/$defs/{name}")
    del disable, severity, reference
    options = msgspec.json.schema(OptionValue)
    rule = more["_RuleSeverity"] | {"additionalProperties": options, "title": "RuleConfig"}
    rules = more["_Disable"] | {"patternProperties": {_RULE_KEY: rule}, "title": "RulesConfig"}
    definitions = dict(definitions)
    top = dict(definitions.pop("_TopLevel"))
    top["properties"] = top["properties"] | {"rules": rules}
    definitions |= {name: value for name, value in more.items() if not name.startswith("_")}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **top,
        "title": "Configuration of Assay",
        "$defs": definitions,
    }


@dataclasses.dataclass(frozen=True, slots=True)
class _Document:
    """The file's text, to find the line of a key in; `prefix` is where the configuration lies in it."""

    file: str
    text: str
    prefix: tuple[str, ...]

    def error(self, path: Sequence[str], problem: str, meant: Iterable[str] = ()) -> ConfigError:
        """`meant` are the valid names, the nearest of which is suggested for the path's last part."""
        hint = _nearest(path[-1], meant) if path else ""
        return ConfigError(self.file, self._line(path), _written((*self.prefix, *path)), problem + hint)

    def _line(self, path: Sequence[str]) -> int | None:
        lines = _key_lines(self.text)
        full = (*self.prefix, *path)
        # An inline table has no line for its own keys: the nearest one around it is named.
        return next((lines[full[:end]] for end in range(len(full), 0, -1) if full[:end] in lines), None)


def _find(root: Path) -> tuple[_Document, dict[str, Any]] | None:
    own = _read(root / FILE_NAME, FILE_NAME)
    shared = _read(root / PYPROJECT, PYPROJECT)
    if own is not None:
        document = _Document(FILE_NAME, own, ())
        raw = _parse(document)
        if raw and shared is not None and "tool.assay" in shared and _tool_table(_Document(PYPROJECT, shared, ())):
            raise ConfigError(FILE_NAME, None, "", f"{PYPROJECT} has a [tool.assay] too; keep one of the two")
        if raw:
            return document, raw
    if shared is None:
        return None
    document = _Document(PYPROJECT, shared, ("tool", "assay"))
    raw = _tool_table(document)
    return (document, raw) if raw else None


def _tool_table(document: _Document) -> dict[str, Any]:
    """A `pyproject.toml` that isn't TOML matters only if it seems to configure Assay; else its reader reports it."""
    if "assay" not in document.text:
        return {}
    table = _parse(document).get("tool", {})
    configured = table.get("assay", {}) if isinstance(table, dict) else {}
    if not isinstance(configured, dict):
        raise document.error((), "tool.assay must be a table")
    return configured


def _read(path: Path, name: str) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except UnicodeDecodeError as error:
        if name == PYPROJECT:
            return None
        raise ConfigError(name, None, "", f"it is not UTF-8: {error.reason} at byte {error.start}") from error
    except OSError as error:
        if name == PYPROJECT:
            return None
        raise ConfigError(name, None, "", f"it can't be read: {error.strerror}") from error


def _parse(document: _Document) -> dict[str, Any]:
    try:
        return tomllib.loads(document.text)
    except tomllib.TOMLDecodeError as error:
        match = re.search(r" \(at line (\d+), column (\d+)\)$", str(error))
        line = int(match[1]) if match else document.text.count("\n") + 1
        message = str(error)[: match.start()] if match else str(error)
        raise ConfigError(document.file, line, "", f"it is not valid TOML: {message}") from error


def _convert_all(document: _Document, raw: dict[str, Any]) -> Config:
    top = _convert(document, raw, _TopLevel, ())
    for glob in (*top.files.exclude, *top.files.roles):
        _check_glob(document, glob, ("files", "exclude") if glob in top.files.exclude else ("files", "roles", glob))
    plain = {key: value for key, value in top.rules.items() if not isinstance(value, dict)}
    disable = _convert(document, plain, _Disable, ("rules",)).disable
    rules = {}
    for code, table in top.rules.items():
        if isinstance(table, dict):
            rules[code] = _rule(document, code, table)
    return Config(
        edition=top.edition,
        services=top.services,
        files=top.files,
        rules=RulesConfig(frozenset(disable), rules),
        coverage=top.coverage,
        source=document.file,
        gate=top.gate,
        waivers=top.waivers,
        attestations=top.attestations,
    )


def _rule(document: _Document, code: str, table: dict[str, Any]) -> RuleConfig:
    path = ("rules", code)
    if CODE.fullmatch(code) is None:
        raise document.error(path, "that is no rule code; one looks like API402", ("disable",))
    known = {key: value for key, value in table.items() if key == "severity"}
    severity = _convert(document, known, _RuleSeverity, path).severity
    options = {
        key: _convert(document, value, OptionValue, (*path, key)) for key, value in table.items() if key != "severity"
    }
    return RuleConfig(severity, options)


def _check_glob(document: _Document, glob: str, path: tuple[str, ...]) -> None:
    from pathspec.patterns.gitignore import GitIgnorePatternError
    from pathspec.patterns.gitignore.spec import GitIgnoreSpecPattern

    try:
        regex = GitIgnoreSpecPattern(glob).regex
    except (GitIgnorePatternError, re.error):
        regex = None
    if regex is None:
        raise document.error(path, f"{glob!r} is no pattern that could match a file")


def _check_rules(document: _Document, config: Config, rulebook: Rulebook) -> None:
    known = rulebook.by_code()
    for code in sorted(config.rules.disable):
        if code not in known and not _ANALYZER_CODE.fullmatch(code):
            raise document.error(("rules", "disable"), f"there is no rule {code}" + _nearest(code, known))
    for code, configured in config.rules.rules.items():
        if code not in known:
            raise document.error(("rules", code), "there is no such rule", known)
        _check_options(document, known[code], configured.options)
    editions = rulebook.standard.editions
    if config.edition is not None and config.edition not in editions:
        held = f"edition {editions[0]!r}" if len(editions) == 1 else f"the editions {', '.join(editions)}"
        raise document.error(("edition",), f"this version of Assay holds {held}, not {config.edition!r}")


def _check_options(document: _Document, rule: Rule, options: Mapping[str, OptionValue]) -> None:
    fields = [field.name for field in dataclasses.fields(rule.options_type)] if rule.options_type else []
    path = ("rules", rule.code)
    for name in options:
        if name not in fields:
            raise document.error((*path, name), f"{rule.code} has no such option", (*fields, "severity"))
    if rule.options_type is not None:
        _convert(document, dict(options), rule.options_type, path)


def _convert(document: _Document, value: Any, type_: Any, path: tuple[str, ...]) -> Any:
    """msgspec's conversion, with its errors told in the words of the file."""
    try:
        return msgspec.convert(value, type_)
    except msgspec.ValidationError as error:
        raise _translated(document, error, value, type_, path) from error


_AT = re.compile(r" - at `\$(?P<path>.*)`$")
_STEP = re.compile(r"\.(?P<key>[^.\[]+)|\[(?P<index>\d+|\.\.\.)\]")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<name>.*)`")
_MISSING = re.compile(r"Object missing required field `(?P<name>.*)`")
_ENUM = re.compile(r"Invalid enum value '(?P<value>.*)'", re.DOTALL)


def _translated(
    document: _Document, error: msgspec.ValidationError, value: Any, type_: Any, path: tuple[str, ...]
) -> ConfigError:
    text = str(error)
    at = _AT.search(text)
    problem = text[: at.start()] if at else text
    inner = _path_of(at["path"] if at else "", value, type_)
    if (match := _UNKNOWN.fullmatch(problem)) is not None:
        keys = _keys_of(type_, inner)
        where = f"[{_written((*path, *inner))}]" if path or inner else "the top level"
        return document.error((*path, *inner, match["name"]), f"there is no such key in {where}", keys)
    if (match := _MISSING.fullmatch(problem)) is not None:
        return document.error((*path, *inner), f"the key {match['name']!r} is missing")
    if (match := _ENUM.fullmatch(problem)) is not None:
        valid = _valid_values(inner)
        return document.error(
            (*path, *inner), f"{match['value']!r} is none of {', '.join(valid)}" + _nearest(match["value"], valid)
        )
    return document.error((*path, *inner), _in_words(problem))


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


def _in_words(problem: str) -> str:
    """msgspec's type names in TOML's terms."""
    if "matching regex" in problem:
        return "expected a folder inside the scanned tree, relative to its root and with '/', such as 'services/orders'"
    problem = problem.replace(" | null", "")
    problem = re.sub(r"`([^`]+)`", lambda m: " or ".join(_TYPE_NAMES.get(t, t) for t in m[1].split(" | ")), problem)
    return problem[:1].lower() + problem[1:]


def _path_of(text: str, value: Any, type_: Any) -> tuple[str, ...]:
    """The keys of msgspec's path. It writes `[...]` for any key of a mapping; the key is found by trying each."""
    path: list[str] = []
    here = value
    for step in _STEP.finditer(text):
        key = step["key"]
        if key is None and step["index"] == "...":
            key = next(key for key in here if _fails_with_only(value, type_, path, key))
        if key is None:
            break
        path.append(key)
        here = here[key]
    return tuple(path)


def _fails_with_only(value: Any, type_: Any, path: Sequence[str], key: str) -> bool:
    here = value
    for step in path:
        here = here[step]
    only: Any = {key: here[key]}
    for step in reversed(path):
        only = {step: only}
    try:
        msgspec.convert(only, type_)
    except msgspec.ValidationError:
        return True
    return False


def _keys_of(type_: Any, path: Sequence[str]) -> list[str]:
    """The valid keys of the table at `path` inside a value of the type."""
    info = msgspec.inspect.type_info(type_)
    for step in path:
        if isinstance(info, msgspec.inspect.StructType):
            info = next(field.type for field in info.fields if field.encode_name == step)
        elif isinstance(info, msgspec.inspect.DictType):
            info = info.value_type
        if isinstance(info, msgspec.inspect.Metadata):
            info = info.type
    return [field.encode_name for field in info.fields] if isinstance(info, msgspec.inspect.StructType) else []


def _valid_values(path: Sequence[str]) -> list[str]:
    return [str(v) for v in (Severity if path[-1:] == ("severity",) else Role)]


def _nearest(name: str, candidates: Iterable[str]) -> str:
    nearest = difflib.get_close_matches(name, list(candidates), n=1)
    return f"; did you mean {nearest[0]!r}?" if nearest else ""


_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


def _written(path: Sequence[str]) -> str:
    return ".".join(part if _BARE_KEY.fullmatch(part) else '"' + part.replace('"', '\\"') + '"' for part in path)


_QUOTED = r"[A-Za-z0-9_-]+|\"(?:[^\"\\]|\\.)*\"|'[^']*'"
_DOTTED = rf"(?:{_QUOTED})(?:[ \t]*\.[ \t]*(?:{_QUOTED}))*"
_HEADER = re.compile(rf"[ \t]*\[\[?[ \t]*(?P<key>{_DOTTED})[ \t]*\]")
_ASSIGNMENT = re.compile(rf"[ \t]*(?P<key>{_DOTTED})[ \t]*=")
_MULTILINE = re.compile(r"\"\"\"|'''")


def _key_lines(text: str) -> dict[tuple[str, ...], int]:
    """The first line of every key and table header.

    tomllib keeps no positions, so this looks at what each line begins with; keys inside inline tables have no entry.
    """
    lines: dict[tuple[str, ...], int] = {}
    table: tuple[str, ...] = ()
    in_string = False
    for number, line in enumerate(text.splitlines(), start=1):
        if not in_string:
            if (match := _HEADER.match(line)) is not None:
                table = _parts(match["key"])
                _note(lines, table, number)
            elif (match := _ASSIGNMENT.match(line)) is not None:
                _note(lines, table + _parts(match["key"]), number)
        if len(_MULTILINE.findall(line)) % 2:
            in_string = not in_string
    return lines


def _note(lines: dict[tuple[str, ...], int], path: tuple[str, ...], number: int) -> None:
    for end in range(1, len(path) + 1):
        lines.setdefault(path[:end], number)


def _parts(key: str) -> tuple[str, ...]:
    """The parts of a dotted key, unquoted by TOML's own parser."""
    value: Any = tomllib.loads(f"{key} = 0")
    parts = []
    while isinstance(value, dict):
        ((part, value),) = value.items()
        parts.append(part)
    return tuple(parts)
