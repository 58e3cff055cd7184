"""Whether a consumer works before it acknowledges, by the order of its statements."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.loggers import Loggers
from assay.scanner.delivery.consumed import Consumed
from assay.scanner.delivery.handling import ACKNOWLEDGING
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.delivery import Moment
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_READING = frozenset(
    """parse parsed decode decoded loads load deserialize validate unpack decompress read get from make build to
    current""".split()
)
"""First words of functions that only learn what a message says."""
_DATABASES = frozenset({"session", "db", "database", "conn", "connection", "transaction", "tx", "cursor"})
_BESIDE = frozenset({"sleep", "print", "append", "inc", "observe", "timing", "incr", "add", "set_attribute"})


class Order:
    """Answers for one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._loggers = Loggers(project)

    def of(self, each: Consumed, is_inner: bool = False) -> tuple[Moment, tuple[Evidence, ...]]:
        """Whether the work comes before what acknowledges it, here or in the first function that is called for both."""
        works: form.Expr | form.Stmt | None = None
        acknowledged: form.Expr | form.Stmt | None = None
        for node in _in_order(each.body):
            if isinstance(node, form.With) and any(_is_processing(item.value) for item in node.items):
                return Moment.AFTER, (
                    each.module.evidence(node.items[0].value, "it is acknowledged at the end of this"),
                )
            acknowledges = self._acknowledges(node, each)
            if acknowledges and works is None:
                acknowledged = acknowledged or node
            elif acknowledges and acknowledged is None:
                return Moment.AFTER, (each.module.evidence(node, "it is acknowledged here, after the work"),)
            elif not acknowledges and works is None and self._is_work(node, each):
                works = node
        if acknowledged is not None and works is not None:
            first = each.module.evidence(acknowledged, "it is acknowledged here")
            return Moment.BEFORE, (first, each.module.evidence(works, "before this is done"))
        if works is not None and any(_is_acknowledging(node, each) for node in each.function.nodes):
            return Moment.AFTER, (each.module.evidence(works, "what this does is acknowledged later"),)
        callee = self._callee(works, each) if works is not None and not is_inner else None
        if callee is not None and any(_is_acknowledging(node, each) for node in callee.nodes):
            return self.of(replace(each, function=callee, loop=None), is_inner=True)
        return Moment.UNKNOWN, ()

    def _callee(self, node: form.Expr | form.Stmt, each: Consumed) -> FunctionSymbol | None:
        value = node.value if isinstance(node, form.ExprStmt) else node
        call = value.value if isinstance(value, form.Await) else value
        return self._project.callee_function(call, each.function.scope) if isinstance(call, form.Call) else None

    def _acknowledges(self, node: form.Expr | form.Stmt, each: Consumed) -> bool:
        """Whether it acknowledges, or calls a function of the project that does this alone."""
        if _is_acknowledging(node, each):
            return True
        callee = self._callee(node, each)
        if callee is None or not any(_is_acknowledging(inner, each) for inner in callee.nodes):
            return False
        inside = replace(each, function=callee, loop=None)
        return not any(self._is_work(inner, inside) for inner in callee.nodes)

    def _is_work(self, node: form.Expr | form.Stmt, each: Consumed) -> bool:
        scope = each.function.scope
        if isinstance(node, form.ExprStmt):
            call = node.value.value if isinstance(node.value, form.Await) else node.value
            if not isinstance(call, form.Call) or not call.args or self._loggers.log_call(call, scope) is not None:
                return False
            name = last_name(call.func) or ""
            return name not in ACKNOWLEDGING and name not in _BESIDE and not _only_reads(name)
        if isinstance(node, form.Call):
            callee = self._project.callee_function(node, scope)
            return callee is not None and not _only_reads(callee.name)
        return False


def _only_reads(name: str) -> bool:
    said = words(name)
    return bool(said) and said[0] in _READING


def _is_acknowledging(node: form.Expr | form.Stmt, each: Consumed) -> bool:
    """A `commit()` is one of Kafka's alone, and there not that of a database, `message.delete()` is SQS's."""
    if each.framework == "SQS" and isinstance(node, form.Call) and last_name(node.func) == "delete":
        return not node.args
    if not isinstance(node, form.Call) or last_name(node.func) not in ACKNOWLEDGING:
        return False
    owner = node.func.value if isinstance(node.func, form.Attr) else None
    said = words(last_name(owner) or "") if owner is not None else ()
    return last_name(node.func) != "commit" or (each.framework == "Kafka" and _DATABASES.isdisjoint(said))


def _is_processing(node: form.Expr) -> bool:
    return isinstance(node, form.Call) and last_name(node.func) == "process"


def _in_order(body: list[form.Stmt]) -> Iterator[form.Expr | form.Stmt]:
    """What runs where all goes well, in order: no handler, and no branch that leaves early."""
    for statement in body:
        yield statement
        match statement:
            case form.Function() | form.Class():
                continue
            case form.Try():
                yield from _in_order([*statement.body, *statement.orelse, *statement.final])
            case form.With():
                yield from _in_order(statement.body)
            case form.If():
                for branch in (statement.body, statement.orelse):
                    if branch and not isinstance(branch[-1], form.Return | form.Raise | form.Jump):
                        yield from _in_order(branch)
            case form.For() | form.While():
                yield from _in_order(statement.body)
            case _:
                yield from (n for n in form.walk(statement, into_definitions=False) if n is not statement)
