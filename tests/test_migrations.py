"""Migrations: what real projects write in ways that are easily misread."""

from __future__ import annotations

from assay.scanner.framework import Context
from assay.scanner.frameworks.alembic.revisions import ALEMBIC
from assay.scanner.frameworks.django.migrations import migrations as of_django
from assay.scanner.model.migration import Migration, SchemaChange
from tests.projects import context_of, project_of


def told(changes: tuple[SchemaChange, ...]) -> list[tuple[str, str | None, str | None]]:
    return [(change.operation, change.table, change.column) for change in changes]


def revision(code: str, **modules: str) -> tuple[Migration, Context]:
    """One revision, `code` being what follows its identifiers."""
    context = context_of(
        f"""
        import sqlalchemy as sa
        from alembic import op

        revision = "2"
        down_revision = "1"
        {code}
        """,
        **modules,
    )
    (found,) = ALEMBIC.migrations(context)
    return found, context


def test_batches_of_one_name_change_their_own_tables() -> None:
    found, _ = revision(
        """
        def upgrade():
            with op.batch_alter_table("a", schema=None) as batch_op:
                batch_op.create_index(batch_op.f("ix_a"), ["x"])
            with op.batch_alter_table("b") as batch_op:
                if True:
                    batch_op.drop_column("y")

        def downgrade():
            with op.batch_alter_table("b") as batch_op:
                batch_op.add_column(sa.Column("y", sa.Text()))
        """
    )
    assert told(found.changes) == [("create_index", "a", "ix_a"), ("drop_column", "b", "y")]
    assert told(found.reversals) == [("add_column", "b", "y")]
    assert found.is_reversible


def test_going_back_may_do_nothing_or_raise() -> None:
    code = """
        def upgrade():
            op.drop_table("a")

        def downgrade():
            {body}
        """
    assert not revision(code.format(body="pass"))[0].is_reversible
    assert not revision(code.format(body="raise NotImplementedError()"))[0].is_reversible
    assert not revision(code.split("def downgrade")[0])[0].is_reversible
    assert revision(code.format(body="op.create_table('a')"))[0].is_reversible


def test_each_database_of_flask_migrate_has_its_functions() -> None:
    found, _ = revision(
        """
        def upgrade(engine_name):
            globals()["upgrade_%s" % engine_name]()

        def downgrade(engine_name):
            globals()["downgrade_%s" % engine_name]()

        def upgrade_():
            op.drop_table("a")

        def upgrade_log():
            op.execute("DELETE FROM log")

        def downgrade_():
            op.create_table("a")

        def downgrade_log():
            pass
        """
    )
    assert told(found.changes) == [("drop_table", "a", None), ("execute", None, None)]
    assert found.is_reversible


def test_helpers_get_their_arguments_and_may_call_themselves() -> None:
    found, _ = revision(
        """
        from helpers import add

        def upgrade():
            add("user", "nick")

        def downgrade():
            pass
        """,
        helpers="""
        import sqlalchemy as sa
        from alembic import op

        def add(table, column, again=False):
            op.add_column(table, sa.Column(column, sa.Text()))
            if again:
                add(table, column)
        """,
    )
    assert told(found.changes) == [("add_column", "user", "nick")]


def test_what_is_computed_is_said() -> None:
    context = context_of(
        """
        import os
        from alembic import op

        revision = "2"
        down_revision = os.environ["BEFORE"]

        def upgrade():
            op.drop_table(os.environ["OLD"])
        """
    )
    (found,) = ALEMBIC.migrations(context)
    assert found.parents == ()
    assert told(found.changes) == [("drop_table", None, None)]
    assert [d.message for d in context.diagnostics] == [
        "what this revision builds on is computed at run time",
        "which table drop_table changes is computed at run time",
    ]


def test_a_custom_operation_of_django_may_refuse_to_go_back() -> None:
    first_text = """
        from django.db import migrations
        from django.db.migrations.operations.base import Operation

        class Burn(Operation):
            reversible = False

        class Migration(migrations.Migration):
            dependencies = []
            operations = [Burn()]
        """
    second_text = """
        from django.db import migrations, models

        BEFORE = [("shop", "m0001_initial")]

        class Migration(migrations.Migration):
            dependencies = [*BEFORE, ("auth", "__first__")]
            operations = [migrations.RemoveField("Cart", "owner")] + [migrations.DeleteModel("Cart")]
        """
    folder = "shop/migrations"
    packages = {"shop/__init__.py": "", f"{folder}/__init__.py": ""}
    texts = {f"{folder}/m0001_initial.py": first_text, f"{folder}/m0002_more.py": second_text}
    first, second = of_django(Context(project_of(packages | texts)))
    assert (first.name, first.parents, first.is_reversible) == ("shop.m0001_initial", (), False)
    assert (second.name, second.parents) == ("shop.m0002_more", ("shop.m0001_initial", "auth.0001_initial"))
    assert told(second.changes) == [("RemoveField", "shop_cart", "owner"), ("DeleteModel", "shop_cart", None)]
    assert told(second.reversals) == [("DeleteModel", "shop_cart", None), ("RemoveField", "shop_cart", "owner")]


def test_a_squashed_migration_stands_for_those_it_replaces() -> None:
    squashed = """
        from django.conf import settings
        from django.db import migrations

        class Migration(migrations.Migration):
            replaces = [("shop", "0001_initial"), ("shop", "0002_more")]
            dependencies = [("shop", "__first__")]
            operations = []
        """
    later = """
        from django.db import migrations

        class Migration(migrations.Migration):
            dependencies = [("shop", "0002_more")]
            operations = []
        """
    folder = "shop/migrations"
    packages = {"shop/__init__.py": "", f"{folder}/__init__.py": ""}
    texts = {f"{folder}/m0001_squashed.py": squashed, f"{folder}/m0003_later.py": later}
    first, second = of_django(Context(project_of(packages | texts)))
    assert (first.parents, second.parents) == ((), ("shop.m0001_squashed",))
