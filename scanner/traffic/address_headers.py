"""Addresses of clients as headers claim them: where they are read, how far they can be believed, what hangs on them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.traffic import Trust
from assay.scanner.readers.python import form
from assay.scanner.traffic.lockouts import counts

_CHAINS = frozenset({"x-forwarded-for", "http_x_forwarded_for", "forwarded", "http_forwarded"})
"""Headers to which each proxy appends: what stands first, the client wrote."""
_SINGLE = frozenset(
    """x-real-ip http_x_real_ip cf-connecting-ip http_cf_connecting_ip true-client-ip http_true_client_ip x-client-ip
    http_x_client_ip fly-client-ip x-appengine-user-ip x-azure-clientip fastly-client-ip""".split()
)
"""Headers that one proxy sets, over what the client may have sent."""
_ROUTE = "access_route"
"""What Werkzeug calls the addresses in `X-Forwarded-For`."""
_READING = ("get", "get_header", "getlist", "getone", "get_all")
_TRUSTING = frozenset({"trusted", "proxies", "proxy", "trust", "hops"})
_DECIDING = frozenset(
    """allow allowed allowlist whitelist whitelisted blacklist blacklisted blocklist denylist ban banned block blocked
    permission restrict restricted internal private bucket quota brute""".split()
)
"""Words of names of what decides by an address."""
_ABOUT = frozenset("ip ips addr address client remote caller key identifier".split())
_OWN_MACHINE = ("127.0.0.1", "::1", "localhost")
_MADE_OF_IT = frozenset({"ip_address", "IPv4Address", "IPv6Address", "IPAddress"})
"""Calls that make an object of the text of an address."""
_DEEPEST = 2


@dataclass(frozen=True, slots=True)
class AddressRead:
    """One function that takes an address from a header. `use` shows what hangs on it; None where nothing does."""

    what: str
    node: form.Expr
    scope: Scope
    trust: Trust
    use: Evidence | None


def address_reads(project: Project) -> Iterator[AddressRead]:
    """One for each function, of the header that is the easiest to forge."""
    found: dict[FunctionSymbol, list[tuple[str, form.Expr]]] = {}
    for call, scope in project.calls_named(*_READING):
        name = _header(call.positional[0]) if call.positional else None
        if name is not None and scope.function is not None:
            found.setdefault(scope.function, []).append((name, call))
    for function in _given_requests(project):
        for node in function.nodes:
            name = _header(node.index) if isinstance(node, form.Subscript) else None
            if name is not None and isinstance(node, form.Subscript):
                found.setdefault(function, []).append((name, node))
    for function, reads in found.items():
        if function.module.role is not Role.PROD:
            continue
        chain = [read for read in reads if read[0] in _CHAINS]
        name, node = (chain or reads)[0]
        trust = _trust_in(function.nodes) if chain else Trust.ONE_HEADER
        yield AddressRead(_shown(name), node, function.scope, trust, _use(node, function, _DEEPEST, project))


def _given_requests(project: Project) -> Iterator[FunctionSymbol]:
    """Functions that may look at headers: those that take a request, or are about addresses by their names."""
    seen = {function: None for name in ("request", "req") for function in project.functions_taking(name)}
    yield from seen
    for module in project.modules.values():
        for function in module.functions:
            if function not in seen and _ABOUT & set(words(function.name)):
                yield function


def claim_within(function: FunctionSymbol) -> tuple[Trust, form.Expr] | None:
    """How the function takes an address from a header, if it does."""
    for node in function.nodes:
        if isinstance(node, form.Call) and last_name(node.func) in _READING and node.positional:
            name = _header(node.positional[0])
        elif isinstance(node, form.Subscript):
            name = _header(node.index)
        elif isinstance(node, form.Attr) and node.attr == _ROUTE:
            name = "x-forwarded-for"
        else:
            continue
        if name is not None:
            return (_trust_in(function.nodes) if name in _CHAINS else Trust.ONE_HEADER), node
    return None


def header_trust(node: form.Expr) -> Trust | None:
    """The same for one expression, such as the body of a lambda."""
    for part in form.walk(node):
        named = part.positional[0] if isinstance(part, form.Call) and part.positional else None
        name = _header(named if named is not None else part.index if isinstance(part, form.Subscript) else part)
        if name is not None:
            return _trust_in(form.walk(node)) if name in _CHAINS else Trust.ONE_HEADER
    return None


def _header(node: form.Node) -> str | None:
    text = node.value.lower() if isinstance(node, form.Const) and isinstance(node.value, str) else None
    return text if text in _CHAINS or text in _SINGLE else None


def _shown(name: str) -> str:
    return "-".join(part.capitalize() for part in name.removeprefix("http_").replace("_", "-").split("-"))


def _trust_in(code: Iterable[form.Expr | form.Stmt]) -> Trust:
    """Counted from the right, or looked up among known proxies; else the client wrote it."""
    for node in code:
        name = last_name(node) if isinstance(node, form.Name | form.Attr) else None
        if name is not None and _TRUSTING & set(words(name)):
            return Trust.KNOWN_PROXIES
        if _counts_from_the_right(node):
            return Trust.KNOWN_PROXIES
    return Trust.CLAIMED


def _counts_from_the_right(node: form.Expr | form.Stmt) -> bool:
    """`chain[-1]`, `chain[len(chain) - HOPS]`, `reversed(chain)`: what proxies appended stands there."""
    match node:
        case form.Call(func=func, args=args):
            name = last_name(func)
            return name in ("rpartition", "rsplit", "reversed") or (name == "pop" and not args)
        case form.Subscript(index=form.Const(value=int() as index)):
            return index < 0
        case form.Subscript(index=form.Unary(op="-") | form.Binary(op="-", left=form.Call(func=form.Name(id="len")))):
            return True
    return False


def _use(read: form.Expr, function: FunctionSymbol, depth: int, project: Project) -> Evidence | None:
    """What decides by the address, in the function or in one that calls it for it."""
    if _decides(words(function.name)) or _is_of_limiter(function, project):
        return function.module.evidence(read, f"{function.name} decides by it")
    names = _carrying(read, function)
    for node in function.nodes:
        if isinstance(node, form.Call) and node is not read and _is_decision(node):
            told = (a.value for a in node.args if _mentions(a.value, read, names))
            if next(told, None) is not None:
                return function.module.evidence(node, f"{last_name(node.func)} decides by it")
        if isinstance(node, form.Template) and _is_deciding_key(node) and _mentions(node, read, names):
            return function.module.evidence(node, "what is kept under this decides")
        test = next((part for part in _asked(node) if _tells_apart(part, read, names)), None)
        if test is not None:
            return function.module.evidence(test, "callers are told apart by it")
    returned = [r for r in function.returns if r.value is not None and _mentions(r.value, read, names)]
    for call, scope in project.callers(function)[:12] if returned and depth else ():
        if scope.function is not None and scope.function is not function:
            found = _use(call, scope.function, depth - 1, project)
            if found is not None:
                return found
    return None


def _is_of_limiter(function: FunctionSymbol, project: Project) -> bool:
    """Whether it is a method of a limiter, by the names of its class and of those that this derives from."""
    if function.owner is None:
        return False
    return any(counts(words(last_part(name))) for name in (function.owner.name, *project.base_names(function.owner)))


def _is_decision(call: form.Call) -> bool:
    """`is_blocked(...)`, and not `LoginAttempt(...)`, which only makes a record."""
    name = last_name(call.func) or ""
    return not name[:1].isupper() and _decides(words(name))


def _is_deciding_key(text: form.Template) -> bool:
    """`f"banned:{ip}"`, `f"attempts_{ip}"`: a key, which has no spaces, and not a sentence."""
    written = [part for part in text.parts if isinstance(part, str)]
    return not any(c.isspace() for part in written for c in part) and any(_decides(words(part)) for part in written)


def _decides(told: tuple[str, ...]) -> bool:
    return bool(_DECIDING & set(told)) or counts(told)


def _carrying(read: form.Expr, function: FunctionSymbol) -> set[str]:
    """The names that hold the address, or a text that is made of it."""
    names: set[str] = set()
    for node in function.nodes:
        if isinstance(node, form.Assign) and node.value is not None and _mentions(node.value, read, names):
            names |= {t.id for t in node.targets if isinstance(t, form.Name)}
    return names


def _mentions(node: form.Expr, read: form.Expr, names: set[str]) -> bool:
    return any(part is read or (isinstance(part, form.Name) and part.id in names) for part in form.walk(node))


def _asked(node: form.Expr | form.Stmt) -> Iterator[form.Expr | form.Stmt]:
    """What a branch that ends the function asks, and what the function answers.

    What is only logged differently decides nothing. Nor does a function that has nothing to say of the own machine.
    """
    if isinstance(node, form.Return) and node.value is not None:
        yield from form.walk(node.value)
    elif isinstance(node, form.If):
        ways = list(form.walk_body([*node.body, *node.orelse], into_definitions=False))
        is_refusal = any(_refuses(way) for way in ways)
        if is_refusal or any(isinstance(way, form.Return) for way in ways):
            yield from (part for part in form.walk(node.test) if is_refusal or not _is_of_own_machine(part))


def _refuses(node: form.Expr | form.Stmt) -> bool:
    if isinstance(node, form.Call):
        return last_name(node.func) in ("abort", "redirect")
    return isinstance(node, form.Raise) or (isinstance(node, form.Return) and isinstance(node.value, form.Call))


def _is_of_own_machine(node: form.Expr | form.Stmt) -> bool:
    sides = (node.left, *node.rights) if isinstance(node, form.Compare) else ()
    return any(isinstance(side, form.Const) and side.value in _OWN_MACHINE for side in sides)


def _tells_apart(test: form.Expr | form.Stmt, read: form.Expr, names: set[str]) -> bool:
    """`ip in BLOCKED`, `ip != "10.0.0.1"`, `ip.startswith("10.")`.

    A look for a separator in it, or for its length, decides nothing.
    """
    match test:
        case form.Call(
            func=form.Attr(value=owner, attr="startswith"), args=[form.Arg(value=form.Const(value=str() as start))]
        ):
            return start[:1].isdigit() and "." in start and _is_it(owner, read, names)
        case form.Compare(left=left, ops=["in" | "not in", *_]):
            return _is_it(left, read, names)
        case form.Compare(left=left, ops=["==" | "!=", *_], rights=rights):
            others = [side for side in (left, *rights) if not _is_it(side, read, names)]
            return len(others) <= len(rights) and all(_is_address(o) for o in others if isinstance(o, form.Const))
    return False


def _is_it(node: form.Expr, read: form.Expr, names: set[str]) -> bool:
    """Whether it is the address, a part of the header, or an object made of it."""
    while node is not read:
        match node:
            case form.Name(id=name):
                return name in names
            case form.Subscript(value=inner) | form.Call(func=form.Attr(value=inner, attr="split" | "strip")):
                node = inner
            case form.Call(func=func, args=[form.Arg(value=inner), *_]) if last_name(func) in _MADE_OF_IT:
                node = inner
            case _:
                return False
    return True


def _is_address(node: form.Const) -> bool:
    return isinstance(node.value, str) and ("." in node.value or ":" in node.value or node.value == "localhost")
