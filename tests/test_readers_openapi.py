"""The reader of OpenAPI documents, and Connexion's way from a document to routes."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from assay.scanner.diagnostics import Reason
from assay.scanner.framework import Context
from assay.scanner.frameworks.flask.connexion import CONNEXION
from assay.scanner.readers.openapi import OpenApiFacts, Parameter, Property, Response, SchemaUse, read
from assay.scanner.readers.problem import ReadProblem
from tests.projects import paths_of, project_of

DOCUMENT = """
    openapi: 3.1.0
    info: {title: Pets, version: "1"}
    servers:
      - url: https://pets.example/{stage}/api/
        variables: {stage: {default: v1}}
      - url: /local
    security: [{key: []}]
    paths:
      /pets/{id}:
        parameters:
          - $ref: "#/components/parameters/Id"
        get:
          operationId: read
          tags: [pets]
          summary: One pet
          deprecated: true
          security: []
          parameters:
            - {name: limit, in: query, schema: {type: integer}}
          responses:
            "200":
              content: {application/json: {schema: {$ref: "#/components/schemas/Page"}}}
            "4XX": {$ref: "#/components/responses/Bad"}
        put:
          requestBody: {$ref: "#/components/requestBodies/Pet"}
          responses: {204: {description: done}}
        x-internal: true
      /elsewhere:
        $ref: other.yaml#/paths/elsewhere
    components:
      parameters:
        Id: {name: id, in: path, required: true, schema: {type: string}}
      requestBodies:
        Pet: {content: {application/json: {schema: {$ref: "pets.yaml#/Pet"}}}}
      responses:
        Bad: {content: {text/plain: {schema: {type: string}}}}
      schemas:
        Numbered: {properties: {total: {type: integer}}}
        Page:
          allOf:
            - $ref: "#/components/schemas/Numbered"
            - properties: {items: {type: array, items: {$ref: "#/components/schemas/Pet"}}}
        Pet: {type: object, properties: {name: {type: string}}}
      securitySchemes:
        key: {type: apiKey, in: header, name: X-Key, x-apikeyInfoFunc: access.check}
"""


def facts(text: str, path: str = "api.yaml") -> OpenApiFacts:
    return read(path, dedent(text).encode())


def test_an_operation_with_all_that_it_refers_to() -> None:
    found = facts(DOCUMENT)
    assert (found.version, found.title, found.base_paths) == ("3.1.0", "Pets", ("/v1/api", "/local"))
    assert [(s.name, s.type, s.checker) for s in found.schemes] == [("key", "apiKey", "access.check")]
    get, put = found.operations
    assert (get.method, get.path, get.operation_id, get.tags) == ("GET", "/pets/{id}", "read", ("pets",))
    assert (get.summary, get.deprecated, found.security_of(get)) == ("One pet", True, ())
    assert get.parameters == (Parameter("id", "path", True, "string"), Parameter("limit", "query", False, "integer"))
    page = SchemaUse("Page", None, None, (Property("total", "integer"), Property("items", "array", "Pet")))
    assert get.responses == (Response("200", page), Response("4XX", SchemaUse(None, "string")))
    assert found.security_of(put) == (("key",),)
    assert put.request == SchemaUse("Pet", None)


def test_operations_know_their_places_in_yaml_and_json() -> None:
    text = dedent(DOCUMENT)
    document = {"openapi": "3.0.0", "paths": {"/a\n": {"get": {}, "post": {"get": {}}}, "/b": {"x": 1, "get": {}}}}
    for found, lines in (
        (facts(text), text.splitlines()),
        (read("api.json", json.dumps(document, indent=1).encode()), json.dumps(document, indent=1).splitlines()),
        (read("api.json", json.dumps(document).encode()), [json.dumps(document)]),
    ):
        assert found.operations
        for operation in found.operations:
            shown = lines[operation.span.line - 1][operation.span.column - 1 : operation.span.end_column - 1]
            assert shown.strip('"') == operation.method.lower()


def test_swagger_2() -> None:
    found = facts(
        """
        swagger: "2.0"
        basePath: /api/
        securityDefinitions: {key: {type: apiKey}}
        paths:
          /pets:
            post:
              parameters:
                - {name: pet, in: body, schema: {$ref: "#/definitions/Pet"}}
                - {name: dry, in: query, type: boolean}
              responses: {201: {schema: {type: array, items: {type: string}}}}
        """
    )
    [operation] = found.operations
    assert (found.base_paths, operation.request) == (("/api",), SchemaUse("Pet", None))
    assert operation.parameters == (Parameter("dry", "query", False, "boolean"),)
    assert operation.responses == (Response("201", SchemaUse(None, "array", "string")),)


@pytest.mark.parametrize(
    "text", ["[]", "a: 1", "", "openapi: 3.0.0\npaths: [1]", "openapi: 3.0.0\npaths: {/a: {get: 1}}"]
)
def test_what_is_no_document_has_no_operations(text: str) -> None:
    assert facts(text).operations == ()


@pytest.mark.parametrize(
    "text", ["[1]", '{"openapi": "3.0.0", "paths": {"/a": 1}}', '{"openapi": "3.0.0", "paths": []}']
)
def test_json_of_another_shape_has_no_operations(text: str) -> None:
    assert facts(text, "api.json").operations == ()


def test_references_in_a_circle_come_to_an_end() -> None:
    circle = {"$ref": "#/components/schemas/A"}
    document = {
        "openapi": "3.0.0",
        "paths": {"/a": {"get": {"responses": {"200": {"content": {"application/json": {"schema": circle}}}}}}},
        "components": {"schemas": {"A": {"allOf": [circle, {"properties": {"b": circle}}]}}},
    }
    [operation] = read("api.json", json.dumps(document).encode()).operations
    assert operation.responses[0].schema is not None


def test_holes_of_a_template_hide_nothing_else() -> None:
    assert facts("openapi: 3.0.0\ninfo:\n  title: {{ title }}\npaths: {/a: {get: {}}}\n").operations
    with pytest.raises(ReadProblem) as raised:
        facts("openapi: 3.0.0\n{% if x %}\npaths: {/a: {get: {}}}\n{% endif %}\n")
    assert raised.value.reason is Reason.TEMPLATE


# --- Connexion ---


def connexion(main: str, documents: dict[str, str], **modules: str) -> Context:
    files = {f"{name.replace('__', '/')}.py": text for name, text in modules.items()}
    read_documents = {path: facts(text, path) for path, text in documents.items()}
    return Context(project_of({"service/main.py": main, **files}), read_documents)


PETS = "openapi: 3.0.0\nservers: [{url: /v1}]\npaths: {/pets: {get: {operationId: pets.search}}}\n"
OTHER = "openapi: 3.0.0\npaths: {/other: {get: {operationId: pets.search}}}\n"


def test_the_document_is_looked_for_where_connexion_does() -> None:
    context = connexion(
        """
        import os
        from connexion import AsyncApp
        from prance import ResolvingParser
        HERE = os.path.dirname(__file__)
        app = AsyncApp(__name__, specification_dir="spec")
        app.add_api("pets.yaml")
        parser = ResolvingParser("docs/other.yaml")
        app.add_api(parser.specification, base_path="/o")
        """,
        {"service/spec/pets.yaml": PETS, "spec/pets.yaml": OTHER, "docs/other.yaml": OTHER},
        service__pets="def search(): ...",
    )
    assert paths_of(list(CONNEXION.routes(context))) == ["GET /o/other", "GET /v1/pets"]
    assert context.diagnostics == []


def test_what_cannot_be_told_of_a_document_is_said() -> None:
    context = connexion(
        """
        import os
        import connexion
        app = connexion.App(__name__)
        app.add_api(os.environ["SPEC"])
        app.add_api("pets.yaml", base_path=os.environ["BASE"])
        """,
        {"service/pets.yaml": PETS},
    )
    found = list(CONNEXION.routes(context))
    assert paths_of(found) == ["GET /pets"]
    assert {d.message for d in context.diagnostics} == {
        "which OpenAPI document is served can't be told",
        "the path in front of this document can't be told",
        "the function of GET /pets isn't in the tree",
    }
