"""What code makes of a log record: which functions write JSON, and which branches production takes to choose one."""

from __future__ import annotations

import re

from assay.scanner.dataflow.blocks import is_debug_condition
from assay.scanner.dataflow.constants import constant
from assay.scanner.dataflow.ways import Turn, way_to
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.readers.python import form

_DUMPING = frozenset({"dumps", "to_json", "model_dump_json", "encode_json"})
_DEEPEST = 2
"""Helpers of helpers that are looked into."""
_PRODUCTION = re.compile(r"prod(uction)?|staging|live", re.IGNORECASE)
_IS_PRODUCTION = re.compile(r"(is_?|in_?)?prod(uction)?", re.IGNORECASE)
_DEVELOPMENT = re.compile(r"dev(elopment)?|local(host)?|test(ing)?|debug", re.IGNORECASE)


def renders_json(function: FunctionSymbol, project: Project, deepest: int = _DEEPEST) -> bool:
    """Whether the function, or one that it calls, dumps JSON."""
    helpers = []
    for node in function.walk():
        if isinstance(node, form.Call):
            if last_name(node.func) in _DUMPING:
                return True
            helper = project.callee_function(node, function.scope) if deepest else None
            if helper is not None and helper is not function:
                helpers.append(helper)
    return any(renders_json(helper, project, deepest - 1) for helper in helpers)


def is_taken(offset: int, scope: Scope, project: Project, *, by_default: bool = False) -> bool:
    """Whether production may get to the place in the scope's body, by the branches around it. `by_default` takes what
    the environment may change for what it is unless it does.
    """
    for branch in way_to(scope.body, offset):
        truth = production_truth(branch.test, scope, project, by_default=by_default) if branch.test else None
        if truth is not None and truth is (branch.turn is Turn.OTHERWISE):
            return False
    return True


def production_truth(test: form.Expr, scope: Scope, project: Project, *, by_default: bool = False) -> bool | None:
    """What a condition comes to in production; None where that can't be told."""
    return _Truths(scope, project, by_default).of(test)


class _Truths:
    """Tells conditions of one scope."""

    def __init__(self, scope: Scope, project: Project, by_default: bool) -> None:
        self._scope = scope
        self._project = project
        self._by_default = by_default

    def of(self, test: form.Expr, deepest: int = 4) -> bool | None:
        if is_debug_condition(test) or (isinstance(test, form.Call) and last_name(test.func) == "isatty"):
            return False
        match test:
            case form.Unary(op="not", operand=operand):
                inner = self.of(operand, deepest)
                return None if inner is None else not inner
            case form.Compare(left=left, ops=["==" | "!=" as op], rights=[right]):
                told = self._compared(left, right)
                return told if told is None or op == "==" else not told
            case form.Compare(left=left, ops=["in"], rights=[form.Display(items=items)]):
                each = [self._compared(left, item) for item in items]
                return True if True in each else False if each and None not in each else None
            case form.Conditional(test=inner_test, body=body, orelse=orelse) if deepest:
                truth = self.of(inner_test, deepest - 1)
                return None if truth is None else self.of(body if truth else orelse, deepest - 1)
        name = last_name(test)
        if name is not None and _IS_PRODUCTION.fullmatch(name):
            return True
        bound = self._scope.lookup(test.id) if isinstance(test, form.Name) else ()
        if len(bound) == 1 and bound[0].how is How.ASSIGN and bound[0].value is not None and deepest:
            return _Truths(bound[0].scope, self._project, self._by_default).of(bound[0].value, deepest - 1)
        found = constant(test, self._scope, self._project)
        is_known = found is not None and (self._by_default or not found.configured)
        return found.value if found is not None and is_known and isinstance(found.value, bool) else None

    def _compared(self, left: form.Expr, right: form.Expr) -> bool | None:
        """Whether the two are equal: names of environments say which of them is production."""
        wanted = right.value if isinstance(right, form.Const) else None
        if isinstance(wanted, str) and _DEVELOPMENT.fullmatch(wanted):
            return False
        if isinstance(wanted, str) and _PRODUCTION.fullmatch(wanted):
            return True
        if "debug" in (form.dotted(right) or "").lower():
            return False
        value, other = constant(left, self._scope, self._project), constant(right, self._scope, self._project)
        if value is None or other is None or (value.configured and not self._by_default):
            return None
        return value.value == other.value
