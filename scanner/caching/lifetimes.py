"""How long an entry lasts: the time that its call gives, or what holds where it gives none."""

from __future__ import annotations

from collections.abc import Sequence

from assay.scanner.caching.django_backends import alias_of
from assay.scanner.caching.operations import Act, CacheCall, Lasting
from assay.scanner.caching.stores import Backend
from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import Firmness
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import How
from assay.scanner.model.caching import Lifetime
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

Told = tuple[Lifetime, Evidence]


class Lifetimes:
    """Of the entries of one project."""

    def __init__(self, calls: Sequence[CacheCall], backends: Sequence[Backend], gathered: Gathered) -> None:
        self._calls = calls
        self._backends = backends
        self._project = gathered.project
        self._production = gathered.production

    def of(self, call: CacheCall) -> Told:
        """How long what the call writes lasts, and what says so."""
        module = call.module
        given = call.timeout
        if given is not None:
            return self._of_given(given, call)
        if call.call.has_double_star:
            return Lifetime.UNKNOWN, module.evidence(call.call, "its arguments come from elsewhere")
        if call.operation.without is Lasting.FOREVER:
            if self._has_twin(call):
                return Lifetime.UNKNOWN, module.evidence(call.call, "whoever calls this may give a time")
            return Lifetime.FOREVER, module.evidence(call.call, "no time is given, so it lasts for ever")
        if not call.operation.timeouts and call.library.is_store:
            return Lifetime.LIMITED, module.evidence(call.call, "it is written with a time")
        return self._by_default(call)

    def _of_given(self, given: form.Expr, call: CacheCall) -> Told:
        module = call.module
        if call.library.is_store and call.call.keyword("keepttl") is given:
            return Lifetime.LIMITED, module.evidence(given, "it keeps the time that it has")
        passed = self._of_parameter(given, call)
        if passed is not None:
            return passed
        meanings = self._production.meanings(given, call.scope)
        ways = {self._lasting(m.value, call) for m in meanings if m.firmness is not Firmness.DEFAULT}
        if ways == {Lasting.FOREVER}:
            return Lifetime.FOREVER, module.evidence(given, "this makes it last for ever")
        if ways == {Lasting.DEFAULT}:
            return self._by_default(call)
        return Lifetime.LIMITED, module.evidence(given, "this says how long it lasts")

    def _lasting(self, value: object, call: CacheCall) -> Lasting | None:
        if value is None:
            is_page = call.library.name == "Django" and call.act is Act.KEEP
            return Lasting.DEFAULT if is_page else call.library.none
        is_zero = value is not UNKNOWN and not isinstance(value, bool) and value == 0
        return call.library.zero if is_zero else None

    def _of_parameter(self, given: form.Expr, call: CacheCall) -> Told | None:
        """What callers of the function around it give; None for what is no parameter of it."""
        bindings = call.scope.lookup(given.id) if isinstance(given, form.Name) else []
        if len(bindings) != 1 or bindings[0].how is not How.PARAMETER or bindings[0].param is None:
            return None
        param, function, module = bindings[0].param, bindings[0].function, call.module
        default = param.default
        is_endless = isinstance(default, form.Const) and self._lasting(default.value, call) is Lasting.FOREVER
        if not is_endless or function is None:
            return Lifetime.LIMITED, module.evidence(given, "whoever calls this says how long it lasts")
        callers = self._project.callers(function)
        for caller, scope in callers:
            if self._project.bound_argument(caller, function, param) is None and not caller.has_double_star:
                return Lifetime.FOREVER, scope.module.evidence(caller, "no time is given here, so it lasts for ever")
        lifetime = Lifetime.LIMITED if callers else Lifetime.UNKNOWN
        return lifetime, module.evidence(given, "whoever calls this says how long it lasts")

    def _has_twin(self, call: CacheCall) -> bool:
        """`redis.set(key, value, ex=ttl) if ttl else redis.set(key, value)`: it is the callers' choice."""
        return any(
            c.scope is call.scope and c is not call and c.library is call.library and c.act is call.act
            and (c.timeout is not None or (c.operation.without is not Lasting.FOREVER))
            for c in self._calls
        )  # fmt: skip

    def _by_default(self, call: CacheCall) -> Told:
        """As long as the cache keeps what comes without a time."""
        module, library = call.module, call.library.name
        mine = [b for b in self._backends if b.library == library]
        if library == "Django":
            alias = alias_of(call, self._project)
            mine = [b for b in mine if b.alias == alias]
        if library == "aiocache" and not mine and call.call.keyword("alias") is None:
            return Lifetime.FOREVER, module.evidence(call.call, "no time is given, so it lasts for ever")
        endless = [b for b in mine if b.is_endless]
        if mine and len(endless) == len(mine):
            return Lifetime.FOREVER, endless[0].scope.module.evidence(endless[0].node, "entries here last for ever")
        if not mine and library in ("aiocache", "fastapi-cache", "dogpile.cache"):
            return Lifetime.UNKNOWN, module.evidence(call.call, "how long it lasts is said elsewhere")
        return Lifetime.LIMITED, module.evidence(call.call, "it lasts as long as the cache's default")
