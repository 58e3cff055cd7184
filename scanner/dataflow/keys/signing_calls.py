"""The calls that sign, seal or verify with a key, and the argument that is the key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions
from assay.scanner.linker.project import Project, last_name, last_part, literal_item
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_KEYS: Mapping[str, tuple[str, int | None]] = {
    "jwt.encode": ("key", 1),
    "jwt.decode": ("key", 1),
    "jwt.decode_complete": ("key", 1),
    "jwt.api_jwt.encode": ("key", 1),
    "jwt.api_jwt.decode": ("key", 1),
    "jose.jwt.encode": ("key", 1),
    "jose.jwt.decode": ("key", 1),
    "jose.jws.sign": ("key", 1),
    "jose.jws.verify": ("key", 1),
    "authlib.jose.jwt.encode": ("key", 2),
    "authlib.jose.jwt.decode": ("key", 1),
    "joserfc.jwk.OctKey.import_key": ("value", 0),
    "itsdangerous.Serializer": ("secret_key", 0),
    "itsdangerous.URLSafeSerializer": ("secret_key", 0),
    "itsdangerous.URLSafeTimedSerializer": ("secret_key", 0),
    "itsdangerous.TimedSerializer": ("secret_key", 0),
    "itsdangerous.JSONWebSignatureSerializer": ("secret_key", 0),
    "itsdangerous.TimedJSONWebSignatureSerializer": ("secret_key", 0),
    "itsdangerous.Signer": ("secret_key", 0),
    "itsdangerous.TimestampSigner": ("secret_key", 0),
    "itsdangerous.url_safe.URLSafeSerializer": ("secret_key", 0),
    "itsdangerous.url_safe.URLSafeTimedSerializer": ("secret_key", 0),
    "itsdangerous.signer.Signer": ("secret_key", 0),
    "itsdangerous.timed.TimestampSigner": ("secret_key", 0),
    "django.core.signing.Signer": ("key", None),
    "django.core.signing.TimestampSigner": ("key", None),
    "django.core.signing.dumps": ("key", 1),
    "django.core.signing.loads": ("key", 1),
    "cryptography.fernet.Fernet": ("key", 0),
    "starlette.middleware.sessions.SessionMiddleware": ("secret_key", 1),
    "starlette_csrf.CSRFMiddleware": ("secret", 1),
    "starlette_wtf.CSRFProtectMiddleware": ("csrf_secret", None),
    "aiohttp_session.cookie_storage.EncryptedCookieStorage": ("secret_key", 0),
    "aiohttp_session.nacl_storage.NaClCookieStorage": ("secret_key", 0),
    "litestar.middleware.session.client_side.CookieBackendConfig": ("secret", None),
    "litestar.config.csrf.CSRFConfig": ("secret", 0),
    "litestar.security.jwt.JWTAuth": ("token_secret", None),
    "litestar.security.jwt.JWTCookieAuth": ("token_secret", None),
    "litestar.security.jwt.OAuth2PasswordBearerAuth": ("token_secret", None),
    "fastapi_users.authentication.JWTStrategy": ("secret", 0),
    "fastapi_users.jwt.generate_jwt": ("secret", 1),
    "fastapi_users.jwt.decode_jwt": ("secret", 1),
    "fastapi_login.LoginManager": ("secret", 0),
    "fastapi_jwt.JwtAccessBearer": ("secret_key", 0),
    "fastapi_jwt.JwtRefreshBearer": ("secret_key", 0),
    "tornado.web.Application": ("cookie_secret", None),
    "sanic_jwt.Initialize": ("secret", None),
    "sanic_jwt.initialize": ("secret", None),
    "pyramid.session.SignedCookieSessionFactory": ("secret", 0),
    "pyramid.authentication.AuthTktAuthenticationPolicy": ("secret", 0),
    "hmac.new": ("key", 0),
    "hmac.digest": ("key", 0),
    "sqlalchemy_utils.EncryptedType": ("key", 1),
    "sqlalchemy_utils.StringEncryptedType": ("key", 1),
}
"""The key's keyword, and its place where it may stand without one, by the name of what is called."""
SIGNERS = frozenset(last_part(name) for name in _KEYS) - {"new", "digest"}
_WRAPPING = ("add_middleware", "Middleware")
"""Calls that are given a class and what to make it with."""
_VERIFYING = frozenset({"decode", "decode_complete", "verify", "decode_jwt"})
_DEEPEST = 4


@dataclass(frozen=True, slots=True)
class KeyUse:
    """A key where it is handed to what signs with it. `verifies` says that the call only reads what is signed."""

    callee: str
    call: form.Call
    key: form.Expr
    scope: Scope

    @property
    def verifies(self) -> bool:
        return last_part(self.callee) in _VERIFYING

    @property
    def is_keyed_digest(self) -> bool:
        return self.callee.startswith("hmac.")


@remembered
def key_uses(project: Project) -> tuple[KeyUse, ...]:
    """All of them, by path and position."""
    return tuple(sorted(_found(project), key=lambda u: (u.scope.module.path, u.call.start)))


@remembered
def signing_texts(project: Project) -> frozenset[form.Expr]:
    """The texts in the code that are such keys, directly or behind a name."""
    return frozenset(text for use in key_uses(project) for text in _texts(use.key, use.scope, project, _DEEPEST))


def _found(project: Project) -> Iterator[KeyUse]:
    named = {last_part(name) for name in _KEYS}
    for name in list(named):
        named.update(project.aliases_of(name))
    for call, scope in project.calls_named(*sorted(named)):
        callee = project.infer(call.func, scope)
        name = callee.name if isinstance(callee, External) else ""
        keyword, position = _KEYS.get(name) or _KEYS.get(_of_object(name)) or ("", None)
        stated = _argument(call, keyword, position) if keyword else None
        unpacked = _unpacked(call, keyword, scope, project) if keyword and stated is None else ()
        for key, around in [(stated, scope)] if stated is not None else unpacked:
            yield KeyUse(last_part(name) if "." not in name else name, call, key, around)
    for call, scope in project.calls_named(*_WRAPPING):
        made = project.infer(call.args[0].value, scope) if call.args else None
        keyword, _ = _KEYS.get(made.name, ("", None)) if isinstance(made, External) else ("", None)
        handed = call.keyword(keyword) if keyword else None
        if handed is not None and isinstance(made, External):
            yield KeyUse(made.name, call, handed, scope)


def _of_object(name: str) -> str:
    """`jwt.PyJWT.encode` and `authlib.jose.JsonWebToken.encode` are as the functions of the module."""
    return name.replace(".PyJWT.", ".").replace(".JsonWebToken.", ".jwt.")


def _argument(call: form.Call, keyword: str, position: int | None) -> form.Expr | None:
    return call.argument(position, keyword) if position is not None else call.keyword(keyword)


def _unpacked(call: form.Call, keyword: str, scope: Scope, project: Project) -> Iterator[tuple[form.Expr, Scope]]:
    """The keyword among those that a mapping holds: `Application(routes, **settings)`."""
    for mapping in (a.value for a in call.args if a.star == 2):
        for node, around in [(mapping, scope), *definitions(mapping, scope, project)]:
            key = literal_item(node, keyword) or (node.keyword(keyword) if isinstance(node, form.Call) else None)
            if key is not None:
                yield key, around


def _texts(node: form.Expr, scope: Scope, project: Project, depth: int) -> Iterator[form.Expr]:
    """The literals that the expression stands for, and those that count where it is none."""
    match node:
        case form.Const(value=str()):
            yield node
        case form.Name() | form.Attr() if depth:
            for inner, around in definitions(node, scope, project):
                yield from _texts(inner, around, project, depth - 1)
        case form.Boolean(values=values):
            for value in values:
                yield from _texts(value, scope, project, depth)
        case form.Call(func=form.Attr(value=inner, attr="encode" | "get_secret_value" | "strip")):
            yield from _texts(inner, scope, project, depth)
        case form.Call(func=func, args=args) if last_name(func) in ("getenv", "get", "SecretStr", "config", "bytes"):
            yield from (a.value for a in args[-1:] if isinstance(a.value, form.Const))
