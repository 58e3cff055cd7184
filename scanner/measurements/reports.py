"""Reports of measurements, found in the tree or named, and the services that they are of."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Generic, TypeVar

from assay.scanner.evidence.figures import CoverageReport, EvidenceFacts, JunitReport, Report, TimingReport
from assay.scanner.gathered import Gathered
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.services import ServiceRoot

_R = TypeVar("_R", CoverageReport, JunitReport, TimingReport)


@dataclass(frozen=True, slots=True)
class Found(Generic[_R]):
    """A report with its path. `stale` says that it is older than the code by more than is allowed."""

    path: str
    report: _R
    stale: Evidence | None


class Reports:
    """All reports; one that is named counts instead of the tree's of the same path."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered

    @cached_property
    def _all(self) -> tuple[tuple[str, Report], ...]:
        named = {file.path: file.facts.report for file in self._gathered.measured.files}
        found = {
            path: facts.report
            for path, facts in self._gathered.context.files.items()
            # What lies among tests and examples is there to be read by them.
            if isinstance(facts, EvidenceFacts) and self._gathered.roles.get(path) not in (Role.TEST, Role.EXAMPLE)
        }
        return tuple(sorted((found | named).items()))

    def all(self, kind: type[_R]) -> Iterator[Found[_R]]:
        """Those of the kind, whatever service they are of."""
        for path, report in self._all:
            if isinstance(report, kind):
                yield Found(path, report, self._stale(path, report.made))

    def of(self, service: ServiceRoot, kind: type[_R]) -> Iterator[Found[_R]]:
        """Those of the tree that lie in the service's folder; all, where there is only one service."""
        alone = len(self._gathered.services) + len(self._gathered.neighbours) == 1
        # A named file outside the tree is known by its name alone, and would seem to lie at the tree's root.
        outside = {file.path for file in self._gathered.measured.files if "/" not in file.path}
        for found in self.all(kind):
            if alone or (found.path not in outside and self._gathered.owners.around(found.path) is service):
                yield found

    def _stale(self, path: str, made: str) -> Evidence | None:
        measured = self._gathered.measured
        made = made or measured.changed.get(path, "")
        if not made or not measured.committed:
            return None
        age = (_time(measured.committed) - _time(made)).days
        if age <= measured.max_age_days:
            return None
        text = f"measured {age:,} days before the code was committed; {measured.max_age_days} are allowed"
        return Evidence(Location.whole_file(path), text)


def folder_of(path: str) -> str:
    """The folder of a file, `.` for the scanned root."""
    return posixpath.dirname(path) or "."


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
