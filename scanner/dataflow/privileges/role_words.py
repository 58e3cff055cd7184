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
    anonymous strangers ensure load reusable 2 o password dep""".split()
)  # fmt: skip
_OF_MACHINES = frozenset("key keys apikey secret basic hmac signature internal service ip localhost webhook".split())
_STATES = frozenset(
    """disabled banned blocked suspended locked deleted deactivated inactive expired revoked blacklist blacklisted
    denylist none null enabled approved exp ttl csrf origin bool g""".split()
)
_ALLOWING = frozenset({"can", "may", "allow", "allowed", "allows", "authorize", "authorise", "enforce", "has"})
_INSISTING = frozenset({"ensure", "assert", "check", "require", "must"})
_OF_HEADERS = frozenset(
    "authorization header headers http x token value raw bearer scheme type str proxy missing".split()
)
"""Words of the header that says who is calling."""
_OF_NO_ROLE = frozenset(
    """origin origins host hosts file files filename extension extensions type types mime mimetype method methods domain
    domains redirect redirects signup registration size format formats field fields headers expired usable errors error
    next previous revoked key keys attr changed content data body session mfa""".split()
)
"""What is allowed or had by somebody or something that no role is asked of: `allowed_file`, `has_expired`."""
_WITHOUT_RIGHTS = frozenset({"allow_any", "is_authenticated", "is_authenticated_or_read_only"})


@lru_cache(maxsize=8192)
def speaks_of_roles(name: str) -> bool:
    """Whether something of that name is or asks for a role or a permission: `is_admin`, `can_edit`."""
    parts = words(name)
    if not parts or "_".join(parts) in _WITHOUT_RIGHTS:
        return False
    if not _OF_ROLES.isdisjoint(parts):
        return not _OF_HEADERS.issuperset(parts)
    said = parts[1:] if parts[0] in _INSISTING else parts
    return len(parts) > 1 and said[0] in _ALLOWING and _OF_NO_ROLE.isdisjoint(said)


@lru_cache(maxsize=8192)
def speaks_of_identity(name: str) -> bool:
    """Whether a guard of that name asks only who the caller is: `login_required`, `get_current_user`."""
    return set(words(name)) <= _OF_IDENTITY


@lru_cache(maxsize=8192)
def speaks_of_state(name: str) -> bool:
    """Whether it says whether an account or a token still holds: `is_banned`, `revoked_tokens`."""
    return set(words(name)) <= _OF_IDENTITY | _STATES


@lru_cache(maxsize=8192)
def speaks_of_machines(name: str) -> bool:
    """Whether a guard of that name may let in only those who have been given a secret of its own: `verify_api_key`."""
    return not _OF_MACHINES.isdisjoint(words(name))
