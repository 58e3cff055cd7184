"""Mapped classes and the columns that the ORM gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, How, Scope
from assay.scanner.linker.values import External, Instance, Value
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.model.table import Column, Table
from assay.scanner.readers.python import form

_USER_MODEL = "django.contrib.auth.get_user_model"
_LIBRARY_USERS = frozenset({"django.contrib.auth.models.User", _USER_MODEL})
_USER_BASES = ("django.contrib.auth.models.AbstractUser", "django.contrib.auth.base_user.AbstractBaseUser",
    "django.contrib.auth.models.AbstractBaseUser")  # fmt: skip
_USER_COLUMNS = ("id", "password", "last_login", "is_superuser", "groups", "user_permissions", "username", "first_name",
    "last_name", "email", "is_staff", "is_active", "date_joined")  # fmt: skip
_HUMPS = re.compile(r"[A-Z]+[a-z0-9]*|[a-z0-9_]+")
_USER_RELATIONS = frozenset({"groups", "user_permissions"})
_ELSEWHERE = Location.whole_file("django/contrib/auth/models.py")
_LIBRARY_USER = Table(
    "auth_user",
    "User",
    _ELSEWHERE,
    Role.PROD,
    "Django",
    tuple(Column(name, "", _ELSEWHERE) for name in _USER_COLUMNS),
)
_PLAIN = ("Bool", "Date", "Time", "Int", "Numeric", "Decimal", "Float", "Foreign", "ManyToMany", "OneToOne", "UUID",
    "Enum", "Auto", "BigAuto", "Duration")  # fmt: skip
"""How the names of column types begin that hold no text."""


class Tables:
    """The tables of a project by the classes that map them."""

    def __init__(self, tables: Iterable[Table], project: Project) -> None:
        self.project = project
        self._by_place = {(t.location.path, t.model): t for t in tables}
        self._by_model = {t.model: t for t in self._by_place.values()}
        self._user: Table | None = None
        self._is_user_known = False

    def of(self, value: Value | None) -> Table | None:
        """The table of a mapped class, or of Django's own user model."""
        if isinstance(value, ClassSymbol):
            return self._by_place.get((value.module.path, value.name))
        named = value.type_name if isinstance(value, Instance) else value.name if isinstance(value, External) else ""
        return self._user_table() if named in _LIBRARY_USERS else None

    def named_like(self, schema: str) -> Table | None:
        """The table that a schema is named after: of `UserOut` and `UserSchema` that of User."""
        parts = _HUMPS.findall(schema)
        for end in range(len(parts), 0, -1):
            if (found := self._by_model.get("".join(parts[:end]))) is not None:
                return found
        return None

    def row_class(self, node: form.Expr, scope: Scope) -> ClassSymbol | None:
        """The class of the row that an expression stands for: of `user` in `for user in User.query.all()`, User."""
        value = self.project.infer(node, scope)
        if isinstance(value, Instance) and value.cls is not None:
            return value.cls
        values = [node]
        if isinstance(node, form.Name):
            bindings = scope.lookup(node.id, node.start)
            values = [b.value for b in bindings if b.how in (How.ASSIGN, How.FOR) and b.value is not None]
        mentioned = {
            found
            for each in values
            for part in form.walk(each)
            if isinstance(part, form.Name | form.Attr)
            and isinstance(found := self.project.infer(part, scope), ClassSymbol)
            and self.of(found) is not None
        }
        return mentioned.pop() if len(mentioned) == 1 else None

    def of_expression(self, node: form.Expr, scope: Scope) -> Table | None:
        """`User`, `get_user_model()`."""
        return self.of(self.project.infer(node, scope))

    def columns(self, node: form.Expr, scope: Scope) -> Sequence[str] | None:
        """The names of the columns of the class that an expression stands for, those in other tables left out."""
        table = self.of_expression(node, scope)
        if table is None:
            return None
        return [c.name for c in table.columns if not c.type.startswith("ManyToMany") and c.name not in _USER_RELATIONS]

    def _user_table(self) -> Table | None:
        """The project's own user model where there is one, else Django's."""
        if not self._is_user_known:
            self._is_user_known = True
            own = [c for c in self.project.classes if self.project.is_subclass(c, *_USER_BASES)]
            found = [t for c in own if (t := self._by_place.get((c.module.path, c.name))) is not None]
            self._user = found[0] if len(found) == 1 else _LIBRARY_USER if not found else None
        return self._user


def holds_text(column: Column) -> bool:
    """Whether a column may hold a secret."""
    return column.fk_to is None and not column.type.startswith(_PLAIN)


def model_field(cls: ClassSymbol, name: str, project: Project) -> form.Call | None:
    """The call that declares a column, in the class or a base of it."""
    found = project.class_attribute(cls, name)
    return found[0] if found is not None and isinstance(found[0], form.Call) else None


def is_set_by_code(cls: ClassSymbol, name: str, project: Project) -> bool:
    """Whether Django leaves the column out of what forms and serializers take: `editable=False`, `auto_now=True`."""
    call = model_field(cls, name, project)
    if call is None:
        return False
    for word, value in (("editable", False), ("auto_now", True), ("auto_now_add", True)):
        said = call.keyword(word)
        if isinstance(said, form.Const) and said.value is value:
            return True
    return (last_name(call.func) or "").endswith("AutoField")
