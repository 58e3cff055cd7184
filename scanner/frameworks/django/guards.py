"""What keeps anonymous callers out of a Django view: decorators, access mixins, middleware, checks in a body.

https://docs.djangoproject.com/en/stable/topics/auth/default/#limiting-access-to-logged-in-users
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.refusals.decorators import refuses_by_decorator
from assay.scanner.framework import Guard, Sited
from assay.scanner.frameworks.django.constants import definition
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.guards import own_check
from assay.scanner.web.unfollowed import perhaps_guards

_DECORATORS = frozenset(
    {
        "login_required", "permission_required", "permission_required_or_403", "permission_required_or_404",
        "user_passes_test", "staff_member_required", "superuser_required", "otp_required", "group_required",
        "protected_resource", "rw_protected_resource", "jwt_required", "basic_auth_required",
    }
)  # fmt: skip
_MIXINS = frozenset(
    {
        "LoginRequiredMixin", "PermissionRequiredMixin", "UserPassesTestMixin", "StaffuserRequiredMixin",
        "SuperuserRequiredMixin", "GroupRequiredMixin", "MultiplePermissionsRequiredMixin", "AnyOfPermissionsMixin",
        "ProtectedResourceView", "ScopedProtectedResourceView", "OTPRequiredMixin",
    }
)  # fmt: skip
_GUARDED_VIEWS = frozenset({"PasswordChangeView", "PasswordChangeDoneView"})
"""Views of `django.contrib.auth` that ask for a login themselves."""
_IDENTITY = frozenset({"is_authenticated", "is_anonymous", "is_staff", "is_superuser", "is_active"})
_RIGHTS = frozenset({"has_perm", "has_perms", "has_module_perms", "has_permission", "has_permissions", "test_func"})
_LEAVING_CALLS = frozenset(
    {"redirect", "HttpResponseRedirect", "HttpResponseForbidden", "handle_no_permission", "redirect_to_login",
     "permission_denied", "HttpResponseBadRequest", "HttpResponseNotFound"}
)  # fmt: skip
_LEAVING_ERRORS = frozenset(
    {"PermissionDenied", "NotAuthenticated", "AuthenticationFailed", "Http404", "NotFound", "SuspiciousOperation"}
)
_LEAVING_STATUSES = frozenset({"401", "403", "404", "HTTP_401_UNAUTHORIZED", "HTTP_403_FORBIDDEN"})
_ENTRANCES = ("dispatch", "setup", "initial")
_DEEPEST = 4


# --- decorators ---


def decorator_guard(decorator: Sited, project: Project, depth: int = 0) -> Guard | None:
    """The guard a decorator is, through `method_decorator` and through the project's own decorators."""
    if depth > _DEEPEST:
        return None
    node, scope = decorator.node, decorator.scope
    if isinstance(node, form.Display):
        return next((g for i in node.items if (g := decorator_guard(Sited(i, scope), project, depth + 1))), None)
    callee = node.func if isinstance(node, form.Call) else node
    name = last_name(callee)
    adapted = node.argument(0, "decorator") if isinstance(node, form.Call) and name == "method_decorator" else None
    if adapted is not None:
        inner = definition(Sited(adapted, scope), project)
        return decorator_guard(inner, project, depth + 1)
    value = project.infer(callee, scope)
    evidence = decorator.module.evidence(node, f"@{name}")
    if isinstance(value, External | Instance):
        library_name = value.name if isinstance(value, External) else value.type_name
        if last_part(library_name) in _DECORATORS:
            return Guard(name or last_part(library_name), evidence)
    if value is None and name in _DECORATORS:
        return Guard(name, evidence)
    if isinstance(value, BoundMethod):
        value = value.function
    if isinstance(value, FunctionSymbol) and _decorates_with_a_check(value, project, depth):
        return Guard(value.name, evidence)
    return Guard(name or "decorator", evidence) if refuses_by_decorator(node, scope, project) is not None else None


def _decorates_with_a_check(function: FunctionSymbol, project: Project, depth: int) -> bool:
    """Whether a decorator of the project lets only known users through."""
    if any(_checks(body) for body in _bodies(function.node)):
        return True
    for node in form.walk_body(function.node.body):
        if isinstance(node, form.Call) and last_name(node.func) in _DECORATORS:
            return True
        if isinstance(node, form.Function):
            for decorator in node.decorators:
                if decorator_guard(Sited(decorator, function.scope), project, depth + 1) is not None:
                    return True
    return False


def _bodies(function: form.Function) -> Iterator[list[form.Stmt]]:
    yield function.body
    for node in form.walk_body(function.body):
        if isinstance(node, form.Function):
            yield node.body


# --- bodies ---


def body_guard(function: FunctionSymbol) -> Guard | None:
    """The check at the top of a body that sends anonymous callers away."""
    check = _check(function.node.body)
    if check is None:
        return None
    return Guard("check of request.user", function.module.evidence(check, "only known users get past this check"))


def _checks(body: list[form.Stmt]) -> bool:
    return _check(body) is not None


def _check(body: list[form.Stmt]) -> form.Expr | None:
    """The test of the first statement that lets only known users on.

    A check inside a branch (for POST, say) guards that branch alone and doesn't count.
    """
    for index, statement in enumerate(body):
        match statement:
            case form.If(test=test, body=then, orelse=orelse):
                asks = asks_for_a_user(test)
                if asks and not orelse and not _ends(then):
                    continue  # what follows is for everybody
                if asks is not None:
                    rest = orelse or body[index + 1 :]
                    refused, served = (rest, then) if asks else (then, rest)
                    if _sends_away(refused) or (asks and not rest and _ends(served)):
                        return test
                elif len(then) <= 3 and _refuses_for_lack_of_rights(then):
                    return test
            case form.Try(body=inner) | form.With(body=inner):
                if (found := _check(inner)) is not None:
                    return found
            case form.ExprStmt() | form.Assign() | form.Import() | form.ImportFrom() | form.AugAssign():
                continue
            case form.For() | form.While() | form.Return() | form.Raise():
                return None
    return None


def asks_for_a_user(test: form.Expr) -> bool | None:
    """True when the test holds for known users only, False when it holds for anonymous ones, None for other tests."""
    match test:
        case form.Unary(op="not", operand=operand):
            inner = asks_for_a_user(operand)
            return None if inner is None else not inner
        case form.Boolean(op=op, values=values):
            # `a and known` holds for known users only; `a or anonymous` holds for all anonymous ones.
            wanted = op == "and"
            return wanted if any(asks_for_a_user(v) is wanted for v in values) else None
        case form.Call(func=func):
            if last_name(func) in _RIGHTS:
                return True
            return asks_for_a_user(func) if isinstance(func, form.Attr) and func.attr in _IDENTITY else None
        case form.Attr(value=form.Name(), attr="is_active"):
            return None  # of a user who was looked up, to log in say
        case form.Attr(value=owner, attr=attr) if attr in _IDENTITY and last_name(owner) in ("user", "owner", "admin"):
            return attr != "is_anonymous"
        case form.Compare(left=left, ops=[op], rights=[form.Const(value=bool() as expected)]):
            inner = asks_for_a_user(left)
            same = (op in ("==", "is")) == expected
            return None if inner is None else inner is same
        case form.Compare(left=left, ops=["is" | "=="], rights=[form.Const(value=None)]):
            return False if isinstance(left, form.Attr) and left.attr == "user" else None
    return None


def _sends_away(body: list[form.Stmt]) -> bool:
    """Whether the statements end the request with a redirect or a refusal."""
    return bool(body) and any(_is_refusal(statement) for statement in body)


def _refuses_for_lack_of_rights(body: list[form.Stmt]) -> bool:
    return any(
        isinstance(s, form.Return) and isinstance(s.value, form.Call)
        and last_name(s.value.func) in ("handle_no_permission", "redirect_to_login")
        for s in body
    )  # fmt: skip


def _is_refusal(statement: form.Stmt) -> bool:
    match statement:
        case form.Raise(exc=exc) if exc is not None:
            return last_name(exc.func if isinstance(exc, form.Call) else exc) in _LEAVING_ERRORS
        case form.Return(value=form.Call(func=func) as call):
            if last_name(func) in _LEAVING_CALLS:
                return True
            return any(_status_name(a.value) in _LEAVING_STATUSES for a in call.args if a.name in ("status", None))
        case form.Return(value=form.Const(value=False)):
            return False
    return False


def _status_name(node: form.Expr) -> str | None:
    if isinstance(node, form.Const) and not isinstance(node.value, bool):
        return str(node.value)
    return last_name(node)


def _ends(body: list[form.Stmt]) -> bool:
    return bool(body) and any(isinstance(n, form.Return) for n in form.walk_body(body, into_definitions=False))


# --- classes ---


def class_guards(cls: ClassSymbol, verb: str, project: Project) -> list[Guard]:
    """Access mixins, guarded `dispatch` methods and decorators of a class-based view and its bases.

    A mixin counts only left of the library's view class: to its right nothing calls it.
    """
    found: list[Guard] = []
    for base in project.mro(cls):
        if isinstance(base, External):
            if last_part(base.name) in _MIXINS | _GUARDED_VIEWS:
                found.append(Guard(last_part(base.name), Evidence(cls.location, f"a {last_part(base.name)}")))
            elif base.name.startswith(("django.views.", "rest_framework.")):
                break
            continue
        for decorator in base.node.decorators:
            target = decorator.keyword("name") if isinstance(decorator, form.Call) else None
            named = target.value if isinstance(target, form.Const) else None
            if named in (None, "dispatch", verb.lower()):
                found += _present(decorator_guard(Sited(decorator, base.outer), project))
        for entrance in _ENTRANCES:
            method = base.methods.get(entrance)
            if method is not None:
                found += function_guards(method, project)
    return found


def function_guards(function: FunctionSymbol, project: Project, depth: int = 0) -> list[Guard]:
    """Decorators and in-body checks of one function, or of those that it hands every request on to."""
    found: list[Guard] = []
    for decorator in function.decorators:
        found += _present(decorator_guard(Sited(decorator, function.outer), project))
    found += _present(body_guard(function)) or own_check(function, project)
    return found or _guards_behind(function, project, depth)


def _guards_behind(function: FunctionSymbol, project: Project, depth: int) -> list[Guard]:
    """`return create(request)` in one branch and `return show(request)` in the other: both are guarded, or it isn't."""
    returned = [node.value for node in function.returns]
    asked = [project.callee_function(v, function.scope) if isinstance(v, form.Call) else None for v in returned]
    guards = [function_guards(f, project, depth + 1) if f is not None and depth < _DEEPEST else [] for f in asked]
    return [g for found in guards for g in found] if all(guards) else []


def wrapper_guards(wrappers: Iterable[Sited], project: Project) -> list[Guard]:
    """Guards among the decorators that a URLconf puts around a view."""
    return [guard for wrapper in wrappers if (guard := decorator_guard(wrapper, project)) is not None]


def unfollowed_wrappers(wrappers: Iterable[Sited], project: Project) -> Iterator[Evidence]:
    """Those of them that may turn callers away, though nobody saw them do so."""
    return (evidence for w in wrappers for evidence in perhaps_guards([w.node], w.scope, project))


def _present(guard: Guard | None) -> list[Guard]:
    return [guard] if guard is not None else []
