"""What tells somebody of the exceptions that nobody handles, for each kind of process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.telemetry import ErrorReporting
from assay.scanner.readers.python import form
from assay.scanner.telemetry import agents
from assay.scanner.telemetry.code import ServiceCode
from assay.scanner.telemetry.found import BOTH, WEB, Found, called, imports, shown
from assay.scanner.telemetry.libraries import EVERYTHING
from assay.scanner.telemetry.processes import running_kinds, started_by

_SET_UP = {
    "sentry_sdk.init": "Sentry",
    "sentry_sdk.api.init": "Sentry",
    "bugsnag.configure": "Bugsnag",
    "rollbar.init": "Rollbar",
    "honeybadger.honeybadger.configure": "Honeybadger",
    "pybrake.Notifier": "Airbrake",
    "raven.Client": "Sentry",
    "raven.contrib.flask.Sentry": "Sentry",
    "google.cloud.error_reporting.Client": "Error Reporting",
    "logfire.configure": "Logfire",
    "logging.handlers.SMTPHandler": "a mail for each error",
    "atatus.Client": "Atatus",
    "highlight_io.H": "Highlight",
    "posthog.Posthog": "PostHog",
}
"""What a call sets up, by its dotted name."""
_BY_IMPORT = (
    *("raven.contrib.django", "bugsnag.django", "bugsnag.flask", "rollbar.contrib", "pybrake.middleware"),
    *("honeybadger.contrib", "airbrake", "exceptionite", "django_slack.log", "slack_logger"),
)
_KEYS = ("dsn", "api_key", "access_token", "token")
"""Arguments without which a tracker does nothing."""


def error_reports(code: ServiceCode) -> Iterator[ErrorReporting]:
    """One for each kind of process that the service runs."""
    kinds = list(running_kinds(code))
    if not kinds:
        return
    found = [*_set_up(code), *_agents(code), *_mailed(code)]
    for running in kinds:
        mine = [f for f in found if f.is_of(running) and started_by(code, running, f.evidence)]
        mine.sort(key=lambda f: not f.is_at_home(running))
        yield ErrorReporting(
            service_root=code.service.root,
            kind=running.kind,
            location=running.location,
            role=running.role,
            reported=shown(f.evidence for f in mine if f.is_sure),
            doubtful=shown(f.evidence for f in mine if not f.is_sure) or shown(agents.declared(code)),
        )


def _set_up(code: ServiceCode) -> Iterator[Found]:
    names = {last_part(name) for name in _SET_UP}
    packages = {name.partition(".")[0] for name in _SET_UP}
    if all(module.imported_packages.isdisjoint(packages) for module in code.modules):
        return
    for call, scope in code.calls_named(*sorted({*names, *code.project.aliases_of("init"), "getLogger"})):
        tool = _SET_UP.get(code.project.callee_name(call, scope) or "")
        if tool is not None:
            found = called(code, call, scope, f"sets up {tool}", BOTH)
            yield replace(found, is_sure=found.is_sure and not _may_be_off(code, call, scope))


def _may_be_off(code: ServiceCode, call: form.Call, scope: Scope) -> bool:
    """Whether the environment has to give the key without which the tracker does nothing."""
    key = next((found for name in _KEYS if (found := call.argument(0, name)) is not None), None)
    if key is None:
        # Sentry takes SENTRY_DSN from the environment, where nobody has to put it.
        return "sentry_sdk" in (code.project.callee_name(call, scope) or "")
    return any(m.value in (None, "") for m in code.gathered.production.meanings(key, scope))


def _agents(code: ServiceCode) -> Iterator[Found]:
    for evidence in (*agents.commands(code), *agents.injected(code)):
        yield Found(evidence, BOTH)
    for module, evidence in imports(code, (*EVERYTHING, *_BY_IMPORT)):
        yield Found(evidence, BOTH, module)


def _mailed(code: ServiceCode) -> Iterator[Found]:
    """Django mails errors to its ADMINS."""
    production = code.gathered.production
    for module in production.sites:
        for value, scope in production.given(module, "ADMINS") if code.owns(module.path) else ():
            is_listed = isinstance(value, form.Display)
            if not is_listed or (isinstance(value, form.Display) and value.items):
                evidence = Evidence(scope.module.location(value), "Django mails errors to these")
                yield Found(evidence, WEB, None, is_sure=is_listed)
