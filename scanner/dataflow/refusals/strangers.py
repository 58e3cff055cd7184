"""A caller without credentials on the way through hooks and dependencies: whether anything turns them away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias
from weakref import WeakKeyDictionary

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.refusals.answers import refuses
from assay.scanner.dataflow.refusals.conditions import (
    CALLER_WORDS,
    has_word,
    holds_for_known_callers,
    holds_for_strangers,
    is_about_place,
    is_block_list,
    is_switch,
)
from assay.scanner.dataflow.refusals.credentials import names_credentials
from assay.scanner.dataflow.refusals.functions import DEEPEST, called, refuses_by_answer_alone
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_NEXT = frozenset({"handler", "call_next", "get_response", "next_handler"})
"""What middleware calls the rest of the chain."""
_CAUGHT = frozenset({"HTTPException", "StarletteHTTPException", "Exception", "BaseException"})


def refusal_of_strangers(hook: FunctionSymbol, project: Project, asked: Asked | None = None) -> Evidence | None:
    """Where a hook that runs before every request turns away callers of whom nothing is known.

    `if current_user.banned: abort(403)` does not, nor does a page that says the site is being set up. Where it is known
    what is asked for, `if request.path in OPEN: return` lets that pass.
    """
    if asked is None or asked.view is not None:
        return _refusal_of_strangers(hook, project, DEEPEST, asked)
    same_for_all = _SAME_FOR_ALL.setdefault(project, {})
    if hook in same_for_all:
        return same_for_all[hook]
    heard: list[form.Expr] = []
    found = _refusal_of_strangers(hook, project, DEEPEST, asked, heard=heard)
    if not heard:
        same_for_all[hook] = found
    return found


_SAME_FOR_ALL: WeakKeyDictionary[Project, dict[FunctionSymbol, Evidence | None]] = WeakKeyDictionary()
"""What was found in hooks in which no test hangs on what is asked for: most of them, and they run for every route."""


def dependency_refusal(function: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a dependency of a handler turns away callers without credentials, whatever it looks at beside them.

    One that hands `None` to the handler for them, `if token is None: return None`, does not, nor one that returns a
    response, which the handler gets for an argument.
    """
    if is_switch(function) or refuses_by_answer_alone(function, project):
        return None
    return _refusal_of_strangers(function, project, DEEPEST, None, is_hook=False)


def _refusal_of_strangers(
    function: FunctionSymbol,
    project: Project,
    depth: int,
    asked: Asked | None,
    *,
    is_hook: bool = True,
    heard: list[form.Expr] | None = None,
) -> Evidence | None:
    """`heard` takes the tests that what is asked for decides."""
    if not depth or "csrf" in function.name.lower():
        return None
    nodes, _ = _Stranger(function.scope, project, asked, is_hook, heard).meets(function.node.body, decided=True)
    for node in nodes:
        if refuses(node, function.scope, project):
            return function.module.evidence(node, "turns callers away")
    callees = (called(n, function.scope, project) for n in nodes if isinstance(n, form.Call))
    found = (
        _refusal_of_strangers(callee, project, depth - 1, asked, is_hook=is_hook, heard=heard)
        for callee in callees
        if callee is not None
    )
    return next((f for f in found if f is not None), None)


_Met: TypeAlias = tuple[list[form.Expr | form.Stmt], bool]
"""What runs, and whether nothing after it does."""


@dataclass(frozen=True, slots=True)
class _Stranger:
    """A caller without credentials, on the way through a function.

    `asked` is what the caller asks for, where it is known. A hook runs for everybody: what it refuses below a condition
    that has to do neither with who is asking nor with what is asked for says nothing. A dependency's condition does.
    """

    scope: Scope
    project: Project
    asked: Asked | None
    is_hook: bool
    heard: list[form.Expr] | None

    def meets(self, body: list[form.Stmt], *, decided: bool) -> _Met:
        """What runs; `decided` is unset below a condition that says nothing."""
        nodes: list[form.Expr | form.Stmt] = []
        for statement in body:
            found, is_last = self._of(statement, decided=decided)
            nodes += found
            if is_last:
                return nodes, True
        return nodes, False

    def _of(self, statement: form.Stmt, *, decided: bool) -> _Met:
        match statement:
            case form.If():
                return self._at_condition(statement, decided=decided)
            case form.Try(body=inner, handlers=handlers, orelse=orelse, final=final):
                nodes, is_last = self.meets(inner, decided=decided)
                if any(_swallows(handler) for handler in handlers):
                    nodes = []  # nobody is turned away by what was tried
                caught = () if _only_passes_on(inner) else (h.body for h in handlers)
                for block in () if is_last else (*caught, orelse, final):
                    nodes += self.meets(block, decided=decided)[0]
                return nodes, is_last
            case form.With(body=inner):
                return self.meets(inner, decided=decided)
            case form.For(body=inner) | form.While(body=inner):
                return self.meets(inner, decided=decided)[0], False
            case form.Function() | form.Class():
                return [], False
        return (list(form.walk(statement)) if decided else []), False

    def _at_condition(self, node: form.If, *, decided: bool) -> _Met:
        known = self.asked.turns_out(node.test, self.scope, self.project) if self.asked is not None else None
        if known is not None and self.heard is not None:
            self.heard.append(node.test)
        if known is not None:
            taken = node.body if known else node.orelse
            nodes, is_last = self.meets(taken, decided=decided)
            return nodes, is_last or (bool(taken) and isinstance(taken[-1], form.Return | form.Raise))
        is_about_caller = has_word(node.test, CALLER_WORDS)
        says_something = not self.is_hook and not is_block_list(node.test)
        below = is_about_caller or says_something or (decided and is_about_place(node.test))
        found: list[form.Expr | form.Stmt] = []
        if not (is_about_caller and self._never_holds(node.test)):
            found += self.meets(node.body, decided=below)[0]
            if isinstance(node.body[-1], form.Return) and holds_for_strangers(node.test):
                return found, True
        return found + self.meets(node.orelse, decided=below)[0], False

    def _never_holds(self, test: form.Expr) -> bool:
        if self.is_hook:
            return holds_for_known_callers(test)
        return isinstance(test, form.Name | form.Compare) and holds_for_known_callers(test)


def _only_passes_on(body: list[form.Stmt]) -> bool:
    """Whether it hands the request on without a look at the caller: what it catches is what a handler raised."""
    passing = [any(isinstance(n, form.Call) and last_name(n.func) in _NEXT for n in form.walk(s)) for s in body]
    others = [node for s, passes in zip(body, passing, strict=True) if not passes for node in form.walk(s)]
    named = [node for node in others if isinstance(node, form.Name | form.Attr)]
    return any(passing) and not any(has_word(node, CALLER_WORDS) for node in named)


def _swallows(handler: form.Handler) -> bool:
    """`except HTTPException: return None`: it catches refusals and lets the caller go on."""
    caught = handler.type.items if isinstance(handler.type, form.Display) else [handler.type]
    is_broad = any(node is None or last_name(node) in _CAUGHT for node in caught)
    last = handler.body[-1]
    goes_on = isinstance(last, form.Jump) or (isinstance(last, form.Return) and not isinstance(last.value, form.Call))
    return is_broad and goes_on and not any(isinstance(n, form.Raise) for n in form.walk_body(handler.body))


@remembered
def perhaps_refuses_strangers(hook: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a hook ends a request by who is asking, for all that can be told."""
    for node in hook.walk():
        ends = isinstance(node, form.If) and (_ends_request(node.body) or _ends_request(node.orelse))
        if isinstance(node, form.If) and ends and names_credentials(node.test, hook.scope, project):
            return hook.module.evidence(node.test, "decides by who is asking")
    return None


def _ends_request(body: list[form.Stmt]) -> bool:
    last = body[-1] if body else None
    match last:
        case form.Raise():
            return True
        case form.Return(value=value):
            is_nothing = value is None or (isinstance(value, form.Const) and value.value is None)
            return not is_nothing and not any(_calls_next(node) for node in form.walk(last))
        case form.ExprStmt(value=form.Call(func=func)):
            return last_name(func) == "abort"
    return False


def _calls_next(node: form.Expr | form.Stmt) -> bool:
    return (isinstance(node, form.Call) and last_name(node.func) in _NEXT) or (
        isinstance(node, form.Name) and node.id == "response"
    )
