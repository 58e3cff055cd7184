"""Whose the rows of a table are: the column that refers to a user, a customer or a tenant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.lookups.labels import Labels, labels_in, names_caller
from assay.scanner.linker.project import Project, last_part
from assay.scanner.model.place import Location
from assay.scanner.model.table import Column, Table

_USERS = frozenset("user users account accounts profile profiles member members".split())
"""Whoever signs in."""
_PEOPLE = frozenset(
    """customer customers client clients person people patient patients employee employees student students""".split()
)
"""Whoever signs in, if there is a password to their row; else others keep books about them."""
_TENANTS = frozenset(
    """tenant tenants organization organizations organisation organisations org orgs workspace workspaces company
    companies team teams""".split()
)
_ID = r"(_?(id|uuid|pk|uid))?"
_OWNER_COLUMNS = re.compile(rf"(owner|user|account|profile|holder|buyer|payer|seller)s?{_ID}", re.IGNORECASE)
_PEOPLE_COLUMNS = re.compile(rf"(customer|client|person|patient|employee|student)s?{_ID}", re.IGNORECASE)
_AUTHOR_COLUMNS = re.compile(rf"(author|creator|poster|uploader){_ID}", re.IGNORECASE)
_TENANT_COLUMNS = re.compile(rf"(tenant|organi[sz]ation|org|workspace|company|team){_ID}", re.IGNORECASE)
_MANY = frozenset({"ManyToManyField", "ManyToManyRelation", "ManyToMany"})
_ID_WORDS = frozenset({"id", "pk", "uuid", "slug"})


class Ownership(Enum):
    """How a row belongs to somebody."""

    PERSON = auto()
    AUTHOR = auto()
    """It is somebody's work, which others may well read."""
    TENANT = auto()
    SELF = auto()
    """The row is a user or a tenant."""
    THROUGH_PARENT = auto()


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose the rows are, in words, and where that is said: `model` is the one that says it."""

    ownership: Ownership
    model: str
    described: str
    location: Location


class Owners:
    """What the tables of a tree say of their rows' owners, by the names of their models."""

    def __init__(self, tables: Iterable[Table], project: Project) -> None:
        self._by_model: dict[str, Table] = {}
        self._by_name: dict[str, Table] = {}
        self._known: dict[str, Owner | None] = {}
        for table in tables:
            self._by_model.setdefault(table.model, table)
            self._by_name.setdefault(table.name, table)
        self._set_to_caller = frozenset(_set_to_caller(self._by_model, project))
        self._by_words = {_singular(words(model)): table for model, table in self._by_model.items()}

    def refers(self, model: str, column: str) -> bool:
        """Whether a column of the model's refers to a row of another table, whose id it then holds."""
        table = self._by_model.get(model)
        plain = column.removesuffix("_id")
        if table is not None:
            own = next((c for c in table.columns if c.name in (column, plain)), None)
            if own is not None and own.fk_to is not None:
                return self._referred(own) is not table
            if own is not None:
                return plain != column and self.has_another(plain, model)
        return plain != column and words(plain) != words(model)

    def has_another(self, parameter: str, model: str) -> bool:
        """Whether a parameter is named after another model, as `project_id` is, and so holds that one's id."""
        named = words(parameter)
        stem = named[:-1] if named and named[-1] in _ID_WORDS else named
        return _singular(stem) != _singular(words(model)) and _singular(stem) in self._by_words

    def of(self, model: str) -> Owner | None:
        """None for rows that belong to nobody in particular."""
        if model not in self._known:
            self._known[model] = self._of(model)
        return self._known[model]

    def _of(self, model: str) -> Owner | None:
        table = self._by_model.get(model)
        if table is None:
            return None
        if _signs_in(table):
            return Owner(Ownership.SELF, model, f"{model} is a person's own row", table.location)
        direct = self._direct(table)
        if direct is not None:
            return direct
        if _is_one_of(table, _TENANTS):
            return Owner(Ownership.SELF, model, f"{model} is a tenant's own row", table.location)
        return self._through_parent(table)

    def _direct(self, table: Table) -> Owner | None:
        """By a column of its own; one for a person says more than one for its author or for a tenant."""
        found: dict[Ownership, Owner] = {}
        for column in table.columns:
            kind = self._kind(table, column)
            if kind is not None:
                described = f"{table.model}.{column.name} says whose it is"
                found.setdefault(kind, Owner(kind, table.model, described, column.location))
        order = (Ownership.PERSON, Ownership.AUTHOR, Ownership.TENANT)
        return next((found[kind] for kind in order if kind in found), None)

    def _kind(self, table: Table, column: Column) -> Ownership | None:
        if (table.model, column.name) in self._set_to_caller:
            return Ownership.PERSON
        referred = self._referred(column)
        is_reference = column.fk_to is not None or column.name.lower().endswith("id")
        if column.type in _MANY or not is_reference:
            return None
        of_users = referred is None or _signs_in(referred)
        if of_users and _OWNER_COLUMNS.fullmatch(column.name):
            return Ownership.PERSON
        names_users = referred is not None or (column.fk_to is not None and _names_users(column.fk_to))
        if of_users and names_users and _PEOPLE_COLUMNS.fullmatch(column.name):
            return Ownership.PERSON
        if of_users and _AUTHOR_COLUMNS.fullmatch(column.name):
            return Ownership.AUTHOR
        return Ownership.TENANT if _TENANT_COLUMNS.fullmatch(column.name) else None

    def _through_parent(self, table: Table) -> Owner | None:
        for column in table.columns:
            parent = self._referred(column)
            if parent is None or column.type in _MANY or _is_one_of(parent, _USERS | _PEOPLE | _TENANTS):
                continue
            if parent is table or words(column.name.removesuffix("_id")) != words(parent.model):
                continue
            above = self._direct(parent)
            if above is not None and above.ownership is Ownership.PERSON:
                described = f"{table.model}.{column.name} leads to {parent.model}, and {above.described}"
                return Owner(Ownership.THROUGH_PARENT, parent.model, described, column.location)
        return None

    def _referred(self, column: Column) -> Table | None:
        name = column.fk_to
        if name is None:
            return None
        return self._by_name.get(name) or self._by_model.get(name.rsplit(".", 1)[-1])


def _set_to_caller(models: Mapping[str, Table], project: Project) -> Iterator[tuple[str, str]]:
    """Columns that the code gives the caller: `Note(owner=current_user.id)`."""
    for model in models:
        for call, scope in project.calls_named(model):
            given = [a for a in call.args if a.name is not None and _OWNER_COLUMNS.fullmatch(a.name)]
            function = scope.enclosing_function
            if given and function is not None:
                labels = labels_in(function, "", Labels(), project)
                yield from ((model, a.name) for a in given if a.name is not None and names_caller(a.value, labels))


def _signs_in(table: Table) -> bool:
    has_password = any("password" in words(c.name) or "passwd" in words(c.name) for c in table.columns)
    return _is_one_of(table, _USERS) or (has_password and _is_one_of(table, _PEOPLE))


def _names_users(reference: str) -> bool:
    """`auth.User`, `settings.AUTH_USER_MODEL`: a table of a library's, or one that a setting names."""
    return not _USERS.isdisjoint(words(last_part(reference)))


def _singular(named: tuple[str, ...]) -> tuple[str, ...]:
    return (*named[:-1], named[-1].removesuffix("s")) if named else named


def _is_one_of(table: Table, nouns: frozenset[str]) -> bool:
    """`User`, `CustomUser`; of `UserProfileChange` the noun is another one."""
    named = words(table.model)
    return bool(named) and named[-1] in nouns and len(named) <= 2
