"""Scans for holes: each step of CI that scans, and what of each service is scanned."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.gathered import Gathered
from assay.scanner.model.pipeline import CiCommand, CiJob, Trigger
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.scanning import Blocking, ScanCoverage, ScanKind, SecurityScan
from assay.scanner.pipelines.scans import Found, scan_of, scan_of_template
from assay.scanner.pipelines.tree import PipelineTree
from assay.scanner.readers.audits import AuditFacts, AuditKind
from assay.scanner.readers.kubernetes import KubernetesFacts
from assay.scanner.services import ServiceRoot

_ORDER = (Blocking.NO, Blocking.UNMEANT, Blocking.ELSEWHERE, Blocking.YES)


def security(gathered: Gathered, tree: PipelineTree) -> Iterator[SecurityScan | ScanCoverage]:
    """The scans of each service, and what they leave out."""
    found = list(_scans(tree))
    for service in gathered.services:
        own: dict[str, SecurityScan] = {}
        for scan, command in found:
            if command is not None and not tree.concerns(command, service):
                continue
            mine = replace(scan, service_root=service.root)
            known = own.get(mine.subject_id)
            own[mine.subject_id] = mine if known is None else _better(known, mine)
        yield from own.values()
        for kind in ScanKind:
            scans = tuple(scan for scan in own.values() if kind in scan.kinds)
            weaker = tuple(_weaker(kind, gathered, tree))
            absent = _absent(kind, gathered, service)
            yield ScanCoverage(service.root, kind, service.location, Role.PROD, scans, weaker, absent, tree.has_ci)


def _scans(tree: PipelineTree) -> Iterator[tuple[SecurityScan, CiCommand | None]]:
    for jobs in tree.jobs.values():
        for job in jobs:
            languages = ""
            for command in job.commands if job.disabled is None else ():
                if command.program.startswith("github/codeql-action/init"):
                    languages = command.input("languages")
                ruff = tree.ruff_is_secure(command.folder or ".")
                found = scan_of(command, languages, ruff_is_secure=ruff)
                if found is not None:
                    yield _scan(found, job, command), command
    for path, workflow in tree.workflows.items():
        for name, span in workflow.includes:
            found = scan_of_template(name)
            if found is not None:
                scan = SecurityScan(
                    f"{found.tool} in {path}", "", found.tool, found.kinds, span.at(path), Role.PROD,
                    found.blocking, found.why,
                )  # fmt: skip
                yield scan, None


def _scan(found: Found, job: CiJob, command: CiCommand) -> SecurityScan:
    when = "" if job.checks_changes else " or ".join(sorted(job.triggers - {Trigger.PULL_REQUEST}))
    target = re.sub(r"[^\w./:-]+", " ", " ".join(command.words[1:4])).strip()
    name = f"{found.tool} in {command.location.path} {target}".strip()
    return SecurityScan(
        name, "", found.tool, found.kinds, command.location, Role.PROD, found.blocking, found.why,
        command.tolerated, when, command.via,
    )  # fmt: skip


def _better(one: SecurityScan, other: SecurityScan) -> SecurityScan:
    """The run of a scan that stops more: a matrix, or a job for every event, holds it several times."""

    def strength(scan: SecurityScan) -> tuple[bool, bool, int]:
        return scan.tolerated is None, not scan.not_on_changes, _ORDER.index(scan.blocking)

    return other if strength(other) > strength(one) else one


def _weaker(kind: ScanKind, gathered: Gathered, tree: PipelineTree) -> Iterator[Evidence]:
    """What looks after it, and would not stop a hole."""
    if kind is ScanKind.DEPENDENCIES:
        for path, facts in sorted(gathered.context.files.items()):
            if isinstance(facts, AuditFacts):
                bots = (a for a in facts.audits if a.kind is AuditKind.UPDATES)
                yield from (a.span.evidence(path, f"{a.name} proposes updates, and fails nothing") for a in bots)
    elif kind is ScanKind.SECRETS:
        for _, command in tree.running():
            if command.program == "detect-private-key":
                yield Evidence(command.location, "detect-private-key knows private keys alone")


def _absent(kind: ScanKind, gathered: Gathered, service: ServiceRoot) -> str:
    deployment = gathered.deployments.get(service.name)
    workloads = [w for w in deployment.workloads if w.role is Role.PROD] if deployment is not None else []
    if kind is ScanKind.IMAGE and not any(w.dockerfile for w in workloads):
        return "no image of it is built here"
    if kind is ScanKind.INFRASTRUCTURE:
        manifests = any(isinstance(f, KubernetesFacts) and f.workloads for f in gathered.context.files.values())
        return "" if manifests else "there are no manifests of infrastructure here"
    return ""
