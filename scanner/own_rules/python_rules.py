"""Rules in Python: a file that the command line names, or an installed module or package."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from assay.scanner.model.service import Service, parts_by_type
from assay.scanner.own_rules.errors import OwnRuleError, nearest
from assay.scanner.own_rules.headings import Heading, Loaded, Weight, headings_in
from assay.scanner.rulebook import Rule, RulebookError, RuleSource, modules_of, rules_in

__all__ = ["load_file", "load_plugin"]

WEIGHTS = "WEIGHTS"
"""What a module calls its sections' shares of the overall score: `WEIGHTS = {"ACME": 10}`."""
_OURS = str(Path(__file__).parent.parent)
_T = TypeVar("_T")


def load_file(source: RuleSource) -> Loaded:
    """Run the file, under a name that only its content has. Raises OwnRuleError."""
    name = f"own_rules_{blake2b(source.content, digest_size=8).hexdigest()}_{Path(source.name).stem}"
    module = ModuleType(name)
    module.__file__ = source.name

    def run() -> None:
        code = compile(source.content, source.name, "exec", dont_inherit=True)
        sys.modules[name] = module  # where a dataclass looks its annotations up
        exec(code, module.__dict__)  # noqa: S102 - the user named the file so that it is run

    try:
        _telling_where(run, source.name, source.name)
    except OwnRuleError:
        sys.modules.pop(name, None)
        raise
    return _loaded([module], source.name)


def load_plugin(source: RuleSource) -> Loaded:
    """Import the module, and all those below it where it is a package. Raises OwnRuleError."""

    def run() -> list[ModuleType]:
        module = importlib.import_module(source.name)
        return [module, *(modules_of(module) if hasattr(module, "__path__") else ())]

    return _loaded(_telling_where(run, f"the plugin {source.name}", None), f"the plugin {source.name}")


def _telling_where(run: Callable[[], _T], name: str, file: str | None) -> _T:
    """Whatever goes wrong is told with the line of the file, or of the innermost file of a plugin."""
    try:
        return run()
    except (Exception, SystemExit) as error:  # the code of rules may fail in any way
        place = _place(error, file)
        problem = str(error) if isinstance(error, RulebookError) else f"{type(error).__name__}: {_message(error)}"
        where = place or name
        raise OwnRuleError(
            where, problem if where.startswith(name) else f"{name} can't be loaded: {problem}"
        ) from error


def _message(error: BaseException) -> str:
    return error.msg if isinstance(error, SyntaxError) else str(error)


def _place(error: BaseException, file: str | None) -> str | None:
    if isinstance(error, SyntaxError) and error.filename and (file is None or error.filename == file):
        return f"{error.filename}:{error.lineno}"
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _is_theirs(f.filename, file)]
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else None


def _is_theirs(name: str, file: str | None) -> bool:
    return name == file if file is not None else not name.startswith(("<frozen", _OURS)) and "importlib" not in name


def _loaded(modules: list[ModuleType], name: str) -> Loaded:
    rules = tuple(_placed(rule, module.__file__ or name) for module in modules for rule in rules_in(module))
    if not rules:
        raise OwnRuleError(name, "there is no rule in it; a rule is a function below @rule(...)")
    headings: list[Heading] = []
    weights: list[Weight] = []
    for module in modules:
        headings += headings_in(module.__doc__ or "", module.__file__ or name)
        weights += _weights(vars(module).get(WEIGHTS, {}), module.__file__ or name)
    return Loaded(rules, tuple(headings), tuple(weights))


def _placed(rule: Rule, file: str) -> Rule:
    """The rule with the place of its function, once it is clear that a service has what it judges."""
    code = getattr(rule.judge, "__code__", None)
    place = f"{file}:{code.co_firstlineno}" if code is not None else file
    known = {noun.__name__: noun for noun in (Service, *parts_by_type())}
    if rule.subject_type not in known.values():
        subject = getattr(rule.subject_type, "__name__", str(rule.subject_type))
        raise OwnRuleError(
            place, f"{rule.code} judges {subject}, and a service has no such parts{nearest(subject, known)}"
        )
    return replace(rule, place=place)


def _weights(value: object, place: str) -> Iterator[Weight]:
    if not isinstance(value, Mapping):
        raise OwnRuleError(place, f'{WEIGHTS} holds shares of the score by section, as in {{"ACME": 10}}')
    for section, weight in value.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight <= 100:
            raise OwnRuleError(place, f"{WEIGHTS}: {section} weighs {weight!r}; that is no number from 0 to 100")
        yield Weight(str(section), float(weight), place)
