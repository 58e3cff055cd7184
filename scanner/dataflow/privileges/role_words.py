"""Names that speak of roles and permissions, told by their words."""

from __future__ import annotations

from functools import lru_cache

from assay.scanner.dataflow.lexicon import words

_OF_ROLES = frozenset(
    """admin admins administrator administrators superuser staff role roles permission permissions perm perms permitted
    privilege privileges privileged scope scopes acl rbac policy policies moderator superadmin sysadmin sudo entitlement
    entitlements abilities capability capabilities owner owners rights authorization grants forbidden""".split()
)  # fmt: skip
_OF_IDENTITY = frozenset(
    """login logged required requires require jwt token tokens auth authn authenticate authenticated authentication
    is get current user users active verify verified bearer http oauth oauth2 scheme session known account access
    security check in the handler of request protected protect fresh credentials credential by with any only from valid
    validate exists me member signed decode or redirect page view mixin class dependency depends identity api json web
    common default custom reusable async sync header cookie refresh claims confirmed email middleware guard before id
    anonymous strangers ensure load""".split()
)  # fmt: skip
_OF_MACHINES = frozenset("key keys apikey secret basic hmac signature internal service ip localhost webhook".split())
_ALLOWING = frozenset({"can", "may", "allow", "allowed", "allows", "authorize", "authorise", "enforce", "has"})
_WITHOUT_RIGHTS = frozenset({"allow_any", "is_authenticated", "is_authenticated_or_read_only"})


@lru_cache(maxsize=8192)
def speaks_of_roles(name: str) -> bool:
    """Whether something of that name is or asks for a role or a permission: `is_admin`, `can_edit`."""
    parts = words(name)
    if not parts or "_".join(parts) in _WITHOUT_RIGHTS:
        return False
    return not _OF_ROLES.isdisjoint(parts) or (parts[0] in _ALLOWING and len(parts) > 1)


@lru_cache(maxsize=8192)
def speaks_of_identity(name: str) -> bool:
    """Whether a guard of that name asks only who the caller is: `login_required`, `get_current_user`."""
    return set(words(name)) <= _OF_IDENTITY


@lru_cache(maxsize=8192)
def speaks_of_machines(name: str) -> bool:
    """Whether a guard of that name may let in only those who have been given a secret of its own: `verify_api_key`."""
    return not _OF_MACHINES.isdisjoint(words(name))
