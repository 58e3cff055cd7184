"""Results that a command is told of: files, and scans of a store."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from assay.scanner.cli.convert import STANDARD_INPUT, read_result
from assay.scanner.cli.keeping import opened

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from assay.scanner.history.records import ServiceRecord
    from assay.scanner.history.store import Store
    from assay.scanner.results import ScanResult

_REFERENCE = re.compile(r"(?P<scan>\d{1,9})|@(?P<service>[^~]+)(?:~(?P<back>\d{1,6}))?")


def read_pair(old: Path, new: Path, url: str | None) -> tuple[ScanResult, ScanResult]:
    """Two results to compare. A scan of a store is of one service, so then only that one is compared.

    What is the name of a file is a file. Raises a usage error, StoreError and ReportError.
    """
    from assay.scanner.history.records import StoreError
    from assay.scanner.history.store import of_service

    references = [_REFERENCE.fullmatch(str(side)) if _is_no_file(side) else None for side in (old, new)]
    if not any(references):
        return read_result(old), read_result(new)
    if url is None:
        given = next(str(side) for side, reference in zip((old, new), references, strict=True) if reference)
        raise click.UsageError(f"there is no file {given}; for a scan of a store, say which: --store URL")
    with opened(url) as store:
        first, second = (
            _kept(reference, store) if reference else read_result(side)
            for side, reference in zip((old, new), references, strict=True)
        )
    names = [r.services[0].name for r, reference in zip((first, second), references, strict=True) if reference]
    if len(set(names)) > 1:
        raise StoreError(f"{old} is a scan of {names[0]!r}, and {new} of {names[1]!r}; compare two of one service")
    for side, result in ((old, first), (new, second)):
        if all(service.name != names[0] for service in result.services):
            raise StoreError(f"{side} has no service {names[0]!r}, of which the other one is")
    return of_service(first, names[0]), of_service(second, names[0])


def _is_no_file(side: Path) -> bool:
    return str(side) != STANDARD_INPUT and not side.exists()


def _kept(reference: re.Match[str], store: Store) -> ScanResult:
    """Raises StoreError."""
    from assay.scanner.history.records import StoreError

    scan = int(reference["scan"]) if reference["scan"] else _of_service(reference, store)
    result = store.report(scan)
    if result is None:
        raise StoreError(
            f"the whole report of scan {scan} isn't kept any more; `assay history prune --reports N` says how many are"
        )
    return result


def _of_service(reference: re.Match[str], store: Store) -> int:
    service = service_named(reference["service"], store.services())
    scans, back = store.scans(service.id), int(reference["back"] or 0)
    if back >= len(scans):
        from assay.scanner.history.records import StoreError

        number = f"{len(scans)} scans" if len(scans) > 1 else "one scan"
        raise StoreError(f"{service.label} has only {number} in the store")
    return scans[-1 - back].id


def service_named(wanted: str, services: Sequence[ServiceRecord]) -> ServiceRecord:
    """By label, name or repository. Raises StoreError where none is meant, or several."""
    from assay.scanner.config.documents import nearest
    from assay.scanner.history.records import StoreError

    found = [s for s in services if wanted == s.label] or [
        s for s in services if wanted in (s.name, s.repository, f"{s.repository}/{s.name}")
    ]
    if len(found) == 1:
        return found[0]
    if found:
        raise StoreError(f"{wanted!r} may be any of: {_listed(s.label for s in found)}")
    if not services:
        raise StoreError("the store is empty; `assay scan --store` and `assay history add` add to it")
    hint = nearest(wanted, [s.label for s in services] + [s.name for s in services])
    raise StoreError(f"there is no service {wanted!r} in the store{hint or '; `assay history list` shows them'}")


def _listed(labels: Iterable[str]) -> str:
    return ", ".join(repr(label) for label in labels)
