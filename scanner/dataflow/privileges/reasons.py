"""Why an endpoint is for few: it is the administrators', or changes who may do what, or what belongs to all."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.access.route_names import is_parameter, said_by_path, segments, spelled, static_segments
from assay.scanner.dataflow.lexicon import words
from assay.scanner.model.effect import Effect, EffectKind
from assay.scanner.model.endpoint import Endpoint

_OF_ADMINISTRATORS = frozenset(
    "admin administration administrator administrators backoffice superuser superadmin sysadmin".split()
)
_USERS = frozenset({"user", "users"})
_MEMBERS = frozenset({"member", "members", "membership", "memberships"})
_GROUPS = frozenset("team org organization organisation workspace project company tenant group account user".split())
_PEOPLE = frozenset({"users", "user", "accounts", "members", "employees", "staff"})
_RIGHTS = frozenset({"permission", "permissions", "privilege", "privileges"})
_BEARERS = frozenset({"user", "account", "member", "staff", "admin", "employee", "team", "org", "organization"})
_SETTINGS = frozenset({"setting", "settings", "config", "configs", "configuration", "option", "options"})
_COMMON = frozenset({"site", "system", "global", "app", "application", "server", "instance", "platform"})
_ACTING_FOR = frozenset({"impersonate", "impersonation", "login_as", "hijack"})
_OWN = frozenset({"me", "my", "self", "own", "current", "profile", "account", "settings", "preferences"})


@dataclass(frozen=True, slots=True)
class Reason:
    """In words, with the change that shows it, where one does. What is `of_all` is nobody's own."""

    what: str
    change: Effect | None = None
    of_all: bool = False


def reason(endpoint: Endpoint) -> Reason | None:
    """Why the endpoint is for few; None where it is for everybody."""
    if not _OF_ADMINISTRATORS.isdisjoint(said_by_path(endpoint.path)):
        return Reason("its path says that it is the administrators'", of_all=True)
    module = endpoint.handler.split(":", 1)[0].split(".")
    if not _OF_ADMINISTRATORS.isdisjoint(module) and module[-1:] != ["admin"]:
        return Reason("its module says that it is the administrators'", of_all=True)
    found = change_for_few(endpoint)
    if found is not None and found.of_all:
        return found
    said = static_segments(endpoint.path)
    if not _OWN.isdisjoint(said):
        return None
    if endpoint.method == "POST" and not _ACTING_FOR.isdisjoint(said[-1:]):
        return Reason("it lets somebody act as another person")
    if found is None and endpoint.method == "DELETE" and is_about_one_person(endpoint.path):
        return Reason("it deletes somebody's account")
    return found


def change_for_few(endpoint: Endpoint) -> Reason | None:
    """The change that not everybody may make: of people, of their rights, of the settings of all."""
    for effect in endpoint.effects:
        if effect.kind is EffectKind.WRITE and effect.excuse is None and effect.doubt is None:
            what = _of_change(effect, endpoint.path)
            if what is not None:
                return Reason(what, effect, _belongs_to_all(effect.target))
    return None


def _of_change(effect: Effect, path: str) -> str | None:
    parts = words(effect.target)
    if not parts:
        return None
    verb = {"create": "creates", "delete": "deletes"}.get(effect.action, "changes")
    said = f"it {verb} {effect.target}"
    if not _RIGHTS.isdisjoint(parts) or (parts[-1] in ("role", "roles") and set(parts[:-1]) <= _BEARERS):
        return said
    if _belongs_to_all(effect.target) or (len(parts) == 1 and parts[0] in _SETTINGS):
        return said
    is_membership = parts[-1] in _MEMBERS and set(parts[:-1]) <= _GROUPS
    if (parts[-1] in _USERS or is_membership) and is_about_one_person(path):
        return said
    return None


def _belongs_to_all(target: str) -> bool:
    """`SystemSetting`, `site_config`: nobody's own."""
    *first, last = words(target) or ("",)
    return last in _SETTINGS and bool(first) and _COMMON.issuperset(first)


def is_about_one_person(path: str) -> bool:
    """Whether the path ends with somebody's id behind the list of people, or with what is done to them."""
    parts = segments(path)
    places = [i for i, part in enumerate(parts) if is_parameter(part)]
    if not places:
        return False
    last = places[-1]
    return last > 0 and last >= len(parts) - 2 and spelled(parts[last - 1]) in _PEOPLE
