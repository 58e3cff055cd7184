"""Security headers that a proxy in front sets, by its configuration or by the labels that Traefik is told by."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from fnmatch import fnmatch

from assay.scanner.gathered import Gathered
from assay.scanner.model.hardening import Control
from assay.scanner.model.place import Evidence
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.proxies import ProxyFacts

BY_HEADER: Mapping[str, Control] = {
    "strict-transport-security": Control.HTTPS,
    "x-content-type-options": Control.NOSNIFF,
    "x-frame-options": Control.FRAMES,
    "frame-ancestors": Control.FRAMES,
    "content-security-policy": Control.CONTENT,
    "referrer-policy": Control.REFERRER,
}
"""The protections by what sets them, in lower case: headers, and a directive of the policy."""
_OF_TRAEFIK: Mapping[str, Control] = {
    "redirectscheme": Control.HTTPS,
    ".tls.certresolver": Control.HTTPS,
    ".headers.stsseconds": Control.HTTPS,
    ".headers.contenttypenosniff": Control.NOSNIFF,
    ".headers.framedeny": Control.FRAMES,
    ".headers.customframeoptionsvalue": Control.FRAMES,
    ".headers.contentsecuritypolicy": Control.CONTENT,
    ".headers.referrerpolicy": Control.REFERRER,
}


def set_by_proxies(gathered: Gathered) -> Iterator[tuple[Control, Evidence]]:
    """By those that hand requests on; what they include counts as theirs."""
    files = gathered.context.files.items()
    proxies = {path: facts for path, facts in files if isinstance(facts, ProxyFacts)}
    included = {name for facts in proxies.values() if facts.passes_on for name in facts.includes}
    for path, facts in proxies.items():
        if facts.passes_on or any(fnmatch(posixpath.basename(path), name) for name in included):
            for header in facts.headers:
                yield BY_HEADER[header.name], header.span.evidence(path, "a proxy in front sets it")
            if facts.to_https is not None:
                yield Control.HTTPS, facts.to_https.evidence(path, "a proxy in front redirects to https")
    for path, compose in files:
        if isinstance(compose, ComposeFacts):
            yield from _of_labels(path, compose)


def _of_labels(path: str, facts: ComposeFacts) -> Iterator[tuple[Control, Evidence]]:
    for service in facts.services:
        for name, value in service.labels:
            for marked, control in _OF_TRAEFIK.items():
                if marked in name.lower() and value.lower() != "false":
                    yield control, service.span.evidence(path, f"a proxy in front takes care of it: {name}")
