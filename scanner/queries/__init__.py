"""Queries that the code runs: where, how often, over how many rows."""
