"""Follows bodies through the functions of a project, by the names that hold them."""

from __future__ import annotations

from assay.scanner.dataflow.bodies.requests.handling import Handling
from assay.scanner.dataflow.bodies.requests.held import Given, Held
from assay.scanner.dataflow.bodies.requests.readings import Readings
from assay.scanner.dataflow.bodies.requests.sent import Sent
from assay.scanner.dataflow.bodies.requests.validators import Validators
from assay.scanner.dataflow.bodies.requests.walking import Walk
from assay.scanner.dataflow.bodies.schemas.reader import Schemas
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol

_DEEPEST = 4
_Key = tuple[FunctionSymbol, frozenset[tuple[str, Sent]]]


class Following:
    """Knows what functions do with bodies, each worked out once for what it is given."""

    def __init__(self, readings: Readings, validators: Validators, schemas: Schemas, project: Project) -> None:
        self.readings = readings
        self.validators = validators
        self.schemas = schemas
        self.project = project
        self._known: dict[_Key, Handling] = {}
        self._giving: dict[_Key, Sent | None] = {}

    def of(self, function: FunctionSymbol, given: Given, depth: int = _DEEPEST) -> Handling:
        """What the function does with bodies, where its parameters hold what is given; `depth` calls further on."""
        key = (function, frozenset(given.items()))
        if key not in self._known:
            self._known[key] = Handling()  # for a function that calls itself
            self._known[key] = Walk(self, function, given, depth).handling()
        return self._known[key]

    def given_by(self, function: FunctionSymbol, given: Given) -> Sent | None:
        """What of a body the function returns that reads it itself, or was given it."""
        if function.name == "__init__" or not function.returns:
            return None
        key = (function, frozenset(given.items()))
        if key not in self._giving:
            self._giving[key] = None
            held = Held(self, function, given)
            found = (held.sent(r.value) for r in function.returns if r.value is not None)
            self._giving[key] = next((sent for sent in found if sent is not None), None)
        return self._giving[key]
