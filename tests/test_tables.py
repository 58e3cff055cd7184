"""Tables: what real projects declare in ways that are easily misread."""

from __future__ import annotations

import pytest

from assay.scanner.framework import Context
from assay.scanner.frameworks.django.orm import tables as of_django
from assay.scanner.frameworks.peewee import PEEWEE
from assay.scanner.frameworks.sqlalchemy.tables import tables as of_sqlalchemy
from assay.scanner.frameworks.tortoise import TORTOISE
from assay.scanner.model.table import Table
from tests.projects import context_of, project_of


def columns(tables: list[Table]) -> dict[str, list[str]]:
    return {table.name: [column.name for column in table.columns] for table in tables}


def messages(context: Context) -> list[str]:
    return [diagnostic.message for diagnostic in context.diagnostics]


MODERN = """
    from typing import Annotated, Optional
    from sqlalchemy import Column, ForeignKey, Index, Integer, MetaData, String, Table, UniqueConstraint
    from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship

    class Base(DeclarativeBase):
        pass
"""


def sqlalchemy(code: str, **modules: str) -> tuple[list[Table], Context]:
    """Tables of classes on a modern base."""
    context = context_of(MODERN + code, **modules)
    return list(of_sqlalchemy(context)), context


def test_a_column_class_of_another_library_is_none() -> None:
    found, _ = sqlalchemy(
        """
    from rich.table import Column as Heading

    class User(Base):
        __tablename__ = "user"
        id = mapped_column(Integer, primary_key=True)
        heading = Heading("name")
        label = property(lambda self: "x")
"""
    )
    assert columns(found) == {"user": ["id"]}


def test_a_subclass_of_column_makes_columns() -> None:
    found, _ = sqlalchemy(
        """
    class Money(Column):
        inherit_cache = True

    class Bill(Base):
        __tablename__ = "bill"
        id = Column(Integer, primary_key=True)
        total = Money("amount", Integer, index=True)
"""
    )
    assert columns(found) == {"bill": ["id", "amount"]}
    assert [column.indexed for column in found[0].columns] == [True, True]


def test_a_metaclass_may_name_tables() -> None:
    found, context = sqlalchemy(
        """
    from sqlalchemy.orm import DeclarativeMeta, declarative_base

    class Naming(DeclarativeMeta):
        def __init__(cls, name, bases, attrs):
            if "__tablename__" not in attrs:
                cls.__tablename__ = name.lower()
            super().__init__(name, bases, attrs)

    Named = declarative_base(metaclass=Naming)

    class Model(Named, metaclass=Naming):
        __abstract__ = True
        id = Column(Integer, primary_key=True)

    class Book(Model):
        title = Column(String)
"""
    )
    assert columns(found) == {"book": ["id", "title"]}
    assert messages(context) == []


def test_a_name_taken_apart_by_a_pattern_is_in_words() -> None:
    found, _ = sqlalchemy(
        """
    import re

    def words(name):
        return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()

    class Named(Base):
        __abstract__ = True

        @declared_attr
        def __tablename__(cls):
            return words(cls.__name__)

    class OrderLine(Named):
        id: Mapped[int] = mapped_column(primary_key=True)
"""
    )
    assert columns(found) == {"order_line": ["id"]}


def test_a_name_that_cannot_be_told_is_said() -> None:
    found, context = sqlalchemy(
        """
    import os

    class User(Base):
        __tablename__ = os.environ["TABLE"]
        id: Mapped[int] = mapped_column(primary_key=True)

    extra = Table(os.environ["EXTRA"], Base.metadata, Column("id", Integer))
    seen = Table("seen", Base.metadata, autoload_with=os.environ["DB"])
    made = type("Made", (Base,), {"__tablename__": "made"})
"""
    )
    assert found == []
    assert messages(context) == [
        "the name of this table is computed at run time",
        "the columns of table seen are read from the database",
        "the name of the table of User is computed at run time",
        "this mapped class is made at run time",
    ]


def test_a_plain_name_is_not_inherited_and_a_table_is_shared() -> None:
    found, _ = sqlalchemy(
        """
    class Animal(Base):
        __tablename__ = "animal"
        id: Mapped[int] = mapped_column(primary_key=True)

    class Tall:
        height: Mapped[int]

    class Giraffe(Tall, Animal):
        spots: Mapped[Optional[int]] = mapped_column("spot_count", index=True)

    class Calf(Giraffe):
        age: Mapped[Optional[int]]
"""
    )
    assert columns(found) == {"animal": ["id", "height", "spot_count", "age"]}


def test_a_mixins_column_set_to_none_is_gone() -> None:
    found, _ = sqlalchemy(
        """
    class Noted:
        note = Column(String)

    class User(Noted, Base):
        __tablename__ = "user"
        id: Mapped[int] = mapped_column(primary_key=True)
        note = None
"""
    )
    assert columns(found) == {"user": ["id"]}


def test_arguments_of_a_helper_reach_its_column() -> None:
    found, _ = sqlalchemy(
        """
    def reference(target, unique=False):
        return Column(Integer, ForeignKey(f"{target}.id"), unique=unique)

    class User(Base):
        __tablename__ = "user"
        id: Mapped[int] = mapped_column(primary_key=True)
        team_id = reference("team", unique=True)
        boss_id = reference("user")
"""
    )
    told = [(c.name, c.fk_to, c.unique) for c in found[0].columns]
    assert told == [("id", None, True), ("team_id", "team", True), ("boss_id", "user", False)]


def test_a_revision_declares_no_tables() -> None:
    found, _ = sqlalchemy(
        """
    revision = "1"
    down_revision = None
    old = Table("old", MetaData(), Column("id", Integer))
"""
    )
    assert found == []


def test_a_library_gives_its_columns() -> None:
    found, _ = sqlalchemy(
        """
    from fastapi_users.db import SQLAlchemyBaseUserTableUUID

    class User(SQLAlchemyBaseUserTableUUID, Base):
        __tablename__ = "user"
        nick: Mapped[str]
"""
    )
    assert columns(found) == {
        "user": ["id", "email", "hashed_password", "is_active", "is_superuser", "is_verified", "nick"]
    }


def test_models_over_modules_and_bases_of_unknown_packages() -> None:
    context = context_of(
        """
        from sqlalchemy import Column, Integer
        from base import Record
        from acme.orm import Model

        class User(Record):
            __tablename__ = "user"
            id = Column(Integer, primary_key=True)

        class Thing(Model):
            __tablename__ = "thing"
            id = Column(Integer, primary_key=True)

        class Form(Model):
            __tablename__ = "form"
        """,
        base="""
        from sqlalchemy import Column, DateTime
        from sqlalchemy.ext.declarative import as_declarative

        @as_declarative()
        class Record:
            made = Column(DateTime)
        """,
    )
    assert columns(list(of_sqlalchemy(context))) == {"user": ["made", "id"], "thing": ["id"]}


def test_what_pydantic_and_sqlmodel_call_a_field() -> None:
    context = context_of(
        """
        from pydantic import BaseModel, Field as Entry
        from sqlmodel import Field, SQLModel

        class Page(BaseModel):
            size: int = Entry(default=10)

        class Base(SQLModel):
            id: int = Field(primary_key=True)

        class Read(Base):
            name: str

        class User(Base, table=True):
            name: str = Entry(min_length=1)
            model_config = {"extra": "forbid"}
        """
    )
    assert columns(list(of_sqlalchemy(context))) == {"user": ["id", "name"]}


def test_tortoise_names_tables_by_a_function() -> None:
    context = context_of(
        """
        from tortoise import Tortoise, fields
        from tortoise.models import Model

        class User(Model):
            name = fields.TextField()

        async def start():
            await Tortoise.init(db_url="sqlite://", modules={}, table_name_generator=lambda cls: cls.__name__)
        """
    )
    assert columns(list(TORTOISE.tables(context))) == {"user": ["id", "name"]}
    assert messages(context) == ["tables of User are named by a function at run time"]


def test_peewee_names_tables_by_a_function() -> None:
    context = context_of(
        """
        from peewee import CharField, Model

        class Base(Model):
            class Meta:
                def table_function(cls):
                    return f"app_{cls.__name__}"

        class User(Base):
            name = CharField()
        """
    )
    assert list(PEEWEE.tables(context)) == []
    assert messages(context) == ["the name of the table of User is computed at run time"]


@pytest.mark.parametrize(
    ("base", "names"),
    [
        ("model_utils.models.TimeStampedModel", ["id", "created", "modified"]),
        ("mptt.models.MPTTModel", ["id", "lft", "rght", "tree_id", "level"]),
        ("model_utils.models.UUIDModel", ["id"]),
        ("treebeard.mp_tree.MP_Node", ["id", "path", "depth", "numchild"]),
    ],
)
def test_library_bases_of_django(base: str, names: list[str]) -> None:
    module, name = base.rsplit(".", 1)
    models = f"""
        from django.db import models
        from {module} import {name}

        class Thing({name}):
            title = models.CharField(max_length=10)
        """
    context = Context(project_of({"shop/__init__.py": "", "shop/models.py": models}))
    assert columns(list(of_django(context))) == {"shop_thing": [*names, "title"]}


def test_histories_of_django_have_tables() -> None:
    models = """
        from django.db import models
        from simple_history.models import HistoricalRecords

        class Thing(models.Model):
            name = models.CharField(max_length=5, unique=True)
            one = models.OneToOneField("self", models.CASCADE)
            many = models.ManyToManyField("self")
            secret = models.TextField()
            history = HistoricalRecords(excluded_fields=["secret"])

        class Part(Thing):
            number = models.IntegerField()
            log = HistoricalRecords(table_name="part_log", inherit=True)

        class Screw(Part):
            pass
        """
    context = Context(project_of({"shop/__init__.py": "", "shop/models.py": models}))
    found = {table.name: table for table in of_django(context)}
    added = ["history_id", "history_date", "history_change_reason", "history_type", "history_user"]
    assert columns([found["shop_historicalthing"], found["part_log"], found["shop_historicalscrew"]]) == {
        "shop_historicalthing": ["id", "name", "one", *added],
        "part_log": ["thing_ptr", "number", "id", "name", "one", "secret", *added],
        "shop_historicalscrew": ["part_ptr", "thing_ptr", "number", "id", "name", "one", "secret", *added],
    }
    assert not any(column.unique for column in found["shop_historicalthing"].columns if column.name != "history_id")
