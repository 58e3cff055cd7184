"""Judging a tree unit by unit, side by side, and only those units of which an earlier scan knows nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from assay.scanner.config import Config
from assay.scanner.executors import run_all
from assay.scanner.filekinds import FileKind
from assay.scanner.judging import Judged, Task, answer_of, run_task
from assay.scanner.link import units_of_tree
from assay.scanner.options import Options, Progress
from assay.scanner.reading import FileOutcome
from assay.scanner.rulebook import Rulebook
from assay.scanner.survey import Survey
from assay.scanner.units import Unit

__all__ = ["judge_units"]


def judge_units(
    survey: Survey, outcomes: tuple[FileOutcome, ...], rulebook: Rulebook, options: Options, progress: Progress
) -> list[Judged]:
    """Empty where there is only one: it needs no process of its own."""
    mentions = {o.path: said for o in outcomes if (said := o.mentions) is not None}
    others = {o.path: f for o in outcomes if o.kind is not FileKind.PYTHON and (f := o.decoded()) is not None}
    barren: set[str] = set()
    while True:
        units = units_of_tree(mentions, others, survey.paths, barren)
        if len(units) < 2 and not barren:
            return []
        tasks = [_task(unit, units, survey, outcomes, rulebook, options.config) for unit in units]
        parts = _run(units, tasks, options, progress)
        found = {unit.root for unit, part in zip(units, parts, strict=True) if not part.services}
        if not found:
            return parts
        # A library that could have been a service belongs to the service around it.
        barren |= found


def _task(
    unit: Unit,
    units: Iterable[Unit],
    survey: Survey,
    outcomes: Iterable[FileOutcome],
    rulebook: Rulebook,
    config: Config,
) -> Task:
    seen = [o for o in outcomes if o.kind is not FileKind.PYTHON or o.path in unit.modules]
    paths = {o.path for o in seen}
    return Task(
        root=str(survey.tree.root),
        facts={o.path: (o.kind, o.facts) for o in seen if o.facts is not None},
        digests={o.path: o.digest for o in seen},
        roles={f.path: f.role for f in survey.tree.files if f.path in paths},
        paths=sorted(survey.paths),
        tree_name=survey.name,
        metadata=dict(survey.metadata),
        own=frozenset(unit.own),
        neighbours=tuple(u.root for u in units if u is not unit),
        config=config,
        packages=rulebook.packages,
        rules=frozenset(rule.code for rule in rulebook.rules),
    )


def _run(units: Sequence[Unit], tasks: list[Task], options: Options, progress: Progress) -> list[Judged]:
    recall = options.recall
    known = {place: found for place, task in enumerate(tasks) if recall and (found := recall.judged(task))}
    options.profile.units = {unit.root: place in known for place, unit in enumerate(units)}
    places = [place for place in range(len(tasks)) if place not in known]
    with options.profile.stage("judge"):
        encoded = [msgspec.msgpack.encode(tasks[place]) for place in places]
        for place, answer in run_all(run_task, encoded, options.workers, options.make_pool):
            known[places[place]] = judged = answer_of(answer, options.profile)
            if recall:
                recall.keep_judged(tasks[places[place]], judged)
            progress("judging", len(known), len(tasks))
    return [known[place] for place in range(len(tasks))]
