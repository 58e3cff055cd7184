"""What becomes of an exception in a consumer's work: what its outermost `except Exception` does with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.dataflow.handlers import Handlers
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.loggers import Loggers
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.delivery.consumed import Consumed, ConsumedFunctions
from assay.scanner.delivery.handling import (
    ACKNOWLEDGING,
    acknowledges,
    attempts,
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
from assay.scanner.model.log import Breadth
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
_TELLING = frozenset(
    """log logger logging report alert capture bugsnag sentry rollbar print warn warning debug info exception
    traceback""".split()
)
_QUIET = frozenset(
    {
        "close", "aclose", "release", "release_lock", "rollback", "remove", "unlink", "rmtree", "inc", "incr", "timing",
        "increment", "observe", "flush", "shutdown", "disconnect", "cleanup", "cancel", "stop", "sleep", "gauge",
        "expunge_all", "close_old_connections", "info", "debug", "log", "collect", "unlock", "deactivate", "delete",
    }
)  # fmt: skip
"""What may follow the work, or its failure, without being a part of it."""
_KEEPING = frozenset({EffectKind.WRITE, EffectKind.MAIL, EffectKind.QUEUE, EffectKind.REQUEST})
_DEEPEST = 3
_RESULTS = frozenset({"job", "task", "async_result", "task_result", "result"})
_READING = ("AsyncResult", "latest_result", "return_value", "get_result", "result_info", "result_block")


def consumer_failures(gathered: Gathered, consumed: ConsumedFunctions) -> Iterator[ConsumerFailure]:
    """One of each function that works on messages."""
    if consumed.all:
        yield from _Reader(gathered, consumed).all()


@dataclass(frozen=True, slots=True, eq=False)
class _Caught:
    """A handler that catches everything; `after` is what runs when it ends normally."""

    tried: form.Try
    handler: form.Handler
    after: list[form.Stmt]
    around: tuple[form.With, ...]


class _Reader:
    def __init__(self, gathered: Gathered, consumed: ConsumedFunctions) -> None:
        self._project = gathered.project
        self._bodies: Bodies = gathered.bodies
        self._consumed = consumed
        self._loggers = Loggers(gathered.project)
        self._handlers = Handlers(gathered.project, self._loggers)
        self._ordinals = Ordinals()

    def all(self) -> Iterator[ConsumerFailure]:
        """In order of the consumers."""
        for each in self._consumed.all:
            at, caught = next(((at, c) for at in self._around(each) if (c := self._caught(at)) is not None), (each, None))
            outcome, evidence = self._outcome(at, caught) if caught is not None else (FailedWork.ESCAPES, None)
            location = _headline(caught.handler, at.module) if caught is not None else each.function.location
            shown = (evidence,) if evidence is not None else ()
            if caught is not None:
                shown = (Evidence(location, "everything is caught here"), *shown)
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

    def _around(self, each: Consumed) -> Iterator[Consumed]:
        """Where its work may be caught: in it, in decorators around it, in the one function that it leaves all to."""
        yield each
        for decorator in each.function.decorators:
            made = decorator.func if isinstance(decorator, form.Call) else decorator
            value = self._project.infer(made, each.function.outer)
            for wrapper in value.nested if isinstance(value, FunctionSymbol) else ():
                yield replace(each, function=wrapper, loop=None)
        done = [s for s in each.body if any(self._callee(n, each) for n in form.walk(s, into_definitions=False))]
        if len(done) == 1 and isinstance(done[0], form.ExprStmt | form.Return) and done[0].value is not None:
            callee = self._callee(_awaited(done[0].value), each)
            if callee is not None and callee is not each.function:
                yield replace(each, function=callee, loop=None)

    def _callee(self, node: form.Expr | form.Stmt, each: Consumed) -> FunctionSymbol | None:
        """The project's function that does a part of the work."""
        scope = each.function.scope
        if not isinstance(node, form.Call) or is_named(node, _QUIET) or acknowledges(node, scope, self._project):
            return None
        return self._project.callee_function(node, scope)

    def _caught(self, each: Consumed) -> _Caught | None:
        """The handler around the work: none where some of it is done before, or goes on after."""
        for tried, before, after, around in attempts(each.body, [], [], ()):
            if any(self._works(statement, each.function) for statement in before):
                return None
            for handler in tried.handlers:
                types = self._handlers.types(handler, each.function.scope)
                if self._handlers.breadth(types) is not Breadth.NARROW and self._is_all(tried, handler, after, each):
                    return _Caught(tried, handler, after, around)
        return None

    def _is_all(self, tried: form.Try, handler: form.Handler, after: list[form.Stmt], each: Consumed) -> bool:
        """Whether the failure of what is tried ends the work, and something may fail."""
        if not any(isinstance(n, form.Call) for n in form.walk_body(tried.body, into_definitions=False)):
            return False
        return leaves(handler.body) or not any(self._works(s, each.function) for s in after)

    def _works(self, statement: form.Stmt, function: FunctionSymbol) -> bool:
        """Whether it does a part of the work: a call for its effect, a write."""
        changes = {id(change.node) for change in self._bodies.of(function).changes}
        for node in form.walk(statement, into_definitions=False):
            if id(node) in changes and not is_named(node, _QUIET | ACKNOWLEDGING):
                return True
            if isinstance(node, form.ExprStmt):
                call = _awaited(node.value)
                if isinstance(call, form.Call) and not self._is_beside_the_point(call, function):
                    return True
        return False

    def _is_beside_the_point(self, call: form.Call, function: FunctionSymbol) -> bool:
        name = last_name(call.func) or ""
        if name in _QUIET or name in ACKNOWLEDGING or not _TELLING.isdisjoint(words(name)):
            return True
        if self._loggers.log_call(call, function.scope) is not None:
            return True
        if acknowledges(call, function.scope, self._project):
            return True
        # What isn't the project's own, and changes nothing: `timezone.activate(...)`, `span.set_attribute(...)`.
        return self._project.callee_function(call, function.scope) is None

    # --- what the handler does ---

    def _outcome(self, each: Consumed, caught: _Caught) -> tuple[FailedWork, Evidence | None]:
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
        return _TELLING.isdisjoint(words(name.replace(".", "_")))

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
        is_named_so = not _TROUBLE.isdisjoint(said) and _TELLING.isdisjoint(said)
        if callee is None:
            return is_named_so
        if is_named_so and any(is_named(inner, _SAVING) for inner in callee.nodes):
            return True
        return self._keeps(callee, 1 if not _TELLING.isdisjoint(said) else _DEEPEST)

    def _keeps(self, function: FunctionSymbol, depth: int) -> bool:
        """Whether it, or what it calls, writes or sends something."""
        body = self._bodies.of(function)
        if any(change.kind in _KEEPING for change in body.changes):
            return True
        if any(method.name in _SAVING for method in body.inherited):
            return True
        return depth > 1 and any(self._keeps(edge.callee, depth - 1) for edge in body.edges)

    def _not_acknowledged(self, each: Consumed, caught: _Caught) -> Evidence | None:
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


def _awaited(node: form.Expr) -> form.Expr:
    return node.value if isinstance(node, form.Await) else node


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
