"""What a function does when a look-up in it finds nothing: its statements, walked with that one value missing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from assay.scanner.dataflow.lookups.absent_values import AbsentValues, Called, Ended, Held
from assay.scanner.dataflow.lookups.misses import Kind, Miss
from assay.scanner.dataflow.lookups.outcomes import answered, names_of, raised
from assay.scanner.dataflow.responses.statuses import folded, is_response
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form

_FAILURE_KEYS = frozenset({"error", "errors", "detail", "message", "msg"})
_FAILURE_TEXT = re.compile(r"not found|not exist|n't exist|n't be found|no such|\bno [\w ]{1,40} (found|with)\b")


class Walk:
    """One function with the look-ups that find nothing, or with parameters that nothing was given for.

    What a handler returns is the answer; what another function returns, its caller looks at.
    """

    def __init__(
        self,
        function: FunctionSymbol,
        sources: Mapping[form.Expr, Miss],
        missing: frozenset[str],
        called: Called,
        project: Project,
        *,
        is_handler: bool = False,
    ) -> None:
        self._function = function
        self._is_handler = is_handler
        self._set: Miss | None = None
        """An error's status that was set on the response: `resp.status = 404`, `self.set_status(404)`."""
        self._values = AbsentValues(function, sources, missing, called, project)
        self._project = project

    def ending(self) -> Miss:
        """How the function ends."""
        ended = self._body(self._function.node.body)
        if ended is not None:
            return ended
        values = self._values
        if not values.has_met:
            return Miss(Kind.UNKNOWN)
        if self._set is not None:
            return self._set
        if any(r.value is not None for r in self._function.returns):
            return Miss(Kind.NONE, evidence=values.passed)
        return self._unless_passed(Miss(Kind.GOES_ON))

    def _unless_passed(self, miss: Miss) -> Miss:
        passed = self._values.passed
        return Miss(Kind.UNKNOWN, evidence=passed) if passed is not None and not self._values.has_asked else miss

    def _body(self, body: Sequence[form.Stmt]) -> Miss | None:
        """How the statements end; None where it goes on behind them."""
        for statement in body:
            if not self._values.has_met and not self._values.holds_source(statement):
                continue
            try:
                ended = self._statement(statement)
            except Ended as end:
                ended = end.miss
            if ended is not None:
                return ended
        return None

    def _statement(self, node: form.Stmt) -> Miss | None:  # noqa: C901 - one case for each kind of statement
        values = self._values
        match node:
            case form.Assign(targets=[form.Attr(attr="status" | "status_code")], value=value) if value is not None:
                self._set_status(value)
            case form.ExprStmt(value=form.Call(func=form.Attr(attr="set_status"), args=[form.Arg(value=value), *_])):
                self._set_status(value)
            case form.Assign(targets=targets, value=value) if value is not None:
                values.assign(targets, values.of(value), value)
            case form.AugAssign(target=target, value=value):
                values.of(target)
                values.of(value)
            case form.ExprStmt(value=value) | form.Delete(target=value):
                values.of(value)
            case form.Return(value=value):
                return self._returned(value)
            case form.Raise(exc=exc):
                return self._raised(exc, node)
            case form.Assert(test=test):
                if values.truth(test) is False:
                    place = values.evidence(node, "the assertion fails")
                    return Miss(Kind.CRASHES, 500, "AssertionError", evidence=place)
            case form.If():
                return self._branch(node)
            case form.For(iter=iterated, body=body):
                if values.of(iterated) is Held.NONE:
                    return Miss(Kind.CRASHES, 500, "TypeError", evidence=values.evidence(iterated, "it fails on None"))
                return self._perhaps(body)
            case form.While(test=test, body=body):
                return self._perhaps(body) if values.truth(test) is not False else None
            case form.With(items=items, body=body):
                for item in items:
                    held = values.of(item.value)
                    if item.target is not None:
                        values.assign([item.target], held, item.value)
                return self._body(body)
            case form.Try():
                return self._try(node)
            case form.Match(subject=subject, cases=cases):
                return self._match(subject, cases)
        return None

    # --- statements with bodies ---

    def _branch(self, node: form.If) -> Miss | None:
        values = self._values
        truth = values.truth(node.test)
        if truth is not None:
            return self._body(node.body if truth else node.orelse)
        if not values.has_met:
            return self._either(node)
        before = dict(values.known)
        first = self._body(node.body)
        after, values.known = values.known, before
        second = self._body(node.orelse)
        if first is None:
            common = {n: v for n, v in values.known.items() if after.get(n) is v}
            values.known = common if second is None else after
        if first is not None and second is not None:
            return first if _is_same(first, second) else Miss(Kind.UNKNOWN)
        return _only_crash(first) or _only_crash(second)

    def _either(self, node: form.If) -> Miss | None:
        """Look-ups below a test that has nothing to do with them: on either way, one by a number, one by a name."""
        values = self._values
        before = dict(values.known)
        first = self._body(node.body)
        after, has_met = values.known, values.has_met
        values.known, values.has_met = before, False
        second = self._body(node.orelse)
        if has_met and values.has_met:
            values.known = {n: v for n, v in values.known.items() if after.get(n) is v}
        elif has_met:
            values.known = after
        values.has_met = values.has_met or has_met
        if first is not None and second is not None and not _is_same(first, second):
            return Miss(Kind.UNKNOWN)
        return first or second

    def _perhaps(self, body: list[form.Stmt]) -> Miss | None:
        if not self._values.has_met or any(map(self._values.holds_source, body)):
            return self._body(body)
        return _only_crash(self._body(body))

    def _try(self, node: form.Try) -> Miss | None:
        was_met = self._values.has_met
        ended = self._body(node.body)
        if not self._values.has_met:
            for handler in node.handlers:
                if ended is None and any(map(self._values.holds_source, handler.body)):
                    ended = self._body(handler.body)
            return ended or self._body(node.orelse) or self._body(node.final)
        if ended is not None and ended.kind in (Kind.RAISES, Kind.CRASHES):
            for handler in node.handlers:
                if self._catches(handler, ended):
                    self._values.has_asked = True
                    self._values.caught = handler.name
                    handled = self._body(handler.body)
                    is_raised_again = handled is not None and handled.kind is Kind.RAISES and not handled.exception
                    return (ended if is_raised_again else handled) or self._body(node.final)
            return ended
        if ended is None and not was_met:
            ended = self._body(node.orelse)
        return ended or self._body(node.final)

    def _catches(self, handler: form.Handler, miss: Miss) -> bool:
        if handler.type is None:
            return True
        caught = handler.type.items if isinstance(handler.type, form.Display) else [handler.type]
        return not {last_name(node) or "" for node in caught}.isdisjoint(names_of(miss, self._project))

    def _match(self, subject: form.Expr, cases: list[form.Case]) -> Miss | None:
        values = self._values
        if values.of(subject) is not Held.NONE:
            return None
        values.has_asked = True
        for case in cases:
            is_plain = all(isinstance(value, form.Const) for value in case.values)
            if case.values and not (
                is_plain and any(v.value is None for v in case.values if isinstance(v, form.Const))
            ):
                continue
            values.assign([*case.binds], Held.NONE, subject)
            truth = values.truth(case.guard) if case.guard is not None else True
            if truth is None:
                return Miss(Kind.UNKNOWN)
            if truth:
                return self._body(case.body)
        return None

    # --- ends ---

    def _set_status(self, value: form.Expr) -> None:
        self._values.of(value)
        status = folded(value, self._function.scope, self._project)
        if status is not None and status >= 400 and self._values.has_asked:
            place = self._values.evidence(value, "what it answers then")
            self._set = Miss(Kind.ANSWERS, status, evidence=place)

    def _returned(self, value: form.Expr | None) -> Miss:
        values = self._values
        if self._set is not None:
            return self._set
        if isinstance(value, form.Conditional) and (truth := values.truth(value.test)) is not None:
            return self._returned(value.body if truth else value.orelse)
        if value is None:
            return self._unless_passed(Miss(Kind.GOES_ON if values.has_asked else Kind.NONE))
        held = values.of(value)
        place = values.evidence(value, "what is returned then")
        status = answered(value, self._function.scope, self._project)
        if status is not None and status >= 400:
            return Miss(Kind.ANSWERS, status, evidence=place)
        if held in (Held.NONE, Held.FALSE) or (self._is_handler and held is Held.HOLLOW and not values.has_asked):
            return Miss(Kind.NONE, evidence=place)
        if held is Held.PASSED:
            return Miss(Kind.UNKNOWN, evidence=values.passed)
        if self._is_handler and self._tells_failure(value):
            return Miss(Kind.ANSWERS, status or 200, evidence=place)
        return self._unless_passed(Miss(Kind.GOES_ON if values.has_asked else Kind.UNKNOWN, evidence=place))

    def _tells_failure(self, node: form.Expr) -> bool:
        """`{"error": "no such user"}`: plain data that says what is missing, with a status of success."""
        is_made = isinstance(node, form.Call) and node.args and is_response(node, self._function.scope, self._project)
        body = node.args[0].value if is_made and isinstance(node, form.Call) else node
        if not isinstance(body, form.Dict):
            return False
        keys = {str(k.value).lower() for k in body.keys if isinstance(k, form.Const)}
        inside = [n.value for v in body.values for n in form.walk(v) if isinstance(n, form.Const)]
        texts = [text.lower() for text in inside if isinstance(text, str)]
        return bool(keys & _FAILURE_KEYS) and any(_FAILURE_TEXT.search(text) for text in texts)

    def _raised(self, exc: form.Expr | None, node: form.Raise) -> Miss:
        if exc is None:
            return Miss(Kind.RAISES)
        miss = raised(exc, self._function.scope, self._project)
        place = self._values.evidence(node, "what is raised then")
        return Miss(miss.kind, miss.status, miss.exception, miss.cls, place)


def _is_same(first: Miss, second: Miss) -> bool:
    return first.kind is second.kind and first.status == second.status


def _only_crash(miss: Miss | None) -> Miss | None:
    """A branch whose test has nothing to do with the object ends for its own reasons, but for a crash."""
    return miss if miss is not None and miss.kind is Kind.CRASHES else None
