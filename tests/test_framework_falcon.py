"""Falcon: traps in finding routes and what guards them; the sample in `fixtures/frameworks/falcon` has the rest."""

from __future__ import annotations

from assay.scanner.framework import Route
from assay.scanner.frameworks.falcon.routes import FALCON
from assay.scanner.model.endpoint import EndpointKind
from tests.projects import context_of, paths_of, routes_of


def routes(main: str, **modules: str) -> list[Route]:
    return routes_of(FALCON, main, **modules)


def test_a_path_or_a_resource_that_is_known_at_run_time_only() -> None:
    context = context_of(
        """
        import os
        import falcon
        from plugins import load
        class A:
            def on_get(self, req, resp): ...
        app = falcon.App()
        app.add_route(os.environ["PATH_OF_A"], A())
        app.add_route("/b", load("b"))
        """
    )
    assert list(FALCON.routes(context)) == []
    assert [(d.line, d.message) for d in context.diagnostics] == [
        (8, "this path can't be told"),
        (9, "what this resource is can't be told"),
    ]


def test_modules_as_resources_that_functions_by_other_names_add() -> None:
    found = routes(
        """
        import falcon
        app = falcon.App()
        from api import init as init_api
        init_api(app)
        app = Wrapped(app)
        """,
        api="""
        def init(application):
            import users
            application.add_route("/users", users)
        """,
        users="""
        def on_get(req, resp):
            resp.media = []
        """,
    )
    assert [(r.path, r.handler_name, r.kind) for r in found] == [("/users", "users:on_get", EndpointKind.JSON)]


def test_middleware_that_asks_the_resource_whether_it_is_open() -> None:
    found = routes(
        """
        import falcon
        class Auth:
            def process_resource(self, req, resp, resource, params):
                if getattr(resource, "is_open", False):
                    return
                if resource.allow_read and req.method == "GET":
                    return
                if req.auth is None:
                    raise falcon.HTTPUnauthorized()
        class Open:
            is_open = True
            def on_post(self, req, resp): ...
        class Readable:
            allow_read = True
            def on_get(self, req, resp): ...
            def on_post(self, req, resp): ...
        class Closed:
            allow_read = False
            def on_get(self, req, resp): ...
        app = falcon.App(middleware=Auth())
        app.add_route("/open", Open())
        app.add_route("/readable", Readable())
        app.add_route("/closed", Closed())
        """
    )
    guarded = {f"{r.methods[0]} {r.path}": bool(r.guards) for r in found}
    assert guarded == {
        "POST /open": False,
        "GET /readable": False,
        "POST /readable": True,
        "GET /closed": True,
    }


def test_several_callers_add_a_route_once() -> None:
    found = routes(
        """
        import falcon
        class A:
            def on_get(self, req, resp): ...
        def make(config):
            app = falcon.App()
            add(app, config)
            return app
        def add(app, config):
            app.add_route("/a", A())
        make(1)
        make(2)
        """
    )
    assert paths_of(found) == ["GET /a"]


def test_middleware_that_a_constructor_hands_on() -> None:
    [found] = routes(
        """
        import falcon
        class Auth:
            def process_request(self, req, resp):
                if req.get_header("Authorization") is None:
                    raise falcon.HTTPUnauthorized()
        class A:
            def on_get(self, req, resp): ...
        class Site(falcon.App):
            def __init__(self):
                super().__init__(middleware=[Auth()])
                self.add_route("/a", A())
        site = Site()
        """
    )
    assert [g.name for g in found.guards] == ["Auth"]
