"""Secrets that are written into files other than code."""
