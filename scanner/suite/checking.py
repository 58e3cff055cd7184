"""Tests and what they assert, in their helpers and fixtures too."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Module
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.suite import AssertingFunction, AssertionKind, CollectedTest
from assay.scanner.readers.python import form
from assay.scanner.suite.assertions import ASSERTING, Asserted, asserted_by, statements
from assay.scanner.suite.collected import Collected, Suite
from assay.scanner.suite.frames import Frame
from assay.scanner.suite.texts import Texts

_DEEPEST = 3
"""Helpers inside of one another."""
_CHECKING = re.compile(
    r"_?(check|verify|expect|validate|ensure|should|must|compare|confirm|run_test|do_test|test)(_\w+|[A-Z]\w*)?"
)
"""Names of helpers that may assert."""
_SMOKE = re.compile(
    r"(does|do|must|should|is|are|will)?[ _]?(n't|n[o']?t|never)?[ _]?(raises?|crash(es)?|throws?|errors?|exceptions?|"
    r"fail(s|ing|ure)?)\b|smoke|\bno[ _](error|exception|crash)|without[ _](an?[ _])?(error|exception|rais|crash|fail)|"
    r"\b(valid|accept|allow|permit|pass|succe|bypass|no_?op|ignor|support|harmless|tolerat|handles?|works?\b)",
    re.IGNORECASE,
)
_SKIPPING = frozenset({"skip", "skipIf", "skipUnless", "skipif", "xfail", "expectedFailure"})
_MEASURING = frozenset(
    {"benchmark", "snapshot", "data_regression", "file_regression", "num_regression", "aio_benchmark"}
)
_SHOWN = 3


class Checking:
    """The assertions of a project's tests."""

    def __init__(self, suite: Suite, texts: Texts) -> None:
        self._suite = suite
        self._texts = texts
        self._defined = frozenset(name for m in suite.modules for c in m.classes for name in c.methods)
        self._known: dict[FunctionSymbol, Asserted] = {}
        self._helping: dict[FunctionSymbol, bool] = {}

    def of_functions(self, roots: dict[Module, str]) -> Iterator[AssertingFunction]:
        """What each function of the tests asserts, helpers included; nested ones count to the one around them."""
        for module in self._suite.modules:
            for function in module.functions if module in roots else ():
                if function.outer.function is not None:
                    continue
                found = self._asserted(function)
                if found.live or found.dead:
                    location = found.dead[0].location if found.dead else function.location
                    count = len(found.live) + len(found.dead)
                    dead = tuple(found.dead)
                    yield AssertingFunction(function.id, location, Role.TEST, roots[module], count, dead)

    def of_test(self, test: Collected, root: str) -> CollectedTest:
        """What one test asserts."""
        function = test.function
        found = self._asserted(function)
        base = (function.id, function.location, Role.TEST, root)
        trivial = tuple(function.module.evidence(n, "it can't fail") for n in found.trivial[:_SHOWN])
        if found.live:
            shown = tuple(function.module.evidence(n, kind.value) for n, kind in found.live[:1])
            return CollectedTest(*base, shown, found.live[0][1], trivial)
        if found.dead:
            return CollectedTest(*base, excuse="what it asserts is never evaluated")
        excuse = self._excuse(function)
        if excuse is not None:
            return CollectedTest(*base, excuse=excuse)
        helper = self._helper(test)
        if helper is not None:
            return CollectedTest(*base, (helper,), AssertionKind.HELPER, trivial)
        return CollectedTest(*base, (), None, trivial, self._smoke(function), tuple(self._unfollowed(test))[:_SHOWN])

    def _asserted(self, function: FunctionSymbol) -> Asserted:
        if function not in self._known:
            self._known[function] = asserted_by(function.node, function.module, self._defined)
        return self._known[function]

    def _excuse(self, function: FunctionSymbol) -> str | None:
        owner = function.owner
        for decorator in (*function.decorators, *(owner.node.decorators if owner is not None else ())):
            if last_name(decorator.func if isinstance(decorator, form.Call) else decorator) in _SKIPPING:
                return "it is skipped, or expected to fail"
        if any(p.name in _MEASURING for p in function.parameters):
            return "it is measured, or compared with a recording"
        for node in function.nodes:
            if isinstance(node, form.Call) and last_name(node.func) in ("skip", "skipTest"):
                return "it skips itself"
        above = self._suite.project.class_member(owner, function.name, owner) if owner is not None else []
        if above and not any(True for _ in statements(function.node.body)):
            return "it switches an inherited test off"
        return None

    # --- helpers ---

    def _helper(self, test: Collected) -> Evidence | None:
        """A call that leads to an assertion."""
        function = test.function
        for cls in test.classes[:1] or (None,):
            frame = Frame(function.scope, cls)
            for call in self._calls(function):
                for target, _ in self._targets(call, frame):
                    if self._asserts(target, Frame(target.scope, cls), _DEEPEST):
                        return function.module.evidence(call, f"{target.name} asserts")
        for param in function.parameters:
            fixture = self._suite.fixture(param.name, function)
            if fixture is not None and self._asserted(fixture).live:
                return Evidence(fixture.location, "this fixture asserts")
        return None

    def _calls(self, function: FunctionSymbol) -> Iterator[form.Call]:
        for node in form.walk_body(function.node.body):
            if isinstance(node, form.Call):
                yield node

    def _targets(self, call: form.Call, frame: Frame) -> Iterator[tuple[FunctionSymbol, Frame]]:
        """The functions that it calls, or is handed: `run(check)`, `with checking() as c`."""
        found = self._texts.target(call, frame)
        if found is not None:
            yield found
        for arg in call.args:
            if isinstance(arg.value, form.Name | form.Attr):
                handed = self._texts.function(arg.value, frame)
                if handed is not None:
                    yield handed, Frame(handed.scope, frame.cls, depth=frame.depth + 1)

    def _asserts(self, function: FunctionSymbol, frame: Frame, depth: int) -> bool:
        if function in self._helping:
            return self._helping[function]
        self._helping[function] = False  # for one that calls itself
        is_of_tests = function.module in self._suite.module_set
        found = bool(self._asserted(function).live) and (is_of_tests or self._asserts_by_name(function))
        if not found and depth and is_of_tests:
            found = any(
                self._asserts(target, inside, depth - 1)
                for call in self._calls(function)
                for target, inside in self._targets(call, frame)
            )
        self._helping[function] = found
        return found

    def _asserts_by_name(self, function: FunctionSymbol) -> bool:
        """Of the service's own functions, which raise for reasons of their own, only those that are there to assert."""
        return ASSERTING.fullmatch(function.name) is not None

    def _unfollowed(self, test: Collected) -> Iterator[Evidence]:
        function = test.function
        frame = Frame(function.scope, test.classes[0] if test.classes else None)
        for call in self._calls(function):
            name = last_name(call.func)
            if name is not None and _CHECKING.fullmatch(name) and self._texts.target(call, frame) is None:
                yield function.module.evidence(call, f"what {name} does can't be told")

    def _smoke(self, function: FunctionSymbol) -> Evidence | None:
        """Where it says that running without an error is what it checks."""
        if any(last_name(d.func if isinstance(d, form.Call) else d) == "given" for d in function.decorators):
            return Evidence(function.location, "its data is made up by a tool: it looks for crashes")
        first = function.node.body[0] if function.node.body else None
        text = first.value.value if isinstance(first, form.ExprStmt) and isinstance(first.value, form.Const) else ""
        if _SMOKE.search(function.name.replace("_", " ")) or (isinstance(text, str) and _SMOKE.search(text)):
            return Evidence(function.location, "it says that running without an error is what it checks")
        for comment in function.module.facts.comments:
            if function.node.start <= comment.start < function.node.end and _SMOKE.search(comment.text):
                place = function.module.span(comment.start, comment.start + len(comment.text))
                return Evidence(place, "the comment says that running without an error is what it checks")
        return None
