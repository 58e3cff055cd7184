"""Metrics and traces: what a service records of its requests, and of what it calls."""
