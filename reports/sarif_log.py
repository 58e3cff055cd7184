"""The part of SARIF's object model that Assay writes (OASIS SARIF 2.1.0 §3.13 and on), fields named as there."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import field

Level = Literal["none", "note", "warning", "error"]


class _Node(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, gc=False):
    """A field without a default is always written, one with a default only where it says something else.

    Logs are trees, so the garbage collector has nothing to look for in them.
    """


class Message(_Node, frozen=True):
    """§3.11 and §3.12; Markdown is for what is shown at length."""

    text: str
    markdown: str | None = None


class ArtifactLocation(_Node, frozen=True):
    """§3.4."""

    uri: str | None = None
    uri_base_id: str | None = None
    description: Message | None = None


class Region(_Node, frozen=True):
    """§3.30: counts from 1, the end is exclusive."""

    start_line: int
    start_column: int | None = None
    end_line: int | None = None
    end_column: int | None = None


class PhysicalLocation(_Node, frozen=True):
    """§3.29."""

    artifact_location: ArtifactLocation
    region: Region | None = None


class LogicalLocation(_Node, frozen=True):
    """§3.33: what a subject is, apart from where its text stands."""

    name: str
    fully_qualified_name: str
    kind: str


class SarifLocation(_Node, frozen=True):
    """§3.28."""

    physical_location: PhysicalLocation
    id: int | None = None
    logical_locations: tuple[LogicalLocation, ...] = ()
    message: Message | None = None


class ThreadFlowLocation(_Node, frozen=True):
    """§3.38: a step."""

    location: SarifLocation


class ThreadFlow(_Node, frozen=True):
    """§3.37: the steps in order."""

    locations: tuple[ThreadFlowLocation, ...]


class CodeFlow(_Node, frozen=True):
    """§3.36: a way through the code. What Assay follows is in one thread."""

    thread_flows: tuple[ThreadFlow]


class ReportingConfiguration(_Node, frozen=True):
    """§3.50."""

    level: Level


class RuleProperties(_Node, frozen=True):
    """What GitHub's code scanning reads of a rule, and below it what SARIF has no field for.

    `security-severity` makes it a security rule there.
    """

    tags: tuple[str, ...]
    precision: str
    security_severity: str | None = field(default=None, name="security-severity")
    problem_severity: str | None = field(default=None, name="problem.severity")
    since: str | None = None
    preview: bool = False
    advisory: bool = False


class ReportingDescriptor(_Node, frozen=True):
    """§3.49: a rule."""

    id: str
    name: str
    short_description: Message
    full_description: Message
    help: Message
    default_configuration: ReportingConfiguration
    properties: RuleProperties
    help_uri: str | None = None


class DriverProperties(_Node, frozen=True):
    """The norm that was applied."""

    standard_edition: str


class Driver(_Node, frozen=True):
    """§3.19."""

    name: str
    version: str
    semantic_version: str
    rules: tuple[ReportingDescriptor, ...]
    properties: DriverProperties


class Tool(_Node, frozen=True):
    """§3.18."""

    driver: Driver


class DescriptorReference(_Node, frozen=True):
    """§3.52."""

    id: str


class Notification(_Node, frozen=True):
    """§3.58: a condition met during the scan, not a finding."""

    level: Level
    message: Message
    descriptor: DescriptorReference | None = None
    locations: tuple[SarifLocation, ...] = ()


class Invocation(_Node, frozen=True):
    """§3.20, without times: the same tree gives the same bytes."""

    execution_successful: bool
    exit_code: int
    tool_execution_notifications: tuple[Notification, ...]
    exit_code_description: str | None = None


class SuppressionProperties(_Node, frozen=True):
    """Whose word it is; dates are ISO 8601."""

    id: str = ""
    owner: str = ""
    approver: str = ""
    ticket: str = ""
    created: str = ""
    expires: str = ""


class Suppression(_Node, frozen=True):
    """§3.35."""

    kind: Literal["external", "inSource"]
    status: Literal["accepted"]
    justification: str
    properties: SuppressionProperties | None = None


class ResultProperties(_Node, frozen=True):
    """What SARIF has no field for. `lapsed` is the waiver that covered it until it expired: no suppression any more."""

    service: str
    severity: str
    state: str | None = None
    lapsed: str | None = None


class Result(_Node, frozen=True):
    """§3.27. No suppressions means not suppressed (§3.27.23), so that field is always written in a whole log.

    A rule index of -1 is none (§3.27.6): a result that is absent may be of a rule that said nothing this time.
    """

    rule_id: str
    kind: str
    level: Level
    message: Message
    locations: tuple[SarifLocation, ...]
    partial_fingerprints: dict[str, str]
    properties: ResultProperties
    rule_index: int = -1
    baseline_state: Literal["new", "unchanged", "updated", "absent"] | None = None
    suppressions: tuple[Suppression, ...] | None = None
    code_flows: tuple[CodeFlow, ...] = ()
    related_locations: tuple[SarifLocation, ...] = ()


class AutomationDetails(_Node, frozen=True):
    """§3.17: a category, ending in a slash as it names no single run."""

    id: str


class SinceProperties(_Node, frozen=True):
    """Findings outside the lines changed since a revision are left out; how many."""

    revision: str
    base: str
    hidden: int


class BaseProperties(_Node, frozen=True):
    """What `baselineState` compares with: a commit's tree or a baseline file."""

    kind: str
    name: str
    commit: str | None


class GateProperties(_Node, frozen=True):
    """What the gate says of the change."""

    status: str
    reason: str
    enforced: bool


class RunProperties(_Node, frozen=True):
    """What SARIF has no field for: it takes a commit only beside the URI of its repository (§3.23.3)."""

    commit: str | None = None
    since: SinceProperties | None = None
    base: BaseProperties | None = None
    gate: GateProperties | None = None


class Run(_Node, frozen=True):
    """§3.14."""

    tool: Tool
    automation_details: AutomationDetails
    invocations: tuple[Invocation, ...]
    column_kind: Literal["unicodeCodePoints"]
    results: tuple[Result, ...]
    original_uri_base_ids: dict[str, ArtifactLocation] | None = field(name="originalUriBaseIds", default=None)
    properties: RunProperties | None = None


class Log(_Node, frozen=True):
    """§3.13."""

    schema: str = field(name="$schema")
    version: Literal["2.1.0"]
    runs: tuple[Run, ...]
