"""CORS, rate limits, and addresses of clients."""

from __future__ import annotations
