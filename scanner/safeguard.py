"""What a change decides about itself: how it is judged, and what of it is left unread. It may, but not in silence.

With `[waivers] from = "base"` it may not: then what the base configures counts, until the change is merged.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from assay.scanner import baseline
from assay.scanner.assess import BASELINE, Scope
from assay.scanner.base.commits import MERGE_BASE, BaseCommit, NoBaseError, base_commit
from assay.scanner.base.configuration import configuration_at
from assay.scanner.base.tree import content_at
from assay.scanner.baseline import Baseline, BaselineError
from assay.scanner.config import Config, ConfigError, WaiversFrom
from assay.scanner.config.differences import differences
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.overlooked import overlooked
from assay.scanner.results import ScanResult

__all__ = ["Safeguarded", "safeguarded"]


@dataclass(frozen=True, slots=True)
class Safeguarded:
    """By what to judge; the commit that was asked, or why none could be; and what to tell of the change."""

    scope: Scope
    base: BaseCommit | NoBaseError
    notices: tuple[str, ...] = ()
    unread: tuple[Diagnostic, ...] = ()

    def told(self, result: ScanResult) -> ScanResult:
        """The result with that."""
        known = {d.path for d in result.diagnostics}
        missing = [d for d in self.unread if d.path not in known]
        diagnostics = tuple(sorted((*result.diagnostics, *missing), key=lambda d: (d.path, d.line or 0, d.message)))
        return replace(result, notices=(*self.notices, *result.notices), diagnostics=diagnostics)


def safeguarded(
    scope: Scope,
    since: str | None,
    *,
    file: Path | None = None,
    isolated: bool = False,
    may_fetch: bool | None = None,
    tell: Callable[[str], None] = lambda _: None,
) -> Safeguarded:
    """Hold what the tree says of its own judgement against what the base says of it.

    `since` is what the command names; the configuration's own word on the base counts only as far as the base agrees.
    `file` and `isolated` are where the command takes the configuration from. Raises GitError for a revision that there
    isn't, and ConfigError where the base's word counts and can't be read.
    """
    named = since if since not in (None, BASELINE) else MERGE_BASE
    # With a baseline nothing has to be fetched, so nothing is fetched to be on the safe side.
    may_fetch = False if BASELINE in (since, scope.options.config.gate.new_since) else may_fetch
    try:
        base = base_commit(scope.root, named, may_fetch=may_fetch, tell=tell)
    except NoBaseError as error:
        return Safeguarded(scope, error)
    own = scope.options.config
    missed = overlooked(scope.root, base.commit, own.discovery)
    try:
        before = own if isolated else configuration_at(scope.root, base.commit, scope.rulebook, file)
    except ConfigError as error:
        if own.waivers.from_ is WaiversFrom.BASE:
            raise
        told = f"what this change alters in the configuration can't be told: {error}"
        return Safeguarded(scope, base, (told, *missed.notices), missed.unread)
    before = before or own
    notices = [*_alterations(scope, before, own), *_additions(scope, base.commit, since or own.gate.new_since)]
    if WaiversFrom.BASE in (before.waivers.from_, own.waivers.from_):
        scope = _as_configured(scope, before)
    return Safeguarded(scope, base, (*notices, *missed.notices), missed.unread)


def _as_configured(scope: Scope, before: Config) -> Scope:
    """Judged as the base has it."""
    waivers = msgspec.structs.replace(before.waivers, from_=WaiversFrom.BASE)
    services = {name: s for name, s in before.services.items() if (scope.root / s.root).is_dir()}
    config = msgspec.structs.replace(before, waivers=waivers, services=services)
    return replace(scope, options=replace(scope.options, config=config))


def _alterations(scope: Scope, before: Config, after: Config) -> Iterator[str]:
    """Each on its own: among many in one line the one that matters would not be seen."""
    newest = scope.rulebook.standard.edition
    found = differences(*(msgspec.structs.replace(c, edition=c.edition or newest) for c in (before, after)))
    counts = WaiversFrom.BASE in (before.waivers.from_, after.waivers.from_)
    merged = '; it counts once it is merged ([waivers] from = "base")' if counts else ""
    for difference in found:
        yield f"this change alters what it is judged by: {difference}{merged}"


def _additions(scope: Scope, commit: str, since: str) -> Iterator[str]:
    """What the change adds to the baseline that it is compared with."""
    if since != BASELINE:
        return
    now = baseline.load(scope.root)
    before = _baseline_at(scope.root, commit)
    if now is None or before is None:
        return
    known = {(e.rule, e.path, e.subject, e.code) for e in before.entries}
    added = [e for e in now.entries if (e.rule, e.path, e.subject, e.code) not in known]
    if len(now.entries) > len(before.entries):
        rules = ", ".join(sorted({entry.rule for entry in added}))
        number = len(now.entries) - len(before.entries)
        yield f"this change adds {number:,} to the findings that the baseline holds ({rules}); they count as known"


def _baseline_at(root: Path, commit: str) -> Baseline | None:
    content = content_at(root, commit, baseline.FILE)
    try:
        return None if content is None else baseline.parsed(content.decode("utf-8", "replace"), baseline.FILE)
    except BaselineError:
        return None
