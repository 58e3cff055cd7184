"""`assay history`: the scans that a store has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner.cli.convert import read_result
from assay.scanner.cli.exits import problems_told
from assay.scanner.cli.keeping import READ_STORE, kept, opened
from assay.scanner.cli.kept_results import service_named
from assay.scanner.cli.printing import print_text, show
from assay.scanner.cli.waivers import Days

if TYPE_CHECKING:
    from assay.scanner.history.records import Origin
    from assay.scanner.results import ScanResult

_SHOWN = 30
_FORM = click.option("--format", "-f", "form", type=click.Choice(["text", "json"]), default="text")


class Moment(click.ParamType[datetime]):
    """A day or a moment, `2027-01-31` or `2027-01-31T12:00:00Z`; without a zone it is in UTC."""

    name = "date"

    def convert(self, value: object, param: click.Parameter | None, context: click.Context | None) -> datetime:
        """Raises a usage error."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no moment; write 2027-01-31 or 2027-01-31T12:00:00Z", param, context)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


@click.group()
def history() -> None:
    """Show the scans that are kept in a store, add others, and forget old ones.

    `assay scan --store URL` and `assay gate --store URL` keep what they find.
    """


@history.command("list")
@READ_STORE
@click.option("--service", help="Only this one: `orders`, or `acme/shop: orders` where several repositories have one.")
@click.option(
    "--branch", help="With --service: scans of this branch; by default of the one that its history is told by."
)
@click.option("--since", type=Moment(), help="With --service: from this day on.")
@click.option("--until", type=Moment(), help="With --service: up to this day or moment.")
@click.option("--limit", type=click.IntRange(min=1), default=_SHOWN, show_default=True, help="How many, newest first.")
@_FORM
def list_(
    store: str,
    service: str | None,
    branch: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    form: str,
) -> None:
    """List the services with their newest scan, or the scans of one service, newest first."""
    from assay.reports import history as screens

    if service is None and (branch is not None or since or until):
        raise click.UsageError("--branch, --since and --until go with --service")
    with problems_told(), opened(store) as known:
        services = known.services()
        if service is None:
            before = {id_: scans[-2] for id_, scans in known.all_scans().items() if len(scans) > 1}
            if form == "json":
                print_text(screens.services_as_json(services))
            else:
                show(lambda console: screens.render_services(services, before, console))
            return
        found = service_named(service, services)
        changes = known.changes(found.id, since=since, until=until, branch=branch)
    latest = tuple(reversed(changes))[:limit]
    if form == "json":
        print_text(screens.scans_as_json(found, latest))
    else:
        show(lambda console: screens.render_scans(found, latest, len(changes), console))


@history.command("show")
@click.argument("scan", type=click.IntRange(min=1))
@READ_STORE
@_FORM
def show_(scan: int, store: str, form: str) -> None:
    """Show what is kept of a scan: scores, counts, and what it brought against the one before."""
    from assay.reports import history as screens

    with problems_told(), opened(store) as known:
        details = known.scan(scan)
        findings = known.findings(scan)
        at, branch = details.scan.at, details.scan.branch
        (change,) = known.changes(details.service.id, since=at, until=at, branch=branch)
    if form == "json":
        print_text(screens.scan_as_json(details, findings, change))
    else:
        show(lambda console: screens.render_scan(details, findings, change, console))


@history.command()
@click.argument("results", nargs=-1, required=True, type=click.Path(path_type=Path))
@READ_STORE
@click.option("--repository", help="Whose scan it was, such as acme/shop; by default what git says of this folder.")
@click.option("--branch", help="Which branch was scanned; by default the current one, where it has the commit.")
@click.option("--stored-at", type=Moment(), help="When it was scanned; by default now.")
def add(
    results: tuple[Path, ...], store: str, repository: str | None, branch: str | None, stored_at: datetime | None
) -> None:
    """Add scans from their JSON reports (`assay scan --report json=FILE`); - is standard input.

    A scan of the same commit on the same branch is replaced. All of them are added, or none.
    """
    with problems_told():
        read = [(file, read_result(file)) for file in results]
        with opened(store, create=True) as known:
            scans = known.add_all(
                ((result, _origin(result, repository, branch)) for _, result in read), stored_at or datetime.now(UTC)
            )
            kept(known, scans)


@history.command()
@click.argument("scans", nargs=-1, required=True, type=click.IntRange(min=1))
@READ_STORE
def remove(scans: tuple[int, ...], store: str) -> None:
    """Forget scans, by their numbers: all of them, or none where one isn't there."""
    with problems_told(), opened(store) as known:
        known.remove(scans)
    click.echo(f"{len(set(scans))} forgotten")


@history.command()
@READ_STORE
@click.option("--keep", type=click.IntRange(min=1), help="How many scans to keep, of each branch of each service.")
@click.option(
    "--reports",
    type=click.IntRange(min=0),
    help="How many whole reports to keep of each, from now on too; 10 at first. `assay diff` needs them.",
)
@click.option("--quiet", type=Days(), metavar="90d", help="Forget branches that weren't scanned for so long.")
def prune(store: str, keep: int | None, reports: int | None, quiet: int | None) -> None:
    """Make a store smaller. A service's own branch is never forgotten, nor the newest scan of any that stays."""
    from assay.reports.figures import count

    if keep is None and reports is None and quiet is None:
        raise click.UsageError("say what to forget: --keep, --reports or --quiet")
    before = None if quiet is None else datetime.now(UTC) - timedelta(days=quiet)
    with problems_told(), opened(store) as known:
        pruned = known.prune(keep=keep, reports=reports, before=before)
    gone = f"{count(pruned.scans, 'scan')} and {count(pruned.reports, 'whole report')} forgotten"
    click.echo(f"{gone}; {count(pruned.left, 'scan')} left")


def _origin(result: ScanResult, repository: str | None, branch: str | None) -> Origin:
    """What the command line says; else what this folder is, where the commit is one of its own."""
    from assay.scanner.git import Git, GitError
    from assay.scanner.history.origin import origin_of
    from assay.scanner.history.records import Origin

    here = Path()
    origin = Origin(result.scanned.root)
    try:
        if result.scanned.commit and Git(here).commit(result.scanned.commit):
            origin = origin_of(here)
    except GitError:
        pass
    return Origin(
        origin.repository if repository is None else repository,
        origin.branch if branch is None else branch,
        origin.default_branch,
    )
