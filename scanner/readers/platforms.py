"""Settings of what runs a service (Helm's values, Terraform, units of systemd, files of hosting platforms): which names
in capitals they speak of, as variables are written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from assay.scanner.readers.monitoring import reader as monitoring
from assay.scanner.readers.monitoring.facts import MonitoringFacts, Objective
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode

_NAME = re.compile(r"(?<![A-Za-z0-9_.])[A-Z][A-Z0-9]*(?:_+[A-Z0-9]+)*(?![A-Za-z0-9])")
_SHORTEST = 3
_MONITOR = re.compile(
    r"^resource\s+\"\w*(monitor(?!ed|ing_(dashboard|group|notification|custom|uptime))|alarm|alert|detector)\w*\"\s+"
    r"\"(?P<name>[^\"]*)\"(?:.*\n)+?^}",
    re.MULTILINE,
)
"""A resource such as `aws_cloudwatch_metric_alarm`, `datadog_monitor`, `google_monitoring_alert_policy`."""
_WATCHED = re.compile(r"^ +(groups|receivers) *: *$", re.MULTILINE)


class PlatformFacts(msgspec.Struct, frozen=True, array_like=True, tag="platform"):
    """Each name, with the line where it stands first. `monitors` are what Terraform sets up to raise alarms, `watched`
    the rules and routes in the values of charts that run Prometheus.
    """

    names: tuple[tuple[str, int], ...]
    monitors: tuple[Objective, ...] = ()
    watched: MonitoringFacts = MonitoringFacts()


def read(path: str, data: bytes) -> PlatformFacts:
    """Read a file. Raises ReadProblem for what is no text."""
    found: dict[str, int] = {}
    for at, line in enumerate(decode(data).split("\n"), 1):
        for name in _NAME.findall(line):
            if len(name) >= _SHORTEST:
                found.setdefault(name, at)
    monitors = tuple(_monitors(data)) if path.endswith(".tf") else ()
    return PlatformFacts(tuple(found.items()), monitors, _watched(path, data))


def _watched(path: str, data: bytes) -> MonitoringFacts:
    if not path.endswith((".yaml", ".yml")) or _WATCHED.search(decode(data)) is None:
        return MonitoringFacts()
    try:
        return monitoring.read(path, data)
    except ReadProblem:
        return MonitoringFacts()


def _monitors(data: bytes) -> Iterator[Objective]:
    text = decode(data)
    for found in _MONITOR.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        width = len(found[0].split("\n", 1)[0])
        yield Objective(found["name"], Span(line, 1, line, width + 1), found[0])
