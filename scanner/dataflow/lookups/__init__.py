"""Look-ups of one object by what a client sent: what happens when there is none, and whose it is."""

from __future__ import annotations
