"""Coverage of services and packages, from one report or several, with their paths mapped to files of the tree."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from assay.scanner.evidence.figures import CoverageReport, FileCoverage
from assay.scanner.gathered import Gathered
from assay.scanner.measurements.reports import Found, Reports
from assay.scanner.model.measurement import CoverageFigure
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.services import ServiceRoot

_TEST = re.compile(r"(^|/)(tests?|testing|unittests)/|(^|/)(test_[^/]*|[^/]*_tests?|tests|conftest)\.py$")
_LEAST_STATEMENTS = 20
"""A package with fewer says nothing."""
_LOST = 0.2
"""A larger share of statements that lead to no file makes the whole doubtful."""


@dataclass(slots=True)
class _Sum:
    """What several reports say of one file or of many; `most` is what their runs could cover together."""

    statements: int = 0
    covered: int = 0
    branches: int = 0
    covered_branches: int = 0
    most: int = 0

    def add(self, other: _Sum) -> None:
        self.statements += other.statements
        self.covered += other.covered
        self.branches += other.branches
        self.covered_branches += other.covered_branches
        self.most += other.most


def coverage_figures(gathered: Gathered, reports: Reports) -> Iterator[CoverageFigure]:
    """The whole of each service that was measured, and each of its packages."""
    paths = _Paths(gathered)
    by_service: dict[str, dict[str, list[FileCoverage]]] = {}
    of_service: dict[str, list[Found[CoverageReport]]] = {}
    lost: dict[str, int] = {}
    for found in reports.all(CoverageReport):
        for file in found.report.files:
            path = paths.of(file.path, found)
            owner = gathered.owners.of(path) if path is not None else None
            if path is None and file.path.endswith(".py") and not _TEST.search(file.path):
                lost[found.path] = lost.get(found.path, 0) + file.statements
            if path is None or owner is None or owner not in gathered.services or _is_test(path, gathered):
                continue
            by_service.setdefault(owner.root, {}).setdefault(path, []).append(file)
            if found not in of_service.setdefault(owner.root, []):
                of_service[owner.root].append(found)
    for service in gathered.services:
        if service.root in by_service:
            yield from _figures(service, by_service[service.root], of_service[service.root], lost)


def _figures(
    service: ServiceRoot,
    files: dict[str, list[FileCoverage]],
    found: Sequence[Found[CoverageReport]],
    lost: dict[str, int],
) -> Iterator[CoverageFigure]:
    packages: dict[str, _Sum] = {}
    whole = _Sum()
    for path, measured in sorted(files.items()):
        one = _together(measured)
        whole.add(one)
        packages.setdefault(posixpath.dirname(path) or ".", _Sum()).add(one)
    place = Location.whole_file(found[0].path)
    stale = next((report.stale for report in found if report.stale is not None), None)
    missing = sum(lost.get(report.path, 0) for report in found)
    unmapped = None
    if missing > _LOST * (missing + whole.statements):
        text = f"{missing:,} of its statements are in files that aren't in the tree"
        unmapped = Evidence(place, text)
    evidence = tuple(Evidence(Location.whole_file(r.path), _said(r.report)) for r in found)
    for package, of_package in (("", whole), *sorted(packages.items())):
        if package and of_package.statements < _LEAST_STATEMENTS:
            continue
        yield CoverageFigure(
            service.root,
            package,
            place,
            Role.PROD,
            of_package.statements,
            of_package.covered,
            of_package.branches,
            of_package.covered_branches,
            of_package.most,
            evidence,
            unmapped,
            stale,
        )


def _together(measured: Sequence[FileCoverage]) -> _Sum:
    """The best of several: the same run may be written in two formats, and partial runs cover at least that."""
    best = max(measured, key=lambda f: f.covered + f.covered_branches)
    all_covered = sum(f.covered + f.covered_branches for f in measured)
    most = min(best.statements + best.branches, all_covered)
    distinct = {(f.covered, f.covered_branches) for f in measured}
    most = best.covered + best.covered_branches if len(distinct) == 1 else most
    return _Sum(best.statements, best.covered, best.branches, best.covered_branches, most)


def _said(report: CoverageReport) -> str:
    statements = sum(f.statements for f in report.files)
    when = f", {report.made[:10]}" if report.made else ""
    return f"{report.tool}{when}: {statements:,} statements in {len(report.files):,} files"


def _is_test(path: str, gathered: Gathered) -> bool:
    return gathered.roles.get(path) is Role.TEST or _TEST.search(path) is not None


class _Paths:
    """Files of the tree by how their paths end: a report may be made in a container, or in another folder."""

    def __init__(self, gathered: Gathered) -> None:
        self._paths = {path for path in gathered.paths if path.endswith(".py")}
        self._by_name: dict[str, list[str]] = {}
        for path in sorted(self._paths):
            self._by_name.setdefault(posixpath.basename(path), []).append(path)

    def of(self, written: str, found: Found[CoverageReport]) -> str | None:
        """The one file that it can be; None where it is none, or one of several."""
        written = posixpath.normpath(written.replace("\\", "/"))
        here = posixpath.dirname(found.path)
        beside = posixpath.normpath(posixpath.join(here, written))
        full = [posixpath.join(source, written) for source in found.report.sources] or [written]
        candidates = [p for p in self._by_name.get(posixpath.basename(written), ()) if _ends_alike(p, written)]
        for known in (beside, written):
            is_one = known in candidates and len(found.report.sources) < 2
            if is_one and not self._is_longer(candidates, known, full):
                return known
        if not candidates:
            return None
        lengths = {p: max(_common(p, name) for name in full) for p in candidates}
        best = max(lengths.values())
        top = [p for p, length in lengths.items() if length == best]
        return top[0] if len(top) == 1 else None

    @staticmethod
    def _is_longer(candidates: Sequence[str], known: str, full: Sequence[str]) -> bool:
        """Whether the report's own folders say that another file is meant."""
        best = max(_common(known, name) for name in full)
        return any(p != known and max(_common(p, name) for name in full) > best for p in candidates)


def _ends_alike(path: str, written: str) -> bool:
    """One is the end of the other."""
    short, long = sorted((path.strip("/"), written.strip("/")), key=len)
    return long == short or long.endswith(f"/{short}")


def _common(one: str, other: str) -> int:
    """How many parts at the end are the same."""
    count = 0
    for a, b in zip(reversed(one.split("/")), reversed(other.split("/")), strict=False):
        if a != b:
            break
        count += 1
    return count
