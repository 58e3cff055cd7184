"""An outbound call: a request that the service sends to another one over HTTP."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class OutboundCall:
    """`function` is `module:qualified.name` of where it is; `ordinal` counts the calls of that function from 1.

    `method` is the upper-case verb and `url` the address, each None where it is computed; a part of the address that is
    computed stands in it as `{}`, one that the environment may change as its default. `is_written` is set where the
    code itself names the host, `read_from` are the environment variables and settings that it comes from.

    `timeout` is what limits the wait, at the call or at the session it goes through; None where nothing was found that
    does. `default_timeout` is set where the library itself limits it, and `unknown` shows what may limit it out of
    sight. `offline` says in words what runs it by hand or at deployment.
    """

    function: str
    ordinal: int
    location: Location
    role: Role
    library: str
    method: str | None = None
    url: str | None = None
    timeout: Evidence | None = None
    default_timeout: str | None = None
    unknown: Evidence | None = None
    offline: str | None = None
    is_written: bool = False
    read_from: tuple[str, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.function}:outbound call {self.ordinal}"

    @property
    def place(self) -> Evidence:
        address = f" to {self.url}" if self.url is not None else ""
        return Evidence(self.location, f"{self.library} sends a request{address}")

    @property
    def label(self) -> str:
        return f"outbound call {self.ordinal} in {self.function}"
