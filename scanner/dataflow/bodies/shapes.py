"""What endpoints answer with: the schemas that write their answers, and the credentials among the fields."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from assay.scanner.dataflow.bodies.answers import Answers
from assay.scanner.dataflow.bodies.credentials import Credential, credential
from assay.scanner.dataflow.bodies.schemas.reader import Schemas
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema, SchemaField
from assay.scanner.dataflow.lexicon import words
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project
from assay.scanner.model.body import ResponseShape
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence

_READS = ("GET", "ANY", "PUT", "PATCH")
"""Methods whose answers show what was there before."""
_ENTRANCES = frozenset(
    {
        "auth", "login", "signin", "oauth", "oauth2", "sso", "callback", "csrf", "refresh", "saml", "token", "session",
        "rotate", "regenerate", "renew", "reset",
    }
)  # fmt: skip
"""Words of paths that hand out tokens because that is what they are for."""
_HANDED_OUT = frozenset({"invite", "invites", "invitation", "share", "shared", "push", "subscription"})
_DEEPEST = 5


@dataclass(slots=True)
class _Use:
    """A schema, with the endpoints that answer with it and the part of its fields that each shows."""

    schema: Schema
    endpoints: list[tuple[Endpoint, Schema]] = field(default_factory=list)
    known: set[tuple[str, Schema]] = field(default_factory=set)


@dataclass(slots=True)
class _Found:
    """Credentials among the fields of a shape, by name."""

    shown: dict[str, Evidence] = field(default_factory=dict)
    issued: dict[str, Evidence] = field(default_factory=dict)
    doubtful: dict[str, Evidence] = field(default_factory=dict)
    kept: dict[str, Evidence] = field(default_factory=dict)


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
            for schema in filter(_is_worth_saying, self._answers.of(route)):
                self._note(schema, endpoint, _DEEPEST)
        for name, use in self._uses.items():
            yield self._shape(name, use)

    def _note(self, schema: Schema, endpoint: Endpoint, depth: int) -> None:
        use = self._uses.setdefault(_name(schema), _Use(schema))
        if (endpoint.subject_id, schema) in use.known:
            return
        use.known.add((endpoint.subject_id, schema))
        use.endpoints.append((endpoint, schema))
        for each in schema.fields.values() if depth else ():
            for inner in each.nested if each.is_shown else ():
                nested = self._schemas.of(inner)
                if nested is not None:
                    self._note(nested, endpoint, depth - 1)

    # --- what its fields hold ---

    def _shape(self, name: str, use: _Use) -> ResponseShape:
        schema, found = use.schema, _Found()
        for endpoint, used in use.endpoints:
            for each in used.fields.values():
                kind = credential(each.name) if each.is_text and not each.nested else None
                if kind is not None:
                    self._sorted_in(found, each, kind, endpoint, used)
        shown = tuple(found.shown.values())
        doubtful = tuple(e for n, e in found.doubtful.items() if n not in found.shown)
        first = next(iter((*shown, *doubtful)), None)
        return ResponseShape(
            name,
            first.location if first is not None and first.location.path == schema.location.path else schema.location,
            schema.role,
            tuple(dict.fromkeys(endpoint.label for endpoint, _ in use.endpoints)),
            shown,
            tuple(e for n, e in found.issued.items() if n not in found.shown),
            doubtful,
            tuple(e for n, e in found.kept.items() if n not in found.shown),
            self._unresolved(use),
            hands_out=bool(found.issued) and all(_is_entrance(endpoint) for endpoint, _ in use.endpoints),
        )

    def _sorted_in(
        self, found: _Found, field_: SchemaField, kind: Credential, endpoint: Endpoint, used: Schema
    ) -> None:
        name = field_.name
        if field_.is_masked or not field_.is_shown:
            found.kept.setdefault(name, Evidence(field_.location, f"`{name}` is not shown as it is"))
            return
        is_exposed = self._is_exposed(kind, endpoint, used)
        if self._is_stored(kind, field_, used):
            into = found.doubtful if is_exposed and (field_.is_chosen or _is_handed_out(used)) else found.shown
            into = into if is_exposed else found.issued
        else:
            is_told = field_.is_stored is None and kind is not Credential.PASSWORD and is_exposed
            into = found.doubtful if is_told else found.issued
        into.setdefault(name, Evidence(field_.location, f"`{name}` is in the answer of {endpoint.label}"))

    def _is_exposed(self, kind: Credential, endpoint: Endpoint, used: Schema) -> bool:
        """A password is never to be seen again; other credentials are shown once, by what makes them."""
        is_read = endpoint.method in _READS
        if kind is Credential.PASSWORD:
            return is_read or used.table is not None or _name(used) in self._taken
        is_renewal = endpoint.method == "PUT" and endpoint.path.rstrip("/").endswith(("/tokens", "/keys", "/key"))
        return is_read and not is_renewal and not _is_entrance(endpoint)

    def _is_stored(self, kind: Credential, field_: SchemaField, used: Schema) -> bool:
        """Names of passwords and keys say that they are kept somewhere, a column says it of tokens."""
        if field_.is_stored is not None:
            return field_.is_stored
        if kind in (Credential.PASSWORD, Credential.KEY):
            return True
        table = used.table or self._schemas.tables.named_like(used.name)
        return kind is Credential.TOKEN and table is not None and any(c.name == field_.name for c in table.columns)

    def _unresolved(self, use: _Use) -> Evidence | None:
        """Why the fields can't be told, where the table has a credential that may be among them."""
        schema = use.schema
        if schema.unknown is None or not any(endpoint.method in _READS for endpoint, _ in use.endpoints):
            return None
        columns = schema.table.columns if schema.table is not None else ()
        return schema.unknown if any(credential(c.name) is not None for c in columns) else None


def _is_entrance(endpoint: Endpoint) -> bool:
    return not _ENTRANCES.isdisjoint(words(endpoint.path))


def _is_handed_out(schema: Schema) -> bool:
    """Whether rows of its kind are made to be passed on: invitations, shares."""
    return not _HANDED_OUT.isdisjoint(words(schema.table.model if schema.table is not None else schema.name))


def _is_worth_saying(schema: Schema) -> bool:
    """A dict written by hand is a shape where it shows an object, or what may be a credential."""
    if schema.library is not Library.DICT:
        return True
    fields = schema.fields.values()
    return sum(f.is_stored is True for f in fields) > 1 or any(credential(f.name) is not None for f in fields)


def _name(schema: Schema) -> str:
    if schema.cls is not None:
        return schema.cls.id
    return f"{schema.location.path}:{schema.name}"
