"""How tests come by an identity: by a credential that the service has to look at, or past all that."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assay.scanner.framework import Route
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Module
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.suite import AuthenticationTesting
from assay.scanner.readers.python import form
from assay.scanner.services import ServiceRoot
from assay.scanner.suite.calls import Calls
from assay.scanner.suite.collected import Collected, Suite

_SHOWN = 3
_FORCING = frozenset({"force_login", "force_authenticate", "login_user", "authenticate_as", "force_auth"})
_PATCHING = frozenset({"patch", "object", "setattr", "patch_object"})
_IDENTITY = re.compile(
    r"(current|authenticated|active|request|logged_?in|optional)_?(active_?|super_?|admin_?)?(user|superuser|account|identity|principal)"
    r"|get_user$|require[sd]?_|auth|verify_(jwt|token|access)|check_(token|user|access|admin)|jwt|login_required|api_key"
    r"|decode_token|session_user|permission",
    re.IGNORECASE,
)
"""Names of what tells who is calling."""
_SWITCHES = frozenset(
    """LOGIN_DISABLED DISABLE_AUTH AUTH_DISABLED SKIP_AUTH NO_AUTH DISABLE_AUTHENTICATION AUTH_ENABLED
    AUTHENTICATION_ENABLED WITHOUT_AUTH BYPASS_AUTH""".split()
)
_HEADERS = re.compile(
    r"(HTTP_)?(AUTHORIZATION|X[-_]API[-_]KEY|X[-_]AUTH[-_]TOKEN|X[-_]TOKEN|API[-_]KEY)", re.IGNORECASE
)
_SIGN_IN = frozenset({"login", "signin", "token", "tokens", "authenticate", "session", "sessions"})
"""Words of paths that people sign in at."""
_SESSION_KEYS = frozenset({"_user_id", "user_id", "user", "_auth_user_id", "userid", "uid", "username", "account_id"})
_LOOKING = re.compile(
    r"(verify|check|decode|validate|authenticate|get_current|load_user|get_user_from|parse)_?\w*"
    r"(token|password|user|jwt|credentials?|session|api_key)|authenticate(_user)?|check_password|verify_password",
    re.IGNORECASE,
)


def authentication_tests(
    root: ServiceRoot,
    served: Sequence[tuple[Route, Endpoint]],
    calls: Calls,
    suite: Suite,
    tests: Sequence[Collected],
) -> Iterator[AuthenticationTesting]:
    """One for a service whose guarded endpoints are called by tests."""
    called = [endpoint for _, endpoint in served if id(endpoint) in calls.certain]
    guarded = [endpoint for endpoint in called if endpoint.auth]
    if not guarded:
        return
    used = {t.function.module for t in tests}
    folders = {m.path.rpartition("/")[0] for m in used}
    # Helpers and fixtures lie beside the tests or above them.
    modules = [m for m in suite.modules if m in used or any(f.startswith(m.path.rpartition("/")[0]) for f in folders)]
    real = [*_signing_in(called, calls), *(e for m in modules for e in _credentials(m))]
    yield AuthenticationTesting(
        location=root.location,
        role=Role.PROD,
        service_root=root.root,
        guarded=len({e.subject_id for e in guarded}),
        bypasses=tuple(e for m in modules for e in _bypasses(m))[:_SHOWN],
        real=tuple(real)[:_SHOWN],
        direct=tuple(e for m in modules for e in _looked_at(m))[:_SHOWN],
    )


def _signing_in(called: Sequence[Endpoint], calls: Calls) -> Iterator[Evidence]:
    """Requests to what people sign in with."""
    for endpoint in called:
        words = re.findall(r"[a-z0-9]+", endpoint.path.lower())
        is_named = not _SIGN_IN.isdisjoint(words[-2:])
        is_sign_in = is_named or endpoint.public_purpose == "people sign in or out with it"
        if is_sign_in and "logout" not in words and endpoint.method in ("POST", "ANY"):
            for use in calls.certain[id(endpoint)].values():
                place = use.request.scope.module.location(use.request.call)
                yield Evidence(place, f"it signs in at {endpoint.label}")
                return


def _credentials(module: Module) -> Iterator[Evidence]:
    """Credentials that are sent along: headers, tokens, passwords."""
    for call, _ in module.calls_named(("login", "credentials", "get_auth_header", "basic_auth", "BasicAuth")):
        name = last_name(call.func)
        receiver = (last_name(call.func.value) or "").lower() if isinstance(call.func, form.Attr) else ""
        if name == "login" and not ("client" in receiver and (call.keyword("password") or len(call.args) > 1)):
            continue
        yield module.evidence(call, "it sends a credential")
    for node, _ in module.dicts:
        for key in node.keys:
            if isinstance(key, form.Const) and isinstance(key.value, str) and _HEADERS.fullmatch(key.value):
                yield module.evidence(node, f"it sends {key.value}")
    for call, _ in module.calls:
        for arg in call.args:
            if arg.name is not None and (_HEADERS.fullmatch(arg.name) and arg.name.isupper()):
                yield module.evidence(call, f"it sends {arg.name}")


def _bypasses(module: Module) -> Iterator[Evidence]:
    """What puts a user in place of what the service makes of a credential."""
    for call, _ in module.calls_named(_FORCING):
        yield module.evidence(call, "it signs a user in past the check of credentials")
    for call, _ in module.calls_named(_PATCHING):
        target = next((n for a in call.args[:2] for n in [_patched(a.value)] if n), "")
        if _IDENTITY.search(target) and _is_patch(call):
            yield module.evidence(call, f"it replaces {target}")
    for assign, _ in module.assignments:
        for node in assign.targets:
            yield from _overridden(node, module)
            name = last_name(node)
            value = assign.value
            if name in _SWITCHES and isinstance(value, form.Const) and value.value is ("ENABLED" not in name):
                yield module.evidence(assign, f"{name} turns authentication off")
    for call, _ in module.calls_named(("update", "setitem", "session_transaction")):
        yield from _by_call(call, module)


def _overridden(node: form.Expr, module: Module) -> Iterator[Evidence]:
    """`app.dependency_overrides[get_current_user] = ...`, `session["user_id"] = ...`."""
    if not isinstance(node, form.Subscript):
        return
    owner = last_name(node.value)
    if owner == "dependency_overrides" and _IDENTITY.search(last_name(node.index) or ""):
        yield module.evidence(node, f"it overrides {last_name(node.index)}")
    key = node.index.value if isinstance(node.index, form.Const) else None
    if owner in ("session", "sess", "flask_session") and key in _SESSION_KEYS:
        yield module.evidence(node, "it writes the user into the session")
    if isinstance(key, str) and key in _SWITCHES:
        yield module.evidence(node, f"{key} turns authentication off")


def _by_call(call: form.Call, module: Module) -> Iterator[Evidence]:
    owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
    if owner == "dependency_overrides" and call.args and isinstance(call.args[0].value, form.Dict):
        names = [last_name(k) or "" for k in call.args[0].value.keys if k is not None]
        if any(_IDENTITY.search(n) for n in names):
            yield module.evidence(call, f"it overrides {', '.join(names)}")


def _patched(node: form.Expr) -> str | None:
    """The name of what is replaced, of `"app.auth.get_user"` and of `auth, "get_user"`."""
    if isinstance(node, form.Const) and isinstance(node.value, str):
        return node.value.rsplit(".", 1)[-1]
    return None


def _is_patch(call: form.Call) -> bool:
    name = last_name(call.func)
    owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
    return name == "patch" or owner in ("patch", "monkeypatch", "mocker")


def _looked_at(module: Module) -> Iterator[Evidence]:
    """Calls of the service's own functions that look at credentials."""
    for call, _ in module.calls:
        name = last_name(call.func)
        if name is not None and _LOOKING.fullmatch(name):
            yield module.evidence(call, f"it calls {name}")
