"""Procfile lines as workloads. The platform starts them, asks after their port, and decides how long they may drain."""

from __future__ import annotations

import posixpath
import shlex
from collections.abc import Iterator

from assay.scanner.deployment.build import Found, kind_of
from assay.scanner.deployment.processes import CommandContext, classify
from assay.scanner.deployment.roles import workload_role
from assay.scanner.deployment.starts import NOTHING
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.model.workload import CommandForm, Delivery, Platform, StartCommand, Workload, WorkloadKind
from assay.scanner.readers.procfile import ProcessType, ProcfileFacts
from assay.scanner.readers.shell import commands, parse

PLATFORM_ENVIRONMENT = {"PORT": "$PORT"}
"""The platform chooses the port."""
JOBS = frozenset({"release"})
"""Heroku runs it once per deployment."""


def procfile_workloads(tree: DeploymentTree) -> Iterator[Found]:
    """Every process of every Procfile."""
    for path, facts in tree.of(ProcfileFacts).items():
        for process in facts.processes:
            yield _found(tree, path, facts, process)


def _found(tree: DeploymentTree, path: str, facts: ProcfileFacts, line: ProcessType) -> Found:
    folder = posixpath.dirname(path)
    has_conf = posixpath.join(folder, "gunicorn.conf.py") in tree.other_paths
    process = classify(_last_words(line.command), CommandContext(PLATFORM_ENVIRONMENT, has_conf))
    kind = WorkloadKind.JOB if line.name in JOBS else kind_of(line.name, process, None, False)
    role = workload_role(tree.role(path), facts.comment, process)
    location = line.span.at(path)
    command = StartCommand(
        subject_id=f"{path}:{line.name}",
        label=f"process {line.name} of {path}",
        location=location,
        role=role,
        form=CommandForm.SHELL,
        text=line.command,
        process=process,
        delivery=Delivery.REACHES,
        why="the platform starts it and signals the whole group",
        started_by_platform=True,
    )
    workload = Workload(
        subject_id=f"{path}:{line.name}",
        name=line.name,
        platform=Platform.PROCFILE,
        kind=kind,
        location=location,
        role=role,
        process=process,
        traffic=(line.span.evidence(path, "the platform's router sends requests to `web`"),)
        if line.name == "web"
        else (),
        built_here=True,
        command=command,
        place_role=workload_role(tree.role(path), facts.comment, NOTHING),
    )
    return Found(workload, (command,), (folder or ".",))


def _last_words(line: str) -> list[str]:
    found = [c.words for c in commands(parse(line)) if c.words]
    if found:
        return list(found[-1])
    try:
        return shlex.split(line)
    except ValueError:
        return line.split()
