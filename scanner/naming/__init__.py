"""Names of paths and parameters, and routes that hide one another."""

from __future__ import annotations
