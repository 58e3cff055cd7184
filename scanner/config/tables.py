"""What every table of the configuration is made of."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=0)]
Percentage = Annotated[float, Meta(ge=0, le=100, description="0 to 100.")]
Points = Annotated[float, Meta(ge=0, le=100, description="Points of a score of 0 to 100.")]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="kebab"):
    """A table of the configuration; its keys are written with hyphens."""
