"""Replies: what a function answers with, each with its status and its body, followed through helpers and names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from assay.scanner.dataflow.blocks import Block, ModuleBlocks
from assay.scanner.dataflow.constants import Given, int_value
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.dataflow.responses.filled import changed_keys
from assay.scanner.dataflow.responses.statuses import (
    body_arguments,
    error_status,
    folded,
    is_abort,
    is_response,
    response_status,
)
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Module, Scope
from assay.scanner.readers.python import form

_DEEPEST = 3
"""Helpers that an answer is followed through."""
_RESPONSE_NAMES = frozenset({"response", "resp", "res"})
_TRANSPARENT = frozenset({"jsonify", "dumps", "JSONRenderer", "jsonable_encoder", "str"})
"""What only writes its argument down."""
_NOTHING: Given = {}


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """One way in which code answers.

    `site` is the expression that says so. `status` is None where it can't be told, and where the code states none and
    leaves it to the framework (`is_stated` is False). `bodies` are what the client gets to see. `raised` is set for an
    error that is raised.
    """

    site: Sited
    status: int | None
    is_stated: bool
    bodies: tuple[Sited, ...]
    given: Given
    raised: bool = False

    def status_or(self, default: int) -> int | None:
        """The status, where the framework answers with `default` if the code states none."""
        return self.status if self.is_stated else default


class Replies:
    """What functions of one project answer with."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._blocks: dict[Module, ModuleBlocks] = {}
        self._setting: dict[FunctionSymbol, bool] = {}

    def block(self, module: Module, offset: int) -> Block:
        """The statements in whose midst the offset is."""
        if module not in self._blocks:
            self._blocks[module] = ModuleBlocks(module)
        return self._blocks[module].innermost(offset)

    def of_function(self, function: FunctionSymbol) -> Iterator[Reply]:
        """What it returns, raises, aborts with, or puts into a response that it was given."""
        for node in function.nodes:
            yield from self.of_statement(node, function.scope)

    def of_statement(self, node: form.Expr | form.Stmt, scope: Scope) -> Iterator[Reply]:
        """The answers that one statement gives; none for most."""
        match node:
            case form.Return(value=value) if value is not None:
                yield from self.of_value(value, scope)
            case form.Raise(exc=exc) if exc is not None:
                yield from self._raised(exc, scope)
            case form.ExprStmt(value=form.Call() as call) if is_abort(call, scope, self._project):
                yield from self._raised(call, scope)
            case form.ExprStmt(value=form.Call(func=form.Attr(attr="write" | "finish") as func) as call) if (
                form.dotted(func.value) == "self" and call.args and scope.function is not None
            ):
                yield self._put(call.args[0].value, scope)
            case form.Assign(targets=[form.Attr(value=owner, attr="media")], value=value) if (
                value is not None and last_name(owner) in _RESPONSE_NAMES
            ):
                yield self._put(value, scope)

    def of_value(self, node: form.Expr, scope: Scope, given: Given = _NOTHING, depth: int = _DEEPEST) -> list[Reply]:
        """What it comes to when a handler returns the value."""
        match node:
            case form.Await(value=inner):
                return self.of_value(inner, scope, given, depth)
            case form.Conditional(body=body, orelse=orelse):
                return self.of_value(body, scope, given, depth) + self.of_value(orelse, scope, given, depth)
            case form.Display(kind="tuple", items=[first, second, *_]):
                return self._of_tuple(node, first, second, scope, given, depth)
            case form.Name():
                return self._of_name(node, scope, given, depth)
            case form.Call():
                return self._of_call(node, scope, given, depth)
        return [self._plain(node, scope, given)]

    # --- values ---

    def _plain(self, node: form.Expr, scope: Scope, given: Given) -> Reply:
        status, is_stated = self._set_beside(node, scope)
        return Reply(Sited(node, scope), status, is_stated, (Sited(node, scope),), given)

    def _put(self, node: form.Expr, scope: Scope) -> Reply:
        return self._plain(node, scope, _NOTHING)

    def _of_tuple(
        self, node: form.Expr, first: form.Expr, second: form.Expr, scope: Scope, given: Given, depth: int
    ) -> list[Reply]:
        code = int_value(first, scope, self._project, given)
        if code is not None and 100 <= code <= 599:  # Django Ninja's way round
            return [Reply(Sited(node, scope), code, True, (Sited(second, scope),), given)]
        inner = self.of_value(first, scope, given, depth)
        if isinstance(second, form.Dict):
            return inner
        status = folded(second, scope, self._project, given)
        site = Sited(node, scope)
        return [replace(reply, site=site, status=status, is_stated=True) for reply in inner]

    def _of_name(self, node: form.Name, scope: Scope, given: Given, depth: int) -> list[Reply]:
        bindings = scope.lookup(node.id, node.start)
        known = given.get((bindings[0].scope, node.id)) if bindings else None
        if known is not None and depth:
            return self.of_value(*known, _NOTHING, depth - 1)
        local = [b for b in bindings if b.scope is scope and b.how is How.ASSIGN and b.value is not None]
        before = [b for b in local if b.offset < node.start]
        if before and self._asked_about(node, scope):
            return [Reply(Sited(node, scope), None, True, (), given)]
        is_filled = scope.function is not None and node.id in changed_keys(scope.function)
        if not before or not depth or len(local) != len(bindings) or is_filled:
            return [self._plain(node, scope, given)]
        found = [
            reply
            for binding in before
            if binding.value is not None
            for reply in self.of_value(binding.value, scope, given, depth - 1)
        ]
        status, is_set = self._set_on(node, scope)
        return [replace(r, status=status, is_stated=True) for r in found] if is_set else found

    def _asked_about(self, name: form.Name, scope: Scope) -> bool:
        """Whether a condition around asks what the name holds: only some of what was assigned gets there."""
        for block in self.block(scope.module, name.start).within_function():
            if isinstance(block.header, form.If):
                asked = (n for n in form.walk(block.header.test) if isinstance(n, form.Name))
                if any(n.id == name.id for n in asked):
                    return True
        return False

    def _of_call(self, call: form.Call, scope: Scope, given: Given, depth: int) -> list[Reply]:
        project = self._project
        name = last_name(call.func) or ""
        if is_response(call, scope, project):
            return self._of_response(call, scope, given, depth)
        function = project.callee_function(call, scope)
        if function is not None and function.name != "__init__" and depth and function.returns:
            handed = arguments(call, scope, function, project)
            return [
                self._as_called(reply, call, scope, handed)
                for returned in function.returns
                if returned.value is not None
                for reply in self.of_value(returned.value, function.scope, handed, depth - 1)
            ]
        if name in _TRANSPARENT and call.args:
            return self._of_bodies(call, [a.value for a in call.args], scope, given)
        return [self._plain(call, scope, given)]

    def _as_called(self, reply: Reply, call: form.Call, scope: Scope, handed: Given) -> Reply:
        """A helper whose status or body comes from its caller answers there."""
        names = {n.id for n in form.walk(reply.site.node) if isinstance(n, form.Name)}
        depends = any(owner is reply.site.scope and name in names for owner, name in handed)
        return replace(reply, site=Sited(call, scope)) if depends else reply

    def _of_response(self, call: form.Call, scope: Scope, given: Given, depth: int) -> list[Reply]:
        status, is_stated = response_status(call, scope, self._project, given)
        bodies = body_arguments(call)
        if last_name(call.func) == "make_response" and bodies:
            inner = self.of_value(bodies[0], scope, given, depth)
            return [
                replace(r, site=Sited(call, scope), status=status, is_stated=True) if is_stated else r for r in inner
            ]
        if not is_stated:
            status, is_stated = self._set_beside(call, scope)
        cls = self._project.infer(call.func, scope)
        if isinstance(cls, ClassSymbol):
            own = self._of_own_response(call, cls, scope, (status, is_stated))
            if own is not None:
                return [own]
            bodies = [call] if bodies else []
        return [
            Reply(
                Sited(call, scope),
                status,
                is_stated,
                tuple(Sited(b, scope) for b in self._as_dict(call, bodies)),
                given,
            )
        ]

    def _of_own_response(
        self, call: form.Call, cls: ClassSymbol, scope: Scope, said: tuple[int | None, bool]
    ) -> Reply | None:
        """`Refused("no such order")`, of a class of the project: what its `__init__` hands on to the library's."""
        init = self._project.method(cls, "__init__")
        calls = (n for n in init.nodes if isinstance(n, form.Call)) if init is not None else ()
        handed_on = next((n for n in calls if last_name(n.func) == "__init__" and n.args), None)
        if init is None or handed_on is None:
            return None
        handed = arguments(call, scope, init, self._project)
        status, is_stated = response_status(handed_on, init.scope, self._project, handed)
        if not is_stated:
            status, is_stated = said
        bodies = tuple(Sited(body, init.scope) for body in body_arguments(handed_on))
        return Reply(Sited(call, scope), status, is_stated, bodies, handed)

    def _of_bodies(self, call: form.Call, bodies: list[form.Expr], scope: Scope, given: Given) -> list[Reply]:
        status, is_stated = self._set_beside(call, scope)
        found = tuple(Sited(b, scope) for b in self._as_dict(call, bodies))
        return [Reply(Sited(call, scope), status, is_stated, found, given)]

    def _as_dict(self, call: form.Call, bodies: list[form.Expr]) -> list[form.Expr]:
        """`jsonify(error="...")` is the dict of its named arguments."""
        if last_name(call.func) != "jsonify" or any(a.name is None for a in call.args):
            return bodies
        return [call]

    # --- errors ---

    def _raised(self, exc: form.Expr, scope: Scope) -> Iterator[Reply]:
        is_http, status = error_status(exc, scope, self._project)
        if not is_http:
            return
        call = exc if isinstance(exc, form.Call) else None
        bodies = tuple(Sited(b, scope) for b in body_arguments(call)) if call is not None else ()
        yield Reply(Sited(exc, scope), status, True, bodies, _NOTHING, raised=True)

    # --- statuses that statements set ---

    # Each with whether one is set at all: None and True where it is and can't be told.

    def _set_on(self, name: form.Name, scope: Scope) -> tuple[int | None, bool]:
        """`response.status_code = 404` before `return response`: the nearest one in the same statements."""
        return self._status_set(name, scope, lambda owner: last_name(owner) == name.id)

    def _set_beside(self, node: form.Expr, scope: Scope) -> tuple[int | None, bool]:
        """The status that a statement near by gives the response which the framework handed in."""
        return self._status_set(node, scope, lambda owner: _is_handed_in(owner, scope))

    def _sets_statuses(self, function: FunctionSymbol) -> bool:
        if function not in self._setting:
            self._setting[function] = any(_status_setting(n, lambda _: True) is not None for n in function.nodes)
        return self._setting[function]

    def _status_set(
        self, node: form.Expr, scope: Scope, is_meant: Callable[[form.Expr], bool]
    ) -> tuple[int | None, bool]:
        if scope.function is None or not self._sets_statuses(scope.function):
            return None, False
        for block in self.block(scope.module, node.start).within_function():
            found: tuple[int, form.Expr] | None = None
            for statement in block.body:
                setting = _status_setting(statement, is_meant)
                if setting is not None and (statement.start < node.start or found is None):
                    found = statement.start, setting
            if found is not None:
                return folded(found[1], scope, self._project), True
        return None, False


def _is_handed_in(owner: form.Expr, scope: Scope) -> bool:
    """Whether it is the response that the framework gives the handler: a parameter, its own attribute, a global."""
    if last_name(owner) not in _RESPONSE_NAMES:
        return False
    bindings = scope.lookup(owner.id, owner.start) if isinstance(owner, form.Name) else ()
    return not any(b.scope is scope and b.how is not How.PARAMETER for b in bindings)


def _status_setting(statement: form.Expr | form.Stmt, is_meant: Callable[[form.Expr], bool]) -> form.Expr | None:
    match statement:
        case form.Assign(targets=[form.Attr(value=owner, attr="status_code" | "status")], value=value) if is_meant(
            owner
        ):
            return value
        case form.ExprStmt(value=form.Call(func=form.Attr(attr="set_status") as func, args=[first, *_])) if (
            form.dotted(func.value) == "self"
        ):
            return first.value
    return None
