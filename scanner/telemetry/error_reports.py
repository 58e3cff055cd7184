"""What tells somebody of the exceptions that nobody handles, for each kind of process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.log import ProcessKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.telemetry import ErrorReporting
from assay.scanner.readers.python import form
from assay.scanner.telemetry import agents
from assay.scanner.telemetry.code import ServiceCode, places_of
from assay.scanner.telemetry.found import (
    BOTH,
    WEB,
    WORKER,
    Found,
    below_agents,
    called,
    imports,
    is_named_nowhere,
    shown,
)
from assay.scanner.telemetry.processes import RunningKind, started_by

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
    *("honeybadger.contrib", "airbrake", "exceptionite", "django_slack.log", "slack_logger", "raygun4py"),
)
_HANDLERS = {
    "logging.handlers.SMTPHandler": "a mail for each error",
    "sentry_sdk.integrations.logging.EventHandler": "Sentry",
    "raven.handlers.logging.SentryHandler": "Sentry",
    "rollbar.logger.RollbarHandler": "Rollbar",
    "bugsnag.handlers.BugsnagHandler": "Bugsnag",
}
"""Classes of handlers that a configuration of logging names."""
_MAILING = "django.utils.log.AdminEmailHandler"
_CATCHING = frozenset({"exception_handler", "errorhandler", "app_errorhandler"})
"""Decorators of what is called for an error that nothing else handles."""
_ADDING = ("add_exception_handler", "register_error_handler")
_SIGNALS = {"task_failure": WORKER, "got_request_exception": WEB}
_TELLING = frozenset(
    {"notify", "report", "alert", "send", "post", "slack", "telegram", "mail", "email", "page", "capture", "inc"}
)
"""Words in the names of functions that tell somebody, or count."""
_KEYS = ("dsn", "api_key", "access_token", "token")
"""Arguments without which a tracker does nothing."""


def error_reports(code: ServiceCode, kinds: Sequence[RunningKind]) -> Iterator[ErrorReporting]:
    """One for each kind of process that the service runs."""
    if not kinds:
        return
    by_import = (Found(evidence, BOTH, module) for module, evidence in imports(code, _BY_IMPORT))
    found = [*_set_up(code), *_configured(code), *below_agents(code), *by_import, *_mailed(code), *_by_hand(code)]
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
    for call, scope in code.calls_named(*sorted({*names, *code.project.aliases_of("init")})):
        tool = _SET_UP.get(code.project.callee_name(call, scope) or "")
        if tool is not None:
            found = called(code, call, scope, f"sets up {tool}", BOTH)
            is_dead = scope.function is not None and is_named_nowhere(scope.function, code)
            yield replace(found, is_sure=found.is_sure and not is_dead and not _may_be_off(code, call, scope))


def _may_be_off(code: ServiceCode, call: form.Call, scope: Scope) -> bool:
    """Whether the environment has to give the key without which the tracker does nothing."""
    key = next((found for name in _KEYS if (found := call.argument(0, name)) is not None), None)
    if key is None:
        # Sentry takes SENTRY_DSN from the environment, where nobody has to put it.
        return "sentry_sdk" in (code.project.callee_name(call, scope) or "")
    return any(m.value in (None, "") for m in code.gathered.production.meanings(key, scope))


def _configured(code: ServiceCode) -> Iterator[Found]:
    """Handlers in a configuration of logging. Google's takes errors to where they may be watched, and Django's mails
    them where a deployment names ADMINS.
    """
    for module in code.modules:
        for name in sorted(_HANDLERS.keys() & set(module.facts.mentions.strings)):
            yield from (
                Found(Evidence(e.location, f"sets up {_HANDLERS[name]}"), BOTH, module) for e in places_of(module, name)
            )
    for module, evidence in imports(code, ("google.cloud.logging", _MAILING)):
        yield Found(evidence, BOTH, module, is_sure=False)
    for module in code.modules:
        if _MAILING in module.facts.mentions.strings:
            yield from (Found(e, BOTH, module, is_sure=False) for e in places_of(module, _MAILING))


def _by_hand(code: ServiceCode) -> Iterator[Found]:
    """What the project itself does about errors that nothing else handles, where that seems to tell somebody."""
    for function, kinds in _catchers(code):
        calls = (n for n in function.walk() if isinstance(n, form.Call))
        telling = next((c for c in calls if not _TELLING.isdisjoint(words(last_name(c.func) or ""))), None)
        if telling is not None:
            evidence = function.module.evidence(telling, "this may tell somebody")
            yield Found(evidence, kinds, function.module, is_sure=False)


def _catchers(code: ServiceCode) -> Iterator[tuple[FunctionSymbol, frozenset[ProcessKind]]]:
    """Functions that are called for any error, and in which processes."""
    for module in code.modules:
        for function in module.functions:
            kinds = WEB if function.name == "process_exception" else _decorated(function)
            if kinds:
                yield function, kinds
    for call, scope in code.calls_named(*_ADDING):
        handler = call.args[1].value if len(call.args) > 1 and _is_any_error(call) else None
        found = code.project.infer(handler, scope) if handler is not None else None
        if isinstance(found, FunctionSymbol):
            yield found, WEB


def _decorated(function: FunctionSymbol) -> frozenset[ProcessKind]:
    for decorator in function.decorators:
        named = decorator.func if isinstance(decorator, form.Call) else decorator
        for part in (form.dotted(named) or "").split("."):
            if part in _SIGNALS:
                return _SIGNALS[part]
        if isinstance(decorator, form.Call) and last_name(named) in _CATCHING and _is_any_error(decorator):
            return WEB
    return frozenset()


def _is_any_error(call: form.Call) -> bool:
    match call.args:
        case [form.Arg(value=form.Name(id="Exception") | form.Const(value=500)), *_]:
            return True
    return False


def _mailed(code: ServiceCode) -> Iterator[Found]:
    """Django mails errors to its ADMINS."""
    production = code.gathered.production
    for module in production.sites:
        for value, scope in production.given(module, "ADMINS") if code.owns(module.path) else ():
            if not isinstance(value, form.Display) or value.items:
                evidence = Evidence(scope.module.location(value), "Django mails errors to these")
                yield Found(evidence, WEB, None, is_sure=isinstance(value, form.Display))
