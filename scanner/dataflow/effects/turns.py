"""Which parts of a function run for one method of a request."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from assay.scanner.dataflow.asked import Asked
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form

Spans = tuple[tuple[int, int], ...]
_SENT_BY_FORMS = frozenset({"POST", "FILES"})
_BODIES = frozenset({"POST", "FILES", "form", "files", "json", "data", "body"})
_TELLING = _BODIES | {"method"}
_OF_SUBMITTED_FORMS = frozenset({"validate_on_submit", "is_submitted"})
_OF_BODIES = frozenset({"POST", "FILES", "form", "files"})
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH", "ANY"})


@lru_cache(maxsize=8192)
def tests_method(function: FunctionSymbol) -> bool:
    """Whether the function asks by which method it was called, or reads what only some methods send."""
    return any(_tells(node) for node in function.nodes)


def _tells(node: form.Expr | form.Stmt) -> bool:
    match node:
        case form.Attr(attr=attr, value=owner):
            return attr in _TELLING and (attr == "method" or last_name(owner) == "request")
        case form.Call(func=form.Attr(attr=name)):
            return name == "get_json" or name in _OF_SUBMITTED_FORMS
    return False


def _is_about(test: form.Expr) -> bool:
    return any(
        (isinstance(node, form.Attr) and node.attr in ("method", *_SENT_BY_FORMS))
        or (isinstance(node, form.Call) and last_name(node.func) in _OF_SUBMITTED_FORMS)
        for node in form.walk(test)
    )


@remembered
def hangs_on_method(function: FunctionSymbol, project: Project) -> bool:
    """Whether the function, or one that it asks in a condition, tests by which method it was called."""
    return tests_method(function) or any(tests_method(each) for each in _asked_in_conditions(function, project))


def _asked_in_conditions(function: FunctionSymbol, project: Project) -> Iterator[FunctionSymbol]:
    """`if await form.is_submitted_and_valid():`."""
    for node in function.nodes:
        for part in _parts(node.test) if isinstance(node, form.If) else ():
            call = _answering(part)
            callee = project.callee_function(call, function.scope) if call is not None else None
            if callee is not None:
                yield callee


def _parts(test: form.Expr) -> list[form.Expr]:
    """What `and` and `or` join."""
    return [part for value in test.values for part in _parts(value)] if isinstance(test, form.Boolean) else [test]


def _answering(test: form.Expr) -> form.Call | None:
    """The call whose answer the test is, or the opposite of it."""
    while isinstance(test, form.Unary | form.Await):
        test = test.operand if isinstance(test, form.Unary) else test.value
    return test if isinstance(test, form.Call) else None


def unreached(function: FunctionSymbol, asked: Asked, project: Project, *, takes_bodies: bool = False) -> Spans:
    """The stretches of the function that don't run when it is asked that way.

    A handler that also `takes_bodies`, with another method, comes to nothing with GET where it works on one.
    """
    if asked.method == "ANY" or not hangs_on_method(function, project):
        return ()
    return tuple(_Turns(function, asked, project, takes_bodies and asked.method == "GET").of(function.node.body))


class _Turns:
    """Walks one function for one way of asking."""

    def __init__(self, function: FunctionSymbol, asked: Asked, project: Project, needs_body: bool) -> None:
        self._function = function
        self._asked = asked
        self._project = project
        self._needs_body = needs_body

    def of(self, body: list[form.Stmt]) -> Iterator[tuple[int, int]]:
        for index, statement in enumerate(body):
            rest = body[index + 1 :]
            if isinstance(statement, form.If):
                outcome = self._outcome(statement.test)
                if outcome is None:
                    yield from self.of(statement.body)
                    yield from self.of(statement.orelse)
                    continue
                alive, dead = (statement.body, statement.orelse) if outcome else (statement.orelse, statement.body)
                if dead:
                    yield dead[0].start, dead[-1].end
                yield from self.of(alive)
                if alive and _leaves(alive) and rest:
                    yield rest[0].start, rest[-1].end
                    return
            elif isinstance(statement, form.Match) and _is_about(statement.subject):
                yield from _cases(statement, self._asked.method)
            else:
                for inner in _blocks(statement):
                    yield from self.of(inner)
                if self._needs_body and rest and _reads_body(statement):
                    yield rest[0].start, rest[-1].end
                    return

    def _outcome(self, test: form.Expr) -> bool | None:
        match test:
            case form.Unary(op="not", operand=operand):
                inner = self._outcome(operand)
                return None if inner is None else not inner
            case form.Boolean(op=op, values=values):
                parts = [self._outcome(value) for value in values]
                if (op == "or") in parts:
                    return op == "or"
                return None if None in parts else op != "or"
            case form.Call(func=func) if last_name(func) in _OF_SUBMITTED_FORMS:
                return self._unless_sent()
            case form.Compare(left=left, ops=["is not" | "!="], rights=[form.Const(value=None | "")]):
                return self._outcome(left)
            case form.Compare(left=form.Const(value=str()), ops=["in"], rights=[jar]):
                return self._unless_sent() if _is_from_body(jar) else None
            case form.Name(id=name):
                given = [b.value for b in self._function.scope.bindings.get(name, ())]
                if given and all(value is not None and _is_from_body(value) for value in given):
                    return self._unless_sent()
                match given:
                    case [form.Compare() as told] if _is_about(told):
                        return self._asked.turns_out(told, self._function.scope, self._project)
                return None
            case form.Attr() | form.Call() if _is_from_body(test):
                return self._unless_sent()
        outcome = self._asked.turns_out(test, self._function.scope, self._project)
        return False if outcome is None and self._says_no(test) else outcome

    def _says_no(self, test: form.Expr) -> bool:
        """Whether it is a call of a function of the project that says no to all who ask that way."""
        call = _answering(test)
        callee = self._project.callee_function(call, self._function.scope) if call is not None else None
        if callee is None or not tests_method(callee):
            return False
        dead = unreached(callee, self._asked, self._project)
        answers = [r.value for r in callee.returns if not any(a <= r.start < b for a, b in dead)]
        return bool(dead) and all(a is None or (isinstance(a, form.Const) and not a.value) for a in answers)

    def _unless_sent(self) -> bool | None:
        """False where no body is sent, as by GET; else it hangs on the client."""
        return None if self._asked.method in _BODY_METHODS else False


def _is_from_body(node: form.Expr) -> bool:
    """`request.POST`, `request.form.get("name")`: empty without a body."""
    match node:
        case form.Attr(attr=attr):
            return attr in _SENT_BY_FORMS or (attr in _OF_BODIES and last_name(node.value) == "request")
        case form.Call(func=form.Attr(value=jar, attr="get" | "getlist"), args=[_]):
            return isinstance(jar, form.Attr) and _is_from_body(jar)
    return False


def _reads_body(statement: form.Stmt) -> bool:
    """Whether the statement works on what is sent: `json.loads(request.body)`, `Form(request.POST)`."""
    return any(
        (isinstance(node, form.Attr) and node.attr in _BODIES and last_name(node.value) == "request")
        or (isinstance(node, form.Call) and last_name(node.func) == "get_json")
        for node in form.walk(statement, into_definitions=False)
    )


def _cases(statement: form.Match, method: str) -> Iterator[tuple[int, int]]:
    for case in statement.cases:
        named = [value.value for value in case.values if isinstance(value, form.Const)]
        if named and method not in named and case.body:
            yield case.body[0].start, case.body[-1].end


def _blocks(statement: form.Stmt) -> Iterator[list[form.Stmt]]:
    match statement:
        case form.With(body=body):
            yield body
        case form.For(body=body, orelse=orelse) | form.While(body=body, orelse=orelse):
            yield body
            yield orelse
        case form.Try(body=body, handlers=handlers, orelse=orelse, final=final):
            yield from (body, *(h.body for h in handlers), orelse, final)


def _leaves(body: list[form.Stmt]) -> bool:
    return isinstance(body[-1], form.Return | form.Raise) or (
        isinstance(body[-1], form.ExprStmt)
        and isinstance(body[-1].value, form.Call)
        and last_name(body[-1].value.func) == "abort"
    )
