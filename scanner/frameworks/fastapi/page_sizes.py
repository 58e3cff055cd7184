"""FastAPI's page sizes: which query parameters say how many rows a page has, and what caps them
(https://fastapi.tiangolo.com/tutorial/query-params-str-validations/).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assay.scanner.dataflow.constants import constant
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.framework import Sited
from assay.scanner.frameworks.fastapi.dependencies import Dependencies, Parameter
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.place import Evidence
from assay.scanner.model.query import Cap, PageSize
from assay.scanner.readers.python import form
from assay.scanner.web.page_size_names import names_page_size

_UPPER = {"le": 0, "lt": -1}
_LOWER = {"ge": 0, "gt": 1}
_CONSTRAINTS = frozenset({"Query", "Field", "Le", "Lt", "Ge", "Gt", "Interval", "conint", "Param"})
_INTEGERS = frozenset(
    {"builtins.int", "pydantic.PositiveInt", "pydantic.NonNegativeInt", "pydantic.conint", "pydantic.StrictInt"}
)
_DEEPEST_CALL = 3


@dataclass(frozen=True, slots=True)
class _Range:
    """The numbers a declaration admits. `configured` is set where the maximum is a setting's default."""

    lowest: int | None = None
    highest: int | None = None
    configured: bool = False
    evidence: tuple[Evidence, ...] = ()


class PageSizes:
    """The page sizes among parameters."""

    def __init__(self, project: Project, dependencies: Dependencies) -> None:
        self._project = project
        self._dependencies = dependencies

    def among(self, parameters: tuple[Parameter, ...], path: str) -> tuple[PageSize, ...]:
        """Those that the client sends in the query string; a name of the path is none."""
        elsewhere = path_parameters(path)
        return tuple(
            found
            for parameter in parameters
            if parameter.name not in elsewhere and (found := self._page_size(parameter)) is not None
        )

    def _page_size(self, parameter: Parameter) -> PageSize | None:
        if parameter.annotation is None or not names_page_size(parameter.name):
            return None
        declared, extras = self._dependencies.metadata(parameter.annotation)
        found = self._declared_range(declared)
        if found is None:
            return None
        for site in [*extras, *([parameter.default] if parameter.default is not None else [])]:
            found = self._constrained(found, site)
        page_size = PageSize(
            scope=parameter.declared_by,
            name=parameter.name,
            location=parameter.location,
            role=parameter.module.role,
            cap=Cap.UNCAPPED,
        )
        return self._judged(page_size, found, parameter)

    def _judged(self, page_size: PageSize, found: _Range, parameter: Parameter) -> PageSize:
        off = self._switch(parameter, found)
        if off is not None:
            return replace(page_size, cap=Cap.SWITCHED_OFF, maximum=found.highest, evidence=(off, *found.evidence))
        if found.highest is not None:
            cap = Cap.CONFIGURED if found.configured else Cap.CAPPED
            return replace(page_size, cap=cap, maximum=found.highest, evidence=found.evidence)
        function = parameter.function
        clamp = next(_clamps(function, parameter.name, self._project, _DEEPEST_CALL), None) if function else None
        if clamp is None:
            carried = function is None or function.name == "__init__"
            return replace(page_size, cap=Cap.UNKNOWN) if carried and self._is_cut_elsewhere(parameter) else page_size
        evidence, limit = clamp
        known = constant(limit.node, limit.scope, self._project)
        maximum = known.value if known is not None and isinstance(known.value, int) else None
        cap = Cap.CONFIGURED if known is not None and known.configured else Cap.CAPPED
        return replace(page_size, cap=cap, maximum=maximum, evidence=(evidence,))

    def _is_cut_elsewhere(self, parameter: Parameter) -> bool:
        """An object carries the value, and a validator of its class or a `min(object.limit, N)` anywhere may cut it."""
        validators = (
            decorator
            for function in parameter.module.functions
            if function.owner is not None and function.owner.id == parameter.declared_by
            for decorator in function.decorators
        )
        named = (node for decorator in validators for node in form.walk(decorator))
        if any(isinstance(node, form.Const) and node.value == parameter.name for node in named):
            return True
        arguments = (a.value for call, _ in self._project.calls_named("min") for a in call.args)
        return any(isinstance(node, form.Attr) and node.attr == parameter.name for node in arguments)

    def _declared_range(self, declared: Sited) -> _Range | None:
        """What the bare type admits; None for anything but integers."""
        node, scope = declared.node, declared.scope
        if isinstance(node, form.Binary) and node.op == "|":
            sides = (Sited(node.left, scope), Sited(node.right, scope))
            return next((found for side in sides if (found := self._declared_range(side)) is not None), None)
        if isinstance(node, form.Subscript):
            generic = self._project.infer(node.value, scope)
            name = last_part(generic.name) if isinstance(generic, External) else ""
            arguments = node.index.items if isinstance(node.index, form.Display) else [node.index]
            if name == "Literal":
                return self._enumerated(arguments, scope, node)
            if name in ("Optional", "Union"):
                inner = (self._declared_range(Sited(argument, scope)) for argument in arguments)
                return next((f for f in inner if f is not None), None)
            return None
        value = self._project.infer(node.func if isinstance(node, form.Call) else node, scope)
        if not isinstance(value, External) or value.name not in _INTEGERS:
            return None
        return self._constrained(_Range(), declared)

    def _enumerated(self, arguments: Sequence[form.Expr], scope: Scope, node: form.Expr) -> _Range | None:
        numbers = [a.value for a in arguments if isinstance(a, form.Const) and isinstance(a.value, int)]
        if not numbers or len(numbers) < len(arguments):
            return None
        return _Range(min(numbers), max(numbers), evidence=(scope.module.evidence(node, "one of a few sizes"),))

    def _constrained(self, found: _Range, site: Sited) -> _Range:
        """Narrowed by `Query(le=...)`, `Field(...)`, `annotated_types.Le(...)`, `conint(...)`."""
        call, scope = site.node, site.scope
        if not isinstance(call, form.Call) or (last_name(call.func) or "") not in _CONSTRAINTS:
            return found
        named = {a.name: a.value for a in call.args if a.name is not None}
        bare = (last_name(call.func) or "").lower()
        if bare in ("le", "lt", "ge", "gt") and call.positional:
            named[bare] = call.positional[0]
        for name, node in named.items():
            known = constant(node, scope, self._project)
            if known is None or isinstance(known.value, bool) or not isinstance(known.value, int):
                continue
            if name in _UPPER:
                shown = scope.module.evidence(node, f"at most {known.value + _UPPER[name]}")
                found = replace(
                    found, highest=known.value + _UPPER[name], configured=known.configured, evidence=(shown,)
                )
            elif name in _LOWER:
                found = replace(found, lowest=known.value + _LOWER[name])
        return found

    def _switch(self, parameter: Parameter, found: _Range) -> Evidence | None:
        """Where a value that the declaration admits turns the limit off: `if limit == -1: limit = None`."""
        for function in self._readers_of(parameter, declared=found.lowest is not None and found.lowest <= 0):
            for node in function.walk():
                if not isinstance(node, form.If | form.Conditional):
                    continue
                sentinel = _sentinel(node.test, parameter.name)
                if sentinel is None or (found.lowest is not None and sentinel < found.lowest):
                    continue
                if isinstance(node, form.If) and _unsets(node.body, parameter.name):
                    return function.module.evidence(node.test, f"{sentinel} turns the limit off")
        if parameter.function is not None and (found.lowest is None or found.lowest <= 0):
            for node in parameter.function.walk():
                if isinstance(node, form.If) and _is(node.test, parameter.name) and _limits_only_there(node, parameter):
                    return parameter.function.module.evidence(node.test, "0 turns the limit off")
        return None

    def _readers_of(self, parameter: Parameter, *, declared: bool) -> Iterator[FunctionSymbol]:
        """Functions that take the value under its name: all of them only where its declaration admits a sentinel."""
        if declared:
            yield from (f for f in self._project.functions_taking(parameter.name) if f is not parameter.function)
        if parameter.function is not None:
            yield parameter.function


def _sentinel(test: form.Expr, name: str) -> int | None:
    """N of `name == N`; 0 of `name <= 0`, -1 of `name < 0`."""
    match test:
        case form.Compare(left=form.Name(id=left), ops=["==" | "<" | "<=" as op], rights=[right]) if left == name:
            if isinstance(right, form.Unary) and right.op == "-" and isinstance(right.operand, form.Const):
                number = right.operand.value
                return -number if isinstance(number, int) else None
            if isinstance(right, form.Const) and isinstance(right.value, int) and right.value <= 0:
                return right.value - 1 if op == "<" else right.value
    return None


def _limits_only_there(node: form.If, parameter: Parameter) -> bool:
    """`if limit: query = query.limit(limit)` without an alternative."""
    if node.orelse:
        return False
    calls = (n for n in form.walk_body(node.body) if isinstance(n, form.Call) and last_name(n.func) == "limit")
    return any(_is(a.value, parameter.name) for call in calls for a in call.args)


def _unsets(body: list[form.Stmt], name: str) -> bool:
    return any(
        isinstance(node, form.Assign)
        and any(isinstance(t, form.Name) and t.id == name for t in node.targets)
        and isinstance(node.value, form.Const)
        and node.value.value is None
        for node in form.walk_body(body)
    )


def _clamps(function: FunctionSymbol, name: str, project: Project, depth: int) -> Iterator[tuple[Evidence, Sited]]:
    """Where the value is cut or refused: `min(name, N)`, `if name > N: ...`; also in functions it is handed to."""
    module, scope = function.module, function.scope
    calls = []
    for node in function.walk():
        match node:
            case form.Call(func=form.Name(id="min")) if any(_is(a.value, name) for a in node.args):
                for bound in (a.value for a in node.args if not _is(a.value, name)):
                    yield module.evidence(node, "min() caps the page size"), Sited(bound, scope)
            case form.If(test=test, body=body):
                limit = _upper_limit(test, name)
                if limit is not None and _refuses_or_sets(body, name):
                    yield module.evidence(test, "a larger page size is refused or cut"), Sited(limit, scope)
            case form.Call():
                calls.append(node)
    for call in calls if depth else ():
        handed = [a for a in call.args if _is(a.value, name)]
        callee = project.callee_function(call, scope) if handed else None
        for param in callee.parameters if callee is not None and callee is not function else ():
            argument = project.bound_argument(call, callee, param) if callee is not None else None
            if callee is not None and argument is not None and _is(argument, name):
                yield from _clamps(callee, param.name, project, depth - 1)


def _is(node: form.Expr, name: str) -> bool:
    return isinstance(node, form.Name) and node.id == name


def _upper_limit(test: form.Expr, name: str) -> form.Expr | None:
    """N of `name > N`, also as one side of `or` or `not 1 <= name <= N`."""
    for node in form.walk(test):
        match node:
            case form.Compare(left=left, ops=[">" | ">="], rights=[right]) if _is(left, name):
                return right
            case form.Compare(left=left, ops=["<" | "<="], rights=[right]) if _is(right, name):
                return left
            case form.Compare(ops=["<" | "<=", "<" | "<="], rights=[middle, right]) if _is(middle, name):
                return right
    return None


def _refuses_or_sets(body: list[form.Stmt], name: str) -> bool:
    for node in form.walk_body(body, into_definitions=False):
        if isinstance(node, form.Raise | form.Return):
            return True
        if isinstance(node, form.Assign) and any(_is(target, name) for target in node.targets):
            return True
    return False
