"""How often clients may call each endpoint, and what each call costs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assay.scanner.access.purposes import is_secret_name
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.effect import Effect, EffectKind
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.traffic import Credential, EndpointTraffic, Throttle
from assay.scanner.readers.python import form
from assay.scanner.services import innermost
from assay.scanner.traffic.credential_endpoints import CredentialUse, credential_use
from assay.scanner.traffic.lockouts import before_handlers, login_protection, of_handler

_KINDS = (EndpointKind.JSON, EndpointKind.HTML, EndpointKind.FILE, EndpointKind.STREAM)
_NOT_COUNTED = frozenset(
    """webhook webhooks hook hooks callback slack stripe github gitlab twilio telegram saml oauth oauth2 oidc sso acs
    login signin logout signout consent csp healthcheck""".split()
)
"""Words of paths that other services call, or by which people come and go."""
_SENDING = (EffectKind.MAIL, EffectKind.QUEUE)
_ORDER = (*_SENDING, EffectKind.WRITE)
_MODEL_CALLS = {
    ("completions", "create"), ("ChatCompletion", "create"), ("Completion", "create"), ("messages", "create"),
    ("responses", "create"), ("embeddings", "create"), ("images", "generate"), ("models", "generate_content"),
    ("litellm", "completion"), ("litellm", "acompletion"),
}  # fmt: skip
"""How clients of language models are asked, by the last two names of a call."""
_MODEL_METHODS = frozenset({"generate_content", "generate_content_async", "acompletion"})
_CHAIN_METHODS = frozenset({"invoke", "ainvoke", "stream", "astream", "predict", "apredict", "batch", "abatch"})
"""How models and chains of LangChain are asked."""
_CHAINS = ("langchain", "langgraph", "llama_index")
_DEEPEST = 3
_MOST_OTHERS = 5


def endpoint_traffic(gathered: Gathered, production: Production) -> Iterator[EndpointTraffic]:
    """One for each endpoint that a client may call."""
    served = [(r, e) for r, e in gathered.endpoints if e.kind in _KINDS and e.role is Role.PROD]
    protection = login_protection(production)
    posted = {(e.path, e.location) for _, e in served if e.method == "POST"}
    found = []
    for route, endpoint in served:
        is_twin = endpoint.method not in ("POST", "ANY") and (endpoint.path, endpoint.location) in posted
        use = credential_use(route, endpoint, gathered.project) if not is_twin else None
        found.append(_of(route, endpoint, use, gathered, protection))
    folders = {"" if s.root == "." else s.root: s.root for s in gathered.services}
    before: dict[str | None, list[Evidence]] = {}
    if any(e.throttle is Throttle.NONE and (e.credential is not None or e.cost is not None) for e in found):
        for shown in before_handlers(gathered.project, production):
            before.setdefault(innermost(shown.location.path, folders), []).append(shown)
    by_service: dict[str | None, list[EndpointTraffic]] = {}
    for each in found:
        by_service.setdefault(innermost(each.location.path, folders), []).append(each)
    for folder, mine in by_service.items():
        hooks = tuple(before.get(folder, ())[:2])
        yield from _told_once([replace(e, before=hooks) if e.throttle is Throttle.NONE else e for e in mine])


def _of(
    route: Route, endpoint: Endpoint, use: CredentialUse | None, gathered: Gathered, protection: Evidence | None
) -> EndpointTraffic:
    is_doubtful = bool(endpoint.unresolved_guards) or (route.handler is not None and _is_about_caller(route.handler))
    is_public = None if is_doubtful and not endpoint.auth else not endpoint.auth
    throttle, throttles = _throttle(route, endpoint, use.credential if use else None, gathered, protection)
    return EndpointTraffic(
        method=endpoint.method,
        path=endpoint.path,
        location=endpoint.location,
        role=endpoint.role,
        is_json=endpoint.kind is EndpointKind.JSON,
        is_public=is_public,
        throttle=throttle,
        throttles=throttles,
        cost=_cost(route, endpoint, gathered.project) if is_public else None,
        credential=use.credential if use is not None else None,
        shown_by=(use.shown_by,) if use is not None else (),
    )


def _throttle(
    route: Route,
    endpoint: Endpoint,
    credential: Credential | None,
    gathered: Gathered,
    protection: Evidence | None,
) -> tuple[Throttle, tuple[Evidence, ...]]:
    if endpoint.throttles:
        return Throttle.LIMIT, endpoint.throttles
    bases = gathered.project.base_names(route.view_class) if route.view_class is not None else ()
    if any(name.startswith("allauth.") for name in (endpoint.handler, *bases)):
        return Throttle.LIMIT, (Evidence(endpoint.location, "allauth limits its own views"),)
    if credential is None:
        return Throttle.NONE, ()
    slowed = of_handler(route.handler, route.view_class, gathered.project)
    if slowed is not None:
        return slowed[0], (slowed[1],)
    if protection is not None and credential in (Credential.LOGIN, Credential.TOKEN):
        return Throttle.LOCKOUT, (protection,)
    return Throttle.NONE, ()


def _cost(route: Route, endpoint: Endpoint, project: Project) -> Evidence | None:
    """What makes each call of an endpoint dear: it fills a table, sends something, asks a model that bills by use."""
    told = {word for part in endpoint.path.split("/") for word in words(part)}
    if told & _NOT_COUNTED or any(is_secret_name(name) for name in path_parameters(endpoint.path)):
        return None
    dear = [e for e in endpoint.effects if e.excuse is None and e.doubt is None and _is_dear(e)]
    if dear:
        return min(dear, key=lambda e: _ORDER.index(e.kind)).evidence
    return asks_model(route.handler, _DEEPEST, project) if route.handler is not None else None


def _is_about_caller(handler: FunctionSymbol) -> bool:
    """Whether it works on the account of who is calling, so that a stranger gets nowhere."""
    for node in handler.nodes:
        if isinstance(node, form.Attr) and node.attr == "user" and last_name(node.value) in ("request", "g"):
            return True
        if isinstance(node, form.Name) and node.id == "current_user":
            return True
    return False


def _is_dear(effect: Effect) -> bool:
    return effect.kind in _SENDING or (effect.kind in _ORDER and effect.action == "create")


@remembered
def asks_model(function: FunctionSymbol, depth: int, project: Project) -> Evidence | None:
    """Where the function, or one that it calls, has a language model answer: `client.chat.completions.create(...)`."""
    calls = [node for node in function.nodes if isinstance(node, form.Call)]
    for call in calls:
        parts = (form.dotted(call.func) or "").split(".")
        is_chain = parts[-1] in _CHAIN_METHODS and (project.callee_name(call, function.scope) or "").startswith(_CHAINS)
        if tuple(parts[-2:]) in _MODEL_CALLS or parts[-1] in _MODEL_METHODS or is_chain:
            return function.module.evidence(call, "it asks a model that bills by use")
    for call in calls if depth > 1 else ():
        callee = project.callee_function(call, function.scope)
        found = asks_model(callee, depth - 1, project) if callee is not None and callee is not function else None
        if found is not None:
            return found
    return None


def _told_once(found: Sequence[EndpointTraffic]) -> Iterator[EndpointTraffic]:
    """A service without any limiter lacks one thing, however many endpoints it has: the dearest of them is told."""
    exposed = [e for e in found if e.is_public and e.is_json and e.cost is not None and e.credential is None]
    if any(e.throttle is Throttle.LIMIT for e in found) or len(exposed) < 2:
        yield from found
        return
    worst = min(exposed, key=_rank)
    others = tuple(Evidence(e.location, f"{e.label} is open too") for e in exposed if e is not worst)
    for each in found:
        if each is worst:
            yield replace(each, others=others[:_MOST_OTHERS])
        else:
            yield replace(each, spoken_for=worst.label) if each in exposed else each


def _rank(traffic: EndpointTraffic) -> tuple[bool, str, str]:
    """Those that send something first, then by path."""
    text = traffic.cost.text if traffic.cost is not None else ""
    return (not any(word in text for word in ("send", "mail", "message")), traffic.path, traffic.method)
