"""Endpoints that are for few, and what they ask of callers."""

from __future__ import annotations
