"""What endpoints answer with: the schemas that write their answers, and the credentials among the fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from assay.scanner.dataflow.bodies.answers import Answers
from assay.scanner.dataflow.bodies.credentials import Credential, credential
from assay.scanner.dataflow.bodies.schemas.reader import Schemas
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema, SchemaField
from assay.scanner.framework import BodyType, Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.body import ResponseShape
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_READS = ("GET", "ANY")
_ENTRANCE = re.compile(r"(token|auth|login|sign-?in|oauth|sso|callback|csrf|session|refresh|saml)", re.IGNORECASE)
"""Paths that hand out tokens because that is what they are for."""
_DEEPEST = 5
_MOST_NAMED = 3


@dataclass(slots=True)
class _Use:
    """A schema, with the endpoints that answer with it and the part of its fields that each shows."""

    schema: Schema
    endpoints: list[tuple[Endpoint, Schema]] = field(default_factory=list)


class Shapes:
    """Finds the response shapes of one project."""

    def __init__(self, schemas: Schemas, project: Project) -> None:
        self._schemas = schemas
        self._answers = Answers(schemas, project)
        self._uses: dict[str, _Use] = {}
        self._taken: set[str] = set()
        """Schemas that bodies of requests are read by."""

    def all(self, endpoints: Iterable[tuple[Route, Endpoint]]) -> Iterator[ResponseShape]:
        """One for each schema that an endpoint answers with, directly or inside another."""
        for route, endpoint in endpoints:
            if endpoint.kind is not EndpointKind.JSON:
                continue
            for asked in route.request_types:
                schema = self._schemas.declared(asked)
                self._taken.update([_name(schema)] if schema is not None else [])
            for schema in self._answers.of(route):
                self._note(schema, endpoint, _DEEPEST)
        for name, use in self._uses.items():
            yield self._shape(name, use)

    def _note(self, schema: Schema, endpoint: Endpoint, depth: int) -> None:
        use = self._uses.setdefault(_name(schema), _Use(schema))
        if any(endpoint is known and schema is shown for known, shown in use.endpoints):
            return
        use.endpoints.append((endpoint, schema))
        for each in schema.fields.values() if depth else ():
            for inner in each.nested if each.is_shown else ():
                nested = self._schemas.of(inner)
                if nested is not None:
                    self._note(nested, endpoint, depth - 1)

    # --- what its fields hold ---

    def _shape(self, name: str, use: _Use) -> ResponseShape:
        schema = use.schema
        shown: dict[str, Evidence] = {}
        issued: dict[str, Evidence] = {}
        doubtful: dict[str, Evidence] = {}
        kept: dict[str, Evidence] = {}
        for endpoint, used in use.endpoints:
            for each in used.fields.values():
                kind = credential(each.name) if each.is_text else None
                if kind is None or each.nested:
                    continue
                evidence = Evidence(each.location, f"`{each.name}` is in the answer of {endpoint.label}")
                if each.is_masked or not each.is_shown:
                    kept.setdefault(each.name, Evidence(each.location, f"`{each.name}` is not shown as it is"))
                elif _is_stored(kind, each, used):
                    into = shown if self._is_exposed(kind, endpoint, used) else issued
                    into.setdefault(each.name, evidence)
                elif kind is not Credential.PASSWORD and _is_read(endpoint):
                    doubtful.setdefault(each.name, evidence)
                else:
                    issued.setdefault(each.name, evidence)
        labels = dict.fromkeys(endpoint.label for endpoint, _ in use.endpoints)
        return ResponseShape(
            name,
            schema.location,
            schema.role,
            tuple(labels),
            tuple(shown.values()),
            tuple(e for n, e in issued.items() if n not in shown),
            tuple(e for n, e in doubtful.items() if n not in shown),
            tuple(e for n, e in kept.items() if n not in shown),
            self._unresolved(use),
        )

    def _is_exposed(self, kind: Credential, endpoint: Endpoint, used: Schema) -> bool:
        """A password is never to be seen again; other credentials are shown once, by what makes them."""
        if kind is Credential.PASSWORD:
            return _is_read(endpoint) or used.table is not None or _name(used) in self._taken
        return _is_read(endpoint)

    def _unresolved(self, use: _Use) -> Evidence | None:
        """Why the fields can't be told, where the table has a credential that may be among them."""
        schema = use.schema
        if schema.unknown is None or not any(_is_read(endpoint) for endpoint, _ in use.endpoints):
            return None
        columns = schema.table.columns if schema.table is not None else ()
        return schema.unknown if any(credential(c.name) is not None for c in columns) else None


def _is_read(endpoint: Endpoint) -> bool:
    return endpoint.method in _READS and not _ENTRANCE.search(endpoint.path)


def _is_stored(kind: Credential, field_: SchemaField, used: Schema) -> bool:
    """Whether the field shows what is kept somewhere: names of passwords and keys say so, of tokens their column."""
    if kind in (Credential.PASSWORD, Credential.KEY):
        return True
    columns = used.table.columns if used.table is not None else ()
    return kind is Credential.TOKEN and any(column.name == field_.name for column in columns)


def _name(schema: Schema) -> str:
    if schema.cls is not None:
        return schema.cls.id
    return f"{schema.location.path}:{schema.name}"
