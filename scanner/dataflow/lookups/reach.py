"""Whose objects a caller gets at: what the look-up, the code around it and the guards hold them to."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.lookups.labels import Labels, is_caller, labels_in
from assay.scanner.dataflow.lookups.owners import Owner, Owners, Ownership
from assay.scanner.dataflow.lookups.roles import object_permission, role_guard
from assay.scanner.dataflow.lookups.search import Found
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.lookup import Reach
from assay.scanner.model.place import Evidence

CHANGING = frozenset({"PUT", "PATCH", "DELETE"})
"""Methods that change or remove what the path names."""
_OWN_PATHS = frozenset({"me", "my", "self", "current", "mine"})
"""Segments of paths of what is the caller's anyway."""
_PARAMETER_LAST = re.compile(r"[}>)][/$?]*$")
_UNGUESSABLE = frozenset(
    {"token", "secret", "signature", "anchor", "invite", "invitation", "uidb64", "otp", "ticket", "nonce"}
)
"""Last words of parameters that nobody counts up."""


@dataclass(frozen=True, slots=True)
class Reached:
    """`reason` says in words what `reach` rests on."""

    reach: Reach
    reason: str
    evidence: tuple[Evidence, ...] = ()


def reached(
    found: Found, route: Route, endpoint: Endpoint, owners: Owners, read_elsewhere: frozenset[str], project: Project
) -> Reached:
    """`read_elsewhere` are the models of which another endpoint hands callers only what is theirs."""
    model, scoped = found.lookup.model, found.lookup.scoped
    if scoped is not None:
        return Reached(Reach.LIMITED, scoped.text, (scoped,))
    owner = owners.of(model)
    if owner is None:
        return Reached(Reach.NOT_OWNED, f"{model or 'what is looked up'} has no column that says whose it is")
    known = next((p for p in path_parameters(route.path) if _is_unguessable(p)), None)
    if known is not None:
        return Reached(Reach.ANYBODY, f"whoever knows `{known}` may have it")
    if not endpoint.auth and not _knows_caller(route, project):
        if endpoint.unresolved_guards:
            return Reached(Reach.ANYBODY, "who may call it can't be told", endpoint.unresolved_guards)
        return Reached(Reach.ANYBODY, "it asks nobody who they are", endpoint.opened)
    held = found.checked or role_guard(route, project)
    if held is None and found.lookup.is_of_view and route.view_class is not None:
        held = object_permission(route.view_class, project)
    if held is not None:
        return Reached(Reach.LIMITED, held.text, (held,))
    return _without_limit(owner, model, endpoint, is_read_elsewhere=owner.model in read_elsewhere)


def _without_limit(owner: Owner, model: str, endpoint: Endpoint, *, is_read_elsewhere: bool) -> Reached:
    evidence = (Evidence(owner.location, owner.described),)
    is_itself = _PARAMETER_LAST.search(endpoint.path) is not None
    is_about_caller = not _OWN_PATHS.isdisjoint(endpoint.path.split("/"))
    is_change = endpoint.method in CHANGING and _is_changed(model, endpoint, is_itself)
    match owner.ownership:
        case Ownership.PERSON if is_change or is_read_elsewhere:
            return Reached(Reach.ALL, owner.described, evidence)
        case Ownership.THROUGH_PARENT if not is_read_elsewhere:
            return Reached(Reach.NOT_OWNED, f"{owner.described}, which nothing asks for", evidence)
        case Ownership.SELF if not is_itself or is_about_caller or (endpoint.method in CHANGING and not is_change):
            return Reached(Reach.NOT_OWNED, f"the {model} is only looked up on the way", evidence)
        case Ownership.SELF if is_change:
            return Reached(Reach.ALL, owner.described, evidence)
        case Ownership.AUTHOR if not is_change:
            return Reached(Reach.NOT_OWNED, f"{owner.described}, which need not keep others from reading it", evidence)
    return Reached(Reach.PERHAPS_ALL, owner.described, evidence)


def _is_unguessable(parameter: str) -> bool:
    named = words(parameter)
    return bool(named) and (named[-1] in _UNGUESSABLE or named in (("key",), ("api", "key"), ("apikey",)))


def _is_changed(model: str, endpoint: Endpoint, is_itself: bool) -> bool:
    """Whether a removal or an update is of the object, and not of what ties the caller to it."""
    targets = {effect.target for effect in endpoint.effects if effect.kind is EffectKind.WRITE and effect.target}
    return model in targets if targets else is_itself


def _knows_caller(route: Route, project: Project) -> bool:
    return route.handler is not None and _speaks_of_caller(route.handler, project)


@remembered
def _speaks_of_caller(handler: FunctionSymbol, project: Project) -> bool:
    labels = labels_in(handler, "", Labels(), project)
    return bool(labels.callers) or any(is_caller(node, labels) for node in handler.nodes)
