"""How libraries for CORS are told what to let in.

https://www.starlette.io/middleware/#corsmiddleware, https://flask-cors.readthedocs.io,
https://docs.litestar.dev/latest/usage/middleware/builtin-middleware.html,
https://falcon.readthedocs.io/en/stable/api/cors.html, https://sanic.dev/en/plugins/sanic-ext/http/cors.html
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mechanism:
    """What makes a policy, by dotted names, and the arguments that tell it.

    `origins`, `pattern` and `credentials` are arguments; `settings` are the names of origins and credentials among the
    application's settings of the source `source`. `lets_all_in` says whether every origin is let in where none is
    named.
    """

    name: str
    names: tuple[str, ...]
    origins: str
    credentials: str
    pattern: str = ""
    lets_all_in: bool = False
    source: str = ""
    settings: tuple[str, str] = ("", "")
    sends_star: str = ""
    """The argument that makes it answer `*`, which browsers refuse together with credentials."""
    of_one: tuple[str, ...] = ()
    """The last names of those that open one handler, and not the whole application."""


_STARLETTE = tuple(
    f"{package}.middleware.{name}"
    for package in ("starlette", "fastapi")
    for name in ("cors.CORSMiddleware", "CORSMiddleware")
)
_FLASK = tuple(
    f"{package}.{name}"
    for package in ("flask_cors", "sanic_cors")
    for name in ("CORS", "cross_origin", "extension.CORS", "decorator.cross_origin", "extension.cross_origin")
)
_MECHANISMS = (
    Mechanism("CORSMiddleware", _STARLETTE, "allow_origins", "allow_credentials", "allow_origin_regex"),
    Mechanism(
        "CORSConfig",
        ("litestar.config.cors.CORSConfig", "starlite.config.cors.CORSConfig", "starlite.CORSConfig"),
        "allow_origins",
        "allow_credentials",
        "allow_origin_regex",
        lets_all_in=True,
    ),
    Mechanism(
        "CORSMiddleware",
        ("falcon.CORSMiddleware", "falcon.middleware.CORSMiddleware"),
        "allow_origins",
        "allow_credentials",
        lets_all_in=True,
    ),
    Mechanism(
        "Flask-CORS",
        _FLASK,
        "origins",
        "supports_credentials",
        lets_all_in=True,
        source="Flask config",
        settings=("CORS_ORIGINS", "CORS_SUPPORTS_CREDENTIALS"),
        sends_star="send_wildcard",
        of_one=("cross_origin",),
    ),
    Mechanism(
        "Quart-CORS",
        ("quart_cors.cors", "quart_cors.route_cors"),
        "allow_origin",
        "allow_credentials",
        of_one=("route_cors",),
    ),
    Mechanism("Sanic CORS", ("sanic_ext.cors",), "origin", "supports_credentials", of_one=("cors",)),
    Mechanism(
        "Sanic CORS", ("sanic_ext.Config", "sanic_ext.config.Config"), "cors_origins", "cors_supports_credentials"
    ),
)
BY_NAME = {name: mechanism for mechanism in _MECHANISMS for name in mechanism.names}
PACKAGES = frozenset(name.split(".", 1)[0] for name in BY_NAME)
