"""Configurations of reverse proxies: nginx, Apache, Caddy. Read line by line for what they add to answers.

https://nginx.org/en/docs/http/ngx_http_headers_module.html, https://httpd.apache.org/docs/current/mod/mod_headers.html,
https://caddyserver.com/docs/caddyfile/directives/header
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator

import msgspec

from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode

_HEADER = re.compile(
    r"^\s*(?:add_header|more_set_headers|Header\s+(?:always\s+)?(?:set|append|add|merge)|header(?:\s+\S+)??|[+>?]?)\s*"
    r"[\"']?(?P<name>Strict-Transport-Security|X-Content-Type-Options|X-Frame-Options|Content-Security-Policy"
    r"|Referrer-Policy)\b",
    re.IGNORECASE,
)
_FRAMING = "frame-ancestors"
_INCLUDE = re.compile(r"^\s*(?:include|Include(?:Optional)?)\s+[\"']?(?P<path>[^\s\"';]+)")
_TO_HTTPS = re.compile(
    r"^\s*(?:return\s+30[1278]\s+https://|rewrite\s.*\shttps://|Redirect\w*\s.*\shttps://|RewriteRule\s.*\shttps://"
    r"|redir\s+https://)",
    re.IGNORECASE,
)
_PASSING = re.compile(r"^\s*(?:(?:proxy|uwsgi|fastcgi|grpc|scgi)_pass|ProxyPass\w*|reverse_proxy)\s", re.IGNORECASE)
_CADDY_SITE = re.compile(r"^(?!http://|:|\s|\(|\{|#)[\w{$*.-]*\w[\w}.-]*.*\{\s*$")


class ProxyHeader(msgspec.Struct, frozen=True, array_like=True):
    """A header that it adds, in lower case; `frame-ancestors` stands beside the policy that has such a directive."""

    name: str
    span: Span


class ProxyFacts(msgspec.Struct, frozen=True, array_like=True, tag="proxy"):
    """What one configuration does with answers. `passes_on` says that it hands requests to another server, and doesn't
    only serve files; `to_https` is where it sends visitors of http. `includes` are the last names of other
    configurations that are part of it, as patterns.
    """

    passes_on: bool = False
    headers: tuple[ProxyHeader, ...] = ()
    to_https: Span | None = None
    includes: tuple[str, ...] = ()


def read(path: str, data: bytes) -> ProxyFacts:
    """Read one configuration. Raises ReadProblem for bytes that are no text."""
    lines = list(_lines(decode(data)))
    headers = tuple(ProxyHeader(name, span) for line, span in lines for name in _headers(line))
    includes = tuple(posixpath.basename(m["path"]) for line, _ in lines if (m := _INCLUDE.match(line)))
    secured = next((span for line, span in lines if _TO_HTTPS.match(line)), None)
    if secured is None and posixpath.basename(path).startswith("Caddyfile"):
        # Caddy serves every named site by https, and redirects to it.
        secured = next((span for line, span in lines if _CADDY_SITE.match(line)), None)
    return ProxyFacts(any(_PASSING.match(line) for line, _ in lines), headers, secured, includes)


def _headers(line: str) -> Iterator[str]:
    added = _HEADER.match(line)
    if added is not None:
        yield added["name"].lower()
        if _FRAMING in line:
            yield _FRAMING


def _lines(text: str) -> Iterator[tuple[str, Span]]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield line, Span(number, 1, number, len(line) + 1)
