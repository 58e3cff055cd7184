"""The baseline: a file of the findings that were there when somebody began to look, so that a gate judges what is new.

One line of JSON a finding, sorted: small, and mergeable line by line. `line` and `id` are for people; what counts when
findings are matched is rule, kind, path, subject and code.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from assay.scanner.matching import Mark, mark_of, marked, match
from assay.scanner.results import JudgedVerdict, ScanResult
from assay.scanner.verdicts import Kind, Severity

__all__ = ["FILE", "Baseline", "BaselineError", "Entry", "accepted", "created", "load", "pruned"]

FILE = ".assay/baseline.jsonl"
"""Relative to the scanned root."""


class BaselineError(Exception):
    """The baseline can't be read; the message names file and line."""


class Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A finding of the baseline. `code` names the text of its line, which may be a secret.

    `since` is the commit at which it was recorded; `reason` says why it was accepted later than the rest.
    """

    path: str
    rule: str
    kind: Literal["fail", "review"]
    severity: Severity
    subject: str
    code: str
    line: int
    id: str
    since: str = ""
    reason: str = ""

    @property
    def mark(self) -> Mark:
        return marked(self.rule, Kind(self.kind), self.path, self.line, self.subject, self.code)

    @property
    def order(self) -> tuple[str, str, str, str, int]:
        return self.path, self.rule, self.subject, self.code, self.line


@dataclass(frozen=True, slots=True)
class Baseline:
    """The entries in the order of the file; `name` is the file as a person knows it."""

    name: str
    entries: tuple[Entry, ...]

    @property
    def marks(self) -> list[Mark]:
        return [entry.mark for entry in self.entries]

    @property
    def text(self) -> str:
        """The file's content."""
        lines = (msgspec.json.encode(entry).decode() + "\n" for entry in sorted(self.entries, key=lambda e: e.order))
        return "".join(lines)


def load(root: Path) -> Baseline | None:
    """The baseline of the tree, or None where it has none. Raises BaselineError."""
    try:
        text = (root / FILE).read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise BaselineError(f"{FILE}: it can't be read: {error}") from error
    return parsed(text, FILE)


def parsed(text: str, name: str) -> Baseline:
    """Raises BaselineError, for what a merge left in it too."""
    entries = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        if line.startswith(("<<<<<<<", "=======", ">>>>>>>", "|||||||")):
            raise BaselineError(f"{name}:{number}: a merge was left unfinished here; keep the lines of both sides")
        try:
            entries.append(msgspec.json.decode(line, type=Entry))
        except (msgspec.DecodeError, UnicodeEncodeError) as error:
            hint = "write it anew with `assay baseline create`"
            raise BaselineError(f"{name}:{number}: that is no entry of a baseline: {error}; {hint}") from error
    return Baseline(name, tuple(entries))


def created(result: ScanResult) -> Baseline:
    """All findings that count and that nobody accepted."""
    return Baseline(FILE, tuple(_entry(f, result) for f in _recorded(result)))


def pruned(baseline: Baseline, result: ScanResult) -> Baseline:
    """Without the entries of findings that are gone; those that moved or were edited are written as they are now."""
    findings = _recorded(result)
    pairs = match(baseline.marks, [mark_of(f, result) for f in findings])
    kept = (_entry(findings[p.new], result, baseline.entries[p.old]) for p in pairs)
    return Baseline(baseline.name, tuple(kept))


def accepted(baseline: Baseline, result: ScanResult, reason: str, only: Iterable[str] = ()) -> Baseline:
    """With the findings that aren't in it; `only` names some by rule code or fingerprint, else all are meant."""
    findings = _recorded(result)
    matched = {p.new for p in match(baseline.marks, [mark_of(f, result) for f in findings])}
    named = set(only)
    added = (
        msgspec.structs.replace(_entry(f, result), reason=reason)
        for place, f in enumerate(findings)
        if place not in matched and (not named or not named.isdisjoint((f.rule, f.fingerprint)))
    )
    return Baseline(baseline.name, (*baseline.entries, *added))


def _recorded(result: ScanResult) -> list[JudgedVerdict]:
    counting = result.counting
    return [v for v in result.verdicts if v.is_finding and v.rule in counting and v.acceptance is None]


def _entry(finding: JudgedVerdict, result: ScanResult, before: Entry | None = None) -> Entry:
    mark = mark_of(finding, result)
    return Entry(
        path=mark.path,
        rule=mark.rule,
        kind="fail" if mark.kind is Kind.FAIL else "review",
        severity=finding.severity,
        subject=mark.subject,
        code=mark.text,
        line=mark.line,
        id=finding.fingerprint,
        since=before.since if before else (result.scanned.commit or "")[:12],
        reason=before.reason if before else "",
    )
