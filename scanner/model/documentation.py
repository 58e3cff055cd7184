"""What a service's documents tell the people who run it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Topic(StrEnum):
    """What a reader who is new has to find."""

    PURPOSE = "what it is for"
    RUN = "how to run it"
    CONFIGURE = "how to configure it"
    TEST = "how to test it"
    OPERATE = "how to deploy it"


@dataclass(frozen=True, slots=True)
class Documentation:
    """The documents of one service, the repository's own among them.

    `readme` is the nearest README, `topics` what it and the documents that it refers to speak of, and `elsewhere` a
    site that it sends its readers to. `is_in_another_script` is set where its words can't be known. `procedures` tell
    what to do when something is wrong, `troubleshooting` only what may be. `wiki` is where more may stand. `owner` says
    who answers for it. `overview` shows how the services of the tree work together; `services` is how many there are.
    `is_whole` is set where the top of the repository was scanned.
    """

    service_root: str
    service: str
    location: Location
    role: Role
    readme: Evidence | None = None
    topics: tuple[tuple[Topic, Evidence], ...] = ()
    elsewhere: Evidence | None = None
    is_in_another_script: bool = False
    procedures: tuple[Evidence, ...] = ()
    troubleshooting: tuple[Evidence, ...] = ()
    wiki: Evidence | None = None
    owner: Evidence | None = None
    overview: Evidence | None = None
    services: int = 1
    is_whole: bool = True

    @property
    def subject_id(self) -> str:
        return self.service_root

    @property
    def label(self) -> str:
        return f"documents of {self.service}"

    @property
    def missing(self) -> tuple[Topic, ...]:
        """The topics that nothing speaks of."""
        known = {topic for topic, _ in self.topics}
        return tuple(topic for topic in Topic if topic not in known)


@dataclass(frozen=True, slots=True)
class EnvironmentVariable:
    """A variable that the service reads. `described` shows where somebody who sets it up finds it; `given_by` says in
    words who sets it, where that isn't the operator. `is_optional_field` is set for a field with a default in a class
    that lists the settings.
    """

    name: str
    location: Location
    role: Role
    described: Evidence | None = None
    given_by: str | None = None
    is_optional_field: bool = False

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"variable {self.name}"

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, f"{self.name} is read")
