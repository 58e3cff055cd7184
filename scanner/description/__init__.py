"""OpenAPI: how an application describes its API, and where documents and code differ."""

from __future__ import annotations
