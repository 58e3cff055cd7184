"""Answers that repeat the `Origin` header of the request, and the tests that some origins pass and others don't."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import definitions
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.readers.python import form

_READING = frozenset({"get", "getlist", "get_header", "decode"})
_REQUESTS = frozenset({"request", "req", "self", "scope", "response", "resp", "headers"})
"""Names that stand beside the origin, and for more than it."""
_OF_EVERY_PAGE = ("null", "", "*", None, "http", "https", "http://", "https://")
_ONLY_LOOKING = frozenset({"len", "bool", "str", "isinstance", "get", "getlist", "hasattr"})
_DEEPEST = 4


def is_echo(node: form.Expr, scope: Scope, project: Project) -> bool:
    """Whether it is what the request's `Origin` header says, `*` or nothing where there is none."""
    return _is_echo(node, scope, project, _DEEPEST)


def _is_echo(node: form.Expr, scope: Scope, project: Project, depth: int) -> bool:
    if not depth:
        return False
    match node:
        case form.Boolean(values=values):
            return any(_is_echo(v, scope, project, depth - 1) for v in values)
        case form.Conditional(body=body, orelse=orelse):
            return any(_is_echo(v, scope, project, depth - 1) for v in (body, orelse))
        case form.Call(func=form.Attr(value=owner, attr=attr), args=args) if attr in _READING:
            if attr == "decode":
                return _is_echo(owner, scope, project, depth - 1)
            return bool(args) and _names_origin(args[0].value) and _is_of_request(owner)
        case form.Subscript(value=owner, index=index):
            return _names_origin(index) and _is_of_request(owner)
        case form.Attr(value=owner, attr="origin"):
            return (last_name(owner) or "") in ("request", "req", "headers")
        case form.Name(id=name):
            bindings = scope.lookup(name, node.start)
            if any(b.how is How.PARAMETER for b in bindings):
                return False
            return any(
                _is_echo(value, around, project, depth - 1) for value, around in definitions(node, scope, project)
            )
    return False


def _names_origin(node: form.Expr) -> bool:
    return isinstance(node, form.Const) and str(node.value).lower() in ("origin", "http_origin")


def _is_of_request(owner: form.Expr) -> bool:
    return (last_name(owner) or "").lower() in ("headers", "meta", "environ", "request", "req", "scope")


def test_of_origin(node: form.Expr, scope: Scope) -> form.Expr | form.Stmt | None:
    """A look-up, comparison or call that is given the origin: who passes it is known."""
    code = list(form.walk_body(scope.body, into_definitions=False))
    assigned = [part for part in code if isinstance(part, form.Assign) and part.value is not None]
    names = _kin(node, assigned)
    for part in code:
        test = part.test if isinstance(part, form.If | form.Conditional) else None
        for inner in _with_what_is_named(test, assigned) if test is not None else ():
            if _is_choice(inner, names):
                return inner
    return None


def _with_what_is_named(test: form.Expr, assigned: list[form.Assign]) -> Iterator[form.Expr | form.Stmt]:
    """Of `if allowed:` also what `allowed` has been given."""
    yield from form.walk(test)
    names = _names(test)
    for assign in assigned:
        if assign.value is not None and _targets(assign) & names:
            yield from form.walk(assign.value)


def _kin(node: form.Expr, assigned: list[form.Assign]) -> set[str]:
    """The names that the expression is made of, directly or not, and those that are made of these."""
    names = _names(node) - _REQUESTS
    for assign in reversed(assigned):
        if assign.value is not None and _targets(assign) & names:
            names |= _names(assign.value) - _REQUESTS
    for assign in assigned:
        if assign.value is not None and _names(assign.value) & names:
            names |= _targets(assign) - _REQUESTS
    return names


def _names(node: form.Expr) -> set[str]:
    return {part.id for part in form.walk(node) if isinstance(part, form.Name)}


def _targets(assign: form.Assign) -> set[str]:
    return {target.id for target in assign.targets if isinstance(target, form.Name)}


def _is_choice(test: form.Expr | form.Stmt, names: set[str]) -> bool:
    """Whether it lets some origins through: `origin in ALLOWED`, `origin.endswith(".shop.example")`, `allows(origin)`.

    That there is one, that it isn't `null`, or that it begins with a scheme, is true of every page's.
    """
    match test:
        case form.Compare(left=left, ops=["==" | "!=", *_], rights=rights):
            others = [side for side in (left, *rights) if isinstance(side, form.Const)]
            return _mentions(test, names) and not any(other.value in _OF_EVERY_PAGE for other in others)
        case form.Compare(ops=["in" | "not in", *_]):
            return _mentions(test, names)
        case form.Call(func=form.Attr(value=owner, attr="startswith" | "endswith"), args=[form.Arg(value=given), *_]):
            return _mentions(owner, names) and not (isinstance(given, form.Const) and given.value in _OF_EVERY_PAGE)
        case form.Call(func=func, args=args):
            return last_name(func) not in _ONLY_LOOKING and any(_mentions(a.value, names) for a in args)
    return False


def _mentions(node: form.Expr | form.Stmt, names: set[str]) -> bool:
    return any(
        (isinstance(part, form.Name) and part.id in names) or (isinstance(part, form.Const) and _names_origin(part))
        for part in form.walk(node)
    )
