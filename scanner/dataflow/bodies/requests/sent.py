"""What an expression holds of a body."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum, auto

from assay.scanner.dataflow.bodies.schemas.schema import Schema


class Part(Enum):
    """How much of a body it is."""

    TEXT = auto()
    """The body as text or bytes, not parsed yet."""
    WHOLE = auto()
    """What it says, by its fields."""
    FIELD = auto()
    """The value of one field, or of something in it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """A body or a part of it. A form's fields are texts, whatever a client sends; JSON's may be anything.

    `field` is the field's name, `*` where it may be any. `schema` is what it was held against, `is_limited` says that
    code picked the fields that are left.
    """

    part: Part
    is_form: bool = False
    field: str = ""
    schema: Schema | None = None
    is_limited: bool = False

    def item(self, name: str) -> Sent:
        """One of its fields; of a field, something in it."""
        return replace(self, part=Part.FIELD, field=self.field or name)


ANY_FIELD = "*"
JSON = Sent(Part.WHOLE)
FORM = Sent(Part.WHOLE, is_form=True)
TEXT = Sent(Part.TEXT)
