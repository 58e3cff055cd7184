"""CORS of Django sites, by the settings of django-cors-headers (https://github.com/adamchainz/django-cors-headers)."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.safeguards.options import option_of
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.traffic.cors import FoundPolicy
from assay.scanner.traffic.origins import Origins

MECHANISM = "django-cors-headers"
_SOURCE = "Django settings"
_MIDDLEWARE = "corsheaders.middleware.CorsMiddleware"
_ALL = ("CORS_ALLOW_ALL_ORIGINS", "CORS_ORIGIN_ALLOW_ALL")
_PATTERNS = ("CORS_ALLOWED_ORIGIN_REGEXES", "CORS_ORIGIN_REGEX_WHITELIST")
_LISTS = ("CORS_ALLOWED_ORIGINS", "CORS_ORIGIN_WHITELIST")
_CREDENTIALS = "CORS_ALLOW_CREDENTIALS"


def site_policies(production: Production, origins: Origins) -> Iterator[FoundPolicy]:
    """One for each site that runs the library's middleware."""
    for site in production.sites:
        entry = _entry(site, production)
        if entry is not None:
            yield _policy(site, entry, production, origins)


def _entry(site: Module, production: Production) -> tuple[form.Expr, Scope] | None:
    """Where the middleware is listed."""
    for value, scope in production.given(site, "MIDDLEWARE"):
        for node in form.walk(value):
            if isinstance(node, form.Const) and node.value == _MIDDLEWARE:
                return node, scope
    return None


def _policy(site: Module, entry: tuple[form.Expr, Scope], production: Production, origins: Origins) -> FoundPolicy:
    stated = [found for name in (*_LISTS, *_PATTERNS, *_ALL) for found in production.given(site, name)[-1:]]
    switches = [o for name in _ALL if (o := _switch(site, name, production, "lets every origin in")) is not None]
    patterns = [origins.of_values(production.given(site, name)) for name in _PATTERNS]
    credentials = _switch(site, _CREDENTIALS, production, "lets browsers send cookies along") or Option(True)
    open_ones = [o for o in (*switches, *patterns) if o.is_safe is False]
    unsure = [o for o in (*switches, *patterns) if o.is_safe is None]
    named = tuple(scope.module.evidence(node, "only these origins are let in") for node, scope in stated[:1])
    any_origin = next(iter([*open_ones, *unsure]), Option(True, named))
    place = next(
        (found for name in _ALL if any_origin in switches for found in production.given(site, name)[-1:]), None
    )
    node, scope = place or (stated[0] if stated else entry)
    return FoundPolicy(MECHANISM, node, scope, any_origin, credentials)


def _switch(site: Module, name: str, production: Production, text: str) -> Option | None:
    found = production.setting(name, _SOURCE, site.path)
    if not found:
        return None
    place = production.place_of(name, _SOURCE, site.path)
    asked = Evidence(place, f"what {name} comes to can't be told") if place is not None else None
    option = option_of(found, bool, asked)
    if option.is_safe is False and place is not None:
        return Option(False, (Evidence(place, f"{name} {text}"),), option.is_default)
    return option
