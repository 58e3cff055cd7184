"""What a service is built from, and who looks after it; how it speaks to the outside."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class DependencySet:
    """The Python packages that one service is installed with.

    `manifest` is the path of the file that declares them. `locks` are files that hold every version, `loose` the
    runtime requirements whose version may differ at the next build, `unlocked_installs` the commands of an image that
    install past the lock. `is_published` says that they are those of a library, whose users choose the versions.
    `oldest_python` is the minor version of the oldest Python 3 that the service may run on, where it says so.
    """

    manifest: str
    location: Location
    role: Role
    locks: tuple[Evidence, ...] = ()
    pinned: tuple[Evidence, ...] = ()
    loose: tuple[Evidence, ...] = ()
    unlocked_installs: tuple[Evidence, ...] = ()
    is_published: bool = False
    unused_lock: Evidence | None = None
    """Where an image installs the packages without a look at the lock file."""
    oldest_python: int | None = None

    @property
    def subject_id(self) -> str:
        return self.manifest

    @property
    def label(self) -> str:
        return f"dependencies in {self.manifest}"


@dataclass(frozen=True, slots=True)
class DependencyAudit:
    """Who looks for known holes in the dependencies of a service.

    `bots_for_others` update something else than Python packages. `has_automation` says that the tree holds settings of
    a CI system or a bot at all: without, its repository may be checked from elsewhere.
    """

    service: str
    location: Location
    role: Role
    scans: tuple[Evidence, ...] = ()
    bots: tuple[Evidence, ...] = ()
    bots_for_others: tuple[Evidence, ...] = ()
    has_automation: bool = False
    has_packages: bool = True

    @property
    def subject_id(self) -> str:
        return self.service

    @property
    def label(self) -> str:
        return f"audit of the dependencies of {self.service}"
