"""Alerting rules of Prometheus: only where they send whoever is called."""

from __future__ import annotations

import re

import msgspec

from assay.scanner.readers.text import decode

_RUNBOOK = re.compile(
    r"^\s*[\"']?(runbook(_?url)?|playbook(_?url)?)[\"']?\s*:\s*[\"']?(?P<page>[^\s\"'#]\S*)", re.IGNORECASE
)


class AlertRuleFacts(msgspec.Struct, frozen=True, array_like=True, tag="alert_rules"):
    """The pages that alerts link to, each with its line."""

    runbooks: tuple[tuple[str, int], ...]


def read(path: str, data: bytes) -> AlertRuleFacts:  # noqa: ARG001 - every reader has the same signature
    """Read a file. Raises ReadProblem for what is no text."""
    lines = enumerate(decode(data).split("\n"), 1)
    return AlertRuleFacts(tuple((found["page"], at) for at, line in lines if (found := _RUNBOOK.match(line))))
