"""Which classes SQLAlchemy maps, and how SQLAlchemy, SQLModel, Flask-SQLAlchemy and Alchemical name their tables."""

from __future__ import annotations

import re

from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

PACKAGES = ("sqlalchemy", "sqlmodel", "flask_sqlalchemy", "flask_sqlalchemy_lite", "alchemical", "alembic")
SQLMODEL = "sqlmodel.SQLModel"
_ROOTS = frozenset(
    {
        "sqlalchemy.orm.DeclarativeBase", "sqlalchemy.orm.DeclarativeBaseNoMeta", "sqlalchemy.orm.declarative_base",
        "sqlalchemy.ext.declarative.declarative_base", "sqlalchemy.orm.decl_api.DeclarativeBase",
        "sqlalchemy.ext.declarative.api.declarative_base", "flask_sqlalchemy.SQLAlchemy.Model", "alchemical.Model",
        "alchemical.flask.Model", "alchemical.aio.Model", "flask_sqlalchemy.model.Model", SQLMODEL,
        "sqlmodel.main.SQLModel", "flask_sqlalchemy_lite.SQLAlchemy.Model",
    }
)  # fmt: skip
_NAMING_ITSELF = ("flask_sqlalchemy.", "alchemical.")
_WORD_BEGINS = re.compile(r"((?<=[a-z0-9])[A-Z]|(?!^)[A-Z](?=[a-z]))")


def is_ours(name: str | None) -> bool:
    """Whether a dotted name is of SQLAlchemy or a library on top of it."""
    return name is not None and name.split(".", 1)[0] in PACKAGES


def snake_case(name: str) -> str:
    """`HTTPLogEntry` is `http_log_entry`, as Flask-SQLAlchemy names tables."""
    return _WORD_BEGINS.sub(r"_\1", name).lower().lstrip("_")


def is_mapped(cls: ClassSymbol, project: Project) -> bool:
    """Whether it derives from a declarative base."""
    return project.is_subclass(cls, *_ROOTS)


def is_table(cls: ClassSymbol, project: Project) -> bool:
    """Whether it has a table of its own: no base, no abstract class, no pydantic model, no single-table subclass."""
    names = project.base_names(cls)
    if names.isdisjoint(_ROOTS) or _is_true(cls, "__abstract__"):
        return False
    if SQLMODEL in names:
        return any(
            b.name == "table" and isinstance(b.value, form.Const) and b.value.value is True for b in cls.node.bases
        )
    if "__table__" in cls.scope.bindings or "__tablename__" in cls.scope.bindings:
        return _declares_columns(cls, project)
    if not _declares_columns(cls, project):
        return False
    if _is_declarative_root(cls, project):
        return False
    parents = [b for b in project.mro(cls)[1:] if isinstance(b, ClassSymbol) and is_mapped(b, project)]
    if any(is_table(parent, project) for parent in parents):
        return False
    return names_itself(cls, project) or bool(project.class_member(cls, "__tablename__"))


def names_itself(cls: ClassSymbol, project: Project) -> bool:
    """Whether the library derives the table's name from the class's."""
    return any(name.startswith(_NAMING_ITSELF) or name == SQLMODEL for name in project.base_names(cls))


def is_column_call(node: form.Expr | None) -> bool:
    """`Column(...)`, `mapped_column(...)`, `Field(...)`, by their last name."""
    return isinstance(node, form.Call) and last_name(node.func) in ("Column", "mapped_column", "Field")


def mapped_type(annotation: form.Expr | None) -> form.Expr | None:
    """X of `Mapped[X]`."""
    if isinstance(annotation, form.Subscript) and last_name(annotation.value) == "Mapped":
        return annotation.index
    return None


def _declares_columns(cls: ClassSymbol, project: Project) -> bool:
    for base in project.mro(cls):
        if not isinstance(base, ClassSymbol):
            continue
        for bindings in base.scope.bindings.values():
            last = bindings[-1]
            if (
                is_column_call(last.value)
                or mapped_type(last.annotation) is not None
                or _makes_column(last.value, base, project)
            ):
                return True
        if "__table__" in base.scope.bindings:
            return True
    return False


def _makes_column(node: form.Expr | None, cls: ClassSymbol, project: Project) -> bool:
    return node is not None and column_of(node, cls, project) is not None


def column_of(node: form.Expr, cls: ClassSymbol, project: Project) -> form.Call | None:
    """The call that makes the column, also inside a function of the project such as `primary_key(...)`."""
    if not isinstance(node, form.Call):
        return None
    if is_column_call(node):
        return node
    function = project.callee_function(node, cls.scope)
    if function is None:
        return None
    return next(
        (r.value for r in function.returns() if isinstance(r.value, form.Call) and is_column_call(r.value)), None
    )


def _is_declarative_root(cls: ClassSymbol, project: Project) -> bool:
    """`class Base(DeclarativeBase)`: it names the base itself and is derived from."""
    for base in cls.node.bases:
        value = project.infer(base.value, cls.outer)
        name = value.name if isinstance(value, External) else value.type_name if isinstance(value, Instance) else ""
        if last_part(name) in ("DeclarativeBase", "DeclarativeBaseNoMeta"):
            return True
    return False


def _is_true(cls: ClassSymbol, name: str) -> bool:
    bindings = cls.own(name)
    value = bindings[-1].value if bindings else None
    return isinstance(value, form.Const) and value.value is True
