"""API1: methods and status codes mean what HTTP says they mean."""

from __future__ import annotations

from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review
