"""SEC4: every sensitive endpoint is throttled, and API keys are managed."""

from __future__ import annotations

from assay.scanner.model.key import Keeping, StoredKey, UrlCredential, UrlUse
from assay.scanner.model.service import Service
from assay.scanner.model.traffic import ClientAddress, EndpointTraffic, Throttle, Trust
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "SEC401",
    severity=Severity.HIGH,
    cwe=(307, 799),
    references=(
        "OWASP API2:2023 Broken Authentication",
        "OWASP A07:2021 Identification and Authentication Failures",
        "https://cheatsheetseries.owasp.org/cheatsheets/Authentication_Cheat_Sheet.html",
    ),
)
def unthrottled_credential_endpoint(endpoint: EndpointTraffic, service: Service) -> Verdict:
    """Who guesses passwords or codes, or has mails sent, may try as often as they like.

    Why: lists of leaked passwords are tried by the million, a code of six digits is guessed within hours, and a form
    that sends mails floods somebody's mailbox.
    Fix: limit the tries per address and per account, or lock the account for a while after some that failed.
    """
    if endpoint.credential is None:
        return not_applicable("it neither checks nor issues credentials")
    what = endpoint.credential.value
    match endpoint.throttle:
        case Throttle.LIMIT | Throttle.LOCKOUT:
            return passed(f"{what} is throttled", *endpoint.throttles)
        case Throttle.CAPTCHA:
            return review("does the captcha also stop programs that try on?", *endpoint.throttles)
    if endpoint.before:
        return review("does what runs before every handler count who tries this one?", *endpoint.before)
    return fail(f"{endpoint.label} ({what}) may be called without limit; throttle it", *endpoint.shown_by)


@rule(
    "SEC402",
    severity=Severity.MEDIUM,
    cwe=(290, 348),
    references=(
        "OWASP A07:2021 Identification and Authentication Failures",
        "RFC 7239 §8.1",
        "https://developer.mozilla.org/en-US/docs/Web/HTTP/Reference/Headers/X-Forwarded-For",
    ),
)
def spoofable_client_address(address: ClientAddress, service: Service) -> Verdict:
    """Clients write the address by themselves that a limit or a decision goes by.

    Why: who sends another `X-Forwarded-For` with each request is a new client each time, and no limit or list of
    addresses stops them.
    Fix: take the address of the connection, or let the server read the header from proxies that are counted or listed.
    """
    if address.aside is not None:
        return not_applicable(address.aside)
    what, shown = address.what, tuple(dict.fromkeys((*address.evidence, *((address.use,) if address.use else ()))))
    match address.trust:
        case Trust.CLAIMED if address.use is not None:
            return fail(f"{what} lets clients choose who they are; count the proxies in front, or list them", *shown)
        case Trust.CLAIMED:
            return review("can anybody reach it but the proxy, which then sets what is believed?", *shown)
        case Trust.ONE_HEADER:
            return review(f"does the proxy always set {what}, and does nobody get past it?", *shown)
        case Trust.CONFIGURED:
            return review("which proxies are believed is set elsewhere: only those in front?", *shown)
        case Trust.HARD_SET:
            return review("does the proxy in front always set it, and does nobody get past it?", *shown)
        case Trust.KNOWN_PROXIES:
            return passed("proxies are counted or listed", *shown)
        case Trust.PEER:
            return passed("no header decides who is calling", *shown)


@rule(
    "SEC404",
    severity=Severity.HIGH,
    cwe=(256, 312, 522),
    references=(
        "OWASP A02:2021 Cryptographic Failures",
        "OWASP API2:2023 Broken Authentication",
        "https://cheatsheetseries.owasp.org/cheatsheets/Cryptographic_Storage_Cheat_Sheet.html",
    ),
)
def api_key_stored_in_plaintext(key: StoredKey, service: Service) -> Verdict:
    """Keys and session tokens lie in the database as clients send them.

    Why: a backup, a replica, a log of queries or one injection is enough to be any user, without guessing anything.
    Fix: show the key once, keep `hashlib.sha256(key).hexdigest()` or an HMAC of it, and look that up.
    """
    if key.is_one_time or key.keeping is Keeping.USED_UP:
        return not_applicable("it opens one thing once", *key.evidence)
    match key.keeping:
        case Keeping.LIBRARY:
            return not_applicable("the library keeps its keys as they are", *key.evidence)
        case Keeping.BESIDE_DIGEST:
            return review(f"is `{key.column}` only for old keys, beside the digests?", *key.evidence)
        case Keeping.DIGEST:
            return passed("a digest is kept, and looked up", *key.evidence)
    return fail(f"`{key.column}` keeps keys as clients send them; keep and look up a digest", *key.evidence)


@rule(
    "SEC405",
    severity=Severity.HIGH,
    cwe=(598, 522),
    references=(
        "RFC 9110 §17.9",
        "RFC 6750 §5.3",
        "OWASP API2:2023 Broken Authentication",
    ),
)
def credential_in_url(credential: UrlCredential, service: Service) -> Verdict:
    """A password, key or token stands in a URL.

    Why: URLs are written to the logs of every proxy and server on the way, to the browser's history, and to the
    `Referer` of the next page, and whoever reads one is let in.
    Fix: take credentials from the `Authorization` header or the body of a POST, and send them so.
    """
    proof = credential.evidence
    if credential.aside is not None:
        return not_applicable(credential.aside, *proof)
    match credential.use:
        case UrlUse.LINK:
            return not_applicable("the link itself is what opens something", *proof)
        case UrlUse.READ:
            return fail(f"`{credential.what}` is taken from the URL; take it from a header or the body", *proof)
        case UrlUse.SENT:
            return fail(f"`{credential.what}` is put into a URL; send it in the body of a POST", *proof)
        case UrlUse.TOKEN:
            return review(f"does `{credential.what}` let clients in again? then it belongs into a header", *proof)
        case UrlUse.SOCKET:
            return review(f"is `{credential.what}` made for this one connection, and short-lived?", *proof)
        case UrlUse.SENT_KEY:
            return review(f"does that API take `{credential.what}` in a header as well?", *proof)
    return passed("it comes in a header", *proof)
