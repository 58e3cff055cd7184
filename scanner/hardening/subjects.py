"""Protections that an application has as a whole: headers, hosts, debugging, forged requests."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.hardening.applications import applications
from assay.scanner.hardening.debugging import debug_switches
from assay.scanner.hardening.forgery import forgery_protections
from assay.scanner.hardening.headers import security_headers
from assay.scanner.hardening.hosts import host_policy
from assay.scanner.hardening.layers import layers_of
from assay.scanner.hardening.modes import run_modes
from assay.scanner.model.hardening import DebugSwitch, ForgeryProtection, HostPolicy, SecurityHeader
from assay.scanner.model.run_mode import RunMode


def protections(
    gathered: Gathered,
) -> Iterator[DebugSwitch | ForgeryProtection | HostPolicy | RunMode | SecurityHeader]:
    """What protects each application of the tree."""
    found = applications(gathered)
    for application in found:
        layers = tuple(layers_of(application, gathered))
        yield host_policy(application, gathered, layers)
        yield from security_headers(application, gathered, layers)
        yield from forgery_protections(application, gathered, layers)
    yield from debug_switches(found, gathered)
    yield from run_modes(gathered)
