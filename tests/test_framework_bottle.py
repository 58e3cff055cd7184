"""Bottle: traps in finding routes and what guards them; the sample in `fixtures/frameworks/bottle` has the rest."""

from __future__ import annotations

from assay.scanner.framework import Route
from assay.scanner.frameworks.bottle.routes import BOTTLE
from tests.projects import context_of, paths_of, routes_of


def routes(main: str, **modules: str) -> list[Route]:
    return routes_of(BOTTLE, main, **modules)


def test_a_path_that_comes_from_the_environment_is_said() -> None:
    context = context_of(
        """
        import os
        import bottle
        @bottle.get(os.environ["PATH_OF_A"])
        def a(): ...
        @bottle.get(["/b", os.environ["PATH_OF_B"]])
        def b(): ...
        """
    )
    assert paths_of(list(BOTTLE.routes(context))) == ["GET /b"]
    assert [(d.line, d.message) for d in context.diagnostics] == [
        (4, "this path can't be told"),
        (6, "this path can't be told"),
    ]


def test_what_is_mounted_may_be_unknown() -> None:
    context = context_of(
        """
        from bottle import Bottle
        from elsewhere import load
        app = Bottle()
        app.mount("/other", load())
        """
    )
    assert list(BOTTLE.routes(context)) == []
    assert [d.message for d in context.diagnostics] == ["what is mounted here, and where, can't be told"]


def test_an_application_that_is_wrapped_under_its_own_name() -> None:
    found = routes(
        """
        import bottle
        from beaker.middleware import SessionMiddleware
        app = bottle.Bottle()
        @app.get("/a")
        def a(): ...
        app = SessionMiddleware(app, {})
        """
    )
    assert paths_of(found) == ["GET /a"]


def test_an_application_whose_class_adds_its_routes() -> None:
    found = routes(
        """
        from bottle import Bottle
        class Site(Bottle):
            def __init__(self, name):
                super().__init__()
                self.route("/", callback=self.index)
            def index(self): ...
        site = Site("x")
        """
    )
    assert [(r.path, r.handler_name) for r in found] == [("/", "main:Site.index")]


def test_calls_of_other_things_by_the_same_names_add_nothing() -> None:
    found = routes(
        """
        import bottle
        known = {}
        def a(): ...
        known.get("/a", "GET", a)
        """
    )
    assert found == []


def test_a_handler_that_is_given_to_a_decorator_as_it_is_registered() -> None:
    [found] = routes(
        """
        from bottle import Bottle, HTTPError, request
        def signed_in(handler):
            def wrapper(*args):
                if request.get_cookie("account") is None:
                    raise HTTPError(401)
                return handler(*args)
            return wrapper
        def a(): ...
        app = Bottle()
        app.route("/a", callback=signed_in(a))
        """
    )
    assert (found.handler_name, [g.name for g in found.guards]) == ("main:a", ["signed_in"])


def test_a_hook_that_lets_the_login_page_through() -> None:
    found = routes(
        """
        from bottle import hook, post, redirect, request, route
        @hook("before_request")
        def check():
            if request.path == "/login":
                return
            if request.get_cookie("account") is None:
                return redirect("/login")
        @post("/login")
        def login(): ...
        @route("/a")
        def a(): ...
        """
    )
    assert {r.path: [g.name for g in r.guards] for r in found} == {"/login": [], "/a": ["check"]}


def test_everything_that_bottle_exports() -> None:
    found = routes(
        """
        from bottle import *
        @route("/a")
        def a(): return template("a")
        app = Bottle()
        @app.get("/b")
        def b(): ...
        """
    )
    assert paths_of(found) == ["GET /a", "GET /b"]


def test_a_rule_without_a_slash_below_a_mount() -> None:
    found = routes(
        """
        from bottle import Bottle
        from api import app as api
        app = Bottle()
        app.mount("/api/", api)
        """,
        api="""
        from bottle import Bottle
        app = Bottle()
        @app.get("users")
        def users(): ...
        """,
    )
    assert paths_of(found) == ["GET /api/users"]
