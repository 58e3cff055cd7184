"""Names that speak of keeping callers out, told by their words: `require_admin`, `ApiKeyAuth`, `has_permission`."""

from __future__ import annotations

import itertools
from functools import lru_cache

from assay.scanner.dataflow.lexicon import words

_GUARDING = frozenset(
    """auth authn authz authenticate authenticates authenticated authentication authenticator authorize authorized
    authorise authorised authorization authorisation login logged signin permission permissions perm perms permitted
    permit protect protected secured secure role roles acl rbac jwt bearer admin staff superuser identity credential
    credentials apikey verify verified verifier signature signed guard guarded allows allowed restrict restricted sudo
    principal claims bouncer privilege privileged entitled entitlement gatekeeper oauth oidc sso scopes logined token
    tokens""".split()
)  # fmt: skip
_PAIRS = frozenset(
    {
        ("current", "user"), ("current", "active"), ("current", "account"), ("current", "member"), ("get", "user"),
        ("current", "customer"), ("current", "client"), ("active", "user"), ("user", "from"), ("user", "required"),
        ("api", "key"), ("require", "user"), ("requires", "user"), ("check", "user"), ("access", "control"),
        ("check", "access"), ("has", "access"), ("require", "access"), ("access", "required"), ("access", "key"),
        ("is", "owner"), ("owner", "required"), ("user", "exists"), ("known", "user"), ("only", "members"),
    }
)  # fmt: skip
_DEMANDING = frozenset({"require", "requires", "required", "ensure", "enforce", "must", "only", "needs"})
_DEMANDED_OF_ANYBODY = frozenset(
    """http https ssl tls methods method post get put patch delete safe json xml ajax htmx xhr params param parameters
    args arguments fields field form feature flag flags setup database db config configuration content type body schema
    version header headers query module plugin enabled setting settings env read""".split()
)  # fmt: skip
"""What a request must have whoever sends it."""
_PLUMBING = frozenset(
    """repository repositories repo repos service services manager store crud dao settings config factory db database
    session cache form forms uow gateway use usecase case usecases adapter queries query schema serializer model table
    url urls template templates response limiter limit throttle logger logging params filter filters paginator
    pagination docs schema_view options""".split()
)  # fmt: skip
"""Last words of names that stand for a part of the program: `get_user_repository`."""
_WAIVING = frozenset(
    """not exempt optional optionally maybe anonymous public skip disable disabled without no unauthenticated guest
    csrf xsrf""".split()
)  # fmt: skip
_CHECKING = frozenset(
    """authenticate authenticated authorize authorized authorise authorised verify verified permission permissions perm
    perms permitted allowed enforce guard protect restrict""".split()
)  # fmt: skip

_DOING = frozenset(
    """require requires ensure enforce verify validate check authenticate authorize authorise guard protect""".split()
)
"""First words of what does something with a part of the program: `verify_session`."""


@lru_cache(maxsize=8192)
def names_a_guard(name: str) -> bool:
    """Whether a decorator, dependency, middleware or base class of that name may be there to keep callers out."""
    parts = words(name)
    if not parts or not _WAIVING.isdisjoint(parts) or names_plumbing(name):
        return False
    if not _GUARDING.isdisjoint(parts) or not _PAIRS.isdisjoint(itertools.pairwise(parts)):
        return True
    return not _DEMANDING.isdisjoint(parts) and _DEMANDED_OF_ANYBODY.isdisjoint(parts)


@lru_cache(maxsize=8192)
def names_a_check(name: str) -> bool:
    """Whether calling something of that name checks who is asking, or what they may do."""
    parts = words(name)
    return not _CHECKING.isdisjoint(parts) and _WAIVING.isdisjoint(parts) and parts[-1] not in _PLUMBING


@lru_cache(maxsize=8192)
def waives(name: str) -> bool:
    """Whether the name says that callers needn't be known: `get_current_user_optional`, `login_not_required`."""
    return not _WAIVING.isdisjoint(words(name))


@lru_cache(maxsize=8192)
def names_plumbing(name: str) -> bool:
    """Whether something of that name is a part of the program that a handler is given: `get_db`, `UserRepository`."""
    parts = words(name)
    return bool(parts) and parts[-1] in _PLUMBING and parts[0] not in _DOING
