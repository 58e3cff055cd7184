"""When libraries of tasks acknowledge: by what they do of themselves, what an application states, what a task does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.delivery.consumed import Consumed, ConsumedFunctions
from assay.scanner.delivery.outside import Outside
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.model.delivery import Acknowledgement, Moment
from assay.scanner.model.place import Evidence
from assay.scanner.model.work import Task
from assay.scanner.readers.python import form
from assay.scanner.workers.celery_options import ACKS_LATE, ON_LOSS, Application, CeleryOptions

_AFTER = {
    "RQ": "RQ keeps a job in a registry until its worker has ended it",
    "Dramatiq": "Dramatiq acknowledges a message after its actor has run",
    "arq": "arq removes a job after its coroutine has run",
}
"""What libraries do that acknowledge after the work, whatever they are told (rq 3.0, dramatiq 1.17, arq 0.28)."""
_KILLED = "a worker that is killed still acknowledges; set task_reject_on_worker_lost"
_IDS = frozenset({"id", "ids", "pk", "pks", "uuid", "key"})
_MEANT = ("autoretry_for", "max_retries", "retry_backoff")
_SENDERS = ("delay", "apply_async", "s", "si", "signature", "delay_on_commit", "apply_async_on_commit", "retry")


def task_acknowledgements(
    gathered: Gathered, consumed: ConsumedFunctions, celery: CeleryOptions, outside: Outside
) -> Iterator[Acknowledgement]:
    """Of worker apps, then of tasks that state their own."""
    if celery.applications or consumed.tasks:
        yield from _Reader(gathered, consumed, celery, outside).all()


class _Reader:
    def __init__(
        self, gathered: Gathered, consumed: ConsumedFunctions, celery: CeleryOptions, outside: Outside
    ) -> None:
        self._gathered = gathered
        self._celery = celery
        self._tasks = consumed.tasks
        self._ordinals = Ordinals()
        self._outside = outside

    def all(self) -> Iterator[Acknowledgement]:
        """Applications first."""
        for application in self._celery.applications:
            if application.only_sends:
                continue
            yield self._of_celery(application)
        yield from self._of_others()
        for each in self._tasks:
            stated = each.source.option("acks_late") if isinstance(each.source, Task) else None
            if stated is not None and each.framework == "Celery":
                yield self._of_task(each, stated.value, stated.evidence)

    def _of_celery(self, application: Application) -> Acknowledgement:
        stated = self._celery.stated(application, *ACKS_LATE)
        meant = [m for value in stated for m in self._celery.meanings(value)]
        late = [m.evidence for m in meant if m.value not in (None, False, 0)]
        on_loss = [m for value in self._celery.stated(application, ON_LOSS) for m in self._celery.meanings(value)]
        counted_on = [m.evidence for m in on_loss if m.value is True]
        elsewhere = self._celery.elsewhere(application)
        if late:
            return self._of_application(
                application, Moment.AFTER, tuple(late[:1]), note=None if counted_on else _KILLED
            )
        if counted_on:
            return self._of_application(application, Moment.INERT, tuple(counted_on[:1]))
        tasks = [t for t in self._tasks if t.framework == "Celery" and self._is_of(t, application)]
        moment, lost = self._moment(tasks)
        shown = tuple(m.evidence for m in meant[:1]) or (application.place,)
        if elsewhere is not None and moment is Moment.BEFORE:
            return self._of_application(application, Moment.UNKNOWN, (elsewhere,), lost)
        return self._of_application(application, moment, shown, lost)

    def _of_application(
        self,
        application: Application,
        moment: Moment,
        evidence: tuple[Evidence, ...],
        lost: tuple[Evidence, ...] = (),
        note: str | None = None,
    ) -> Acknowledgement:
        scope = application.scope
        ordinal = self._ordinals.next(around(scope), "Celery")
        location = scope.module.location(application.call)
        return Acknowledgement(
            "Celery", around(scope), ordinal, location, scope.module.role, moment, evidence, lost=lost, note=note
        )

    def _is_of(self, each: Consumed, application: Application) -> bool:
        return self._gathered.owners.of(each.module.path) is application.service

    def _moment(self, tasks: Sequence[Consumed]) -> tuple[Moment, tuple[Evidence, ...]]:
        """What is lost with a worker: the task that shows most."""
        kept: tuple[Evidence, ...] = ()
        for each in tasks:
            if each.schedule is not None or not isinstance(each.source, Task) or each.source.option("acks_late"):
                continue
            if kept and not self._is_meant(each):
                continue
            lost = self._outside.of(each.function)
            if lost and self._is_meant(each):
                return Moment.BEFORE, lost
            kept = kept or lost
        return (Moment.KEPT, kept) if kept else (Moment.HARMLESS, ())

    def _is_meant(self, each: Consumed) -> bool:
        """Whether the task is to arrive (it is tried again when it fails), and nothing but its message says what to do:
        an id names a row that tells it as well.
        """
        if not isinstance(each.source, Task):
            return False
        names = [p.name for p in each.function.parameters]
        if not names or any(not _IDS.isdisjoint(words(name)) for name in names):
            return False
        calls = (n for n in each.function.nodes if isinstance(n, form.Call))
        by_hand = any(isinstance(c.func, form.Attr) and c.func.attr == "retry" for c in calls)
        stated = each.source.option(*_MEANT)
        is_tried_again = by_hand or (stated is not None and each.source.option("autoretry_for") is not None)
        return is_tried_again and self._is_sent(each)

    def _is_sent(self, each: Consumed) -> bool:
        """Whether something other than a schedule sends it."""
        for call, scope in self._gathered.project.calls_named(*_SENDERS):
            if isinstance(call.func, form.Attr) and last_name(call.func.value) == each.function.name:
                return scope.function is not each.function
        return False

    def _of_others(self) -> Iterator[Acknowledgement]:
        """Libraries that acknowledge as they do, once for each service that uses them."""
        seen: set[tuple[str, str]] = set()
        for each in self._tasks:
            service = self._gathered.owners.of(each.module.path)
            key = (each.framework, service.root if service is not None else "")
            if each.framework not in _AFTER or key in seen:
                continue
            seen.add(key)
            location = each.source.location
            evidence = Evidence(location, _AFTER[each.framework])
            yield Acknowledgement(
                each.framework, "by default", 1, location, each.module.role, Moment.AFTER, (evidence,)
            )

    def _of_task(self, each: Consumed, value: str | None, evidence: Evidence) -> Acknowledgement:
        moment = Moment.AFTER if value == "True" else Moment.UNKNOWN
        lost: tuple[Evidence, ...] = ()
        if value == "False":
            lost = self._outside.of(each.function)
            moment = Moment.KEPT if lost else Moment.HARMLESS
        ordinal = self._ordinals.next(each.name, each.framework)
        return Acknowledgement(
            each.framework,
            each.function.id,
            ordinal,
            each.source.location,
            each.module.role,
            moment,
            (evidence,),
            each.name,
            lost,
        )
