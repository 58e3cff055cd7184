"""What handlers answer: statuses and bodies, folded, and which exceptions stand behind them."""

from __future__ import annotations
