"""The logging part of the service model: log calls, prints, exception handlers and logged data, from linked code."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.dataflow.blocks import Block, ModuleBlocks
from assay.scanner.dataflow.handlers import Handlers, explanation_near, way_around
from assay.scanner.dataflow.logged_errors import LoggedErrors
from assay.scanner.dataflow.logged_values import NO_FIELDS, LoggedValues, redaction
from assay.scanner.dataflow.loggers import (
    FoundLogCall,
    Loggers,
    fields,
    message_form,
    repeats_fields,
)
from assay.scanner.dataflow.prints import LAST_NAMES, PrintPlaces, print_name
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol, Module, Scope
from assay.scanner.model.log import (
    ExceptHandler,
    HandlerExcuse,
    LogCall,
    LoggedData,
    LoggedError,
    MessageForm,
    PrintCall,
    PrintPlace,
)
from assay.scanner.model.subject import Subject
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True)
class Logs:
    """What one service logs."""

    log_calls: tuple[LogCall, ...] = ()
    print_calls: tuple[PrintCall, ...] = ()
    except_handlers: tuple[ExceptHandler, ...] = ()
    logged_data: tuple[LoggedData, ...] = ()
    logged_errors: tuple[LoggedError, ...] = ()

    @property
    def subjects(self) -> tuple[Subject, ...]:
        return (
            *self.log_calls,
            *self.print_calls,
            *self.except_handlers,
            *self.logged_data,
            *self.logged_errors,
        )


def link_logs(
    project: Project, modules: Collection[Module] | None = None, routes: Iterable[FunctionSymbol] = ()
) -> Logs:
    """The logging facts of the modules (all of the project's by default), in order of path and position.

    `routes` are handlers that framework modules found; tasks, signal receivers and the like are found here.
    """
    linker = _Linker(project, routes)
    wanted = sorted(project.modules.values() if modules is None else modules, key=lambda m: m.path)
    handlers = [h for module in wanted for h in linker.handlers(module)]
    return Logs(
        tuple(c for module in wanted for c in linker.log_calls(module)),
        tuple(p for module in wanted for p in linker.prints(module)),
        tuple(handlers),
        tuple(d for module in wanted for d in linker.data(module)),
        tuple(e for module in wanted for e in linker.errors(module)),
    )


class _Linker:
    def __init__(self, project: Project, routes: Iterable[FunctionSymbol]) -> None:
        self._project = project
        self._loggers = Loggers(project)
        self._handlers = Handlers(project, self._loggers)
        self._errors = LoggedErrors(project, self._loggers, self._handlers)
        self._places = PrintPlaces(project, self._loggers, tuple(routes))
        self._values = LoggedValues(project)
        self._redaction = redaction(project)
        self._blocks: dict[str, ModuleBlocks] = {}
        self._found: dict[str, list[FoundLogCall]] = {}
        self._handler_ids: dict[form.Handler, str] = {}
        self._ordinals: dict[tuple[str, str], int] = {}

    def blocks(self, module: Module) -> ModuleBlocks:
        if module.path not in self._blocks:
            self._blocks[module.path] = ModuleBlocks(module)
        return self._blocks[module.path]

    def _next(self, kind: str, scope: Scope) -> tuple[str, int]:
        name = where(scope)
        self._ordinals[kind, name] = self._ordinals.get((kind, name), 0) + 1
        return name, self._ordinals[kind, name]

    # --- log calls ---

    def log_calls(self, module: Module) -> Iterator[LogCall]:
        for found in self._calls(module):
            yield self._log_call(found)

    def _calls(self, module: Module) -> list[FoundLogCall]:
        if module.path not in self._found:
            self._found[module.path] = list(self._loggers.find([module]))
        return self._found[module.path]

    def _log_call(self, found: FoundLogCall) -> LogCall:
        module = found.scope.module
        function, ordinal = self._next("log call", found.scope)
        beside = fields(found)
        shape = (
            message_form(found.message, found.scope, self._project)
            if found.message is not None
            else MessageForm.VARIABLE
            if found.call.args
            else MessageForm.CONSTANT
        )
        return LogCall(
            function=function,
            ordinal=ordinal,
            location=module.location(found.call),
            role=module.role,
            library=found.library.name if found.library is not None else None,
            level=found.method,
            form=shape,
            message=module.evidence(found.message or found.call, "the message"),
            has_fields=beside is not None,
            repeats_fields=beside is not None and found.message is not None and repeats_fields(found.message, beside),
            has_traceback=found.method == "exception" or found.call.keyword("exc_info") is not None,
            handler=self._around(self.blocks(module).innermost(found.call.start)),
        )

    def _around(self, block: Block) -> str | None:
        handler = _handler_around(block)
        return self._handler_ids.get(handler) if handler is not None else None

    def errors(self, module: Module) -> Iterator[LoggedError]:
        """The log calls of level error or above in `except` clauses."""
        for found in self._calls(module):
            handler = _handler_around(self.blocks(module).innermost(found.call.start))
            if handler is not None and self._errors.is_error(found):
                yield self._errors.error(found, handler, *self._next("logged error", found.scope))

    # --- prints ---

    def prints(self, module: Module) -> Iterator[PrintCall]:
        for call, scope in module.calls_named(LAST_NAMES):
            name = print_name(call, scope, self._project)
            if name is None:
                continue
            block = self.blocks(module).innermost(call.start)
            place, via = self._places.place(call, scope, block)
            function, ordinal = self._next("print", scope)
            yield PrintCall(
                function=function,
                ordinal=ordinal,
                location=module.location(call),
                role=module.role,
                callee=name,
                place=place,
                via=via,
                logged_beside=self._places.logged_beside(block),
            )

    # --- data ---

    def data(self, module: Module) -> Iterator[LoggedData]:
        """What log calls and prints tell; prints of command lines talk to the person who runs them."""
        for call, scope in module.calls_named(self._loggers.names | LAST_NAMES):
            found = self._loggers.log_call(call, scope)
            if found is not None:
                data = self._data(call, scope, f"{found.method} call", list(found.values), fields(found) or {})
            elif (name := print_name(call, scope, self._project)) is not None:
                place, _ = self._places.place(call, scope, self.blocks(module).innermost(call.start))
                if place in (PrintPlace.OFFLINE, PrintPlace.REDIRECTED):
                    continue
                data = self._data(call, scope, name, [a.value for a in call.args])
            else:
                continue
            if data is not None:
                yield data

    def _data(
        self,
        call: form.Call,
        scope: Scope,
        sink: str,
        values: list[form.Expr],
        beside: Mapping[str, form.Expr] = NO_FIELDS,
    ) -> LoggedData | None:
        if all(isinstance(value, form.Const) for value in values):
            return None
        function, ordinal = self._next("logged data", scope)
        return LoggedData(
            function=function,
            ordinal=ordinal,
            location=scope.module.location(call),
            role=scope.module.role,
            sink=sink,
            sensitive=tuple(self._values.sensitive(values, scope, beside)),
            masked=tuple(self._values.masked(values, scope)),
            redaction=self._redaction,
        )

    # --- handlers ---

    def handlers(self, module: Module) -> Iterator[ExceptHandler]:
        found = [*self._clauses(module), *self._suppressions(module)]
        yield from sorted(found, key=lambda h: h.location)

    def _clauses(self, module: Module) -> Iterator[ExceptHandler]:
        for node, block in self.blocks(module).handlers:
            types = self._handlers.types(node, block.scope)
            breadth = self._handlers.breadth(types)
            function, ordinal = self._next("handler", block.scope)
            headline = node.type.end if node.type is not None else node.start + len("except")
            handler = ExceptHandler(
                function=function,
                ordinal=ordinal,
                location=module.span(node.start, headline),
                role=module.role,
                types=types,
                breadth=breadth,
                effects=tuple(self._handlers.effects(node, block.scope)),
                excuses=tuple(self._handlers.excuses(node, block)),
            )
            self._handler_ids[node] = handler.subject_id
            yield handler

    def _suppressions(self, module: Module) -> Iterator[ExceptHandler]:
        for call, scope in module.calls_named(["suppress"]):
            if self._project.callee_name(call, scope) != "contextlib.suppress":
                continue
            block = self.blocks(module).innermost(call.start)
            types = tuple(name for a in call.args for name in self._handlers.names_of(a.value, scope))
            function, ordinal = self._next("suppress", scope)
            comment = explanation_near(module, call.start, call.end)
            excuses = list(self._handlers.circumstances(block))
            if comment is not None:
                excuses.append((HandlerExcuse.COMMENT, comment))
            around = (s for s in block.body if isinstance(s, form.With) and s.start <= call.start < s.end)
            instead = next((found for s in around if (found := way_around(s, block)) is not None), None)
            if instead is not None:
                excuses.append((HandlerExcuse.FALLBACK, module.evidence(instead, "what is done instead")))
            yield ExceptHandler(
                function=function,
                ordinal=ordinal,
                location=module.location(call),
                role=module.role,
                types=types,
                breadth=self._handlers.breadth(types or ("nothing",)),
                excuses=tuple(excuses),
                suppresses=True,
            )


def _handler_around(block: Block) -> form.Handler | None:
    """The innermost `except` clause that the block is in, within its function."""
    return next((b.header for b in block.within_function() if isinstance(b.header, form.Handler)), None)


def where(scope: Scope) -> str:
    """`module:qualified.name` of the definition that the scope belongs to; the module's name alone at its top level."""
    return f"{scope.module.name}:{scope.qualname}" if scope.qualname else scope.module.name
