"""Scans for holes: each step of CI that scans, and what of each service is scanned."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.gathered import Gathered
from assay.scanner.model.pipeline import CiCommand, CiJob, Trigger
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.scanning import Blocking, ScanCoverage, ScanKind, SecurityScan
from assay.scanner.pipelines.publications import pushes_image
from assay.scanner.pipelines.scans import Found, scan_of, scan_of_template
from assay.scanner.pipelines.tree import PipelineTree
from assay.scanner.readers.audits import AuditFacts, AuditKind
from assay.scanner.readers.documents import DocumentFacts
from assay.scanner.readers.hosted import HostedFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts
from assay.scanner.services import ServiceRoot

_HOSTED = {
    "Snyk": (ScanKind.DEPENDENCIES, ScanKind.CODE, ScanKind.IMAGE),
    "Sonar": (ScanKind.CODE,),
    "Codacy": (ScanKind.CODE,),
    "DeepSource": (ScanKind.CODE, ScanKind.SECRETS),
    "Code Climate": (ScanKind.CODE,),
    "Semgrep": (ScanKind.CODE,),
    "CodeQL": (ScanKind.CODE,),
    "PyUp": (ScanKind.DEPENDENCIES,),
    "Safety": (ScanKind.DEPENDENCIES,),
    "OSV-Scanner": (ScanKind.DEPENDENCIES,),
    "Mend": (ScanKind.DEPENDENCIES,),
    "FOSSA": (ScanKind.DEPENDENCIES,),
    "Socket": (ScanKind.DEPENDENCIES,),
    "GitGuardian": (ScanKind.SECRETS,),
    "Gitleaks": (ScanKind.SECRETS,),
    "detect-secrets": (ScanKind.SECRETS,),
    "GitHub's secret scanning": (ScanKind.SECRETS,),
    "Trivy": (ScanKind.IMAGE, ScanKind.DEPENDENCIES),
    "Grype": (ScanKind.IMAGE,),
    "Checkov": (ScanKind.INFRASTRUCTURE,),
    "Hadolint": (ScanKind.INFRASTRUCTURE,),
}
"""What tools scan whose settings or badges alone are here."""
_ORDER = (Blocking.NO, Blocking.UNMEANT, Blocking.ELSEWHERE, Blocking.YES)


def security(gathered: Gathered, tree: PipelineTree) -> Iterator[SecurityScan | ScanCoverage]:
    """The scans of each service, and what they leave out."""
    found = list(scans_of(tree))
    publishes = any(pushes_image(command) for _, command in tree.running())
    for service in gathered.services:
        own: dict[str, SecurityScan] = {}
        hosted = tuple(_hosted(gathered, service))
        for scan, command, _ in found:
            if command is not None and not tree.concerns(command, service):
                continue
            mine = replace(scan, service_root=service.root)
            known = own.get(mine.subject_id)
            own[mine.subject_id] = mine if known is None else _better(known, mine)
        own = {name: _reported_only(scan, own.values()) for name, scan in own.items()}
        yield from own.values()
        for kind in ScanKind:
            scans = tuple(scan for scan in own.values() if kind in scan.kinds)
            weaker = (
                *_weaker(kind, gathered, tree),
                *(evidence for kinds, evidence in hosted if kind in kinds),
                *tree.out_of_sight,
            )
            absent = _absent(kind, gathered, service)
            if kind is ScanKind.IMAGE and publishes and not absent and not scans:
                absent = "OPS105 judges the images that CI publishes"
            yield ScanCoverage(service.root, kind, service.location, Role.PROD, scans, weaker, absent, tree.has_ci)


def scans_of(tree: PipelineTree) -> Iterator[tuple[SecurityScan, CiCommand | None, CiJob | None]]:
    """All scans that CI runs, with their commands and jobs; None for a template of the CI system's."""
    for jobs in tree.jobs.values():
        for job in jobs:
            languages = ""
            uploads = any("upload-sarif" in command.program for command in job.commands)
            for command in job.commands if job.disabled is None else ():
                if command.program.startswith("github/codeql-action/init"):
                    languages = command.input("languages")
                ruff = tree.ruff_is_secure(command.folder or ".")
                found = scan_of(command, languages, ruff_is_secure=ruff)
                if found is not None:
                    yield _scan(found, job, command, uploads=uploads), command, job
    for path, workflow in tree.workflows.items():
        for name, span in workflow.includes:
            found = scan_of_template(name)
            if found is not None:
                scan = SecurityScan(
                    f"{found.tool} in {path}", "", found.tool, found.kinds, span.at(path), Role.PROD,
                    found.blocking, found.why,
                )  # fmt: skip
                yield scan, None, None


def _scan(found: Found, job: CiJob, command: CiCommand, *, uploads: bool) -> SecurityScan:
    tolerated = command.tolerated
    given = " ".join((*command.words, *(value for _, value in command.inputs))).lower()
    if uploads and job.checks_changes and "sarif" in given and (tolerated is not None or found.blocking is Blocking.NO):
        # GitHub's check of what is uploaded fails on new errors, whatever the step says.
        why = "its findings are uploaded; the branch's rules decide"
        found, tolerated = replace(found, blocking=Blocking.ELSEWHERE, why=why), None
    when = "" if job.checks_changes else " or ".join(sorted(job.triggers - {Trigger.PULL_REQUEST}))
    target = re.sub(r"[^\w./:-]+", " ", " ".join(command.words[1:4])).strip()
    name = f"{found.tool} in {command.location.path} {target}".strip()
    return SecurityScan(
        name, "", found.tool, found.kinds, command.location, Role.PROD, found.blocking, found.why,
        tolerated, when, command.via,
    )  # fmt: skip


def _better(one: SecurityScan, other: SecurityScan) -> SecurityScan:
    """The run of a scan that stops more: a matrix, or a job for every event, holds it several times."""

    def strength(scan: SecurityScan) -> tuple[bool, bool, int]:
        return scan.tolerated is None, not scan.not_on_changes, _ORDER.index(scan.blocking)

    return other if strength(other) > strength(one) else one


def _reported_only(scan: SecurityScan, scans: Iterable[SecurityScan]) -> SecurityScan:
    """A run that only writes a report, beside one of the same tool that stops a change."""
    if scan.tolerated is None and scan.blocking is not Blocking.NO:
        return scan
    stopping = (
        s for s in scans
        if s.tool == scan.tool and set(scan.kinds) <= set(s.kinds) and s.blocking is Blocking.YES
        and s.tolerated is None and not s.not_on_changes
    )  # fmt: skip
    if any(stopping):
        return replace(scan, blocking=Blocking.UNMEANT, why="another run of it does")
    return scan


def _hosted(gathered: Gathered, service: ServiceRoot) -> Iterator[tuple[tuple[ScanKind, ...], Evidence]]:
    """Settings of scanners that may run elsewhere: as an app of the repository, or before a commit."""
    around = ("", service.root, ".github", ".github/codeql")
    for path, facts in sorted(gathered.context.files.items()):
        if posixpath.dirname(path) not in around:
            continue
        if isinstance(facts, HostedFacts):
            place = Evidence(Location.whole_file(path), f"sets up {facts.tool}, which no pipeline here runs")
            yield _HOSTED[facts.tool], place
        elif isinstance(facts, DocumentFacts):
            for tool, span in facts.badges:
                yield _HOSTED[tool], span.evidence(path, f"names {tool}, which no pipeline here runs")


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
    for hook in tree.hooks:
        found = scan_of(hook, ruff_is_secure=tree.ruff_is_secure("."))
        if found is not None and kind in found.kinds:
            yield Evidence(hook.location, f"{found.tool} runs before a commit, where it is installed")


def _absent(kind: ScanKind, gathered: Gathered, service: ServiceRoot) -> str:
    deployment = gathered.deployments.get(service.name)
    workloads = [w for w in deployment.workloads if w.role is Role.PROD] if deployment is not None else []
    if kind is ScanKind.IMAGE and not any(w.dockerfile for w in workloads):
        return "no image of it is built here"
    if kind is ScanKind.INFRASTRUCTURE:
        manifests = any(isinstance(f, KubernetesFacts) and f.workloads for f in gathered.context.files.values())
        return "" if manifests else "there are no manifests of infrastructure here"
    return ""
