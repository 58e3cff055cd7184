"""TLS clients: calls, contexts and options that decide whether the other side has to prove who it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from assay.scanner.configuration.meanings import Firmness, Meaning, Meanings
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.library_calls import Calls
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.safeguards.options import CallOptions, is_one_of, option_of
from assay.scanner.framework import Context
from assay.scanner.libraries import Constant, Library, TlsCall, TlsName, TlsOption
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance, Value
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.transport import TlsClient
from assay.scanner.readers.python import form

_INSECURE = frozenset(
    {"skip", "insecure", "ignore", "disable", "disabled", "no", "unsafe", "unverified", "selfsigned", "trust"}
)
"""Words of switches that turn the check off where they are on."""
_CHECKING = frozenset({"verify", "verification", "validate", "validation", "check", "strict", "verified"})
"""Words of switches that turn it off where they are off."""
_HERE = ("https://localhost", "https://127.0.0.1", "https://[::1]", "https://0.0.0.0")


def tls_clients(context: Context, libraries: Sequence[Library], production: Production) -> list[TlsClient]:
    """Every place that connects by TLS or prepares it, in order of path and position."""
    return _TlsClients(context, libraries, production).all()


@dataclass(frozen=True, slots=True, eq=False)
class _Assigned:
    """`owner.attribute = value`."""

    node: form.Assign
    scope: Scope
    attribute: str
    value: form.Expr


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """A place, what it is called, and what decides whether certificates are checked there."""

    node: form.Node
    scope: Scope
    callee: str
    verifies: Option
    told: tuple[form.Expr, ...] = ()
    inactive: Evidence | None = None


class _TlsClients:
    def __init__(self, context: Context, libraries: Sequence[Library], production: Production) -> None:
        self._project = context.project
        self._models = [call for library in libraries for call in library.tls_calls]
        self._names = {n: name for library in libraries for name in library.tls_names for n in name.names}
        self._packages = {
            p for library in libraries if library.tls_calls or library.tls_names for p in library.packages
        }
        self._calls = Calls(self._project, libraries, lambda library: library.tls_calls)
        self._production = production
        self._options = CallOptions(self._project, self._production)
        self._assigned, self._loose = self._assignments()

    def all(self) -> list[TlsClient]:
        matched: set[form.Node] = set()
        found: list[_Found] = []
        for known in self._calls.found():
            call, scope = known.node, known.scope
            matched.add(call)
            model = next((m for m in known.models if self._holds(m, call, scope)), None)
            place = self._of_call(call, scope, model) if model is not None else None
            if place is not None:
                found.append(place)
        found += self._of_loose_attributes()
        found += self._by_keywords(matched)
        found += self._by_keys()
        ordinals = Ordinals()
        ordered = sorted(found, key=lambda f: (f.scope.module.path, f.node.start, -f.node.end))
        return [self._client(place, ordinals) for place in ordered]

    def _client(self, place: _Found, ordinals: Ordinals) -> TlsClient:
        module, function = place.scope.module, around(place.scope)
        inactive, switch = place.inactive, self._insecure_flag(place)
        for branch in self._production.closed(place.node, place.scope):
            if branch.firmness is Firmness.DEPLOYED:
                inactive = inactive or branch.evidence
            elif place.verifies.is_safe is False and _is_about_checking(branch.test):
                switch = switch or branch.evidence
        return TlsClient(
            function=function,
            ordinal=ordinals.next(function, place.callee),
            callee=place.callee,
            location=module.location(place.node),
            role=module.role,
            verifies=place.verifies,
            inactive=inactive,
            switch=switch,
        )

    def _insecure_flag(self, place: _Found) -> Evidence | None:
        """The flag that turns the check off, where it is off by default: `None if SKIP_TLS_VERIFY else "required"`."""
        if place.verifies.is_safe is not True or not place.verifies.is_default:
            return None
        flags = (
            node
            for told in place.told
            for node in form.walk(told)
            if isinstance(node, form.Name | form.Attr) and _INSECURE & set(words(last_name(node) or ""))
        )
        flag = next(flags, None)
        return self._production.meanings(flag, place.scope)[0].evidence if flag is not None else None

    # --- calls that models name ---

    def _holds(self, model: TlsCall, call: form.Call, scope: Scope) -> bool:
        return all(self._options.holds(condition, call, scope) for condition in model.when)

    def _of_call(self, call: form.Call, scope: Scope, model: TlsCall) -> _Found | None:
        callee = last_name(call.func) or "connect"
        if model.is_unsafe:
            text = f"`{callee}` checks no certificate"
            return _Found(call, scope, callee, Option(False, (scope.module.evidence(call, text),)))
        assigned = self._assigned.get(call, ())
        told = [self._of_option(option, call, scope, assigned) for option in model.options]
        decided = [t for t in told if t is not None]
        if model.if_told and not decided:
            return None
        node = next((a.node for a in assigned), None)
        where = next((a.scope for a in assigned), scope)
        given = [n for option in model.options if (n := self._options.argument(call, option.argument, option.position))]
        return _Found(
            node or call,
            where,
            callee,
            _all_of(decided) if decided else _by_default(call, scope),
            (*given, *(a.value for a in assigned)),
            self._inactive(call, scope, model),
        )

    def _of_option(
        self, option: TlsOption, call: form.Call, scope: Scope, assigned: Iterable[_Assigned]
    ) -> Option | None:
        """What the option comes to where it is told: by a later assignment, else by the call."""
        later = [a for a in assigned if a.attribute == option.attribute]
        found: Meanings = ()
        for assignment in later:
            is_known = self._production.taken(assignment.node, assignment.scope).truth is not None
            found += tuple(
                replace(m, is_certain=m.is_certain and is_known)
                for m in self._production.meanings(assignment.value, assignment.scope)
            )
        if not found and (option.argument or option.position is not None):
            found = self._options.given(call, scope, option.argument, option.position).found
        if not found and not option.default:
            found = self._default_of(option, call, scope)
        return option_of(found, _in(option.unsafe)) if found else None

    def _default_of(self, option: TlsOption, call: form.Call, scope: Scope) -> Meanings:
        text = f"`{option.argument or option.attribute}` isn't set, and by default nothing is checked"
        return (Meaning(option.unsafe[0], scope.module.evidence(call, text)),)

    def _inactive(self, call: form.Call, scope: Scope, model: TlsCall) -> Evidence | None:
        """Why no certificate has to be checked: it is what is asked for, the address is no https or this machine's."""
        reading = _reading(scope)
        if reading is not None:
            return scope.module.evidence(reading, "the certificate itself is what is read")
        if model.url is None:
            return None
        url = self._options.argument(call, model.url.argument, model.url.position)
        text = self._beginning(url, scope) if url is not None else ""
        if url is not None and text.startswith("http://"):
            return scope.module.evidence(url, "the address is no https")
        if url is not None and text.startswith(_HERE):
            return scope.module.evidence(url, "the address is this machine's own")
        return None

    def _beginning(self, node: form.Expr, scope: Scope) -> str:
        """The text that an address begins with."""
        match node:
            case form.Template(parts=[str() as first, *_]):
                return first
            case form.Binary(op="+" | "%", left=left):
                return self._beginning(left, scope)
            case form.Call(func=form.Attr(value=text, attr="format")):
                return self._beginning(text, scope)
        return string_value(node, scope, self._project) or ""

    # --- attributes ---

    def _assignments(self) -> tuple[dict[form.Call, list[_Assigned]], list[tuple[_Assigned, Value]]]:
        """`client.verify = False` and the like: by the call that made the client, and those where it can't be told."""
        attributes = {o.attribute for model in self._models for o in model.options if o.attribute}
        made: dict[form.Call, list[_Assigned]] = {}
        loose: list[tuple[_Assigned, Value]] = []
        for module in self._project.modules.values():
            if module.imported_packages.isdisjoint(self._packages):
                continue
            for assigned, owner in self._attributes_in(module, attributes):
                value = self._project.infer(owner, assigned.scope)
                if isinstance(value, Instance) and value.origin is not None:
                    made.setdefault(value.origin, []).append(assigned)
                elif value is not None:
                    loose.append((assigned, value))
        return made, loose

    def _attributes_in(self, module: Module, attributes: set[str]) -> Iterator[tuple[_Assigned, form.Expr]]:
        for scope in module.scopes:
            for node in form.walk_body(scope.body, into_definitions=False) if scope.cls is None else ():
                if isinstance(node, form.Assign) and node.value is not None:
                    for target in node.targets:
                        if isinstance(target, form.Attr) and target.attr in attributes:
                            yield _Assigned(node, scope, target.attr, node.value), target.value

    def _of_loose_attributes(self) -> Iterator[_Found]:
        """Attributes of clients that are made elsewhere, and of modules: `ssl._create_default_https_context = ...`."""
        for assigned, owner in self._loose:
            name = owner.type_name if isinstance(owner, Instance) else owner.name if isinstance(owner, External) else ""
            options = (o for model in self._calls.named(External(name)) for o in model.options)
            option = next((o for o in options if o.attribute == assigned.attribute), None)
            if option is not None:
                value = self._project.infer(assigned.value, assigned.scope)
                found = self._production.meanings(assigned.value, assigned.scope)
                if isinstance(value, External):
                    found = tuple(replace(m, value=value) for m in found)
                verifies = option_of(found, _in(option.unsafe))
                yield _Found(assigned.node, assigned.scope, assigned.attribute, verifies, (assigned.value,))

    # --- names that mean it anywhere ---

    def _by_keywords(self, matched: set[form.Node]) -> Iterator[_Found]:
        for call, scope in self._project.calls:
            if call in matched:
                continue
            for argument in call.args:
                name = self._names.get(argument.name or "")
                if name is not None and self._means_tls(name, argument, call, scope):
                    yield self._of_name(name, argument.value, call, scope, last_name(call.func) or "connect")

    def _means_tls(self, name: TlsName, argument: form.Arg, call: form.Call, scope: Scope) -> bool:
        called = last_name(call.func) or ""
        if name.callees and not set(words(called)) & set(name.callees):
            return False
        return not self._hands_on(self._project.infer(call.func, scope), argument.name or "")

    def _hands_on(self, callee: Value | None, parameter: str) -> bool:
        """Whether it is a function of the project that takes the parameter: what it does with it tells more."""
        if isinstance(callee, BoundMethod):
            callee = callee.function
        if isinstance(callee, ClassSymbol):
            callee = self._project.method(callee, "__init__")
        return isinstance(callee, FunctionSymbol) and any(p.name == parameter for p in callee.parameters)

    def _by_keys(self) -> Iterator[_Found]:
        """Keys of mappings, which are handed to a client somewhere: `{"ssl_cert_reqs": None}`."""
        keys = {key: name for key, name in self._names.items() if name.keys}
        sites = set(self._production.sites) | {m for site in self._production.sites for m in self._bases(site)}
        for module in self._project.modules.values():
            if module not in sites and module.imported_packages.isdisjoint(self._packages):
                continue
            for scope in module.scopes:
                for node in form.walk_body(scope.body, into_definitions=False):
                    for key, value in _entries(node):
                        name = keys.get(key)
                        if name is not None and not isinstance(value, form.Dict | form.Display):
                            yield self._of_name(name, value, value, scope, key)

    def _bases(self, module: Module) -> Iterator[Module]:
        for star in module.star_imports:
            source = self._project.import_module(star.module, star.level, module)
            if isinstance(source, Module) and source is not module:
                yield source
                yield from self._bases(source)

    def _of_name(self, name: TlsName, value: form.Expr, node: form.Node, scope: Scope, callee: str) -> _Found:
        verifies = option_of(self._production.meanings(value, scope), _in(name.unsafe))
        return _Found(node, scope, callee, verifies, (value,))


def _reading(scope: Scope) -> form.Call | None:
    """The call by which the function reads the other side's certificate, whatever it is."""
    nodes = scope.function.nodes if scope.function is not None else ()
    found = (
        n for n in nodes if isinstance(n, form.Call) and last_name(n.func) in ("getpeercert", "get_peer_certificate")
    )
    return next(found, None)


def _is_about_checking(test: form.Expr | None) -> bool:
    """Whether a branch hangs on a switch for the check, and not on one for TLS or for the feature at all."""
    names = {
        word
        for node in (form.walk(test) if test is not None else ())
        for name in _names_of(node)
        for word in words(name)
    }
    return bool(names & (_INSECURE | _CHECKING))


def _names_of(node: form.Expr | form.Stmt) -> Iterator[str]:
    match node:
        case form.Name() | form.Attr():
            yield last_name(node) or ""
        case form.Const(value=str() as text):
            yield text


def _by_default(call: form.Call, scope: Scope) -> Option:
    return Option(True, (scope.module.evidence(call, "certificates are checked by default"),))


def _entries(node: form.Expr | form.Stmt) -> Iterator[tuple[str, form.Expr]]:
    """Keys and values of a written-out mapping, and of `mapping["key"] = value`."""
    match node:
        case form.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, form.Const) and isinstance(key.value, str):
                    yield key.value, value
        case form.Assign(targets=[form.Subscript(index=form.Const(value=str() as key))], value=value):
            if value is not None:
                yield key, value


def _all_of(options: Sequence[Option]) -> Option:
    """What several options come to together: the worst of them."""
    order = {False: 0, None: 1, True: 2}
    worst = min(order[o.is_safe] for o in options)
    deciding = [o for o in options if order[o.is_safe] == worst]
    evidence = dict.fromkeys(e for o in deciding for e in o.evidence)
    return Option(deciding[0].is_safe, tuple(evidence), any(o.is_default for o in deciding))


def _in(unsafe: tuple[Constant, ...]) -> Callable[[object], bool]:
    return lambda value: is_one_of(value, unsafe)
