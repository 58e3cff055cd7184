"""Files that name commands, for people and for CI to run: Makefiles, justfiles, Taskfiles.

Formats: gnu.org/software/make/manual, just.systems/man, taskfile.dev/reference/schema.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from assay.scanner.readers import yaml_documents
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode
from assay.scanner.readers.yaml_documents import Mapping, Scalar, Sequence


class TaskCommand(msgspec.Struct, frozen=True, array_like=True):
    """One command line; `tolerated` says that the task goes on when it fails."""

    text: str
    span: Span
    tolerated: bool = False


class NamedTask(msgspec.Struct, frozen=True, array_like=True):
    """Commands under a name; `needs` are tasks that run first."""

    name: str
    span: Span
    commands: tuple[TaskCommand, ...] = ()
    needs: tuple[str, ...] = ()


class TaskFacts(msgspec.Struct, frozen=True, array_like=True, tag="tasks"):
    """What one file names. `runner` is the program that runs them: `make`, `just`, `task`."""

    runner: str
    tasks: tuple[NamedTask, ...] = ()


_RULE = re.compile(r"(?P<names>[^\s:=#][^:=#]*?)\s*::?(?!=)\s*(?P<needs>[^=;]*?)(?:;(?P<command>.*))?")
_RECIPE = re.compile(r"@?(?P<name>[A-Za-z_][\w-]*)(?P<parameters>[^:=]*):(?!=)\s*(?P<needs>.*)")
_VARIABLE = re.compile(r"(?:export\s+)?(?P<name>[A-Za-z_]\w*)\s*(?:\?|:{1,3}|\+)?=\s*(?P<value>.*?)\s*(?:#.*)?")
_REFERENCE = re.compile(r"\$[({](?P<name>\w+)[)}]")


def read(path: str, data: bytes) -> TaskFacts:
    """Read one file. Raises ReadProblem for what is no text."""
    name = posixpath.basename(path).lower()
    if name.startswith("taskfile"):
        return TaskFacts("task", tuple(_taskfile(path, data)))
    text = decode(data)
    if "justfile" in name:
        return TaskFacts("just", tuple(_recipes(text, _RECIPE, indented=(" ", "\t"))))
    return TaskFacts("make", tuple(_recipes(text, _RULE, indented=("\t",))))


def _recipes(text: str, heading: re.Pattern[str], indented: tuple[str, ...]) -> Iterator[NamedTask]:
    """Names at the beginning of a line, commands indented below them."""
    variables: dict[str, str] = {}
    names: list[tuple[str, Span]] = []
    needs: tuple[str, ...] = ()
    commands: list[TaskCommand] = []
    for line, number in _joined(text):
        if names and line.startswith(indented):
            command = _command(line, number, variables)
            if command is not None:
                commands.append(command)
            continue
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        yield from (NamedTask(name, span, tuple(commands), needs) for name, span in names)
        names, needs, commands = [], (), []
        found = heading.fullmatch(line.rstrip())
        if found is not None:
            span = Span(number, 1, number, len(line) + 1)
            said = found.groupdict()
            names = [(name, span) for name in (said.get("names") or said.get("name") or "").split()]
            needs = tuple(word for word in said["needs"].split("#")[0].split() if word != "|")
            if said.get("command"):
                commands.append(TaskCommand(said["command"].strip(), span))
        elif (variable := _VARIABLE.fullmatch(line)) is not None:
            variables[variable["name"]] = variable["value"]
    yield from (NamedTask(name, span, tuple(commands), needs) for name, span in names)


def _joined(text: str) -> Iterator[tuple[str, int]]:
    """Lines, with those that a backslash continues, and the number of the first of them."""
    begun, start = "", 0
    for number, line in enumerate(text.split("\n"), 1):
        start = start if begun else number
        if line.endswith("\\"):
            begun += line[:-1] + " "
            continue
        yield begun + line, start
        begun = ""
    if begun:
        yield begun, start


def _command(line: str, number: int, variables: dict[str, str]) -> TaskCommand | None:
    text = line.strip()
    if not text or text.startswith("#"):
        return None
    marks = re.match(r"[@+-]*", text)
    assert marks is not None
    for _ in range(3):
        text = _REFERENCE.sub(lambda match: variables.get(match["name"], match[0]), text)
    # `$$` is the shell's dollar.
    return TaskCommand(text[marks.end() :].replace("$$", "$"), Span(number, 1, number, len(line) + 1), "-" in marks[0])


def _taskfile(path: str, data: bytes) -> Iterator[NamedTask]:
    try:
        documents = yaml_documents.read(path, data)
    except ReadProblem:
        return
    top = next((d for d in documents if isinstance(d, Mapping)), None)
    tasks = top.mapping("tasks") if top is not None else None
    for entry in tasks.entries if tasks is not None else ():
        value = entry.value
        if isinstance(value, Scalar):
            yield NamedTask(entry.key.text, entry.key.span, (TaskCommand(value.text, value.span),))
            continue
        items = (
            value.items if isinstance(value, Sequence) else value.items("cmds") if isinstance(value, Mapping) else ()
        )
        commands, needs = [], []
        for item in items:
            if isinstance(item, Scalar):
                commands.append(TaskCommand(item.text, item.span))
            elif isinstance(item, Mapping):
                ignores = item.scalar("ignore_error")
                if (cmd := item.scalar("cmd")) is not None:
                    commands.append(TaskCommand(cmd.text, cmd.span, ignores is not None and ignores.boolean is True))
                if (task := item.text("task")) is not None:
                    needs.append(task)
        if isinstance(value, Mapping):
            needs += [d.text for d in value.items("deps") if isinstance(d, Scalar)]
            needs += [t for d in value.mappings("deps") if (t := d.text("task")) is not None]
        yield NamedTask(entry.key.text, entry.key.span, tuple(commands), tuple(needs))
