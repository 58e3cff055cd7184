"""The words by which a route's path and handler say what it is for."""

from __future__ import annotations

import re
from collections.abc import Iterator

from assay.scanner.dataflow.sources import path_parameters

_PARAMETER = re.compile(r"^[<{(:]|\(\?P<|[<{]\w+(:[^}>]*)?[>}]")
_PLUMBING = re.compile(
    r"v\d+(\.\d+)?|_*(api|rest|internal|app|web|auth|core|common|identity|public|site|portal|services?|backend|apps?"
    r"|utils?|pages?)_*"
)
"""Segments in front of a parameter that name no resource whose part the rest would be."""
_TENANTS = frozenset(
    """provider organization organisation org tenant workspace realm language lang locale country site backend
    org_slug workspace_slug tenant_id organization_slug provider_name client_name""".split()
)  # fmt: skip
"""Parameters that say where or by whom, and not which object."""
_VERBS = frozenset(
    {"get", "post", "put", "patch", "delete", "head", "options", "list", "dispatch", "create", "retrieve"}
)
_KIND = re.compile(r"_(view|api_view|api|endpoint|handler|resource|route|controller|view_set|page|get|post)$")
_AROUND = re.compile(
    r"^(get|post|do|handle|show|render|api|user|users|auth)_(?=\w)|_(new_)?(user|account|member)$|_(get|post)$"
)


def segments(path: str) -> list[str]:
    """A path's parts, without what a regular expression puts around them."""
    return [s for s in re.sub(r"\\[AZ]|/\?\$?$|[\^$?]", "", path).split("/") if s]


def is_parameter(segment: str) -> bool:
    """Whether requests fill the part of the path."""
    return _PARAMETER.search(segment) is not None


def static_segments(path: str) -> list[str]:
    """The parts that are the same for all requests, spelled as in `spelled`."""
    return [spelled(s) for s in segments(path) if not is_parameter(s)]


def spelled(segment: str) -> str:
    """Lower case words with underscores: `.well-known` is `well_known`, `passwordReset` is `password_reset`."""
    parts = re.findall(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z0-9]+", segment.replace("\\", ""))
    return "_".join(part.lower() for part in parts)


def said_by_path(path: str) -> Iterator[str]:
    """The segments that may say what the path is for, and each with the one before it: `password`, `password_reset`.

    Behind the id of an object they say it of that object.
    """
    before, previous = "", ""
    for segment in segments(path):
        if not is_parameter(segment):
            before = spelled(segment)
            yield before
            if previous:
                yield f"{previous}_{before}"
            previous = before
        elif before and not _PLUMBING.fullmatch(before) and _TENANTS.isdisjoint(path_parameters(segment)):
            return


def said_by_handler(handler_name: str) -> Iterator[str]:
    """The handler's own name, and its class's: `LoginView.post` is `login`."""
    parts = handler_name.rsplit(":", 1)[-1].rpartition("<locals>.")[2].split(".")
    for name in reversed(parts[-2:]):
        plain = _KIND.sub("", spelled(name))
        if plain not in _VERBS:
            yield plain
            yield _AROUND.sub("", plain)
