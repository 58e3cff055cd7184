"""Which of the variables that a service reads are written down for whoever sets it up."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping

from assay.scanner.linker.project import Project
from assay.scanner.model.documentation import EnvironmentVariable
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.dockerfile import DockerfileFacts
from assay.scanner.readers.documents import DocumentFacts
from assay.scanner.readers.env_files import EnvFileFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts
from assay.scanner.readers.platforms import PlatformFacts
from assay.scanner.readers.python import form
from assay.scanner.readers.shell import ShellFacts, commands
from assay.scanner.roles import is_offline

_GIVEN: Mapping[str, re.Pattern[str]] = {
    "the operating system": re.compile(
        r"PATH|HOME|USER(NAME)?|LOGNAME|SHELL|HOSTNAME|PWD|TMP(DIR)?|TEMP|TZ|LANG(UAGE)?|LC_\w+|TERM|COLUMNS|LINES|EDITOR|DISPLAY|VIRTUAL_ENV"
        r"|XDG_\w+|PYTHON\w+|SYSTEMROOT|APPDATA|PROGRAMFILES|LD_LIBRARY_PATH|INVOCATION_ID|NOTIFY_SOCKET"
    ),
    "the platform": re.compile(
        r"PORT|KUBERNETES_\w+|POD_\w+|NODE_NAME|ECS_\w+|AWS_(LAMBDA|EXECUTION|REGION|DEFAULT)\w*|K_(SERVICE|REVISION)"
        r"|GAE_\w+|GOOGLE_CLOUD_PROJECT|DYNO|HEROKU_\w+|RENDER(_\w+)?|SOURCE_VERSION|FLY_\w+|RAILWAY_\w+|VERCEL\w*|WEBSITE_\w+|CODESPACES"
        r"|GITPOD_\w+|CONTAINER_ID"
    ),
    "CI": re.compile(r"CI|CI_\w+|GITHUB_\w+|GITLAB_\w+|JENKINS_\w+|BUILD_\w+|TOX_\w+|PYTEST_\w+|COVERAGE_\w+"),
    "a library's own documents": re.compile(
        r"OTEL_\w+|DD_\w+|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE)|GOOGLE_APPLICATION_CREDENTIALS"
        r"|DJANGO_SETTINGS_MODULE|FLASK_(APP|ENV|DEBUG)|RUN_MAIN|WERKZEUG_\w+|WEB_CONCURRENCY|PROMETHEUS_MULTIPROC_DIR"
        r"|NO_COLOR|FORCE_COLOR|GUNICORN_CMD_ARGS|PG(HOST|PORT|USER|PASSWORD|DATABASE|SSLMODE)|AWS_ENDPOINT_URL\w*|DOCKER_HOST"
        r"|prometheus_multiproc_dir|(HTTPS?|NO|ALL)_PROXY|REQUESTS_CA_BUNDLE|SSL_CERT_\w+|SERVER_SOFTWARE"
    ),
}
"""Who sets variables of these names."""
_ENVIRONMENTS = frozenset({"os.environ", "environ"})
_READS = frozenset({"os.environ.get", "environ.get", "os.getenv", "getenv"})
_TAKEN = re.compile(r"\$\{?([A-Za-z_]\w*)")
_LISTED = "pydantic settings"
"""Classes of settings are read as a list of all there are, each with its type."""


def environment_variables(
    settings: Iterable[Setting], project: Project, files: Mapping[str, object]
) -> Iterator[EnvironmentVariable]:
    """Each variable once, where it is read first: by a setting, else inside a function."""
    described = _described(files)
    set_here = _set_by_code(project)
    done: set[str] = set()
    for setting in sorted(settings, key=lambda s: s.location):
        for name in setting.variables if setting.role is Role.PROD else ():
            if name not in done:
                done.add(name)
                yield EnvironmentVariable(
                    name,
                    setting.location,
                    setting.role,
                    _description(name.upper(), setting, described),
                    _giver(name, set_here),
                    setting.source == _LISTED and not setting.is_required,
                )
    for name, location in _read_in_functions(project):
        if name not in done:
            done.add(name)
            yield EnvironmentVariable(name, location, Role.PROD, described.get(name.upper()), _giver(name, set_here))


def _read_in_functions(project: Project) -> Iterator[tuple[str, Location]]:
    """`os.environ.get("X")` and `os.getenv("X")` in what serves."""
    for module in sorted(project.modules.values(), key=lambda m: m.path):
        if module.role is Role.PROD and "os" in module.imported_packages and not is_offline(module.path):
            for call, scope in module.calls_named(("get", "getenv")):
                name = call.argument(0, "key") if form.dotted(call.func) in _READS else None
                if scope.function is None or not isinstance(name, form.Const) or not isinstance(name.value, str):
                    continue
                # WSGI calls a request's own headers `environ` too.
                if (project.callee_name(call, scope) or "").startswith("os."):
                    yield name.value, module.location(call)


def _giver(name: str, set_here: Collection[str]) -> str | None:
    """Who sets the variable, where it isn't the operator."""
    if name in set_here:
        return "the code itself"
    return next((who for who, pattern in _GIVEN.items() if pattern.fullmatch(name)), None)


def _set_by_code(project: Project) -> frozenset[str]:
    """Variables that code in production sets: `os.environ["X"] = ...`, `os.environ.setdefault("X", ...)`."""
    found: set[str] = set()
    for module in project.modules.values():
        for assignment, _ in (
            module.assignments if module.role is Role.PROD and "os" in module.imported_packages else ()
        ):
            for target in assignment.targets:
                if isinstance(target, form.Subscript) and form.dotted(target.value) in _ENVIRONMENTS:
                    found |= _texts(target.index)
    for call, scope in project.calls_named("setdefault", "putenv"):
        on = form.dotted(call.func.value) if isinstance(call.func, form.Attr) else None
        if scope.module.role is Role.PROD and call.positional and (on in _ENVIRONMENTS or on == "os"):
            found |= _texts(call.positional[0])
    return frozenset(found)


def _texts(node: form.Expr) -> set[str]:
    return {node.value} if isinstance(node, form.Const) and isinstance(node.value, str) else set()


def _description(name: str, setting: Setting, described: Mapping[str, Evidence]) -> Evidence | None:
    """Where the variable is described: by its own name, as the part of a nested model, or by its field."""
    if name in described:
        return described[name]
    if setting.source == _LISTED:
        part = next((evidence for other, evidence in described.items() if other.startswith(f"{name}__")), None)
        return part or (Evidence(setting.location, "its field says what it is for") if setting.is_described else None)
    return None


def _described(files: Mapping[str, object]) -> dict[str, Evidence]:
    """Names by the first place that shows them: documents and examples before what deploys the service."""
    found: dict[str, Evidence] = {}
    for path, name, line, text in (*_in_texts(files), *_in_manifests(files)):
        found.setdefault(name.upper(), Evidence(Location(path, line, 1, line, 1), text))
    return found


def _in_texts(files: Mapping[str, object]) -> Iterator[tuple[str, str, int, str]]:
    for path, facts in sorted(files.items()):
        if isinstance(facts, EnvFileFacts):
            yield from ((path, v.name, v.span.line, "stands in this file") for v in facts.variables)
        elif isinstance(facts, DocumentFacts):
            yield from ((path, name, 1, f"{name} is named") for name in facts.names)


def _in_script(script: ShellFacts) -> Iterator[tuple[str, int]]:
    """Names that it exports or asks for."""
    for command in commands(script.body):
        for name, value in command.assignments:
            yield name, command.span.line
            yield from ((other, command.span.line) for other in _TAKEN.findall(value))
        for word in command.words:
            yield from ((name, command.span.line) for name in _TAKEN.findall(word))
            if command.words[0] == "export" and "=" in word:
                yield word.partition("=")[0], command.span.line


def _in_manifests(files: Mapping[str, object]) -> Iterator[tuple[str, str, int, str]]:
    for path, facts in sorted(files.items()):
        if isinstance(facts, PlatformFacts):
            yield from ((path, name, line, f"{name} is set or listed") for name, line in facts.names)
        elif isinstance(facts, ShellFacts):
            yield from ((path, name, line, f"the script takes {name}") for name, line in _in_script(facts))
        elif isinstance(facts, ComposeFacts):
            for service in facts.services:
                names = (*(name for name, _ in service.environment), *service.passed_through)
                yield from ((path, name, service.span.line, f"{service.name} is given it") for name in names)
        elif isinstance(facts, DockerfileFacts):
            for stage in facts.stages:
                yield from ((path, name, stage.span.line, "the image sets it") for name, _ in (*stage.env, *stage.args))
        elif isinstance(facts, KubernetesFacts):
            for workload in facts.workloads:
                for container in (*workload.containers, *workload.init_containers):
                    yield from ((path, v.name, v.span.line, f"{container.name} is given it") for v in container.env)
            for config in facts.config_maps:
                yield from ((path, name, config.span.line, f"{config.name} holds it") for name, _ in config.data)
