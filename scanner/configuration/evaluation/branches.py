"""Branches: whether production takes them, by how their tests turn out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from assay.scanner.configuration.evaluation.given import Given
from assay.scanner.configuration.meanings import (
    Firmness,
    Taken,
    truth_of,
)
from assay.scanner.dataflow.ways import Branch, Turn, way_to
from assay.scanner.linker.scopes import Binding, How, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.configuration.evaluation.expressions import Expressions


class Branches:
    """Which branches production takes."""

    def __init__(self, expressions: Expressions) -> None:
        self._expressions = expressions
        self._project = expressions.project

    def taken_by_binding(self, binding: Binding, around: Sequence[Branch], given: Given, depth: int) -> Taken:
        """Whether production binds the name there, for a place that is itself in the branches `around`."""
        if binding.how is How.PARAMETER:
            return Taken(True)
        way = [branch for branch in way_to(binding.scope.body, binding.offset) if branch not in around]
        return self.taken(way, binding.scope, given, depth)

    def taken(self, way: Sequence[Branch], scope: Scope, given: Given, depth: int) -> Taken:
        """Whether production takes all of the branches."""
        result = Taken(True)
        for branch in way:
            taken = self.taken_one(branch, scope, given, depth)
            if taken.truth is False:
                return taken
            truth = None if taken.truth is None else result.truth
            result = Taken(truth, max(result.firmness, taken.firmness))
        return result

    def taken_one(self, branch: Branch, scope: Scope, given: Given, depth: int) -> Taken:
        """Whether production takes the branch."""
        if branch.test is None:
            return Taken(None)
        truth, firmness, evidence = self.verdict(branch.test, scope, given, depth - 1)
        is_taken = None if truth is None else truth is (branch.turn is Turn.THEN)
        return Taken(is_taken, firmness, evidence, branch.test)

    def verdict(
        self, test: form.Expr, scope: Scope, given: Given, depth: int
    ) -> tuple[bool | None, Firmness, Evidence | None]:
        """How the test turns out, where it turns out in one way only."""
        if depth <= 0:
            return None, Firmness.FIXED, None
        found = self._expressions.of(test, scope, given, depth)
        truths = {truth_of(m.value) for m in found}
        if len(truths) != 1 or None in truths:
            return None, Firmness.FIXED, None
        return truths.pop(), max(m.firmness for m in found), found[0].evidence
