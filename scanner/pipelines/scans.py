"""Tools that look for holes, and whether what they find stops a change: as their documents say of their exit codes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from assay.scanner.model.pipeline import CiCommand
from assay.scanner.model.scanning import Blocking, ScanKind

_CODE, _DEPENDENCIES, _SECRETS = ScanKind.CODE, ScanKind.DEPENDENCIES, ScanKind.SECRETS
_IMAGE, _INFRASTRUCTURE = ScanKind.IMAGE, ScanKind.INFRASTRUCTURE


@dataclass(frozen=True, slots=True)
class Found:
    """What a command scans, with which tool, and whether its findings stop a change."""

    tool: str
    kinds: tuple[ScanKind, ...]
    blocking: Blocking
    why: str


Look = Callable[[CiCommand], Found | None]


def scan_of(command: CiCommand, languages: str = "", *, ruff_is_secure: bool = False) -> Found | None:
    """What the command scans. `languages` are those that CodeQL was set up for before; `ruff_is_secure` says that the
    rules of flake8-bandit are among those that ruff is configured with.
    """
    if any(word in ("--version", "--help") for word in command.words[1:2]):
        return None
    if command.is_action:
        if _RUFF_ACTION.match(command.program):
            return _stops("ruff (flake8-bandit's rules)", _CODE)(command) if ruff_is_secure else None
        for name, look in _ACTIONS.items():
            if command.program.startswith(name):
                found = look(command)
                if found is not None and found.tool == "CodeQL" and not _speaks_python(languages):
                    return None
                return found
        return None
    if command.program in ("ruff", "ruff-check"):
        return _ruff(command, ruff_is_secure)
    look_at = _PROGRAMS.get(command.program)
    return look_at(command) if look_at is not None else None


def _speaks_python(languages: str) -> bool:
    return not languages or "python" in languages.lower() or "$" in languages


def _stops(tool: str, *kinds: ScanKind, never: str = "", why: str = "it fails on what it finds") -> Look:
    """A tool that exits with an error where it finds something, unless an option matches `never`."""

    def look(command: CiCommand) -> Found:
        text = _text(command)
        if never and re.search(never, text):
            return Found(tool, kinds, Blocking.NO, "an option makes it succeed whatever it finds")
        return Found(tool, kinds, Blocking.YES, why)

    return look


def _reports(tool: str, *kinds: ScanKind, stops: str = "", why: str = "") -> Look:
    """A tool that succeeds whatever it finds, unless an option matches `stops`."""

    def look(command: CiCommand) -> Found:
        if stops and re.search(stops, _text(command)):
            return Found(tool, kinds, Blocking.YES, "an option makes it fail on what it finds")
        return Found(tool, kinds, Blocking.NO, why or "it succeeds whatever it finds, unless it is told otherwise")

    return look


def _uploads(tool: str, *kinds: ScanKind) -> Look:
    """A tool whose findings are shown elsewhere; a rule of the repository may make them block."""

    def look(_: CiCommand) -> Found:
        return Found(tool, kinds, Blocking.ELSEWHERE, "its findings are uploaded; the branch's rules decide")

    return look


def _grades(tool: str, *kinds: ScanKind) -> Look:
    """A tool that says how good the repository is."""

    def look(_: CiCommand) -> Found:
        return Found(tool, kinds, Blocking.UNMEANT, "it grades the repository")

    return look


def _ruff(command: CiCommand, is_secure: bool) -> Found | None:
    is_hook = command.program == "ruff-check" or bool(command.input("repo"))
    if not is_hook and "check" not in command.words[1:2] and command.words[1:2] not in ((), (".",)):
        return None
    selected = re.search(r"--(?:extend-)?select[= ](\S+)", _text(command))
    own = selected is not None and any(re.fullmatch(r"S\d*|ALL", code) for code in selected[1].split(","))
    if not (own or is_secure):
        return None
    return _stops("ruff (flake8-bandit's rules)", _CODE, never=r"--exit-zero")(command)


def _semgrep(command: CiCommand) -> Found | None:
    if command.words[1:2] == ("ci",):
        return Found("Semgrep", (_CODE,), Blocking.YES, "`semgrep ci` fails on what blocks")
    return _reports("Semgrep", _CODE, stops=r"--error\b|--strict\b")(command)


def _trivy(command: CiCommand) -> Found | None:
    words = [word for word in command.words[1:] if not word.startswith("-")]
    chosen = re.search(r"--(?:scanners|security-checks)[= ](\S+)", _text(command))
    kinds = _trivy_kinds(words[0] if words else "", chosen[1] if chosen is not None else "")
    return _reports("Trivy", *kinds, stops=r"(--exit-code|TRIVY_EXIT_CODE)[= ][1-9]")(command) if words else None


def _trivy_kinds(target: str, scanners: str) -> tuple[ScanKind, ...]:
    """What it looks for in the target: vulnerabilities and secrets, unless it is told what."""
    kinds = _TRIVY.get(target, (_IMAGE,))
    if not scanners or _DEPENDENCIES not in kinds:
        return kinds
    by_name = {"vuln": _DEPENDENCIES, "secret": _SECRETS, "misconfig": _INFRASTRUCTURE, "config": _INFRASTRUCTURE}
    return tuple(kind for name, kind in by_name.items() if name in scanners.split(","))


_TRIVY = {
    "fs": (_DEPENDENCIES, _SECRETS),
    "filesystem": (_DEPENDENCIES, _SECRETS),
    "repo": (_DEPENDENCIES, _SECRETS),
    "config": (_INFRASTRUCTURE,),
    "k8s": (_INFRASTRUCTURE,),
    "image": (_IMAGE,),
    "rootfs": (_IMAGE,),
}


def _trivy_action(command: CiCommand) -> Found | None:
    kinds = _trivy_kinds(command.input("scan-type"), command.input("scanners"))
    return _reports("Trivy", *kinds, stops=r"\b(exit-code|TRIVY_EXIT_CODE)=[1-9]")(command)


def _snyk(command: CiCommand) -> Found | None:
    part = command.words[1] if len(command.words) > 1 else ""
    if part == "monitor":
        return Found("Snyk", (_DEPENDENCIES,), Blocking.UNMEANT, "it takes a record that is watched later")
    kinds = {"test": _DEPENDENCIES, "code": _CODE, "container": _IMAGE, "iac": _INFRASTRUCTURE}
    return _stops("Snyk", kinds[part])(command) if part in kinds else None


def _snyk_action(command: CiCommand) -> Found:
    name = command.program.rpartition("/")[2]
    kind = {"docker": _IMAGE, "iac": _INFRASTRUCTURE}.get(name, _DEPENDENCIES)
    if command.input("command") == "monitor":
        return Found("Snyk", (kind,), Blocking.UNMEANT, "it takes a record that is watched later")
    return Found("Snyk", (kind,), Blocking.YES, "it fails on what it finds")


def _detect_secrets(command: CiCommand) -> Found:
    if command.words[1:2] == ("scan",):
        why = "it writes a list and succeeds; what compares the list decides"
        return Found("detect-secrets", (_SECRETS,), Blocking.ELSEWHERE, why)
    return Found("detect-secrets", (_SECRETS,), Blocking.YES, "it fails on what it finds")


def _grype(command: CiCommand) -> Found | None:
    kind = _DEPENDENCIES if any(word.startswith(("dir:", ".")) for word in command.words[1:]) else _IMAGE
    return _reports("Grype", kind, stops=r"(--fail-on|-f)[= ]\w")(command)


def _anchore(command: CiCommand) -> Found | None:
    kind = _DEPENDENCIES if command.input("path") else _IMAGE
    return _stops("Grype", kind, never=r"\bfail-build=false")(command)


_OF_SUPER_LINTER = {"GITLEAKS": _SECRETS, "CHECKOV": _INFRASTRUCTURE, "DOCKERFILE_HADOLINT": _INFRASTRUCTURE}


def _super_linter(command: CiCommand) -> Found | None:
    """All its linters, unless some are chosen or left out (`VALIDATE_GITLEAKS`)."""
    said = {n.removeprefix("VALIDATE_"): v.lower() for n, v in command.inputs if n.startswith("VALIDATE_")}
    some = any(value == "true" for name, value in said.items() if name != "ALL_CODEBASE")
    kinds = {kind for name, kind in _OF_SUPER_LINTER.items() if said.get(name, "false" if some else "true") == "true"}
    return Found("Super-Linter", tuple(sorted(kinds)), Blocking.YES, "it fails on what it finds") if kinds else None


def _only(part: str, look: Look) -> Look:
    """Where the first word after the program says so."""

    def chosen(command: CiCommand) -> Found | None:
        return look(command) if re.fullmatch(part, command.words[1] if len(command.words) > 1 else "") else None

    return chosen


def _text(command: CiCommand) -> str:
    """Words, and the inputs of an action as `name=value`."""
    given = " ".join(f"{name}={value}" for name, value in command.inputs if name != "repo")
    return f"{' '.join(command.words)} {given}"


_PROGRAMS: dict[str, Look] = {
    "bandit": _stops("Bandit", _CODE, never=r"--exit-zero"),
    "semgrep": _semgrep,
    "opengrep": _semgrep,
    "snyk": _snyk,
    "sonar-scanner": _reports("Sonar", _CODE, stops=r"qualitygate\.wait=true"),
    "pip-audit": _stops("pip-audit", _DEPENDENCIES),
    "safety": _only("check|scan", _stops("Safety", _DEPENDENCIES, never=r"--continue-on-error|--exit-zero|--continue")),
    "python-safety-dependencies-check": _stops("Safety", _DEPENDENCIES),
    "uv-secure": _stops("uv-secure", _DEPENDENCIES),
    "osv-scanner": _stops("OSV-Scanner", _DEPENDENCIES),
    "uv": _only("audit", _stops("uv audit", _DEPENDENCIES)),
    "poetry": _only("audit", _stops("poetry audit", _DEPENDENCIES)),
    "pipenv": _only("check|audit", _stops("pipenv", _DEPENDENCIES)),
    "dependency-check": _reports("OWASP Dependency-Check", _DEPENDENCIES, stops=r"--failOnCVSS"),
    "trivy": _trivy,
    "grype": _grype,
    "gitleaks": _stops("Gitleaks", _SECRETS, never=r"--exit-code[= ]0"),
    "trufflehog": _reports("TruffleHog", _SECRETS, stops=r"--fail\b"),
    "detect-secrets": _detect_secrets,
    "detect-secrets-hook": _stops("detect-secrets", _SECRETS),
    "ggshield": _stops("ggshield", _SECRETS, never=r"--exit-zero"),
    "talisman": _stops("Talisman", _SECRETS),
    "hadolint": _stops("Hadolint", _INFRASTRUCTURE, never=r"--no-fail"),
    "hadolint-docker": _stops("Hadolint", _INFRASTRUCTURE, never=r"--no-fail"),
    "dockle": _reports("Dockle", _IMAGE, stops=r"--exit-code[= ][1-9]"),
    "checkov": _stops("Checkov", _INFRASTRUCTURE, never=r"--soft-fail|(^| )-s( |$)"),
    "kube-linter": _stops("kube-linter", _INFRASTRUCTURE),
    "kubesec": _stops("kubesec", _INFRASTRUCTURE),
    "kics": _stops("KICS", _INFRASTRUCTURE, never=r"--ignore-on-exit[= ](all|results)"),
    "tfsec": _stops("tfsec", _INFRASTRUCTURE, never=r"--soft-fail|-s\b"),
    "terrascan": _stops("Terrascan", _INFRASTRUCTURE),
    "zizmor": _stops("zizmor", _INFRASTRUCTURE, never=r"--no-exit-codes|--format[= ]sarif"),
}
"""By the program's name, which is also the id of its pre-commit hook."""

_ACTIONS: dict[str, Look] = {
    "github/codeql-action/analyze": _uploads("CodeQL", _CODE),
    "semgrep/semgrep-action": _stops("Semgrep", _CODE),
    "returntocorp/semgrep-action": _stops("Semgrep", _CODE),
    "pycqa/bandit-action": _uploads("Bandit", _CODE),
    "sonarsource/": _uploads("Sonar", _CODE),
    "snyk/actions": _snyk_action,
    "pypa/gh-action-pip-audit": _stops("pip-audit", _DEPENDENCIES),
    "pyupio/safety": _stops("Safety", _DEPENDENCIES),
    "google/osv-scanner": _stops("OSV-Scanner", _DEPENDENCIES, never=r"fail-on-vuln=false"),
    "actions/dependency-review-action": _stops("dependency-review", _DEPENDENCIES, never=r"warn-only=true"),
    "dependency-check/dependency-check_action": _reports("OWASP Dependency-Check", _DEPENDENCIES, stops="failOnCVSS"),
    "aquasecurity/trivy-action": _trivy_action,
    "anchore/scan-action": _anchore,
    "docker/scout-action": _reports("Docker Scout", _IMAGE, stops=r"exit-code=true"),
    "gitleaks/gitleaks-action": _stops("Gitleaks", _SECRETS),
    "trufflesecurity/trufflehog": _stops("TruffleHog", _SECRETS),
    "gitguardian/ggshield": _stops("ggshield", _SECRETS),
    "hadolint/hadolint-action": _stops("Hadolint", _INFRASTRUCTURE, never=r"no-fail=true"),
    "bridgecrewio/checkov-action": _stops("Checkov", _INFRASTRUCTURE, never=r"soft_fail=true"),
    "stackrox/kube-linter-action": _stops("kube-linter", _INFRASTRUCTURE),
    "checkmarx/kics-github-action": _stops("KICS", _INFRASTRUCTURE, never=r"ignore_on_exit=(all|results)"),
    "aquasecurity/tfsec": _stops("tfsec", _INFRASTRUCTURE, never=r"soft_fail=true"),
    "zizmorcore/zizmor-action": _uploads("zizmor", _INFRASTRUCTURE),
    "dependencytrack/gh-upload-sbom": _uploads("Dependency-Track", _DEPENDENCIES),
    "snyk/scan": _stops("Snyk", _DEPENDENCIES, never=r"fail-on-issues=false"),
    "snyk/snyk-scan": _stops("Snyk", _DEPENDENCIES),
    "snyksecurityscan": _stops("Snyk", _DEPENDENCIES),
    "advancedsecurity-codeql-analyze": _uploads("CodeQL", _CODE),
    "advancedsecurity-dependency-scanning": _uploads("GitHub Advanced Security", _DEPENDENCIES),
    "microsoftsecuritydevops": _stops("Microsoft Security DevOps", _CODE, _INFRASTRUCTURE),
    "microsoft/security-devops-action": _uploads("Microsoft Security DevOps", _CODE, _INFRASTRUCTURE),
    "sonarcloud": _uploads("Sonar", _CODE),
    "sonarqube": _uploads("Sonar", _CODE),
    "super-linter/super-linter": _super_linter,
    "github/super-linter": _super_linter,
    "oxsecurity/megalinter": _stops("MegaLinter", _CODE, _DEPENDENCIES, _SECRETS, _INFRASTRUCTURE),
    "ossf/scorecard-action": _grades("OpenSSF Scorecard", _INFRASTRUCTURE),
}
"""By the beginning of the action's name, in lower case."""

_RUFF_ACTION = re.compile(r"(astral-sh|chartboost)/ruff-action")

_TEMPLATES = (
    ("SAST-IaC", "GitLab's IaC scanning", _INFRASTRUCTURE),
    ("SAST", "GitLab's SAST", _CODE),
    ("Secret-Detection", "GitLab's secret detection", _SECRETS),
    ("Dependency-Scanning", "GitLab's dependency scanning", _DEPENDENCIES),
    ("Container-Scanning", "GitLab's container scanning", _IMAGE),
)


def scan_of_template(name: str) -> Found | None:
    """What a template or a component of GitLab's own scans. Its jobs may fail: policies decide about merging."""
    why = "its job may fail; only a policy on merge requests stops a change"
    if "Auto-DevOps" in name:
        kinds = (_CODE, _DEPENDENCIES, _SECRETS, _IMAGE)
        return Found("GitLab's Auto DevOps", kinds, Blocking.ELSEWHERE, why)
    for part, tool, kind in _TEMPLATES:
        is_component = name.partition("@")[0].lower().endswith(f"/{part.lower()}")
        if f"{part}." in name or is_component:
            return Found(tool, (kind,), Blocking.ELSEWHERE, why)
    return None
