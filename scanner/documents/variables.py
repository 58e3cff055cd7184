"""Which of the variables that a service reads are written down for whoever sets it up."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from assay.scanner.model.documentation import EnvironmentVariable
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.dockerfile import DockerfileFacts
from assay.scanner.readers.documents import DocumentFacts
from assay.scanner.readers.env_files import EnvFileFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts

_GIVEN: Mapping[str, re.Pattern[str]] = {
    "the operating system": re.compile(
        r"PATH|HOME|USER(NAME)?|LOGNAME|SHELL|HOSTNAME|PWD|TMP(DIR)?|TEMP|TZ|LANG(UAGE)?|LC_\w+|TERM|EDITOR|DISPLAY|VIRTUAL_ENV"
        r"|XDG_\w+|PYTHON\w+|SYSTEMROOT|APPDATA|PROGRAMFILES|LD_LIBRARY_PATH|INVOCATION_ID|NOTIFY_SOCKET"
    ),
    "the platform": re.compile(
        r"PORT|KUBERNETES_\w+|POD_\w+|NODE_NAME|ECS_\w+|AWS_(LAMBDA|EXECUTION|REGION|DEFAULT)\w*|K_(SERVICE|REVISION)"
        r"|GAE_\w+|GOOGLE_CLOUD_PROJECT|DYNO|HEROKU_\w+|RENDER(_\w+)?|FLY_\w+|RAILWAY_\w+|VERCEL\w*|WEBSITE_\w+|CODESPACES"
        r"|GITPOD_\w+|CONTAINER_ID"
    ),
    "CI": re.compile(r"CI|CI_\w+|GITHUB_\w+|GITLAB_\w+|JENKINS_\w+|BUILD_\w+|TOX_\w+|PYTEST_\w+|COVERAGE_\w+"),
    "a library's own documents": re.compile(
        r"OTEL_\w+|DD_\w+|AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|PROFILE)|GOOGLE_APPLICATION_CREDENTIALS"
        r"|DJANGO_SETTINGS_MODULE|FLASK_(APP|ENV|DEBUG)|RUN_MAIN|WERKZEUG_\w+|WEB_CONCURRENCY|PROMETHEUS_MULTIPROC_DIR"
        r"|prometheus_multiproc_dir|(HTTPS?|NO|ALL)_PROXY|REQUESTS_CA_BUNDLE|SSL_CERT_\w+|SERVER_SOFTWARE"
    ),
}
"""Who sets variables of these names."""
_LISTED = "pydantic settings"
"""Classes of settings are read as a list of all there are, each with its type."""


def environment_variables(settings: Iterable[Setting], files: Mapping[str, object]) -> Iterator[EnvironmentVariable]:
    """Each variable once, where it is read first."""
    described = _described(files)
    done: set[str] = set()
    for setting in sorted(settings, key=lambda s: s.location):
        for name in setting.variables if setting.role is Role.PROD else ():
            if name not in done:
                done.add(name)
                yield EnvironmentVariable(
                    name,
                    setting.location,
                    setting.role,
                    described.get(name.upper()),
                    next((who for who, pattern in _GIVEN.items() if pattern.fullmatch(name)), None),
                    setting.source == _LISTED and not setting.is_required,
                )


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


def _in_manifests(files: Mapping[str, object]) -> Iterator[tuple[str, str, int, str]]:
    for path, facts in sorted(files.items()):
        if isinstance(facts, ComposeFacts):
            for service in facts.services:
                yield from (
                    (path, name, service.span.line, f"{service.name} is given it") for name, _ in service.environment
                )
        elif isinstance(facts, DockerfileFacts):
            for stage in facts.stages:
                yield from ((path, name, stage.span.line, "the image sets it") for name, _ in (*stage.env, *stage.args))
        elif isinstance(facts, KubernetesFacts):
            for workload in facts.workloads:
                for container in (*workload.containers, *workload.init_containers):
                    yield from ((path, v.name, v.span.line, f"{container.name} is given it") for v in container.env)
            for config in facts.config_maps:
                yield from ((path, name, config.span.line, f"{config.name} holds it") for name, _ in config.data)
