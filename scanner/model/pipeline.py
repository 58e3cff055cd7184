"""What CI runs: pipelines with their jobs, steps and commands, followed into the scripts and tasks that they call."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Trigger(StrEnum):
    """What starts a pipeline."""

    PULL_REQUEST = "pull request"
    PUSH = "push"
    SCHEDULE = "schedule"
    MANUAL = "by hand"
    OTHER = "another event"
    UNKNOWN = "unknown"
    """The file doesn't say: its CI system is told elsewhere."""


@dataclass(frozen=True, slots=True)
class CiCommand:
    """A command, or an action that a step uses, as it is run in the end.

    `words` are without what only wraps them (`uv run`, `docker compose run web`); an action is one word with an `@`,
    and has `inputs`. `folder` is where it runs, relative to the scanned root; None where that can't be told. `via`
    leads from the step to it, through tasks and scripts. `tolerated` says why its failure stops nothing.
    """

    words: tuple[str, ...]
    location: Location
    folder: str | None = "."
    via: tuple[Evidence, ...] = ()
    tolerated: Evidence | None = None
    inputs: tuple[tuple[str, str], ...] = ()
    is_action: bool = False

    @property
    def text(self) -> str:
        text = " ".join(self.words)
        return text if len(text) <= 90 else text[:89] + "…"

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.location, f"runs `{self.text}`" if not self.is_action else f"uses {self.text}")

    @property
    def program(self) -> str:
        """The first word without its folder; of an action, without its version."""
        word = self.words[0] if self.words else ""
        return word.partition("@")[0].lower() if self.is_action else word.rpartition("/")[2]

    def input(self, name: str) -> str:
        return dict(self.inputs).get(name, "")


@dataclass(frozen=True, slots=True)
class CiJob:
    """A job with its commands in their order. `disabled` says why it never runs, `needs` which jobs of its file must
    succeed before.
    """

    name: str
    location: Location
    triggers: frozenset[Trigger]
    commands: tuple[CiCommand, ...] = ()
    disabled: Evidence | None = None
    needs: tuple[str, ...] = ()

    @property
    def checks_changes(self) -> bool:
        """It runs before a change is merged, as far as can be seen: a push to a branch is shown beside its request."""
        return not self.triggers.isdisjoint({Trigger.PULL_REQUEST, Trigger.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Pipeline:
    """One file of a CI system, as it concerns one service."""

    service_root: str
    path: str
    system: str
    location: Location
    role: Role
    jobs: tuple[CiJob, ...] = ()
    """Those that something starts: what only other workflows call is part of the caller."""

    @property
    def subject_id(self) -> str:
        return self.path

    @property
    def label(self) -> str:
        return f"pipeline {self.path}"
