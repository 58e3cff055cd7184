"""Strawberry: GraphQL schemas whose root types are decorated classes (https://strawberry.rocks/docs/types/schema)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.dataflow.expansion import resolved
from assay.scanner.framework import Context, Framework, Route, Sited
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, How
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form
from assay.scanner.web.graphql_apps import standalone_routes
from assay.scanner.web.graphql_fields import camel_case, is_switched_off, members, root_fields

_SCHEMAS = frozenset(
    {
        "strawberry.Schema",
        "strawberry.schema.Schema",
        "strawberry.schema.schema.Schema",
        "strawberry.federation.Schema",
        "gqlauth.core.middlewares.JwtSchema",
    }
)
_PACKAGES = ("strawberry", "strawberry_django", "strawberry_django_plus", "strawberry_sqlalchemy_mapper", "gqlauth")
_NO_FIELDS = frozenset({"Private", "ClassVar", "InitVar"})
"""What marks an attribute of a type as the class's own affair."""
_APPS = frozenset({"strawberry.asgi.GraphQL"})
_GET_AND_POST = ("GET", "POST")


def _schema(value: Instance, context: Context) -> tuple[str, ...] | None:
    names = {value.type_name} if value.cls is None else context.project.base_names(value.cls)
    if _SCHEMAS.isdisjoint(names) or value.origin is None or value.scope is None:
        return None
    site = Sited(value.origin, value.scope)
    fields = _Fields(context, is_camel_case=_is_camel_case(value.origin, site, context))
    return root_fields(value.origin, site, fields.of)


def _is_camel_case(call: form.Call, site: Sited, context: Context) -> bool:
    """Unless `config=StrawberryConfig(auto_camel_case=False)` says otherwise."""
    config = call.keyword("config")
    made = resolved(config, site.scope, context.project, {}) if config is not None else None
    if not isinstance(made, Instance) or made.origin is None or made.scope is None:
        return True
    return not is_switched_off(made.origin.argument(0, "auto_camel_case"), Sited(made.origin, made.scope), context)


class _Fields:
    """The fields of the types of one schema."""

    def __init__(self, context: Context, *, is_camel_case: bool) -> None:
        self._context = context
        self._project = context.project
        self._is_camel_case = is_camel_case

    def of(self, root: Sited) -> Iterator[str]:
        """The names of a root type's fields: of a class, of `merge_types(...)` or of `create_type(...)`."""
        value = resolved(root.node, root.scope, self._project, {})
        if isinstance(value, ClassSymbol):
            yield from self._of_class(value)
        elif isinstance(value, Instance) and value.origin is not None and value.scope is not None:
            yield from self._of_call(value.origin, Sited(value.origin, value.scope), last_part(value.type_name))
        else:
            self._unknown(root)

    def _of_call(self, call: form.Call, site: Sited, tool: str) -> Iterator[str]:
        listed = call.argument(1, "types" if tool == "merge_types" else "fields")
        if tool not in ("merge_types", "create_type") or listed is None:
            self._unknown(site)
            return
        for node, scope in list_items(listed, site.scope, self._project):
            if tool == "merge_types":
                yield from self.of(Sited(node, scope))
            else:
                yield from self._created(Sited(node, scope))

    def _created(self, item: Sited) -> Iterator[str]:
        """The field that a function is which `create_type` is given."""
        value = resolved(item.node, item.scope, self._project, {})
        if isinstance(value, FunctionSymbol):
            yield self._shown(value.name, *self._of_library(_decorators(value)))
        else:
            self._unknown(item)

    def _unknown(self, site: Sited) -> None:
        self._context.unresolved(site.module.location(site.node), "the fields of this GraphQL type can't be told")

    def _of_class(self, cls: ClassSymbol) -> Iterator[str]:
        """Its own and those of its bases, as far as they are types: a mixin without a decorator gives none."""
        found = members(cls, self._context, _PACKAGES, counts=lambda base: bool(base.node.decorators))
        for name, binding in found.items():
            if self._is_field(binding):
                yield self._shown(name, *self._makers(binding))
        for base in self._project.mro(cls):
            for arg in base.node.bases if isinstance(base, ClassSymbol) else ():
                if isinstance(base, ClassSymbol) and not arg.star and self._is_made(Sited(arg.value, base.outer)):
                    yield from self.of(Sited(arg.value, base.outer))

    def _is_made(self, base: Sited) -> bool:
        """Whether a base is no class of the code, but made by `create_type` or `merge_types`."""
        return isinstance(self._project.infer(base.node, base.scope), Instance)

    def _is_field(self, binding: Binding) -> bool:
        if binding.how is How.ASSIGN and binding.annotation is not None:
            named = {last_name(n) for n in form.walk(binding.annotation) if isinstance(n, form.Name | form.Attr)}
            return named.isdisjoint(_NO_FIELDS)
        return bool(self._makers(binding))

    def _makers(self, binding: Binding) -> list[Sited]:
        """The calls or decorators of the library that make a field of what the class binds."""
        if binding.function is not None:
            return self._of_library(_decorators(binding.function))
        return self._of_library([Sited(binding.value, binding.scope)] if binding.value is not None else [])

    def _of_library(self, sites: list[Sited]) -> list[Sited]:
        values = [(site, self._project.infer(site.node, site.scope)) for site in sites]
        names = [
            (site, v.type_name if isinstance(v, Instance) else v.name if isinstance(v, External) else "")
            for site, v in values
        ]
        return [site for site, name in names if name.partition(".")[0] in _PACKAGES]

    def _shown(self, name: str, *makers: Sited) -> str:
        """The name in the schema: the one that `name=` gives, else the attribute's own."""
        for maker in makers:
            given = maker.node.keyword("name") if isinstance(maker.node, form.Call) else None
            stated = string_value(given, maker.scope, self._project) if given is not None else None
            if stated is not None:
                return stated
        return camel_case(name) if self._is_camel_case else name


def _decorators(function: FunctionSymbol) -> list[Sited]:
    return [Sited(decorator, function.outer) for decorator in function.decorators]


def _routes(context: Context) -> Iterable[Route]:
    return standalone_routes(context, _APPS, "strawberry")


STRAWBERRY = Framework(
    "Strawberry",
    _PACKAGES,
    routes=_routes,
    applications=_APPS,
    views={
        **dict.fromkeys(_APPS, ("ANY",)),
        "strawberry.aiohttp.views.GraphQLView": ("ANY",),
        "strawberry.django.views.GraphQLView": ("ANY",),
        "strawberry.django.views.AsyncGraphQLView": ("ANY",),
        "strawberry.channels.GraphQLHTTPConsumer": ("ANY",),
        "strawberry.channels.handlers.http_handler.GraphQLHTTPConsumer": ("ANY",),
        "strawberry.flask.views.GraphQLView": _GET_AND_POST,
        "strawberry.flask.views.AsyncGraphQLView": _GET_AND_POST,
        "strawberry.quart.views.GraphQLView": _GET_AND_POST,
        "strawberry.sanic.views.GraphQLView": _GET_AND_POST,
        "strawberry.litestar.make_graphql_controller": _GET_AND_POST,
    },
    routers={
        "strawberry.fastapi.GraphQLRouter": _GET_AND_POST,
        "strawberry.fastapi.router.GraphQLRouter": _GET_AND_POST,
    },
    schema=_schema,
)
