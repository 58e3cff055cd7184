"""What a handler answers while one of its dependencies is down: its paths, walked with that one call raising.

Values are known only as far as status codes and the flags that decide between them need. A test that can't be told and
looks at what the failure changed is taken to be the one that reports it; any other test goes both ways.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from assay.scanner.dataflow.constants import Scalar, constant
from assay.scanner.dataflow.dependencies import System, Touch, system_of_exception, words
from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_MOST_PATHS = 64
_DEEPEST = 4
_STATUS_ATTRIBUTES = frozenset({"status_code", "status"})
_STATUS_SET = "*status"
"""The name under which a status is kept that was set on the injected response, which isn't what is returned."""
_STATUS_POSITION = {"HttpResponse": 2, "JsonResponse": 9, "json_response": 9, "jsonify": 9, "json": 1, "text": 1}
_RESPONSES_BY_NAME = {
    "HttpResponseServerError": 500, "HttpResponseBadRequest": 400, "HttpResponseNotFound": 404,
    "HttpResponseForbidden": 403, "HTTPServiceUnavailable": 503, "HTTPInternalServerError": 500, "HTTPOk": 200,
}  # fmt: skip
_RESPONSE_MAKERS = frozenset({"make_response", "json_response", "jsonify", "json", "text"})
_BROAD = frozenset({"builtins.Exception", "builtins.BaseException"})
_OS_ERRORS = frozenset(
    f"builtins.{name}" for name in ("OSError", "IOError", "ConnectionError", "ConnectionRefusedError", "TimeoutError")
)
_DATABASE_ERRORS = words(
    """OperationalError DatabaseError SQLAlchemyError InterfaceError DBAPIError RedisError PyMongoError
    ServerSelectionTimeoutError RequestException HTTPError"""
)
_SAME_KIND = (
    {System.SQL},
    {System.DOCUMENTS},
    {System.REDIS, System.CACHE, System.BROKER},
    {System.REMOTE, System.SEARCH},
)


class Answer(Enum):
    """What the caller learns of the failure."""

    REPORTS = auto()
    LIES = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Outage:
    """`caught` is the `except` clause that the failure ends in, where there is one."""

    answer: Answer
    caught: Evidence | None = None


@dataclass(frozen=True, slots=True)
class _Value:
    """`changed` is set where it may differ from what it is on a good day; `status` where it is a response.
    `is_plain` says that it is data, which a framework answers with 200.
    """

    scalar: Scalar = None
    known: bool = False
    changed: bool = False
    is_response: bool = False
    is_plain: bool = False
    status: int | None = None
    parts: tuple[_Value, ...] = ()

    @property
    def truth(self) -> bool | None:
        if self.known:
            return bool(self.scalar)
        return True if self.is_response else None


_NOTHING = _Value()


class _End(Enum):
    RETURNED = auto()
    RAISED = auto()
    LEFT_LOOP = auto()


@dataclass(frozen=True, slots=True, eq=False)
class _Path:
    """One way through a body. `outage` is set while the failure itself is what is being raised; `met` once it was."""

    names: Mapping[str, _Value]
    results: Mapping[form.Call, _Value] = field(default_factory=dict)
    end: _End | None = None
    value: _Value = _NOTHING
    caught: Evidence | None = None
    met: bool = False
    outage: bool = False
    handling: bool = False
    told: bool = False

    def put(self, name: str, value: _Value) -> _Path:
        return replace(self, names={**self.names, name: value})

    def raised(self, outage: bool) -> _Path:
        return replace(self, end=_End.RAISED, outage=outage, met=self.met or outage)


def outage(handler: FunctionSymbol, touch: Touch, project: Project) -> Outage:
    """What the handler answers when the call of `touch` raises."""
    if touch.injected:
        return Outage(Answer.REPORTS)  # the framework makes the call, before any `except` of the handler
    paths = [p for p in _Walk(touch, project).function(handler, {}, 0) if p.met]
    if not paths:
        return Outage(Answer.UNKNOWN)
    judged = [(_answer(p), p) for p in paths]
    if any(p.told and answer is Answer.REPORTS for answer, p in judged):
        judged = [(answer, p) for answer, p in judged if not p.told or answer is Answer.REPORTS]
    for wanted in (Answer.LIES, Answer.UNKNOWN):
        for answer, path in judged:
            if answer is wanted:
                return Outage(answer, path.caught)
    return Outage(Answer.REPORTS)


def _answer(path: _Path) -> Answer:
    if path.end is _End.RAISED:
        return Answer.REPORTS
    if path.end is not _End.RETURNED:
        return Answer.UNKNOWN
    value = path.value
    if value.status is None:
        return Answer.REPORTS if value.changed else Answer.UNKNOWN
    return Answer.LIES if 200 <= value.status < 300 else Answer.REPORTS


class _Walk:
    """Walks functions along the chain that leads to the failing call."""

    def __init__(self, touch: Touch, project: Project) -> None:
        self._touch = touch
        self._project = project
        self._chain = set(touch.via)

    def function(self, function: FunctionSymbol, arguments: Mapping[str, _Value], depth: int) -> list[_Path]:
        paths = self._body(function.node.body, [_Path(arguments)], function.scope, depth)
        return [p if p.end is not None or depth == 0 else replace(p, end=_End.RETURNED) for p in paths]

    def _body(self, body: Iterable[form.Stmt], paths: list[_Path], scope: Scope, depth: int) -> list[_Path]:
        done: list[_Path] = []
        for statement in body:
            following: list[_Path] = []
            for path in paths:
                if path.end is not None:
                    done.append(path)
                else:
                    following += self._statement(statement, path, scope, depth)
            paths = following[:_MOST_PATHS]
        return done + paths

    def _statement(self, node: form.Stmt, path: _Path, scope: Scope, depth: int) -> list[_Path]:
        if isinstance(node, form.Try):
            return self._try(node, path, scope, depth)
        ready: list[_Path] = []
        ended: list[_Path] = []
        for candidate in self._calls(node, path, scope, depth):
            (ended if candidate.end is not None else ready).append(candidate)
        if isinstance(node, form.With) and self._suppresses(node, scope):
            inside = [p for r in ready for p in self._body(node.body, [r], scope, depth)]
            return ended + [
                replace(p, end=None, outage=False, caught=self._place(node, scope)) if p.end is _End.RAISED else p
                for p in inside
            ]
        return ended + [p for r in ready for p in self._run(node, r, scope, depth)]

    def _run(self, node: form.Stmt, path: _Path, scope: Scope, depth: int) -> list[_Path]:
        match node:
            case form.Return(value=value):
                given = self._eval(value, path, scope, depth) if value is not None else _Value(known=True)
                return [replace(path, end=_End.RETURNED, value=self._returned(given, path))]
            case form.Raise():
                return [path.raised(outage=node.exc is None and path.handling)]
            case form.Jump(keyword="break" | "continue"):
                return [replace(path, end=_End.LEFT_LOOP)]
            case form.Assign(targets=targets, value=value) if value is not None:
                given = self._eval(value, path, scope, depth)
                for target in targets:
                    path = self._assign(target, given, path)
                return [path]
            case form.AugAssign(target=target, value=value):
                changed = path.handling or self._eval(value, path, scope, depth).changed
                return [self._assign(target, _Value(changed=changed), path)]
            case form.ExprStmt(value=value):
                return [self._expression(value, path, scope, depth)]
            case form.If(test=test, body=body, orelse=orelse):
                return self._fork(test, body, orelse, path, scope, depth)
            case form.For() | form.While():
                paths = self._body(node.body, [path], scope, depth)
                paths = [replace(p, end=None) if p.end is _End.LEFT_LOOP else p for p in paths]
                return self._body(node.orelse, paths, scope, depth)
            case form.With(body=body):
                return self._body(body, [path], scope, depth)
            case form.Match(cases=cases):
                return [p for case in cases for p in self._body(case.body, [path], scope, depth)] or [path]
        return [path]

    def _fork(
        self, test: form.Expr, body: list[form.Stmt], orelse: list[form.Stmt], path: _Path, scope: Scope, depth: int
    ) -> list[_Path]:
        given = self._eval(test, path, scope, depth)
        if given.truth is not None:
            return self._body(body if given.truth else orelse, [path], scope, depth)
        path = replace(path, told=path.told or given.changed)
        return self._body(body, [path], scope, depth) + self._body(orelse, [path], scope, depth)

    def _try(self, node: form.Try, path: _Path, scope: Scope, depth: int) -> list[_Path]:
        paths: list[_Path] = []
        for tried in self._body(node.body, [path], scope, depth):
            handler = self._handler(node, tried, scope) if tried.end is _End.RAISED else None
            if handler is not None:
                paths += self._handle(handler, tried, scope, depth)
            else:
                paths += self._body(node.orelse, [tried], scope, depth) if tried.end is None else [tried]
        if not node.final:
            return paths
        return [p for one in paths for p in self._finally(node.final, one, scope, depth)]

    def _handle(self, handler: form.Handler, path: _Path, scope: Scope, depth: int) -> list[_Path]:
        caught = self._place(handler, scope) if path.outage else path.caught
        inside = replace(path, end=None, outage=False, handling=True, caught=caught)
        if handler.name is not None:
            inside = inside.put(handler.name, _Value(changed=True))
        return [replace(p, handling=path.handling) for p in self._body(handler.body, [inside], scope, depth)]

    def _finally(self, body: list[form.Stmt], path: _Path, scope: Scope, depth: int) -> list[_Path]:
        """The statements run whatever happened; what had happened goes on unless they return or raise themselves."""
        after = self._body(body, [replace(path, end=None)], scope, depth)
        return [replace(p, end=path.end, value=path.value, outage=path.outage) if p.end is None else p for p in after]

    def _handler(self, node: form.Try, path: _Path, scope: Scope) -> form.Handler | None:
        return next((h for h in node.handlers if self._catches(h.type, path.outage, scope)), None)

    def _catches(self, caught: form.Expr | None, is_outage: bool, scope: Scope) -> bool:
        if caught is None:
            return True
        if isinstance(caught, form.Display):
            return any(self._catches(item, is_outage, scope) for item in caught.items)
        value = self._project.infer(caught, scope)
        if not isinstance(value, External):
            return value is None and is_outage and last_name(caught) in _DATABASE_ERRORS
        if value.name in _BROAD:
            return True
        if not is_outage:
            return last_part(value.name) == "HTTPException"
        if value.name in _OS_ERRORS:
            return self._touch.system in (System.REMOTE, System.BROKER)
        told = system_of_exception(value.name)
        return told is not None and any({told, self._touch.system} <= kind for kind in _SAME_KIND)

    def _suppresses(self, node: form.With, scope: Scope) -> bool:
        for item in node.items:
            call = item.value
            if isinstance(call, form.Call) and self._project.callee_name(call, scope) == "contextlib.suppress":
                return any(self._catches(argument.value, True, scope) for argument in call.args)
        return False

    def _place(self, node: form.Handler | form.With, scope: Scope) -> Evidence:
        end = node.body[0].start if node.body else node.end
        if isinstance(node, form.Handler):
            end = node.type.end if node.type is not None else node.start + len("except")
        return Evidence(scope.module.span(node.start, end), "the failure of a dependency ends here")

    # --- calls that fail, or lead to the one that does ---

    def _calls(self, node: form.Stmt, path: _Path, scope: Scope, depth: int) -> list[_Path]:
        """The path after the calls in the statement's own expressions."""
        paths = [path]
        calls = _own_calls(node)
        handed_over = {n for c in calls if _returns_exceptions(c) for n in form.walk(c) if isinstance(n, form.Call)}
        for call in calls:
            tolerant = call in handed_over
            if call is self._touch.node:
                paths = [self._failed(call, p, tolerant) for p in paths]
            elif self._is_abort(call, scope):
                paths = [p.raised(outage=False) if p.end is None else p for p in paths]
            else:
                callee = self._on_the_way(call, scope)
                if callee is not None and depth < _DEEPEST:
                    paths = [q for p in paths for q in self._enter(call, callee, p, scope, depth, tolerant)]
        return paths

    def _failed(self, call: form.Call, path: _Path, tolerant: bool) -> _Path:
        """The failing call was made; a second try on the same path is taken to succeed."""
        if path.end is not None or path.met:
            return path
        if tolerant:
            return replace(path, met=True, results={**path.results, call: _Value(changed=True)})
        return path.raised(outage=True)

    def _is_abort(self, call: form.Call, scope: Scope) -> bool:
        return last_name(call.func) == "abort" and not isinstance(self._project.infer(call.func, scope), FunctionSymbol)

    def _on_the_way(self, call: form.Call, scope: Scope) -> FunctionSymbol | None:
        """The function that the call runs, if it leads to the failing call: called, or handed over to be called."""
        for expression in (call.func, *(a.value for a in call.args)):
            value = self._project.infer(expression, scope)
            if isinstance(value, ClassSymbol):
                value = self._project.method(value, "__init__")
            function = value.function if isinstance(value, BoundMethod) else value
            if isinstance(function, FunctionSymbol) and function in self._chain and function is not scope.function:
                return function
        return None

    def _enter(
        self, call: form.Call, callee: FunctionSymbol, path: _Path, scope: Scope, depth: int, tolerant: bool
    ) -> Iterator[_Path]:
        if path.end is not None:
            yield path
            return
        arguments = self._arguments(call, callee, path, scope, depth)
        for ended in self.function(callee, arguments, depth + 1):
            if ended.end is _End.RAISED and not tolerant:
                yield replace(path, end=ended.end, outage=ended.outage, met=path.met or ended.met, caught=ended.caught)
                continue
            value = replace(ended.value, changed=True) if ended.end is _End.RETURNED else _Value(changed=True)
            results = {**path.results, call: value}
            yield replace(path, results=results, met=path.met or ended.met, caught=ended.caught or path.caught)

    def _arguments(
        self, call: form.Call, callee: FunctionSymbol, path: _Path, scope: Scope, depth: int
    ) -> dict[str, _Value]:
        found = {}
        for param in callee.parameters:
            argument = self._project.bound_argument(call, callee, param)
            if argument is not None:
                found[param.name] = self._eval(argument, path, scope, depth)
            elif param.default is not None:
                found[param.name] = self._eval(param.default, path, callee.outer, depth)
        return found

    # --- values ---

    def _assign(self, target: form.Expr, given: _Value, path: _Path) -> _Path:
        if path.handling:
            given = replace(given, changed=True)
        match target:
            case form.Name(id=name):
                return path.put(name, given)
            case form.Display(items=items):
                for place, item in enumerate(items):
                    part = given.parts[place] if place < len(given.parts) else _Value(changed=given.changed)
                    path = self._assign(item, part, path)
                return path
            case form.Attr(value=base, attr=attr) if attr in _STATUS_ATTRIBUTES:
                status = given.scalar if given.known and isinstance(given.scalar, int) else None
                response = _Value(is_response=True, status=status, changed=given.changed)
                return path.put(form.dotted(base) or _STATUS_SET, response).put(_STATUS_SET, response)
            case form.Attr():
                path_of = form.dotted(target)
                return path.put(path_of, given) if path_of is not None else path
            case form.Subscript(value=base):
                return self._mutated(base, given.changed, path)
        return path

    def _mutated(self, base: form.Expr, changed: bool, path: _Path) -> _Path:
        while isinstance(base, form.Subscript):
            base = base.value
        name = form.dotted(base)
        if name is None:
            return path
        before = path.names.get(name, _NOTHING)
        return path.put(name, replace(before, known=False, changed=before.changed or changed))

    def _expression(self, node: form.Expr, path: _Path, scope: Scope, depth: int) -> _Path:
        """A method called for its effect may change its receiver."""
        inner = node.value if isinstance(node, form.Await) else node
        if not isinstance(inner, form.Call) or not isinstance(inner.func, form.Attr):
            return path
        changed = path.handling or any(self._eval(a.value, path, scope, depth).changed for a in inner.args)
        return self._mutated(inner.func.value, changed, path) if changed else path

    def _returned(self, given: _Value, path: _Path) -> _Value:
        """A returned value as a response: a tuple's second part is its status, anything plain is a 200."""
        if given.parts and len(given.parts) > 1:
            status = given.parts[1]
            if status.known and isinstance(status.scalar, int):
                return _Value(is_response=True, status=status.scalar, changed=given.changed, parts=given.parts)
            if status.changed:
                return _Value(changed=True, parts=given.parts)
        if given.is_response:
            return given
        told = path.names.get(_STATUS_SET)
        if told is not None:
            return replace(given, is_response=True, status=told.status, changed=told.changed)
        if given.parts or not (given.is_plain or given.known):
            return given  # a tuple with a status that can't be told, or something that may be a response
        return replace(given, is_response=True, status=200)

    def _eval(self, node: form.Expr, path: _Path, scope: Scope, depth: int) -> _Value:
        match node:
            case form.Const(value=value):
                return _Value(scalar=value, known=True)
            case form.Await(value=inner) | form.Starred(value=inner):
                return self._eval(inner, path, scope, depth)
            case form.Name() | form.Attr():
                return self._name(node, path, scope)
            case form.Display(kind=kind, items=items):
                parts = tuple(self._eval(item, path, scope, depth) for item in items)
                changed = any(p.changed for p in parts)
                return _Value(changed=changed, is_plain=kind != "tuple", parts=parts if kind == "tuple" else ())
            case form.Unary(op="not", operand=operand):
                denied = self._eval(operand, path, scope, depth)
                known = denied.truth is not None
                return _Value(scalar=not denied.truth if known else None, known=known, changed=denied.changed)
            case form.Boolean(op=op, values=values):
                return _boolean(op, [self._eval(v, path, scope, depth) for v in values])
            case form.Compare(left=left, ops=["==" | "!=" | "is" | "is not" as op], rights=[right]):
                return _compared(op, self._eval(left, path, scope, depth), self._eval(right, path, scope, depth))
            case form.Conditional(test=test, body=body, orelse=orelse):
                given = self._eval(test, path, scope, depth)
                if given.truth is not None:
                    return self._eval(body if given.truth else orelse, path, scope, depth)
                one, other = self._eval(body, path, scope, depth), self._eval(orelse, path, scope, depth)
                return one if one == other else _Value(changed=given.changed or one.changed or other.changed)
            case form.Call():
                return self._call(node, path, scope, depth)
        changed = any(
            isinstance(n, form.Name | form.Attr | form.Call) and self._eval(n, path, scope, depth).changed
            for n in form.walk(node, into_definitions=False)
        )
        return _Value(changed=changed, is_plain=isinstance(node, form.Dict | form.Template | form.Comprehension))

    def _name(self, node: form.Name | form.Attr, path: _Path, scope: Scope) -> _Value:
        name = form.dotted(node)
        if name is not None and name in path.names:
            return path.names[name]
        status = status_code(node, scope, self._project) if isinstance(node, form.Attr) else None
        if status is not None:
            return _Value(scalar=status, known=True)
        if isinstance(node, form.Attr):
            base = self._eval(node.value, path, scope, 0)
            if base.changed:
                return _Value(changed=True)
        if isinstance(node, form.Name) and any(b.scope is scope for b in scope.lookup(node.id)):
            return _NOTHING  # a local that this path hasn't assigned
        folded = constant(node, scope, self._project)
        return _Value(scalar=folded.value, known=True) if folded is not None else _NOTHING

    def _call(self, call: form.Call, path: _Path, scope: Scope, depth: int) -> _Value:
        if call in path.results:
            return path.results[call]
        values = [self._eval(a.value, path, scope, depth) for a in call.args]
        response = self._response(call, values, path, scope, depth)
        if response is not None:
            return response
        callee = self._project.infer(call.func, scope)
        name = callee.name if isinstance(callee, External) else ""
        if name == "builtins.bool" and values:
            truth = values[0].truth
            return _Value(scalar=truth, known=truth is not None, changed=values[0].changed)
        if name in ("builtins.all", "builtins.any") and call.args and isinstance(call.args[0].value, form.Display):
            items = [self._eval(i, path, scope, depth) for i in call.args[0].value.items]
            return _boolean("and" if name.endswith("all") else "or", items)
        function = callee.function if isinstance(callee, BoundMethod) else callee
        if isinstance(function, FunctionSymbol) and depth < _DEEPEST and path.met:
            made = self._made_by(function, call, path, scope, depth)
            if made is not None:
                return made
        receiver = self._eval(call.func.value, path, scope, depth) if isinstance(call.func, form.Attr) else _NOTHING
        changed = receiver.changed or any(v.changed for v in values)
        return _Value(changed=changed, is_plain=isinstance(callee, ClassSymbol) or name == "builtins.dict")

    def _made_by(
        self, function: FunctionSymbol, call: form.Call, path: _Path, scope: Scope, depth: int
    ) -> _Value | None:
        """What a helper that builds responses gives for these arguments, where all its paths agree."""
        arguments = self._arguments(call, function, path, scope, depth)
        ended = self.function(function, arguments, depth + 1)
        values = {p.value for p in ended if p.end is _End.RETURNED}
        if len(values) == 1 and all(p.end is _End.RETURNED for p in ended):
            return values.pop()
        return None

    def _response(self, call: form.Call, values: list[_Value], path: _Path, scope: Scope, depth: int) -> _Value | None:
        """The response that a constructor makes; None for any other call."""
        name = self._response_name(call, scope)
        if name is None:
            return None
        if name in _RESPONSES_BY_NAME:
            return _Value(is_response=True, status=_RESPONSES_BY_NAME[name])
        stated = call.keyword("status_code") or call.keyword("status")
        position = _STATUS_POSITION.get(name, 1)
        if stated is None and len(call.positional) > position:
            stated = call.positional[position]
        if stated is None:
            if name == "make_response" and values and values[0].parts:
                return self._returned(values[0], path)
            if call.has_double_star:
                return _Value(is_response=True, changed=any(v.changed for v in values))
            return _Value(is_response=True, status=self._class_status(call, scope))
        given = self._eval(stated, path, scope, depth)
        if given.known:
            return _Value(is_response=True, status=_as_status(given.scalar), changed=given.changed)
        tracked = form.dotted(stated) in path.names or isinstance(stated, form.Conditional)
        status = None if tracked or given.changed else status_code(stated, scope, self._project)
        return _Value(is_response=True, status=status, changed=given.changed)

    def _response_name(self, call: form.Call, scope: Scope) -> str | None:
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, ClassSymbol):
            bases = [last_part(n) for n in self._project.base_names(callee)]
            return next((b for b in bases if b in _RESPONSES_BY_NAME or b.endswith("Response")), None)
        if isinstance(callee, FunctionSymbol | BoundMethod):
            return None
        name = last_part(callee.name) if isinstance(callee, External) else last_name(call.func) or ""
        is_response = name in _RESPONSES_BY_NAME or name in _RESPONSE_MAKERS or name.endswith("Response")
        reads_a_body = name in ("json", "text") and not call.args
        return name if is_response and not reads_a_body else None

    def _class_status(self, call: form.Call, scope: Scope) -> int:
        callee = self._project.infer(call.func, scope)
        if isinstance(callee, ClassSymbol):
            stated = self._project.class_attribute(callee, "status_code")
            status = status_code(*stated, self._project) if stated is not None else None
            return status if status is not None else 200
        return 200


def _as_status(scalar: Scalar) -> int | None:
    """503 of 503 and of "503 Service Unavailable"."""
    if isinstance(scalar, bool):
        return None
    if isinstance(scalar, str) and scalar[:3].isdigit():
        return int(scalar[:3])
    return scalar if isinstance(scalar, int) else None


def _boolean(op: str, values: list[_Value]) -> _Value:
    changed = any(v.changed for v in values)
    decisive = op == "or"
    if any(v.truth is decisive for v in values):
        return _Value(scalar=decisive, known=True, changed=changed)
    if all(v.truth is not None for v in values):
        return _Value(scalar=not decisive, known=True, changed=changed)
    return _Value(changed=changed)


def _compared(op: str, left: _Value, right: _Value) -> _Value:
    changed = left.changed or right.changed
    if not (left.known and right.known):
        return _Value(changed=changed)
    return _Value(scalar=(left.scalar == right.scalar) is (op in ("==", "is")), known=True, changed=changed)


def _returns_exceptions(call: form.Call) -> bool:
    """`gather(..., return_exceptions=True)` hands failures over as values."""
    given = call.keyword("return_exceptions")
    return isinstance(given, form.Const) and given.value is True


def _own_calls(node: form.Stmt) -> list[form.Call]:
    """The calls that the statement makes before any statement inside it runs, innermost first."""
    roots: list[form.Expr] = []
    match node:
        case form.If(test=test) | form.While(test=test):
            roots = [test]
        case form.For(iter=iterated):
            roots = [iterated]
        case form.With(items=items):
            roots = [item.value for item in items]
        case form.Match(subject=subject):
            roots = [subject]
        case form.Function() | form.Class() | form.Try():
            return []
        case _:
            found = [n for n in form.walk(node, into_definitions=False) if isinstance(n, form.Call)]
            return found[::-1]
    return [n for r in roots for n in form.walk(r, into_definitions=False) if isinstance(n, form.Call)][::-1]
