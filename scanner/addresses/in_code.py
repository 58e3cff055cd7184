"""The addresses that code connects to: of requests, of clients, of settings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from assay.scanner.addresses.connecting import CONNECTING
from assay.scanner.addresses.written import addresses_in
from assay.scanner.dataflow.addresses import Address, Addresses
from assay.scanner.dataflow.constants import list_items
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.code_address import CodeAddress
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.model.transport import Place
from assay.scanner.readers.python import form
from assay.scanner.transports.places import place_of

_NAMES = tuple(sorted({last_part(name) for name in CONNECTING}))
_STAGES = re.compile(r"(^|[.-])(staging|stage|stg|qa|uat|sandbox|pre-?prod(uction)?)([.-]|\d*$)|^prod-")
_HOST = re.compile(r"(?:[A-Za-z][\w+.-]*://)?(?:[^/?#]*@)?(?P<host>[\w.-]+)(?::(?P<port>\d+))?(?:[/?#].*)?", re.DOTALL)
_OF_DEVELOPMENT = re.compile(r"(^|_|(?<=[a-z]))(dev|test|local|debug|example|ci)", re.IGNORECASE)
_DEPENDENCIES = re.compile(
    r"(^|_)(URL|URI|DSN|BROKER|BACKEND|HOST|HOSTS|SERVER|SERVERS|ENDPOINT|ADDRESS|LOCATION|DATABASES?|CACHES?)($|_)"
)
_AGENTS = frozenset({"3500", "50001", "4317", "4318", "8125", "8126", "8500", "2019", "2772", "2773", "15020", "15021"})
"""Ports at which agents and sidecars answer, which run beside every copy of a service."""
_CLOUD = re.compile(r"^metadata(\.|$)|^169\.254\.")
"""The machine's own cloud tells it about itself there, at the same address everywhere."""


def code_addresses(gathered: Gathered) -> Iterator[CodeAddress]:
    """One for every address of a module, in order of place."""
    found: dict[str, CodeAddress] = {}
    for each in (*_of_requests(gathered), *_of_clients(gathered), *_of_settings(gathered)):
        before = found.get(each.subject_id)
        if before is None or (before.unused is not None and each.unused is None):
            found[each.subject_id] = each
    for each in found.values():
        yield replace(each, is_of_stage=False) if each.is_of_stage and _has_twin(each, found) else each


def _has_twin(address: CodeAddress, found: Mapping[str, CodeAddress]) -> bool:
    """The module knows the host of the live environment, too, and so chooses between them."""
    domain = _domain(address)
    return any(o.path == address.path and not o.is_of_stage and _domain(o) == domain for o in found.values())


def _domain(address: CodeAddress) -> str:
    return ".".join(address.address.partition(":")[0].rsplit(".", 2)[-2:])


def _of_requests(gathered: Gathered) -> Iterator[CodeAddress]:
    for request in gathered.requests:
        if request.role is Role.PROD:
            is_whole = "://" in (request.url or "")
            address = Address(request.url, request.is_written and is_whole, request.read_from)
            unused = Evidence(request.location, f"it is made in a {request.offline}") if request.offline else None
            found = _address(address, request.location, "a request", unused)
            if found is not None:
                yield found


def _of_clients(gathered: Gathered) -> Iterator[CodeAddress]:
    project, reader = gathered.project, Addresses(gathered.project)
    for call, scope in project.calls_named(*_NAMES):
        name = project.qualified_name(call.func, scope) if scope.module.role is Role.PROD else None
        connecting = CONNECTING.get(name) if name is not None else None
        if connecting is None:
            continue
        for index, argument in enumerate(connecting.arguments):
            at = connecting.at if index == 0 else None
            given = call.keyword(argument) if at is None else call.argument(at, argument)
            for node, around in _each(given, scope, gathered):
                address = reader.at(node, call, scope) if around is scope else reader.of(node, around)
                unused = _unused(call, scope, gathered)
                found = _address(address, scope.module.location(call), connecting.what, unused)
                if found is not None:
                    yield found


def _each(given: form.Expr | None, scope: Scope, gathered: Gathered) -> list[tuple[form.Expr, Scope]]:
    """What is given, or the items of a list of it."""
    if given is None:
        return []
    return list_items(given, scope, gathered.project) or [(given, scope)]


def _unused(call: form.Call, scope: Scope, gathered: Gathered) -> Evidence | None:
    offline = offline_reason(scope)
    if offline is not None:
        return scope.module.evidence(call, f"it is made in a {offline}")
    taken = gathered.production.taken(call, scope)
    if taken.truth is False:
        return taken.evidence or scope.module.evidence(call, "production doesn't get here")
    return None


def _address(address: Address, location: Location, what: str, unused: Evidence | None) -> CodeAddress | None:
    """None for what is neither written nor read from anywhere."""
    host = _HOST.fullmatch(address.text or "") if address.is_written and address.text != "None" else None
    said = next(addresses_in(address.text), None) if address.text and "host=" in address.text else None
    if said is not None and said.is_known and said.scheme:
        return _written(said.host, str(said.port) if said.port is not None else None, location, what, unused)
    if host is not None and not host["host"].isdigit():
        return _written(host["host"], host["port"], location, what, unused)
    if address.is_written or not address.read_from:
        return None
    return CodeAddress(location.path, location, Role.PROD, what, read_from=address.read_from)


def _written(name: str, port: str | None, location: Location, what: str, unused: Evidence | None) -> CodeAddress | None:
    place = place_of(name)
    is_agent = place is Place.LOCAL and (port in _AGENTS or (what == "a mail client" and port in (None, "25")))
    return CodeAddress(
        location.path,
        location,
        Role.PROD,
        what,
        Place.WORLD if _CLOUD.search(name) or is_agent else place,
        f"{name}:{port}" if port else name,
        is_of_stage=place is Place.WORLD and _STAGES.search(name) is not None,
        unused=unused,
    )


def _of_settings(gathered: Gathered) -> Iterator[CodeAddress]:
    """Settings that are written in the code, and that no variable changes."""
    for setting in gathered.settings:
        if setting.role is not Role.PROD or setting.variables or setting.value is None:
            continue
        if _OF_DEVELOPMENT.search(setting.group) or not _DEPENDENCIES.search(setting.name.upper()):
            continue
        for text in _texts(setting):
            for address in addresses_in(text):
                if address.scheme and address.is_known and place_of(address.host) is Place.NEAR:
                    port = str(address.port) if address.port is not None else None
                    found = _written(address.host, port, setting.location, f"the setting {setting.name}", None)
                    if found is not None:
                        yield found


def _texts(setting: Setting) -> Iterator[str]:
    """The setting's text, or those in what it holds."""
    try:
        todo: list[object] = [ast.literal_eval(setting.value or "None")]
    except (ValueError, SyntaxError):  # something that is no constant
        return
    while todo:
        match todo.pop():
            case str() as text:
                yield text
            case dict() as held:
                todo += held.values()
            case list() | tuple() as items:
                todo += items
