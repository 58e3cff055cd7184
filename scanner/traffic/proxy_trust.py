"""Settings and options by which a server believes what a proxy in front says of the client.

https://www.uvicorn.org/deployment/#proxies-and-forwarded-headers, https://docs.gunicorn.org/en/stable/settings.html,
https://werkzeug.palletsprojects.com/en/stable/middleware/proxy_fix/,
https://docs.djangoproject.com/en/5.2/ref/settings/#secure-proxy-ssl-header
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import truth_of
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.numbering import around
from assay.scanner.deployment import Deployment
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.traffic import Trust
from assay.scanner.readers.python import form

_ANY_PROXY = re.compile(r"--forwarded-allow-ips[= ]+[\"'\\]*\*")
_NAMED_PROXY = re.compile(r"--forwarded-allow-ips[= ]+\S+")
_FLAG = "--forwarded-allow-ips"
_ALLOWED = "forwarded_allow_ips"
_HOPS = ("x_for", "x_proto", "x_host", "x_port", "x_prefix")


@dataclass(frozen=True, slots=True)
class ProxyTrust:
    """One setting or option. `function` tells the code around it, the file where there is none."""

    what: str
    function: str
    location: Location
    role: Role
    trust: Trust
    evidence: tuple[Evidence, ...]
    sets_address: bool = False
    """Whether it decides what the server takes for the address of the connection."""


def proxy_trusts(project: Project, production: Production, deployments: Iterable[Deployment]) -> Iterator[ProxyTrust]:
    """In no order."""
    yield from _servers_in_code(project, production)
    yield from _server_files(project, production)
    for deployment in deployments:
        for command in deployment.start_commands:
            trust = _of_command(command.text)
            if trust is not None:
                shown = Evidence(
                    command.location, "it believes every proxy" if trust is Trust.CLAIMED else "named proxies"
                )
                place = command.location
                yield ProxyTrust(_FLAG, place.path, place, command.role, trust, (shown,), sets_address=True)
    yield from _proxy_fixes(project, production)
    yield from _sites(production)


def _of_command(text: str) -> Trust | None:
    if _ANY_PROXY.search(text):
        return Trust.CLAIMED
    return Trust.KNOWN_PROXIES if _NAMED_PROXY.search(text) else None


def _servers_in_code(project: Project, production: Production) -> Iterator[ProxyTrust]:
    for call, scope in project.calls_named("run", "Config", "ProxyHeadersMiddleware", "add_middleware", "Middleware"):
        node = call.keyword(_ALLOWED)
        if node is None and _is_proxy_middleware(call):
            node = call.keyword("trusted_hosts")
        if node is not None:
            yield _of_option(node, scope, production)


def _is_proxy_middleware(call: form.Call) -> bool:
    named = [call.func, *(a.value for a in call.args[:1])]
    return any((form.dotted(n) or "").endswith("ProxyHeadersMiddleware") for n in named)


def _of_option(node: form.Expr, scope: Scope, production: Production) -> ProxyTrust:
    found = production.meanings(node, scope)
    is_open = any(m.value == "*" for m in found) or _lists_star(node)
    is_told = isinstance(node, form.Display) or all(m.value is not UNKNOWN for m in found)
    trust = Trust.CLAIMED if is_open else Trust.KNOWN_PROXIES if is_told else Trust.CONFIGURED
    text = "it believes every proxy" if is_open else "it believes these proxies"
    module = scope.module
    return ProxyTrust(
        _ALLOWED,
        around(scope),
        module.location(node),
        module.role,
        trust,
        (module.evidence(node, text),),
        sets_address=True,
    )


def _lists_star(node: form.Expr) -> bool:
    return isinstance(node, form.Display) and any(isinstance(i, form.Const) and i.value == "*" for i in node.items)


def _server_files(project: Project, production: Production) -> Iterator[ProxyTrust]:
    """`forwarded_allow_ips = "*"` in the file that Gunicorn is configured by."""
    for module in project.modules.values():
        if "gunicorn" in module.path.rpartition("/")[2]:
            for binding in module.scope.bindings.get(_ALLOWED, ())[-1:]:
                if binding.value is not None:
                    yield _of_option(binding.value, binding.scope, production)


def _proxy_fixes(project: Project, production: Production) -> Iterator[ProxyTrust]:
    """Werkzeug's ProxyFix believes as many proxies as it is told to."""
    for call, scope in project.calls_named("ProxyFix"):
        name = project.callee_name(call, scope) or ""
        if not name.startswith("werkzeug."):
            continue
        hops = [node for hop in _HOPS if (node := call.keyword(hop)) is not None] + list(call.positional[1:])
        is_stated = all(isinstance(node, form.Const) for node in hops) and not any(a.star for a in call.args)
        trust = Trust.KNOWN_PROXIES if is_stated else Trust.CONFIGURED
        shown = scope.module.evidence(
            call, "how many proxies are believed is " + ("written" if is_stated else "set elsewhere")
        )
        taken = production.taken(call, scope)
        if taken.truth is not False:
            yield ProxyTrust("ProxyFix", around(scope), scope.module.location(call), scope.module.role, trust, (shown,))


def _sites(production: Production) -> Iterator[ProxyTrust]:
    for site in production.sites:
        for name in ("USE_X_FORWARDED_HOST", "SECURE_PROXY_SSL_HEADER"):
            for node, scope in production.given(site, name)[-1:]:
                found = production.meanings(node, scope)
                truths = {True if isinstance(node, form.Display) and node.items else truth_of(m.value) for m in found}
                if truths == {False}:
                    continue
                module = scope.module
                trust = Trust.HARD_SET if truths == {True} else Trust.CONFIGURED
                if name == "USE_X_FORWARDED_HOST" and truths == {True} and _takes_any_host(production, site.path):
                    trust = Trust.CLAIMED
                shown = module.evidence(node, f"{name} believes what any proxy, or client, sends")
                yield ProxyTrust(name, module.name, module.location(node), module.role, trust, (shown,))


def _takes_any_host(production: Production, near: str) -> bool:
    found = production.setting("ALLOWED_HOSTS", "Django settings", near) or ()
    return any(isinstance(m.value, tuple) and "*" in m.value and m.is_certain for m in found)
