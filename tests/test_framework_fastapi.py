from __future__ import annotations

import pytest

from assay.scanner.framework import Route
from assay.scanner.frameworks.fastapi.routes import FASTAPI
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.query import Cap, PageSize
from tests.projects import context_of, paths_of, routes_of


def routes(main: str, **modules: str) -> list[Route]:
    return routes_of(FASTAPI, main, **modules)


def paths(main: str, **modules: str) -> list[str]:
    return paths_of(routes(main, **modules))


def only(main: str, **modules: str) -> Route:
    [route] = routes(main, **modules)
    return route


# --- composition ---


def test_prefixes_of_nested_routers_over_modules_add_up() -> None:
    assert paths(
        """
        from fastapi import FastAPI
        from api import api
        from settings import settings
        app = FastAPI()
        app.include_router(api, prefix=settings.PREFIX)
        """,
        settings="""
        from pydantic_settings import BaseSettings
        class Settings(BaseSettings):
            PREFIX: str = "/api"
        settings = Settings()
        """,
        api="""
        from fastapi import APIRouter
        from users import router
        api = APIRouter(prefix="/v1")
        api.include_router(router, prefix="/users")
        """,
        users="""
        from fastapi import APIRouter
        router = APIRouter()
        @router.get("/")
        def index(): ...
        @router.delete("/{user_id}")
        def remove(user_id: int): ...
        """,
    ) == ["DELETE /api/v1/users/{user_id}", "GET /api/v1/users/"]


def test_a_router_included_twice_gives_two_routes_with_their_own_guards() -> None:
    found = routes(
        """
        from fastapi import APIRouter, Depends, FastAPI
        from fastapi.security import HTTPBearer
        app = FastAPI()
        router = APIRouter()
        @router.get("/x")
        def x(): ...
        app.include_router(router, prefix="/open")
        app.include_router(router, prefix="/closed", dependencies=[Depends(HTTPBearer())])
        """
    )
    assert {r.path: len(r.guards) for r in found} == {"/open/x": 0, "/closed/x": 1}


def test_routers_are_included_in_a_loop_over_pairs() -> None:
    assert paths(
        """
        from fastapi import APIRouter, FastAPI
        a, b = APIRouter(), APIRouter()
        @a.get("/1")
        def one(): ...
        @b.get("/2")
        def two(): ...
        app = FastAPI()
        for router, prefix in [(a, "/a"), (b, "/b")]:
            app.include_router(router, prefix=prefix)
        """
    ) == ["GET /a/1", "GET /b/2"]


def test_routers_of_modules_are_included_in_a_loop() -> None:
    router = """
        from fastapi import APIRouter
        router = APIRouter()
        @router.get("/{name}")
        def read(): ...
        """
    assert paths(
        """
        from fastapi import FastAPI
        import users, items
        app = FastAPI()
        for module in (users, items):
            app.include_router(module.router)
        """,
        users=router.replace("{name}", "users"),
        items=router.replace("{name}", "items"),
    ) == ["GET /items", "GET /users"]


def test_a_factory_and_a_helper_that_takes_the_app() -> None:
    assert paths(
        """
        from fastapi import APIRouter, FastAPI
        def register(app: FastAPI, prefix: str) -> None:
            router = APIRouter()
            @router.get("/x")
            def x(): ...
            app.include_router(router, prefix=prefix)
        def create_app() -> FastAPI:
            app = FastAPI()
            @app.get("/y")
            def y(): ...
            register(app, prefix="/api")
            return app
        """
    ) == ["GET /api/x", "GET /y"]


def test_mounted_apps_inherit_the_path_but_no_guard() -> None:
    found = only(
        """
        from fastapi import Depends, FastAPI
        from fastapi.security import HTTPBearer
        from fastapi.staticfiles import StaticFiles
        app = FastAPI(dependencies=[Depends(HTTPBearer())])
        api = FastAPI()
        @api.get("/x")
        def x(): ...
        app.mount("/api/", api)
        app.mount("/static", StaticFiles(directory="static"))
        """
    )
    assert (found.path, found.guards) == ("/api/x", ())


def test_a_router_class_states_prefix_and_dependencies() -> None:
    found = only(
        """
        from fastapi import APIRouter, Depends, FastAPI
        from fastapi.security import HTTPBearer
        class Closed(APIRouter):
            def __init__(self, name):
                super().__init__(prefix=f"/{name}", dependencies=[Depends(HTTPBearer())])
        router = Closed("admin")
        @router.get("/x")
        def x(): ...
        app = FastAPI()
        app.include_router(router)
        """
    )
    assert (found.path, len(found.guards)) == ("/admin/x", 1)


def test_a_router_factory_is_called_with_different_prefixes() -> None:
    assert paths(
        """
        from fastapi import APIRouter, FastAPI
        def crud(prefix: str) -> APIRouter:
            router = APIRouter(prefix=prefix)
            @router.get("/")
            def index(): ...
            return router
        app = FastAPI()
        users = crud("/users")
        app.include_router(users)
        app.include_router(crud(prefix="/items"), prefix="/v1")
        """
    ) == ["GET /users/", "GET /v1/items/"]


def test_a_function_that_fills_the_router_it_is_given() -> None:
    assert paths(
        """
        from fastapi import APIRouter, FastAPI
        users = APIRouter()
        @users.get("/users")
        def index(): ...
        def filled(router: APIRouter) -> APIRouter:
            router.include_router(users)
            return router
        plain = filled(APIRouter())
        tenant = filled(APIRouter(prefix="/{tenant}"))
        app = FastAPI()
        app.include_router(plain)
        app.include_router(tenant)
        """
    ) == ["GET /users", "GET /{tenant}/users"]


def test_a_library_router_is_not_mistaken_for_one_of_the_project() -> None:
    assert (
        paths(
            """
        import library
        from fastapi import APIRouter, FastAPI
        class Plugin:
            router = APIRouter(prefix="/plugin")
        @Plugin.router.get("/x")
        def x(): ...
        app = FastAPI()
        app.include_router(library.router, prefix="/library")
        """
        )
        == []
    )


def test_a_decorator_may_be_called_and_routes_added_without_one() -> None:
    assert paths(
        """
        from fastapi import FastAPI
        app = FastAPI()
        def a(): ...
        def b(): ...
        app.get("/a")(a)
        app.add_api_route("/b", b, methods=["PUT", "POST"])
        @app.api_route("/c", methods=["GET", "HEAD"])
        def c(): ...
        """
    ) == ["GET /a", "GET /c", "POST /b", "PUT /b"]


def test_methods_of_an_object_are_handlers() -> None:
    found = only(
        """
        from fastapi import APIRouter, FastAPI
        class Api:
            def __init__(self):
                self.router = APIRouter()
                self.router.add_api_route("/x", self.x, methods=["GET"])
            def x(self): ...
        app = FastAPI()
        app.include_router(Api().router)
        """
    )
    assert (found.path, found.handler_name) == ("/x", "main:Api.x")


def test_starlette_route_lists() -> None:
    found = routes(
        """
        from starlette.applications import Starlette
        from starlette.routing import Mount, Route, WebSocketRoute
        from starlette.endpoints import HTTPEndpoint
        async def home(request): ...
        async def socket(ws): ...
        class Users(HTTPEndpoint):
            async def get(self, request): ...
            async def post(self, request): ...
        api = [Route("/users", Users)]
        app = Starlette(routes=[
            Route("/", home),
            WebSocketRoute("/ws", socket),
            Mount("/api", routes=api),
        ])
        """
    )
    assert paths_of(found) == ["GET /", "GET /api/users", "GET /ws", "POST /api/users"]
    assert {r.kind for r in found if r.path == "/ws"} == {EndpointKind.WEBSOCKET}


def test_a_router_of_an_object_whose_class_cannot_be_told_is_found_by_its_attribute() -> None:
    assert paths(
        """
        from fastapi import APIRouter, FastAPI
        from plugins import load
        router = APIRouter()
        @router.post("/event")
        def event(): ...
        class Plugin:
            events = router
        app = FastAPI()
        for plugin in load():
            app.include_router(plugin.events, prefix="/plugins")
        """
    ) == ["POST /plugins/event"]


def test_a_prefix_that_cannot_be_computed_keeps_the_route_and_is_said() -> None:
    context = context_of(
        """
        import os
        from fastapi import APIRouter, FastAPI
        router = APIRouter()
        @router.get("/x")
        def x(): ...
        app = FastAPI()
        app.include_router(router, prefix=os.environ["PREFIX"])
        """
    )
    assert paths_of(list(FASTAPI.routes(context))) == ["GET /x"]
    assert [d.line for d in context.diagnostics] == [8]


def test_a_router_that_no_app_includes_serves_nothing_and_is_said() -> None:
    context = context_of(
        """
        from fastapi import APIRouter, FastAPI
        app = FastAPI()
        router = APIRouter()
        @router.get("/x")
        def x(): ...
        """
    )
    assert list(FASTAPI.routes(context)) == []
    assert len(context.diagnostics) == 1


def test_routers_without_any_app_are_routes_of_a_part() -> None:
    text = "from fastapi import APIRouter\nrouter = APIRouter(prefix='/a')\n@router.get('/x')\ndef x(): ..."
    assert paths(text) == ["GET /a/x"]


def test_conditional_inclusion_is_kept() -> None:
    assert paths(
        """
        import os
        from fastapi import APIRouter, FastAPI
        app = FastAPI()
        router = APIRouter()
        @router.get("/x")
        def x(): ...
        if os.getenv("DEBUG"):
            app.include_router(router)
        """
    ) == ["GET /x"]


def test_routers_that_include_each_other_do_not_run_for_ever() -> None:
    assert (
        paths(
            """
        from fastapi import APIRouter, FastAPI
        app = FastAPI()
        a, b = APIRouter(), APIRouter()
        a.include_router(b)
        b.include_router(a)
        @a.get("/x")
        def x(): ...
        """
        )
        == []
    )


def test_a_client_or_a_dict_is_no_router() -> None:
    assert paths("import httpx\nclient = httpx.Client()\n@client.get('/x')\ndef x(): ...\n{}.get('/y')") == []


# --- guards ---

GUARDS = """
    from typing import Annotated, Optional
    from fastapi import Cookie, Depends, FastAPI, HTTPException, Request, Security, status
    from fastapi.responses import JSONResponse, RedirectResponse
    from fastapi.security import APIKeyHeader, HTTPBearer, OAuth2PasswordBearer, OAuth2PasswordRequestForm
    app = FastAPI()
    bearer = HTTPBearer()
    lenient = HTTPBearer(auto_error=False)
    class NotAllowed(HTTPException):
        def __init__(self):
            super().__init__(status_code=status.HTTP_403_FORBIDDEN)
    unauthorized = HTTPException(status_code=401)
    def get_db(): ...
    def user(token: Annotated[str, Depends(bearer)]): ...
    CurrentUser = Annotated[str, Depends(user)]
    def admin(who: CurrentUser):
        if not who.is_admin:
            raise NotAllowed()
    def by_cookie(request: Request):
        if not request.cookies.get("id"):
            raise unauthorized
    def anonymous(token=Depends(lenient)):
        return token
    def checked(token=Depends(lenient)):
        if token is None:
            raise HTTPException(status.HTTP_401_UNAUTHORIZED)
    def helper():
        deny()
    def deny():
        raise HTTPException(status_code=403)
    def not_found():
        raise HTTPException(404)
    def role(name):
        def check(request: Request):
            if request.state.role != name:
                raise HTTPException(status_code=403)
        return check
    class Allowed:
        def __init__(self, roles):
            self.roles = roles
        def __call__(self, request: Request):
            if request.state.role not in self.roles:
                raise HTTPException(403)
    class Stranger(Exception): ...
    class Teapot(Exception): ...
    @app.exception_handler(Stranger)
    def on_stranger(request, error):
        return RedirectResponse("/login")
    @app.exception_handler(Teapot)
    def on_teapot(request, error):
        return JSONResponse({}, status_code=418)
    def stranger(request: Request):
        raise Stranger()
    def teapot(request: Request):
        raise Teapot
    class Nobody:
        code = 403
        def __init__(self, request: Request):
            raise HTTPException(status_code=self.code)
    class Checks:
        def __init__(self, checks: list):
            self.checks = checks
        def __call__(self, request: Request):
            for check in self.checks:
                check(request)
"""


@pytest.mark.parametrize(
    ("parameter", "is_guarded"),
    [
        ("x: int", False),
        ("db=Depends(get_db)", False),
        ("who=Depends(user)", True),
        ("who: CurrentUser", True),
        ("who: Optional[CurrentUser] = None", False),  # FastAPI reads Annotated on the outside only
        ("who=Security(user, scopes=['a'])", True),
        ("who: Annotated[str, Depends(admin)]", True),
        ("who=Depends(by_cookie)", True),
        ("who=Depends(anonymous)", False),
        ("who=Depends(checked)", True),
        ("who=Depends(helper)", True),
        ("who=Depends(not_found)", False),
        ("who=Depends(role('admin'))", True),
        ("who=Depends(Allowed(['admin']))", True),
        ("who=Depends(stranger)", True),
        ("who=Depends(teapot)", False),
        ("who=Depends(Checks([Nobody]))", True),
        ("who=Depends(Checks([get_db]))", False),
        ("key=Security(APIKeyHeader(name='k'))", True),
        ("form: Annotated[OAuth2PasswordRequestForm, Depends()]", False),
    ],
)
def test_a_parameter_guards(parameter: str, is_guarded: bool) -> None:
    found = only(GUARDS + f'    @app.get("/x")\n    def x({parameter}): ...\n')
    assert bool(found.guards) is is_guarded


@pytest.mark.parametrize(
    "lines",
    [
        "@app.get('/x', dependencies=[Depends(user)])\n    def x(): ...",
        "closed = [Depends(user)]\n    @app.get('/x', dependencies=closed)\n    def x(): ...",
        "app = FastAPI(dependencies=[Depends(user)])\n    @app.get('/x')\n    def x(): ...",
        "@app.get('/x')\n    def x(request: Request):\n        if not request.session.get('user'):\n"
        "            raise HTTPException(401)\n",
    ],
)
def test_a_guard_is_found_on_every_level(lines: str) -> None:
    assert only(GUARDS + "    " + lines).guards


def test_a_wrong_password_in_the_body_is_no_guard() -> None:
    assert not only(
        GUARDS
        + """
    @app.post("/login")
    def login(form: OAuth2PasswordRequestForm = Depends()):
        if not verify(form.password):
            raise HTTPException(status_code=401)
    """
    ).guards


def test_a_database_session_is_no_session_of_a_caller() -> None:
    assert not only(
        GUARDS
        + """
    @app.get("/x")
    def x(session=Depends(get_db)):
        if not session.get("Feature", 1):
            raise HTTPException(status_code=403)
    """
    ).guards


def test_a_class_based_view_has_the_dependencies_of_its_class() -> None:
    found = only(
        GUARDS
        + """
    from fastapi_utils.cbv import cbv
    class Base:
        who: str = Depends(user)
    @cbv(app)
    class View(Base):
        db: str = Depends(get_db)
        @app.get("/x")
        def x(self): ...
    """
    )
    assert found.guards
    assert found.view_class is not None


def test_starlette_requires_and_decorators_of_the_project_guard() -> None:
    found = routes(
        """
        from functools import wraps
        from starlette.applications import Starlette
        from starlette.authentication import requires
        from starlette.exceptions import HTTPException
        from starlette.routing import Route
        def closed(f):
            @wraps(f)
            async def inner(request):
                if not request.user:
                    raise HTTPException(403)
                return await f(request)
            return inner
        @requires("authenticated")
        async def a(request): ...
        @closed
        async def b(request): ...
        async def c(request): ...
        app = Starlette(routes=[Route("/a", a), Route("/b", b), Route("/c", c)])
        """
    )
    assert {r.path: bool(r.guards) for r in found} == {"/a": True, "/b": True, "/c": False}


# --- responses ---

MODELS = """
    from typing import Annotated, Any, Generic, List, Optional, TypeVar
    from fastapi import FastAPI
    from fastapi.responses import FileResponse, HTMLResponse, StreamingResponse
    from fastapi_pagination import Page as LibraryPage
    from pydantic import BaseModel, RootModel
    T = TypeVar("T")
    app = FastAPI()
    class User(BaseModel):
        id: int
        roles: list[str]
    class Users(BaseModel):
        data: list[User]
        count: int
    class Base(BaseModel):
        items: List[int]
    class Derived(Base):
        total: int
    class Order(BaseModel):
        id: int
        items: list[int]
    class Page(BaseModel, Generic[T]):
        items: list[T]
    class Envelope(BaseModel, Generic[T]):
        data: T
    class Names(RootModel[list[str]]): ...
"""


@pytest.mark.parametrize(
    ("annotation", "returns_collection", "collection"),
    [
        ("list[User]", True, "User"),
        ("List[User]", True, "User"),
        ("Optional[list[User]]", True, "User"),
        ("list[User] | None", True, "User"),
        ("Annotated[list[User], 1]", True, "User"),
        ("User", False, None),
        ("Users", True, "User"),
        ("Derived", True, "int"),
        ("Order", False, None),
        ("Page[User]", True, "User"),
        ("Envelope[list[User]]", True, "User"),
        ("Envelope[User]", False, None),
        ("LibraryPage[User]", True, "User"),
        ("Names", True, "str"),
        ("dict", None, None),
        ("dict[str, User]", None, None),
        ("Any", None, None),
        ("None", None, None),
        ("int", False, None),
    ],
)
def test_the_declared_response(annotation: str, returns_collection: bool | None, collection: str | None) -> None:
    by_annotation = only(MODELS + f'    @app.get("/x")\n    def x() -> {annotation}: ...\n')
    by_model = only(MODELS + f'    @app.get("/x", response_model={annotation})\n    def x() -> Any: ...\n')
    for found in (by_annotation, by_model):
        assert (found.returns_collection, found.collection if returns_collection else None) == (
            returns_collection,
            collection,
        )


def test_a_page_of_the_library_is_evidence_of_pagination() -> None:
    assert len(only(MODELS + '    @app.get("/x")\n    def x() -> LibraryPage[User]: ...\n').paginators) == 1


@pytest.mark.parametrize(
    ("route", "body", "kind"),
    [
        ("", "return {}", EndpointKind.JSON),
        (", response_class=HTMLResponse", "return ''", EndpointKind.HTML),
        ("", "return FileResponse('a')", EndpointKind.FILE),
        ("", "return StreamingResponse(rows())", EndpointKind.STREAM),
    ],
)
def test_the_kind_of_a_response(route: str, body: str, kind: EndpointKind) -> None:
    assert only(MODELS + f'    @app.get("/x"{route})\n    def x():\n        {body}\n').kind is kind


def test_tags_of_all_levels_are_kept() -> None:
    found = only(
        """
        from fastapi import APIRouter, FastAPI
        app = FastAPI()
        router = APIRouter(tags=["b"])
        @router.get("/x", tags=["c"])
        def x(): ...
        app.include_router(router, tags=["a"])
        """
    )
    assert found.tags == ("a", "b", "c")


# --- page sizes ---

PAGES = """
    from typing import Annotated, Literal, Optional
    from annotated_types import Le
    from fastapi import Depends, FastAPI, HTTPException, Query
    from pydantic import BaseModel, Field, PositiveInt, conint
    from pydantic_settings import BaseSettings
    app = FastAPI()
    MOST = 50
    class Settings(BaseSettings):
        most: int = 75
    settings = Settings()
    Limit = Annotated[int, Query(ge=1, le=40)]
"""


def page_size(text: str) -> PageSize | None:
    sizes = only(PAGES + text).page_sizes
    assert len(sizes) <= 1
    return sizes[0] if sizes else None


@pytest.mark.parametrize(
    ("parameter", "cap", "maximum"),
    [
        ("limit: int = 10", Cap.UNCAPPED, None),
        ("limit: int = Query(10)", Cap.UNCAPPED, None),
        ("limit: int = Query(10, le=100)", Cap.CAPPED, 100),
        ("limit: int = Query(10, lt=100)", Cap.CAPPED, 99),
        ("limit: int = Query(10, le=MOST)", Cap.CAPPED, 50),
        ("limit: int = Query(10, le=settings.most)", Cap.CONFIGURED, 75),
        ("limit: int = Query(10, le=2147483647)", Cap.CAPPED, 2147483647),
        ("limit: Annotated[int, Query(le=100)] = 10", Cap.CAPPED, 100),
        ("limit: Annotated[int, Le(20)] = 10", Cap.CAPPED, 20),
        ("limit: Limit = 10", Cap.CAPPED, 40),
        ("limit: conint(le=30) = 10", Cap.CAPPED, 30),
        ("limit: PositiveInt = 10", Cap.UNCAPPED, None),
        ("limit: Optional[int] = None", Cap.UNCAPPED, None),
        ("limit: int | None = None", Cap.UNCAPPED, None),
        ("limit: Literal[10, 20, 50] = 10", Cap.CAPPED, 50),
        ("per_page: int = 10", Cap.UNCAPPED, None),
        ("itemsPerPage: int = 10", Cap.UNCAPPED, None),
        ("page_size: int = Query(10, gt=0, le=25)", Cap.CAPPED, 25),
    ],
)
def test_a_page_size_and_its_cap(parameter: str, cap: Cap, maximum: int | None) -> None:
    found = page_size(f'    @app.get("/x")\n    def x({parameter}): ...\n')
    assert found is not None
    assert (found.cap, found.maximum) == (cap, maximum)


@pytest.mark.parametrize(
    "parameter",
    ["page: int", "limit: str", "limit: bool", "rate_limit: int", "file_size: int", "offset: int", "x: int"],
)
def test_what_is_no_page_size(parameter: str) -> None:
    assert page_size(f'    @app.get("/x")\n    def x({parameter} = 1): ...\n') is None


def test_a_parameter_of_the_path_is_no_page_size() -> None:
    assert page_size('    @app.get("/top/{limit}")\n    def x(limit: int): ...\n') is None


@pytest.mark.parametrize(
    ("body", "cap", "maximum"),
    [
        ("rows(min(limit, 100))", Cap.CAPPED, 100),
        ("limit = min(limit, settings.most)", Cap.CONFIGURED, 75),
        ("if limit > MOST:\n            raise HTTPException(400)", Cap.CAPPED, 50),
        ("if limit > 60:\n            limit = 60", Cap.CAPPED, 60),
        ("if limit < 1 or limit > 60:\n            raise HTTPException(400)", Cap.CAPPED, 60),
        ("if not 1 <= limit <= 60:\n            raise HTTPException(400)", Cap.CAPPED, 60),
        ("if limit > 60:\n            log(limit)", Cap.UNCAPPED, None),
        ("query(limit=limit)", Cap.CAPPED, 200),
        ("if limit == -1:\n            limit = None", Cap.SWITCHED_OFF, None),
        ("if limit:\n            q = q.limit(limit)", Cap.SWITCHED_OFF, None),
        ("if limit:\n            q = q.limit(limit)\n        else:\n            q = q.limit(9)", Cap.UNCAPPED, None),
    ],
)
def test_a_cap_in_the_body(body: str, cap: Cap, maximum: int | None) -> None:
    helper = "    def query(limit):\n        return rows(min(limit, 200))\n"
    found = page_size(helper + f'    @app.get("/x")\n    def x(limit: int = 10):\n        {body}\n')
    assert found is not None
    assert (found.cap, found.maximum) == (cap, maximum)


def test_a_cap_that_an_object_may_get_later_is_unknown() -> None:
    model = "    class Paging(BaseModel):\n        limit: int = 10\n"
    route = '    @app.get("/x")\n    def x(p: Annotated[Paging, Query()]):\n        return rows({})\n'
    cut, kept = page_size(model + route.format("min(p.limit, 9)")), page_size(model + route.format("p.limit"))
    assert cut is not None
    assert kept is not None
    assert (cut.cap, kept.cap) == (Cap.UNKNOWN, Cap.UNCAPPED)


def test_a_switch_in_a_function_that_takes_what_the_declaration_admits() -> None:
    off = "    def rows(limit):\n        if limit == -1:\n            limit = None\n"
    admitted = page_size(off + '    @app.get("/x")\n    def x(limit: int = Query(5, gt=-2, lt=100)): ...\n')
    refused = page_size(off + '    @app.get("/x")\n    def x(limit: int = Query(5, gt=0, lt=100)): ...\n')
    assert admitted is not None
    assert refused is not None
    assert (admitted.cap, refused.cap) == (Cap.SWITCHED_OFF, Cap.CAPPED)


@pytest.mark.parametrize(
    ("declaration", "parameter", "scope"),
    [
        ("def paging(limit: int = 10):\n        return limit", "p=Depends(paging)", "main:paging"),
        (
            "class Paging:\n        def __init__(self, limit: int = 10): ...",
            "p: Paging = Depends()",
            "main:Paging.__init__",
        ),
        ("class Paging(BaseModel):\n        limit: int = 10", "p: Annotated[Paging, Query()]", "main:Paging"),
        ("class Paging(BaseModel):\n        limit: int = Field(10)", "p: Paging = Depends()", "main:Paging"),
    ],
)
def test_a_shared_page_size_is_declared_once(declaration: str, parameter: str, scope: str) -> None:
    found = routes(
        PAGES
        + f'    {declaration}\n    @app.get("/a")\n    def a({parameter}): ...\n'
        + f'    @app.get("/b")\n    def b({parameter}): ...\n'
    )
    assert {s.scope for r in found for s in r.page_sizes} == {scope}
    assert len({s for r in found for s in r.page_sizes}) == 1
    assert len([s for r in found for s in r.page_sizes]) == 2
