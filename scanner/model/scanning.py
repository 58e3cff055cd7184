"""Scans for holes that CI runs, and what of a service is scanned at all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class ScanKind(StrEnum):
    """What is looked through."""

    CODE = "the code"
    DEPENDENCIES = "the dependencies"
    SECRETS = "secrets in the repository"
    IMAGE = "the image"
    INFRASTRUCTURE = "workflows and manifests"

    @property
    def is_plural(self) -> bool:
        return self not in (ScanKind.CODE, ScanKind.IMAGE)


class Blocking(StrEnum):
    """Whether a finding stops a change."""

    YES = "yes"
    NO = "no"
    UNMEANT = "unmeant"
    """The tool watches or grades, and another one is there to stop a change."""
    ELSEWHERE = "elsewhere"
    """Findings are uploaded, and a setting out of sight decides."""


@dataclass(frozen=True, slots=True)
class SecurityScan:
    """A step of CI that scans. `tolerated` says why its failure stops nothing, `not_on_changes` that it runs only at
    other times than before a change is merged.
    """

    subject_id: str
    service_root: str
    tool: str
    kinds: tuple[ScanKind, ...]
    location: Location
    role: Role
    blocking: Blocking
    why: str
    tolerated: Evidence | None = None
    not_on_changes: str = ""
    via: tuple[Evidence, ...] = ()

    @property
    def label(self) -> str:
        return f"scan by {self.tool}"

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.location, f"{self.tool} scans {' and '.join(self.kinds)}")


@dataclass(frozen=True, slots=True)
class ScanCoverage:
    """What of a service is scanned: one for each kind. `absent` says why there is nothing of the kind to scan.

    `weaker` is what looks after it without scanning, or with a tool that knows little. `has_ci` says that the tree
    holds a pipeline at all.
    """

    service_root: str
    kind: ScanKind
    location: Location
    role: Role
    scans: tuple[SecurityScan, ...] = ()
    weaker: tuple[Evidence, ...] = ()
    absent: str = ""
    has_ci: bool = False

    @property
    def subject_id(self) -> str:
        return self.kind.name.lower()

    @property
    def label(self) -> str:
        return f"scan of {self.kind}"
