"""Every retry policy of the service."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.clients.sent import SentRequests
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.partials import names_bound_to
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.retry import Ending, Pause, RetryPolicy
from assay.scanner.readers.python import form
from assay.scanner.retries.arguments import Arguments
from assay.scanner.retries.decorators import LIBRARIES
from assay.scanner.retries.found import Found
from assay.scanner.retries.mild import is_mild
from assay.scanner.retries.remote import RemoteCalls, retry_loops
from assay.scanner.retries.transports import CLIENTS
from assay.scanner.waiting.calls import DirectCalls
from assay.scanner.waiting.waits import Waits

_KNOWN = (*LIBRARIES, *CLIENTS)
_NAMES = frozenset(last_part(name) for name in _KNOWN)
_PACKAGES = frozenset(name.partition(".")[0] for name in _KNOWN)
_LISTENING = frozenset({"listen", "pubsub", "subscribe", "consume", "start_consuming", "run_forever", "get_message"})
_SPAWNING = ("spawn", "Thread", "Greenlet", "start_new_thread", "create_task", "ensure_future", "start_background_task")
_STARTING = frozenset({"prestart", "startup", "bootstrap", "entrypoint", "lifespan", "healthcheck"})


def found_policies(gathered: Gathered) -> list[Found]:
    """In order of place, those too that try only once."""
    project = gathered.project
    calls = DirectCalls(project)
    waits = Waits(project, gathered.libraries, calls)
    found = [*retry_loops(project, RemoteCalls(project, SentRequests(gathered.requests), waits, calls))]
    if not project.imported_packages.isdisjoint(_PACKAGES):
        found += _of_libraries(project)
    return sorted(found, key=lambda f: (f.scope.module.path, f.node.start))


def retry_policies(gathered: Gathered) -> Iterator[RetryPolicy]:
    """In order of place."""
    project = gathered.project
    ordinals = Ordinals()
    for policy in found_policies(gathered):
        if policy.stop.attempts is not None and policy.stop.attempts < 2:
            continue  # it tries once
        function = around(policy.scope) if policy.function is None or policy.kind == "loop" else policy.function.id
        yield RetryPolicy(
            function=function,
            ordinal=ordinals.next(function, policy.kind),
            kind=policy.kind,
            location=policy.scope.module.location(policy.node),
            role=policy.scope.module.role,
            ending=policy.stop.ending,
            pause=policy.wait.pause,
            attempts=policy.stop.attempts,
            ending_shown=policy.stop.shown,
            pause_shown=policy.wait.shown,
            mild=policy.mild,
            excuse=policy.excuse or _excuse(policy, project),
            offline=offline_reason(policy.scope) or _start_up(policy),
        )


# --- libraries ---


def _of_libraries(project: Project) -> Iterator[Found]:
    handlers = _decorated(project)
    names = {*_NAMES, *(alias for name in _NAMES for alias in project.aliases_of(name))}
    for call, scope in project.calls_named(*sorted(names)):
        yield from _policy(call, call, scope, project, handlers.get(call))
    for call, (scope, function) in _bare(project).items():
        yield from _policy(call, call, scope, project, function)
    for partial, scope in project.calls_named("partial"):
        if partial.args and last_name(partial.args[0].value) in names:
            made = form.Call(start=partial.start, end=partial.end, func=partial.args[0].value, args=partial.args[1:])
            yield from _policy(made, partial, scope, project, None, _uses(partial, scope, project))


def _policy(
    call: form.Call,
    node: form.Call,
    scope: Scope,
    project: Project,
    function: FunctionSymbol | None,
    others: list[tuple[form.Call, Scope]] | None = None,
) -> Iterator[Found]:
    value = project.infer(call.func, scope)
    name = value.name if isinstance(value, External) else ""
    arguments = Arguments(call, scope, project, others or ())
    library, client = LIBRARIES.get(name), CLIENTS.get(name)
    if library is not None and not library.polls:
        on = arguments.get(*library.on) if library.on[0] else None
        mild = on.shown("only these are tried again") if on is not None and is_mild(on.node) else None
        stop, wait = library.stop(arguments), library.wait(arguments)
        yield Found(library.name, node, scope, stop, wait, function, mild)
    elif client is not None and (read := client[1](arguments)) is not None:
        yield Found(client[0], node, scope, *read)


def _decorated(project: Project) -> dict[form.Expr, FunctionSymbol]:
    """The functions under decorators, by the decorator, where the module imports one of the libraries."""
    return {
        decorator: function
        for module in project.modules.values()
        if not module.imported_packages.isdisjoint(_PACKAGES)
        for function in module.functions
        for decorator in function.decorators
    }


def _bare(project: Project) -> dict[form.Call, tuple[Scope, FunctionSymbol]]:
    """Decorators without parentheses, as calls without arguments."""
    return {
        form.Call(start=node.start, end=node.end, func=node, args=[]): (function.outer, function)
        for node, function in _decorated(project).items()
        if isinstance(node, form.Name | form.Attr)
    }


def _uses(partial: form.Call, scope: Scope, project: Project) -> list[tuple[form.Call, Scope]]:
    """Calls of the names that a `partial(...)` was given."""
    found = project.calls_named(*sorted(names_bound_to(partial, scope.module)))
    return [
        (call, around)
        for call, around in found
        if isinstance(value := project.infer(call.func, around), Instance) and value.origin is partial
    ]


# --- what makes it right ---


def _excuse(found: Found, project: Project) -> Evidence | None:
    """What listens may go on for as long as the service runs, and so may what runs in the background."""
    function = found.function
    if function is None or found.stop.ending is not Ending.ENDLESS or found.wait.pause is Pause.NONE:
        return None
    for node in function.nodes if found.kind != "loop" else ():
        if isinstance(node, form.While) and isinstance(node.test, form.Const):
            return function.module.evidence(node.test, "it listens for as long as the service runs")
        if isinstance(node, form.Call) and last_name(node.func) in _LISTENING:
            return function.module.evidence(node, "it listens for as long as the service runs")
    for call, scope in project.calls_named(*_SPAWNING):
        handed = [a.value.func if isinstance(a.value, form.Call) else a.value for a in call.args]
        if any(last_name(node) == function.name and project.infer(node, scope) is function for node in handed):
            return scope.module.evidence(call, "it runs in the background")
    return None


def _start_up(found: Found) -> str | None:
    """`wait_for_database`, `backend_pre_start.py`."""
    function = found.function or found.scope.enclosing_function
    named = [last_part(found.scope.module.name), function.name if function is not None else ""]
    for name in named:
        parts = words(name)
        if parts[:2] in (("wait", "for"), ("wait", "until")) or "prestart" in "".join(parts):
            return "command that waits at start"
        if not _STARTING.isdisjoint(parts):
            return "command that runs at start"
    return None
