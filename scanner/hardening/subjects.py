"""How an application is hardened: headers, hosts, debugging, forged requests."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.hardening import DebugSwitch, ForgeryProtection, HostPolicy, SecurityHeader


def protections(gathered: Gathered) -> Iterator[DebugSwitch | ForgeryProtection | HostPolicy | SecurityHeader]:
    """Protections that an application has as a whole: headers, hosts, debugging, forged requests."""
    yield from ()
