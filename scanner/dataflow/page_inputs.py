"""Where a page size comes from, and whether anything caps it on the way from the request to the query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.framework import Sited
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.query import Cap, PageSize
from assay.scanner.readers.python import form

_REQUEST_MAPPINGS = frozenset({"args", "GET", "query_params", "query", "values", "params", "data", "json"})
_LONGEST_TRAIL = 8
_LEAVING_CALLS = frozenset({"abort", "exit", "fail"})


@dataclass(frozen=True, slots=True)
class PageInput:
    """The expression given to a limit, and the callers' expressions behind it, innermost first."""

    trail: tuple[Sited, ...]

    def behind(self, function: FunctionSymbol, arguments: Mapping[str, form.Expr | None], scope: Scope) -> PageInput:
        """The input as the caller of the function sees it: where it ends at a parameter, the argument comes next."""
        last = self.trail[-1]
        if isinstance(last.node, form.Name) and last.scope.enclosing_function is function:
            argument = arguments.get(last.node.id)
            if argument is not None and len(self.trail) < _LONGEST_TRAIL:
                return PageInput((*self.trail, Sited(argument, scope)))
        return self

    @property
    def parameter(self) -> tuple[FunctionSymbol, str] | None:
        """The outermost function's parameter that it is, if it is one."""
        last = self.trail[-1]
        function = last.scope.enclosing_function
        for name in _names(last.node):
            if function is not None and any(p.name == name for p in function.parameters):
                return function, name
        return None

    def cap(self) -> tuple[Evidence, int | None] | None:
        """What bounds the value on the way, and the bound in rows where it is a number."""
        for sited in self.trail:
            for expression in _with_bindings(sited.node, sited.scope):
                found = _minimum(expression, sited.scope)
                if found is not None:
                    return found
            function = sited.scope.enclosing_function
            if function is not None:
                found = _guard(function, set(_names(sited.node)))
                if found is not None:
                    return found
        return None

    def page_size(self) -> PageSize | None:
        """The input as a subject, where the client sends it in the query string or body; None for anything else."""
        last = self.trail[-1]
        for expression in _with_bindings(last.node, last.scope):
            for node in form.walk(expression):
                name = _request_key(node)
                if name is None:
                    continue
                capped = self.cap()
                function = last.scope.enclosing_function
                return PageSize(
                    scope=function.id if function is not None else last.module.name,
                    name=name,
                    location=last.module.location(node),
                    role=last.module.role,
                    cap=Cap.CAPPED if capped else Cap.UNCAPPED,
                    maximum=capped[1] if capped else None,
                    evidence=(capped[0],) if capped else (),
                )
        return None


def _request_key(node: form.Expr | form.Stmt) -> str | None:
    """`limit` of `request.args.get("limit")` and `request.GET["limit"]`."""
    match node:
        case form.Call(func=form.Attr(value=mapping, attr="get" | "getlist" | "get_argument"), args=[first, *_]):
            key: form.Expr = first.value
        case form.Subscript(value=mapping, index=index):
            key = index
        case _:
            return None
    if last_name(mapping) in _REQUEST_MAPPINGS and isinstance(key, form.Const) and isinstance(key.value, str):
        return key.value
    return None


def _names(node: form.Expr) -> Iterator[str]:
    for inner in form.walk(node):
        if isinstance(inner, form.Name):
            yield inner.id


def _with_bindings(node: form.Expr, scope: Scope) -> Iterator[form.Expr]:
    """The expression, and what the local names in it are assigned."""
    yield node
    seen: set[str] = set()
    todo = list(_names(node))
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for binding in scope.lookup(name):
            if binding.how in (How.ASSIGN, How.UNPACK) and binding.value is not None and binding.scope is scope:
                yield binding.value
                todo += _names(binding.value)


def _minimum(node: form.Expr, scope: Scope) -> tuple[Evidence, int | None] | None:
    for inner in form.walk(node):
        if isinstance(inner, form.Call) and isinstance(inner.func, form.Name) and inner.func.id == "min":
            numbers = [
                a.value.value for a in inner.args if isinstance(a.value, form.Const) and isinstance(a.value.value, int)
            ]
            return scope.module.evidence(inner, "min() caps the page size"), numbers[0] if numbers else None
    return None


def _guard(function: FunctionSymbol, names: set[str]) -> tuple[Evidence, int | None] | None:
    """`if size > 100: abort(400)` or `size = 100` under such a test."""
    for node in function.walk():
        if not isinstance(node, form.If):
            continue
        for compare in form.walk(node.test):
            if isinstance(compare, form.Compare) and (limit := _upper_bound(compare, names)) is not None:
                if not _leaves_or_sets(node.body, names):
                    continue
                number = limit.value if isinstance(limit, form.Const) and isinstance(limit.value, int) else None
                return function.module.evidence(compare, "a larger page size is refused or cut"), number
    return None


def _upper_bound(compare: form.Compare, names: set[str]) -> form.Expr | None:
    """`N` of `name > N` or `N < name`."""
    if len(compare.ops) != 1:
        return None
    left, op, right = compare.left, compare.ops[0], compare.rights[0]
    if op in (">", ">=") and isinstance(left, form.Name) and left.id in names:
        return right
    if op in ("<", "<=") and isinstance(right, form.Name) and right.id in names:
        return left
    return None


def _leaves_or_sets(body: list[form.Stmt], names: set[str]) -> bool:
    for node in form.walk_body(body, into_definitions=False):
        if isinstance(node, form.Return | form.Raise):
            return True
        if isinstance(node, form.Call) and last_name(node.func) in _LEAVING_CALLS:
            return True
        if isinstance(node, form.Assign) and any(isinstance(t, form.Name) and t.id in names for t in node.targets):
            return True
    return False
