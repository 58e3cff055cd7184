"""`assay waive` and `assay waivers`: findings that somebody accepts, with reason, owner and end."""

from __future__ import annotations

import re
import sys
from datetime import date, timedelta
from typing import TYPE_CHECKING

import click

from assay.scanner.cli.exits import GATE_NOT_MET, fail, problems_told
from assay.scanner.cli.printing import print_text, progress_shown, show
from assay.scanner.cli.request import Request, takes_request
from assay.scanner.counted import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assay.scanner.acceptance.waivers import Waiver
    from assay.scanner.assess import Scope
    from assay.scanner.results import JudgedVerdict, ScanResult, WaiverUse

_DURATION = re.compile(r"\+?(?P<number>\d{1,5})(?P<unit>[dw]?)")
_FINGERPRINT = re.compile(r"[0-9a-f]{12}")


class Days(click.ParamType[int]):
    """A number of days: `30d`, `30` or `4w`."""

    name = "days"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> int:
        """Raises a usage error."""
        days = _days(str(value))
        if days is None:
            self.fail(f"{value!r} is no number of days; write 30d or 4w", param, context)
        return days


class End(click.ParamType[str]):
    """The last day: `2027-01-31`, or days from today: `90d`."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> str:
        """Raises a usage error."""
        text = str(value)
        if _days(text) is None:
            try:
                date.fromisoformat(text)
            except ValueError:
                self.fail(f"{text!r} is no date; write 2027-01-31, or 90d for the next 90 days", param, context)
        return text


def _days(text: str) -> int | None:
    match = _DURATION.fullmatch(text)
    return None if match is None else int(match["number"]) * (7 if match["unit"] == "w" else 1)


def _not_empty(context: click.Context, param: click.Parameter, value: str | None) -> str | None:
    if value is not None and not value.strip():
        raise click.BadParameter("it is empty", context, param)
    return value


@click.command()
@click.argument("target", metavar="FINDING|RULE")
@takes_request
@click.option("--subject", callback=_not_empty, help="With a RULE: the subject, such as 'GET /admin/export'.")
@click.option("--path", "pattern", callback=_not_empty, help="With a RULE: files, in gitignore syntax, as 'legacy/**'.")
@click.option("--reason", required=True, callback=_not_empty, help="Why the finding may stay.")
@click.option("--owner", required=True, callback=_not_empty, help="Who answers for it, such as @acme/payments.")
@click.option("--expires", "end", type=End(), required=True, help="The last day on which it counts, or 90d.")
@click.option("--approved-by", "approver", callback=_not_empty, help="Who agreed.")
@click.option("--ticket", callback=_not_empty, help="Where the work on it is planned.")
@click.option("--max", "maximum", type=click.IntRange(min=1), help="How many findings it may cover.")
def waive(
    request: Request,
    target: str,
    subject: str | None,
    pattern: str | None,
    reason: str,
    owner: str,
    end: str,
    approver: str | None,
    ticket: str | None,
    maximum: int | None,
) -> None:
    """Accept a finding: by its 12 digits, or all of a RULE on a subject or in some files.

    Writes an entry to .assay/waivers.toml of the scanned tree. Until it expires, the finding neither counts in scores
    nor at the gate; reports go on showing it as accepted.
    """
    from assay.scanner.acceptance.waivers import Waiver, load_waivers
    from assay.scanner.acceptance.writing import next_id

    with problems_told():
        scope = request.scope()
        waivers = load_waivers(scope.root, scope.limits)
        days = _days(end)
        expires = date.fromisoformat(end) if days is None else scope.today + timedelta(days=days)
        if (problem := scope.limits.problem_with(scope.today, expires)) is not None:
            raise click.UsageError(f"--expires: {problem[1]}")
        wanted = Waiver(
            next_id(waivers),
            target.upper(),
            reason.strip(),
            owner.strip(),
            scope.today,
            expires,
            (subject or "").strip(),
            (pattern or "").strip(),
            "",
            (approver or "").strip(),
            (ticket or "").strip(),
            maximum or sys.maxsize,
        )
        _check(wanted, target, scope)
        with progress_shown() as progress:
            from assay.scanner.assess import assessed

            result = assessed(scope, progress)
        is_finding = _FINGERPRINT.fullmatch(target) is not None
        waiver = _of_finding(wanted, target, result) if is_finding else _of_rule(wanted, result)
        _write(waiver, scope)
    covered = min(sum(map(waiver.covers, result.findings)), waiver.maximum)
    print_text(f"{waiver.id} covers {counted(covered, 'finding')} until {waiver.expires}; written to {_file(scope)}\n")


def _check(wanted: Waiver, target: str, scope: Scope) -> None:
    """Raises usage errors for what can be told without a scan."""
    from assay.scanner.config.documents import nearest
    from assay.scanner.config.patterns import problem_with

    if _FINGERPRINT.fullmatch(target):
        if wanted.subject or wanted.path:
            raise click.UsageError("a finding has its subject and its path; --subject and --path go with a rule")
        return
    if wanted.rule not in scope.codes:
        hint = nearest(wanted.rule, sorted(scope.codes)) or "; `assay rules` lists the rules"
        raise click.UsageError(f"{target!r} is neither the 12 digits of a finding nor a rule{hint}")
    if not wanted.subject and not wanted.path:
        raise click.UsageError(f"say where {wanted.rule} is accepted: --subject or --path, or name one finding")
    if wanted.path and (problem := problem_with(wanted.path)) is not None:
        raise click.UsageError(f"--path: {problem}")


def _of_finding(wanted: Waiver, mark: str, result: ScanResult) -> Waiver:
    """By rule and subject, which outlast an edit of the line; by the finding itself where two share these."""
    from dataclasses import replace

    finding = next((f for f in result.findings if f.fingerprint == mark), None)
    if finding is None:
        fail(f"there is no finding {mark} in this tree as it is now; `assay scan` shows them")
    if finding.acceptance is not None:
        fail(f"{mark} is accepted already: {finding.acceptance}")
    by_subject = replace(wanted, rule=finding.rule, subject=finding.subject.id.strip())
    if [f for f in result.findings if by_subject.covers(f)] == [finding]:
        return by_subject
    return replace(wanted, rule=finding.rule, finding=mark)


def _of_rule(wanted: Waiver, result: ScanResult) -> Waiver:
    """As it is wanted, where there is anything to waive: a slip of the pen would accept nothing, and nobody'd see."""
    covered = [f for f in result.findings if wanted.covers(f)]
    if not covered:
        fail(_nothing_there(wanted, [f.subject.id for f in result.findings if f.rule == wanted.rule]))
    accepted = [f.acceptance for f in covered if f.acceptance is not None]
    if len(accepted) == len(covered):
        fail(f"all that is {wanted.target} is accepted already: {accepted[0]}")
    return wanted


def _nothing_there(wanted: Waiver, subjects: Sequence[str]) -> str:
    from assay.scanner.config.documents import nearest

    if not subjects:
        return f"{wanted.rule} finds nothing in this tree; there is nothing to waive"
    hint = nearest(wanted.subject, subjects) if wanted.subject else ""
    return f"no finding is {wanted.target}{hint}; {wanted.rule} has {counted(len(subjects), 'finding')} elsewhere"


def _write(waiver: Waiver, scope: Scope) -> None:
    """Raises UnwritableError and WaiverError."""
    from assay.scanner.acceptance.waivers import FILE, parse_waivers
    from assay.scanner.acceptance.writing import with_waiver
    from assay.scanner.config.documents import Document
    from assay.scanner.output import UnwritableError, write_text

    file = scope.root / FILE
    try:
        # As it is: reading it as text would change line ends and drop the byte order mark.
        text = file.read_bytes().decode() if file.exists() else ""
        file.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise UnwritableError(f"{file}: {error.strerror or error}") from error
    written = with_waiver(text, waiver)
    parse_waivers(Document(FILE, written.removeprefix("\ufeff")), scope.limits)
    write_text(file, written)


def _file(scope: Scope) -> str:
    from assay.reports.plain import plain
    from assay.scanner.acceptance.waivers import FILE

    return plain(str(scope.root / FILE))


@click.command()
@takes_request
@click.option("--expiring", type=Days(), metavar="30d", help="Only those that end within that time, or have ended.")
@click.option("--check", is_flag=True, help="Exit with 1 where one has expired.")
@click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text")
def waivers(request: Request, expiring: int | None, check: bool, form: str) -> None:
    """List the accepted findings by owner: how old, until when, and how many findings each covers.

    A mistake in .assay/waivers.toml exits with 2.
    """
    from assay.reports import waivers as screens
    from assay.scanner.acceptance.waivers import load_waivers
    from assay.scanner.assess import assessed

    with problems_told():
        scope = request.scope()
        known = load_waivers(scope.root, scope.limits)
        with progress_shown() as progress:
            result = assessed(scope, progress)
    uses = [_use(w, result.findings, scope.today) for w in known]
    shown = [u for u in uses if expiring is None or u.days_left <= expiring]
    if form == "json":
        print_text(screens.as_json(shown))
    else:
        show(lambda console: screens.render(shown, len(uses), result, console))
    if check and any(u.days_left < 0 for u in uses):
        sys.exit(GATE_NOT_MET)


def _use(waiver: Waiver, findings: Iterable[JudgedVerdict], today: date) -> WaiverUse:
    from assay.scanner.results import WaiverUse

    covered: Sequence[JudgedVerdict] = [f for f in findings if waiver.covers(f)]
    return WaiverUse(
        waiver.acceptance,
        waiver.target,
        waiver.place,
        len(covered),
        None if waiver.maximum == sys.maxsize else waiver.maximum,
        (today - waiver.created).days,
        waiver.days_left(today),
    )
