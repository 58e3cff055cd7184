"""Keys and tokens: how they are made, signed, compared, stored and sent."""

from __future__ import annotations
