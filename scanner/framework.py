"""What a framework module offers: one value of `Framework`, whose functions turn linked facts into model entries.

Adding a framework is adding one module, or one package where it takes several, to `assay.scanner.frameworks` with a
`Framework` value in it; discovery walks the package as it does for rules.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Protocol

from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.access import Access
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.log import LogFormat
from assay.scanner.model.migration import Migration
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.query import Bound, Order, PageSize
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.model.table import Table
from assay.scanner.model.work import Consumer, Task
from assay.scanner.readers.python import form
from assay.scanner.reading import Facts


@dataclass(slots=True)
class Context:
    """What a framework's functions work with: the linked Python, and the facts of the other files by path."""

    project: Project
    files: Mapping[str, Facts] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)

    def unresolved(self, location: Location, message: str) -> None:
        """Say that something is there and what could not be told about it, instead of leaving it out."""
        diagnostic = Diagnostic(location.path, location.line, Reason.UNRESOLVED, message)
        if diagnostic not in self.diagnostics:
            self.diagnostics.append(diagnostic)


@dataclass(frozen=True, slots=True, eq=False)
class Sited:
    """An expression with the scope that its names are looked up in."""

    node: form.Expr
    scope: Scope

    @property
    def module(self) -> Module:
        return self.scope.module


@dataclass(frozen=True, slots=True)
class Guard:
    """Something that keeps callers out or slows them down: its name, and where it is attached."""

    name: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class AboveRoute:
    """What the levels above a route (settings, application, router) make of callers, where the route says nothing.

    `evidence` is where they say so, or would. `has_setting` is set for frameworks with one place that closes all.
    """

    framework: str
    access: Access
    evidence: Evidence
    has_setting: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class BodyType:
    """A type, schema or serializer by which a library reads a body, or writes an answer.

    `parameter` is the handler's (or a dependency's) that takes the body. `only` and `without` are the fields that the
    declaration picks and leaves out, as `response_model_exclude` does. `is_checked` is False where the library only
    documents the body by it, and lets everything through.
    """

    site: Sited
    parameter: tuple[FunctionSymbol, str] | None = None
    only: frozenset[str] | None = None
    without: frozenset[str] = frozenset()
    is_checked: bool = True


@dataclass(frozen=True, slots=True)
class DeclaredParameter:
    """A parameter that a framework takes from the request for the handler, by the name that clients send it under.

    `place` is `path`, `query`, `header` or `cookie`, as in OpenAPI.
    """

    name: str
    place: str
    is_required: bool
    location: Location


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """One registration of a handler, before what the handler does is looked at.

    `methods` holds upper-case verbs or `ANY`. `path` is the full path with all prefixes, in the framework's syntax.
    `handler` is the function that runs (a method for class-based views), None when the library provides it.
    `wrappers` are project functions that replace the handler (a decorator's inner function), outermost first, with the
    parameter names by which they call it. `rows` is the query a generic view lists (DRF's `queryset`) when no handler
    code says so. `page_order` is what the view and its paginator add to a query without an order of its own.
    `mounted` is the expression that was registered, where it is more than a function: a view, app or router that is
    made with arguments.
    """

    methods: tuple[str, ...]
    path: str
    handler: FunctionSymbol | None
    handler_name: str
    location: Location
    framework: str
    role: Role
    kind: EndpointKind | None = None
    guards: tuple[Guard, ...] = ()
    unresolved_guards: tuple[Evidence, ...] = ()
    """What may guard it beyond its handler and that one's class, and could not be followed."""
    opened: tuple[Evidence, ...] = ()
    """Where the code says that callers needn't be known."""
    above: AboveRoute | None = None
    http_guards: tuple[Evidence, ...] = ()
    """Guards around a WebSocket route that see HTTP requests alone."""
    runs_before: tuple[FunctionSymbol, ...] = ()
    """Functions of the project that the framework calls before the handler, beside its decorators and its class."""
    rate_limits: tuple[Guard, ...] = ()
    tags: tuple[str, ...] = ()
    summary: str | None = None
    is_deprecated: bool = False
    request_model: str | None = None
    response_model: str | None = None
    status_codes: tuple[int, ...] = ()
    operations: tuple[str, ...] = ()
    returns_collection: bool | None = None
    collection: str | None = None
    paginators: tuple[Evidence, ...] = ()
    page_sizes: tuple[PageSize, ...] = ()
    page_order: Order = Order.NONE
    page_order_evidence: Evidence | None = None
    rows: Sited | None = None
    answers: tuple[Sited, ...] = ()
    """What the handler answers with, where it doesn't return it: `resp.media = orders`, `self.write(orders)`."""
    view_class: ClassSymbol | None = None
    mounted: Sited | None = None
    request_types: tuple[BodyType, ...] = ()
    """What the library reads the body by before the handler has it."""
    response_types: tuple[BodyType, ...] = ()
    """What the library writes the answer by; what documentation alone says is not among them."""
    application: Sited | None = None
    """The call that makes the application whose route table it is in, or the start of the list that is the table."""
    steps: tuple[Sited, ...] = ()
    """The calls that put it there, from the application inwards: what includes its router, and last its own."""
    parameters: tuple[DeclaredParameter, ...] | None = None
    """What it takes beside a body; None where no declaration says so."""
    url_name: str | None = None
    """The name that code asks for its path under, without namespaces, where its registration states one."""
    is_hidden: bool = False
    """The code keeps it out of the description that the library makes of the API."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Many rows on their way from a table to a response, as far as the expression that was followed tells.

    Immutable: every step of a query chain gives new Rows. `place` is where the read begins.
    """

    model: str
    place: Evidence
    bound: Bound = Bound.UNLIMITED
    order: Order = Order.NONE
    limit: Evidence | None = None
    order_by: Evidence | None = None
    filtered_by_parent: bool = False
    narrowed: bool = False
    """A filter compares with a value that the code was given, which may be one parent's."""
    own_filter: Evidence | None = None
    """A filter that the code doesn't show which reads them: of the project's own manager, or a method of it."""
    page_input: tuple[Sited, ...] = ()
    """The expressions given to `limit`, `paginate` or a slice: where page sizes come from."""
    parents: frozenset[str] = frozenset()
    """The names by which a filter asks for the rows of one parent, for a step to know; empty where it needs none."""
    library: RowLibrary | None = field(default=None, compare=False, repr=False)
    """What reads them, and so knows their methods; None for rows that no source gave."""


class Step:
    """What a method of a query does to its rows, where it isn't new Rows."""

    SINGLE = "single"
    """One row or one number comes out: no collection any more."""


class RowLibrary(Protocol):
    """How an ORM or driver reads rows."""

    def source(self, node: form.Expr, scope: Scope, project: Project) -> Rows | str | None:
        """Rows that begin at this expression: `select(User)`, `User.query`, `User.objects`; None for anything else.

        Step.SINGLE where it reads, but only one row: `session.scalar(select(User))`.
        """
        ...

    def step(self, rows: Rows, method: str, call: form.Call | None, scope: Scope) -> Rows | str | None:
        """What `rows.method(...)` gives: new Rows, Step.SINGLE, or None where the method is not known."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SqlExecution:
    """A call that takes SQL: to run it, or to build a statement of it.

    `parameters` is what the driver binds. `only_if_sql` says that the callee could not be resolved: it counts where
    the text reads as SQL. `certain` is False where only some versions of the library take the argument as SQL text.
    """

    call: form.Call
    scope: Scope
    text: Sited
    parameters: Sited | None
    driver: str
    only_if_sql: bool = False
    certain: bool = True


class MessageStyle(StrEnum):
    """How a logging library joins a message and its values, when it gets them separately."""

    PERCENT = "percent"
    """`info("%s paid", name)`"""
    BRACES = "braces"
    """`info("{} paid", name)`"""
    EVENT = "event"
    """`info("paid", user=name)`"""


@dataclass(frozen=True, slots=True)
class LoggerLibrary:
    """How the loggers of a library are called.

    `receivers` are the dotted names, as `Project.infer` gives them, of what has the methods: logger types, logger
    objects, modules. `methods` are those that write a record, each with the place of its message.
    """

    name: str
    receivers: frozenset[str]
    style: MessageStyle
    methods: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class SinkFound:
    """A handler, processor chain or sink that a configuration in the scanned tree installs.

    `module` is the module whose import or call installs it, None where a file or the server does. `is_shared` means
    that every process of the service gets it, whatever it imports (Django's LOGGING).
    """

    format: LogFormat
    evidence: Evidence
    module: Module | None
    is_file: bool = False
    is_shared: bool = False
    setup: Location | None = None
    """The configuration as a whole, where the evidence is one line of it."""
    unrouted: tuple[Evidence, ...] = ()
    """Loggers in use that no handler of the configuration serves."""
    on_root: bool = False
    """It hangs on the root logger alone, whose handlers others may replace."""


def _nothing(_: Context) -> tuple[()]:
    return ()


@dataclass(frozen=True, slots=True)
class Framework:
    """A framework or library that Assay understands.

    `packages` are the top-level packages whose import shows that a service uses it: where nothing in the tree imports
    one of them, its functions are not asked. `is_listed` says whether a person would name it among the things that a
    service is built with. `applications` are the dotted names whose call makes the process a backend.

    `views` are the classes and functions of the library that make a view or an app for a project to mount in its web
    framework, by dotted name, each with the methods that the view declares to it: `ANY` where it declares none.
    `routers` are those that make a router for FastAPI to include. `schema` gives the root fields of a GraphQL schema
    by the object that stands for it: None for any other object, and for a schema that can't be told.
    """

    name: str
    packages: tuple[str, ...]
    routes: Callable[[Context], Iterable[Route]] = _nothing
    tables: Callable[[Context], Iterable[Table]] = _nothing
    migrations: Callable[[Context], Iterable[Migration]] = _nothing
    settings: Callable[[Context], Iterable[Setting]] = _nothing
    outbound_calls: Callable[[Context], Iterable[OutboundCall]] = _nothing
    tasks: Callable[[Context], Iterable[Task]] = _nothing
    consumers: Callable[[Context], Iterable[Consumer]] = _nothing
    rows: RowLibrary | None = None
    loggers: tuple[LoggerLibrary, ...] = ()
    sinks: Callable[[Context], Iterable[SinkFound]] = _nothing
    sql: Callable[[Context], Iterable[SqlExecution]] = _nothing
    is_listed: bool = True
    applications: frozenset[str] = frozenset()
    views: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    routers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    schema: Callable[[Instance, Context], tuple[str, ...] | None] | None = None


@cache
def frameworks() -> tuple[Framework, ...]:
    """All framework modules' values, by name. An import error is the developer's and stays one."""
    from assay.scanner import frameworks as package

    found = {}
    for info in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        for value in vars(importlib.import_module(info.name)).values():
            if isinstance(value, Framework):
                found[value.name] = value
    return tuple(found[name] for name in sorted(found))
