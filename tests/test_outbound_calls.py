"""Outbound calls: which calls send requests, where to, and what limits the wait."""

from __future__ import annotations

import pytest

from assay.scanner.frameworks.http_clients.calls import FRAMEWORK
from assay.scanner.model.outbound import OutboundCall
from tests.projects import context_of


def calls_of(main: str, **modules: str) -> list[OutboundCall]:
    return list(FRAMEWORK.outbound_calls(context_of(main, **modules)))


def call_of(main: str, **modules: str) -> OutboundCall:
    (found,) = calls_of(main, **modules)
    return found


def timeout_of(call: OutboundCall) -> str | None:
    return call.timeout.text if call.timeout is not None else call.default_timeout


def test_calls_are_numbered_within_their_function() -> None:
    found = calls_of(
        """
        import requests
        requests.get("https://a")
        def f():
            requests.get("https://b", params={"c": requests.get("https://c")})
        def g():
            requests.get("https://d")
        """
    )
    assert [(c.function, c.ordinal, c.url) for c in found] == [
        ("main", 1, "https://a"),
        ("main:f", 1, "https://b"),
        ("main:f", 2, "https://c"),
        ("main:g", 1, "https://d"),
    ]
    assert len({c.subject_id for c in found}) == 4


@pytest.mark.parametrize(
    ("expression", "url"),
    [
        ('"https://a.example.com/b"', "https://a.example.com/b"),
        ('f"https://a.example.com/{x}/c"', "https://a.example.com/{}/c"),
        ('"https://a.example.com/%s/%d" % (x, 1)', "https://a.example.com/{}/1"),
        ('"https://a.example.com/{}".format(x)', "https://a.example.com/{}"),
        ('BASE + "/b/" + x', "https://base.example.com/b/{}"),
        ('"/".join([BASE, "b", x])', "https://base.example.com/b/{}"),
        ('urljoin(BASE, "b")', "https://base.example.com/b"),
        ('urljoin(f"{BASE}/c/", x)', "https://base.example.com/c/{}"),
        ("x", None),
        ('BASE if x else BASE + "/other"', "https://{}"),
        ('{"a": BASE + "/a", "b": BASE + "/b"}[x]', "https://base.example.com/{}"),
        ('os.environ["URL"] + "/b"', "{}/b"),
        ('os.environ.get("URL", "http://here") + "/b"', "http://here/b"),
    ],
)
def test_addresses(expression: str, url: str | None) -> None:
    main = f"""
        import os
        from urllib.parse import urljoin
        import requests
        BASE = "https://base.example.com"
        def f(x):
            return requests.get({expression})
    """
    assert call_of(main).url == url


@pytest.mark.parametrize(
    ("argument", "text"),
    [
        ("timeout=5", "5 s"),
        ("timeout=2.5", "2.5 s"),
        ("timeout=(3.05, 27)", "3.05 s to connect, 27 s to read"),
        ("timeout=(3, None)", None),
        ("timeout=(None, 9)", "9 s to read"),
        ("timeout=LIMIT", "30 s"),
        ("timeout=limit()", "a computed timeout"),
        ("timeout=None", None),
        ("**OPTIONS", "7 s"),
        ("**dict(timeout=8)", "8 s"),
        ("verify=False", None),
    ],
)
def test_timeouts_of_calls(argument: str, text: str | None) -> None:
    main = f"""
        import requests
        from elsewhere import limit
        LIMIT = 30
        OPTIONS = {{"timeout": 7}}
        requests.get("https://a", {argument})
    """
    assert timeout_of(call_of(main)) == text


@pytest.mark.parametrize(
    ("client", "text"),
    [
        ("httpx.Client()", "5 s"),
        ("httpx.Client(timeout=None)", None),
        ("httpx.Client(timeout=httpx.Timeout(None))", None),
        ("httpx.Client(timeout=httpx.Timeout(10, connect=3))", "10 s"),
        (
            "httpx.Client(timeout=httpx.Timeout(connect=1, read=2, write=None, pool=None))",
            "1 s to connect, 2 s to read",
        ),
        ("requests.Session()", None),
        ("aiohttp.ClientSession()", "300 s"),
        ("aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))", "60 s"),
        ("aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=None))", None),
    ],
)
def test_timeouts_of_clients(client: str, text: str | None) -> None:
    main = f"""
        import aiohttp, httpx, requests
        client = {client}
        client.get("https://a")
    """
    assert timeout_of(call_of(main)) == text


def test_a_client_is_found_through_parameters_and_attributes() -> None:
    found = call_of(
        """
        import httpx
        from api import Api
        def main():
            with httpx.Client(base_url="https://api.example.com", timeout=4) as client:
                Api(client).users()
        """,
        api="""
        class Api:
            def __init__(self, client):
                self.client = client
            def users(self):
                return self.client.get("/users")
        """,
    )
    assert (found.function, found.url, timeout_of(found)) == ("api:Api.users", "https://api.example.com/users", "4 s")


def test_one_client_without_a_timeout_is_enough() -> None:
    found = call_of(
        """
        import requests
        class Session(requests.Session):
            def send(self, request, **options):
                options.setdefault("timeout", 3)
                return super().send(request, **options)
        def fetch(session: requests.Session):
            return session.get("https://a")
        fetch(Session())
        fetch(requests.Session())
        """
    )
    assert timeout_of(found) is None


def test_what_looks_like_a_client_has_to_be_one() -> None:
    found = calls_of(
        """
        import requests
        from flask import session
        from sqlalchemy.orm import Session
        def f(db: Session, session_id, mapping, client):
            session.get("user")
            db.get(User, 1)
            mapping.get("https://a")
            client.get(session_id)
        """
    )
    assert found == []


def test_an_unknown_session_counts_where_it_is_used_as_one() -> None:
    found = call_of(
        """
        import aiohttp
        async def fetch(session):
            await session.get("user")
            return await session.get("https://a", headers={})
        """
    )
    assert (found.library, found.url, timeout_of(found)) == ("aiohttp", "https://a", "300 s")


def test_test_clients_send_nothing() -> None:
    found = calls_of(
        """
        import httpx
        from fastapi.testclient import TestClient
        from rest_framework.test import APIClient
        from app import app
        TestClient(app).get("/a")
        APIClient().get("/a")
        httpx.Client(app=app).get("/a")
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app)).get("/a")
        """
    )
    assert found == []


def test_methods() -> None:
    found = calls_of(
        """
        import requests
        from urllib.request import Request, urlopen
        from tornado.httpclient import AsyncHTTPClient
        def f(method, body):
            requests.request(method, "https://a")
            requests.request(url="https://b", method="post")
            urlopen("https://c", body)
            urlopen(Request("https://d", body))
            urlopen(Request("https://e", headers={}))
            AsyncHTTPClient().fetch("https://f", method="PUT")
            AsyncHTTPClient().fetch("https://g")
        """
    )
    assert [(c.method, c.url) for c in found] == [
        (None, "https://a"),
        ("POST", "https://b"),
        ("POST", "https://c"),
        ("POST", "https://d"),
        ("GET", "https://e"),
        ("PUT", "https://f"),
        ("GET", "https://g"),
    ]
