"""Why a function may run again for the same message: retries, and brokers that wait for an acknowledgement."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.delivery.acknowledging import broker_acknowledgements
from assay.scanner.delivery.consumed import Consumed, ConsumedFunctions
from assay.scanner.delivery.outside import Outside
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.delivery import Moment
from assay.scanner.model.place import Evidence
from assay.scanner.model.work import Task
from assay.scanner.readers.python import form

_NONE = ("0", "None", "False")
_RAISED = frozenset({"Retry", "RetryTaskError"})


@dataclass(frozen=True, slots=True, eq=False)
class Repeat:
    """`caught` are the names of the exceptions after which it runs again: None for all, empty where that can't be told.

    `by_hand` says that the function itself asks for another run.
    """

    evidence: Evidence
    caught: frozenset[str] | None = None
    by_hand: bool = False


def repeated(gathered: Gathered) -> Iterator[tuple[Consumed, tuple[Repeat, ...]]]:
    """Each task and consumer, with all that makes it run again."""
    consumed = ConsumedFunctions(gathered)
    late: dict[str, Evidence] = {}
    for found in broker_acknowledgements(gathered, consumed, Outside(gathered)):
        if found.moment is Moment.AFTER and found.evidence:
            late[found.function] = found.evidence[0]
    for each in consumed.all:
        if isinstance(each.source, Task):
            yield each, tuple(_of_task(each.source, each.function, gathered.project))
        else:
            kept = late.get(each.function.id)
            yield each, (Repeat(kept),) if kept is not None else ()


def _of_task(task: Task, function: FunctionSymbol, project: Project) -> Iterator[Repeat]:
    stated = None
    match task.framework:
        case "Celery":
            stated = task.option("autoretry_for")
            limit = task.option("max_retries")
            if limit is not None and limit.value in ("0",):
                return
            if stated is not None:
                yield Repeat(stated.evidence, _caught(function, project))
                stated = None
        case "RQ":
            stated = task.option("retry")
        case "Huey":
            stated = task.option("retries")
        case "Dramatiq":
            stated = task.option("max_retries")
            if stated is None:
                yield Repeat(Evidence(task.location, "Dramatiq runs what fails again, 20 times unless it is told"))
    if stated is not None and stated.value not in _NONE:
        yield Repeat(stated.evidence)
    asked = next(retries(function), None)
    if asked is not None and task.framework in ("Celery", "arq"):
        yield Repeat(function.module.evidence(asked, "it asks to be run again here"), by_hand=True)


def retries(function: FunctionSymbol) -> Iterator[form.Node]:
    """`self.retry(exc=error)`, `raise Retry(defer=60)`."""
    for node in function.nodes:
        match node:
            case form.Call(func=form.Attr(attr="retry")):
                yield node
            case form.Raise(exc=form.Call(func=func)) if last_name(func) in _RAISED:
                yield node


def _caught(function: FunctionSymbol, project: Project) -> frozenset[str]:
    """The names in `autoretry_for=(ConnectionError, requests.RequestException)`."""
    for decorator in function.decorators:
        given = decorator.keyword("autoretry_for") if isinstance(decorator, form.Call) else None
        if given is not None:
            items = given.items if isinstance(given, form.Display) else [given]
            names = (project.qualified_name(item, function.outer) or last_name(item) or "" for item in items)
            return frozenset(name for name in names if name)
    return frozenset()
