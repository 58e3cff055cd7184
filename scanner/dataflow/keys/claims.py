"""The claims that a token is made of: which keys its payload has, always or on some paths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.readers.python import form

_AS_IT_IS = frozenset(
    {"copy", "deepcopy", "asdict", "jsonable_encoder", "model_dump", "dict", "to_dict", "_asdict", "cast"}
)
"""Calls, by last name, that give the mapping, or the fields of the object, that they are asked of or given."""
_SHOWING = frozenset({"print", "debug", "info", "warning", "error", "exception", "log", "append", "add"})
"""Calls that leave the mapping that they are handed as it is."""
_DEEPEST = 6
_MOST_CALLERS = 12
Sited = tuple[form.Expr, Scope]


@dataclass(frozen=True, slots=True)
class Claims:
    """`sure` are there on every path, with what they are; `perhaps` on some. `is_open` where others may be there."""

    sure: dict[str, list[Sited]] = field(default_factory=dict)
    perhaps: frozenset[str] = frozenset()
    is_open: bool = False

    def has(self, key: str) -> bool | None:
        """Whether the key is there; None where that can't be told, or hangs on the path."""
        if key in self.sure:
            return True
        return None if key in self.perhaps or self.is_open else False

    def then(self, later: Claims) -> Claims:
        """These, and later ones that are added."""
        return Claims({**self.sure, **later.sure}, self.perhaps | later.perhaps, self.is_open or later.is_open)


_OPEN = Claims(is_open=True)


class Payloads:
    """Answers for one project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def claims(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> Claims:
        """What the mapping holds."""
        if not depth:
            return _OPEN
        match node:
            case form.Dict(keys=keys, values=values):
                return self._written(zip(keys, values, strict=True), scope, depth)
            case form.Call():
                return self._called(node, scope, depth - 1)
            case form.Name():
                return self._named(node, scope, depth - 1)
            case form.Attr():
                found = definitions(node, scope, self._project)
                return _either([self.claims(*item, depth - 1) for item in found])
            case form.Binary(op="|", left=left, right=right):
                return self.claims(left, scope, depth - 1).then(self.claims(right, scope, depth - 1))
            case form.Conditional(body=body, orelse=orelse):
                return _either([self.claims(body, scope, depth - 1), self.claims(orelse, scope, depth - 1)])
            case form.Comprehension(
                generators=[form.Generator(iter=form.Call(func=form.Attr(value=of, attr="items")))]
            ):
                known = self.claims(of, scope, depth - 1)
                return Claims({}, known.perhaps | frozenset(known.sure), known.is_open)
            case form.Await(value=inner) | form.Walrus(value=inner):
                return self.claims(inner, scope, depth)
        return _OPEN

    def _written(self, items: Iterable[tuple[form.Expr | None, form.Expr]], scope: Scope, depth: int) -> Claims:
        claims = Claims()
        for key, value in items:
            if key is None:
                claims = claims.then(self.claims(value, scope, depth - 1))
                continue
            name = string_value(key, scope, self._project)
            claims = claims.then(_OPEN if name is None else Claims({name: [(value, scope)]}))
        return claims

    def _called(self, call: form.Call, scope: Scope, depth: int) -> Claims:
        name = last_name(call.func) or ""
        function = self._project.callee_function(call, scope)
        if function is not None and function.name != "__init__":
            returned = [r.value for r in function.returns if r.value is not None]
            return _either([self.claims(value, function.scope, depth) for value in returned])
        if isinstance(call.func, form.Name) and name == "dict":
            claims = self.claims(call.positional[0], scope, depth) if call.positional else Claims()
            return claims.then(self._keywords(call, scope, depth))
        if isinstance(self._project.infer(call.func, scope), ClassSymbol):
            return self._keywords(call, scope, depth)  # of a typed dictionary
        if name in _AS_IT_IS:
            of = call.func.value if isinstance(call.func, form.Attr) and not call.positional else None
            of = of or (call.positional[-1] if call.positional else None)
            return self._fields(of, scope, depth) if of is not None else _OPEN
        return _OPEN

    def _keywords(self, call: form.Call, scope: Scope, depth: int) -> Claims:
        claims = Claims()
        for argument in call.args:
            if argument.star == 2:
                claims = claims.then(self.claims(argument.value, scope, depth))
            elif argument.name is not None:
                claims = claims.then(Claims({argument.name: [(argument.value, scope)]}))
        return claims

    def _fields(self, node: form.Expr, scope: Scope, depth: int) -> Claims:
        """A mapping, or an object of a class whose fields become one."""
        value = self._project.infer(node, scope)
        cls = value.cls if isinstance(value, Instance) else None
        if cls is None:
            return self.claims(node, scope, depth)
        made = [node, *(n for n, _ in definitions(node, scope, self._project))]
        calls = [m for m in made if isinstance(m, form.Call)]
        claims = _either([self._keywords(call, scope, depth) for call in calls]) if calls else Claims()
        bases = [base for base in self._project.mro(cls) if isinstance(base, ClassSymbol)]
        declared = {name for base in bases for name in base.scope.bindings}
        return Claims(claims.sure, claims.perhaps | frozenset(declared - claims.sure.keys()), claims.is_open)

    # --- names ---

    def _named(self, node: form.Name, scope: Scope, depth: int) -> Claims:
        bindings = scope.lookup(node.id)
        owner = bindings[0].scope if bindings else scope
        at = node.start if owner is scope else owner.module.facts.body[-1].end
        last = _assigned_before(owner.body, node.id, at)
        values = [b.value for b in bindings if b.how is How.ASSIGN and b.value is not None and b.value.end <= at]
        found = [self.claims(value, owner, depth) for value in ([last] if last is not None else values)]
        for binding in bindings if last is None else ():
            if binding.function is not None and binding.param is not None:
                found += self._handed(binding.function, binding.param, depth)
        if not bindings or bindings[0].how is How.IMPORT_FROM:
            found = [self.claims(*item, depth) for item in definitions(node, scope, self._project)]
        return _either(found).then(self._added(owner.body, node.id, owner, depth, at))

    def _handed(self, function: FunctionSymbol, param: form.Param, depth: int) -> list[Claims]:
        """What callers hand to the parameter."""
        callers = self._project.callers(function)
        if not callers or len(callers) > _MOST_CALLERS:
            return [_OPEN]
        given = [(self._project.bound_argument(call, function, param), scope) for call, scope in callers]
        return [self.claims(node, scope, depth) if node is not None else _OPEN for node, scope in given]

    def _added(self, body: Sequence[form.Stmt], name: str, scope: Scope, depth: int, at: int) -> Claims:
        """What statements put into the mapping of that name on the way to a place."""
        claims = Claims()
        for statement in body:
            if statement.start >= at:
                break
            match statement:
                case form.Assign(targets=[form.Subscript(value=form.Name(id=owner), index=key), *_], value=value):
                    if owner == name and value is not None:
                        claims = claims.then(self._written([(key, value)], scope, depth))
                case form.AugAssign(target=form.Name(id=owner), value=value) if owner == name:
                    claims = claims.then(self.claims(value, scope, depth))
                case form.ExprStmt(value=form.Call(func=form.Attr(value=form.Name(id=owner), attr=method)) as call):
                    if owner == name:
                        claims = claims.then(self._method(call, method, scope, depth))
                    elif _is_handed_on(call, name):
                        claims = claims.then(_OPEN)
                case form.ExprStmt(value=form.Call() as call) if _is_handed_on(call, name):
                    claims = claims.then(_OPEN)
                case form.If() | form.For() | form.While() | form.Try() | form.With():
                    taken = _taken(statement, at)
                    claims = claims.then(_either([self._added(b, name, scope, depth, at) for b in taken]))
        return claims

    def _method(self, call: form.Call, method: str, scope: Scope, depth: int) -> Claims:
        if method == "update":
            claims = self._keywords(call, scope, depth)
            return claims.then(self.claims(call.positional[0], scope, depth)) if call.positional else claims
        if method == "setdefault" and len(call.positional) == 2:
            return self._written([(call.positional[0], call.positional[1])], scope, depth)
        return Claims()


def _either(found: Sequence[Claims]) -> Claims:
    """What is there whichever of these it is."""
    if not found:
        return _OPEN
    keys = set.intersection(*(set(c.sure) for c in found))
    every = frozenset(k for c in found for k in (*c.sure, *c.perhaps))
    sure = {key: [item for c in found for item in c.sure[key]] for key in found[0].sure if key in keys}
    return Claims(sure, every - keys, any(c.is_open for c in found))


def _blocks(statement: form.Stmt) -> list[list[form.Stmt]]:
    match statement:
        case (
            form.If(body=body, orelse=orelse)
            | form.For(body=body, orelse=orelse)
            | form.While(body=body, orelse=orelse)
        ):
            return [body, orelse]
        case form.Try(body=body, handlers=handlers):
            return [body, *(h.body for h in handlers)]
        case form.With(body=body):
            return [body]
    return []


def _taken(statement: form.Stmt, at: int) -> list[list[form.Stmt]]:
    """The blocks of which one runs on the way to a place: the one that holds it, or those that don't leave."""
    blocks = _blocks(statement)
    if isinstance(statement, form.Try) and not statement.start <= at < statement.end:
        return blocks[:1]
    return [b for b in blocks if b and b[0].start <= at < b[-1].end] or [b for b in blocks if not _leaves(b)]


def _assigned_before(body: Sequence[form.Stmt], name: str, at: int) -> form.Expr | None:
    """What the name was given last, at all events, before the place."""
    last: form.Expr | None = None
    for statement in body:
        if statement.start >= at:
            break
        match statement:
            case form.Assign(targets=[form.Name(id=target)], value=value) if target == name and value is not None:
                last = value if value.end <= at else last
            case _ if statement.start <= at < statement.end:
                inner = (
                    _assigned_before(b, name, at) for b in _blocks(statement) if b and b[0].start <= at < b[-1].end
                )
                last = next((value for value in inner if value is not None), last)
    return last


def _is_handed_on(call: form.Call, name: str) -> bool:
    """Whether a function is handed the mapping, and may put something into it."""
    is_given = any(isinstance(a.value, form.Name) and a.value.id == name for a in call.args)
    return is_given and last_name(call.func) not in _SHOWING


def _leaves(body: Sequence[form.Stmt]) -> bool:
    return bool(body) and isinstance(body[-1], form.Return | form.Raise)
