"""What can be configured: the tables as they are written, and the one value that they become."""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from hashlib import blake2b
from typing import Annotated, Any

import msgspec
from msgspec import Meta, field

from assay.scanner.config.gate import GateConfig, ServiceGate
from assay.scanner.config.tables import Table
from assay.scanner.discovery import DEFAULT_MAX_SIZE, DiscoveryOptions
from assay.scanner.evidence.figures import DEFAULT_MAX_AGE_DAYS
from assay.scanner.model.role import Role
from assay.scanner.roles import RoleOverride
from assay.scanner.rulebook import Rule
from assay.scanner.verdicts import Severity

OptionValue = bool | int | float | str | list[str]

RelativeFolder = Annotated[
    str,
    Meta(
        pattern=r"^(?!/)(?!.*\\)(?!(.*/)?\.\.(/|$)).+$",
        description="A folder relative to the file's own, with '/'; '.' is that folder itself.",
    ),
]


class ServiceConfig(Table, frozen=True):
    """A service that is named by hand."""

    root: RelativeFolder
    gate: ServiceGate = ServiceGate()
    team: Annotated[str, Meta(min_length=1, description="Whose it is, if not who owns most of its files.")] | None = (
        None
    )


class FilesConfig(Table, frozen=True):
    """Which files are scanned, and as what."""

    exclude: Annotated[
        tuple[str, ...], Meta(description="What isn't scanned: patterns in gitignore syntax, relative to the file.")
    ] = ()
    max_size: Annotated[int, Meta(gt=0, description="The largest Python file that is read, in bytes.")] = (
        DEFAULT_MAX_SIZE
    )
    roles: Annotated[
        dict[str, Role], Meta(description="Glob in gitignore syntax to role; the first that matches counts.")
    ] = field(default_factory=dict)


class CoverageConfig(Table, frozen=True):
    """How much has to be judged before a grade is given."""

    minimum: Annotated[float, Meta(ge=0, le=1, description="Share, 0 to 1.")] = 0.95


class WaiversFrom(StrEnum):
    """Which waivers and ignores count."""

    HEAD = "head"
    """All of the scanned tree."""
    BASE = "base"
    """Those that were there at the base: nobody exempts their own change."""


class WaiversConfig(Table, frozen=True, rename={"from_": "from", "max_days": "max-days"}):
    """What a waiver may be."""

    max_days: Annotated[int, Meta(gt=0, description="How many days a waiver may hold from its creation.")] = 180
    from_: Annotated[
        WaiversFrom, Meta(description='"base": what the same change adds is checked and does not count in it yet.')
    ] = WaiversFrom.HEAD


class AttestationConfig(Table, frozen=True):
    """A person's word for a principle that code can't show."""

    statement: Annotated[str, Meta(min_length=1, description="What is attested.")]
    by: Annotated[str, Meta(min_length=1, description="Whose word it is.")]
    expires: Annotated[date, Meta(description="The last day on which it counts.")]
    link: Annotated[str, Meta(description="Where the proof is.")] = ""


RelativeFile = Annotated[
    str,
    Meta(
        pattern=r"^(?!/)(?!.*\\)(?!(.*/)?\.\.(/|$)).+$",
        description="A file inside the folder of the file that names it, relative to it and with '/'.",
    ),
]


class EvidenceConfig(Table, frozen=True):
    """What was measured, and how long that counts."""

    files: Annotated[
        tuple[RelativeFile, ...],
        Meta(description="Files that tools of measuring write, read though git ignores them; one may be missing."),
    ] = ()
    max_age_days: Annotated[
        int, Meta(ge=0, description="How many days older than the commit a measurement may be to count.")
    ] = DEFAULT_MAX_AGE_DAYS


class MigrationsConfig(Table, frozen=True):
    """Which migrations have run everywhere."""

    baseline: Annotated[
        tuple[str, ...],
        Meta(
            description="The newest migrations of the last release, by revision (Alembic) or as 'app.0001_name' "
            "(Django): they and all that they build on can't be changed any more, later ones can."
        ),
    ] = ()
    downtime: Annotated[bool, Meta(description="Whether the service stands still while it is migrated.")] = False


class RuleConfig(msgspec.Struct, frozen=True):
    """One rule's settings: another severity, and values for the rule's own options."""

    severity: Severity | None = None
    options: dict[str, OptionValue] = field(default_factory=dict)


class RulesConfig(msgspec.Struct, frozen=True):
    """Which rules are off, and settings by rule code."""

    disable: frozenset[str] = frozenset()
    rules: dict[str, RuleConfig] = field(default_factory=dict)

    def severity(self, rule: Rule) -> Severity:
        """The configured severity, or the rule's own."""
        configured = self.rules.get(rule.code, RuleConfig()).severity
        return configured or rule.severity

    def options(self, rule: Rule) -> Any:
        """The rule's options with the configured values over the defaults; None when it takes none."""
        if rule.options_type is None:
            return None
        return msgspec.convert(self.rules.get(rule.code, RuleConfig()).options, rule.options_type)


class Config(msgspec.Struct, frozen=True):
    """The whole configuration; without a file, the defaults. Paths in it are relative to the scanned root.

    `sources` are the files it came from, the nearest first.
    """

    edition: str | None = None
    services: dict[str, ServiceConfig] = field(default_factory=dict)
    files: FilesConfig = FilesConfig()
    rules: RulesConfig = RulesConfig()
    coverage: CoverageConfig = CoverageConfig()
    evidence: EvidenceConfig = EvidenceConfig()
    migrations: MigrationsConfig = MigrationsConfig()
    sources: tuple[str, ...] = ()
    gate: GateConfig = GateConfig()
    waivers: WaiversConfig = WaiversConfig()
    attestations: dict[str, AttestationConfig] = field(default_factory=dict)

    @property
    def judged_by(self) -> Config:
        """What of it can change a verdict or a score: not where it came from, and not what the gate demands."""
        services = {name: ServiceConfig(service.root) for name, service in self.services.items()}
        return msgspec.structs.replace(self, sources=(), gate=GateConfig(), services=services)

    @property
    def digest(self) -> str:
        """Names what is configured and can change a verdict, besides the edition: 12 hex digits."""
        judging = msgspec.structs.replace(
            self.judged_by, edition=None, coverage=CoverageConfig(), waivers=WaiversConfig(), attestations={}
        )
        return blake2b(msgspec.json.encode(judging, order="deterministic"), digest_size=6).hexdigest()

    @property
    def discovery(self) -> DiscoveryOptions:
        """What discovery has to know of it."""
        roles = tuple(RoleOverride(glob, role) for glob, role in self.files.roles.items())
        return DiscoveryOptions(self.files.exclude, self.files.max_size, roles, self.evidence.files)


# --- as it is written -------------------------------------------------------------------------------------------------


class FilesTable(FilesConfig, frozen=True):
    """Which files are scanned, and as what."""

    extend_exclude: Annotated[
        tuple[str, ...], Meta(description="As `exclude`, besides what the files that this one lies above exclude.")
    ] = ()


class WrittenConfig(Table, frozen=True):
    """The tables of a file; `rules` mixes keys of its own with tables named by rule codes."""

    edition: Annotated[str, Meta(min_length=1, description="The edition of the standard to judge by.")] | None = None
    extends: Annotated[
        tuple[str, ...],
        Meta(
            description='What this file builds on: TOML files relative to it, or profiles of installed packages as "'
            'package:profile"; what comes later wins.'
        ),
    ] = ()
    root: Annotated[bool, Meta(description="Whether files in the folders above are left alone.")] = False
    services: Annotated[dict[str, ServiceConfig], Meta(description="By name.")] = field(default_factory=dict)
    files: FilesTable = FilesTable()
    rules: dict[str, Any] = field(default_factory=dict)
    coverage: CoverageConfig = CoverageConfig()
    evidence: EvidenceConfig = EvidenceConfig()
    migrations: MigrationsConfig = MigrationsConfig()
    gate: GateConfig = GateConfig()
    waivers: WaiversConfig = WaiversConfig()
    attestations: Annotated[dict[str, AttestationConfig], Meta(description="By principle, such as DB3.")] = field(
        default_factory=dict
    )


class RulesTable(Table, frozen=True):
    """Which rules are off, and settings by rule code."""

    disable: Annotated[tuple[str, ...], Meta(description="Codes of rules, or of analyzers' checks such as B101.")] = ()
    extend_disable: Annotated[
        tuple[str, ...], Meta(description="As `disable`, besides what the files that this one lies above disable.")
    ] = ()


class RuleSeverity(Table, frozen=True):
    """What can be set for every rule."""

    severity: Annotated[Severity, Meta(description="Another one than the rule's own.")] | None = None
