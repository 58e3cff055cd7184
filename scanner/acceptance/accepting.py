"""From a result to the same result with what people accepted: findings that may stay, and scores that follow."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from assay.scanner.acceptance import meta
from assay.scanner.acceptance.waivers import Waiver
from assay.scanner.config import Config, WaiversFrom
from assay.scanner.counted import counted
from assay.scanner.engine import in_order
from assay.scanner.model.place import Location
from assay.scanner.results import (
    Acceptance,
    AcceptedBy,
    Attestation,
    IgnoreComment,
    JudgedVerdict,
    RuleInfo,
    ScanResult,
    ServiceResult,
)
from assay.scanner.scoring import rescored

__all__ = ["NOTICE_DAYS", "AtBase", "accept"]

NOTICE_DAYS = 14
"""How many days before its end a waiver or an attestation is told of."""


@dataclass(frozen=True, slots=True)
class AtBase:
    """What was accepted at the base already. `renames` has a file's path there by its path now, where that changed."""

    waivers: tuple[Waiver, ...] = ()
    ignores: tuple[IgnoreComment, ...] = ()
    renames: Mapping[str, str] = field(default_factory=dict)

    def said(self, ignore: IgnoreComment) -> tuple[str, tuple[str, ...], str]:
        """What makes a comment of now the same as one of then."""
        path = ignore.location.path
        return self.renames.get(path, path), ignore.codes, ignore.reason


def accept(
    result: ScanResult,
    waivers: Iterable[Waiver],
    config: Config,
    *,
    known: Collection[str],
    asked: Collection[str],
    today: date,
    base: AtBase | None = None,
) -> ScanResult:
    """The result as people see it who accepted some of its findings; no verdict's kind changes, and no score falls.

    `known` are the codes of all rules and checks, `asked` those of the ones that looked at this tree: of another one
    nothing can be told to be idle. With a `base`, and where the configuration wants it, what wasn't accepted there yet
    doesn't count.
    """
    at_base = base if config.waivers.from_ is WaiversFrom.BASE else None
    desk = _Desk(result, today, frozenset(asked))
    comments = tuple(desk.ignores(result.ignores, known, at_base))
    desk.waivers(sorted(waivers, key=lambda w: (w.id, w.place)), at_base)
    if config.waivers.from_ is WaiversFrom.BASE and base is None:
        desk.tell_of_no_base()
    attestations = dict(desk.attestations(config))
    verdicts = tuple(desk.settled(v) for v in result.verdicts)
    services = tuple(_scored(s, result.rules, verdicts, attestations, config) for s in result.services)
    rules = {c.rule for c in comments}
    return replace(
        result,
        services=services,
        verdicts=tuple(in_order((*verdicts, *comments))) if comments else verdicts,
        rules=(*result.rules, *(rule for rule in meta.RULES if rule.code in rules)),
        notices=(*result.notices, *desk.notices),
    )


def _scored(
    service: ServiceResult,
    rules: Iterable[RuleInfo],
    verdicts: Iterable[JudgedVerdict],
    attestations: Mapping[str, Attestation],
    config: Config,
) -> ServiceResult:
    own = [v for v in verdicts if v.service == service.name]
    is_accepted = any(v.acceptance for v in own)
    if not is_accepted and not attestations:
        return service
    counting = [rule for rule in rules if rule.counts]

    def scored(judged: Iterable[JudgedVerdict]) -> ServiceResult:
        return rescored(service, counting, judged, config.coverage.minimum, attestations)

    after = scored(own)
    before = scored(replace(v, acceptance=None) for v in own).score
    return replace(after, score_before_waivers=before if before != after.score else None)


@dataclass(slots=True)
class _Desk:
    """Where it is settled, finding by finding, what is accepted; and what a person should know of it."""

    result: ScanResult
    today: date
    asked: frozenset[str]
    notices: list[str] = field(default_factory=list)
    _accepted: dict[str, Acceptance] = field(default_factory=dict)
    _lapsed: dict[str, Acceptance] = field(default_factory=dict)

    def settled(self, verdict: JudgedVerdict) -> JudgedVerdict:
        accepted = self._accepted.get(verdict.fingerprint) if verdict.is_finding else None
        lapsed = self._lapsed.get(verdict.fingerprint) if verdict.is_finding and accepted is None else None
        return replace(verdict, acceptance=accepted, lapsed=lapsed) if accepted or lapsed else verdict

    def tell_of_no_base(self) -> None:
        """What the change itself accepts can't be told from the rest."""
        if self._accepted:
            self._tell('without a base commit, what the change accepts counts too, despite [waivers] from = "base"')

    # --- comments -----------------------------------------------------------------------------------------------------

    def ignores(
        self, ignores: Sequence[IgnoreComment], known: Collection[str], base: AtBase | None
    ) -> Iterator[JudgedVerdict]:
        """Lets the comments speak; the verdicts are of what is wrong with some of them."""
        findings: dict[str, list[JudgedVerdict]] = defaultdict(list)
        for finding in self.result.findings if ignores else ():
            findings[finding.location.path].append(finding)
        before = Counter((i.location.path, i.codes, i.reason) for i in base.ignores) if base else Counter()
        numbers: Counter[tuple[str, str, tuple[str, ...]]] = Counter()
        pending: list[str] = []
        for ignore in ignores:
            place = ignore.location
            problem = meta.mistake(ignore, known)
            problems = [problem] if problem else []
            if problem is None:
                counts = base is None or before[base.said(ignore)] > 0
                if base is not None:
                    before[base.said(ignore)] -= 1
                covered = [f for f in findings[place.path] if f.rule in ignore.codes and _speaks_of(ignore, f)]
                if counts:
                    for finding in covered:
                        self._accepted.setdefault(finding.fingerprint, Acceptance(AcceptedBy.IGNORE, ignore.reason))
                elif covered:
                    pending.append(f"{place.path}:{place.line}")
                idle = self.asked.intersection(ignore.codes).difference(f.rule for f in covered)
                problems = [
                    (meta.IDLE, f"{code} finds nothing here; remove it") for code in ignore.codes if code in idle
                ]
            for rule, message in problems:
                same = (rule.code, place.path, ignore.codes)
                numbers[same] += 1
                line = self.result.line(place.path, place.line)
                yield meta.finding(rule, message, ignore, numbers[same], line, self.result.services)
        for where in pending[:_SHOWN]:
            self._tell(f"the ignore comment in {where} is added here: {_MERGED}")
        if len(pending) > _SHOWN:
            self._tell(f"{len(pending) - _SHOWN:,} more ignore comments are added here: {_MERGED}")

    # --- waivers ------------------------------------------------------------------------------------------------------

    def waivers(self, waivers: Sequence[Waiver], base: AtBase | None) -> None:
        """Lets the waivers speak, one after another."""
        by_rule: dict[str, list[JudgedVerdict]] = defaultdict(list)
        for finding in self.result.findings if waivers else ():
            by_rule[finding.rule].append(finding)
        counting = waivers if base is None else tuple(self._of_base(waivers, base, by_rule))
        # Expired ones last: what they covered may be covered anew.
        for waiver in sorted(counting, key=lambda w: w.days_left(self.today) < 0):
            self._waive(waiver, [f for f in by_rule[waiver.rule] if waiver.covers(f)])

    def _of_base(
        self, waivers: Iterable[Waiver], base: AtBase, by_rule: Mapping[str, Sequence[JudgedVerdict]]
    ) -> Iterator[Waiver]:
        """Those that were there at the base, as they were."""
        before = {w.id: w for w in base.waivers}
        for waiver in waivers:
            if waiver.id not in before:
                covered = sum(waiver.covers(f) for f in by_rule.get(waiver.rule, ()))
                self._tell(
                    f"waiver {_named(waiver)} is added here and would cover {counted(covered, 'finding')}: {_MERGED}"
                )
                continue
            if before[waiver.id].terms != waiver.terms:
                self._tell(f"waiver {waiver.id} is changed here and counts as it was at the base: {_MERGED}")
            yield before[waiver.id]

    def _waive(self, waiver: Waiver, covered: Sequence[JudgedVerdict]) -> None:
        left = waiver.days_left(self.today)
        if left < 0:
            self._expired(waiver, covered, -left)
            return
        if not covered:
            if self._is_idle(waiver):
                self._tell(f"waiver {_named(waiver)} covers nothing; remove it ({waiver.place})")
            return
        free = [f for f in covered if f.fingerprint not in self._accepted]
        for finding in free[: waiver.maximum]:
            self._accepted[finding.fingerprint] = waiver.acceptance
        if len(free) > waiver.maximum:
            allowed = f"may cover {counted(waiver.maximum, 'finding')} and fits {len(free):,}"
            self._tell(
                f"waiver {_named(waiver)} of {waiver.owner} {allowed}: the other {len(free) - waiver.maximum:,} count"
            )
        if left <= NOTICE_DAYS:
            self._tell(f"waiver {_named(waiver)} of {waiver.owner} {_ends(left, waiver.expires)}")

    def _expired(self, waiver: Waiver, covered: Sequence[JudgedVerdict], days: int) -> None:
        for finding in covered:
            self._lapsed.setdefault(finding.fingerprint, waiver.acceptance)
        count = sum(f.fingerprint not in self._accepted for f in covered)
        outcome = "1 finding counts again" if count == 1 else f"{count:,} findings count again"
        if not count:
            if not self._is_idle(waiver):
                return
            outcome = f"nothing is left for it to cover; remove it ({waiver.place})"
        self._tell(f"waiver {_named(waiver)} of {waiver.owner} expired {counted(days, 'day')} ago: {outcome}")

    def _is_idle(self, waiver: Waiver) -> bool:
        """Whether one that covers nothing here covers nothing at all: from further up, another folder may be meant."""
        return waiver.rule in self.asked and not waiver.prefix

    # --- attestations -------------------------------------------------------------------------------------------------

    def attestations(self, config: Config) -> Iterator[tuple[str, Attestation]]:
        """Those that still count, by principle."""
        for principle, given in sorted(config.attestations.items()):
            left = (given.expires - self.today).days
            if left < 0:
                expired = f"expired {counted(-left, 'day')} ago"
                self._tell(f"the attestation of {principle} by {given.by} {expired}; it doesn't count")
                continue
            if left <= NOTICE_DAYS:
                self._tell(f"the attestation of {principle} by {given.by} {_ends(left, given.expires)}")
            yield principle, Attestation(given.statement, given.by, given.expires.isoformat(), given.link)

    def _tell(self, notice: str) -> None:
        self.notices.append(notice)


_SHOWN = 3
"""How many comments that don't count yet are told of one by one."""
_MERGED = 'it counts once it is merged ([waivers] from = "base")'


def _speaks_of(ignore: IgnoreComment, finding: JudgedVerdict) -> bool:
    place = finding.location
    if place == Location.whole_file(place.path) and ignore.location.line == 1:
        # Of a file as a whole the first line speaks, also where nothing else is on it.
        return True
    # The end is exclusive, so a place that ends in column 1 has nothing of that line.
    last = max(place.line, place.end_line - (place.end_column == 1))
    return place.line <= ignore.last_line and ignore.first_line <= last


def _named(waiver: Waiver) -> str:
    return f"{waiver.id} ({waiver.target})"


def _ends(left: int, last: date) -> str:
    when = f"in {counted(left, 'day')}" if left else "today"
    return f"expires {when}, on {last}"
