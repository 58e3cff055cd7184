"""Which migrations are judged one by one: those that came since the base, by `--since` and at the gate."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from assay.scanner.changes import added_since
from tests.repositories import Repository
from tests.running import APP, run_assay

REVISION = """\
import sqlalchemy as sa
from alembic import op

revision = "{name}"
down_revision = {parent}


def upgrade():
    op.add_column("users", sa.Column("{name}", sa.Text()))


def downgrade():
    pass
"""


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A committed backend with one migration that can't be undone, and a branch checked out for more."""
    made = Repository.new(tmp_path / "shop")
    made.write("app.py", APP)
    made.write("versions/a1.py", REVISION.format(name="a1", parent=None))
    made.commit()
    made.git("checkout", "--quiet", "-b", "feature")
    return made


def judged(root: Path, *options: str) -> dict[str, str]:
    """What DB305 says, by migration."""
    ended = run_assay("scan", "--format", "json", "--jobs", "1", "--no-cache", *options, cwd=root)
    verdicts = json.loads(ended.out)["verdicts"]
    return {v["subject"]["id"]: v["kind"] for v in verdicts if v["rule"] == "DB305"}


def test_files_that_came_since_the_base(repository: Repository) -> None:
    repository.git("mv", "app.py", "main.py")
    repository.write("versions/b2.py", REVISION.format(name="b2", parent='"a1"'))
    repository.commit()
    repository.write("versions/c3.py", "")
    repository.write("notes.md", "")
    assert added_since(repository.root, "main") == {"versions/b2.py", "versions/c3.py"}


def test_only_migrations_since_the_base_are_judged(repository: Repository) -> None:
    repository.write("versions/b2.py", REVISION.format(name="b2", parent='"a1"'))
    assert judged(repository.root) == {"versions (released)": "notApplicable"}
    assert judged(repository.root, "--since", "main") == {"versions (released)": "notApplicable", "b2": "fail"}


def test_the_configuration_can_name_the_last_release(repository: Repository) -> None:
    repository.write("versions/b2.py", REVISION.format(name="b2", parent='"a1"'))
    repository.write("assay.toml", '[migrations]\nbaseline = ["a1"]\n')
    assert judged(repository.root) == {"versions (released)": "notApplicable", "b2": "fail"}


SQUASHED = """\
from django.db import migrations


class Migration(migrations.Migration):
    replaces = [("orders", "0002_note"), ("orders", "0003_drop")]
    dependencies = [("orders", "0001_initial")]
    operations = [migrations.RunPython(print)]
"""


def test_a_squashed_migration_is_as_old_as_those_that_it_replaces(repository: Repository) -> None:
    migrations = "orders/migrations"
    first = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = []\n"
    repository.write("orders/__init__.py", "")
    repository.write(f"{migrations}/__init__.py", "")
    repository.write(f"{migrations}/0001_initial.py", first)
    repository.commit()
    repository.write(f"{migrations}/0002_squashed.py", SQUASHED)
    assert "orders.0002_squashed" not in judged(repository.root, "--since", "HEAD")
    repository.write(f"{migrations}/0003_drop.py", first.replace("[]", '[("orders", "0001_initial")]'))
    assert judged(repository.root, "--since", "HEAD")["orders.0002_squashed"] == "fail"
