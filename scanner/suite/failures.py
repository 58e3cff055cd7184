"""How tests let something fail, and how they look whether anything was left behind."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cached_property

from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, How
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.suite.collected import Collected, Suite

_FAILURE = re.compile(
    r".*(Error|Exception|Failure|Timeout|Exit|Interrupt|Abort|Rollback|DoesNotExist|Violation)\w*|boom|.*_(error|exc)",
    re.IGNORECASE,
)
"""Names of exceptions, and of variables that hold one."""
_FAILING = re.compile(
    r"_?(raise|fail|boom|explo|crash|broken|error|throw|kaboom|blow)\w*|\w+_(raises?|fails?|error)", re.IGNORECASE
)
"""Names of functions that are there to fail."""
_ABOUT = re.compile(
    r"roll(s|ed)?[ _]?back|atomic|transaction|all[ _]or[ _]nothing|partial|half|leaves[ _]no|nothing[ _](is|was)|"
    r"not[ _](persisted|saved|created)|no[ _]orphan|undo",
    re.IGNORECASE,
)
_PATCHING = ("patch", "object", "setattr")
_RAISES = frozenset({"raises", "assertRaises", "assertRaisesRegex", "assertRaisesMessage", "assert_raises"})
_MISSING = re.compile(r"\w*(DoesNotExist|NoResultFound|NotFound)\w*")
_BEFORE = re.compile(r"before|initial|old|orig|prev|start|count|existing|unchanged|\bn\b", re.IGNORECASE)
"""Names of what was there before the test did something."""
_EMPTY = (
    "assertFalse",
    "assertIsNone",
    "assertQuerysetEqual",
    "assertQuerySetEqual",
    "assertIsNot",
    "assert_not_exists",
)
_EQUAL = ("assertEqual", "assertEquals", "assertCountEqual", "assertListEqual", "assertNotIn")


class Failures:
    """Reads the functions of tests; answers are remembered by function."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._forced: dict[FunctionSymbol, tuple[Evidence, str] | None] = {}

    @cached_property
    def failing(self) -> tuple[Collected, ...]:
        """All tests that make something fail, or expect it to, or say that they are about transactions."""
        functions = {
            scope.enclosing_function
            for module in self._suite.modules
            for _, scope in module.calls_named((*_PATCHING, *_RAISES))
        }
        tests = (t for t in self._suite.tests if t.function in functions or self.is_about(t))
        return tuple(t for t in tests if self.is_about(t) or self.forced(t) is not None or self.expects_error(t))

    def calls(self, test: Collected, name: str) -> bool:
        """Whether it calls something of that name."""
        return any(isinstance(n, form.Call) and last_name(n.func) == name for n in test.function.nodes)

    def forced(self, test: Collected) -> Evidence | None:
        """Where the test, or a fixture that it asks for, makes something raise: a mock with a side effect."""
        found = self._found(test.function)
        return found[0] if found is not None else None

    def target(self, test: Collected) -> str | None:
        """The name of what is made to raise."""
        found = self._found(test.function)
        return found[1] if found is not None else None

    def _found(self, function: FunctionSymbol) -> tuple[Evidence, str] | None:
        if function not in self._forced:
            self._forced[function] = None
            fixtures = (self._suite.fixture(p.name, function) for p in function.parameters)
            found = next(self._forcing(function), None)
            if found is None:
                found = next((f for fixture in fixtures if fixture is not None for f in self._forcing(fixture)), None)
            self._forced[function] = found
        return self._forced[function]

    def _forcing(self, function: FunctionSymbol) -> Iterator[tuple[Evidence, str]]:
        module = function.module
        decorators = (node for d in function.decorators for node in form.walk(d))
        for node in (*decorators, *form.walk_body(function.node.body)):
            match node:
                case form.Call(func=func):
                    effect = node.keyword("side_effect")
                    if effect is None and last_name(func) in ("setattr", "replace") and len(node.positional) > 1:
                        effect = node.positional[-1]
                    if effect is not None and self._raises(effect, function):
                        yield module.evidence(node, "it makes this fail"), _target(node)
                case form.Assign(targets=[form.Attr(attr="side_effect", value=mock)], value=value):
                    if value is not None and self._raises(value, function):
                        yield module.evidence(node, "it makes this fail"), last_name(mock) or ""

    def _raises(self, node: form.Expr, function: FunctionSymbol) -> bool:
        """Whether it is an exception, a list with one in it, or a function that raises."""
        match node:
            case form.Display(items=items):
                return any(self._raises(item, function) for item in items)
            case form.Call(func=func):
                name = last_name(func) or ""
                return _FAILURE.fullmatch(name) is not None or any(self._raises(a.value, function) for a in node.args)
            case form.Lambda(body=body):
                return any(isinstance(n, form.Call) and last_name(n.func) == "throw" for n in form.walk(body)) or (
                    isinstance(body, form.Call) and _FAILING.fullmatch(last_name(body.func) or "") is not None
                )
            case form.Name(id=name):
                bindings = function.scope.lookup(name)
                local = next((b.function for b in bindings if b.function is not None), None)
                if local is not None and local.module in self._suite.module_set:
                    return any(isinstance(n, form.Raise) for n in local.nodes)
                values = [b.value for b in bindings if b.how is How.ASSIGN and b.value is not None]
                if values and values[-1] is not node:
                    return self._raises(values[-1], function)
                return _FAILURE.fullmatch(name) is not None or _FAILING.fullmatch(name) is not None
            case form.Attr(attr=attr):
                return _FAILURE.fullmatch(attr) is not None
        return False

    def expects_error(self, test: Collected) -> bool:
        """Whether it expects what it calls to raise."""
        for node in test.function.nodes:
            is_raising = isinstance(node, form.Call) and last_name(node.func) in _RAISES
            if isinstance(node, form.Call) and is_raising and node.positional:
                expected = last_name(node.positional[0]) or ""
                if not _MISSING.fullmatch(expected):
                    return True
            if isinstance(node, form.Try) and node.handlers:
                return True
        return False

    def is_about(self, test: Collected) -> bool:
        """Whether it says that it is about transactions."""
        first = test.function.node.body[0] if test.function.node.body else None
        text = first.value.value if isinstance(first, form.ExprStmt) and isinstance(first.value, form.Const) else ""
        return _ABOUT.search(test.function.name) is not None or (isinstance(text, str) and bool(_ABOUT.search(text)))

    def nothing_left(self, test: Collected, models: Iterable[str], *, is_linked: bool = True) -> Evidence | None:
        """Where it asserts that a row of one of the models isn't there, or is as it was.

        A test of the scope that says that it is about transactions may look at rows of other models too, and at how
        many there are.
        """
        function = test.function
        names = set(models)
        is_about = is_linked and self.is_about(test)
        for node in function.nodes:
            absent = kept = None
            match node:
                case form.Assert(test=asked):
                    absent, kept = _absent(asked), _kept(asked)
                case form.Call(func=func) if last_name(func) in (*_EMPTY, *_EQUAL):
                    absent, kept = _absent_by_method(node), node.positional[:2]
                case form.Call(func=func, args=[form.Arg(value=form.Attr(attr=attr) as missing), *_]):
                    absent = missing if last_name(func) in _RAISES and _MISSING.fullmatch(attr) else None
            if absent is None and is_about and kept:
                absent = next((v for v in kept if not isinstance(v, form.Const)), None)
            is_absent = (
                absent is not None
                and not _is_field(absent)
                and self._speaks_of(absent, names, function, is_any=is_about)
            )
            if is_absent or any(self._is_read_again(value, names, function) for value in kept or ()):
                return function.module.evidence(node, "it looks whether anything was left")
        return self._asserted_by_helper(test, names) if is_linked else None

    def _asserted_by_helper(self, test: Collected, models: set[str]) -> Evidence | None:
        """The same in a function that the test calls for that alone: `assert_nothing_stored()`."""
        module = test.function.module
        for node in test.function.nodes:
            call = node.value if isinstance(node, form.ExprStmt) else None
            call = call.value if isinstance(call, form.Await) else call
            if not isinstance(call, form.Call):
                continue
            helper = self._suite.project.callee_function(call, test.function.scope)
            if helper is None or helper.module not in self._suite.module_set:
                continue
            asserts = (n.test for n in helper.nodes if isinstance(n, form.Assert))
            gone = (absent for asked in asserts if (absent := _absent(asked)) is not None)
            if any(not _is_field(absent) and self._speaks_of(absent, models, helper) for absent in gone):
                return module.evidence(node, "it looks whether anything was left")
        return None

    def _speaks_of(
        self, node: form.Expr, models: set[str], function: FunctionSymbol, depth: int = 2, *, is_any: bool = False
    ) -> bool:
        """Whether rows of one of the models are asked for, or of any."""
        for part in form.walk(node):
            name = last_name(part) if isinstance(part, form.Name | form.Attr) else None
            if name in models or (name == "objects" and is_any):
                return True
            if isinstance(part, form.Name) and depth:
                bindings = function.scope.bindings.get(part.id, ())
                for binding in bindings:
                    if binding.value is not None and self._speaks_of(binding.value, models, function, depth - 1):
                        return True
            if isinstance(part, form.Call) and isinstance(part.func, form.Name):
                helper = next((b.function for b in function.scope.lookup(part.func.id) if b.function is not None), None)
                if helper is not None and depth and any(last_name(n) in models for n in _names(helper)):
                    return True
        return False

    def _is_read_again(self, node: form.Expr, models: set[str], function: FunctionSymbol) -> bool:
        """Whether it is of a row that was read again: `order.refresh_from_db()`, or of one of the models that is read
        only after something was expected to fail.
        """
        names = {n.id for n in form.walk(node) if isinstance(n, form.Name)}
        calls = [n for n in function.nodes if isinstance(n, form.Call)] if names else []
        failed = min((n.start for n in calls if last_name(n.func) in _RAISES), default=None)
        if isinstance(node, form.Attr) and isinstance(node.value, form.Name) and failed is not None:
            bound = function.scope.bindings.get(node.value.id, ())
            later = [b.value for b in bound if b.offset > failed]
            if any(value is not None and self._speaks_of(value, models, function) for value in later):
                return True
        return any(
            last_name(n.func) in ("refresh_from_db", "arefresh_from_db", "refresh")
            and any(isinstance(p, form.Name) and p.id in names for p in form.walk(n))
            for n in calls
        )


def _names(function: FunctionSymbol) -> Iterator[form.Expr]:
    return (n for n in function.nodes if isinstance(n, form.Name | form.Attr))


def _target(call: form.Call) -> str:
    """The last name of what a patch replaces."""
    for node in reversed(call.positional[:2]):
        if isinstance(node, form.Const) and isinstance(node.value, str):
            return node.value.rpartition(".")[2]
    return last_name(call.positional[0]) or "" if call.positional else ""


def _absent(asked: form.Expr) -> form.Expr | None:
    """What is asserted to be nothing, or no more than before."""
    match asked:
        case form.Unary(op="not", operand=operand):
            return operand
        case form.Compare(left=left, ops=["is"], rights=[form.Const(value=None | False)]):
            return left
        case form.Compare(left=left, ops=["=="], rights=[right]):
            return left if _is_nothing(right) else right if _is_nothing(left) else None
        case form.Compare(ops=["not in"], rights=[right]):
            return right
        case form.Boolean(op="and", values=values):
            return next((found for v in values if (found := _absent(v)) is not None), None)
    return None


def _is_field(node: form.Expr) -> bool:
    """Whether it is a field of a row, which says nothing of whether the row is there."""
    return isinstance(node, form.Attr) and isinstance(node.value, form.Name) and not _MISSING.fullmatch(node.attr)


def _kept(asked: form.Expr) -> list[form.Expr]:
    """What is compared with a value that it may have had before."""
    return [asked.left, *asked.rights] if isinstance(asked, form.Compare) and asked.ops == ["=="] else []


def _absent_by_method(call: form.Call) -> form.Expr | None:
    values = call.positional
    if last_name(call.func) in _EMPTY:
        return values[0] if values else None
    if len(values) < 2:
        return None
    if last_name(call.func) == "assertNotIn":
        return values[1]
    return values[0] if _is_nothing(values[1]) else values[1] if _is_nothing(values[0]) else None


def _is_nothing(node: form.Expr) -> bool:
    """Zero, an empty list, or what was counted before."""
    match node:
        case form.Const(value=value):
            return not value
        case form.Display(items=items):
            return not items
        case form.Name() | form.Attr():
            return _BEFORE.search(last_name(node) or "") is not None
    return False
