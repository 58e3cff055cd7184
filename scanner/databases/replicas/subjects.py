"""Read replicas of each service, what routes reads to them, and what is sent there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from assay.scanner.databases.replicas.choices import Choices, Decision
from assay.scanner.databases.replicas.django import Alias, Aliases, Routers
from assay.scanner.databases.replicas.engines import Engine, engines
from assay.scanner.databases.replicas.following import Follower
from assay.scanner.databases.replicas.names import is_replica
from assay.scanner.databases.replicas.querysets import Statement, statements
from assay.scanner.databases.replicas.sessions import Sent, Sessions
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.replica import Choice, ReadReplica, ReplicaRouting, ReplicaUse
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.services import ServiceRoot

_SHOWN = 3
_PINNING = (
    "multidb.PinningReplicaRouter",
    "multidb.PinningMasterSlaveRouter",
    "django_replicated.router.ReplicationRouter",
)
"""Routers of libraries that go to the primary after a write, given their middleware."""
_ALWAYS = ("multidb.ReplicaRouter", "multidb.MasterSlaveRouter")
_CHANGING = frozenset({"PUT", "PATCH", "DELETE"})

Found = ReadReplica | ReplicaRouting | ReplicaUse


def replicas(gathered: Gathered) -> Iterator[Found]:
    """For each service one of each kind at least, which says that there is no replica."""
    finder = _Finder(gathered)
    found = list(_told_apart(finder.all()))
    yield from found
    for service in gathered.services:
        kinds = {type(each) for each in found if each.service_root == service.root}
        shown = finder.others(service)
        at, root = service.location, service.root
        if ReadReplica not in kinds:
            yield ReadReplica("", "", at, Role.PROD, root, evidence=shown, is_declared=False)
        if ReplicaRouting not in kinds:
            yield ReplicaRouting("", at, Role.PROD, root, Choice.NONE, shown)
        if ReplicaUse not in kinds:
            yield ReplicaUse("", at, Role.PROD, root, shown)


def _told_apart(found: Iterable[Found]) -> Iterator[Found]:
    """Two engines may have one name, and two late reads one function."""
    ordinals = Ordinals()
    for each in found:
        number = ordinals.next(f"{each.service_root}:{type(each).__name__}", each.subject_id)
        if number == 1:
            yield each
        elif isinstance(each, ReplicaUse):
            yield replace(each, function=f"{each.function}#{number}")
        else:
            yield replace(each, name=f"{each.name}#{number}")


class _Finder:
    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._aliases = Aliases(gathered)
        self._engines, self._clients = engines(gathered)

    def all(self) -> Iterator[Found]:
        if self._aliases.replicas:
            yield from self._of_django()
        if self._engines:
            yield from self._of_engines()

    def others(self, service: ServiceRoot) -> tuple[Evidence, ...]:
        """The databases of the service that are no replicas."""
        clients = [c.scope.module.evidence(c.call, f"this {c.library.kind} is no replica's") for c in self._clients]
        mine = (e for e in (*self._aliases.others, *clients) if self._gathered.owners.of(e.location.path) is service)
        return tuple(mine)[:_SHOWN]

    def _root(self, scope: Scope) -> str:
        service = self._gathered.owners.of(scope.module.path)
        return service.root if service is not None else ""

    # --- Django ---

    def _of_django(self) -> Iterator[Found]:
        routers = self._aliases.routers()
        policies = list(self._routing(routers))
        yield from policies
        known = [(alias, *self._aliases.uses(alias, routers)) for alias in self._aliases.replicas]
        # A router may pick from all that the settings have, and name none.
        picked = [shown for p in policies for shown in p.evidence] if not any(uses for _, uses, _ in known) else []
        for alias, named, dead in known:
            uses = named or picked
            yield ReadReplica(
                alias.name,
                "replica",
                alias.scope.module.location(alias.node),
                Role.PROD,
                self._root(alias.scope),
                tuple(uses),
                tuple(dead),
                (alias.scope.module.evidence(alias.node, "the replica is declared here"),),
            )
            if uses and not policies:
                yield self._asked_for(alias.name, alias.node, alias.scope, uses)
        yield from self._written_by_routers(routers)
        sent = list(statements(self._aliases, routers, self._project))
        if not routers.decides_writes(self._project):
            sent = [self._changed_by_view(statement) for statement in sent]
        yield from _by_function(sent, self._root)
        for statement in sent:
            if statement.stale is not None:
                yield self._late(around(statement.scope), statement.scope, (statement.stale, statement.evidence))

    def _changed_by_view(self, statement: Statement) -> Statement:
        """The rows that a generic view changes and deletes are those of its `queryset`, saved where they were read."""
        cls = statement.scope.cls
        if cls is None or self._project.method(cls, "get_queryset") is not None:
            return statement
        changing = any(
            route.view_class is cls and route.handler is None and endpoint.method in _CHANGING
            for route, endpoint in self._gathered.endpoints
        )
        if not changing:
            return statement
        text = "the view saves and deletes what it reads from the replica"
        return replace(statement, is_write=True, evidence=replace(statement.evidence, text=text))

    def _asked_for(self, name: str, node: form.Expr, scope: Scope, uses: Sequence[Evidence]) -> ReplicaRouting:
        """No policy: code says which reads go there."""
        place = scope.module.location(node)
        return ReplicaRouting(name, place, Role.PROD, self._root(scope), Choice.CODE, tuple(uses))

    def _late(self, function: str, scope: Scope, shown: tuple[Evidence, ...]) -> ReplicaRouting:
        return ReplicaRouting(function, shown[-1].location, Role.PROD, self._root(scope), Choice.CODE, late_reads=shown)

    def _names_replica(self, node: form.Expr, scope: Scope) -> bool:
        if self._aliases.named(node, scope) is not None:
            return True
        return isinstance(node, form.Name | form.Attr) and is_replica(last_name(node) or "")

    def _routing(self, routers: Routers) -> Iterator[ReplicaRouting]:
        choices = Choices(self._project, self._names_replica)
        for cls in routers.classes:
            method = self._project.method(cls, "db_for_read")
            decision = choices.of(method) if method is not None else None
            if method is not None and decision is not None:
                yield self._policy(cls, method, decision)
        first: Alias = self._aliases.replicas[0]
        for name, shown in routers.libraries:
            if name.endswith(_PINNING) or name.endswith(_ALWAYS) or is_replica(name):
                choice = Choice.STATE if name.endswith(_PINNING) else Choice.ALWAYS if name.endswith(_ALWAYS) else None
                root = self._root(first.scope)
                yield ReplicaRouting(name, shown.location, Role.PROD, root, choice or Choice.UNKNOWN, (shown,))

    def _policy(self, cls: ClassSymbol, method: FunctionSymbol, decision: Decision) -> ReplicaRouting:
        return ReplicaRouting(
            cls.name, method.location, Role.PROD, self._root(cls.scope), decision.choice, decision.evidence
        )

    def _written_by_routers(self, routers: Routers) -> Iterator[ReplicaUse]:
        """Where writes go for routers that send reads to a replica."""
        choices = Choices(self._project, self._names_replica)
        reading = [
            (cls, m)
            for cls in routers.classes
            if (m := self._project.method(cls, "db_for_read")) is not None and choices.of(m) is not None
        ]
        for cls, read in reading:
            own = self._project.method(cls, "db_for_write")
            writes: tuple[Evidence, ...] = ()
            if own is not None:
                decision = choices.of(own)
                writes = decision.evidence if decision is not None and decision.choice is Choice.ALWAYS else ()
            elif not routers.decides_writes(self._project):
                text = "no router has db_for_write: an object that was read from the replica is saved there"
                writes = (Evidence(read.location, text),)
            place = (own or read).location
            reads = (Evidence(place, "writes go to the primary"),)
            yield ReplicaUse(f"{cls.id}.db_for_write", place, Role.PROD, self._root(cls.scope), reads, writes)

    # --- SQLAlchemy and pools ---

    def _of_engines(self) -> Iterator[Found]:
        follower = Follower(self._gathered)
        sessions = Sessions(self._gathered, self._engines, follower)
        routing = list(self._picked(sessions))
        yield from routing
        for engine in self._engines:
            replica = self._of_engine(engine, follower)
            yield replica
            if replica.uses and not routing:
                yield self._asked_for(engine.name, engine.node, engine.scope, replica.uses)
        yield from self._sent(sessions)

    def _of_engine(self, engine: Engine, follower: Follower) -> ReadReplica:
        module = engine.scope.module
        if engine.is_item:
            uses, ends = follower.naming(engine), []
        else:
            followed = follower.of(engine)
            uses, ends = followed.uses, followed.ends
        return ReadReplica(
            engine.name,
            engine.kind,
            module.location(engine.node),
            Role.PROD,
            self._root(engine.scope),
            tuple(uses[:_SHOWN]),
            tuple(ends[:_SHOWN]),
            (module.evidence(engine.node, "the replica is declared here"),),
        )

    def _picked(self, sessions: Sessions) -> Iterator[ReplicaRouting]:
        """Sessions that pick their engine for each statement."""

        def leads(node: form.Expr, scope: Scope) -> bool:
            if sessions.is_source(node, scope):
                return True
            if isinstance(node, form.Const):
                return isinstance(node.value, str) and any(e.key == node.value for e in self._engines)
            return isinstance(node, form.Name | form.Attr) and is_replica(last_name(node) or "")

        choices = Choices(self._project, leads)
        for cls in self._project.classes:
            method = cls.methods.get("get_bind") if cls.module.role is Role.PROD else None
            decision = choices.of(method) if method is not None else None
            if method is not None and decision is not None:
                yield self._policy(cls, method, decision)

    def _sent(self, sessions: Sessions) -> Iterator[Found]:
        for function in sessions.functions():
            sent: Sent = sessions.sent(function)
            if sent.reads or sent.writes:
                shown = sent.writes or sent.reads
                yield ReplicaUse(
                    function.id,
                    shown[0].location,
                    Role.PROD,
                    self._root(function.scope),
                    tuple(sent.reads[:_SHOWN]),
                    tuple(sent.writes),
                )
            if sent.late:
                yield self._late(function.id, function.scope, sent.late)


def _by_function(found: Sequence[Statement], root_of: Callable[[Scope], str]) -> Iterator[ReplicaUse]:
    groups: dict[str, list[Statement]] = {}
    for statement in found:
        groups.setdefault(around(statement.scope), []).append(statement)
    for name, own in groups.items():
        ordered = sorted(own, key=lambda s: s.evidence.location)
        writes = tuple(dict.fromkeys(s.evidence for s in ordered if s.is_write))
        reads = tuple(dict.fromkeys(s.evidence for s in ordered if not s.is_write))
        place: Location = (writes or reads)[0].location
        yield ReplicaUse(name, place, Role.PROD, root_of(own[0].scope), reads[:_SHOWN], writes)
