"""Bodies of requests and shapes of responses: schemas, serializers, and what gets past them."""

from __future__ import annotations
