"""What sections, principles and rules are called: the word of the newest edition that a scan came with."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import BindParameter, Connection, bindparam, insert, select, update

from assay.scanner.history.tables import Principle, Rule, Section, clean
from assay.scanner.results import ScanResult

__all__ = ["tell_standard"]

_Columns = dict[str, object]


def tell_standard(connection: Connection, result: ScanResult) -> None:
    """Write down what is new in the result's standard, or newer than what is known."""
    sections = {section.id: section for service in result.services for section in service.sections}
    principles = {p.id: (p, s.id) for service in result.services for s in service.sections for p in s.principles}
    _tell(
        connection,
        Section,
        result.edition,
        {
            s.id: {"title": clean(s.title), "weight": s.weight, "place": place}
            for place, s in enumerate(sections.values())
        },
    )
    _tell(
        connection,
        Principle,
        result.edition,
        {
            p.id: {"section": section, "title": clean(p.title), "weight": p.weight, "place": place}
            for place, (p, section) in enumerate(principles.values())
        },
    )
    _tell(
        connection,
        Rule,
        result.edition,
        {
            rule.code: {"principle": rule.principle, "name": clean(rule.name), "title": clean(rule.title)}
            for rule in result.rules
            if rule.counts
        },
    )


def _tell(
    connection: Connection, table: type[Section | Principle | Rule], edition: str, told: Mapping[str, _Columns]
) -> None:
    known = {row["id"]: row for row in connection.execute(select(table.__table__)).mappings()}
    new, changed = [], []
    for id_, columns in told.items():
        values = columns | {"edition": edition}
        if id_ not in known:
            new.append({"id": id_} | values)
            continue
        before = {name: known[id_][name] for name in values}
        if before != values and _numbers(str(before["edition"])) <= _numbers(edition):
            changed.append({"known": id_} | {f"new_{name}": value for name, value in values.items()})
    if new:
        connection.execute(insert(table), new)
    if changed:
        names = [name.removeprefix("new_") for name in changed[0] if name != "known"]
        change: dict[str, BindParameter[object]] = {name: bindparam(f"new_{name}") for name in names}
        connection.execute(update(table).where(table.id == bindparam("known")).values(change), changed)


def _numbers(edition: str) -> tuple[int, ...]:
    """Editions are numbered by year and place in it, such as 2026.1."""
    return tuple(int(part) for part in edition.split(".") if part.isdecimal())
