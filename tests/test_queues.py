"""Queues of tasks: who sends to them and who reads them, as the inventory tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.running import run_assay

WORKER = """\
from celery import Celery

app = Celery("shop", broker="redis://redis:6379/0")


@app.task
def bill(order):
    print(order)


@app.task(queue="reports")
def report(month):
    print(month)


def month_ends(month):
    report.delay(month)
    bill.apply_async((month,), queue="nightly")
"""


def queues_of(tree: Path, procfile: str) -> dict[str, dict[str, Any]]:
    (tree / "worker.py").write_text(WORKER, encoding="utf-8")
    (tree / "Procfile").write_text(procfile, encoding="utf-8")
    loaded = json.loads(run_assay("inventory", str(tree), "--format", "json", cwd=tree).out)
    return {queue["name"]: queue for service in loaded["services"] for queue in service["queues"]}


@pytest.mark.parametrize(
    "flags", ["-Q celery,reports", "--queues=celery,reports", "-Qcelery,reports", "--queues celery,reports -c 4"]
)
def test_workers_read_the_queues_that_their_command_names(tmp_path: Path, flags: str) -> None:
    found = queues_of(tmp_path, f"worker: celery -A worker worker {flags}\n")
    assert sorted(found) == ["celery", "nightly", "reports"]
    assert found["celery"]["tasks"] == ["worker.bill"]
    assert found["nightly"]["tasks"] == ["worker.bill"]
    assert found["reports"]["tasks"] == ["worker.report"]
    assert [bool(found[name]["read_by"]) for name in ("celery", "reports", "nightly")] == [True, True, False]


def test_workers_whose_command_names_none_read_the_default_queue(tmp_path: Path) -> None:
    found = queues_of(tmp_path, "worker: celery -A worker worker --concurrency 4\n")
    assert [name for name, queue in sorted(found.items()) if queue["read_by"]] == ["celery"]
