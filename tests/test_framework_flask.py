from __future__ import annotations

import pytest

from assay.scanner.framework import Route
from assay.scanner.frameworks.flask.restful import FLASK_RESTFUL
from assay.scanner.frameworks.flask.routes import FLASK
from assay.scanner.model.endpoint import EndpointKind
from tests.projects import context_of, paths_of, routes_of


def routes(main: str, **modules: str) -> list[Route]:
    return routes_of(FLASK, main, **modules)


def paths(main: str, **modules: str) -> list[str]:
    return paths_of(routes(main, **modules))


def only(main: str, **modules: str) -> Route:
    [route] = routes(main, **modules)
    return route


# --- composition ---


def test_routes_methods_and_shortcuts() -> None:
    assert paths(
        """
        from flask import Flask
        app = Flask(__name__)
        @app.route("/a")
        def a(): ...
        @app.route("/b", methods=["POST", "HEAD", "OPTIONS"])
        @app.route("/c", methods=("GET", "PUT"))
        def b(): ...
        @app.post("/d")
        def d(): ...
        app.add_url_rule("/e", view_func=d, methods=["DELETE"])
        app.add_url_rule("/f", "f", d)
        """
    ) == ["DELETE /e", "GET /a", "GET /c", "GET /f", "POST /b", "POST /d", "PUT /c"]


def test_the_prefix_of_the_registration_replaces_the_blueprints_own() -> None:
    blueprint = """
        from flask import Blueprint, Flask
        users = Blueprint("users", __name__, url_prefix="/own")
        @users.route("/<int:id>")
        def read(id): ...
        app = Flask(__name__)
        """
    assert paths(blueprint + "app.register_blueprint(users)") == ["GET /own/<int:id>"]
    assert paths(blueprint + "app.register_blueprint(users, url_prefix='/api')") == ["GET /api/<int:id>"]


def test_nested_blueprints_and_slashes_are_joined_as_flask_does() -> None:
    assert paths(
        """
        from flask import Blueprint, Flask
        api = Blueprint("api", __name__, url_prefix="/api/")
        v1 = Blueprint("v1", __name__, url_prefix="v1")
        @v1.route("/users/")
        def users(): ...
        @v1.route("")
        def root(): ...
        api.register_blueprint(v1)
        def create_app():
            app = Flask(__name__)
            app.register_blueprint(api)
            return app
        """
    ) == ["GET /api/v1", "GET /api/v1/users/"]


def test_a_blueprint_imported_inside_the_factory() -> None:
    assert paths(
        """
        from flask import Flask
        def create_app(config=None):
            app = Flask(__name__)
            from views import users
            app.register_blueprint(users.blueprint, url_prefix="/users")
            @app.route("/")
            def index(): ...
            return app
        """,
        views__users="""
        from flask import Blueprint
        blueprint = Blueprint("users", __name__)
        @blueprint.get("/")
        def index(): ...
        """,
    ) == ["GET /", "GET /users/"]


def test_init_app_of_a_module_and_a_loop_over_blueprints() -> None:
    assert paths(
        """
        from flask import Flask
        import handlers
        class Service(Flask): ...
        def create_app():
            app = Service(__name__)
            handlers.init_app(app)
            return app
        """,
        handlers="""
        from flask import Blueprint
        a = Blueprint("a", __name__)
        def make(app):
            b = Blueprint("b", __name__)
            @b.route("/b")
            def index(): ...
            return b
        @a.route("/a")
        def index(): ...
        def init_app(app):
            for blueprint in [a, make(app)]:
                app.register_blueprint(blueprint)
        """,
    ) == ["GET /a", "GET /b"]


def test_a_table_of_urls_is_registered_in_a_loop() -> None:
    found = routes(
        """
        from flask import Flask
        app = Flask(__name__)
        def a(): ...
        def b(): ...
        for url, view in (("/a", a), ("/b", b)):
            app.add_url_rule(url, view_func=view)
        """
    )
    assert {(r.path, r.handler_name) for r in found} == {("/a", "main:a"), ("/b", "main:b")}


def test_class_based_views_answer_the_methods_they_have() -> None:
    found = routes(
        """
        from flask import Flask
        from flask.views import MethodView, View
        app = Flask(__name__)
        class Base(MethodView):
            def get(self, id): ...
        class User(Base):
            def delete(self, id): ...
        class Page(View):
            methods = ["GET", "POST"]
            def dispatch_request(self): ...
        view = User.as_view("user")
        app.add_url_rule("/users/<id>", view_func=view)
        app.add_url_rule("/new", view_func=User.as_view("new"), methods=["DELETE"])
        app.add_url_rule("/page", view_func=Page.as_view("page"))
        """
    )
    assert paths_of(found) == ["DELETE /new", "DELETE /users/<id>", "GET /page", "GET /users/<id>", "POST /page"]
    assert {r.handler_name for r in found if r.path == "/users/<id>"} == {"main:User.get", "main:User.delete"}


def test_a_blueprint_that_no_app_registers_serves_nothing_and_is_said() -> None:
    context = context_of(
        """
        from flask import Blueprint, Flask
        app = Flask(__name__)
        lost = Blueprint("lost", __name__)
        @lost.route("/x")
        def x(): ...
        """
    )
    assert list(FLASK.routes(context)) == []
    assert len(context.diagnostics) == 1


def test_a_path_that_cannot_be_computed_is_said() -> None:
    context = context_of(
        """
        import os
        from flask import Flask
        app = Flask(__name__)
        @app.route(os.environ["PATH"])
        def x(): ...
        """
    )
    assert paths_of(list(FLASK.routes(context))) == ["GET /"]
    assert [d.line for d in context.diagnostics] == [5]


# --- guards ---

GUARDS = """
    from functools import wraps
    import jwt
    from flask import Flask, abort, g, jsonify, make_response, redirect, render_template, request, session, url_for
    from flask_httpauth import HTTPTokenAuth
    from flask_jwt_extended import jwt_required
    from flask_login import current_user, login_required
    from apifairy import authenticate
    from werkzeug.exceptions import Unauthorized
    app = Flask(__name__)
    auth = HTTPTokenAuth()
    def closed(f):
        @wraps(f)
        def inner(*args, **kwargs):
            if not g.user:
                return redirect(url_for("login"))
            return f(*args, **kwargs)
        return inner
    def role(name):
        def decorate(f):
            def inner(*args, **kwargs):
                if name not in g.user.roles:
                    abort(403)
                return f(*args, **kwargs)
            return inner
        return decorate
    class require:
        def __init__(self, permission): ...
        def __call__(self, f):
            def inner(*args, **kwargs):
                if not current_user.can(self.permission):
                    abort(403)
                return f(*args, **kwargs)
            return inner
    def require_admin(f):
        return require("admin")(f)
    def timed(f):
        def inner(*args, **kwargs):
            return f(*args, **kwargs)
        return inner
    def verify(token):
        return jwt.decode(token)
"""


@pytest.mark.parametrize(
    ("decorator", "is_guarded"),
    [
        ("@login_required", True),
        ("@jwt_required()", True),
        ("@jwt_required(optional=True)", False),
        ("@auth.login_required", True),
        ("@auth.login_required(role='admin')", True),
        ("@auth.login_required(optional=True)", False),
        ("@authenticate(auth)", True),
        ("@closed", True),
        ("@role('admin')", True),
        ("@require('admin')", True),
        ("@require_admin", True),
        ("@timed", False),
    ],
)
def test_a_decorator_guards(decorator: str, is_guarded: bool) -> None:
    found = only(GUARDS + f'    @app.route("/x")\n    {decorator}\n    def x(): ...\n')
    assert bool(found.guards) is is_guarded


def test_a_decorator_above_the_route_does_not_act() -> None:
    assert not only(GUARDS + '    @login_required\n    @app.route("/x")\n    def x(): ...\n').guards


@pytest.mark.parametrize(
    ("body", "is_guarded"),
    [
        ("if not current_user.is_authenticated:\n            abort(401)", True),
        ("if not session.get('user_id'):\n            return redirect(url_for('auth.login'))", True),
        ("if 'user' not in session:\n            return redirect('/login')", True),
        ("if session.get('state') != request.args['state']:\n            abort(401)", False),
        ("token = request.cookies.get('t')\n        if not verify(token):\n            return abort(401)", True),
        ("if not request.headers.get('Authorization'):\n            return jsonify({}), 401", True),
        ("if not request.headers.get('Accept'):\n            return jsonify({}), 403", False),
        ("if not request.headers['X-Api-Key']:\n            raise Unauthorized()", True),
        ("if request.form['password'] != 'x':\n            abort(401)", False),
        ("if not current_user.is_authenticated:\n            abort(404)", False),
        (
            "if verify(request.cookies['t']):\n            return 'a'\n        "
            "return make_response(redirect('/login'))",
            True,
        ),
        (
            "if verify(request.cookies['t']):\n            return redirect('/home')\n        "
            "return render_template('login.html')",
            False,
        ),
        (
            "token = request.headers.get('Authorization')\n        try:\n            verify(token)\n"
            "        except jwt.InvalidTokenError:\n            return 'denied', 401",
            True,
        ),
        (
            "try:\n            verify(request.args['token'])\n"
            "        except jwt.InvalidTokenError:\n            return 'denied', 401",
            False,
        ),
    ],
)
def test_a_check_in_the_handler(body: str, is_guarded: bool) -> None:
    found = only(GUARDS + f'    @app.route("/x")\n    def x():\n        {body}\n')
    assert bool(found.guards) is is_guarded


def test_a_hook_guards_its_blueprint_and_what_is_below() -> None:
    found = routes(
        """
        from flask import Blueprint, Flask, abort, g
        app = Flask(__name__)
        closed, inner, open_ = Blueprint("a", __name__), Blueprint("b", __name__), Blueprint("c", __name__)
        @closed.before_request
        def check():
            if g.user is None:
                abort(401)
        @open_.before_request
        def count(): ...
        @closed.route("/a")
        def a(): ...
        @inner.route("/b")
        def b(): ...
        @open_.route("/c")
        def c(): ...
        closed.register_blueprint(inner)
        app.register_blueprint(closed)
        app.register_blueprint(open_)
        """
    )
    assert {r.path: bool(r.guards) for r in found} == {"/a": True, "/b": True, "/c": False}


def test_a_hook_against_forgery_is_no_guard() -> None:
    assert not only(
        GUARDS + "    @app.before_request\n    def check_csrf():\n        if session['csrf'] != request.form['csrf']:\n"
        '            abort(403)\n    @app.route("/x")\n    def x(): ...\n'
    ).guards


def test_a_hook_with_a_library_guard_guards_the_app() -> None:
    assert only(
        GUARDS + "    @app.before_request\n    @login_required\n    def check(): ...\n"
        '    @app.route("/x")\n    def x(): ...\n'
    ).guards


def test_a_view_class_and_a_wrapped_view_are_guarded() -> None:
    found = routes(
        GUARDS
        + """
    from flask.views import MethodView
    class A(MethodView):
        decorators = [login_required]
        def get(self): ...
    class B(MethodView):
        def get(self): ...
        @closed
        def post(self): ...
    app.add_url_rule("/a", view_func=A.as_view("a"))
    app.add_url_rule("/b", view_func=B.as_view("b"))
    app.add_url_rule("/c", view_func=login_required(B.as_view("c")), methods=["GET"])
    """
    )
    assert {f"{r.methods[0]} {r.path}": bool(r.guards) for r in found} == {
        "GET /a": True,
        "GET /b": False,
        "POST /b": True,
        "GET /c": True,
    }


# --- responses ---


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("return render_template('a.html')", EndpointKind.HTML),
        ("return render_template('a.html'), 404", EndpointKind.HTML),
        ("return jsonify(a=1)", EndpointKind.JSON),
        ("return {'a': 1}, 201", EndpointKind.JSON),
        ("return [1]", EndpointKind.JSON),
        ("return make_response(jsonify({}), 200)", EndpointKind.JSON),
        ("return send_file('a')", EndpointKind.FILE),
        ("page = render_template('a')\n        return page", EndpointKind.HTML),
        ("return helper()", EndpointKind.JSON),
        ("return 'ok'", None),
        ("if a:\n            return {}\n        return render_template('a')", None),
    ],
)
def test_the_kind_of_a_response(body: str, kind: EndpointKind | None) -> None:
    text = f"""
    from flask import Flask, jsonify, make_response, render_template, send_file
    app = Flask(__name__)
    def helper():
        return {{}}
    @app.route("/x")
    def x():
        {body}
    """
    assert only(text).kind is kind


def test_a_response_schema_of_many_is_a_collection() -> None:
    found = only(
        """
        from flask import Flask
        from apifairy import response
        app = Flask(__name__)
        @app.route("/x")
        @response(UserSchema(many=True))
        def x(): ...
        """
    )
    assert (found.returns_collection, found.kind) == (True, EndpointKind.JSON)


# --- Flask-RESTful ---


def test_resources_of_an_api_in_a_blueprint() -> None:
    found = routes_of(
        FLASK_RESTFUL,
        """
        from flask import Blueprint, Flask
        from flask_restful import Api, Resource
        from flask_login import login_required
        class User(Resource):
            def get(self, id): ...
            @login_required
            def delete(self, id): ...
        class Closed(Resource):
            method_decorators = {"post": [login_required]}
            def get(self): ...
            def post(self): ...
        blueprint = Blueprint("api", __name__, url_prefix="/api")
        api = Api(blueprint, prefix="/v1")
        api.add_resource(User, "/users/<id>", "/people/<id>", endpoint="user")
        api.add_resource(Closed, "/closed")
        app = Flask(__name__)
        app.register_blueprint(blueprint)
        """,
    )
    assert {f"{r.methods[0]} {r.path}": bool(r.guards) for r in found} == {
        "GET /api/v1/users/<id>": False,
        "GET /api/v1/people/<id>": False,
        "DELETE /api/v1/users/<id>": True,
        "DELETE /api/v1/people/<id>": True,
        "GET /api/v1/closed": False,
        "POST /api/v1/closed": True,
    }
    assert {r.kind for r in found} == {EndpointKind.JSON}


def test_a_wrapper_of_add_resource_in_an_api_class() -> None:
    found = routes_of(
        FLASK_RESTFUL,
        """
        from flask import Flask
        from flask_restful import Api, Resource
        from flask_login import login_required
        import settings
        def scoped(path):
            if settings.MANY:
                return "/<org>" + path
            return path
        class Scoped(Api):
            def add(self, resource, *urls, **kwargs):
                urls = [scoped(url) for url in urls]
                return self.add_resource(resource, *urls, **kwargs)
        class Base(Resource):
            decorators = [login_required]
        class Open(Resource):
            decorators = []
            def get(self): ...
        class Users(Base):
            decorators = Base.decorators + [str]
            def get(self): ...
        api = Scoped()
        api.add(Users, "/users", "/people", endpoint="users")
        api.add(Open, "/open")
        def create_app():
            app = Flask(__name__)
            api.init_app(app)
            return app
        """,
        settings="import os\nMANY = os.environ.get('MANY')",
    )
    assert {r.path: bool(r.guards) for r in found} == {"/users": True, "/people": True, "/open": False}


def test_restx_namespaces() -> None:
    found = routes_of(
        FLASK_RESTFUL,
        """
        from flask import Flask
        from flask_restx import Api, Namespace, Resource
        app = Flask(__name__)
        api = Api(app, prefix="/api")
        users = Namespace("users")
        items = api.namespace("items", path="/things")
        @users.route("/", "/all")
        class Users(Resource):
            def get(self): ...
        @items.route("/<id>")
        class Items(Resource):
            def put(self, id): ...
        api.add_namespace(users)
        """,
    )
    assert paths_of(found) == ["GET /api/users/", "GET /api/users/all", "PUT /api/things/<id>"]
