"""Columns for data that must not be readable in a stolen database: what they hold, and how it is kept."""

from __future__ import annotations
