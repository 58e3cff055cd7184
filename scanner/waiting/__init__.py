"""Calls that take long, and what waits for them: the event loop, requests, work that nobody looks after."""
