"""SEC4: every sensitive endpoint is throttled, and API keys are managed."""

from __future__ import annotations

from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review
