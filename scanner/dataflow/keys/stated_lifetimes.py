"""Where a service states how long its tokens last: settings of frameworks, and classes of tokens."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import literal_item
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role

_FLASK = frozenset({"JWT_ACCESS_TOKEN_EXPIRES", "JWT_REFRESH_TOKEN_EXPIRES"})
_DJANGO_RESET = "PASSWORD_RESET_TIMEOUT"
_DJANGO = ("SIMPLE_JWT", "NINJA_JWT")
_DJANGO_KEYS = ("ACCESS_TOKEN_LIFETIME", "REFRESH_TOKEN_LIFETIME", "SLIDING_TOKEN_LIFETIME")
_DJANGO_TOKENS = ("rest_framework_simplejwt.tokens.", "ninja_jwt.tokens.")

Stated = tuple[str, Location]
"""What lasts, and the place of the expression that says how long."""


def stated_lifetimes(gathered: Gathered) -> Iterator[Stated]:
    """All of them in production code."""
    yield from _of_flask(gathered)
    yield from _of_django(gathered)
    yield from _of_classes(gathered)


def _of_flask(gathered: Gathered) -> Iterator[Stated]:
    for setting in gathered.settings:
        if setting.source == "Flask config" and setting.name in _FLASK and setting.role is Role.PROD:
            for meaning in gathered.production.stated(setting)[:1]:
                yield setting.name, meaning.evidence.location


def _of_django(gathered: Gathered) -> Iterator[Stated]:
    production = gathered.production
    for site in production.sites:
        if site.role is not Role.PROD:
            continue
        for node, scope in production.given(site, _DJANGO_RESET)[-1:]:
            yield _DJANGO_RESET, scope.module.location(node)
        for name in _DJANGO:
            for node, scope in production.given(site, name)[-1:]:
                stated = ((key, literal_item(node, key)) for key in _DJANGO_KEYS)
                yield from ((key, scope.module.location(value)) for key, value in stated if value is not None)


def _of_classes(gathered: Gathered) -> Iterator[Stated]:
    """Classes of tokens that state their own."""
    for cls in gathered.project.classes:
        lifetimes = [b.value for b in cls.own("lifetime") if b.value is not None]
        if not lifetimes or cls.module.role is not Role.PROD:
            continue
        if any(base.startswith(_DJANGO_TOKENS) for base in gathered.project.base_names(cls)):
            yield cls.name, cls.module.location(lifetimes[-1])
