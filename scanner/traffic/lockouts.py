"""What else slows down those who guess: counters of failed attempts, locked accounts, captchas, login protection."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.traffic import Throttle
from assay.scanner.readers.python import form

_DEEPEST = 4
_COUNTING = frozenset(
    """attempt attempts lockout throttle throttled ratelimit ratelimiter throttling limiter incr cooldown""".split()
)
_COUNTING_PAIRS = frozenset(
    tuple(pair.split("_"))
    for pair in """rate_limit rate_limiter rate_limited rate_limits failed_logins failed_login login_failures too_many
    locked_until is_locked failure_count failed_count fail_count login_count check_limit limit_requests request_limit
    token_bucket try_acquire account_locked lock_account is_blocked login_tries failed_tries tries_left
    locked_out""".split()
)
_RECORDING = frozenset({"log", "logger", "audit", "record", "info", "warning"})
_CAPTCHAS = frozenset({"captcha", "recaptcha", "hcaptcha", "turnstile"})
_LOGIN_PROTECTION = ("axes", "defender")
"""Django applications that lock out whoever fails to log in."""
_HOOKS = frozenset(
    "before_request before_app_request before_all_request middleware on_request before_server_request hook".split()
)
"""Decorators of functions that run before every handler."""
_HOOK_METHODS = ("dispatch", "__call__", "process_request", "process_view", "process_resource", "prepare")
_TURNED_AWAY = (423, 429)
"""Locked, too many requests."""
_NAMES_OF_IT = ("HTTP_423_LOCKED", "HTTP_429_TOO_MANY_REQUESTS", "TOO_MANY_REQUESTS")
"""What `starlette.status`, `rest_framework.status` and `http.HTTPStatus` call these."""


@remembered
def slowed_down(function: FunctionSymbol, depth: int, project: Project) -> tuple[Throttle, Evidence] | None:
    """What the function, or one that it calls, does against those who try again and again."""
    captcha: tuple[Throttle, Evidence] | None = None
    for node in function.nodes:
        name = last_name(node) if isinstance(node, form.Name | form.Attr) else None
        told = words(name) if name is not None else ()
        if captcha is None and (_CAPTCHAS & set(told) or _is_form_with_captcha(node, function, project)):
            captcha = Throttle.CAPTCHA, function.module.evidence(node, "callers have to solve a captcha")
        if name is not None and not name.isupper() and counts(told):
            return Throttle.LOCKOUT, function.module.evidence(node, f"`{name}` counts who tries too often")
        if name in _NAMES_OF_IT or (isinstance(node, form.Const) and node.value in _TURNED_AWAY):
            return Throttle.LOCKOUT, function.module.evidence(node, "turns away callers who ask too often")
    for node in function.nodes if depth > 1 else ():
        callee = project.callee_function(node, function.scope) if isinstance(node, form.Call) else None
        found = slowed_down(callee, depth - 1, project) if callee is not None and callee is not function else None
        if found is not None and found[0] is Throttle.LOCKOUT:
            return found
        captcha = captcha or found
    return captcha


def _is_form_with_captcha(node: form.Expr | form.Stmt, function: FunctionSymbol, project: Project) -> bool:
    """`RegistrationForm(request.form)`, where the form has a field for a captcha."""
    if not isinstance(node, form.Call) or "form" not in (last_name(node.func) or "").lower():
        return False
    cls = project.infer(node.func, function.scope)
    return isinstance(cls, ClassSymbol) and _has_captcha(cls)


def _has_captcha(cls: ClassSymbol) -> bool:
    return any(_CAPTCHAS & set(words(name)) for name in cls.scope.bindings)


def _of_view(cls: ClassSymbol, project: Project) -> tuple[Throttle, Evidence] | None:
    """What a view class says beside its handler: which form it shows, what all its handlers go through."""
    stated = project.class_attribute(cls, "form_class")
    shown = project.infer(*stated) if stated is not None else None
    if stated is not None and isinstance(shown, ClassSymbol) and _has_captcha(shown):
        return Throttle.CAPTCHA, stated[1].module.evidence(stated[0], "callers have to solve a captcha")
    for base in project.mro(cls):
        for method in base.methods.values() if isinstance(base, ClassSymbol) else ():
            found = slowed_down(method, 1, project)
            if found is not None:
                return found
    return None


def of_handler(
    function: FunctionSymbol | None, view: ClassSymbol | None, project: Project
) -> tuple[Throttle, Evidence] | None:
    """The same for a handler with its decorators and its view class."""
    if function is None:
        return _of_view(view, project) if view is not None else None
    for decorator in function.decorators:
        for node in form.walk(decorator):
            name = last_name(node) if isinstance(node, form.Name | form.Attr) else None
            if name is not None and counts(words(name)):
                return Throttle.LOCKOUT, function.module.evidence(decorator, f"`{name}` counts who tries too often")
    found = slowed_down(function, _DEEPEST, project)
    return _of_view(view, project) if found is None and view is not None else found


def login_protection(production: Production) -> Evidence | None:
    """An application of a Django site that locks accounts or addresses after failed logins."""
    return next(_listed(production), None)


def _listed(production: Production) -> Iterator[Evidence]:
    for name, shown in _entries(production, "AUTHENTICATION_BACKENDS", "MIDDLEWARE"):
        if name.split(".", 1)[0] in _LOGIN_PROTECTION:
            yield Evidence(shown.location, f"{name.split('.', 1)[0]} locks out who fails to log in")


def _entries(production: Production, *settings: str) -> Iterator[tuple[str, Evidence]]:
    for site in production.sites:
        for setting in settings:
            for value, scope in production.given(site, setting):
                for node in form.walk(value):
                    if isinstance(node, form.Const) and isinstance(node.value, str):
                        yield node.value, scope.module.evidence(node, f"{node.value} runs before every view")


def before_handlers(project: Project, production: Production) -> Iterator[Evidence]:
    """Middleware and hooks that count callers. Which routes they are for, and which they let through, isn't told."""
    for name, shown in _entries(production, "MIDDLEWARE"):
        if counts(words(name.rpartition(".")[2])):
            yield shown
    for module in project.modules.values():
        if module.role is not Role.PROD:
            continue
        for function in module.functions:
            if function.decorators and _is_hook(function) and _limits(function, project):
                yield module.evidence(function.decorators[0], f"{function.name} counts callers before every handler")
        for cls in module.classes:
            hook = _hook(cls) if _is_middleware(cls) else None
            if hook is not None and (counts(words(cls.name)) or _limits(hook, project)):
                yield module.evidence(hook.node.body[0], f"{cls.name} counts callers before every handler")


def _hook(cls: ClassSymbol) -> FunctionSymbol | None:
    methods = cls.methods
    return next((methods[name] for name in _HOOK_METHODS if name in methods), None)


def _is_hook(function: FunctionSymbol) -> bool:
    return any(last_name(d.func if isinstance(d, form.Call) else d) in _HOOKS for d in function.decorators)


def _is_middleware(cls: ClassSymbol) -> bool:
    return "middleware" in cls.name.lower() or counts(words(cls.name))


def _limits(hook: FunctionSymbol, project: Project) -> bool:
    found = slowed_down(hook, 1, project)
    return found is not None and found[0] is Throttle.LOCKOUT


def counts(told: tuple[str, ...]) -> bool:
    """Whether a name reads like something that counts callers or their attempts."""
    if _RECORDING & set(told):
        return False
    return bool(_COUNTING & set(told)) or not _COUNTING_PAIRS.isdisjoint(pairwise(told))
