"""Transactions: where one is open, which writes run in it, and what happens when one fails."""
