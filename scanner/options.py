"""How a scan is to be done, besides what the user configured."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from assay.scanner.config import Config
from assay.scanner.evidence.figures import NOTHING_MEASURED, Measured
from assay.scanner.executors import MakePool, default_jobs, process_pool
from assay.scanner.libraries import Library
from assay.scanner.profiling import Profile
from assay.scanner.recall import Recall

__all__ = ["Options", "Progress"]

Progress = Callable[[str, int, int], None]
"""Told the stage, how much of it is done, and how much there is."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to scan. `jobs` is the number of worker processes; `analyzers` turns bandit and radon on; `make_pool` makes
    the executor that reads the files; `recall` knows what earlier scans found out; `profile` is told where time goes;
    `added` are the files that came since a base that is known: migrations among them have run nowhere yet;
    `measured` is what was measured of the tree, besides what it holds itself;
    `libraries` are models of libraries besides those that come with the rules; `when_read` is called when all files are
    read, and one process alone goes on.
    """

    config: Config = field(default_factory=Config)
    jobs: int | None = None
    analyzers: bool = True
    make_pool: MakePool = process_pool
    recall: Recall | None = None
    profile: Profile = field(default_factory=Profile)
    libraries: tuple[Library, ...] = ()
    measured: Measured = NOTHING_MEASURED
    added: frozenset[str] = frozenset()
    when_read: Callable[[], None] = lambda: None

    @property
    def workers(self) -> int:
        """How many processes read and judge."""
        return self.jobs or default_jobs()
