"""What a file or a workload is for. Only production can fail a rule, unless the rule says otherwise."""

from __future__ import annotations

from enum import StrEnum


class Role(StrEnum):
    """Decided for every file and workload before any rule runs."""

    PROD = "prod"
    DEV = "dev"
    TEST = "test"
    EXAMPLE = "example"
    TOOL = "tool"
