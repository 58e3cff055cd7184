"""API2: paths follow one naming convention, and the version of the API is explicit."""

from __future__ import annotations

from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review
