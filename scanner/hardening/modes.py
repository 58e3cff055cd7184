"""Start commands and variables of deployments that let a service run as developers do: reloading, debugging, with a
server that isn't made for more.

https://docs.djangoproject.com/en/stable/ref/django-admin/#runserver, https://www.uvicorn.org/settings/#development,
https://flask.palletsprojects.com/en/stable/cli/#run-the-development-server
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.configuration.gunicorn_files import gunicorn_setting
from assay.scanner.deployment import Deployment
from assay.scanner.deployment.processes import SUPERVISORS
from assay.scanner.framework import Sited
from assay.scanner.gathered import Gathered
from assay.scanner.hardening.debugging import starts_debugger
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.run_mode import RunMode
from assay.scanner.model.workload import Platform, Process, Workload, WorkloadKind
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.dockerfile import DockerfileFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts, Reference

_START = "start"
_SERVING = (WorkloadKind.WEB, WorkloadKind.UNKNOWN)
_RELOADS = re.compile(r"--(auto-?)?reload\b(?!-)")
_DEBUG = re.compile(r"(\w+_)?DEBUG(_MODE)?")
_OF_OTHERS = re.compile(r"(LOG|SQL|DB|NODE|NPM|WEBPACK|VITE|NEXT|CORS|GUNICORN|CELERY|MAIL|EMAIL|TEMPLATE|TOOLBAR)_")
_ON = frozenset({"1", "true", "yes", "on", "t", "y"})
_OF_FLASK = "FLASK_DEBUG"
_FASTAPI, _DEV = "fastapi run", "fastapi dev"
_RELOADING = "it starts anew whenever a file changes"


def run_modes(gathered: Gathered) -> Iterator[RunMode]:
    """Of all workloads that serve, each place once."""
    seen: set[tuple[str, str, int]] = set()
    for service in gathered.services:
        deployment = gathered.deployments.get(service.name)
        for workload in deployment.workloads if deployment is not None else ():
            starts = _starts(workload, deployment, service.root, gathered)
            found = (*starts, *_variables(workload, gathered))
            for mode in found:
                place = (mode.what, mode.location.path, mode.location.line)
                if place not in seen:
                    seen.add(place)
                    yield replace(mode, service_root=service.root)


# --- start commands ---


def _starts(
    workload: Workload, deployment: Deployment | None, service_root: str, gathered: Gathered
) -> Iterator[RunMode]:
    command, process = workload.command, workload.process
    is_serving = workload.kind in _SERVING and (process.server is not None or process.is_development_server)
    if command is None or not is_serving or process.server in SUPERVISORS:  # what they start isn't known
        return
    if process.text.startswith(("tail ", "sleep ")):
        return
    if starts_debugger(workload, deployment, gathered.roles):
        return  # SEC503 judges Flask's debugger
    shown = Evidence(command.location, f"`{(process.text or command.text)[:80]}`")
    reload = gunicorn_setting("reload", workload, service_root, gathered.project)
    configured = reload if reload is not None and _is_on(reload, gathered) else None
    yield RunMode(
        service_root="",
        name=command.subject_id,
        location=command.location,
        role=workload.place_role,
        what=_START,
        for_development=_of_developers(process) or (_RELOADING if configured is not None else None),
        evidence=(
            shown,
            *(e for e in command.goes_through if process.text and process.text in e.text),
            *((configured.module.evidence(configured.node, "its configuration says so"),) if configured else ()),
        ),
        instead=_instead(workload, deployment),
        is_unclear=workload.platform is Platform.COMPOSE and workload.for_production is None,
        doubt=workload.doubt,
    )


def _is_on(reload: Sited, gathered: Gathered) -> bool:
    """Whether production can't but have it."""
    return {meaning.value for meaning in gathered.production.meanings(reload.node, reload.scope)} == {True}


def _of_developers(process: Process) -> str | None:
    if _RELOADS.search(process.text) or process.text.startswith(("watchmedo", "nodemon", "watchfiles")):
        return _RELOADING
    if process.is_development_server:  # PERF301 judges those that serve one request at a time besides
        name = _DEV if process.server == _FASTAPI else process.server or process.text.split(" ", 1)[0]
        return f"{name} is a server for development"
    return None


def _instead(workload: Workload, deployment: Deployment | None) -> Evidence | None:
    """What starts the service for production, where this doesn't stand in a file for production itself."""
    if deployment is None or workload.platform is Platform.KUBERNETES or workload.for_production is not None:
        return None
    for other in deployment.workloads:
        is_sound = other.role is Role.PROD and other.kind is WorkloadKind.WEB and _of_developers(other.process) is None
        if is_sound and other.command is not None and other.command.location != (workload.command or other).location:
            return Evidence(other.command.location, f"production starts with `{other.process.text[:80]}`")
    return None


# --- variables ---


def _variables(workload: Workload, gathered: Gathered) -> Iterator[RunMode]:
    """Switches that the service reads, where the deployment sets them."""
    if workload.kind is WorkloadKind.INFRASTRUCTURE:
        return
    read = _switches_read(gathered)
    for name, value, place in _given(workload, gathered):
        if name not in read:
            continue
        is_on = value.strip("'\"").lower() in _ON
        yield RunMode(
            service_root="",
            name=workload.subject_id,
            location=place.location,
            role=workload.place_role,
            what=name,
            for_development=f"{name} turns debugging on" if is_on else None,
            evidence=(place,),
            is_unclear=workload.platform is Platform.COMPOSE and workload.for_production is None,
            doubt=workload.doubt,
        )


def _switches_read(gathered: Gathered) -> frozenset[str]:
    read = {variable for setting in gathered.settings for variable in setting.variables}
    return frozenset(v for v in {*read, _OF_FLASK} if _DEBUG.fullmatch(v) and not _OF_OTHERS.match(v))


def _given(workload: Workload, gathered: Gathered) -> Iterator[tuple[str, str, Evidence]]:
    path = workload.location.path
    match gathered.context.files.get(path):
        case KubernetesFacts() as facts:
            for pod in facts.workloads:
                for container in pod.containers:
                    if container.span.at(path) == workload.location:
                        given = ((v.name, v.value, v.span) for v in container.env if v.value is not None)
                        yield from ((n, v, span.evidence(path, f"{n} is {v}")) for n, v, span in given)
                        yield from _of_config_maps(path, container.env_from, gathered)
        case ComposeFacts() as compose:
            for variable in next((s.variables for s in compose.services if s.name == workload.name), ()):
                if "$" not in variable.written:
                    text = f"{variable.name} is {variable.written}"
                    yield variable.name, variable.written, variable.span.evidence(path, text)
        case DockerfileFacts() as image if workload.platform is Platform.DOCKERFILE and image.stages:
            for name, value in image.stages[-1].env:
                if name != _OF_FLASK or workload.process.server != "flask run":  # there, SEC503 judges it
                    yield name, value, Evidence(workload.location, f"the image sets {name} to {value}")


def _of_config_maps(
    path: str, references: tuple[Reference, ...], gathered: Gathered
) -> Iterator[tuple[str, str, Evidence]]:
    """Those of ConfigMaps in the same folder that it is given whole."""
    named = {r.name for r in references if r.kind == "ConfigMap"}
    for other, facts in sorted(gathered.context.files.items()) if named else ():
        if isinstance(facts, KubernetesFacts) and posixpath.dirname(other) == posixpath.dirname(path):
            for entry in (e for config in facts.config_maps if config.name in named for e in config.entries):
                if entry.value is not None:
                    yield entry.name, entry.value, entry.span.evidence(other, f"{entry.name} is {entry.value}")
