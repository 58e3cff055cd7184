"""What methods that views inherit from Django and Django REST framework do: which hooks they call, what they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import External
from assay.scanner.model.effect import EffectKind
from assay.scanner.readers.python import form

_REST = ("rest_framework.", "rest_framework_simplejwt.", "dj_rest_auth.", "knox.", "djoser.")
_REST_HOOKS: Mapping[str, tuple[str, ...]] = {
    # https://www.django-rest-framework.org/api-guide/generic-views/
    "create": ("get_serializer", "perform_create"),
    "update": ("get_object", "perform_update"),
    "partial_update": ("update",),
    "destroy": ("get_object", "perform_destroy"),
    "list": ("get_queryset", "filter_queryset"),
    "retrieve": ("get_object",),
    "get_object": ("get_queryset",),
}
_REST_VERBS: Mapping[str, Mapping[str, str]] = {
    "post": {"create": "CreateModelMixin"},
    "put": {"update": "UpdateModelMixin"},
    "patch": {"partial_update": "UpdateModelMixin"},
    "delete": {"destroy": "DestroyModelMixin"},
    "get": {"list": "ListModelMixin", "retrieve": "RetrieveModelMixin"},
}
_REST_ACTIONS = {"perform_create": "create", "perform_update": "update", "perform_destroy": "delete"}
_PAGES = ("django.views.generic.", "django.contrib.auth.views.", "vanilla.", "extra_views.")
_PAGE_HOOKS: Mapping[str, tuple[str, ...]] = {
    # https://docs.djangoproject.com/en/stable/ref/class-based-views/
    "post": ("form_valid", "form_invalid", "delete"),
    "put": ("post",),
    "delete": ("get_object",),
    "get": ("get_context_data", "get_queryset", "get_object", "get_redirect_url"),
}
_CREATING = ("CreateView", "BaseCreateView")
_UPDATING = ("UpdateView", "BaseUpdateView", "ModelFormMixin")
_DELETING = ("DeleteView", "BaseDeleteView", "DeletionMixin")
_ACCOUNT_VIEWS: Mapping[str, Mapping[str, tuple[EffectKind, str, str]]] = {
    "LoginView": {"post": (EffectKind.SESSION, "login", ""), "form_valid": (EffectKind.SESSION, "login", "")},
    "LogoutView": {"post": (EffectKind.SESSION, "logout", ""), "dispatch": (EffectKind.SESSION, "logout", "")},
    "PasswordChangeView": {"form_valid": (EffectKind.WRITE, "update", "User")},
    "PasswordResetConfirmView": {"form_valid": (EffectKind.WRITE, "update", "User")},
    "PasswordResetView": {"form_valid": (EffectKind.MAIL, "send", "")},
}
_SIGN_IN_VIEWS = frozenset(
    {
        "rest_framework_simplejwt.views.TokenObtainPairView", "rest_framework_simplejwt.views.TokenObtainSlidingView",
        "rest_framework.authtoken.views.ObtainAuthToken", "dj_rest_auth.views.LoginView", "knox.views.LoginView",
    }
)  # fmt: skip
"""Views of REST libraries whose `post` hands out a token for a password."""


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What an inherited method does: the methods of the view that it calls, and what it changes itself.

    `runs` are methods of the project's serializers and forms that it calls for that, each with its class.
    """

    hooks: tuple[str, ...] = ()
    kind: EffectKind | None = None
    action: str = ""
    target: str = ""
    runs: tuple[tuple[FunctionSymbol, ClassSymbol], ...] = ()


_NONE = Behaviour()


_SAVING = (("serializer_class", ("save", "create", "update")), ("form_class", ("save",)))
_Question = tuple[ClassSymbol, str, ClassSymbol | None]


class Inheritance:
    """What methods of views' classes are, worked out once for each."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[_Question, FunctionSymbol | Behaviour] = {}

    def of(self, cls: ClassSymbol, method: str, above: ClassSymbol | None) -> FunctionSymbol | Behaviour:
        """The method of a class of the project's that is next in order, else what the library's does."""
        question = (cls, method, above)
        if question not in self._known:
            bindings = self._project.class_member(cls, method, above)
            own = bindings[-1].function if bindings else None
            self._known[question] = own or self._behaviour(cls, method)
        return self._known[question]

    def _behaviour(self, cls: ClassSymbol, method: str) -> Behaviour:
        does = _behaviour(cls, method, self._project)
        return replace(does, runs=tuple(self._saving(cls))) if does.kind is not None else does

    def _saving(self, cls: ClassSymbol) -> Iterator[tuple[FunctionSymbol, ClassSymbol]]:
        for attribute, methods in _SAVING:
            given = named_class(cls, attribute, self._project)
            for method in methods if given is not None else ():
                own = self._project.method(given, method) if given is not None else None
                if own is not None and given is not None:
                    yield own, given


def _behaviour(cls: ClassSymbol, method: str, project: Project) -> Behaviour:
    bases = project.base_names(cls)
    if method == "post" and not _SIGN_IN_VIEWS.isdisjoint(bases):
        return Behaviour((), EffectKind.SESSION, "login")
    if any(name.startswith(_REST) for name in bases):
        return _of_rest(cls, method, bases, project)
    if any(name.startswith(_PAGES) for name in bases):
        return _of_page(cls, method, bases, project)
    if method in ("save", "delete", "asave", "adelete") and any(".models." in name for name in bases):
        return Behaviour((), EffectKind.WRITE, "delete" if "delete" in method else "update", cls.name)
    if method == "save" and any("ModelForm" in name or "UserCreationForm" in name for name in bases):
        return Behaviour((), EffectKind.WRITE, "update", model_of_view(cls, project))
    return _NONE


def _of_rest(cls: ClassSymbol, method: str, bases: frozenset[str], project: Project) -> Behaviour:
    action = _REST_ACTIONS.get(method)
    if action is not None:
        return Behaviour(("get_serializer_class",), EffectKind.WRITE, action, model_of_view(cls, project))
    if method in _REST_HOOKS:
        return Behaviour(_REST_HOOKS[method])
    if method in _REST_VERBS:
        return Behaviour(tuple(_REST_VERBS[method]))
    if method in ("save", "create") and any("serializers" in name for name in bases):
        return Behaviour((), EffectKind.WRITE, "update", model_of_view(cls, project))
    return _NONE


def _of_page(cls: ClassSymbol, method: str, bases: frozenset[str], project: Project) -> Behaviour:
    names = {name.rsplit(".", 1)[-1] for name in bases}
    for view, effects in _ACCOUNT_VIEWS.items():
        if view in names and method in effects:
            kind, action, target = effects[method]
            return Behaviour((), kind, action, target)
    deletes = not names.isdisjoint(_DELETING)
    if (method == "form_valid" or method == "delete") and deletes:
        return Behaviour((), EffectKind.WRITE, "delete", model_of_view(cls, project))
    if method == "form_valid" and not names.isdisjoint((*_CREATING, *_UPDATING)):
        action = "create" if not names.isdisjoint(_CREATING) else "update"
        return Behaviour((), EffectKind.WRITE, action, model_of_view(cls, project))
    return Behaviour(_PAGE_HOOKS.get(method, ()))


def model_of_view(cls: ClassSymbol, project: Project) -> str:
    """The model that the view is about, by its `model`, `queryset`, `serializer_class` or `form_class`; or empty."""
    for attribute in ("model", "queryset", "serializer_class", "form_class", "Meta"):
        found = project.class_attribute(cls, attribute)
        if found is None:
            meta = project.class_member(cls, "Meta")[-1:] if attribute == "Meta" else []
            inner = meta[0].cls if meta else None
            found = project.class_attribute(inner, "model") if inner is not None else None
        if found is None:
            continue
        for node in form.walk(found[0]):
            value = project.infer(node, found[1]) if isinstance(node, form.Name | form.Attr) else None
            if isinstance(value, ClassSymbol):
                if attribute in ("serializer_class", "form_class"):
                    return model_of_view(value, project)
                return value.name
            if isinstance(value, External) and ".models." in value.name and last_part(value.name)[:1].isupper():
                return last_part(value.name)
    return ""


def named_class(cls: ClassSymbol, attribute: str, project: Project) -> ClassSymbol | None:
    """The class of the project that a view's attribute names: its serializer or form."""
    found = project.class_attribute(cls, attribute)
    value = project.infer(*found) if found is not None else None
    return value if isinstance(value, ClassSymbol) else None
