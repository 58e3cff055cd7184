"""As whom the processes of an image run."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from assay.scanner.deployment.images import Image, split_reference
from assay.scanner.deployment.processes import DROPPERS, SUPERVISORS
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.workload import Workload
from assay.scanner.readers import shell
from assay.scanner.readers.shell import ShellFacts

_ROOT = frozenset({"root", "0"})
_UNPRIVILEGED_BASE = re.compile(
    r"cgr\.dev/.*|.*nonroot.*|.*unprivileged.*|(docker\.io/)?bitnami/.*|.*/ubi\d+/(python|nodejs)-.*"
    r"|(docker\.io/)?(apache/airflow|jupyter/.*|sonarqube|grafana/grafana|elasticsearch.*)(:.*)?"
)
"""Images whose own documentation says that they end with another user than root."""
_ROOT_BASE = re.compile(
    r"(docker\.io/)?(library/)?(public\.ecr\.aws/docker/library/)?(mcr\.microsoft\.com/.*/)?"
    r"(python|pypy|debian|ubuntu|alpine|node|golang|rust|ruby|buildpack-deps|fedora|centos|rockylinux|almalinux"
    r"|amazonlinux|oraclelinux|busybox|scratch|openjdk|php|perl)"
    r"|(docker\.io/)?(tiangolo/.*|astral/uv|condaforge/.*|continuumio/.*|nvidia/cuda|pytorch/pytorch"
    r"|tensorflow/tensorflow|phusion/.*)|ghcr\.io/astral-sh/uv|gcr\.io/distroless/.*|.*/ubi\d+(-minimal)?(/ubi.*)?"
)
"""Images that are known to leave the user as root."""
_DROPPING = DROPPERS | {"chpst", "runuser", "su", "sudo", "setuidgid", "capsh", "gosu.sh", "start-stop-daemon"}
_OPTIONS = re.compile(r"(^|\s)(--user|--uid|--setuid|-u\s+www-data|--http-user)[\s=](?!root\b|0\b)\S")
"""Servers that change their user themselves: gunicorn, uWSGI, Celery."""
_SUPERVISED = re.compile(rf"(^|/|\s)({'|'.join(sorted(SUPERVISORS))})\b|(^|\s)/init\b")
_BY_FILE = re.compile(r"(^|/|\s)uwsgi\s(.*\s)?\S+\.(ini|ya?ml|xml)\b")
"""uWSGI takes its `uid` from a file mostly."""
_UNSTATED = "this runs it without naming another user"
_CREATES = re.compile(r"\b(useradd|adduser)\b")


def user_of(
    image: Image, running: Sequence[Workload], workloads: Sequence[Workload], scripts: Mapping[str, ShellFacts]
) -> Option:
    """What the image says; where that is root, what its entry point or all that run it make of it. `workloads` are
    those of every kind, the image run as it is among them.
    """
    own = _of_image(image)
    forced = [w.user for w in running if w.user is not None]
    as_root = next((user for user in forced if user.is_safe is False), None)
    if as_root is not None:
        return as_root
    if own.is_safe:
        return own
    changed = next(_changes(image, workloads, scripts), None)
    if changed is not None:
        return changed
    lacking = [w for w in running if w.user is None]
    if forced and not lacking:
        return next((user for user in forced if user.is_safe is None), forced[0])
    if not running and not own.is_safe and image.cmd is None and image.entrypoint is None:
        return Option(None, (*own.evidence, image.stage.span.evidence(image.path, "it starts nothing by itself")))
    if forced:
        return replace(own, evidence=(*own.evidence, *(Evidence(w.location, _UNSTATED) for w in lacking[:3])))
    return own


def _of_image(image: Image) -> Option:
    for stage in image.chain:
        if stage.user is not None and stage.user_span is not None:
            name = stage.user.partition(":")[0].strip()
            evidence = stage.user_span.evidence(image.path, f"USER {stage.user}")
            return Option(None if "$" in name or not name else name not in _ROOT, (evidence,))
    stage = image.chain[-1]
    base = stage.span.evidence(image.path, f"{stage.base} runs as root, and no USER follows")
    repository, tag = split_reference(stage.base)
    if _UNPRIVILEGED_BASE.fullmatch(f"{repository}:{tag}" if tag else repository):
        return Option(True, (stage.span.evidence(image.path, f"{stage.base} runs as a user of its own"),))
    if _ROOT_BASE.fullmatch(repository):
        return Option(False, (base, *_created(image)))
    return Option(None, (stage.span.evidence(image.path, f"as whom {stage.base} runs isn't known here"),))


def _created(image: Image) -> Iterator[Evidence]:
    """Users that are made, so that a reader may think they are used."""
    for stage in image.chain:
        for run in stage.runs:
            if _CREATES.search(run.text):
                yield run.span.evidence(image.path, "a user is made here, and never used")
                return


def _changes(image: Image, workloads: Sequence[Workload], scripts: Mapping[str, ShellFacts]) -> Iterator[Option]:
    """Where the entry point goes on as another user, and where what it starts may."""
    for stage in image.chain:
        for command in (stage.entrypoint, stage.cmd):
            if command is not None and _changes_user(command.words or tuple(command.line.split())):
                yield Option(True, (command.span.evidence(image.path, "the command goes on as another user"),))
    for workload in workloads:
        if workload.command is None:
            continue
        if _changes_user(tuple(workload.command.text.split())):
            yield Option(True, (Evidence(workload.command.location, "the command goes on as another user"),))
        for place in workload.command.goes_through:
            facts = scripts.get(place.location.path)
            for found in shell.commands(facts.body) if facts is not None else ():
                if _changes_user(found.words) and _is_last(found, place):
                    text = f"`{' '.join(found.words)[:60]}` goes on as another user"
                    yield Option(True, (found.span.evidence(place.location.path, text),))
        if _BY_FILE.search(workload.command.text):
            text = "its file of settings may name another user"
            yield Option(None, (Evidence(workload.command.location, text),))
        if _SUPERVISED.search(workload.command.text):
            text = "each program that it supervises may have a user of its own"
            yield Option(None, (Evidence(workload.command.location, text),))


def _is_last(command: shell.Command, ending: Evidence) -> bool:
    """It takes the script's place, ends it, or (`set -- gosu app "$@"`) makes what does: others only help it."""
    is_end = command.span.line == ending.location.line
    return command.replaces_shell or is_end or command.words[0] == "set"


def _changes_user(words: Sequence[str]) -> bool:
    names = {word.rpartition("/")[2] for word in words[:3]}
    return not names.isdisjoint(_DROPPING) or _OPTIONS.search(" ".join(words)) is not None
