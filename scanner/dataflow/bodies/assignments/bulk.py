"""The places where what clients send is copied in bulk into rows: calls, and schemas that write rows themselves."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field

from assay.scanner.dataflow.bodies.assignments.callers import Authority, authority
from assay.scanner.dataflow.bodies.assignments.copies import Copy
from assay.scanner.dataflow.bodies.assignments.privileges import Privilege, privilege
from assay.scanner.dataflow.bodies.requests.handled import Handled
from assay.scanner.dataflow.bodies.schemas.reader import Schemas
from assay.scanner.dataflow.bodies.schemas.schema import Library, Schema
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.model.body import BulkAssignment
from assay.scanner.model.place import Evidence
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_WRITERS = frozenset({Library.REST_FRAMEWORK, Library.FORM})
"""Libraries whose schemas write rows themselves."""
_SAVING = ("perform_create", "perform_update", "create", "update", "post", "put", "patch", "form_valid")


@dataclass(slots=True)
class _Writer:
    """A schema that writes rows. `fixed` are columns that code sets itself."""

    schema: Schema
    callers: set[Authority] = field(default_factory=set)
    fixed: set[str] = field(default_factory=set)


@dataclass(slots=True)
class _Privileges:
    """Fields that only the service may set, and that clients can; by name."""

    rights: dict[str, Evidence] = field(default_factory=dict)
    owners: dict[str, Evidence] = field(default_factory=dict)


class BulkAssignments:
    """Finds them in what handlers do."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas
        self._project = schemas.tables.project

    def all(self, handled: Iterable[Handled]) -> Iterator[BulkAssignment]:
        """One for each call that copies, and for each schema that writes."""
        copies: dict[form.Call, list[tuple[Copy, set[Authority]]]] = {}
        writers: dict[str, _Writer] = {}
        for each in handled:
            callers = {authority(route, endpoint, self._project) for route, endpoint in each.routes}
            for copy in each.handling.copies:
                copies.setdefault(copy.call, []).append((copy, callers))
            for schema in self._writing(each):
                writer = writers.setdefault(_name(schema), _Writer(schema))
                writer.callers |= callers
                writer.fixed |= self._set_on_saving(each)
        numbers = Ordinals()
        for found in sorted(copies.values(), key=lambda pairs: (pairs[0][0].function.id, pairs[0][0].call.start)):
            yield self._of_copies(found, numbers)
        for name, writer in writers.items():
            yield self._of_schema(name, writer)

    # --- calls ---

    def _of_copies(self, copies: list[tuple[Copy, set[Authority]]], numbers: Ordinals) -> BulkAssignment:
        first = copies[0][0]
        module, function = first.function.module, first.function.id
        place = module.evidence(first.call, "every field that a client sends is taken over")
        found = _Privileges()
        limits: dict[str, Evidence] = {}
        harming: set[Authority] = set()  # of those who can give themselves rights
        giving: set[Authority] = set()  # of those who can say whose a row is
        is_open = False
        for copy, those in copies:
            schema = copy.sent.schema
            if copy.sent.is_limited:
                limits.setdefault("", module.evidence(copy.call, "code picks the fields"))
            elif schema is None or schema.open_to is not None:
                is_open = True
                harming |= those
            else:
                limits.setdefault(_name(schema), _limit(schema))
                own = self._privileges(schema, copy.table, copy.fixed)
                harming |= those if own.rights else set()
                giving |= those if own.owners else set()
                found.rights |= own.rights
                found.owners |= own.owners
        callers = harming or giving
        return BulkAssignment(
            f"{function} {numbers.next(function, first.model)}",
            place.location,
            module.role,
            target=next((c.model for c, _ in copies if c.model), ""),
            unlimited=place if is_open else None,
            inner=first.inner,
            rights=tuple(found.rights.values()),
            owners=tuple(found.owners.values()),
            limits=tuple(limits.values()),
            only_admins=callers == {Authority.ADMIN},
            only_entitled=Authority.ANYBODY not in callers,
            is_stored=any(copy.is_stored for copy, _ in copies),
        )

    def _privileges(self, schema: Schema, table: Table | None, fixed: Collection[str]) -> _Privileges:
        found = _Privileges()
        for each in schema.fields.values():
            kind = privilege(each.name, table or schema.table, schema.name) if each.is_taken else None
            if kind is None or each.name in fixed or each.name.removesuffix("_id") in fixed:
                continue
            into = found.rights if kind is Privilege.RIGHTS else found.owners
            into[each.name] = Evidence(each.location, f"a client may set `{each.name}`")
        return found

    # --- schemas ---

    def _writing(self, handled: Handled) -> Iterator[Schema]:
        """Of the types that the library reads the body by, and of what the handler makes of it."""
        declared = [self._schemas.declared(each) for each in handled.types]
        called = [self._schemas.of(cls) for cls in handled.handling.writers]
        edited = [self._edited(handled)]
        for schema in (*declared, *called, *edited):
            if schema is None or not (schema.library in _WRITERS or schema.is_table or schema.makes_rows):
                continue
            if schema.table is not None or schema.everything is not None:
                yield schema

    def _edited(self, handled: Handled) -> Schema | None:
        """The form of one of Django's views that edit a row: `form_class = UserForm`."""
        cls = handled.routes[0][0].view_class
        stated = self._project.class_attribute(cls, "form_class") if cls is not None else None
        value = self._project.infer(*stated) if stated is not None else None
        return self._schemas.of(value) if isinstance(value, ClassSymbol) else None

    def _set_on_saving(self, handled: Handled) -> set[str]:
        """`serializer.save(owner=request.user)` in the handler, or in the view's methods."""
        cls = handled.routes[0][0].view_class
        methods = [self._project.method(cls, name) for name in _SAVING] if cls is not None else []
        names: set[str] = set()
        for function in (handled.handler, *methods):
            for node in function.nodes if function is not None else ():
                if isinstance(node, form.Call) and last_name(node.func) == "save":
                    names.update(arg.name for arg in node.args if arg.name is not None)
        return names

    def _of_schema(self, name: str, writer: _Writer) -> BulkAssignment:
        schema = writer.schema
        found = self._privileges(schema, schema.table, writer.fixed)
        checked = self._checked(schema)
        return BulkAssignment(
            name,
            (schema.everything or schema.named or Evidence(schema.location, "")).location,
            schema.role,
            target=schema.table.model if schema.table is not None else schema.name,
            unlimited=Evidence(schema.location, "the body is a row itself") if schema.is_table else None,
            everything=schema.everything,
            unknown=schema.unknown,
            rights=tuple(e for n, e in found.rights.items() if n not in checked),
            owners=tuple(e for n, e in found.owners.items() if n not in checked),
            checked=tuple(e for n, e in found.rights.items() if n in checked),
            limits=(schema.named or _limit(schema),),
            only_admins=writer.callers == {Authority.ADMIN},
            only_entitled=Authority.ANYBODY not in writer.callers,
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
