"""What Assay may cost, and whether it keeps to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from benchmarks.contenders import BANDIT, CHANGED, COLD, COLD_ALONE, FIXIT, HELP, PARSE, SEMGREP, WARM
from benchmarks.measure import Measured

_NEAR = 0.2
"""A tree of about so many lines may be this much shorter or longer."""


@dataclass(frozen=True, slots=True)
class TreeResult:
    """What was measured on one tree: medians, or why there is no figure, by contender."""

    name: str
    lines: int
    measured: Mapping[str, Measured | str]

    def of(self, contender: str) -> Measured | None:
        found = self.measured.get(contender)
        return found if isinstance(found, Measured) else None

    def is_about(self, lines: int) -> bool:
        return abs(self.lines - lines) <= _NEAR * lines


@dataclass(frozen=True, slots=True)
class Check:
    """A budget, with the figure it was held against; None where nothing was measured."""

    budget: str
    where: str
    value: float | None
    limit: float
    unit: str

    @property
    def is_met(self) -> bool | None:
        return None if self.value is None else self.value <= self.limit


def _wall(measured: Measured) -> float:
    return measured.wall


def _processor(measured: Measured) -> float:
    return measured.processor


def _gigabytes(measured: Measured) -> float:
    return measured.peak / 1e9


@dataclass(frozen=True, slots=True)
class _Budget:
    """A limit of one contender's figure, or of its ratio to a baseline's; on every tree or on those of about so many
    lines.
    """

    name: str
    contender: str
    limit: float
    baseline: str = ""
    lines: int | None = None
    figure: Callable[[Measured], float] = _wall
    unit: str = "×"

    def check(self, tree: TreeResult) -> Check:
        own, other = tree.of(self.contender), tree.of(self.baseline)
        if own is None or (self.baseline and other is None):
            return self.unmeasured()
        value = self.figure(own) / (self.figure(other) if other else 1)
        return Check(self.name, tree.name, value, self.limit, self.unit)

    def unmeasured(self) -> Check:
        return Check(self.name, "", None, self.limit, self.unit)


_BUDGETS = (
    _Budget("cold, against bandit", COLD, 1.3, BANDIT),
    _Budget("cold without analyzers, against bandit", COLD_ALONE, 1.0, BANDIT),
    _Budget("its processor time, against LibCST's parse alone", COLD_ALONE, 2.2, PARSE, figure=_processor),
    _Budget("cold, against semgrep", COLD, 0.2, SEMGREP),
    _Budget("cold, against Fixit", COLD, 0.2, FIXIT),
    _Budget("nothing changed, 250,000 lines", WARM, 0.6, lines=250_000, unit="s"),
    _Budget("nothing changed, against cold", WARM, 0.03, COLD, lines=250_000),
    _Budget("one file changed, 250,000 lines", CHANGED, 2.5, lines=250_000, unit="s"),
    _Budget("one file changed, against cold", CHANGED, 0.10, COLD, lines=250_000),
    _Budget("peak memory, 1,000,000 lines", COLD, 1.5, lines=1_000_000, figure=_gigabytes, unit="GB"),
)
_SMALL, _LARGE, _GROWTH = 50_000, 1_000_000, 1.2
_SLOWEST_HELP = 0.2


def checks(trees: Iterable[TreeResult]) -> Iterator[Check]:
    """Each budget on each tree that it is about; one that is about none of them is not measured."""
    trees = list(trees)
    for budget in _BUDGETS:
        suited = [tree for tree in trees if budget.lines is None or tree.is_about(budget.lines)]
        found = [check for tree in suited if (check := budget.check(tree)).value is not None]
        yield from found or [budget.unmeasured()]
    yield _growth(trees)
    helped = [measured.wall for tree in trees if (measured := tree.of(HELP))]
    yield Check("assay --help", "", min(helped, default=None), _SLOWEST_HELP, "s")


def _growth(trees: Iterable[TreeResult]) -> Check:
    """Seconds a line of a large tree over those of a small one."""

    def seconds_a_line(lines: int) -> float | None:
        of_size = (t for t in trees if t.is_about(lines))
        return next((cold.wall / t.lines for t in of_size if (cold := t.of(COLD))), None)

    small, large = seconds_a_line(_SMALL), seconds_a_line(_LARGE)
    value = large / small if small and large else None
    return Check("time a line at 1,000,000 lines, against 50,000", "", value, _GROWTH, "×")
