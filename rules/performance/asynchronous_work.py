"""PERF2: heavy work leaves the request, and nothing blocks the event loop."""

from __future__ import annotations

from assay.scanner.model.place import Evidence
from assay.scanner.model.service import Service
from assay.scanner.model.waiting import AsyncFunction, BackgroundWork, Care, Delay, RequestWork, Wait
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


def _shown(delays: list[Delay]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(step for delay in delays for step in delay.steps))


@rule(
    "PERF201",
    severity=Severity.HIGH,
    cwe=(400, 1050),
    references=(
        "https://docs.python.org/3/library/asyncio-dev.html#running-blocking-code",
        "https://fastapi.tiangolo.com/async/",
        "https://docs.astral.sh/ruff/rules/blocking-http-call-in-async-function/",
    ),
)
def blocking_call_in_async(function: AsyncFunction, service: Service) -> Verdict:
    """An async function makes a call that blocks, itself or in a function without `await` that it calls.

    Why: the event loop runs one thing at a time. While one request waits in such a call, all others of the process
    wait too, health checks included.
    Fix: await an async client instead, run the call by `asyncio.to_thread` or `run_in_threadpool`, or make the handler
    a plain `def`, which FastAPI, Starlette and Django run in a thread.
    """
    own = [d for d in function.blocking if d.told_at is None]
    blocking = [d for d in own if d.wait is not Wait.FILES]
    if blocking:
        way = "" if blocking[0].is_direct else ", in what it calls"
        text = f"{function.label} blocks the event loop{way}: {blocking[0].said}; await it or hand it to a thread"
        return fail(text, *_shown(blocking))
    if own:
        return review("can these files be large? then hand the call to a thread", *_shown(own))
    if function.blocking:
        elsewhere = function.blocking[0]
        return not_applicable(f"what blocks here is told at {elsewhere.told_at}", *elsewhere.steps)
    return passed("nothing that it calls blocks, as far as can be told", *function.handed_over)


@rule(
    "PERF202",
    severity=Severity.HIGH,
    cwe=(400, 1050),
    references=(
        "https://docs.sqlalchemy.org/en/20/orm/extensions/asyncio.html",
        "https://docs.djangoproject.com/en/stable/topics/async/#asgiref.sync.sync_to_async",
        "https://fastapi.tiangolo.com/async/",
    ),
)
def sync_database_in_async(function: AsyncFunction, service: Service) -> Verdict:
    """An async function waits for the database without `await`.

    Why: the event loop runs one thing at a time. One slow query, or one that waits for a connection of the pool, stops
    every other request of the process.
    Fix: make the function a plain `def`, which runs in a thread, or query through an async engine, driver or ORM.
    """
    own = [d for d in function.queries if d.told_at is None]
    if own:
        way = "" if own[0].is_direct else ", in what it calls"
        text = f"{function.label} holds up the event loop{way}: {own[0].said}; make it `def`, or await the query"
        return fail(text, *_shown(own))
    if function.queries:
        elsewhere = function.queries[0]
        return not_applicable(f"what blocks here is told at {elsewhere.told_at}", *elsewhere.steps)
    if function.awaited_queries:
        return passed("it awaits the database", *function.awaited_queries)
    return not_applicable("it queries no database itself")


@rule(
    "PERF203",
    severity=Severity.MEDIUM,
    cwe=(400, 1050),
    references=(
        "https://docs.celeryq.dev/en/stable/userguide/tasks.html",
        "https://fastapi.tiangolo.com/tutorial/background-tasks/",
        "RFC 9110 §15.3.3",
    ),
)
def heavy_work_in_request(work: RequestWork, service: Service) -> Verdict:
    """A client waits while an endpoint sends mail, runs a program, works on documents, or sleeps.

    Why: each such request occupies a worker for seconds. A few of them at once, or a mail server that is slow today,
    stop all others; and a client that gives up and asks again starts the same work once more.
    Fix: enqueue the work once the data is committed, and answer 202 with something to ask by; sleep nowhere.
    """
    if work.aside is not None:
        return not_applicable(work.aside)
    own = [d for d in work.delays if d.told_at is None]
    if own and work.is_for_few:
        return review(f"may those few wait for this? {own[0].said}", *_shown(own))
    if own and all(d.wait in (Wait.IMAGES, Wait.ARCHIVES) for d in own):
        return review(f"can that be large, so that somebody else should do it? {own[0].said}", *_shown(own))
    if own and work.is_trial and own[0].wait is Wait.MAIL:
        return review("does somebody try out the mail server with it, and wait for the answer?", *_shown(own))
    if own:
        way = "" if own[0].is_direct else ", in what it calls"
        return fail(f"{work.label} makes its client wait{way}: {own[0].said}; hand it to a queue", *_shown(own))
    if work.delays:
        elsewhere = work.delays[0]
        return not_applicable(f"what takes long here is told at {elsewhere.told_at}", *elsewhere.steps)
    return passed("nothing in it takes long, as far as can be told", *work.handed_over)


@rule(
    "PERF205",
    severity=Severity.MEDIUM,
    cwe=(772, 390),
    references=(
        "https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task",
        "https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.Future.add_done_callback",
        "https://docs.astral.sh/ruff/rules/asyncio-dangling-task/",
    ),
)
def orphaned_background_work(work: BackgroundWork, service: Service) -> Verdict:
    """A task or thread is started, and nobody keeps hold of it or hears of its failure.

    Why: the event loop keeps only a weak reference, so a task can vanish half done; and what fails in it, or in a
    thread or executor, is never seen, nor ended in order when the process stops.
    Fix: keep it in a set with `add_done_callback(tasks.discard)` and a callback that logs what failed, use a
    `TaskGroup`, or await it; let a thread handle its own failures.
    """
    match work.care:
        case Care.NOBODY if work.is_task:
            return fail("keep a reference to this task, or it may vanish half done and fail unseen", *work.evidence)
        case Care.NOBODY:
            return fail("nobody hears when this fails; ask for its result, or handle its failures", *work.evidence)
        case Care.UNKNOWN:
            return review("does what runs here handle its own failures?", *work.evidence)
    return passed(f"somebody looks after it: it is {work.care.value}", *work.evidence)
