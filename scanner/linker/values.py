"""What an expression can stand for, as far as static reading tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from assay.scanner.linker.scopes import Binding, ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True)
class External:
    """Something of a library (or a builtin) by its dotted name: `fastapi.APIRouter`, `builtins.open`."""

    name: str


@dataclass(frozen=True, slots=True)
class Namespace:
    """A project package without an `__init__.py`, by its folder."""

    folder: str


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """An object of a class: of the project (`cls`) or of a library (`type_name`, a dotted name).

    `origin` is the call that made it, and stands for its identity: two names for one router have the same origin.
    """

    cls: ClassSymbol | None
    type_name: str
    origin: form.Call | None = None
    scope: Scope | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Literal:
    """A literal, display, template or comprehension, with the scope that its names are looked up in."""

    node: form.Expr
    scope: Scope


@dataclass(frozen=True, slots=True, eq=False)
class BoundMethod:
    """A method looked up on an instance or on `self`."""

    function: FunctionSymbol
    receiver: Instance


@dataclass(frozen=True, slots=True, eq=False)
class SuperProxy:
    """`super()` inside a method of `cls`."""

    cls: ClassSymbol
    receiver: Instance


Value: TypeAlias = (
    External | Namespace | Module | ClassSymbol | FunctionSymbol | BoundMethod | Instance | Literal | SuperProxy
)

__all__ = [
    "Binding",
    "BoundMethod",
    "External",
    "Instance",
    "Literal",
    "Namespace",
    "SuperProxy",
    "Value",
]
