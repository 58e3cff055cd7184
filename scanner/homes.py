"""Which service a file outside the code is for, or a workload."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from assay.scanner.gathered import Gathered


class Homes:
    """A file is for the service whose workloads stand in it or beside it, that lies around it, else for the first of
    the tree. Services of other units count, so that a file is for one service alone.
    """

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._roots = {service.name: service.root for service in gathered.services}
        self._everywhere = sorted((*self._roots.values(), *gathered.neighbours))
        self._by_folder = {posixpath.basename(root): root for root in reversed(self._everywhere) if root != "."}
        self._by_place: dict[str, str] = {}
        self._by_workload: dict[str, str] = {}
        named = ((self._roots.get(name, name.rstrip("/")), d) for name, d in gathered.deployments.items())
        for root, deployment in sorted(named, key=lambda pair: pair[0]):
            for workload in deployment.workloads:
                self._by_workload.setdefault(workload.subject_id, root)
                self._by_place.setdefault(workload.location.path, root)
                self._by_place.setdefault(posixpath.dirname(workload.location.path), root)

    def of(self, path: str) -> str | None:
        """The root of the service, where it is one of these."""
        return self.own(self.around(path))

    def own(self, root: str | None) -> str | None:
        """The same root, where the service is one of these."""
        return root if root in self._roots.values() else None

    def around(self, path: str) -> str | None:
        """The root of the service, here or elsewhere; None for a tree without any."""
        around = self._gathered.owners.around(path)
        root = self._by_place.get(path) or self._by_place.get(posixpath.dirname(path))
        root = root or (around.root if around is not None else None)
        return root or (self._everywhere[0] if self._everywhere else None)

    def is_first(self, root: str) -> bool:
        """Whether it is the first of the tree, which what belongs to all is asked of."""
        return self._everywhere[:1] == [root]

    def of_workload(self, workload: str) -> str | None:
        """The root of the service, here or elsewhere, that the workload of this `subject_id` runs."""
        return self._by_workload.get(workload)

    def named(self, names: Iterable[str]) -> str | None:
        """The root of the service, here or elsewhere, whose folder has one of the names."""
        return next((self._by_folder[name] for name in names if name in self._by_folder), None)
