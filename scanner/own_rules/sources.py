"""Where rules of one's own come from: files that the command line names, and plugins that are installed.

Nothing in a scanned tree ever names a rule: whoever can write to the tree could run code on the machine that scans it.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from importlib.metadata import EntryPoint, distributions
from pathlib import Path

from assay.scanner.own_rules.errors import OwnRuleError
from assay.scanner.rulebook import RuleFormat, RuleSource

__all__ = ["GROUP", "installed", "read_files"]

GROUP = "assay.rules"
"""The group of entry points; each names a module or a package of rules."""
_FORMATS = {".py": RuleFormat.PYTHON, ".yaml": RuleFormat.DATA, ".yml": RuleFormat.DATA}


def read_files(paths: Iterable[Path]) -> tuple[RuleSource, ...]:
    """The files as they are now, in the order given, each once; of a folder those in it. Raises OwnRuleError."""
    found: dict[Path, RuleSource] = {}
    for file in (file for path in paths for file in _files(path)):
        form = _FORMATS.get(file.suffix)
        if form is None:
            raise OwnRuleError(str(file), "rules are a Python file (.py) or a data file (.yaml)")
        try:
            found.setdefault(file.resolve(), RuleSource(form, str(file), file.read_bytes()))
        except OSError as error:
            raise OwnRuleError(str(file), f"it can't be read: {error.strerror or error}") from error
    return tuple(found.values())


def _files(path: Path) -> list[Path]:
    """The file itself, or the files of rules in the folder: cases are in folders below it."""
    if not path.is_dir():
        return [path]
    inside = [p for p in sorted(path.iterdir()) if p.suffix in _FORMATS and p.name != "__init__.py" and p.is_file()]
    if not inside:
        raise OwnRuleError(str(path), "there are no files of rules in it (.py or .yaml)")
    return inside


def installed() -> tuple[RuleSource, ...]:
    """The plugins, by name. Raises OwnRuleError for an entry point that names no module that is there."""
    modules = {_module_of(entry, owner) for owner, entry in _entry_points()}
    return tuple(RuleSource(RuleFormat.PLUGIN, name, digest) for name, digest in sorted(modules))


def _entry_points() -> Iterator[tuple[str, EntryPoint]]:
    # `python -m` puts the current folder on the path, and that may be the tree that is scanned.
    here = Path.cwd()
    for distribution in distributions(path=[p for p in sys.path if p and Path(p).resolve() != here]):
        for entry in distribution.entry_points:
            if entry.group == GROUP:
                yield distribution.name, entry


def _module_of(entry: EntryPoint, owner: str) -> tuple[str, bytes]:
    place = f"the plugin {entry.name!r} of {owner}"
    if entry.attr or entry.extras:
        raise OwnRuleError(place, f"{entry.value!r} is more than the name of a module, and {GROUP} takes that alone")
    try:
        found = importlib.util.find_spec(entry.module)
    except Exception as error:  # finding a submodule imports its package, and that may fail in any way
        raise OwnRuleError(place, f"{entry.module} can't be imported: {type(error).__name__}: {error}") from error
    if found is None or found.origin is None:
        raise OwnRuleError(place, f"there is no module {entry.module}")
    return entry.module, _digest(Path(found.origin), found.submodule_search_locations)


def _digest(origin: Path, folders: Iterable[str] | None) -> bytes:
    """Of the code of a module, or of all the code of a package."""
    files = [origin] if folders is None else sorted(p for folder in folders for p in Path(folder).rglob("*.py"))
    digest = blake2b(digest_size=32)
    for file in files:
        code = file.read_bytes()
        digest.update(f"{file.name} {len(code)}\n".encode() + code)
    return digest.digest()
