"""Which calls send a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.partials import names_bound_to
from assay.scanner.framework import Sited
from assay.scanner.frameworks.http_clients.libraries import LIBRARIES, SENDERS, Library, Sending, library_of
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.readers.python import form

_CLIENT_NAMES = frozenset({"session", "client", "http", "http_client", "http_session", "aiohttp_session"})
_THREADS = ("to_thread", "run_in_threadpool", "run_sync")
"""What calls its first argument with the others, in a thread."""
_REQUEST_OPTIONS = frozenset(
    {"headers", "params", "json", "data", "timeout", "auth", "verify", "proxies", "allow_redirects", "follow_redirects"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """A call that sends a request; `preset` is the `partial(...)` or the `to_thread(...)` that it goes through."""

    call: form.Call
    scope: Scope
    library: Library
    sending: Sending
    preset: tuple[form.Call, Scope] | None = None

    def argument(self, index: int | None, *names: str) -> Sited | None:
        """An argument by position or by one of its names, of the call or else of the preset."""
        if self.preset is None:
            return _argument(self.call.positional, self.call, self.scope, index, names)
        preset, scope = self.preset
        bound = preset.positional[1:]
        later = index - len(bound) if index is not None and index >= len(bound) else None
        found = _argument(self.call.positional, self.call, self.scope, later, names)
        return found or _argument(bound, preset, scope, index, names)

    @property
    def function(self) -> Sited:
        """What sends, as the code names it: `session.get`."""
        if self.preset is not None:
            preset, scope = self.preset
            return Sited(preset.args[0].value, scope)
        return Sited(self.call.func, self.scope)


def _argument(
    positional: list[form.Expr], call: form.Call, scope: Scope, index: int | None, names: tuple[str, ...]
) -> Sited | None:
    named = next((value for name in names if (value := call.keyword(name)) is not None), None)
    if named is not None:
        return Sited(named, scope)
    return Sited(positional[index], scope) if index is not None and index < len(positional) else None


def sent_requests(project: Project) -> Iterator[Sent]:
    """In no particular order."""
    for call, scope in project.calls_named(*sorted(SENDERS)):
        known = _sender(call.func, scope, project)
        if known is not None and not _is_clients_own(call.func):
            yield Sent(call, scope, *known)
        elif known is None and (library := _by_looks(call, scope, project)) is not None:
            yield Sent(call, scope, library, library.senders[last_name(call.func) or ""])
    for preset, scope in project.calls_named("partial"):
        known = _sender(preset.args[0].value, scope, project) if preset.args else None
        if known is not None:
            for call, around in _calls_of(preset, scope, project):
                yield Sent(call, around, *known, (preset, scope))
    for call, scope in project.calls_named(*_THREADS):
        known = _sender(call.args[0].value, scope, project) if call.args else None
        if known is not None and known[1].timeout_at is None:
            yield Sent(call, scope, *known, (call, scope))


def _sender(node: form.Expr, scope: Scope, project: Project) -> tuple[Library, Sending] | None:
    value = project.infer(node, scope)
    if isinstance(value, BoundMethod) and value.receiver.cls is not None:
        bases = sorted(project.base_names(value.receiver.cls))  # a subclass that sends in its own way
        return next((known for base in bases if (known := library_of(f"{base}.{value.function.name}"))), None)
    return library_of(value.name) if isinstance(value, External) else None


def _is_clients_own(func: form.Expr) -> bool:
    """`super().request(...)` in a client's subclass: what calls the subclass is the outbound call."""
    owner = func.value if isinstance(func, form.Attr) else None
    return isinstance(owner, form.Call) and last_name(owner.func) == "super"


def _by_looks(call: form.Call, scope: Scope, project: Project) -> Library | None:
    """A `session` or `client` of unknown type, used as those of the one library that its module imports are."""
    if not isinstance(call.func, form.Attr) or project.infer(call.func, scope) is not None:
        return None
    if (last_name(call.func.value) or "").lstrip("_") not in _CLIENT_NAMES or not call.args:
        return None
    imported = {lib.name: lib for lib in LIBRARIES if lib.name in scope.module.imported_packages}
    if len(imported) != 1:
        return None
    (library,) = imported.values()
    text = string_value(call.args[0].value, scope, project)
    is_address = text is not None and text.startswith(("http://", "https://"))
    is_request = is_address or any(argument.name in _REQUEST_OPTIONS for argument in call.args)
    return library if is_request and call.func.attr in library.senders else None


def _calls_of(preset: form.Call, scope: Scope, project: Project) -> Iterator[tuple[form.Call, Scope]]:
    """Calls of the names that `partial(...)` was bound to, as far as they resolve to it."""
    for call, around in project.calls_named(*sorted(names_bound_to(preset, scope.module))):
        value = project.infer(call.func, around)
        if isinstance(value, Instance) and value.origin is preset:
            yield call, around
