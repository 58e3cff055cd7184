"""Who gets a WebSocket connection: by guards, by checks of handlers and consumers, by origins."""

from __future__ import annotations
