"""Where a line of a commit is seen at the service that hosts the repository; unknown ones get no links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote

from assay.scanner.results import Scanned

__all__ = ["WebLinks", "web_links"]


@dataclass(frozen=True, slots=True)
class WebLinks:
    """`files` followed by a percent-encoded path, `line` and a number is the address of a line."""

    files: str
    line: str


_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+(?::\d+)?/[A-Za-z0-9_.~+/-]+")
_COMMIT = re.compile(r"[0-9a-f]{40,64}")
_FORMS = (
    (re.compile(r"(?:.*\.)?github\..*|github.*"), "/blob/", "#L"),
    (re.compile(r"(?:.*\.)?gitlab\..*|gitlab.*"), "/-/blob/", "#L"),
    (re.compile(r"bitbucket\.org"), "/src/", "#lines-"),
    (re.compile(r"codeberg\.org|(?:.*\.)?(?:gitea|forgejo)\..*|(?:gitea|forgejo).*"), "/src/commit/", "#L"),
)
"""By the name of the host: what stands before the commit, and before the number of a line."""


def web_links(scanned: Scanned) -> WebLinks | None:
    """How links are made; None where the host or the commit isn't known."""
    if not _ADDRESS.fullmatch(scanned.web) or not _COMMIT.fullmatch(scanned.commit or ""):
        return None
    host = scanned.web.partition("://")[2].partition("/")[0].partition(":")[0]
    for names, before, line in _FORMS:
        if names.fullmatch(host):
            return WebLinks(f"{scanned.web}{before}{scanned.commit}/{quote(scanned.prefix)}", line)
    return None
