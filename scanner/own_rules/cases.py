"""The cases of rules: small trees with marks, each scanned with its rule; what is marked has to be what is found."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import CodeType, FunctionType

from msgspec import structs

from assay.scanner.config import Config, ServiceConfig, load_config
from assay.scanner.config.loading import FILE_NAME
from assay.scanner.engine import NothingToScanError, Options, scan
from assay.scanner.executors import InlineExecutor
from assay.scanner.own_rules.data.judging import DataJudge
from assay.scanner.own_rules.errors import OwnRuleError
from assay.scanner.own_rules.marks import Marks, marks_in, unmarked
from assay.scanner.results import ScanResult
from assay.scanner.rulebook import Rule, Rulebook
from assay.scanner.verdicts import Kind

__all__ = ["KNOWN_MISS", "OUTCOMES", "Case", "Difference", "cases_in", "check", "lacking"]

OUTCOMES = {"pass": Kind.PASS, "fail": Kind.FAIL, "review": Kind.REVIEW, "not_applicable": Kind.NOT_APPLICABLE}
"""How the name of a case begins, and the verdict that it is about."""
_MAKERS = {"fail": Kind.FAIL, "passed": Kind.PASS, "review": Kind.REVIEW, "not_applicable": Kind.NOT_APPLICABLE}
"""What makes verdicts, by its name."""
KNOWN_MISS = "known_miss_"
"""How the name of a case begins that shows what a rule still gets wrong."""
_CACHES = "__pycache__"
_OPTIONS = Options(
    Config(services={"case": ServiceConfig(".")}), jobs=1, analyzers=False, make_pool=lambda _: InlineExecutor()
)


@dataclass(frozen=True, slots=True)
class Case:
    """A file or folder in the folder of its rule's code."""

    path: Path

    @property
    def code(self) -> str:
        return self.path.parent.name

    @property
    def outcome(self) -> Kind | None:
        """What its name says that it is about; None for a known miss, and for a name that says nothing."""
        return next((kind for start, kind in OUTCOMES.items() if self.path.stem.startswith(start)), None)

    def original(self, path: str) -> Path:
        """The case's own file of one in the scanned copy."""
        return self.path / path if self.path.is_dir() else self.path


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """Where a case and what its rule says of it part. `line` is 0 where the whole case is meant."""

    path: Path
    line: int
    problem: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.problem}" if self.line else f"{self.path}: {self.problem}"


def cases_in(folder: Path) -> list[Case]:
    """All cases in a folder that has one folder a rule, by path. Raises OwnRuleError where there are none."""
    if not folder.is_dir():
        raise OwnRuleError(str(folder), "there is no such folder; put cases into it, as in ACME101/fail.py")
    found = [Case(p) for p in sorted(folder.glob("*/*")) if p.name != _CACHES and not p.name.startswith(".")]
    if not found:
        raise OwnRuleError(str(folder), "there are no cases in it; one is a file such as ACME101/fail.py")
    return found


def check(case: Case, rulebook: Rulebook) -> list[Difference]:
    """Every difference between the marks and what the rule says, in order of place."""
    with tempfile.TemporaryDirectory(prefix="assay-case-") as folder:
        root = _copied(case, Path(folder))
        marks = marks_in(root)
        for file in root.rglob("*"):
            if file.is_file():
                text = file.read_bytes().decode("utf-8", "surrogateescape")
                file.write_bytes(unmarked(text).encode("utf-8", "surrogateescape"))
        rules = tuple(rule for rule in rulebook.rules if rule.code == case.code)
        try:
            result = scan(root, replace(rulebook, rules=rules), {}, _options(root, rulebook))
        except NothingToScanError:
            return [Difference(case.path, 0, "there is no Python in it, and so nothing is judged")]
    found = (*_of_name(case, marks), *_unread(case, result), *_verdicts(case, marks, result))
    return sorted({*found, *_evidence(case, marks, result)})


def _options(root: Path, rulebook: Rulebook) -> Options:
    """With what the case's own `assay.toml` says, where its rule hangs on the configuration."""
    if not (root / FILE_NAME).is_file():
        return _OPTIONS
    config = load_config(root, rulebook, file=root / FILE_NAME)
    return replace(_OPTIONS, config=structs.replace(config, services=config.services or _OPTIONS.config.services))


def lacking(rules: Iterable[Rule], cases: Sequence[Case]) -> Iterator[tuple[Rule, str]]:
    """The rules with the outcomes that none of their cases is about: nothing shows that they can say it."""
    for rule in rules:
        shown = {case.outcome for case in cases if case.code == rule.code}
        possible = rule.judge.outcomes if isinstance(rule.judge, DataJudge) else _written(rule.judge)
        for name, kind in OUTCOMES.items():
            if kind in possible and kind not in shown:
                yield rule, name


def _written(judge: Callable[..., object]) -> frozenset[Kind]:
    """The outcomes that a rule's code names, or that of a function of its module which it calls; all where it has no
    code to look at.
    """
    if not isinstance(judge, FunctionType):
        return frozenset(Kind)
    seen: set[str] = set()
    waiting = [judge]
    while waiting:
        function = waiting.pop()
        names = set(_names(function.__code__)) - seen
        seen |= names
        called = (function.__globals__.get(name) for name in names)
        waiting += [f for f in called if isinstance(f, FunctionType) and f.__module__ == judge.__module__]
    return frozenset(kind for name, kind in _MAKERS.items() if name in seen)


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _copied(case: Case, folder: Path) -> Path:
    """A tree that holds nothing but the case; a file's own name would tell things that are not its subject's."""
    root = folder / "case"
    if case.path.is_dir():
        return Path(shutil.copytree(case.path, root, ignore=shutil.ignore_patterns(_CACHES)))
    root.mkdir()
    shutil.copy(case.path, root / f"app{case.path.suffix}")
    return root


def _of_name(case: Case, marks: Marks) -> Iterator[Difference]:
    if case.path.name.startswith(KNOWN_MISS):
        return
    if case.outcome is None:
        starts = ", ".join(OUTCOMES)
        yield Difference(case.path, 0, f"its name doesn't say what it is about; it begins with one of {starts}")
    elif case.outcome not in {kind for _, _, kind in marks.expected}:
        yield Difference(case.path, 0, f"nothing in it is marked `# expect: {case.outcome.value}`, as its name says")


def _unread(case: Case, result: ScanResult) -> Iterator[Difference]:
    for diagnostic in result.diagnostics:
        if diagnostic.reason.is_internal_error or diagnostic.reason.is_unread_file:
            yield Difference(case.original(diagnostic.path), diagnostic.line or 0, diagnostic.message)


def _verdicts(case: Case, marks: Marks, result: ScanResult) -> Iterator[Difference]:
    """What is not applicable goes without saying, except where that is what the case is about."""
    told = set(Kind) if case.outcome is Kind.NOT_APPLICABLE else set(Kind) - {Kind.NOT_APPLICABLE}
    found = {(v.location.path, v.location.line, v.kind): v.message for v in result.verdicts}
    for (path, line, kind), message in found.items():
        if kind in told and (path, line, kind) not in marks.expected:
            yield Difference(case.original(path), line, f"it says {kind.value}, which is not marked: {message}")
    for path, line, kind in marks.expected - set(found):
        said = sorted(k.value for p, at, k in found if (p, at) == (path, line))
        yield Difference(case.original(path), line, f"marked {kind.value}, and it says {', '.join(said) or 'nothing'}")


def _evidence(case: Case, marks: Marks, result: ScanResult) -> Iterator[Difference]:
    """Every mark is some verdict's evidence; in cases of failure, the proof of each fail is marked in full."""
    cited = {(e.location.path, e.location.line) for v in result.verdicts for e in v.evidence}
    for path, line in marks.evidence - cited:
        yield Difference(case.original(path), line, "marked as evidence, and no verdict cites it")
    if case.outcome is Kind.FAIL:
        fails = (v for v in result.verdicts if v.kind is Kind.FAIL)
        proof = {(e.location.path, e.location.line) for v in fails for e in v.evidence}
        for path, line in proof - marks.evidence:
            yield Difference(case.original(path), line, "a fail cites it, and it is not marked `# evidence`")
