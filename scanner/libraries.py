"""What libraries do with data, as data: where untrusted values come from, where they do harm, what makes them harmless.

A library model is a YAML file: those that Assay brings along are in `rules/libraries`, a project's own are named on
the command line. Names are dotted names as the code would import them (`subprocess.run`), methods are named after the
type that has them (`flask.Response.set_cookie`); `of` saves repeating what names have in common. A name that begins
with `*.` is a method of a receiver whose type could not be told: it counts where the tree imports one of `packages`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache
from importlib import import_module, resources

import msgspec

from assay.scanner import packaged_yaml
from assay.scanner.model.cookie import CookieRole
from assay.scanner.model.crypto import Act, Keeping, Randomness
from assay.scanner.model.waiting import Wait

Constant = str | int | float | bool | None


class LibraryError(Exception):
    """A library model can't be used; the message says which file, where in it, and what is wrong."""


class SinkKind(StrEnum):
    """What interprets the data that reaches it: each has its own rule, and its own ways of being made safe."""

    SQL = "sql"
    COMMAND = "command"
    CODE = "code"
    PATH = "path"
    URL = "url"
    TEMPLATE = "template"
    HTML = "html"
    DESERIALIZE = "deserialize"
    XML = "xml"
    LDAP = "ldap"
    XPATH = "xpath"
    DOCUMENT = "document"
    REDIRECT = "redirect"
    HEADER = "header"
    LOG = "log"
    SESSION = "session"
    ARCHIVE = "archive"
    """What unpacks an archive to wherever its members say."""
    LINK = "link"
    """What takes an address to somebody else: a mail, another system. Only the host that a client says counts."""


class Label(StrEnum):
    """What a client can choose of a value, from most to least."""

    JSON = "json"
    """Any JSON value: an object or a list where text was expected."""
    TEXT = "text"
    """Any text or bytes."""
    HOST = "host"
    """The host that the client says it asked for."""
    SEGMENT = "segment"
    """Text without a slash: one segment of a path."""
    STORED = "stored"
    """Text read back from a database, a cache or a file: a client may have written it."""


class _Named(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Functions, methods or attributes: every one of `names`, below each of `of` where that is given."""

    names: tuple[str, ...]
    of: tuple[str, ...] = ()

    @property
    def dotted(self) -> Iterator[str]:
        """The full names."""
        for name in self.names:
            if not self.of:
                yield name
            for owner in self.of:
                yield f"{owner}.{name}"


class Condition(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A demand on an argument: it is one of `values`, where `absent` stands for no such argument and a dotted name for
    the object of that name. `argument` is its keyword, `position` its place where it may stand without one.
    """

    argument: str
    values: tuple[Constant, ...]
    position: int | None = None


class Source(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Attributes that hold, and functions and methods that give, what a client chooses: calls where `when` holds."""

    gives: Label = Label.TEXT
    when: tuple[Condition, ...] = ()


class Sink(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Calls that hand an argument to an interpreter, where all of `when` hold.

    `arguments` are positions and keywords of what is dangerous: each of them that a call has counts; `receiver` is the
    object whose method is called; `*` stands for all arguments. `assigned` says that the names are attributes or
    items that are set, not calls: argument 0 is the key then, and 1 the value. `safe` says that the call is the safe
    way of doing it: it counts as kept. `doubt` says what makes it uncertain that the argument does harm. `is_script`
    says that the argument is text in a language of a document store, not a document.
    """

    kind: SinkKind
    arguments: tuple[int | str, ...] = (0,)
    when: tuple[Condition, ...] = ()
    assigned: bool = False
    safe: str = ""
    doubt: str = ""
    is_script: bool = False


class Sanitizer(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Calls whose result is harmless for the sinks of the kinds in `cleans`; for all where it is empty."""

    cleans: tuple[SinkKind, ...] = ()


class Guard(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Calls that tell whether an argument is harmless for the sinks of the kinds in `cleans`: it is where the call's
    truth is `holds`. `argument` is its position, -1 for the receiver.
    """

    cleans: tuple[SinkKind, ...] = ()
    argument: int = 0
    holds: bool = True


class Propagator(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Calls that hand on what is in their arguments: in these alone where `arguments` is given, -1 for the receiver.

    A call that no model names does so too, but what comes out of it counts as uncertain.
    """

    arguments: tuple[int | str, ...] = ()


class HashFunction(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Functions that compute a digest, or begin one.

    `algorithm` is its name (`md5`); where it is empty, the argument `named_by` at `position` names it. `data` is the
    position of what is digested. `keyed` says what makes a key part of it, so that nothing hangs on collisions.
    """

    algorithm: str = ""
    named_by: str = ""
    position: int = 0
    data: int = 0
    keyed: str = ""


class RandomFunction(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Functions that give random values, or what stands in for them.

    `picks` says that the first argument is what is chosen from, `for_secrets` that secrets alone are made with them.
    """

    gives: Randomness
    picks: bool = False
    for_secrets: bool = False


class PasswordFunction(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Functions that turn a password into something else, or compare it with what it was turned into.

    `password` is the position of the password, `keyword` its name. `keeps` is what it becomes where all of `when` hold.
    `iterations` is the keyword of the count of rounds, at `position`, of which `enough` are enough. `general` says that
    other things go through them as well: the call counts where what it is given is a password by its name.
    """

    keeps: Keeping = Keeping.HASHED
    act: Act = Act.HASH
    password: int = 0
    keyword: str = "password"
    when: tuple[Condition, ...] = ()
    iterations: str = ""
    position: int | None = None
    enough: int = 0
    general: bool = False


class Option(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Where a library is told something: the keyword `argument` of a call, or its place `position`; else the
    `setting` of that name; `default` where it is told nothing. `options.key` is an item of a dict that is given.
    """

    argument: str = ""
    position: int | None = None
    setting: str = ""
    default: Constant = None


class CookieFlags(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What decides how well a cookie is kept: whether it is sent over https alone, hidden from scripts, and left out
    of requests that other sites make.
    """

    secure: Option
    httponly: Option
    samesite: Option


class CookieCall(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Calls that set a cookie, or that set up what sets one, where none of `unless` holds. `flask.*` as the owner of a
    name stands for anything that the library gives; it counts for objects whose type can't be told too, in modules
    that import the library.

    `role` is empty where the name and the value tell what the cookie is for. `settings` is the source of the settings
    that `flags` speak of.
    """

    flags: CookieFlags
    key: Option = Option()
    value: Option = Option()
    unless: tuple[Condition, ...] = ()
    role: CookieRole | None = None
    settings: str = ""


class CookieOverride(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Calls that set the flags of a framework's own cookie, whatever its settings say."""

    flags: CookieFlags


class FrameworkCookie(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A cookie that a framework sets by itself, as settings of `source` say.

    There is one where the setting `listed_in` holds one of `names`; else for each call of `applications`, where code
    around it imports one of `names`.
    """

    cookie: str
    role: CookieRole
    source: str
    names: tuple[str, ...]
    flags: CookieFlags
    listed_in: str = ""
    applications: tuple[str, ...] = ()
    unless: str = ""
    """The setting that does away with it where it is true."""
    overridden_by: tuple[CookieOverride, ...] = ()


class TlsOption(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What switches the check of certificates off: the call's argument, or the attribute of what it gives, is one of
    `unsafe`, where a dotted name stands for the object of that name.
    """

    unsafe: tuple[Constant, ...]
    argument: str = ""
    position: int | None = None
    attribute: str = ""
    default: Constant = True


class TlsCall(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Calls that connect by TLS, or prepare it, where all of `when` hold; other calls of the names don't.

    With `if_told` only those count that are told one of the options. `url` is the address where one is given.
    `is_unsafe` says that the call itself means that nothing is checked.
    """

    options: tuple[TlsOption, ...] = ()
    when: tuple[Condition, ...] = ()
    url: Option | None = None
    if_told: bool = False
    is_unsafe: bool = False


class TlsName(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keywords that mean the check of certificates whatever is called with them, and with `keys` in mappings too.
    `callees` are words of the functions that the keyword has this meaning for; of all where it is empty.
    """

    names: tuple[str, ...]
    unsafe: tuple[Constant, ...]
    callees: tuple[str, ...] = ()
    keys: bool = False


class TokenKind(StrEnum):
    """What a call reads of a signed token."""

    CLAIMS = "claims"
    HEADER = "header"


class TokenCall(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Calls that read a signed token, and verify its signature unless one of `unless` holds; without `verifies`, never.

    `needs` is a method of what comes out that has to be called for the claims to count: Authlib's `validate`.
    `algorithms` is where the call says by which algorithms the token may be signed; None where nobody can choose. With
    `takes_any` the library takes what the token names where the call doesn't say it.
    """

    token: Option = Option(position=0)
    verifies: bool = True
    unless: tuple[Condition, ...] = ()
    gives: TokenKind = TokenKind.CLAIMS
    needs: str = ""
    algorithms: Option | None = None
    takes_any: bool = False


class WaitingCall(_Named, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Calls that take long: `*` as the last name stands for everything below each of `of` that is not in `but`.

    `awaited` says that the call is awaited, and so keeps its caller waiting but nobody else.
    """

    waits_for: Wait
    awaited: bool = False
    but: tuple[str, ...] = ()


class Types(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Other names for a thing (`same`), and what calling or reading something gives (`gives`), by dotted names."""

    same: dict[str, str] = {}
    gives: dict[str, str] = {}


class Library(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The model of one library, or of several that belong together.

    `packages` are the top-level packages that the `*.` names are about.
    """

    library: str
    packages: tuple[str, ...]
    types: Types = Types()
    sources: tuple[Source, ...] = ()
    sinks: tuple[Sink, ...] = ()
    sanitizers: tuple[Sanitizer, ...] = ()
    guards: tuple[Guard, ...] = ()
    propagators: tuple[Propagator, ...] = ()
    hashes: tuple[HashFunction, ...] = ()
    randoms: tuple[RandomFunction, ...] = ()
    passwords: tuple[PasswordFunction, ...] = ()
    cookies: tuple[CookieCall, ...] = ()
    framework_cookies: tuple[FrameworkCookie, ...] = ()
    tls_calls: tuple[TlsCall, ...] = ()
    tls_names: tuple[TlsName, ...] = ()
    tokens: tuple[TokenCall, ...] = ()
    waiting: tuple[WaitingCall, ...] = ()


def load_library(text: str, place: str) -> Library:
    """Read one model from YAML; `place` names the file in messages. Raises LibraryError."""
    import yaml

    try:
        return msgspec.convert(packaged_yaml.load(text), Library)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark is not None else ""
        raise LibraryError(f"{place}{line}: it is no YAML: {getattr(error, 'problem', None) or error}") from error
    except msgspec.ValidationError as error:
        raise LibraryError(f"{place}: {error}") from error


@cache
def packaged_libraries(package: str) -> tuple[Library, ...]:
    """The models in the folder `libraries` of a package of rules, by file name. Raises LibraryError."""
    folder = resources.files(import_module(package)).joinpath("libraries")
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".yaml")), key=lambda f: f.name)
    return load_libraries((f"{package}/libraries/{f.name}", f.read_text(encoding="utf-8")) for f in files)


def load_libraries(texts: Iterable[tuple[str, str]]) -> tuple[Library, ...]:
    """Read models from pairs of place and text, in the order given. Raises LibraryError."""
    return tuple(load_library(text, place) for place, text in texts)
