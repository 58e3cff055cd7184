"""Where a scan's time went: stages, parts of the model, rules and files, for `assay scan --profile`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Profile"]


@dataclass(slots=True)
class Profile:
    """Seconds by name: stages in wall time of the main process, parts and rules in that of the process which linked and
    judged, `files` in processor time of the worker that read them.

    `units` tells of each unit of the tree, by root, whether the cache knew its verdicts (empty where there is only
    one), `recalled` how many files it knew, `result_recalled` whether it knew the whole result.
    """

    stages: dict[str, float] = field(default_factory=dict)
    parts: dict[str, float] = field(default_factory=dict)
    rules: dict[str, float] = field(default_factory=dict)
    files: dict[str, float] = field(default_factory=dict)
    units: dict[str, bool] = field(default_factory=dict)
    recalled: int = 0
    result_recalled: bool = False

    def add(self, other: Profile) -> None:
        """What another process did besides."""
        for mine, theirs in ((self.parts, other.parts), (self.rules, other.rules)):
            for name, seconds in theirs.items():
                mine[name] = mine.get(name, 0.0) + seconds

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Count the block's time for the stage."""
        with _counted(self.stages, name):
            yield

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the block's time for a part of the model."""
        with _counted(self.parts, name):
            yield

    @contextmanager
    def rule(self, code: str) -> Iterator[None]:
        """Count the block's time for a rule."""
        with _counted(self.rules, code):
            yield


@contextmanager
def _counted(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        seconds[name] = seconds.get(name, 0.0) + time.perf_counter() - started
