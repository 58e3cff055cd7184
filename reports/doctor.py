"""What a scan would work with, for a terminal: what does the work, what it was told, what it sees and what not."""

from __future__ import annotations

from rich.console import Console

from assay.reports.jsontext import schema_text
from assay.reports.plain import plain
from assay.reports.remedies import REMEDIES
from assay.reports.screen import Screen
from assay.scanner.examination import (
    SCHEMA_VERSION,
    BaseRow,
    CacheRow,
    Examination,
    Files,
    Problem,
    Repository,
    ServiceRow,
)

_COMMIT = 7
"""Digits of a commit's name that are shown."""


def render(found: Examination, console: Console) -> None:
    """Write it; what is wrong last, with what to do."""
    screen = Screen(console)
    _versions(found, screen)
    _configuration(found, screen)
    _files(found.files, screen)
    _services(found, screen)
    _not_understood(found, screen)
    _base(found.base, screen)
    _cache(found.cache, screen)
    _summary(found, screen)


def schema() -> str:
    """The JSON Schema of `assay doctor --format json`, as `schemas/doctor.schema.json` holds it."""
    return schema_text(Examination, f"Assay doctor {SCHEMA_VERSION}")


def _versions(found: Examination, screen: Screen) -> None:
    versions = found.versions
    screen.line((f"Assay {versions.assay}", "bold"), f"   Python {versions.python} on {versions.system}")
    libraries = " · ".join(f"{name} {number}" for name, number in versions.libraries.items())
    screen.line(libraries, indent=2)
    packages = ", ".join(versions.packages)
    screen.line(f"{versions.rules} rules of {plain(packages)}, edition {plain(found.configuration.edition)}", indent=2)
    screen.line(_repository(found.repository), indent=2)
    screen.line()


def _repository(repository: Repository) -> str:
    if repository.git is None:
        return "git can't be run: nothing tells what a change brings"
    if repository.commit is None:
        return f"git {plain(repository.git)}; the folder is in no repository, or nothing is committed yet"
    depth = "a shallow clone: a part of the history is missing" if repository.is_shallow else "the clone is whole"
    return f"git {plain(repository.git)}; HEAD is {repository.commit[:_COMMIT]}; {depth}"


def _configuration(found: Examination, screen: Screen) -> None:
    configuration = found.configuration
    screen.line("Configuration", style="bold")
    screen.line(plain(", ".join(configuration.files)) or "no file, so the defaults hold (assay init)", indent=2)
    for row in configuration.settings:
        screen.line(plain(row.setting), (f"   {plain(', '.join(row.origins))}", "dim"), indent=4)
    if configuration.waivers:
        screen.line(f"{_counted(configuration.waivers, 'waiver')} (assay waivers)", indent=2)
    screen.line()


def _files(files: Files, screen: Screen) -> None:
    screen.line("Files", style="bold")
    rows = [
        (f"  {row.kind.replace('_', ' ')}", f"{row.found:,}", f"{row.read:,}", f"{row.unread:,}" if row.unread else "")
        for row in files.kinds
    ]
    screen.table((("  kind", False), ("found", True), ("read", True), ("not read", True)), rows)
    for left in files.left_out:
        first = ", ".join(map(plain, left.first)) + (", …" if left.count > len(left.first) else "")
        screen.line(f"{_counted(left.count, 'file')} left out, because {plain(left.why)}: ", (first, "dim"), indent=2)
    screen.line()
    if files.unread:
        screen.line(f"Not read ({len(files.unread):,})", style="bold")
        for problem in files.unread:
            _problem(problem, screen, f"{problem.reason.replace('-', ' ')}: ")
            screen.line((REMEDIES[problem.reason], "dim"), indent=6)
        screen.line()


def _services(found: Examination, screen: Screen) -> None:
    screen.line("Services", style="bold")
    if not found.services:
        screen.line("none", indent=2)
    for service in found.services:
        where = "the scanned folder" if service.root == "." else plain(service.root)
        screen.line((plain(service.name), "bold"), (f"   {where}", "dim"), indent=2)
        screen.line(plain(" · ".join(service.frameworks)) or "no framework that is known", indent=4)
        screen.line(_contents(service), indent=4)
    screen.line()


def _contents(service: ServiceRow) -> str:
    counts = (
        (service.endpoints, "endpoint"),
        (service.tables, "table"),
        (service.queries, "SQL site"),
        (service.outbound_calls, "outbound call"),
        (service.log_calls, "log call"),
        (service.workloads, "workload"),
    )
    return ", ".join(_counted(number, noun) for number, noun in counts if number) or "nothing was found in it"


def _not_understood(found: Examination, screen: Screen) -> None:
    if not found.not_understood:
        return
    screen.line("Not understood", style="bold")
    for doubt in found.not_understood:
        screen.line((f"{doubt.reason.replace('-', ' ')}: {doubt.count:,}", "yellow"), indent=2)
        screen.line((REMEDIES[doubt.reason], "dim"), indent=4)
        for problem in doubt.first:
            _problem(problem, screen)
        if doubt.count > len(doubt.first):
            screen.line(f"… {doubt.count - len(doubt.first):,} more: assay doctor --format json", indent=4)
    screen.line()


def _problem(problem: Problem, screen: Screen, reason: str = "") -> None:
    line = "" if problem.line is None else f":{problem.line}"
    screen.line((f"{plain(problem.path)}{line}", "bold"), f"  {reason}{plain(problem.message)}", indent=4)


def _base(base: BaseRow, screen: Screen) -> None:
    screen.line("What a change is compared with", style="bold")
    commit = f" ({base.commit[:_COMMIT]})" if base.commit else ""
    if base.name:
        screen.line(f"{plain(base.name)}{commit}", indent=2)
    if base.problem:
        screen.line(("no commit: " if base.name else "nothing: ", "yellow"), plain(base.problem), indent=2)
    if base.baseline is not None:
        screen.line(f"the baseline has {_counted(base.baseline, 'entry', 'entries')}", indent=2)
    screen.line()


def _cache(cache: CacheRow, screen: Screen) -> None:
    screen.line("Cache", style="bold")
    if cache.folder:
        screen.line(plain(cache.folder), indent=2)
    if cache.problem:
        screen.line((plain(cache.problem), "yellow"), indent=2)
    else:
        size, limit = cache.size / 1_000_000, cache.limit / 1_000_000
        screen.line(
            f"{_counted(cache.entries, 'entry', 'entries')}, {size:,.1f} MB of at most {limit:,.0f} MB", indent=2
        )
    screen.line()


def _summary(found: Examination, screen: Screen) -> None:
    unread = len({problem.path for problem in found.files.unread})
    if found.problem:
        screen.line(("✗ ", "bold red"), (f"A scan is not possible: {plain(found.problem)}", "bold"))
    elif unread:
        screen.line(("! ", "yellow"), (f"{_counted(unread, 'file')} could not be read, so the gate won't pass", "bold"))
    else:
        screen.line(("✓ ", "green"), ("All that a scan wants to read can be read", "bold"))


def _counted(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
