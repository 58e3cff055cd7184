"""MQ1: no message is lost: it is acknowledged after the work, retried, and dead-lettered when it can't be handled."""

from __future__ import annotations

from assay.scanner.model.service import Service
from assay.scanner.model.worker import Retrying, TaskRetry
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "MQ105",
    severity=Severity.MEDIUM,
    cwe=(703, 755),
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html#automatic-retry-for-known-exceptions",
        "https://python-rq.org/docs/exceptions/#retrying-failed-jobs",
        "https://huey.readthedocs.io/en/latest/guide.html#retrying-tasks-that-fail",
    ),
)
def io_task_without_retry_policy(task: TaskRetry, service: Service) -> Verdict:
    """A task that sends a mail or a request is tried once, for ever, or again at once.

    Why: other machines are away for a minute every week. A task that is tried once loses its work then; one that is
    tried again at once, or for ever, adds to the load of what is just coming back.
    Fix: retry the exceptions of the client that may pass, a few times, with delays that grow and vary.
    """
    shown = (*task.remote, *task.evidence)
    if not task.remote:
        return not_applicable("it sends no mail and no request, as far as can be told")
    if task.schedule is not None and task.retrying is Retrying.NONE:
        return not_applicable(f"it runs again by its schedule: {task.schedule}", *shown)
    match task.retrying:
        case Retrying.TOLD:
            return not_applicable("who asked for it is told of the failure", *shown)
        case Retrying.NONE:
            return fail(f"{task.task} loses its work when this fails once; retry it with growing delays", *shown)
        case Retrying.ENDLESS:
            return fail(f"{task.task} is tried again for ever; bound its retries", *shown)
        case Retrying.AT_ONCE:
            return fail(f"{task.task} is tried again without waiting; give its retries growing delays", *shown)
        case Retrying.KEPT:
            return review("does something pick up what is stored as failed, and try it again?", *shown)
        case Retrying.UNSENT if task.schedule is not None:
            return not_applicable(f"it runs again by its schedule: {task.schedule}", *shown)
        case Retrying.UNSENT:
            return review("does a schedule run this again soon? nothing here sends it, or retries it", *shown)
        case Retrying.UNKNOWN:
            return review(f"is {task.task} tried again, with delays, a bounded number of times?", *shown)
    return passed("what fails is tried again, with an end", *shown)
