"""GitLab CI: docs.gitlab.com/ci/yaml."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.readers.span import Span
from assay.scanner.readers.workflows.facts import Job, System, Trigger, Workflow
from assay.scanner.readers.workflows.scripts import is_true, scripts, texts
from assay.scanner.readers.yaml_documents import Mapping, Node, Scalar, Sequence

_WORDS = frozenset(
    {"stages", "variables", "include", "default", "workflow", "image", "services", "cache", "before_script"}
    | {"after_script", "spec", "pages:deploy"}
)


def workflow(top: Mapping, lines: list[str]) -> Workflow:
    """The jobs of a file, with what they extend."""
    templates = {e.key.text: e.value for e in top.entries if isinstance(e.value, Mapping)}
    default = top.mapping("default")
    before = [node for node in (top.get("before_script"), default and default.get("before_script")) if node]
    jobs = []
    for entry in top.entries:
        name = entry.key.text
        if name in _WORDS or name.startswith(".") or not isinstance(entry.value, Mapping):
            continue
        parts = [entry.value, *_extended(entry.value, templates)]
        written = [node for key in ("before_script", "script", "after_script") if (node := _first(parts, key))]
        steps = [s for node in (*before, *written) for s in scripts(node, lines)]
        image = _first(parts, "image")
        tolerated = _first(parts, "allow_failure")
        jobs.append(
            Job(
                name,
                entry.key.span,
                tuple(steps),
                image=image.text if isinstance(image, Scalar) else "",
                tolerated=is_true(tolerated) or isinstance(tolerated, Mapping),
                triggers=tuple(_triggers(parts)),
            )
        )
    includes = tuple(_includes(top.get("include")))
    return Workflow(System.GITLAB, tuple(jobs), (Trigger.PULL_REQUEST, Trigger.PUSH), includes)


def _triggers(parts: list[Mapping]) -> Iterator[Trigger]:
    """What `rules`, `only` and `when` leave of a job's; empty where it always runs."""
    when = _first(parts, "when")
    if isinstance(when, Scalar) and when.text in ("manual", "never"):
        yield Trigger.MANUAL if when.text == "manual" else Trigger.OTHER
        return
    only = _first(parts, "only")
    words = texts(only) or texts(only.get("refs") if isinstance(only, Mapping) else None)
    rules = _first(parts, "rules")
    if isinstance(rules, Sequence):
        for rule in rules.items:
            if isinstance(rule, Mapping) and (rule.text("when") or "") != "never":
                yield _of_rule(rule.text("if") or "", rule.text("when") or "")
        return
    for word in words:
        if word in ("schedules", "schedule"):
            yield Trigger.SCHEDULE
        elif word in ("merge_requests", "branches", "pushes"):
            yield Trigger.PULL_REQUEST
        else:
            yield Trigger.PUSH


def _of_rule(condition: str, when: str) -> Trigger:
    if when == "manual":
        return Trigger.MANUAL
    if "schedule" in condition and "!=" not in condition:
        return Trigger.SCHEDULE
    if "CI_COMMIT_TAG" in condition and "!" not in condition and "== null" not in condition:
        return Trigger.OTHER
    return Trigger.PULL_REQUEST if "merge_request" in condition or not condition else Trigger.PUSH


def _extended(job: Mapping, templates: dict[str, Mapping], depth: int = 0) -> list[Mapping]:
    """What a job of GitLab builds on (`extends`), nearest first."""
    names = texts(job.get("extends"))
    found = [templates[name] for name in reversed(names) if name in templates]
    return found + [more for each in found if depth < 5 for more in _extended(each, templates, depth + 1)]


def _includes(node: Node | None) -> Iterator[tuple[str, Span]]:
    """What a pipeline of GitLab takes in, as `Workflow.includes` says."""
    if isinstance(node, Scalar):
        yield node.text if "://" in node.text else f"./{node.text.lstrip('/')}", node.span
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _includes(item)
    elif isinstance(node, Mapping):
        for key in ("template", "local", "component", "remote", "project"):
            value = node.scalar(key)
            if value is not None:
                said = value.text
                yield {"local": f"./{said.lstrip('/')}", "project": f"project:{said}"}.get(key, said), value.span


def _first(parts: list[Mapping], key: str) -> Node | None:
    return next((node for part in parts if (node := part.get(key)) is not None), None)
