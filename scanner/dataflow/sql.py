"""Turns the SQL executions that framework modules find into entries of the model: what their texts consist of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.dataflow.numbering import around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.sources import Handler, RequestSources
from assay.scanner.dataflow.sql_shape import is_schema_change, positions, reads_as_sql
from assay.scanner.dataflow.strings import TextReader
from assay.scanner.dataflow.text import Parameter, Text, TextHole
from assay.scanner.framework import Context, SqlExecution
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.origin import Origin
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.site import Flow, SqlStatement
from assay.scanner.model.sql import SqlHole, SqlSite, SqlText, TextKind
from assay.scanner.readers.python import form

_DEEPEST_CALLER = 4
_MOST_CALLERS = 20
_EXPRESSIONS = frozenset({"sqlalchemy", "sqlmodel", "peewee", "pypika", "tortoise", "geoalchemy2", "sqlalchemy_utils"})
_COMPOSED = ("psycopg2.sql.", "psycopg.sql.")
_STATEMENT_ENDS = frozenset(
    {
        "add_columns", "alias", "bindparams", "correlate", "cte", "delete", "distinct", "execution_options", "filter",
        "filter_by", "from_select", "group_by", "having", "insert", "join", "label", "limit", "offset",
        "on_conflict_do_nothing", "on_conflict_do_update", "options", "order_by", "outerjoin", "prefix_with",
        "returning", "scalar_subquery", "select", "select_from", "subquery", "union", "union_all", "update", "values",
        "where", "with_for_update", "with_only_columns",
    }
)  # fmt: skip
_TEXT_CONSTRUCTS = frozenset({"text", "DDL", "literal_column", "SQL", "TextClause", "RawSQL"})


def sql_sites(
    context: Context,
    executions: Iterable[SqlExecution],
    handlers: Mapping[FunctionSymbol, Handler],
    statements: Iterable[SqlStatement] = (),
) -> tuple[SqlSite, ...]:
    """One entry per execution, in order of path and position; `statements` tell how clients' values get there.

    A `text(...)` whose text was judged at the place that executes it in the same function is no entry of its own.
    """
    flows = {statement.location: statement.flows for statement in statements}
    return _Sites(context, handlers, flows).of(executions)


@dataclass(frozen=True, slots=True)
class _Read:
    execution: SqlExecution
    text: SqlText


class _Sites:
    def __init__(
        self,
        context: Context,
        handlers: Mapping[FunctionSymbol, Handler],
        flows: Mapping[Location, tuple[Flow, ...]],
    ) -> None:
        self._project = context.project
        self._flows = flows
        self._reader = TextReader(context.project, RequestSources(context.project, handlers))

    def of(self, executions: Iterable[SqlExecution]) -> tuple[SqlSite, ...]:
        ordered = sorted(
            {e.call: e for e in executions}.values(), key=lambda e: (e.scope.module.path, e.call.start, -e.call.end)
        )
        read: list[_Read] = []
        judged: set[form.Call] = set()
        for execution in ordered:
            self._reader.seen_through.clear()
            text = self._text(execution)
            if text is not None:
                read.append(_Read(execution, text))
                judged |= self._reader.seen_through - {execution.call}
        return tuple(self._numbered(r for r in read if r.execution.call not in judged))

    def _numbered(self, read: Iterable[_Read]) -> Iterator[SqlSite]:
        counts: dict[str, int] = {}
        for item in read:
            execution = item.execution
            function = around(execution.scope)
            counts[function] = counts.get(function, 0) + 1
            module = execution.scope.module
            yield SqlSite(
                function=function,
                ordinal=counts[function],
                callee=last_name(execution.call.func) or "execute",
                driver=execution.driver,
                location=module.location(execution.call),
                role=module.role,
                text=item.text,
                parameterised=execution.parameters is not None,
                offline=offline_reason(execution.scope) or self._schema_helper(execution, item.text),
                certain=execution.certain,
                flows=self._flows_of(execution, item.text),
                is_followed=module.location(execution.call) in self._flows,
            )

    def _schema_helper(self, execution: SqlExecution, text: SqlText) -> str | None:
        """Whoever changes the schema is no client, unless a client's text gets there all the same."""
        return "schema helper" if text.is_schema_change and not self._flows_of(execution, text) else None

    def _flows_of(self, execution: SqlExecution, text: SqlText) -> tuple[Flow, ...]:
        """A library's own constructs bind the values that are put into them."""
        if text.kind is TextKind.EXPRESSION:
            return ()
        return self._flows.get(execution.scope.module.location(execution.call), ())

    def _text(self, execution: SqlExecution) -> SqlText | None:
        """What the statement consists of; None where the call turns out to be none of SQL."""
        node, scope = execution.text.node, execution.text.scope
        if not _is_text_construct(node) and self._is_expression(node, scope):
            return None if execution.only_if_sql or not execution.certain else SqlText(TextKind.EXPRESSION)
        if not execution.certain and self._is_construct(node, scope):
            return None  # the `text(...)` is a site of its own, and a certain one
        state = self._reader.state_at(execution.call, scope)
        texts = self._reader.texts(node, state)
        if execution.only_if_sql and not any(reads_as_sql(t) for t in texts):
            return None
        if not execution.certain and all(t.is_one_hole and t.holes[0].origin is not Origin.REMOTE for t in texts):
            return None
        if all(t.literal is not None for t in texts):
            return SqlText(TextKind.CONSTANT, (), all(is_schema_change(t) for t in texts))
        if all(h.origin is Origin.CONSTANT for t in texts for h in t.holes):
            return SqlText(TextKind.CONSTANT)
        if all(t.is_one_hole for t in texts) and self._holds_expression(texts):
            return SqlText(TextKind.EXPRESSION)
        kind = TextKind.GIVEN if all(t.is_one_hole or t.literal is not None for t in texts) else TextKind.TEMPLATE
        holes = {(h.location, h.position): h for t in texts for h in self._holes(t)}
        return SqlText(kind, tuple(holes.values()), all(is_schema_change(t) for t in texts))

    def _is_construct(self, node: form.Expr, scope: Scope) -> bool:
        value = self._project.infer(node, scope)
        return isinstance(value, Instance) and value.type_name.split(".", 1)[0] in _EXPRESSIONS

    def _is_expression(self, node: form.Expr, scope: Scope) -> bool:
        """Whether the argument stands for a construct of a library, and not for text."""
        value = self._project.infer(node, scope)
        if isinstance(value, Instance):
            name = value.type_name
            if name.startswith(_COMPOSED):
                return True
            is_text = name.rsplit(".", 1)[-1] in _TEXT_CONSTRUCTS
            if name.split(".", 1)[0] in _EXPRESSIONS and not is_text and ".text." not in name:
                return True
        if isinstance(node, form.Await):
            return self._is_expression(node.value, scope)
        return (
            isinstance(node, form.Call)
            and isinstance(node.func, form.Attr)
            and node.func.attr in _STATEMENT_ENDS
            and not _begins_with_text(node)
        )

    def _holds_expression(self, texts: tuple[Text, ...]) -> bool:
        """A name whose values are all constructs of a library."""
        return all(self._is_expression(h.node, h.scope) for t in texts for h in t.holes)

    # --- holes ---

    def _holes(self, text: Text) -> Iterator[SqlHole]:
        for hole, position in positions(text):
            origin, trail = hole.origin, hole.trail
            if origin is Origin.PARAMETER:
                found = self._sent_by_callers(hole)
                origin, trail = (Origin.REMOTE, found) if found else (origin, trail)
            location = hole.scope.module.location(hole.node)
            if not trail or trail[-1].location != location:
                trail = (*trail, Evidence(location, "it is put into the text here"))
            yield SqlHole(_spelled(hole.node), position, origin, location, trail)

    def _sent_by_callers(self, hole: TextHole) -> tuple[Evidence, ...]:
        """The way of a client's value through resolved calls into the parameter that the hole is made of."""
        found = self._callers_evidence(hole.parameter, 0) if hole.parameter is not None else ()
        return (*found, *hole.trail[1:]) if found else ()

    def _callers_evidence(self, given: Parameter, depth: int) -> tuple[Evidence, ...]:
        if depth >= _DEEPEST_CALLER:
            return ()
        for call, scope in self._project.callers(given.function)[:_MOST_CALLERS]:
            argument = self._project.bound_argument(call, given.function, given.param)
            if argument is None:
                continue
            for text in self._reader.texts(argument, self._reader.state_at(call, scope)):
                for hole in text.holes:
                    if hole.origin is Origin.REMOTE:
                        step = scope.module.evidence(argument, f"it is handed to {given.function.qualname}")
                        return (*hole.trail, step)
                    if hole.parameter is not None and (found := self._callers_evidence(hole.parameter, depth + 1)):
                        return found
        return ()


def _is_text_construct(node: form.Expr) -> bool:
    return isinstance(node, form.Call) and last_name(node.func) in _TEXT_CONSTRUCTS


def _begins_with_text(node: form.Expr) -> bool:
    """Whether it reads like `text("...").bindparams(...)`."""
    while isinstance(node, form.Call | form.Attr):
        if _is_text_construct(node):
            return True
        node = node.func if isinstance(node, form.Call) else node.value
    return False


def _spelled(node: form.Expr) -> str:
    """The expression in words, short."""
    match node:
        case form.Call(func=func):
            return f"{form.dotted(func) or last_name(func) or '...'}(...)"
        case form.Subscript(value=base, index=form.Const(value=key)):
            return f"{_spelled(base)}[{key!r}]"
        case form.Subscript(value=base):
            return f"{_spelled(base)}[...]"
        case form.Await(value=inner):
            return _spelled(inner)
        case form.Attr(value=base, attr=attr):
            return f"{_spelled(base)}.{attr}"
        case form.Name(id=name):
            return name
    return "an expression"
