"""Who is let in: defaults, guards that act or not, sockets, webhooks."""

from __future__ import annotations
