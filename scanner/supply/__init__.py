"""What a service is built from: dependencies, how they are pinned and looked after; unencrypted transport."""

from __future__ import annotations
