"""MQ3: work is batched within limits, and urgent work doesn't wait for bulk work."""

from __future__ import annotations

from assay.scanner.model.role import Role
from assay.scanner.model.service import Service
from assay.scanner.model.worker import TimeLimit
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review

_OWN = ("time_limit", "soft_time_limit")


@rule(
    "MQ301",
    severity=Severity.HIGH,
    cwe=(400, 770),
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/workers.html#time-limits",
        "https://python-rq.org/docs/jobs/#timeouts",
        "https://dramatiq.io/guide.html#message-time-limits",
    ),
)
def task_without_time_limit(limit: TimeLimit, service: Service) -> Verdict:
    """A task may run for ever: nothing ends one that hangs.

    Why: a task that waits for an answer that never comes holds its slot until somebody restarts the worker. A few of
    them, and no task runs at all.
    Fix: set a soft and a hard limit for all tasks, and raise them only for those tasks that are known to take longer.
    """
    if limit.framework == "Celery" and limit.task is None:
        tasks = [t for t in service.tasks if t.framework == "Celery" and t.role is Role.PROD]
        own = [stated for t in tasks if (stated := t.option(*_OWN)) is not None and stated.value not in ("None", "0")]
        if not tasks:
            return not_applicable("no task of this service runs with it", *limit.bound.evidence)
        if len(own) == len(tasks):
            return passed("each task sets a limit of its own", *(stated.evidence for stated in own[:3]))
    if limit.bound.is_safe is None:
        return review(f"does anything end a task of {limit.framework} that hangs?", *limit.bound.evidence)
    if not limit.bound.is_safe:
        what = f"the task {limit.task}" if limit.task is not None else f"a task of {limit.framework}"
        return fail(f"nothing ends {what} when it hangs; set a time limit", *limit.bound.evidence)
    if limit.doubt is not None:
        text = "this pool can't interrupt a task that waits; has each call in the tasks a timeout?"
        return review(text, limit.doubt, *limit.bound.evidence)
    return passed("what runs too long is ended", *limit.bound.evidence)
