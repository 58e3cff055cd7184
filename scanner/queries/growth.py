"""Which tables get longer with use, and which hold a few rows that people set up, told by their models' names."""

from __future__ import annotations

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import last_part
from assay.scanner.model.table import Table
from assay.scanner.queries.relations import Relations

_FEW = frozenset(
    """type status state kind role priority severity category country currency language locale timezone setting
    settings config configuration option permission plan flag feature provider level region unit plugin template
    choice group organization tenant site scope backend integration environment""".split()
)  # fmt: skip
"""Last words of models whose tables hold a few rows that people set up."""
_PEOPLE = frozenset({"user", "account", "customer", "member", "person", "profile", "client", "patient", "student"})
_HAPPENING = frozenset(
    """log event message mail post comment order payment transaction entry history notification ticket invoice session
    record visit submission activity audit request response view click like vote review reply transfer booking
    reservation upload attachment file token measurement reading metric solve attempt""".split()
)  # fmt: skip

_COLLECTED = frozenset(
    """alert answer article asset bookmark book contact deal delivery device document execution favorite feedback follow
    follower image incident invitation invite issue item job lead link listing login membership movie note photo post
    product purchase question recipe refund report run sale shipment snapshot song story subscriber subscription task
    thread topic track transfer video""".split()
)  # fmt: skip
"""Last words of models that people or programs go on to add to."""
_AUDITS = ("created", "updated", "modified", "deleted", "added", "edited", "changed", "last_", "approved", "reviewed")
"""How references begin that say who did something to a row, and not whose it is."""


def is_small(model: str) -> bool:
    """Whether its table holds a few rows that people set up."""
    return not _forms(model).isdisjoint(_FEW)


def grows(model: str, relations: Relations) -> bool:
    """By what the model is called, or that it belongs to a person."""
    if not _forms(model).isdisjoint(_PEOPLE | _HAPPENING):
        return True
    owners = (r.target for r in relations.of(model).values() if not r.to_many)
    return any(not _forms(owner).isdisjoint(_PEOPLE) for owner in owners)


def keeps_growing(table: Table) -> bool:
    """By what the model is called, or that its rows are people's own."""
    if not _forms(table.model).isdisjoint(_PEOPLE | _HAPPENING | _COLLECTED):
        return True
    owners = (c for c in table.columns if c.fk_to is not None and not c.name.startswith(_AUDITS))
    return any(not _forms(last_part(c.fk_to or "")).isdisjoint(_PEOPLE) for c in owners)


def _forms(model: str) -> set[str]:
    """The last word of a model's name, in the singular too."""
    last = (list(words(model)) or [""])[-1]
    return {last, last.removesuffix("s"), f"{last.removesuffix('ies')}y"}
