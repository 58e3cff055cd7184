"""The bodies that endpoints read, one for each handler."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.bodies.requests.handled import Handled
from assay.scanner.dataflow.bodies.requests.validators import Validators
from assay.scanner.dataflow.lexicon import words
from assay.scanner.model.body import RequestBody
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_HOOKS = frozenset({"webhook", "webhooks", "hook", "hooks", "callback", "callbacks"})
_VALIDATING_FRAMEWORKS = frozenset({"connexion"})
"""They hold every request against the API's description before a handler runs."""


def request_bodies(handled: Iterable[Handled], validators: Validators) -> Iterator[RequestBody]:
    """One for each handler; of a view that takes any method, where it reads one."""
    for each in handled:
        endpoint, handling = each.endpoint, each.handling
        validated = [*_declared(each, validators), *handling.validated]
        if endpoint.method == "ANY" and handling.read is None and not validated:
            continue
        is_raw = handling.read is not None and not validated
        yield RequestBody(
            endpoint.subject_id,
            handling.read.location if is_raw and handling.read is not None else endpoint.location,
            endpoint.role,
            is_read=handling.read is not None or bool(validated),
            trusted=handling.signed or _webhook(each),
            validated=tuple(validated),
            is_open=bool(each.open_types),
            is_text=endpoint.kind is EndpointKind.HTML or handling.is_form,
            changes_something=handling.is_stored or _changes_something(endpoint),
            breaks=bool(handling.broken),
            unchecked=handling.unchecked,
            half_checked=handling.half_checked,
            forwarded=tuple(handling.forwarded.values()),
            checks=tuple(dict.fromkeys(handling.check_places)),
            compared=tuple(handling.compared.values()),
        )


def _declared(handled: Handled, validators: Validators) -> Iterator[Evidence]:
    """What holds the body against a schema before the handler runs."""
    for each in handled.checked_types:
        yield each.site.module.evidence(each.site.node, "the body is validated by this")
    route, handler = handled.routes[0][0], handled.handler
    if route.framework.lower() in _VALIDATING_FRAMEWORKS:
        yield Evidence(route.location, "requests are held against the API's description")
    decorator = validators.among(handler.decorators) if handler is not None and not handled.types else None
    if decorator is not None and handler is not None:
        yield handler.module.evidence(decorator, "the body is validated by this")


def _webhook(handled: Handled) -> Evidence | None:
    """Where a webhook asks for the credentials of the service that calls it."""
    endpoint, handler = handled.endpoint, handled.handler
    if handler is None:
        return None
    spoken = {*words(endpoint.path), *words(handler.name), *words(handler.module.name.rpartition(".")[2])}
    if spoken.isdisjoint(_HOOKS):
        return None
    if endpoint.guards:
        return endpoint.guards[0]
    asked = next((n for n in handler.nodes if isinstance(n, form.Attr) and n.attr == "headers"), None)
    return handler.module.evidence(asked, "the caller's headers are looked at") if asked is not None else None


def _changes_something(endpoint: Endpoint) -> bool:
    """Whether more than somebody's session may change."""
    kinds = {effect.kind for effect in endpoint.effects if effect.excuse is None}
    return bool(kinds - {EffectKind.SESSION})
