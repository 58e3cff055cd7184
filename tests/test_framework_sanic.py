from __future__ import annotations

from assay.scanner.framework import Route
from assay.scanner.frameworks.sanic.routes import SANIC
from assay.scanner.model.endpoint import EndpointKind
from tests.projects import context_of, paths_of, routes_of


def routes(main: str, **modules: str) -> list[Route]:
    return routes_of(SANIC, main, **modules)


def paths(main: str, **modules: str) -> list[str]:
    return paths_of(routes(main, **modules))


def guards(main: str, **modules: str) -> dict[str, list[str]]:
    return {route.path: [guard.name for guard in route.guards] for route in routes(main, **modules)}


# --- paths ---


def test_a_prefix_that_is_computed_at_run_time_is_said() -> None:
    context = context_of(
        """
        from sanic import Blueprint, Sanic
        users = Blueprint("users", url_prefix=load_prefix())
        @users.get("/<id:int>")
        async def read(request, id): ...
        app = Sanic("shop")
        app.blueprint(users)
        """
    )
    assert paths_of(list(SANIC.routes(context))) == ["GET /<id:int>"]
    assert [d.message for d in context.diagnostics] == ["this part of the path can't be told"]


def test_a_blueprint_that_no_app_takes_is_said_and_left_out() -> None:
    context = context_of(
        """
        from sanic import Blueprint, Sanic
        app = Sanic("shop")
        lost = Blueprint("lost", url_prefix="/lost")
        @lost.get("/")
        async def read(request): ...
        """
    )
    assert list(SANIC.routes(context)) == []
    assert [d.message for d in context.diagnostics] == ["no app registers this route's blueprint"]


def test_the_only_app_that_looks_for_blueprints_finds_those_that_nothing_names() -> None:
    context = context_of(
        """
        from sanic import Blueprint, Sanic
        found, named = Blueprint("found", url_prefix="/found"), Blueprint("named", url_prefix="/named")
        @found.get("/")
        async def a(request): ...
        @named.get("/")
        async def b(request): ...
        app = Sanic("shop")
        app.blueprint(named, url_prefix="/stated")
        for name in find_names():
            app.blueprint(load(name), version=1)
        """
    )
    assert paths_of(list(SANIC.routes(context))) == ["GET /stated", "GET /v1/found"]
    assert [d.message for d in context.diagnostics] == ["which blueprints these are is only known at run time"]


def test_blueprints_alone_are_listed_below_their_own_prefix() -> None:
    assert paths(
        """
        from sanic import Blueprint
        users = Blueprint("users", url_prefix="/users/", version=2)
        @users.get("/")
        async def read(request): ...
        """
    ) == ["GET /v2/users"]


def test_loops_one_after_the_other_have_their_own_turns() -> None:
    assert paths(
        """
        from sanic import Blueprint, Sanic
        app = Sanic("shop")
        public, internal = Blueprint("public"), Blueprint("internal", url_prefix="/internal")
        for url, handler, methods in [("/a", a, ["POST"]), ("/a", a, ["GET"])]:
            public.add_route(handler, url, methods=methods)
        for url, handler, methods in [("/b", b, ["GET"])]:
            internal.add_route(handler, url, methods=methods)
        app.blueprint([public, internal])
        """
    ) == ["GET /a", "GET /internal/b", "POST /a"]


def test_an_app_that_is_looked_up_is_the_only_one() -> None:
    assert paths(
        """
        from sanic import Sanic
        app = Sanic("shop")
        """,
        views="""
        from sanic import Sanic
        app = Sanic.get_app("shop")
        @app.get("/a/<n>")
        async def a(request, n: int): ...
        def attach(app):
            app.add_route(a, "/b/<n>")
        """,
    ) == ["GET /a/<n:int>", "GET /b/<n:int>"]


def test_all_methods_by_sanics_name_for_them() -> None:
    found = routes(
        """
        from sanic import Sanic
        from sanic.constants import HTTP_METHODS
        app = Sanic("shop")
        @app.route("/<path:path>", methods=HTTP_METHODS)
        async def proxy(request, path): ...
        """
    )
    assert found[0].methods == ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def test_a_copy_has_only_what_was_there_when_it_was_made() -> None:
    assert paths(
        """
        from sanic import Blueprint, Sanic
        app = Sanic("shop")
        v1 = Blueprint("v1", url_prefix="/items", version=1)
        @v1.get("/")
        async def both(request): ...
        v2 = v1.copy("v2", version=2)
        @v1.post("/")
        async def first_only(request): ...
        app.blueprint(v1)
        app.blueprint(v2)
        """
    ) == ["GET /v1/items", "GET /v2/items", "POST /v1/items"]


def test_views_attach_themselves() -> None:
    found = routes(
        """
        from sanic import Sanic
        from sanic.views import HTTPMethodView
        app = Sanic("shop")
        class Items(HTTPMethodView, attach=app, uri="/items"):
            async def get(self, request): ...
            async def options(self, request): ...
        class Library:
            pass
        """
    )
    assert [(r.methods, r.path, r.handler_name) for r in found] == [
        (("GET",), "/items", "main:Items.get"),
        (("OPTIONS",), "/items", "main:Items.options"),
    ]


# --- guards ---


_GUARDED = """
    from functools import wraps
    from sanic import Sanic, json
    app = Sanic("shop")
    def known(request):
        return bool(request.token)
    def protected(wrapped):
        def decorator(handler):
            @wraps(handler)
            async def checked(request, *args):
                is_authenticated = known(request)
                if is_authenticated:
                    return await handler(request, *args)
                return json(**Refused("no").as_dict())
            return checked
        return decorator(wrapped)
    def csrf_protected(handler):
        async def checked(request):
            if request.cookies.get("csrf") != request.form.get("csrf"):
                return json({}, status=403)
            return await handler(request)
        return checked
    """


def test_only_decorators_below_the_route_guard_it() -> None:
    assert guards(
        _GUARDED
        + """
    @app.get("/a")
    @protected
    async def a(request): ...
    @protected
    @app.get("/b")
    async def b(request): ...
    @app.get("/c")
    @csrf_protected
    async def c(request): ...
    """
    ) == {"/a": ["protected"], "/b": [], "/c": []}


def test_middleware_for_requests_guards_what_it_is_attached_to() -> None:
    assert guards(
        """
        from sanic import Blueprint, Sanic
        from sanic.exceptions import Unauthorized
        app = Sanic("shop")
        inside = Blueprint("inside", url_prefix="/inside")
        @app.middleware("response")
        async def after(request, response):
            if not request.token:
                raise Unauthorized()
        async def before(request):
            if not request.token:
                raise Unauthorized()
        inside.register_middleware(before, "request")
        @app.get("/")
        async def index(request): ...
        @inside.get("/")
        async def read(request): ...
        app.blueprint(inside)
        """
    ) == {"/": [], "/inside": ["before"]}


def test_an_exception_that_a_handler_of_the_app_answers_with_401() -> None:
    assert guards(
        """
        from functools import wraps
        from sanic import Sanic, json
        class Stranger(Exception):
            pass
        def known(handler):
            @wraps(handler)
            async def checked(request):
                if request.form.get("name") != "me":
                    raise Stranger()
                return await handler(request)
            return checked
        def turned_away(request, exception):
            return json({}, status=401)
        app = Sanic("shop")
        app.error_handler.add(Stranger, turned_away)
        @app.get("/")
        @known
        async def index(request): ...
        """
    ) == {"/": ["known"]}


def test_guards_of_libraries() -> None:
    assert guards(
        """
        from sanic import Sanic
        from sanic_jwt.decorators import protected
        app = Sanic("shop")
        @app.get("/")
        @protected()
        async def index(request): ...
        """
    ) == {"/": ["protected"]}


def test_sockets_are_opened_by_get() -> None:
    found = routes(
        """
        from sanic import Sanic
        app = Sanic("shop")
        @app.websocket("/feed")
        async def feed(request, ws): ...
        """
    )
    assert [(r.methods, r.kind) for r in found] == [(("GET",), EndpointKind.WEBSOCKET)]
