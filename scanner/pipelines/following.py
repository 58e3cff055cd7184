"""From what a step says to the commands that run in the end: through tasks, environments of tox and shell scripts."""

from __future__ import annotations

import itertools
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from assay.scanner.model.pipeline import CiCommand
from assay.scanner.model.place import Evidence
from assay.scanner.pipelines.wrapping import unwrapped
from assay.scanner.readers import shell
from assay.scanner.readers.checks import CheckFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts
from assay.scanner.readers.shell import ShellFacts
from assay.scanner.readers.span import Span
from assay.scanner.readers.tasks import NamedTask, TaskCommand, TaskFacts

_DEEPEST = 6
_EXPRESSION = re.compile(r"\$\{\{.*?\}\}", re.DOTALL)
UNKNOWN = "__value__"
"""The word that stands for an expression of the CI system."""
_SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ash", "source", "."})
_TASK_FILES = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "gmake": ("Makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile", ".justfile"),
    "task": ("Taskfile.yml", "Taskfile.yaml", "taskfile.yml"),
}
_SUCCEEDS = frozenset({"true", ":", "echo", "printf"})
"""What makes of `... || command` a step that goes on."""
_TOX_VALUES = frozenset({"-e", "--env", "-m", "-c", "--conf", "-f", "-p", "--parallel", "--workdir", "-x", "--factor"})


@dataclass(frozen=True, slots=True)
class At:
    """Where a script stands, and how it came to run. `place` tells the location of a span in its file."""

    place: Callable[[Span], Evidence]
    folder: str | None
    via: tuple[Evidence, ...] = ()
    tolerated: Evidence | None = None
    depth: int = 0

    def deeper(self, path: str, step: Evidence, folder: str | None, tolerated: Evidence | None) -> At:
        """In a file that a command of this script leads to."""
        return At(
            lambda span: span.evidence(path, ""), folder, (*self.via, step), self.tolerated or tolerated, self.depth + 1
        )


class Follower:
    """Follows commands over the files of a tree. `checks` are settings by path, those inside other files included;
    `sessions` are Nox's.
    """

    def __init__(
        self, files: Mapping[str, object], checks: Mapping[str, CheckFacts], sessions: Iterable[tuple[str, NamedTask]]
    ) -> None:
        self._files = files
        self._checks = checks
        self._sessions = tuple(sessions)

    def commands_of(self, path: str, named: NamedTask | ShellFacts) -> Iterator[CiCommand]:
        """What a task or a script says itself: it isn't followed further."""
        at = At(lambda span: span.evidence(path, ""), ".", depth=_DEEPEST)
        if isinstance(named, ShellFacts):
            yield from self._statements(named.body, at)
            yield from self._functions(named.body, at)
            return
        for command in named.commands:
            yield from self.script(command.text, replace(at, place=_always(command.span.evidence(path, ""))))

    def script(self, text: str, at: At) -> Iterator[CiCommand]:
        """The commands of a script. Expressions of the CI system stand for one word each."""
        masked = _EXPRESSION.sub(lambda match: "\n" * match[0].count("\n") + UNKNOWN, text)
        yield from self._statements(shell.parse(masked), at)

    def _statements(self, statements: Iterable[shell.Statement], at: At) -> Iterator[CiCommand]:
        for statement in statements:
            if isinstance(statement, shell.Command):
                if statement.words[:1] in (("cd",), ("pushd",)):
                    at = replace(at, folder=_joined(at.folder, statement.words[1]) if statement.words[1:] else None)
                    continue
                yield from self.command(statement.words, statement.span, at)
            elif isinstance(statement, shell.Choice):
                yield from self._choice(statement, at)
            elif isinstance(statement, shell.Case):
                for branch in statement.branches:
                    yield from self._statements(branch.body, at)
            elif isinstance(statement, shell.Loop | shell.Subshell):
                yield from self._statements(statement.body, at)
            elif isinstance(statement, shell.Unknown):
                # One odd line must not hide those below it.
                yield from self._line_by_line(statement, at)

    def _choice(self, choice: shell.Choice, at: At) -> Iterator[CiCommand]:
        last = [s.words[:1] for s in choice.branches[-1] if isinstance(s, shell.Command)] if choice.branches else []
        ignores = not choice.complete and len(choice.branches) > 1 and any(w and w[0] in _SUCCEEDS for w in last)
        exits = any(
            isinstance(s, shell.Command) and s.words[:1] in (("exit",), ("return",)) and s.words[1:2] != ("0",)
            for s in choice.branches[-1]
        )
        for number, branch in enumerate(choice.branches):
            inner = at
            if ignores and not exits and number < len(choice.branches) - 1:
                inner = replace(at, tolerated=at.tolerated or _said(at, choice.span, "goes on when it fails (`||`)"))
            yield from self._statements(branch, inner)

    def _line_by_line(self, unknown: shell.Unknown, at: At) -> Iterator[CiCommand]:
        words = tuple(unknown.text.split())
        if words:
            yield from self.command(words, unknown.span, at)

    def command(self, words: tuple[str, ...], span: Span, at: At) -> Iterator[CiCommand]:
        """The command, or those that it comes to."""
        words = unwrapped(words)
        if not words:
            return
        where = at.place(span)
        step = Evidence(where.location, f"runs `{' '.join(words)[:90]}`")
        if at.depth < _DEEPEST:
            found = list(self._within(words, step, at))
            if found:
                yield from found
                return
        yield CiCommand(words, where.location, at.folder, at.via, at.tolerated)

    def _within(self, words: tuple[str, ...], step: Evidence, at: At) -> Iterator[CiCommand]:
        name = words[0].rpartition("/")[2]
        if name in _SHELLS:
            yield from self._shell(words, step, at)
        elif name in _TASK_FILES:
            yield from self._tasks(words, name, step, at)
        elif name == "tox":
            yield from self._tox(words, step, at)
        elif name == "nox":
            yield from self._nox(words, step, at)
        elif name == "skaffold" and words[1:2] == ("test",):
            yield from self._skaffold(step, at)
        elif words[0].endswith((".sh", ".bash")) or "/" in words[0]:
            yield from self._file(words[0], step, at)
        else:
            yield from self._named_script(words, step, at)

    def _shell(self, words: tuple[str, ...], step: Evidence, at: At) -> Iterator[CiCommand]:
        rest = words[1:]
        while rest and rest[0].startswith("-"):
            if "c" in rest[0].lstrip("-") and not rest[0].startswith("--") and len(rest) > 1:
                inner = replace(at, place=lambda _: step, depth=at.depth + 1)
                yield from self.script(rest[1].replace("$$", "$"), inner)
                return
            rest = rest[1:]
        if rest:
            yield from self._file(rest[0], step, at)

    def _file(self, name: str, step: Evidence, at: At) -> Iterator[CiCommand]:
        """A shell script of the tree; relative to the folder where it runs, or to the scanned root."""
        for folder in dict.fromkeys((at.folder or ".", ".")):
            path = posixpath.normpath(posixpath.join(folder, name))
            facts = self._files.get(path)
            if isinstance(facts, ShellFacts):
                yield from self._statements(facts.body, at.deeper(path, step, at.folder, None))
                yield from self._functions(facts.body, at.deeper(path, step, at.folder, None))
                return

    def _functions(self, statements: Iterable[shell.Statement], at: At) -> Iterator[CiCommand]:
        for statement in statements:
            if isinstance(statement, shell.Function):
                yield from self._statements(statement.body, at)

    def _tasks(self, words: tuple[str, ...], name: str, step: Evidence, at: At) -> Iterator[CiCommand]:
        folder, wanted = at.folder, []
        rest = list(words[1:])
        while rest:
            word = rest.pop(0)
            if word in ("-C", "--directory", "-d", "--dir") and rest:
                folder = _joined(folder, rest.pop(0))
            elif word in ("-f", "--file", "--makefile", "-j", "--justfile") and rest:
                rest.pop(0)
            elif not word.startswith("-") and "=" not in word:
                wanted.append(word)
        for file in _TASK_FILES[name]:
            path = posixpath.normpath(posixpath.join(folder or ".", file))
            facts = self._files.get(path)
            if isinstance(facts, TaskFacts):
                first = [t.name for t in facts.tasks if not t.name.startswith(".")][:1]
                yield from self._of_tasks(path, facts.tasks, wanted or first, step, replace(at, folder=folder))
                return
        if name == "task" and wanted:
            # taskipy's tasks stand in `pyproject.toml`.
            yield from self._named_script((wanted[0],), step, at)

    def _of_tasks(
        self, path: str, tasks: Iterable[NamedTask], wanted: Iterable[str], step: Evidence, at: At
    ) -> Iterator[CiCommand]:
        by_name: dict[str, list[NamedTask]] = {}
        for task in tasks:
            by_name.setdefault(task.name, []).append(task)
        todo, seen = [(name, False) for name in reversed(list(wanted))], set[str]()
        while todo:
            name, is_ready = todo.pop()
            if is_ready:
                for task in by_name.get(name, ()):
                    yield from self._commands_of(path, task.commands, step, at)
            elif name not in seen:
                seen.add(name)
                needs = [need for task in by_name.get(name, ()) for need in task.needs]
                todo += [(name, True), *((need, False) for need in reversed(needs))]

    def _commands_of(self, path: str, commands: Iterable[TaskCommand], step: Evidence, at: At) -> Iterator[CiCommand]:
        for command in commands:
            place = command.span.evidence(path, "goes on when it fails")
            inner = at.deeper(path, step, at.folder, place if command.tolerated else None)
            # A task's text has lines of its own; its place in the file is that of the task's line.
            where = command.span.evidence(path, "")
            yield from self.script(command.text, replace(inner, place=_always(where)))

    def _tox(self, words: tuple[str, ...], step: Evidence, at: At) -> Iterator[CiCommand]:
        wanted: list[str] = []
        rest = list(words[1:])
        while rest:
            word = rest.pop(0)
            if word in ("-e", "--env") and rest:
                wanted += rest.pop(0).split(",")
            elif word.startswith("-e") and len(word) > 2:
                wanted += word[2:].split(",")
            elif word == "--":
                break
            elif word in _TOX_VALUES and rest:
                rest.pop(0)
        for file in ("tox.ini", "tox.toml", "pyproject.toml", "setup.cfg"):
            path = posixpath.normpath(posixpath.join(at.folder or ".", file))
            checks = self._checks.get(path)
            if checks is None or not (checks.runner == "tox" or checks.environments):
                continue
            tasks = {task.name: task for task in checks.tasks}
            names = [n for n in wanted if n and UNKNOWN not in n] or list(checks.environments) or list(tasks)
            for key in dict.fromkeys(n if n in tasks else "" for n in names):
                if key in tasks:
                    yield from self._commands_of(path, tasks[key].commands, step, at)
            return

    def _nox(self, words: tuple[str, ...], step: Evidence, at: At) -> Iterator[CiCommand]:
        wanted: list[str] = []
        option = ""
        for word in itertools.takewhile(lambda word: word != "--", words[1:]):
            option = word if word.startswith("-") else option
            # Several names may follow one option.
            wanted += word.split(",") if option in ("-s", "--session", "--sessions", "-e") and word != option else ()
        for path, session in self._sessions:
            if not wanted or session.name in {name.partition("(")[0].partition("-")[0] for name in wanted}:
                yield from self._commands_of(path, session.commands, step, at)

    def _skaffold(self, step: Evidence, at: At) -> Iterator[CiCommand]:
        for path, facts in sorted(self._files.items()):
            if isinstance(facts, KubernetesFacts) and facts.tests:
                yield from self._commands_of(
                    path, facts.tests, step, replace(at, folder=posixpath.dirname(path) or ".")
                )

    def _named_script(self, words: tuple[str, ...], step: Evidence, at: At) -> Iterator[CiCommand]:
        """A script that `pyproject.toml` names (`poe test`), or what an image's entrypoint makes of a word."""
        name = words[1] if words[0] in ("poe", "hatch", "pdm", "rye") and len(words) > 1 else words[0]
        path = posixpath.normpath(posixpath.join(at.folder or ".", "pyproject.toml"))
        checks = self._checks.get(path)
        named = [t for t in checks.tasks if t.name == name] if checks is not None and checks.runner == "scripts" else []
        if named:
            for task in named:
                yield from self._commands_of(path, task.commands, step, replace(at, depth=at.depth + 1))
            return
        if not re.fullmatch(r"[a-z_-]*tests?", name):
            return
        for path, facts in sorted(self._files.items()):
            if isinstance(facts, ShellFacts) and _takes(facts.body, name):
                inner = at.deeper(path, step, at.folder, None)
                functions = {s.name: s.body for s in facts.body if isinstance(s, shell.Function)}
                if name in functions:
                    yield from self._statements(functions[name], inner)


def _takes(statements: Iterable[shell.Statement], word: str) -> bool:
    """Whether a script chooses by that argument (`case "$1" in tests) ...`)."""
    return any(isinstance(s, shell.Case) and any(word in branch.patterns for branch in s.branches) for s in statements)


def _always(where: Evidence) -> Callable[[Span], Evidence]:
    return lambda _: where


def _joined(folder: str | None, name: str) -> str | None:
    if folder is None or name.startswith(("/", "~")) or "$" in name or UNKNOWN in name or name == "-":
        return None
    return posixpath.normpath(posixpath.join(folder, name))


def _said(at: At, span: Span, text: str) -> Evidence:
    return Evidence(at.place(span).location, text)
