"""The tests of each service: where they lie, when CI runs them, and what keeps their coverage."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

from assay.scanner.evidence.figures import JunitReport
from assay.scanner.gathered import Gathered
from assay.scanner.measurements.reports import Reports
from assay.scanner.model.pipeline import CiCommand
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.test_gate import CoverageGate, CoverageLimit, TestSuite
from assay.scanner.pipelines.test_runs import (
    gate_of,
    is_out_of_sight,
    is_relative,
    is_test_run,
    is_written_by_hand,
    measures_coverage,
)
from assay.scanner.pipelines.tree import PipelineTree
from assay.scanner.readers.python import form
from assay.scanner.readers.python.quick import TestFacts
from assay.scanner.services import ServiceRoot

_TEST = re.compile(r"tests?_.+\.py|.+_tests?\.py|tests\.py")
_HOSTED = re.compile(
    r"coveralls$|coverallsapp/|coveralls/|sonarsource/|sonar-scanner$|codacy|qltysh/|deepsource|cc-test-rep"
)
"""Services that get the coverage, and hold the limit in settings of their own."""
_SHOWN = 3


def suites(gathered: Gathered, tree: PipelineTree, reports: Reports) -> Iterator[TestSuite]:
    """The tests of each service, with what runs them."""
    for service in gathered.services:
        runs: list[Evidence] = []
        tolerated: list[Evidence] = []
        others: list[Evidence] = []
        for job, command in tree.running():
            if not is_test_run(command) or not tree.concerns(command, service):
                continue
            if command.tolerated is not None:
                tolerated += [command.evidence, command.tolerated]
            elif job.checks_changes:
                runs.append(command.evidence)
            else:
                when = " or ".join(sorted(job.triggers))
                others.append(Evidence(command.location, f"runs `{command.text}`, started by {when}"))
        result = next((r for r in reports.of(service, JunitReport)), None)
        yield TestSuite(
            service.root,
            service.location,
            Role.PROD,
            tuple(_tests(gathered, service)),
            _shown(runs),
            _shown(tolerated),
            _shown(others),
            None if result is None else Evidence(Location.whole_file(result.path), _said(result.report)),
            None if result is None else result.stale,
            tree.has_ci,
            tree.out_of_sight,
        )


def gates(gathered: Gathered, tree: PipelineTree) -> Iterator[CoverageGate]:
    """What keeps the coverage of each service."""
    for service in gathered.services:
        limits: list[CoverageLimit] = []
        doubtful: list[Evidence] = []
        measured: list[Evidence] = []
        is_tested = False
        for job, command in tree.running():
            if not tree.concerns(command, service) or not job.checks_changes:
                continue
            is_tested |= is_test_run(command)
            limit = gate_of(command, tree.checks)
            if limit is not None and command.tolerated is None:
                limits.append(limit)
            elif is_relative(command) or is_written_by_hand(command) or is_out_of_sight(command):
                doubtful.append(command.evidence)
            elif is_test_run(command) and measures_coverage(command, tree.checks):
                measured.append(command.evidence)
            if _uploads(command):
                status = _status(tree)
                limits += [status] if isinstance(status, CoverageLimit) else []
                doubtful += [status] if isinstance(status, Evidence) else []
            elif _HOSTED.match(command.program):
                doubtful.append(Evidence(command.location, f"{command.text} gets the coverage, and its gate decides"))
        doubtful += () if is_tested else tree.out_of_sight
        yield CoverageGate(
            service.root,
            service.location,
            Role.PROD,
            tuple(dict.fromkeys(limits)),
            _shown(doubtful),
            None if limits else _configured(service, tree),
            _shown(measured),
            tree.has_ci,
            any(_tests(gathered, service)),
        )


def _tests(gathered: Gathered, service: ServiceRoot) -> Iterator[Evidence]:
    """The folders of the service's tests, the first file of each. One beside every service belongs to the only one."""
    folders: dict[str, str] = {}
    alone = len(gathered.services) + len(gathered.neighbours) == 1
    for path in sorted(gathered.paths):
        if _TEST.fullmatch(posixpath.basename(path)) is None or not _holds_tests(path, gathered):
            continue
        owner = gathered.owners.around(path)
        if owner is service or (owner is None and alone):
            folders.setdefault(posixpath.dirname(path), path)
    yield from (Evidence(Location.whole_file(path), "tests") for path in list(folders.values())[:_SHOWN])


def _holds_tests(path: str, gathered: Gathered) -> bool:
    """Where the file was read, whether a test is in it: Django makes a `tests.py` without any."""
    facts = gathered.context.files.get(path)
    if not isinstance(facts, TestFacts):
        return gathered.roles.get(path) in (None, Role.TEST) and posixpath.basename(path) != "tests.py"
    classes = (node for node in facts.module.body if isinstance(node, form.Class))
    bodies = (facts.module.body, *(node.body for node in classes))
    return any(isinstance(n, form.Function) and n.name.startswith("test") for body in bodies for n in body)


def _uploads(command: CiCommand) -> bool:
    name = command.program
    is_script = any("codecov.io/bash" in word or "uploader.codecov.io" in word for word in command.words)
    is_action = name.startswith(("codecov/codecov-action", "codecov/upload"))
    return is_action or is_script or name in ("codecov", "codecovcli")


def _status(tree: PipelineTree) -> CoverageLimit | Evidence | None:
    """Codecov's status of the whole project, where its settings name one that can fail."""
    for path, facts in sorted(tree.checks.items()):
        if facts.status is None:
            continue
        percent, span = facts.status
        place = span.evidence(path, "Codecov's status of the project")
        if facts.is_informational:
            return None
        if percent is None:
            return span.evidence(path, "Codecov's status of the project, compared with the base alone")
        return CoverageLimit(percent, place, place)
    return None


def _configured(service: ServiceRoot, tree: PipelineTree) -> CoverageLimit | None:
    """A limit in the settings of the service that nothing in CI reports against."""
    for path, facts in sorted(tree.checks.items()):
        folder = posixpath.dirname(path) or "."
        if folder not in (service.root, ".") or facts.fail_under is None:
            continue
        place = facts.fail_under.span.evidence(path, f"at least {facts.fail_under.percent:g} %")
        return CoverageLimit(facts.fail_under.percent, place, place)
    return None


def _said(report: JunitReport) -> str:
    ended = ((report.failures, "failed"), (report.errors, "broke"), (report.skipped, "were skipped"))
    rest = "".join(f", {count:,} {word}" for count, word in ended if count)
    return f"{report.tests:,} tests ran{rest}"


def _shown(evidence: list[Evidence]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(evidence))[:_SHOWN]
