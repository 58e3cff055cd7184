"""Clients of dependencies that speak no HTTP."""
