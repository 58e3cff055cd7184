"""Tornado: traps in finding routes and what guards them; the sample in `fixtures/frameworks/tornado` has the rest."""

from __future__ import annotations

from assay.scanner.framework import Route
from assay.scanner.frameworks.tornado.routes import TORNADO
from tests.projects import context_of, paths_of, routes_of


def routes(main: str, **modules: str) -> list[Route]:
    return routes_of(TORNADO, main, **modules)


def test_handlers_and_paths_that_are_known_at_run_time_only() -> None:
    context = context_of(
        """
        import os
        from tornado.web import Application, RequestHandler
        from plugins import handlers, load
        class A(RequestHandler):
            def get(self): ...
        Application([(r"/a", A), (os.environ["PATH_OF_B"], A), (r"/c", load("c"))] + handlers)
        """
    )
    assert paths_of(list(TORNADO.routes(context))) == ["GET /a"]
    assert sorted(d.message for d in context.diagnostics) == [
        "the path of this rule can't be told",
        "which handlers are added here can't be told",
    ]


def test_handlers_in_options_and_a_prefix_that_somebody_may_set() -> None:
    found = routes(
        """
        import tornado.web
        from urls import handlers as default_handlers
        class Site(tornado.web.Application):
            def __init__(self, options=None, **kwargs):
                handlers = default_handlers
                if options.prefix:
                    handlers = [(options.prefix + h[0], h[1]) for h in handlers]
                kwargs.update(handlers=handlers)
                super().__init__(**kwargs)
        """,
        urls="""
        # a long way into the file
        # a long way into the file
        # a long way into the file
        # a long way into the file
        # a long way into the file
        # a long way into the file
        # a long way into the file
        # a long way into the file
        # a long way into the file
        # a long way into the file
        from tornado.web import RequestHandler, url
        class A(RequestHandler):
            def get(self): ...
        handlers = [url(r"/", A, name="a"), (r"/b", A)]
        """,
    )
    assert paths_of(found) == ["GET /", "GET /b"]


def test_options_that_cannot_be_seen_may_hold_handlers() -> None:
    context = context_of(
        """
        from tornado.web import Application
        def make(**options):
            return Application(**options)
        """
    )
    assert list(TORNADO.routes(context)) == []
    assert [d.message for d in context.diagnostics] == ["which handlers are added here can't be told"]


def test_a_list_made_of_itself_ends() -> None:
    found = routes(
        """
        from tornado.web import Application, RequestHandler
        class A(RequestHandler):
            def get(self): ...
        rules = [(r"/a", A)]
        rules = rules + rules
        Application(rules)
        """
    )
    assert paths_of(found) == ["GET /a"]


def test_rules_that_are_written_over_are_not_taken_as_they_stood() -> None:
    context = context_of(
        """
        from tornado.web import Application, RequestHandler
        class A(RequestHandler):
            def get(self): ...
        def below(prefix, rules):
            for index, rule in enumerate(rules):
                rules[index] = (prefix + rule[0], rule[1])
            return rules
        Application(below("/api", [(r"/a", A)]))
        """
    )
    assert list(TORNADO.routes(context)) == []
    assert [d.message for d in context.diagnostics] == ["which handlers are added here can't be told"]
