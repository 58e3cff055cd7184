"""Pyramid: traps in finding routes and what guards them; the sample in `fixtures/frameworks/pyramid` has the rest."""

from __future__ import annotations

from assay.scanner.framework import Route
from assay.scanner.frameworks.pyramid.routes import PYRAMID
from tests.projects import context_of, routes_of


def routes(main: str, **modules: str) -> list[Route]:
    return routes_of(PYRAMID, main, **modules)


def test_what_cannot_be_told_is_said() -> None:
    context = context_of(
        """
        import os
        from pyramid.config import Configurator
        from pyramid.view import view_config
        config = Configurator()
        config.add_route("a", os.environ["PATH_OF_A"])
        config.add_route("b", "/b")
        config.include("somewhere.else")
        @view_config(route_name="c")
        def c(request): ...
        """
    )
    assert list(PYRAMID.routes(context)) == []
    assert sorted((d.line, d.message) for d in context.diagnostics) == [
        (6, "this route's name or pattern can't be told"),
        (7, "no view of the route b can be seen"),
        (9, "no route named c can be seen"),
    ]


def test_a_decorator_of_the_project_that_is_told_a_route() -> None:
    found = routes(
        """
        from pyramid.config import Configurator
        from views import *
        def main():
            config = Configurator()
            config.include(__name__)
        def includeme(config):
            config.add_route("users", "/users")
        """,
        views="""
        import venusian
        def api(versions, **settings):
            def decorate(view):
                return view
            return decorate
        @api(versions=["v1"], route_name="users", request_method="GET", permission="read")
        def users(request): ...
        """,
    )
    assert [(r.path, r.methods, r.handler_name, [g.name for g in r.guards]) for r in found] == [
        ("/users", ("GET",), "views:users", ["read"])
    ]


def test_a_default_permission_and_views_for_known_callers() -> None:
    found = routes(
        """
        from pyramid.config import Configurator
        from pyramid.httpexceptions import HTTPFound
        from pyramid.security import NO_PERMISSION_REQUIRED
        from pyramid.view import view_config
        config = Configurator()
        config.set_default_permission("use")
        config.add_route("a", "/a")
        config.add_route("login", "/login")
        config.scan()
        @view_config(route_name="a")
        def a(request): ...
        @view_config(route_name="login", permission=NO_PERMISSION_REQUIRED)
        def login(request):
            if request.authenticated_userid is not None:
                raise HTTPFound(location=login_redirect(request))
        """
    )
    assert {r.path: [g.name for g in r.guards] for r in found} == {"/a": ["use"], "/login": []}


def test_routes_of_one_name_in_two_applications() -> None:
    shop = """
    from pyramid.config import Configurator
    from pyramid.view import view_config
    config = Configurator()
    config.add_route("home", "/{name}")
    @view_config(route_name="home")
    def home(request): ...
    """
    found = routes("", shop__app=shop.replace("{name}", "shop"), blog__app=shop.replace("{name}", "blog"))
    assert sorted((r.path, r.location.path) for r in found) == [("/blog", "blog/app.py"), ("/shop", "shop/app.py")]
