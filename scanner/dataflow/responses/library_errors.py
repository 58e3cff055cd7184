"""Errors of web frameworks, and the statuses that they answer with."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import Final

from assay.scanner.linker.project import last_part

WEB_PACKAGES: Final = frozenset(
    """fastapi starlette flask quart werkzeug django rest_framework ninja ninja_extra aiohttp litestar sanic tornado
    falcon bottle flask_restful flask_restx flask_smorest apiflask connexion blacksheep robyn fastcrud""".split()
)


def _camel(phrase: str) -> str:
    return "".join(word[:1].upper() + word[1:] for word in re.split(r"[^A-Za-z]+", phrase) if word)


BY_PHRASE = {_camel(status.phrase): status.value for status in HTTPStatus if status >= 400}
ELSEWISE_CALLED = {
    "UnprocessableEntity": 422, "PayloadTooLarge": 413, "RequestEntityTooLarge": 413, "InvalidParam": 400,
    "MissingParam": 400, "InvalidHeader": 400, "MissingHeader": 400, "InvalidUsage": 400, "SanicException": 500,
    "ServerError": 500, "MediaMalformedError": 400, "MediaNotFoundError": 400, "ParseError": 400,
    "ValidationError": 400, "AuthenticationFailed": 401, "NotAuthenticated": 401, "PermissionDenied": 403,
    "Throttled": 429, "APIException": 500, "Http404": 404, "SuspiciousOperation": 400,
    "NotAuthorizedException": 401, "PermissionDeniedException": 403, "ValidationException": 400,
    "NotFoundException": 404, "ClientException": 400, "InternalServerException": 500,
    "ServiceUnavailableException": 503, "TooManyRequestsException": 429, "MethodNotAllowedException": 405,
    "AuthenticationError": 401, "AuthorizationError": 403, "RequestValidationError": 422, "HTTPException": 500,
    "HTTPError": 500, "HttpError": 500, "Aborter": 500,
}  # fmt: skip
"""Errors of web frameworks that answer with a status which their name doesn't spell."""


def of_library(dotted: str) -> int | None:
    """The status that an error of a web framework answers with, by its dotted name; None for anything else."""
    package, name = dotted.split(".", 1)[0], last_part(dotted)
    if package not in WEB_PACKAGES or ("ValidationError" in name and package in ("django",)):
        return None
    short = name.removeprefix("HTTP")
    for known in (name, short, short.removesuffix("Exception")):
        found = BY_PHRASE.get(known) or ELSEWISE_CALLED.get(known)
        if found is not None:
            return found
    return None
