"""Which classes SQLAlchemy maps, what they inherit from, and which of them have a table of their own."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Binding, ClassSymbol
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
        "sqlmodel.main.SQLModel", "flask_sqlalchemy_lite.SQLAlchemy.Model", "sqlalchemy.orm.registry.generate_base",
        "sqlalchemy.ext.automap.automap_base", "advanced_alchemy.base.DefaultBase", "advanced_alchemy.base.UUIDBase",
        "advanced_alchemy.base.UUIDAuditBase", "advanced_alchemy.base.BigIntBase", "flask_appbuilder.Model",
        "advanced_alchemy.base.BigIntAuditBase",
    }
)  # fmt: skip
_ROOT_MAKERS = frozenset(
    {
        "sqlalchemy.orm.as_declarative", "sqlalchemy.ext.declarative.as_declarative",
        "sqlalchemy.orm.registry.as_declarative_base",
    }
)  # fmt: skip
_MAPPING_DECORATORS = frozenset(
    {
        "sqlalchemy.orm.registry.mapped", "sqlalchemy.orm.registry.mapped_as_dataclass",
        "sqlalchemy.orm.mapped_as_dataclass",
    }
)  # fmt: skip
_DECLARATIVE = frozenset({"DeclarativeBase", "DeclarativeBaseNoMeta"})


def is_ours(name: str | None) -> bool:
    """Whether a dotted name is of SQLAlchemy or a library on top of it."""
    return name is not None and name.split(".", 1)[0] in PACKAGES


def is_mapped(cls: ClassSymbol, project: Project) -> bool:
    """Whether it derives from a declarative base, or is mapped by a decorator."""
    if project.is_subclass(cls, *_ROOTS):
        return True
    bases = [base for base in project.mro(cls) if isinstance(base, ClassSymbol)]
    return _is_decorated(cls, _MAPPING_DECORATORS, project) or any(
        _is_decorated(base, _ROOT_MAKERS, project) for base in bases
    )


def is_base(cls: ClassSymbol, project: Project) -> bool:
    """A declarative base or an abstract class: what it declares goes to the tables of its subclasses."""
    if _is_true(cls.own("__abstract__")) or _is_decorated(cls, _ROOT_MAKERS, project):
        return True
    for base in cls.node.bases:
        value = project.infer(base.value, cls.outer)
        if isinstance(value, External) and value.name.rsplit(".", 1)[-1] in _DECLARATIVE:
            return True
    return project.is_subclass(cls, SQLMODEL) and not _is_sqlmodel_table(cls)


def is_sqlmodel(cls: ClassSymbol, project: Project) -> bool:
    """Whether annotated attributes are columns without more ado."""
    return project.is_subclass(cls, SQLMODEL)


def _is_sqlmodel_table(cls: ClassSymbol) -> bool:
    """`class Hero(SQLModel, table=True)`."""
    return any(b.name == "table" and isinstance(b.value, form.Const) and b.value.value is True for b in cls.node.bases)


def _is_true(bindings: list[Binding]) -> bool:
    value = bindings[-1].value if bindings else None
    return isinstance(value, form.Const) and value.value is True


def _is_decorated(cls: ClassSymbol, names: frozenset[str], project: Project) -> bool:
    for decorator in cls.node.decorators:
        called = decorator.func if isinstance(decorator, form.Call) else decorator
        value = project.infer(called, cls.outer)
        if isinstance(value, External) and value.name in names:
            return True
    return False


def lineage(cls: ClassSymbol, project: Project) -> list[ClassSymbol]:
    """The class and its bases in the project, also those given as `declarative_base(cls=...)`, nearest first."""
    found: dict[ClassSymbol, None] = {}
    for base in project.mro(cls):
        if isinstance(base, ClassSymbol):
            found.setdefault(base)
    for base in list(found):
        for given in _given_bases(base, project):
            for inherited in project.mro(given):
                if isinstance(inherited, ClassSymbol):
                    found.setdefault(inherited)
    return list(found)


def _given_bases(cls: ClassSymbol, project: Project) -> Iterator[ClassSymbol]:
    """What the library makes a base's bases: of `declarative_base(cls=X)` and `SQLAlchemy(model_class=X).Model`, X."""
    for argument in cls.node.bases:
        owner = argument.value.value if isinstance(argument.value, form.Attr) else argument.value
        value = project.infer(owner, cls.outer)
        origin = value.origin if isinstance(value, Instance) else None
        if origin is None or value is None or not isinstance(value, Instance) or value.scope is None:
            continue
        for keyword in ("cls", "model_class"):
            given = origin.keyword(keyword)
            base = project.infer(given, value.scope) if given is not None else None
            if isinstance(base, ClassSymbol):
                yield base


def own_member(cls: ClassSymbol, name: str, project: Project) -> Binding | None:
    """What the nearest class of the lineage binds the name to."""
    return next((base.own(name)[-1] for base in lineage(cls, project) if base.own(name)), None)


def is_declared_attr(binding: Binding) -> bool:
    """`@declared_attr def name(cls)`, with all its variants."""
    return binding.function is not None and any(
        last_name(node) == "declared_attr"
        for decorator in binding.function.decorators
        for node in form.walk(decorator)
        if isinstance(node, form.Name | form.Attr)
    )


_EMPTY_BASES = frozenset(
    {
        "object",
        "builtins.object",
        "typing.Generic",
        "abc.ABC",
        "enum.Enum",
        "flask_login.UserMixin",
        "flask_login.mixins.UserMixin",
    }
)
"""What gives a table no columns."""


def has_unseen_base(cls: ClassSymbol, project: Project) -> bool:
    """Whether a base may bring columns that the tree doesn't show."""
    for base in project.mro(cls):
        if isinstance(base, External):
            package = base.name.split(".", 1)[0]
            if (
                package not in PACKAGES
                and package not in ("typing", "typing_extensions")
                and base.name not in _EMPTY_BASES | _ROOTS
            ):
                return True
        elif any(b.star for b in base.node.bases) or any(
            b.name is None and project.infer(b.value, base.outer) is None and not isinstance(b.value, form.Subscript)
            for b in base.node.bases
        ):
            return True
    return False
