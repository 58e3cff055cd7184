"""API3: requests and responses are validated against declared types, and every error has the same shape."""

from __future__ import annotations

from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review
