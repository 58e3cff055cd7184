"""Addresses of clients as headers claim them: where they are read, how far they can be believed, what hangs on them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
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
_READING = ("get", "get_header", "getlist", "getone", "get_all")
_TRUSTING = frozenset({"trusted", "proxies", "proxy", "trust", "hops"})
_DECIDING = frozenset(
    """allow allowed allowlist whitelist whitelisted blacklist blacklisted blocklist denylist ban banned block blocked
    permission restrict restricted internal private bucket quota brute""".split()
)
"""Words of names of what decides by an address."""
_ABOUT = frozenset("ip ips addr address client remote caller key identifier".split())
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
        trust = _trust(function) if chain else Trust.ONE_HEADER
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
        else:
            continue
        if name is not None:
            return (_trust(function) if name in _CHAINS else Trust.ONE_HEADER), node
    return None


def header_trust(node: form.Expr) -> Trust | None:
    """The same for one expression, such as the body of a lambda."""
    for part in form.walk(node):
        named = part.positional[0] if isinstance(part, form.Call) and part.positional else None
        name = _header(named if named is not None else part.index if isinstance(part, form.Subscript) else part)
        if name is not None:
            return Trust.CLAIMED if name in _CHAINS else Trust.ONE_HEADER
    return None


def _header(node: form.Node) -> str | None:
    text = node.value.lower() if isinstance(node, form.Const) and isinstance(node.value, str) else None
    return text if text in _CHAINS or text in _SINGLE else None


def _shown(name: str) -> str:
    return "-".join(part.capitalize() for part in name.removeprefix("http_").replace("_", "-").split("-"))


def _trust(function: FunctionSymbol) -> Trust:
    """Counted from the right, or looked up among known proxies; else the client wrote it."""
    for node in function.nodes:
        name = last_name(node) if isinstance(node, form.Name | form.Attr) else None
        if name is not None and _TRUSTING & set(words(name)):
            return Trust.KNOWN_PROXIES
        if _counts_from_the_right(node):
            return Trust.KNOWN_PROXIES
    return Trust.CLAIMED


def _counts_from_the_right(node: form.Expr | form.Stmt) -> bool:
    """`chain[-1]`, `chain[-HOPS]`, `chain[len(chain) - HOPS]`, `reversed(chain)`: what proxies appended stands there."""
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
    if _decides(words(function.name)) or (function.owner is not None and counts(words(function.owner.name))):
        return function.module.evidence(read, f"{function.name} decides by it")
    names = _carrying(read, function)
    for node in function.nodes:
        if isinstance(node, form.Call) and node is not read and _decides(words(last_name(node.func) or "")):
            told = (a.value for a in node.args if _mentions(a.value, read, names))
            if next(told, None) is not None:
                return function.module.evidence(node, f"{last_name(node.func)} decides by it")
        if isinstance(node, form.If) and _leaves(node):
            tests = (p for p in form.walk(node.test) if isinstance(p, form.Compare) and _compares(p, read, names))
            test = next(tests, None)
            if test is not None:
                return function.module.evidence(test, "callers are told apart by it")
    returned = [r for r in function.returns if r.value is not None and _mentions(r.value, read, names)]
    for call, scope in project.callers(function)[:12] if returned and depth else ():
        if scope.function is not None and scope.function is not function:
            found = _use(call, scope.function, depth - 1, project)
            if found is not None:
                return found
    return None


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


def _compares(test: form.Compare, read: form.Expr, names: set[str]) -> bool:
    """`ip in BLOCKED`, `ip != "10.0.0.1"`; a look for a separator in it, or for its length, decides nothing."""
    sides = [test.left, *test.rights]
    if test.ops[0] in ("in", "not in"):
        return _is_it(test.left, read, names)
    if test.ops[0] not in ("==", "!="):
        return False
    others = [side for side in sides if not _is_it(side, read, names)]
    return len(others) < len(sides) and not any(isinstance(o, form.Const) and not _is_address(o) for o in others)


def _leaves(branch: form.If) -> bool:
    """Whether one way of it ends the function: what is only logged differently decides nothing."""
    inner = form.walk_body([*branch.body, *branch.orelse], into_definitions=False)
    return any(
        isinstance(node, form.Return | form.Raise)
        or (isinstance(node, form.Call) and last_name(node.func) in ("abort", "redirect"))
        for node in inner
    )


def _is_it(node: form.Expr, read: form.Expr, names: set[str]) -> bool:
    return node is read or (isinstance(node, form.Name) and node.id in names)


def _is_address(node: form.Const) -> bool:
    return isinstance(node.value, str) and ("." in node.value or ":" in node.value or node.value == "localhost")
