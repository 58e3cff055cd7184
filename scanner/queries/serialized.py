"""Relations that the schema or serializer of a list endpoint looks at, for each row that it writes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.bodies.answers import Answers
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema, SchemaField
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.query import Bound
from assay.scanner.model.relation_read import Supply
from assay.scanner.model.table import Relation
from assay.scanner.queries.chains import Chains, Query
from assay.scanner.queries.eager import Eager, EagerLoads
from assay.scanner.queries.elements import Elements
from assay.scanner.queries.relation_reads import Look, Looks, supply_of
from assay.scanner.queries.relations import Relations
from assay.scanner.readers.python import form

_BY_KEY = frozenset({"PrimaryKeyRelatedField", "HyperlinkedRelatedField"})
"""Fields that need the key alone, which the row itself has."""
_WRITTEN_BY = (Library.PYDANTIC, Library.REST_FRAMEWORK, Library.MARSHMALLOW)


@dataclass(frozen=True, slots=True)
class Serialized:
    """Tells it of endpoints."""

    project: Project
    answers: Answers
    relations: Relations
    chains: Chains
    eager: EagerLoads
    looks: Looks

    def of(self, route: Route, endpoint: Endpoint) -> Iterator[tuple[Elements, Look]]:
        """Each relation once, with the rows that the endpoint lists."""
        if not endpoint.is_json_list:
            return
        found: set[str] = set()
        for schema in self.answers.of(route):
            if schema.library not in _WRITTEN_BY or schema.cls is None:
                continue
            elements = self._rows(schema, route, endpoint)
            if elements is None:
                continue
            for relation, steps, method in self._read_by(schema, elements.model):
                if relation.name not in found:
                    found.add(relation.name)
                    supply, loader = supply_of(relation, method, elements)
                    if supply is Supply.UNKNOWN and elements.eager.computed is not None:
                        # From the serializer's own fields, as a view that serves many of them does.
                        supply, loader = Supply.LOADED, elements.eager.computed
                    yield elements, Look(elements.model, relation, None, supply, steps, loader)

    # --- the rows ---

    def _rows(self, schema: Schema, route: Route, endpoint: Endpoint) -> Elements | None:
        """The listed rows of the schema's model, where it is known which that is."""
        model = schema.table.model if schema.table is not None else None
        reads = [r for r in endpoint.reads if self.relations.knows(r.model) and model in (None, r.model)]
        if len({r.model for r in reads}) != 1 or any(r.bound is Bound.UNKNOWN and model is None for r in reads):
            return None
        if model is None and not _is_named_after(schema, reads[0].model):
            return None
        eager, is_django = Eager(), False
        for read in reads:
            query = self._query_at(read.location)
            if query is not None:
                eager.add(self.eager.of(query))
                is_django = query.is_django
            else:
                eager.is_open = True
        if route.view_class is not None:
            eager.add(self.eager.in_class(route.view_class))
            if schema.cls is not None:
                eager.add(self.eager.in_serializer(schema.cls))
        for function in self._around(route):
            eager.add(self.eager.in_function(function))
        place = Evidence(reads[0].location, f"{endpoint.label} reads {reads[0].model}")
        return Elements(reads[0].model, place, eager, is_django)

    def _query_at(self, location: Location) -> Query | None:
        module = self.project.modules.get(location.path)
        if module is None:
            return None
        start = module.facts.line_starts[location.line - 1] + location.column - 1
        for call, scope in module.calls:
            if not call.start <= start < call.end:
                continue
            node: form.Expr = call
            while isinstance(node, form.Call | form.Attr):
                if node.start == start and module.location(node) == location:
                    return self.chains.query(call, scope) or self.chains.query(node, scope)
                node = node.func if isinstance(node, form.Call) else node.value
        return None

    def _around(self, route: Route) -> Iterator[FunctionSymbol]:
        """The functions in which the query may have been told what to load."""
        if route.handler is not None:
            yield route.handler
            for node in route.handler.nodes:
                callee = (
                    self.project.callee_function(node, route.handler.scope) if isinstance(node, form.Call) else None
                )
                if callee is not None:
                    yield callee

    # --- the fields ---

    def _read_by(self, schema: Schema, model: str) -> Iterator[tuple[Relation, tuple[Evidence, ...], str | None]]:
        known = self.relations.of(model)
        for name, shown in schema.fields.items():
            if not shown.is_shown:
                continue
            source, call = self._declared(schema, name)
            relation = known.get(source.partition(".")[0])
            place = Evidence(shown.location, f"{schema.name} shows `{name}` of each {model}")
            if relation is not None:
                if self._loads(schema, shown, relation, source, call):
                    yield relation, (place,), "all" if relation.to_many else None
            elif schema.library is Library.REST_FRAMEWORK and schema.cls is not None:
                method = self.project.method(schema.cls, f"get_{name}")
                if method is not None and len(method.node.params) > 1:
                    parameter = method.node.params[1].name
                    for _, related, node, called in self.looks.inside_of(method, parameter, model):
                        step = method.module.evidence(node, f"{method.name}() looks at `{related.name}`")
                        yield related, (place, step), called
                elif call is None:
                    for related, _, called, step in self.looks.by_property(model, name):
                        yield related, (place, step), called

    def _declared(self, schema: Schema, name: str) -> tuple[str, form.Call | None]:
        """What a declared field takes its value from, `author.name`, and the field's own call."""
        bindings = self.project.class_member(schema.cls, name) if schema.cls is not None else []
        binding = bindings[-1] if bindings else None
        call = binding.value if binding is not None and binding.how is How.ASSIGN else None
        if not isinstance(call, form.Call):
            return name, None
        source = call.keyword("source") or call.keyword("attribute")
        text = source.value if isinstance(source, form.Const) else None
        return (text if isinstance(text, str) and text != "*" else name), call

    def _loads(
        self, schema: Schema, shown: SchemaField, relation: Relation, source: str, call: form.Call | None
    ) -> bool:
        """Whether writing the field takes more of the related object than the key, which the row has."""
        if schema.library is not Library.REST_FRAMEWORK:
            return bool(shown.nested) or relation.to_many
        if relation.to_many:
            return True
        if call is None:
            return False
        if "." in source:
            return not source.endswith((".id", ".pk")) or source.count(".") > 1
        value = self.project.infer(call.func, schema.cls.scope) if schema.cls is not None else None
        is_nested = isinstance(value, ClassSymbol) and bool(shown.nested)
        return is_nested or (last_name(call.func) in ("StringRelatedField", "SlugRelatedField"))


def _is_named_after(schema: Schema, model: str) -> bool:
    """`OrderOut`, `OrderRead`, `order_schema` of an Order."""
    return schema.name.lower().replace("_", "").startswith(model.lower()) or model.lower() in schema.name.lower()
