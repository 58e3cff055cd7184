"""Views: what the second argument of `path()` is, and which HTTP methods it answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assay.scanner.dataflow.constants import Given
from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import EMPTY, definition
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form
from assay.scanner.web.ready_made import ready_made_view

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""The verbs that are listed: OPTIONS and HEAD come with every view."""

_GET = ("GET",)
_FORM = ("GET", "POST", "PUT")
_LIBRARY_METHODS: dict[str, tuple[str, ...]] = {
    # django.views.generic (https://docs.djangoproject.com/en/stable/ref/class-based-views/)
    **dict.fromkeys(
        (
            "TemplateView", "ListView", "BaseListView", "DetailView", "BaseDetailView", "ArchiveIndexView",
            "YearArchiveView", "MonthArchiveView", "WeekArchiveView", "DayArchiveView", "TodayArchiveView",
            "DateDetailView", "PasswordResetDoneView", "PasswordResetCompleteView", "PasswordChangeDoneView",
        ),
        _GET,
    ),
    "RedirectView": METHODS,
    **dict.fromkeys(
        (
            "FormView", "BaseFormView", "ProcessFormView", "CreateView", "BaseCreateView", "UpdateView",
            "BaseUpdateView", "LoginView", "PasswordChangeView", "PasswordResetView", "PasswordResetConfirmView",
        ),
        _FORM,
    ),
    "DeleteView": ("GET", "POST", "DELETE"),
    "BaseDeleteView": ("GET", "POST", "DELETE"),
    "DeletionMixin": ("POST", "DELETE"),
    "LogoutView": ("POST",),
    # rest_framework.generics (https://www.django-rest-framework.org/api-guide/generic-views/)
    "CreateAPIView": ("POST",),
    "ListAPIView": _GET,
    "RetrieveAPIView": _GET,
    "DestroyAPIView": ("DELETE",),
    "UpdateAPIView": ("PUT", "PATCH"),
    "ListCreateAPIView": ("GET", "POST"),
    "RetrieveUpdateAPIView": ("GET", "PUT", "PATCH"),
    "RetrieveDestroyAPIView": ("GET", "DELETE"),
    "RetrieveUpdateDestroyAPIView": ("GET", "PUT", "PATCH", "DELETE"),
    # Views of packages around it, by their full names where one of Django's has the same.
    **dict.fromkeys(
        (
            "ObtainAuthToken", "TokenViewBase", "TokenObtainPairView", "TokenRefreshView", "TokenVerifyView",
            "TokenBlacklistView", "SocialLoginView", "SocialConnectView", "RegisterView",
            "dj_rest_auth.views.LoginView", "dj_rest_auth.views.PasswordResetView",
            "dj_rest_auth.views.PasswordResetConfirmView",
            "dj_rest_auth.views.PasswordChangeView", "knox.views.LoginView", "knox.views.LogoutView", "LogoutAllView",
        ),
        ("POST",),
    ),
    **dict.fromkeys(("SpectacularAPIView", "SpectacularSwaggerView", "SpectacularRedocView"), _GET),
}  # fmt: skip
_RESTRICTING = {"require_GET": ("GET",), "require_POST": ("POST",), "require_safe": ("GET",)}
_RENDERING = frozenset({"render", "TemplateResponse", "redirect", "HttpResponseRedirect", "render_to_response"})
_ANSWERING_JSON = frozenset({"JsonResponse", "Response"})
_ANSWERING_FILES = frozenset({"FileResponse"})
_REFUSING = frozenset({"HttpResponseNotAllowed", "MethodNotAllowed", "http_method_not_allowed"})
_OF_PAGES = ("django.views.generic", "django.contrib.auth.views")
_DEEPEST = 12


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a URL pattern calls: a function, or a class by its `as_view()` call; neither for a lambda.

    `wrappers` are the decorators around it in the URLconf, outermost first. `library` is the name of a library's class
    that serves what the project gives its `as_view()`. `made_of` is the project's class of an object that is called
    itself, a feed say.
    """

    function: FunctionSymbol | None = None
    cls: ClassSymbol | None = None
    as_view: Sited | None = None
    wrappers: tuple[Sited, ...] = ()
    library: str = ""
    made_of: ClassSymbol | None = None

    @property
    def name(self) -> str:
        target = self.cls or self.function or self.made_of
        return target.id if target is not None else self.library or "lambda"

    def initkwarg(self, name: str) -> Sited | None:
        """What `as_view(name=...)` sets."""
        if self.as_view is None or not isinstance(self.as_view.node, form.Call):
            return None
        value = self.as_view.node.keyword(name)
        return Sited(value, self.as_view.scope) if value is not None else None


@dataclass(frozen=True, slots=True)
class LibraryView:
    """A view that comes whole from a library: it is no code of the project."""

    name: str


def view_of(sited: Sited, project: Project, given: Given = EMPTY, depth: int = 0) -> View | LibraryView | None:
    """The view that an expression stands for; None when it can't be told."""
    sited = definition(sited, project, given)
    node, scope = sited.node, sited.scope
    if depth > _DEEPEST:
        return None
    if isinstance(node, form.Lambda):
        return View()
    if isinstance(node, form.Call):
        return _called(node, sited, project, given, depth)
    value = project.infer(node, scope)
    if isinstance(node, form.Const) and isinstance(node.value, str):
        # Before Django 1.10 a view could be named: `url(r"^$", "shop.views.home")`.
        module_name, _, name = node.value.rpartition(".")
        module = project.module_named(module_name, sited.module.path)
        value = project.member(module, name) if module is not None else None
    if isinstance(value, BoundMethod):
        value = value.function
    if isinstance(value, FunctionSymbol):
        return View(function=value)
    if isinstance(value, Instance):
        return _of_object(value, project)
    return LibraryView(value.name) if isinstance(value, External) else None


def _called(call: form.Call, sited: Sited, project: Project, given: Given, depth: int) -> View | LibraryView | None:
    if isinstance(call.func, form.Attr) and call.func.attr == "as_view":
        owner_of = definition(Sited(call.func.value, sited.scope), project, given)
        owner = project.infer(owner_of.node, owner_of.scope)
        if isinstance(owner, ClassSymbol):
            return View(cls=owner, as_view=sited)
        made = ready_made_view(owner, project)
        if made is not None:
            return View(as_view=sited, library=made.name)
        return LibraryView(owner.name) if isinstance(owner, External) else None
    for argument in call.positional[:1]:
        inner = view_of(Sited(argument, sited.scope), project, given, depth + 1)
        if isinstance(inner, View):
            wrapper = Sited(call.func, sited.scope)
            return replace(inner, wrappers=(wrapper, *inner.wrappers))
        if inner is not None:
            return inner
    value = project.infer(call, sited.scope)
    if isinstance(value, FunctionSymbol):
        return View(function=value)
    return _of_object(value, project) if isinstance(value, Instance) else None


def _of_object(value: Instance, project: Project) -> View | LibraryView | None:
    """An object that is called: by the project's `__call__`, or by that of its library base, as for a feed."""
    if value.cls is None:
        return LibraryView(value.type_name)
    handler = project.method(value.cls, "__call__")
    if handler is not None:
        return View(function=handler)
    return View(made_of=value.cls) if project.base_names(value.cls) else None


# --- which methods ---


def class_methods(view: View, project: Project) -> dict[str, FunctionSymbol | None]:
    """The verbs a class-based view answers, each with the project's method; None where the library provides it.

    Empty for a class that handles requests in some other way.
    """
    assert view.cls is not None
    provided: set[str] = set()
    for base in project.base_names(view.cls):
        provided.update(_LIBRARY_METHODS.get(base) or _LIBRARY_METHODS.get(last_part(base), ()))
    allowed = _allowed_methods(view, project)
    restricted = restricted_methods(_around_class(view, project), project)
    found: dict[str, FunctionSymbol | None] = {}
    for verb in METHODS:
        if (allowed is not None and verb not in allowed) or (restricted is not None and verb not in restricted):
            continue
        handler = method_or_alias(view.cls, verb.lower(), project)
        if handler is not None or verb in provided:
            found[verb] = handler
    return found


def _around_class(view: View, project: Project) -> list[Sited]:
    """The decorators around a class-based view: in the URLconf, on the class and its bases, and on `dispatch`."""
    assert view.cls is not None
    found = list(view.wrappers)
    for base in project.mro(view.cls):
        if isinstance(base, ClassSymbol):
            found += [Sited(d, base.outer) for d in base.node.decorators if _is_about(d, "dispatch")]
            dispatch = base.methods.get("dispatch")
            found += [Sited(d, dispatch.outer) for d in dispatch.decorators] if dispatch is not None else []
    return found


def _is_about(decorator: form.Expr, method: str) -> bool:
    """Whether `method_decorator(..., name="dispatch")` on a class is about that method."""
    name = decorator.argument(1, "name") if isinstance(decorator, form.Call) else None
    return isinstance(name, form.Const) and name.value == method


def method_or_alias(cls: ClassSymbol, name: str, project: Project) -> FunctionSymbol | None:
    """The method of that name, also where the class says `put = post`."""
    method = project.method(cls, name)
    if method is not None:
        return method
    alias = project.class_attribute(cls, name)
    value = project.infer(*alias) if alias is not None else None
    return value if isinstance(value, FunctionSymbol) else None


def _allowed_methods(view: View, project: Project) -> set[str] | None:
    """`http_method_names`, upper case."""
    assert view.cls is not None
    stated = view.initkwarg("http_method_names")
    if stated is None:
        attribute = project.class_attribute(view.cls, "http_method_names")
        if attribute is None:
            return None
        stated = Sited(*attribute)
    stated = definition(stated, project)
    if not isinstance(stated.node, form.Display):
        return None
    return {text.upper() for text in constant_strings(stated.node.items)}


def constant_strings(items: Iterable[form.Expr]) -> list[str]:
    """The string literals among the expressions."""
    return [i.value for i in items if isinstance(i, form.Const) and isinstance(i.value, str)]


def restricted_methods(decorators: Iterable[Sited], project: Project) -> tuple[str, ...] | None:
    """What `require_http_methods` and its kind let through; None when nothing restricts."""
    for decorator in decorators:
        node = decorator.node
        callee = node.func if isinstance(node, form.Call) else node
        name = last_name(callee)
        adapted = node.argument(0, "decorator") if isinstance(node, form.Call) and name == "method_decorator" else None
        if adapted is not None:
            inner = definition(Sited(adapted, decorator.scope), project)
            items = inner.node.items if isinstance(inner.node, form.Display) else [inner.node]
            restricted = restricted_methods([Sited(item, inner.scope) for item in items], project)
            if restricted is not None:
                return restricted
        if name in _RESTRICTING:
            return _RESTRICTING[name]
        if name == "require_http_methods" and isinstance(node, form.Call) and node.positional:
            given = definition(Sited(node.positional[0], decorator.scope), project).node
            if isinstance(given, form.Display):
                return tuple(m for m in METHODS if m in {s.upper() for s in constant_strings(given.items)})
        if isinstance(node, form.Call) and isinstance(project.infer(callee, decorator.scope), FunctionSymbol):
            verbs = _only_verbs(node)
            if verbs:
                return verbs
    return None


def _only_verbs(call: form.Call) -> tuple[str, ...]:
    """The methods that a decorator of the project is given, where it is given nothing else: `@allow("GET", "POST")`."""
    given = [arg.value.value if isinstance(arg.value, form.Const) else None for arg in call.args]
    return tuple(m for m in METHODS if m in given) if set(given) <= set(METHODS) else ()


def function_methods(view: View, project: Project) -> tuple[str, ...]:
    """The verbs a function view answers: what restricts it, else the `request.method` branches of its body."""
    function = view.function
    if function is None:
        return ("ANY",)
    decorators = [*view.wrappers, *(Sited(d, function.outer) for d in function.decorators)]
    restricted = restricted_methods(decorators, project)
    if restricted is not None:
        return restricted or ("ANY",)
    mentioned, refuses_the_rest = _branches(function)
    if not mentioned:
        return ("ANY",)
    answered = mentioned if refuses_the_rest else mentioned | {"GET"}
    return tuple(m for m in METHODS if m in answered)


def _branches(function: FunctionSymbol) -> tuple[set[str], bool]:
    """Methods that the body compares `request.method` with, and whether it refuses all others."""
    mentioned: set[str] = set()
    refuses = False
    for node in function.walk():
        if isinstance(node, form.If):
            for compared, is_equal in method_tests(node.test):
                mentioned |= compared
                refuses |= not is_equal and _leaves_at_once(node.body)
        if isinstance(node, form.Call) and last_name(node.func) in _REFUSING:
            refuses = True
        if isinstance(node, form.Call) and _status(node) == "405":
            refuses = True
    return mentioned & set(METHODS), refuses


def _status(call: form.Call) -> str | None:
    status = call.keyword("status")
    return str(status.value) if isinstance(status, form.Const) else None


def _leaves_at_once(body: list[form.Stmt]) -> bool:
    return bool(body) and isinstance(body[-1], form.Return | form.Raise)


def method_tests(test: form.Expr) -> Iterator[tuple[set[str], bool]]:
    """The comparisons of `request.method` in a test: the methods, and whether it asks for equality."""
    for node in form.walk(test):
        if isinstance(node, form.Compare) and isinstance(node.left, form.Attr) and node.left.attr == "method":
            right = node.rights[0]
            items = right.items if isinstance(right, form.Display) else [right]
            named = {text.upper() for text in constant_strings(items)}
            if last_name(right) == "SAFE_METHODS":
                named = {"GET"}
            if named:
                yield named, node.ops[0] in ("==", "in")


# --- what it serves ---


def kind_of(view: View, handler: FunctionSymbol | None, project: Project) -> EndpointKind | None:
    """By what the handler returns, else by the generic view it builds on; None when neither tells."""
    answer = _kind_of_answers(handler, project, 0) if handler is not None else None
    if answer is not None or view.cls is None:
        return answer
    for name in project.base_names(view.cls):
        if name.startswith(_OF_PAGES) and last_part(name) in _LIBRARY_METHODS:
            return EndpointKind.HTML
    return EndpointKind.HTML if project.class_attribute(view.cls, "template_name") is not None else None


_MOST_HANDOVERS = 3


def only_renders(handler: FunctionSymbol) -> bool:
    """Whether everything the handler returns is a rendered page or a redirect."""
    answers = [node.value for node in handler.returns if node.value is not None]
    return bool(answers) and all(isinstance(a, form.Call) and last_name(a.func) in _RENDERING for a in answers)


def _kind_of_answers(handler: FunctionSymbol, project: Project, depth: int) -> EndpointKind | None:
    """What the returned expressions build, or the project functions that are asked to."""
    kinds: set[EndpointKind] = set()
    for node in handler.returns:
        for part in form.walk(node.value, into_definitions=False) if node.value is not None else ():
            if isinstance(part, form.Call):
                name = last_name(part.func)
                if name in _RENDERING:
                    kinds.add(EndpointKind.HTML)
                elif name in _ANSWERING_JSON:
                    kinds.add(EndpointKind.JSON)
                elif name in _ANSWERING_FILES:
                    kinds.add(EndpointKind.FILE)
                elif name == "StreamingHttpResponse":
                    kinds.add(EndpointKind.STREAM)
                elif part is node.value and depth < _MOST_HANDOVERS:
                    asked = project.callee_function(part, handler.scope)
                    found = _kind_of_answers(asked, project, depth + 1) if asked is not None else None
                    kinds |= {found} if found is not None else set()
    for kind in (EndpointKind.STREAM, EndpointKind.FILE, EndpointKind.JSON, EndpointKind.HTML):
        if kind in kinds and not (kind is EndpointKind.JSON and EndpointKind.HTML in kinds):
            return kind
    return None
