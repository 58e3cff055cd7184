"""The pipelines of a tree, and which of their commands are about which service."""

from __future__ import annotations

import fnmatch
import posixpath
import re
from collections.abc import Iterator, Mapping
from functools import cached_property

from assay.scanner.gathered import Gathered
from assay.scanner.model.pipeline import CiCommand, CiJob
from assay.scanner.model.place import Evidence
from assay.scanner.pipelines.following import UNKNOWN, Follower
from assay.scanner.pipelines.jobs import Jobs
from assay.scanner.pipelines.scans import scan_of, scan_of_template
from assay.scanner.pipelines.sessions import nox_sessions
from assay.scanner.readers.audits import AuditFacts
from assay.scanner.readers.checks import CheckFacts
from assay.scanner.readers.dependencies import DependencyFacts
from assay.scanner.readers.shell import ShellFacts
from assay.scanner.readers.tasks import TaskFacts
from assay.scanner.readers.workflows.facts import System, Workflow
from assay.scanner.services import ServiceRoot

_OTHER_PURPOSE = re.compile(
    r"release|publish|deploy|docs?\b|stale|label|lock|triage|changelog|title|version|notif|assign|greet|welcome|backport"
    r"|automerge|auto-merge|semantic|commit|lint|format|docker|image|build"
)
"""Names of shared workflows that are there for something else than tests and scans."""
_SCRIPT_OF_CI = re.compile(r"(^|[-_./])(ci|checks?|verify|validate)\.py")
_AT_THE_TOP = (".github/", ".gitea/", ".forgejo/")


_SHOWN = 3


class PipelineTree:
    """All pipelines, read together once."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._files = gathered.context.files

    @cached_property
    def checks(self) -> Mapping[str, CheckFacts]:
        """Settings of checks by path, those in `pyproject.toml` and `setup.cfg` among them."""
        found: dict[str, CheckFacts] = {}
        for path, facts in self._files.items():
            if isinstance(facts, CheckFacts):
                found[path] = facts
            elif isinstance(facts, DependencyFacts) and facts.checks is not None:
                found[path] = facts.checks
        return found

    def ruff_is_secure(self, folder: str) -> bool:
        """Whether ruff's rules there are configured to hold those of flake8-bandit."""
        names = ("pyproject.toml", "ruff.toml", ".ruff.toml")
        paths = [posixpath.normpath(posixpath.join(around, name)) for around in (folder, ".") for name in names]
        return any(self.checks[path].ruff_is_secure for path in paths if path in self.checks)

    @cached_property
    def workflows(self) -> Mapping[str, Workflow]:
        found = {
            path: facts.workflow
            for path, facts in self._files.items()
            if isinstance(facts, AuditFacts) and facts.workflow is not None
        }
        own = [path for path, w in found.items() if w.system is System.GITHUB and path.startswith(_AT_THE_TOP)]
        # GitHub runs those at the repository's top alone: others come along with a copied or generated project.
        return {p: w for p, w in found.items() if not own or w.system is not System.GITHUB or p in own}

    @cached_property
    def has_ci(self) -> bool:
        """Whether the tree holds a pipeline; hooks before a commit are none."""
        return any(w.system not in (System.PRE_COMMIT, System.ACTION) for w in self.workflows.values())

    @cached_property
    def hooks(self) -> tuple[CiCommand, ...]:
        """What is run before a commit, on the machine of whoever commits."""
        return tuple(self._jobs.hooks())

    @cached_property
    def _jobs(self) -> Jobs:
        return Jobs(self.workflows, Follower(self._files, self.checks, nox_sessions(self._gathered.project)))

    @cached_property
    def jobs(self) -> Mapping[str, tuple[CiJob, ...]]:
        """By the path of their file; what is disabled among them."""
        return {path: tuple(self._jobs.of(path)) for path in sorted(self.workflows)}

    def told(self) -> Iterator[CiCommand]:
        """What scripts and tasks of the tree say, whether or not a pipeline runs them."""
        follower = Follower(self._files, self.checks, ())
        for path, facts in sorted(self._files.items()):
            if isinstance(facts, TaskFacts):
                for task in facts.tasks:
                    yield from follower.commands_of(path, task)
            elif isinstance(facts, ShellFacts):
                yield from follower.commands_of(path, facts)

    def running(self) -> Iterator[tuple[CiJob, CiCommand]]:
        """Every command of every job that may run."""
        for jobs in self.jobs.values():
            for job in jobs:
                if job.disabled is None:
                    yield from ((job, command) for command in job.commands)

    @cached_property
    def out_of_sight(self) -> tuple[Evidence, ...]:
        """What runs before a change is merged and lies elsewhere, or can't be followed: it may test, scan and more."""
        found: list[Evidence] = []
        for path, workflow in self.workflows.items():
            found += [
                span.evidence(path, f"goes on in {name.removeprefix('project:')}, which isn't here")
                for name, span in workflow.includes
                if not self._is_known(name)
            ]
        for job, command in self.running():
            if job.checks_changes and _is_hidden(command):
                is_named = command.program != UNKNOWN
                found.append(
                    command.evidence if is_named else Evidence(command.location, "runs what an expression comes to")
                )
        return tuple(dict.fromkeys(found))[:_SHOWN]

    def _is_known(self, name: str) -> bool:
        """A file of the tree that was read, or a template of which is known what it does."""
        if name.startswith("./"):
            return any(fnmatch.fnmatch(path, name.removeprefix("./")) for path in self.workflows)
        if name.startswith("project:") or "://" in name or "@" in name:
            return scan_of_template(name) is not None
        return "Auto-DevOps" not in name

    def concerns(self, command: CiCommand, service: ServiceRoot) -> bool:
        """Whether a command may be about the service: it runs in its folder or around it, and names no other one's."""
        roots = [*(s.root for s in self._gathered.services), *self._gathered.neighbours]
        folder = command.folder
        if folder is None or len(roots) < 2 or service.root == ".":
            return folder is None or service.root != "." or not self._lies_in_other(folder, service, roots)
        if _is_inside(folder, service.root) or folder == service.root:
            return not self._lies_in_other(folder, service, roots)
        if not _is_inside(service.root, folder):
            return False
        named = [w.strip("./") for w in command.words[1:] if not w.startswith("-") and ("/" in w or w in roots)]
        return not named or any(_overlaps(_under(folder, name), service.root) for name in named)

    @staticmethod
    def _lies_in_other(folder: str, service: ServiceRoot, roots: list[str]) -> bool:
        """A service nested in this one's folder has its own commands."""
        inner = (r for r in roots if r != service.root and _is_inside(r, service.root))
        return any(folder == root or _is_inside(folder, root) for root in inner)


def _is_hidden(command: CiCommand) -> bool:
    if command.is_action:
        shared = ".github/workflows/" in command.program
        name = command.program.rpartition("/")[2]
        return shared and _OTHER_PURPOSE.search(name) is None and scan_of(command) is None
    if command.program == "python":
        return any(_SCRIPT_OF_CI.search(word) for word in command.words[1:2])
    return command.program == UNKNOWN


def _is_inside(folder: str, other: str) -> bool:
    return folder != other and (other == "." or folder.startswith(f"{other}/"))


def _overlaps(one: str, other: str) -> bool:
    return one == other or _is_inside(one, other) or _is_inside(other, one)


def _under(folder: str, name: str) -> str:
    return name if folder == "." else f"{folder}/{name}"
