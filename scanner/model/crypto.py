"""Where secrets are made, kept and compared: digests, random values, passwords of logins, credentials in the code."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class SecretPlace:
    """A place in the code where a secret is made, kept or compared, or may be.

    `function` is `module:qualified.name` of the code around it, `what` says in a few words what stands there, and
    `ordinal` counts what bears the same words in that function, from 1.
    """

    function: str
    what: str
    ordinal: int
    location: Location
    role: Role

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.what}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} in {self.function}"


@dataclass(frozen=True, slots=True)
class HashUse(SecretPlace):
    """A digest that is computed.

    `algorithm` is its name in small letters, None where it can't be told. `keyed` is what makes a key part of it, as
    HMAC does. `declared` is where the code says that it doesn't serve security. `protects` shows that security hangs on
    it (it becomes a signature, it is made of a password), `identifies` that it is a name for something (a cache key, an
    ETag): both are told by the names that the digest and its input bear. `aside` says why the algorithm isn't this
    code's choice.
    """

    algorithm: str | None = None
    is_weak: bool = False
    keyed: str | None = None
    declared: Evidence | None = None
    protects: tuple[Evidence, ...] = ()
    identifies: tuple[Evidence, ...] = ()
    aside: str | None = None


class Randomness(StrEnum):
    """What a value that is meant to be random rests on."""

    SYSTEM = "system"
    """The operating system's generator, which nobody can foresee."""
    PREDICTABLE = "predictable"
    """A generator that was made for simulation: who sees some of its values can work out the rest."""
    CLOCK = "clock"
    """The time, which everybody knows."""


@dataclass(frozen=True, slots=True)
class RandomUse(SecretPlace):
    """A value that a generator gives, or that stands in for one.

    `secret` shows where it becomes something that nobody may guess, `perhaps` where the name alone doesn't tell.
    `aside` says why it needn't be unforeseeable all the same; `is_for_secrets` that nothing else is made with this
    function.
    """

    randomness: Randomness = Randomness.SYSTEM
    is_for_secrets: bool = False
    secret: Evidence | None = None
    perhaps: Evidence | None = None
    aside: str | None = None


class Keeping(StrEnum):
    """What a password is turned into before it is kept."""

    HASHED = "hashed"
    """By a function made for passwords, slow and salted."""
    TOO_CHEAP = "too cheap"
    """By such a function with too little work."""
    DIGEST = "digest"
    """By a digest that is fast: billions of guesses a second."""
    REVERSIBLE = "reversible"
    """Encrypted or encoded: who has the key, or nothing but the text, has the password."""
    PLAIN = "plain"
    UNKNOWN = "unknown"


class Act(StrEnum):
    """What is done with a login's password."""

    HASH = "hash"
    STORE = "store"
    COMPARE = "compare"
    CONFIGURE = "configure"
    """It is said how all passwords are hashed."""


@dataclass(frozen=True, slots=True)
class PasswordUse(SecretPlace):
    """A place where the password of a login is hashed, stored or compared.

    `by` names what decides (`md5`, `bcrypt.hashpw`); `evidence` shows it. `question` is what makes a bad verdict
    uncertain, `aside` why the place isn't about keeping passwords at all.
    """

    act: Act = Act.HASH
    keeping: Keeping = Keeping.UNKNOWN
    by: str = ""
    evidence: tuple[Evidence, ...] = ()
    question: str | None = None
    aside: str | None = None


class CredentialSource(StrEnum):
    """Where a credential comes from."""

    CODE = "code"
    """Whoever can read the code has it."""
    DEFAULT = "default"
    """From the environment; the code has a value for where that has none."""
    OUTSIDE = "outside"
    """The environment, the configuration, a secret store."""


@dataclass(frozen=True, slots=True)
class Credential(SecretPlace):
    """Something that is given where a password, a key or a token belongs, or that has the form of one.

    `kind` names the format of keys that can be told by it ("AWS access key"). `masked` shows as much of the text as may
    be seen. `question` is what makes it uncertain that it is one, `aside` says why it is none.
    """

    source: CredentialSource = CredentialSource.CODE
    kind: str | None = None
    masked: str = ""
    question: str | None = None
    aside: str | None = None
