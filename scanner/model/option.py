"""An option that decides how safe something is, as it is in production."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence


@dataclass(frozen=True, slots=True)
class Option:
    """What an option comes to where nothing but the scanned code decides: defaults of libraries and of settings count.

    `is_safe` is None where that can't be told. `is_default` is set where it is only the default of a setting or a
    switch. `evidence` shows what decides.
    """

    is_safe: bool | None
    evidence: tuple[Evidence, ...] = ()
    is_default: bool = False
