"""The places where what clients send is copied in bulk into rows: calls, and schemas that write rows themselves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from assay.scanner.dataflow.bodies.assignments.copies import Copy
from assay.scanner.dataflow.bodies.assignments.privileges import Authority, Privilege, authority, privilege
from assay.scanner.dataflow.bodies.requests.handled import Handled
from assay.scanner.dataflow.bodies.schemas.reader import Schemas
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.model.body import BulkAssignment
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Evidence
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_WRITERS = frozenset({Library.REST_FRAMEWORK, Library.FORM})
"""Libraries whose schemas write rows themselves."""
_SAVING = ("perform_create", "perform_update", "create", "update", "post", "put", "patch", "form_valid")


@dataclass(slots=True)
class _Uses:
    """What the endpoints behind one place have in common."""

    endpoints: list[Endpoint] = field(default_factory=list)
    fixed: set[str] = field(default_factory=set)
    """Columns that the code sets itself."""

    @property
    def callers(self) -> set[Authority]:
        """Who reaches the place."""
        return {authority(endpoint) for endpoint in self.endpoints}


class BulkAssignments:
    """Finds them in what handlers do."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._project = schemas.tables.project

    def all(self, handled: Iterable[Handled]) -> Iterator[BulkAssignment]:
        """One for each call that copies, and for each schema that writes."""
        copies: dict[form.Call, tuple[list[Copy], _Uses]] = {}
        writers: dict[str, tuple[Schema, _Uses]] = {}
        for each in handled:
            endpoints = [endpoint for _, endpoint in each.routes]
            for copy in each.handling.copies:
                found, uses = copies.setdefault(copy.call, ([], _Uses()))
                found.append(copy)
                uses.endpoints += endpoints
            for schema in self._writing(each):
                _, uses = writers.setdefault(_name(schema), (schema, _Uses()))
                uses.endpoints += endpoints
                uses.fixed |= self._set_on_saving(each)
        numbers = Ordinals()
        for found, uses in sorted(copies.values(), key=lambda pair: pair[0][0].call.start):
            yield self._of_copies(found, uses, numbers)
        for name, (schema, uses) in writers.items():
            yield self._of_schema(name, schema, uses)

    # --- calls ---

    def _of_copies(self, copies: list[Copy], uses: _Uses, numbers: Ordinals) -> BulkAssignment:
        first = copies[0]
        module, function = first.function.module, first.function.id
        open_copies = [c for c in copies if c.sent.schema is None and not c.sent.is_limited]
        place = module.evidence(first.call, "every field that a client sends is taken over")
        rights: dict[str, Evidence] = {}
        owners: dict[str, Evidence] = {}
        limits: dict[str, Evidence] = {}
        for copy in copies:
            schema = copy.sent.schema
            if schema is not None and not copy.sent.is_limited:
                self._privileges(schema, copy.table, set(copy.fixed), rights, owners)
                limits.setdefault(
                    _name(schema), Evidence(schema.location, f"{schema.name} says which fields there are")
                )
            elif copy.sent.is_limited:
                limits.setdefault("", module.evidence(copy.call, "code picks the fields"))
        return BulkAssignment(
            f"{function} {numbers.next(function, first.model)}",
            place.location,
            module.role,
            target=next((c.model for c in copies if c.model), ""),
            unlimited=place if open_copies else None,
            rights=tuple(rights.values()),
            owners=tuple(owners.values()),
            limits=tuple(limits.values()),
            only_admins=uses.callers == {Authority.ADMIN},
            only_entitled=Authority.ANYBODY not in uses.callers,
        )

    def _privileges(
        self,
        schema: Schema,
        table: Table | None,
        fixed: set[str],
        rights: dict[str, Evidence],
        owners: dict[str, Evidence],
    ) -> None:
        """The fields of a schema that only the service may set, and that clients can."""
        for each in schema.fields.values():
            kind = privilege(each.name, table or schema.table, schema.name) if each.is_taken else None
            if kind is None or each.name in fixed or each.name.removesuffix("_id") in fixed:
                continue
            into = rights if kind is Privilege.RIGHTS else owners
            into.setdefault(each.name, Evidence(each.location, f"a client may set `{each.name}`"))

    # --- schemas ---

    def _writing(self, handled: Handled) -> Iterator[Schema]:
        for declared in handled.types:
            schema = self._schemas.declared(declared)
            if schema is None or (schema.library not in _WRITERS and not schema.is_table):
                continue
            if schema.table is not None or schema.everything is not None:
                yield schema

    def _set_on_saving(self, handled: Handled) -> set[str]:
        """`serializer.save(owner=request.user)` in the view's methods."""
        cls = handled.routes[0][0].view_class
        names: set[str] = set()
        for name in _SAVING if isinstance(cls, ClassSymbol) else ():
            method = self._project.method(cls, name) if cls is not None else None
            for node in method.nodes if method is not None else ():
                if isinstance(node, form.Call) and last_name(node.func) == "save":
                    names.update(arg.name for arg in node.args if arg.name is not None)
        return names

    def _of_schema(self, name: str, schema: Schema, uses: _Uses) -> BulkAssignment:
        rights: dict[str, Evidence] = {}
        owners: dict[str, Evidence] = {}
        self._privileges(schema, schema.table, uses.fixed, rights, owners)
        checked = self._checked(schema)
        return BulkAssignment(
            name,
            (schema.everything or schema.named or Evidence(schema.location, "")).location,
            schema.role,
            target=schema.table.model if schema.table is not None else schema.name,
            unlimited=Evidence(schema.location, "the body is a row itself") if schema.is_table else None,
            everything=schema.everything,
            unknown=schema.unknown,
            rights=tuple(e for n, e in rights.items() if n not in checked),
            owners=tuple(e for n, e in owners.items() if n not in checked),
            checked=tuple(e for n, e in rights.items() if n in checked),
            limits=(schema.named or _limit(schema),),
            only_admins=uses.callers == {Authority.ADMIN},
            only_entitled=Authority.ANYBODY not in uses.callers,
        )

    def _checked(self, schema: Schema) -> set[str]:
        """Fields that a method of the schema looks at: `validate_role`, or `validate` that speaks of the field."""
        if schema.cls is None:
            return set()
        found: set[str] = set()
        for base in self._project.mro(schema.cls):
            for name, method in base.methods.items() if isinstance(base, ClassSymbol) else ():
                if name.startswith(("validate_", "clean_")):
                    found.add(name.partition("_")[2])
                elif name in ("validate", "clean", "create", "update", "save"):
                    found |= {n.value for n in method.nodes if isinstance(n, form.Const) and isinstance(n.value, str)}
        return found


def _limit(schema: Schema) -> Evidence:
    return Evidence(schema.location, f"{schema.name} says which fields there are")


def _name(schema: Schema) -> str:
    return schema.cls.id if schema.cls is not None else f"{schema.location.path}:{schema.name}"
