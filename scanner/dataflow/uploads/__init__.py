"""Files that clients send: where they are stored, and what is known of them then."""

from __future__ import annotations
