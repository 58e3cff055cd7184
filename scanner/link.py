"""The link stage: facts of files in, services out."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import ParamSpec, TypeVar

from assay.scanner.config.structure import MigrationsConfig
from assay.scanner.configuration.echoes import without_echoes
from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.dependencies import hard_dependencies
from assay.scanner.dataflow.health import health_checks
from assay.scanner.dataflow.log_config import logging_setups
from assay.scanner.dataflow.logs import link_logs
from assay.scanner.dataflow.named_functions import NOTHING_WANTED, Wanted, function_calls, functions
from assay.scanner.dataflow.other_probes import other_probes
from assay.scanner.dataflow.reads import Reads
from assay.scanner.dataflow.safeguards.cookies import cookies
from assay.scanner.dataflow.safeguards.tls_clients import tls_clients
from assay.scanner.dataflow.safeguards.token_verification import token_verifications
from assay.scanner.dataflow.secrets.subjects import Secrets
from assay.scanner.dataflow.sources import handlers_of, resolvers_of
from assay.scanner.dataflow.sql import sql_sites
from assay.scanner.dataflow.taint.sites import data_sites
from assay.scanner.deployment import Deployment, link_deployment, service_hints
from assay.scanner.deployment import Facts as DeploymentFacts
from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.endpoints import endpoints_of, page_sizes, paged_queries
from assay.scanner.evidence.figures import NOTHING_MEASURED, EvidenceFacts, Measured
from assay.scanner.framework import Context, Route, SqlExecution, frameworks
from assay.scanner.gathered import Gathered
from assay.scanner.libraries import Library
from assay.scanner.linker.modules import ModuleIndex
from assay.scanner.linker.project import OutOfSightError, Project
from assay.scanner.linker.scopes import Module
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.log import LoggingSetup
from assay.scanner.model.migration import Migration
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.service import Service, with_subjects
from assay.scanner.model.setting import Setting
from assay.scanner.model.site import (
    SqlStatement,
)
from assay.scanner.model.subject import Subject
from assay.scanner.model.table import Table
from assay.scanner.model.work import Consumer, Task
from assay.scanner.profiling import Profile
from assay.scanner.readers.audits import AuditFacts
from assay.scanner.readers.checks import CheckFacts
from assay.scanner.readers.codeowners import CodeownersFacts
from assay.scanner.readers.dependencies import DependencyFacts
from assay.scanner.readers.documents import DocumentFacts
from assay.scanner.readers.graphql import GraphqlFacts
from assay.scanner.readers.hosted import HostedFacts
from assay.scanner.readers.monitoring.facts import MonitoringFacts
from assay.scanner.readers.openapi import OpenApiFacts
from assay.scanner.readers.platforms import PlatformFacts
from assay.scanner.readers.protobuf import ProtobufFacts
from assay.scanner.readers.proxies import ProxyFacts
from assay.scanner.readers.python.form import Mentions, ModuleFacts
from assay.scanner.readers.python.quick import TestFacts
from assay.scanner.readers.scenarios import ScenarioFacts
from assay.scanner.readers.tasks import TaskFacts
from assay.scanner.reading import Facts
from assay.scanner.services import Ownership, ServiceRoot, find_services, project_folders
from assay.scanner.units import Unit, imports_an_application, may_make_an_application, units_of
from assay.scanner.web.graphql import as_graphql

_NOT_DEPLOYED = (
    bytes
    | PlatformFacts
    | MonitoringFacts
    | DependencyFacts
    | AuditFacts
    | ProxyFacts
    | OpenApiFacts
    | ProtobufFacts
    | GraphqlFacts
    | ModuleFacts
    | TestFacts
    | EvidenceFacts
    | TaskFacts
    | CheckFacts
    | HostedFacts
    | CodeownersFacts
    | DocumentFacts
    | ScenarioFacts
)
"""Facts that say nothing of how a service is built or started."""
_NO_RELEASES = MigrationsConfig()
_S = TypeVar("_S", bound=Subject)
_T = TypeVar("_T")
_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True)
class Sources:
    """What linking works on. `facts` and `roles` are by path; `paths` are all files of the tree, unread ones too.

    `services` are the configured ones, folder by name; `tree_name` is the scanned folder's own name; `metadata` holds
    the bytes of `pyproject.toml` files. Where only a unit of the tree is linked, `modules` are all Python files of the
    tree that were read, and `neighbours` the roots of services in other units. `libraries` say what libraries do with
    data; without any, no data is followed. Where only the sites in some files are asked for, these are the `focus`.
    `wanted` is what is only looked for where a rule asks for it. `added` are the files that came since a known base,
    `releases` say which migrations have run everywhere.
    """

    facts: Mapping[str, Facts]
    roles: Mapping[str, Role]
    paths: frozenset[str]
    services: Mapping[str, str]
    tree_name: str
    metadata: Mapping[str, bytes]
    modules: frozenset[str] | None = None
    neighbours: tuple[str, ...] = ()
    libraries: tuple[Library, ...] = ()
    measured: Measured = NOTHING_MEASURED
    added: frozenset[str] = frozenset()
    releases: MigrationsConfig = _NO_RELEASES
    focus: frozenset[str] | None = None
    wanted: Wanted = NOTHING_WANTED


@dataclass(frozen=True, slots=True)
class Linked:
    """The services, which service each file belongs to, and what could not be resolved."""

    services: tuple[Service, ...]
    owners: Mapping[str, str]
    diagnostics: tuple[Diagnostic, ...]


def units_of_tree(
    mentions: Mapping[str, Mentions], others: Mapping[str, Facts], paths: frozenset[str]
) -> tuple[Unit, ...]:
    """The parts of the tree that can be linked apart. `others` are the facts of all that is no Python."""
    return units_of(mentions, project_folders(paths, service_hints(_deployed(others))), _applications())


def may_make_applications(mentions: Mapping[str, Mentions]) -> frozenset[str]:
    """The modules that may speak of an application's class, however they came by it."""
    applications = _applications()
    return frozenset(path for path, said in mentions.items() if may_make_an_application(path, said, applications))


def import_applications(mentions: Mapping[str, Mentions]) -> frozenset[str]:
    """The modules that import an application's class in the usual ways: one of them is where a service begins."""
    applications = _applications()
    return frozenset(path for path, said in mentions.items() if imports_an_application(path, said, applications))


def _deployed(others: Mapping[str, Facts]) -> dict[str, DeploymentFacts]:
    return {p: f for p, f in others.items() if not isinstance(f, _NOT_DEPLOYED)}


def _applications() -> frozenset[str]:
    return frozenset(name for f in frameworks() for name in f.applications)


def link(sources: Sources, profile: Profile) -> Linked:
    """Build the model of every service in the tree; `profile` is told how long its parts took.

    With a focus, a module that was not given is unknown, as a library's would be, and what builds on the sites in files
    (endpoints, and all that is found by them) is left out. Raises OutOfSightError where a unit turns out not to be one.
    """
    modules = {p: f for p, f in sources.facts.items() if isinstance(f, ModuleFacts)}
    known = modules if sources.modules is None else sources.modules
    index = ModuleIndex(known, known if sources.focus is None else modules)
    project = Project(
        (Module(path, index.name_of(path), sources.roles.get(path, Role.PROD), f) for path, f in modules.items()),
        index,
    )
    others = {p: f for p, f in sources.facts.items() if not isinstance(f, ModuleFacts)}
    context = Context(project, others)
    deployed = _deployed(others)
    roots = find_services(
        project,
        _applications(),
        sources.paths,
        sources.services,
        service_hints(deployed),
        sources.tree_name,
        sources.metadata,
        sources.neighbours,
    )
    beside = [ServiceRoot(f"{root}/", root, Location.whole_file(root)) for root in sources.neighbours]
    around = tuple(sorted([*roots, *beside], key=lambda r: r.root))
    owners = Ownership(around, project)
    deployments = link_deployment(deployed, {r.name: r.root for r in around}, sources.roles, sources.paths)
    parts = _Parts(context, sources, roots, owners, deployments, profile)
    parts.find_wanted(sources.wanted)
    services = tuple(_service(root, parts, deployments.get(root.name, Deployment())) for root in roots)
    owned = {p: o.name for p in sources.paths if (o := owners.of(p)) and o in roots}
    return Linked(services, owned, tuple(context.diagnostics))


class _Parts:
    """Everything found in the whole tree, handed out by service."""

    def __init__(
        self,
        context: Context,
        sources: Sources,
        roots: tuple[ServiceRoot, ...],
        owners: Ownership,
        deployments: Mapping[str, Deployment],
        profile: Profile,
    ) -> None:
        self._sources = sources
        self._profile = profile
        self._owners = owners
        self._context = context
        self._log_files = {path: facts for path, facts in context.files.items() if isinstance(facts, bytes)}
        self._project = project = context.project
        libraries, focus = sources.libraries, sources.focus
        known = frameworks()
        used = [f for f in known if not project.imported_packages.isdisjoint(f.packages)]
        self.routes = sorted(
            (as_graphql(r, context) for f in used for r in self._part(f"routes of {f.name}", f.routes, context)),
            key=lambda r: (r.location, r.path, r.methods, r.framework),
        )
        self.endpoints = [] if focus else self._part("endpoints", self._endpoints, Reads(project, known))
        self._subjects: list[Subject] = []
        handlers = {r.handler for r in self.routes if r.handler is not None}
        executions = [e for f in known for e in self._part(f"SQL of {f.name}", f.sql, context)]
        from_outside = {**resolvers_of(project), **handlers_of(self.routes, project)}
        flows = self._part("data flows", data_sites, context, libraries, from_outside, executions, focus)
        statements = [site for site in flows if isinstance(site, SqlStatement)]
        self._subjects += (site for site in flows if not isinstance(site, SqlStatement))
        self._keep("SQL sites", sql_sites, context, executions, from_outside, statements)
        handled = [(endpoint, route.handler) for route, endpoint in self.endpoints]
        self._keep("health checks", health_checks, handled, project)
        self.other_probes = [evidence for evidence, _ in self._part("probes", other_probes, project)]
        self._keep("logs", lambda: link_logs(project, routes=handlers).subjects)
        tables = [t for f in used for t in self._part(f"tables of {f.name}", f.tables, context)]
        tables = [t for t in tables if t.role is not Role.TEST]
        self._subjects += tables
        secrets = Secrets(project, libraries, tables)
        self._keep("digests", secrets.hash_uses)
        self._keep("random values", secrets.random_uses)
        self._keep("passwords", secrets.password_uses)
        self._keep("credentials", secrets.credentials)
        settings = without_echoes(s for f in used for s in self._part(f"settings of {f.name}", f.settings, context))
        self._subjects += settings
        production = Production(project, settings)
        self._keep("cookies", cookies, context, libraries, settings)
        self._keep("TLS clients", tls_clients, context, libraries, production)
        self._keep("tokens", token_verifications, context, libraries, production)
        migrations: list[Migration] = []
        for framework in used:
            migrations += self._part(f"migrations of {framework.name}", framework.migrations, context)
            self._keep(f"calls by {framework.name}", framework.outbound_calls, context)
            self._keep(f"tasks of {framework.name}", framework.tasks, context)
            self._keep(f"consumers of {framework.name}", framework.consumers, context)
        self._subjects += migrations
        if not focus:
            self._build_on(executions, tables, migrations, settings, production, roots, deployments)
        self.frameworks = {
            framework.name: {
                m.path
                for m in project.modules.values()
                if m.role is Role.PROD and not m.imported_packages.isdisjoint(framework.packages)
            }
            for framework in used
            if framework.is_listed
        }

    def _build_on(
        self,
        executions: Sequence[SqlExecution],
        tables: Sequence[Table],
        migrations: Sequence[Migration],
        settings: Sequence[Setting],
        production: Production,
        roots: tuple[ServiceRoot, ...],
        deployments: Mapping[str, Deployment],
    ) -> None:
        """Find the nouns that need the whole service."""
        # The largest part of linking to import, which a focus has no need of.
        from assay.scanner.access.private_rows import with_private_rows
        from assay.scanner.dataflow.effects.subjects import bodies_of, with_effects
        from assay.scanner.dataflow.privileges.subjects import with_privileges
        from assay.scanner.finders import FINDERS

        project = self._project
        requests = [s for s in self._subjects if isinstance(s, OutboundCall)]
        bodies = bodies_of(project, frameworks(), tables, executions, requests)
        changing = self._part("effects", with_effects, self.endpoints, project, bodies)
        self.endpoints = list(with_private_rows(changing or self.endpoints, tables))
        self.endpoints = self._part("privileges", with_privileges, self.endpoints, project) or self.endpoints
        self._subjects += (endpoint for _, endpoint in self.endpoints)
        gathered = Gathered(
            context=self._context,
            endpoints=self.endpoints,
            tables=tables,
            tasks=[s for s in self._subjects if isinstance(s, Task)],
            consumers=[s for s in self._subjects if isinstance(s, Consumer)],
            migrations=migrations,
            settings=settings,
            requests=requests,
            executions=executions,
            bodies=bodies,
            production=production,
            libraries=self._sources.libraries,
            roles=self._sources.roles,
            services=roots,
            owners=self._owners,
            deployments=deployments,
            paths=self._sources.paths,
            neighbours=self._sources.neighbours,
            measured=self._sources.measured,
            added=self._sources.added,
            releases=self._sources.releases,
        )
        for what, find in FINDERS.items():
            self._keep(what, find, gathered)

    def find_wanted(self, wanted: Wanted) -> None:
        """Find what only some rules ask for."""
        self._keep("functions", functions, self._project, wanted)
        self._keep("function calls", function_calls, self._project, wanted)

    def _endpoints(self, reads: Reads) -> Iterator[tuple[Route, Endpoint]]:
        for route in self.routes:
            for endpoint in self._tried(f"what {route.handler_name} reads", endpoints_of, route, reads):
                yield route, endpoint

    def _part(self, what: str, find: Callable[_P, Iterable[_T]], *args: _P.args, **kwargs: _P.kwargs) -> list[_T]:
        with self._profile.part(what):
            return self._tried(what, find, *args, **kwargs)

    def _tried(self, what: str, find: Callable[_P, Iterable[_T]], *args: _P.args, **kwargs: _P.kwargs) -> list[_T]:
        """One part of the model. Where finding it fails, the rest is still worth having, and the user is told."""
        try:
            return list(find(*args, **kwargs))
        except OutOfSightError:
            raise
        except Exception as error:  # noqa: BLE001 - code that nobody has seen yet may break it in any way
            last = traceback.extract_tb(error.__traceback__)[-1]
            place = f"{PurePath(last.filename).name}, line {last.lineno}"
            message = f"{what} could not be worked out: {type(error).__name__}: {error} (in {place}); please report it"
            self._context.diagnostics.append(Diagnostic(".", None, Reason.MODEL_INCOMPLETE, message))
            return []

    def _keep(self, what: str, find: Callable[_P, Iterable[_S]], *args: _P.args, **kwargs: _P.kwargs) -> None:
        """Find subjects for the services to be handed."""
        self._subjects += self._part(what, find, *args, **kwargs)

    def owned_by(self, root: ServiceRoot) -> list[Subject]:
        """The subjects of one service, in order of place."""
        mine = (s for s in self._subjects if self._is_of(s, root))
        return sorted(mine, key=lambda s: (s.location, s.subject_id))

    def _is_of(self, subject: Subject, root: ServiceRoot) -> bool:
        """A subject that says whose it is may lie anywhere: a pipeline, a report of measurements."""
        named: str | None = getattr(subject, "service_root", None)
        return self._owners.of(subject.location.path) is root if named is None else named == root.root

    def hard_dependencies(self, root: ServiceRoot) -> tuple[Evidence, ...]:
        mine = [r.handler for r, e in self.endpoints if r.handler and self._owners.of(e.location.path) is root]
        return tuple(self._part("dependencies", hard_dependencies, dict.fromkeys(mine), self._project))

    def evidence_of(self, root: ServiceRoot, evidence: Iterable[Evidence]) -> tuple[Evidence, ...]:
        return tuple(e for e in evidence if self._owners.of(e.location.path) is root)

    def logging_setups(self, root: ServiceRoot) -> tuple[LoggingSetup, ...]:
        modules = [m for m in self._project.modules.values() if self._owners.of(m.path) is root]
        files = {path: data for path, data in self._log_files.items() if self._owners.of(path) is root}
        return tuple(self._part("logging set-ups", logging_setups, self._context, modules, files))

    def frameworks_of(self, root: ServiceRoot) -> tuple[str, ...]:
        return tuple(
            name for name, users in self.frameworks.items() if any(self._owners.of(path) is root for path in users)
        )


def _service(root: ServiceRoot, parts: _Parts, deployment: Deployment) -> Service:
    subjects = parts.owned_by(root)
    endpoints = tuple(s for s in subjects if isinstance(s, Endpoint))
    service = Service(
        name=root.name,
        root=root.root,
        location=root.location,
        role=Role.PROD,
        frameworks=parts.frameworks_of(root),
        page_sizes=page_sizes(endpoints),
        paged_queries=paged_queries(endpoints),
        other_probes=parts.evidence_of(root, parts.other_probes),
        hard_dependencies=parts.hard_dependencies(root),
        logging_setups=parts.logging_setups(root),
        workloads=deployment.workloads,
        probes=deployment.probes,
        start_commands=deployment.start_commands,
        images=deployment.images,
        image_references=deployment.image_references,
        published_ports=deployment.published_ports,
    )
    return with_subjects(service, subjects)
