"""Where each page of the dashboard is, relative to its top; names from a store are no names of files."""

from __future__ import annotations

import hashlib
import re

from assay.scanner.history.records import ServiceRecord

__all__ = ["badge", "data", "name", "principle", "report", "rule", "service", "team", "team_name"]

_LONGEST = 60
_PLAIN_ID = re.compile(r"[A-Z]{1,12}[0-9]{1,6}")


def name(service: ServiceRecord) -> str:
    """A file's name for the service, which stays the same whatever other services come and go."""
    return _slug(service.label, f"{service.repository}\0{service.name}")


def service(record: ServiceRecord) -> str:
    """Its page."""
    return f"services/{name(record)}.html"


def report(record: ServiceRecord) -> str:
    """The full report of its newest scan."""
    return f"reports/{name(record)}.html"


def badge(record: ServiceRecord) -> str:
    """Its score as a picture."""
    return f"badges/{name(record)}.svg"


def data(record: ServiceRecord) -> str:
    """Its history as a script that a page may load."""
    return f"data/{name(record)}.js"


def team_name(team: str) -> str:
    """A file's name for the team; `none` where it is nobody's."""
    return _slug(team, f"team\0{team}") if team else "none"


def team(name: str) -> str:
    """The page of a team."""
    return f"teams/{team_name(name)}.html"


def principle(id_: str) -> str:
    """The page of a principle."""
    return f"principles/{_id(id_)}.html"


def rule(code: str) -> str:
    """The page of a rule."""
    return f"rules/{_id(code)}.html"


def _id(text: str) -> str:
    return text if _PLAIN_ID.fullmatch(text) else _slug(text, text)


def _slug(text: str, identity: str) -> str:
    """Lower case, and a hash: `a/b` and `a b` are two, on file systems that tell no upper case from lower, too."""
    digest = hashlib.sha256(identity.encode(errors="surrogatepass")).hexdigest()[:8]
    words = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:_LONGEST].rstrip("-")
    return f"{words}-{digest}" if words else digest
