"""Addresses of services: where files and code give them, what they come to, and what they lead to."""
