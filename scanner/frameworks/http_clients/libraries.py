"""What is known of HTTP client libraries, as data: what sends a request, how it is addressed, what limits the wait."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Sending:
    """How a function takes a request: the places of its arguments, None for those that it takes by name only.

    `method` is the verb where the call doesn't state one; `body` is the argument that makes a POST of a GET.
    """

    method: str | None = None
    method_at: int | None = None
    url_at: int | None = 0
    url_names: tuple[str, ...] = ("url",)
    timeout_at: int | None = None
    body: tuple[int, str] | None = None


@dataclass(frozen=True, slots=True)
class Library:
    """One library. `modules` hold functions that send, `clients` are types whose methods do; both have `senders`.

    `default_timeout` is what the library itself sets. `base_url` is the client's option that relative addresses are
    joined to; `host_schemes` gives the scheme of clients that are made for a host instead.
    """

    name: str
    modules: frozenset[str]
    clients: frozenset[str]
    senders: Mapping[str, Sending]
    default_timeout: str | None = None
    base_url: str | None = None
    host_schemes: Mapping[str, str] = field(default_factory=dict)
    timeout_names: tuple[str, ...] = ("timeout",)
    heeds_socket_default: bool = False
    """Where it is told nothing, `socket.setdefaulttimeout` counts."""


_VERBS = {verb.lower(): Sending(method=verb) for verb in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")}
_ANY = Sending(method_at=0, url_at=1)
_PREPARED = Sending(url_at=None)
_URLLIB = Sending("GET", url_names=("url", "fullurl"), timeout_at=2, body=(1, "data"))

LIBRARIES = (
    Library(
        "requests",
        frozenset({"requests", "requests.api", "advocate", "niquests"}),
        frozenset(
            {
                "requests.Session", "requests.session", "requests.sessions.Session", "requests_oauthlib.OAuth2Session",
                "requests_oauthlib.OAuth1Session", "requests_futures.sessions.FuturesSession",
                "requests_cache.CachedSession", "requests_html.HTMLSession", "cachecontrol.CacheControl",
                "requests_toolbelt.sessions.BaseUrlSession", "advocate.Session", "cloudscraper.create_scraper",
                "niquests.Session",
                "google.auth.transport.requests.AuthorizedSession",
                "authlib.integrations.requests_client.OAuth2Session",
            }
        ),
        {**_VERBS, "request": _ANY, "send": _PREPARED},
        base_url="base_url",
    ),
    Library(
        "httpx",
        frozenset({"httpx"}),
        frozenset(
            {
                "httpx.Client", "httpx.AsyncClient", "authlib.integrations.httpx_client.AsyncOAuth2Client",
                "authlib.integrations.httpx_client.OAuth2Client",
            }
        ),
        {**_VERBS, "request": _ANY, "stream": _ANY, "send": _PREPARED},
        default_timeout="5 s",
        base_url="base_url",
    ),
    Library(
        "aiohttp",
        frozenset({"aiohttp"}),
        frozenset({"aiohttp.ClientSession", "aiohttp.client.ClientSession", "aiohttp_retry.RetryClient"}),
        {**_VERBS, "request": _ANY, "ws_connect": Sending("GET")},
        default_timeout="300 s",
        base_url="base_url",
    ),
    Library(
        "urllib",
        frozenset({"urllib.request", "urllib2"}),
        frozenset({"urllib.request.build_opener", "urllib.request.OpenerDirector"}),
        {"urlopen": _URLLIB, "open": _URLLIB, "urlretrieve": Sending("GET", body=(3, "data"))},
        heeds_socket_default=True,
    ),
    Library(
        "urllib3",
        frozenset({"urllib3"}),
        frozenset({"urllib3.PoolManager", "urllib3.ProxyManager", "urllib3.poolmanager.PoolManager"}),
        {"request": _ANY, "urlopen": _ANY, "request_encode_url": _ANY, "request_encode_body": _ANY},
    ),
    Library(
        "urllib3",
        frozenset(),
        frozenset({"urllib3.HTTPConnectionPool", "urllib3.HTTPSConnectionPool"}),
        {"request": _ANY, "urlopen": _ANY},
        host_schemes={"HTTPConnectionPool": "http", "HTTPSConnectionPool": "https"},
    ),
    Library(
        "http.client",
        frozenset(),
        frozenset({"http.client.HTTPConnection", "http.client.HTTPSConnection"}),
        {"request": _ANY},
        host_schemes={"HTTPConnection": "http", "HTTPSConnection": "https"},
        heeds_socket_default=True,
    ),
    Library(
        "httplib2",
        frozenset(),
        frozenset({"httplib2.Http"}),
        {"request": Sending("GET", method_at=1, url_names=("uri",))},
    ),
    Library(
        "tornado",
        frozenset(),
        frozenset(
            {
                "tornado.httpclient.AsyncHTTPClient", "tornado.httpclient.HTTPClient",
                "tornado.simple_httpclient.SimpleAsyncHTTPClient",
            }
        ),
        {"fetch": Sending("GET", url_names=("request", "url"))},
        default_timeout="20 s",
        timeout_names=("request_timeout",),
    ),
)  # fmt: skip
"""Defaults: https://www.python-httpx.org/advanced/timeouts/, https://docs.aiohttp.org/en/stable/client_quickstart.html
and https://www.tornadoweb.org/en/stable/httpclient.html. The others wait for ever.
"""

PACKAGES = tuple(sorted({n.split(".", 1)[0] for lib in LIBRARIES for n in (*lib.modules, *lib.clients)}))
SENDERS = frozenset(name for library in LIBRARIES for name in library.senders)
IN_PROCESS = frozenset({"ASGITransport", "WSGITransport", "MockTransport"})
"""Transports that hand the request to an application in the same process."""
REQUESTS = {
    "urllib.request.Request": Sending("GET", method_at=5, body=(1, "data")),
    "tornado.httpclient.HTTPRequest": Sending("GET", method_at=1),
    "requests.Request": _ANY,
    "httpx.Request": _ANY,
    "httpx.Client.build_request": _ANY,
    "httpx.AsyncClient.build_request": _ANY,
}
"""What makes an object that holds a request until it is sent."""
PREPARED = frozenset({"requests.Request.prepare"})
"""What makes one of those ready to be sent."""


def library_of(callee: str) -> tuple[Library, Sending] | None:
    """The library that a callee of that dotted name belongs to, and how it sends; None where it sends nothing."""
    owner, _, method = callee.rpartition(".")
    for library in LIBRARIES:
        if method in library.senders and (owner in library.modules or owner in library.clients):
            return library, library.senders[method]
    return None
