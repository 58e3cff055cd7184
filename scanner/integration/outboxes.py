"""Outboxes: tables of events that are stored with the change, and what sends them from there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from assay.scanner.dataflow.lexicon import words
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.dual_write import DualWrite, Rescue
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.python import form

_NAMES = (frozenset({"outbox"}), frozenset({"outboxes"}), frozenset({"outgoing", "event"}))
_PROGRESS = frozenset("""status state sent processed published dispatched delivered relayed attempts retries""".split())
"""Words of columns by which whoever sends the rows keeps track: a relay that reads a database's log has none."""
_MAKING = frozenset({"create", "acreate", "bulk_create", "abulk_create", "insert", "insert_one"})


class Outboxes:
    """Those of the tree, by what their models are called."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered

    def is_outbox(self, model: str) -> bool:
        return model in self._tables

    def reader(self, model: str) -> Evidence | None:
        """What reads the rows, as far as it shows."""
        return next((place for place, is_read in self._uses.get(model, ()) if is_read), None) or self._capture

    def subjects(self) -> Iterator[DualWrite]:
        """Of those that code writes to."""
        for model, table in self._tables.items():
            uses = self._uses.get(model, ())
            written = next((place for place, is_read in uses if not is_read), None)
            if written is None or table.role is not Role.PROD:
                continue
            reader = self.reader(model)
            is_tracked = any(not _PROGRESS.isdisjoint(words(column.name)) for column in table.columns)
            unread = Rescue.UNREAD if is_tracked else Rescue.PERHAPS_STORED
            rescue = Rescue.STORED if reader is not None else unread
            shown = (written,) if reader is None else (written, reader)
            yield DualWrite(model, 1, model, table.location, table.role, rescue, shown)

    @cached_property
    def _tables(self) -> Mapping[str, Table]:
        tables = self._gathered.tables
        return {t.model: t for t in tables if any(name <= set(words(t.model)) for name in _NAMES)}

    @cached_property
    def _uses(self) -> Mapping[str, list[tuple[Evidence, bool]]]:
        """Where code names the models, and whether it reads rows there."""
        found: dict[str, list[tuple[Evidence, bool]]] = {}
        for function in self._gathered.project.functions if self._tables else ():
            if function.module.role is not Role.PROD:
                continue
            making = _making(function)
            for node in function.nodes:
                if isinstance(node, form.Name) and node.id in self._tables:
                    is_read = node.start not in making
                    text = f"rows of {node.id} are {'read' if is_read else 'made'}"
                    found.setdefault(node.id, []).append((function.module.evidence(node, text), is_read))
        return found

    @cached_property
    def _capture(self) -> Evidence | None:
        """Debezium, which reads the log of the database: a compose file runs it, or its configuration is there."""
        for path, facts in sorted(self._gathered.context.files.items()):
            for service in facts.services if isinstance(facts, ComposeFacts) else ():
                if "debezium" in (service.image or "").lower():
                    return service.span.evidence(path, "Debezium reads the log of the database")
        found = next((p for p in sorted(self._gathered.paths) if "debezium" in p.lower()), None)
        return Evidence(Location.whole_file(found), "Debezium reads the log of the database") if found else None


def _making(function: FunctionSymbol) -> set[int]:
    """Where a model is only named to make a row of it: `Outbox(...)`, `Outbox.objects.create()`, `insert(Outbox)`."""
    found: set[int] = set()
    for node in function.nodes:
        if not isinstance(node, form.Call):
            continue
        if isinstance(node.func, form.Name):
            found.add(node.func.start)
        if last_name(node.func) in _MAKING:
            owner: form.Expr = node.func
            while isinstance(owner, form.Attr):
                owner = owner.value
            found.add(owner.start)
            found.update(a.value.start for a in node.args)
    return found
