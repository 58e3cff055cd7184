"""What only wraps a command: environments, containers, runners. The command inside is what counts."""

from __future__ import annotations

import re
from collections.abc import Collection

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=.*", re.DOTALL)
_PYTHON = re.compile(r"(.*/)?(python|python3|pypy3?|py)(\.\d+|\d\.\d+|[\d.]+)?(\.exe)?|\$\{?PYTHON\}?")
_PLAIN = frozenset({"sudo", "time", "nice", "exec", "command", "nohup", "xvfb-run", "stdbuf", "env", "winpty", "then"})
_RUNNERS = frozenset(
    {"uv", "poetry", "pipenv", "pdm", "hatch", "rye", "conda", "micromamba", "mamba", "pixi", "dotenv"}
)
_TOOL_RUNNERS = frozenset({"uvx", "pipx"})
_WITH_VALUE: Collection[str] = frozenset(
    {"--with", "--python", "-p", "--group", "--extra", "--directory", "--project", "-n", "--name", "--env-file"}
    | {"--package", "-e", "--env", "-f", "--file", "-u", "--user", "-w", "--workdir", "-v", "--volume", "--entrypoint"}
    | {"--network", "--mount", "--platform", "--with-requirements", "--with-editable", "--no-group", "--only-group"}
    | {"--profile", "--project-name", "--index", "--from", "-C", "--spec", "--env-name", "-l", "--label", "--publish"}
    | {"--memory", "-m", "--cpus", "--link", "--add-host", "--host", "-H", "--context", "-h", "--hostname", "--cwd"}
)
_TOOL_IMAGES = frozenset(
    {"gitleaks", "trivy", "grype", "hadolint", "checkov", "trufflehog", "osv-scanner", "kics", "kube-linter", "dockle"}
    | {"k6", "locust"}
)
"""Images that start the tool of their name, whatever words follow."""
_FLAGS_OF_PYTHON = {"-W", "-X"}
_MOST = 12


def unwrapped(words: tuple[str, ...]) -> tuple[str, ...]:
    """The command itself. What a shell is given as text (`bash -c`) is left, for the text is a script."""
    for _ in range(_MOST):
        inner = _inside(words)
        if inner == words or not inner:
            return inner
        words = inner
    return words


def _inside(words: tuple[str, ...]) -> tuple[str, ...]:
    if not words:
        return words
    first, name = words[0], words[0].rpartition("/")[2]
    if _ASSIGNMENT.fullmatch(first):
        return words[1:]
    if name in _PLAIN:
        return _after_options(words[1:], {"-u", "-n", "--server-args", "-s", "-E"} if name != "time" else set())
    if name == "timeout":
        return _after_options(words[1:], {"-k", "-s", "--signal"})[1:]
    if name in _TOOL_RUNNERS:
        rest = words[2:] if words[1:2] == ("run",) else words[1:]
        return _without_version(_after_options(rest))
    if name in _RUNNERS:
        return _run_by(words, name)
    if _PYTHON.fullmatch(first):
        return _python(words)
    if name in ("docker-compose", "docker", "podman", "podman-compose", "nerdctl"):
        return _in_container(words, name)
    if "--" in words and name in ("kubectl", "wait-for-it", "wait-for-it.sh", "wait-for", "dockerize", "op", "doppler"):
        return words[words.index("--") + 1 :]
    return words


def _run_by(words: tuple[str, ...], name: str) -> tuple[str, ...]:
    """`uv run`, `uv tool run`, `hatch -e test run`; other subcommands are commands themselves."""
    rest = _after_options(words[1:])
    if rest[:2] == ("tool", "run"):
        return _without_version(_after_options(rest[2:]))
    if rest[:1] == ("run",):
        inner = _after_options(rest[1:])
        if name == "hatch" and inner and ":" in inner[0]:
            return (inner[0].rpartition(":")[2], *inner[1:])
        return inner
    return words


def _python(words: tuple[str, ...]) -> tuple[str, ...]:
    """`python -m pytest` is pytest; a script is left with its interpreter."""
    rest = words[1:]
    while rest and rest[0].startswith("-"):
        if rest[0] == "-m":
            return rest[1:]
        if rest[0].startswith("-") and rest[0].endswith("m") and len(rest[0]) > 2 and not rest[0].startswith("--"):
            return rest[1:]
        if rest[0] == "-c":
            return words
        rest = rest[2:] if rest[0] in _FLAGS_OF_PYTHON else rest[1:]
    return ("python", *rest)


def _in_container(words: tuple[str, ...], name: str) -> tuple[str, ...]:
    rest = _after_options(words[1:])
    if name in ("docker", "podman", "nerdctl") and rest[:1] == ("compose",):
        rest = _after_options(rest[1:])
    if rest[:1] in (("run",), ("exec",)):
        # What is left begins with the image, the container or the service.
        inner = _after_options(rest[1:])
        tool = inner[0].rpartition("/")[2].partition(":")[0].partition("@")[0] if inner else ""
        if tool in _TOOL_IMAGES and inner[1:2] != (tool,):
            return (tool, *inner[1:])
        return inner[1:] or words
    return words


def _after_options(words: tuple[str, ...], with_value: Collection[str] = _WITH_VALUE) -> tuple[str, ...]:
    while words and words[0].startswith("-"):
        if words[0] == "--":
            return words[1:]
        words = words[2:] if words[0] in with_value else words[1:]
    return words


def _without_version(words: tuple[str, ...]) -> tuple[str, ...]:
    """`uvx ruff@0.4 check` runs ruff."""
    return (words[0].partition("@")[0].partition("==")[0], *words[1:]) if words else words
