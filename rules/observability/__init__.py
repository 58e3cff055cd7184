"""Observability: logs, metrics, traces, health and alerts."""
