"""How a project's checks are set up: coverage's and pytest's settings, environments of tox, scripts of other runners.

Sources: coverage.readthedocs.io/config, docs.pytest.org/reference/customize, tox.wiki/config, docs.codecov.com, and the
documents of Hatch, PDM, Poe the Poet, taskipy and Rye.
"""

from __future__ import annotations

import configparser
import posixpath
import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from assay.scanner.readers import yaml_documents
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.tasks import NamedTask, TaskCommand
from assay.scanner.readers.text import decode
from assay.scanner.readers.yaml_documents import Mapping, Scalar


class Threshold(msgspec.Struct, frozen=True, array_like=True):
    """The least coverage that is let through, in percent."""

    percent: float
    span: Span


class CheckFacts(msgspec.Struct, frozen=True, array_like=True, tag="checks"):
    """What one file says. `fail_under` is coverage's own; `status` is Codecov's of the whole project, None in its
    percent for one that is only compared with the base; `is_informational` is one that never fails.

    `pytest_options` are those of every run of pytest. `tasks` are commands under names: for tox, its environments.
    """

    fail_under: Threshold | None = None
    status: tuple[float | None, Span] | None = None
    is_informational: bool = False
    pytest_options: tuple[str, Span] | None = None
    tasks: tuple[NamedTask, ...] = ()
    runner: str = ""
    environments: tuple[str, ...] = ()
    """Those that tox runs when none is named."""
    ruff_is_secure: bool = False
    """Ruff is to apply the rules of flake8-bandit."""


_START = Span(1, 1, 1, 1)
_SUBSTITUTION = re.compile(
    r"\{(?:posargs|tty)(?::(?P<default>[^{}]*))?\}|\{\[[^]]*\][^}]*\}|\{env(?:dir|python|bindir)\}"
)
_RANGES = re.compile(r"\{([^{}]*)\}")


def read(path: str, data: bytes) -> CheckFacts:
    """Read a file that holds nothing else. Raises ReadProblem for what is no text."""
    name = posixpath.basename(path).lower()
    if name.endswith((".yml", ".yaml")):
        return _codecov(path, data)
    text = decode(data)
    if name.endswith("ruff.toml"):
        return _of_ruff(text)
    if name.endswith(".toml"):
        return of_toml(text)
    return of_ini(text, is_coverage=name in (".coveragerc", "coverage.ini"))


def of_ini(text: str, *, is_coverage: bool = False) -> CheckFacts:
    """What an INI file says; coverage's own files leave the prefix of its sections out."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text)
    except configparser.Error:
        return CheckFacts()
    lines = text.split("\n")
    sections = ("report", "coverage:report") if is_coverage else ("coverage:report",)
    under = next((v for s in sections if (v := parser.get(s, "fail_under", fallback=None)) is not None), None)
    options = next(
        (v for s in ("pytest", "tool:pytest") if (v := parser.get(s, "addopts", fallback=None)) is not None), None
    )
    tasks, environments = _tox(parser, lines)
    return CheckFacts(
        _threshold(under, _line_of(lines, "fail_under")),
        pytest_options=None if options is None else (" ".join(options.split()), _line_of(lines, "addopts")),
        tasks=tasks,
        runner="tox" if tasks else "",
        environments=environments,
    )


def of_toml(text: str) -> CheckFacts:
    """What the `[tool]` table of a `pyproject.toml` says, or a `tox.toml`."""
    try:
        tree = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return CheckFacts()
    lines = text.split("\n")
    tool = _table(tree, "tool")
    options = _table(tool, "pytest", "ini_options").get("addopts") or _table(tool, "pytest").get("addopts")
    legacy = _table(tool, "tox").get("legacy_tox_ini")
    old = of_ini(legacy) if isinstance(legacy, str) else CheckFacts()
    tox = _table(tool, "tox") or (tree if "env_run_base" in tree else {})
    named = (*_tox_toml(tox, lines), *_scripts(tool, lines))
    listed = tox.get("env_list") or tox.get("envlist")
    return CheckFacts(
        _threshold(_table(tool, "coverage", "report").get("fail_under"), _line_of(lines, "fail_under")),
        pytest_options=(_words(options), _line_of(lines, "addopts")) if options else None,
        tasks=named + tuple(msgspec.structs.replace(t, span=_START) for t in old.tasks),
        runner="scripts" if named else old.runner,
        environments=tuple(str(e) for e in listed) if isinstance(listed, list) else old.environments,
        ruff_is_secure=_ruff_is_secure(_table(tool, "ruff")),
    )


def _of_ruff(text: str) -> CheckFacts:
    try:
        return CheckFacts(ruff_is_secure=_ruff_is_secure(tomllib.loads(text)))
    except (tomllib.TOMLDecodeError, RecursionError):
        return CheckFacts()


def _ruff_is_secure(ruff: dict[str, Any]) -> bool:
    """Its own list (`select`) with those that are added, less those that are ignored."""
    lint = _table(ruff, "lint") or ruff
    chosen = [*_iterable(lint.get("select")), *_iterable(lint.get("extend-select"))]
    named = any(isinstance(code, str) and re.fullmatch(r"S\d*|ALL", code) for code in chosen)
    return named and "S" not in _iterable(lint.get("ignore"))


def _tox(parser: configparser.RawConfigParser, lines: list[str]) -> tuple[tuple[NamedTask, ...], tuple[str, ...]]:
    """Environments with their commands: those of `[testenv]` hold for one that has none of its own."""
    base = parser.get("testenv", "commands", fallback="") or ""
    found = []
    if parser.has_section("testenv"):
        found.append(_environment("", base, lines))
    for section in parser.sections():
        if section.startswith("testenv:"):
            own = parser.get(section, "commands", fallback=None)
            names = _expanded(section.removeprefix("testenv:"))
            found += [_environment(name, base if own is None else own, lines) for name in names]
    listed = parser.get("tox", "envlist", fallback=None) or parser.get("tox", "env_list", fallback=None) or ""
    return tuple(found), tuple(name for part in re.split(r"[,\n]\s*(?![^{]*\})", listed) for name in _expanded(part))


def _environment(name: str, commands: str, lines: list[str]) -> NamedTask:
    joined = commands.replace("\\\n", " ")
    found = []
    for line in joined.split("\n"):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        clean = _SUBSTITUTION.sub(lambda m: m["default"] or "", text.lstrip("-!").strip())
        found.append(TaskCommand(clean.strip(), _line_holding(lines, text), text.startswith("-")))
    return NamedTask(name, found[0].span if found else _START, tuple(found))


def _tox_toml(tox: dict[str, Any], lines: list[str]) -> tuple[NamedTask, ...]:
    base = _table(tox, "env_run_base").get("commands")
    environments = _table(tox, "env")
    found = [NamedTask("", _START, tuple(_listed(base, lines)))] if base else []
    for name, environment in environments.items():
        own = environment.get("commands", base) if isinstance(environment, dict) else base
        found.append(NamedTask(name, _START, tuple(_listed(own, lines))))
    return tuple(found)


def _scripts(tool: dict[str, Any], lines: list[str]) -> Iterator[NamedTask]:
    """Scripts of Hatch (by environment), PDM, Rye, Poe the Poet, taskipy and Pixi."""
    tables = [
        _table(tool, "pdm", "scripts"),
        _table(tool, "rye", "scripts"),
        _table(tool, "poe", "tasks"),
        _table(tool, "taskipy", "tasks"),
        *(_table(environment, "scripts") for environment in _table(tool, "hatch", "envs").values()),
        _table(tool, "pixi", "tasks"),
        *(_table(feature, "tasks") for feature in _table(tool, "pixi", "feature").values()),
    ]
    for table in tables:
        for name, said in table.items():
            if isinstance(said, dict):
                said = said.get("cmd") or said.get("shell") or said.get("composite") or said.get("sequence") or ""
            place = _line_of(lines, name)
            commands = (c if c.span != _START else msgspec.structs.replace(c, span=place) for c in _listed(said, lines))
            yield NamedTask(name, place, tuple(commands))


def _listed(said: object, lines: list[str]) -> Iterator[TaskCommand]:
    """Commands as text, or as lists of words."""
    items = said if isinstance(said, list) else [said]
    for item in items:
        if isinstance(item, list):
            item = " ".join(w for w in item if isinstance(w, str))
        elif isinstance(item, dict):
            item = item.get("cmd") or item.get("ref") or item.get("shell") or ""
        if isinstance(item, str) and item.strip():
            text = _SUBSTITUTION.sub(lambda m: m["default"] or "", item)
            text = re.sub(r"\{args(?::(?P<default>[^{}]*))?\}", lambda m: m["default"] or "", text)
            yield TaskCommand(" ".join(text.split()), _line_holding(lines, item.split("\n")[0]))


def _codecov(path: str, data: bytes) -> CheckFacts:
    try:
        documents = yaml_documents.read(path, data)
    except ReadProblem:
        return CheckFacts()
    top = next((d for d in documents if isinstance(d, Mapping)), None)
    coverage = top.mapping("coverage") if top is not None else None
    status = coverage.mapping("status") if coverage is not None else None
    if status is None:
        return CheckFacts()
    entry = status.entry("project")
    if entry is None:
        return CheckFacts()
    if isinstance(entry.value, Scalar):
        off = entry.value.boolean is False
        return CheckFacts() if off else CheckFacts(status=(None, entry.key.span))
    default = entry.value.mapping("default") if isinstance(entry.value, Mapping) else None
    settings = default if default is not None else entry.value if isinstance(entry.value, Mapping) else None
    if settings is None:
        return CheckFacts(status=(None, entry.key.span))
    target = (settings.text("target") or "").rstrip("%")
    informational = settings.scalar("informational")
    return CheckFacts(
        status=(float(target) if re.fullmatch(r"\d{1,3}(\.\d+)?", target) else None, entry.key.span),
        is_informational=informational is not None and informational.boolean is True,
    )


def _threshold(said: object, span: Span) -> Threshold | None:
    try:
        percent = float(said) if isinstance(said, int | float | str) and not isinstance(said, bool) else None
    except ValueError:
        percent = None
    return Threshold(percent, span) if percent is not None and 0 < percent <= 100 else None


def _expanded(text: str) -> list[str]:
    """`py{310,311}-django` is two names."""
    text = text.strip()
    match = _RANGES.search(text)
    if match is None:
        return [text] if text else []
    parts = [part.strip() for part in match[1].split(",")][:50]
    return [name for part in parts for name in _expanded(text[: match.start()] + part + text[match.end() :])][:200]


def _table(tree: Any, *keys: str) -> dict[str, Any]:
    for key in keys:
        tree = tree.get(key) if isinstance(tree, dict) else None
    return tree if isinstance(tree, dict) else {}


def _words(said: object) -> str:
    return " ".join(said.split()) if isinstance(said, str) else " ".join(str(w) for w in _iterable(said))


def _iterable(said: object) -> Iterable[object]:
    return said if isinstance(said, list) else ()


def _line_of(lines: list[str], key: str) -> Span:
    """Where the key is given a value first."""
    pattern = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=:]")
    return next((_span(n, line) for n, line in enumerate(lines, 1) if pattern.match(line)), _START)


def _line_holding(lines: list[str], text: str) -> Span:
    start = text.strip()[:60]
    return next((_span(n, line) for n, line in enumerate(lines, 1) if start in line), _START)


def _span(number: int, line: str) -> Span:
    return Span(number, 1, number, len(line) + 1)
