"""Credentials that travel in messages."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.dataflow.lexicon import masks, words
from assay.scanner.dataflow.logged_values import WHOLE_BODY, LoggedValues
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.messages.sent import Given, Sent, last_display
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.log import SensitiveValue, Sensitivity
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_REFERENCES = frozenset(
    (word,) for word in ("id", "ids", "pk", "pks", "uid", "uuid", "hash", "name", "type", "ref", "identifier")
)
"""Last words of parameters that take what names a secret, and isn't one."""
_ADDRESSES = frozenset({"device", "push", "fcm", "apns", "registration", "expo", "devices"})
"""Before `token`: where a device is reached."""
_MAILING = frozenset({"mail", "email", "emails", "mails", "sms", "invitation", "invite"})
_WRITING = frozenset({"dumps", "encode", "str", "dict", "list"})
_DEEPEST = 2


class Secrets:
    """Those of one project's messages."""

    def __init__(self, project: Project, bodies: Bodies) -> None:
        self._values = LoggedValues(project)
        self._bodies = bodies
        self._mailing: dict[FunctionSymbol, Evidence | None] = {}

    def of(self, sent: Sent) -> tuple[SensitiveValue, ...]:
        """Each one once, as far as there is no doubt what it is."""
        found: dict[str, SensitiveValue] = {}
        for given in sent.given:
            for value in self._in(given):
                found.setdefault(value.name, value)
        return tuple(found.values())

    def masked(self, sent: Sent) -> tuple[Evidence, ...]:
        """Where one travels hashed, encrypted or in another form that gives it not away."""
        return tuple(e for given in sent.given for e in self._values.masked([given.node], given.scope))

    def delivers(self, sent: Sent) -> Evidence | None:
        """Where it shows that the message is for somebody's mailbox or telephone."""
        function = sent.handler
        if function is None:
            return None
        if function not in self._mailing:
            self._mailing[function] = self._mails(function)
        return self._mailing[function]

    def _in(self, given: Given) -> Iterator[SensitiveValue]:
        if given.name is not None and (words(given.name)[-1:] in _REFERENCES or masks(given.name)):
            return
        plain = _unwrapped(given.node)
        node, scope = last_display(plain, given.scope) or (given.node, given.scope)
        fields = {given.name: node} if given.name is not None else {}
        for value in self._values.sensitive([node], scope, fields):
            is_secret = value.sensitivity is Sensitivity.CREDENTIAL and value.is_certain
            if is_secret and value.name != WHOLE_BODY and _ADDRESSES.isdisjoint(words(value.name)[:-1]):
                yield value

    def _mails(self, function: FunctionSymbol, depth: int = _DEEPEST) -> Evidence | None:
        if not _MAILING.isdisjoint(words(function.name)):
            return Evidence(function.location, f"`{function.name}` mails it")
        body = self._bodies.of(function)
        for change in body.changes:
            if change.kind is EffectKind.MAIL:
                return function.module.evidence(change.node, "the task mails it")
        found = (self._mails(edge.callee, depth - 1) for edge in body.edges) if depth else iter(())
        return next((place for place in found if place is not None), None)


def _unwrapped(node: form.Expr) -> form.Expr:
    """`event` of `json.dumps(event).encode()`."""
    while isinstance(node, form.Call) and last_name(node.func) in _WRITING:
        if isinstance(node.func, form.Attr) and not node.positional:
            node = node.func.value
        elif node.positional:
            node = node.positional[0]
        else:
            break
    return node
