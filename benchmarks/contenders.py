"""Who takes part: the commands, what has to be done before each run, and which exit codes are fine."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from assay.scanner.discovery import SourceFile, discover
from assay.scanner.filekinds import FileKind
from assay.scanner.survey import as_read, is_wanted
from benchmarks.environment import ROOT, tool
from benchmarks.measure import measure

_HERE = ROOT / "benchmarks"
_ASSAY = (sys.executable, "-m", "assay.scanner")
_ADDED = """

def probed_{number}(value: int) -> int:
    import logging

    logging.getLogger(__name__).info("probed %s", value)
    return value + {number}
"""
_number = count()
"""No two runs add the same function: the second one would be remembered."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What a run is about: the tree to check, and a folder for Assay's cache."""

    tree: Path
    cache: Path

    @property
    def list(self) -> Path:
        """Where the names of the files that Assay parses are written down."""
        return self.cache.with_suffix(".list")


@dataclass(frozen=True, slots=True)
class Contender:
    """A program to measure. `tool` is what `--only` calls it; `command` is None where it isn't installed."""

    name: str
    tool: str
    command: Callable[[Setting], Sequence[str] | None]
    prepared: Callable[[Setting], AbstractContextManager[None]] = lambda _: nullcontext()
    fine: frozenset[int] = frozenset({0})
    is_slow: bool = False


def _assay(*options: str) -> Callable[[Setting], Sequence[str]]:
    return lambda setting: (*_ASSAY, "scan", str(setting.tree), *options)


def _cached(setting: Setting) -> Sequence[str]:
    return _assay("--cache-dir", str(setting.cache))(setting)


def _installed(program: str, *options: str) -> Callable[[Setting], Sequence[str] | None]:
    def command(setting: Setting) -> Sequence[str] | None:
        path = tool(program)
        return (str(path), *options, str(setting.tree)) if path else None

    return command


def parsed_files(tree: Path) -> list[SourceFile]:
    """The Python files that a scan of the tree parses in full: of tests only what they ask and assert is read."""
    return [file for file in map(as_read, discover(tree).files) if file.kind is FileKind.PYTHON and is_wanted(file)]


@contextmanager
def _listed(setting: Setting) -> Iterator[None]:
    """What Assay parses stands in a list."""
    names = [str(setting.tree / file.path) for file in parsed_files(setting.tree)]
    setting.list.parent.mkdir(parents=True, exist_ok=True)
    setting.list.write_text("\n".join(names), encoding="utf-8")
    yield


@contextmanager
def _remembered(setting: Setting) -> Iterator[None]:
    """An earlier scan of the tree as it is now lies in the cache."""
    measure(_cached(setting))
    yield


@contextmanager
def _one_file_changed(setting: Setting) -> Iterator[None]:
    """As before, but then a function is added to the Python file of median size."""
    with _remembered(setting):
        files = sorted(parsed_files(setting.tree), key=lambda file: (file.size, file.path))
        path = setting.tree / files[len(files) // 2].path
        before = path.read_bytes()
        path.write_bytes(before + _ADDED.format(number=next(_number)).encode())
        try:
            yield
        finally:
            path.write_bytes(before)


HELP = "assay --help"
COLD = "assay scan, cold"
COLD_ALONE = "assay scan, cold, --no-analyzers"
WARM = "assay scan, nothing changed"
CHANGED = "assay scan, one file changed"
BANDIT = "bandit"
PARSE = "libcst parse"
SEMGREP = "semgrep"
FIXIT = "fixit"
PYLINT = "pylint"

_SEMGREP = (
    *("scan", "--config", str(_HERE / "semgrep.yaml"), "--jobs=2", "--include=*.py", "--quiet"),
    *("--metrics=off", "--disable-version-check"),
    # By default semgrep leaves out what git ignores, and every folder called `build` or `tests`.
    *("--no-git-ignore", "--x-ignore-semgrepignore-files"),
)

CONTENDERS = (
    Contender(HELP, "assay", lambda _: (*_ASSAY, "--help")),
    Contender(COLD, "assay", _assay("--no-cache")),
    Contender(COLD_ALONE, "assay", _assay("--no-cache", "--no-analyzers")),
    Contender(WARM, "assay", _cached, _remembered),
    Contender(CHANGED, "assay", _cached, _one_file_changed),
    Contender(PARSE, "libcst", lambda s: (sys.executable, str(_HERE / "native_parse.py"), str(s.list)), _listed),
    Contender(
        BANDIT, "bandit", lambda s: (sys.executable, "-m", "bandit", "-q", "-r", str(s.tree)), fine=frozenset({0, 1})
    ),
    Contender(
        SEMGREP,
        "semgrep",
        _installed("semgrep", *_SEMGREP),
        is_slow=True,
    ),
    Contender(FIXIT, "fixit", _installed("fixit", "--quiet", "lint"), fine=frozenset(range(4)), is_slow=True),
    Contender(
        PYLINT,
        "pylint",
        _installed("pylint", "--recursive=y", "--persistent=n", "--jobs=2", f"--rcfile={os.devnull}"),
        fine=frozenset(range(32)),
        is_slow=True,
    ),
)
"""Those of one kind stand together; each run of all of them goes through the list once."""

TOOLS = tuple(dict.fromkeys(contender.tool for contender in CONTENDERS))


def forget(setting: Setting) -> None:
    """Take Assay's cache of an earlier benchmark away."""
    shutil.rmtree(setting.cache, ignore_errors=True)
