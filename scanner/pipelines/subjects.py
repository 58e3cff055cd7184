"""What CI does for each service."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.measurements.reports import Reports
from assay.scanner.model.load import Benchmarking, LoadTesting
from assay.scanner.model.pipeline import Pipeline
from assay.scanner.model.place import Location
from assay.scanner.model.publication import ImagePublication
from assay.scanner.model.role import Role
from assay.scanner.model.scanning import ScanCoverage, SecurityScan
from assay.scanner.model.test_gate import CoverageGate, TestSuite
from assay.scanner.pipelines.load import load_tests
from assay.scanner.pipelines.publications import publications
from assay.scanner.pipelines.security import scans_of, security
from assay.scanner.pipelines.tests import gates, suites
from assay.scanner.pipelines.tree import PipelineTree

PipelineSubject = (
    Pipeline | TestSuite | CoverageGate | SecurityScan | ScanCoverage | ImagePublication | LoadTesting | Benchmarking
)


def pipelines(gathered: Gathered) -> Iterator[PipelineSubject]:
    """The pipelines, and what they show of tests, scans and load."""
    tree, reports = PipelineTree(gathered), Reports(gathered)
    for service in gathered.services:
        for path, jobs in tree.jobs.items():
            if jobs:
                system = tree.workflows[path].system
                yield Pipeline(service.root, path, system, Location.whole_file(path), Role.PROD, jobs)
    yield from suites(gathered, tree, reports)
    yield from gates(gathered, tree)
    yield from security(gathered, tree)
    yield from publications(gathered, tree, list(scans_of(tree)))
    yield from load_tests(gathered, tree, reports)
