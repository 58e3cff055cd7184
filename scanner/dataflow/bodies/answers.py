"""What handlers answer with: schemas that a route declares, that handlers write by, and dicts written by hand."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.bodies.rows import queried
from assay.scanner.dataflow.bodies.schemas.names import names_in
from assay.scanner.dataflow.bodies.schemas.of_dicts import (
    added_to,
    filled_dict,
    writes_columns,
    written_dict,
)
from assay.scanner.dataflow.bodies.schemas.reader import Schemas
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema
from assay.scanner.dataflow.lexicon import words
from assay.scanner.framework import BodyType, Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.readers.python import form

_WRITES_OBJECTS = frozenset({"fastapi", "litestar"})
"""Frameworks that write whatever object a handler returns."""
_RESPONDING = frozenset(
    {"response", "success", "ok", "reply", "json", "jsonify", "paginate", "paginated", "wrap", "envelope", "result"}
)
"""Words of functions that answer with what they are given."""
_PROPERTIES = frozenset({"property", "cached_property", "hybrid_property"})
_DEEPEST = 3


class Answers:
    """Knows it of the routes of one project."""

    def __init__(self, schemas: Schemas, project: Project) -> None:
        self._schemas = schemas
        self._project = project
        self._returned: dict[FunctionSymbol, tuple[Schema, ...]] = {}

    def of(self, route: Route) -> Iterator[Schema]:
        """The schemas, the narrowed ones as each place uses them."""
        for declared in route.response_types:
            yield from self._declared(declared)
        handler = route.handler
        if handler is None or (route.framework in _WRITES_OBJECTS and route.response_types):
            return
        yield from self._of_function(handler, _DEEPEST)
        if route.framework in _WRITES_OBJECTS and handler.node.returns is None:  # else a DTO may be in between
            for returned in handler.returns:
                yield from self._object(returned.value, handler.scope, _DEEPEST)

    def _declared(self, declared: BodyType) -> Iterator[Schema]:
        """The schemas in an annotation: of `list[User]` and `Page[User] | None`, User and Page."""
        node, scope = declared.site.node, declared.site.scope
        found = self._schemas.declared(declared) or self._rows_of(self._project.infer(node, scope))
        if found is not None:
            yield found
        if isinstance(node, form.Subscript | form.Binary | form.Display | form.Const):
            for part in form.walk(node):
                value = None
                if isinstance(part, form.Name | form.Attr):
                    value = self._project.infer(part, scope)
                elif isinstance(part, form.Const) and isinstance(part.value, str):
                    value = self._project.annotation_class(part, scope)
                schema = (self._schemas.of_value(value) or self._rows_of(value)) if value is not None else None
                if schema is not None and schema is not found and schema.library is not Library.RESTX:
                    yield schema.narrowed(declared.only, declared.without)

    def _rows_of(self, value: Value | None) -> Schema | None:
        """Of a mapped class that a handler says it gives, as it may in Litestar."""
        return self._schemas.of_rows(value) if isinstance(value, ClassSymbol) else None

    def _object(self, node: form.Expr | None, scope: Scope, depth: int) -> Iterator[Schema]:
        """A row, or an object of a schema, that the framework writes out as it is."""
        value = self._project.infer(node, scope) if node is not None else None
        cls = value.cls if isinstance(value, Instance) else None
        cls = cls or queried(node, scope, self._schemas.tables)
        found = (self._schemas.of(cls) or self._schemas.of_rows(cls)) if cls is not None else None
        if found is not None:
            yield found
            return
        match node:
            case form.Dict(values=parts) | form.Display(items=parts):
                for part in parts:
                    yield from self._object(part, scope, depth)
            case form.Await(value=inner):
                yield from self._object(inner, scope, depth)
            case form.Call() if depth and (callee := self._project.callee_function(node, scope)) is not None:
                for returned in callee.returns if callee.node.returns is None else ():
                    yield from self._object(returned.value, callee.scope, depth - 1)

    # --- what functions return ---

    def _of_function(self, function: FunctionSymbol, depth: int) -> tuple[Schema, ...]:
        if function not in self._returned:
            self._returned[function] = ()
            found: list[Schema] = []
            for returned in function.returns:
                if returned.value is not None:
                    found += self._written(returned.value, function, depth, set())
            self._returned[function] = tuple(found)
        return self._returned[function]

    def _written(self, node: form.Expr, function: FunctionSymbol, depth: int, seen: set[str]) -> Iterator[Schema]:
        """What a returned expression writes, along what it is made of."""

        def inside(*nodes: form.Expr) -> Iterator[Schema]:
            for each in nodes:
                yield from self._written(each, function, depth, seen)

        match node:
            case form.Name(id=name) if name not in seen:
                seen.add(name)
                bindings = function.scope.bindings.get(name, ())
                given = [b.value for b in bindings if b.how is How.ASSIGN and b.value is not None]
                yield from inside(*given, *added_to(name, function))
                if any(isinstance(value, form.Dict) for value in given):
                    yield from filled_dict(name, function)
            case form.Await(value=value) | form.Starred(value=value) | form.Lambda(body=value):
                yield from inside(value)
            case form.Conditional(body=body, orelse=orelse):
                yield from inside(body, orelse)
            case form.Boolean(values=items) | form.Display(items=items):
                yield from inside(*items)
            case form.Comprehension() | form.Dict():
                yield from self._put_together(node, function)
                yield from inside(*_parts(node))
            case form.Attr(value=owner, attr=attr):
                yield from self._attribute(owner, attr, function.scope, depth)
            case form.Call():
                yield from self._called(node, function, depth, seen)

    def _put_together(self, node: form.Comprehension | form.Dict, function: FunctionSymbol) -> Iterator[Schema]:
        if isinstance(node, form.Dict):
            found = written_dict(node, function.scope, function)
        elif writes_columns(node) and function.owner is not None:
            found = self._schemas.of_rows(function.owner)
        else:
            found = None
        if found is not None:
            yield found

    def _attribute(self, owner: form.Expr, attr: str, scope: Scope, depth: int) -> Iterator[Schema]:
        """`serializer.data`, `user.__dict__`, `user.as_json` where that is a property."""
        if attr == "__dict__":
            yield from self._row(owner, scope)
        found = self._made(owner, scope) if attr == "data" else None
        if found is not None and found.library is Library.REST_FRAMEWORK:
            yield found
        cls = self._schemas.tables.row_class(owner, scope) if depth else None
        method = self._project.method(cls, attr) if cls is not None else None
        if method is not None and any(last_name(d) in _PROPERTIES for d in method.decorators):
            yield from self._of_function(method, depth - 1)

    def _called(self, node: form.Call, function: FunctionSymbol, depth: int, seen: set[str]) -> Iterator[Schema]:
        name, scope = last_name(node.func) or "", function.scope
        known = self._by_library(node, name, scope)
        if known is not None:
            yield known
            return
        callee = self._project.infer(node.func, scope)
        if name == "jsonify":
            found = written_dict(node, scope, function)
            if found is not None:
                yield found
        target = callee.function if isinstance(callee, BoundMethod) else callee
        if callee is None or isinstance(callee, External):
            target = self._method_of_row(node, scope)
        if isinstance(target, FunctionSymbol):
            of_callee = self._of_function(target, depth - 1) if depth else ()
            yield from of_callee
            if of_callee or _RESPONDING.isdisjoint(words(name)):
                return
        for arg in node.args:
            yield from self._written(arg.value, function, depth, seen)

    def _method_of_row(self, node: form.Call, scope: Scope) -> FunctionSymbol | None:
        """`to_dict` of what a query gave."""
        if not isinstance(node.func, form.Attr):
            return None
        cls = self._schemas.tables.row_class(node.func.value, scope)
        return self._project.method(cls, node.func.attr) if cls is not None else None

    def _by_library(self, node: form.Call, name: str, scope: Scope) -> Schema | None:
        """`schema.dump(user)`, `UserRead.model_validate(user)`, `marshal(user, fields)`, `model_to_dict(user)`."""
        owner = node.func.value if isinstance(node.func, form.Attr) else None
        if name in ("dump", "dumps", "jsonify") and owner is not None:
            found = self._made(owner, scope)
            return found if found is not None and found.library is Library.MARSHMALLOW else None
        if name in ("model_validate", "from_orm", "parse_obj") and owner is not None:
            cls = self._project.infer(owner, scope)
            return self._schemas.of(cls) if isinstance(cls, ClassSymbol) else None
        if name in ("model_dump", "dict", "model_dump_json") and owner is not None:
            found = self._made(owner, scope)
            return found if found is not None and found.library is Library.PYDANTIC else None
        if name == "marshal":
            given = node.argument(1, "fields")
            return self._schemas.of_expression(given, scope) if given is not None else None
        if name == "values" and owner is not None and _is_manager(owner, scope):
            row = next(self._row(owner, scope), None)
            named = [arg.value for arg in node.args if isinstance(arg.value, form.Const)]
            only = frozenset(text.value for text in named if isinstance(text.value, str)) or None
            return row.narrowed(only, frozenset()) if row is not None else None
        if name == "model_to_dict" and node.positional:
            row = next(self._row(node.positional[0], scope), None)
            only, without = (self._names(node.keyword(word), scope) for word in ("fields", "exclude"))
            return row.narrowed(only, without or frozenset()) if row is not None else None
        return None

    def _names(self, node: form.Expr | None, scope: Scope) -> frozenset[str] | None:
        found = names_in(node, scope, self._project, self._schemas.tables.columns) if node is not None else None
        return frozenset(found) if found is not None else None

    def _row(self, node: form.Expr, scope: Scope) -> Iterator[Schema]:
        cls = self._schemas.tables.row_class(node, scope)
        row = self._schemas.of_rows(cls) if cls is not None else None
        if row is not None:
            yield row

    def _made(self, owner: form.Expr, scope: Scope) -> Schema | None:
        value = self._project.infer(owner, scope)
        return self._schemas.of_value(value) if isinstance(value, Instance) else None


def _is_manager(node: form.Expr, scope: Scope) -> bool:
    """Whether it is one of Django's queries: `User.objects.filter(...)`, or a name that was given one."""
    values = [node]
    if isinstance(node, form.Name):
        values = [b.value for b in scope.lookup(node.id, node.start) if b.how is How.ASSIGN and b.value is not None]
    return any(isinstance(n, form.Attr) and n.attr == "objects" for value in values for n in form.walk(value))


def _parts(node: form.Comprehension | form.Dict) -> list[form.Expr]:
    if isinstance(node, form.Dict):
        return node.values
    return [node.element, *([node.value] if node.value is not None else [])]
