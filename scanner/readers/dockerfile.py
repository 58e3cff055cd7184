"""Dockerfiles as a graph of stages: what each is built from, sets, installs, copies in and starts.

Instructions are split here, because the library does neither heredocs nor exact positions; key=value words are its
job. Reference: docs.docker.com/reference/dockerfile.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum

import msgspec

from assay.scanner.diagnostics import Reason
from assay.scanner.readers.packages import Packages, installed_packages
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode, leading_comment
from assay.scanner.readers.variables import expand

DIRECTIVE = re.compile(r"#\s*(?P<name>escape|syntax|check)\s*=\s*(?P<value>\S+)", re.IGNORECASE)
HEREDOC = re.compile(r"<<(?P<strip>-?)(?P<quote>['\"]?)(?P<word>[A-Za-z_]\w*)(?P=quote)")
INSTRUCTIONS = frozenset(
    [
        "ADD",
        "ARG",
        "CMD",
        "COPY",
        "ENTRYPOINT",
        "ENV",
        "EXPOSE",
        "FROM",
        "HEALTHCHECK",
        "LABEL",
        "MAINTAINER",
        "ONBUILD",
        "RUN",
        "SHELL",
        "STOPSIGNAL",
        "USER",
        "VOLUME",
        "WORKDIR",
    ]
)
FLAG = re.compile(r"--(?P<name>[a-z-]+)(?:=(?P<value>\S*))?\s*")
DEFAULT_PATH = "/"


class Form(StrEnum):
    """How a command is written: a JSON array that is run as it is, or a line for a shell."""

    EXEC = "exec"
    SHELL = "shell"


class Instruction(msgspec.Struct, frozen=True, array_like=True):
    """One instruction; `value` has its continuation lines joined, comments and flags taken out."""

    keyword: str
    value: str
    span: Span
    flags: tuple[tuple[str, str], ...] = ()
    heredocs: tuple[str, ...] = ()

    def flag(self, name: str) -> str | None:
        return next((value for key, value in self.flags if key == name), None)


class ImageCommand(msgspec.Struct, frozen=True, array_like=True):
    """CMD or ENTRYPOINT: `words` in exec form, `line` in shell form."""

    form: Form
    words: tuple[str, ...]
    line: str
    span: Span


class HealthCheck(msgspec.Struct, frozen=True, array_like=True):
    """HEALTHCHECK; `command` is None for `HEALTHCHECK NONE`, which switches off an inherited one."""

    command: ImageCommand | None
    span: Span


class Copy(msgspec.Struct, frozen=True, array_like=True):
    """COPY or ADD; `stage` names where `--from` takes the files, None for the build context. Paths are as written,
    `destination` made absolute.
    """

    sources: tuple[str, ...]
    destination: str
    stage: str | None
    span: Span


class Run(msgspec.Struct, frozen=True, array_like=True):
    """RUN: the text given to the shell, heredoc bodies included, with ARG and ENV values put in."""

    text: str
    form: Form
    span: Span


class Stage(msgspec.Struct, frozen=True, array_like=True):
    """From one FROM to the next. None means not set here, so inherited.

    `base` has its variables replaced; `parent` is the index of the stage it builds on, None for an outside image.
    """

    index: int
    name: str | None
    base: str
    parent: int | None
    span: Span
    workdir: str | None = None
    user: str | None = None
    user_span: Span | None = None
    shell: tuple[str, ...] | None = None
    entrypoint: ImageCommand | None = None
    cmd: ImageCommand | None = None
    healthcheck: HealthCheck | None = None
    stop_signal: str | None = None
    ports: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    args: tuple[tuple[str, str], ...] = ()
    copies: tuple[Copy, ...] = ()
    runs: tuple[Run, ...] = ()
    packages: tuple[Packages, ...] = ()


class DockerfileFacts(msgspec.Struct, frozen=True, array_like=True, tag="dockerfile"):
    """A Dockerfile: its instructions one by one, and the stages they make."""

    comment: str
    instructions: tuple[Instruction, ...]
    stages: tuple[Stage, ...]

    def stage(self, target: str | None) -> Stage | None:
        """The stage of that name or number; the last one without a name."""
        if target is None:
            return self.stages[-1]
        return next((s for s in self.stages if s.name == target.lower() or str(s.index) == target), None)

    def within(self, stage: Stage) -> tuple[Instruction, ...]:
        """The instructions of one stage, without its FROM."""
        start = stage.span.line
        end = min((s.span.line for s in self.stages if s.span.line > start), default=None)
        return tuple(i for i in self.instructions if i.span.line > start and (end is None or i.span.line < end))

    def chain(self, stage: Stage) -> tuple[Stage, ...]:
        """The stage and the stages it inherits from, nearest first."""
        found = [stage]
        while found[-1].parent is not None:
            found.append(self.stages[found[-1].parent])
        return tuple(found)


def read(path: str, data: bytes) -> DockerfileFacts:  # noqa: ARG001 - every reader has the same signature
    """Read a Dockerfile. Raises ReadProblem for what isn't one, with the line."""
    text = decode(data)
    instructions = tuple(_instructions(text))
    for instruction in instructions:
        if instruction.keyword not in INSTRUCTIONS:
            raise ReadProblem(
                Reason.TEMPLATE if "{{" in text or "{%" in text else Reason.SYNTAX_ERROR,
                f"{instruction.keyword[:40]} is no Dockerfile instruction",
                instruction.span.line,
            )
    stages = _Stages()
    for instruction in instructions:
        stages.add(instruction)
    if not stages.done:
        raise ReadProblem(Reason.SYNTAX_ERROR, "a Dockerfile without FROM", None)
    return DockerfileFacts(leading_comment(text), instructions, tuple(stages.done))


def _instructions(text: str) -> Iterator[Instruction]:
    lines = text.split("\n")
    escape = _escape(lines)
    at = 0
    while at < len(lines):
        line = lines[at]
        if line.strip() == "" or line.lstrip().startswith("#"):
            at += 1
            continue
        start = at
        parts: list[str] = []
        while at < len(lines):
            line = lines[at]
            at += 1
            if at - 1 > start and (line.lstrip().startswith("#") or line.strip() == ""):
                continue
            stripped = line.rstrip()
            if not stripped.endswith(escape):
                parts.append(line)
                break
            parts.append(stripped[: -len(escape)])
        keyword, rest = _split_keyword("".join(parts))
        bodies: list[str] = []
        if keyword.upper() in ("RUN", "COPY", "ADD"):
            for match in HEREDOC.finditer(rest):
                body, at = _heredoc(lines, at, match["word"], bool(match["strip"]))
                bodies.append(body)
        yield _instruction(keyword, rest, lines, start, at, tuple(bodies))


def _split_keyword(value: str) -> tuple[str, str]:
    words = value.split(None, 1)
    return words[0] if words else "", words[1].rstrip() if len(words) > 1 else ""


def _escape(lines: list[str]) -> str:
    for line in lines:
        match = DIRECTIVE.fullmatch(line.strip())
        if match is None:
            break
        if match["name"].lower() == "escape":
            return match["value"]
    return "\\"


def _heredoc(lines: list[str], at: int, word: str, strip: bool) -> tuple[str, int]:
    body: list[str] = []
    for index in range(at, len(lines)):
        line = lines[index].lstrip("\t") if strip else lines[index]
        if line == word:
            return "\n".join(body), index + 1
        body.append(line)
    raise ReadProblem(Reason.SYNTAX_ERROR, f"the heredoc {word} is never closed", at)


def _instruction(
    keyword: str, rest: str, lines: list[str], start: int, end: int, bodies: tuple[str, ...]
) -> Instruction:
    flags: list[tuple[str, str]] = []
    rest = rest.strip()
    while match := FLAG.match(rest):
        flags.append((match["name"], match["value"] or ""))
        rest = rest[match.end() :]
    first, last = lines[start], lines[end - 1]
    column = len(first) - len(first.lstrip()) + 1
    span = Span(start + 1, column, end, len(last.rstrip()) + 1)
    return Instruction(keyword.upper(), rest, span, tuple(flags), bodies)


class _Stages:
    """Builds the stages instruction by instruction; each sees the variables defined before it."""

    def __init__(self) -> None:
        self.done: list[Stage] = []
        self.global_args: dict[str, str] = {}
        self.values: dict[str, str] = {}

    def add(self, instruction: Instruction) -> None:
        handler = getattr(self, f"_{instruction.keyword.lower()}", None)
        if not self.done and instruction.keyword not in ("FROM", "ARG"):
            if instruction.keyword == "MAINTAINER":
                return
            raise ReadProblem(
                Reason.SYNTAX_ERROR, f"{instruction.keyword} stands before the first FROM", instruction.span.line
            )
        if handler is not None:
            handler(instruction)

    @property
    def stage(self) -> Stage:
        return self.done[-1]

    def _set(self, **changes: object) -> None:
        self.done[-1] = msgspec.structs.replace(self.done[-1], **changes)

    def _from(self, instruction: Instruction) -> None:
        words = instruction.value.split()
        if not words:
            raise ReadProblem(Reason.SYNTAX_ERROR, "FROM without an image", instruction.span.line)
        base = expand(words[0], self.global_args).strip("\"'")
        name = words[2].lower() if len(words) >= 3 and words[1].lower() == "as" else None
        parent = next((s.index for s in self.done if s.name == base.lower()), None)
        inherited = self._inherited_env(parent)
        self.values = dict(inherited)
        self.done.append(Stage(len(self.done), name, base, parent, instruction.span))

    def _inherited_env(self, parent: int | None) -> Mapping[str, str]:
        env: dict[str, str] = {}
        while parent is not None:
            env = dict(self.done[parent].env) | env
            parent = self.done[parent].parent
        return env

    def _arg(self, instruction: Instruction) -> None:
        for word in _words(instruction.value):
            name, given, default = word.partition("=")
            if not self.done:
                if given:
                    self.global_args[name] = expand(default, self.global_args)
                continue
            value = expand(default, self.values) if given else self.global_args.get(name)
            if value is None:
                continue
            if name not in dict(self.stage.env):  # ENV wins over ARG
                self.values[name] = value
            self._set(args=(*self.stage.args, (name, value)))

    def _env(self, instruction: Instruction) -> None:
        before = dict(self.values)
        pairs = [(name, expand(value, before)) for name, value in _pairs(instruction)]
        self.values.update(pairs)
        self._set(env=(*self.stage.env, *pairs))

    def _workdir(self, instruction: Instruction) -> None:
        self._set(workdir=self._absolute(expand(instruction.value, self.values)))

    def _absolute(self, path: str) -> str:
        path = path.strip().strip("\"'")
        if path.startswith("/"):
            return path.rstrip("/") or "/"
        current = self._current_workdir().rstrip("/")
        path = path.removeprefix("./").rstrip("/")
        return f"{current}/{path}" if path not in ("", ".") else current or "/"

    def _current_workdir(self) -> str:
        index: int | None = self.stage.index
        while index is not None:
            stage = self.done[index]
            if stage.workdir is not None:
                return stage.workdir
            index = stage.parent
        return DEFAULT_PATH

    def _user(self, instruction: Instruction) -> None:
        self._set(user=expand(instruction.value, self.values), user_span=instruction.span)

    def _shell(self, instruction: Instruction) -> None:
        words = _json_words(instruction.value)
        if words is None:
            raise ReadProblem(Reason.SYNTAX_ERROR, "SHELL takes a JSON array", instruction.span.line)
        self._set(shell=words)

    def _entrypoint(self, instruction: Instruction) -> None:
        self._set(entrypoint=self._command(instruction), cmd=None)

    def _cmd(self, instruction: Instruction) -> None:
        self._set(cmd=self._command(instruction))

    def _command(self, instruction: Instruction) -> ImageCommand:
        return _image_command(instruction.value, instruction.span)

    def _healthcheck(self, instruction: Instruction) -> None:
        keyword, _, rest = instruction.value.partition(" ")
        if keyword.upper() == "NONE":
            self._set(healthcheck=HealthCheck(None, instruction.span))
        else:
            self._set(healthcheck=HealthCheck(_image_command(rest.strip(), instruction.span), instruction.span))

    def _stopsignal(self, instruction: Instruction) -> None:
        self._set(stop_signal=expand(instruction.value, self.values))

    def _expose(self, instruction: Instruction) -> None:
        ports = expand(instruction.value, self.values).split()
        self._set(ports=(*self.stage.ports, *ports))

    def _copy(self, instruction: Instruction) -> None:
        words = _json_words(instruction.value) or tuple(_words(instruction.value))
        words = tuple(expand(w, self.values) for w in words if HEREDOC.match(w) is None)
        if len(words) < 2:
            return
        raw = words[-1]
        destination = self._absolute(raw)
        if raw.endswith("/") and destination != "/":
            destination += "/"
        stage = instruction.flag("from")
        self._set(copies=(*self.stage.copies, Copy(words[:-1], destination, stage, instruction.span)))

    _add = _copy

    def _run(self, instruction: Instruction) -> None:
        words = _json_words(instruction.value)
        line = " ".join(words) if words else instruction.value
        if instruction.heredocs:
            line = "\n".join([HEREDOC.sub("", line).strip(), *instruction.heredocs]).strip()
        text = expand(line, self.values)
        run = Run(text, Form.EXEC if words else Form.SHELL, instruction.span)
        self._set(runs=(*self.stage.runs, run))
        packages = installed_packages(text, instruction.span)
        if packages is not None:
            self._set(packages=(*self.stage.packages, packages))


def _json_words(value: str) -> tuple[str, ...] | None:
    """The words of a JSON array; None for anything else, which Docker then takes as a line for the shell."""
    if not value.startswith("["):
        return None
    try:
        words = json.loads(value)
    except (ValueError, RecursionError):
        return None
    if isinstance(words, list) and all(isinstance(w, str) for w in words):
        return tuple(words)
    return None


def _image_command(value: str, span: Span) -> ImageCommand:
    value = value.removeprefix("CMD ").removeprefix("cmd ").strip()
    words = _json_words(value)
    if words is None:
        return ImageCommand(Form.SHELL, (), value, span)
    return ImageCommand(Form.EXEC, words, "", span)


def _words(value: str) -> list[str]:
    from dockerfile_parse.util import WordSplitter

    return list(WordSplitter(value).split())


def _pairs(instruction: Instruction) -> list[tuple[str, str]]:
    from dockerfile_parse.util import extract_key_values

    if not instruction.value:
        return []
    try:
        return [(str(k), str(v)) for k, v in extract_key_values(False, {}, {}, instruction.value)]
    except (ValueError, IndexError) as error:
        raise ReadProblem(Reason.SYNTAX_ERROR, f"{instruction.keyword}: {error}", instruction.span.line) from error
