"""Permissions of Django REST framework: which classes decide about an action, and whether they let anyone in.

https://www.django-rest-framework.org/api-guide/permissions/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from assay.scanner.dataflow.refusals.credentials import uses_credentials
from assay.scanner.framework import AboveRoute, Guard, Sited
from assay.scanner.frameworks.django.constants import definition
from assay.scanner.frameworks.django.rest_framework.anonymous import READS, Anonymous, Asked
from assay.scanner.frameworks.django.rest_framework.policies import PERMISSIONS, chosen, default, instantiated, stated
from assay.scanner.frameworks.django.rest_framework.viewsets import Action
from assay.scanner.frameworks.django.settings import Settings
from assay.scanner.frameworks.django.views import View
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.access import Access
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form

_NAME = "Django REST framework"
_OPEN = frozenset({"AllowAny", "BasePermission"})
_OPEN_FOR_READS = frozenset(
    {"IsAuthenticatedOrReadOnly", "DjangoModelPermissionsOrAnonReadOnly", "TokenHasReadWriteScopeOrReadOnly"}
)
_OPEN_VIEWS = frozenset(
    """ObtainAuthToken TokenViewBase TokenObtainPairView TokenRefreshView TokenVerifyView TokenBlacklistView
    RegisterView SocialLoginView SpectacularAPIView SpectacularSwaggerView SpectacularRedocView
    dj_rest_auth.views.LoginView dj_rest_auth.views.PasswordResetView
    dj_rest_auth.views.PasswordResetConfirmView""".split()
)
"""Views of libraries that let anybody in, whatever the settings' default is."""
_IDENTITY = frozenset({"user", "auth", "is_authenticated", "is_staff", "is_superuser", "successful_authenticator"})
_COMPARISONS = frozenset({"isinstance", "compare_digest", "constant_time_compare"})
_DEEPEST = 6


def permission_guards(
    view: View, action: Action, verb: str, settings: Settings | None, project: Project
) -> list[Guard]:
    """The permission classes that keep anonymous callers from the action; empty when it is open."""
    if _is_open_by_library(view, action, project):
        return []
    alternatives = chosen(PERMISSIONS, view, action, verb, settings, project)
    asked = Asked(view.cls, action.name, verb)
    guards = [[g for c in classes if (g := _guard(c, asked, project)) is not None] for classes in alternatives]
    if not guards or not all(guards):
        return []
    return guards[0]


@dataclass(frozen=True, slots=True)
class OpenAction:
    """Why an action is open: `stated` is where the code says so, `unresolved` the classes that can't be followed."""

    stated: tuple[Evidence, ...] = ()
    unresolved: tuple[Evidence, ...] = ()


def why_open(view: View, action: Action, verb: str, settings: Settings | None, project: Project) -> OpenAction:
    """Of an action that `permission_guards` finds nothing to guard."""
    library = _is_open_by_library(view, action, project)
    alternatives = [] if library else chosen(PERMISSIONS, view, action, verb, settings, project)
    asked = Asked(view.cls, action.name, verb)
    permissions = [each for classes in alternatives for each in classes]
    outcomes = [(each, _lets_in(instantiated(each), asked, project, 0)) for each in permissions]
    unresolved = [each for each, lets_in in outcomes if lets_in is None]
    of_default = {id(each.node) for each in default(PERMISSIONS, settings, project)}
    opened = [each for each, lets_in in outcomes if lets_in is True and id(each.node) not in of_default]
    return OpenAction(
        tuple(each.module.evidence(each.node, f"{_spelled(each.node)} lets anybody in") for each in opened),
        tuple(each.module.evidence(each.node, f"{_spelled(each.node)} may turn callers away") for each in unresolved),
    )


def above(settings: Settings | None, project: Project) -> AboveRoute | None:
    """What `DEFAULT_PERMISSION_CLASSES` makes of callers."""
    if settings is None:
        return None
    known = _ABOVE.setdefault(project, {})
    if settings.module not in known:
        known[settings.module] = _above(settings, project)
    return known[settings.module]


_ABOVE: WeakKeyDictionary[Project, dict[Module, AboveRoute]] = WeakKeyDictionary()


def _above(settings: Settings, project: Project) -> AboveRoute:
    entry = settings.entry("REST_FRAMEWORK", "DEFAULT_PERMISSION_CLASSES")
    if entry is None:
        stated = next((settings[name] for name in ("REST_FRAMEWORK", "INSTALLED_APPS") if name in settings), None)
        text = "names no DEFAULT_PERMISSION_CLASSES, which stands for AllowAny"
        place = stated.module.evidence(stated.node, text) if stated is not None else None
        is_computed = "REST_FRAMEWORK" in settings and not isinstance(
            definition(settings["REST_FRAMEWORK"], project).node, form.Dict
        )
        access = Access.UNKNOWN if is_computed else Access.OPEN
        return AboveRoute(_NAME, access, place or Evidence(Location.whole_file(settings.module.path), text), True)
    classes = default(PERMISSIONS, settings, project)
    outcomes = {
        verb: [_lets_in(instantiated(each), Asked(None, "", verb), project, 0) for each in classes]
        for verb in ("POST", "GET")
    }
    access = Access.CLOSED
    if None in outcomes["POST"]:
        access = Access.UNKNOWN
    elif all(outcomes["POST"]):
        access = Access.OPEN
    elif all(outcomes["GET"]):
        access = Access.READS_OPEN
    return AboveRoute(_NAME, access, entry.module.evidence(entry.node, "the default for all views"), has_setting=True)


def _is_open_by_library(view: View, action: Action, project: Project) -> bool:
    if view.cls is None or stated(PERMISSIONS.attribute, view, action, project) is not None:
        return False
    bases = project.base_names(view.cls)
    return not _OPEN_VIEWS.isdisjoint(bases | {last_part(name) for name in bases})


def _guard(sited: Sited, asked: Asked, project: Project) -> Guard | None:
    node = instantiated(sited).node
    if _lets_in(Sited(node, sited.scope), asked, project, 0) is not False:
        return None
    name = _spelled(node)
    return Guard(name, sited.module.evidence(sited.node, f"permission class {name}"))


def _spelled(node: form.Expr) -> str:
    """`IsAdminUser`, `IsAuthenticated & (IsAdminUser | ~ReadOnly)`."""
    match node:
        case form.Binary(op=op, left=left, right=right):
            sides = (f"({_spelled(s)})" if isinstance(s, form.Binary) else _spelled(s) for s in (left, right))
            return f" {op} ".join(sides)
        case form.Unary(op=op, operand=operand):
            return f"{op}{_spelled(operand)}"
        case form.Const(value=str() as dotted_name):
            return last_part(dotted_name)
    return last_name(node.func if isinstance(node, form.Call) else node) or "permission_classes"


def _lets_in(sited: Sited, asked: Asked, project: Project, depth: int) -> bool | None:
    """Whether a permission class (or a combination of some) lets anonymous callers in; None where it can't be told."""
    node, scope = sited.node, sited.scope
    if depth > _DEEPEST:
        return None
    match node:
        case form.Binary(op="|" | "&" as op, left=left, right=right):
            sides = [_lets_in(Sited(side, scope), asked, project, depth + 1) for side in (left, right)]
            decisive = op == "|"
            return decisive if decisive in sides else None if None in sides else not decisive
        case form.Unary(operand=operand):
            inner = _lets_in(Sited(operand, scope), asked, project, depth + 1)
            return None if inner is None else not inner
        case form.Const(value=str() as dotted_name):
            return _named_lets_in(dotted_name, sited, asked, project)
    value = project.infer(node, scope)
    cls = value.cls if isinstance(value, Instance) else value
    if isinstance(cls, ClassSymbol):
        return _class_lets_in(cls, asked, project)
    if isinstance(value, External):
        return _library_lets_in(value.name, asked)
    followed = definition(sited, project)
    if followed.node is not node:
        return _lets_in(followed, asked, project, depth + 1)
    # A class that a factory makes, `HasScope("read")` say: one writes those to keep people out.
    return False if value is not None else None


def _named_lets_in(dotted_name: str, at: Sited, asked: Asked, project: Project) -> bool | None:
    module_name, _, name = dotted_name.rpartition(".")
    module = project.module_named(module_name, at.module.path)
    value = project.member(module, name) if isinstance(module, Module) else External(dotted_name)
    if isinstance(value, ClassSymbol):
        return _class_lets_in(value, asked, project)
    return _library_lets_in(dotted_name, asked)


def _library_lets_in(dotted_name: str, asked: Asked) -> bool:
    name = last_part(dotted_name)
    return name in _OPEN or (name in _OPEN_FOR_READS and asked.verb in READS)


def _class_lets_in(cls: ClassSymbol, asked: Asked, project: Project) -> bool:
    """By its own `has_permission` where it has one, and by its library base."""
    method = project.method(cls, "has_permission")
    bases = [b.name for b in project.mro(cls) if isinstance(b, External) and b.name.startswith("rest_framework")]
    by_base = all(_library_lets_in(name, asked) for name in bases)
    switch = project.class_attribute(cls, "authenticated_users_only")
    if switch is not None and isinstance(switch[0], form.Const) and switch[0].value is False:
        by_base = asked.verb in READS  # as DjangoModelPermissionsOrAnonReadOnly does it
    if method is None:
        return by_base
    told = Anonymous(cls, asked, by_base, project).is_let_in_by(method)
    if told is not None:
        return told
    asks = uses_credentials(method, project) is not None or any(_asks_who(node) for node in _followed(method, project))
    return not asks


def _followed(method: FunctionSymbol, project: Project) -> Iterator[form.Expr | form.Stmt]:
    """The method's nodes, and those of the project functions it calls."""
    for node in method.walk():
        yield node
        if isinstance(node, form.Call):
            called = project.callee_function(node, method.scope)
            if called is not None and called is not method:
                yield from called.walk()


def _asks_who(node: form.Expr | form.Stmt) -> bool:
    """Whether it looks at who is asking: one does that to keep others out."""
    if isinstance(node, form.Attr):
        return node.attr in _IDENTITY and last_name(node.value) in ("request", "user", "req")
    return isinstance(node, form.Call) and last_name(node.func) in _COMPARISONS
