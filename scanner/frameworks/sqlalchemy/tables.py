"""The tables that mapped classes and `Table(...)` declare, with their columns, keys and indexes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from assay.scanner.dataflow.constants import Given, list_items, string_value
from assay.scanner.dataflow.expansion import expansions
from assay.scanner.framework import Context
from assay.scanner.frameworks.sqlalchemy.class_columns import above, declared_by
from assay.scanner.frameworks.sqlalchemy.columns import Declared, calls_for, described, table_of_attribute
from assay.scanner.frameworks.sqlalchemy.constraints import Constraint, constrained, constraint, keys_of
from assay.scanner.frameworks.sqlalchemy.hierarchy import Hierarchy
from assay.scanner.frameworks.sqlalchemy.mapped import has_unseen_base, is_mapped, is_ours, lineage
from assay.scanner.frameworks.sqlalchemy.per_class import returned_for
from assay.scanner.frameworks.sqlalchemy.relations import Declared as DeclaredRelation
from assay.scanner.frameworks.sqlalchemy.relations import relation, relations_of
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol, Module, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.model.table import Relation, Table
from assay.scanner.readers.python import form

NAME = "SQLAlchemy"


@dataclass(slots=True)
class _Draft:
    """A table while its parts are gathered: from its class, single-table subclasses and statements elsewhere."""

    name: str
    model: str
    location: Location
    role: Role
    declared: dict[str, Declared] = field(default_factory=dict)
    constraints: list[Constraint] = field(default_factory=list)
    is_whole: bool = True

    def table(self, names: dict[str, str]) -> Table:
        """`names` are the tables' names by their models' ids."""
        columns = constrained(self.declared, self.constraints)
        found = tuple(replace(c, fk_to=names.get(c.fk_to, c.fk_to) if c.fk_to else None) for c in columns)
        keys = keys_of(self.declared, self.constraints)
        return Table(self.name, self.model, self.location, self.role, NAME, found, keys=keys, is_whole=self.is_whole)


def tables(context: Context) -> Iterator[Table]:
    """Every mapped class with a table of its own, and every table declared without a class."""
    schema = _Schema(context)
    schema.read()
    names = {cls.id: draft.name for cls, draft in schema.by_class.items()}
    found = [draft.table(names) for draft in schema.drafts() if draft.name and draft.declared]
    yield from _related(found, schema.by_class, context.project)


def _related(tables: list[Table], by_class: Mapping[ClassSymbol, _Draft], project: Project) -> Iterator[Table]:
    """The tables with the relations of the classes that are mapped to them."""
    stated = {c.location: (c, relations_of(c, project)) for c in by_class}
    names = {t.model: t.name for t in tables}
    made: dict[str, list[Relation]] = {}
    for cls, relations in stated.values():
        for declared in relations.values():
            if declared.backref is not None:
                made.setdefault(declared.target, []).append(_other_side(declared, cls))
    for table in tables:
        own = stated[table.location][1] if table.location in stated else {}
        references = {column.fk_to for column in table.columns}
        found = [relation(d, references, names.get(d.target)) for d in own.values()]
        yield replace(table, relations=(*found, *made.get(table.model, ())))


def _other_side(declared: DeclaredRelation, cls: ClassSymbol) -> Relation:
    """The relation that a `backref` makes on the target: of many where the declared one leads to one."""
    to_many = declared.to_many is not True or declared.call.keyword("secondary") is not None
    location = declared.binding.scope.module.location(declared.call)
    return Relation(declared.backref or "", cls.name, to_many, declared.backref_loading, location, is_derived=True)


class _Schema:
    """All tables of a project, gathered."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self.by_class: dict[ClassSymbol, _Draft] = {}
        self._by_call: dict[form.Call, list[_Draft]] = {}
        self._hierarchy = Hierarchy(context.project)

    def drafts(self) -> Iterator[_Draft]:
        seen: set[int] = set()
        for draft in [*self.by_class.values(), *(d for found in self._by_call.values() for d in found)]:
            if id(draft) not in seen:
                seen.add(id(draft))
                yield draft

    def read(self) -> None:
        project = self._project
        for call, scope in project.calls_named("Table"):
            if is_ours(project.callee_name(call, scope)) and not _is_revision(scope.module):
                self._by_call[call] = self._of_call(call, scope)
        mapped = [c for c in project.classes if not _is_revision(c.module) and self._hierarchy.may_be_mapped(c)]
        for cls in mapped:
            if self._hierarchy.owner(cls) is cls:
                self.by_class[cls] = self._of_class(cls)
        for cls in mapped:
            owner = self._hierarchy.owner(cls)
            if owner is not None and owner is not cls and owner in self.by_class:
                self._add_class(self.by_class[owner], cls, owner)
        self._map_imperatively()
        self._add_statements()
        self._tell_of_made_classes()

    # --- gathering ---

    def _of_class(self, cls: ClassSymbol) -> _Draft:
        given = self._given_table(cls)
        if given is not None:
            given.model = cls.name
            draft = given
        else:
            name = self._hierarchy.name(cls)
            if name is None:
                self._context.unresolved(cls.location, f"the name of the table of {cls.name} is computed at run time")
            draft = _Draft(name or "", cls.name, cls.location, cls.module.role)
        self._add_class(draft, cls, self._hierarchy.parent(cls))
        return draft

    def _given_table(self, cls: ClassSymbol) -> _Draft | None:
        """The table that `__table__ = ...` names."""
        own = cls.own("__table__")
        return self._draft_of(own[-1].value, cls.scope) if own and own[-1].value is not None else None

    def _draft_of(self, node: form.Expr, scope: Scope) -> _Draft | None:
        """The table behind an expression: a call, a name for one, a mapped class or its `__table__`."""
        if isinstance(node, form.Attr) and node.attr == "__table__":
            node = node.value
        value = self._project.infer(node, scope)
        if isinstance(value, ClassSymbol):
            owner = self._hierarchy.owner(value)
            return self.by_class.get(owner) if owner is not None else None
        origin = node if isinstance(node, form.Call) else value.origin if isinstance(value, Instance) else None
        found = self._by_call.get(origin, []) if origin is not None else []
        return found[0] if len(found) == 1 else None

    def _add_class(self, draft: _Draft, cls: ClassSymbol, parent: ClassSymbol | None) -> None:
        for key, declared in declared_by(cls, parent, self._project).items():
            draft.declared.setdefault(key, declared)
        known = above(parent, self._project)
        draft.is_whole = draft.is_whole and not has_unseen_base(cls, self._project)
        for base in lineage(cls, self._project):
            if base in known:
                continue
            arguments = base.own("__table_args__")
            if arguments:
                draft.constraints += self._arguments(arguments[-1], base.scope, cls, parent)
                break
        for base in lineage(cls, self._project):
            if base not in known:
                draft.constraints += self._stated_in(base)

    # --- constraints ---

    def _arguments(
        self, binding: Binding, scope: Scope, cls: ClassSymbol, parent: ClassSymbol | None
    ) -> list[Constraint]:
        """What `__table_args__` says: a tuple, or a `declared_attr` that returns one."""
        values = [(binding.value, scope)] if binding.value is not None else []
        if binding.function is not None:
            returned = returned_for(binding.function, cls, self._project, is_heir=parent is not None)
            values = [(node, binding.function.scope) for node in returned]
        found = [item for value in values for item in list_items(*value, self._project)]
        return self._constraints(found)

    def _constraints(self, items: Iterable[tuple[form.Expr, Scope]], given: Given | None = None) -> list[Constraint]:
        found = (constraint(n, at, self._project, given) for n, at in items if isinstance(n, form.Call))
        return [c for c in found if c is not None]

    def _stated_in(self, cls: ClassSymbol) -> list[Constraint]:
        """`Index(...)` and the like that the class's body states by a name or as a statement."""
        named = [b.value for found in cls.scope.bindings.values() for b in found if b.value is not None]
        plain = [s.value for s in cls.node.body if isinstance(s, form.ExprStmt)]
        return self._constraints((node, cls.scope) for node in [*named, *plain])

    def _add_statements(self) -> None:
        """Indexes and constraints that name a table's columns from outside: `Index("ix", User.name)`."""
        project = self._project
        for call, scope in project.calls_named("Index", "UniqueConstraint"):
            columns = call.positional[1:] if last_name(call.func) == "Index" else call.positional
            if not columns or _is_revision(scope.module):
                continue
            # `User.created_at.desc()`, `func.lower(User.email)`
            attributes = (node for node in form.walk(columns[0]) if isinstance(node, form.Attr))
            owners = (owner for node in attributes if (owner := table_of_attribute(node)) is not None)
            draft = next((draft for owner in owners if (draft := self._draft_of(owner, scope)) is not None), None)
            if draft is not None:
                draft.constraints += self._constraints([(call, scope)])

    def _tell_of_made_classes(self) -> None:
        """`type(name, (Base,), {...})` maps a class that isn't written down."""
        for call, scope in self._project.calls_named("type"):
            bases = call.positional[1] if len(call.positional) == 3 else None
            found = [self._project.infer(b, scope) for b in bases.items] if isinstance(bases, form.Display) else []
            if any(isinstance(base, ClassSymbol) and is_mapped(base, self._project) for base in found):
                self._context.unresolved(scope.module.location(call), "this mapped class is made at run time")

    # --- tables without a class ---

    def _of_call(self, call: form.Call, scope: Scope) -> list[_Draft]:
        """The tables of `Table("name", metadata, Column(...), ...)`, one for each way its name comes about."""
        project = self._project
        name = call.argument(0, "name")
        if name is None:
            return []
        found: dict[str, _Draft] = {}
        for given in expansions(call, scope, project):
            text = string_value(name, scope, project, given)
            if text is None:
                self._context.unresolved(scope.module.location(call), "the name of this table is computed at run time")
            elif text not in found:
                found[text] = self._filled(
                    _Draft(text, text, scope.module.location(call), scope.module.role), call, scope, given
                )
        return list(found.values())

    def _filled(self, draft: _Draft, call: form.Call, scope: Scope, given: Given) -> _Draft:
        project = self._project
        items = [
            pair
            for argument in call.args[1:]
            if argument.name is None
            for pair in (
                list_items(argument.value, scope, project, given) if argument.star else [(argument.value, scope)]
            )
        ]
        for node, at in items:
            made = [replace(m, given={**given, **m.given}) for m in calls_for(node, at, project, given)]
            if made:
                declared = described("", made, None, at, at.module.location(node), (), project)
                key = made[0].text(made[0].call.keyword("key"), project) or declared.column.name
                draft.declared[key] = declared
        draft.constraints += self._constraints(items, given)
        if any(a.name in ("autoload", "autoload_with") for a in call.args):
            self._context.unresolved(draft.location, f"the columns of table {draft.name} are read from the database")
            draft.is_whole = False
        return draft

    def _map_imperatively(self) -> None:
        """`registry.map_imperatively(User, users)`, `mapper(User, users)`: the table is the class's."""
        for call, scope in self._project.calls_named("map_imperatively", "mapper"):
            cls, table = call.argument(0, "class_"), call.argument(1, "local_table")
            value = self._project.infer(cls, scope) if cls is not None else None
            draft = self._draft_of(table, scope) if table is not None else None
            if draft is not None and isinstance(value, ClassSymbol):
                draft.model = value.name
                self.by_class.setdefault(value, draft)


def _is_revision(module: Module) -> bool:
    """An Alembic revision declares tables as they were, to migrate them."""
    return {"revision", "down_revision"} <= module.scope.bindings.keys()
