"""CORS of libraries that are set up in ways of their own.

https://falcon.readthedocs.io/en/stable/api/cors.html, https://github.com/aio-libs/aiohttp-cors,
https://sanic.dev/en/plugins/sanic-ext/http/cors.html
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.safeguards.options import option_of
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance, Literal
from assay.scanner.model.option import Option
from assay.scanner.readers.python import form
from assay.scanner.traffic.cors import NOTHING_SAID, FoundPolicy, credentials_option
from assay.scanner.traffic.origins import Origins


def other_policies(project: Project, production: Production, origins: Origins) -> Iterator[FoundPolicy]:
    """In no order."""
    if "falcon" in project.imported_packages:
        yield from _falcon_switches(project, production)
    if "aiohttp_cors" in project.imported_packages:
        yield from _aiohttp(project, production, origins)
    if "sanic" in project.imported_packages:
        yield from _sanic_settings(project, production, origins)


def _falcon_switches(project: Project, production: Production) -> Iterator[FoundPolicy]:
    """`falcon.App(cors_enable=True)`: every origin, without credentials."""
    for call, scope in project.calls_named("App", "API"):
        enabled = call.keyword("cors_enable")
        if enabled is not None and (project.callee_name(call, scope) or "").startswith("falcon."):
            option = option_of(production.meanings(enabled, scope), bool)
            shown = scope.module.evidence(enabled, "every origin is let in")
            yield FoundPolicy("cors_enable", call, scope, Option(option.is_safe, (shown,)), NOTHING_SAID)


def _aiohttp(project: Project, production: Production, origins: Origins) -> Iterator[FoundPolicy]:
    """aiohttp_cors echoes the origin for `*`: `setup(app, defaults={"*": ResourceOptions(...)})`."""
    for call, scope in project.calls_named("setup", "add"):
        for argument in call.args:
            table = project.infer(argument.value, scope)
            if not isinstance(table, Literal) or not isinstance(table.node, form.Dict):
                continue
            for key, value in zip(table.node.keys, table.node.values, strict=True):
                options = project.infer(value, table.scope)
                if key is None or not isinstance(options, Instance) or options.origin is None:
                    continue
                if options.type_name.startswith("aiohttp_cors"):
                    stated = options.origin.keyword("allow_credentials")
                    credentials = _credentials(stated, options.scope or table.scope, production)
                    any_origin = origins.option(key, table.scope)
                    is_for_all = argument.name == "defaults"
                    yield FoundPolicy("aiohttp_cors", call, scope, any_origin, credentials, is_for_all=is_for_all)


def _sanic_settings(project: Project, production: Production, origins: Origins) -> Iterator[FoundPolicy]:
    """`app.config.CORS_ORIGINS = "*"`, which Sanic Extensions reads."""
    for module in project.modules.values():
        for scope in dict.fromkeys(module.writes_by_name.get("CORS_ORIGINS", ())):
            found = _assigned(scope, "CORS_ORIGINS")
            if found is not None:
                credentials = _credentials(_assigned(scope, "CORS_SUPPORTS_CREDENTIALS"), scope, production)
                yield FoundPolicy("Sanic CORS", found, scope, origins.option(found, scope), credentials)


def _credentials(stated: form.Expr | None, scope: Scope, production: Production) -> Option:
    return credentials_option(Sited(stated, scope), production) if stated is not None else NOTHING_SAID


def _assigned(scope: Scope, attribute: str) -> form.Expr | None:
    for node in form.walk_body(scope.body, into_definitions=False):
        if isinstance(node, form.Assign) and any(
            isinstance(t, form.Attr) and t.attr == attribute for t in node.targets
        ):
            return node.value
    return None
