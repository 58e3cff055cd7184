"""What is found in one function: what it changes itself, and which functions it runs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from assay.scanner.dataflow.effects.change import NONE, Caveats, Change
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True, eq=False)
class Edge:
    """A call that leads to a function of the project.

    `cls` is the class of the object it is called on, where it is a method; `on_self` says that this is the caller's own
    object, which may be of a subclass. `excuse` and `doubt` hold for everything behind it.
    """

    node: form.Expr | form.Stmt
    callee: FunctionSymbol
    cls: ClassSymbol | None = None
    on_self: bool = False
    caveats: Caveats = NONE

    def under(self, caveats: Caveats) -> Edge:
        """The same where those hold for it too."""
        return replace(self, caveats=caveats.then(self.caveats))


@dataclass(frozen=True, slots=True, eq=False)
class LibraryMethod:
    """A method of the object's own that no class of the project defines: `self.perform_create(...)`, `super().post()`.

    Above a class of the project there may be another one, in a view that derives from several.
    """

    node: form.Expr
    name: str
    above: ClassSymbol | None


@dataclass(slots=True, eq=False)
class Body:
    """What is found in one function."""

    changes: list[Change] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    inherited: list[LibraryMethod] = field(default_factory=list)
    unfollowed: list[form.Call] = field(default_factory=list)
    logs: list[form.Call] = field(default_factory=list)
    commits: bool = False
