"""Sentry, which records durations only where a share of the requests is traced."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import constant
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.telemetry.code import ServiceCode


def traced(code: ServiceCode) -> Iterator[Evidence]:
    """Calls that set it up with a share above nothing."""
    for call, scope, name, value in _options(code):
        known = constant(value, scope, code.project)
        off = _is_off_by_default(value) if known is None else known.value in (0, 0.0, False, None)
        if not off:
            yield Evidence(scope.module.location(call), f"Sentry traces requests ({name})")


def traced_elsewhere(code: ServiceCode) -> Iterator[Evidence]:
    """Calls whose rate the environment decides, or whose options come from elsewhere."""
    for call, scope, name, value in _options(code):
        if _is_off_by_default(value):
            yield Evidence(scope.module.location(call), f"Sentry traces what the environment says ({name})")
    for call, scope in setups(code):
        if any(argument.star == 2 for argument in call.args):
            yield Evidence(scope.module.location(call), "Sentry's options come from elsewhere")


def _options(code: ServiceCode) -> Iterator[tuple[form.Call, Scope, str, form.Expr]]:
    names = ("traces_sample_rate", "traces_sampler", "enable_tracing")
    return (
        (call, scope, name, value)
        for call, scope in setups(code)
        for name in names
        if (value := call.keyword(name)) is not None
    )


def setups(code: ServiceCode) -> Iterator[tuple[form.Call, Scope]]:
    """Calls that set it up."""
    sentry = [m for m in code.modules if "sentry_sdk" in m.imported_packages]
    bound = {
        local for module in sentry for local, bindings in module.scope.bindings.items()
        if any(b.module == "sentry_sdk" and b.name == "init" for b in bindings)
    }  # fmt: skip
    for call, scope in code.calls_named("init", *sorted(bound - {"init"})) if sentry else ():
        if code.project.qualified_name(call.func, scope) in ("sentry_sdk.init", "sentry_sdk.api.init"):
            yield call, scope


def _is_off_by_default(value: form.Expr) -> bool:
    """Whether the environment has to switch it on: `os.environ.get("RATE", "0.0")`."""
    return any(
        isinstance(node, form.Call)
        and last_name(node.func) in ("get", "getenv")
        and (default := node.argument(1, "default")) is not None
        and isinstance(default, form.Const)
        and default.value in ("0", "0.0", 0, 0.0, False)
        for node in form.walk(value)
    )
