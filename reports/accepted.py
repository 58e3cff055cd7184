"""What was accepted in a tree, and by whose word: waivers by owner, then comments in the code by file."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from assay.reports.plain import plain
from assay.reports.views import AcceptedView
from assay.scanner.results import Acceptance, AcceptedBy, JudgedVerdict

__all__ = ["MAX_ROWS", "accepted"]

MAX_ROWS = 500
"""More than these are only counted, so that the file stays small."""


def accepted(findings: Iterable[JudgedVerdict]) -> tuple[AcceptedView, ...]:
    """A row for each waiver, the expired ones too, and for each reason that a file's comments give."""
    groups: defaultdict[tuple[bool, str, str, str, Acceptance, bool], list[JudgedVerdict]] = defaultdict(list)
    for finding in findings:
        said = finding.acceptance or finding.lapsed
        if said is not None:
            in_code = said.by is AcceptedBy.IGNORE
            name = finding.location.path if in_code else said.id
            has_expired = finding.acceptance is None
            groups[in_code, said.owner, said.expires, name, said, has_expired].append(finding)
    return tuple(_rows(groups))


def _rows(
    groups: dict[tuple[bool, str, str, str, Acceptance, bool], list[JudgedVerdict]],
) -> Iterator[AcceptedView]:
    # Two with the same name are told apart by what they say.
    for key in sorted(groups, key=lambda k: (*k[:4], str(k[4]), k[5])):
        in_code, owner, expires, name, said, has_expired = key
        covered = groups[key]
        yield AcceptedView(
            owner="in the code" if in_code else plain(owner),
            name=plain(name),
            rules=", ".join(sorted({plain(f.rule) for f in covered})),
            reason=plain(said.reason),
            findings=len(covered),
            created=plain(said.created),
            expires=plain(expires),
            has_expired=has_expired,
        )
