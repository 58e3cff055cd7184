"""Which kind of file something is: by its path, and for YAML, JSON, INI and Markdown also by how it begins."""

from __future__ import annotations

import re
from enum import StrEnum

SNIFFED_BYTES = 4096
"""How much of a file `by_content` needs: enough to get past a licence header."""


class FileKind(StrEnum):
    """What a reader can expect in a file. Files of no kind are not read at all."""

    PYTHON = "python"
    TEST_CODE = "test_code"
    """Python that tests the service: by its path it is PYTHON, and its role makes it this for those who read it."""
    DOCKERFILE = "dockerfile"
    DOCKERIGNORE = "dockerignore"
    COMPOSE = "compose"
    KUBERNETES = "kubernetes"
    """YAML (or JSON) that holds at least one document with `apiVersion` and `kind`; it may be a Helm template."""
    CI_WORKFLOW = "ci_workflow"
    DEPENDENCY_BOT = "dependency_bot"
    """Settings of Dependabot or Renovate."""
    PROXY = "proxy"
    """Configuration of nginx, Apache or Caddy."""
    OPENAPI = "openapi"
    PROMETHEUS_RULES = "prometheus_rules"
    MONITORING = "monitoring"
    """Where alerts go, dashboards, objectives: files of Alertmanager, Grafana and Sloth."""
    ENV_FILE = "env_file"
    PACKAGE_METADATA = "package_metadata"
    PROCFILE = "procfile"
    SHELL = "shell"
    DOCUMENT = "document"
    """Markdown or reStructuredText, and READMEs of any kind."""
    LOGGING_CONFIG = "logging_config"
    PROTOBUF = "protobuf"
    GRAPHQL = "graphql"
    """Definitions in GraphQL's schema language; a client's queries look alike from outside."""
    YAML_OTHER = "yaml_other"
    TASKS = "tasks"
    """A Makefile and its like: commands under names."""
    CHECKS = "checks"
    """Settings of tests, of their coverage, and of tox."""
    HOSTED = "hosted"
    """Settings of a scanner that may run elsewhere."""
    CODEOWNERS = "codeowners"
    PLATFORM = "platform"
    """Settings of what runs the service, other than manifests: Helm's values, Terraform, units of systemd."""
    LANDMARK = "landmark"
    """What tells something by being there: the licence at the top, a list of maintainers, a drawing of the services."""
    LOAD_SCENARIO = "load_scenario"
    """A load test that is no Python, or what lies beside one."""
    EVIDENCE = "evidence"
    """What a tool measured: coverage, results of tests, latencies."""


SNIFFED_SUFFIXES = (".md", ".yml", ".yaml", ".json", ".ini", ".conf", ".cfg")

UNREAD = frozenset({FileKind.YAML_OTHER, FileKind.LANDMARK})
"""Kinds that no reader wants: such files are only known to be there."""
_BY_SUFFIX = {
    ".py": FileKind.PYTHON,
    ".sh": FileKind.SHELL,
    ".bash": FileKind.SHELL,
    ".markdown": FileKind.DOCUMENT,
    ".mdx": FileKind.DOCUMENT,
    ".rst": FileKind.DOCUMENT,
    ".adoc": FileKind.DOCUMENT,
    ".asciidoc": FileKind.DOCUMENT,
    ".tf": FileKind.PLATFORM,
    ".tfvars": FileKind.PLATFORM,
    ".service": FileKind.PLATFORM,
    ".dockerfile": FileKind.DOCKERFILE,
    ".dockerignore": FileKind.DOCKERIGNORE,
    ".rules": FileKind.PROMETHEUS_RULES,
    ".env": FileKind.ENV_FILE,
    ".proto": FileKind.PROTOBUF,
    ".graphql": FileKind.GRAPHQL,
    ".graphqls": FileKind.GRAPHQL,
    ".gql": FileKind.GRAPHQL,
}

HOSTED_SETTINGS = {
    ".snyk": "Snyk",
    "sonar-project.properties": "Sonar",
    ".sonarcloud.properties": "Sonar",
    ".deepsource.toml": "DeepSource",
    ".codacy.yml": "Codacy",
    ".codacy.yaml": "Codacy",
    ".codeclimate.yml": "Code Climate",
    ".semgrep.yml": "Semgrep",
    ".semgrepignore": "Semgrep",
    "codeql-config.yml": "CodeQL",
    ".pyup.yml": "PyUp",
    ".safety-policy.yml": "Safety",
    "osv-scanner.toml": "OSV-Scanner",
    ".whitesource": "Mend",
    ".gitguardian.yml": "GitGuardian",
    ".gitguardian.yaml": "GitGuardian",
    ".gitleaks.toml": "Gitleaks",
    ".gitleaksignore": "Gitleaks",
    ".secrets.baseline": "detect-secrets",
    "secret_scanning.yml": "GitHub's secret scanning",
    ".trivyignore": "Trivy",
    ".grype.yaml": "Grype",
    ".checkov.yml": "Checkov",
    ".checkov.yaml": "Checkov",
    ".hadolint.yaml": "Hadolint",
}
"""Names of files, with the tool that they set up."""

_BY_NAME = {
    "pyproject.toml": FileKind.PACKAGE_METADATA,
    "setup.cfg": FileKind.PACKAGE_METADATA,
    "Pipfile": FileKind.PACKAGE_METADATA,
    "Pipfile.lock": FileKind.PACKAGE_METADATA,
    "poetry.lock": FileKind.PACKAGE_METADATA,
    "uv.lock": FileKind.PACKAGE_METADATA,
    "pdm.lock": FileKind.PACKAGE_METADATA,
    "environment.yml": FileKind.PACKAGE_METADATA,
    "environment.yaml": FileKind.PACKAGE_METADATA,
    ".flaskenv": FileKind.ENV_FILE,
    ".dockerignore": FileKind.DOCKERIGNORE,
    ".containerignore": FileKind.DOCKERIGNORE,
    "Jenkinsfile": FileKind.CI_WORKFLOW,
    ".gitlab-ci.yml": FileKind.CI_WORKFLOW,
    ".travis.yml": FileKind.CI_WORKFLOW,
    ".drone.yml": FileKind.CI_WORKFLOW,
    "appveyor.yml": FileKind.CI_WORKFLOW,
    "azure-pipelines.yml": FileKind.CI_WORKFLOW,
    "bitbucket-pipelines.yml": FileKind.CI_WORKFLOW,
    "cloudbuild.yml": FileKind.CI_WORKFLOW,
    "cloudbuild.yaml": FileKind.CI_WORKFLOW,
    ".pre-commit-config.yaml": FileKind.CI_WORKFLOW,
    "tox.ini": FileKind.CHECKS,
    "tox.toml": FileKind.CHECKS,
    "ruff.toml": FileKind.CHECKS,
    ".ruff.toml": FileKind.CHECKS,
    "pytest.ini": FileKind.CHECKS,
    ".pytest.ini": FileKind.CHECKS,
    ".coveragerc": FileKind.CHECKS,
    "coverage.ini": FileKind.CHECKS,
    **dict.fromkeys(HOSTED_SETTINGS, FileKind.HOSTED),
    "CODEOWNERS": FileKind.CODEOWNERS,
    "README": FileKind.DOCUMENT,
    "README.txt": FileKind.DOCUMENT,
    **dict.fromkeys(("OWNERS", "MAINTAINERS", "LICENSE", "LICENCE", "COPYING"), FileKind.LANDMARK),
    **dict.fromkeys(("service.datadog.yaml", "service.datadog.yml", "opslevel.yml"), FileKind.LANDMARK),
    **dict.fromkeys(("render.yaml", "app.json", "fly.toml", "serverless.yml", "serverless.yaml"), FileKind.PLATFORM),
    **dict.fromkeys(("railway.json", "railway.toml"), FileKind.PLATFORM),
    "codecov.yml": FileKind.CHECKS,
    "codecov.yaml": FileKind.CHECKS,
    ".codecov.yml": FileKind.CHECKS,
    ".codecov.yaml": FileKind.CHECKS,
    "justfile": FileKind.TASKS,
    "Justfile": FileKind.TASKS,
    ".justfile": FileKind.TASKS,
    "Makefile": FileKind.TASKS,
    "makefile": FileKind.TASKS,
    "GNUmakefile": FileKind.TASKS,
    "Taskfile.yml": FileKind.TASKS,
    "Taskfile.yaml": FileKind.TASKS,
    "taskfile.yml": FileKind.TASKS,
    "dependabot.yml": FileKind.DEPENDENCY_BOT,
    "dependabot.yaml": FileKind.DEPENDENCY_BOT,
    "renovate.json": FileKind.DEPENDENCY_BOT,
    "renovate.json5": FileKind.DEPENDENCY_BOT,
    ".renovaterc": FileKind.DEPENDENCY_BOT,
    ".renovaterc.json": FileKind.DEPENDENCY_BOT,
    ".renovaterc.json5": FileKind.DEPENDENCY_BOT,
}

_NAME_PATTERNS = (
    (re.compile(r"(docker|container)file(?!\.(dockerignore|md|rst|txt)$)([._-].+)?", re.I), FileKind.DOCKERFILE),
    (re.compile(r"(docker-)?compose([._-].+)?\.ya?ml", re.I), FileKind.COMPOSE),
    (re.compile(r"\.env(rc)?([._-].+)?|env[._-](example|sample|template|dist)", re.I), FileKind.ENV_FILE),
    (re.compile(r"values([._-].+)?\.ya?ml|task[-_]?def(inition)?s?([._-].+)?\.json", re.I), FileKind.PLATFORM),
    (re.compile(r"(readme|run-?book|play-?book|contributing|install)([._-].+)?\.txt", re.I), FileKind.DOCUMENT),
    (re.compile(r"Procfile([._-].+)?"), FileKind.PROCFILE),
    (re.compile(r"Caddyfile([._-].+)?|nginx[._-]?.*\.conf|.+\.nginx|.+\.conf\.(template|j2|tmpl)"), FileKind.PROXY),
    (re.compile(r"(.+[-_.])?(requirements|constraints)([-_.].+)?\.(txt|in)", re.I), FileKind.PACKAGE_METADATA),
    (re.compile(r"pylock(\..+)?\.toml"), FileKind.PACKAGE_METADATA),
    (re.compile(r"(.+[-_.])?(openapi|swagger)([-_.].+)?\.(ya?ml|json)", re.I), FileKind.OPENAPI),
    (re.compile(r"(.+\.)?rules\.ya?ml", re.I), FileKind.PROMETHEUS_RULES),
    (
        re.compile(
            r"(.+[-_.])?coverage([-_.].+)?\.xml|cobertura([-_.].+)?\.xml|(.+[-_.])?junit([-_.].+)?\.xml|TEST-.+\.xml"
            r"|(test|pytest)[-_]?(results?|reports?)([-_.].+)?\.xml|.+_stats\.csv|(.+[-_.])?pg_stat_statements([-_.].+)?\.csv"
        ),
        FileKind.EVIDENCE,
    ),
    (
        re.compile(
            r"(logging|log[-_]?(conf|config)|logger)([-_.]?(conf|config))?([-_.].+)?\.(ya?ml|json|ini|conf|cfg)"
        ),
        FileKind.LOGGING_CONFIG,
    ),
)

_PATH_PATTERNS = (
    (re.compile(r"(.*/)?\.(github|gitea|forgejo)/workflows/[^/]+\.ya?ml"), FileKind.CI_WORKFLOW),
    (re.compile(r"(.*/)?\.?cloudbuild/[^/]+\.ya?ml"), FileKind.CI_WORKFLOW),
    (re.compile(r"(.*/)?\.github/actions/.+/action\.ya?ml"), FileKind.CI_WORKFLOW),
    (re.compile(r"(.*/)?\.(circleci|buildkite|gitlab|gitlab-ci|semaphore|woodpecker)/.+\.ya?ml"), FileKind.CI_WORKFLOW),
    (re.compile(r"(.*/)?[^/]*\.?gitlab-ci[^/]*\.ya?ml"), FileKind.CI_WORKFLOW),
    (re.compile(r"(.*/)?requirements/[^/]+\.(txt|in)"), FileKind.PACKAGE_METADATA),
    (re.compile(r"(.*/)?\.?envs/(.+/)?\.[a-z][\w-]*"), FileKind.ENV_FILE),
)

_DRAWN = frozenset({".svg", ".png", ".jpg", ".drawio", ".puml", ".plantuml", ".mmd", ".dsl", ".excalidraw"})
_DRAWING = re.compile(
    r"(?<![a-z])(architecture|system[-_]?(context|overview|diagram)|service[-_]?map|c4)(?![a-z])", re.I
)
_SCENARIO_SUFFIXES = frozenset({".js", ".ts", ".mjs", ".jmx", ".scala"})
_SCENARIO = re.compile(
    r"(^|/)(k6|gatling|jmeter|artillery|(load|stress|perf|performance|soak)([-_]?tests?|ing)?|loadtesting|bench(marks?)?)"
    r"(/|[-_.][^/]*$)|\.jmx$|(^|/)[^/]*[-_.](k6|artillery|load[-_]?test)\.[jt]s$|Simulation\.scala$",
    re.IGNORECASE,
)
_YAML_SCENARIO = re.compile(
    r"(^|/)(artillery|taurus|bzt)([-_.][^/]*)?\.ya?ml$|(^|/)(artillery|load[-_]?tests?)/[^/]*\.ya?ml$"
)
_NO_CANDIDATE_SUFFIXES = frozenset(
    {".css", ".gif", ".go", ".html", ".ico", ".java", ".jpg", ".js", ".jsx", ".map", ".mo", ".po", ".png", ".scss"}
    | {".svg", ".ts", ".tsx", ".vue", ".woff", ".woff2"}
)
"""Names that are settled without trying a pattern: they fill most trees."""


def by_path(path: str) -> FileKind | None:
    """The kind that the path alone settles; None where it doesn't, or where there is nothing to read."""
    name = path[path.rfind("/") + 1 :]
    dot = name.rfind(".")
    suffix = name[dot:] if dot > 0 else ""
    if suffix == ".py":
        return FileKind.PYTHON
    if suffix in _SCENARIO_SUFFIXES and _SCENARIO.search(path):
        return FileKind.LOAD_SCENARIO
    if suffix in _DRAWN and is_drawing(path):
        return FileKind.LANDMARK
    if suffix in _NO_CANDIDATE_SUFFIXES:
        return None
    if name in _BY_NAME:
        return _BY_NAME[name]
    for pattern, kind in _PATH_PATTERNS:
        if pattern.fullmatch(path):
            return kind
    for pattern, kind in _NAME_PATTERNS:
        if pattern.fullmatch(name):
            return kind
    if suffix in (".yml", ".yaml") and _YAML_SCENARIO.search(path):
        return FileKind.LOAD_SCENARIO
    return _BY_SUFFIX.get(suffix.lower())


def is_drawing(path: str) -> bool:
    """Whether the file draws how the parts of a system work together, by its name."""
    return path.endswith(tuple(_DRAWN)) and _DRAWING.search(path) is not None


def needs_sniffing(path: str) -> bool:
    """`by_path` can't tell, but the beginning of the file can."""
    return path.endswith(SNIFFED_SUFFIXES)


_MANIFEST = tuple(re.compile(rb"^[\"']?" + key + rb"[\"']?[ ]*:", re.MULTILINE) for key in (b"apiVersion", b"kind"))
_SORTED_MANIFEST = re.compile(rb"^apiVersion[ ]*:[ ]*v1[ ]*\n(data|binaryData|items|stringData)[ ]*:", re.MULTILINE)
"""Tools that sort keys put a long ConfigMap's content before its kind."""
_KINDS = re.compile(rb"^kind[ ]*:[ ]*[\"']?(\w+)", re.MULTILINE)
_OPENAPI_YAML = re.compile(rb"^[\"']?(openapi|swagger)[\"']?[ ]*:[ ]*[\"']?[23]\.", re.MULTILINE)
_PROMETHEUS = re.compile(rb"^groups[ ]*:.*^[ ]+(-[ ]+)?(alert|record)[ ]*:", re.MULTILINE | re.DOTALL)
_ROUTES = re.compile(rb"^route[ ]*:[^\n]*\n(.*\n)*?[ ]+(receiver|routes)[ ]*:.*", re.MULTILINE)
_MONITORING = re.compile(
    rb"^(contactPoints|policies)[ ]*:.*^[ ]*(-[ ]+)?(orgId|receivers?)[ ]*:|^version[ ]*:[ ]*[\"']?prometheus/v1"
    rb"|^groups[ ]*:.*^[ ]+(-[ ]+)?condition[ ]*:",
    re.MULTILINE | re.DOTALL,
)
_VALUES = re.compile(
    rb"^[ ]+groups[ ]*:[ ]*\n[ ]+-.*^[ ]+(-[ ]+)?(alert|record)[ ]*:"
    rb"|^[ ]+route[ ]*:[ ]*\n.*^[ ]+receivers[ ]*:[ ]*\n[ ]+-",
    re.MULTILINE | re.DOTALL,
)
"""Of charts that run Prometheus and Alertmanager."""
_RECEIVERS = re.compile(rb"^(receivers|inhibit_rules|templates|global)[ ]*:|^[ ]+group_by[ ]*:", re.MULTILINE)
_DASHBOARD = re.compile(
    rb"^\s*\{.*\"(builtIn|__inputs|__requires|graphTooltip|fiscalYearStartMonth|gridPos|gnetId|expr)\"\s*:"
    rb"|^\s*\{.*\"(contactPoints|policies)\"\s*:|^\s*\{.*\"groups\"\s*:\s*\[.*\"(condition|alert|record)\"\s*:",
    re.DOTALL,
)
_COMPOSE = re.compile(rb"^services[ ]*:.*^[ ]+(image|build)[ ]*:", re.MULTILINE | re.DOTALL)
_LOGGING_YAML = re.compile(rb"^(handlers|formatters)[ ]*:.*^(handlers|loggers|root)[ ]*:", re.MULTILINE | re.DOTALL)
_LOGGING_JSON = re.compile(rb"^\s*\{.*\"formatters\"\s*:\s*\{.*\"handlers\"\s*:\s*\{", re.DOTALL)
_LOGGING_INI = re.compile(rb"^\[(loggers|handlers|formatters)\]", re.MULTILINE)
_PROXY = re.compile(
    rb"^\s*(server|http|location[^\n]*|upstream[^\n]*)\s*\{|<VirtualHost\b|^\s*add_header\s", re.MULTILINE
)
_JSON_OPENAPI = re.compile(rb"[{,]\s*\"(openapi|swagger)\"\s*:\s*\"[23]\.")
_JSON_EVIDENCE = (
    re.compile(rb"^\s*\{\s*\"meta\"\s*:\s*\{[^}]*\"(branch_coverage|show_contexts)\"\s*:"),
    re.compile(rb"^\s*\{\s*\"machine_info\"\s*:\s*\{.*\"python_implementation", re.DOTALL),
    re.compile(rb"^\s*\{.*\"(http_req_duration|http_reqs|iteration_duration)[\"{]", re.DOTALL),
    re.compile(rb"^\s*\[\s*\{[^{}]*\"(mean_exec_time|mean_time|total_exec_time)\"\s*:"),
)
"""What coverage.py, pytest-benchmark, k6 and an export of pg_stat_statements begin with."""
_JSON_MANIFEST = re.compile(rb"^\s*\{.*\"apiVersion\"\s*:", re.DOTALL), re.compile(rb"[{,]\s*\"kind\"\s*:")


_OWN_REPORT = b"<!-- assay:"
"""What a Markdown report begins with, which isn't what the next scan is about."""


def by_content(path: str, beginning: bytes) -> FileKind | None:
    """The kind of a YAML, JSON, INI or Markdown file by its first `SNIFFED_BYTES`; None where nothing is to be read."""
    if path.endswith((".yml", ".yaml")):
        return _yaml_kind(beginning)
    if path.endswith(".json"):
        return _json_kind(beginning)
    if path.endswith(".md"):
        return None if beginning.startswith(_OWN_REPORT) else FileKind.DOCUMENT
    if path.endswith(".conf") and _PROXY.search(beginning):
        return FileKind.PROXY
    return FileKind.LOGGING_CONFIG if _LOGGING_INI.search(beginning) else None


def _yaml_kind(beginning: bytes) -> FileKind:
    if all(key.search(beginning) for key in _MANIFEST):
        kinds = set(_KINDS.findall(beginning))
        return FileKind.PROMETHEUS_RULES if kinds <= {b"PrometheusRule", b"Rules"} else FileKind.KUBERNETES
    if _SORTED_MANIFEST.search(beginning):
        return FileKind.KUBERNETES
    if _OPENAPI_YAML.search(beginning):
        return FileKind.OPENAPI
    if _PROMETHEUS.search(beginning):
        return FileKind.PROMETHEUS_RULES
    if _MONITORING.search(beginning) or (_ROUTES.search(beginning) and _RECEIVERS.search(beginning)):
        return FileKind.MONITORING
    if _COMPOSE.search(beginning):
        return FileKind.COMPOSE
    if _LOGGING_YAML.search(beginning):
        return FileKind.LOGGING_CONFIG
    return FileKind.MONITORING if _VALUES.search(beginning) else FileKind.YAML_OTHER


def _json_kind(beginning: bytes) -> FileKind | None:
    if any(pattern.search(beginning) for pattern in _JSON_EVIDENCE):
        return FileKind.EVIDENCE
    if _JSON_OPENAPI.search(beginning):
        return FileKind.OPENAPI
    if all(key.search(beginning) for key in _JSON_MANIFEST):
        return FileKind.KUBERNETES
    if _DASHBOARD.search(beginning):
        return FileKind.MONITORING
    return FileKind.LOGGING_CONFIG if _LOGGING_JSON.search(beginning) else None
