"""A change that code makes, and what has to be said with it: why it doesn't matter, when it happens, what is unsure."""

from __future__ import annotations

from dataclasses import dataclass, replace

from assay.scanner.linker.scopes import Scope
from assay.scanner.model.effect import EffectKind
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True)
class Caveats:
    """The reservations of `Effect`, of a change or of all that happens behind a call; None where there is none."""

    excuse: str | None = None
    occasion: str | None = None
    doubt: str | None = None

    def then(self, inner: Caveats) -> Caveats:
        """What holds for something with caveats of its own behind something with these."""
        if inner is NONE:
            return self
        return Caveats(self.excuse or inner.excuse, self.occasion or inner.occasion, self.doubt or inner.doubt)

    @property
    def rank(self) -> int:
        """How much takes away from it; the plainest of several ways to a change is the one that counts."""
        return 3 if self.excuse is not None else 2 if self.doubt is not None else 1 if self.occasion is not None else 0


NONE = Caveats()
RANKS = 4


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """One change that code makes at `node`; `needs_commit` where it is none until a session is committed."""

    kind: EffectKind
    target: str
    action: str
    node: form.Expr | form.Stmt
    scope: Scope
    caveats: Caveats = NONE
    needs_commit: bool = False

    def under(self, caveats: Caveats) -> Change:
        """The same where those hold for it too."""
        return replace(self, caveats=caveats.then(self.caveats))
