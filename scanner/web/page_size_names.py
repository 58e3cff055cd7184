"""What page sizes are called."""

from __future__ import annotations

_NAMES = frozenset(
    """limit size take first last top count rows perpage pagesize pagelimit maxresults maxitems maxcount numresults
    nresults itemsperpage resultsperpage rowsperpage recordsperpage resultlimit resultslimit listlimit""".split()
)
_ENDINGS = ("perpage", "pagesize", "pagelimit")


def names_page_size(name: str) -> bool:
    """`limit`, `page_size`, `itemsPerPage`; not `rate_limit`, `file_size`, `page_count`."""
    folded = name.replace("_", "").replace("-", "").lower()
    return folded in _NAMES or folded.endswith(_ENDINGS)
