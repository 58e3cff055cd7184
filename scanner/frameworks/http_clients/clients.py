"""Clients: the sessions and pools that requests go through, and what they are made with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.dataflow.addresses import Address, Addresses
from assay.scanner.dataflow.constants import definitions
from assay.scanner.framework import Sited
from assay.scanner.frameworks.http_clients.libraries import IN_PROCESS, Library
from assay.scanner.frameworks.http_clients.sending import Sent
from assay.scanner.frameworks.http_clients.timeouts import put_into
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.readers.python import form

_DEEPEST = 4
_MOST_CALLERS = 12
_SENDING_METHODS = ("request", "send", "_request")


class Client:
    """One way in which a client is made: the call that does it. `method` is the one that sends here."""

    def __init__(self, call: form.Call, scope: Scope, library: Library, project: Project, method: str) -> None:
        self._call = call
        self._scope = scope
        self._library = library
        self._project = project
        self._method = method

    @property
    def is_in_process(self) -> bool:
        """Whether an application in the same process answers it."""
        transport = self._call.keyword("transport")
        is_local = isinstance(transport, form.Call) and last_name(transport.func) in IN_PROCESS
        return is_local or self._call.keyword("app") is not None

    def base(self, addresses: Addresses) -> Address | None:
        """What relative addresses are joined to, None where they aren't."""
        call = self._call
        scheme = self._library.host_schemes.get(last_name(call.func) or "")
        option = call.argument(0, "host") if scheme is not None else call.keyword(self._library.base_url or "")
        if option is None and self._library.name == "aiohttp":
            option = call.argument(0, "base_url")
        if option is None:
            return None
        address = addresses.at(option, call, self._scope)
        text = address.text or "{}"
        return replace(address, text=f"{scheme}://{text}" if scheme is not None else text)

    def timeout(self) -> Sited | None:
        """What it is made with, what an adapter of its sets, or what its class gives every request."""
        stated = next((v for n in self._library.timeout_names if (v := self._call.keyword(n)) is not None), None)
        if stated is None and self._library.name == "http.client" and len(self._call.positional) > 2:
            stated = self._call.positional[2]
        if stated is not None:
            return Sited(stated, self._scope)
        return self._of_adapter() or self._of_preset() or self._of_class(self._call, self._scope)

    def _of_adapter(self) -> Sited | None:
        """`session.mount("https://", TimeoutAdapter(timeout=5))`."""
        for mount, scope in self._project.calls_named("mount"):
            given = mount.argument(1, "adapter")
            if given is None or not isinstance(mount.func, form.Attr) or not self._is_this(mount.func.value, scope):
                continue
            adapter = self._project.infer(given, scope)
            if isinstance(adapter, Instance) and adapter.origin is not None and adapter.scope is not None:
                stated = adapter.origin.keyword("timeout")
                found = Sited(stated, adapter.scope) if stated is not None else None
                return found or self._of_class(adapter.origin, adapter.scope)
        return None

    def _of_preset(self) -> Sited | None:
        """`session.request = partial(session.request, timeout=5)`, through which its other methods go, or the same for
        the method that sends.
        """
        for preset, scope in self._project.calls_named("partial"):
            method, stated = preset.args[0].value if preset.args else None, preset.keyword("timeout")
            is_sending = isinstance(method, form.Attr) and method.attr in (*_SENDING_METHODS, self._method)
            if isinstance(method, form.Attr) and is_sending and stated and self._is_this(method.value, scope):
                return Sited(stated, scope)
        return None

    def _is_this(self, node: form.Expr, scope: Scope) -> bool:
        value = self._project.infer(node, scope)
        return isinstance(value, Instance) and value.origin is self._call

    def _of_class(self, made: form.Call, scope: Scope) -> Sited | None:
        """A project's own class whose `request` or `send` fills in a timeout."""
        value = self._project.infer(made, scope)
        if not isinstance(value, Instance) or value.cls is None:
            return None
        for name in _SENDING_METHODS:
            method = self._project.method(value.cls, name)
            for node in method.nodes if method is not None else ():
                stated = put_into(node) or (node.keyword("timeout") if isinstance(node, form.Call) else None)
                if stated is not None and method is not None:
                    return Sited(stated, method.scope)
        return None


def clients_of(sent: Sent, project: Project) -> list[Client]:
    """The ways in which the client of a request may be made, as far as they are known; none for a module's function."""
    function = sent.function
    if not isinstance(function.node, form.Attr):
        return []
    made = _made(function.node.value, function.scope, project, _DEEPEST)
    return [Client(call, scope, sent.library, project, function.node.attr) for call, scope in made]


def _made(node: form.Expr, scope: Scope, project: Project, depth: int) -> Iterator[tuple[form.Call, Scope]]:
    value = project.infer(node, scope)
    if not isinstance(value, Instance):
        return
    if value.origin is not None and value.scope is not None:
        yield value.origin, value.scope
        return
    for source in _sources(node, scope, project) if depth else ():
        if source.node is not node:
            yield from _made(source.node, source.scope, project, depth - 1)


def _sources(node: form.Expr, scope: Scope, project: Project) -> Iterator[Sited]:
    """What gives a name, attribute or call its value: assignments, callers, `with`, the function's `return`."""
    yield from (Sited(*found) for found in definitions(node, scope, project))
    for binding in scope.lookup(node.id) if isinstance(node, form.Name) else ():
        if binding.how is How.WITH and binding.value is not None:
            yield Sited(binding.value, binding.scope)
        elif binding.how is How.PARAMETER and binding.function is not None and binding.param is not None:
            for call, around in project.callers(binding.function)[:_MOST_CALLERS]:
                given = project.bound_argument(call, binding.function, binding.param)
                if given is not None:
                    yield Sited(given, around)
    function = project.callee_function(node, scope) if isinstance(node, form.Call) else None
    for returned in function.returns if function is not None else ():
        if returned.value is not None and function is not None:
            yield Sited(returned.value, function.scope)
