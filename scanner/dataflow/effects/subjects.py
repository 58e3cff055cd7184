"""Endpoints with what they change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from assay.scanner.dataflow.effects.bodies import Bodies
from assay.scanner.dataflow.effects.captures import captures
from assay.scanner.dataflow.effects.changes import Known, Recognizer
from assay.scanner.dataflow.effects.contracts import contract, link, signs_out
from assay.scanner.dataflow.effects.records import Records
from assay.scanner.dataflow.effects.search import Search
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.privileges.acts import sensitive_act
from assay.scanner.dataflow.responses.callers import is_password_check
from assay.scanner.framework import Framework, Route, SqlExecution
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.effect import Effect, EffectKind
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table
from assay.scanner.readers.python import form

_PEOPLE = frozenset({"user", "account", "member", "customer", "person"})


def bodies_of(
    project: Project,
    known: Iterable[Framework],
    tables: Iterable[Table],
    executions: Iterable[SqlExecution],
    requests: Iterable[OutboundCall],
) -> Bodies:
    """What the functions of the project change, each read when it is asked for."""
    records = Records(project, tables, [f.rows for f in known if f.rows is not None])
    outside = Known({e.call: e for e in executions}, {r.location: r for r in requests})
    return Bodies(project, Recognizer(project, records, outside))


def with_effects(
    endpoints: Sequence[tuple[Route, Endpoint]], project: Project, bodies: Bodies
) -> Iterator[tuple[Route, Endpoint]]:
    """Each endpoint with what its handler changes for its method, in what that calls too."""
    search, kept = Search(project, bodies), captures(project, bodies)
    for route, endpoint in endpoints:
        if endpoint.role is not Role.PROD:
            yield route, endpoint
            continue
        found = search.of(route, endpoint.method)
        changed = replace(endpoint, effects=found.effects, unfollowed=found.unfollowed)
        if endpoint.is_read:
            safe = search.of(route, "GET").effects if endpoint.method == "ANY" else found.effects
            changed = replace(changed, effects_on_get=safe if signs_out(route) else tuple(map(_hygienic, safe)))
            if changed.changes_on_get:
                changed = replace(changed, contract=contract(route), link=link(route))
        checks = route.handler is not None and _checks_password(route.handler)
        is_own = route.handler is not None or route.view_class is not None
        act = sensitive_act(changed, checks_password=checks) if is_own else None
        if act is not None:
            keeping = [c.evidence for c in kept if act.is_sign_in or not c.of_sign_ins]
            changed = replace(changed, act=replace(act, captures=tuple(keeping[:2]), logs=found.logs))
        yield route, changed


def _checks_password(handler: FunctionSymbol) -> bool:
    """Whether it compares what was sent with somebody's password: `user.check_password(given)`."""
    calls = (n for n in handler.nodes if isinstance(n, form.Call) and last_name(n.func) != "validate_password")
    checks = filter(is_password_check, calls)
    return any(not _PEOPLE.isdisjoint(words(n.id)) for c in checks for n in form.walk(c) if isinstance(n, form.Name))


def _hygienic(effect: Effect) -> Effect:
    """Sessions end where an account is gone, or another one begins, whatever was asked for."""
    is_logout = effect.kind is EffectKind.SESSION and effect.action == "logout"
    return replace(effect, excuse=effect.excuse or "a session that doesn't hold ends") if is_logout else effect
