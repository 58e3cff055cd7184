"""Refusals: where code turns a caller away for who they are."""
