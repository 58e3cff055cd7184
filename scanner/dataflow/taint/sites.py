"""From what the engine found to the model: one entry for each place where data reaches an interpreter."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping

from assay.scanner.dataflow.numbering import around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.sources import Handler
from assay.scanner.dataflow.taint.engine import Engine, Seen
from assay.scanner.dataflow.taint.models import Models
from assay.scanner.dataflow.taint.summary import Place
from assay.scanner.dataflow.taint.values import Step, Trace
from assay.scanner.framework import Context, SqlExecution
from assay.scanner.libraries import Library, SinkKind
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol, Module
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.site import (
    AbsoluteLink,
    ArchiveExtraction,
    CodeEvaluation,
    DataSite,
    Deserialization,
    DocumentQuery,
    FileAccess,
    Flow,
    HeaderWrite,
    HtmlOutput,
    LdapQuery,
    LoggedText,
    ProcessStart,
    Redirect,
    SessionWrite,
    SqlStatement,
    TemplateSource,
    UrlRequest,
    XmlParse,
    XpathQuery,
)
from assay.scanner.readers.python import form

_CLASSES: Mapping[SinkKind, type[DataSite]] = {
    SinkKind.SQL: SqlStatement,
    SinkKind.COMMAND: ProcessStart,
    SinkKind.CODE: CodeEvaluation,
    SinkKind.PATH: FileAccess,
    SinkKind.URL: UrlRequest,
    SinkKind.TEMPLATE: TemplateSource,
    SinkKind.HTML: HtmlOutput,
    SinkKind.DESERIALIZE: Deserialization,
    SinkKind.XML: XmlParse,
    SinkKind.LDAP: LdapQuery,
    SinkKind.XPATH: XpathQuery,
    SinkKind.DOCUMENT: DocumentQuery,
    SinkKind.REDIRECT: Redirect,
    SinkKind.HEADER: HeaderWrite,
    SinkKind.LOG: LoggedText,
    SinkKind.SESSION: SessionWrite,
    SinkKind.ARCHIVE: ArchiveExtraction,
    SinkKind.LINK: AbsoluteLink,
}
_KNOWN_ONLY = frozenset({SinkKind.LINK, SinkKind.ARCHIVE})
"""Most of what gets there is no client's: only what is known to be is worth a word."""
_TEXT_METHODS = frozenset({"format", "format_map"})
"""Of these only the dangerous calls are worth a word: every text has them."""
_MOST_CALLERS = 200
_MOST_FLOWS = 4


def data_sites(
    context: Context,
    libraries: Iterable[Library],
    handlers: Mapping[FunctionSymbol, Handler],
    executions: Iterable[SqlExecution],
    focus: frozenset[str] | None = None,
) -> Iterator[DataSite]:
    """The places where data reaches an interpreter that a library model names, in order of path and position.

    With a focus, all those in its files are found, and some others.
    """
    models = Models.of(libraries, context.project.imported_packages)
    if not models.sinks:
        return
    engine = Engine(context.project, models, handlers, executions)
    _Search(engine, context.project, models, focus).run()
    context.diagnostics.extend(engine.diagnostics)
    yield from _numbered(engine)


def _numbered(engine: Engine) -> Iterator[DataSite]:
    counts: dict[tuple[SinkKind, str, str], int] = {}
    places = sorted(engine.seen.items(), key=lambda p: (p[0].scope.module.path, p[0].node.start, p[0].node.end))
    for place, seen in places:
        if place.callee in _TEXT_METHODS and not seen.flows:
            continue
        is_other = place.kind is SinkKind.HTML and place.scope in engine.not_html
        flows = tuple(_flow(trace, place) for trace in seen.flows.values() if not is_other)
        flows = tuple(sorted(flows, key=lambda f: (f.doubt is not None, len(f.steps), f.steps[0].location)))
        key = (place.kind, around(place.scope), place.callee)
        counts[key] = counts.get(key, 0) + 1
        yield _site(place, seen, flows[:_MOST_FLOWS], counts[key])


class _Search:
    """Which functions have to be looked at: those with a sink, those that answer requests, and who calls them."""

    def __init__(self, engine: Engine, project: Project, models: Models, focus: frozenset[str] | None) -> None:
        self._engine = engine
        self._project = project
        self._focus = focus
        names = models.last_names_called | {"setattr"}
        self._names = sorted({*names, *(alias for name in names for alias in project.aliases_of(name))})

        self._written = sorted(models.last_names_written)

    def run(self) -> None:
        handlers = (h for h in self._engine.handlers if self._is_asked(h.module))
        todo = deque(dict.fromkeys([*self._with_sinks(), *handlers]))
        looked_at: dict[FunctionSymbol, None] = {}
        called: set[FunctionSymbol] = set()
        while todo:
            function = todo.popleft()
            if function in looked_at or function.module.role is not Role.PROD:
                continue
            looked_at[function] = None
            summary = self._engine.summary(function)
            called |= summary.calls
            if summary.uses and function not in self._engine.handlers:
                todo.extend(self._callers(function))
        for function in looked_at:
            self._engine.finish(function, function in called)

    def _with_sinks(self) -> Iterator[FunctionSymbol]:
        for module in self._project.modules.values():
            if module.role is not Role.PROD or not self._is_asked(module):
                continue
            scopes = [scope for _, scope in module.calls_named(self._names)]
            scopes += (s for name in self._written for s in module.writes_by_name.get(name, ()))
            scopes += (f.scope for f in module.functions if self._writes_to_parameter(f))
            functions = dict.fromkeys(f for scope in scopes if (f := scope.enclosing_function) is not None)
            yield from functions
            if any(scope.enclosing_function is None for scope in scopes):
                self._engine.module_run(module)
            yield from (f for f in module.functions if f.decorators and self._engine.handles_errors(f))
        for execution in self._engine.sql.values():
            function = execution.scope.enclosing_function
            if function is not None and self._is_asked(function.module):
                yield function

    def _is_asked(self, module: Module) -> bool:
        return self._focus is None or module.path in self._focus

    def _writes_to_parameter(self, function: FunctionSymbol) -> bool:
        """Whether it sets items of what it is given, where such an object's items are sinks: `response[name] = x`."""
        declared = {p.name: form.dotted(p.annotation) for p in function.node.params if p.annotation is not None}
        names = (name for name, kind in declared.items() if (kind or "").rpartition(".")[2] in self._written)
        return any(function.scope in function.module.writes_by_name.get(name, ()) for name in names)

    def _callers(self, function: FunctionSymbol) -> Iterator[FunctionSymbol]:
        for _, scope in self._project.callers(function)[:_MOST_CALLERS]:
            caller = scope.enclosing_function
            if caller is not None:
                yield caller
        outer = function.outer.enclosing_function
        if outer is not None:
            yield outer


def _site(place: Place, seen: Seen, flows: tuple[Flow, ...], ordinal: int) -> DataSite:
    module = place.scope.module
    proofs = tuple(Evidence(module.location(node), text) for text, node in seen.proofs.items())
    ends = (Evidence(module.location(place.node), "what it is given comes from outside of what was read"),)
    return _CLASSES[place.kind](
        function=around(place.scope),
        ordinal=ordinal,
        callee=place.callee,
        location=module.location(place.node),
        role=module.role,
        flows=flows,
        open_ends=ends if seen.is_open and not flows and place.kind not in _KNOWN_ONLY else (),
        proof=proofs,
        is_constant=seen.is_constant,
        offline=offline_reason(place.scope),
    )


def _flow(trace: Trace, place: Place) -> Flow:
    """The steps of a trace; of several on one line the first says enough, and the last is always the sink."""
    steps: list[Evidence] = []
    step: Step | None = trace.steps
    while step is not None:
        found = _evidence(step.module, step.node, step.text)
        if steps and _is_on_one_line(steps[-1], found):
            steps.pop()
        steps.append(found)
        step = step.before
    steps.reverse()
    end = _evidence(place.scope.module, place.node, f"`{place.callee}` is given it")
    if len(steps) > 1 and _is_on_one_line(steps[-1], end):
        steps.pop()
    return Flow((*steps, end), trace.doubt)


def _is_on_one_line(one: Evidence, other: Evidence) -> bool:
    return (one.location.path, one.location.line) == (other.location.path, other.location.line)


def _evidence(module: Module, node: form.Node, text: str) -> Evidence:
    return Evidence(module.location(node), text)
