"""Every place that makes a client of a dependency, and whether its waits are limited."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from assay.scanner.clients.libraries import CLIENTS, LISTENING, ClientLibrary
from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import Meanings
from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.safeguards.options import CallOptions, option_of
from assay.scanner.dataflow.socket_default import socket_default
from assay.scanner.gathered import Gathered
from assay.scanner.linker.library_types import canonical
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.dependency_client import DependencyClient
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_PACKAGES = frozenset(name.partition(".")[0] for name in CLIENTS)
_NAMES = tuple(sorted({name.rpartition(".")[2] for name in CLIENTS}))


def dependency_clients(gathered: Gathered) -> Iterator[DependencyClient]:
    """In order of place."""
    project = gathered.project
    if project.imported_packages.isdisjoint(_PACKAGES):
        return
    options = CallOptions(project, gathered.production)
    of_sockets = socket_default(project)
    ordinals = Ordinals()
    calls = sorted(project.calls_named(*_NAMES), key=lambda pair: (pair[1].module.path, pair[0].start))
    for call, scope in calls:
        name = project.qualified_name(call.func, scope)
        library = (CLIENTS.get(name) or CLIENTS.get(canonical(name))) if name is not None else None
        if library is None or call.keyword("connection_pool") is not None:
            continue  # a pool that it is given is judged where it is made
        function = around(scope)
        yield DependencyClient(
            function=function,
            ordinal=ordinals.next(function, library.kind),
            kind=library.kind,
            location=scope.module.location(call),
            role=scope.module.role,
            bound=_bound(call, scope, library, options, gathered, of_sockets if library.heeds_socket_default else None),
            remedy=library.options[0],
            waiting=_listening(call, scope),
            offline=offline_reason(scope),
        )


def _bound(
    call: form.Call,
    scope: Scope,
    library: ClientLibrary,
    options: CallOptions,
    gathered: Gathered,
    of_sockets: Evidence | None,
) -> Option:
    place = scope.module.evidence(call, f"{last_name(call.func) or 'the client'} is told no {library.options[0]}")
    for name in library.options:
        given = options.given(call, scope, name, library.position)
        if given.found:
            return _stated(option_of(given.found, lambda value: value is None or value is False), given.found)
        if given.is_open:
            return Option(None, (place,))
    if _in_address(call, scope, library, gathered):
        return Option(True, (scope.module.evidence(call, "its address carries the limit"),))
    later = of_sockets or _set_later(scope)
    if later is not None:
        return Option(True, (later,))
    if _is_from_outside(call, scope, library, gathered):
        return Option(None, (scope.module.evidence(call, "its address comes from outside, and may carry the limit"),))
    return Option(False, (place,))


def _stated(option: Option, found: Meanings) -> Option:
    """A limit that is computed is one, unless it may be none."""
    may_be_none = any(meaning.value in (None, False) for meaning in found if meaning.value is not UNKNOWN)
    return option if option.is_safe is not None or may_be_none else Option(True, tuple(m.evidence for m in found[:1]))


def _set_later(scope: Scope) -> Evidence | None:
    """`sock.settimeout(5)` in the function that makes it."""
    function = scope.enclosing_function
    for node in function.nodes if function is not None else ():
        if isinstance(node, form.Call) and last_name(node.func) == "settimeout":
            return scope.module.evidence(node, "it is given a limit here")
    return None


def _is_from_outside(call: form.Call, scope: Scope, library: ClientLibrary, gathered: Gathered) -> bool:
    """All of the address is a variable's or a setting's, which has no default."""
    address = call.argument(library.address, "url") if library.address is not None else None
    if address is None or last_name(call.func) != "from_url":
        return False
    node, around = address, scope
    for _ in range(3):
        known = definitions(node, around, gathered.project)
        if len(known) != 1 or known[0][0] is node:
            break
        node, around = known[0]
    if isinstance(node, form.Call):
        name = gathered.project.qualified_name(node.func, around) or form.dotted(node.func) or ""
        return name.endswith(("getenv", "environ.get")) and len(node.args) == 1
    if isinstance(node, form.Subscript):
        return (form.dotted(node.value) or "").endswith("environ")
    owner = gathered.project.infer(node.value, around) if isinstance(node, form.Attr) else None
    return isinstance(owner, Instance) and owner.cls is not None and not definitions(node, around, gathered.project)


def _in_address(call: form.Call, scope: Scope, library: ClientLibrary, gathered: Gathered) -> bool:
    if library.address is None or len(call.positional) <= library.address:
        return False
    meanings = gathered.production.meanings(call.positional[library.address], scope)
    addresses = (m.value for m in meanings if m.value is not UNKNOWN and isinstance(m.value, str))
    return any(library.options[0] in parse_qs(urlsplit(address).query) for address in addresses)


def _listening(call: form.Call, scope: Scope) -> Evidence | None:
    """What waits for messages with the client: in the function that makes it, in the class, or by the name that the
    module gives it; RQ's workers set a limit of their own.
    """
    if scope.enclosing_function is None and not isinstance(scope.body, form.Class):
        return _listening_by_name(call, scope)
    function = scope.enclosing_function
    owner = function.owner if function is not None else None
    functions = owner.methods.values() if owner is not None else [function] if function is not None else []
    for each in functions:
        for node in each.nodes:
            if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in LISTENING:
                return each.module.evidence(node, "it waits for messages on purpose")
    return None


def _listening_by_name(call: form.Call, scope: Scope) -> Evidence | None:
    module = scope.module
    names = {name for name, bound in module.scope.bindings.items() if any(b.value is call for b in bound)}
    for used, _ in module.calls_named((*sorted(LISTENING), "Worker", "SimpleWorker")):
        owner = used.func.value if isinstance(used.func, form.Attr) else None
        given = used.keyword("connection")
        if any(isinstance(node, form.Name) and node.id in names for node in (owner, given)):
            return module.evidence(used, "it waits for messages on purpose")
    return None
