"""Judging a tree unit by unit, side by side, and only those units of which an earlier scan knows nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures.process import BrokenProcessPool

import msgspec

from assay.scanner.executors import run_all
from assay.scanner.filekinds import FileKind
from assay.scanner.judging import Judged, Task, answer_of, run_task
from assay.scanner.link import units_of_tree
from assay.scanner.options import Options, Progress
from assay.scanner.outcomes import FileOutcome
from assay.scanner.rulebook import Rulebook
from assay.scanner.services import innermost
from assay.scanner.survey import Survey
from assay.scanner.units import Unit

__all__ = ["judge_units"]


_MOST_ROUNDS = 3
_CODE = (FileKind.PYTHON, FileKind.TEST_CODE)


def judge_units(
    survey: Survey, outcomes: tuple[FileOutcome, ...], rulebook: Rulebook, options: Options, progress: Progress
) -> list[Judged]:
    """The verdicts on each unit; empty where there is only one, or where units turn out to be none.

    A unit has to know the roots of the others' services, for their names and for containers that run them. Which of
    its projects are services shows when it is linked; so a guess that was wrong costs another round.
    """
    mentions = {o.path: said for o in outcomes if (said := o.mentions) is not None}
    others = {o.path: f for o in outcomes if o.kind not in _CODE and (f := o.decoded()) is not None}
    units = units_of_tree(mentions, others, survey.paths)
    roots = {unit: unit.roots for unit in units}
    for _ in range(_MOST_ROUNDS):
        if len(roots) < 2:
            return []
        tasks = {unit: _task(unit, roots, mentions, survey, outcomes, rulebook, options) for unit in roots}
        parts = _run(tasks, options, progress)
        if parts is None:
            return []
        found = {unit: tuple(s.root for s in part.services) for unit, part in parts.items() if part.services}
        if not _are_apart(found, mentions):
            return []
        if found == roots:
            return list(parts.values())
        roots = found
    return []


def _are_apart(roots: Mapping[Unit, tuple[str, ...]], paths: Iterable[str]) -> bool:
    """Whether no file lies in the folder of a service that another unit, or none, has it in."""
    units = {"" if root == "." else root: unit for unit, of_unit in roots.items() for root in of_unit}
    around = ((path, innermost(path, units)) for path in paths)
    return all(root is None or path in units[root].modules for path, root in around)


def _task(
    unit: Unit,
    roots: Mapping[Unit, tuple[str, ...]],
    modules: Iterable[str],
    survey: Survey,
    outcomes: Iterable[FileOutcome],
    rulebook: Rulebook,
    options: Options,
) -> Task:
    places = {"" if root == "." else root: other for other, of_other in roots.items() for root in of_other}
    seen = [o for o in outcomes if o.kind not in _CODE or o.path in unit.modules]
    # A test outside every service may be any one's.
    seen += [o for o in outcomes if o.kind is FileKind.TEST_CODE and _around(o.path, places) in (unit, None)]
    paths = {o.path for o in seen}
    return Task(
        root=str(survey.tree.root),
        facts={o.path: (o.kind, o.facts) for o in seen if o.facts is not None},
        digests={o.path: o.digest for o in seen},
        roles={f.path: f.role for f in survey.tree.files if f.path in paths},
        paths=sorted(survey.paths),
        tree_name=survey.name or "root",
        metadata=dict(survey.metadata),
        modules=frozenset(modules),
        neighbours=tuple(sorted(root for other, of_other in roots.items() if other is not unit for root in of_other)),
        config=options.config.judged_by,
        packages=rulebook.packages,
        rules=frozenset(rule.code for rule in rulebook.rules),
        libraries=options.libraries,
        own=rulebook.own,
        measured=options.measured,
        added=options.added,
    )


def _around(path: str, places: Mapping[str, Unit]) -> Unit | None:
    """The unit in whose folder the file lies."""
    folder = innermost(path, places)
    return places[folder] if folder is not None else None


def _run(tasks: Mapping[Unit, Task], options: Options, progress: Progress) -> dict[Unit, Judged] | None:
    """None where the tasks can't be done apart."""
    recall = options.recall
    known = {unit: judged for unit, task in tasks.items() if recall and (judged := recall.judged(task))}
    options.profile.units = {unit.roots[0]: unit in known for unit in tasks}
    todo = [unit for unit in tasks if unit not in known]
    with options.profile.stage("judge"):
        encoded = [msgspec.msgpack.encode(tasks[unit]) for unit in todo]
        try:
            for place, answer in run_all(run_task, encoded, options.workers, options.make_pool):
                judged = answer_of(answer, options.profile)
                if judged is None:
                    return None
                known[todo[place]] = judged
                if recall:
                    recall.keep_judged(tasks[todo[place]], judged)
                progress("judging", len(known), len(tasks))
        except BrokenProcessPool:
            return None
    return {unit: known[unit] for unit in tasks}
