"""What becomes of an exception in a consumer's work: what its outermost `except Exception` does with it."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.loggers import Loggers
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.delivery.caught import TELLING, Catching, Caught
from assay.scanner.delivery.consumed import Consumed, ConsumedFunctions
from assay.scanner.delivery.handling import (
    acknowledges,
    comment_in,
    gives_back,
    holds_trouble,
    is_entered,
    is_named,
    leaves,
    running,
    tells,
)
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Module
from assay.scanner.model.delivery import ConsumerFailure, FailedWork
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_SENDING = frozenset(
    {
        "send", "publish", "basic_publish", "produce", "send_and_wait", "send_message", "put_record", "xadd", "rpush",
        "lpush", "delay", "apply_async", "send_task", "enqueue", "enqueue_call", "enqueue_in", "enqueue_job", "kiq",
        "send_mail", "send_with_options", "mail_admins", "notify",
    }
)  # fmt: skip
_SAVING = frozenset(
    {"save", "asave", "update", "aupdate", "create", "acreate", "commit", "execute", "set", "hset", "update_one"}
)
_TROUBLE = frozenset(
    """status state error errors failed fail failure failures exception reason message errored crashed broken attempts
    attempt result""".split()
)
"""Words of what a failure is written into."""
_KEEPING = frozenset({EffectKind.WRITE, EffectKind.MAIL, EffectKind.QUEUE, EffectKind.REQUEST})
_DEEPEST = 3
_RESULTS = frozenset({"job", "task", "async_result", "task_result", "result"})
_READING = ("AsyncResult", "latest_result", "return_value", "get_result", "result_info", "result_block")


def consumer_failures(gathered: Gathered, consumed: ConsumedFunctions) -> Iterator[ConsumerFailure]:
    """One of each function that works on messages."""
    if consumed.all:
        yield from _Reader(gathered, consumed).all()


class _Reader:
    def __init__(self, gathered: Gathered, consumed: ConsumedFunctions) -> None:
        self._project = gathered.project
        self._bodies: Bodies = gathered.bodies
        self._consumed = consumed
        self._loggers = Loggers(gathered.project)
        self._catching = Catching(gathered.project, gathered.bodies, self._loggers)
        self._ordinals = Ordinals()

    def all(self) -> Iterator[ConsumerFailure]:
        """In order of the consumers."""
        for each in self._consumed.all:
            at, caught = self._catching.of(each) or (each, None)
            outcome, evidence = self._outcome(at, caught) if caught is not None else (FailedWork.ESCAPES, None)
            location = _headline(caught.handler, at.module) if caught is not None else each.function.location
            shown = (evidence,) if evidence is not None else ()
            if caught is not None:
                shown = (Evidence(location, "everything is caught here"), *shown)
            elif (suppressing := self._catching.suppressing(each)) is not None:
                outcome, location = FailedWork.SWALLOWED, each.module.location(suppressing)
                shown = (each.module.evidence(suppressing, "everything is caught here"),)
            ordinal = self._ordinals.next(each.name, each.framework)
            yield ConsumerFailure(
                each.framework,
                each.name,
                each.function.id,
                ordinal,
                location,
                each.module.role,
                outcome,
                shown or (Evidence(location, "no handler around its work catches everything"),),
                is_task=each.is_task,
                is_read=outcome is FailedWork.RETURNED and self._is_read,
                schedule=each.schedule,
            )

    @cached_property
    def _is_read(self) -> bool:
        """Whether something waits for results of tasks, or fetches them."""
        if any(True for _ in self._project.calls_named(*_READING)):
            return True
        modules = (m for m in self._project.modules.values() if m.role is Role.PROD)
        return any(
            isinstance(node, form.Attr) and node.attr == "result" and last_name(node.value) in _RESULTS
            for module in modules
            for function in module.functions
            for node in function.nodes
        )

    # --- what the handler does ---

    def _outcome(self, each: Consumed, caught: Caught) -> tuple[FailedWork, Evidence | None]:
        module, function = each.module, each.function
        nodes = list(running([*caught.handler.body, *caught.tried.final]))
        bound = caught.handler.name
        for node in nodes:
            if gives_back(node, function.scope, self._project):
                return FailedWork.GIVEN_BACK, module.evidence(node, "it is given back here")
        if not each.is_task and (kept := self._not_acknowledged(each, caught)) is not None:
            return FailedWork.UNACKNOWLEDGED, kept
        for node in nodes:
            if isinstance(node, form.Call) and last_name(node.func) in _SENDING and self._is_no_report(node):
                return FailedWork.SENT_ON, module.evidence(node, "this tells of the failure")
        after = list(running(caught.after)) if not leaves(caught.handler.body) else []
        stored = self._stored(nodes, [*nodes, *after], bound, function)
        if stored is not None:
            return FailedWork.STORED, module.evidence(stored, "the failure is stored here")
        for node in nodes:
            if isinstance(node, form.Return) and node.value is not None and tells(node.value, bound):
                return FailedWork.RETURNED, module.evidence(node, "what went wrong is returned")
        comment = comment_in(caught.handler, module)
        if comment is not None:
            return FailedWork.EXPLAINED, comment
        return FailedWork.SWALLOWED, None

    def _is_no_report(self, call: form.Call) -> bool:
        """Whether the call hands something on: not to an error tracker."""
        name = form.dotted(call.func) or last_name(call.func) or ""
        return TELLING.isdisjoint(words(name.replace(".", "_")))

    def _stored(
        self, nodes: list[form.Expr | form.Stmt], all_nodes: list[form.Expr | form.Stmt], bound: str | None,
        function: FunctionSymbol,
    ) -> form.Expr | form.Stmt | None:  # fmt: skip
        """Where the failure is written down for somebody: a state that is saved, a row, a function that does so."""
        saves = any(is_named(node, _SAVING) for node in all_nodes)
        for node in nodes:
            match node:
                case form.Assign(targets=targets, value=value) if value is not None:
                    stated = [t for t in targets if isinstance(t, form.Attr | form.Subscript)]
                    named = any(not _TROUBLE.isdisjoint(words(_target_name(t))) for t in stated)
                    if stated and (named or tells(value, bound)) and (saves or _is_row(stated[0])):
                        return node
                case form.Call(args=args):
                    name = last_name(node.func) or ""
                    told = any(tells(a.value, bound) or not _TROUBLE.isdisjoint(words(a.name or "")) for a in args)
                    if name in _SAVING and (told or any(holds_trouble(a.value) for a in args)):
                        return node
                    if self._writes(node, name, function):
                        return node
        return None

    def _writes(self, call: form.Call, name: str, function: FunctionSymbol) -> bool:
        """`mark_failed(job, error)`: a function of the project that writes, or something unknown that says so."""
        if self._loggers.log_call(call, function.scope) is not None:
            return False
        callee = self._project.callee_function(call, function.scope)
        said = set(words(name))
        is_named_so = not _TROUBLE.isdisjoint(said) and TELLING.isdisjoint(said)
        if callee is None:
            return is_named_so
        if is_named_so and any(is_named(inner, _SAVING) for inner in callee.nodes):
            return True
        return self._keeps(callee, 1 if not TELLING.isdisjoint(said) else _DEEPEST)

    def _keeps(self, function: FunctionSymbol, depth: int) -> bool:
        """Whether it, or what it calls, writes or sends something."""
        body = self._bodies.of(function)
        if any(change.kind in _KEEPING for change in body.changes):
            return True
        if any(method.name in _SAVING for method in body.inherited):
            return True
        return depth > 1 and any(self._keeps(edge.callee, depth - 1) for edge in body.edges)

    def _not_acknowledged(self, each: Consumed, caught: Caught) -> Evidence | None:
        """Why the broker delivers the message again: only what went well is acknowledged."""
        scope = each.function.scope
        acknowledged = [n for n in running(each.body) if acknowledges(n, scope, self._project)]
        if each.framework in ("Kafka", "Faust", "FastStream", "Propan"):
            return None  # the next message that goes well takes this one with it
        if any(is_entered(with_) for with_ in caught.around):
            return None
        inner = [n for n in running(caught.tried.body) if isinstance(n, form.With) and is_entered(n)]
        if inner:
            return each.module.evidence(inner[0].items[0].value, "what fails in it is rejected")
        then = [*caught.handler.body, *caught.tried.final]
        if not leaves(caught.handler.body):
            then += caught.after
        if any(acknowledges(n, scope, self._project) for n in running(then)):
            return None
        if acknowledged:
            return each.module.evidence(acknowledged[0], "only what went well is acknowledged")
        return None


def _headline(handler: form.Handler, module: Module) -> Location:
    end = handler.type.end if handler.type is not None else handler.start + len("except")
    return module.span(handler.start, end)


def _target_name(node: form.Expr) -> str:
    match node:
        case form.Attr(attr=name) | form.Subscript(index=form.Const(value=str() as name)):
            return name
    return ""


def _is_row(node: form.Expr) -> bool:
    """An attribute of something that the function doesn't make itself up: a row that a session watches."""
    owner = node.value if isinstance(node, form.Attr) else None
    return isinstance(owner, form.Name) and owner.id not in ("self", "cls", "task")
