"""Django and REST framework: who is turned away, how often one may call, and what the documentation says."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from assay.scanner.framework import Context, Route
from assay.scanner.frameworks.django.rest_framework.routes import DJANGO_REST_FRAMEWORK
from assay.scanner.frameworks.django.routes import DJANGO
from tests.projects import paths_of, project_of
from tests.test_framework_samples import SAMPLES, expected

HEAD = {"shop/__init__.py": "", "shop/settings.py": 'ROOT_URLCONF = "shop.urls"\n'}


def found_in(files: dict[str, str]) -> tuple[list[Route], Context]:
    context = Context(project_of(HEAD | files))
    return [*DJANGO.routes(context), *DJANGO_REST_FRAMEWORK.routes(context)], context


def guards_in(files: dict[str, str]) -> dict[str, list[str]]:
    return {f"{m} {r.path}": [g.name for g in r.guards] for r in found_in(files)[0] for m in r.methods}


def view_file(body: str, names: str) -> dict[str, str]:
    """A project of these views, each at a path of its name."""
    patterns = ", ".join(f'path("{name}/", views.{name})' for name in names.split())
    urls = f"from django.urls import path\nfrom shop import views\nurlpatterns = [{patterns}]\n"
    return {"shop/urls.py": urls, "shop/views.py": body}


@pytest.mark.parametrize("name", ["django", "django_rest_framework"])
def test_samples_turn_nobody_away_but_where_a_guard_is_written_down(name: str) -> None:
    """Its `ask.py` calls every view as somebody of whom nothing is known."""
    command = [sys.executable, "-W", "ignore", str(SAMPLES / name / "ask.py")]
    sample = SAMPLES / name / "sample"
    environment = {"PYTHONPATH": str(sample), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=sample, env=environment, capture_output=True, check=True, timeout=60)
    asked = {f"{row['method']} {row['path']}": row["guarded"] for row in json.loads(done.stdout)}
    assert asked == {f"{row['method']} {row['path']}": "auth" in row for row in expected(name)["endpoints"]}


# --- bodies and decorators ---


def test_checks_that_guard_nothing() -> None:
    body = """
        from functools import wraps
        from django.http import Http404, HttpResponseForbidden
        from django.shortcuts import redirect

        def looked_up(request, pk):
            user = find(pk)
            if user is None:
                raise Http404
            return render(request, "user.html")

        def login(request):
            user = authenticate(request)
            if user is not None and user.is_active:
                return redirect("/")
            return redirect("/login")

        def signup(request):
            if closed or request.user.is_authenticated:
                return HttpResponseForbidden()
            return render(request, "signup.html")

        def leaves_first(request):
            if request.user.is_authenticated:
                log_out(request)
            render(request, "x.html")
            return redirect("/login")

        def fragile(request):
            raise PermissionDenied

        def counted(view):
            @wraps(view)
            def wrapper(request):
                return view(request)
            return wrapper

        counted(fragile)

        @counted
        def calls(request):
            return render(request, "calls.html")
    """
    names = "looked_up login signup leaves_first calls"
    assert guards_in(view_file(body, names)) == {
        "ANY looked_up/": [], "ANY login/": [], "ANY signup/": [], "ANY leaves_first/": [], "ANY calls/": [],
    }  # fmt: skip


def test_a_view_that_hands_on_to_guarded_views_is_guarded_and_one_open_branch_opens_it() -> None:
    body = """
        from django.contrib.auth.decorators import login_required

        @login_required
        def add(request): ...

        def show(request): ...

        def both(request):
            if request.GET:
                return add(request)
            return add(request)

        def either(request):
            if request.GET:
                return add(request)
            return show(request)
    """
    found = guards_in(view_file(body, "both either"))
    assert found["ANY both/"] != []
    assert found["ANY either/"] == []


# --- middleware ---

LOGIN_MIDDLEWARE = """
    from django.conf import settings
    from django.shortcuts import redirect
    OPEN = ["/open/", "/parts/"]

    class Demand:
        def __call__(self, request):
            {switch}
            if request.path in OPEN or request.path.startswith("/accounts/"):
                return self.get_response(request)
            if not request.user.is_authenticated:
                return redirect(settings.LOGIN_URL)
            return self.get_response(request)
"""


@pytest.mark.parametrize(
    ("switch", "value", "is_on"),
    [
        ("pass", "", True),
        ("if not settings.DEMAND_LOGIN: return self.get_response(request)", "DEMAND_LOGIN = True", True),
        ("if not settings.DEMAND_LOGIN: return self.get_response(request)", "DEMAND_LOGIN = False", False),
        ("if not settings.DEMAND_LOGIN: return self.get_response(request)", "", False),
    ],
)
def test_middleware_that_demands_a_login_leaves_open_what_it_names(switch: str, value: str, is_on: bool) -> None:
    files = {
        "shop/settings.py": f'ROOT_URLCONF = "shop.urls"\nMIDDLEWARE = ["shop.middleware.Demand"]\n{value}\n',
        "shop/middleware.py": LOGIN_MIDDLEWARE.format(switch=switch),
        "shop/urls.py": """
            from django.urls import path
            def view(request): ...
            urlpatterns = [path("open/", view), path("accounts/login/", view), path("closed/", view)]
        """,
    }
    guard = ["Demand"] if is_on else []
    assert guards_in(files) == {"ANY open/": [], "ANY accounts/login/": [], "ANY closed/": guard}


def test_the_login_middleware_of_django_spares_views_that_say_so() -> None:
    body = """
        from django.contrib.auth.decorators import login_not_required
        from django.views import View

        @login_not_required
        def spared(request): ...

        def plain(request): ...
    """
    middleware = '["django.contrib.auth.middleware.LoginRequiredMiddleware"]'
    files = view_file(body, "spared plain")
    files["shop/settings.py"] = f'ROOT_URLCONF = "shop.urls"\nMIDDLEWARE = {middleware}\n'
    assert guards_in(files) == {"ANY spared/": [], "ANY plain/": ["LoginRequiredMiddleware"]}


# --- permissions ---


def test_a_permission_is_asked_about_the_view_and_may_be_told_in_terms_of_itself() -> None:
    body = """
        from rest_framework.permissions import BasePermission
        from rest_framework.views import APIView

        class Private(BasePermission):
            def has_permission(self, request, view):
                if hasattr(view, "is_private") and view.is_private:
                    return request.user and request.user.is_authenticated
                return True

        class Circular(BasePermission):
            def has_permission(self, request, view):
                allowed = getattr(view, "allowed", False)
                allowed = allowed or request.user.is_staff
                return allowed

        class Anybody(BasePermission):
            def has_permission(self, request, view):
                return request.user.is_anonymous or request.user.is_staff

        class Base(APIView):
            permission_classes = [Private]
            def get(self, request): ...

        class Open(Base): ...
        class Closed(Base):
            is_private = True
        class Staff(Base):
            permission_classes = [Circular]
        class Allowed(Staff):
            allowed = True
        class All(Base):
            permission_classes = [Anybody]
    """
    names = ("Open", "Closed", "Staff", "Allowed", "All")
    patterns = ", ".join(f'path("{name}/", views.{name}.as_view())' for name in names)
    urls = f"from django.urls import path\nfrom shop import views\nurlpatterns = [{patterns}]\n"
    assert guards_in({"shop/urls.py": urls, "shop/views.py": body}) == {
        "GET Open/": [], "GET Closed/": ["Private"], "GET Staff/": ["Circular"], "GET Allowed/": [], "GET All/": [],
    }  # fmt: skip


# --- limits and documentation ---


def test_throttles_without_a_rate_and_without_a_scope_limit_nothing() -> None:
    settings = """
        ROOT_URLCONF = "shop.urls"
        REST_FRAMEWORK = {
            "DEFAULT_THROTTLE_CLASSES": ["rest_framework.throttling.ScopedRateThrottle", "shop.views.Own"],
            "DEFAULT_THROTTLE_RATES": {"own": None, "up": "3/day"},
        }
    """
    body = """
        from rest_framework.throttling import UserRateThrottle
        from rest_framework.views import APIView

        class Own(UserRateThrottle):
            scope = "own"

        class Plain(APIView):
            def get(self, request): ...

        class Scoped(Plain):
            throttle_scope = "up"
    """
    urls = """
        from django.urls import path
        from django_ratelimit.decorators import ratelimit
        from shop import views
        urlpatterns = [
            path("plain/", views.Plain.as_view()),
            path("scoped/", views.Scoped.as_view()),
            path("decorated/", ratelimit(key="ip", rate="1/m")(views.Plain.as_view())),
        ]
    """
    found, _ = found_in({"shop/settings.py": settings, "shop/views.py": body, "shop/urls.py": urls})
    assert {r.path: [g.name for g in r.rate_limits] for r in found} == {
        "plain/": [], "scoped/": ["ScopedRateThrottle(up)"], "decorated/": ["ratelimit"],
    }  # fmt: skip


def test_documentation_of_spectacular_and_yasg() -> None:
    body = """
        from django.utils.decorators import method_decorator
        from drf_spectacular.utils import OpenApiResponse, extend_schema, extend_schema_view
        from drf_yasg.utils import swagger_auto_schema
        from rest_framework import serializers, viewsets
        from rest_framework.decorators import api_view

        class Item(serializers.Serializer): ...
        class NewItem(serializers.Serializer): ...

        @extend_schema(tags=["items"])
        @extend_schema_view(list=extend_schema(summary="All items", deprecated=True))
        @method_decorator(name="destroy", decorator=swagger_auto_schema(responses={204: "gone"}, tags=["gone"]))
        class Items(viewsets.ModelViewSet):
            serializer_class = Item

            @extend_schema(request=NewItem, responses={201: Item, 400: OpenApiResponse(description="no")})
            def create(self, request): ...

        @swagger_auto_schema(method="post", request_body=NewItem, responses={"201": Item()}, operation_summary="Add")
        @api_view(["GET", "POST"])
        def more(request): ...
    """
    urls = """
        from django.urls import path
        from shop import views
        urlpatterns = [
            path("items/", views.Items.as_view({"get": "list", "post": "create", "delete": "destroy"})),
            path("more/", views.more),
        ]
    """
    found, _ = found_in({"shop/views.py": body, "shop/urls.py": urls})
    said = {
        f"{r.methods[0]} {r.path}": (r.request_model, r.response_model, r.status_codes, r.tags, r.summary)
        for r in found
    }
    assert said == {
        "GET items/": (None, "Item", (), ("items",), "All items"),
        "POST items/": ("NewItem", "Item", (201, 400), ("items",), None),
        "DELETE items/": (None, None, (204,), ("gone",), None),
        "GET more/": (None, None, (), (), None),
        "POST more/": ("NewItem", "Item", (201,), (), "Add"),
    }
    assert [r.path for r in found if r.is_deprecated] == ["items/"]


# --- routes ---


def test_lists_joined_by_reduce_and_branches_for_production() -> None:
    urls = """
        from functools import reduce
        from operator import add
        from django.conf import settings
        from django.urls import path
        def view(request): ...
        pages = [path("page/", view)]
        pages += [path("other/", view)]
        groups = [pages]
        groups.append([path("last/", view)])
        if settings.SHOW_DEBUG_TOOLBAR:
            groups.append([path("debug/", view)])
        urlpatterns = reduce(add, groups)
        if not settings.DEBUG:
            urlpatterns.insert(0, path("live/", view))
    """
    found, context = found_in({"shop/urls.py": urls})
    assert paths_of(found) == ["ANY last/", "ANY live/", "ANY other/", "ANY page/"]
    assert context.diagnostics == []


def test_a_path_that_is_computed_is_said_once_and_only_for_views_of_the_project() -> None:
    urls = """
        from django.urls import include, path
        from django.views.static import serve
        from shop.config import prefix
        def view(request): ...
        urlpatterns = [
            path(prefix(), include([path("one/", view), path("two/", view)])),
            path(prefix(), serve),
        ]
    """
    found, context = found_in({"shop/urls.py": urls, "shop/config.py": "def prefix():\n    return Row.get().text\n"})
    assert paths_of(found) == ["ANY <prefix>one/", "ANY <prefix>two/"]
    assert [(d.line, d.message) for d in context.diagnostics] == [(7, "a part of this path is computed at run time")]


def test_a_view_may_have_the_name_of_its_base_and_a_method_may_be_restricted_from_outside() -> None:
    body = """
        from django.contrib.auth.views import LogoutView
        from django.utils.decorators import method_decorator
        from django.views.decorators.http import require_POST
        from django.views.generic import DeleteView, UpdateView

        class DeleteView(DeleteView): ...

        @method_decorator([require_POST], name="dispatch")
        class UpdateView(UpdateView): ...

        class LogoutView(LogoutView): ...
    """
    urls = """
        from django.urls import path
        from shop import views
        urlpatterns = [
            path("delete/", views.DeleteView.as_view()),
            path("update/", views.UpdateView.as_view()),
            path("leave/", views.LogoutView.as_view()),
        ]
    """
    found, _ = found_in({"shop/views.py": body, "shop/urls.py": urls})
    assert paths_of(found) == ["DELETE delete/", "GET delete/", "POST delete/", "POST leave/", "POST update/"]


def test_a_router_that_makes_urls_of_its_own_and_a_view_of_unknown_methods_are_said() -> None:
    urls = """
        from django.urls import include, path
        from rest_framework import routers, viewsets
        from drf_something import UnknownView

        class Things(viewsets.ViewSet):
            def list(self, request): ...

        class Mine(UnknownView): ...

        class Router(routers.SimpleRouter):
            @property
            def urls(self):
                return super().urls + self.more

        router = Router()
        router.register("things", Things, basename="thing")
        urlpatterns = [path("", include(router.urls)), path("mine/", Mine.as_view())]
    """
    found, context = found_in({"shop/urls.py": urls})
    assert paths_of(found) == ["GET ^things/$"]
    assert sorted(d.line or 0 for d in context.diagnostics) == [13, 18]
