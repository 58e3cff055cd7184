"""Whose choice the method of an endpoint is: people follow links from mails, providers redirect browsers with GET."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.access.route_names import said_by_handler, static_segments
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.framework import Route
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form

_PROVIDER = "a provider sends people's browsers here"
_EVENTS = "another system sends its events here, by the method that it chooses"
_MEANINGS = {
    **dict.fromkeys(
        """callback oauth oauth2 oidc openid saml saml2 sso acs cas authorized authorised oauth_callback
        login_callback auth_callback oauth_authorized redirect_uri""".split(),
        _PROVIDER,
    ),
    **dict.fromkeys("webhook webhooks hook hooks ipn notify_url postback".split(), _EVENTS),
}
_OF_PROVIDERS = frozenset(
    """authorize_access_token fetch_token fetch_access_token get_access_token exchange_code exchange_code_for_token
    authorized_response process_response parse_authn_request_response acquire_token_by_authorization_code
    acquire_token_by_auth_code_flow process_slo validate_ticket""".split()
)
"""What handlers call that a provider of identities or payments has sent somebody to."""
_SECRETS = frozenset("token signature sig secret uidb64 otp nonce ticket".split())
_SECRETS_OF_OPEN_ONES = frozenset("code key hash activation confirmation verification invitation".split())
_JARS = frozenset({"args", "GET", "query_params", "query", "params", "values"})
_BY_LINK = frozenset("unsubscribe unsub verify confirm verification confirmation activate".split())
_SIGNING_OUT = frozenset("logout log_out signout sign_out logoff log_off end_session".split())
_AFTER_PAYING = frozenset({"payment", "payments", "checkout", "paypal", "stripe", "billing", "pay", "purchase"})
_PAID = frozenset(
    """success cancel cancelled canceled return complete completed failure done execute result capture thanks""".split()
)


def contract(route: Route) -> str | None:
    """Why a request with GET is no choice of the service's own, in words; None where nothing says so."""
    for word in _said(route):
        if word in _MEANINGS:
            return _MEANINGS[word]
    handler = route.handler
    if handler is None:
        return None
    calls = any(last_name(node.func) in _OF_PROVIDERS for node in handler.nodes if isinstance(node, form.Call))
    return _PROVIDER if calls or _is_sent_back(handler) else None


def signs_out(route: Route) -> bool:
    """Whether signing the caller out is what the endpoint is for."""
    return not _SIGNING_OUT.isdisjoint(_said(route))


def link(route: Route) -> str | None:
    """Why people may get here by a link in a mail, or sent by another site; None where nothing says so."""
    named = [*path_parameters(route.path)]
    if route.handler is not None:
        named += [p.name for p in route.handler.parameters]
        named += _asked_for(route.handler)
    secrets = _SECRETS if route.guards else _SECRETS | _SECRETS_OF_OPEN_ONES
    secret = next((name for name in named if words(name) and words(name)[-1] in secrets), None)
    if secret is not None:
        return f"a link with `{secret}`"
    parts = {part for word in _said(route) for part in word.split("_")} | set(static_segments(route.path))
    if not parts.isdisjoint(_BY_LINK):
        return "a link"
    if not parts.isdisjoint(_AFTER_PAYING) and not parts.isdisjoint(_PAID):
        return "the payment provider"
    return None


def _is_sent_back(handler: FunctionSymbol) -> bool:
    """Whether the handler is given the `state` that it sent to a provider, with a code or beside the session."""
    named = {p.name for p in handler.parameters} | set(_asked_for(handler))
    if "state" not in named:
        return "oauth_verifier" in named
    return "code" in named or any(isinstance(n, form.Attr) and n.attr == "session" for n in handler.nodes)


def _said(route: Route) -> Iterator[str]:
    yield from static_segments(route.path)[-1:]
    yield from said_by_handler(route.handler_name)


def _asked_for(handler: FunctionSymbol) -> Iterator[str]:
    """The names by which the handler reads the query."""
    for node in handler.nodes:
        match node:
            case form.Call(
                func=form.Attr(value=jar, attr="get" | "get_argument" | "get_query_argument" as how),
                args=[form.Arg(value=form.Const(value=str() as key)), *_],
            ) if how != "get" or last_name(jar) in _JARS:
                yield key
            case form.Subscript(value=jar, index=form.Const(value=str() as key)) if last_name(jar) in _JARS:
                yield key
