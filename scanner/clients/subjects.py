"""Every place that makes a client of a dependency, and whether its waits are limited."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from assay.scanner.clients.libraries import CLIENTS, LISTENING, ClientLibrary
from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.safeguards.options import CallOptions, option_of
from assay.scanner.gathered import Gathered
from assay.scanner.linker.library_types import canonical
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
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
            bound=_bound(call, scope, library, options, gathered),
            remedy=library.options[0],
            waiting=_listening(scope),
            offline=offline_reason(scope),
        )


def _bound(call: form.Call, scope: Scope, library: ClientLibrary, options: CallOptions, gathered: Gathered) -> Option:
    place = scope.module.evidence(call, f"{last_name(call.func) or 'the client'} is told no {library.options[0]}")
    for name in library.options:
        given = options.given(call, scope, name, library.position)
        if given.found:
            return option_of(given.found, lambda value: value is None or value is False)
        if given.is_open:
            return Option(None, (place,))
    if _in_address(call, scope, library, gathered):
        return Option(True, (scope.module.evidence(call, "its address carries the limit"),))
    return Option(False, (place,))


def _in_address(call: form.Call, scope: Scope, library: ClientLibrary, gathered: Gathered) -> bool:
    if library.address is None or len(call.positional) <= library.address:
        return False
    meanings = gathered.production.meanings(call.positional[library.address], scope)
    addresses = (m.value for m in meanings if m.value is not UNKNOWN and isinstance(m.value, str))
    return any(library.options[0] in parse_qs(urlsplit(address).query) for address in addresses)


def _listening(scope: Scope) -> Evidence | None:
    """What waits for messages with the client: in the function that makes it, or in the class."""
    function = scope.enclosing_function
    owner = function.owner if function is not None else None
    functions = owner.methods.values() if owner is not None else [function] if function is not None else []
    for each in functions:
        for node in each.nodes:
            if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in LISTENING:
                return each.module.evidence(node, "it waits for messages on purpose")
    return None
