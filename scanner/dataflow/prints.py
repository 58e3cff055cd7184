"""Where a service prints instead of logging, and whether anybody serving a request gets there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from assay.scanner.dataflow.blocks import Block, is_debug_condition, is_main_guard
from assay.scanner.dataflow.entry_points import is_command, is_schema_script, offline_functions, serving_functions
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.loggers import Loggers
from assay.scanner.dataflow.reachability import Callers
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.log import PrintPlace
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.roles import is_offline

PRINTING = {
    "builtins.print": "print",
    "pprint.pprint": "pprint",
    "pprint.pp": "pp",
    "traceback.print_exc": "print_exc",
    "traceback.print_exception": "print_exception",
    "traceback.print_stack": "print_stack",
    "sys.stdout.write": "stdout.write",
    "sys.stderr.write": "stderr.write",
}
LAST_NAMES = frozenset({"print", "pprint", "pp", "print_exc", "print_exception", "print_stack", "write"})
_STREAMS = frozenset({"sys.stdout", "sys.stderr"})
_REDIRECTORS = frozenset({"redirect_stdout", "redirect_stderr"})
_LOGGING_BASES = (
    "logging.Handler",
    "logging.StreamHandler",
    "logging.Formatter",
    "logging.Filter",
    "logging.handlers.",
)
_STAND_INS = frozenset({"console", "fake", "dummy", "mock", "stub"})


def print_name(call: form.Call, scope: Scope, project: Project) -> str | None:
    """What prints, in short; None for any other call."""
    if last_name(call.func) not in LAST_NAMES:
        return None
    callee = project.infer(call.func, scope)
    return PRINTING.get(callee.name) if isinstance(callee, External) else None


class PrintPlaces:
    """Says where prints run; the call graph is asked only about those that could run while serving.

    `routes` are handlers that framework modules found.
    """

    def __init__(self, project: Project, loggers: Loggers, routes: Iterable[FunctionSymbol]) -> None:
        self._project = project
        self._loggers = loggers
        self._routes = routes
        self._callers = Callers(project)

    @cached_property
    def _serving(self) -> frozenset[FunctionSymbol]:
        return frozenset((*self._routes, *serving_functions(self._project)))

    @cached_property
    def _offline(self) -> frozenset[FunctionSymbol]:
        return frozenset(offline_functions(self._project))

    def place(self, call: form.Call, scope: Scope, block: Block) -> tuple[PrintPlace, Evidence | None]:
        """Where the print runs, and an entry point from which a serving process gets there."""
        if self._is_redirected(call, scope, block):
            return PrintPlace.REDIRECTED, None
        if _is_in_log_handler(scope, self._project):
            return PrintPlace.LOG_HANDLER, None
        if _is_debugging(call, block):
            return PrintPlace.DEBUGGING, None
        if self._is_started_offline(scope, block):
            return PrintPlace.OFFLINE, None
        function = scope.enclosing_function
        entry = self._callers.root_of(function, self._serving) if function is not None else None
        if entry is not None:
            return PrintPlace.SERVING, Evidence(entry.location, f"{entry.qualname} gets there")
        if function is not None and self._callers.root_of(function, self._offline) is not None:
            return PrintPlace.OFFLINE, None
        return PrintPlace.UNREACHED, None

    def logged_beside(self, block: Block) -> Evidence | None:
        """A log call among the statements of the same block."""
        for statement in block.body:
            call = statement.value if isinstance(statement, form.ExprStmt) else None
            if isinstance(call, form.Call) and self._loggers.log_call(call, block.scope) is not None:
                return block.scope.module.evidence(call, "a log call beside it")
        return None

    def _is_started_offline(self, scope: Scope, block: Block) -> bool:
        if is_offline(scope.module.path) or is_schema_script(scope.module):
            return True
        function = scope.enclosing_function
        if function is not None and is_command(function, self._project):
            return True
        return any(isinstance(b.header, form.If) and is_main_guard(b.header.test) for b in block.outwards())

    def _is_redirected(self, call: form.Call, scope: Scope, block: Block) -> bool:
        target = call.keyword("file")
        if target is not None:
            stream = self._project.infer(target, scope)
            if not (isinstance(stream, External) and stream.name in _STREAMS):
                return form.dotted(target) not in _STREAMS
        return any(
            isinstance(b.header, form.With)
            and any(isinstance(i.value, form.Call) and last_name(i.value.func) in _REDIRECTORS for i in b.header.items)
            for b in block.within_function()
        )


def _is_in_log_handler(scope: Scope, project: Project) -> bool:
    function = scope.enclosing_function
    cls = function.owner if function is not None else None
    if cls is None:
        return False
    if any(name.startswith(_LOGGING_BASES) for name in project.base_names(cls)):
        return True
    return not _STAND_INS.isdisjoint(words(cls.name))


def _is_debugging(call: form.Call, block: Block) -> bool:
    for outer in block.within_function():
        if isinstance(outer.header, form.If) and not outer.is_otherwise and is_debug_condition(outer.header.test):
            return True
        if any(_leaves_unless_debugging(s) for s in outer.body if s.end <= call.start):
            return True
    statement = next((s for s in block.body if s.start <= call.start < s.end), None)
    if statement is None:
        return False
    return any(
        isinstance(node, form.Conditional)
        and is_debug_condition(node.test)
        and node.body.start <= call.start < node.body.end
        for node in form.walk(statement, into_definitions=False)
    )


def _leaves_unless_debugging(statement: form.Stmt) -> bool:
    """`if not settings.DEBUG: return`."""
    return (
        isinstance(statement, form.If)
        and isinstance(statement.test, form.Unary)
        and statement.test.op == "not"
        and is_debug_condition(statement.test.operand)
        and isinstance(statement.body[-1], form.Return | form.Raise)
    )
