"""What is read of a pipeline's file: triggers, jobs, steps."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from assay.scanner.readers.span import Span


class Trigger(StrEnum):
    """What starts a pipeline."""

    PULL_REQUEST = "pull request"
    PUSH = "push"
    SCHEDULE = "schedule"
    MANUAL = "by hand"
    CALL = "another workflow"
    OTHER = "another event"
    UNKNOWN = "unknown"


class System(StrEnum):
    """Whose format a file has."""

    GITHUB = "GitHub Actions"
    ACTION = "a composite action"
    GITLAB = "GitLab CI"
    PRE_COMMIT = "pre-commit"
    OTHER = "CI"


class Step(msgspec.Struct, frozen=True, array_like=True):
    """One thing that a job does: it runs a script, or uses an action.

    `run_line` is the line of the file on which the script's first line stands. `tolerated` says that the job goes on
    when it fails, `condition` when it is done at all. `inputs` are what an action is given, and variables that tools
    take options from.
    """

    span: Span
    name: str = ""
    uses: str = ""
    run: str = ""
    run_line: int = 0
    inputs: tuple[tuple[str, str], ...] = ()
    tolerated: bool = False
    condition: str = ""
    folder: str = ""


class Job(msgspec.Struct, frozen=True, array_like=True):
    """`uses` names a workflow that it stands for. `image` is where GitLab's and others' jobs run."""

    name: str
    span: Span
    steps: tuple[Step, ...] = ()
    uses: str = ""
    image: str = ""
    tolerated: bool = False
    condition: str = ""
    triggers: tuple[Trigger, ...] = ()
    """Where they differ from the workflow's."""
    needs: tuple[str, ...] = ()
    """Jobs of the file without whose success it doesn't run."""


class Workflow(msgspec.Struct, frozen=True, array_like=True):
    """One file. `includes` are what it takes in: a template of the CI system's own by its name, a file of the tree as
    `./path`, and what lies elsewhere as `project:...`, an address, or a component with its version (`...@1`).
    """

    system: System
    jobs: tuple[Job, ...] = ()
    triggers: tuple[Trigger, ...] = ()
    includes: tuple[tuple[str, Span], ...] = ()
