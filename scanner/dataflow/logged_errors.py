"""Errors that are logged where an exception is caught, and whether anything keeps where it came from."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.dataflow.constants import constant
from assay.scanner.dataflow.handlers import Handlers, mentions, running, takes_traceback
from assay.scanner.dataflow.loggers import FoundLogCall, Loggers
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.responses.statuses import error_status, is_abort
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, How, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.log import LoggedError
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_ERRORS = frozenset({"error", "critical", "fatal", "exception"})
_PRINTED = frozenset({"print_exc", "print_exception", "print_last"})
_REPORTED = frozenset({"capture_exception", "report_exc_info", "notice_error", "record_exception", "report_exception"})
_WATCHED = frozenset({"migration", "script"})
_KEEPS = frozenset({"set_exception", "throw", "append", "put", "put_nowait", "Failure", "Err"})
"""What gives the exception itself to somebody who waits for it, or keeps it for later."""


@dataclass(frozen=True, slots=True)
class _Ending:
    """What becomes of the exception in one clause."""

    traceback: Evidence | None
    goes_on: Evidence | None
    refusal: Evidence | None


class LoggedErrors:
    """Of one project; what a clause does is remembered."""

    def __init__(self, project: Project, loggers: Loggers, handlers: Handlers) -> None:
        self._project = project
        self._loggers = loggers
        self._handlers = handlers
        self._endings: dict[form.Handler, _Ending] = {}

    def is_error(self, found: FoundLogCall) -> bool:
        """Whether the call's level is error or above."""
        if found.method != "log":
            return found.method in _ERRORS
        level = last_name(found.call.positional[0]) if found.call.positional else None
        return level is not None and level.lower() in _ERRORS

    def error(self, found: FoundLogCall, handler: form.Handler, function: str, ordinal: int) -> LoggedError:
        """The call, with what the clause around it does."""
        module = found.scope.module
        if handler not in self._endings:
            self._endings[handler] = self._ending(handler, found.scope)
        ending = self._endings[handler]
        types = self._handlers.types(handler, found.scope)
        return LoggedError(
            function=function,
            ordinal=ordinal,
            location=module.location(found.call),
            role=module.role,
            level=found.method,
            types=types,
            breadth=self._handlers.breadth(types),
            traceback=ending.traceback,
            goes_on=ending.goes_on,
            refusal=ending.refusal,
            tells=mentions(found.call, handler.name),
            watched=reason if (reason := offline_reason(found.scope)) in _WATCHED else None,
        )

    def _ending(self, handler: form.Handler, scope: Scope) -> _Ending:
        traceback = goes_on = refusal = None
        for node in running(handler.body):
            here = scope.module.evidence
            match node:
                case form.Call() if self._keeps_traceback(node, scope):
                    traceback = traceback or here(node, "the traceback is kept here")
                case form.Call() if is_abort(node, scope, self._project):
                    refusal = refusal or here(node, "the client gets an HTTP error")
                case form.Call() if self._hands_on(node, handler.name, scope):
                    goes_on = goes_on or here(node, "the exception is handed on")
                case form.Raise(exc=raised):
                    if raised is not None and error_status(raised, scope, self._project)[0]:
                        refusal = refusal or here(node, "the client gets an HTTP error")
                    else:
                        goes_on = goes_on or here(node, "the exception goes on")
                case form.Return(value=form.Name(id=name)) | form.Yield(value=form.Name(id=name)):
                    if name == handler.name:
                        goes_on = goes_on or here(node, "the exception is handed on")
                case form.Assign(targets=targets, value=form.Name(id=name)) if name == handler.name:
                    if not _raised(scope).isdisjoint(last_name(target) or "" for target in targets):
                        goes_on = goes_on or here(node, "the exception is raised later")
        return _Ending(traceback, goes_on, refusal)

    def _keeps_traceback(self, call: form.Call, scope: Scope) -> bool:
        name = last_name(call.func)
        if name in _PRINTED or name in _REPORTED or takes_traceback(call):
            return True
        found = self._loggers.log_call(call, scope)
        if found is None or found.method == "debug":
            return False
        return found.method == "exception" or self._is_asked_for(found)

    def _is_asked_for(self, found: FoundLogCall) -> bool:
        """`exc_info=True`, and loguru's `opt(exception=True)`."""
        asked = found.call.keyword("exc_info")
        inner = found.call.func.value if isinstance(found.call.func, form.Attr) else None
        if asked is None and isinstance(inner, form.Call) and last_name(inner.func) == "opt":
            asked = inner.keyword("exception")
        if asked is None:
            return found.call.has_double_star
        known = constant(asked, found.scope, self._project)
        return known is None or bool(known.value)

    def _hands_on(self, call: form.Call, bound: str | None, scope: Scope) -> bool:
        """Whether the exception itself, not only its text, goes to code of the project or to who waits for it."""
        if bound is None or not any(isinstance(a.value, form.Name) and a.value.id == bound for a in call.args):
            return last_name(call.func) == "retry"
        if last_name(call.func) in _KEEPS or last_name(call.func) == "retry":
            return True
        if isinstance(call.func, form.Name) and any(b.how is How.PARAMETER for b in scope.lookup(call.func.id)):
            return True
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, External | ClassSymbol) or self._loggers.log_call(call, scope) is not None:
            return False
        return self._project.callee_function(call, scope) is not None


def _raised(scope: Scope) -> frozenset[str]:
    """What the function raises by name."""
    nodes = scope.function.walk() if scope.function is not None else ()
    raised = (node.exc for node in nodes if isinstance(node, form.Raise) and node.exc is not None)
    return frozenset(name for exc in raised if (name := last_name(exc)) is not None)
