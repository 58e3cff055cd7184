"""Where a scan's time went, as `assay scan --profile` shows it."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from assay.reports import figures
from assay.reports.plain import plain
from assay.reports.screen import Screen
from assay.scanner.profiling import Profile

SLOWEST = 8
_COLUMN = 9


def render(profile: Profile, console: Console) -> None:
    """Write the stages in their order, then the slowest parts of linking, rules and files."""
    screen = Screen(console)
    total = sum(profile.stages.values())
    screen.line(f"{'seconds':>{_COLUMN}}  stage", style="bold")
    for stage, seconds in profile.stages.items():
        screen.line(f"{seconds:>{_COLUMN}.3f}  {stage}{_about(stage, profile)}")
    screen.line(f"{total:>{_COLUMN}.3f}  in all")
    _slowest("part of linking", profile.parts, screen)
    _slowest("rule", profile.rules, screen)
    _slowest("file, processor time in its worker", profile.files, screen)


def _about(stage: str, profile: Profile) -> str:
    if stage == "recall":
        return f"  ({'nothing' if profile.result_recalled else 'something'} has changed since an earlier scan)"
    if stage == "read":
        return f"  ({figures.count(len(profile.files), 'file')} read, {profile.recalled} from the cache)"
    if stage == "judge" and profile.units:
        known = sum(profile.units.values())
        return f"  (linked too: {len(profile.units) - known} units, {known} from the cache)"
    return ""


def _slowest(what: str, seconds: Mapping[str, float], screen: Screen) -> None:
    if not seconds:
        return
    screen.line()
    screen.line(f"{'seconds':>{_COLUMN}}  {what}", style="bold")
    slowest = sorted(seconds.items(), key=lambda pair: (-pair[1], pair[0]))
    for name, taken in slowest[:SLOWEST]:
        screen.line(f"{taken:>{_COLUMN}.3f}  {plain(name)}")
    rest = slowest[SLOWEST:]
    if rest:
        screen.line(f"{sum(taken for _, taken in rest):>{_COLUMN}.3f}  {len(rest)} others")
