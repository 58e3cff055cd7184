"""Committed OpenAPI documents, and the service whose routes each describes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from assay.scanner.description.library_routes import answered_by_library
from assay.scanner.gathered import Gathered
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.naming.apis import ApiRoute
from assay.scanner.naming.templates import template_of
from assay.scanner.readers.audits import AuditFacts, AuditKind
from assay.scanner.readers.openapi import OpenApiFacts, Operation

_NO_PROMISES = ("HEAD", "OPTIONS", "TRACE")
_DEEPEST = 4
"""Segments of a prefix that only one side has."""

Key = tuple[str, str]
"""Method, and the path with a gap for each parameter."""


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A document, with its operations by method and path."""

    path: str
    facts: OpenApiFacts
    operations: Mapping[Key, Operation]


@dataclass(frozen=True, slots=True, eq=False)
class Binding:
    """A document and the routes of the service that it describes, in its own terms: without the prefix that only the
    code has, or only the document.
    """

    document: Document
    root: str
    routes: Mapping[Key, ApiRoute]

    @property
    def has_guards(self) -> bool:
        """Whether the service's way to ask who is calling is understood: for some routes, there is one."""
        return any(each.endpoint.auth for each in self.routes.values())

    @property
    def shared(self) -> int:
        """How many operations both have."""
        return len(self.document.operations.keys() & self.routes.keys())

    @property
    def described(self) -> Sequence[ApiRoute]:
        """The routes that the document has."""
        return [route for key, route in self.routes.items() if key in self.document.operations]


def documents_of(gathered: Gathered) -> Iterator[Document]:
    """The documents of the tree that aren't tests' or examples', and of copies in several notations the first."""
    seen = set[tuple[str | None, frozenset[Key]]]()
    for path, facts in sorted(gathered.context.files.items()):
        if isinstance(facts, OpenApiFacts) and gathered.roles.get(path) not in (Role.TEST, Role.EXAMPLE):
            operations = {
                (o.method, template_of(o.path).shape): o for o in facts.operations if o.method not in _NO_PROMISES
            }
            copied = (facts.title, frozenset(operations))
            if operations and copied not in seen:
                seen.add(copied)
                yield Document(path, facts, operations)


def bindings(gathered: Gathered, routes_of: Mapping[str, Sequence[ApiRoute]]) -> Iterator[Binding]:
    """Each document with the service that most of its operations are of; none where it describes something else."""
    for document in documents_of(gathered):
        best = max((_bound(document, root, routes) for root, routes in routes_of.items()),
                   key=lambda b: b.shared, default=None)  # fmt: skip
        if best is None or not best.shared:
            continue
        missing = [o for key, o in document.operations.items() if key not in best.routes]
        libraries = sum(answered_by_library(o.path, best.root, gathered.project) is not None for o in missing)
        if 2 * best.shared > len(document.operations) - libraries:
            yield best


def _bound(document: Document, root: str, routes: Sequence[ApiRoute]) -> Binding:
    """By the prefix with which most operations are found on both sides."""
    code: dict[Key, ApiRoute] = {}
    for each in routes:
        if each.endpoint.method not in _NO_PROMISES:
            for method in _methods(each, document):
                code.setdefault((method, each.template.shape), each)
    best = Binding(document, root, code)
    for prefix in _prefixes(shape for _, shape in code):
        cut = {(m, shape.removeprefix(prefix) or "/"): r for (m, shape), r in code.items() if _is_below(shape, prefix)}
        best = max(best, Binding(document, root, cut), key=lambda b: b.shared)
    for prefix in _prefixes(shape for _, shape in document.operations):
        longer = {(m, (prefix + shape).rstrip("/")): r for (m, shape), r in code.items()}
        best = max(best, Binding(document, root, longer), key=lambda b: b.shared)
    return best


def _methods(found: ApiRoute, document: Document) -> Iterable[str]:
    """A view that takes any method is there for those that the document speaks of."""
    if found.endpoint.method != "ANY":
        return (found.endpoint.method,)
    return [m for m, shape in document.operations if shape.endswith(found.template.shape)] or ("ANY",)


def _prefixes(shapes: Iterable[str]) -> list[str]:
    found = set[str]()
    for shape in shapes:
        parts = shape.split("/")[1:]
        found |= {"/" + "/".join(parts[:length]) for length in range(1, min(len(parts), _DEEPEST) + 1)}
    return sorted(found, key=lambda p: (len(p), p))


def _is_below(shape: str, prefix: str) -> bool:
    return shape == prefix or shape.startswith(prefix + "/")


def compared_by(gathered: Gathered) -> Evidence | None:
    """The step of a pipeline that makes the document anew and compares it with the committed one."""
    for path, facts in gathered.context.files.items():
        if isinstance(facts, AuditFacts):
            for audit in facts.audits:
                if audit.kind is AuditKind.DESCRIPTION:
                    return audit.span.evidence(path, audit.name)
    return None
