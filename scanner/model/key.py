"""Keys, tokens that are issued, and secrets that are compared, stored and sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Expiry(StrEnum):
    """What is known of when a token ends."""

    LIMITED = "limited"
    """It says when, or is taken up to an age."""
    NEVER = "never"
    """Nothing in it says so."""
    UNCHECKED = "unchecked"
    """It is taken after its end as well."""
    ANY_AGE = "any age"
    """It holds the time when it was signed, and nobody asks how old it is."""
    UNTIMED = "untimed"
    """Its signature holds no time, or nobody asks for it, and it may let somebody in."""
    AGELESS = "ageless"
    """It is to work for as long as anybody has it."""
    SOMETIMES = "sometimes"
    """Some paths say when."""
    OTHERWISE = "otherwise"
    """Something else says when, or is to: a claim of its own, a row, a comparison."""
    FOREIGN = "foreign"
    """It speaks for the service itself to another one."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class TokenIssue:
    """A token that is made for a client, or a signed text that is read from one, or the setting for many of them.

    `seconds` is the longest that it lasts, where that can be told; `is_lasting` says that it is to outlast a session:
    what renews, remembers, invites. `aside` says why production doesn't have it.
    """

    function: str
    what: str
    ordinal: int
    location: Location
    role: Role
    expiry: Expiry
    seconds: int | None = None
    is_lasting: bool = False
    evidence: tuple[Evidence, ...] = ()
    aside: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.what}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} in {self.function}"


class KeyOrigin(StrEnum):
    """Where a key comes from in production."""

    CODE = "code"
    """It is written in the code."""
    DEFAULT = "default"
    """From outside; where nothing is set, a text in the code counts."""
    EMPTY = "empty"
    """From outside; where nothing is set, it is empty."""
    REFUSED = "refused"
    """The code has such a text, and the service doesn't start with it."""
    PERHAPS_REFUSED = "perhaps refused"
    """The code has such a text, and something looks at the key; what it refuses can't be told."""
    RANDOM = "random"
    """Each process makes up its own where nothing is set."""
    LOCAL = "local"
    """The first process that finds none makes one up, and keeps it in a file."""
    OUTSIDE = "outside"
    PUBLIC = "public"
    """It only verifies: everybody may have it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A secret that signs or seals sessions, cookies, tokens or data.

    `function` is `module:qualified.name` of the code around the place that says where it comes from, `what` the name
    that it bears there; `ordinal` counts equal names in that code. `aside` says why production doesn't have it.
    """

    function: str
    what: str
    ordinal: int
    location: Location
    role: Role
    origin: KeyOrigin
    evidence: tuple[Evidence, ...] = ()
    aside: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.what}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"key {self.what} in {self.function}"


class Comparison(StrEnum):
    """How a secret is compared with what a client sent."""

    CONSTANT_TIME = "constant time"
    """It takes as long whatever the texts are."""
    PLAIN = "plain"
    """It ends at the first character that differs."""
    OF_A_CODE = "of a code"
    """So does this one, and what is compared may be no secret, or is a short one."""
    PERHAPS_SENT = "perhaps sent"
    """So does this one; whether a client sends the other side can't be told."""


@dataclass(frozen=True, slots=True)
class SecretComparison:
    """A comparison of what a client sent with a secret. `aside` says why production doesn't have it."""

    function: str
    ordinal: int
    location: Location
    role: Role
    comparison: Comparison
    evidence: tuple[Evidence, ...] = ()
    aside: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.comparison.value}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"comparison in {self.function}"


class Keeping(StrEnum):
    """How a table keeps the keys that clients send."""

    DIGEST = "digest"
    """As a digest, which is what is looked up."""
    PLAIN = "plain"
    """As they are: whoever reads the table has them."""
    BESIDE_DIGEST = "beside a digest"
    """As they are, in a table that has digests as well: for old keys, perhaps."""
    USED_UP = "used up"
    """As they are, until they are looked up: whoever sends one deletes it."""
    LIBRARY = "library"
    """As they are, in a table of a library's that does so by design."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A key or token of the service itself, as its table keeps it. `is_one_time` says that it opens one thing once:
    an invitation, a reset.
    """

    table: str
    column: str
    location: Location
    role: Role
    keeping: Keeping
    evidence: tuple[Evidence, ...] = ()
    is_one_time: bool = False

    @property
    def subject_id(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def label(self) -> str:
        return f"column {self.column} of {self.table}"


class UrlUse(StrEnum):
    """How a credential comes to a service, or leaves it."""

    READ = "read"
    """In the query string or the path, and it lets the client in again and again."""
    TOKEN = "token"
    """In the query string, the path or a redirect; whether it lets the client in more than once can't be told."""
    LINK = "link"
    """In a link that is sent to somebody, or that another party redirects to."""
    SOCKET = "socket"
    """In the query string of a web socket, which browsers send no headers for."""
    SENT = "sent"
    """The service puts a password into a query string."""
    SENT_KEY = "sent key"
    """The service puts a key into a query string."""
    HEADER = "header"


@dataclass(frozen=True, slots=True)
class UrlCredential:
    """A credential that is read from a request, or put into one. `aside` says why production doesn't do so."""

    function: str
    what: str
    ordinal: int
    location: Location
    role: Role
    use: UrlUse
    evidence: tuple[Evidence, ...] = ()
    aside: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.what}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} in {self.function}"


class ColumnKeeping(StrEnum):
    """How a column's value lies in the database."""

    PLAIN = "plain"
    """Whoever reads the table reads it."""
    ENCRYPTED = "encrypted"
    """By the column's type, its class, or the code that assigns it; or nothing but a digest is kept."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SensitiveColumn:
    """A column for data that must not be readable in a stolen database.

    `holds` says in words what it is, with its article. `is_certain` is False where the name may mean something
    harmless. `aside` says why it is no such data after all.
    """

    table: str
    column: str
    location: Location
    role: Role
    holds: str
    keeping: ColumnKeeping
    is_certain: bool = True
    evidence: tuple[Evidence, ...] = ()
    aside: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def label(self) -> str:
        return f"column {self.table}.{self.column}"
