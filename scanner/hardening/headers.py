"""Protections that browsers are told of by headers, and what sets them: settings, extensions, own middleware, proxies.

https://cheatsheetseries.owasp.org/cheatsheets/HTTP_Headers_Cheat_Sheet.html,
https://docs.djangoproject.com/en/stable/ref/middleware/#module-django.middleware.security
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import truth_of
from assay.scanner.gathered import Gathered
from assay.scanner.hardening.applications import Application
from assay.scanner.hardening.layers import Layer
from assay.scanner.hardening.proxies import BY_HEADER, set_by_proxies
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Module
from assay.scanner.model.hardening import Control, SecurityHeader
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_ALL = tuple(Control)
_BY_LAYER: Mapping[str, tuple[Control, ...]] = {
    "Talisman": _ALL,
    "Secure": _ALL,
    "SecureHeaders": _ALL,
    "SecWeb": _ALL,
    "HTTPSRedirectMiddleware": (Control.HTTPS,),
}
_PACKAGES = frozenset({"secure", "Secweb", "secweb", "quart_talisman"})
"""Libraries that do nothing but set such headers; those that can be told which are layers."""
_NAMED_FOR_IT = re.compile(r"secur\w*header|header\w*secur|helmet", re.IGNORECASE)
"""Middleware that says so itself: which headers it sets may be hidden in bytes, or in a library."""
_SECURITY = "django.middleware.security.SecurityMiddleware"
_OF_DJANGO: Mapping[str, tuple[Control, ...]] = {
    _SECURITY: (Control.NOSNIFF, Control.REFERRER),
    "django.middleware.clickjacking.XFrameOptionsMiddleware": (Control.FRAMES,),
    "csp.middleware.CSPMiddleware": (Control.CONTENT,),
    "django.middleware.csp.ContentSecurityPolicyMiddleware": (Control.CONTENT,),
}
_SWITCHES: Mapping[Control, str] = {
    Control.NOSNIFF: "SECURE_CONTENT_TYPE_NOSNIFF",
    Control.REFERRER: "SECURE_REFERRER_POLICY",
}
"""Settings that turn off what Django's middleware does by default."""
_HTTPS = ("SECURE_SSL_REDIRECT", "SECURE_HSTS_SECONDS")
_HOOKS = ("after_request", "middleware", "after_app_request", "on_response", "on_response_prepare")
_WRITTEN = frozenset({"headers", "response"})
_FILLING = ("update", "setdefault", "append", "extend", "set_header")
_FRAMING = "frame-ancestors"
_FEWEST_PAGES = 0.2
"""The part of an application's endpoints that have to be pages for it to count as one that serves them."""


def security_headers(application: Application, gathered: Gathered, layers: Sequence[Layer]) -> Iterator[SecurityHeader]:
    """One for each protection that there is."""
    protections = _Protections(application, gathered, layers)
    found = protections.found()
    pages = sum(e.kind == "html" for e in application.endpoints)
    serves_pages = pages >= _FEWEST_PAGES * len(application.endpoints) and pages > 0
    for control in Control:
        evidence = found.get(control) or protections.partly.get(control)
        yield SecurityHeader(
            application.name,
            control,
            application.location,
            Role.PROD,
            True if control in found else None if evidence is not None else False,
            serves_pages,
            (evidence,) if evidence is not None else (),
        )


class _Protections:
    def __init__(self, application: Application, gathered: Gathered, layers: Sequence[Layer]) -> None:
        self._application = application
        self._gathered = gathered
        self._layers = layers
        self._found: dict[Control, Evidence] = {}
        self.partly: dict[Control, Evidence] = {}

    def found(self) -> Mapping[Control, Evidence]:
        """What sets each of them, the nearest to the application first."""
        if self._application.site is not None:
            self._of_django(self._application.site)
        for layer in self._layers:
            self._of_layer(layer)
        self._of_own_code()
        for control, evidence in set_by_proxies(self._gathered):
            self._add(control, evidence)
        return self._found

    def _add(self, control: Control, evidence: Evidence) -> None:
        self._found.setdefault(control, evidence)

    def _of_django(self, site: Module) -> None:
        production = self._gathered.production
        for value, scope in production.listed(site, "MIDDLEWARE"):
            for node in form.walk(value):
                named = node.value if isinstance(node, form.Const) else None
                for control in _OF_DJANGO.get(named, ()) if isinstance(named, str) else ():
                    if not self._is_off(_SWITCHES.get(control), site):
                        self._add(control, scope.module.evidence(node, f"`{named}` sets it"))
                if named == _SECURITY:
                    self._https_of_django(site)

    def _is_off(self, setting: str | None, site: Module) -> bool:
        found = self._gathered.production.setting(setting, "Django settings", site.path) if setting else None
        return found is not None and all(truth_of(m.value) is False for m in found)

    def _https_of_django(self, site: Module) -> None:
        for name in _HTTPS:
            for meaning in self._gathered.production.setting(name, "Django settings", site.path) or ():
                if truth_of(meaning.value) is True or meaning.value is UNKNOWN:
                    self._add(Control.HTTPS, meaning.evidence)

    def _of_layer(self, layer: Layer) -> None:
        for control in _BY_LAYER.get(layer.name, _ALL if _NAMED_FOR_IT.search(layer.name) else ()):
            option = layer.call.keyword("content_security_policy") if control is Control.CONTENT else None
            if not (isinstance(option, form.Const) and not option.value):
                self._add(control, layer.site.module.evidence(layer.call, f"`{layer.name}` sets it"))

    def _of_own_code(self) -> None:
        """Header names in code that writes headers, or that runs around every request; a handler sets its own only."""
        handlers: dict[Module, list[tuple[int, int]]] = {}
        for handler in (route.handler for route, _ in self._gathered.endpoints):
            if handler is not None:
                handlers.setdefault(handler.module, []).append((handler.node.start, handler.node.end))
        for module in self._gathered.project.modules.values():
            if module.role is not Role.PROD or self._gathered.owners.of(module.path) is not self._application.service:
                continue
            for package in _PACKAGES & module.imported_packages:
                for control in Control:
                    self._add(control, Evidence(Location.whole_file(module.path), f"`{package}` sets it"))
            # A table of headers may be written out far from the code that adds it to answers.
            for node in form.walk_body(module.facts.body, into_definitions=_touches_answers(module)):
                for control in _controls(node):
                    evidence = module.evidence(node, "code sets this header")
                    if any(start <= node.start < end for start, end in handlers.get(module, ())):
                        self.partly.setdefault(control, evidence)
                    else:
                        self._add(control, evidence)


def _touches_answers(module: Module) -> bool:
    return (
        not _WRITTEN.isdisjoint(module.writes_by_name)
        or any(name in module.calls_by_name for name in _HOOKS)
        or any(_is_of_headers(call) for call, _ in module.calls_named(_FILLING))
        or any(_is_middleware(cls.node) for cls in module.classes)
        or any(_is_hook(f.decorators) for f in module.functions)
    )


def _is_of_headers(call: form.Call) -> bool:
    """`response.headers.update(...)`, Tornado's `self.set_header(...)`."""
    owner = call.func.value if isinstance(call.func, form.Attr) else None
    return owner is not None and (last_name(owner) == "headers" or last_name(call.func) == "set_header")


def _is_middleware(cls: form.Class) -> bool:
    return any("middleware" in name.lower() for name in (cls.name, *(last_name(b.value) or "" for b in cls.bases)))


def _is_hook(decorators: list[form.Expr]) -> bool:
    return any(isinstance(d, form.Attr) and d.attr in _HOOKS for d in decorators)


def _controls(node: form.Expr | form.Stmt) -> Iterator[Control]:
    """What a text says: the name of a header, or a policy with a directive that counts."""
    if isinstance(node, form.Const) and isinstance(node.value, str | bytes):
        text = (node.value if isinstance(node.value, str) else node.value.decode("latin-1")).lower()
        if text in BY_HEADER:
            yield BY_HEADER[text]
        elif _FRAMING in text:
            yield BY_HEADER[_FRAMING]
