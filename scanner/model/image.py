"""Images that the tree builds: what they run as, what is left in them, and the images that they and workloads use."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class ContainerImage:
    """A stage of a Dockerfile that is shipped: the last one, and those that something builds by name.

    `user` is safe where its processes don't run as root, whether the image sees to it or every workload that runs it.
    `build_tools` are left in it, though only building needs them; `perhaps_used` are tools that the application may
    start. `secrets` persist in one of its layers, `perhaps_secret` may.
    """

    subject_id: str
    label: str
    location: Location
    role: Role
    user: Option
    build_tools: tuple[Evidence, ...] = ()
    perhaps_used: tuple[Evidence, ...] = ()
    secrets: tuple[Evidence, ...] = ()
    perhaps_secret: tuple[Evidence, ...] = ()
    runs_infrastructure: bool = False
    """It adds to a database's, a broker's or a proxy's image, which looks after its own processes."""
    doubt: Evidence | None = None

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, f"{self.label} is shipped")


class Pin(StrEnum):
    """How firmly a reference names one image."""

    DIGEST = "by digest"
    VERSION = "by version"
    MOVING = "a tag that moves"
    MISSING = "no tag"
    UNKNOWN = "a variable"


@dataclass(frozen=True, slots=True)
class ImageReference:
    """A place that takes an image from a registry: FROM, `COPY --from`, the image of a workload.

    `used_for` says in words what for. `is_own` is set for an image that this tree builds.
    """

    subject_id: str
    reference: str
    location: Location
    role: Role
    pin: Pin
    used_for: str
    is_own: bool = False
    doubt: Evidence | None = None

    @property
    def label(self) -> str:
        return f"image {self.reference}"

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, f"{self.reference} {self.used_for}")
