"""The samples in `fixtures/frameworks`: the inventory holds what is written down, and the framework itself agrees."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import TypeAlias

import msgspec
import pytest
import yaml

from assay.scanner.config import Config
from assay.scanner.engine import Options, understand
from assay.scanner.executors import InlineExecutor
from assay.scanner.inventory import take

SAMPLES = Path(__file__).parent.parent / "fixtures" / "frameworks"
NAMES = sorted(folder.name for folder in SAMPLES.iterdir() if folder.is_dir())
ASKED = [name for name in NAMES if (SAMPLES / name / "ask.py").exists()]
ASKED_OF_A_ROUTE = ("handler", "operations")
NOT_COMPARED = ("location", "framework")

Row: TypeAlias = dict[str, object]
Part: TypeAlias = list[Row]


@cache
def expected(name: str) -> dict[str, Part]:
    loaded: dict[str, Part] = yaml.safe_load((SAMPLES / name / "expected.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def understood(name: str) -> dict[str, Part]:
    """The inventory of the sample, which is one service, part by part."""
    options = Options(Config(), jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor())
    inventory = msgspec.to_builtins(take(understand(SAMPLES / name / "sample", options)))
    (service,) = inventory["services"]
    parts = {part: rows for part, rows in service.items() if isinstance(rows, list)}
    return parts | {"diagnostics": inventory["diagnostics"]}


def told(row: object) -> object:
    """What a row says: without where it is, and without what it says nothing of."""
    if isinstance(row, dict):
        return {
            key: told(value) for key, value in row.items() if key not in NOT_COMPARED and value not in (None, [], False)
        }
    return [told(item) for item in row] if isinstance(row, list) else row


def in_order(rows: object) -> list[str]:
    """Each row as one line, to be compared without regard to order."""
    assert isinstance(rows, list)
    return sorted(json.dumps(told(row), sort_keys=True) for row in rows)


def endpoint_lines(rows: Part) -> list[str]:
    return sorted(f"{row['method']} {row['path']}" for row in rows)


@pytest.mark.parametrize("name", NAMES)
def test_the_inventory_holds_what_is_written_down(name: str) -> None:
    """Endpoints and diagnostics in full; of the other parts, those that the sample names."""
    nothing: dict[str, Part] = {"endpoints": [], "diagnostics": []}
    wanted = nothing | expected(name)
    wanted.pop("not_asked", None)
    found = understood(name)
    assert {part: in_order(found[part]) for part in wanted} == {part: in_order(rows) for part, rows in wanted.items()}


@cache
def asked(name: str) -> dict[str, Part]:
    """What the sample's `ask.py` prints: a list of routes, or parts of an inventory by name."""
    sample = SAMPLES / name / "sample"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", sample.parent / "ask.py"],
        cwd=sample,
        env={**os.environ, "PYTHONPATH": str(sample), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr.decode()
    answer: Part | dict[str, Part] = json.loads(done.stdout)
    return {"endpoints": answer} if isinstance(answer, list) else answer


@pytest.mark.parametrize("name", ASKED)
def test_the_framework_itself_lists_the_same_routes(name: str) -> None:
    """Its `ask.py` imports the sample and prints the route table, with what else the framework knows of it."""
    routes = asked(name).get("endpoints", [])
    wanted = expected(name).get("endpoints", [])
    assert endpoint_lines(routes) == endpoint_lines(wanted)
    rows = {f"{row['method']} {row['path']}": row for row in wanted}
    for route in routes:
        line = f"{route['method']} {route['path']}"
        told = {key: route[key] or None for key in ASKED_OF_A_ROUTE if key in route}
        assert (line, told) == (line, {key: rows[line].get(key) or None for key in told})


@pytest.mark.parametrize("name", ASKED)
def test_the_library_itself_makes_the_same_tables(name: str) -> None:
    """Their columns, and of these what the library tells: a column is printed by its name, or as a row."""
    answer = asked(name)
    tables = {str(row["name"]): columns_of(row) for row in answer.get("tables", [])}
    wanted = {str(row["name"]): columns_of(row) for row in expected(name).get("tables", []) if "tables" in answer}
    assert {table: sorted(columns) for table, columns in tables.items()} == {
        table: sorted(columns) for table, columns in wanted.items()
    }
    for table, columns in tables.items():
        for column, row in columns.items():
            same = {key: wanted[table][column].get(key) or None for key in row}
            assert (table, {key: value or None for key, value in row.items()}) == (table, same)


@pytest.mark.parametrize("name", ASKED)
def test_the_library_itself_knows_the_same_migrations(name: str) -> None:
    """Their names and what each builds on."""
    migrations = asked(name).get("migrations", [])
    wanted = expected(name).get("migrations", []) if "migrations" in asked(name) else []
    assert {str(row["name"]): parents_of(row) for row in migrations} == {
        str(row["name"]): parents_of(row) for row in wanted
    }


def columns_of(table: Row) -> dict[str, Row]:
    columns = table.get("columns", [])
    assert isinstance(columns, list)
    rows = [column if isinstance(column, dict) else {"name": column} for column in columns]
    return {str(row["name"]): row for row in rows}


def parents_of(migration: Row) -> list[str]:
    parents = migration.get("parents", [])
    assert isinstance(parents, list)
    return sorted(parents)


def test_every_sample_is_asked_or_says_why_not() -> None:
    unasked = set(NAMES) - set(ASKED)
    assert unasked == {name for name in NAMES if "not_asked" in expected(name)}
