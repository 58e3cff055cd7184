"""aiohttp: traps in finding routes and what guards them; the sample in `fixtures/frameworks/aiohttp` has the rest."""

from __future__ import annotations

from assay.scanner.framework import Route
from assay.scanner.frameworks.aiohttp.routes import AIOHTTP
from tests.projects import context_of, paths_of, routes_of


def test_every_way_to_add_a_route_to_an_aiohttp_application() -> None:
    found = routes_of(
        AIOHTTP,
        """
        from aiohttp import web
        routes = web.RouteTableDef()
        @routes.get("/table")
        async def table(request): ...
        @routes.view("/view")
        class View(web.View):
            async def get(self): ...
            async def post(self): ...
        async def a(request): ...
        def setup(app: web.Application):
            app.router.add_get("/a", a)
            app.router.add_route("PUT", "/b", a)
            app.router.add_route("*", "/c", a)
        app = web.Application()
        setup(app)
        app.add_routes([web.post("/d", a)])
        app.add_routes(routes)
        admin = web.Application()
        admin.router.add_delete("/e", a)
        app.add_subapp("/admin/", admin)
        """,
    )
    assert paths_of(found) == [
        "ANY /c",
        "DELETE /admin/e",
        "GET /a",
        "GET /table",
        "GET /view",
        "POST /d",
        "POST /view",
        "PUT /b",
    ]


def test_guards_of_aiohttp() -> None:
    found = routes_of(
        AIOHTTP,
        """
        from functools import wraps
        from aiohttp import web
        from aiohttp_security import check_authorized
        from aiohttp_session import get_session
        def closed(f):
            @wraps(f)
            async def inner(request):
                if request.user is None:
                    raise web.HTTPUnauthorized()
                return await f(request)
            return inner
        @closed
        async def a(request): ...
        async def b(request):
            await check_authorized(request)
        async def c(request):
            session = await get_session(request)
            if "user" not in session:
                raise web.HTTPFound("/login")
        async def d(request): ...
        app = web.Application()
        app.add_routes([web.get("/a", a), web.get("/b", b), web.get("/c", c), web.get("/d", d)])
        """,
    )
    assert {r.path: bool(r.guards) for r in found} == {"/a": True, "/b": True, "/c": True, "/d": False}


def routes(main: str, **modules: str) -> list[Route]:
    return routes_of(AIOHTTP, main, **modules)


def test_a_path_that_is_computed_at_run_time_is_said() -> None:
    context = context_of(
        """
        import os
        from aiohttp import web
        async def a(request): ...
        app = web.Application()
        app.router.add_get(os.environ["PATH_OF_A"], a)
        """
    )
    assert list(AIOHTTP.routes(context)) == []
    assert [d.message for d in context.diagnostics] == ["the path or method of this route can't be told"]


def test_routes_as_tuples_that_a_loop_adds() -> None:
    found = routes(
        """
        from aiohttp import web
        from views import a, b
        ROUTES = [("GET", "/a", a), ("*", "/b", b)]
        app = web.Application()
        for route in ROUTES:
            app.router.add_route(*route)
        for route in [("POST", "/c", a)]:
            app.router.add_route(route[0], route[1], route[2])
        """,
        views="""
        async def a(request): ...
        async def b(request): ...
        """,
    )
    assert paths_of(found) == ["ANY /b", "GET /a", "POST /c"]


def test_middleware_that_translates_what_a_handler_raises_guards_nothing() -> None:
    found = routes(
        """
        from aiohttp import web
        class Denied(Exception): ...
        @web.middleware
        async def errors(request, handler):
            try:
                return await handler(request)
            except Denied:
                return web.json_response({}, status=403)
        async def a(request): ...
        app = web.Application(middlewares=[errors])
        app.router.add_get("/a", a)
        """
    )
    assert [r.guards for r in found] == [()]


def test_middleware_of_the_old_style_and_paths_that_it_lets_through() -> None:
    found = routes(
        """
        from aiohttp import web
        OPEN = ["/login"]
        async def auth(app, handler):
            async def middleware(request):
                if request.path not in OPEN and not any(request.path.startswith(p) for p in ("/public",)):
                    if request.headers.get("Authorization") is None:
                        raise web.HTTPUnauthorized()
                return await handler(request)
            return middleware
        async def a(request): ...
        app = web.Application(middlewares=[auth])
        app.add_routes([web.post("/login", a), web.get("/a", a), web.get("/public/{name}", a)])
        """
    )
    guards = {r.path: [g.name for g in r.guards] for r in found}
    assert guards == {"/login": [], "/a": ["auth"], "/public/{name}": []}
