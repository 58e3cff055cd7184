"""Outbound calls: where requests go to, through which client, and how long they wait."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.dataflow.addresses import UNKNOWN_ADDRESS, Address, Addresses, below
from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.socket_default import socket_default
from assay.scanner.framework import Context, Framework, Sited
from assay.scanner.frameworks.http_clients.clients import Client, clients_of
from assay.scanner.frameworks.http_clients.libraries import PACKAGES, PREPARED, REQUESTS
from assay.scanner.frameworks.http_clients.sending import Sent, sent_requests
from assay.scanner.frameworks.http_clients.timeouts import duration, timeout_of, timer_around
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.dockerfile import DockerfileFacts
from assay.scanner.readers.python import form

_STREAMING = frozenset({"stream", "ws_connect"})
_SETTINGS = frozenset({"settings", "config", "conf", "cfg", "app_settings", "app_config"})
_SCRIPT = re.compile(r"(?:^|[\s/])([\w-]+\.py)\b")


def _outbound_calls(context: Context) -> Iterator[OutboundCall]:
    """One for every call that sends a request, numbered within its function."""
    reader = _Reader(context.project, frozenset(_scripts_of_checks(context)))
    counts: dict[str, int] = {}
    for sent in sorted(sent_requests(context.project), key=lambda s: (s.scope.module.path, s.call.start, -s.call.end)):
        module = sent.scope.module
        function = f"{module.name}:{sent.scope.qualname}" if sent.scope.qualname else module.name
        clients = clients_of(sent, context.project)
        if not any(client.is_in_process for client in clients):
            counts[function] = counts.get(function, 0) + 1
            yield reader.outbound_call(sent, clients, function, counts[function])


def _scripts_of_checks(context: Context) -> Iterator[str]:
    """The Python files that health checks of images and of compose services start."""
    for facts in context.files.values():
        commands: list[tuple[str, ...]] = []
        if isinstance(facts, DockerfileFacts):
            checks = (stage.healthcheck.command for stage in facts.stages if stage.healthcheck is not None)
            commands += ((*command.words, command.line) for command in checks if command is not None)
        elif isinstance(facts, ComposeFacts):
            commands += (service.healthcheck.test for service in facts.services if service.healthcheck is not None)
        for command in commands:
            yield from (found[1] for found in _SCRIPT.finditer(" ".join(command)))


class _Reader:
    def __init__(self, project: Project, checks: frozenset[str]) -> None:
        self._project = project
        self._addresses = Addresses(project)
        self._checks = checks
        self._socket_default = socket_default(project)

    def outbound_call(self, sent: Sent, clients: list[Client], function: str, ordinal: int) -> OutboundCall:
        asked = self._request(sent) or sent
        address = self._url(asked, clients)
        timeout, is_stated = self._timeout(sent, clients)
        if not is_stated and timeout is None and sent.library.heeds_socket_default:
            timeout = self._socket_default
        return OutboundCall(
            function=function,
            ordinal=ordinal,
            location=sent.scope.module.location(sent.call),
            role=sent.scope.module.role,
            library=sent.library.name,
            method=self._method(asked),
            url=address.text,
            is_written=address.is_written,
            read_from=address.read_from,
            timeout=timeout,
            default_timeout=None if is_stated else sent.library.default_timeout,
            unknown=None if timeout is not None else self._unknown(sent, clients, is_stated),
            offline=offline_reason(sent.scope) or self._probing(sent),
        )

    def _request(self, sent: Sent) -> Sent | None:
        """The call that made the `Request(...)` which is sent, where one is."""
        given = sent.argument(0, "request", "req", *sent.sending.url_names)
        value = self._project.infer(given.node, given.scope) if given is not None else None
        if isinstance(value, Instance) and value.type_name in PREPARED and value.origin is not None and value.scope:
            unprepared = value.origin.func
            value = self._project.infer(unprepared.value, value.scope) if isinstance(unprepared, form.Attr) else None
        if not isinstance(value, Instance) or value.origin is None or value.scope is None:
            return None
        sending = REQUESTS.get(value.type_name)
        return Sent(value.origin, value.scope, sent.library, sending) if sending is not None else None

    def _method(self, asked: Sent) -> str | None:
        sending = asked.sending
        stated = asked.argument(sending.method_at, "method")
        if stated is not None:
            text = string_value(stated.node, stated.scope, self._project)
            return text.upper() if text is not None else None
        body = asked.argument(*sending.body) if sending.body is not None else None
        has_body = body is not None and not (isinstance(body.node, form.Const) and body.node.value is None)
        return "POST" if has_body else sending.method

    def _url(self, asked: Sent, clients: list[Client]) -> Address:
        given = asked.argument(asked.sending.url_at, *asked.sending.url_names)
        url = self._address(given, asked) if given is not None else UNKNOWN_ADDRESS
        bases = {client.base(self._addresses) for client in clients}
        base = bases.pop() if len(bases) == 1 else None
        if base is None or base.text is None:
            return url
        is_whole = url.text is not None and "://" in url.text
        return replace(url if is_whole else base, text=below(base.text, url.text))

    def _address(self, given: Sited, asked: Sent) -> Address:
        if given.scope is asked.scope:
            return self._addresses.at(given.node, asked.call, asked.scope)
        return self._addresses.of(given.node, given.scope)

    def _timeout(self, sent: Sent, clients: list[Client]) -> tuple[Evidence | None, bool]:
        """What limits the wait, and whether the code says anything about it, be it that there is no limit."""
        stated = timeout_of(sent, self._project)
        if stated is not None:
            return self._limit(stated), True
        around = timer_around(sent.call, sent.scope)
        if around is not None:
            return around, True
        of_clients = [client.timeout() for client in clients]
        known = [option for option in of_clients if option is not None]
        if not known or len(known) < len(of_clients):
            return None, False
        limits = [self._limit(option) for option in known]
        return (limits[0] if all(limits) else None), True

    def _probing(self, sent: Sent) -> str | None:
        """A platform that starts a health check ends it, too."""
        path = sent.scope.module.path
        is_check = any(path == script or path.endswith(f"/{script}") for script in self._checks)
        return "script of a health check" if is_check else None

    def _unknown(self, sent: Sent, clients: list[Client], is_stated: bool) -> Evidence | None:
        """Options that are unpacked from what isn't known, clients that are made elsewhere, answers without an end, and
        settings that are empty by default.
        """
        module = sent.scope.module
        if is_stated:
            return self._on_purpose(sent)
        if any(argument.star == 2 for argument in sent.call.args):
            return module.evidence(sent.call, "it is handed options that aren't known here")
        function = sent.function
        if clients or not isinstance(function.node, form.Attr):
            return None
        if isinstance(self._project.infer(function.node, function.scope), External):
            owner = self._project.infer(function.node.value, function.scope)
            if isinstance(owner, External):
                return None  # a function of the library's module
        return module.evidence(function.node.value, "its client is made elsewhere")

    def _on_purpose(self, sent: Sent) -> Evidence | None:
        if last_name(sent.call.func) in _STREAMING:
            return sent.scope.module.evidence(sent.call, "it goes on for as long as the other side sends")
        stated = timeout_of(sent, self._project)
        if stated is not None and isinstance(stated.node, form.Attr) and last_name(stated.node.value) in _SETTINGS:
            return stated.module.evidence(stated.node, "nothing sets it by default")
        return None

    def _limit(self, stated: Sited) -> Evidence | None:
        words = duration(stated.node, stated.scope, self._project)
        return stated.module.evidence(stated.node, words) if words is not None else None


FRAMEWORK = Framework("HTTP clients", PACKAGES, outbound_calls=_outbound_calls, is_listed=False)
