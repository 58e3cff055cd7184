"""What `assay doctor` found, as plain data: the public contract of its `--format json`."""

from __future__ import annotations

import msgspec

from assay.scanner.diagnostics import Reason
from assay.scanner.filekinds import FileKind

SCHEMA_VERSION = 1


class KindRow(msgspec.Struct, frozen=True):
    """Files of one kind: how many there are, how many were read, and how many could not be. The others are only known
    to be there.
    """

    kind: FileKind
    found: int
    read: int
    unread: int


class Problem(msgspec.Struct, frozen=True):
    """What could not be read or understood, and where; without a line, the whole file is meant."""

    path: str
    line: int | None
    reason: Reason
    message: str


class LeftOut(msgspec.Struct, frozen=True):
    """Files that were not looked at: how many, why, and the first of them."""

    count: int
    why: str
    first: list[str]


class Files(msgspec.Struct, frozen=True):
    """Which files were found, read, and not read and why."""

    kinds: list[KindRow]
    unread: list[Problem]
    left_out: list[LeftOut]


class ServiceRow(msgspec.Struct, frozen=True):
    """A service and how much of it was found."""

    name: str
    root: str
    frameworks: list[str]
    endpoints: int
    tables: int
    queries: int
    outbound_calls: int
    log_calls: int
    workloads: int


class Doubt(msgspec.Struct, frozen=True):
    """What was not understood, by reason: how often, and the first places."""

    reason: Reason
    count: int
    first: list[Problem]


class Repository(msgspec.Struct, frozen=True):
    """git's part: its version, None where it can't be run; the commit that is checked out, None outside a repository;
    whether the clone holds a part of its history only.
    """

    git: str | None
    commit: str | None
    is_shallow: bool


class BaseRow(msgspec.Struct, frozen=True):
    """What a change would be compared with: its name and commit, or why there is nothing and what to do."""

    name: str | None
    commit: str | None
    problem: str | None
    baseline: int | None
    """Entries of the baseline file; None without one."""


class CacheRow(msgspec.Struct, frozen=True):
    """Where earlier scans are remembered; `problem` says why they aren't."""

    folder: str | None
    entries: int
    size: int
    """In bytes."""
    limit: int
    problem: str | None


class SettingRow(msgspec.Struct, frozen=True):
    """A setting that a file says otherwise than the defaults, as TOML, with its file and line."""

    setting: str
    origins: list[str]


class Configuration(msgspec.Struct, frozen=True):
    """The files that configure the scan, nearest last, and what they say."""

    files: list[str]
    settings: list[SettingRow]
    edition: str
    waivers: int


class Versions(msgspec.Struct, frozen=True):
    """What does the work."""

    assay: str
    python: str
    system: str
    libraries: dict[str, str]
    rules: int
    packages: list[str]
    """Where the rules come from."""


class Examination(msgspec.Struct, frozen=True):
    """All that a scan's result hangs on. `problem` says why there can be none."""

    schema_version: int
    root: str
    versions: Versions
    repository: Repository
    configuration: Configuration
    files: Files
    frameworks: list[str]
    services: list[ServiceRow]
    not_understood: list[Doubt]
    base: BaseRow
    cache: CacheRow
    problem: str | None


def as_json(examination: Examination) -> str:
    """Indented by two spaces, in the structs' order."""
    return msgspec.json.format(msgspec.json.encode(examination), indent=2).decode() + "\n"
