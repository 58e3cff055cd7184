"""The service's own tests: which endpoints they call, and what they assert."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class TestedEndpoint:
    """An endpoint and the tests that call it.

    `tests` are some of those that send it a request, `count` says how many there are. `fuzzers` send requests to every
    endpoint that the API's description has. `direct` call its handler as a function, past routing and guards; `perhaps`
    send a request whose path can't be told in full. `exempt` says why no test of the service's own is due.
    """

    method: str
    path: str
    location: Location
    role: Role
    service_root: str
    tests: tuple[Evidence, ...] = ()
    count: int = 0
    fuzzers: tuple[Evidence, ...] = ()
    direct: tuple[Evidence, ...] = ()
    perhaps: tuple[Evidence, ...] = ()
    exempt: str | None = None
    guards: tuple[Evidence, ...] = ()
    refusing: tuple[Evidence, ...] = ()
    """Where its own code refuses a request with an error status."""
    refusals_expected: tuple[Evidence, ...] = ()
    """Tests that expect an error status of it."""
    denials_expected: tuple[Evidence, ...] = ()
    """Tests that expect it to turn a caller away: 401, 403, or a redirect to a login page."""
    denials_perhaps: tuple[Evidence, ...] = ()
    """Tests that seem to be about that by their names, and whose expectation can't be told."""
    denials_beside: tuple[Evidence, ...] = ()
    """Tests that expect this of another endpoint, behind the same guard in the same place."""
    statuses_known: bool = True
    """Whether it can be told what status some test expects of it."""

    @property
    def subject_id(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def label(self) -> str:
        return f"{self.method} {self.path or '/'}"


class AssertionKind(StrEnum):
    """How a test checks something."""

    ASSERT = "assert"
    METHOD = "an asserting method"
    RAISES = "an expected exception"
    MOCK = "an assertion on a mock"
    HELPER = "a helper that asserts"


@dataclass(frozen=True, slots=True)
class CollectedTest:
    """A test function that the runner collects.

    `assertions` show the first thing that it asserts; `trivial` those that can't fail, such as `assert True`.
    `smoke` shows where it says that running without an error is what it checks; `unfollowed` are calls that may assert,
    for all that can be told. `excuse` says why it checks nothing by itself: it is skipped, or a benchmark.
    """

    name: str
    location: Location
    role: Role
    service_root: str
    assertions: tuple[Evidence, ...] = ()
    kind: AssertionKind | None = None
    trivial: tuple[Evidence, ...] = ()
    smoke: Evidence | None = None
    unfollowed: tuple[Evidence, ...] = ()
    excuse: str | None = None

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name.rpartition(":")[2]


@dataclass(frozen=True, slots=True)
class AssertingFunction:
    """What one function of the tests asserts. `dead` are those that are never evaluated, each with the reason; its
    location is the first of them, where there is one.
    """

    function: str
    location: Location
    role: Role
    service_root: str
    count: int
    dead: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.function

    @property
    def label(self) -> str:
        return f"assertions in {self.function.rpartition(':')[2] or self.function}"


@dataclass(frozen=True, slots=True)
class AuthenticationTesting:
    """How the tests of a service's guarded endpoints come by an identity.

    `guarded` counts the guarded endpoints that tests call. `bypasses` put a user in place without the service looking
    at a credential; `real` send one that it has to look at; `direct` call what looks at credentials as a function.
    """

    location: Location
    role: Role
    service_root: str
    guarded: int
    bypasses: tuple[Evidence, ...] = ()
    real: tuple[Evidence, ...] = ()
    direct: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return "authentication"

    @property
    def label(self) -> str:
        return "authentication in the tests"


@dataclass(frozen=True, slots=True)
class RollbackTesting:
    """How tests treat a function whose writes one transaction holds.

    `is_bound` says that one write needs the other, or that somebody has opened a transaction around them; else only
    the same commit ends them. `tests` are some of those that run it. `proven` let it fail and look whether anything
    remained; `forced` make something in it fail, and don't look; `refused` are refused something, perhaps before the
    first write, and look; `perhaps` let something fail and look for such rows, and nothing shows that they run it.
    """

    function: str
    location: Location
    role: Role
    transaction: tuple[Evidence, ...] = ()
    is_bound: bool = True
    tests: tuple[Evidence, ...] = ()
    proven: tuple[Evidence, ...] = ()
    forced: tuple[Evidence, ...] = ()
    refused: tuple[Evidence, ...] = ()
    perhaps: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.function

    @property
    def label(self) -> str:
        return f"rollback of {self.function}"
