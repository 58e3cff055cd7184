"""Retry policies: those of libraries, and loops written by hand."""
