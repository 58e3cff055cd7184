"""Which requests to other services change something there."""

from __future__ import annotations

from urllib.parse import urlsplit

from assay.scanner.dataflow.effects.change import Caveats, Change
from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.readers.python import form

_SURE = frozenset({"PUT", "PATCH", "DELETE"})
_ORDERS = frozenset(
    """create add insert send sendmessage message messages publish notify notifications charge charges refund refunds
    transfer transfers payout order orders delete remove update cancel register subscribe invite trigger dispatch
    deploy start stop restart run enqueue upload import submit approve email emails sms mail invoice invoices payment
    payments booking bookings reservation reservations shipment shipments subscription subscriptions purchase
    purchases""".split()
)
"""What paths say that tell another service to do something. A POST may as well only ask: search, token, graphql."""


def request_change(request: OutboundCall, call: form.Call, scope: Scope) -> Change | None:
    """What sending the request changes at the other end."""
    parts = urlsplit(request.url) if request.url else None
    target = (parts.netloc or parts.path) if parts is not None else ""
    if request.method in _SURE:
        return Change(EffectKind.REQUEST, target, request.method, call, scope)
    orders = parts is not None and not _ORDERS.isdisjoint(words(parts.path))
    if request.method != "POST" or not orders:
        return None
    return Change(EffectKind.REQUEST, target, "POST", call, scope, Caveats(doubt="a POST may only ask for something"))
