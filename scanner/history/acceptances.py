"""By whose word findings of a service may stay, each said once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import astuple

from sqlalchemy import Connection, insert, select

from assay.scanner.history.tables import AcceptanceRow, clean
from assay.scanner.results import Acceptance, AcceptedBy

__all__ = ["acceptance_values", "read_acceptances"]

_SAID = ("by", "reason", "waiver", "owner", "approver", "ticket", "created", "expires")
"""In the order of `Acceptance`."""


def acceptance_values(
    connection: Connection, service: int, wanted: Iterable[Acceptance | None]
) -> Mapping[Acceptance | None, int]:
    """The numbers of these, each made where it is missing."""
    said = {acceptance: _said(acceptance) for acceptance in wanted if acceptance is not None}
    if not said:
        return {}
    known = _known(connection, service)
    missing = [
        {"service_id": service} | dict(zip(_SAID, words, strict=True))
        for words in sorted(set(said.values()))
        if words not in known
    ]
    if missing:
        connection.execute(insert(AcceptanceRow), missing)
        known = _known(connection, service)
    return {acceptance: known[words] for acceptance, words in said.items()}


def read_acceptances(connection: Connection) -> dict[int, Acceptance]:
    """All that there are, by number; they are few."""
    columns = [getattr(AcceptanceRow, name) for name in _SAID]
    return {
        id_: Acceptance(AcceptedBy(by), *words)
        for id_, by, *words in connection.execute(select(AcceptanceRow.id, *columns))
    }


def _known(connection: Connection, service: int) -> dict[tuple[str, ...], int]:
    columns = [getattr(AcceptanceRow, name) for name in _SAID]
    query = select(AcceptanceRow.id, *columns).where(AcceptanceRow.service_id == service)
    return {tuple(said): id_ for id_, *said in connection.execute(query)}


def _said(acceptance: Acceptance) -> tuple[str, ...]:
    return tuple(clean(str(part)) for part in astuple(acceptance))
