"""Which tables and objects stand for those who log in, and so have a password that nobody else needs to know."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.reach import reach
from assay.scanner.dataflow.secrets.destinations import own_name
from assay.scanner.dataflow.secrets.names import is_password, is_password_hash
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_PEOPLE = frozenset(
    {
        "account", "accounts", "admin", "admins", "administrator", "author", "authors", "customer", "customers",
        "employee", "employees", "login", "logins", "manager", "member", "members", "operator", "owner", "patient",
        "people", "person", "player", "players", "staff", "student", "students", "subscriber", "teacher", "teachers",
        "user", "users",
    }
)  # fmt: skip
_MACHINES = frozenset(
    {
        "api", "bank", "broker", "config", "configuration", "connection", "connector", "credentials", "database", "db",
        "device", "email", "ftp", "host", "imap", "integration", "ldap", "mail", "mailbox", "provider", "proxy",
        "redis", "remote", "router", "server", "service", "setting", "settings", "smtp", "source", "ssh", "target",
        "vendor", "wifi",
    }
)  # fmt: skip
"""What a service logs in to itself: it needs the password as it is."""
_INPUTS = frozenset(
    {
        "args", "body", "cleaned", "create", "data", "dto", "form", "in", "input", "json", "obj", "params", "payload",
        "register", "registration", "request", "schema", "serializer", "signup", "update", "validated",
    }
)  # fmt: skip
"""Words of names for what a client sent."""
_METHODS = ("verify_password", "check_password", "set_password", "validate_password", "authenticate")
_BASES = frozenset({"UserMixin", "AbstractBaseUser", "AbstractUser", "SQLAlchemyBaseUserTable", "PermissionsMixin"})
_LIBRARY_USERS = ("django.contrib.auth.models.User", "django.contrib.auth.get_user_model")


def is_of_people(name: str) -> bool:
    """Whether things of that name stand for those who log in to this service."""
    told = set(words(name))
    return not _PEOPLE.isdisjoint(told) and _MACHINES.isdisjoint(told)


def is_input(name: str) -> bool:
    """Whether a thing of that name is what a client sent."""
    return not _INPUTS.isdisjoint(words(name))


@lru_cache(maxsize=16_384)
def is_password_column(name: str) -> bool:
    """Whether a column of that name holds passwords, in whatever form."""
    return is_password(name) or is_password_hash(name)


class Logins:
    """The users of one project: `tables` are those that ORMs declare."""

    def __init__(self, project: Project, tables: Iterable[Table]) -> None:
        self._project = project
        mapped = {(table.location.path, table.model) for table in tables}
        self._users = {
            cls
            for cls in project.classes
            if (cls.module.path, cls.name) in mapped and self._has_password(cls) and self._logs_in(cls)
        }

    def _has_password(self, cls: ClassSymbol) -> bool:
        bases = (base for base in self._project.mro(cls) if isinstance(base, ClassSymbol))
        return any(is_password_column(name) for base in bases for name in base.scope.bindings) or self._is_django(cls)

    def _is_django(self, cls: ClassSymbol) -> bool:
        return any(name.rsplit(".", 1)[-1] in _BASES for name in self._project.base_names(cls))

    def _logs_in(self, cls: ClassSymbol) -> bool:
        if is_of_people(cls.name) or self._is_django(cls):
            return True
        return any(self._project.method(cls, name) is not None for name in _METHODS)

    def class_of(self, node: form.Expr, scope: Scope) -> ClassSymbol | External | None:
        """The users' class that the expression names."""
        value = self._project.infer(node, scope)
        if isinstance(value, ClassSymbol) and self._is_users(value):
            return value
        if isinstance(value, External) and value.name.startswith(_LIBRARY_USERS):
            return External(_LIBRARY_USERS[0])
        if isinstance(value, Instance) and value.type_name in _LIBRARY_USERS:
            return External(_LIBRARY_USERS[0])
        return None

    def has(self, node: form.Expr, field: str, scope: Scope) -> ClassSymbol | External | None:
        """The users' class of the object that the expression stands for, if it keeps a password in that field."""
        value = self._project.infer(node, scope)
        if isinstance(value, Instance):
            if value.cls is not None:
                return value.cls if self._is_users(value.cls) else None
            if value.type_name.startswith(_LIBRARY_USERS):
                return External(value.type_name)
        elif value is not None and not isinstance(value, Literal):
            return None
        name = own_name(node) or ""
        if not is_of_people(name) or is_input(name):
            return None
        told = set(words(name))
        near = reach(scope.module, self._project)
        named = [c for c in self._users if told & set(words(c.name)) & _PEOPLE and self._has_field(c, field)]
        known = [cls for cls in named if cls.module in near]
        return known[0] if len(known) == 1 else None

    def _has_field(self, cls: ClassSymbol, field: str) -> bool:
        return bool(self._project.class_member(cls, field))

    def _is_users(self, cls: ClassSymbol) -> bool:
        return any(base in self._users for base in self._project.mro(cls))

    def is_kept(self, node: form.Expr, scope: Scope) -> bool:
        """Whether the expression is a password that was read from where it is kept: of a user's row or record."""
        if not isinstance(node, form.Attr | form.Subscript):
            return False
        base, name = node.value, own_name(node)
        if name is None or not is_password_column(name):
            return False
        if isinstance(node, form.Attr):
            return self.has(base, name, scope) is not None or self.class_of(base, scope) is not None
        holder = own_name(base) or (own_name(base.value) if isinstance(base, form.Subscript) else None) or ""
        return (is_of_people(holder) or words(holder)[-1:] in (("row",), ("record",))) and not is_input(holder)
