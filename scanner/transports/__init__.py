"""Connections to other machines, and whether they are encrypted."""

from __future__ import annotations
