"""Refusals of callers: where code turns away somebody who is not known or may not, and with which status."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.blocks import Block
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.dataflow.responses.callers import Callers, callers_in, is_set_apart, reads_token
from assay.scanner.dataflow.responses.lacks import Conditions, Lacks
from assay.scanner.dataflow.responses.replies import Replies, Reply
from assay.scanner.dataflow.responses.serving import Served, Serving
from assay.scanner.dataflow.responses.statuses import is_abort
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.answer import CallerRefusal, Lack
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form

_STRANGERS_HOOKS = frozenset(
    """unauthorized_handler unauthorized_loader expired_token_loader invalid_token_loader revoked_token_loader
    user_lookup_error_loader token_verification_failed_loader""".split()
)
"""What registers a function that answers callers without an identity: Flask-Login's and Flask-JWT-Extended's."""
_TOKEN_ERRORS = frozenset({"jwt", "token", "jws", "jose", "signature", "expired", "credentials"})
_SAID_ELSEWISE = frozenset({402, 405, 406, 409, 410, 413, 415, 423, 426, 428, 429, 451, 502, 503, 504})
"""Errors that say something else: too many attempts, a locked account, a service that is down."""
_NOT_THERE = frozenset({"exist", "exists", "found"})
_MOST_TRIED = 3
"""Statements with the reading of a token among them that fail for its sake, most likely."""
_CALLERS = frozenset({"user", "account", "member", "principal", "identity", "current_user"})
_SET_APART = frozenset("webhook webhooks callback callbacks hook hooks mfa 2fa otp totp".split())
"""Words of modules in which other tokens than the caller's are checked."""
_LIBRARY_GUARDS = frozenset({"jwt_required", "verify_jwt_in_request", "get_jwt", "login_required", "auth_required"})
_GRANT = "OAuth 2.0 has a 400 for a grant that doesn't hold"
_PAGE = "it is for pages, which a browser shows"
_REASON = re.compile(
    r"\b(40[0134]|hide|leak\w*|reveal\w*|enumerat\w*|disclos\w*|on purpose|deliberate\w*)\b", re.IGNORECASE
)


def caller_refusals(serving: Serving, replies: Replies, project: Project) -> Iterator[CallerRefusal]:
    """One for each place that answers an error status because of who is calling."""
    return _Refusals(serving, replies, project).all()


@dataclass(frozen=True, slots=True, eq=False)
class _Site:
    function: FunctionSymbol
    statement: form.Stmt
    lacks: Lacks
    condition: form.Node


class _Refusals:
    def __init__(self, serving: Serving, replies: Replies, project: Project) -> None:
        self._serving = serving
        self._replies = replies
        self._project = project
        self._ordinals = Ordinals()

    def all(self) -> Iterator[CallerRefusal]:
        seen = set[Location]()
        for function in self._functions():
            sites = list(self._sites(function))
            if not sites:
                continue
            is_apart = is_set_apart(function.name) or any(map(is_set_apart, self._places(function)))
            certain = self._knows_callers(function)
            for site in sites:
                if is_apart and site.lacks.what != {Lack.RIGHTS}:
                    continue
                for reply in self._replies.of_statement(site.statement, function.scope):
                    found = self._refusal(site, reply, is_certain=certain)
                    if found is not None and found.location not in seen:
                        seen.add(found.location)
                        certain = certain or found.lacks == {Lack.IDENTITY}
                        yield found

    # --- where to look ---

    def _functions(self) -> Iterable[FunctionSymbol]:
        """What speaks with clients, and what libraries call to answer strangers."""
        found = dict(self._serving.speaking)
        for module in self._project.modules.values():
            for function in module.functions:
                if any(_registers(d) for d in function.decorators):
                    found[function] = None
        return found

    def _places(self, function: FunctionSymbol) -> Iterator[str]:
        """What its module and the paths that lead to it say of it."""
        yield from _SET_APART.intersection(words(function.module.name))
        served = self._serving.handlers.get(function)
        for _, endpoint in served.endpoints if served is not None else ():
            parts = [p for p in endpoint.path.split("/") if p and not p.startswith(("{", "<", ":"))]
            yield parts[-1] if parts else ""

    def _sites(self, function: FunctionSymbol) -> Iterator[_Site]:
        conditions = Conditions(function, function in self._serving.handlers, self._project)
        for node in function.nodes:
            is_exit = isinstance(node, form.Return | form.Raise) or (
                isinstance(node, form.ExprStmt)
                and isinstance(node.value, form.Call)
                and is_abort(node.value, function.scope, self._project)
            )
            if not is_exit or not isinstance(node, form.Return | form.Raise | form.ExprStmt):
                continue
            found = self._why(node, conditions)
            if found is not None:
                yield _Site(function, node, *found)
            elif any(_registers(d) for d in function.decorators):
                yield _Site(function, node, Lacks(frozenset({Lack.IDENTITY})), node)

    def _why(self, statement: form.Stmt, conditions: Conditions) -> tuple[Lacks, form.Node] | None:
        """What the caller lacks who gets to the statement: by the nearest condition alone."""
        at: form.Node = statement
        for block in self._replies.block(conditions.scope.module, statement.start).within_function():
            before = _returned_before(at, block)
            if before is not None:
                lacks = conditions.lacks(before.test, holds=False)
                return (lacks, before.test) if lacks.what else None
            match block.header:
                case form.If(test=test) as header:
                    lacks = conditions.lacks(test, holds=not block.is_otherwise)
                    return (lacks, test) if lacks.what else None
                case form.Handler() as header:
                    return self._caught(header, block, conditions)
                case form.While() | form.For() | form.Function() | form.Class() | None:
                    return None
                case header:
                    at = header
        return None

    def _caught(self, handler: form.Handler, block: Block, conditions: Conditions) -> tuple[Lacks, form.Node] | None:
        tried = block.owner.body if block.owner is not None else []
        caught = handler.type.items if isinstance(handler.type, form.Display) else [handler.type]
        spoken = {word for node in caught if node is not None for word in words(last_name(node) or "")}
        if not spoken & (_TOKEN_ERRORS | _NOT_THERE) and len(tried) > _MOST_TRIED:
            return None
        reads = any(reads_token(n, conditions.scope, self._project) for n in form.walk_body(tried))
        is_of_token = bool(spoken & _TOKEN_ERRORS) and (reads or bool(conditions.callers.brought))
        is_of_nobody = bool(spoken & _NOT_THERE) and _looks_up_caller(tried, conditions)
        if is_of_token or (reads and len(tried) <= _MOST_TRIED) or is_of_nobody:
            place = handler.type if handler.type is not None else tried[0]
            return Lacks(frozenset({Lack.IDENTITY})), place
        return None

    # --- what is answered ---

    def _refusal(self, site: _Site, reply: Reply, *, is_certain: bool) -> CallerRefusal | None:
        status, function = reply.status, site.function
        if status is None or status < 400 or status in _SAID_ELSEWISE:
            return None
        if not site.lacks.is_all and status not in (401, 403):
            return None
        lacks = site.lacks.what
        if Lack.PASSWORD in lacks and self._knows_callers(function):
            return None  # somebody who is signed in confirms a change with the password
        if lacks == {Lack.RIGHTS} and not is_certain:
            lacks |= {Lack.IDENTITY} if status == 401 else set()
        module = function.module
        return CallerRefusal(
            function.id,
            self._ordinals.next(function.id, "refusal"),
            module.location(reply.site.node),
            module.role,
            lacks,
            module.evidence(site.condition, "the condition"),
            status,
            self._excuse(function, status) or _page(reply, function, self._project),
            _contract(function, site),
        )

    def _knows_callers(self, function: FunctionSymbol) -> bool:
        """Whether strangers don't get there: a guard stands before it, or hands in who is asking."""
        served = self._serving.answering.get(function)
        if served is not None and served.endpoints and all(_is_guarded(r, function) for r, _ in served.endpoints):
            return True
        if any(_lets_in_known_ones(node) for node in (*function.decorators, *function.nodes)):
            return True
        callers: Callers = callers_in(function, function in self._serving.handlers, self._project)
        return any(p.name in callers.known for p in function.parameters)

    def _excuse(self, function: FunctionSymbol, status: int) -> str | None:
        callers = [scope.enclosing_function for _, scope in self._project.callers(function)]
        if status == 400 and any(_takes_grant(f) for f in (function, *callers) if f is not None):
            return _GRANT
        kinds = {endpoint.kind for endpoint in self._endpoints(function, callers)}
        return _PAGE if kinds and EndpointKind.JSON not in kinds else None

    def _endpoints(self, function: FunctionSymbol, callers: list[FunctionSymbol | None]) -> Iterator[Endpoint]:
        for each in (function, *callers):
            served: Served | None = self._serving.answering.get(each) if each is not None else None
            if served is not None:
                yield from (endpoint for _, endpoint in served.endpoints)
            if each is not None:
                yield from self._serving.wrappers.get(each, ())


def _lets_in_known_ones(node: form.Expr | form.Stmt) -> bool:
    """`@jwt_required()`, `verify_jwt_in_request()`: a library turns strangers away before."""
    name = last_name(node.func if isinstance(node, form.Call) else node) if isinstance(node, form.Expr) else None
    return name in _LIBRARY_GUARDS and not (isinstance(node, form.Call) and node.keyword("optional") is not None)


def _is_guarded(route: Route, function: FunctionSymbol) -> bool:
    """Whether something guards the route that is no check of the function itself."""
    body = function.node.body
    own = function.module.span(body[0].start, body[-1].end)
    places = (guard.evidence.location for guard in route.guards)
    return any(p.path != own.path or not own.line <= p.line <= own.end_line for p in places)


def _registers(decorator: form.Expr) -> bool:
    return last_name(decorator.func if isinstance(decorator, form.Call) else decorator) in _STRANGERS_HOOKS


def _returned_before(node: form.Node, block: Block) -> form.If | None:
    """`if user.check_password(given): return token` right before what others get."""
    earlier = [s for s in block.body if s.start < node.start]
    last = earlier[-1] if earlier else None
    return last if isinstance(last, form.If) and not last.orelse and isinstance(last.body[-1], form.Return) else None


def _looks_up_caller(tried: list[form.Stmt], conditions: Conditions) -> bool:
    """`user = User.objects.get(pk=claims["sub"])`."""
    for statement in tried:
        targets = statement.targets if isinstance(statement, form.Assign) else []
        is_caller = any(isinstance(t, form.Name) and t.id in _CALLERS for t in targets)
        names = (n.id for n in form.walk(statement) if isinstance(n, form.Name))
        if is_caller and any(name in conditions.callers.brought for name in names if name not in _CALLERS):
            return True
    return False


def _page(reply: Reply, function: FunctionSymbol, project: Project) -> str | None:
    """Django's plain responses and errors, which it shows as pages; its REST libraries have their own."""
    node = reply.site.node
    named = node.func if isinstance(node, form.Call) else node
    library = project.qualified_name(named, function.scope) or ""
    return _PAGE if library.startswith("django.") and last_name(named) != "JsonResponse" else None


def _takes_grant(function: FunctionSymbol) -> bool:
    spelled = (
        n for p in function.parameters for n in form.walk(p.annotation or form.Const(start=0, end=0, value=None))
    )
    names = {last_name(n) for n in spelled if isinstance(n, form.Name | form.Attr)}
    is_form = any(name is not None and name.startswith("OAuth2PasswordRequestForm") for name in names)
    return is_form or any(p.name == "grant_type" for p in function.parameters)


def _contract(function: FunctionSymbol, site: _Site) -> Evidence | None:
    """A comment between the condition and the answer that gives a reason for the status."""
    module = function.module
    first, last = sorted((module.location(site.condition).line - 1, module.location(site.statement).line))
    for comment in module.facts.comments:
        if function.node.start <= comment.start < function.node.end and _REASON.search(comment.text):
            place = module.span(comment.start, comment.start + len(comment.text))
            if first <= place.line <= last:
                return Evidence(place, "the comment")
    return None
