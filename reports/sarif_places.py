"""Places, notifications and messages of a SARIF log: what the log for GitHub and the whole one write alike."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from assay.reports.sarif_log import (
    ArtifactLocation,
    CodeFlow,
    DescriptorReference,
    Message,
    Notification,
    PhysicalLocation,
    Region,
    SarifLocation,
    ThreadFlow,
    ThreadFlowLocation,
)
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.model.place import Evidence, Location

_ACTS_IN_A_LINK = re.compile(r"[\\\[\]]")


@dataclass(frozen=True, slots=True)
class Places:
    """How paths become URIs: relative to the base of that name (§3.4.4), or behind a prefix without one."""

    base: str | None = None
    prefix: str = ""

    def artifact(self, path: str) -> ArtifactLocation:
        """A file, percent-encoded."""
        # surrogateescape gives back the very bytes of a file name that isn't UTF-8
        return ArtifactLocation(quote(self.prefix + path, safe="/", errors="surrogateescape"), self.base)

    def physical(self, location: Location) -> PhysicalLocation:
        """A stretch of a file, with all four ends."""
        region = Region(location.line, location.column, location.end_line, location.end_column)
        return PhysicalLocation(self.artifact(location.path), region)

    def related(self, evidence: Evidence, number: int) -> SarifLocation:
        """Evidence that a message can link to by its number."""
        return SarifLocation(self.physical(evidence.location), id=number, message=message(evidence.text))

    def code_flow(self, steps: tuple[Evidence, ...]) -> CodeFlow:
        """A way that a value takes, in one thread."""
        places = (SarifLocation(self.physical(step.location), message=message(step.text)) for step in steps)
        return CodeFlow((ThreadFlow(tuple(ThreadFlowLocation(place) for place in places)),))

    def notification(self, diagnostic: Diagnostic) -> Notification:
        """What could not be read or judged."""
        region = None if diagnostic.line is None else Region(diagnostic.line)
        return Notification(
            "error" if diagnostic.reason.is_internal_error else "warning",
            message(diagnostic.message),
            DescriptorReference(diagnostic.reason),
            (SarifLocation(PhysicalLocation(self.artifact(diagnostic.path), region)),),
        )


def message(text: str) -> Message:
    """§3.11.6: what reads like an embedded link in scanned text must not become one."""
    return Message(_ACTS_IN_A_LINK.sub(r"\\\g<0>", text) if "](" in text else text)
