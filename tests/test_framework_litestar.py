from __future__ import annotations

from assay.scanner.framework import Route
from assay.scanner.frameworks.litestar.routes import LITESTAR
from tests.projects import context_of, paths_of, routes_of


def routes(main: str, **modules: str) -> list[Route]:
    return routes_of(LITESTAR, main, **modules)


def paths(main: str, **modules: str) -> list[str]:
    return paths_of(routes(main, **modules))


def guards(main: str, **modules: str) -> dict[str, list[str]]:
    return {route.path: [guard.name for guard in route.guards] for route in routes(main, **modules)}


def said(main: str) -> list[str]:
    context = context_of(main)
    list(LITESTAR.routes(context))
    return [d.message for d in context.diagnostics]


# --- what apps hold ---


def test_handlers_controllers_and_routers_over_modules() -> None:
    assert paths(
        """
        from litestar import Litestar, Router
        from views import ItemController, handlers
        app = Litestar(route_handlers=[Router("/v1/", route_handlers=[ItemController]), *handlers])
        """,
        views="""
        from litestar import Controller, get, post
        class ItemController(Controller):
            path = "items"
            @get(["/", "/all/"])
            async def listed(self) -> None: ...
            @post("/{item_id:int}/")
            async def add(self, item_id: int) -> None: ...
        @get()
        async def index() -> None: ...
        handlers = [index]
        """,
    ) == ["GET /", "GET /v1/items", "GET /v1/items/all", "POST /v1/items/{item_id:int}"]


def test_a_handler_that_no_app_takes_is_said() -> None:
    assert said(
        """
        from litestar import Litestar, get
        @get("/lost")
        async def lost() -> None: ...
        app = Litestar(route_handlers=[])
        """
    ) == ["no app takes this route handler"]


def test_what_is_computed_at_run_time_is_said() -> None:
    assert said(
        """
        from litestar import Litestar, get
        @get(load_path())
        async def read() -> None: ...
        app = Litestar(route_handlers=[read, find_handler()])
        other = Litestar(**load_options())
        """
    ) == [
        "this path can't be told",
        "which route handlers these are is only known at run time",
        "the handlers of this app can't be told",
    ]


def test_a_librarys_handlers_are_no_code_of_the_project() -> None:
    main = """
        from litestar import Litestar
        from litestar.contrib.prometheus import PrometheusController
        from litestar.static_files import create_static_files_router
        app = Litestar(route_handlers=[PrometheusController, create_static_files_router("/static", ["."])])
        """
    assert paths(main) == []
    assert said(main) == []


def test_plugins_add_to_the_configuration_of_the_only_app() -> None:
    assert guards(
        """
        from litestar import Litestar, get
        from litestar.config.app import AppConfig
        from litestar.security.jwt import JWTAuth
        @get("/a")
        async def a() -> None: ...
        @get("/b")
        async def b() -> None: ...
        jwt = JWTAuth[dict](exclude=["/b"])
        class Plug:
            def on_app_init(self, app_config: AppConfig) -> AppConfig:
                app_config.route_handlers.append(a)
                self.more(app_config, [b], jwt)
                return app_config
            def more(self, app_config: AppConfig, handlers: list, auth) -> None:
                app_config.route_handlers.extend(handlers)
                auth.on_app_init(app_config)
        app = Litestar(plugins=[Plug()])
        """
    ) == {"/a": ["jwt"], "/b": []}


def test_an_app_of_a_function_takes_what_its_callers_give() -> None:
    assert paths(
        """
        from litestar import Litestar, get
        @get("/a")
        async def a() -> None: ...
        def make(prefix, handlers):
            return Litestar(path=prefix, route_handlers=handlers)
        app = make("/api", [a])
        """
    ) == ["GET /api/a"]


def test_the_only_place_that_looks_for_handlers_finds_those_that_nothing_names() -> None:
    main = """
        from litestar import Controller, Litestar, Router, get
        class Items(Controller):
            path = "/items"
            @get()
            async def listed(self) -> None: ...
            @get("/one")
            async def one(self) -> None: ...
        @get("/index")
        async def index() -> None: ...
        @get("/named")
        async def named() -> None: ...
        api = Router("/api", route_handlers=[*find_handlers()])
        app = Litestar(route_handlers=[api, named])
        """
    assert paths(main) == ["GET /api/index", "GET /api/items", "GET /api/items/one", "GET /named"]
    assert said(main) == ["which route handlers these are is only known at run time"]


# --- guards ---


_CHECK = """
    from litestar import Controller, Litestar, Router, get
    from litestar.exceptions import NotAuthorizedException
    from litestar.middleware import DefineMiddleware
    from litestar.middleware.authentication import AbstractAuthenticationMiddleware
    from vendor import library_guard
    def known(connection, handler):
        if not connection.user:
            raise NotAuthorizedException()
    def harmless(connection, handler):
        connection.state.seen = True
    """


def test_guards_of_all_layers_add_up() -> None:
    assert guards(
        _CHECK
        + """
    class Items(Controller):
        path = "/items"
        guards = [library_guard]
        @get(guards=[known, harmless])
        async def read(self) -> None: ...
    app = Litestar(route_handlers=[Router("/v1", route_handlers=[Items], guards=[harmless])])
    """
    ) == {"/v1/items": ["library_guard", "known"]}


def test_authentication_leaves_out_patterns_and_marked_handlers() -> None:
    assert guards(
        _CHECK
        + """
    class Tokens(AbstractAuthenticationMiddleware):
        async def authenticate_request(self, connection):
            if not connection.headers.get("Authorization"):
                raise NotAuthorizedException()
    class Lenient(AbstractAuthenticationMiddleware):
        async def authenticate_request(self, connection):
            return None
    @get("/a")
    async def a() -> None: ...
    @get("/b", open_to_all=True)
    async def b() -> None: ...
    @get("/c/{name:str}")
    async def c(name: str) -> None: ...
    tokens = DefineMiddleware(Tokens, exclude=[r"^/c/\\w$"], exclude_from_auth_key="open_to_all")
    app = Litestar(route_handlers=[a, b, c], middleware=[tokens, Lenient])
    """
    ) == {"/a": ["Tokens"], "/b": [], "/c/{name:str}": []}


def test_a_pattern_that_could_take_for_ever_is_not_tried() -> None:
    main = (
        _CHECK
        + """
    from litestar.security.session_auth import SessionAuth
    @get("/a")
    async def a() -> None: ...
    auth = SessionAuth(exclude=["(/a+)+$"])
    app = Litestar(route_handlers=[a], on_app_init=[auth.on_app_init])
    """
    )
    assert guards(main) == {"/a": ["auth"]}
    assert said(main) == ["which paths '(/a+)+$' leaves out isn't read"]


def test_hooks_and_dependencies_that_refuse() -> None:
    assert guards(
        _CHECK
        + """
    from litestar.di import Provide
    def find_user(request):
        if not request.user:
            raise NotAuthorizedException()
        return request.user
    def demand_key(request):
        if not request.headers.get("X-Api-Key"):
            raise NotAuthorizedException()
    @get("/mine")
    async def mine(user: str) -> None: ...
    @get("/all")
    async def everything() -> None: ...
    @get("/keyed", before_request=demand_key)
    async def keyed() -> None: ...
    app = Litestar(route_handlers=[mine, everything, keyed], dependencies={"user": Provide(find_user)})
    """
    ) == {"/mine": ["user"], "/all": [], "/keyed": ["demand_key"]}


# --- declarations ---


def test_pages_lists_and_single_things() -> None:
    found = routes(
        """
        from dataclasses import dataclass
        from litestar import Litestar, Response, get
        from litestar.pagination import OffsetPagination
        @dataclass
        class Articles:
            articles: list[dict]
            articles_count: int
        @dataclass
        class Team:
            members: list[str]
            name: str
        @get("/a")
        async def a() -> Response[OffsetPagination[Team]]: ...
        @get("/b")
        async def b() -> Articles: ...
        @get("/c")
        async def c() -> Team: ...
        app = Litestar([a, b, c])
        """
    )
    assert [(r.path, r.returns_collection, bool(r.paginators)) for r in found] == [
        ("/a", True, True),
        ("/b", True, False),
        ("/c", False, False),
    ]
