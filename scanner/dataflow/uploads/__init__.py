"""Archives, uploads, and links built from requests."""

from __future__ import annotations
