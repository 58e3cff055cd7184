"""What is put around an application as a whole: middleware, extensions and their options."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.framework import Sited
from assay.scanner.gathered import Gathered
from assay.scanner.hardening.applications import Application
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_WRAPPING = ("add_middleware", "Middleware", "DefineMiddleware")
"""Calls that are given a class and what to make it with."""
_EXTENSIONS = (
    "AllowedHostsConfig", "AllowedHostsMiddleware", "TrustedHostMiddleware", "HTTPSRedirectMiddleware", "Talisman",
    "Secure", "SecureHeaders", "SecWeb", "CSRFProtect", "CsrfProtect", "SeaSurf", "CSRFConfig", "CSRFMiddleware",
    "CsrfMiddleware",
)  # fmt: skip
"""Classes, by last name, whose objects are put around an application."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One of them: its class by last name, and the call that says how it is made."""

    name: str
    call: form.Call
    site: Sited


def layers_of(application: Application, gathered: Gathered) -> Iterator[Layer]:
    """Those in production code of the application's service that production adds."""
    for call, scope in gathered.project.calls_named(*_WRAPPING, *_EXTENSIONS):
        if not _is_in(application, scope, gathered):
            continue
        called = last_name(call.func) or ""
        named = last_name(call.args[0].value) if called in _WRAPPING and call.args else called
        if named and gathered.production.taken(call, scope).truth is not False:
            yield Layer(named, call, Sited(call, scope))


def _is_in(application: Application, scope: Scope, gathered: Gathered) -> bool:
    module = scope.module
    return module.role is Role.PROD and gathered.owners.of(module.path) is application.service
