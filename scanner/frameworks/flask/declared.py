"""What decorators of API libraries declare about a handler: its body, its responses, its place in the documentation.

Flask-Smorest, APIFlask, APIFairy, Flask-RESTful, Flask-RESTX, Quart-Schema and webargs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from assay.scanner.dataflow.constants import constant, list_items, string_value
from assay.scanner.dataflow.expansion import resolved
from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.framework import BodyType, Sited
from assay.scanner.frameworks.flask.schemas import Schema, schema_of
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.decorators import Applied, applied

LIBRARIES = ("flask_smorest", "apiflask", "apifairy", "flask_restful", "flask_restx", "flask_restplus", "quart_schema",
    "webargs", "flask_apispec")  # fmt: skip
_OUTSIDE_THE_BODY = frozenset({"query", "querystring", "path", "view_args", "header", "headers", "cookie", "cookies"})


@dataclass(frozen=True, slots=True)
class Declared:
    """What is declared; all that isn't is empty."""

    request_model: str | None = None
    response_model: str | None = None
    returns_collection: bool | None = None
    success: int | None = None
    other_statuses: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    summary: str | None = None
    is_deprecated: bool = False
    paginators: tuple[Evidence, ...] = ()
    request_types: tuple[BodyType, ...] = ()
    response_types: tuple[BodyType, ...] = ()
    is_documented: bool = False
    """A library that makes documentation of docstrings is at work."""

    @property
    def status_codes(self) -> tuple[int, ...]:
        """The success first."""
        first = (self.success,) if self.success is not None else ()
        return tuple(dict.fromkeys((*first, *self.other_statuses)))

    def answering(self, status: int, schema: Schema, types: tuple[BodyType, ...] = ()) -> Declared:
        """With one more response. The first success counts; any other status is one more.

        `types` are what the library writes the response by, where it does.
        """
        if status >= 300 or self.success is not None:
            return replace(self, other_statuses=(*self.other_statuses, status))
        return replace(
            self,
            success=status,
            response_model=self.response_model or schema.name,
            response_types=(*self.response_types, *types),
            returns_collection=self.returns_collection or schema.is_many,
        )


NOTHING_DECLARED = Declared()


def declared_by(
    decorators: Iterable[form.Expr], scope: Scope, project: Project, before: Declared = NOTHING_DECLARED
) -> Declared:
    """What the decorators say, outermost first; `before` is what those of the class said."""
    found = before
    for decorator in applied(decorators, scope, project):
        value = project.infer(decorator.callee, decorator.scope)
        if isinstance(value, External) and value.name.split(".", 1)[0] in LIBRARIES:
            package, name = value.name.split(".", 1)[0], last_part(value.name)
            read = _READERS.get(f"{package}.{name}") or _READERS.get(name)
            found = read(replace(found, is_documented=True), _Call(decorator, project)) if read is not None else found
    return found


def docstring_summary(function: FunctionSymbol) -> str | None:
    """The first line of the docstring."""
    first = function.node.body[0] if function.node.body else None
    if not isinstance(first, form.ExprStmt) or not isinstance(first.value, form.Const):
        return None
    text = first.value.value
    return text.strip().split("\n", 1)[0].strip() or None if isinstance(text, str) else None


@dataclass(frozen=True, slots=True)
class _Call:
    """A declaring decorator, to be asked for its arguments."""

    decorator: Applied
    project: Project

    def argument(self, index: int, name: str) -> form.Expr | None:
        return self.decorator.call.argument(index, name) if self.decorator.call is not None else None

    def schema(self, node: form.Expr | None) -> Schema:
        if node is None:
            return Schema(None)
        return schema_of(node, self.decorator.scope, self.project, self.decorator.given)

    def types(self, node: form.Expr | None, *, is_checked: bool = True) -> tuple[BodyType, ...]:
        return (BodyType(Sited(node, self.decorator.scope), is_checked=is_checked),) if node is not None else ()

    def status(self, node: form.Expr | None) -> int | None:
        if node is None:
            return None
        given = constant(node, self.decorator.scope, self.project, self.decorator.given)
        if given is not None and isinstance(given.value, int | str) and str(given.value).isdigit():
            return int(given.value)
        return status_code(node, self.decorator.scope, self.project)

    def text(self, node: form.Expr | None) -> str | None:
        return (
            string_value(node, self.decorator.scope, self.project, self.decorator.given) if node is not None else None
        )

    def texts(self, node: form.Expr | None) -> tuple[str, ...]:
        items = list_items(node, self.decorator.scope, self.project, self.decorator.given) if node is not None else []
        texts = (string_value(*item, self.project) for item in items)
        return tuple(text for text in texts if text is not None)

    def statuses(self, node: form.Expr | None) -> tuple[int, ...]:
        """Of a list of statuses, or of a dict by status."""
        scope = self.decorator.scope
        value = resolved(node, scope, self.project, self.decorator.given) if node is not None else None
        if isinstance(value, Literal) and isinstance(value.node, form.Dict):
            keys = [(key, value.scope) for key in value.node.keys if key is not None]
        else:
            keys = list_items(node, scope, self.project) if node is not None else []
        found = (status_code(*key, self.project) for key in keys)
        return tuple(status for status in found if status is not None)

    def holds(self, node: form.Expr | None) -> bool:
        return isinstance(node, form.Const) and node.value is True


def _request(said: Declared, call: _Call) -> Declared:
    """`arguments(Schema, location="json")`, `body(Schema)`, `input(Schema)`, `use_args(Schema)`."""
    if call.text(call.argument(1, "location")) in _OUTSIDE_THE_BODY:
        return said
    schema = call.argument(0, "schema")
    types = (*said.request_types, *call.types(schema))
    return replace(said, request_model=said.request_model or call.schema(schema).name, request_types=types)


def _arguments(said: Declared, call: _Call) -> Declared:
    """APIFairy's `arguments(Schema, location="query")`, whose default is the query."""
    return said if call.text(call.argument(1, "location")) is None else _request(said, call)


def _expected(said: Declared, call: _Call) -> Declared:
    """RESTX's `expect(model, parser)`: a parser is no model."""
    for node in call.decorator.call.positional if call.decorator.call is not None else ():
        parser = call.project.infer(node, call.decorator.scope)
        is_parser = isinstance(parser, Instance) and "parser" in last_part(parser.type_name).lower()
        model = None if is_parser else call.schema(node).name
        validates = call.decorator.call.keyword("validate") if call.decorator.call is not None else None
        types = () if is_parser else call.types(node, is_checked=call.holds(validates))
        said = replace(said, request_types=(*said.request_types, *types))
        if model is not None and said.request_model is None:
            said = replace(said, request_model=model)
    return said


def _response_after_status(said: Declared, call: _Call) -> Declared:
    """Flask-Smorest's `response(200, Schema)`."""
    status, schema = call.status(call.argument(0, "status_code")) or 200, call.argument(1, "schema")
    return said.answering(status, call.schema(schema), call.types(schema))


def _response_before_status(said: Declared, call: _Call) -> Declared:
    """`response(Schema, 201)`, `output(Schema, status_code=201)`."""
    status, schema = call.status(call.argument(1, "status_code")) or 200, call.argument(0, "schema")
    return said.answering(status, call.schema(schema), call.types(schema))


def _described_response(said: Declared, call: _Call) -> Declared:
    """RESTX's `response(201, "Created", model)`."""
    status = call.status(call.argument(0, "code"))
    return said.answering(status, call.schema(call.argument(2, "model"))) if status is not None else said


def _marshalled(said: Declared, call: _Call) -> Declared:
    """`marshal_with(model, as_list=True, code=201)`, `marshal_list_with(model)`."""
    fields = call.argument(0, "fields")
    schema = call.schema(fields)
    is_list = call.holds(call.argument(1, "as_list"))
    code = call.status(call.decorator.call.keyword("code")) if call.decorator.call is not None else None
    return said.answering(code or 200, replace(schema, is_many=is_list or schema.is_many), call.types(fields))


def _marshalled_list(said: Declared, call: _Call) -> Declared:
    return replace(_marshalled(said, call), returns_collection=True)


def _other(said: Declared, call: _Call) -> Declared:
    """`alt_response(404)`."""
    status = call.status(call.argument(0, "status_code"))
    return replace(said, other_statuses=(*said.other_statuses, status)) if status is not None else said


def _others(said: Declared, call: _Call) -> Declared:
    """`other_responses({404: "not there"})`."""
    return replace(said, other_statuses=(*said.other_statuses, *call.statuses(call.argument(0, "responses"))))


def _documented(said: Declared, call: _Call) -> Declared:
    """`doc(summary=..., tags=..., deprecated=True, responses=[404])`."""
    if call.decorator.call is None:
        return said
    of = call.decorator.call.keyword
    return replace(
        said,
        summary=said.summary or call.text(of("summary")),
        tags=said.tags or call.texts(of("tags")),
        is_deprecated=said.is_deprecated or call.holds(of("deprecated")),
        other_statuses=(*said.other_statuses, *call.statuses(of("responses"))),
    )


def _tagged(said: Declared, call: _Call) -> Declared:
    return replace(said, tags=said.tags or call.texts(call.argument(0, "tags")))


def _deprecated(said: Declared, _: _Call) -> Declared:
    return replace(said, is_deprecated=True)


def _paginated(said: Declared, call: _Call) -> Declared:
    evidence = call.decorator.scope.module.evidence(call.decorator.node, "Flask-Smorest cuts it into pages")
    return replace(said, paginators=(*said.paginators, evidence))


_READERS: dict[str, Callable[[Declared, _Call], Declared]] = {
    "arguments": _request, "body": _request, "input": _request, "use_args": _request, "use_kwargs": _request,
    "validate_request": _request, "apifairy.arguments": _arguments, "expect": _expected,
    "response": _described_response, "flask_smorest.response": _response_after_status,
    "apifairy.response": _response_before_status,
    "output": _response_before_status, "validate_response": _response_before_status,
    "marshal_with": _marshalled, "marshal_list_with": _marshalled_list,
    "alt_response": _other, "other_responses": _others,
    "doc": _documented, "tag": _tagged, "deprecated": _deprecated, "deprecate": _deprecated,
    "paginate": _paginated,
}  # fmt: skip
"""What a decorator says, by its last name; with its library in front where that name means something else there."""
