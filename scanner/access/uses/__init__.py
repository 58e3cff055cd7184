"""Where guards are put, and whether they act there: decorators, classes, dependencies, calls."""

from __future__ import annotations
