"""Clients of mail, file and directory servers, which speak plainly until they are told otherwise.

https://docs.python.org/3/library/smtplib.html, https://docs.python.org/3/library/ftplib.html,
https://ldap3.readthedocs.io/en/latest/ssltls.html, https://www.python-ldap.org
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import Taken
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.transport import Place
from assay.scanner.readers.python import form
from assay.scanner.transports.places import place_in, place_of


@dataclass(frozen=True, slots=True)
class Protocol:
    """How a client is made and used: `securing` are methods that encrypt what was begun plainly, `logins` those that
    send a password; `password` is the argument that does so when the client is made. A `scheme` in the address says
    that it is encrypted, and so do arguments called `switch`; without them a client that `is_upgraded` encrypts what
    it says where the server can.
    """

    name: str
    host: str
    securing: frozenset[str]
    logins: frozenset[str]
    password: tuple[str, int] | None = None
    scheme: str = ""
    switch: str = ""
    is_upgraded: bool = False


_SMTP = Protocol("SMTP", "host", frozenset({"starttls"}), frozenset({"login"}))
_AIOSMTP = Protocol(
    "SMTP",
    "hostname",
    frozenset({"starttls"}),
    frozenset({"login"}),
    ("password", 9),
    switch="use_tls start_tls",
    is_upgraded=True,
)
_MAIL_CONFIG = Protocol(
    "SMTP", "MAIL_SERVER", frozenset(), frozenset(), ("MAIL_PASSWORD", 1),
    switch="MAIL_STARTTLS MAIL_SSL_TLS MAIL_TLS MAIL_SSL",
)  # fmt: skip
_FTP = Protocol("FTP", "host", frozenset(), frozenset({"login"}), ("passwd", 2))
_LDAP = Protocol(
    "LDAP", "host",
    frozenset({"start_tls", "start_tls_s"}), frozenset({"simple_bind_s", "simple_bind", "bind_s", "Connection"}),
    scheme="ldaps", switch="use_ssl",
)  # fmt: skip
_CLIENTS: Mapping[str, Protocol] = {
    "smtplib.SMTP": _SMTP,
    "aiosmtplib.SMTP": _AIOSMTP,
    "aiosmtplib.send": _AIOSMTP,
    "fastapi_mail.ConnectionConfig": _MAIL_CONFIG,
    "ftplib.FTP": _FTP,
    "ldap3.Server": _LDAP,
    "ldap.initialize": _LDAP,
}
_ENCRYPTED: Mapping[str, Protocol] = {"smtplib.SMTP_SSL": _SMTP, "ftplib.FTP_TLS": _FTP}
_NAMES = tuple(sorted({name.rpartition(".")[2] for name in (*_CLIENTS, *_ENCRYPTED)}))
_BOUND_BY_TLS = frozenset({"AUTO_BIND_TLS_BEFORE_BIND", "AUTO_BIND_TLS_AFTER_BIND"})
_PASSWORD_OF_CONNECTION = 2
_ANONYMOUS = frozenset({"", "anonymous", "ftp"})


@dataclass(frozen=True, slots=True, eq=False)
class FoundClient:
    """A client before it is counted among its neighbours."""

    call: form.Call
    scope: Scope
    protocol: str
    place: Place
    encrypted: Option
    carries: tuple[Evidence, ...]


def clients(gathered: Gathered) -> Iterator[FoundClient]:
    """All that production code makes, in order of path and position."""
    for call, scope in gathered.project.calls_named(*_NAMES):
        made = gathered.project.infer(call.func, scope) if scope.module.role is Role.PROD else None
        if isinstance(made, External):
            if made.name in _ENCRYPTED:
                option = Option(True, (scope.module.evidence(call, f"`{last_name(call.func)}` speaks TLS"),))
                yield FoundClient(call, scope, _ENCRYPTED[made.name].name, Place.UNKNOWN, option, ())
            elif made.name in _CLIENTS and _is_used(gathered, call, scope):
                yield _Client(call, scope, _CLIENTS[made.name], gathered).found()


def _is_used(gathered: Gathered, call: form.Call, scope: Scope) -> bool:
    return gathered.production.taken(call, scope).truth is not False


class _Client:
    def __init__(self, call: form.Call, scope: Scope, protocol: Protocol, gathered: Gathered) -> None:
        self._call = call
        self._scope = scope
        self._protocol = protocol
        self._gathered = gathered
        self._production = gathered.production
        nodes = (n for body in self._bodies() for n in form.walk_body(body, into_definitions=False))
        self._around = [n for n in nodes if isinstance(n, form.Call)]

    def found(self) -> FoundClient:
        return FoundClient(
            self._call, self._scope, self._protocol.name, self._place(), self._encrypted(), tuple(self._carried())
        )

    def _bodies(self) -> Iterator[list[form.Stmt]]:
        """Where the client is used: where it is made, what it is handed to, the class that keeps it."""
        yield self._scope.body
        handed_on = self._variables()
        for node in form.walk_body(self._scope.body, into_definitions=False):
            if isinstance(node, form.Call) and any(form.dotted(a.value) in handed_on for a in node.args):
                helper = self._gathered.project.callee_function(node, self._scope)
                if helper is not None:
                    yield helper.node.body
        function = self._scope.function
        owner = function.owner if function is not None else None
        if owner is not None and any(name.startswith("self.") for name in handed_on):
            yield from (method.node.body for method in owner.methods.values() if method is not function)

    def _variables(self) -> set[str]:
        """What the client is called."""
        found: set[str | None] = set()
        for node in form.walk_body(self._scope.body, into_definitions=False):
            if isinstance(node, form.Assign) and node.value is self._call:
                found |= {form.dotted(target) for target in node.targets}
        return {name for name in found if name is not None}

    def _address(self) -> str | None:
        positional = self._call.positional
        node = self._call.keyword(self._protocol.host) or (positional[0] if positional else None)
        found = [m.value for m in self._production.meanings(node, self._scope)] if node is not None else []
        return found[0] if len(found) == 1 and isinstance(found[0], str) else None

    def _place(self) -> Place:
        address = self._address()
        if address is None:
            return Place.UNKNOWN
        return place_in(address) if "://" in address else place_of(address.partition(":")[0])

    def _encrypted(self) -> Option:
        place = self._scope.module.evidence(self._call, f"{self._protocol.name} speaks plainly")
        address = self._address() or ""
        if self._protocol.scheme and address.startswith(f"{self._protocol.scheme}:"):
            return Option(True, (self._scope.module.evidence(self._call, f"`{self._protocol.scheme}` is encrypted"),))
        for name in self._protocol.switch.split():
            node = self._call.keyword(name)
            if node is not None:
                values = [m.value for m in self._production.meanings(node, self._scope)]
                told = self._scope.module.evidence(node, f"`{name}` decides")
                if all(v is not UNKNOWN and not v for v in values):
                    continue
                return Option(None if UNKNOWN in values else True, (told,))
        bound = next((c for c in self._around if last_name(c.keyword("auto_bind") or c.func) in _BOUND_BY_TLS), None)
        if bound is not None:
            return Option(True, (self._scope.module.evidence(bound, "it is encrypted before the password is sent"),))
        securing = [c for c in self._around if last_name(c.func) in self._protocol.securing]
        if securing:
            return self._secured(securing[0])
        is_told = any(self._call.keyword(name) is not None for name in self._protocol.switch.split())
        return Option(None if self._protocol.is_upgraded and not is_told else False, (place,))

    def _secured(self, call: form.Call) -> Option:
        """`starttls`, perhaps if a setting says so."""
        evidence = (self._scope.module.evidence(call, f"`{last_name(call.func)}` encrypts it"),)
        taken: Taken = self._production.taken(call, self._scope)
        if taken.truth is False:
            why = taken.evidence or self._scope.module.evidence(call, "this is left out by default")
            return Option(None, (why,), is_default=True)
        return Option(True, evidence, is_default=taken.truth is None)

    def _carried(self) -> Iterator[Evidence]:
        """Passwords that go over it."""
        if self._protocol.password is not None:
            name, position = self._protocol.password
            positional = self._call.positional
            node = self._call.keyword(name) or (positional[position] if position < len(positional) else None)
            if node is not None and not (isinstance(node, form.Const) and not node.value):
                yield self._scope.module.evidence(node, "a password goes over it")
        for call in self._around:
            if last_name(call.func) in self._protocol.logins and _has_password(call):
                yield self._scope.module.evidence(call, "a password goes over it")


def _has_password(call: form.Call) -> bool:
    """`login(name, password)`, `Connection(server, user, password)`: the first argument of a login is no guest's."""
    if last_name(call.func) == "Connection":
        return call.keyword("password") is not None or len(call.positional) > _PASSWORD_OF_CONNECTION
    first = call.args[0].value if call.args else None
    return first is not None and not (isinstance(first, form.Const) and first.value in _ANONYMOUS)
