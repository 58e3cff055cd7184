"""Settings that are listed already: by what they are of, and not only as names that the environment sets."""

from __future__ import annotations

from collections.abc import Iterable

from assay.scanner.configuration.environment import ENVIRONMENT
from assay.scanner.linker.project import last_part
from assay.scanner.model.setting import Setting


def without_echoes(settings: Iterable[Setting]) -> list[Setting]:
    """Without plain names at the place of a library's setting, or of its name and read from one of its variables, as
    in the layers of Django's settings below the one that counts.
    """
    everything = list(settings)
    known = [s for s in everything if s.source != ENVIRONMENT]
    places = {s.location for s in known}
    reads = {(last_part(s.name), variable) for s in known for variable in s.variables}
    return [
        s
        for s in everything
        if s.source != ENVIRONMENT
        or (s.location not in places and reads.isdisjoint((last_part(s.name), variable) for variable in s.variables))
    ]
