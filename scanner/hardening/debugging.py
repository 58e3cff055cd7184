"""Places that turn debugging on: settings, arguments of applications, starts of development servers.

https://docs.djangoproject.com/en/stable/ref/settings/#debug, https://flask.palletsprojects.com/en/stable/debugging/,
https://www.starlette.io/applications/, https://docs.aiohttp.org/en/stable/web_reference.html#application
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from assay.scanner.configuration.declared import Configuration
from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import parsed, truth_of
from assay.scanner.configuration.naming import names_environment
from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.safeguards.options import option_of
from assay.scanner.deployment import Deployment
from assay.scanner.framework import Sited
from assay.scanner.gathered import Gathered
from assay.scanner.hardening.applications import DJANGO, Application
from assay.scanner.hardening.starts import Starts
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.hardening import DebugSwitch
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.model.workload import Platform, Process, Workload, WorkloadKind
from assay.scanner.readers.python import form

_SERVED = frozenset({"uvicorn", "bottle", "werkzeug", "hypercorn", "flask_socketio"})
"""Packages whose `run` starts a server."""
_DEBUGGED = ("DebuggedApplication",)
_FLASK = "Flask config"
_WORDS = frozenset({"1", "true", "yes", "on", "development", "dev"})
_DEBUGGING = re.compile(r"\bflask\b.*--debug\b")
_RUN_WITH = ("debug", "use_debugger", "use_reloader", "reload", "auto_reload")
_FLASK_APPLICATION = "Flask"
_DEBUG_OF_RUN = 2
"""Its place in Flask's `run(host, port, debug)`."""
_DOUBLE_STAR = 2
_MADE_WITH = ("debug", "DEBUG")


class Debugging:
    """The switches of one service's applications."""

    def __init__(self, application: Application, gathered: Gathered, ordinals: Ordinals) -> None:
        self._application = application
        self._gathered = gathered
        self._project = gathered.project
        self._defaults = Configuration(gathered.project).defaults
        self._starts = Starts(application.service, gathered)
        self._ordinals = ordinals

    def switches(self) -> Iterator[DebugSwitch]:
        """In no order."""
        if self._application.framework == DJANGO:
            yield from self._of_site()
            return
        yield from self._of_applications()
        yield from self._of_settings()
        yield from self._of_runs()
        yield from self._of_debuggers()
        yield from self._of_commands()
        yield from self._of_attributes()

    def _is_mine(self, path: str) -> bool:
        return self._gathered.owners.of(path) is self._application.service

    # --- settings ---

    def _of_site(self) -> Iterator[DebugSwitch]:
        site = self._application.site
        assert site is not None
        found = [s for s in self._gathered.settings if s.name == "DEBUG" and s.group == site.name]
        if found:
            yield self._of_setting(found[-1])

    def _of_settings(self) -> Iterator[DebugSwitch]:
        """What Flask's own configuration says, as production has it."""
        mine = [s for s in self._gathered.settings if s.name == "DEBUG" and s.source == _FLASK]
        place = self._gathered.production.place_of("DEBUG", _FLASK, self._application.location.path)
        loaded = dict(self._loaded_classes())
        for setting in mine:
            if not self._is_mine(setting.location.path) or setting.role is not Role.PROD:
                continue
            told = loaded.get(setting.group.rpartition(":")[2])
            if told is not None:
                yield self._switch(setting.group, setting.location, _of_value(setting), True, (told,))
            elif setting.location == place:
                yield self._of_setting(setting)

    def _loaded_classes(self) -> Iterator[tuple[str, Evidence]]:
        """`app.config.from_object("config.Development")`: whatever the class is called, it is this one."""
        for call, scope in self._project.calls_named("from_object"):
            given = call.argument(0, "obj")
            taken = self._gathered.production.taken(call, scope).truth
            if given is None or taken is not True or not self._is_mine(scope.module.path):
                continue
            text = given.value if isinstance(given, form.Const) else last_name(given)
            if isinstance(text, str) and scope.module.role is Role.PROD:
                yield text.rpartition(".")[2], scope.module.evidence(call, "the application is configured by it")

    def _of_setting(self, setting: Setting) -> DebugSwitch:
        option = _of_value(setting)
        if option.is_safe is False and _says_environment(setting):
            found = self._gathered.production.stated(setting)
            option = option_of(found, lambda v: truth_of(parsed(v)) is True) if found else option
        return self._switch(setting.group, setting.location, option, True, ())

    # --- calls ---

    def _of_applications(self) -> Iterator[DebugSwitch]:
        for made in self._application.made:
            if isinstance(made.node, form.Call) and not self._is_for_development(made):
                option = self._told(made.node, made, _MADE_WITH)
                if option is not None:
                    yield self._switch(around(made.scope), made.module.location(made.node), option, True, ())

    def _of_runs(self) -> Iterator[DebugSwitch]:
        """`app.run(debug=True)`, `uvicorn.run("shop:app", reload=True)`, `app.run(**OPTIONS)`."""
        for call, scope in self._project.calls_named("run", "run_app", "run_simple"):
            site = Sited(call, scope)
            if scope.module.role is not Role.PROD or not self._is_mine(scope.module.path):
                continue
            option = self._told(call, site, _RUN_WITH) if self._serves(call, site) else None
            if option is not None and not self._is_for_development(site):
                place = scope.module.location(call)
                yield self._switch(around(scope), place, option, *self._starts.comes_to(call, scope))

    def _told(self, call: form.Call, site: Sited, names: tuple[str, ...]) -> Option | None:
        """What the call says of debugging, in its arguments or in a mapping that it spreads."""
        node = next((n for name in names if (n := call.keyword(name)) is not None), None)
        if node is None and self._application.framework == _FLASK_APPLICATION and names is _RUN_WITH:
            node = next(iter(call.positional[_DEBUG_OF_RUN:]), None)
        if node is not None:
            return self._option(node, site)
        for mapping in (a.value for a in call.args if a.star == _DOUBLE_STAR):
            for name in names:
                items = self._gathered.production.item(mapping, site.scope, name)
                if items.found:
                    return option_of(items.found, lambda v: truth_of(parsed(v)) is True)
        return None

    def _of_attributes(self) -> Iterator[DebugSwitch]:
        """`app.debug = True`."""
        for module in self._project.modules.values():
            if module.role is Role.PROD and "debug" in module.writes_by_name and self._is_mine(module.path):
                for scope in dict.fromkeys(module.writes_by_name["debug"]):
                    yield from self._assigned(scope)

    def _assigned(self, scope: Scope) -> Iterator[DebugSwitch]:
        for node in form.walk_body(scope.body, into_definitions=False):
            for target in node.targets if isinstance(node, form.Assign) else ():
                value = node.value if isinstance(node, form.Assign) else None
                if isinstance(target, form.Attr) and target.attr == "debug" and value is not None:
                    site = Sited(target, scope)
                    owner = self._project.infer(target.value, scope)
                    is_app = isinstance(owner, Instance) and owner.type_name in self._types
                    if is_app and not self._is_for_development(site):
                        is_called = scope.function is not None and self._project.callers(scope.function)
                        comes = self._starts.comes_to(target, scope) if is_called else (True, ())
                        yield self._at(site, value, *comes)

    def _serves(self, call: form.Call, site: Sited) -> bool:
        called = self._project.infer(call.func, site.scope)
        if isinstance(called, External):
            package, owner = called.name.split(".", 1)[0], called.name.rpartition(".")[0]
            return package in _SERVED or owner in self._types
        base = call.func.value if isinstance(call.func, form.Attr) else None
        value = self._project.infer(base, site.scope) if base is not None else None
        if isinstance(value, Instance):
            return value.type_name in self._types or value.type_name.split(".", 1)[0] in _SERVED
        return value is None and base is not None and (last_name(base) or "") in ("app", "application", "socketio")

    @cached_property
    def _types(self) -> frozenset[str]:
        made = (self._project.infer(m.node, m.scope) for m in self._application.made)
        return frozenset(value.type_name for value in made if isinstance(value, Instance))

    def _of_debuggers(self) -> Iterator[DebugSwitch]:
        """Werkzeug's debugger, wrapped around an application by hand."""
        for call, scope in self._project.calls_named(*_DEBUGGED):
            site = Sited(call, scope)
            is_ours = scope.module.role is Role.PROD and self._is_mine(scope.module.path)
            if is_ours and not self._is_for_development(site):
                yield self._at(site, call, *self._starts.comes_to(call, scope))

    def _of_commands(self) -> Iterator[DebugSwitch]:
        """`flask run --debug` in an image: where nothing else serves, this is what is shipped."""
        deployment = self._gathered.deployments.get(self._application.service.name)
        for workload in deployment.workloads if deployment is not None else ():
            command = workload.command
            if command is not None and starts_debugger(workload, deployment, self._gathered.roles):
                on = Evidence(command.location, f"`{command.text[:80]}` runs with debugging on")
                yield self._switch(command.location.path, command.location, Option(False, (on,)), True, ())

    def _is_for_development(self, site: Sited) -> bool:
        return self._gathered.production.taken(site.node, site.scope).truth is False

    # --- what they come to ---

    def _at(
        self, site: Sited, node: form.Expr, production: bool | None, started_by: tuple[Evidence, ...]
    ) -> DebugSwitch:
        option = (
            Option(False, (site.module.evidence(node, "Werkzeug's debugger runs code that a client sends"),))
            if node is site.node
            else self._option(node, site)
        )
        return self._switch(around(site.scope), site.module.location(site.node), option, production, started_by)

    def _option(self, node: form.Expr, site: Sited) -> Option:
        """A switch that is configured counts by its default."""
        value = UNKNOWN if self._asks_where_it_runs(node, site.scope) else self._defaults.value(node, site.scope)
        if value is not UNKNOWN:
            is_on = bool(parsed(value))
            is_default = not isinstance(node, form.Const)
            unless = ", unless it is configured otherwise" if is_default else ""
            text = f"debugging is {'on' if is_on else 'off'}{unless}"
            return Option(not is_on, (site.module.evidence(node, text),), is_default)
        found = self._gathered.production.meanings(node, site.scope)
        asked = site.module.evidence(node, "whether debugging is on can't be told")
        return option_of(found, lambda v: truth_of(parsed(v)) is True, asked)

    def _asks_where_it_runs(self, node: form.Expr, scope: Scope) -> bool:
        """`ENVIRONMENT == "local"`, or a name for that: production is told by what the environment is called."""
        known = definitions(node, scope, self._project)
        if len(known) == 1 and known[0][0] is not node:
            return self._asks_where_it_runs(*known[0])
        return isinstance(node, form.Compare) and any(names_environment(name) for name in _spoken(node))

    def _switch(
        self, name: str, location: Location, option: Option, production: bool | None, started_by: tuple[Evidence, ...]
    ) -> DebugSwitch:
        ordinal = self._ordinals.next(name, "debug")
        return DebugSwitch(name, ordinal, location, Role.PROD, option, production, started_by)


def starts_debugger(workload: Workload, deployment: Deployment | None, roles: Mapping[str, Role]) -> bool:
    """Whether an image or a Procfile serves with Flask's debugger, and nothing else of the service serves."""
    command = workload.command
    if command is None or workload.platform not in (Platform.DOCKERFILE, Platform.PROCFILE):
        return False
    others = [w for w in deployment.workloads if w.command is not None] if deployment is not None else []
    if any(w.kind is WorkloadKind.WEB and w.role is Role.PROD for w in others):
        return False
    debugs = _DEBUGGING.search(command.text) is not None or _is_flask_debugging(command.process)
    return debugs and roles.get(command.location.path, Role.PROD) is Role.PROD


def _is_flask_debugging(process: Process) -> bool:
    """`flask run` where the image's environment turns debugging on."""
    return process.server == "flask run" and process.is_development_server


def _spoken(node: form.Expr) -> Iterator[str]:
    """The names and the texts in an expression."""
    for part in form.walk(node):
        if isinstance(part, form.Name | form.Attr):
            yield last_name(part) or ""
        elif isinstance(part, form.Const) and isinstance(part.value, str):
            yield part.value


def _says_environment(setting: Setting) -> bool:
    """Whether it is read from what says where the service runs, and not from a switch of its own."""
    return bool(setting.variables) and not any("DEBUG" in variable.upper() for variable in setting.variables)


def _of_value(setting: Setting) -> Option:
    unless = f" unless {setting.variables[0]} is set" if setting.variables else ""
    evidence = Evidence(setting.location, f"{setting.name} is {setting.value}{unless}")
    if setting.value is None:
        return Option(True, (Evidence(setting.location, f"{setting.name} is configured"),), is_default=True)
    is_on = setting.value.strip("'\"").lower() in _WORDS
    return Option(not is_on, (evidence,), is_default=bool(setting.variables))


def debug_switches(applications: Iterable[Application], gathered: Gathered) -> Iterator[DebugSwitch]:
    """Each place once, however many frameworks one service uses."""
    ordinals = Ordinals()
    seen: set[Location] = set()
    for application in applications:
        for switch in sorted(Debugging(application, gathered, ordinals).switches(), key=lambda s: s.location):
            if switch.location not in seen:
                seen.add(switch.location)
                yield switch
