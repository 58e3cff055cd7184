"""How tracer providers are set up: the service's name, when spans leave, in which form contexts travel on."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.ways import way_to
from assay.scanner.deployment.variables import variables_given
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.place import Evidence
from assay.scanner.model.telemetry import TracerSetup
from assay.scanner.readers.python import form
from assay.scanner.telemetry.code import ServiceCode
from assay.scanner.telemetry.found import shown

_PROVIDER = "TracerProvider"
_PACKAGES = ("opentelemetry.sdk.trace",)
_VARIABLES = frozenset({"OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES"})
_NAME_KEYS = frozenset({"service.name"})
_NAME_CONSTANTS = frozenset({"SERVICE_NAME"})
_AT_ONCE = ("SimpleSpanProcessor", "SimpleExportSpanProcessor")
_TO_THE_CONSOLE = ("ConsoleSpanExporter",)
_EXPORTERS = (
    "OTLPSpanExporter",
    "JaegerExporter",
    "ZipkinExporter",
    "CloudTraceSpanExporter",
    "AzureMonitorTraceExporter",
)
_EXPORTER_PACKAGES = ("opentelemetry.exporter.", "azure.monitor.")
_VENDORS = frozenset(
    {"CloudTraceFormatPropagator", "JaegerPropagator", "B3Format", "B3MultiFormat", "B3SingleFormat"}
    | {"AwsXRayPropagator", "DatadogFormat"}
)
"""Propagators of headers that others than W3C's own define."""


def tracer_setups(code: ServiceCode) -> Iterator[TracerSetup]:
    """One for each tracer provider that the service makes."""
    made = [(c, s) for c, s in code.calls_named(_PROVIDER) if _is_made(c, s, code)]
    if not made:
        return
    given = next(iter(_given(code)), None)
    ordinals = Ordinals()
    for call, scope in made:
        named, unsure = _name(call, scope, code)
        function = around(scope)
        yield TracerSetup(
            function=function,
            ordinal=ordinals.next(function, _PROVIDER),
            location=scope.module.location(call),
            role=scope.module.role,
            named=named or given,
            unsure=unsure,
            at_once=shown(_in_production(code, _AT_ONCE, "sends each span while the request waits")),
            shown=shown(_in_production(code, _TO_THE_CONSOLE, "prints spans")),
            vendors=shown(_vendors(code)),
        )


def _is_made(call: form.Call, scope: Scope, code: ServiceCode) -> bool:
    return (code.project.callee_name(call, scope) or "").startswith(_PACKAGES)


def _given(code: ServiceCode) -> Iterator[Evidence]:
    """The name as a variable gives it: in deployment files, or set by the code itself."""
    for name, _, evidence in variables_given(code.gathered.context.files):
        owner = code.gathered.owners.around(evidence.location.path)
        if name in _VARIABLES and (owner is None or owner is code.service):
            yield Evidence(evidence.location, f"{name} is given")
    for module in code.modules:
        for node, _ in module.texts:
            if isinstance(node, form.Const) and node.value in _VARIABLES:
                yield module.evidence(node, f"speaks of {node.value}")


def _name(call: form.Call, scope: Scope, code: ServiceCode) -> tuple[Evidence | None, Evidence | None]:
    """What gives the service's name by the provider's resource, else what may."""
    resource = call.argument(1, "resource") if call.keyword("resource") is None else call.keyword("resource")
    if resource is None:
        return None, None
    return _named_by(resource, scope, code)


def _named_by(
    resource: form.Expr, scope: Scope, code: ServiceCode, deepest: int = 3
) -> tuple[Evidence | None, Evidence | None]:
    made, where = resource, scope
    value = code.project.infer(resource, scope)
    if isinstance(value, Instance) and value.origin is not None and value.scope is not None:
        made, where = value.origin, value.scope
    evidence = where.module.evidence(made, "the resource")
    if not isinstance(made, form.Call):
        return None, evidence
    if last_name(made.func) == "merge" and isinstance(made.func, form.Attr) and deepest:
        sides = [made.func.value, *made.positional]
        told = [_named_by(side, where, code, deepest - 1) for side in sides]
        named = next((n for n, _ in told if n is not None), None)
        return named, next((u for _, u in told if u is not None), None)
    if last_name(made.func) not in ("create", "Resource"):
        return None, evidence
    attributes = made.argument(0, "attributes")
    if attributes is None:
        # `Resource.create()` takes the variables alone.
        return None, None
    found = code.project.infer(attributes, where)
    if isinstance(found, Literal) and isinstance(found.node, form.Dict):
        is_open = any(key is None for key in found.node.keys)
        if isinstance(attributes, form.Name) and _is_named_later(attributes.id, where, code):
            return evidence, None
        keys = [key for key in found.node.keys if key is not None]
        if any(_is_name(key, found.scope, code) for key in keys):
            return evidence, None
        return None, evidence if is_open else None
    return None, evidence


def _is_named_later(name: str, scope: Scope, code: ServiceCode) -> bool:
    """`attributes["service.name"] = ...`."""
    return any(
        isinstance(target, form.Subscript)
        and isinstance(target.value, form.Name)
        and target.value.id == name
        and _is_name(target.index, where, code)
        for assignment, where in scope.module.assignments
        for target in assignment.targets
    )


def _is_name(key: form.Expr, scope: Scope, code: ServiceCode) -> bool:
    if isinstance(key, form.Const):
        return key.value in _NAME_KEYS
    if last_name(key) in _NAME_CONSTANTS:
        return True
    value = code.project.infer(key, scope)
    return isinstance(value, Literal) and isinstance(value.node, form.Const) and value.node.value in _NAME_KEYS


def _in_production(code: ServiceCode, names: tuple[str, ...], text: str) -> Iterator[Evidence]:
    """Calls that production surely makes: what only prints may be there for where nothing can be sent to."""
    sends = any(
        (code.project.callee_name(c, s) or "").startswith(_EXPORTER_PACKAGES) for c, s in code.calls_named(*_EXPORTERS)
    )
    for call, scope in code.calls_named(*names):
        name = code.project.callee_name(call, scope) or ""
        if not name.startswith("opentelemetry.") or code.gathered.production.taken(call, scope).truth is not True:
            continue
        if not (sends and _prints(call) and _is_one_of_two(call, scope)):
            yield scope.module.evidence(call, text)


def _prints(call: form.Call) -> bool:
    return any(isinstance(n, form.Call) and last_name(n.func) in _TO_THE_CONSOLE for n in form.walk(call))


def _is_one_of_two(call: form.Call, scope: Scope) -> bool:
    """Whether a condition chooses it."""
    if any(branch.test is not None for branch in way_to(scope.body, call.start)):
        return True
    choices = (n for n in form.walk_body(scope.body) if isinstance(n, form.Conditional))
    return any(inner is call for choice in choices for inner in form.walk(choice))


def _vendors(code: ServiceCode) -> Iterator[Evidence]:
    """Contexts that leave in a vendor's headers only."""
    for call, scope in code.calls_named("set_global_textmap"):
        given = call.positional[0] if call.positional else None
        value = code.project.infer(given, scope) if given is not None else None
        name = value.type_name if isinstance(value, Instance) else value.name if isinstance(value, External) else ""
        if last_part(name) in _VENDORS:
            yield scope.module.evidence(call, f"contexts leave as {last_part(name)} only")
