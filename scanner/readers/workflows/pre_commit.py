"""Hooks of pre-commit: pre-commit.com."""

from __future__ import annotations

from assay.scanner.readers.workflows.facts import Job, Step, System, Trigger, Workflow
from assay.scanner.readers.workflows.scripts import texts
from assay.scanner.readers.yaml_documents import Mapping


def workflow(top: Mapping) -> Workflow:
    """Each hook is a job; pre-commit.ci runs them on pull requests where the file speaks of it (`ci:`)."""
    jobs = [
        Job(
            hook.text("id") or "",
            hook.span,
            (
                Step(
                    hook.span,
                    hook.text("id") or "",
                    f"{repo.text('repo') or ''}",
                    hook.text("entry") or "",
                    hook.span.line,
                    inputs=tuple(("args", a) for a in texts(hook.get("args"))),
                ),
            ),
            condition="manual" if "manual" in texts(hook.get("stages")) else "",
        )
        for repo in top.mappings("repos")
        for hook in repo.mappings("hooks")
    ]
    triggers = (Trigger.PULL_REQUEST,) if top.mapping("ci") is not None else ()
    return Workflow(System.PRE_COMMIT, tuple(jobs), triggers)
