"""By what a function decides that a read goes to a replica: a router's `db_for_read`, a session's `get_bind`."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.ways import Turn, way_to
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.replica import Choice
from assay.scanner.readers.python import form

_DEEPEST = 4
_LOCALS = frozenset(
    {
        "threading.local", "_threading_local.local", "asgiref.local.Local", "contextvars.ContextVar",
        "werkzeug.local.Local", "werkzeug.local.LocalProxy", "gevent.local.local",
    }
)  # fmt: skip
"""What holds a value for each request or thread."""
_OF_REQUESTS = ("flask.g", "flask.request", "flask.session", "flask.has_request_context", "starlette_context.context")
_BY_STATE = re.compile(r"pin|in_atomic|in_transaction|request|context|wrote|written|state|sticky|primary|master|force")
"""Of what a library's function or an attribute is called that knows what a request has done."""
_STATIC = ("builtins.", "random.", "os.", "logging.", "itertools.", "time.", "secrets.", "sqlalchemy.", "typing.")
_SETTINGS = ("django.conf.settings", "flask.current_app")
_OF_THE_CALL = ("_flushing", "bind", "binds")
"""Attributes of a session that say what is being done, and nothing of what was."""
_OF_THE_READ = frozenset({"mapper", "clause", "bind", "self", "cls"})
"""Parameters of `get_bind` that say what is read, and not where the caller wants to have it read."""
_OF_TABLES = frozenset({"model", "mapper", "hints", "instance"})
_OPTIONS = ("get_execution_options", "_execution_options")
"""What a statement carries that its author has set."""

IsReplica = Callable[[form.Expr, Scope], bool]


@dataclass(frozen=True, slots=True)
class Decision:
    """How a function chooses, and what shows it; None of the replicas is chosen where there is no evidence."""

    choice: Choice
    evidence: tuple[Evidence, ...]


class Choices:
    """Reads functions that choose a database. `is_replica` tells which expressions stand for a replica."""

    def __init__(self, project: Project, is_replica: IsReplica) -> None:
        self._project = project
        self._is_replica = is_replica

    def of(self, function: FunctionSymbol) -> Decision | None:
        """None where it never chooses a replica."""
        module = function.module
        chosen = [(node, scope) for node, scope in self._outcomes(function, _DEEPEST) if self._leads(node, scope)]
        if not chosen:
            return self._kept_elsewhere(function)
        shown = tuple(scope.module.evidence(node, "a read goes to the replica") for node, scope in chosen[:2])
        inside = [
            r.end
            for r in function.returns
            for node, at in chosen
            if at.module is module and r.start <= node.start < r.end
        ]
        last = max(inside, default=function.node.end)
        asked = [(test, self._depends(test, function.scope, _DEEPEST)) for test in _tests(function, last)]
        for wanted in (Choice.STATE, Choice.CODE, Choice.UNKNOWN):
            test = next((test for test, choice in asked if choice is wanted), None)
            if test is not None:
                return Decision(wanted, (module.evidence(test, "this decides"), *shown))
        tables = [test for test, choice in asked if choice is Choice.MODEL]
        listed = [_around(node, function, tables) for node, at in chosen if at.module is module]
        if listed and all(test is not None for test in listed):
            return Decision(Choice.MODEL, (*(module.evidence(t, "this decides") for t in listed[:1] if t), *shown))
        return Decision(Choice.ALWAYS, shown)

    def _kept_elsewhere(self, function: FunctionSymbol) -> Decision | None:
        """It gives what a request has set: `return _local.alias`."""
        for node, scope in self._outcomes(function, 1):
            if self._depends(node, scope, _DEEPEST) is Choice.STATE:
                return Decision(Choice.STATE, (scope.module.evidence(node, "this is set elsewhere"),))
        return None

    def _outcomes(self, function: FunctionSymbol, depth: int) -> Iterator[tuple[form.Expr, Scope]]:
        for statement in function.returns:
            if statement.value is not None:
                yield from self._parts(statement.value, function.scope, depth)

    def _parts(self, node: form.Expr, scope: Scope, depth: int) -> Iterator[tuple[form.Expr, Scope]]:
        """What the expression may come to: both arms of a condition, what a function of the project gives."""
        match node:
            case form.Conditional(body=first, orelse=second):
                yield from self._parts(first, scope, depth)
                yield from self._parts(second, scope, depth)
                return
            case form.Boolean(values=values):
                for value in values:
                    yield from self._parts(value, scope, depth)
                return
            case form.Name() if depth and any(b.how is How.ASSIGN and b.scope is scope for b in scope.lookup(node.id)):
                for value, at in definitions(node, scope, self._project):
                    yield from self._parts(value, at, depth - 1)
                return
            case form.Call() if depth and not self._leads(node, scope):
                function = self._project.callee_function(node, scope)
                if function is not None and function.name != "__init__":
                    yield from self._outcomes(function, depth - 1)
                    return
        yield node, scope

    def _leads(self, node: form.Expr, scope: Scope) -> bool:
        """Whether it is a replica, or picks one of several: `random.choice(["replica_1", "replica_2"])`."""
        if self._is_replica(node, scope):
            return True
        match node:
            case form.Call(args=args):
                return any(self._leads(a.value, scope) for a in args)
            case form.Display(items=items):
                return any(self._leads(item, scope) for item in items)
            case form.Subscript(value=value, index=index):
                return self._leads(value, scope) or self._leads(index, scope)
            case form.Attr(value=value):
                return self._leads(value, scope)
        return False

    def _depends(self, node: form.Expr, scope: Scope, depth: int) -> Choice:
        """On what an expression depends; ALWAYS where it is on nothing that a request changes."""
        found = {self._of_part(part, scope, depth) for part in form.walk(node)} if depth else {Choice.UNKNOWN}
        return _strongest(found)

    def _of_part(self, part: form.Expr | form.Stmt, scope: Scope, depth: int) -> Choice:
        match part:
            case form.Name(id="self" | "cls"):
                return Choice.ALWAYS
            case form.Name(id=name):
                return self._of_name(part, name, scope, depth)
            case form.Attr(value=form.Name(id="self" | "cls"), attr=attr):
                return self._of_own(part, attr, scope)
            case form.Attr(attr="in_atomic_block" | "method"):
                return Choice.STATE
            case form.Attr(attr=attr) if attr in _OPTIONS:
                return Choice.CODE
            case form.Const(value=value) if value in _OPTIONS:
                return Choice.CODE
            case form.Call(
                func=form.Attr(value=form.Name(id=name), attr="get" | "pop"),
                args=[form.Arg(value=form.Const(value=key)), *_],
            ) if _is_rest(name, scope):
                return Choice.ALWAYS if key in _OF_THE_READ else Choice.MODEL if key in _OF_TABLES else Choice.CODE
            case form.Call():
                return self._of_call(part, scope, depth)
        return Choice.ALWAYS

    def _of_name(self, part: form.Name, name: str, scope: Scope, depth: int) -> Choice:
        bindings = scope.lookup(name)
        if any(b.how is How.PARAMETER for b in bindings):
            if name in _OF_TABLES:
                return Choice.MODEL
            return Choice.ALWAYS if name in _OF_THE_READ or _is_rest(name, scope) else Choice.CODE
        if _is_kept(self._project.infer(part, scope), self._project):
            return Choice.STATE
        if scope.function is not None and any(b.scope is scope for b in bindings):
            values = [b.value for b in bindings if b.value is not None and b.value is not part]
            found = {self._depends(value, scope, depth - 1) for value in values}
            return _strongest(found)
        return Choice.ALWAYS

    def _of_own(self, part: form.Attr, attr: str, scope: Scope) -> Choice:
        """An attribute of the router or session itself."""
        if attr in _OF_THE_CALL:
            return Choice.ALWAYS
        value = self._project.infer(part, scope)
        if isinstance(value, BoundMethod):
            return Choice.ALWAYS  # the call is looked at
        if _is_kept(value, self._project) or attr == "info":
            return Choice.STATE
        owner = scope.enclosing_function.owner if scope.enclosing_function is not None else None
        given = self._project.instance_attributes(owner, attr) if owner is not None else []
        if any(at.function is not None and at.function.name != "__init__" for _, at in given):
            return Choice.STATE
        if attr in ("new", "dirty", "deleted") or (not given and _BY_STATE.search(attr)):
            return Choice.UNKNOWN
        return Choice.ALWAYS

    def _of_call(self, call: form.Call, scope: Scope, depth: int) -> Choice:
        callee = self._project.infer(call.func, scope)
        function = self._project.callee_function(call, scope)
        if function is not None:
            found = {
                self._of_part(part, function.scope, depth - 1)
                for part in function.nodes
                if depth > 1 and isinstance(part, form.Name | form.Attr | form.Call)
            }
            kept = Choice.STATE in found
            return Choice.STATE if kept else Choice.UNKNOWN if Choice.UNKNOWN in found else Choice.ALWAYS
        if _is_kept(callee, self._project):
            return Choice.STATE
        if isinstance(callee, External):
            if callee.name.startswith(_SETTINGS) or callee.name.startswith(_STATIC):
                return Choice.ALWAYS
            return Choice.STATE if _BY_STATE.search(last_part(callee.name)) else Choice.UNKNOWN
        name = last_name(call.func) or ""
        root = form.dotted(call.func) or ""
        if root.startswith(("model.", "hints.", "mapper.", "settings.", "logger.", "log.", "clause.")):
            return Choice.ALWAYS
        return Choice.STATE if _BY_STATE.search(name) else Choice.ALWAYS


def _is_rest(name: str, scope: Scope) -> bool:
    """Whether it holds all arguments that no other parameter takes."""
    variadic = (form.ParamKind.VAR_POSITIONAL, form.ParamKind.VAR_KEYWORD)
    return any(b.param is not None and b.param.kind in variadic for b in scope.lookup(name))


def _strongest(found: set[Choice]) -> Choice:
    """What counts of all that an expression depends on."""
    order = (Choice.STATE, Choice.CODE, Choice.UNKNOWN, Choice.MODEL)
    return next((choice for choice in order if choice in found), Choice.ALWAYS)


def _is_kept(value: object, project: Project) -> bool:
    """Whether it is something that each request or thread has a value of its own of."""
    if isinstance(value, Instance):
        if value.cls is not None:
            return project.is_subclass(value.cls, *_LOCALS)
        return value.type_name in _LOCALS
    if isinstance(value, External):
        return value.name.startswith(_OF_REQUESTS) or any(value.name.startswith(f"{kept}.") for kept in _LOCALS)
    return False


def _around(node: form.Expr, function: FunctionSymbol, tests: list[form.Expr]) -> form.Expr | None:
    """The test under which alone the function comes to the node: a list of tables that are read there."""
    for branch in way_to(function.node.body, node.start):
        if branch.turn is Turn.THEN and branch.test in tests:
            return branch.test
    for part in function.nodes:
        if isinstance(part, form.Conditional) and part.test in tests and part.body.start <= node.start < part.body.end:
            return part.test
    return None


def _tests(function: FunctionSymbol, before: int) -> list[form.Expr]:
    """All that the function asks before the offset."""
    found: list[form.Expr] = []
    for node in function.nodes:
        match node:
            case form.If(test=test) | form.Conditional(test=test) | form.While(test=test) if test.start < before:
                found.append(test)
            case form.Boolean(values=values) if node.start < before:
                found += values
            case form.Match() if node.start < before:
                found += [n for n in node.children() if not isinstance(n, form.Stmt)][:1]
    return found
