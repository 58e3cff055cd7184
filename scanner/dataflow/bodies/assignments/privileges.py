"""Fields that only the service may set: who sends one gets rights, or somebody else's things."""

from __future__ import annotations

from enum import Enum, auto

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.secrets.names import is_password_hash
from assay.scanner.model.table import Table

_RIGHTS = frozenset(
    {
        "is_admin", "is_staff", "is_superuser", "is_superadmin", "is_root", "admin", "superuser", "superadmin", "staff",
        "is_administrator", "is_super_admin", "is_super_user", "is_moderator",
    }
)  # fmt: skip
_RIGHTS_OF_ACCOUNTS = frozenset(
    {
        "role", "roles", "role_id", "user_role", "permissions", "permission", "user_permissions", "groups", "scopes",
        "is_verified", "verified", "email_verified", "is_email_verified", "balance", "credits", "access_level",
        "email_confirmed", "confirmed", "is_confirmed", "privileges", "user_type", "account_type", "token", "api_key",
    }
)  # fmt: skip
_OWNERS = frozenset(
    {"owner", "owner_id", "tenant", "tenant_id", "user", "user_id", "created_by", "created_by_id", "author_id"}
)
_ACCOUNTS = frozenset({"user", "users", "account", "accounts", "member", "employee", "customer", "wallet"})
_PROFILES = frozenset({"profile", "profiles"})
_JOBS = frozenset({"role", "roles"})
"""In a profile beside an account: what somebody works as."""


class Privilege(Enum):
    """What a client gains by setting a field."""

    RIGHTS = auto()
    OWNER = auto()
    """The row becomes somebody else's; where only administrators call, that may be what it is for."""


def privilege(field: str, table: Table | None, owner: str = "") -> Privilege | None:
    """What setting the field gives, in a row of the table; None for ordinary data. `owner` is the schema's name."""
    name = "_".join(words(field))
    columns = table.columns if table is not None else ()
    column = next((c for c in columns if c.name in (field, f"{field}_id")), None)
    if table is not None and column is None:
        return None
    if name in _RIGHTS or is_password_hash(field):
        return Privilege.RIGHTS
    if name in _RIGHTS_OF_ACCOUNTS and _is_account(table, owner, _ACCOUNTS if name in _JOBS else _ACCOUNTS | _PROFILES):
        return Privilege.RIGHTS
    is_reference = column is None or column.fk_to is not None or name.endswith("_id")
    return Privilege.OWNER if name in _OWNERS and is_reference else None


def _is_account(table: Table | None, owner: str, names: frozenset[str]) -> bool:
    """Whether rows stand for people who sign in, or for what they have."""
    if not names.isdisjoint(words(table.model if table is not None else owner)):
        return True
    columns = {column.name for column in table.columns} if table is not None else set()
    return any(name in columns for name in ("password", "password_hash", "hashed_password"))
