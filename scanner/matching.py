"""Which findings of a tree were there before: one to one, however far their code moved or was edited meanwhile.

No single mark of a finding survives: line numbers change with every edit above, sets of marks hide a second copy,
counts hide a swap. So findings are matched in passes, from all that is equal to what little is left, and what is
matched takes no part in later passes.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b

from assay.scanner.results import JudgedVerdict, ScanResult, State
from assay.scanner.verdicts import Kind

__all__ = ["Mark", "Match", "mark_of", "match"]


@dataclass(frozen=True, slots=True)
class Mark:
    """What a finding is known by.

    `text` names its line without blanks; `scope` is its subject without module and number.
    """

    rule: str
    kind: Kind
    path: str
    line: int
    subject: str
    scope: str
    text: str
    is_placed: bool
    """Whether the subject is named by the code around it; else its name is its own, wherever it stands."""

    @property
    def order(self) -> tuple[str, int, str, str]:
        return self.path, self.line, self.subject, self.text


@dataclass(frozen=True, slots=True)
class Match:
    """The places of two findings that are one, in the two sequences; and what became of it."""

    old: int
    new: int
    state: State


_MODULE = re.compile(r"[\w./-]+:")
_NUMBER = re.compile(r"[ #:]?\d+$")


def mark_of(finding: JudgedVerdict, result: ScanResult) -> Mark:
    """The mark of one of the result's findings."""
    place = finding.location
    text = "".join(result.line(place.path, place.line).split()).encode("utf-8", "surrogatepass")
    digest = blake2b(text, digest_size=6).hexdigest()
    return marked(finding.rule, finding.kind, place.path, place.line, finding.subject.id, digest)


def marked(rule: str, kind: Kind, path: str, line: int, subject: str, text: str) -> Mark:
    """A mark from what is written down of a finding; `text` is what `mark_of` made of its line."""
    subject = subject.encode("utf-8", "backslashreplace").decode()
    module = _MODULE.match(subject)
    scope = _NUMBER.sub("", subject[module.end() :]) if module else subject
    return Mark(rule, kind, path, line, subject, scope, text, module is not None)


@dataclass(frozen=True, slots=True)
class _Pass:
    """The marks that are equal in `key` are one; None where a finding takes no part."""

    state: State
    key: Callable[[Mark], Hashable | None]


_PASSES = (
    _Pass(State.KNOWN, lambda m: (m.path, m.scope, m.text)),
    _Pass(State.MOVED, lambda m: (m.path, m.text)),
    _Pass(State.MOVED, lambda m: (m.scope, m.text)),
    _Pass(State.EDITED, lambda m: (m.path, m.scope)),
    _Pass(State.MOVED, lambda m: None if m.is_placed else m.subject),
)


def match(
    old: Sequence[Mark],
    new: Sequence[Mark],
    renames: Mapping[str, str] | None = None,
    is_changed: Callable[[Mark], bool] = lambda _: False,
) -> list[Match]:
    """Each finding with at most one other. What of `new` is in no match is new, what of `old` is in none is gone.

    `renames` gives the old path of a file by its new one. Of several that are alike, those that aren't `is_changed`
    were there before. A review that became a fail is a new fail.
    """
    moves = renames or {}
    left_old, left_new = dict(enumerate(old)), dict(enumerate(new))
    found: list[Match] = []
    for step in _PASSES:
        before = _groups(left_old, step.key)
        after = _groups(left_new, step.key, lambda mark: _with_old_path(mark, moves), is_changed)
        for key, places in after.items():
            for there, here in zip(before.get(key, ()), places, strict=False):
                was, now = left_old.pop(there), left_new.pop(here)
                state = State.MOVED if step.state is State.KNOWN and was.path != now.path else step.state
                found.append(Match(there, here, state))
    return sorted(found, key=lambda m: m.new)


def _with_old_path(mark: Mark, renames: Mapping[str, str]) -> Mark:
    return replace(mark, path=renames[mark.path]) if mark.path in renames else mark


def _groups(
    marks: Mapping[int, Mark],
    key: Callable[[Mark], Hashable | None],
    seen_as: Callable[[Mark], Mark] = lambda mark: mark,
    is_last: Callable[[Mark], bool] = lambda _: False,
) -> dict[Hashable, list[int]]:
    """The places of marks that are alike, in the order of the text."""
    groups: defaultdict[Hashable, list[int]] = defaultdict(list)
    for place, mark in sorted(marks.items(), key=lambda item: (is_last(item[1]), *item[1].order)):
        value = key(seen_as(mark))
        if value is not None:
            groups[mark.rule, mark.kind, value].append(place)
    return dict(groups)
