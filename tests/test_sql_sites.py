"""SQL sites: which calls are found, what stands for each, and the tables and rows of the same libraries."""

from __future__ import annotations

import pytest

from assay.scanner.dataflow.sources import handlers_of
from assay.scanner.dataflow.sql import sql_sites
from assay.scanner.framework import Context, Rows, Step, frameworks
from assay.scanner.frameworks import dbapi
from assay.scanner.frameworks.sqlalchemy import library as sqlalchemy
from assay.scanner.model.origin import Origin
from assay.scanner.model.query import Bound, Order
from assay.scanner.model.sql import Position, SqlSite, TextKind
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form
from tests.projects import project_of


def sites(text: str, path: str = "app.py", **others: str) -> tuple[SqlSite, ...]:
    linked = project_of({path: text, **{f"{name}.py": source for name, source in others.items()}})
    context = Context(linked)
    routes = [route for framework in frameworks() for route in framework.routes(context)]
    executions = [e for framework in frameworks() for e in framework.sql(context)]
    return sql_sites(context, executions, handlers_of(routes, linked))


def only(text: str, path: str = "app.py") -> SqlSite:
    (site,) = sites(text, path)
    return site


# --- which calls are sites ---


@pytest.mark.parametrize(
    ("imports", "body", "driver"),
    [
        ("import sqlite3", "sqlite3.connect('f').execute('SELECT 1')", "DB-API"),
        ("import psycopg2", "c = psycopg2.connect('')\nwith c.cursor() as cur:\n    cur.execute('SELECT 1')", "DB-API"),
        (
            "import aiopg",
            "async with pool.acquire() as conn, conn.cursor() as cur:\n    await cur.execute('SELECT 1')",
            "DB-API",
        ),
        ("import pyhive.presto", "cursor = pyhive.presto.connect().cursor()\ncursor.execute(x)", "DB-API"),
        ("import asyncpg", "p = await asyncpg.create_pool()\nawait p.fetch('SELECT 1')", "asyncpg"),
        ("from psycopg2.extras import execute_values", "execute_values(x, 'INSERT INTO t VALUES %s', y)", "psycopg2"),
        ("from django.db import connection", "with connection.cursor() as c:\n    c.execute('SELECT 1')", "DB-API"),
        ("from django.db.models.expressions import RawSQL", "RawSQL('SELECT 1', ())", "Django"),
        ("from m import Thing", "Thing.objects.filter(a=1).raw('SELECT 1')", "Django"),
        ("from m import Thing", "Thing.objects.extra(where=['a = 1'])", "Django"),
        ("from sqlalchemy import text", "y.where(text('a = 1'))", "SQLAlchemy"),
        ("from alembic import op", "op.execute('SELECT 1')", "SQLAlchemy"),
        ("from sqlalchemy.orm import Session", "Session(x).execute('SELECT 1')", "SQLAlchemy"),
        ("import sqlalchemy as sa", "sa.create_engine('').connect().exec_driver_sql('SELECT 1')", "SQLAlchemy"),
        ("", "cur.execute('SELECT 1')", "DB-API"),
    ],
)
def test_found(imports: str, body: str, driver: str) -> None:
    source = f"{imports}\nasync def f(x, y, pool):\n" + "\n".join("    " + line for line in body.split("\n"))
    assert [s.driver for s in sites(source)] == [driver]


@pytest.mark.parametrize(
    "body",
    [
        "import redis\nredis.Redis().pipeline().execute()",
        "from html_helpers import text\ntext('SELECT 1 FROM t')",
        "def f(conn, job):\n    conn.execute(job)",
        "def f(db):\n    db.execute('rebuild the index')",
        "class C:\n    def execute(self, q): ...\nC().execute('SELECT 1')",
        "from sqlalchemy.orm import Session\ndef f(s: Session, U):\n"
        "    s.query(U).filter(U.id == 1).order_by(U.name).all()",
    ],
)
def test_not_found(body: str) -> None:
    assert sites(body) == ()


def test_a_text_judged_where_it_is_executed_is_no_site_of_its_own() -> None:
    source = (
        "from sqlalchemy import text\nfrom sqlalchemy.orm import Session\n"
        "def f(session: Session, x):\n    q = text('SELECT :x')\n    session.execute(q, {'x': x})\n"
    )
    site = only(source)
    assert (site.callee, site.text.kind, site.parameterised) == ("execute", TextKind.CONSTANT, True)


@pytest.mark.parametrize("argument", ["text(\"a = '%s'\" % x)", "condition"])
def test_a_text_in_a_filter_is_the_site_and_the_filter_is_none(argument: str) -> None:
    source = (
        "from flask import request\nfrom sqlalchemy import text\nfrom sqlalchemy.orm import Session\n"
        "def f(session: Session, U):\n    x = request.args['x']\n    condition = text(\"b = '%s'\" % x)\n"
        f"    session.query(U).filter({argument})\n"
    )
    assert {(s.callee, s.certain) for s in sites(source)} == {("text", True)}


def test_a_lambda_sees_what_its_function_leaves_behind() -> None:
    site = only(
        "from flask import request\ndef f(cur):\n    q = request.args['q']\n    g = lambda: cur.execute('SET ' + q)\n"
    )
    assert [h.origin for h in site.text.holes] == [Origin.REMOTE]


def test_identity_is_the_function_and_the_ordinal_in_it() -> None:
    source = (
        "def f(cur):\n    cur.execute('SELECT 1')\n    cur.execute('SELECT 2')\nclass A:\n"
        "    def f(self, cur):\n        cur.execute('SELECT 3')\n"
    )
    before = [s.subject_id for s in sites(source)]
    assert before == ["app:f#sql1", "app:f#sql2", "app:A.f#sql1"]
    assert [s.subject_id for s in sites("# moved\n\n" + source)] == before


# --- what they say ---


def test_expression_apis_are_expressions() -> None:
    source = (
        "from sqlalchemy import select\nfrom sqlalchemy.orm import Session\nfrom psycopg2 import sql, connect\n"
        "def f(s: Session, U, n):\n    s.execute(select(U).where(U.name == n))\n"
        "    connect('').cursor().execute(sql.SQL('SELECT {}').format(sql.Identifier(n)))\n"
    )
    assert {s.text.kind for s in sites(source)} == {TextKind.EXPRESSION}


def test_a_path_parameter_is_remote_unless_it_is_converted() -> None:
    source = (
        "import sqlite3\nfrom flask import Flask\napp = Flask(__name__)\n"
        "@app.get('/a/<name>/<int:n>')\ndef a(name, n):\n"
        "    sqlite3.connect('f').execute(f\"SELECT 1 FROM t WHERE a = '{name}' LIMIT {n}\")\n"
    )
    assert [(h.name, h.position, h.origin) for h in only(source).text.holes] == [
        ("name", Position.QUOTED_VALUE, Origin.REMOTE),
        ("n", Position.VALUE, Origin.TYPED),
    ]


def test_fastapi_binds_by_signature_and_not_what_is_injected() -> None:
    source = (
        "from fastapi import FastAPI, Depends\nfrom sqlalchemy import text\nfrom sqlalchemy.orm import Session\n"
        "app = FastAPI()\ndef tenant(): ...\ndef db() -> Session: ...\n"
        "@app.get('/a')\ndef a(q: str, n: int, t=Depends(tenant), s: Session = Depends(db)):\n"
        "    s.execute(text(f\"SELECT 1 FROM {t} WHERE a = '{q}' LIMIT {n}\"))\n"
    )
    assert {h.name: h.origin for h in only(source).text.holes} == {
        "t": Origin.PARAMETER,
        "q": Origin.REMOTE,
        "n": Origin.TYPED,
    }


def test_a_client_text_is_followed_through_resolved_calls() -> None:
    found = sites(
        "from flask import request\nimport dao\ndef view():\n    dao.find(request.args['n'])\n",
        dao="def find(n):\n    return _run(n, 1)\ndef _run(name, size):\n"
        "    cur.execute(f\"SELECT 1 FROM t WHERE a = '{name}' LIMIT {size}\")\n",
    )
    name, size = found[0].text.holes
    assert (name.origin, size.origin) == (Origin.REMOTE, Origin.PARAMETER)
    assert [e.location.path for e in name.trail][:2] == ["app.py", "app.py"]


@pytest.mark.parametrize(
    ("path", "source", "reason"),
    [
        ("shop/migrations/0001.py", "def up(cur):\n    cur.execute('SELECT 1')", "migration"),
        (
            "versions/a.py",
            "revision = 'a'\ndown_revision = None\ndef up(cur):\n    cur.execute('SELECT 1')",
            "migration",
        ),
        ("shop/management/commands/x.py", "def handle(cur):\n    cur.execute('SELECT 1')", "management command"),
        ("shop/tool.py", "import click\n@click.command()\ndef run(cur):\n    cur.execute('SELECT 1')", "command line"),
        ("scripts/x.py", "def run(cur):\n    cur.execute('SELECT 1')", "script"),
        ("shop/setup.py", "def run(cur):\n    cur.execute('CREATE TABLE t (a int)')", "schema helper"),
        ("shop/api.py", "def run(cur):\n    cur.execute('SELECT 1')", None),
    ],
)
def test_offline(path: str, source: str, reason: str | None) -> None:
    assert only(source, path).offline == reason


# --- tables ---


def tables(source: str) -> dict[str, Table]:
    return {t.name: t for t in sqlalchemy.FRAMEWORK.tables(Context(project_of({"models.py": source})))}


DECLARATIVE = """
from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, declared_attr, mapped_column, relationship

class Base(DeclarativeBase):
    @declared_attr.directive
    def __tablename__(cls):
        return cls.__name__.lower() + "s"

class Owned:
    @declared_attr
    def owner_id(cls):
        return Column(Integer, ForeignKey("users.id"), index=True)

class User(Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str | None]
    posts: Mapped[list["Post"]] = relationship()

class Post(Owned, Base):
    __tablename__ = "entries"
    __table_args__ = (UniqueConstraint("slug"), Index("ix", "kind", "id"))
    id = Column(Integer, primary_key=True)
    slug = Column("the_slug", String(20))
    kind = Column(String)

class Note(Post):
    pass

links = Table(
    "links",
    Base.metadata,
    Column("a", ForeignKey("users.id"), primary_key=True),
    Column("b", Integer, primary_key=True),
)
"""


def test_declarative_tables() -> None:
    found = tables(DECLARATIVE)
    assert set(found) == {"users", "entries", "links"}
    assert [(c.name, c.type, c.indexed, c.unique) for c in found["users"].columns] == [
        ("id", "Integer", True, True),
        ("email", "String", False, False),
    ]
    columns = {c.name: c for c in found["entries"].columns}
    assert set(columns) == {"id", "the_slug", "kind", "owner_id"}
    assert (columns["owner_id"].fk_to, columns["owner_id"].indexed) == ("users", True)
    assert columns["kind"].indexed
    assert not columns["kind"].unique
    assert [(c.name, c.indexed, c.unique) for c in found["links"].columns] == [("a", True, False), ("b", False, False)]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (
            "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\n"
            "class HTTPLogEntry(db.Model):\n    id = db.Column(db.Integer, primary_key=True)",
            "http_log_entry",
        ),
        (
            "from sqlmodel import SQLModel, Field\nclass HeroTeam(SQLModel, table=True):\n"
            "    id: int = Field(primary_key=True)",
            "heroteam",
        ),
        (
            "from alchemical import Model\nimport sqlalchemy.orm as so\nclass T(Model):\n"
            "    __tablename__ = 'tokens'\n    id: so.Mapped[int] = so.mapped_column(primary_key=True)",
            "tokens",
        ),
        (
            "from sqlalchemy.orm import declarative_base\nfrom sqlalchemy import Column, Integer\n"
            "Base = declarative_base()\nclass T(Base):\n    __tablename__ = 'ts'\n    id = Column(Integer)",
            "ts",
        ),
    ],
)
def test_table_names(source: str, name: str) -> None:
    assert set(tables(source)) == {name}


@pytest.mark.parametrize(
    "source",
    [
        "from sqlmodel import SQLModel\nclass HeroIn(SQLModel):\n    name: str",
        "from flask_sqlalchemy import SQLAlchemy\ndb = SQLAlchemy()\nclass Base(db.Model):\n"
        "    __abstract__ = True\n    id = db.Column(db.Integer)",
        "from sqlalchemy.orm import DeclarativeBase, Mapped\nclass Base(DeclarativeBase):\n    id: Mapped[int]",
        "from pydantic import BaseModel, Field\nclass A(BaseModel):\n    id: int = Field(ge=1)",
    ],
)
def test_no_tables(source: str) -> None:
    assert tables(source) == {}


# --- rows ---


def rows(expression: str) -> Rows | str | None:
    """What the chain comes to, by the library's own word for each step."""
    source = (
        "from sqlalchemy import func, select\n"
        "from sqlalchemy.orm import DeclarativeBase, Mapped, Session, relationship\n"
        "class Base(DeclarativeBase): pass\nclass Post(Base):\n    __tablename__ = 'posts'\n"
        "    id: Mapped[int]\n    author_id: Mapped[int]\n"
        f"def f(session: Session, n):\n    return {expression}\n"
    )
    linked = project_of({"app.py": source})
    function = next(linked.functions)
    node = function.returns[0].value
    assert node is not None
    library = sqlalchemy.FRAMEWORK.rows
    assert library is not None

    def come(node: form.Expr) -> Rows | str | None:
        begun = library.source(node, function.scope, linked)
        if begun is not None:
            return begun
        if isinstance(node, form.Call) and isinstance(node.func, form.Attr):
            before = come(node.func.value)
            if isinstance(before, Rows):
                return library.step(before, node.func.attr, node, function.scope)
        return None

    return come(node)


@pytest.mark.parametrize(
    ("expression", "bound", "order", "by_parent"),
    [
        ("session.query(Post).all()", Bound.UNLIMITED, Order.NONE, False),
        ("select(Post).where(Post.author_id == n)", Bound.UNLIMITED, Order.NONE, True),
        ("select(Post).where(Post.id == n)", Bound.UNLIMITED, Order.NONE, False),
        ("select(Post).where(Post.author_id != n)", Bound.UNLIMITED, Order.NONE, False),
        ("session.query(Post).filter_by(author_id=n).order_by(Post.id)", Bound.UNLIMITED, Order.EXPLICIT, True),
        ("session.query(Post).order_by(Post.id).order_by(None)", Bound.UNLIMITED, Order.NONE, False),
        ("select(Post).offset(n).limit(20)", Bound.LIMITED, Order.NONE, False),
        ("select(Post).limit(20).limit(None)", Bound.UNLIMITED, Order.NONE, False),
        ("select(Post.id, Post.author_id).distinct()", Bound.UNLIMITED, Order.NONE, False),
    ],
)
def test_rows(expression: str, bound: Bound, order: Order, by_parent: bool) -> None:
    found = rows(expression)
    assert isinstance(found, Rows)
    assert (found.model, found.bound, found.order, found.filtered_by_parent) == ("Post", bound, order, by_parent)


def test_the_page_size_is_kept() -> None:
    found = rows("select(Post).limit(n)")
    assert isinstance(found, Rows)
    assert [form.dotted(s.node) for s in found.page_input] == ["n"]


@pytest.mark.parametrize(
    "expression",
    [
        "session.query(Post).first()",
        "session.query(Post).count()",
        "session.scalar(select(Post))",
        "session.get(Post, n)",
    ],
)
def test_one_row(expression: str) -> None:
    assert rows(expression) == Step.SINGLE


def test_an_aggregate_is_no_collection() -> None:
    assert rows("select(func.count(Post.id))") is None


@pytest.mark.parametrize(
    ("text", "bound", "order"),
    [
        ("SELECT a FROM t", Bound.UNLIMITED, Order.NONE),
        ("SELECT a FROM t ORDER BY a LIMIT 10", Bound.LIMITED, Order.EXPLICIT),
        ("SELECT a FROM t LIMIT ALL", Bound.UNLIMITED, Order.NONE),
    ],
)
def test_rows_of_a_cursor(text: str, bound: Bound, order: Order) -> None:
    linked = project_of({"app.py": f"def f(cur):\n    cur.execute({text!r})\n    return cur.fetchall()\n"})
    function = next(linked.functions)
    node = function.returns[0].value
    assert node is not None
    found = dbapi.DbapiRows().source(node, function.scope, linked)
    assert isinstance(found, Rows)
    assert (found.model, found.bound, found.order) == ("t", bound, order)


def test_a_counting_statement_is_no_collection() -> None:
    linked = project_of(
        {"app.py": "def f(cur):\n    cur.execute('SELECT count(*) FROM t')\n    return cur.fetchall()\n"}
    )
    function = next(linked.functions)
    node = function.returns[0].value
    assert node is not None
    assert dbapi.DbapiRows().source(node, function.scope, linked) is None
