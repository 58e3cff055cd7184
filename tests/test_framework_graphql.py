"""GraphQL endpoints of Strawberry, Graphene and Ariadne: what their routes serve, and what can't be told of it."""

from __future__ import annotations

from importlib import import_module

import pytest
from graphql import ObjectTypeDefinitionNode, ObjectTypeExtensionNode, parse
from hypothesis import given
from hypothesis import strategies as st
from strawberry.utils.str_converters import to_camel_case

from assay.scanner.framework import Context, Framework, Route
from assay.scanner.frameworks.ariadne import ARIADNE
from assay.scanner.frameworks.fastapi.routes import FASTAPI
from assay.scanner.frameworks.flask.routes import FLASK
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers import graphql
from assay.scanner.web.graphql import as_graphql
from assay.scanner.web.graphql_fields import camel_case
from tests.projects import context_of, paths_of, project_of

FASTAPI_APP = """
    from fastapi import FastAPI
    from strawberry.fastapi import GraphQLRouter
    from schema import schema
    app = FastAPI()
    app.include_router(GraphQLRouter(schema), prefix="/graphql")
"""


def served(framework: Framework, context: Context) -> list[Route]:
    return [as_graphql(route, context) for route in framework.routes(context)]


def messages(context: Context) -> list[str]:
    return [d.message for d in context.diagnostics]


def strawberry_fields(schema: str) -> tuple[tuple[str, ...], list[str]]:
    """The operations of a FastAPI route that serves the module's `schema`, and what is said about them."""
    context = context_of(FASTAPI_APP, schema=schema)
    routes = served(FASTAPI, context)
    assert paths_of(routes) == ["GET /graphql", "POST /graphql"]
    assert {r.kind for r in routes} == {EndpointKind.GRAPHQL}
    assert len({r.operations for r in routes}) == 1
    return routes[0].operations, messages(context)


# --- names ---


@given(st.from_regex(r"_{0,2}[a-z][a-z0-9]*(_{1,3}[a-zA-Z0-9]+){0,3}_?", fullmatch=True))
def test_names_are_turned_as_the_libraries_turn_them(name: str) -> None:
    assert camel_case(name) == to_camel_case(name)
    assert camel_case(name) == import_module("graphene.utils.str_converters").to_camel_case(name)


# --- Strawberry ---


def test_only_decorated_bases_have_fields() -> None:
    schema = """
        import strawberry

        class Helper:
            cache: int = 0

            @strawberry.field
            def hidden(self) -> int: ...

        @strawberry.interface
        class Shown:
            shown_field: int

        @strawberry.type
        class Query(Shown, Helper):
            own: int

        schema = strawberry.Schema(Query)
    """
    assert strawberry_fields(schema) == (("query own", "query shownField"), [])


def test_a_field_that_is_redefined_is_one_field() -> None:
    schema = """
        import strawberry

        @strawberry.type
        class Base:
            count: int = strawberry.field(name="total")

        @strawberry.type
        class Query(Base):
            @strawberry.field
            def count(self) -> int: ...

        schema = strawberry.Schema(query=Query, mutation=None)
    """
    assert strawberry_fields(schema) == (("query count",), [])


def test_a_schema_made_by_a_function() -> None:
    schema = """
        import strawberry

        @strawberry.type
        class Query:
            one: int

        def make(query) -> strawberry.Schema:
            return strawberry.Schema(query=query)

        schema = make(Query)
    """
    assert strawberry_fields(schema)[0] == ("query one",)


def test_types_that_can_not_be_seen_are_said() -> None:
    schema = """
        import strawberry
        from accounts.queries import AccountQueries
        from plugins import load

        @strawberry.type
        class Query(AccountQueries, *load()):
            one: int

        schema = strawberry.Schema(query=Query, mutation=load("mutation"))
    """
    operations, said = strawberry_fields(schema)
    assert operations == ("query one",)
    assert said == [
        "the fields that Query has from accounts.queries.AccountQueries can't be told",
        "the fields that Query has from some base can't be told",
        "the fields of this GraphQL type can't be told",
    ]


def test_a_schema_that_can_not_be_seen_leaves_a_graphql_endpoint() -> None:
    assert strawberry_fields("schema = registry['schema']") == (
        (),
        ["which GraphQL schema /graphql serves can't be told"],
    )


def test_a_router_by_a_project_class_with_a_path_of_its_own() -> None:
    main = """
        import strawberry
        from fastapi import APIRouter, FastAPI
        from strawberry.fastapi import GraphQLRouter

        @strawberry.type
        class Query:
            one: int

        class Router(GraphQLRouter): ...

        def add(app: FastAPI) -> None:
            v1 = APIRouter(prefix="/v1")
            v1.include_router(Router(strawberry.Schema(Query), "/query"))
            app.include_router(v1)

        app = FastAPI()
        add(app)
    """
    routes = served(FASTAPI, context_of(main))
    assert paths_of(routes) == ["GET /v1/query", "POST /v1/query"]
    assert {(r.handler_name, r.operations) for r in routes} == {("main:Router", ("query one",))}


def test_a_router_that_no_app_includes_answers_nothing() -> None:
    main = """
        from fastapi import FastAPI
        from strawberry.fastapi import GraphQLRouter
        from schema import schema
        app = FastAPI()
        router = GraphQLRouter(schema)
    """
    context = context_of(main)
    assert served(FASTAPI, context) == []
    assert messages(context) == ["no app includes this route's router"]


# --- handlers ---


def test_a_handler_that_only_shows_the_schema_is_no_graphql_endpoint() -> None:
    main = """
        import graphene
        from flask import Flask
        app = Flask(__name__)

        class Query(graphene.ObjectType):
            one = graphene.Int()

        schema = graphene.Schema(query=Query)

        @app.get("/schema")
        def show():
            return str(schema)

        @app.get("/rows")
        def rows():
            return session.execute("select 1")
    """
    assert [r.kind is EndpointKind.GRAPHQL for r in served(FLASK, context_of(main))] == [False, False]


def test_a_view_that_a_handler_makes() -> None:
    main = """
        import graphene
        from flask import Flask
        from graphql_server.flask import GraphQLView
        app = Flask(__name__)

        class Query(graphene.ObjectType):
            one_two = graphene.Int()

        schema = graphene.Schema(query=Query)

        @app.route("/graphql", methods=["POST"])
        def answer():
            return GraphQLView.as_view("graphql", schema=schema.graphql_schema)()
    """
    (route,) = served(FLASK, context_of(main))
    assert (route.kind, route.operations) == (EndpointKind.GRAPHQL, ("query oneTwo",))


# --- Graphene ---


def test_attributes_that_are_no_fields() -> None:
    main = """
        import logging
        import graphene
        import graphql_jwt
        from flask import Flask
        from graphql_server.flask import GraphQLView

        class MoneyField(graphene.Field): ...

        class Query(graphene.ObjectType):
            log = logging.getLogger(__name__)
            names = ["a"]
            size = int("3")
            price = MoneyField(graphene.Int)
            token_auth = graphql_jwt.ObtainJSONWebToken.Field()

            class Meta:
                description = graphene.String()

        app = Flask(__name__)
        app.add_url_rule("/", view_func=GraphQLView.as_view("q", schema=graphene.Schema(query=Query)))
    """
    (route,) = served(FLASK, context_of(main))
    assert route.operations == ("query price", "query tokenAuth")
    assert route.methods == ("GET", "POST", "PUT", "DELETE")


# --- Ariadne ---


def ariadne(main: str, **files: str) -> tuple[list[Route], list[str]]:
    """The routes of standalone apps in `api/main.py`, beside these files."""
    read = {name.replace("__", "/") + ".graphql": graphql.read("", text.encode()) for name, text in files.items()}
    context = Context(project_of({"api/main.py": main}), read)
    return served(ARIADNE, context), messages(context)


@pytest.mark.parametrize(
    "path",
    [
        '"schema.graphql"',
        '"api/schema.graphql"',
        '"/app/api/schema.graphql"',
        'os.path.join(os.path.dirname(__file__), "schema.graphql")',
        'os.path.join(HERE, "..", "api", NAME)',
        'Path(__file__).resolve().parent / "schema.graphql"',
        'f"{HERE}/schema.graphql"',
    ],
)
def test_a_schema_in_a_file(path: str) -> None:
    main = f"""
        import os
        from pathlib import Path
        from ariadne import load_schema_from_path, make_executable_schema
        from ariadne.asgi import GraphQL
        HERE = os.path.dirname(os.path.abspath(__file__))
        NAME = "schema.graphql"
        app = GraphQL(make_executable_schema(load_schema_from_path({path})))
    """
    other = "type Query { wrong: Int }"
    routes, said = ariadne(main, api__schema="type Query { one: Int }", web__schema=other, api__web__schema=other)
    assert said == []
    assert [(paths_of([r]), r.operations) for r in routes] == [(["ANY /"], ("query one",))]


def test_files_of_a_folder_and_text_that_is_read() -> None:
    main = """
        from ariadne import gql, load_schema_from_path, make_executable_schema
        from ariadne.asgi import GraphQL

        def more():
            return gql("extend type Query { three: Int }")

        parts = [load_schema_from_path("definitions/"), open("definitions/other/b.graphql").read(), more()]
        app = GraphQL(make_executable_schema([*parts, "type Mutation { go: Int }"], query))
    """
    routes, _ = ariadne(
        main, definitions__a="type Query { one: Int }", definitions__other__b="extend type Query { two: Int }"
    )
    assert routes[0].operations == ("query one", "query three", "query two", "mutation go")


def test_definitions_that_can_not_be_found_are_said() -> None:
    main = """
        from ariadne import load_schema_from_path, make_executable_schema
        from ariadne.asgi import GraphQL
        app = GraphQL(make_executable_schema(load_schema_from_path(settings.SCHEMA)))
    """
    routes, said = ariadne(main)
    assert [r.operations for r in routes] == [()]
    assert said == ["the definitions of this GraphQL schema can't be told"]


def test_an_app_beside_a_web_application_is_not_served_alone() -> None:
    main = """
        from fastapi import FastAPI
        from ariadne.asgi import GraphQL
        app = FastAPI()
        graphql_app = GraphQL(schema)
    """
    assert ariadne(main) == ([], [])


# --- the schema language ---

DOCUMENTS = [
    """
    type Query { a: Int }
    # type Query { no: Int }
    extend type Query { b(x: Int = 1, y: [In!] = [{z: "}"}]): [A!]! }
    """,
    """
    \"\"\"type Query { no: Int }\"\"\"
    type Query implements A & B @key(fields: "id") { "doc: x" a: Int @deprecated(reason: "b: c") }
    """,
    """
    scalar Date @specifiedBy(url: "x")
    union U = A | B
    enum E { type query }
    type Query { type: E query: U }
    input I { a: Int }
    """,
    """
    type Empty
    type Query { a: Int }
    interface N { id: ID }
    directive @d(a: Int) on FIELD_DEFINITION | OBJECT
    type Mutation { b: Int }
    """,
    'type Query { a("""a "quoted" word""" x: Int): Int, b: Int }',
]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_definitions_are_read_as_graphql_core_reads_them(document: str) -> None:
    wanted = [
        (node.name.value, [field.name.value for field in node.fields])
        for node in parse(document).definitions
        if isinstance(node, ObjectTypeDefinitionNode | ObjectTypeExtensionNode) and node.fields
    ]
    assert [(t.name, list(t.fields)) for t in graphql.definitions(document).types] == wanted


def test_roots_by_other_names() -> None:
    facts = graphql.definitions('schema @link(url: "x") { query: Root mutation: Changes } type Root { a: Int }')
    assert facts.roots == (("query", "Root"), ("mutation", "Changes"))


@given(st.text(alphabet='{}()@:"#type Query\n\\', max_size=60))
def test_no_text_breaks_the_reader(text: str) -> None:
    graphql.definitions(text)
