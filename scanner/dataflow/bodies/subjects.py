"""What clients send in bodies: how it is validated, and what it is copied into; and what they get to see."""

from __future__ import annotations

from collections.abc import Iterator
from weakref import WeakKeyDictionary

from assay.scanner.dataflow.bodies.assignments.bulk import BulkAssignments
from assay.scanner.dataflow.bodies.requests.handled import Requests
from assay.scanner.dataflow.bodies.requests.request_bodies import request_bodies
from assay.scanner.dataflow.bodies.schemas.reader import Schemas
from assay.scanner.dataflow.bodies.schemas.tables import Tables
from assay.scanner.dataflow.bodies.shapes import Shapes
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project
from assay.scanner.model.body import BulkAssignment, RequestBody, ResponseShape

_KNOWN: WeakKeyDictionary[Project, Schemas] = WeakKeyDictionary()


def schemas_of(gathered: Gathered) -> Schemas:
    """The schemas of the project, read once however many ask."""
    project = gathered.project
    if project not in _KNOWN:
        _KNOWN[project] = Schemas(Tables(gathered.tables, project), project)
    return _KNOWN[project]


def bodies(gathered: Gathered) -> Iterator[BulkAssignment | RequestBody | ResponseShape]:
    """Bodies of requests and shapes of responses: schemas, serializers, and what gets past them."""
    project = gathered.project
    schemas = schemas_of(gathered)
    requests = Requests(schemas, project)
    handled = list(requests.all(gathered.endpoints))
    yield from request_bodies(handled, requests.validators)
    yield from BulkAssignments(schemas).all(handled)
    yield from Shapes(schemas, project).all(gathered.endpoints)
