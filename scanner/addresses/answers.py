"""What an address leads to: the compose service or the Service of the cluster that answers there."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence


@dataclass(frozen=True, slots=True)
class Answer:
    """Either `found` shows what answers, or `problem` says why nothing does; `lead` shows what is there instead, and
    `doubt` what may be out of sight. `target` is the name of what answers.
    """

    found: Evidence | None = None
    problem: str = ""
    lead: tuple[Evidence, ...] = ()
    doubt: Evidence | None = None
    target: str = ""
