"""Replaying migrations gives what a plain dictionary of tables says."""

from __future__ import annotations

from textwrap import dedent

from hypothesis import given, settings
from hypothesis import strategies as st

from assay.scanner.framework import Context
from assay.scanner.frameworks.alembic.revisions import ALEMBIC
from assay.scanner.frameworks.django.migrations import migrations as of_django
from assay.scanner.model.migration import Migration
from assay.scanner.model.schema import Schema, SchemaTable
from assay.scanner.schema.order import in_order
from assay.scanner.schema.replay import schema_of
from assay.scanner.schema.scope import unreleased
from assay.scanner.schema.trees import trees_of
from tests.projects import project_of

_TABLES = ("user", "team", "order")
_COLUMNS = ("name", "size", "note", "rank")
_ACTS = st.lists(
    st.tuples(
        st.sampled_from(("create", "drop", "rename", "add", "remove", "call")),
        st.sampled_from(_TABLES),
        st.sampled_from(_COLUMNS),
        st.sampled_from(_COLUMNS),
        st.sampled_from(_TABLES),
    ),
    max_size=25,
)


def _alembic(tables: dict[str, set[str]], act: tuple[str, str, str, str, str]) -> str | None:
    """Do the act on the tables, and say it as Alembic does; None for one that makes no sense now."""
    kind, table, column, other, new = act
    columns = tables.get(table)
    if kind == "create" and columns is None:
        tables[table] = {"id", column}
        return f'op.create_table("{table}", sa.Column("id", sa.Integer()), sa.Column("{column}", sa.Text()))'
    if columns is None:
        return None
    if kind == "drop":
        del tables[table]
        return f'op.drop_table("{table}")'
    if kind == "rename" and new not in tables:
        tables[new] = tables.pop(table)
        return (
            f'op.execute("ALTER TABLE {table} RENAME TO {new}")'
            if len(column) == 4
            else f'op.rename_table("{table}", "{new}")'
        )
    if kind == "add" and column not in columns:
        columns.add(column)
        return f'op.add_column("{table}", sa.Column("{column}", sa.Text()))'
    if kind == "remove" and column in columns:
        columns.remove(column)
        return f'op.execute("ALTER TABLE {table} DROP COLUMN {column}")'
    if kind == "call" and column in columns and other not in columns:
        columns.remove(column)
        columns.add(other)
        return f'op.alter_column("{table}", "{column}", new_column_name="{other}")'
    return None


def _django(tables: dict[str, set[str]], act: tuple[str, str, str, str, str]) -> str | None:
    """The same, as Django does."""
    kind, table, column, other, new = act
    columns = tables.get(table)
    field = "models.TextField(null=True)"
    if kind == "create" and columns is None:
        tables[table] = {"id", column}
        key = '("id", models.AutoField(primary_key=True))'
        return f'migrations.CreateModel("{table.title()}", [{key}, ("{column}", {field})])'
    if columns is None:
        return None
    if kind == "drop":
        del tables[table]
        return f'migrations.DeleteModel("{table.title()}")'
    if kind == "rename" and new not in tables:
        tables[new] = tables.pop(table)
        return f'migrations.RenameModel("{table.title()}", "{new.title()}")'
    if kind == "add" and column not in columns:
        columns.add(column)
        return f'migrations.AddField("{table}", "{column}", {field})'
    if kind == "remove" and column in columns:
        columns.remove(column)
        return f'migrations.RemoveField("{table}", "{column}")'
    if kind == "call" and column in columns and other not in columns:
        columns.remove(column)
        columns.add(other)
        return f'migrations.RenameField("{table}", "{column}", "{other}")'
    return None


def _revision(number: int, statements: list[str]) -> str:
    body = "\n    ".join(statements) or "pass"
    return dedent(
        """
        import sqlalchemy as sa
        from alembic import op

        revision = "r{number}"
        down_revision = {parent}


        def upgrade():
            {body}
        """
    ).format(number=number, parent=f'"r{number - 1}"' if number else None, body=body)


def _of_alembic(files: dict[str, str]) -> list[Migration]:
    return list(ALEMBIC.migrations(Context(project_of(files))))


def _columns_of(schema: Schema) -> dict[str, set[str]]:
    return {table.name: {column.name for column in table.columns} for table in schema.tables}


@settings(deadline=None, max_examples=60)
@given(_ACTS)
def test_alembic_ends_where_the_reference_does(acts: list[tuple[str, str, str, str, str]]) -> None:
    tables: dict[str, set[str]] = {}
    said = [text for act in acts if (text := _alembic(tables, act)) is not None]
    # Files are found in the order of their names, and run in that of the graph.
    files = {f"versions/{99 - n}.py": _revision(n, said[3 * n : 3 * n + 3]) for n in range(9)}
    schema = schema_of(_of_alembic(files))
    assert _columns_of(schema) == tables
    assert schema.is_whole
    assert all(table.is_whole and table.is_created for table in schema.tables)


@settings(deadline=None, max_examples=60)
@given(_ACTS)
def test_django_ends_where_the_reference_does(acts: list[tuple[str, str, str, str, str]]) -> None:
    tables: dict[str, set[str]] = {}
    said = [text for act in acts if (text := _django(tables, act)) is not None]
    files = {"shop/migrations/__init__.py": "", "shop/__init__.py": ""}
    for n in range(9):
        parent = f'("shop", "m{99 - n + 1}")' if n else ""
        operations = ", ".join(said[3 * n : 3 * n + 3])
        files[f"shop/migrations/m{99 - n}.py"] = (
            "from django.db import migrations, models\n\n\nclass Migration(migrations.Migration):\n"
            f"    dependencies = [{parent}]\n    operations = [{operations}]\n"
        )
    schema = schema_of(of_django(Context(project_of(files))))
    assert _columns_of(schema) == {f"shop_{name}": columns for name, columns in tables.items()}
    assert schema.is_whole


def _only(schema: Schema) -> SchemaTable:
    (table,) = schema.tables
    return table


def test_keys_and_constraints_follow_their_columns() -> None:
    body = [
        'op.create_table("user", sa.Column("id", sa.Integer(), primary_key=True), '
        'sa.Column("a", sa.Text(), unique=True), sa.Column("b", sa.Integer(), sa.ForeignKey("team.id")), '
        'sa.UniqueConstraint("a", "b", name="uq"))',
        'op.create_index("ix_b", "user", ["b", sa.text("lower(a)")], postgresql_where=sa.text("b IS NOT NULL"))',
        'op.alter_column("user", "b", new_column_name="team")',
    ]
    table = _only(schema_of(_of_alembic({"versions/a.py": _revision(0, body)})))
    assert [(k.kind.value, k.columns, k.is_partial) for k in table.all_keys] == [
        ("primary key", ("id",), False),
        ("unique key", ("a",), False),
        ("unique key", ("a", "team"), False),
        ("index", ("team", ""), True),
    ]
    assert [(c.name, c.refers_to) for c in table.columns] == [("id", None), ("a", None), ("team", "team")]


def test_what_cant_be_told_leaves_a_table_partly_known() -> None:
    body = [
        'op.create_table("user", sa.Column("id", sa.Integer()))',
        'if old:\n        op.add_column("user", sa.Column("a", sa.Text()))',
    ]
    assert not _only(schema_of(_of_alembic({"versions/a.py": _revision(0, body)}))).is_whole
    body = ['op.add_column("user", sa.Column("a", sa.Text()))']
    table = _only(schema_of(_of_alembic({"versions/a.py": _revision(0, body)})))
    assert (table.is_created, table.is_whole) == (False, False)
    body = ['op.execute("DO $$ BEGIN DROP TABLE a; END $$")']
    assert not schema_of(_of_alembic({"versions/a.py": _revision(0, body)})).is_whole


def test_what_came_after_the_base_or_the_baseline_may_be_changed() -> None:
    revisions = _of_alembic({f"versions/{n}.py": _revision(n, []) for n in range(4)})
    (tree,) = trees_of(revisions)
    everything = {m.name: m for m in in_order(revisions)}
    assert list(everything) == ["r0", "r1", "r2", "r3"]
    assert unreleased(tree, everything, (), ()) == set()
    assert unreleased(tree, everything, ("r1",), ()) == {"r2", "r3"}
    assert unreleased(tree, everything, (), {"versions/3.py"}) == {"r3"}
    assert unreleased(tree, everything, ("other",), {"versions/3.py"}) == {"r3"}
