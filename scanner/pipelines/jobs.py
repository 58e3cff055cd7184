"""The jobs of all pipelines of a tree, with the commands that they run in the end."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from assay.scanner.model.pipeline import CiCommand, CiJob, Trigger
from assay.scanner.model.place import Evidence, Location
from assay.scanner.pipelines.following import At, Follower
from assay.scanner.pipelines.wrapping import unwrapped
from assay.scanner.readers.span import Span
from assay.scanner.readers.workflows.facts import Job, Step, System, Workflow
from assay.scanner.readers.workflows.facts import Trigger as Written

_NEVER = re.compile(r"(\$\{\{\s*)?(false|0)(\s*\}\})?")
_EVENT = re.compile(r"github\.event_name\s*==\s*['\"](\w+)['\"]")
_NOT_EVENT = re.compile(r"github\.event_name\s*!=\s*['\"](\w+)['\"]")
_ON_BRANCH = re.compile(r"github\.ref(_name)?\s*==\s*['\"]|startsWith\(\s*github\.ref\s*,")
_EVENTS = {
    "pull_request": Trigger.PULL_REQUEST,
    "pull_request_target": Trigger.PULL_REQUEST,
    "push": Trigger.PUSH,
    "schedule": Trigger.SCHEDULE,
    "workflow_dispatch": Trigger.MANUAL,
}
_SCRIPTS = frozenset({"run", "runcmd", "command", "commands", "script", "cmd"})
"""Inputs by which an action is told what to run."""
_PRE_COMMIT = re.compile(r"(pre-commit/action|j178/prek-action|cloudnuvola/pre-commit\S*)(@.*)?")
_DEEPEST = 4


class Jobs:
    """Reads the workflows of a tree together: one calls another, and steps use actions of the tree."""

    def __init__(self, workflows: Mapping[str, Workflow], follower: Follower) -> None:
        self._workflows = workflows
        self._follower = follower
        self._hooks = [(path, w) for path, w in sorted(workflows.items()) if w.system is System.PRE_COMMIT]

    def of(self, path: str) -> Iterator[CiJob]:
        """The jobs of a file that something starts, those of the workflows that it calls among them."""
        workflow = self._workflows[path]
        triggers = frozenset(Trigger(t.value) for t in workflow.triggers if t is not Written.CALL)
        if workflow.system is System.ACTION or not triggers:
            return
        yield from self._jobs(path, workflow, triggers, (), 0)

    def hooks(self) -> Iterator[CiCommand]:
        """What is run before a commit, whether or not a pipeline runs it too."""
        for path, workflow in self._hooks:
            for job in workflow.jobs:
                yield from self._hook(path, job, ())

    def _jobs(
        self, path: str, workflow: Workflow, triggers: frozenset[Trigger], via: tuple[Evidence, ...], depth: int
    ) -> Iterator[CiJob]:
        for job in workflow.jobs:
            own = frozenset(Trigger(t.value) for t in job.triggers) or triggers
            left = _left_by(job.condition, own)
            if job.uses:
                called = posixpath.normpath(job.uses.removeprefix("./")) if job.uses.startswith("./") else ""
                if called in self._workflows and depth < _DEEPEST and not _is_never(job.condition):
                    step = job.span.evidence(path, f"calls {called}")
                    yield from self._jobs(called, self._workflows[called], left, (*via, step), depth + 1)
                else:
                    command = CiCommand((job.uses,), job.span.at(path), ".", via, is_action=True)
                    yield CiJob(job.name, job.span.at(path), left, (command,), _disabled(path, job))
                continue
            commands = tuple(self._commands(path, workflow, job, via, left))
            yield CiJob(job.name, job.span.at(path), left, commands, _disabled(path, job), job.needs)

    def _commands(
        self, path: str, workflow: Workflow, job: Job, via: tuple[Evidence, ...], triggers: frozenset[Trigger]
    ) -> Iterator[CiCommand]:
        tolerated = job.span.evidence(path, "the job may fail") if job.tolerated else None
        for step in job.steps:
            if _is_never(step.condition) or (triggers and not _left_by(step.condition, triggers)):
                continue
            if workflow.system is System.PRE_COMMIT:
                yield from self._hook(path, job, via)
            else:
                yield from self._step(path, step, At(_nowhere, _repository_of(path), via, tolerated))

    def _step(self, path: str, step: Step, at: At) -> Iterator[CiCommand]:
        tolerated = step.span.evidence(path, "the step may fail") if step.tolerated else None
        folder = _folder(step.folder, _repository_of(path)) if step.folder else at.folder
        at = replace(at, tolerated=at.tolerated or tolerated, folder=folder)
        if step.uses:
            yield from self._action(path, step, at)
        if step.run:
            for command in self._follower.script(step.run, replace(at, place=_lines_of(path, step))):
                yield replace(command, inputs=step.inputs)
                if command.program in ("pre-commit", "prek") and "run" in command.words:
                    yield from self._hooks_run_by(command)

    def _action(self, path: str, step: Step, at: At) -> Iterator[CiCommand]:
        command = CiCommand(
            (step.uses,), step.span.at(path), at.folder, at.via, at.tolerated, step.inputs, is_action=True
        )
        yield command
        for name, value in step.inputs:
            if name.lower() in _SCRIPTS and (len(value.split()) > 1 or value.strip() in ("pytest", "tox", "nox")):
                inner = replace(at, place=lambda _: command.evidence, depth=at.depth + 1)
                yield from self._follower.script(value, inner)
        if _PRE_COMMIT.fullmatch(step.uses):
            yield from self._hooks_run_by(command)
        if step.uses.startswith("./") and at.depth < _DEEPEST:
            folder = posixpath.normpath(step.uses.removeprefix("./"))
            for name in ("action.yml", "action.yaml"):
                action = self._workflows.get(f"{folder}/{name}")
                for job in action.jobs if action is not None else ():
                    inner = replace(at, via=(*at.via, command.evidence), depth=at.depth + 1)
                    for part in job.steps:
                        yield from self._step(f"{folder}/{name}", part, inner)

    def _hooks_run_by(self, command: CiCommand) -> Iterator[CiCommand]:
        for path, workflow in self._hooks:
            for job in workflow.jobs:
                for hook in self._hook(path, job, (*command.via, command.evidence)):
                    yield replace(hook, tolerated=hook.tolerated or command.tolerated)

    def _hook(self, path: str, job: Job, via: tuple[Evidence, ...]) -> Iterator[CiCommand]:
        """A hook as the command of its name, or as the one that it names."""
        if job.condition == "manual":
            return
        for step in job.steps:
            words = unwrapped(tuple(step.run.split())) or (step.name,)
            arguments = tuple(value for name, value in step.inputs if name == "args")
            yield CiCommand((*words, *arguments), step.span.at(path), ".", via, inputs=(("repo", step.uses),))


def _lines_of(path: str, step: Step) -> Callable[[Span], Evidence]:
    def place(span: Span) -> Evidence:
        line = step.run_line + span.line - 1
        return Evidence(Location(path, line, 1, line, 1), "")

    return place


def _nowhere(span: Span) -> Evidence:
    return span.evidence("", "")


def _folder(text: str, around: str) -> str | None:
    if "$" in text or text.startswith("/"):
        return None
    return posixpath.normpath(posixpath.join(around, text))


def _repository_of(path: str) -> str:
    """The folder that a pipeline's commands run in: the one around its own."""
    around, found, _ = f"/{path}".rpartition("/.github/")
    return around.strip("/") or "." if found else "."


def _is_never(condition: str) -> bool:
    return _NEVER.fullmatch(condition.strip()) is not None


def _disabled(path: str, job: Job) -> Evidence | None:
    return job.span.evidence(path, f"if: {job.condition}") if _is_never(job.condition) else None


def _left_by(condition: str, triggers: frozenset[Trigger]) -> frozenset[Trigger]:
    """What still starts it. A condition on something else, or of several parts, is taken to hold."""
    events = _EVENT.findall(condition)
    if events and ("&&" not in condition or "||" not in condition):
        named = {_EVENTS.get(event, Trigger.OTHER) for event in events}
        return triggers & named if "||" not in condition or len(events) > 1 else triggers
    if (excluded := _NOT_EVENT.search(condition)) is not None and "||" not in condition:
        return triggers - {_EVENTS.get(excluded[1], Trigger.OTHER)}
    if _ON_BRANCH.search(condition) and "||" not in condition and "!" not in condition:
        return triggers - {Trigger.PULL_REQUEST}
    return triggers
