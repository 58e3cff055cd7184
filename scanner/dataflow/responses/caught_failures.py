"""Caught failures: what clients get where a handler catches every error, be it an error or a success."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.handlers import Handlers
from assay.scanner.dataflow.loggers import Loggers
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.dataflow.responses.errors import error_marker
from assay.scanner.dataflow.responses.exception_types import caught_types, is_anything, is_anything_of_database
from assay.scanner.dataflow.responses.replies import Replies, Reply
from assay.scanner.dataflow.responses.serving import Serving
from assay.scanner.dataflow.responses.statuses import DEFAULT, is_abort, is_response
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.linker.values import External
from assay.scanner.model.answer import CaughtFailure, Outcome
from assay.scanner.model.effect import Effect, EffectKind
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.log import HandlerEffect
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_WRITES = frozenset({EffectKind.WRITE, EffectKind.REQUEST})
"""Changes that a client asks for; mails and messages go out beside them."""
_NULL_ANSWERS = frozenset({"fastapi", "django-ninja", "litestar", "flask_restful"})
"""Frameworks that answer 200 with `null` where a handler returns nothing, unless a declared body forbids it."""
_UNDOING = frozenset({"rollback", "close", "aclose", "print", "print_exc", "expunge_all", "pass"})
_SEEN = frozenset({HandlerEffect.LOGS, HandlerEffect.REPORTS, HandlerEffect.PRINTS})
_HOOKS = ("dispatch",)
"""Methods of view classes through which every request goes."""
_FEW = 3
"""Words, the sign before them counted, that explain nothing."""
_EACH = "it is one of several things that are tried"
_DONE = "what was asked for has been done before"
_BESIDE = "what was asked for is done after it"
_COUNTED = "it only counts what visitors do"


def caught_failures(serving: Serving, replies: Replies, project: Project) -> Iterator[CaughtFailure]:
    """One for each clause for any error in a handler of a JSON API, or in what runs around handlers."""
    return _Clauses(serving, replies, project).all()


@dataclass(frozen=True, slots=True, eq=False)
class _Clause:
    function: FunctionSymbol
    owner: form.Try
    handler: form.Handler
    endpoints: tuple[tuple[Route, Endpoint], ...]

    @property
    def is_read(self) -> bool:
        methods = {endpoint.method for _, endpoint in self.endpoints}
        return bool(methods) and methods <= _SAFE


class _Clauses:
    def __init__(self, serving: Serving, replies: Replies, project: Project) -> None:
        self._serving = serving
        self._replies = replies
        self._project = project
        self._handlers = Handlers(project, Loggers(project))
        self._ordinals = Ordinals()

    def all(self) -> Iterator[CaughtFailure]:
        for function, endpoints in self._functions():
            for node in function.nodes:
                tried = node if isinstance(node, form.Try) else _suppressing(node)
                for handler in tried.handlers if tried is not None else ():
                    types = list(caught_types(handler.type, function.scope, self._project))
                    if tried is not None and any(isinstance(t, External) and _is_any_error(t) for t in types):
                        yield self._failure(_Clause(function, tried, handler, endpoints))

    def _functions(self) -> Iterable[tuple[FunctionSymbol, tuple[tuple[Route, Endpoint], ...]]]:
        found: dict[FunctionSymbol, tuple[tuple[Route, Endpoint], ...]] = {}
        for served in self._serving.handlers.values():
            if served.is_json:
                found[served.function] = tuple(served.endpoints)
            for route, endpoint in served.endpoints:
                for name in _HOOKS if route.view_class is not None and endpoint.kind is EndpointKind.JSON else ():
                    hook = self._project.method(route.view_class, name) if route.view_class is not None else None
                    if hook is not None:
                        found.setdefault(hook, ())
        for wrapper, endpoints in self._serving.wrappers.items():
            if any(endpoint.kind is EndpointKind.JSON for endpoint in endpoints):
                found.setdefault(wrapper, ())
        return found.items()

    def _failure(self, clause: _Clause) -> CaughtFailure:
        function, handler = clause.function, clause.handler
        module = function.module
        outcome, place = self._outcome(clause)
        effects = {effect for effect, _ in self._handlers.effects(handler, function.scope)}
        end = handler.type.end if handler.type is not None else handler.start + len("except")
        return CaughtFailure(
            function.id,
            self._ordinals.next(function.id, "caught failure"),
            module.span(handler.start, end),
            module.role,
            outcome,
            module.evidence(place, _SAID[outcome]),
            tuple(dict.fromkeys(effect.steps[0] for effect in self._changes(clause)[1])),
            is_read=clause.is_read,
            is_logged=not _SEEN.isdisjoint(effects),
            excuse=self._excuse(clause),
            comment=_explanation(clause),
        )

    # --- what clients get ---

    def _outcome(self, clause: _Clause) -> tuple[Outcome, form.Node]:
        body, scope = clause.handler.body, clause.function.scope
        nodes = list(form.walk_body(body, into_definitions=False))
        last = body[-1]
        for node in nodes:
            match node:
                case form.Raise():
                    return Outcome.ERROR, node
                case form.ExprStmt(value=form.Call() as call) if is_abort(call, scope, self._project):
                    return Outcome.ERROR, node
        returns = [node for node in nodes if isinstance(node, form.Return)]
        found = [(self._returned(node, clause), node) for node in returns]
        for worst in (Outcome.EXCEPTION, Outcome.SUCCESS, Outcome.NOTHING, Outcome.FALLBACK):
            place = next((n for outcome, n in found if outcome is worst), None)
            if place is not None:
                return worst, place
        if found:
            return found[0][0], found[0][1]
        if isinstance(last, form.Jump):
            return self._ending(Outcome.GOES_ON if last.keyword == "pass" else Outcome.REMEMBERS, last, clause)
        return self._ending(Outcome.GOES_ON if all(map(self._is_silent, body)) else Outcome.REMEMBERS, last, clause)

    def _ending(self, outcome: Outcome, last: form.Stmt, clause: _Clause) -> tuple[Outcome, form.Node]:
        """An error, where the function ends with one behind the statements that were tried."""
        block = self._replies.block(clause.function.module, clause.owner.start)
        behind = (s for s in block.body if s.start >= clause.owner.end)
        following = next((s for s in behind if isinstance(s, form.Return | form.Raise)), None)
        if isinstance(following, form.Raise):
            return Outcome.ERROR, following
        if isinstance(following, form.Return) and following.value is not None:
            answer = self._returned(following, clause)
            if answer in (Outcome.ERROR, Outcome.SAYS_SO):
                return answer, following
        return outcome, last

    def _returned(self, node: form.Return, clause: _Clause) -> Outcome:
        bound, scope = clause.handler.name, clause.function.scope
        if node.value is None or (isinstance(node.value, form.Const) and node.value.value is None):
            is_null = bool(clause.endpoints) and all(_answers_null(route) for route, _ in clause.endpoints)
            return Outcome.NOTHING if is_null else Outcome.ERROR
        if isinstance(node.value, form.Name) and node.value.id == bound:
            return Outcome.EXCEPTION
        replies = list(self._replies.of_statement(node, scope))
        statuses = [reply.status_or(DEFAULT) for reply in replies]
        if any(status is None or status >= 300 for status in statuses):
            return Outcome.ERROR
        if any(error_marker(reply, self._replies, self._project) is not None for reply in replies):
            return Outcome.SAYS_SO
        if bound is not None and any(isinstance(n, form.Name) and n.id == bound for n in form.walk(node)):
            return Outcome.SAYS_SO
        return Outcome.SUCCESS if all(self._is_plain(reply, node, clause) for reply in replies) else Outcome.FALLBACK

    def _is_plain(self, reply: Reply, node: form.Return, clause: _Clause) -> bool:
        """Whether the answer is written out right there, and so is no result of something else that was tried."""
        site = reply.site
        inside = site.scope is clause.function.scope and node.start <= site.node.start <= node.end
        if not inside:
            return False
        written = site.node.items[0] if isinstance(site.node, form.Display) and site.node.kind == "tuple" else site.node
        if any(isinstance(n, form.Const) and n.value is False for n in form.walk(written)):
            return False  # `{"sent": False}` tells what became of it
        match written:
            case form.Const() | form.Dict() | form.Template() | form.Display():
                return True
            case form.Call(func=func, args=args):
                is_empty = all(isinstance(a.value, form.Const | form.Dict | form.Display) for a in args)
                is_made = is_response(written, site.scope, self._project) or (last_name(func) or "")[:1].isupper()
                return is_made and is_empty
        return False

    def _is_silent(self, statement: form.Stmt) -> bool:
        """Whether it leaves nothing that what follows could go by."""
        match statement:
            case form.ExprStmt(value=form.Await(value=form.Call() as call)) | form.ExprStmt(value=form.Call() as call):
                name = last_name(call.func) or ""
                owner = form.dotted(call.func.value) if isinstance(call.func, form.Attr) else ""
                return name in _UNDOING or "log" in (owner or "").lower() or name in ("capture_exception", "warn")
            case form.Jump(keyword="pass") | form.ExprStmt(value=form.Const() | form.Opaque()):
                return True
        return False

    # --- what was tried ---

    def _changes(self, clause: _Clause) -> tuple[list[Effect], list[Effect], list[Effect]]:
        """What the endpoints change before the tried statements, in them, and after them."""
        tried = clause.owner.body
        span = clause.function.module.span(tried[0].start, tried[-1].end)
        before, inside, after = list[Effect](), list[Effect](), list[Effect]()
        for effect in (e for _, endpoint in clause.endpoints for e in endpoint.effects if _counts(e)):
            step = effect.steps[0].location
            if step.path == span.path:
                where = before if step.line < span.line else after if step.line > span.end_line else inside
                where.append(effect)
        return before, inside, after

    def _excuse(self, clause: _Clause) -> str | None:
        module = clause.function.module
        for block in self._replies.block(module, clause.owner.start).within_function():
            if isinstance(block.header, form.For | form.While):
                return _EACH
        before, inside, after = self._changes(clause)
        if before:
            return _DONE
        stores = any(effect.kind is EffectKind.WRITE for effect in inside)
        if inside and not stores and any(effect.kind is EffectKind.WRITE for effect in after):
            return _BESIDE
        served = self._serving.handlers.get(clause.function)
        if served is None:
            return None
        return _COUNTED if served.counts_visits else served.why_success_may_tell_of_failure


def _is_any_error(raised: External) -> bool:
    return is_anything(raised) or is_anything_of_database(raised)


def _suppressing(node: form.Expr | form.Stmt) -> form.Try | None:
    """`with suppress(Exception):` as the `try` with `except Exception: pass` that it stands for."""
    for item in node.items if isinstance(node, form.With) else ():
        match item.value:
            case form.Call(func=func, args=[first, *_] as args) if last_name(func) == "suppress":
                start, end = item.value.start, item.value.end
                types = form.Display(start=start, end=end, kind="tuple", items=[a.value for a in args])
                passes = form.Jump(start=start, end=end, keyword="pass")
                caught = first.value if len(args) == 1 else types
                handler = form.Handler(start=start, end=end, type=caught, name=None, body=[passes])
                assert isinstance(node, form.With)
                return form.Try(start=node.start, end=node.end, body=node.body, handlers=[handler], orelse=[], final=[])
    return None


_SAID = {
    Outcome.ERROR: "it answers an error",
    Outcome.SAYS_SO: "the answer says that it failed",
    Outcome.EXCEPTION: "it returns the exception",
    Outcome.SUCCESS: "it answers as if all were well",
    Outcome.NOTHING: "it answers null",
    Outcome.FALLBACK: "it answers with something else",
    Outcome.REMEMBERS: "it remembers the failure",
    Outcome.GOES_ON: "it goes on",
}


def _explanation(clause: _Clause) -> Evidence | None:
    """A comment of some words among the statements of the clause."""
    module, handler = clause.function.module, clause.handler
    header = module.location(handler.type or handler).line
    for comment in module.facts.comments:
        if handler.start < comment.start < handler.body[-1].end and len(comment.text.split()) > _FEW:
            place = module.span(comment.start, comment.start + len(comment.text))
            if place.line > header:
                return Evidence(place, "the comment")
    return None


def _counts(effect: Effect) -> bool:
    return effect.kind in _WRITES and effect.excuse is None and effect.doubt is None


def _answers_null(route: Route) -> bool:
    declared = route.response_model or "None"
    return route.framework in _NULL_ANSWERS and ("None" in declared or "Optional" in declared)
