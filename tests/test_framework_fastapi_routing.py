"""FastAPI's and Starlette's routing: the ways of registering that real applications use."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from assay.scanner.config import Config
from assay.scanner.engine import Options, understand
from assay.scanner.executors import InlineExecutor
from assay.scanner.framework import Route
from assay.scanner.frameworks.fastapi.routes import FASTAPI
from assay.scanner.inventory import take
from assay.scanner.model.role import Role
from tests.projects import context_of, paths_of, routes_of

TWO_ROUTERS = """
    from fastapi import APIRouter, FastAPI
    a, b = APIRouter(), APIRouter()
    @a.get("/1")
    def one(): ...
    @b.get("/2")
    def two(): ...
    app = FastAPI()
"""


def routes(main: str, **modules: str) -> list[Route]:
    return routes_of(FASTAPI, main, **modules)


def paths(main: str, **modules: str) -> list[str]:
    return paths_of(routes(main, **modules))


def messages(main: str) -> list[str]:
    context = context_of(main)
    list(FASTAPI.routes(context))
    return [d.message for d in context.diagnostics]


@pytest.mark.parametrize(
    "lines",
    [
        "for prefix, router in {'/a': a, '/b': b}.items():\n        app.include_router(router, prefix=prefix)",
        "ALL = [(a, '/a')] + [(b, '/b')]\n    for router, prefix in ALL:\n"
        "        app.include_router(router, prefix=prefix)",
        "for each in ({'router': a, 'prefix': '/a'}, {'router': b, 'prefix': '/b'}):\n"
        "        app.include_router(each['router'], prefix=each['prefix'])",
        "[app.include_router(r, prefix=p) for r, p in ((a, '/a'), (b, '/b'))]",
        "def add(app: FastAPI, *pairs):\n        for router, prefix in pairs:\n"
        "            app.include_router(router, prefix=prefix)\n    add(app, (a, '/a'), (b, '/b'))",
        "def first(app: FastAPI):\n        app.include_router(a, prefix='/a')\n"
        "    def second(app: FastAPI):\n        app.include_router(b, prefix='/b')\n"
        "    for set_up in [first, second]:\n        set_up(app)",
        "options = {'prefix': '/a'}\n    app.include_router(a, **options)\n    app.include_router(b, prefix='/b')",
    ],
)
def test_inclusion_in_loops(lines: str) -> None:
    assert paths(TWO_ROUTERS + "    " + lines) == ["GET /a/1", "GET /b/2"]


@pytest.mark.parametrize(
    ("condition", "role"),
    [
        ("settings.ENVIRONMENT == 'local'", Role.DEV),
        ("settings.ENVIRONMENT != 'production'", Role.DEV),
        ("settings.ENVIRONMENT in ('dev', 'test')", Role.DEV),
        ("os.getenv('APP_ENV', 'dev') == 'dev'", Role.DEV),
        ("settings.DEBUG", Role.DEV),
        ("not settings.is_production", Role.DEV),
        ("settings.is_local and settings.SIGN_UP", Role.DEV),
        ("settings.ENVIRONMENT == Environment.LOCAL", Role.DEV),
        ("settings.ENVIRONMENT == 'production'", Role.PROD),
        ("settings.ENVIRONMENT in ('dev', 'staging')", Role.PROD),
        ("settings.SIGN_UP", Role.PROD),
        ("settings.is_local or settings.SIGN_UP", Role.PROD),
        ("settings.BACKEND == 'local'", Role.PROD),
    ],
)
def test_what_is_included_in_development_alone_is_no_part_of_production(condition: str, role: Role) -> None:
    text = f"""
        import os
        from fastapi import APIRouter, FastAPI
        from config import Environment, settings
        app = FastAPI()
        router = APIRouter()
        @router.get("/x")
        def x(): ...
        if {condition}:
            app.include_router(router)
        """
    [found] = routes(text)
    assert found.role is role
    assert [m for m in messages(text) if "development" in m] == (
        ["/x is served in development only, and not listed"] if role is Role.DEV else []
    )


@pytest.mark.parametrize(
    "function",
    [
        "def add(app):\n            if settings.ENVIRONMENT == 'production':\n                return\n"
        "            app.include_router(router)\n        add(app)",
        "def add(app):\n            app.include_router(router)\n        if settings.DEBUG:\n            add(app)",
        "if settings.ENVIRONMENT == 'prod':\n            pass\n        else:\n            app.include_router(router)",
    ],
)
def test_development_is_told_around_functions_too(function: str) -> None:
    [found] = routes(
        f"""
        from fastapi import APIRouter, FastAPI
        from config import settings
        app = FastAPI()
        router = APIRouter()
        @router.get("/x")
        def x(): ...
        {function}
        """
    )
    assert found.role is Role.DEV


def test_methods_named_after_verbs_are_routes_of_cbv_resources_and_view_classes() -> None:
    assert paths(
        """
        from fastapi import APIRouter, FastAPI
        from fastapi_utils import Api, Resource
        from fastapi_utils.cbv import cbv
        from fastapi_utils.inferring_router import InferringRouter
        from fastapi_class import View, endpoint
        app = FastAPI()
        router = InferringRouter(prefix="/cbv")
        views = APIRouter(prefix="/views")
        @cbv(router, "/users", "/people")
        class Users:
            def get(self): ...
            def post(self): ...
            def helper(self): ...
        class Orders(Resource):
            def delete(self): ...
        api = Api(app)
        api.add_resource(Orders(), "/orders")
        @View(views, path="/items")
        class Items:
            def get(self): ...
            @endpoint(("PUT", "PATCH"), path="/items/edit")
            def edit(self): ...
        app.include_router(router)
        app.include_router(views)
        """
    ) == [
        "DELETE /orders",
        "GET /cbv/people",
        "GET /cbv/users",
        "GET /views/items",
        "PATCH /views/items/edit",
        "POST /cbv/people",
        "POST /cbv/users",
        "PUT /views/items/edit",
    ]


def test_a_router_class_registers_its_own_methods() -> None:
    assert paths(
        """
        from fastapi import APIRouter, FastAPI
        class Users(APIRouter):
            def __init__(self, prefix):
                super().__init__(prefix=prefix)
                self.add_api_route("/own", self.own)
                self.set_up()
            def set_up(self):
                self.add_api_route("/later", self.own, methods=["POST"])
            def own(self): ...
        app = FastAPI()
        app.include_router(Users("/users"))
        """
    ) == ["GET /users/own", "POST /users/later"]


def test_routers_of_libraries_are_said_and_not_listed() -> None:
    text = """
        from fastapi import FastAPI
        from fastapi_users import FastAPIUsers
        from auth import backend, get_manager
        users = FastAPIUsers(get_manager, [backend])
        app = FastAPI()
        app.include_router(users.get_auth_router(backend), prefix="/auth")
        """
    assert paths(text) == []
    maker = "fastapi_users.FastAPIUsers.get_auth_router"
    assert messages(text) == [f"the routes of the router from {maker} come with the library and aren't listed"]


def test_a_router_s_method_that_is_passed_on_is_said() -> None:
    assert messages(
        """
        from fastapi import FastAPI
        from helpers import twice
        app = FastAPI()
        @twice("/x", method=app.get)
        def x(): ...
        """
    ) == ["what is registered by the app.get given here can't be told"]


def test_what_starlette_adds_to_a_router_has_no_prefix_of_its_own() -> None:
    assert paths(
        """
        from fastapi import APIRouter, FastAPI
        inner, outer, app = APIRouter(prefix="/inner"), APIRouter(prefix="/outer"), FastAPI()
        def plain(request): ...
        inner.add_route("/plain", plain)
        @inner.get("/typed")
        def typed(): ...
        outer.include_router(inner)
        app.include_router(outer)
        """
    ) == ["GET /outer/inner/typed", "GET /outer/plain"]


def test_one_path_for_several_methods_in_a_loop() -> None:
    assert paths(
        """
        from fastapi import FastAPI
        app = FastAPI()
        def handle(): ...
        for method in ("GET", "POST"):
            app.add_api_route("/x", handle, methods=[method])
        """
    ) == ["GET /x", "POST /x"]


def test_apps_are_mounted_below_middleware_of_their_own() -> None:
    found = routes(
        """
        from fastapi import FastAPI
        from starlette.middleware.sessions import SessionMiddleware
        app, inner = FastAPI(), FastAPI()
        @inner.get("/x")
        def x(): ...
        app.mount("/inner", SessionMiddleware(inner, secret_key="k"))
        """
    )
    assert [(r.path, r.guards) for r in found] == [("/inner/x", ())]


def test_methods_that_cannot_be_told_are_said() -> None:
    text = """
        from fastapi import FastAPI
        from config import METHODS
        app = FastAPI()
        @app.api_route("/x", methods=METHODS)
        def x(): ...
        """
    assert messages(text) == ["these methods can't be told"]


# --- middleware ---

MIDDLEWARE = """
    from fastapi import FastAPI, HTTPException
    from starlette.middleware import Middleware
    from starlette.middleware.base import BaseHTTPMiddleware
    from starlette.responses import JSONResponse
    OPEN = {"/login", "/docs"}
    class Closed(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            if request.url.path in OPEN or request.url.path.startswith("/public"):
                return await call_next(request)
            if not request.headers.get("Authorization"):
                return JSONResponse({}, status_code=401)
            return await call_next(request)
"""
ROUTES = """
    @app.get("/login")
    def login(): ...
    @app.get("/public/{name}")
    def public(name): ...
    @app.get("/x")
    def x(): ...
"""


@pytest.mark.parametrize(
    "lines",
    [
        "app = FastAPI()\n    app.add_middleware(Closed)",
        "app = FastAPI(middleware=[Middleware(Closed)])",
        "def create() -> FastAPI:\n        made = FastAPI()\n        made.add_middleware(Closed)\n        return made\n"
        "    app = create()",
    ],
)
def test_middleware_guards_all_but_the_paths_that_it_lets_pass(lines: str) -> None:
    found = routes(f"{MIDDLEWARE}    {lines}{ROUTES}")
    assert {r.path: [g.name for g in r.guards] for r in found} == {
        "/login": [],
        "/public/{name}": [],
        "/x": ["Closed"],
    }


@pytest.mark.parametrize(
    ("body", "is_guarded"),
    [
        ("if 'token' not in request.cookies:\n            return JSONResponse({}, 401)", True),
        ("if request.client.host in BLOCKED:\n            return JSONResponse({}, 403)", False),
        ("if MAINTENANCE:\n            return JSONResponse({}, 403)", False),
        ("if request.headers.get('Authorization') is None:\n            return await call_next(request)\n"
         "        if stolen(request):\n            return JSONResponse({}, 401)", False),
    ],
)  # fmt: skip
def test_a_function_as_middleware(body: str, is_guarded: bool) -> None:
    [found] = routes(
        f"""
    from fastapi import FastAPI
    from starlette.responses import JSONResponse
    app = FastAPI()
    @app.middleware("http")
    async def check(request, call_next):
        {body}
        return await call_next(request)
    @app.get("/x")
    def x(): ...
    """
    )
    assert bool(found.guards) is is_guarded


# --- dependencies ---


@pytest.mark.parametrize(
    ("body", "is_guarded"),
    [
        ("if token is None:\n            return None\n        raise HTTPException(401)", False),
        ("if not token:\n            return None\n        raise HTTPException(401)", False),
        ("if token:\n            check(token)\n        return None", False),
        ("try:\n            check(token)\n        except HTTPException:\n            return None", False),
        ("try:\n            check(token)\n        except HTTPException:\n            raise", True),
        ("if not token:\n            raise HTTPException(401)", True),
        ("if settings.AUTH_OFF:\n            return None\n        check(token)", True),
        ("if is_revoked(token):\n            raise HTTPException(401)", True),
        ("check(token)", True),
        ("raise HTTPException(307, headers={'Location': '/login'})", True),
        ("return HTTPException(307, headers={'Location': '/login'})", False),
    ],
)
def test_a_dependency_that_serves_strangers_is_no_guard(body: str, is_guarded: bool) -> None:
    [found] = routes(
        f"""
    from fastapi import Depends, FastAPI, HTTPException
    from fastapi.security import HTTPBearer
    from config import is_revoked, settings
    app = FastAPI()
    def check(token):
        raise HTTPException(401)
    def user(token=Depends(HTTPBearer(auto_error=False))):
        {body}
    @app.get("/x")
    def x(who=Depends(user)): ...
    """
    )
    assert bool(found.guards) is is_guarded


def test_default_limits_take_the_middleware_that_applies_them() -> None:
    text = """
        from fastapi import Depends, FastAPI
        from fastapi_limiter.depends import RateLimiter
        from slowapi import Limiter
        from slowapi.middleware import SlowAPIMiddleware
        limiter = Limiter(key_func=str, default_limits=["5/minute"])
        app = FastAPI()
        {}
        @app.get("/plain")
        def plain(): ...
        @app.get("/exempt")
        @limiter.exempt
        def exempt(request): ...
        @app.get("/own")
        @limiter.limit("1/minute")
        def own(request): ...
        @app.get("/injected", dependencies=[Depends(RateLimiter(times=2, seconds=5))])
        def injected(): ...
        """
    limited = {
        added: {r.path: [limit.name for limit in r.rate_limits] for r in routes(text.format(added))}
        for added in ("pass", "app.add_middleware(SlowAPIMiddleware)")
    }
    assert limited == {
        "pass": {"/plain": [], "/exempt": [], "/own": ["limiter.limit"], "/injected": ["RateLimiter"]},
        "app.add_middleware(SlowAPIMiddleware)": {
            "/plain": ["default_limits"],
            "/exempt": [],
            "/own": ["limiter.limit"],
            "/injected": ["RateLimiter", "default_limits"],
        },
    }


@pytest.mark.parametrize("alias", ["Page.with_custom_options(size=5)", "CustomizedPage[Page[T], UseName('P')]"])
def test_a_page_made_of_the_library_s_page_is_one(alias: str) -> None:
    [found] = routes(
        f"""
        from fastapi import FastAPI
        from fastapi_pagination import Page
        from fastapi_pagination.customization import CustomizedPage, UseName
        Small = {alias}
        app = FastAPI()
        @app.get("/x", response_model=Small[int])
        def x(): ...
        """
    )
    assert (found.returns_collection, found.collection, len(found.paginators)) == (True, "int", 1)


@pytest.mark.parametrize(
    ("parameters", "model"),
    [
        ("order: Order", "Order"),
        ("order_id: int, order: Order", "Order"),
        ("order: Order | None = None", "Order | None"),
        ("orders: list[Order]", "list[Order]"),
        ("order: Annotated[Order, Query()]", None),
        ("order: Order = Depends()", None),
        ("colour: Colour", None),
        ("request: Request, text: str, number: int = 3", None),
        ("text: str = Form()", "str"),
        ("upload: UploadFile", "UploadFile"),
        ("raw: dict", "dict"),
    ],
)
def test_the_request_s_body(parameters: str, model: str | None) -> None:
    [found] = routes(
        f"""
        from enum import Enum
        from typing import Annotated
        from fastapi import Depends, FastAPI, Form, Query, Request, UploadFile
        from pydantic import BaseModel
        class Order(BaseModel):
            total: float
        class Colour(str, Enum):
            RED = "red"
        app = FastAPI()
        @app.post("/orders/{{order_id}}")
        def x({parameters}): ...
        """
    )
    assert found.request_model == model


# --- the inventory ---


def test_the_inventory_of_a_layered_application(tmp_path: Path) -> None:
    """A module `setup.py` of a package makes no service of it, and every method may return a collection."""
    files = {
        "pyproject.toml": "",
        "src/app/__init__.py": "",
        "src/app/core/__init__.py": "",
        "src/app/core/setup.py": """
            from fastapi import APIRouter, FastAPI
            def create(router: APIRouter) -> FastAPI:
                app = FastAPI()
                app.include_router(router)
                return app
            """,
        "src/app/api.py": """
            from fastapi import APIRouter
            router = APIRouter(prefix="/api")
            @router.put("/orders")
            def replace() -> list[int]: ...
            """,
        "src/app/main.py": """
            from app.api import router
            from app.core.setup import create
            app = create(router)
            """,
    }
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(dedent(text))
    options = Options(Config(), jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor())
    [service] = take(understand(tmp_path, options)).services
    assert [(e.method, e.path, e.returns_collection) for e in service.endpoints] == [("PUT", "/api/orders", True)]
