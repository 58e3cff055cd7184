"""Why two results of one backend judge otherwise: the code, the standard, the configuration, or the analysis itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property
from itertools import zip_longest

from assay.scanner.results import JudgedVerdict, RuleInfo, ScanResult

__all__ = ["Cause", "Causes", "Pair", "RuleChange", "RuleTurn"]


class Cause(StrEnum):
    """What made a score move. A verdict has one: the first of these that explains its change."""

    STANDARD = "standard"
    """Another edition, or rules that only one of the results knows."""
    CONFIGURATION = "configuration"
    """Rules on or off, severities, thresholds, which files are scanned."""
    ANALYSIS = "analysis"
    """Another version of Assay saw the same code with other eyes, or files could be read that couldn't before."""
    CODE = "code"
    WAIVERS = "waivers"
    """Findings were accepted, or no longer are. It comes on top: first code makes a finding, then a waiver hides it."""


class RuleTurn(StrEnum):
    """What became of a rule between two results."""

    COUNTS = "now counts"
    COUNTS_NO_MORE = "no longer counts"
    SEVERITY = "severity"


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule that two results don't treat alike; None where a result doesn't know it."""

    code: str
    turn: RuleTurn
    cause: Cause
    old: RuleInfo | None
    new: RuleInfo | None


@dataclass(frozen=True, slots=True)
class Pair:
    """One rule's verdicts on one subject in two results; None where there is none."""

    old: JudgedVerdict | None
    new: JudgedVerdict | None
    cause: Cause

    @property
    def rule(self) -> str:
        return self._any.rule

    @property
    def service(self) -> str:
        return self._any.service

    @property
    def _any(self) -> JudgedVerdict:
        found = self.new or self.old
        assert found is not None
        return found


class Causes:
    """Answers for two results, from their editions, versions, configurations and the digests of their files."""

    def __init__(self, old: ScanResult, new: ScanResult) -> None:
        self.old, self.new = old, new
        self._old_rules = {rule.code: rule for rule in old.rules}
        self._new_rules = {rule.code: rule for rule in new.rules}
        self._has_other_edition = old.edition != new.edition
        self._has_other_tool = old.tool_version != new.tool_version
        self._is_configured_otherwise = (old.configuration, old.exclude) != (new.configuration, new.exclude)
        self._is_same_tree = bool(old.files) and old.files == new.files
        unread_before, unread_now = _unread(old), _unread(new)
        self.now_read = tuple(sorted((unread_before - unread_now) & new.files.keys()))
        self.now_unread = tuple(sorted((unread_now - unread_before) & old.files.keys()))
        self._read_otherwise = {*self.now_read, *self.now_unread}

    @cached_property
    def rules(self) -> dict[str, RuleChange]:
        """The rules that are counted, or weigh, otherwise than before, by code."""
        changes = (self._rule_change(code) for code in sorted(self._old_rules | self._new_rules))
        return {change.code: change for change in changes if change is not None}

    def pairs(self) -> Iterator[Pair]:
        """All verdicts of both, by service, rule and subject."""
        before, after = _by_subject(self.old.verdicts), _by_subject(self.new.verdicts)
        for key in sorted(before | after):
            for old, new in zip_longest(before.get(key, ()), after.get(key, ())):
                yield Pair(old, new, self._verdict_cause(key[1], old, new))

    def _rule_change(self, code: str) -> RuleChange | None:
        old, new = self._old_rules.get(code), self._new_rules.get(code)
        counted, counts = (rule is not None and rule.counts for rule in (old, new))
        if counted != counts:
            turn = RuleTurn.COUNTS if counts else RuleTurn.COUNTS_NO_MORE
            return RuleChange(code, turn, self._counting_cause(old, new), old, new)
        if old is None or new is None or not counts or (old.severity, old.principle) == (new.severity, new.principle):
            return None
        by_standard = self._has_other_edition or not self._is_configured_otherwise or old.principle != new.principle
        return RuleChange(code, RuleTurn.SEVERITY, Cause.STANDARD if by_standard else Cause.CONFIGURATION, old, new)

    def _counting_cause(self, old: RuleInfo | None, new: RuleInfo | None) -> Cause:
        """A rule newer than an edition can't have been switched off in it."""
        if old is not None and new is not None:
            return Cause.STANDARD
        is_newer = (new is not None and _is_newer(new.since, self.old.edition)) or (
            old is not None and _is_newer(old.since, self.new.edition)
        )
        return Cause.CONFIGURATION if self._is_configured_otherwise and not is_newer else Cause.STANDARD

    def _verdict_cause(self, rule: str, old: JudgedVerdict | None, new: JudgedVerdict | None) -> Cause:
        change = self.rules.get(rule)
        if change is not None and (change.old is None or change.new is None):
            return change.cause
        paths = {place.path for verdict in (old, new) if verdict for place in verdict.places}
        if not paths.isdisjoint(self._read_otherwise):
            return Cause.ANALYSIS
        if self._is_configured_otherwise and any(map(self._is_left_out, paths)):
            return Cause.CONFIGURATION
        if self._is_same_tree or all(map(self._is_same, paths)):
            if self._is_configured_otherwise:
                return Cause.CONFIGURATION
            if self._has_other_tool or self._is_same_tree:
                return Cause.ANALYSIS
        return Cause.CODE

    def _is_same(self, path: str) -> bool:
        before = self.old.files.get(path)
        return before is not None and before == self.new.files.get(path)

    def _is_left_out(self, path: str) -> bool:
        """Whether the one scanned it, and the other was told not to."""
        if (path in self.old.files) == (path in self.new.files):
            return False
        other = self.new if path in self.old.files else self.old
        return _matches(other.exclude, path)


@cache
def _matches(patterns: tuple[str, ...], path: str) -> bool:
    """Many verdicts cite one file."""
    from pathspec import GitIgnoreSpec

    return bool(patterns) and GitIgnoreSpec.from_lines(patterns).match_file(path)


def _unread(result: ScanResult) -> set[str]:
    return {d.path for d in result.diagnostics if d.reason.is_unread_file}


_Key = tuple[str, str, str, str]


def _by_subject(verdicts: Iterable[JudgedVerdict]) -> dict[_Key, list[JudgedVerdict]]:
    found: defaultdict[_Key, list[JudgedVerdict]] = defaultdict(list)
    for verdict in verdicts:
        found[verdict.service, verdict.rule, verdict.subject.kind, verdict.subject.id].append(verdict)
    return dict(found)


def _is_newer(edition: str, than: str) -> bool:
    """Editions are numbered by year and place in it, such as 2026.1."""
    return _numbers(edition) > _numbers(than)


def _numbers(edition: str) -> tuple[int, ...]:
    return tuple(int(part) for part in edition.split(".") if part.isdecimal())
