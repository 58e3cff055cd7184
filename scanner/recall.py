"""What earlier scans found out: the facts of files and whole results, kept in the cache and asked for again.

A key names everything that an answer was computed from: the bytes of the files, the code that looks at them, the
interpreter and the installed libraries. So an answer that is found is the one that would be computed now.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import msgspec
from msgspec import structs

from assay.scanner.cache import Cache
from assay.scanner.config import Config
from assay.scanner.diagnostics import Reason
from assay.scanner.discovery import SourceFile, Tree
from assay.scanner.evidence.figures import NOTHING_MEASURED, Measured
from assay.scanner.filekinds import FileKind
from assay.scanner.libraries import Library
from assay.scanner.outcomes import FileOutcome, content_digest
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import RuleSource, RuleText

if TYPE_CHECKING:
    from assay.scanner.judging import Judged, Task

__all__ = ["Question", "Recall", "digest_of_code", "digests_of"]

_T = TypeVar("_T")

_PACKAGE = Path(__file__).parent
_WHAT_READS = ("analyzers", "evidence", "readers", "diagnostics.py", "filekinds.py", "outcomes.py", "reading.py")
"""The part of the scanner that makes facts; the rest may change without making them stale."""
_CODE = (".py", ".yaml")
_NOT_OF_THE_FILE = frozenset({Reason.READER_CRASHED, Reason.UNREADABLE})
"""Another day the machine may have more memory, and the user the right to read."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a scan's result hangs on, besides the scanner: the files with their digests, what the user chose, and the
    rules (codes with severities) of packages and of one's own. `metadata` holds further bytes by path.
    """

    tree: Tree
    digests: Mapping[str, bytes]
    config: Config
    analyzers: bool
    packages: tuple[str, ...]
    rules: tuple[tuple[str, str], ...]
    metadata: Mapping[str, bytes]
    libraries: tuple[Library, ...]
    own: tuple[RuleSource, ...] = ()
    measured: Measured = NOTHING_MEASURED
    added: frozenset[str] = frozenset()


class Recall:
    """The cache in the words of the engine. Anything it holds that doesn't decode is as good as not there."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._packages: dict[str, bytes] = {}

    def file(self, file: SourceFile, digest: bytes, analyze: bool) -> FileOutcome | None:
        """What reading a file with that content gave."""
        # What the analyzers said besides does no harm.
        for analyzed in (True,) if analyze else (False, True):
            stored = self._cache.get(self._file_key(file.kind, file.path, digest, analyzed))
            outcome = _decoded(stored, FileOutcome)
            if outcome is not None and (outcome.kind, outcome.digest) == (file.kind, digest):
                outcome.path = file.path
                if not analyze:
                    outcome.analysis = None
                return outcome
        return None

    def keep_file(self, outcome: FileOutcome, analyze: bool) -> None:
        """Remember it, unless it says more about this machine than about the file."""
        if outcome.digest and not (outcome.problem and outcome.problem[0] in _NOT_OF_THE_FILE):
            key = self._file_key(outcome.kind, outcome.path, outcome.digest, analyze)
            self._cache.put(key, msgspec.msgpack.encode(outcome))

    def result(self, question: Question) -> ScanResult | None:
        """The result of an earlier scan of the same tree."""
        return _decoded(self._cache.get(self._result_key(question)), ScanResult)

    def keep_result(self, question: Question, result: ScanResult) -> None:
        """Remember it, unless something went wrong that may go right next time."""
        if not any(d.reason in _NOT_OF_THE_FILE or d.reason.is_internal_error for d in result.diagnostics):
            self._cache.put(self._result_key(question), msgspec.msgpack.encode(result))

    def judged(self, task: Task) -> Judged | None:
        """What the rules said of a unit that was the same to the last byte; facts are not looked at, digests are."""
        from assay.scanner.judging import Judged  # it loads the linker, which an unchanged tree has no need of

        judged = _decoded(self._cache.get(self._task_key(task)), Judged)
        return judged if judged is not None and judged.is_whole else None

    def keep_judged(self, task: Task, judged: Judged) -> None:
        """Remember it, unless something went wrong that may go right next time."""
        if judged.is_as_read and not any(d.reason.is_internal_error for d in judged.diagnostics):
            self._cache.put(self._task_key(task), msgspec.msgpack.encode(judged))

    def rules(self, package: str) -> tuple[RuleText, ...] | None:
        """What the rules of an imported package say, if its code is what it was."""
        return _decoded(self._cache.get(self._rules_key(package)), tuple[RuleText, ...])

    def keep_rules(self, package: str, texts: tuple[RuleText, ...]) -> None:
        self._cache.put(self._rules_key(package), msgspec.msgpack.encode(texts))

    def make_room(self) -> None:
        """See Cache.make_room."""
        self._cache.make_room()

    def _file_key(self, kind: FileKind, path: str, digest: bytes, analyzed: bool) -> bytes:
        # Python is read without a look at its path; the other readers look at it.
        name = "" if kind is FileKind.PYTHON else path
        return _digest("file", self._readers, kind.value, name, digest, analyzed)

    def _rules_key(self, package: str) -> bytes:
        return _digest("rules", self._scanner, package, self._rules_of([package]))

    def _task_key(self, task: Task) -> bytes:
        asked = structs.replace(task, root="", facts={})
        rules = self._rules_of(task.packages)
        return _digest("unit", self._scanner, rules, msgspec.msgpack.encode(asked, order="deterministic"))

    def _result_key(self, question: Question) -> bytes:
        tree = question.tree
        return _digest(
            "result",
            self._scanner,
            self._rules_of(question.packages),
            [(code, severity) for code, severity in question.rules],
            tree.root.resolve().name,
            [(f.path, f.kind.value, f.role.value, question.digests.get(f.path)) for f in tree.files],
            [(d.path, d.line, d.reason.value, d.message) for d in tree.diagnostics],
            msgspec.msgpack.encode(question.config.judged_by, order="deterministic"),
            question.analyzers,
            sorted(question.metadata.items()),
            msgspec.msgpack.encode(question.libraries, order="deterministic"),
            msgspec.msgpack.encode(question.own, order="deterministic"),
            msgspec.msgpack.encode(question.measured, order="deterministic"),
            sorted(question.added),
        )

    def _rules_of(self, packages: Sequence[str]) -> list[bytes]:
        """The digests of the packages' code. Every unit's key has them, and their files are read once."""
        for name in packages:
            if name not in self._packages:
                self._packages[name] = digest_of_package(name)
        return [self._packages[name] for name in packages]

    @cached_property
    def _readers(self) -> bytes:
        return _digest(digest_of_code(_PACKAGE, _WHAT_READS), _installed())

    @cached_property
    def _scanner(self) -> bytes:
        return _digest(digest_of_code(_PACKAGE), _installed())


def digests_of(root: Path, files: Iterable[SourceFile]) -> dict[str, bytes]:
    """The content digest of each file that can be read, by path."""
    found = {}
    for file in files:
        try:
            with open(f"{root}/{file.path}", "rb") as opened:  # noqa: PTH123 - thousands of files: see Cache.get
                found[file.path] = content_digest(opened.read())
        except OSError:
            # Its reader will say so.
            continue
    return found


def digest_of_package(name: str) -> bytes:
    """A digest of the source files of an imported package."""
    return _digest(*(digest_of_code(Path(folder)) for folder in sys.modules[name].__path__))


def digest_of_code(folder: Path, names: Sequence[str] = ("",)) -> bytes:
    """A digest of the source files below the folder, or of those of its parts that are named."""
    files = {file for name in names for file in _code_files(folder / name)}
    return _digest(*((str(file.relative_to(folder)), file.read_bytes()) for file in sorted(files)))


def _code_files(path: Path) -> Iterable[Path]:
    return (p for p in path.rglob("*") if p.suffix in _CODE) if path.is_dir() else (path,)


def _installed() -> object:
    """The interpreter, and the names and versions of all that is installed beside the libraries we use."""
    folder = Path(msgspec.__file__).parent.parent
    return sys.version, sorted(entry.name for entry in folder.glob("*-info"))


def _digest(*parts: object) -> bytes:
    return blake2b(msgspec.msgpack.encode(parts), digest_size=32).digest()


def _decoded(data: bytes | None, kind: type[_T]) -> _T | None:
    if data is None:
        return None
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except msgspec.DecodeError:
        return None
