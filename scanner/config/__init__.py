"""What the user configures: `assay.toml`, or `[tool.assay]` in `pyproject.toml`, merged from the repository's top down.

A mistake is one ConfigError that names file, line and key, what is wrong and what was probably meant.
"""

from assay.scanner.config.documents import ConfigError
from assay.scanner.config.json_schema import schema
from assay.scanner.config.loading import FILE_NAME, FILE_NAMES, Loaded, load, load_config
from assay.scanner.config.structure import (
    AttestationConfig,
    Config,
    CoverageConfig,
    EvidenceConfig,
    FilesConfig,
    OptionValue,
    RuleConfig,
    RulesConfig,
    ServiceConfig,
    WaiversConfig,
    WaiversFrom,
)

__all__ = [
    "FILE_NAME",
    "FILE_NAMES",
    "AttestationConfig",
    "Config",
    "ConfigError",
    "CoverageConfig",
    "EvidenceConfig",
    "FilesConfig",
    "Loaded",
    "OptionValue",
    "RuleConfig",
    "RulesConfig",
    "ServiceConfig",
    "WaiversConfig",
    "WaiversFrom",
    "load",
    "load_config",
    "schema",
]
