"""Logging configuration files: INI as `fileConfig` and gunicorn read it, YAML and JSON as `dictConfig` takes it."""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Collection, Iterator, Mapping

import yaml

from assay.scanner.framework import SinkFound
from assay.scanner.model.log import LogFormat
from assay.scanner.model.place import Evidence, Location

_MACHINE = re.compile(r"json|logfmt|ecs_logging|logstash|gelf", re.IGNORECASE)
_BRACED = re.compile(r"^\s*\{.*[\"']\s*:.*%\(", re.DOTALL)


def file_sinks(files: Mapping[str, bytes]) -> Iterator[SinkFound]:
    """One sink for each formatter in use; files that configure no logging, or a migration tool's, have none.

    Which process reads a file is not asked: every process of the service counts as reading it.
    """
    for path, data in sorted(files.items()):
        text = data.decode("utf-8", "replace")
        formatters = _of_dictionary(text) if path.endswith((".yaml", ".yml", ".json")) else _of_ini(text)
        for maker, template in formatters:
            shape = _shape(maker, template)
            yield SinkFound(
                shape, Evidence(_line(path, text, template or maker), "the formatter"), None, is_shared=True
            )


def _of_ini(text: str) -> Iterator[tuple[str, str]]:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error:
        return
    if "formatters" not in parser or "loggers" not in parser or "alembic" in parser:
        return
    handlers = {name: dict(parser[f"handler_{name}"]) for name in _listed(parser, "handlers", "handler_")}
    attached = {n.strip() for s in parser.sections() for n in parser.get(s, "handlers", fallback="").split(",")}
    used = _used(handlers, attached)
    for section in parser.sections():
        if section.startswith("formatter_") and (not used or section.removeprefix("formatter_") in used):
            yield parser.get(section, "class", fallback="logging.Formatter"), parser.get(section, "format", fallback="")


def _of_dictionary(text: str) -> Iterator[tuple[str, str]]:
    try:
        loaded: object = json.loads(text) if text.lstrip().startswith("{") else yaml.safe_load(text)
    except (json.JSONDecodeError, yaml.YAMLError):
        return
    if not isinstance(loaded, dict) or not isinstance(loaded.get("formatters"), dict) or "handlers" not in loaded:
        return
    loggers = [loaded.get("root"), *(loaded["loggers"].values() if isinstance(loaded.get("loggers"), dict) else ())]
    attached = {str(n) for each in loggers if isinstance(each, dict) for n in each.get("handlers") or ()}
    used = _used(loaded["handlers"], attached) if isinstance(loaded["handlers"], dict) else set()
    for name, formatter in loaded["formatters"].items():
        if isinstance(formatter, dict) and (not used or name in used):
            maker = formatter.get("()") or formatter.get("class") or "logging.Formatter"
            yield str(maker), str(formatter.get("format") or formatter.get("fmt") or "")


def _listed(parser: configparser.RawConfigParser, section: str, prefix: str) -> list[str]:
    names = (name.strip() for name in parser.get(section, "keys", fallback="").split(","))
    return [name for name in names if f"{prefix}{name}" in parser]


def _used(handlers: Mapping[str, object], attached: Collection[str]) -> set[str]:
    """The formatters of the handlers that a logger has."""
    mine = (h for name, h in handlers.items() if name in attached and isinstance(h, dict))
    return {str(h["formatter"]) for h in mine if "formatter" in h}


def _shape(maker: str, template: str) -> LogFormat:
    if _MACHINE.search(maker):
        return LogFormat.MACHINE
    return LogFormat.FORMATTED_JSON if _BRACED.match(template) else LogFormat.PLAIN


def _line(path: str, text: str, wanted: str) -> Location:
    start = wanted.split("\n", 1)[0]
    for number, line in enumerate(text.splitlines(), 1):
        if start and start in line:
            return Location(path, number, 1, number, len(line) + 1)
    return Location.whole_file(path)
