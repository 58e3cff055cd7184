"""Signed tokens: where they are read, and whether the same token is verified there, beside it, or by callers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from assay.scanner.configuration.meanings import Firmness, Taken
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.library_calls import Calls
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.safeguards.options import CallOptions
from assay.scanner.dataflow.safeguards.token_algorithms import TokenAlgorithms
from assay.scanner.dataflow.ways import Turn, Way, way_to
from assay.scanner.framework import Context
from assay.scanner.libraries import Condition, Library, TokenCall, TokenKind
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Binding, FunctionSymbol, How, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.token import TokenVerification, Verification
from assay.scanner.readers.python import form

_NOBODY = frozenset({"exp", "iat", "nbf", "jti", "typ", "alg", "kid", "x5t", "cty", "enc"})
"""Claims that say nothing of who somebody is: times, the token's own number, and what its header holds."""
_KEYS = frozenset({"iss", "aud", "azp", "tid", "client_id"})
"""Claims by which a key is looked up, before the token is verified with it."""
_CLIENTS = frozenset(
    {
        "request", "req", "cookies", "headers", "header", "authorization", "bearer", "credentials", "websocket", "ws",
        "environ", "scope", "query_params", "args", "META", "COOKIES", "GET", "POST",
    }
)  # fmt: skip
"""Names of what a client sends a token in."""
_ISSUERS = frozenset(
    {"json", "fetch_token", "fetch_access_token", "authorize_access_token", "exchange_code", "acquire_token"}
)
"""Methods that give what the issuer itself has just sent."""
_MAKING = frozenset({"create", "encode", "generate", "issue", "make", "mint", "sign", "new", "build"})
_CHECKS = frozenset({"verify", "verified", "validate", "validated", "introspect", "authenticate", "check"})
_GUARDS = frozenset({"auth", "authenticated", "authorized", "jwt", "login", "permission", "permissions", "protected"})
"""Words of decorators that let nobody in unchecked."""
_DEEPEST = 3
_MOST_CALLERS = 20


def token_verifications(
    context: Context, libraries: Sequence[Library], production: Production
) -> list[TokenVerification]:
    """Every call that reads a signed token, in order of path and position."""
    return _Tokens(context, libraries, production).all()


@dataclass(frozen=True, slots=True, eq=False)
class _Read:
    """One call: `verifies` is None where it can't be told whether it does."""

    call: form.Call
    scope: Scope
    model: TokenCall
    token: form.Expr | None
    verifies: bool | None
    why: tuple[Evidence, ...] = field(default=())

    @property
    def place(self) -> Evidence:
        return self.scope.module.evidence(self.call, f"`{last_name(self.call.func)}` verifies it")


class _Tokens:
    def __init__(self, context: Context, libraries: Sequence[Library], production: Production) -> None:
        self._project = context.project
        self._production = production
        self._options = CallOptions(self._project, self._production)
        self._algorithms = TokenAlgorithms(self._project, self._production, self._options)
        calls = Calls(self._project, libraries, lambda library: library.tokens)
        found = (self._read(call.node, call.scope, call.models[0]) for call in calls.found())
        self._reads = [read for read in found if read.token is not None]
        self._by_function: dict[FunctionSymbol | None, list[_Read]] = {}
        for read in self._reads:
            self._by_function.setdefault(read.scope.enclosing_function, []).append(read)
        self._verifiers = self._functions_that_verify()
        self._checking = self._functions_that_check()

    def all(self) -> list[TokenVerification]:
        ordinals = Ordinals()
        ordered = sorted(self._reads, key=lambda r: (r.scope.module.path, r.call.start))
        return [self._verification(read, ordinals) for read in ordered]

    def _verification(self, read: _Read, ordinals: Ordinals) -> TokenVerification:
        callee = form.dotted(read.call.func) or last_name(read.call.func) or "decode"
        function = around(read.scope)
        verification, evidence = self._judged(read)
        algorithms, named = self._algorithms.of(read.call, read.scope, read.model) if read.verifies else (None, [])
        return TokenVerification(
            function=function,
            ordinal=ordinals.next(function, callee),
            callee=callee,
            location=read.scope.module.location(read.call),
            role=read.scope.module.role,
            verification=verification,
            evidence=tuple(dict.fromkeys(evidence)),
            offline=offline_reason(read.scope),
            algorithms=algorithms,
            algorithm_evidence=tuple(dict.fromkeys(named)),
        )

    # --- one call ---

    def _read(self, call: form.Call, scope: Scope, model: TokenCall) -> _Read:
        token = self._options.argument(call, model.token.argument, model.token.position)
        if not model.verifies:
            return _Read(call, scope, model, token, False, (scope.module.evidence(call, "no signature is verified"),))
        is_open = False
        for condition in model.unless:
            held = self._options.holds(condition, call, scope)
            if held:
                node = self._options.argument(call, condition.argument.partition(".")[0], condition.position) or call
                off = scope.module.evidence(node, "this turns the check of the signature off")
                return _Read(call, scope, model, token, False, (off,))
            is_open = is_open or (held is None and self._may_turn_off(condition, call))
        return _Read(call, scope, model, token, None if is_open else True)

    def _may_turn_off(self, condition: Condition, call: form.Call) -> bool:
        """Whether the call hands on a switch of which nothing can be told; lists of algorithms are none."""
        return False in condition.values and call.keyword(condition.argument.partition(".")[0]) is not None

    def _judged(self, read: _Read) -> tuple[Verification, list[Evidence]]:
        is_switched = read.verifies and self._is_switched_off_here(read)
        if read.verifies and not is_switched:
            return self._of_verified(read)
        if read.verifies is None or is_switched:
            text = "whether this call verifies the signature hangs on this"
            return Verification.UNKNOWN, [read.scope.module.evidence(read.call, text)]
        beside = self._beside(read.scope, read.token, read.call)
        if beside and all(is_always for _, is_always in beside):
            return Verification.SAME_TOKEN, [evidence for evidence, _ in beside]
        if read.model.gives is TokenKind.HEADER:
            return Verification.NO_CLAIMS, [read.scope.module.evidence(read.call, "only the header is read")]
        claims = self._claims(read)
        if claims is not None and claims and claims <= _NOBODY:
            text = f"only {', '.join(sorted(claims))} is read of it"
            return Verification.NO_CLAIMS, [read.scope.module.evidence(read.call, text)]
        development = [b.evidence for b in self._closed(read) if b.evidence is not None]
        if development:
            return Verification.DEVELOPMENT, development
        elsewhere = [evidence for evidence, _ in beside] or self._elsewhere(read)
        if elsewhere:
            return Verification.ELSEWHERE, [*read.why, *elsewhere[:2]]
        if claims is not None and claims and claims <= _NOBODY | _KEYS:
            return Verification.UNKNOWN, list(read.why)
        return self._by_origin(read)

    def _is_switched_off_here(self, read: _Read) -> bool:
        """Whether a switch tells the call, and it stands where a switch is off: `else: decode(token, verify=flag)`."""
        switches = [c for c in read.model.unless if False in c.values]
        told = (m for c in switches for m in self._options.given(read.call, read.scope, c.argument, c.position).found)
        is_switch = any(meaning.firmness is Firmness.DEFAULT for meaning in told)
        return is_switch and bool(self._production.closed(read.call, read.scope))

    def _closed(self, read: _Read) -> list[Taken]:
        """Branches around the call that only development takes."""
        return [b for b in self._production.closed(read.call, read.scope) if b.firmness is Firmness.DEPLOYED]

    def _elsewhere(self, read: _Read) -> list[Evidence]:
        """What may verify the token out of sight of the call: callers, decorators, dependencies, middleware."""
        function = read.scope.enclosing_function
        token = _path(read.token) if read.token is not None else None
        return [
            *self._by_callers(function, read.token, _DEEPEST),
            *(self._by_name(function, token) if function is not None and token is not None else ()),
            *self._before(function, _DEEPEST),
        ]

    def _by_name(self, function: FunctionSymbol, token: str) -> Iterator[Evidence]:
        """Functions that by their name look whether the token is sound."""
        for node in function.nodes:
            if not isinstance(node, form.Call) or self._is_read(node):
                continue
            called = last_name(node.func) or ""
            if _CHECKS & set(words(called)) and any(_path(a.value) == token for a in node.args):
                yield function.module.evidence(node, f"`{called}` may verify it")

    def _is_read(self, call: form.Call) -> bool:
        return any(read.call is call for read in self._reads)

    def _before(self, function: FunctionSymbol | None, depth: int) -> Iterator[Evidence]:
        """Decorators and dependencies of the function and of its callers, and middleware, that verify tokens."""
        if function is None or not depth:
            return
        for node in _attached(function):
            if isinstance(node, form.Name | form.Attr):
                value = self._project.infer(node, function.outer)
                is_guard = isinstance(value, External | None) and _GUARDS & set(words(last_name(node) or ""))
                if value in self._checking and value is not function:
                    yield function.module.evidence(node, "this verifies a token")
                elif is_guard and any(node is _decorator(d) for d in function.decorators):
                    yield function.module.evidence(node, "this may verify it")
        for caller in {scope.enclosing_function for _, scope in self._project.callers(function)[:_MOST_CALLERS]}:
            yield from self._before(caller, depth - 1)
        if depth == _DEEPEST:
            for checking in self._checking:
                if _is_middleware(checking):
                    yield Evidence(checking.location, "this verifies tokens of requests")

    def _of_verified(self, read: _Read) -> tuple[Verification, list[Evidence]]:
        needed = read.model.needs
        if needed and not self._calls_later(read, needed):
            text = f"nothing calls `{needed}` on what comes out, so that times and audience count for nothing"
            return Verification.UNKNOWN, [read.scope.module.evidence(read.call, text)]
        return Verification.VERIFIED, [read.scope.module.evidence(read.call, "the signature is verified")]

    def _calls_later(self, read: _Read, method: str) -> bool:
        found = (node for node in form.walk_body(read.scope.body) if isinstance(node, form.Call))
        return any(isinstance(n.func, form.Attr) and n.func.attr == method for n in found)

    # --- the same token, verified ---

    def _beside(self, scope: Scope, token: form.Expr | None, at: form.Node) -> list[tuple[Evidence, bool]]:
        """What verifies the token in the function around, and whether it always does where the place is reached."""
        name = _path(token) if token is not None else None
        function = scope.enclosing_function
        if name is None or function is None:
            return []
        here = way_to(function.node.body, at.start)
        found: list[tuple[Evidence, Way]] = []
        for node in function.nodes:
            if not isinstance(node, form.Call) or node is at:
                continue
            evidence = self._verifying(node, function.scope, name)
            way = way_to(function.node.body, node.start)
            if evidence is not None and not _has_failed(node, here):
                found.append((evidence, tuple(branch for branch in way if branch not in here)))
        is_always = _covers({way for _, way in found})
        return [(evidence, is_always) for evidence, _ in found]

    def _verifying(self, call: form.Call, scope: Scope, name: str) -> Evidence | None:
        """Whether the call verifies the token of that name, itself or in the function that it calls."""
        for read in self._by_function.get(scope.enclosing_function, ()):
            if read.call is call:
                is_same = read.token is not None and _path(read.token) == name
                return read.place if is_same and read.verifies else None
        function = self._project.callee_function(call, scope)
        if function is None:
            return self._by_hand(call, scope, name)
        for parameter in self._verifiers.get(function, ()):
            param = next(p for p in function.parameters if p.name == parameter)
            argument = self._project.bound_argument(call, function, param)
            if argument is not None and _path(argument) == name:
                return scope.module.evidence(call, f"`{function.name}` verifies it")
        return None

    def _by_hand(self, call: form.Call, scope: Scope, name: str) -> Evidence | None:
        """`key.verify(message, signature)` with what the token was split into."""
        parts = call.positional
        if last_name(call.func) != "verify" or len(parts) < 2:
            return None
        if not all(_derives_from(part, scope, name, _DEEPEST) for part in parts[:2]):
            return None
        return scope.module.evidence(call, "its signature is verified by hand")

    def _functions_that_verify(self) -> dict[FunctionSymbol, set[str]]:
        """Functions, by the parameters that they verify, in the function itself or in one that it calls."""
        found: dict[FunctionSymbol, set[str]] = {}
        todo: list[tuple[FunctionSymbol, str]] = []
        for read in self._reads:
            function = read.scope.enclosing_function
            name = _path(read.token) if read.token is not None else None
            if function is not None and read.verifies and name in {p.name for p in function.parameters}:
                todo.append((function, str(name)))
        for _ in range(_DEEPEST):
            later: list[tuple[FunctionSymbol, str]] = []
            for function, name in todo:
                if name not in found.setdefault(function, set()):
                    found[function].add(name)
                    later += self._callers_handing_on(function, name)
            todo = later
        return found

    def _functions_that_check(self) -> dict[FunctionSymbol, None]:
        """Functions that verify some token, those around them, and their callers, near ones first."""
        found: dict[FunctionSymbol, None] = {}
        todo = [f for read in self._reads if read.verifies and (f := read.scope.enclosing_function) is not None]
        for _ in range(_DEEPEST):
            later: list[FunctionSymbol] = []
            for function in todo:
                if function not in found:
                    found[function] = None
                    outer = function.outer.enclosing_function
                    callers = (scope.enclosing_function for _, scope in self._project.callers(function)[:_MOST_CALLERS])
                    later += [f for f in (outer, *callers) if f is not None]
            todo = later
        return found

    def _callers_handing_on(self, function: FunctionSymbol, name: str) -> Iterator[tuple[FunctionSymbol, str]]:
        param = next(p for p in function.parameters if p.name == name)
        for call, scope in self._project.callers(function)[:_MOST_CALLERS]:
            caller = scope.enclosing_function
            argument = self._project.bound_argument(call, function, param)
            given = _path(argument) if argument is not None else None
            if caller is not None and given in {p.name for p in caller.parameters}:
                yield caller, str(given)

    def _by_callers(self, function: FunctionSymbol | None, token: form.Expr | None, depth: int) -> list[Evidence]:
        """What verifies the token in functions that hand it to this one."""
        param = _parameter(function, token)
        if function is None or param is None or not depth:
            return []
        found: list[Evidence] = []
        for call, scope in self._project.callers(function)[:_MOST_CALLERS]:
            argument = self._project.bound_argument(call, function, param)
            if argument is not None:
                found += [evidence for evidence, _ in self._beside(scope, argument, call)]
                found += self._by_callers(scope.enclosing_function, argument, depth - 1)
        return found

    # --- what becomes of the claims, and where the token comes from ---

    def _claims(self, read: _Read) -> set[str] | None:
        """The claims that are taken out of what the call gives; None where all of it goes elsewhere."""
        function = read.scope.enclosing_function
        body = function.node.body if function is not None else read.scope.body
        names = _names_given(read.call, read.scope)
        found: set[str] = set()
        uses = {id(n) for n in form.walk_body(body) if n is read.call or (isinstance(n, form.Name) and n.id in names)}
        for node in form.walk_body(body):
            match node:
                case form.Subscript(value=owner, index=form.Const(value=str() as key)) if id(owner) in uses:
                    found.add(key)
                    uses.discard(id(owner))
                case form.Call(func=form.Attr(value=owner, attr="get" | "pop"), args=[first, *_]) if id(owner) in uses:
                    if isinstance(first.value, form.Const):
                        found.add(str(first.value.value))
                        uses.discard(id(owner))
                case form.Assign(targets=targets, value=value) if value is not None:
                    if id(value) in uses and all(isinstance(t, form.Name) for t in targets):
                        uses.discard(id(value))
                        uses -= {id(t) for t in targets}
        return found if not uses else None

    def _by_origin(self, read: _Read) -> tuple[Verification, list[Evidence]]:
        if read.token is None or read.scope.module.role is not Role.PROD:
            return Verification.UNKNOWN, list(read.why)
        maker = _maker(read.token, read.scope)
        if maker is not None:
            return Verification.OWN, [maker]
        is_clients = self._is_clients(read.token, read.scope, _DEEPEST)
        if is_clients is None:
            return Verification.UNKNOWN, list(read.why)
        return Verification.NONE if is_clients else Verification.TRUSTED_SOURCE, list(read.why)

    def _is_clients(self, node: form.Expr, scope: Scope, depth: int) -> bool | None:
        """Whether a client sends the token; False where its issuer does, straight in answer to a request."""
        named = {n for part in form.walk(node) if isinstance(part, form.Name | form.Attr) and (n := last_name(part))}
        if named & _ISSUERS:
            return False
        if named & _CLIENTS or any({"request", "authorization"} & set(words(n)) for n in named):
            return True
        if not depth:
            return None
        bindings = [b for part in form.walk(node) if isinstance(part, form.Name) for b in scope.lookup(part.id)]
        answers = [self._is_bound_to_clients(binding, depth) for binding in bindings]
        return True if True in answers else False if False in answers else None

    def _is_bound_to_clients(self, binding: Binding, depth: int) -> bool | None:
        if binding.how is How.PARAMETER and binding.function is not None and binding.param is not None:
            callers = [c for c in self._project.callers(binding.function) if c[1].module.role is Role.PROD]
            if not callers:
                # Nobody in the code calls it: the framework does, with what clients send.
                return True if _is_called_by_framework(binding.function, binding.param) else None
            answers = [
                self._is_clients(argument, scope, depth - 1)
                for call, scope in callers[:_MOST_CALLERS]
                if (argument := self._project.bound_argument(call, binding.function, binding.param)) is not None
            ]
            return True if True in answers else False if False in answers else None
        if binding.value is not None and binding.how in (How.ASSIGN, How.UNPACK, How.WITH):
            return self._is_clients(binding.value, binding.scope, depth - 1)
        return None


def _is_called_by_framework(function: FunctionSymbol, param: form.Param) -> bool:
    """A handler, a dependency, a hook: it is decorated, or the parameter says where it is filled from."""
    stated = [part for part in (param.annotation, param.default) if part is not None]
    return bool(function.decorators) or any(isinstance(n, form.Call) for part in stated for n in form.walk(part))


def _attached(function: FunctionSymbol) -> Iterator[form.Expr | form.Stmt]:
    """Everything in the function's decorators and in what its parameters are filled from."""
    for decorator in function.decorators:
        yield from form.walk(decorator)
    for param in function.parameters:
        for part in (param.annotation, param.default):
            yield from form.walk(part) if part is not None else ()


def _decorator(node: form.Expr) -> form.Expr:
    return node.func if isinstance(node, form.Call) else node


def _is_middleware(function: FunctionSymbol) -> bool:
    """Whether it runs before every request, by what it and its module are called and decorated with."""
    decorated = {last_name(_decorator(d)) for d in function.decorators}
    named = {*words(function.qualname), *words(function.module.name)}
    return bool(decorated & {"before_request", "before_app_request", "middleware"}) or "middleware" in named


def _maker(token: form.Expr, scope: Scope) -> Evidence | None:
    """The call that made the token just before: `token = create_access_token(user)`."""
    bindings = scope.lookup(token.id) if isinstance(token, form.Name) else []
    values = [b.value for b in bindings]
    for value in values[-1:] if isinstance(token, form.Name) else [token]:
        if isinstance(value, form.Call) and words(last_name(value.func) or "")[:1] in {(w,) for w in _MAKING}:
            return scope.module.evidence(value, "it is made here")
    return None


def _derives_from(node: form.Expr, scope: Scope, name: str, depth: int) -> bool:
    """Whether the expression is made of what the name holds."""
    for part in form.walk(node):
        if isinstance(part, form.Name | form.Attr | form.Subscript) and _path(part) == name:
            return True
        if isinstance(part, form.Name) and depth:
            values = [b.value for b in scope.lookup(part.id) if b.value is not None and b.scope is scope]
            if any(_derives_from(value, scope, name, depth - 1) for value in values if value is not node):
                return True
    return False


def _parameter(function: FunctionSymbol | None, token: form.Expr | None) -> form.Param | None:
    name = _path(token) if token is not None else None
    return next((p for p in function.parameters if p.name == name), None) if function is not None else None


def _path(node: form.Expr) -> str | None:
    """A name or a path such as `self.token` or `request.cookies["token"]`, as text."""
    match node:
        case form.Subscript(value=base, index=form.Const(value=key)):
            inner = _path(base)
            return f"{inner}[{key!r}]" if inner is not None else None
        case form.Call(func=form.Attr(attr="encode" | "decode" | "strip", value=base)):
            return _path(base)
    return form.dotted(node)


def _names_given(call: form.Call, scope: Scope) -> set[str]:
    """The names that are given what the call gives."""
    function = scope.enclosing_function
    owner = function.scope if function is not None else scope
    return {name for name, bindings in owner.bindings.items() for b in bindings if b.value is call}


def _has_failed(verifying: form.Node, here: Way) -> bool:
    """Whether a place is reached only because verifying failed, for another reason than that the token is too old:
    libraries look at the times after the signature.
    """
    return any(
        branch.turn is Turn.HANDLED
        and branch.tried[0] <= verifying.start < branch.tried[1]
        and not any("Expired" in name for name in branch.handles)
        for branch in here
    )


def _covers(ways: set[Way]) -> bool:
    """Whether one of the ways is always taken: both branches of an `if` together are."""
    while () not in ways:
        taken = (w for w in ways if w[-1].turn is Turn.THEN)
        both = next((w for w in taken if (*w[:-1], replace(w[-1], turn=Turn.OTHERWISE)) in ways), None)
        if both is None:
            return False
        ways = {w for w in ways if w[: len(both) - 1] != both[:-1]} | {both[:-1]}
    return True
