"""The labels of metrics: each makes as many series as it has values."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import Scope
from assay.scanner.metrics.emissions import label_values
from assay.scanner.metrics.origins import Origins
from assay.scanner.metrics.setups import setups
from assay.scanner.metrics.words import Spread
from assay.scanner.model.metric import Cardinality, MetricLabel
from assay.scanner.readers.python import form

_SPREADS = {
    Spread.CLOSED: Cardinality.FEW,
    Spread.OPEN: Cardinality.ANY,
    Spread.UNSURE: Cardinality.UNSURE,
    Spread.UNKNOWN: Cardinality.UNKNOWN,
}


def metric_labels(gathered: Gathered) -> Iterator[MetricLabel]:
    """Those of all production code."""
    origins = Origins(gathered.project, [route for route, _ in gathered.endpoints])
    counted, seen = Ordinals(), set()
    for found in label_values(gathered.project):
        module = found.scope.module
        place = (module.path, found.node.start)
        if place in seen:
            continue
        seen.add(place)
        origin = origins.of(found.node, found.scope)
        spread = _SPREADS[origin.spread]
        if spread is Cardinality.ANY and _is_looked_up(found.node, found.scope):
            spread = Cardinality.UNSURE
        function = around(found.scope)
        name = f"{found.metric} {found.label}"
        yield MetricLabel(
            function,
            found.metric,
            found.label,
            counted.next(function, name),
            module.location(found.node),
            module.role,
            spread,
            origin.said,
            origin.where if origin.where is not None and origin.where.location != module.location(found.node) else None,
        )
    yield from setups(gathered.project)


def _is_looked_up(node: form.Expr, scope: Scope) -> bool:
    """The code gets there only where it is one of some."""
    name = form.dotted(node)
    for statement in scope.function.walk() if name is not None and scope.function is not None else ():
        if isinstance(statement, form.If) and isinstance(statement.test, form.Compare):
            test, body = statement.test, statement.body
            is_inside = body[0].start <= node.start < body[-1].end
            if form.dotted(test.left) == name and test.ops == ["in" if is_inside else "not in"]:
                return True
    return False
