"""One comment on a pull request, to be written anew at the same place whenever its digest has changed (Markdown)."""

from __future__ import annotations

import hashlib
import re

from assay.reports import change_markdown as parts
from assay.reports import selection
from assay.reports.blocks import Block, joined
from assay.scanner.results import Outcome, ScanResult

LIMIT = 60_000
"""Characters; GitHub refuses a comment of more than 65,536, and then nothing is shown at all."""

_UNNAMEABLE = re.compile(r"[^A-Za-z0-9._]+")


def render(result: ScanResult) -> str:
    """The comment; its first line names it, so that a program finds it again, its second is the digest."""
    blocks = [
        Block(f"{marker(result)}\n<!-- assay:digest {digest(result)} -->"),
        parts.headline(result),
        parts.scores(result),
        *parts.unread(result),
        *parts.to_mend(result),
        *parts.fixed(result),
        *parts.coming(result),
        *parts.accepted(result),
        *parts.notices(result),
        *parts.conditions(result),
        parts.footer(result),
    ]
    return joined(blocks, LIMIT, _characters)


def marker(result: ScanResult) -> str:
    """`<!-- assay:backend -->`: the scanned folder by its place in the repository, or by its own name at the top."""
    name = result.scanned.prefix or re.split(r"[/\\]", result.scanned.root.rstrip("/\\"))[-1]
    return f"<!-- assay:{_UNNAMEABLE.sub('-', name).strip('-')[:100] or 'backend'} -->"


def digest(result: ScanResult) -> str:
    """Sixteen hexadecimal digits that stay the same while there is nothing new to tell: the gate's status, its unmet
    conditions, the findings to mend and the fixed ones.
    """
    gate = result.gate
    told = [
        gate.status if gate else "",
        *sorted(f"unmet {c.name}" for c in (gate.conditions if gate else ()) if c.outcome is Outcome.NOT_MET),
        *sorted(f"mend {f.fingerprint}" for f in selection.to_mend(result)),
        *sorted(f"fixed {f.fingerprint}" for f in parts.fixed_fails(result)),
        *sorted(f"unread {d.path} {d.reason}" for d in selection.grave(result.diagnostics)),
    ]
    return hashlib.sha256("\n".join(told).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _characters(text: str) -> int:
    """As JavaScript and databases count them: two for what is beyond the first 65,536 of Unicode."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
