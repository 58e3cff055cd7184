"""Falcon: routes and resources, what responders answer with, and what guards them."""
