"""Groups of rules, as Prometheus, its operator, Google's managed service and Grafana write them."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.readers.monitoring.facts import AlertRule, Annotation, MonitoringFacts, Objective, Recording
from assay.scanner.readers.span import Span
from assay.scanner.readers.yaml_documents import Mapping, Node, Scalar, Sequence

_OBJECTIVES = ("ServiceLevelObjective", "PrometheusServiceLevel", "SLO")
"""Of Pyrra, Sloth and OpenSLO."""


def groups(document: Mapping) -> MonitoringFacts:
    """The rules of a mapping with `groups`."""
    alerts: list[AlertRule] = []
    recordings: list[Recording] = []
    for group in document.mappings("groups"):
        shared = group.pairs("labels")
        for rule in group.mappings("rules"):
            recorded, expression = rule.scalar("record"), rule.scalar("expr")
            if rule.get("alert") is not None:
                alerts.append(_alert(rule, shared))
            elif recorded is not None and expression is not None:
                recordings.append(Recording(recorded.text, expression.text, recorded.span))
            elif rule.get("data") is not None and rule.get("title") is not None:
                alerts.append(_grafana_alert(rule))
    return MonitoringFacts(tuple(alerts), tuple(recordings))


def _alert(rule: Mapping, shared: tuple[tuple[str, str], ...]) -> AlertRule:
    return _made(rule, "alert", tuple(_expression(rule)), shared, is_grafana=False)


def _expression(held: Mapping) -> Iterator[tuple[str, Span]]:
    found = held.entry("expr")
    if found is not None and isinstance(found.value, Scalar):
        yield found.value.text, found.key.span


def _grafana_alert(rule: Mapping) -> AlertRule:
    models = (query.mapping("model") for query in rule.mappings("data"))
    found = tuple(each for model in models if model is not None for each in _expression(model))
    return _made(rule, "title", found, (), is_grafana=True)


def _made(
    rule: Mapping,
    named: str,
    expressions: tuple[tuple[str, Span], ...],
    shared: tuple[tuple[str, str], ...],
    *,
    is_grafana: bool,
) -> AlertRule:
    name = rule.entry(named)
    waits = rule.entry("for")
    annotations = rule.mapping("annotations")
    return AlertRule(
        rule.text(named) or "",
        name.key.span if name is not None else rule.span,
        expressions,
        rule.text("for"),
        waits.key.span if waits is not None else None,
        rule.text("keep_firing_for"),
        tuple(sorted({**dict(shared), **dict(rule.pairs("labels"))}.items())),
        tuple(
            Annotation(e.key.text, e.value.text, e.key.span)
            for e in (annotations.entries if annotations is not None else ())
            if isinstance(e.value, Scalar)
        ),
        is_grafana,
    )


def objectives(document: Mapping) -> Iterator[Objective]:
    """Service-level objectives, which generators turn into alerts on their burn rates."""
    kind, spec = document.text("kind"), document.mapping("spec")
    metadata = document.mapping("metadata")
    if kind in _OBJECTIVES and spec is not None:
        listed = spec.mappings("slos")
        name = metadata.text("name") if metadata is not None else None
        if listed:
            yield from (_objective(each) for each in listed)
        else:
            yield Objective(name or "", document.span, " ".join([name or "", *_texts(spec)]))
    elif (document.text("version") or "").startswith("prometheus/v1"):
        yield from (_objective(each) for each in document.mappings("slos"))


def _objective(each: Mapping) -> Objective:
    return Objective(each.text("name") or "", each.span, " ".join(_texts(each)))


def _texts(node: Node) -> Iterator[str]:
    if isinstance(node, Scalar):
        yield node.text
    elif isinstance(node, Sequence):
        for item in node.items:
            yield from _texts(item)
    else:
        for entry in node.entries:
            yield entry.key.text
            yield from _texts(entry.value)
