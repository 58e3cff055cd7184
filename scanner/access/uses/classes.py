"""Classes that guard: access mixins beside a view's class, and Django REST framework's `permission_classes`."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.access.uses.found import Use
from assay.scanner.dataflow.constants import list_items
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.access import GuardAction
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_MIXINS = frozenset(
    """LoginRequiredMixin PermissionRequiredMixin UserPassesTestMixin AccessMixin StaffuserRequiredMixin
    SuperuserRequiredMixin GroupRequiredMixin MultiplePermissionsRequiredMixin OTPRequiredMixin""".split()
)  # fmt: skip
_VIEWS = ("django.views.", "rest_framework.views.", "rest_framework.generics.", "rest_framework.viewsets.")
_REST = ("rest_framework.", "adrf.", "rest_framework_", "drf_", "djoser.", "dj_rest_auth.", "knox.", "oauth2_provider.")
_ATTRIBUTES = ("permission_classes", "authentication_classes")
_OPEN = frozenset({"AllowAny", "BasePermission"})
_HANDLERS = frozenset(
    """get post put patch delete list create retrieve update partial_update destroy get_queryset perform_create
    perform_update perform_destroy get_object""".split()
)  # fmt: skip


def class_uses(project: Project) -> Iterator[Use]:
    """Of all classes of views."""
    for cls in project.classes:
        if cls.module.role is not Role.PROD:
            continue
        yield from _mixins(cls, project)
        yield from _attributes(cls, project)
        for method in cls.methods.values():
            if method.name in _HANDLERS:
                yield from _set_within(method)


def _mixins(cls: ClassSymbol, project: Project) -> Iterator[Use]:
    """A mixin to the right of the view's class is never asked: the view answers without calling on."""
    named = [(base.value, last_name(base.value)) for base in cls.node.bases if base.name is None and not base.star]
    stated = [(node, name if name in _MIXINS else _mixin_of(node, cls, project)) for node, name in named]
    if not stated:
        return
    order = [base.name for base in project.mro(cls) if isinstance(base, External)]
    view = next((index for index, name in enumerate(order) if name.startswith(_VIEWS) and "Mixin" not in name), None)
    for node, name in stated:
        if name is None:
            continue
        place = next((index for index, base in enumerate(order) if last_part(base) == name), None)
        if view is None or place is None:
            continue
        action = GuardAction.BEHIND_VIEW if place > view else GuardAction.ACTS
        yield Use(last_name(node) or name, cls.id, Sited(node, cls.outer), action)


def _mixin_of(node: form.Expr, cls: ClassSymbol, project: Project) -> str | None:
    """The library's mixin that one of the project's own is made of, unless that is a view by itself."""
    own = project.infer(node, cls.outer)
    if not isinstance(own, ClassSymbol):
        return None
    names = [base.name for base in project.mro(own) if isinstance(base, External)]
    if any(name.startswith(_VIEWS) and "Mixin" not in name for name in names):
        return None
    return next((last_part(name) for name in names if last_part(name) in _MIXINS), None)


def _attributes(cls: ClassSymbol, project: Project) -> Iterator[Use]:
    for attribute in _ATTRIBUTES:
        binding = next(iter(cls.own(attribute)[-1:]), None) if attribute in cls.scope.bindings else None
        if binding is None or binding.value is None:
            continue
        items = [item for item, _ in list_items(binding.value, binding.scope, project)]
        names = {last_name(item.func if isinstance(item, form.Call) else item) for item in items}
        site = Sited(binding.value, binding.scope)
        if items and names <= _OPEN:
            yield Use(attribute, cls.id, site, GuardAction.OPENS)
        if not items or names <= _OPEN:
            continue
        made = next((i for i in items if isinstance(i, form.Call) and _is_object(i, binding.scope, project)), None)
        if made is not None:
            yield Use(attribute, cls.id, Sited(made, binding.scope), GuardAction.INSTANCE)
        elif _is_plain_view(cls, project) and not _is_read(attribute, cls, project):
            yield Use(attribute, cls.id, site, GuardAction.NOT_REST)
        elif any(base.startswith(_REST) for base in project.base_names(cls)):
            yield Use(attribute, cls.id, site, GuardAction.ACTS)


def _is_object(call: form.Call, scope: Scope, project: Project) -> bool:
    """`IsAdminUser()`: the framework calls what is listed to make a permission of it, and an object can't be called."""
    value = project.infer(call.func, scope)
    if isinstance(value, ClassSymbol):
        is_permission = any(last_part(name) == "BasePermission" for name in project.base_names(value))
        return is_permission and project.method(value, "__call__") is None
    return isinstance(value, External) and value.name.startswith("rest_framework.permissions.")


def _is_plain_view(cls: ClassSymbol, project: Project) -> bool:
    """A view of Django's, all of whose bases are known and none of which is REST framework's or guards it."""
    order = project.mro(cls)
    libraries = [base.name for base in order if isinstance(base, External)]
    is_view = any(name.startswith("django.views.") for name in libraries)
    return is_view and all(
        name.startswith(("django.views.", "builtins.", "typing.", "abc.")) or name == "object" for name in libraries
    )


def _is_read(attribute: str, cls: ClassSymbol, project: Project) -> bool:
    """Whether the project's own views ask what is listed, as REST framework's do."""
    bases = [base for base in project.mro(cls) if isinstance(base, ClassSymbol)]
    return any(_mentions(method, attribute) for base in bases for method in base.methods.values())


def _mentions(method: FunctionSymbol, attribute: str) -> bool:
    return any(
        (isinstance(node, form.Attr) and node.attr == attribute)
        or (isinstance(node, form.Const) and node.value == attribute)
        for node in method.walk()
    )


def _set_within(method: FunctionSymbol) -> Iterator[Use]:
    """`self.permission_classes = [...]` in a handler: they were asked before it ran."""
    for statement in method.node.body:
        if not isinstance(statement, form.Assign):
            continue
        for target in statement.targets:
            name = last_name(target)
            is_of_view = isinstance(target, form.Name) or form.dotted(target) == f"self.{name}"
            if name == "permission_classes" and is_of_view and not method.name.startswith("get_"):
                yield Use(name, method.id, Sited(target, method.scope), GuardAction.TOO_LATE)
