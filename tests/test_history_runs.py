"""Runs tell what a table with a row for every scan would, in whatever order scans are added and taken away."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, select

from assay.scanner.history.runs import SECTIONS, Place
from assay.scanner.history.tables import FOREVER, Base, SectionRun

_BRANCHES = count(1)
_START = datetime(2026, 1, 1, tzinfo=UTC)
_KEYS = ("API", "DB", "SEC")

Told = dict[str, float | None]
told = st.dictionaries(st.sampled_from(_KEYS), st.sampled_from((None, 0.0, 50.0, 100.0)))
steps = st.lists(st.tuples(st.integers(0, 7), st.one_of(st.none(), told)), max_size=20)
"""Each step is a place in time, and what a scan there tells; None takes the scan away."""


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    engine = create_engine("sqlite://")
    with engine.begin() as opened:
        Base.metadata.create_all(opened)
        yield opened
    engine.dispose()


def moment(number: int) -> datetime:
    return _START + timedelta(days=number)


def place(branch: int, number: int, others: set[int]) -> Place:
    before = max((other for other in others if other < number), default=None)
    after = min((other for other in others if other > number), default=None)
    return Place(
        branch,
        moment(number),
        None if before is None else moment(before),
        None if after is None else moment(after),
    )


def rows(connection: Connection, branch: int) -> list[tuple[str, float | None, datetime, datetime]]:
    columns = (SectionRun.section, SectionRun.score, SectionRun.first, SectionRun.last)
    found = connection.execute(select(*columns).where(SectionRun.branch_id == branch).order_by(SectionRun.first))
    return [tuple(row) for row in found]  # type: ignore[misc]


def expected(scans: dict[int, Told]) -> list[tuple[str, float | None, datetime, datetime]]:
    """Runs made from all scans at once."""
    found = []
    order = sorted(scans)
    for key in _KEYS:
        start = 0
        while start < len(order):
            end = start
            if key in scans[order[start]]:
                value = scans[order[start]][key]
                while end + 1 < len(order) and scans[order[end + 1]].get(key, "nothing") == value:
                    end += 1
                last = FOREVER if end + 1 == len(order) else moment(order[end])
                found.append((key, value, moment(order[start]), last))
            start = end + 1
    return found


@given(steps)
def test_runs_are_what_all_scans_told_in_whatever_order_they_came(
    connection: Connection, asked: list[tuple[int, Told | None]]
) -> None:
    branch = next(_BRANCHES)
    scans: dict[int, Told] = {}
    for number, values in asked:
        if number in scans:
            del scans[number]
            SECTIONS.take(connection, place(branch, number, set(scans)))
        if values is not None:
            SECTIONS.put(connection, place(branch, number, set(scans)), {key: (v,) for key, v in values.items()})
            scans[number] = values
        assert sorted(map(str, rows(connection, branch))) == sorted(map(str, expected(scans)))
