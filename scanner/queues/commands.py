"""The commands that start workers, and which queues each of them reads."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.queues.apps import App
from assay.scanner.readers import shell
from assay.scanner.readers.shell import ShellFacts

_SWITCHES = frozenset({"-b", "--burst", "-s", "--with-scheduler", "-v", "--verbose", "-q", "--quiet"})
"""Flags of RQ's that take no value."""
_FLAGS = ("-Q", "--queues", "-q", "--queue")


@dataclass(frozen=True, slots=True)
class WorkerCommand:
    """One command. `queues` are those that it names, empty where it leaves them to the configuration; `is_open` says
    that a variable names them.
    """

    place: Evidence
    queues: tuple[str, ...] = ()
    is_open: bool = False


def worker_commands(app: App) -> Iterator[WorkerCommand]:
    """Those that start the app's workers in production, in entry scripts too."""
    deployment = app.code.gathered.deployments.get(app.code.service.name)
    for command in deployment.start_commands if deployment is not None else ():
        if command.role is Role.PROD:
            found = _read(_split(command.process.text), app.framework, Evidence(command.location, command.text))
            if found is not None:
                yield found
    for path, facts in sorted(app.code.gathered.context.files.items()):
        role = app.code.gathered.roles.get(path, Role.PROD)
        for each in shell.commands(facts.body) if isinstance(facts, ShellFacts) and role is Role.PROD else ():
            if app.code.gathered.owners.around(path) in (app.code.service, None):
                place = each.span.evidence(path, " ".join(each.words))
                found = _read(each.words, app.framework, place)
                if found is not None:
                    yield found


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _read(words: Sequence[str], framework: str, place: Evidence) -> WorkerCommand | None:
    names = [word.rsplit("/", 1)[-1] for word in words]
    match framework:
        case "Celery":
            starts = "worker" in names and any(n.startswith("celery") for n in names[: names.index("worker")])
            named = _flagged(words)
        case "RQ":
            starts = "rqworker" in names or names[-1:] == ["rq"] or ("rq" in names and "worker" in names)
            at = names.index("rqworker") if "rqworker" in names else names.index("worker") if "worker" in names else 0
            named = list(_without_flags(words[at + 1 :]))
        case "Dramatiq":
            starts = bool({"dramatiq", "rundramatiq", "dramatiq-gevent"} & set(names))
            named = _flagged(words)
        case _:
            return None
    if not starts:
        return None
    loose = (word for before, word in pairwise(["", *words]) if word.startswith("$") and not before.startswith("-"))
    is_open = any("$" in name or "%(" in name for name in named) or any(loose)
    return WorkerCommand(place, tuple(named), is_open)


def _without_flags(words: Sequence[str]) -> Iterator[str]:
    """RQ's queues stand by themselves: what isn't a flag, or a flag's value."""
    for before, word in pairwise(["", *words]):
        is_value = before.startswith("-") and "=" not in before and before not in _SWITCHES
        if not word.startswith("-") and not is_value:
            yield word


def _flagged(words: Sequence[str]) -> list[str]:
    """`-Q mails,reports`, `--queues=mails`, `--queues mails reports`."""
    found: list[str] = []
    for at, word in enumerate(words):
        flag, has_value, value = word.partition("=")
        if flag in _FLAGS and has_value:
            found += value.split(",")
        elif word.startswith("-Q") and len(word) > len("-Q"):
            found += word.removeprefix("-Q").split(",")
        elif word in _FLAGS:
            rest = words[at + 1 :]
            end = next((n for n, w in enumerate(rest) if w.startswith("-")), len(rest))
            found += [name for w in rest[:end] for name in w.split(",")]
    return [name for name in found if name]
