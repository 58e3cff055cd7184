"""Changes that a function asks another service for, and whom it asks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from assay.scanner.dataflow.lexicon import words
from assay.scanner.gathered import Gathered
from assay.scanner.integration.destinations import BESIDE_THE_POINT, names_of
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.role import Role
from assay.scanner.queries.regions import regions_of
from assay.scanner.readers.python import form

_WRITING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_DEEPEST = 2
_ADDRESS_WORDS = frozenset({"url", "uri", "host", "addr", "address", "endpoint", "base", "api", "server", "service"})
_STRIPE = "stripe"


@dataclass(frozen=True, slots=True, eq=False)
class RemoteWrite:
    """One change at another service: the call in the function at hand, whom it reaches, and what it is about."""

    node: form.Call
    provider: str
    method: str
    about: frozenset[str]


class RemoteWrites:
    """Those of functions, with what their helpers ask for; answers are remembered."""

    def __init__(self, gathered: Gathered) -> None:
        self._project = gathered.project
        self._bodies = gathered.bodies
        self._requests: dict[FunctionSymbol, list[OutboundCall]] = {}
        for request in gathered.requests:
            if request.role is Role.PROD and request.method in _WRITING:
                function = self._function(request)
                if function is not None:
                    self._requests.setdefault(function, []).append(request)
        self._known: dict[FunctionSymbol, tuple[RemoteWrite, ...]] = {}

    def candidates(self) -> tuple[FunctionSymbol, ...]:
        """Functions that ask for a change, and those that call them."""
        found = dict.fromkeys(self._requests)
        edge = list(found)
        for _ in range(_DEEPEST):
            callers = [s.enclosing_function for f in edge for _, s in self._project.callers(f)]
            edge = [
                f for f in dict.fromkeys(callers) if f is not None and f not in found and f.module.role is Role.PROD
            ]
            found.update(dict.fromkeys(edge))
        return tuple(sorted(found, key=lambda f: (f.module.path, f.node.start)))

    def of(self, function: FunctionSymbol, depth: int = _DEEPEST) -> tuple[RemoteWrite, ...]:
        """In the order of the text, without what is asked for when something has failed."""
        if function not in self._known:
            self._known[function] = ()
            regions = regions_of(function)
            found = (*self._own(function), *(self._of_helpers(function, depth) if depth else ()))
            plain = (w for w in found if not regions.is_exceptional(w.node.start))
            self._known[function] = tuple(sorted(plain, key=lambda w: w.node.start))
        return self._known[function]

    def anywhere(self, function: FunctionSymbol) -> Iterator[RemoteWrite]:
        """Those that are asked for when something has failed, too."""
        yield from self._own(function)
        yield from self._of_helpers(function, _DEEPEST)

    def _function(self, request: OutboundCall) -> FunctionSymbol | None:
        module = self._project.modules.get(request.location.path)
        return next((f for f in module.functions if f.id == request.function), None) if module is not None else None

    def _own(self, function: FunctionSymbol) -> Iterator[RemoteWrite]:
        requests = {r.location: r for r in self._requests.get(function, ())}
        for node in function.nodes if requests else ():
            request = requests.get(function.module.location(node)) if isinstance(node, form.Call) else None
            if request is None or not isinstance(node, form.Call):
                continue
            provider = self._provider(request, node, function)
            said = names_of(function) | set(words(request.url or ""))
            if provider is not None and BESIDE_THE_POINT.isdisjoint(said):
                about = frozenset(words(urlsplit(request.url or "").path))
                yield RemoteWrite(node, provider, request.method or "POST", about)
        for change in self._bodies.of(function).changes:
            callee = form.dotted(change.node.func) if isinstance(change.node, form.Call) else None
            if change.kind is EffectKind.REQUEST and callee is not None and callee.startswith(_STRIPE):
                assert isinstance(change.node, form.Call)
                yield RemoteWrite(change.node, _STRIPE, change.action, frozenset(words(callee)))

    def _of_helpers(self, function: FunctionSymbol, depth: int) -> Iterator[RemoteWrite]:
        for edge in self._bodies.of(function).edges:
            node = edge.node
            if edge.caveats.doubt is not None or not isinstance(node, form.Call) or edge.callee is function:
                continue
            if last_name(node.func) != edge.callee.name:
                continue
            inner = self.of(edge.callee, depth - 1)
            if len({write.provider for write in inner}) == 1:  # else it is a flow of its own
                yield RemoteWrite(
                    node, inner[0].provider, inner[0].method, inner[0].about | set(words(edge.callee.name))
                )

    def _provider(self, request: OutboundCall, node: form.Call, function: FunctionSymbol) -> str | None:
        """Its host, else the setting that holds its address, else the client that knows it; None where none shows."""
        host = urlsplit(request.url).netloc if request.url is not None else ""
        if host and "{" not in host:
            return host.rpartition("@")[2]
        for given in [a.value for a in node.args if a.name in (None, "url")][:2]:
            setting = _setting(given, function)
            if setting is not None:
                return setting
        owner = form.dotted(node.func.value) if isinstance(node.func, form.Attr) else None
        if owner is None or owner in ("requests", "httpx"):
            return None
        return f"{function.owner.name}.{owner}" if function.owner is not None and owner.startswith("self.") else owner


def _setting(node: form.Expr, function: FunctionSymbol, depth: int = 2) -> str | None:
    """`CONTACTS_URI` of `f"http://{app.config['CONTACTS_URI']}/contacts"`, `billing_url` of `settings.billing_url`."""
    for part in form.walk(node):
        name = _named(part, function)
        if name is not None and not _ADDRESS_WORDS.isdisjoint(words(name.rpartition(".")[2])):
            return name
        bindings = function.scope.lookup(part.id, part.start) if isinstance(part, form.Name) and depth else ()
        for binding in bindings:
            if binding.value is not None and binding.value is not node:
                found = _setting(binding.value, function, depth - 1)
                if found is not None:
                    return found
    return None


def _named(node: form.Node, function: FunctionSymbol) -> str | None:
    """The name of what may be a setting; an attribute of an object's own is that of its class."""
    match node:
        case form.Attr(value=form.Name(id="self"), attr=name) if function.owner is not None:
            return f"{function.owner.name}.{name}"
        case form.Subscript(index=form.Const(value=str() as name)) | form.Attr(attr=name):
            return name
        case form.Call(args=[form.Arg(value=form.Const(value=str() as name)), *_]):
            return name  # `os.environ.get("BILLING_URL")`
        case form.Name(id=name) if len(words(name)) > 1:
            return name
    return None
