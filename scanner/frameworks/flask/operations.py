"""What Connexion makes of an operation: the function that its resolver names, and what its answer holds
(https://connexion.readthedocs.io/en/latest/routing.html).
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.readers.openapi import Operation, SchemaUse
from assay.scanner.web.annotations import IDENTITIES, WRAPPER_FIELDS

_RESTY = frozenset({"RestyResolver", "MethodResolver", "MethodViewResolver", "MethodResolverBase"})
_RELATIVE = frozenset({"RelativeResolver"})


@dataclass(frozen=True, slots=True)
class Resolver:
    """How operations without a full name find their functions: `kind` is the resolver's class."""

    kind: str = ""
    module: str = ""
    collection_endpoint: str = "search"

    def function_of(self, operation: Operation) -> str | None:
        """The dotted name of the operation's function."""
        if operation.operation_id is not None:
            prefix = operation.controller or (self.module if self.kind in _RELATIVE else None)
            return f"{prefix}.{operation.operation_id}" if prefix else operation.operation_id
        return self._by_convention(operation) if self.kind in _RESTY else None

    def _by_convention(self, operation: Operation) -> str:
        """`api.pets.search` for `GET /pets`, `api.pets.get` for `GET /pets/{id}`; a class's method with views."""
        parts = [part for part in operation.path.split("/") if part]
        fixed = [part.replace("-", "_") for part in parts if not part.startswith("{")]
        is_collection = operation.method == "GET" and bool(fixed) and not parts[-1].startswith("{")
        function = self.collection_endpoint if is_collection else operation.method.lower()
        module = operation.controller or ".".join([self.module, *fixed])
        if self.kind == "RestyResolver":
            return f"{module}.{function}"
        owner, _, view = module.rpartition(".")
        camel = "".join(word[:1].upper() + word[1:] for word in view.split("_"))
        return f"{owner}.{camel}View.{function}"


def is_collection(answer: SchemaUse | None) -> bool | None:
    """An array, or an object that wraps one; None where the document doesn't say what is in it."""
    if answer is None or (answer.type is None and not answer.properties):
        return None
    if answer.type == "array":
        return True
    names = {p.name for p in answer.properties}
    return IDENTITIES.isdisjoint(names) and any(
        p.type == "array" and p.name in WRAPPER_FIELDS for p in answer.properties
    )


def element(answer: SchemaUse | None) -> str | None:
    """What it holds many of."""
    if answer is None:
        return None
    inside = (p.element for p in answer.properties if p.type == "array" and p.name in WRAPPER_FIELDS)
    return answer.element or next(inside, None)


def spelled(answer: SchemaUse | None) -> str | None:
    """The schema by name."""
    if answer is None:
        return None
    return answer.name or (f"list[{answer.element}]" if answer.element is not None else None)
