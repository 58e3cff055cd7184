"""Changes of rows that two requests may compute from the same value."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import Binding, FunctionSymbol, How
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.row_change import Guard, RowChange
from assay.scanner.queries.offline import Offline
from assay.scanner.queries.regions import statements_around
from assay.scanner.readers.python import form
from assay.scanner.transactions.debits import Debits
from assay.scanner.transactions.documents import document_updates
from assay.scanner.transactions.guards import Guarded, Guards
from assay.scanner.transactions.increments import Increment, Increments
from assay.scanner.transactions.rows import MappedRows
from assay.scanner.transactions.statements import statements

_ACCEPTING = ("race", "racy", "concurren", "lost update", "simultaneous", "at the same time")
"""Words of comments by which somebody knows."""
_RETRIES = frozenset({"retry", "retries"})
_TRIES = frozenset({"attempt", "attempts", "tries", "failures"})
"""Of a job too, where nothing but a job counts them."""
_PLACES = frozenset({"position", "order", "ordering", "priority", "sort"})
_DEEPEST = 3
_VERSIONS = frozenset({"version", "version_id", "lock_version", "row_version", "revision"})


def row_changes(gathered: Gathered) -> Iterator[RowChange]:
    """Each change that depends on the value before."""
    project = gathered.project
    rows = MappedRows(project, gathered.tables)
    offline = Offline(project)
    finder = _Finder(gathered, Guards(project, rows, offline), rows, offline)
    found = [*Increments(project, rows).all(), *statements(gathered.executions, project), *document_updates(project)]
    for increment in sorted(found, key=lambda i: (i.scope.module.path, i.node.start)):
        if increment.column not in _VERSIONS:
            yield finder.of(increment)


class _Finder:
    def __init__(self, gathered: Gathered, guards: Guards, rows: MappedRows, offline: Offline) -> None:
        self._project = gathered.project
        self._guards = guards
        self._rows = rows
        self._debits = Debits(guards, rows)
        self._offline = offline
        self._ordinals = Ordinals()
        self._jobs = frozenset(task.handler for task in gathered.tasks)

    def of(self, increment: Increment) -> RowChange:
        module = increment.scope.module
        guarded = self._guarded(increment)
        name = around(increment.scope)
        key = f"{increment.table.model}.{increment.column}"
        is_open = guarded.guard in (Guard.NONE, Guard.PROCESS)
        read = (module.evidence(increment.read, "the value is read here"),) if is_open and increment.read else ()
        return RowChange(
            function=name,
            ordinal=self._ordinals.next(name, key),
            model=increment.table.model,
            column=increment.column,
            location=module.location(increment.node),
            role=module.role,
            guard=guarded.guard,
            evidence=(*read, *guarded.steps),
            checked=self._debits.checked(increment),
            is_of_worker=self._is_of_worker(increment),
            is_of_order=not _PLACES.isdisjoint(words(increment.column)[-1:]) or _closes_gap(increment),
            accepted=_accepted(increment) if is_open else None,
            offline=self._offline.reason(increment.scope, is_asked_of_callers=True),
        )

    def _is_of_worker(self, increment: Increment) -> bool:
        said = words(increment.column)
        if _TRIES.isdisjoint(said) or not _RETRIES.isdisjoint(said):
            return not _RETRIES.isdisjoint(said)
        function = increment.scope.enclosing_function
        return function is not None and self._is_job(function)

    def _is_job(self, function: FunctionSymbol, depth: int = _DEEPEST) -> bool:
        """Whether nothing but tasks of workers and commands gets to the function."""
        if function.id in self._jobs:
            return True
        callers = [s for _, s in self._project.callers(function) if s.module.role is Role.PROD] if depth else []
        return bool(callers) and all(
            self._offline.reason(scope, is_asked_of_callers=False) is not None
            or (scope.enclosing_function is not None and self._is_job(scope.enclosing_function, depth - 1))
            for scope in callers
        )

    def _guarded(self, increment: Increment) -> Guarded:
        """The strongest guard, asked for in the order of what each costs."""
        if increment.row is None:
            step = increment.scope.module.evidence(increment.node, "the database computes the new value")
            return Guarded(Guard.DATABASE, (step,))
        if increment.compared is not None:
            step = increment.scope.module.evidence(increment.compared, "nothing is changed unless the row is as read")
            return Guarded(Guard.VERSION, (step,))
        found = self._locked(increment)
        if found.guard is not Guard.NONE:
            return found
        versioned = self._versioned(increment)
        if versioned is not None:
            return Guarded(Guard.VERSION, (versioned,))
        isolation = self._guards.isolation(increment.scope.enclosing_function)
        return Guarded(Guard.ISOLATION, (isolation,)) if isolation is not None else found

    def _locked(self, increment: Increment) -> Guarded:
        function = increment.scope.enclosing_function
        if function is None:
            return Guarded(Guard.NONE)
        owner = increment.owner
        if isinstance(owner, form.Name):
            for binding in increment.scope.lookup(owner.id, owner.start):
                if binding.how is How.PARAMETER:
                    given = self._guards.of_parameter(_dependency(binding), function.outer)
                    if given is not None:
                        return given
        return self._guards.around(function, increment.node.start)

    def _versioned(self, increment: Increment) -> Evidence | None:
        cls = self._rows.class_of(increment.table)
        return self._guards.versioned(cls) if cls is not None else None


def _dependency(binding: Binding) -> form.Expr | None:
    """`Depends(...)` of a parameter: its default, or in its annotation."""
    if isinstance(binding.value, form.Call):
        return binding.value
    if binding.annotation is None:
        return None
    return next((n for n in form.walk(binding.annotation) if isinstance(n, form.Call)), None)


def _closes_gap(increment: Increment) -> bool:
    """Whether rows behind another one move up or down: `if row.key > removed.key: row.key -= 1` in a loop."""
    function = increment.scope.enclosing_function
    way = statements_around(function.node.body, increment.node.start) if function is not None else ()
    around = [block[index] for block, index in way]
    return any(isinstance(s, form.For) and _is_behind(s.iter, increment.column) for s in around) or (
        any(isinstance(s, form.For) for s in around)
        and any(isinstance(s, form.If) and _is_behind(s.test, increment.column) for s in around)
    )


def _is_behind(node: form.Expr, column: str) -> bool:
    """`row.key > removed.key`, `filter(key__gt=removed.key)`."""
    for part in form.walk(node):
        if isinstance(part, form.Compare) and part.ops[0] in ("<", "<=", ">", ">="):
            if all(isinstance(side, form.Attr) and side.attr == column for side in (part.left, part.rights[0])):
                return True
        elif isinstance(part, form.Call):
            given = (a.value for a in part.args if (a.name or "").startswith(f"{column}__"))
            if any(isinstance(value, form.Attr) and value.attr == column for value in given):
                return True
    return False


def _accepted(increment: Increment) -> Evidence | None:
    """A comment of the function that speaks of the race."""
    module, function = increment.scope.module, increment.scope.enclosing_function
    if function is None:
        return None
    for comment in module.facts.comments:
        text = comment.text.lower()
        if function.node.start <= comment.start < function.node.end and any(word in text for word in _ACCEPTING):
            return Evidence(module.span(comment.start, comment.start + len(comment.text)), "a comment speaks of it")
    return None
