from __future__ import annotations

import pytest

from assay.scanner.framework import Route
from assay.scanner.frameworks.django.ninja.routes import NINJA
from assay.scanner.model.query import Cap
from tests.projects import context_of, paths_of, routes_of

_URLS = """
    from django.urls import path
    from api import api
    urlpatterns = [path("api/", api.urls)]
    """


def routes(api: str, **modules: str) -> list[Route]:
    return routes_of(NINJA, _URLS, api=api, **modules)


def paths(api: str, **modules: str) -> list[str]:
    return paths_of(routes(api, **modules))


def guards(api: str) -> dict[str, list[str]]:
    return {route.path: [guard.name for guard in route.guards] for route in routes(api)}


# --- paths ---


def test_prefixes_are_joined_as_ninja_does() -> None:
    assert paths(
        """
        from ninja import NinjaAPI, Router
        api = NinjaAPI()
        items, parts = Router(), Router()
        api.add_router("items/", items)
        items.add_router("{int:item_id}/parts/", parts)
        @items.get("")
        def a(request): ...
        @items.get("/{slug}")
        def b(request, slug: str): ...
        @parts.api_operation(["PUT", "PATCH"], "/")
        def c(request, item_id: int): ...
        """
    ) == [
        "GET api/items/",
        "GET api/items/<slug>",
        "PATCH api/items/<int:item_id>/parts/",
        "PUT api/items/<int:item_id>/parts/",
    ]


def test_an_api_that_no_urlconf_serves_is_said_and_left_out() -> None:
    context = context_of(
        _URLS,
        api="""
        from ninja import NinjaAPI, Router
        api, other = NinjaAPI(), NinjaAPI(version="2")
        @other.get("/lost")
        def lost(request): ...
        @Router().get("/lost")
        def lost_too(request): ...
        """,
    )
    assert list(NINJA.routes(context)) == []
    assert {d.message for d in context.diagnostics} == {"no URLconf leads to this operation"}


def test_a_prefix_that_is_computed_at_run_time_is_said() -> None:
    context = context_of(
        _URLS,
        api="""
        from ninja import NinjaAPI, Router
        from vendor.api import router as theirs
        api = NinjaAPI()
        items = Router()
        api.add_router(load_prefix(), items)
        api.add_router("/theirs", theirs)
        api.add_router("/theirs-too", "vendor.api.router")
        api.add_router("/some", find_router())
        @items.get("/read")
        def read(request): ...
        """,
    )
    assert paths_of(list(NINJA.routes(context))) == ["GET api/read"]
    assert [d.message for d in context.diagnostics] == [
        "this part of the path can't be told",
        "which router goes where can't be told",
    ]


# --- guards ---


def test_the_nearest_level_says_who_may_call() -> None:
    assert guards(
        """
        from ninja import NinjaAPI, Router
        from ninja.security import HttpBearer, django_auth
        class Bearer(HttpBearer):
            def authenticate(self, request, token):
                return token == "secret"
        class Team(Router):
            def __init__(self):
                super().__init__(auth=[Bearer(), django_auth])
        api = NinjaAPI(auth=Bearer())
        team, public, inner = Team(), Router(auth=Bearer()), Router()
        api.add_router("/team", team)
        api.add_router("/public", public, auth=None)
        public.add_router("/inner", inner)
        @api.get("/a")
        def a(request): ...
        @api.get("/b", auth=None)
        def b(request): ...
        @team.get("/c")
        def c(request): ...
        @public.get("/d")
        def d(request): ...
        """
    ) == {"api/a": ["Bearer"], "api/b": [], "api/team/c": ["Bearer", "django_auth"], "api/public/d": []}


@pytest.mark.parametrize(
    ("scheme", "expected"),
    [("Strict()", ["Strict"]), ("Switched()", ["Switched"]), ("Switched(lenient=True)", []), ("Optional()", []),
     ("OptionalKey()", []), ("[Strict(), Optional()]", []), ("lambda request: None", ["callable"])],
)  # fmt: skip
def test_schemes_that_let_callers_without_credentials_pass(scheme: str, expected: list[str]) -> None:
    assert guards(
        f"""
        from ninja import NinjaAPI
        from ninja.security import APIKeyHeader, HttpBearer
        class Strict(HttpBearer):
            def authenticate(self, request, token):
                return token or None
        class Switched(HttpBearer):
            def __init__(self, lenient=False):
                self.lenient = lenient
            def __call__(self, request):
                token = request.headers.get("Authorization")
                if not token:
                    if self.lenient:
                        return "anybody"
                    return None
                return token
        class Optional(Strict):
            def __call__(self, request):
                if not request.headers.get("Authorization"):
                    return True
                return super().__call__(request)
        class OptionalKey(APIKeyHeader):
            def authenticate(self, request, key):
                if key is None:
                    return "anybody"
                return key
        api = NinjaAPI()
        @api.get("/a", auth={scheme})
        def a(request): ...
        """
    ) == {"api/a": expected}


# --- declarations ---


def test_bodies_are_schemas_that_are_read_from_nowhere_else() -> None:
    found = routes(
        """
        from typing import Annotated
        from ninja import Body, Form, NinjaAPI, Query, Schema
        class Item(Schema):
            name: str
        api = NinjaAPI()
        @api.post("/a")
        def a(request, item: Item): ...
        @api.post("/b")
        def b(request, item: Query[Item], name: Annotated[str, Body()]): ...
        @api.post("/c")
        def c(request, item: Item = Query(...), items: list[Item] = Form(...)): ...
        @api.get("/d")
        def d(request, name: str, limit: int = 10): ...
        """
    )
    assert [(r.path, r.request_model) for r in found] == [
        ("api/a", "Item"),
        ("api/b", "str"),
        ("api/c", "list[Item]"),
        ("api/d", None),
    ]


def test_page_sizes_are_capped_by_argument_or_setting() -> None:
    found = routes(
        """
        from ninja import NinjaAPI, Schema
        from ninja.pagination import LimitOffsetPagination, PageNumberPagination, paginate
        api = NinjaAPI()
        @api.get("/a", response=list[int])
        @paginate
        def a(request): ...
        @api.get("/b", response=list[int])
        @paginate(LimitOffsetPagination, max_limit=50)
        def b(request): ...
        @api.get("/c", response=list[int])
        @paginate(PageNumberPagination)
        def c(request): ...
        """
    )
    assert [(s.name, s.cap, s.maximum) for r in found for s in r.page_sizes] == [
        ("limit", Cap.UNCAPPED, None),
        ("limit", Cap.CAPPED, 50),
        ("page_size", Cap.CAPPED, 100),
    ]
    assert all(r.returns_collection and r.paginators for r in found)


# --- Django Ninja Extra ---


def test_controllers_of_ninja_extra() -> None:
    found = routes(
        """
        from ninja_extra import NinjaExtraAPI, api_controller, http_get, route
        from ninja_extra.permissions import AllowAny, IsAuthenticated
        from ninja_jwt.authentication import JWTAuth
        @api_controller("/items", tags=["items"], auth=JWTAuth(), permissions=[IsAuthenticated])
        class Items:
            @http_get("/", response=list[int])
            def listed(self): ...
            @route.post("/{item_id}", auth=None, permissions=[AllowAny])
            def add(self, item_id: int): ...
            @route.generic("/any", methods=["PUT", "PATCH"], auth=None)
            def change(self): ...
        @api_controller("/lost")
        class Lost:
            @http_get("/")
            def listed(self): ...
        api = NinjaExtraAPI()
        api.register_controllers(Items)
        """
    )
    assert [(r.methods, r.path, r.handler_name, [g.name for g in r.guards], r.tags) for r in found] == [
        (("GET",), "api/items/", "api:Items.listed", ["JWTAuth", "IsAuthenticated"], ("items",)),
        (("POST",), "api/items/<item_id>", "api:Items.add", [], ("items",)),
        (("PUT", "PATCH"), "api/items/any", "api:Items.change", ["IsAuthenticated"], ("items",)),
    ]
