"""GitHub Actions, Gitea's and Forgejo's too: docs.github.com/actions/reference/workflows-and-actions."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.readers.workflows.facts import Job, Step, System, Trigger, Workflow
from assay.scanner.readers.workflows.scripts import first_line, is_true, texts
from assay.scanner.readers.yaml_documents import Mapping, Node, Scalar, Sequence

_EVENTS = {
    "pull_request": Trigger.PULL_REQUEST,
    "pull_request_target": Trigger.PULL_REQUEST,
    "merge_group": Trigger.PULL_REQUEST,
    "push": Trigger.PUSH,
    "schedule": Trigger.SCHEDULE,
    "workflow_dispatch": Trigger.MANUAL,
    "repository_dispatch": Trigger.MANUAL,
    "workflow_call": Trigger.CALL,
}
_OPTIONS = frozenset({"PYTEST_ADDOPTS", "TRIVY_EXIT_CODE"})
"""Variables that tools take options from."""


def workflow(top: Mapping, lines: list[str]) -> Workflow:
    """A workflow of jobs."""
    jobs = top.mapping("jobs")
    folder = _default_folder(top)
    options = _options(top)
    found = tuple(_job(e.key, e.value, lines, folder, options) for e in (jobs.entries if jobs is not None else ()))
    # YAML 1.1 reads the key `on` as true; the text is still there.
    return Workflow(System.GITHUB, tuple(j for j in found if j is not None), tuple(_triggers(top.get("on"))))


def action(top: Mapping, name: str, lines: list[str]) -> Workflow:
    """A composite action."""
    runs = top.mapping("runs")
    steps = tuple(_steps(runs, lines, "")) if runs is not None else ()
    return Workflow(System.ACTION, (Job(name, top.span, steps),))


def _job(key: Scalar, value: Node, lines: list[str], folder: str, options: tuple[tuple[str, str], ...]) -> Job | None:
    if not isinstance(value, Mapping):
        return None
    container = value.get("container")
    image = container.text if isinstance(container, Scalar) else ""
    needs = value.text("needs")
    return Job(
        key.text,
        key.span,
        tuple(_steps(value, lines, _default_folder(value) or folder, (*options, *_options(value)))),
        value.text("uses") or "",
        image,
        is_true(value.get("continue-on-error")),
        value.text("if") or "",
        needs=(needs,) if needs else tuple(n.text for n in value.items("needs") if isinstance(n, Scalar)),
    )


def _steps(job: Mapping, lines: list[str], folder: str, options: tuple[tuple[str, str], ...] = ()) -> Iterator[Step]:
    """The steps of a job or of a composite action."""
    steps = job.mappings("steps")
    # A step that may fail, and whose outcome a later one looks at, isn't passed over.
    is_asked = any(re.search(r"\.(outcome|conclusion)\b", step.text("if") or "") for step in steps)
    for step in steps:
        run = step.scalar("run")
        yield Step(
            step.span,
            step.text("name") or "",
            step.text("uses") or "",
            run.text if run is not None else "",
            first_line(run, lines) if run is not None else 0,
            (*step.pairs("with"), *options, *_options(step)),
            is_true(step.get("continue-on-error")) and not is_asked,
            step.text("if") or "",
            step.text("working-directory") or folder,
        )


def _options(node: Mapping) -> tuple[tuple[str, str], ...]:
    return tuple((name, value) for name, value in node.pairs("env") if name in _OPTIONS or name[:9] == "VALIDATE_")


def _triggers(node: Node | None) -> Iterator[Trigger]:
    names: list[str] = []
    if isinstance(node, Scalar):
        names = [node.text]
    elif isinstance(node, Sequence):
        names = texts(node)
    elif isinstance(node, Mapping):
        names = [entry.key.text for entry in node.entries]
    found = [_EVENTS.get(name, Trigger.OTHER) for name in names]
    if "push" in names and _is_any_push(node):
        # GitHub shows what a push to a branch started beside the branch's pull request.
        found.append(Trigger.PULL_REQUEST)
    yield from dict.fromkeys(found)


def _is_any_push(node: Node | None) -> bool:
    push = node.mapping("push") if isinstance(node, Mapping) else None
    if push is None:
        return True
    branches = texts(push.get("branches"))
    return any(branch in ("*", "**") for branch in branches) or not (branches or push.get("tags") is not None)


def _default_folder(node: Mapping) -> str:
    defaults = node.mapping("defaults")
    run = defaults.mapping("run") if defaults is not None else None
    return (run.text("working-directory") or "") if run is not None else ""
