"""What images install with pip past a lock file."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator

from assay.scanner.model.place import Evidence
from assay.scanner.readers import shell
from assay.scanner.readers.dependencies import Pin, requirement
from assay.scanner.readers.dockerfile import DockerfileFacts
from assay.scanner.readers.span import Span

_INSTALLERS = frozenset(
    {"pip", "wheel", "setuptools", "uv", "poetry", "pipenv", "pdm", "pip-tools", "virtualenv", "pipx"}
)
"""What installs packages, and is none of the service's."""
_WITH_VALUE = frozenset(
    {"-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t"}
    | {"--target", "--prefix", "--root", "--python", "--platform", "--cache-dir", "--trusted-host", "--proxy", "--src"}
    | {"--group", "--extra", "--only-group", "--index", "--default-index", "--upgrade-package", "--no-binary", "-p"}
    | {"--only-binary", "--index-strategy", "--timeout", "--retries"}
)
_TOOLS = {"poetry.lock": "poetry", "uv.lock": "uv", "pdm.lock": "pdm", "Pipfile.lock": "pipenv"}
_PIP = re.compile(r"(.*/)?(pip[\d.]*|uv)")


def loose_installs(path: str, image: DockerfileFacts) -> Iterator[Evidence]:
    """Packages that a RUN names without a version: every build may get another one."""
    for stage in image.stages:
        for run in stage.runs:
            for command in shell.commands(shell.parse(run.text)):
                for word in _named(command.words):
                    yield run.span.evidence(path, f"installs {word} in whatever version there is")


def lock_left_unused(path: str, image: DockerfileFacts, locks: Collection[str]) -> Evidence | None:
    """A `pip install` of what the service declares, in an image that never speaks of the tool whose lock there is."""
    tools = {_TOOLS[name] for lock in locks if (name := posixpath.basename(lock)) in _TOOLS}
    runs = [run for stage in image.stages for run in stage.runs]
    if not tools or any(tool in run.text for tool in tools for run in runs):
        return None
    for run in runs:
        for command in shell.commands(shell.parse(run.text)):
            if _installs_what_is_declared(command.words):
                return run.span.evidence(path, f"installs without {' or '.join(sorted(tools))}, whose lock there is")
    return None


def _installs_what_is_declared(words: tuple[str, ...]) -> bool:
    """`pip install .`, `pip install -r requirements.txt`."""
    is_pip = "install" in words and any(_PIP.fullmatch(word) for word in words[: words.index("install")])
    return is_pip and any(word in ("-r", "--requirement", ".", "./") or word.startswith(".[") for word in words)


def _named(words: tuple[str, ...]) -> Iterator[str]:
    """The loose ones among the packages that a `pip install` names."""
    if "install" not in words or not any(_PIP.fullmatch(word) for word in words[: words.index("install")]):
        return
    skip = False
    for word in words[words.index("install") + 1 :]:
        if skip or word.startswith("-"):
            skip = not skip and word in _WITH_VALUE
            continue
        if "$" in word or "/" in word or word.startswith("."):
            continue
        found = requirement(word, Span(1, 1, 1, 1))
        if found is not None and found.pin in (Pin.FREE, Pin.RANGE) and found.name.lower() not in _INSTALLERS:
            yield word
