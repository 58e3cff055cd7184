"""Endpoints with the tests that call them: how many, and what they expect."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from assay.scanner.dataflow.responses.statuses import error_status, folded
from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.suite import TestedEndpoint
from assay.scanner.readers.python import form
from assay.scanner.services import ServiceRoot
from assay.scanner.suite.calls import Called, Calls
from assay.scanner.suite.collected import Collected, Suite
from assay.scanner.suite.expectations import REDIRECTS

_SHOWN = 3
_MANY_UNKNOWN = 0.2
"""The share of requests whose path can't be told, from which on an endpoint without a test may have one among them."""
_EXEMPT = {
    EndpointKind.DOCS: "it serves documentation",
    EndpointKind.STATIC: "it serves files as they are",
    EndpointKind.HEALTH: "probes call it all the time",
}
_ABOUT_ACCESS = re.compile(
    r"un_?auth|anonym|forbid|denied|deny|permission|not_?allowed|disallow|no_?(access|auth|token|login|perm)|without|"
    r"login|requires?|private|(other|another|wrong|different|second)_?(user|owner|team|org|tenant|account)|owner|"
    r"(non|not)_?(admin|staff|super|member|logged|owner|authenticated)|guest|logged_?out|restrict|cannot|can_?not|refus|"
    r"reject|token|protect|access|40[134]|redirect|normal_user|privileg|role|visib|hidden|secur|user_fail|fail",
    re.IGNORECASE,
)
"""Names of tests about who may do something."""
_STRICTLY = re.compile(
    r"un_?auth|anonym|forbid|denied|permission|not_?allowed|no_?(auth|token|login|perm)|without_(auth|login|token|perm)|"
    r"login_?required|requires_(login|auth|admin)|non_?admin|not_logged|logged_?out|40[13]",
    re.IGNORECASE,
)
_ABOUT_CALLERS = frozenset({401, 403, 405, 429})
"""Refusals that hang on who is calling, or how often."""
_OR_404 = frozenset(
    {"get_object_or_404", "get_list_or_404", "first_or_404", "get_or_404", "one_or_404", "aget_object_or_404"}
)
_SCHEMA_TOOLS = frozenset(
    """from_asgi from_wsgi from_uri from_url from_path from_file from_dict from_pytest_fixture from_aiohttp
    from_fixture""".split()
)
_GENERIC = frozenset(
    """get post put patch delete head options list create retrieve update partial_update destroy index main run handle
    dispatch home login logout me""".split()
)
"""Names of handlers that say nothing of who calls something of that name."""


def endpoint_tests(
    root: ServiceRoot,
    served: Sequence[tuple[Route, Endpoint]],
    calls: Calls,
    suite: Suite,
    tests: Sequence[Collected],
    gathered: Gathered,
) -> Iterator[TestedEndpoint]:
    """One for each endpoint."""
    fuzzers = tuple(_fuzzers(suite, tests))
    doubtful = _doubtful(calls)
    found: dict[str, TestedEndpoint] = {}
    untested = [pair for pair in served if id(pair[1]) not in calls.certain]
    direct = _called_directly(untested, suite, tests) if tests else {}
    for route, endpoint in served:
        each = _of(root, route, endpoint, calls, gathered.project)
        each = replace(each, fuzzers=fuzzers, direct=tuple(direct.get(id(endpoint), ()))[:_SHOWN])
        if not each.tests and not each.perhaps:
            each = replace(each, perhaps=tuple(e for method, e in doubtful if method in ("*", each.method))[:_SHOWN])
        known = found.get(each.subject_id)
        if known is None or (each.tests and not known.tests):
            found[each.subject_id] = each
    shared = {e.subject_id for r, e in served if _is_guarded_from_above(r, gathered.project)}
    beside = _denied_places(found.values())
    for each in found.values():
        yield replace(each, denials_beside=_beside(each, beside)) if each.subject_id in shared else each


def _of(root: ServiceRoot, route: Route, endpoint: Endpoint, calls: Calls, project: Project) -> TestedEndpoint:
    certain = list(calls.certain.get(id(endpoint), {}).values())
    perhaps = list(calls.perhaps.get(id(endpoint), {}).values())
    # A test's own request is better evidence than one of a fixture.
    certain.sort(key=lambda c: c.request.top is None)
    errors = [c for c in certain if any(400 <= s < 500 for s in c.statuses)]
    denials = [c for c in certain if _denies(c, endpoint)]
    seeming = [c for c in certain if not c.statuses and _STRICTLY.search(c.test.name)]
    return TestedEndpoint(
        method=endpoint.method,
        path=endpoint.path,
        location=endpoint.location,
        role=endpoint.role,
        service_root=root.root,
        tests=tuple(_shown(c, "calls it") for c in certain[:_SHOWN]),
        count=len(certain),
        perhaps=tuple(_shown(c, "may call it") for c in perhaps[:_SHOWN]) if not certain else (),
        exempt=_exempt(route, endpoint),
        guards=endpoint.guards,
        refusing=_refusals(route.handler, project)[:_SHOWN] if certain and route.handler is not None else (),
        refusals_expected=tuple(_shown(c, f"expects {_listed(c.statuses)}") for c in errors[:_SHOWN]),
        denials_expected=tuple(_shown(c, f"expects {_listed(c.statuses)}") for c in denials[:_SHOWN]),
        denials_perhaps=tuple(_shown(c, "is about access, by its name") for c in seeming[:_SHOWN]),
        statuses_known=any(c.statuses for c in certain),
    )


def _shown(called: Called, says: str) -> Evidence:
    """The place in the test; of what runs before it, the test itself."""
    function, top = called.test.function, called.request.top
    if top is None or not function.node.start <= top.start < function.node.end:
        return Evidence(function.location, f"{called.test.name} {says}")
    return Evidence(function.module.location(top), f"{called.test.name} {says}")


def _listed(statuses: Iterable[int]) -> str:
    return ", ".join(map(str, sorted(statuses)))


def _exempt(route: Route, endpoint: Endpoint) -> str | None:
    if endpoint.kind in _EXEMPT:
        return _EXEMPT[endpoint.kind]
    if endpoint.method in ("OPTIONS", "HEAD"):
        return "browsers and proxies ask it about another method"
    if route.handler is None and endpoint.method == "PUT" and endpoint.framework == "Django":
        return "Django answers it as it does POST"
    if route.handler is None and route.view_class is None and endpoint.kind is not EndpointKind.GRAPHQL:
        return "a library answers it"
    return None


def _denies(called: Called, endpoint: Endpoint) -> bool:
    """Whether the test expects that a caller is turned away."""
    if called.statuses & {401, 403}:
        return True
    about = _ABOUT_ACCESS.search(called.test.name) is not None
    if called.statuses & REDIRECTS and endpoint.guards:
        return about or (endpoint.method in ("GET", "ANY") and called.request.method == "GET")
    return 404 in called.statuses and about


@remembered
def _refusals(handler: FunctionSymbol, project: Project) -> tuple[Evidence, ...]:
    """Where the handler answers with an error of the client's; who is calling aside."""
    found = []
    for node in handler.nodes:
        status = _refused(node, handler.scope, project)
        if status is not None and 400 <= status < 500 and status not in _ABOUT_CALLERS:
            found.append(handler.module.evidence(node, f"it answers {status} here"))
    return tuple(found)


def _refused(node: form.Expr | form.Stmt, scope: Scope, project: Project) -> int | None:
    """The status that the statement ends the request with."""
    match node:
        case form.Raise(exc=exc) if exc is not None:
            return error_status(exc, scope, project)[1]
        case form.Call() if last_name(node.func) in _OR_404:
            return 404
        case form.Call() if last_name(node.func) == "abort":
            return error_status(node, scope, project)[1]
        case form.Return(value=form.Display(kind="tuple", items=[_, status, *_])):
            return folded(status, scope, project)
        case form.Return(value=form.Call() as call):
            stated = call.keyword("status") or call.keyword("status_code")
            return folded(stated, scope, project) if stated is not None else None
    return None


def _denied_places(found: Iterable[TestedEndpoint]) -> dict[Location, Evidence]:
    """Where guards are attached behind which some endpoint has a test that it turns callers away."""
    return {g.location: e.denials_expected[0] for e in found if e.denials_expected for g in e.guards}


def _is_guarded_from_above(route: Route, project: Project) -> bool:
    """Whether what guards it may stand at a router, an application or a class, for all that is in there. FastAPI's
    guards are shown where they look at a credential, so only what holds the route tells.
    """
    if route.framework != "fastapi":
        return True
    for step in route.steps:
        call = step.node
        if not isinstance(call, form.Call) or not isinstance(call.func, form.Attr):
            continue
        if step is not route.steps[-1] and call.keyword("dependencies") is not None:
            return True
        holder = project.infer(call.func.value, step.scope)
        made = holder.origin if isinstance(holder, Instance) else None
        if isinstance(holder, Instance) and holder.cls is not None:
            return True  # a router of the project's own, made to guard what it holds
        if made is not None and made.keyword("dependencies") is not None:
            return True
    return False


def _beside(tests: TestedEndpoint, denied: dict[Location, Evidence]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(denied[g.location] for g in tests.guards if g.location in denied))[:_SHOWN]


def _doubtful(calls: Calls) -> list[tuple[str, Evidence]]:
    """Requests whose path can't be told at all, where they are many."""
    if len(calls.unknown) < _MANY_UNKNOWN * len(calls.sites):
        return []
    return [
        (method, _shown(called, "sends a request whose path can't be told"))
        for method, called in calls.unknown.values()
    ]


def _fuzzers(suite: Suite, tests: Sequence[Collected]) -> Iterator[Evidence]:
    """Tests that a tool makes of the API's description."""
    mine = {t.function.module for t in tests}
    for module in suite.modules:
        if "schemathesis" not in module.imported_packages:
            continue
        for call, scope in module.calls_named(_SCHEMA_TOOLS):
            if module in mine or scope.function is None:
                yield module.evidence(call, "schemathesis calls every endpoint of the description")


def _called_directly(
    untested: Sequence[tuple[Route, Endpoint]], suite: Suite, tests: Sequence[Collected]
) -> dict[int, list[Evidence]]:
    """Tests that call the handler itself, or its class, without a request through the application."""
    functions: dict[FunctionSymbol, list[int]] = {}
    classes: dict[ClassSymbol, list[int]] = {}
    for route, endpoint in untested:
        if route.view_class is not None:
            classes.setdefault(route.view_class, []).append(id(endpoint))
        elif route.handler is not None and route.handler.name not in _GENERIC:
            functions.setdefault(route.handler, []).append(id(endpoint))
    names = {f.name for f in functions} | {c.name for c in classes}
    found: dict[int, list[Evidence]] = {}
    for module in dict.fromkeys(t.function.module for t in tests):
        for call, scope in module.calls_named({*names, "as_view"}):
            function = scope.enclosing_function
            func = (
                call.func.value if last_name(call.func) == "as_view" and isinstance(call.func, form.Attr) else call.func
            )
            if function is None or not isinstance(func, form.Name | form.Attr):
                continue
            value = suite.project.infer(func, scope)
            called = functions.get(value, ()) if isinstance(value, FunctionSymbol) else ()
            called = classes.get(value, ()) if isinstance(value, ClassSymbol) else called
            for identity in called:
                evidence = module.evidence(call, f"{function.qualname} calls it as a function")
                found.setdefault(identity, []).append(evidence)
    return found
