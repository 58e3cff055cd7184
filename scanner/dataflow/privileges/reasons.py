"""Why an endpoint is for few: it is the administrators', or changes who may do what, or what belongs to all."""

from __future__ import annotations

from assay.scanner.access.route_names import is_parameter, said_by_path, segments, spelled
from assay.scanner.dataflow.lexicon import words
from assay.scanner.model.effect import Effect, EffectKind
from assay.scanner.model.endpoint import Endpoint

_OF_ADMINISTRATORS = frozenset(
    "admin administration administrator administrators backoffice superuser superadmin sysadmin".split()
)
_USERS = frozenset({"user", "users"})
_MEMBERS = frozenset({"member", "members", "membership", "memberships"})
_PEOPLE = frozenset({"users", "user", "accounts", "members", "employees", "staff"})
_RIGHTS = frozenset({"permission", "permissions", "privilege", "privileges"})
_BEARERS = frozenset({"user", "account", "member", "staff", "admin", "employee", "team", "org", "organization"})
_SETTINGS = frozenset({"setting", "settings", "config", "configs", "configuration", "option", "options"})
_COMMON = frozenset({"site", "system", "global", "app", "application", "server", "instance", "platform"})
_OWN = frozenset({"me", "my", "self", "own", "current", "profile", "account", "settings", "preferences"})


def reason(endpoint: Endpoint) -> tuple[str, Effect | None] | None:
    """In words, and the change that shows it, where one does; None for an endpoint that is for everybody."""
    static = [spelled(s) for s in segments(endpoint.path) if not is_parameter(s)]
    if not _OF_ADMINISTRATORS.isdisjoint(said_by_path(endpoint.path)):
        return "its path says that it is the administrators'", None
    module = endpoint.handler.split(":", 1)[0].split(".")
    if not _OF_ADMINISTRATORS.isdisjoint(module) and module[-1:] != ["admin"]:
        return "its module says that it is the administrators'", None
    if not _OWN.isdisjoint(static):
        return None
    for effect in endpoint.effects:
        if effect.kind is EffectKind.WRITE and effect.excuse is None and effect.doubt is None:
            what = _of_change(effect, endpoint.path)
            if what is not None:
                return what, effect
    return None


def _of_change(effect: Effect, path: str) -> str | None:
    parts = words(effect.target)
    if not parts:
        return None
    verb = {"create": "creates", "delete": "deletes"}.get(effect.action, "changes")
    said = f"it {verb} {effect.target}"
    if not _RIGHTS.isdisjoint(parts) or (parts[-1] in ("role", "roles") and set(parts[:-1]) <= _BEARERS):
        return said
    if parts[-1] in _SETTINGS and set(parts[:-1]) <= _COMMON:
        return said
    if parts[-1] in _USERS | _MEMBERS and _is_about_one_of_many(path):
        return said
    return None


def _is_about_one_of_many(path: str) -> bool:
    """Whether the path ends with somebody's id behind the list of people, or with what is done to them."""
    parts = segments(path)
    places = [i for i, part in enumerate(parts) if is_parameter(part)]
    if not places:
        return False
    last = places[-1]
    return last > 0 and last >= len(parts) - 2 and spelled(parts[last - 1]) in _PEOPLE
