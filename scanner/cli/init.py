"""`assay init`: a repository's first configuration, baseline and CI file."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner.cli.exits import UNTRUSTED, problems_told
from assay.scanner.cli.printing import print_text, progress_shown
from assay.scanner.cli.request import Request, takes_request
from assay.scanner.counted import counted

if TYPE_CHECKING:
    from assay.scanner.assess import Scope
    from assay.scanner.diagnostics import Diagnostic
    from assay.scanner.onboarding.pipelines import Ci
    from assay.scanner.results import ScanResult


@dataclass(frozen=True, slots=True)
class _File:
    """A file to write, what it is for, and why it is kept as it is, where it is."""

    path: Path
    text: str
    purpose: str
    kept: str = ""


@click.command()
@takes_request
@click.option(
    "--ci",
    "chosen",
    type=click.Choice(["github", "gitlab", "none"]),
    help="Which CI file to write; by default that of the CI which the repository has.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@click.option("--force", is_flag=True, help="Write files anew that are there.")
def init(request: Request, chosen: str | None, dry_run: bool, force: bool) -> None:
    """Begin: look at the repository, and write configuration, baseline and a CI file.

    A file that is there is never overwritten without --force. Exits 2 where not everything could be read: then there is
    no baseline, and the gate would not pass.
    """
    from assay.reports.plain import plain
    from assay.scanner.assess import assessed
    from assay.scanner.onboarding.pipelines import Ci, ci_of, top_of

    with problems_told():
        scope = request.scope()
        with progress_shown() as progress:
            result = assessed(scope, progress)
        top = top_of(request.path)
        ci = Ci(chosen) if chosen else ci_of(top)
        files = list(_files(scope, result, top, ci, force=force))
        if not dry_run:
            _write([file for file in files if not file.kept])
        gate = list(_gate(scope, result))
    after = _next(files, result, ci, request.path)
    for line in (*_found(result), "", *_told(files, dry_run), "", *gate, "", *after):
        print_text(plain(line) + "\n")
    if dry_run:
        for file in files:
            if not file.kept and file.path.suffix != ".jsonl":
                print_text(f"\n--- {plain(str(file.path))}\n{file.text}")
    if _grave(result):
        sys.exit(UNTRUSTED)


def _files(scope: Scope, result: ScanResult, top: Path, ci: Ci, *, force: bool) -> Iterator[_File]:
    from assay.scanner import baseline
    from assay.scanner.config import FILE_NAME, FILE_NAMES
    from assay.scanner.onboarding.first_config import first_config
    from assay.scanner.onboarding.pipelines import ci_files

    root = scope.root
    rule = next(r.code for r in scope.rulebook.rules)
    sources = scope.options.config.sources
    other = next((name for name in FILE_NAMES if name != FILE_NAME and name in sources), None)
    text = first_config(result.edition, result.services, rule)
    purpose = f"edition {result.edition}, and the default gate written out"
    yield _file(root / FILE_NAME, text, purpose, force, f"{other} configures Assay already" if other else "")
    made = baseline.created(result)
    unread = f"{len(_grave(result))} problems below come first" if _grave(result) else ""
    purpose = f"{counted(len(made.entries), 'finding')} of today, so that what is new can be told"
    yield _file(root / baseline.FILE, made.text, purpose, force, unread)
    for file in ci_files(ci, top, root):
        # Another pipeline's file is nobody's to write anew.
        is_shared = file.path == ".gitlab-ci.yml"
        yield _file(_shown(root, top) / file.path, file.text, file.purpose, force and not is_shared)


def _file(path: Path, text: str, purpose: str, force: bool, kept: str = "") -> _File:
    if not kept and path.exists() and not force:
        kept = "it is there" + ("" if path.name == ".gitlab-ci.yml" else "; --force writes it anew")
    return _File(path, text, purpose, kept)


def _shown(root: Path, top: Path) -> Path:
    """The repository's top as somebody would call it who called the root so."""
    if root.resolve() == top:
        return root
    return top if root.is_absolute() else Path(os.path.relpath(top, Path.cwd().resolve()))


def _write(files: list[_File]) -> None:
    """All or nothing, as far as can be told before. Raises UnwritableError."""
    from assay.scanner.output import UnwritableError, check_writable, write_text

    for file in files:
        try:
            file.path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableError(f"{file.path.parent}: {error.strerror or error}") from error
        check_writable(file.path)
    for file in files:
        write_text(file.path, file.text)


def _found(result: ScanResult) -> Iterator[str]:
    from assay.reports import figures
    from assay.scanner.verdicts import Kind, Severity

    for service in result.services:
        own = [f for f in result.findings if f.service == service.name and result.rule(f.rule).counts]
        fails = [f for f in own if f.kind is Kind.FAIL]
        grave = [f"{n:,} {s}" for s in (Severity.CRITICAL, Severity.HIGH) if (n := sum(f.severity is s for f in fails))]
        worst = f" ({', '.join(grave)})" if grave else ""
        where = "" if service.root == "." else f" ({service.root})"
        yield (
            f"{service.name}{where}: {', '.join(service.frameworks) or 'no framework known'}; score "
            f"{figures.score(service.score)} ({service.grade}), {counted(len(fails), 'fail')}{worst}, "
            f"{len(own) - len(fails):,} to review"
        )


def _told(files: list[_File], dry_run: bool) -> Iterator[str]:
    width = max(len(str(file.path)) for file in files)
    for file in files:
        done = "not written" if file.kept else "would write" if dry_run else "wrote"
        yield f"{done:<11}  {file.path!s:<{width}}  {file.kept or file.purpose}"


def _gate(scope: Scope, result: ScanResult) -> Iterator[str]:
    """What the gate says of today's findings, which the baseline knows."""
    from assay.scanner import baseline
    from assay.scanner.assess import gated
    from assay.scanner.comparison import compared_with_baseline
    from assay.scanner.results import Outcome

    compared = compared_with_baseline(result, baseline.load(scope.root) or baseline.created(result))
    gate = gated(compared, scope.options.config, scope.today).gate
    assert gate is not None
    failing = [c for c in gate.conditions if c.outcome is Outcome.NOT_MET]
    fail = "fails" if len(failing) == 1 else "fail"
    yield f"The gate has {counted(len(gate.conditions), 'condition')}; {len(failing)} {fail} today:"
    for condition in gate.conditions:
        sign = "✗" if condition in failing else "–" if condition.outcome is Outcome.NOT_APPLICABLE else "✓"
        yield f"  {sign} {condition.name} {condition.operator} {condition.limit:g} {condition.unit}".rstrip()


def _next(files: list[_File], result: ScanResult, ci: Ci, path: Path) -> Iterator[str]:
    from assay.scanner.onboarding.pipelines import PLACEHOLDER, Ci

    grave = _grave(result)
    if grave:
        yield "Not everything could be read or judged, so there is no baseline, and the gate would exit with 2:"
        for diagnostic in grave[:_SHOWN]:
            line = "" if diagnostic.line is None else f":{diagnostic.line}"
            yield f"  {diagnostic.path}{line}  {diagnostic.message}"
        if len(grave) > _SHOWN:
            yield f"  … {len(grave) - _SHOWN} more: assay doctor"
        yield "Mend these, or leave them out ([files] exclude in assay.toml); then run assay init again."
        return
    written = [file for file in files if not file.kept]
    yield "Next:"
    if written:
        yield f"  git add {' '.join(shlex.quote(str(file.path)) for file in written)}"
    for file in written:
        if PLACEHOLDER in file.text:
            yield f"  say in {file.path} where your CI installs Assay from, instead of git.example.org"
    if any(file.kept and file.path.name == ".gitlab-ci.yml" for file in files):
        yield "  add to .gitlab-ci.yml:  include: [{ local: .gitlab/assay.gitlab-ci.yml }]"
    tree = "" if path == Path() else f" {shlex.quote(str(path))}"
    if ci is Ci.NONE:
        yield f"  let your CI run `assay gate{tree}` (docs/ci.md), or take --ci github or --ci gitlab"
    steps = {
        f"assay gate{tree}": "what it would say of a change",
        f"assay scan{tree} --report html=report.html": "all findings, worst first",
    }
    width = max(map(len, steps))
    for command, purpose in steps.items():
        yield f"  {command:<{width}}   {purpose}"


_SHOWN = 5


def _grave(result: ScanResult) -> list[Diagnostic]:
    return [d for d in result.diagnostics if d.reason.is_grave]
