"""What stands in for a guard: a secret that the caller has to know, a service that nobody can sign in to yet."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.access.purposes import sets_up
from assay.scanner.access.route_names import static_segments
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.framework import Route
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_SECRETS = frozenset(
    """token secret signature sig hash signed ticket nonce uidb64 otp code invite invitation activation confirmation
    verification password passcode hmac digest jwt key anchor""".split()
)  # fmt: skip
"""Words of parameters that nobody guesses."""
_SENT_SECRETS = _SECRETS - {"hash", "anchor", "password", "invite", "activation"}
_SHARING = frozenset(
    """share shared shares sharing invite invites invitation invitations join link links unsubscribe embed embedded
    badge badges preview download downloads public track pixel verify confirm rsvp guest webcal ical feed""".split()
)  # fmt: skip
_IDS = frozenset({"id", "uuid", "uid", "guid", "pk", "slug", "hash", "code"})
_ACCOUNTS = frozenset({"users", "user", "accounts", "account", "members", "customers", "signups", "registrations"})
_KEEPING_PEOPLE_OUT = frozenset({"admin", "admins", "internal", "management", "manage", "staff", "backoffice"})
_VISITORS = frozenset(
    """comment comments vote votes rating ratings survey surveys answer answers response responses submission
    submissions cart carts basket baskets checkout order orders booking bookings reservation reservations lead leads
    enquiry inquiry enquiries inquiries donate donation donations subscription subscriptions subscribers waitlist track
    tracking analytics event events telemetry collect beacon hit hits click clicks pageview pageviews search preview
    quote quotes appointment appointments chat message messages report""".split()
)  # fmt: skip
"""What shops, sites and clients' programs let visitors leave, and what they may as well keep for known callers."""
_JARS = frozenset({"args", "form", "GET", "POST", "query_params", "values", "data", "json", "query", "headers"})


def stand_ins(route: Route) -> Iterator[Evidence]:
    """What may stand in for a guard of an open route."""
    own = list(path_parameters(route.path))
    for name in own:
        if _is_secret(name, route.path):
            yield Evidence(route.location, f"whoever knows `{name}` may call it")
    if route.handler is not None:
        for parameter in route.handler.parameters:
            if _is_sent_secret(parameter.name) and parameter.name not in own:
                yield Evidence(route.location, f"it is sent `{parameter.name}`")
        yield from _sent_secrets(route.handler)
    if sets_up(route):
        yield Evidence(route.location, "it sets the service up")
    static = static_segments(route.path)
    if not {"public", "guest"}.isdisjoint(static):
        yield Evidence(route.location, "its path says that it is public")
    if not static or not _KEEPING_PEOPLE_OUT.isdisjoint(static) or not {"POST", "ANY"}.intersection(route.methods):
        return
    if static[-1] in _ACCOUNTS and not own:
        yield Evidence(route.location, "people may register with it")
    elif not _VISITORS.isdisjoint(static[-1].split("_")):
        yield Evidence(route.location, f"visitors may send `{static[-1]}`")


def _is_secret(name: str, path: str) -> bool:
    parts = words(name)
    if not parts:
        return False
    if parts[-1] in _SECRETS or not _SECRETS.isdisjoint(parts[:1]):
        return True
    return parts[-1] in _IDS and not _SHARING.isdisjoint(w for s in static_segments(path) for w in s.split("_"))


def _is_sent_secret(name: str) -> bool:
    parts = words(name)
    return bool(parts) and parts[-1] in _SENT_SECRETS and len(parts) < 4 and parts[0] not in ("country", "currency")


def _sent_secrets(handler: FunctionSymbol) -> Iterator[Evidence]:
    """`request.args.get("code")`, `request.POST["token"]`."""
    for node in handler.walk():
        jar, key = _asked_for(node)
        name = key.value if isinstance(key, form.Const) else None
        if jar is not None and isinstance(name, str) and last_name(jar) in _JARS and _is_sent_secret(name):
            yield handler.module.evidence(node, f"it is sent `{name}`")


def _asked_for(node: form.Expr | form.Stmt) -> tuple[form.Expr | None, form.Expr | None]:
    match node:
        case form.Call(func=form.Attr(value=jar, attr="get"), args=[form.Arg(value=key), *_]):
            return jar, key
        case form.Subscript(value=jar, index=key):
            return jar, key
    return None, None
