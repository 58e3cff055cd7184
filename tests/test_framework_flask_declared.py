"""What Flask's API libraries declare, what decorators of the project do to responses, and routes that helpers add."""

from __future__ import annotations

import pytest

from assay.scanner.framework import Route
from assay.scanner.frameworks.flask.restful import FLASK_RESTFUL
from assay.scanner.frameworks.flask.routes import FLASK
from assay.scanner.model.endpoint import EndpointKind
from tests.projects import context_of, paths_of, routes_of


def only(main: str, **modules: str) -> Route:
    [route] = routes_of(FLASK, main, **modules)
    return route


# --- schemas ---

SCHEMAS = """
    from marshmallow import Schema, fields
    from apifairy import arguments, authenticate, body, other_responses, response
    from flask import Flask
    app = Flask(__name__)
    class User(Schema):
        id = fields.Integer()
    class Post(Schema):
        id = fields.Integer()
        comments = fields.List(fields.Nested(User))
        items = fields.List(fields.String())
    class Page(Schema):
        pagination = fields.Nested(User)
        data = fields.Nested(User, many=True)
    users = User(many=True)
    def paged(schema):
        class Paged(Schema):
            results = fields.Nested(schema, many=True)
        return Paged
"""


@pytest.mark.parametrize(
    ("schema", "is_many"),
    [
        ("User", None),
        ("User()", None),
        ("User(many=True)", True),
        ("users", True),
        ("Page", True),
        ("Page()", True),
        ("paged(User)", True),
        ("Post", None),
    ],
)
def test_a_response_schema_says_whether_there_are_many(schema: str, is_many: bool | None) -> None:
    found = only(SCHEMAS + f'    @app.route("/x")\n    @response({schema})\n    def x(): ...\n')
    assert found.returns_collection is is_many


def test_what_apifairy_declares() -> None:
    found = only(
        SCHEMAS
        + """
    @app.post("/x")
    @arguments(Page)
    @body(User)
    @response(Post, 201)
    @other_responses({404: "no such user", 409: "there is one"})
    def x(query, data):
        \"\"\"Add a user

        With a name.
        \"\"\"
    """
    )
    assert (found.request_model, found.response_model, found.status_codes) == ("User", "Post", (201, 404, 409))
    assert found.summary == "Add a user"


def test_a_docstring_is_a_summary_only_where_a_library_documents_with_it() -> None:
    plain = 'from flask import Flask\napp = Flask(__name__)\n@app.get("/x")\ndef x():\n    """Internals."""\n'
    assert only(plain).summary is None


def test_what_flask_openapi3_declares() -> None:
    found = only(
        """
        from flask_openapi3 import APIBlueprint, OpenAPI, Tag
        from pydantic import BaseModel
        class NewBook(BaseModel):
            title: str
        class Book(NewBook):
            id: int
        class Books(BaseModel):
            data: list[Book]
        books_tag = Tag(name="books")
        api = APIBlueprint("api", __name__, url_prefix="/api", abp_tags=[books_tag])
        @api.post("/books", summary="Add a book", deprecated=True, responses={201: Book, "409": None})
        def add(body: NewBook): ...
        app = OpenAPI(__name__)
        app.register_api(api)
        """
    )
    assert (found.path, found.tags, found.summary, found.is_deprecated) == (
        "/api/books",
        ("books",),
        "Add a book",
        True,
    )
    assert (found.request_model, found.response_model, found.status_codes) == ("NewBook", "Book", (201, 409))


# --- decorators of the project ---

WRAPPING = """
    from functools import wraps
    from flask import Flask, request
    from flask_jwt_extended import jwt_required, verify_jwt_in_request
    from apifairy import response
    from schemas import Page
    app = Flask(__name__)
    def limited(size):
        def inner(f):
            @wraps(f)
            def wrapper(*args, **kwargs):
                query = f(*args, **kwargs)
                if request.args.get("sort"):
                    query = query.order_by("name")
                return {"data": list(query.limit(size))}
            return wrapper
        return inner
    def counted(f):
        def wrapper(*args, **kwargs):
            total = f(*args, **kwargs)
            return other().limit(total)
        return wrapper
    def answers_pages(schema):
        def inner(f):
            return response(Page)(f)
        return inner
    def members(f):
        @wraps(f)
        @jwt_required()
        def wrapper(*args, **kwargs):
            return f(*args, **kwargs)
        return wrapper
    def perhaps_members(f):
        return jwt_required(optional=True)(f)
    def admins(f):
        def wrapper(*args, **kwargs):
            verify_jwt_in_request()
            return f(*args, **kwargs)
        return wrapper
"""
PAGE_SCHEMA = """
    from marshmallow import Schema, fields
    class Page(Schema):
        data = fields.List(fields.String())
"""


def wrapped(decorator: str) -> Route:
    return only(WRAPPING + f'    @app.get("/x")\n    {decorator}\n    def x(): ...\n', schemas=PAGE_SCHEMA)


def test_a_decorator_that_limits_what_the_handler_returns_makes_pages() -> None:
    found = wrapped("@limited(25)")
    assert ([p.text for p in found.paginators], found.returns_collection) == (
        ["limited limits what the handler returns"],
        True,
    )
    assert not wrapped("@counted").paginators


def test_a_decorator_that_applies_a_response_declares_it() -> None:
    found = wrapped("@answers_pages(None)")
    assert (found.response_model, found.returns_collection) == ("Page", True)


@pytest.mark.parametrize(
    ("decorator", "is_guarded"),
    [("@members", True), ("@perhaps_members", False), ("@admins", True), ("@limited(1)", False)],
)
def test_a_decorator_that_applies_a_guard_is_one(decorator: str, is_guarded: bool) -> None:
    assert bool(wrapped(decorator).guards) is is_guarded


def test_a_call_that_checks_what_it_is_given_of_the_caller_guards_the_handler() -> None:
    found = routes_of(
        FLASK,
        """
        from flask import Flask, abort, request
        from werkzeug.exceptions import Forbidden
        app = Flask(__name__)
        def require(*allowed):
            for each in allowed:
                if not each:
                    raise Forbidden()
        def project_of_caller(number):
            require(request.authz.can_read(number))
            return number
        def check_password(password):
            if password != "x":
                raise Forbidden()
        @app.get("/a")
        def a():
            require(request.authz.can_write)
        @app.get("/b")
        def b():
            project = project_of_caller(1)
            return {"id": project}
        @app.post("/login")
        def login():
            check_password(request.json["password"])
        """,
    )
    assert {r.path: bool(r.guards) for r in found} == {"/a": True, "/b": True, "/login": False}


# --- registrations ---


def test_a_loop_over_a_parameter_is_turned_for_every_caller() -> None:
    found = routes_of(
        FLASK,
        """
        from flask import Blueprint, Flask
        from flask.views import MethodView
        class Topic(MethodView):
            def get(self): ...
        def register(target, routes, view, **options):
            for route in routes:
                target.add_url_rule(route, view_func=view, **options)
        def load(app):
            forum = Blueprint("forum", __name__)
            register(forum, routes=["/topic", "/topic/<int:id>"], view=Topic.as_view("topic"))
            app.register_blueprint(forum, url_prefix=app.config["PREFIX"])
        def create_app():
            app = Flask(__name__)
            app.config.from_object("settings.Default")
            load(app)
            return app
        """,
        settings="class Default:\n    PREFIX = '/forum'\n",
    )
    assert paths_of(found) == ["GET /forum/topic", "GET /forum/topic/<int:id>"]


def test_each_module_of_a_loop_registers_its_own() -> None:
    found = routes_of(
        FLASK,
        """
        from flask import Flask
        import resources
        app = Flask(__name__)
        resources.register_all(app)
        """,
        resources____init__="""
        from . import users, orders
        MODULES = (users, orders)
        def register_all(app):
            for module in MODULES:
                module.register(app)
        """,
        resources__users="""
        from flask import Blueprint
        blueprint = Blueprint("users", __name__)
        @blueprint.get("/users")
        def users(): ...
        def register(app):
            app.register_blueprint(blueprint)
        """,
        resources__orders="""
        from flask import Blueprint
        blueprint = Blueprint("orders", __name__)
        @blueprint.get("/orders")
        def orders(): ...
        def register(app):
            app.register_blueprint(blueprint)
        """,
    )
    assert paths_of(found) == ["GET /orders", "GET /users"]


def test_a_decorator_of_the_project_that_registers_what_it_decorates() -> None:
    found = routes_of(
        FLASK_RESTFUL,
        """
        from flask import Flask
        from flask_restful import Api, Resource
        app = Flask(__name__)
        api = Api(app)
        def resource(*urls):
            def wrapper(cls):
                api.add_resource(cls, *urls)
                return cls
            return wrapper
        @resource("/users", "/people")
        class Users(Resource):
            def get(self): ...
        @resource("/orders")
        class Orders(Resource):
            def get(self): ...
        """,
    )
    assert {(r.path, r.handler_name) for r in found} == {
        ("/users", "main:Users.get"),
        ("/people", "main:Users.get"),
        ("/orders", "main:Orders.get"),
    }


def test_blueprints_that_one_function_passes_on_are_told_apart() -> None:
    found = routes_of(
        FLASK,
        """
        from flask import Blueprint, Flask
        def timed(blueprint):
            return blueprint
        a = timed(Blueprint("a", __name__))
        b = timed(Blueprint("b", __name__))
        @a.get("/x")
        def x(): ...
        @b.get("/y")
        def y(): ...
        app = Flask(__name__)
        app.register_blueprint(a, url_prefix="/a")
        app.register_blueprint(b, url_prefix="/b")
        """,
    )
    assert paths_of(found) == ["GET /a/x", "GET /b/y"]


def test_a_prefix_that_is_made_of_settings_which_differ_is_said() -> None:
    context = context_of(
        """
        from flask import Blueprint, Flask
        from settings import A, B
        app = Flask(__name__)
        app.config.from_object(A)
        app.config.from_object(B)
        users = Blueprint("users", __name__)
        @users.get("/users")
        def index(): ...
        app.register_blueprint(users, url_prefix=app.config["PREFIX"])
        """,
        settings="class A:\n    PREFIX = '/a'\nclass B:\n    PREFIX = '/b'\n",
    )
    assert paths_of(list(FLASK.routes(context))) == ["GET /users"]
    assert [d.message for d in context.diagnostics] == ["this part of the path can't be told"]


# --- limits and sockets ---


def test_rate_limits_of_views_classes_and_defaults() -> None:
    found = routes_of(
        FLASK,
        """
        from flask import Flask
        from flask.views import MethodView
        from flask_limiter import Limiter
        app = Flask(__name__)
        limiter = Limiter(app=app, default_limits=["9/day"], application_limits=["99/day"])
        shared = limiter.shared_limit("3/hour", scope="all")
        class A(MethodView):
            decorators = [limiter.limit("1/second")]
            def get(self): ...
        app.add_url_rule("/a", view_func=A.as_view("a"))
        @app.get("/b")
        @shared
        def b(): ...
        @app.get("/c")
        @limiter.exempt
        def c(): ...
        @app.get("/d")
        def d(): ...
        """,
    )
    assert {r.path: [limit.name for limit in r.rate_limits] for r in found} == {
        "/a": ["application_limits", "limiter.limit"],
        "/b": ["application_limits", "shared"],
        "/c": [],
        "/d": ["application_limits", "default_limits"],
    }


def test_websockets_of_quart() -> None:
    found = only(
        """
        from quart import Quart
        app = Quart(__name__)
        @app.websocket("/ws")
        async def ws(): ...
        """
    )
    assert (found.methods, found.kind) == (("GET",), EndpointKind.WEBSOCKET)
