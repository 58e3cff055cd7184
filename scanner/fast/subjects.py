"""Which rules can be asked about a few files alone."""

from __future__ import annotations

from dataclasses import replace

from assay.scanner.judging import configured
from assay.scanner.model.call import FunctionCall
from assay.scanner.model.crypto import Credential, HashUse, PasswordUse, RandomUse
from assay.scanner.model.log import ExceptHandler, LogCall, LoggedData, LoggedError, PrintCall
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.site import AbsoluteLink, DataSite, LoggedText
from assay.scanner.model.sql import SqlSite
from assay.scanner.model.token import TokenVerification
from assay.scanner.model.transport import TlsClient
from assay.scanner.options import Options
from assay.scanner.rulebook import Rulebook

SITES = (
    SqlSite
    | FunctionCall
    | DataSite
    | OutboundCall
    | TlsClient
    | TokenVerification
    | HashUse
    | RandomUse
    | PasswordUse
    | Credential
    | LogCall
    | LoggedData
    | LoggedError
    | PrintCall
    | ExceptHandler
)
"""Subjects that are told by their own file and by what it calls."""
EXCUSED_ELSEWHERE = LoggedText | AbsoluteLink
"""Of these, those that a setting of the service may excuse: how its logs are rendered, which hosts it answers."""


def on_sites(rulebook: Rulebook, options: Options) -> Rulebook:
    """The configured rules whose subjects stand alone."""
    chosen = configured(rulebook, options.config)
    return replace(chosen, rules=tuple(rule for rule in chosen.rules if _stands_alone(rule.subject_type)))


def _stands_alone(subject: type) -> bool:
    return issubclass(subject, SITES) and not issubclass(subject, EXCUSED_ELSEWHERE)
