"""API5: the API is described by an OpenAPI document, and the document is true."""

from __future__ import annotations

from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review
