"""Django, its ORM and REST framework: routes, guards, paginators, tables and rows of small projects."""

from __future__ import annotations

from assay.scanner.framework import Context, Route, Rows, Step
from assay.scanner.frameworks.django.orm import DJANGO_ORM
from assay.scanner.frameworks.django.rest_framework.routes import DJANGO_REST_FRAMEWORK
from assay.scanner.frameworks.django.routes import DJANGO
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.query import Bound, Cap, Order
from assay.scanner.model.table import Column, Table
from assay.scanner.readers.python import form
from tests.projects import paths_of, project_of

SETTINGS = 'ROOT_URLCONF = "shop.urls"\n'
PACKAGES = {"shop/__init__.py": "", "shop/settings.py": SETTINGS}


def routes(files: dict[str, str]) -> tuple[list[Route], Context]:
    """All routes of both web frameworks, and what they reported."""
    context = Context(project_of(files))
    return [*DJANGO.routes(context), *DJANGO_REST_FRAMEWORK.routes(context)], context


def paths(files: dict[str, str]) -> list[str]:
    return paths_of(routes(files)[0])


def guards(files: dict[str, str]) -> dict[str, list[str]]:
    """Guards by method and path."""
    found = routes(files)[0]
    return {f"{m} {r.path}": [g.name for g in r.guards] for r in found for m in r.methods}


# --- URLconfs ---


def test_includes_nest_by_module_tuple_and_variable() -> None:
    files = PACKAGES | {
        "shop/urls.py": """
            from django.urls import include, path, re_path
            from shop import views
            inner = [path("one/", views.one)]
            inner += [path("two/", views.two)]
            inner.append(path("three/", views.three))
            urlpatterns = [
                path("orders/", include("shop.order_urls")),
                path("tuple/", include((inner, "shop"), namespace="inner")),
                re_path(r"^year/(?P<year>[0-9]{4})/$", views.one),
            ] + [path("last/", views.two)]
        """,
        "shop/order_urls.py": """
            from django.urls import path
            from . import views
            urlpatterns = [path("<int:pk>/", views.one)]
        """,
        "shop/unused_urls.py": """
            from django.urls import path
            from . import views
            urlpatterns = [path("nowhere/", views.one)]
        """,
        "shop/views.py": "def one(request): ...\ndef two(request): ...\ndef three(request): ...\n",
    }
    assert paths(files) == [
        "ANY ^year/(?P<year>[0-9]{4})/$",
        "ANY last/",
        "ANY orders/<int:pk>/",
        "ANY tuple/one/",
        "ANY tuple/three/",
        "ANY tuple/two/",
    ]


def test_debug_admin_static_and_library_views_are_left_out() -> None:
    files = PACKAGES | {
        "shop/urls.py": """
            from django.conf import settings
            from django.conf.urls.static import static
            from django.contrib import admin
            from django.urls import include, path
            from django.views.generic import TemplateView
            from shop.views import home
            urlpatterns = [
                path("admin/", admin.site.urls),
                path("accounts/", include("django.contrib.auth.urls")),
                path("about/", TemplateView.as_view(template_name="about.html")),
                path("", home),
            ] + static("/media/")
            if settings.DEBUG:
                import debug_toolbar
                urlpatterns += [path("__debug__/", include(debug_toolbar.urls)), path("dev/", home)]
        """,
        "shop/views.py": "def home(request): ...\n",
    }
    found, context = routes(files)
    assert paths_of(found) == ["ANY "]
    assert context.diagnostics == []


def test_prefixes_from_settings_and_from_language() -> None:
    files = {
        "shop/__init__.py": "",
        "shop/settings.py": """
            import os
            ROOT_URLCONF = "shop.urls"
            BASE = os.environ.get("BASE", "v1") + "/"
        """,
        "shop/urls.py": """
            from django.conf import settings
            from django.conf.urls.i18n import i18n_patterns
            from django.urls import include, path
            from shop.views import home
            pages = [path("home/", home)]
            urlpatterns = [path(settings.BASE, include(pages)), path(f"{settings.BASE}x/", home)]
            urlpatterns += i18n_patterns(path("start/", home))
        """,
        "shop/views.py": "def home(request): ...\n",
    }
    assert paths(files) == ["ANY <language>/start/", "ANY v1/home/", "ANY v1/x/"]


def test_a_helper_that_returns_patterns_is_followed_with_its_arguments() -> None:
    files = PACKAGES | {
        "shop/urls.py": """
            from django.urls import include, path
            from shop import views
            def crud(name, view):
                return [path(f"{name}/", view.as_view()), path(f"{name}/new/", view.as_view())]
            urlpatterns = [path("a/", include(crud("item", views.Item)))]
        """,
        "shop/views.py": """
            from django.views import View
            class Item(View):
                def get(self, request): ...
        """,
    }
    assert paths(files) == ["GET a/item/", "GET a/item/new/"]


def test_registrations_at_run_time_are_reported_not_dropped() -> None:
    files = PACKAGES | {
        "shop/registry.py": """
            from django.urls import path
            VIEWS = {}
            def urls_of(model):
                found = []
                for config in VIEWS[model]:
                    found.append(path(config["path"], config["view"]))
                return found
        """,
        "shop/urls.py": """
            from django.urls import include, path
            from shop.registry import urls_of
            urlpatterns = [path("a/", include(urls_of("a"))), path("b/", include(urls_of("b")))]
        """,
    }
    found, context = routes(files)
    assert found == []
    assert [(d.path, d.line) for d in context.diagnostics] == [("shop/urls.py", 4)]
    assert "urls_of()" in context.diagnostics[0].message


def test_without_settings_the_urlconf_that_nothing_includes_is_the_root() -> None:
    files = {
        "main_urls.py": """
            from django.urls import include, path
            urlpatterns = [path("sub/", include("sub_urls"))]
        """,
        "sub_urls.py": """
            from django.urls import path
            def view(request): ...
            urlpatterns = [path("x/", view)]
        """,
    }
    assert paths(files) == ["ANY sub/x/"]


def test_production_settings_come_before_local_ones_and_star_imports_are_layers() -> None:
    files = {
        "conf/__init__.py": "",
        "conf/base.py": 'ROOT_URLCONF = "conf.old"\nREST_FRAMEWORK = {"PAGE_SIZE": 10}\n',
        "conf/local.py": 'from .base import *\nROOT_URLCONF = "conf.local_urls"\n',
        "conf/production.py": 'from .base import *\nROOT_URLCONF = "conf.urls"\n',
        "conf/wsgi.py": 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "conf.production")\n',
        "conf/urls.py": 'from django.urls import path\ndef v(request): ...\nurlpatterns = [path("live/", v)]\n',
    }
    assert "ANY live/" in paths(files)


# --- views ---


def test_methods_of_function_views() -> None:
    files = PACKAGES | {
        "shop/urls.py": """
            from django.urls import path
            from django.views.decorators.csrf import csrf_exempt
            from shop import views as v
            urlpatterns = [
                path("any/", v.anything), path("listed/", v.listed), path("post/", csrf_exempt(v.post_only)),
                path("branch/", v.branching), path("refusing/", v.refusing),
            ]
        """,
        "shop/views.py": """
            from django.http import HttpResponseNotAllowed
            from django.views.decorators.http import require_http_methods, require_POST
            def anything(request): ...
            @require_http_methods(["GET", "PUT"])
            def listed(request): ...
            @require_POST
            def post_only(request): ...
            def branching(request):
                if request.method == "POST":
                    return 1
                return 2
            def refusing(request):
                if request.method != "POST":
                    return HttpResponseNotAllowed(["POST"])
                return 1
        """,
    }
    assert paths(files) == [
        "ANY any/", "GET branch/", "GET listed/", "POST branch/", "POST post/", "POST refusing/", "PUT listed/",
    ]  # fmt: skip


def test_methods_of_class_based_views() -> None:
    files = PACKAGES | {
        "shop/urls.py": """
            from django.urls import path
            from shop import views as v
            urlpatterns = [
                path("list/", v.Posts.as_view()), path("new/", v.NewPost.as_view()), path("own/", v.Own.as_view()),
                path("narrow/", v.Narrow.as_view()), path("dispatch/", v.Dispatching.as_view()),
            ]
        """,
        "shop/views.py": """
            from django.views.generic import CreateView, ListView, View
            class Posts(ListView): ...
            class NewPost(CreateView): ...
            class Own(View):
                def get(self, request): ...
                def delete(self, request): ...
            class Narrow(Own):
                http_method_names = ["get"]
            class Dispatching(View):
                def dispatch(self, request): ...
        """,
    }
    found, _ = routes(files)
    assert paths_of(found) == [
        "ANY dispatch/", "DELETE own/", "GET list/", "GET narrow/", "GET new/", "GET own/", "POST new/", "PUT new/",
    ]  # fmt: skip
    by_path = {r.path: r for r in found}
    assert by_path["list/"].kind is EndpointKind.HTML
    assert by_path["narrow/"].handler_name == "shop.views:Narrow.get"


def test_kind_is_told_by_what_the_handler_returns() -> None:
    files = PACKAGES | {
        "shop/urls.py": """
            from django.urls import path
            from shop import views as v
            urlpatterns = [path("json/", v.data), path("page/", v.page), path("file/", v.file), path("x/", v.unsure)]
        """,
        "shop/views.py": """
            from django.http import FileResponse, HttpResponse, JsonResponse
            from django.shortcuts import render
            def data(request): return JsonResponse({})
            def page(request): return render(request, "a.html")
            def file(request): return FileResponse(open("x"))
            def unsure(request): return HttpResponse("x")
        """,
    }
    kinds = {r.path: r.kind for r in routes(files)[0]}
    assert kinds == {
        "json/": EndpointKind.JSON, "page/": EndpointKind.HTML, "file/": EndpointKind.FILE, "x/": None,
    }  # fmt: skip


# --- guards ---

GUARDED = PACKAGES | {
    "shop/urls.py": """
        from django.contrib.auth.decorators import login_required, user_passes_test
        from django.urls import path
        from shop import views as v
        staff_only = user_passes_test(lambda u: u.is_staff)
        urlpatterns = [
            path("open/", v.opened), path("decorated/", v.decorated), path("wrapped/", login_required(v.opened)),
            path("staff/", staff_only(v.opened)), path("own/", v.own_decorator), path("body/", v.body),
            path("branch/", v.in_a_branch), path("greets/", v.greets),
            path("mixin/", v.Left.as_view()), path("late/", v.Right.as_view()), path("cls/", v.Decorated.as_view()),
            path("handles/", v.Handles.as_view()),
        ]
    """,
    "shop/views.py": """
        from functools import wraps
        from django.contrib.auth.decorators import login_required, permission_required
        from django.contrib.auth.mixins import AccessMixin, LoginRequiredMixin
        from django.http import HttpResponse
        from django.shortcuts import redirect, render
        from django.utils.decorators import method_decorator
        from django.views import View

        def known_users(function):
            @wraps(function)
            def inner(request, *args):
                if request.user.is_authenticated:
                    return function(request, *args)
                return HttpResponse(status=401)
            return inner

        def opened(request): ...
        @permission_required("shop.view")
        def decorated(request): ...
        @known_users
        def own_decorator(request): ...
        def body(request):
            if not request.user.is_authenticated:
                return redirect("login")
            return render(request, "x.html")
        def in_a_branch(request):
            if request.method == "POST":
                if not request.user.is_authenticated:
                    return redirect("login")
            return render(request, "x.html")
        def greets(request):
            if request.user.is_authenticated:
                return render(request, "hello.html")
            return render(request, "welcome.html")

        class Left(LoginRequiredMixin, View):
            def get(self, request): ...
        class Right(View, LoginRequiredMixin):
            def get(self, request): ...
        @method_decorator(login_required, name="dispatch")
        class Decorated(View):
            def get(self, request): ...
        class Allowed(AccessMixin):
            def dispatch(self, request):
                if not self.allowed(request):
                    return self.handle_no_permission()
                return super().dispatch(request)
        class Handles(Allowed, View):
            def get(self, request): ...
    """,
}


def test_guards_of_plain_views() -> None:
    found = guards(GUARDED)
    closed = {path.split(" ")[1] for path, names in found.items() if names}
    assert closed == {"decorated/", "wrapped/", "staff/", "own/", "body/", "mixin/", "cls/", "handles/"}
    assert found["GET mixin/"] == ["LoginRequiredMixin"]
    assert found["ANY own/"] == ["known_users"]


def test_login_required_middleware_closes_all_but_exempt_views() -> None:
    files = {
        "shop/__init__.py": "",
        "shop/settings.py": """
            ROOT_URLCONF = "shop.urls"
            MIDDLEWARE = ["django.contrib.auth.middleware.LoginRequiredMiddleware"]
        """,
        "shop/urls.py": """
            from django.contrib.auth.decorators import login_not_required
            from django.urls import path
            def closed(request): ...
            @login_not_required
            def opened(request): ...
            urlpatterns = [path("closed/", closed), path("open/", opened)]
        """,
    }
    assert guards(files) == {"ANY closed/": ["LoginRequiredMiddleware"], "ANY open/": []}


# --- REST framework ---

MODELS = """
    from django.db import models
    class Post(models.Model):
        title = models.CharField(max_length=20)
        class Meta:
            ordering = ["title"]
    class Comment(models.Model):
        post = models.ForeignKey(Post, models.CASCADE, related_name="comments")
        text = models.TextField()
"""


def api(views: str, urls: str, settings: str = "") -> dict[str, str]:
    """A project with one router, or whatever `urls` says."""
    return {
        "shop/__init__.py": "",
        "shop/settings.py": SETTINGS + settings,
        "shop/models.py": MODELS,
        "shop/views.py": views,
        "shop/urls.py": urls,
    }


ROUTER = """
    from django.urls import include, path
    from rest_framework.routers import DefaultRouter
    from shop import views
    router = DefaultRouter()
    router.register("posts", views.Posts)
    urlpatterns = [path("api/", include(router.urls))]
"""


def test_router_makes_list_detail_and_extra_actions() -> None:
    files = api(
        """
        from rest_framework import mixins, viewsets
        from rest_framework.decorators import action
        from shop.models import Post
        class Posts(mixins.ListModelMixin, mixins.UpdateModelMixin, viewsets.GenericViewSet):
            queryset = Post.objects.all()
            lookup_field = "slug"
            lookup_value_regex = "[a-z]+"
            def destroy(self, request, slug): ...
            @action(detail=True, methods=["post"], url_path="make-public")
            def publish(self, request, slug): ...
            @publish.mapping.delete
            def unpublish(self, request, slug): ...
            @action(detail=False)
            def recent(self, request): ...
        """,
        ROUTER,
    )
    detail = "api/^posts/(?P<slug>[a-z]+)"
    assert paths(files) == sorted(
        [
            "GET api/^posts/$", f"PUT {detail}/$", f"PATCH {detail}/$", f"DELETE {detail}/$",
            f"POST {detail}/make-public/$", f"DELETE {detail}/make-public/$", "GET api/^posts/recent/$",
        ]
    )  # fmt: skip


def test_router_options_subclasses_and_nesting() -> None:
    files = api(
        """
        from rest_framework import viewsets
        class Posts(viewsets.ReadOnlyModelViewSet):
            http_method_names = ["get"]
            def bulk(self, request): ...
        class Comments(viewsets.ReadOnlyModelViewSet): ...
        class Root: ...
        """,
        """
        from rest_framework.routers import DefaultRouter, SimpleRouter
        from rest_framework_nested.routers import NestedSimpleRouter
        from django.urls import include, path
        from shop import views
        class Bulk(SimpleRouter):
            def __init__(self, *args, **kwargs):
                super().__init__(*args, **kwargs)
                self.routes[0].mapping.update({"get": "bulk", "delete": "bulk"})
        router = Bulk(trailing_slash=False)
        for name, viewset in [("posts", views.Posts)]:
            router.register(name, viewset)
        nested = NestedSimpleRouter(router, "posts", lookup="post")
        nested.register("comments", views.Comments)
        urlpatterns = router.urls
        urlpatterns += nested.urls
        """,
    )
    assert paths(files) == sorted(
        [
            "GET ^posts$", "GET ^posts/(?P<pk>[^/.]+)$",
            "GET ^posts/(?P<post_pk>[^/.]+)/comments/$", "GET ^posts/(?P<post_pk>[^/.]+)/comments/(?P<pk>[^/.]+)/$",
        ]
    )  # fmt: skip


def test_as_view_with_actions_generic_views_and_api_view() -> None:
    files = api(
        """
        from rest_framework import generics, viewsets
        from rest_framework.decorators import api_view
        from rest_framework.views import APIView
        from shop.models import Post
        class Posts(viewsets.ModelViewSet):
            queryset = Post.objects.all()
        class All(generics.ListCreateAPIView):
            queryset = Post.objects.all()
        class Plain(APIView):
            def get(self, request): ...
        @api_view(["POST"])
        def hook(request): ...
        """,
        """
        from django.urls import path
        from shop import views
        urlpatterns = [
            path("a/", views.Posts.as_view({"get": "list", "post": "create"})),
            path("b/", views.All.as_view()), path("c/", views.Plain.as_view()), path("d/", views.hook),
        ]
        """,
    )
    found, _ = routes(files)
    assert paths_of(found) == ["GET a/", "GET b/", "GET c/", "POST a/", "POST b/", "POST d/"]
    collections = {f"{r.methods[0]} {r.path}": r.returns_collection for r in found}
    assert collections == {
        "GET a/": True, "POST a/": False, "GET b/": True, "POST b/": False, "GET c/": None, "POST d/": None,
    }  # fmt: skip
    listing = next(r for r in found if r.path == "b/" and r.methods == ("GET",))
    assert listing.collection == "Post"
    assert listing.rows is not None
    assert all(r.framework == "Django REST framework" and r.kind is EndpointKind.JSON for r in found)


PERMISSIONS = """
    from rest_framework import permissions, viewsets
    from rest_framework.decorators import action, api_view, permission_classes
    from rest_framework.permissions import SAFE_METHODS, AllowAny, BasePermission, IsAuthenticated

    class Reading(BasePermission):
        def has_permission(self, request, view):
            if request.method in SAFE_METHODS:
                return True
            return request.user.is_staff
    class Known(BasePermission):
        def has_permission(self, request, view):
            if request.user.is_anonymous:
                return False
            return request.method in SAFE_METHODS or request.user.is_staff
    class Anything(BasePermission):
        def has_object_permission(self, request, view, obj): ...

    class Default(viewsets.ReadOnlyModelViewSet): ...
    class Opened(viewsets.ReadOnlyModelViewSet):
        permission_classes = []
    class Base(viewsets.ModelViewSet):
        permission_classes = [Reading]
    class Inherited(Base): ...
    class Both(viewsets.ReadOnlyModelViewSet):
        permission_classes = [Known | AllowAny]
    class Strict(viewsets.ReadOnlyModelViewSet):
        permission_classes = [Known & Anything]
    class ByAction(viewsets.ModelViewSet):
        permission_classes = [IsAuthenticated]
        def get_permissions(self):
            if self.action in ("list", "retrieve"):
                classes = [AllowAny]
            elif self.action == "create":
                return [permissions.IsAdminUser()]
            else:
                return super().get_permissions()
            return [c() for c in classes]
        @action(detail=False, permission_classes=[AllowAny])
        def public(self, request): ...
    @api_view()
    @permission_classes([AllowAny])
    def free(request): ...
    @api_view()
    def closed(request): ...
"""


def test_a_rest_list_that_may_render_stays_json_and_names_its_model() -> None:
    files = api(
        """
        from rest_framework import viewsets
        from shop.models import Post
        class Base(viewsets.ModelViewSet):
            model = None
            def get_queryset(self):
                return self.model.objects.all()
        class Posts(Base):
            model = Post
            def list(self, request):
                if "export" in request.GET:
                    return template.render_to_response(self.get_queryset())
                return super().list(request)
        """,
        ROUTER,
    )
    listing = next(r for r in routes(files)[0] if r.path == "api/^posts/$" and r.methods == ("GET",))
    assert listing.kind is EndpointKind.JSON
    assert listing.collection == "Post"
    assert listing.handler is not None


def test_permissions_of_rest_views() -> None:
    names = ["Default", "Opened", "Inherited", "Both", "Strict", "ByAction"]
    actions = '{"get": "list", "post": "create", "put": "update"}'
    patterns = [f'path("{n}/", views.{n}.as_view({actions})),' for n in names]
    urls = f"""
        from django.urls import path
        from shop import views
        urlpatterns = [
            {" ".join(patterns)}
            path("public/", views.ByAction.as_view({{"get": "public"}})),
            path("free/", views.free), path("closed/", views.closed),
        ]
        """
    settings = 'REST_FRAMEWORK = {"DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"]}\n'
    found = guards(api(PERMISSIONS, urls, settings))
    assert found == {
        "GET Default/": ["IsAuthenticated"], "GET Opened/": [],
        "GET Inherited/": [], "POST Inherited/": ["Reading"], "PUT Inherited/": ["Reading"],
        "GET Both/": [], "GET Strict/": ["Known & Anything"],
        "GET ByAction/": [], "POST ByAction/": ["IsAdminUser"], "PUT ByAction/": ["IsAuthenticated"],
        "GET public/": [],
        "GET free/": [], "GET closed/": ["IsAuthenticated"],
    }  # fmt: skip


PAGED = """
    from rest_framework import generics, pagination
    from rest_framework.views import APIView
    from shop.models import Post
    class Capped(pagination.PageNumberPagination):
        page_size = 20
        page_size_query_param = "size"
        max_page_size = 100
    class Free(pagination.LimitOffsetPagination):
        default_limit = 10
    class Clamped(pagination.LimitOffsetPagination):
        default_limit = 10
        def get_limit(self, request):
            return min(super().get_limit(request), 50)
    class A(generics.ListAPIView):
        queryset = Post.objects.all()
    class B(generics.ListAPIView):
        pagination_class = None
    class C(generics.ListAPIView):
        pagination_class = Capped
    class D(generics.ListAPIView):
        pagination_class = Free
    class E(generics.ListAPIView):
        pagination_class = Clamped
    class F(APIView):
        def get(self, request): ...
    class G(C):
        def list(self, request):
            return Response(self.get_queryset())
        def get(self, request):
            return self.list(request)
"""
PAGED_URLS = """
    from django.urls import path
    from shop import views
    urlpatterns = [path(f"a/", views.A.as_view()), path("b/", views.B.as_view()), path("c/", views.C.as_view()),
        path("d/", views.D.as_view()), path("e/", views.E.as_view()), path("f/", views.F.as_view()),
        path("g/", views.G.as_view())]
"""


def paged(settings: str) -> dict[str, Route]:
    return {r.path: r for r in routes(api(PAGED, PAGED_URLS, settings))[0]}


def test_pagination_by_class_and_by_settings() -> None:
    numbered = '"DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination"'
    on = paged("REST_FRAMEWORK = {" + numbered + ', "PAGE_SIZE": 50}\n')
    assert [path for path, route in on.items() if route.paginators] == ["a/", "c/", "d/", "e/"]
    off = paged("REST_FRAMEWORK = {" + numbered + "}\n")
    assert [path for path, route in off.items() if route.paginators] == ["c/", "d/", "e/"]


def test_page_sizes_and_what_bounds_them() -> None:
    found = {p: [(s.name, s.cap, s.maximum) for s in r.page_sizes] for p, r in paged("").items() if r.paginators}
    assert found == {
        "c/": [("size", Cap.CAPPED, 100)],
        "d/": [("limit", Cap.UNCAPPED, None)],
        "e/": [("limit", Cap.CAPPED, 50)],
    }


# --- tables ---


def tables(files: dict[str, str]) -> dict[str, Table]:
    return {t.name: t for t in DJANGO_ORM.tables(Context(project_of(files)))}


def column(table: Table, name: str) -> Column:
    return next(c for c in table.columns if c.name == name)


def test_tables_of_abstract_concrete_and_proxy_models() -> None:
    found = tables(
        {
            "shop/__init__.py": "",
            "shop/apps.py": 'from django.apps import AppConfig\nclass C(AppConfig):\n    label = "store"\n',
            "shop/models/__init__.py": "",
            "shop/models/goods.py": """
                import uuid
                from django.conf import settings
                from django.db import models
                class Stamped(models.Model):
                    created = models.DateTimeField(db_index=True)
                    class Meta:
                        abstract = True
                class Product(Stamped):
                    code = models.SlugField()
                    price = models.DecimalField()
                    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
                    parent = models.ForeignKey("self", models.CASCADE, db_index=False)
                    tags = models.ManyToManyField("Tag")
                    class Meta:
                        indexes = [models.Index(fields=["price", "code"])]
                class Tag(models.Model):
                    id = models.UUIDField(primary_key=True)
                    class Meta:
                        db_table = "labels"
                class Book(Product):
                    isbn = models.CharField(unique=True)
                class Cheap(Product):
                    class Meta:
                        proxy = True
                class Helper:
                    name = models.CharField()
            """,
        }
    )
    assert sorted(found) == ["labels", "store_book", "store_product"]
    product = found["store_product"]
    assert {c.name for c in product.columns} == {"id", "created", "code", "price", "owner", "parent", "tags"}
    assert {c.name for c in product.columns if c.indexed} == {"id", "created", "code", "price", "owner"}
    assert column(product, "owner").fk_to == "auth.User"
    assert column(product, "parent").fk_to == "store.Product"
    assert [c.name for c in found["labels"].columns] == ["id"]
    book = found["store_book"]
    assert [c.name for c in book.columns] == ["product_ptr", "isbn"]
    assert column(book, "isbn").unique
    assert column(book, "product_ptr").fk_to == "store.Product"


def test_custom_fields_are_columns_and_generic_relations_are_not() -> None:
    found = tables(
        {
            "shop/models.py": """
                from django.contrib.contenttypes.fields import GenericForeignKey, GenericRelation
                from django.contrib.auth.models import AbstractUser
                from django.db import models
                class ColorField(models.CharField): ...
                class Item(models.Model):
                    color = ColorField()
                    content_type = models.ForeignKey("contenttypes.ContentType", models.CASCADE)
                    target = GenericForeignKey()
                    notes = GenericRelation("Note")
                    address = models.GenericIPAddressField()
                class Person(AbstractUser):
                    first_name = None
            """
        }
    )
    item = next(t for t in found.values() if t.model == "Item")
    assert [c.name for c in item.columns] == ["id", "color", "content_type", "address"]
    assert column(item, "color").type == "ColorField"
    person = next(t for t in found.values() if t.model == "Person")
    names = {c.name for c in person.columns}
    assert {"id", "username", "password"} <= names
    assert "first_name" not in names


# --- rows ---

ROWS = {
    "shop/__init__.py": "",
    "shop/models.py": MODELS
    + """
    class Recent(models.QuerySet):
        def recent(self):
            return self.filter(new=True).order_by("-id")
    class Entry(models.Model):
        objects = Recent.as_manager()
""",
    "shop/use.py": """
        from django.core.paginator import Paginator
        from django.shortcuts import get_list_or_404, get_object_or_404
        from shop.models import Comment, Entry, Post
        def use(request, pk):
            post = get_object_or_404(Post, pk=pk)
            default = Post.objects.all()
            plain = Comment.objects.exclude(text="")
            ordered = Comment.objects.order_by("text").values("id")
            unordered = Post.objects.order_by()
            of_parent = Comment.objects.filter(post=post)
            of_parent_id = Comment.objects.filter(post_id=pk)
            of_parent_key = Comment.objects.filter(post__slug=pk)
            not_parent = Comment.objects.filter(text="x", post__title="y")
            related = post.comments.all()
            paged = Paginator(Post.objects.all(), 20)
            listed = get_list_or_404(Comment, post=post)
            custom = Entry.objects.recent()
            one = Post.objects.filter(title="x").first()
            number = Post.objects.count()
            unknown = Post.objects.publish()
            other = post.title
    """,
}


def rows_of(project: Project, function: FunctionSymbol, name: str) -> Rows | str | None:
    """What the value that the local is assigned gives, as a caller that walks the chain sees it."""
    library = DJANGO_ORM.rows
    assert library is not None
    value = function.scope.bindings[name][-1].value
    assert value is not None

    def of(node: form.Expr) -> Rows | str | None:
        begun = library.source(node, function.scope, project)
        if begun is not None or not isinstance(node, form.Call) or not isinstance(node.func, form.Attr):
            return begun
        base = of(node.func.value)
        return library.step(base, node.func.attr, node, function.scope) if isinstance(base, Rows) else base

    return of(value)


def test_rows_of_managers_and_querysets() -> None:
    project = project_of(ROWS)
    use = next(f for f in project.functions if f.name == "use")
    names = ["default", "plain", "ordered", "unordered", "of_parent", "of_parent_id", "of_parent_key", "not_parent",
             "related", "paged", "listed", "custom"]  # fmt: skip
    found = {}
    for name in names:
        rows = rows_of(project, use, name)
        assert isinstance(rows, Rows), name
        found[name] = (rows.model, rows.bound, rows.order, rows.filtered_by_parent)
    many = Bound.UNLIMITED
    assert found == {
        "default": ("Post", many, Order.DEFAULT, False),
        "plain": ("Comment", many, Order.NONE, False),
        "ordered": ("Comment", many, Order.EXPLICIT, False),
        "unordered": ("Post", many, Order.NONE, False),
        "of_parent": ("Comment", many, Order.NONE, True),
        "of_parent_id": ("Comment", many, Order.NONE, True),
        "of_parent_key": ("Comment", many, Order.NONE, True),
        "not_parent": ("Comment", many, Order.NONE, False),
        "related": ("Comment", many, Order.NONE, True),
        "paged": ("Post", Bound.LIMITED, Order.DEFAULT, False),
        "listed": ("Comment", many, Order.NONE, True),
        "custom": ("Entry", many, Order.EXPLICIT, False),
    }
    assert rows_of(project, use, "post") == Step.SINGLE
    assert rows_of(project, use, "one") == Step.SINGLE
    assert rows_of(project, use, "number") == Step.SINGLE
    assert rows_of(project, use, "unknown") is None
    assert rows_of(project, use, "other") is None
