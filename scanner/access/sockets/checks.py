"""How a handler of WebSockets finds out who connects, and turns others away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.refusals.credentials import names_credentials
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.decorators import nested_functions
from assay.scanner.web.guard_names import names_a_check, names_a_guard

_CALLERS = frozenset(
    """user users auth authenticated authorized token jwt session ticket credentials credential identity key apikey
    cookie cookies permission permissions allowed anonymous login member account claims payload principal secret
    signature verify verified valid owner role authorization""".split()
)  # fmt: skip
_ASKING = frozenset({"login_required", "authenticated_only", "authenticated"})
_ORIGINS = frozenset({"origin", "origins"})
_LEAVING = frozenset(
    {"close", "disconnect", "abort", "send_error", "reject", "deny", "close_connection", "ConnectionRefusedError"}
)
_ACCEPTING = frozenset({"accept", "prepare", "ensure_open"})
_QUERY = frozenset({"query_params", "query_string", "args", "query", "get_argument", "get_query_argument"})
_DEEPEST = 3


@dataclass(frozen=True, slots=True)
class Checks:
    """What a handler asks of who connects: who they are, perhaps by a ticket in the query string, from which page."""

    identity: tuple[Evidence, ...] = ()
    is_ticket: bool = False
    origin: tuple[Evidence, ...] = ()
    hidden: tuple[Evidence, ...] = ()
    """Calls of checks that could not be followed."""
    only_closes: bool = False
    """It closes the connection whoever it is, and never accepts one."""


@remembered
def checks_of(handler: FunctionSymbol, project: Project) -> Checks:
    """In the handler, and in the functions of the project that it calls."""
    identity, origin, hidden = list[Evidence](), list[Evidence](), list[Evidence]()
    functions = list(_reached(handler, project, _DEEPEST, set()))
    for function in functions:
        for node in function.walk():
            found = _test(node, function)
            if found is None:
                continue
            evidence = function.module.evidence(found, "looks at who connects, and turns others away")
            names = _words_of(found)
            is_about_caller = not names.isdisjoint(_CALLERS) or names_credentials(found, function.scope, project)
            if not names.isdisjoint(_ORIGINS):
                origin.append(evidence)
            elif _is_in_talk(node, function):
                hidden += [evidence] if is_about_caller else []  # a message may say whatever it likes of its sender
            elif is_about_caller or isinstance(node, form.Try):
                identity.append(evidence)
    for node in handler.walk():
        name = last_name(node.func) if isinstance(node, form.Call) else None
        is_check = name is not None and (names_a_check(name) or names_a_guard(name))
        if isinstance(node, form.Call) and is_check and project.callee_function(node, handler.scope) is None:
            hidden.append(handler.module.evidence(node, f"{name} may turn callers away"))
    called = {last_name(node.func) for node in handler.walk() if isinstance(node, form.Call)}
    only_closes = _leaves(handler.node.body[-1]) and called.isdisjoint(_ACCEPTING) and "close" in called
    return Checks(tuple(identity), _reads_ticket(functions), tuple(origin), tuple(hidden), only_closes)


def asking_decorators(handler: FunctionSymbol) -> Iterator[Evidence]:
    """Libraries' decorators that let known callers through alone."""
    for node in handler.decorators:
        if last_name(node) in _ASKING:
            yield handler.module.evidence(node, "asks who is calling")


def wrappers_of(handler: FunctionSymbol, project: Project) -> Iterator[FunctionSymbol]:
    """What the project's own decorators run in place of the handler."""
    for node in handler.decorators:
        value = project.infer(node.func if isinstance(node, form.Call) else node, handler.outer)
        if isinstance(value, FunctionSymbol):
            yield from nested_functions(value)


def _reached(
    function: FunctionSymbol, project: Project, depth: int, seen: set[FunctionSymbol]
) -> Iterator[FunctionSymbol]:
    if function in seen or not depth:
        return
    seen.add(function)
    yield function
    for node in function.walk():
        callee = project.callee_function(node, function.scope) if isinstance(node, form.Call) else None
        if callee is not None:
            yield from _reached(callee, project, depth - 1, seen)


def _test(node: form.Expr | form.Stmt, function: FunctionSymbol) -> form.Expr | form.Stmt | None:
    """What decides that a caller is turned away: a condition, or what is tried."""
    match node:
        case form.If(test=test, body=body, orelse=orelse):
            if any(_leaves(statement) for statement in (*body, *orelse)) or _accepts_alone(node, function):
                return test
            return test if body and isinstance(body[-1], form.Return) and not _accepted(function, node) else None
        case form.Try(body=body, handlers=handlers):
            caught = [statement for handler in handlers if not _is_disconnect(handler) for statement in handler.body]
            if body and any(_leaves(statement) for statement in caught) and not _serves(body):
                return body[0]
        case form.Assert(test=test):
            return test
    return None


def _leaves(statement: form.Stmt) -> bool:
    """Raising, closing, or answering that the connection isn't made."""
    if isinstance(statement, form.Raise):
        return True
    if (
        isinstance(statement, form.Return)
        and isinstance(statement.value, form.Const)
        and statement.value.value is False
    ):
        return True
    value = statement.value if isinstance(statement, form.ExprStmt | form.Return) else None
    call = value.value if isinstance(value, form.Await) else value
    return isinstance(call, form.Call) and last_name(call.func) in _LEAVING


def _is_in_talk(node: form.Expr | form.Stmt, function: FunctionSymbol) -> bool:
    """Whether it stands in the loop that takes messages."""
    loops = (n for n in function.walk() if isinstance(n, form.While | form.For))
    return any(loop.start < node.start < loop.end and _receives(loop) for loop in loops)


def _receives(loop: form.While | form.For) -> bool:
    calls = (last_name(n.func) or "" for n in form.walk(loop) if isinstance(n, form.Call))
    return any(name.startswith(("receive", "recv", "iter_")) for name in calls)


def _accepts_alone(node: form.If, function: FunctionSymbol) -> bool:
    """`if user.is_authenticated: await self.accept()`: a connection that nobody accepts is refused."""
    accepting = [n for n in function.walk() if isinstance(n, form.Call) and last_name(n.func) == "accept"]
    return bool(accepting) and not node.orelse and all(node.start < call.start < node.end for call in accepting)


def _accepted(function: FunctionSymbol, before: form.Stmt) -> bool:
    """Whether the connection is made in front of the statement."""
    calls = (node for node in function.walk() if isinstance(node, form.Call) and last_name(node.func) in _ACCEPTING)
    return any(call.start < before.start for call in calls)


def _is_disconnect(handler: form.Handler) -> bool:
    return handler.type is not None and "Disconnect" in (last_name(handler.type) or "")


def _serves(body: list[form.Stmt]) -> bool:
    """Whether what is tried is the talk itself, which any failure ends."""
    return any(isinstance(node, form.While | form.For) for statement in body for node in form.walk(statement))


def _words_of(node: form.Expr | form.Stmt) -> set[str]:
    found = set[str]()
    for inner in form.walk(node):
        name = last_name(inner) if isinstance(inner, form.Name | form.Attr) else None
        if isinstance(inner, form.Const) and isinstance(inner.value, str):
            name = inner.value
        found |= set(words(name)) if name is not None else set()
    return found


def _reads_ticket(functions: list[FunctionSymbol]) -> bool:
    """`websocket.query_params["token"]`, or `token: str = Query()`."""
    for function in functions[:1]:
        for param in function.parameters:
            default = param.default
            is_query = isinstance(default, form.Call) and last_name(default.func) == "Query"
            if is_query and not _CALLERS.isdisjoint(words(param.name)):
                return True
    return any(
        isinstance(node, form.Attr) and node.attr in _QUERY for function in functions for node in function.walk()
    )
