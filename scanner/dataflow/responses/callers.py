"""Callers: what in a function stands for who is asking, what they bring along, and whose password is checked."""

from __future__ import annotations

from dataclasses import dataclass, field

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.refusals.credentials import names_credentials
from assay.scanner.dataflow.sources import injection
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.readers.python import form

_CALLER_NAMES = frozenset(
    """current_user request_user requesting_user current_account current_identity auth_user authenticated_user caller
    requester logged_in_user session_user acting_user current_member""".split()
)
_CALLER_CALLS = frozenset(
    """get_current_user current_user get_jwt_identity get_jwt get_jwt_claims authorized_userid get_current_account
    get_auth_user get_user get_logged_in_user""".split()
)
_REQUESTS = frozenset({"request", "req", "g", "state", "ctx", "context", "info", "websocket"})
_CARRIED = frozenset({"user", "account", "current_user", "identity", "principal", "member"})
_PROVIDED = frozenset({"user", "account", "member", "identity", "principal", "superuser", "admin", "staff"})
"""Words of providers that hand a handler who is asking."""
_LOADED = frozenset({"user", "current_user", "me", "db_user"})
"""Names for who was looked up by what a token says."""
_CREDENTIALS = frozenset(
    """token access_token auth_token bearer bearer_token jwt_token id_token jwt credentials api_key apikey x_api_key
    authorization auth_header authorization_header http_authorization raw_token encoded_token token_str""".split()
)
_BROUGHT = frozenset("token bearer oauth2 jwt authorization credentials scheme security apikey header".split())
"""Words of providers that hand a function what the caller brings along."""
_NOT_BROUGHT = frozenset("form provider repository repo service manager client factory generator account".split())
_IDENTITIES = frozenset(
    """user username sub uid payload claims claim token jwt credentials session auth authorization header scheme param
    decoded identity principal account caller subject parts prefix""".split()
)
"""Last words of names that hold who somebody is, or what says so."""
_OF_SOMETHING = frozenset({"id", "name", "email", "key", "data", "type"})
_OF_CALLERS = frozenset("user api auth current token access jwt account x raw payload scheme caller member".split())
"""Words before these last ones that make them tell who somebody is."""
JARS = frozenset({"headers", "cookies", "session", "META", "COOKIES"})
"""What of a request holds credentials."""
_READING = frozenset({"get_cookie", "get_secure_cookie", "get_signed_cookie", "get_header"})
_VERBS = frozenset(
    {"decode", "verify", "validate", "parse", "check", "authenticate", "load", "introspect", "validated"}
)
_TOKENS = frozenset({"token", "jwt", "jws", "bearer", "credentials", "credential", "apikey"})
_ONE_TIME = frozenset(
    """reset recover recovery forgot confirm confirmation activate activation email mail invite invitation unsubscribe
    share shared download upload csrf xsrf captcha recaptcha magic otp totp 2fa mfa challenge webhook webhooks hook
    signature refresh oauth oauth2 oidc saml sso callback grant introspect revoke register signup link setup install
    device push pairing verification change update file files media""".split()
)
"""Words of what is handed over once or by another way than the caller's credentials, and answered by other rules."""
_TWICE = frozenset("again confirm confirmation confirmed repeat repeated verify second retyped".split())
_CHANGING = frozenset({"set", "new", "old", "store"})
_PASSWORDS = frozenset({"password", "passwd", "pwd", "hash", "hashed"})
_SIGN_IN = frozenset(
    {"authenticate", "authenticate_user", "sign_in", "log_in", "check_credentials", "verify_credentials"}
)
_PASSWORD_CHECKS = frozenset(
    """check_password verify_password check_password_hash checkpw verify_and_update validate_password password_matches
    is_password_correct compare_password is_correct_password verify_pwd check_pwd verify_hash""".split()
)
_GIVEN = frozenset("self cls form data payload body request req credentials login user_in creds form_data".split())
"""Names of what holds the password that was typed in."""
_HASHERS = frozenset({"pwd_context", "password_context", "hasher", "ph", "password_hasher", "bcrypt", "argon2", "pwd"})


@dataclass(frozen=True, slots=True)
class Callers:
    """Names of one function: of who is asking, for certain; of what a request brought along and what was read from it;
    of those whose password is checked; and those known ones which only hold by what name somebody goes.
    """

    known: set[str] = field(default_factory=set)
    brought: set[str] = field(default_factory=set)
    signing_in: set[str] = field(default_factory=set)
    identities: set[str] = field(default_factory=set)


def is_set_apart(name: str) -> bool:
    """Whether something of that name deals with other tokens than those that say who is calling."""
    spoken = set(words(name))
    return bool(spoken & _ONE_TIME) or ("password" in spoken and bool(spoken & _CHANGING))


def is_password_check(node: form.Expr) -> bool:
    """`user.check_password(given)`, `pwd_context.verify(given, stored)`."""
    match node:
        case form.Await(value=inner):
            return is_password_check(inner)
        case form.Call(func=func):
            name = last_name(func)
            owner = last_name(func.value) if isinstance(func, form.Attr) else None
            return name in _PASSWORD_CHECKS or (name == "verify" and owner is not None and owner.strip("_") in _HASHERS)
    return False


def is_sent(name: str, function: FunctionSymbol, project: Project) -> bool:
    """Whether a client sends it as the body: a parameter of the handler that nothing else fills."""
    scope = function.outer
    return any(
        injection(p.default, scope, project) is None and injection(p.annotation, scope, project) is None
        for p in function.parameters
        if p.name == name
    )


def compared_password(left: form.Expr, right: form.Expr) -> str | None:
    """Whose stored password the one side is, with which the other is compared: `user.password_hash != given`."""
    match left:
        case form.Attr(value=form.Name(id=owner), attr=attr) if owner not in _GIVEN and not is_set_apart(attr):
            other = set(words(form.dotted(right) or "password"))
            is_twice = bool(other & _TWICE) or (isinstance(right, form.Attr) and last_name(right.value) == owner)
            is_password = (words(attr) or ("",))[-1] in _PASSWORDS and bool(other & _PASSWORDS)
            return owner if is_password and not is_twice else None
    return None


def is_sign_in(node: form.Expr) -> bool:
    """`authenticate(request, username=name, password=given)`: who it is, if the password is theirs."""
    call = node.value if isinstance(node, form.Await) else node
    return isinstance(call, form.Call) and last_name(call.func) in _SIGN_IN


def reads_token(node: form.Expr | form.Stmt, scope: Scope, project: Project) -> bool:
    """Whether it reads a token that says who is calling: `jwt.decode(token, key)`, `verify_access_token(token)`."""
    call = node.value if isinstance(node, form.Await) else node
    if not isinstance(call, form.Call):
        return False
    name = last_name(call.func) or ""
    spoken = set(words(name))
    if spoken & _ONE_TIME or not spoken & (_VERBS | {"from"}):
        return False
    if spoken & _TOKENS:
        return True
    owner = set(words(last_name(call.func.value) or "")) if isinstance(call.func, form.Attr) else set[str]()
    dotted = project.callee_name(call, scope) or ""
    return name in ("decode", "verify_id_token") and (
        bool(owner & _TOKENS) or dotted.split(".", 1)[0] in ("jwt", "jose")
    )


@remembered
def callers_in(function: FunctionSymbol, is_handler: bool, project: Project) -> Callers:
    """By what frameworks hand in, what a guard is given, and what the function makes of it, in source order."""
    found = Callers()
    for param in function.parameters:
        _add_parameter(param, function, is_handler, found, project)
    for node in function.walk():
        match node:
            case form.Assign(targets=targets, value=value) if value is not None:
                names = [name for target in targets for name in _names(target)]
                _add_assigned(names, value, function.scope, found, project)
            case form.Walrus(target=form.Name(id=name), value=value):
                _add_assigned([name], value, function.scope, found, project)
            case form.Call() if is_password_check(node):
                found.signing_in.update(_whose(node))
            case form.Compare(left=left, rights=[right]):
                owner = compared_password(left, right) or compared_password(right, left)
                if owner is not None and not (is_handler and is_sent(owner, function, project)):
                    found.signing_in.add(owner)
    return found


def _add_parameter(
    param: form.Param, function: FunctionSymbol, is_handler: bool, found: Callers, project: Project
) -> None:
    declared = (param.default, param.annotation)
    provided = next((i for n in declared if (i := injection(n, function.outer, project)) is not None), None)
    if provided is None or not isinstance(provided.node, form.Call):
        if param.name in _CALLER_NAMES:
            found.known.add(param.name)
        elif param.name in _CREDENTIALS and not is_handler:
            found.brought.add(param.name)
        return
    provider = provided.node.argument(0, "dependency")
    spelled = (
        last_name(provider.func if isinstance(provider, form.Call) else provider) if provider is not None else None
    )
    source, own = set(words(spelled or "")), set(words(param.name))
    if own & _PROVIDED or (source & _PROVIDED and not own & _TOKENS):
        found.known.add(param.name)
    elif (source & _BROUGHT and not (own | source) & _NOT_BROUGHT) or _is_scheme(provider, function, project):
        found.brought.add(param.name)


def _is_scheme(provider: form.Expr | None, function: FunctionSymbol, project: Project) -> bool:
    """Whether it is one of FastAPI's own readers of credentials, such as `HTTPBearer()`."""
    value = project.infer(provider, function.outer) if provider is not None else None
    return isinstance(value, Instance) and value.type_name.startswith("fastapi.security")


def _add_assigned(names: list[str], value: form.Expr, scope: Scope, found: Callers, project: Project) -> None:
    if is_caller(value, found):
        found.known.update(names)
        found.identities.update(names if isinstance(value, form.Call) else ())
    elif set(names) <= _LOADED and _is_loaded(value, found):
        found.brought.update(names)
    elif is_sign_in(value):
        found.signing_in.update(names)
    elif any(isinstance(n, form.Call) and is_set_apart(last_name(n.func) or "") for n in form.walk(value)):
        return
    elif (
        any(is_read_from_jar(n, scope, project) for n in form.walk(value))
        or any(isinstance(n, form.Name) and n.id in found.brought for n in form.walk(value))
        or any(isinstance(n, form.Call) and reads_token(n, scope, project) for n in form.walk(value))
    ):
        found.brought.update(name for name in names if says_who(name))


def _is_loaded(value: form.Expr, found: Callers) -> bool:
    """`User.query.get(get_jwt_identity())`: who says to be called so, if there is such a one."""
    call = value.value if isinstance(value, form.Await) else value
    given = [a.value for n in form.walk(call) if isinstance(n, form.Call) for a in n.args]
    is_id = [
        (isinstance(g, form.Name) and g.id in found.identities) or (isinstance(g, form.Call) and is_caller(g, found))
        for g in given
    ]
    return isinstance(call, form.Call) and len(is_id) == 1 and is_id[0]


def is_caller(node: form.Expr | form.Stmt, found: Callers) -> bool:
    """Whether the expression is who is asking, as far as it is known."""
    match node:
        case form.Await(value=inner):
            return is_caller(inner, found)
        case form.Name(id=name):
            return name in found.known or name == "current_user"
        case form.Attr(value=base, attr=attr):
            return attr == "current_user" or (attr in _CARRIED and last_name(base) in _REQUESTS)
        case form.Call(func=func):
            return last_name(func) in _CALLER_CALLS and (not node.args or last_name(node.args[0].value) in _REQUESTS)
    return False


def is_read_from_jar(node: form.Expr | form.Stmt, scope: Scope, project: Project) -> bool:
    """`request.headers.get("Authorization")`, `session["user_id"]`, `request.authorization`."""
    match node:
        case form.Call(func=form.Attr(value=owner, attr=method)) if last_name(owner) in JARS or method in _READING:
            return names_credentials(node, scope, project)
        case form.Subscript(value=owner) if last_name(owner) in JARS:
            return names_credentials(node, scope, project)
        case form.Attr(value=owner, attr="authorization"):
            return last_name(owner) == "request"
    return False


def says_who(name: str) -> bool:
    """Whether something of that name, made of a caller's credentials, says who the caller is."""
    *first, last = words(name) or ("",)
    return last in _IDENTITIES or (last in _OF_SOMETHING and _OF_CALLERS.issuperset(first))


def _whose(check: form.Call) -> set[str]:
    """Names of those whose password the call checks: `user` in `verify(given, user["password"])`."""
    owners = [check.func.value] if isinstance(check.func, form.Attr) else []
    owners += [a.value.value for a in check.args if isinstance(a.value, form.Attr | form.Subscript)]
    return {o.id for o in owners if isinstance(o, form.Name)} - _HASHERS - _GIVEN - {"request"}


def _names(target: form.Expr) -> list[str]:
    if isinstance(target, form.Name):
        return [target.id]
    return [name for item in target.items for name in _names(item)] if isinstance(target, form.Display) else []
