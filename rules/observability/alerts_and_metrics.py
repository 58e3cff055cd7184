"""OBS4: somebody who can act is told when a service fails its users, by numbers that are right."""

from __future__ import annotations

from assay.scanner.model.metric import Cardinality, MetricLabel, QueriedMetric
from assay.scanner.model.monitoring import Alert, AlertCoverage, AlertDestination, Damping, Runbook
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Evidence, Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "OBS401",
    severity=Severity.MEDIUM,
    references=(
        "https://sre.google/sre-book/monitoring-distributed-systems/",
        "https://sre.google/workbook/alerting-on-slos/",
    ),
)
def golden_signals_not_alerted(alerts: AlertCoverage, service: Service) -> Verdict:
    """The alerts about a service don't look at its errors, or neither at its latency nor at what it runs out of.

    Why: a service that answers its probe can fail every request, or take a minute for each, and nobody is told.
    Fix: alert on the ratio of failed requests and on the latency at a high quantile, against the objective.
    """
    if alerts.errors and (alerts.latency or alerts.saturation):
        return passed(
            "alerts look at errors, and at latency or saturation",
            *alerts.errors,
            *(alerts.latency or alerts.saturation),
        )
    if alerts.unread:
        return review("do these rules alert on failed requests and on latency?", *alerts.unread)
    seen = (*alerts.errors, *alerts.latency, *alerts.saturation, *alerts.others)
    if not seen and not alerts.signs:
        return not_applicable("nothing here says how the service is run")
    if not seen:
        return review("is somebody told, from elsewhere, when requests fail or become slow?", *alerts.signs)
    if alerts.errors:
        return fail("no alert looks at latency, nor at anything that runs out", *seen)
    others = "" if alerts.latency or alerts.saturation else ", at latency or at anything that runs out"
    return fail(f"no alert looks at failed requests{others}", *seen)


@rule(
    "OBS402",
    severity=Severity.MEDIUM,
    references=(
        "https://prometheus.io/docs/practices/alerting/",
        "https://sre.google/sre-book/being-on-call/",
    ),
)
def alert_not_actionable(alert: Alert, service: Service) -> Verdict:
    """An alert fires at a single sample, or doesn't say how urgent it is, what is wrong or what to do.

    Why: whoever is woken by it loses the first minutes to finding that out, and learns to ignore the next one.
    Fix: give each alert a `for`, a `severity` label, a summary, and a `runbook_url` that leads to a page.
    """
    if alert.is_for_machines:
        return not_applicable("it is for machines: it shows that alerts arrive, or keeps others quiet")
    missing = [
        *(["a `for`"] if alert.damping is Damping.NOTHING else []),
        *(["a severity"] if alert.severity is None else []),
        *(["a summary"] if alert.says is None else []),
        *(["a link to a runbook"] if alert.runbook is Runbook.NOTHING else []),
    ]
    if missing:
        return fail(f"the alert lacks {_listed(missing)}", alert.place)
    if alert.page is not None and alert.runbook is Runbook.GONE:
        return fail("the alert leads to a page that isn't there", alert.page)
    if alert.page is not None and alert.runbook is Runbook.PLACEHOLDER:
        return fail("the link to the runbook still has to be filled in", alert.page)
    if alert.damping is Damping.AT_ONCE:
        return review("is a single bad sample worth an alert?", alert.place)
    shown = (e for e in (alert.says, alert.page) if e is not None)
    return passed("it waits, says how urgent it is and what is wrong, and leads to a page", alert.place, *shown)


@rule("OBS403", severity=Severity.MEDIUM, references=("https://prometheus.io/docs/practices/naming/",))
def query_names_unknown_metric(metric: QueriedMetric, service: Service) -> Verdict:
    """An alert or a dashboard asks for a metric of the service that nothing makes.

    Why: the query has no result, so the alert never fires and the panel stays empty, which looks like peace.
    Fix: bring the metric back or rename it in the query, and test the rule together with the code.
    """
    if metric.made is not None:
        return passed("the metric is made here", metric.place, metric.made)
    if metric.perhaps:
        return review(f"does anything make {metric.name}? {metric.perhaps}", metric.place)
    return fail(f"nothing makes {metric.name}, so the query has no result", metric.place)


@rule("OBS404", severity=Severity.HIGH, references=("https://prometheus.io/docs/alerting/latest/configuration/",))
def alert_reaches_nobody(destination: AlertDestination, service: Service) -> Verdict:
    """A route or a receiver of alerts leads to nobody, or urgent alerts go where the others go.

    Why: the alert fires, and nobody who could act is told in time.
    Fix: route critical alerts to a receiver that pages, keep its key in a secret, group alerts, and send a test.
    """
    here = Evidence(destination.location, destination.label)
    if destination.unneeded:
        return not_applicable(destination.unneeded)
    if destination.unknown is not None:
        return fail("no receiver of this name is defined", destination.unknown)
    if destination.placeholder is not None:
        return fail("the address of the receiver still has to be filled in", destination.placeholder)
    if destination.secret is not None:
        return fail("a key that lets anybody send is in the repository", destination.secret)
    if destination.empty is not None and destination.templated is None:
        return fail("the receiver tells nobody", destination.empty)
    if destination.unpaged is not None and not destination.is_part:
        return fail("critical alerts go only where warnings go; route them to a pager", destination.unpaged)
    if destination.ungrouped is not None:
        return fail("all alerts make one group, in which a new one waits; set `group_by`", destination.ungrouped)
    if destination.empty is not None:
        return review("may alerts that no route names be dropped?", destination.empty)
    if destination.unpaged is not None:
        return review("does something else page for critical alerts?", destination.unpaged)
    if destination.templated is not None:
        return review("is the address filled in before this is used?", destination.templated)
    return passed("it leads to somebody", destination.kept or destination.grouped or here)


@rule("OBS406", severity=Severity.HIGH, references=("https://prometheus.io/docs/practices/naming/#labels",))
def unbounded_metric_label(value: MetricLabel, service: Service) -> Verdict:
    """A label of a metric takes any number of values: raw paths, ids, the text of exceptions.

    Why: each new value makes a new series for good, until the metrics cost more than the service, or stop.
    Fix: label with the route's template, a kind or a status; put ids and texts into logs and traces.
    """
    shown = (value.place, *((value.source,) if value.source is not None else ()))
    match value.cardinality:
        case Cardinality.ANY:
            return fail(f"{value.name} has no end of values: {value.said}", *shown)
        case Cardinality.UNSURE:
            return review(f"are there only a few values of {value.name}?", *shown)
        case Cardinality.FEW:
            return passed(f"{value.name} has few values", value.place)
        case Cardinality.UNKNOWN:
            return not_applicable("where the value comes from can't be told")


def _listed(words: list[str]) -> str:
    return ", ".join(words[:-1]) + (" and " if len(words) > 1 else "") + words[-1]
