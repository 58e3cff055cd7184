"""What a workload is for, once its path has had its say: leading comments, commands, labels and environment."""

from __future__ import annotations

import re
from collections.abc import Iterable

from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.workload import Process, WorkloadKind
from assay.scanner.readers.kubernetes.facts import PodWorkload

_WHAT = r"(development|dev|local(?:ly)?|debugging|testing|tests?|ci|demo)"
COMMENT = re.compile(
    rf"\b(?:for|only in|used in|intended for|meant for)\W+(?:the\W+|a\W+|your\W+)*{_WHAT}\b"
    rf"|\b{_WHAT}\W+(?:only|setup|set-up|environment|stack|compose|configuration|purposes|use)\b"
    r"|\bnot\W+(?:be\W+used\W+|meant\W+|intended\W+|suitable\W+)*(?:for|in)\W+production\b",
    re.IGNORECASE,
)
TEST_WORDS = frozenset({"test", "tests", "testing", "ci"})
ENVIRONMENT_LABELS = frozenset({"environment", "env", "stage", "app.kubernetes.io/environment"})
DEVELOPMENT_VALUES = frozenset({"development", "dev", "develop", "local", "test", "testing"})
BEFORE_PRODUCTION = frozenset({"staging", "stage", "stg", "qa", "uat", "preview", "sandbox", "review-apps"})
ENVIRONMENT_VARIABLE = re.compile(r"(FLASK|APP|FASTAPI|DJANGO|PYTHON|ENVIRONMENT|NODE|RAILS|QUART)?_?(ENV|ENVIRONMENT)")


def role_of_comment(comment: str) -> Role | None:
    """What a file's leading comment says it is for, if anything."""
    match = COMMENT.search(comment)
    if match is None:
        return None
    word = (match[1] or match[2] or "development").lower()
    return Role.TEST if word in TEST_WORDS else Role.DEV


def workload_role(path_role: Role, comment: str, process: Process, kind: WorkloadKind = WorkloadKind.UNKNOWN) -> Role:
    """The path first, then the comment, then the command and what the workload is."""
    if path_role is not Role.PROD:
        return path_role
    said = role_of_comment(comment)
    if said is not None:
        return said
    if process.is_development_server:
        return Role.DEV
    return Role.TOOL if WorkloadKind.LOAD_GENERATOR in (process.kind, kind) else Role.PROD


def label_doubt(path: str, workload: PodWorkload) -> Evidence | None:
    """A label that calls it development; alone that isn't enough, because people ship such manifests."""
    for name, value in (*workload.pod_labels, *workload.labels):
        if name.lower() in ENVIRONMENT_LABELS and value.lower() in DEVELOPMENT_VALUES:
            return (workload.labels_span or workload.span).evidence(path, f"its label says {name}: {value}")
    return None


def place_doubt(path: str, workload: PodWorkload) -> Evidence | None:
    """A folder or a namespace for what comes before production."""
    for word in (*path.lower().split("/")[:-1], (workload.namespace or "").lower()):
        if word in BEFORE_PRODUCTION or word in DEVELOPMENT_VALUES:
            return workload.span.evidence(path, f"by its place it is for {word}")
    return None


def environment_doubt(place: Evidence, environment: Iterable[tuple[str, str]]) -> Evidence | None:
    """An environment variable that calls it development."""
    for name, value in environment:
        if ENVIRONMENT_VARIABLE.fullmatch(name) and value.lower() in DEVELOPMENT_VALUES:
            return Evidence(place.location, f"{name} is {value}")
    return None


def mount_doubt(place: Evidence, mounted: Iterable[str], context: str | None) -> Evidence | None:
    """The source that the image is built from is mounted over it, as one does while developing."""
    if context is None:
        return None
    own = context.removeprefix("./").rstrip("/")
    for source in mounted:
        if source.removeprefix("./").rstrip("/") == own or source.rstrip("/") == ".":
            return Evidence(place.location, f"it mounts its own source ({source}), as in development")
    return None
