"""Protections that an application has as a whole: headers, hosts, debugging, forged requests."""

from __future__ import annotations
