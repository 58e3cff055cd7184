"""The dashboard as an ASGI application: who may ask for what, and what each answer says besides the page."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus

from starlette.applications import Starlette
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assay.reports.dashboard import index
from assay.reports.dashboard.live.pages import Live
from assay.reports.dashboard.live.shelf import Document
from assay.reports.dashboard.live.threads import beside
from assay.reports.dashboard.page import render
from assay.reports.json_report import ReportError
from assay.reports.plain import plain
from assay.scanner.history.records import StoreError

__all__ = ["application"]

_POLICY = "Content-Security-Policy"
_ALWAYS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_RETRY_SECONDS = 5


def application(live: Live, hosts: Sequence[str]) -> Starlette:
    """`hosts` are the names by which it may be asked, `*` is any: a page elsewhere that has its own name lead here,
    which is called DNS rebinding, asks by that one.
    """

    async def document(request: Request) -> Response:
        address = request.path_params["address"] or index.ADDRESS
        found = await beside(partial(live.document, address))
        if found is None:
            raise HTTPException(HTTPStatus.NOT_FOUND)
        headers = {"ETag": found.tag, "Cache-Control": "no-cache", _POLICY: _framed(found.policy)}
        if found.media_type.startswith("image/"):
            # A badge is made to be shown by other sites.
            headers["Cross-Origin-Resource-Policy"] = "cross-origin"
        if _has(request.headers, found.tag):
            return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        return Response(found.body, media_type=found.media_type, headers=headers)

    async def news(request: Request) -> Response:
        headers = {"Cache-Control": "no-store"}
        try:
            text = await beside(partial(live.news, request.query_params.get("seen", "")))
        except StoreError:
            told = "The store can't be read at the moment: what is shown may be old."
            return JSONResponse({"text": told}, HTTPStatus.SERVICE_UNAVAILABLE, headers)
        return JSONResponse({"text": text}, headers=headers)

    return Starlette(
        routes=[
            Route("/news.json", news, methods=["GET"]),
            Route("/{address:path}", document, methods=["GET"]),
        ],
        middleware=[Middleware(_Guarded), Middleware(TrustedHostMiddleware, [*hosts], www_redirect=False)],
        exception_handlers={
            HTTPException: _refused,
            StoreError: _unreadable,
            ReportError: _unreadable_report,
            Exception: _broken,
        },
    )


class _Guarded:
    """Puts what protects a reader on every answer, refusals included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _ALWAYS.items():
                    headers.setdefault(name, value)
                headers.setdefault(_POLICY, _framed("default-src 'none'"))
            await send(message)

        await self._app(scope, receive, guarded if scope["type"] == "http" else send)


def _framed(policy: str) -> str:
    """Only a header can say that nobody may show it in a frame (CSP Level 3 §6.4.2)."""
    return f"{policy}; frame-ancestors 'none'"


def _has(headers: Headers, tag: str) -> bool:
    """Whether who asks has what is to be sent (RFC 9110 §13.1.2)."""
    given = [each.strip().removeprefix("W/") for each in headers.get("if-none-match", "").split(",")]
    return tag in given or "*" in given


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    if status is HTTPStatus.NOT_FOUND:
        sentence = "There is no such page. The service may have no scan any more, or its full report isn't kept."
    elif status is HTTPStatus.METHOD_NOT_ALLOWED:
        sentence = "The dashboard can only be read."
    else:
        sentence = status.description or status.phrase
    return _failure(request, status, status.phrase, sentence, headers=dict(error.headers or {}))


async def _unreadable(request: Request, error: Exception) -> Response:
    headers = {"Retry-After": str(_RETRY_SECONDS)}
    sentence = f"The store can't be read at the moment. {plain(str(error))}"
    return _failure(request, HTTPStatus.SERVICE_UNAVAILABLE, "The store can't be read", sentence, headers=headers)


async def _unreadable_report(request: Request, error: Exception) -> Response:
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    return _failure(request, status, "The full report can't be read", plain(f"{error}."))


async def _broken(request: Request, error: Exception) -> Response:
    traceback.print_exception(error)
    sentence = "This is a mistake in Assay; where it runs, standard error says more."
    return _failure(request, HTTPStatus.INTERNAL_SERVER_ERROR, "The page could not be drawn", sentence)


def _failure(
    request: Request, status: HTTPStatus, heading: str, sentence: str, headers: dict[str, str] | None = None
) -> Response:
    # Browsers resolve what they sent, in which a slash may be escaped.
    path = request.scope.get("raw_path", b"/").decode("latin-1")
    page = Document.of(
        index.ADDRESS,
        render(
            "failure.html.j2",
            path.removeprefix("/"),
            f"{heading} · Assay",
            "",
            heading=heading,
            sentence=sentence,
            is_passing=status is HTTPStatus.SERVICE_UNAVAILABLE,
        ),
    )
    told = {_POLICY: _framed(page.policy), "Cache-Control": "no-store"} | (headers or {})
    return Response(page.body, status, told, page.media_type)
