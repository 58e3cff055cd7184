"""Composition: which apps and routers are put into which, and the chains that lead from an app down to a router."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given
from assay.scanner.framework import Sited
from assay.scanner.readers.python import form

_MOST_CHAINS = 64
"""Ways to reach one router: more come from a cycle or from generated code."""


@dataclass(frozen=True, slots=True, eq=False)
class Mount:
    """One router put into another object. Both are known by the call that makes them.

    `prefix` is what is known of the path between them; `given` is what the function that makes the child was called
    with. `is_separate` is set where the child is an app of its own, which inherits nothing but the path.
    """

    parent: form.Call
    child: form.Call
    prefix: str
    site: Sited
    given: Given
    is_separate: bool = False


class Mounts:
    """All mounts of a project."""

    def __init__(self) -> None:
        self._by_child: dict[form.Call, list[Mount]] = {}

    def add(self, mount: Mount) -> None:
        """Note it, once: several callers of the function around it may say the same."""
        known = self._by_child.setdefault(mount.child, [])
        if all((m.parent, m.prefix, m.site.node) != (mount.parent, mount.prefix, mount.site.node) for m in known):
            known.append(mount)

    def chains(self, child: form.Call) -> list[tuple[Mount, ...]]:
        """Each way from an object that nothing holds down to the child, outermost mount first; `()` where it is one."""
        found: list[tuple[Mount, ...]] = []
        for chain in self._chains(child, ()):
            found.append(chain)
            if len(found) == _MOST_CHAINS:
                break
        return found

    def _chains(self, child: form.Call, below: tuple[Mount, ...]) -> Iterator[tuple[Mount, ...]]:
        above = [m for m in self._by_child.get(child, ()) if m not in below]
        if not above:
            yield below
        for mount in above:
            yield from self._chains(mount.parent, (mount, *below))
