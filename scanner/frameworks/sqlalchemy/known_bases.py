"""Columns of mixins and bases that libraries offer, whose source the scanned tree doesn't show."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.frameworks.sqlalchemy.columns import Declared
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.model.table import Column

_USER = (
    ("email", "String"), ("hashed_password", "String"), ("is_active", "Boolean"), ("is_superuser", "Boolean"),
    ("is_verified", "Boolean"),
)  # fmt: skip
_OAUTH = (
    ("oauth_name", "String"), ("access_token", "String"), ("expires_at", "Integer"), ("refresh_token", "String"),
    ("account_id", "String"), ("account_email", "String"),
)  # fmt: skip
_TOKEN = (("token", "String"), ("created_at", "TIMESTAMPAware"))
_TIMES = (("created_at", "DateTimeUTC"), ("updated_at", "DateTimeUTC"))
_COLUMNS: dict[str, tuple[tuple[str, str], ...]] = {
    "SQLAlchemyBaseUserTable": _USER,
    "SQLAlchemyBaseUserTableUUID": (("id", "GUID"), *_USER),
    "SQLAlchemyBaseOAuthAccountTable": _OAUTH,
    "SQLAlchemyBaseOAuthAccountTableUUID": (("id", "GUID"), ("user_id", "GUID"), *_OAUTH),
    "SQLAlchemyBaseAccessTokenTable": _TOKEN,
    "SQLAlchemyBaseAccessTokenTableUUID": (*_TOKEN, ("user_id", "GUID")),
    "AuditMixin": (
        ("created_on", "DateTime"), ("changed_on", "DateTime"), ("created_by_fk", "Integer"),
        ("changed_by_fk", "Integer"),
    ),
    "OAuthConsumerMixin": (("id", "Integer"), ("provider", "String"), ("created_at", "DateTime"), ("token", "JSON")),
    "OAuth2ClientMixin": (
        ("client_id", "String"), ("client_secret", "String"), ("client_id_issued_at", "Integer"),
        ("client_secret_expires_at", "Integer"), ("client_metadata", "Text"),
    ),
    "OAuth2AuthorizationCodeMixin": (
        ("code", "String"), ("client_id", "String"), ("redirect_uri", "Text"), ("response_type", "Text"),
        ("scope", "Text"), ("nonce", "Text"), ("auth_time", "Integer"), ("acr", "Text"), ("amr", "Text"),
        ("code_challenge", "Text"), ("code_challenge_method", "String"),
    ),
    "OAuth2TokenMixin": (
        ("client_id", "String"), ("token_type", "String"), ("access_token", "String"), ("refresh_token", "String"),
        ("scope", "Text"), ("issued_at", "Integer"), ("access_token_revoked_at", "Integer"),
        ("refresh_token_revoked_at", "Integer"), ("expires_in", "Integer"),
    ),
    "UUIDBase": (("id", "GUID"),),
    "UUIDAuditBase": (("id", "GUID"), *_TIMES),
    "BigIntBase": (("id", "BigInteger"),),
    "BigIntAuditBase": (("id", "BigInteger"), *_TIMES),
}  # fmt: skip
_PACKAGES = frozenset(
    {
        "advanced_alchemy", "authlib", "fastapi_users", "fastapi_users_db_sqlalchemy", "flask_appbuilder",
        "flask_dance", "litestar",
    }
)  # fmt: skip
_KEYS = frozenset({"id", "token"})
_UNIQUE = frozenset(
    {
        ("SQLAlchemyBaseUserTable", "email"), ("SQLAlchemyBaseUserTableUUID", "email"),
        ("OAuth2AuthorizationCodeMixin", "code"), ("OAuth2TokenMixin", "access_token"),
    }
)  # fmt: skip
_INDEXED = frozenset(
    {
        ("SQLAlchemyBaseOAuthAccountTable", "oauth_name"), ("SQLAlchemyBaseOAuthAccountTable", "account_id"),
        ("SQLAlchemyBaseOAuthAccountTableUUID", "oauth_name"), ("SQLAlchemyBaseOAuthAccountTableUUID", "account_id"),
        ("OAuth2ClientMixin", "client_id"), ("OAuth2TokenMixin", "refresh_token"),
    }
)  # fmt: skip
_TARGETS = {"created_by_fk": "ab_user", "changed_by_fk": "ab_user", "user_id": "user"}


def columns_of_library(cls: ClassSymbol, project: Project) -> Iterator[Declared]:
    """The columns that the class has from a library's base, by that base's name."""
    for dotted_name in sorted(project.base_names(cls)):
        base = last_part(dotted_name)
        if dotted_name.split(".", 1)[0] not in _PACKAGES:
            continue
        for name, type_ in _COLUMNS.get(base, ()):
            unique = (base, name) in _UNIQUE
            column = Column(name, type_, cls.location, unique or (base, name) in _INDEXED, unique, _TARGETS.get(name))
            is_key = name in _KEYS and not (base == "OAuthConsumerMixin" and name == "token")
            yield Declared(name, column, is_key)
