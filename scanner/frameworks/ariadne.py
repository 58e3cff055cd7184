"""Ariadne: GraphQL schemas written in the schema language, in strings or in files
(https://ariadnegraphql.org/docs/api-reference#make_executable_schema).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from assay.scanner.dataflow.constants import definitions as definitions_of
from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import Context, Framework, Route, Sited
from assay.scanner.linker.project import last_name
from assay.scanner.linker.values import Instance
from assay.scanner.readers.graphql import GraphqlFacts, definitions
from assay.scanner.readers.python import form
from assay.scanner.web.graphql_apps import standalone_routes
from assay.scanner.web.graphql_fields import ROOTS

_SCHEMAS = frozenset(
    {
        "ariadne.make_executable_schema",
        "ariadne.executable_schema.make_executable_schema",
        "ariadne.contrib.federation.make_federated_schema",
        "ariadne.contrib.federation.schema.make_federated_schema",
    }
)
_APPS = frozenset({"ariadne.asgi.GraphQL", "ariadne.asgi.graphql.GraphQL", "ariadne.wsgi.GraphQL"})
_READING = frozenset({"load_schema_from_path", "open", "read_text", "read"})
_DEEPEST = 8


def _schema(value: Instance, context: Context) -> tuple[str, ...] | None:
    if value.type_name not in _SCHEMAS or value.origin is None or value.scope is None:
        return None
    given = value.origin.positional[0] if value.origin.positional else value.origin.keyword("type_defs")
    site = Sited(given or value.origin, value.scope)
    documents = list(_documents(site, context, _DEEPEST))
    if not documents:
        context.unresolved(site.module.location(site.node), "the definitions of this GraphQL schema can't be told")
    return tuple(_operations(documents))


def _operations(documents: Iterable[GraphqlFacts]) -> Iterator[str]:
    """The fields of the root types: `Query` and its like, unless a `schema` definition names others."""
    documents = list(documents)
    named = {operation: name for document in documents for operation, name in document.roots}
    for root in ROOTS:
        name = named.get(root, root.capitalize())
        fields = {field for document in documents for t in document.types if t.name == name for field in t.fields}
        yield from (f"{root} {field}" for field in sorted(fields))


def _documents(site: Sited, context: Context, depth: int) -> Iterator[GraphqlFacts]:
    """What type definitions come to: a string, `gql(...)`, a file or folder that is loaded, a list of these."""
    node = site.node
    text = string_value(node, site.scope, context.project)
    if text is not None:
        yield definitions(text)
    elif not depth:
        return
    elif isinstance(node, form.Display):
        for item in node.items:
            inner = item.value if isinstance(item, form.Starred) else item
            yield from _documents(Sited(inner, site.scope), context, depth - 1)
    elif isinstance(node, form.Binary):
        for side in (node.left, node.right):
            yield from _documents(Sited(side, site.scope), context, depth - 1)
    elif isinstance(node, form.Call):
        yield from _of_call(node, site, context, depth)
    else:
        for definition in definitions_of(node, site.scope, context.project):
            yield from _documents(Sited(*definition), context, depth - 1)


def _of_call(call: form.Call, site: Sited, context: Context, depth: int) -> Iterator[GraphqlFacts]:
    """Of a call that reads a file, or that hands on what it is given, as `gql` does."""
    function = context.project.callee_function(call, site.scope)
    if last_name(call.func) in _READING:
        yield from _files(_components(Sited(call, site.scope), context, depth), site, context)
    elif function is not None:
        for returned in function.returns:
            if returned.value is not None:
                yield from _documents(Sited(returned.value, function.scope), context, depth - 1)
    elif call.positional:
        yield from _documents(Sited(call.positional[0], site.scope), context, depth - 1)


def _components(site: Sited, context: Context, depth: int) -> list[str]:
    """The names that an expression for a path puts together, without the place of the module, which comes first."""
    text = string_value(site.node, site.scope, context.project)
    if text is not None or not depth:
        return [text] if text else []
    match site.node:
        case form.Name() | form.Attr() if found := definitions_of(site.node, site.scope, context.project):
            return _components(Sited(*found[-1]), context, depth - 1)
        case form.Template(parts=parts):
            inner = [
                p if isinstance(p, str) else _components(Sited(p.value, site.scope), context, depth) for p in parts
            ]
            return [text for part in inner for text in ([part] if isinstance(part, str) else part)]
        case form.Call(func=func, args=args):
            nodes = [*([func.value] if isinstance(func, form.Attr) else []), *(a.value for a in args if not a.name)]
        case form.Binary(left=left, right=right):
            nodes = [left, right]
        case form.Attr(value=value):
            nodes = [value]
        case _:
            nodes = []
    return [text for node in nodes for text in _components(Sited(node, site.scope), context, depth - 1)]


def _files(components: list[str], site: Sited, context: Context) -> list[GraphqlFacts]:
    """The file by that path, or all files of the folder. What the path is relative to, and where the tree will be
    deployed, can't be told: the nearest place above the module that has it counts.
    """
    parts = [p for p in posixpath.normpath("/".join(components)).split("/") if p not in ("", ".", "..")]
    known = {path: facts for path, facts in context.files.items() if isinstance(facts, GraphqlFacts)}
    for start in range(len(parts) + 1 if not parts else len(parts)):
        for folder in PurePosixPath(site.module.path).parents:
            wanted = str(folder.joinpath(*parts[start:]))
            if wanted in known:
                return [known[wanted]]
            inside = [facts for path, facts in sorted(known.items()) if wanted == "." or path.startswith(wanted + "/")]
            if inside:
                return inside
    return []


def _routes(context: Context) -> Iterable[Route]:
    return standalone_routes(context, _APPS, "ariadne")


ARIADNE = Framework(
    "Ariadne",
    ("ariadne", "ariadne_django"),
    routes=_routes,
    applications=_APPS,
    views={
        **dict.fromkeys(_APPS, ("ANY",)),
        "ariadne_django.views.GraphQLView": ("ANY",),
        "ariadne.contrib.django.views.GraphQLView": ("ANY",),
    },
    schema=_schema,
)
