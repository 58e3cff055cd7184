"""The standard and its rules as values: `@rule` makes one, `load_rulebook` finds them all.

Nothing is registered: discovery walks a package and takes the rules defined in its modules. Whatever is wrong with a
rule is an error at load time, never a rule that is silently missing.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import typing
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import StrEnum
from functools import cache, partial
from importlib import resources
from types import ModuleType
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from assay.scanner import packaged_yaml
from assay.scanner.model.call import FunctionCall
from assay.scanner.model.role import Role
from assay.scanner.verdicts import Severity, Verdict

CODE = re.compile(r"(?P<section>[A-Z]+)(?P<principle>\d)(?P<number>\d\d)")
ONLY_PROD = frozenset({Role.PROD})
FIRST_EDITION = "2026.1"


class RulebookError(Exception):
    """The rules or the standard can't be loaded; the message says which one and what to do."""


class Principle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One sentence of the standard, such as "list endpoints are paginated, traffic is limited"."""

    id: str
    title: str
    statement: str
    weight: float = 1.0
    attested: bool = False
    """Code alone can't show it; without judged subjects it needs a person's word instead of being not applicable."""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A chapter of the standard."""

    id: str
    title: str
    weight: float
    principles: tuple[Principle, ...]
    is_own: bool = False
    """A team's own, beside the standard's."""


class Standard(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole written norm, without its rules. `editions` that can be judged by go from the first to the newest."""

    editions: Annotated[tuple[str, ...], Meta(min_length=1)]
    sections: tuple[Section, ...]

    @property
    def edition(self) -> str:
        """The newest one."""
        return self.editions[-1]

    def holds(self, rule: Rule, edition: str | None) -> bool:
        """Whether the rule counts in the edition (None: the newest): it isn't newer, and no preview."""
        return not rule.is_preview and self.editions.index(rule.since) <= self.editions.index(edition or self.edition)

    @property
    def principles(self) -> dict[str, Principle]:
        """By id, in the standard's order."""
        return {p.id: p for section in self.sections for p in section.principles}


@dataclass(frozen=True, slots=True)
class Judging:
    """What a rule does: the function, which subjects it is asked about, and the options that it takes."""

    judge: Callable[..., Verdict]
    subject_type: type
    options_type: type | None
    parameters: int
    """How many of subject, service and options the function takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleText:
    """What is said of a rule: plain values, so that a cache can keep them."""

    code: str
    name: str
    severity: Severity
    title: str
    why: str
    fix: str
    cwe: tuple[int, ...]
    references: tuple[str, ...]
    roles: frozenset[Role]
    source_module: str
    since: str
    """The edition of the standard that it came with."""
    calls: tuple[str, ...] = ()
    """Patterns of dotted names; where it judges function calls, of what is called."""
    is_preview: bool = False
    """It is shown, and counts neither in scores nor at the gate."""
    place: str = ""
    """Where a rule of one's own stands, as `file:line`; empty for the standard's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule(RuleText):
    """One checkable demand of the standard, with its documentation. `load` gives what it does, once that is needed."""

    load: Callable[[], Judging]

    @property
    def judge(self) -> Callable[..., Verdict]:
        return self.load().judge

    @property
    def subject_type(self) -> type:
        return self.load().subject_type

    @property
    def options_type(self) -> type | None:
        return self.load().options_type

    @property
    def parameters(self) -> int:
        return self.load().parameters

    @property
    def principle(self) -> str:
        """The id of the principle it belongs to: API401 belongs to API4."""
        return self.code[:-2]

    @property
    def section(self) -> str:
        match = CODE.fullmatch(self.code)
        assert match is not None
        return match["section"]


def rule(
    code: str,
    *,
    severity: Severity,
    cwe: tuple[int, ...] = (),
    references: tuple[str, ...] = (),
    roles: frozenset[Role] = ONLY_PROD,
    since: str = FIRST_EDITION,
    calls: tuple[str, ...] = (),
    preview: bool = False,
) -> Callable[[Callable[..., Verdict]], Rule]:
    """Turn a function into a rule; its name, first parameter's type and docstring are the rule's.

    `references` are the documents it rests on (URLs or names such as "RFC 9110 §15"); subjects of other `roles` are
    not applicable without asking the function; `since` is the edition of the standard that the rule came with. A rule
    that judges a `FunctionCall` says by `calls` which: patterns such as `requests.*` of the dotted names of functions.
    What a rule in `preview` says is shown, and counts neither in scores nor at the gate.
    """
    if CODE.fullmatch(code) is None:
        raise RulebookError(f"{code!r} is no rule code; it takes a section, the principle's digit and two digits")

    def build(function: Callable[..., Verdict]) -> Rule:
        title, why, fix = _documentation(code, function)
        hints = typing.get_type_hints(function)
        parameters = list(inspect.signature(function).parameters)
        if not parameters or parameters[0] not in hints:
            raise RulebookError(
                f"{code}: the first parameter of {function.__name__} must be annotated with its subject"
            )
        if (hints[parameters[0]] is FunctionCall) is not bool(calls):
            raise RulebookError(f"{code}: `calls` names the functions whose calls a rule about FunctionCall judges")
        options = hints.get(parameters[2]) if len(parameters) > 2 else None
        if options is not None and not is_dataclass(options):
            raise RulebookError(f"{code}: the third parameter of {function.__name__} must be a dataclass of options")
        subject_type, options_type = hints[parameters[0]], options if isinstance(options, type) else None
        judging = Judging(function, subject_type, options_type, len(parameters))
        return Rule(
            code=code,
            name=function.__name__.replace("_", "-"),
            severity=severity,
            title=title,
            why=why,
            fix=fix,
            cwe=cwe,
            references=references,
            roles=roles,
            source_module=function.__module__,
            since=since,
            calls=calls,
            is_preview=preview,
            load=lambda: judging,
        )

    return build


def _documentation(code: str, function: Callable[..., Verdict]) -> tuple[str, str, str]:
    doc = inspect.getdoc(function) or ""
    parts = re.split(r"^(Why|Fix):", doc, flags=re.MULTILINE)
    if len(parts) != 5 or parts[1] != "Why" or parts[3] != "Fix":
        raise RulebookError(
            f"{code}: the docstring of {function.__name__} needs a first sentence, then 'Why:', then 'Fix:'"
        )
    title, why, fix = (" ".join(parts[i].split()) for i in (0, 2, 4))
    if not (title and why and fix):
        raise RulebookError(f"{code}: the docstring of {function.__name__} leaves its title, Why or Fix empty")
    return title, why, fix


class RuleFormat(StrEnum):
    """How rules of one's own are written down."""

    PYTHON = "python"
    """A file of functions with `@rule`."""
    DATA = "data"
    """A YAML file."""
    PLUGIN = "plugin"
    """An installed module or package."""


class RuleSource(msgspec.Struct, frozen=True, array_like=True):
    """Rules of one's own as they were read: what a worker makes them of again, and what the cache knows them by.

    `name` is the file's path or the module's name, `content` the file's bytes, or a digest of the module's code.
    """

    format: RuleFormat
    name: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Rulebook:
    """The standard with its rules, sorted by code; `packages` are those that they were found in.

    `own` are the sources of rules beside the standard's.
    """

    standard: Standard
    rules: tuple[Rule, ...]
    packages: tuple[str, ...] = ()
    own: tuple[RuleSource, ...] = ()

    def by_code(self) -> Mapping[str, Rule]:
        return {r.code: r for r in self.rules}

    def of_principle(self, principle: str) -> tuple[Rule, ...]:
        return tuple(r for r in self.rules if r.principle == principle)


def load_rulebook(package: ModuleType) -> Rulebook:
    """Import every module of the package and collect the rules defined there.

    Raises RulebookError for a duplicate code, a rule of an unknown principle or a standard that can't be read; import
    errors are left as they are.
    """
    standard = _load_standard(package)
    rules: dict[str, Rule] = {}
    for module in modules_of(package):
        for value in rules_in(module):
            if value.code in rules:
                raise RulebookError(
                    f"{value.code} is defined twice: in {rules[value.code].source_module} and {module.__name__}"
                )
            if value.principle not in standard.principles:
                raise RulebookError(
                    f"{value.code} in {module.__name__}: the standard has no principle {value.principle}"
                )
            if value.since not in standard.editions:
                raise RulebookError(f"{value.code} in {module.__name__}: there is no edition {value.since}")
            rules[value.code] = value
    return Rulebook(standard, tuple(rules[code] for code in sorted(rules)), (package.__name__,))


def texts_of(book: Rulebook) -> tuple[RuleText, ...]:
    """What can be kept of its rules."""
    return tuple(RuleText(**_said_of(rule)) for rule in book.rules)


def rulebook_of(package: ModuleType, texts: Iterable[RuleText]) -> Rulebook:
    """The rulebook of a package whose rules say these texts; a module of rules is imported when one of them is asked.

    Raises RulebookError where the standard can't be read.
    """
    rules = (Rule(**_said_of(text), load=partial(_judging_of, text.source_module, text.code)) for text in texts)
    return Rulebook(_load_standard(package), tuple(rules), (package.__name__,))


def _said_of(text: RuleText) -> dict[str, Any]:
    return {field.name: getattr(text, field.name) for field in fields(RuleText)}


@cache
def _judging_of(module: str, code: str) -> Judging:
    return next(rule for rule in rules_in(importlib.import_module(module)) if rule.code == code).load()


def modules_of(package: ModuleType) -> Iterator[ModuleType]:
    """Every module below the package, imported. Leaves import errors as they are."""
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        yield importlib.import_module(info.name)


def rules_in(module: ModuleType) -> Iterator[Rule]:
    """The rules that are defined in the module, not those that it imports."""
    for value in vars(module).values():
        if isinstance(value, Rule) and value.source_module == module.__name__:
            yield value


def _load_standard(package: ModuleType) -> Standard:
    text = resources.files(package).joinpath("standard.yaml").read_text(encoding="utf-8")
    try:
        return msgspec.convert(packaged_yaml.load(text), Standard)
    except msgspec.ValidationError as error:
        raise RulebookError(f"standard.yaml: {error}") from error
