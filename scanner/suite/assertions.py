"""What the functions of tests assert, and which of these assertions are never evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Module
from assay.scanner.model.place import Evidence
from assay.scanner.model.suite import AssertionKind
from assay.scanner.readers.python import form

ASSERTING = re.compile(r"_?assert\w*|\w+_assert(ion)?s?|expect|fail|should|raise_for_status|check_expectations")
"""Names of calls that assert, whatever they belong to."""
RAISING = frozenset(
    """raises warns deprecated_call assertRaises assertRaisesRegex assertRaisesRegexp assertRaisesMessage assertWarns
    assertWarnsRegex assertWarnsMessage assertLogs assertNoLogs assertNumQueries assertTemplateUsed
    django_assert_num_queries django_assert_max_num_queries assert_raises does_not_raise""".split()
)
"""Context managers that assert something of the block."""
_MOCK = re.compile(r"assert_(not_)?(called|awaited)\w*|assert_any_(call|await)|assert_has_(calls|awaits)|assert_no_\w+")
_ONLY_WITH = {
    "assertRaises": 1, "assertWarns": 1, "assertRaisesRegex": 2, "assertRaisesMessage": 2, "assertWarnsRegex": 2,
    "raises": 1, "warns": 1, "deprecated_call": 0, "assertNumQueries": 1, "assertLogs": 9, "assertNoLogs": 9,
    "captureOnCommitCallbacks": 9, "django_assert_num_queries": 1, "django_assert_max_num_queries": 1,
    "django_capture_on_commit_callbacks": 9,
}  # fmt: skip
"""What only acts in a `with`, unless it is given a function to call: the positional arguments that are none."""
_ALWAYS_TRUE = frozenset({"called_once_with", "called_with", "called_once", "not_called", "awaited_once_with"})
"""Of a mock, these are mocks again."""
_BROAD = frozenset({"AssertionError", "Exception", "BaseException", "Failed", "failureException"})
_GUARDING = frozenset(
    {"raises", "assertRaises", "assertRaisesRegex", "assertRaisesMessage", "suppress", "assert_raises"}
)


@dataclass(slots=True)
class Asserted:
    """What one function asserts. `live` are assertions that are evaluated, with how; `dead` the others."""

    live: list[tuple[form.Node, AssertionKind]] = field(default_factory=list)
    trivial: list[form.Node] = field(default_factory=list)
    dead: list[Evidence] = field(default_factory=list)


def asserted_by(node: form.Function, module: Module, defined: frozenset[str]) -> Asserted:
    """What the function asserts itself. `defined` are names of methods of the tests' own classes: their objects are no
    mocks.
    """
    found = Asserted()
    _Reader(module, defined, found).body(node.body)
    return found


@dataclass(slots=True)
class _Reader:
    module: Module
    defined: frozenset[str]
    into: Asserted

    def body(self, statements: list[form.Stmt], *, guarded: bool = False) -> None:
        """`guarded` is set where an exception is expected or caught: a bare comparison may be what raises it."""
        for statement in statements:
            self._statement(statement, guarded)

    def _statement(self, node: form.Stmt, guarded: bool) -> None:  # noqa: C901 - one case per statement
        match node:
            case form.Assert(test=test):
                self._assert(node, test)
            case form.ExprStmt(value=value):
                self._alone(node, value, guarded)
            case form.Raise():
                self.into.live.append((node, AssertionKind.RAISES))
            case form.With(items=items, body=body):
                names = {_called_name(i.value) for i in items}
                if not names.isdisjoint(RAISING):
                    self.into.live.append((node, AssertionKind.RAISES))
                raising = not names.isdisjoint(_GUARDING)
                self._never_reached(items, body)
                self.body(body, guarded=guarded or raising)
            case form.Try(body=body, handlers=handlers, orelse=orelse, final=final):
                self.body(body, guarded=guarded or bool(handlers))
                for handler in handlers:
                    self.body(handler.body, guarded=guarded)
                self.body([*orelse, *final], guarded=guarded)
            case form.If(body=body, orelse=orelse) | form.For(body=body, orelse=orelse):
                self.body([*body, *orelse], guarded=guarded)
            case form.While(body=body) | form.Function(body=body) | form.Class(body=body):
                self.body(body, guarded=guarded)
            case form.Match(cases=cases):
                for case in cases:
                    self.body(case.body, guarded=guarded)
            case form.Assign(value=value) | form.Return(value=value) if value is not None:
                self._value(value)

    def _assert(self, node: form.Assert, test: form.Expr) -> None:
        if isinstance(test, form.Display) and test.kind == "tuple" and test.items:
            self._dead(node, "a tuple is always true: the assertion can't fail")
        elif isinstance(test, form.Const) and isinstance(test.value, str) and test.value:
            self._dead(node, "a text is always true: the assertion can't fail")
        elif isinstance(test, form.Const) and test.value:
            self.into.trivial.append(node)
        elif (name := self._always_true(test)) is not None:
            self._dead(node, f"`{name}` of a mock is a mock, and always true; call `assert_{name}` instead")
        elif isinstance(test, form.Const) and not test.value:
            self.into.live.append((node, AssertionKind.RAISES))  # `assert False`: this must not be reached
        else:
            self.into.live.append((node, AssertionKind.ASSERT))

    def _always_true(self, test: form.Expr) -> str | None:
        func = test.func if isinstance(test, form.Call) else test
        name = func.attr if isinstance(func, form.Attr) else None
        return name if name in _ALWAYS_TRUE and name not in self.defined else None

    def _alone(self, node: form.ExprStmt, value: form.Expr, guarded: bool) -> None:
        if isinstance(value, form.Await):
            value = value.value
        match value:
            case form.Compare() if not guarded:
                self._dead(node, "the result of this comparison is dropped; put `assert` before it")
            case form.Unary(op="not") if not guarded:
                self._dead(node, "the result of this test is dropped; put `assert` before it")
            case form.Boolean(values=values) if not guarded and all(isinstance(v, form.Compare) for v in values):
                self._dead(node, "the result of this test is dropped; put `assert` before it")
            case form.Attr(attr=attr) if _MOCK.fullmatch(attr) or attr.startswith("assert"):
                if attr not in self.defined:
                    self._dead(node, f"`{attr}` is not called: the parentheses are missing")
            case form.Call():
                self._call(node, value)

    def _call(self, node: form.ExprStmt, call: form.Call) -> None:
        name = last_name(call.func) or ""
        if name in _ONLY_WITH and name not in self.defined:
            if not _has_callable(call, _ONLY_WITH[name]) and _is_of_library(call, name):
                self._dead(node, f"`{name}` does nothing outside of `with`")
            else:
                self.into.live.append((node, AssertionKind.RAISES))
        elif (always := self._always_true(call)) is not None:
            self._dead(node, f"`{always}` of a mock asserts nothing; call `assert_{always}` instead")
        elif name in ("assertTrue", "assertFalse", "assert_") and _means_equality(call):
            self._dead(node, f"the second argument of `{name}` is only a message; use `assertEqual`")
        elif name in ("assertTrue", "assertFalse") and call.args and isinstance(call.args[0].value, form.Const):
            self.into.trivial.append(node)
        elif _MOCK.fullmatch(name):
            self.into.live.append((node, AssertionKind.MOCK))
        elif ASSERTING.fullmatch(name):
            self.into.live.append((node, AssertionKind.METHOD))
        else:
            self._value(call)

    def _value(self, value: form.Expr) -> None:
        """Assertions in an expression: chains such as `expect(page).to_have_title(...)`, and results that are kept."""
        node = value.value if isinstance(value, form.Await) else value
        while isinstance(node, form.Call | form.Attr | form.Await | form.Subscript):
            if isinstance(node, form.Call):
                name = last_name(node.func) or ""
                if ASSERTING.fullmatch(name) or name in ("raises", "warns"):
                    self.into.live.append((value, AssertionKind.METHOD))
                    return
                node = node.func
            else:
                node = node.value

    def _never_reached(self, items: list[form.WithItem], body: list[form.Stmt]) -> None:
        """Assertions behind the call that raises, in the block that is left by its exception."""
        for item in items:
            call = item.value
            name = _called_name(call)
            if not isinstance(call, form.Call) or name not in _GUARDING or name == "suppress" or not call.args:
                continue
            expected = last_name(call.args[0].value)
            if expected is None or expected in _BROAD or not any(_may_raise(s) for s in body[:1]):
                continue
            for statement in body[1:]:
                if _is_plain_assertion(statement):
                    self._dead(statement, "the exception leaves the block before this; put it behind the `with`")

    def _dead(self, node: form.Node, reason: str) -> None:
        self.into.dead.append(self.module.evidence(node, reason))


def _called_name(node: form.Expr) -> str | None:
    node = node.value if isinstance(node, form.Await) else node
    return last_name(node.func) if isinstance(node, form.Call) else None


def _has_callable(call: form.Call, plain: int) -> bool:
    """Whether it is given something to call, or hands on what it was given."""
    named = {"callable", "callableObj", "func", "using"} if plain < 9 else set()
    return (
        any(a.star for a in call.args)
        or len(call.positional) > plain
        or any(a.name in named - {"using"} for a in call.args)
    )


def _is_of_library(call: form.Call, name: str) -> bool:
    """`pytest.raises`, `self.assertRaises`; of `raises` alone only what was imported under that name."""
    return isinstance(call.func, form.Attr) or name.startswith(("assert", "django_")) or name in ("raises", "warns")


def _means_equality(call: form.Call) -> bool:
    positional = call.positional
    if len(positional) != 2 or isinstance(positional[0], form.Compare):
        return False
    second = positional[1]
    if isinstance(second, form.Const):
        return second.value is not None and not isinstance(second.value, str)
    return isinstance(second, form.Display)


def _may_raise(statement: form.Stmt) -> bool:
    """A call by itself, or one whose result is kept."""
    value = statement.value if isinstance(statement, form.ExprStmt | form.Assign) else None
    value = value.value if isinstance(value, form.Await) else value
    return isinstance(value, form.Call) and not ASSERTING.fullmatch(last_name(value.func) or "")


def _is_plain_assertion(statement: form.Stmt) -> bool:
    if isinstance(statement, form.Assert):
        return not any(isinstance(n, form.Call | form.Await | form.Subscript) for n in form.walk(statement.test))
    name = _called_name(statement.value) if isinstance(statement, form.ExprStmt) else None
    return name is not None and (_MOCK.fullmatch(name) is not None or name.startswith("assert")) and name not in RAISING


def statements(body: list[form.Stmt]) -> Iterator[form.Stmt]:
    """Those that do something: documentation, `pass` and a bare `return` are none."""
    for statement in body:
        is_text = isinstance(statement, form.ExprStmt) and isinstance(statement.value, form.Const | form.Opaque)
        is_end = isinstance(statement, form.Jump) or (isinstance(statement, form.Return) and statement.value is None)
        if not is_text and not is_end:
            yield statement
