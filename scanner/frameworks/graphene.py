"""Graphene: GraphQL schemas whose root types are classes with field attributes, also of Django models
(https://docs.graphene-python.org/en/latest/types/schema/, https://docs.graphene-python.org/projects/django/).
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.expansion import resolved
from assay.scanner.framework import Context, Framework, Sited
from assay.scanner.linker.project import last_part, literal_item
from assay.scanner.linker.scopes import Binding, ClassSymbol, How, Module
from assay.scanner.linker.values import Instance
from assay.scanner.readers.python import form
from assay.scanner.web.graphql_fields import camel_case, is_switched_off, members, root_fields

_SCHEMAS = frozenset(
    {
        "graphene.Schema",
        "graphene.types.Schema",
        "graphene.types.schema.Schema",
        "graphene_federation.build_schema",
        "graphene_federation.main.build_schema",
    }
)
_PACKAGES = ("graphene", "graphene_django", "graphene_sqlalchemy", "graphene_mongo", "graphene_file_upload")
_FIELD_ENDINGS = ("Field", "NodeField", "List", "Dynamic")
"""How library and project classes end that make a field where a type has one as its attribute."""
_DJANGO_VIEWS = frozenset({"graphene_django.views.GraphQLView", "graphene_file_upload.django.FileUploadGraphQLView"})
_FLASK_METHODS = ("GET", "POST", "PUT", "DELETE")


def _schema(value: Instance, context: Context) -> tuple[str, ...] | None:
    names = {value.type_name} if value.cls is None else context.project.base_names(value.cls)
    if not _SCHEMAS.isdisjoint(names) and value.origin is not None and value.scope is not None:
        site = Sited(value.origin, value.scope)
        is_camel_case = not is_switched_off(value.origin.keyword("auto_camelcase"), site, context)
        return root_fields(value.origin, site, _Fields(context, is_camel_case=is_camel_case).of)
    if not _DJANGO_VIEWS.isdisjoint({value.type_name.removesuffix(".as_view"), *names}):
        is_given = value.origin is not None and value.origin.keyword("schema") is not None
        return None if is_given else _schema_of_settings(context)
    return None


def _schema_of_settings(context: Context) -> tuple[str, ...] | None:
    """Of `GRAPHENE = {"SCHEMA": "shop.schema.schema"}`, which Django's view serves unless it is given one."""
    for module in context.project.modules.values():
        for binding in module.scope.bindings.get("GRAPHENE", ()):
            stated = literal_item(binding.value, "SCHEMA") if binding.value is not None else None
            dotted = string_value(stated, binding.scope, context.project) if stated is not None else None
            place, _, name = (dotted or "").rpartition(".")
            source = context.project.module_named(place, module.path) if place else None
            schema = context.project.member(source, name) if isinstance(source, Module) else None
            if isinstance(schema, Instance):
                return _schema(schema, context)
    return None


class _Fields:
    """The fields of the types of one schema."""

    def __init__(self, context: Context, *, is_camel_case: bool) -> None:
        self._context = context
        self._project = context.project
        self._is_camel_case = is_camel_case

    def of(self, root: Sited) -> Iterator[str]:
        """The names of a root type's fields, with those of the classes that it is put together from."""
        value = resolved(root.node, root.scope, self._project, {})
        if not isinstance(value, ClassSymbol):
            self._context.unresolved(root.module.location(root.node), "the fields of this GraphQL type can't be told")
            return
        for name, binding in members(value, self._context, _PACKAGES, counts=lambda _: True).items():
            if self._is_field(binding):
                yield self._shown(name, binding)

    def _is_field(self, binding: Binding) -> bool:
        if binding.how is not How.ASSIGN or not isinstance(binding.value, form.Call):
            return False
        value = self._project.infer(binding.value, binding.scope)
        if not isinstance(value, Instance):
            return False
        bases = self._project.base_names(value.cls) if value.cls is not None else set()
        names = {value.type_name, *bases}
        return any(n.partition(".")[0] in _PACKAGES or last_part(n).endswith(_FIELD_ENDINGS) for n in names)

    def _shown(self, name: str, binding: Binding) -> str:
        """The name in the schema: the one that `name=` gives, else the attribute's own."""
        given = binding.value.keyword("name") if isinstance(binding.value, form.Call) else None
        stated = string_value(given, binding.scope, self._project) if given is not None else None
        return stated or (camel_case(name) if self._is_camel_case else name)


GRAPHENE = Framework(
    "Graphene",
    _PACKAGES,
    views={
        **dict.fromkeys(_DJANGO_VIEWS, ("ANY",)),
        "starlette_graphene3.GraphQLApp": ("ANY",),
        "starlette.graphql.GraphQLApp": ("ANY",),
        "graphql_server.aiohttp.GraphQLView": ("ANY",),
        "graphql_server.sanic.GraphQLView": _FLASK_METHODS,
        "graphql_server.quart.GraphQLView": _FLASK_METHODS,
        "graphql_server.flask.GraphQLView": _FLASK_METHODS,
        "graphql_server.flask.graphqlview.GraphQLView": _FLASK_METHODS,
        "graphene_file_upload.flask.FileUploadGraphQLView": _FLASK_METHODS,
        "flask_graphql.GraphQLView": _FLASK_METHODS,
    },
    schema=_schema,
)
