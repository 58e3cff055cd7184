"""Configurations of proxies, as the reader of them gives them on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.scanner.filekinds import FileKind, by_content, by_path
from assay.scanner.readers import proxies

NGINX = b"""\
server {
    listen 80;
    # add_header X-Frame-Options DENY;
    return 301 https://$host$request_uri;
}
server {
    add_header X-Content-Type-Options nosniff always;
    add_header 'Strict-Transport-Security' 'max-age=63072000' always;
    location / { include uwsgi_params; }
    location /api {
        proxy_pass http://app:8000;
    }
}
"""
APACHE = b"""\
<VirtualHost *:443>
    ProxyPass / http://127.0.0.1:8001/
    Header always set X-Frame-Options "DENY"
    Header set Referrer-Policy "same-origin"
</VirtualHost>
"""
CADDY = b"""\
shop.example.org {
    header {
        Content-Security-Policy "default-src 'self'"
        -Server
    }
    header X-Content-Type-Options nosniff
    reverse_proxy app:8000
}
"""


@pytest.mark.parametrize(
    ("path", "text", "headers", "line_to_https"),
    [
        ("nginx.conf", NGINX, {"x-content-type-options": 7, "strict-transport-security": 8}, 4),
        ("site.conf", APACHE, {"x-frame-options": 3, "referrer-policy": 4}, None),
        ("Caddyfile", CADDY, {"content-security-policy": 3, "x-content-type-options": 6}, 1),
        ("Caddyfile", b"http://shop.local {\n    reverse_proxy app:8000\n}\n", {}, None),
    ],
)
def test_what_a_proxy_adds_to_answers(
    path: str, text: bytes, headers: dict[str, int], line_to_https: int | None
) -> None:
    facts = proxies.read(path, text)

    assert {header.name: header.span.line for header in facts.headers} == headers
    assert (facts.to_https.line if facts.to_https is not None else None) == line_to_https
    assert facts.passes_on


def test_a_server_of_files_passes_nothing_on() -> None:
    assert not proxies.read("nginx.conf", b"server {\n    root /srv/pages;\n}\n").passes_on


@pytest.mark.parametrize(
    ("path", "beginning", "kind"),
    [
        ("deploy/nginx.conf", b"", FileKind.PROXY),
        ("deploy/nginx.prod.conf", b"", FileKind.PROXY),
        ("Caddyfile", b"", FileKind.PROXY),
        ("templates/default.conf.template", b"", FileKind.PROXY),
        ("conf/default.conf", b"upstream app {\n", FileKind.PROXY),
        ("conf/site.conf", b"<VirtualHost *:80>\n", FileKind.PROXY),
        ("conf/worker.conf", b"[program:worker]\ncommand=run\n", None),
    ],
)
def test_proxies_are_found_by_name_and_by_content(path: str, beginning: bytes, kind: FileKind | None) -> None:
    assert (by_path(path) or by_content(path, beginning)) == kind


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_any_text_can_be_read(text: str) -> None:
    facts = proxies.read("nginx.conf", text.encode())

    lines = len(text.splitlines())
    assert all(1 <= header.span.line <= lines for header in facts.headers)
