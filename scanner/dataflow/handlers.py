"""What `except` clauses do with what they catch."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.blocks import Block, is_debug_condition
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.loggers import Loggers
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.linker.values import External, Literal
from assay.scanner.model.log import Breadth, HandlerEffect, HandlerExcuse
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_BROAD = frozenset({"builtins.Exception", "builtins.BaseException"})
_TROUBLE = frozenset(
    {
        "error", "errors", "err", "exception", "exceptions", "exc", "fail", "failed", "failure", "failures", "fails",
        "invalid", "abort", "aborted", "reject", "rejected", "nack", "wrong", "unable", "cannot", "unavailable",
        "denied", "unhealthy", "warning", "warnings", "warn", "problem", "crashed", "broken",
    }
)  # fmt: skip
_RECORDING = frozenset(
    {"log", "logger", "logging", "report", "alert", "notify", "capture", "bugsnag", "sentry", "rollbar"}
)
_REPORTERS = frozenset(
    {
        "capture_exception", "capture_message", "report_exc_info", "notice_error", "record_exception",
        "report_exception", "notify_exception", "set_status", "warn",
    }
)  # fmt: skip
_COUNTERS = frozenset({"inc", "incr", "increment", "count_exceptions"})
_EXITS = frozenset({"sys.exit", "os._exit", "builtins.exit", "builtins.quit", "os.abort", "os.kill"})
_PRINTERS = frozenset({"print", "pprint", "print_exc", "print_exception", "print_stack", "echo", "secho"})
_TRACEBACKS = frozenset({"format_exc", "exc_info", "format_exception", "format_tb", "exception_on"})
_CLEANUP = frozenset(
    {
        "close", "aclose", "shutdown", "disconnect", "cancel", "terminate", "kill", "unlink", "rmtree", "cleanup",
        "flush",
        "rollback", "stop", "quit", "logout", "unsubscribe", "dispose",
    }
)  # fmt: skip
_FINALIZERS = frozenset({"__del__"})
_DIRECTIVE = re.compile(
    r"#\s*(noqa|nosec|pragma|pylint|type:|mypy|pyright|fmt:|ruff|todo|fixme|xxx|hack\b|!)", re.IGNORECASE
)
_ALLOWANCE = re.compile(
    r"\b(ok|okay|fine|ignor\w+|best[- ]effort|may|might|optional\w*|harmless|does ?n.t matter|if (we|it|they) can)\b",
    re.IGNORECASE,
)
_CODE = re.compile(r"^[\w.]+\(.*\)?$|^[\w.]+\s*=|^(return|raise|print|pass|continue|import|from)\b")
_CLIENT_ERROR = re.compile(
    r"HTTP_4\d\d|BadRequest|NotFound|Forbidden|Unauthorized|UNAUTHORIZED|BAD_REQUEST|FORBIDDEN|NOT_FOUND"
)
_SERVER_ERROR = re.compile(r"HTTP_5\d\d|ServerError|INTERNAL_SERVER_ERROR|SERVICE_UNAVAILABLE|BAD_GATEWAY")
_LEVELS_SEEN = frozenset({"warning", "warn", "error", "exception", "critical", "fatal"})


class Handlers:
    """Judges handlers of one project; `Loggers` says which calls log."""

    def __init__(self, project: Project, loggers: Loggers) -> None:
        self._project = project
        self._loggers = loggers

    def types(self, handler: form.Handler, scope: Scope) -> tuple[str, ...]:
        """What it catches: dotted names where they resolve, else as written; empty for a bare one."""
        return self.names_of(handler.type, scope) if handler.type is not None else ()

    def names_of(self, node: form.Expr, scope: Scope) -> tuple[str, ...]:
        """The exception types that an expression names, one or a tuple."""
        if isinstance(node, form.Display):
            return tuple(name for item in node.items for name in self.names_of(item, scope))
        value = self._project.infer(node, scope)
        if isinstance(value, Literal) and isinstance(value.node, form.Display):
            return tuple(n for item in value.node.items for n in self.names_of(item, value.scope))
        return (self._project.qualified_name(node, scope) or form.dotted(node) or "?",)

    def breadth(self, types: tuple[str, ...]) -> Breadth:
        if not types:
            return Breadth.BARE
        return Breadth.BROAD if _BROAD.intersection(types) else Breadth.NARROW

    # --- effects ---

    def effects(self, handler: form.Handler, scope: Scope) -> Iterator[tuple[HandlerEffect, Evidence]]:
        """Everything in the body that makes the exception visible, in order; debug-only branches don't count."""
        for node in running(handler.body):
            effect = self._effect(node, handler.name, scope)
            if effect is not None:
                yield effect, scope.module.evidence(node, f"it {effect}")

    def _effect(self, node: form.Expr | form.Stmt, bound: str | None, scope: Scope) -> HandlerEffect | None:
        match node:
            case form.Raise():
                return HandlerEffect.RAISES
            case form.Call():
                return self._effect_of_call(node, bound, scope)
            case form.Return(value=value) | form.Yield(value=value) if value is not None:
                return _effect_of_value(value, bound)
            case form.Assign(targets=targets, value=value):
                if value is not None and (mentions(value, bound) or _tells_trouble(value)):
                    return HandlerEffect.ANSWERS
                if any(_TROUBLE.intersection(words(last_name(t) or "")) for t in targets):
                    return HandlerEffect.ANSWERS
            case form.AugAssign(target=target, value=value):
                counted = _TROUBLE.intersection(words(last_name(target) or ""))
                if counted or mentions(value, bound):
                    return HandlerEffect.COUNTS if counted else HandlerEffect.ANSWERS
        return None

    def _effect_of_call(self, call: form.Call, bound: str | None, scope: Scope) -> HandlerEffect | None:
        name = last_name(call.func) or ""
        if self._loggers.log_call(call, scope) is not None:
            return HandlerEffect.LOGS
        if name in _PRINTERS or _writes_to_terminal(call.func):
            return HandlerEffect.PRINTS
        if name in _REPORTERS:
            return HandlerEffect.REPORTS
        if name in _COUNTERS:
            return HandlerEffect.COUNTS
        if name == "retry":
            return HandlerEffect.RAISES
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, External) and callee.name in _EXITS:
            return HandlerEffect.EXITS
        if name == "abort":
            return _status_effect(call) or HandlerEffect.ANSWERS
        if _RECORDING.intersection(words(name)):
            return HandlerEffect.LOGS
        if any(mentions(a.value, bound) or _tells_trouble(a.value) for a in call.args) and name not in _PURE:
            return HandlerEffect.ANSWERS
        if name == "flash" or _TROUBLE.intersection(words(form.dotted(call.func) or name)):
            return HandlerEffect.ANSWERS
        return HandlerEffect.LOGS if self._callee_logs(call, scope) else None

    def _callee_logs(self, call: form.Call, scope: Scope) -> bool:
        """Whether the project function that is called logs a warning or worse in its own body."""
        function = self._project.callee_function(call, scope)
        if function is None:
            return False
        for node in function.walk():
            if isinstance(node, form.Call):
                found = self._loggers.log_call(node, function.scope)
                if found is not None and found.method in _LEVELS_SEEN:
                    return True
        return False

    # --- excuses ---

    def excuses(self, handler: form.Handler, block: Block) -> Iterator[tuple[HandlerExcuse, Evidence]]:
        """What may make silence right."""
        module = block.scope.module
        if block.owner is not None and _is_probe(block.owner):
            yield HandlerExcuse.PROBE, module.evidence(block.owner.body[0], "what is tried")
        yield from self.circumstances(block)
        comment = _explanation(module, handler.start, block.end) or _leave(module, block.owner)
        if comment is not None:
            yield HandlerExcuse.COMMENT, comment
        if block.owner is not None and _is_cleanup(block.owner):
            yield HandlerExcuse.BEST_EFFORT, module.evidence(block.owner.body[0], "what is tried")
        fallback = _fallback(handler, block)
        if fallback is not None:
            yield HandlerExcuse.FALLBACK, module.evidence(fallback, "what stands in for the result")

    def circumstances(self, block: Block) -> Iterator[tuple[HandlerExcuse, Evidence]]:
        """What the code around says."""
        module = block.scope.module
        for outer in block.within_function():
            if isinstance(outer.header, form.If) and not outer.is_otherwise and is_debug_condition(outer.header.test):
                yield HandlerExcuse.DEBUGGING, module.evidence(outer.header.test, "the condition")
        function = block.scope.enclosing_function
        if function is not None and (function.name in _FINALIZERS or self._is_exit_hook(function.node, block.scope)):
            yield HandlerExcuse.FINALIZER, Evidence(function.location, f"{function.name}")

    def _is_exit_hook(self, node: form.Function, scope: Scope) -> bool:
        if any((form.dotted(d) or "") == "atexit.register" for d in node.decorators):
            return True
        return any(
            isinstance(argument, form.Name) and argument.id == node.name
            for call, _ in scope.module.calls_named(["register"])
            if form.dotted(call.func) == "atexit.register" and (argument := call.argument(0, "func")) is not None
        )


_PURE = frozenset(
    {"isinstance", "str", "repr", "type", "len", "hasattr", "getattr", "issubclass", "bool", "startswith"}
)
"""Functions that only look at what they get."""


def running(body: list[form.Stmt]) -> Iterator[form.Expr | form.Stmt]:
    """What runs in the body in production: no nested definitions, no debug-only branches."""
    stack: list[form.Expr | form.Stmt] = list(reversed(body))
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node, form.Function | form.Class | form.Lambda):
            continue
        if isinstance(node, form.If) and is_debug_condition(node.test):
            stack.extend(reversed(node.orelse))
            continue
        stack.extend(reversed(node.children()))


def mentions(node: form.Expr, bound: str | None) -> bool:
    """Whether the caught exception or its traceback is in the expression."""
    return any(
        (isinstance(inner, form.Name) and inner.id == bound)
        or (isinstance(inner, form.Call) and takes_traceback(inner))
        for inner in form.walk(node)
    )


def takes_traceback(call: form.Call) -> bool:
    """`traceback.format_exc()` and the like."""
    return last_name(call.func) in _TRACEBACKS


def _tells_trouble(node: form.Expr) -> bool:
    """Whether a string or name in the expression says that something went wrong."""
    for inner in form.walk(node):
        match inner:
            case form.Const(value=str() as text) if _TROUBLE.intersection(words(text)):
                return True
            case form.Template(parts=parts):
                if any(isinstance(p, str) and _TROUBLE.intersection(words(p)) for p in parts):
                    return True
            case form.Attr(attr=name) | form.Name(id=name) if _TROUBLE.intersection(words(name)):
                return True
    return False


def _effect_of_value(value: form.Expr, bound: str | None) -> HandlerEffect | None:
    status = _status_effect(value)
    if mentions(value, bound):
        return HandlerEffect.ANSWERS
    if status is not None:
        return status
    return HandlerEffect.ANSWERS if _tells_trouble(value) else None


def _status_effect(node: form.Expr) -> HandlerEffect | None:
    """Which sort of HTTP error the expression carries."""
    for inner in form.walk(node):
        match inner:
            case form.Const(value=int() as code) if not isinstance(code, bool) and 400 <= code <= 599:
                return HandlerEffect.REFUSES if code < 500 else HandlerEffect.ANSWERS
            case form.Attr(attr=name) | form.Name(id=name):
                if _SERVER_ERROR.search(name):
                    return HandlerEffect.ANSWERS
                if _CLIENT_ERROR.search(name):
                    return HandlerEffect.REFUSES
    return None


def _writes_to_terminal(func: form.Expr) -> bool:
    """`sys.stderr.write(...)`, `self.stdout.write(...)` of a management command."""
    return isinstance(func, form.Attr) and func.attr == "write" and last_name(func.value) in ("stdout", "stderr")


def _fallback(handler: form.Handler, block: Block) -> form.Expr | form.Stmt | None:
    """What puts something in the place of what was tried: a value returned, something else done in any case, a name
    given a value that the tried statements give one too, or the code that follows where trying would have returned.
    """
    for node in running(handler.body):
        if isinstance(node, form.Return) and node.value is not None:
            return node
    for statement in handler.body:
        if isinstance(statement, form.Try | form.With) or (
            isinstance(statement, form.ExprStmt | form.Assign) and isinstance(statement.value, form.Call | form.Await)
        ):
            return statement
    tried = block.owner
    if tried is None:
        return None
    wanted = {text for s in tried.body for t in _targets(s) if (text := _place_named(t)) is not None}
    for statement in handler.body:
        if isinstance(statement, form.Assign) and any(_place_named(t) in wanted for t in statement.targets):
            return statement
    return way_around(tried, block)


def way_around(tried: form.Try | form.With, block: Block) -> form.Stmt | None:
    """What the function does when the statement gives up: the statement after one that would have returned, or the
    value that a name had beforehand.
    """
    outer = block.outer if isinstance(tried, form.Try) else block
    siblings = outer.body if outer is not None else []
    at = next((i for i, s in enumerate(siblings) if s is tried), None)
    if at is None:
        return None
    last = tried.body[-1]
    leaving = last.body[-1] if isinstance(last, form.If) else last
    leaves = isinstance(leaving, form.Return)
    if leaves and at + 1 < len(siblings):
        return siblings[at + 1]
    wanted = {text for s in tried.body for t in _targets(s) if (text := _place_named(t)) is not None}
    for statement in siblings[:at]:
        if isinstance(statement, form.Assign) and any(_place_named(t) in wanted for t in statement.targets):
            return statement
    return None


def _place_named(target: form.Expr) -> str | None:
    """What an assignment gives a value to, as text: `x`, `x.y`, `x["y"]`."""
    if isinstance(target, form.Subscript) and isinstance(target.index, form.Const):
        owner = form.dotted(target.value)
        return None if owner is None else f"{owner}[{target.index.value!r}]"
    return form.dotted(target)


def _targets(statement: form.Stmt) -> Iterator[form.Expr]:
    for node in form.walk(statement, into_definitions=False):
        if isinstance(node, form.Assign):
            for target in node.targets:
                yield from target.items if isinstance(target, form.Display) else (target,)
        elif isinstance(node, form.AugAssign):
            yield node.target


def _is_probe(tried: form.Try) -> bool:
    """Whether the body only imports or asks for a feature."""
    return all(
        isinstance(s, form.Import | form.ImportFrom)
        or (isinstance(s, form.Assign) and isinstance(s.value, form.Const | form.Attr | form.Name))
        or (isinstance(s, form.Return) and isinstance(s.value, form.Const))
        or (isinstance(s, form.ExprStmt) and _is_import_call(s.value))
        for s in tried.body
    ) and any(isinstance(s, form.Import | form.ImportFrom | form.ExprStmt) for s in tried.body)


def _is_import_call(node: form.Expr) -> bool:
    return isinstance(node, form.Call) and last_name(node.func) in ("import_module", "__import__", "find_spec")


def _is_cleanup(tried: form.Try) -> bool:
    """Whether the body only closes, stops or removes things."""
    calls = [n for s in tried.body for n in form.walk(s) if isinstance(n, form.Call)]
    return len(tried.body) == 1 and bool(calls) and last_name(calls[0].func) in _CLEANUP


def _explanation(module: Module, start: int, end: int) -> Evidence | None:
    """A comment inside that says why, in words; directives and code that was commented out are none."""
    first, last = module.facts.position(start)[0], module.facts.position(end)[0]
    for comment in module.facts.comments:
        line = module.facts.position(comment.start)[0]
        if first <= line <= last and _is_explanation(comment.text):
            return Evidence(module.span(comment.start, comment.start + len(comment.text)), "the comment")
    return None


def _leave(module: Module, tried: form.Try | None) -> Evidence | None:
    """A comment above the `try` that says it may fail."""
    if tried is None:
        return None
    above = explanation_near(module, tried.start, tried.start)
    if above is None:
        return None
    comments = (c for c in module.facts.comments if module.span(c.start, c.start + len(c.text)) == above.location)
    return above if any(_ALLOWANCE.search(c.text) for c in comments) else None


def explanation_near(module: Module, start: int, end: int) -> Evidence | None:
    """A comment on these lines or on the one above."""
    above = module.facts.line_starts[max(module.facts.position(start)[0] - 2, 0)]
    return _explanation(module, above, end)


def _is_explanation(comment: str) -> bool:
    text = comment.lstrip("# ").strip()
    return not _DIRECTIVE.match(comment) and not _CODE.match(text) and len(text.split()) >= 2
