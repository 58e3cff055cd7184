"""Development: which code runs only where a setting says that this isn't production."""

from __future__ import annotations

from assay.scanner.dataflow.blocks import Block, ModuleBlocks, is_debug_condition
from assay.scanner.dataflow.constants import constant, list_items
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Module, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_PRODUCTION = frozenset({"prod", "production", "live"})
_ELSEWHERE = frozenset({"local", "localhost", "dev", "devel", "develop", "development", "debug", "test", "testing"})
_PLACES = frozenset({"env", "environment", "stage", "mode", "profile", "deployment", "tier"})
"""Words in the names of settings that say where the process runs."""
_MOST_CALLERS = 8


class Development:
    """What a project's code does in development alone."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._blocks: dict[Module, ModuleBlocks] = {}

    def condition(self, node: form.Expr, scope: Scope, depth: int = 2) -> Evidence | None:
        """What keeps production from reaching the expression: around it, or around all calls of its function."""
        module = scope.module
        if module not in self._blocks:
            self._blocks[module] = ModuleBlocks(module)
        for block in self._blocks[module].innermost(node.start).within_function():
            found = self._around(block) or self._before(block, node)
            if found is not None:
                return found
        function = scope.enclosing_function
        return self._around_calls(function, depth) if function is not None and depth else None

    def _around(self, block: Block) -> Evidence | None:
        if not isinstance(block.header, form.If):
            return None
        holds = self._holds(block.header, block.scope)
        left_out = holds is True if block.is_otherwise else holds is False
        return block.scope.module.evidence(block.header.test, "only in development") if left_out else None

    def _holds(self, node: form.If, scope: Scope) -> bool | None:
        return holds_in_production(node.test, scope, self._project)

    def _before(self, block: Block, node: form.Expr) -> Evidence | None:
        """`if settings.ENVIRONMENT == "production": return`, further up in a function."""
        for statement in block.body if block.scope.function is not None else ():
            if statement.start >= node.start:
                break
            leaves = isinstance(statement, form.If) and isinstance(statement.body[-1], form.Return | form.Raise)
            if leaves and isinstance(statement, form.If) and self._holds(statement, block.scope) is True:
                return block.scope.module.evidence(statement.test, "production goes no further")
        return None

    def _around_calls(self, function: FunctionSymbol, depth: int) -> Evidence | None:
        calls = self._project.callers(function)
        if not calls or len(calls) > _MOST_CALLERS:
            return None
        found = [self.condition(call, scope, depth - 1) for call, scope in calls]
        return found[0] if None not in found else None


def holds_in_production(test: form.Expr, scope: Scope, project: Project) -> bool | None:
    """How the test turns out in production, where names or values say so; None where they don't."""
    match test:
        case form.Unary(op="not", operand=operand):
            inner = holds_in_production(operand, scope, project)
            return None if inner is None else not inner
        case form.Boolean(op=op, values=values):
            decisive = op == "or"
            parts = [holds_in_production(value, scope, project) for value in values]
            if decisive in parts:
                return decisive
            return None if None in parts else not decisive
        case form.Compare(left=left, ops=["==" | "!=" | "in" | "not in" as op], rights=[right]):
            found = _is_named(left, right, scope, project)
            return None if found is None else found is (op in ("==", "in"))
    if is_debug_condition(test):
        return False
    return _by_name(last_name(test.func if isinstance(test, form.Call) else test) or "")


def _is_named(left: form.Expr, right: form.Expr, scope: Scope, project: Project) -> bool | None:
    """Whether `ENVIRONMENT == "local"` or `ENVIRONMENT in ("local", "test")` is so in production."""
    if not _names_place(left):
        left, right = right, left
    if not _names_place(left):
        return None
    items = list_items(right, scope, project) or [(right, scope)]
    named = {_word(*item, project) for item in items}
    if named & _PRODUCTION:
        return True
    return False if named <= _ELSEWHERE else None


def _names_place(node: form.Expr) -> bool:
    """`settings.ENVIRONMENT`, `os.environ["APP_ENV"]`, `os.getenv("STAGE", "dev")`."""
    match node:
        case form.Subscript(index=form.Const(value=str() as name)):
            return not _PLACES.isdisjoint(name.lower().split("_"))
        case form.Call(func=func, args=args):
            named = [a.value for a in args[:1] if isinstance(a.value, form.Const)]
            owner = func.value if isinstance(func, form.Attr) else None
            return any(not _PLACES.isdisjoint(str(n.value).lower().split("_")) for n in named) or (
                owner is not None and _names_place(owner)  # settings.ENVIRONMENT.lower()
            )
        case form.Name(id=name) | form.Attr(attr=name):
            inner = _names_place(node.value) if isinstance(node, form.Attr) and name == "value" else False
            return inner or not _PLACES.isdisjoint(name.lower().split("_"))
    return False


def _word(node: form.Expr, scope: Scope, project: Project) -> str:
    """The environment that an expression names: `"local"`, `Environment.LOCAL`."""
    known = constant(node, scope, project)
    found = known.value if known is not None and isinstance(known.value, str) else last_name(node)
    return (found or "").lower()


def _by_name(name: str) -> bool | None:
    """`is_production`, `IS_LOCAL`, `dev_mode`: what such a switch is in production."""
    words = name.lower().strip("_").split("_")
    if len(words) == 1 or not {"is", "mode", "env", "environment"}.intersection(words):
        return None
    if _PRODUCTION.intersection(words):
        return True
    return False if _ELSEWHERE.intersection(words) else None
