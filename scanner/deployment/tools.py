"""What only building needs, left in an image that is shipped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.deployment.images import Image
from assay.scanner.model.place import Evidence
from assay.scanner.readers.dockerfile import Run

_COMPILERS = re.compile(
    r"build-essential|build-base|(gcc|g\+\+|clang|llvm)(-\d+)?|gcc-(c\+\+|gfortran)|gfortran|rust|rustc|cargo|golang(-go)?"
    r"|Development"
)
_HEADERS = re.compile(r"linux-headers(-.+)?|.+-(dev|devel)")
_FETCHED = re.compile(r"\bsh\.rustup\.rs\b(?!(.|\n)*rustup self uninstall)")
"""A compiler that no package manager brings."""
_TOOLS = re.compile(r"git(-core)?|nodejs|npm|yarn(pkg)?|subversion|mercurial|openssh-client")
"""Tools that building often needs, and some applications start."""
_NEEDED = frozenset({"libmagic-dev", "tzdata-dev"})
"""Headers that bring what runs with them, and are installed for it."""


def build_tools(image: Image) -> tuple[Evidence, ...]:
    """Compilers and headers that the stage and those it inherits from install and don't take away in the same layer;
    headers alone aren't worth a stage of their own.
    """
    installed = [(run, name) for run, name in _installed(image) if name not in _NEEDED]
    compilers = [(run, name) for run, name in installed if _COMPILERS.fullmatch(name)]
    headers = [(run, name) for run, name in installed if _HEADERS.fullmatch(name)]
    return tuple(_stays(image, run, name) for run, name in ((*compilers, *headers) if compilers else ()))


def perhaps_used(image: Image) -> tuple[Evidence, ...]:
    """Headers, and tools of which only the application's code can tell whether it starts them."""
    patterns = (_HEADERS, _TOOLS)
    return tuple(
        _stays(image, run, name)
        for run, name in _installed(image)
        if name not in _NEEDED and any(p.fullmatch(name) for p in patterns)
    )


def _stays(image: Image, run: Run, name: str) -> Evidence:
    return run.span.evidence(image.path, f"{name} stays in the image")


def _installed(image: Image) -> Iterator[tuple[Run, str]]:
    """Packages by the RUN that leaves them; a later RUN takes them out of sight, but not out of the image's layers."""
    for stage in image.chain:
        runs = {(run.span.line, run.span.column): run for run in stage.runs}
        for packages in stage.packages:
            run = runs.get((packages.span.line, packages.span.column))
            for name in packages.names if run is not None else ():
                if run is not None:
                    yield run, name
        yield from ((run, "rustc") for run in stage.runs if _FETCHED.search(run.text))
